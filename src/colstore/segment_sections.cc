// Sections of a segment: each when it is first asked for; those that lookups need, together.
#include <algorithm>

#include "colstore/segment_reader.h"

namespace omendb::colstore {
namespace {

// What lookups need to know is read at once where it comes to no more, with what lies between: an
// SSD takes less long for it than for a second read.
constexpr uint64_t kLookupSectionsBytesMax = 128 * 1024;

Extent Hull(const Extent& a, const Extent& b) {
  if (a.bytes == 0) return b;
  const uint64_t begin = std::min(a.offset, b.offset);
  return {begin, std::max(a.offset + a.bytes, b.offset + b.bytes) - begin};
}

}  // namespace

Result<std::string_view> SegmentReader::ContentOf(const Extent& extent, std::string_view frame,
                                                  std::string_view what) const {
  OMEN_TRY(CheckFrame(extent, frame, what));
  const std::string_view content = frame.substr(kSectionHeaderBytes);
  if (LoadLe<uint32_t>(frame.data() + 4) != content.size()) {
    return Damage(extent, std::string(what) + " has a wrong size");
  }
  return content;
}

std::string SegmentReader::DirectoryName(uint32_t column) const {
  return "column " + std::to_string(footer_.columns[column].column.id.value()) + ", its directory";
}

Result<ColumnDirectory> SegmentReader::ParseDirectory(uint32_t column, std::string_view frame,
                                                      DistinctSketch* sketch) const {
  const ColumnFooter& info = footer_.columns[column];
  const std::string what = DirectoryName(column);
  OMEN_ASSIGN(const std::string_view content, ContentOf(info.section, frame, what));
  auto parsed = ColumnDirectory::Parse(footer_, column, content, sketch);
  if (!parsed.ok()) return Damage(info.section, what + ": " + parsed.status().error().message);
  return parsed;
}

Result<KeyIndex> SegmentReader::ParseKeyIndex(std::string_view frame) const {
  OMEN_ASSIGN(const std::string_view content, ContentOf(footer_.key_index, frame, "its key index"));
  Result<KeyIndex> parsed = KeyIndex::Parse(content, footer_.rows);
  if (!parsed.ok()) {
    return Damage(footer_.key_index, "its key index: " + parsed.status().error().message);
  }
  if ((parsed->kind() == KeyIndexKind::kIntegers) != footer_.has_integer_key()) {
    return Damage(footer_.key_index, "its key index is of another kind");
  }
  return parsed;
}

Result<KeyFilter> SegmentReader::ParseKeyFilter(std::string_view frame) const {
  OMEN_ASSIGN(const std::string_view content,
              ContentOf(footer_.key_filter, frame, "its key filter"));
  KeyFilter filter;
  if (!filter.Parse(content)) return Damage(footer_.key_filter, "its key filter is wrong");
  return filter;
}

Result<const ColumnDirectory*> SegmentReader::directory(uint32_t column) const {
  return directories_[column].Get(load_mu_, [&]() -> Result<ColumnDirectory> {
    OMEN_ASSIGN(const AlignedBytes frame,
                ReadRaw(footer_.columns[column].section, DirectoryName(column)));
    return ParseDirectory(column, frame.view());
  });
}

Result<DistinctSketch> SegmentReader::sketch(uint32_t column) const {
  OMEN_ASSIGN(const AlignedBytes frame,
              ReadRaw(footer_.columns[column].section, DirectoryName(column)));
  DistinctSketch sketch;
  OMEN_TRY(ParseDirectory(column, frame.view(), &sketch).status());
  return sketch;
}

std::vector<Result<DistinctSketch>> SegmentReader::ReadSketches() const {
  Extent all = footer_.key.empty() ? Extent() : footer_.key_index;
  for (const ColumnFooter& column : footer_.columns) all = Hull(all, column.section);
  std::optional<AlignedBytes> bytes;
  if (all.bytes <= kLookupSectionsBytesMax) {
    Result<AlignedBytes> read = ReadRaw(all, "sections");
    if (read.ok()) bytes.emplace(std::move(read).value());  // One by one, else.
  }
  const auto frame_of = [&](const Section& section) {
    const Extent extent = ExtentOf(section);
    return bytes->view().substr(extent.offset - all.offset, extent.bytes);
  };
  std::vector<Result<DistinctSketch>> sketches;
  for (uint32_t i = 0; i < footer_.columns.size(); ++i) {
    sketches.push_back(bytes ? KeepWithSketch(i, frame_of({.column = i})) : sketch(i));
  }
  const Section key_index{.kind = Section::kKeyIndex};
  if (bytes && !footer_.key.empty()) Keep(key_index, frame_of(key_index));
  return sketches;
}

Result<DistinctSketch> SegmentReader::KeepWithSketch(uint32_t column,
                                                     std::string_view frame) const {
  DistinctSketch sketch;
  Result<ColumnDirectory> parsed = ParseDirectory(column, frame, &sketch);
  if (!parsed.ok()) return std::move(parsed).status();
  (void)directories_[column].Get(load_mu_, [&] { return std::move(parsed); });
  return sketch;
}

Result<const KeyIndex*> SegmentReader::key_index() const {
  return key_index_.Get(load_mu_, [this]() -> Result<KeyIndex> {
    OMEN_ASSIGN(const AlignedBytes frame, ReadRaw(footer_.key_index, "its key index"));
    return ParseKeyIndex(frame.view());
  });
}

Result<const KeyFilter*> SegmentReader::key_filter() const {
  return key_filter_.Get(load_mu_, [this]() -> Result<KeyFilter> {
    OMEN_ASSIGN(const AlignedBytes frame, ReadRaw(footer_.key_filter, "its key filter"));
    return ParseKeyFilter(frame.view());
  });
}

Extent SegmentReader::ExtentOf(const Section& section) const {
  if (section.kind == Section::kKeyIndex) return footer_.key_index;
  if (section.kind == Section::kKeyFilter) return footer_.key_filter;
  return footer_.columns[section.column].section;
}

bool SegmentReader::IsLoaded(const Section& section) const {
  if (section.kind == Section::kKeyIndex) return key_index_.ready() != nullptr;
  if (section.kind == Section::kKeyFilter) return key_filter_.ready() != nullptr;
  return directories_[section.column].ready() != nullptr;
}

void SegmentReader::Keep(const Section& section, std::string_view frame) const {
  switch (section.kind) {
    case Section::kDirectory:
      (void)directories_[section.column].Get(load_mu_,
                                             [&] { return ParseDirectory(section.column, frame); });
      break;
    case Section::kKeyIndex:
      (void)key_index_.Get(load_mu_, [&] { return ParseKeyIndex(frame); });
      break;
    case Section::kKeyFilter:
      (void)key_filter_.Get(load_mu_, [&] { return ParseKeyFilter(frame); });
      break;
  }
}

// What every lookup by key needs; then the other columns; then the filter: each if all of it fits.
std::vector<SegmentReader::Section> SegmentReader::SectionsForLookups(Extent* all) const {
  std::vector<Section> sections;
  const auto add = [&](const std::vector<Section>& more) {
    Extent hull = *all;
    for (const Section& section : more) hull = Hull(hull, ExtentOf(section));
    if (hull.bytes > kLookupSectionsBytesMax) return;
    *all = hull;
    std::copy_if(more.begin(), more.end(), std::back_inserter(sections),
                 [this](const Section& section) { return !IsLoaded(section); });
  };
  std::vector<Section> of_key;
  if (!footer_.key.empty()) of_key.push_back({.kind = Section::kKeyIndex});
  const std::vector<uint32_t> key_columns = footer_.LookupColumns();
  for (const uint32_t column : key_columns) of_key.push_back({.column = column});
  add(of_key);
  std::vector<Section> others;
  for (uint32_t i = 0; i < footer_.columns.size(); ++i) {
    const bool is_of_key =
        std::find(key_columns.begin(), key_columns.end(), i) != key_columns.end();
    if (!is_of_key) others.push_back({.column = i});
  }
  add(others);
  if (!footer_.key.empty()) add({Section{.kind = Section::kKeyFilter}});
  return sections;
}

void SegmentReader::LoadForLookups() const {
  if (sections_read_.load(std::memory_order_acquire)) return;
  MutexLock lock(sections_mu_);
  if (sections_read_.load(std::memory_order_relaxed)) return;
  Extent all;
  const std::vector<Section> sections = SectionsForLookups(&all);
  if (sections.size() > 1) LoadTogether(sections, all);
  sections_read_.store(true, std::memory_order_release);
}

void SegmentReader::LoadTogether(const std::vector<Section>& sections, const Extent& all) const {
  const Result<AlignedBytes> bytes = ReadRaw(all, "sections");
  if (!bytes.ok()) return;
  for (const Section& section : sections) {
    const Extent extent = ExtentOf(section);
    Keep(section, bytes->view().substr(extent.offset - all.offset, extent.bytes));
  }
}

}  // namespace omendb::colstore
