#include "colstore/segment_writer.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/check.h"
#include "base/sqlstate.h"
#include "colstore/hash.h"
#include "colstore/key_filter.h"
#include "colstore/key_index.h"

namespace omendb::colstore {
namespace {

using types::PhysicalType;

// One system call for so many bytes, and the system is asked to start writing as often.
constexpr size_t kWriteBytes = 1 << 20;
constexpr uint64_t kBlockStringBytesMax = uint64_t{1} << 30;

Status CheckOptions(const SegmentOptions& options) {
  const auto limit = [](const char* what) {
    return Status(sqlstate::kProgramLimitExceeded, std::string("a segment cannot have ") + what);
  };
  if (options.columns.empty()) return limit("no columns");
  if (options.columns.size() > kColumnsMax) return limit("more than 2000 columns");
  if (options.key.size() > kKeyColumnsMax) return limit("more than 32 columns in its key");
  for (const SegmentKeyColumn& key : options.key) OMEN_CHECK(key.column < options.columns.size());
  return Status::Ok();
}

template <size_t kSize>
void Gather(const char* cells, const uint32_t* rows, uint32_t count, char* out) {
  for (uint32_t i = 0; i < count; ++i) {
    std::memcpy(out + i * kSize, cells + rows[i] * kSize, kSize);
  }
}

}  // namespace

SegmentWriter::Pending::Pending(const SegmentColumn& segment_column)
    : column(segment_column),
      physical(types::PhysicalTypeOf(segment_column.type)),
      size(static_cast<size_t>(types::PhysicalSize(physical))),
      cells_bytes(size * kBlockRows),
      validity(kBlockRows / 64) {
  Clear();
}

void SegmentWriter::Pending::Clear() {
  std::fill(validity.begin(), validity.end(), ~uint64_t{0});
  nulls = 0;
  string_bytes = 0;
  arena.Reset();
}

void SegmentWriter::Pending::Put(const types::Value& value, uint32_t at) {
  char* const cell = cells_bytes.data() + at * size;
  if (value.is_null) {
    ++nulls;
    validity[at / 64] &= ~(uint64_t{1} << at % 64);
    std::memset(cell, 0, size);
    return;
  }
  if (physical != PhysicalType::kString) {
    types::StoreCell(physical, cell, value);
    return;
  }
  string_bytes += value.text.size;
  const bool is_long = value.text.size > types::StringSlot::kInlineMax;
  types::StoreCell(physical, cell, is_long ? types::CopyTo(arena, physical, value) : value);
}

void SegmentWriter::Pending::Append(const types::ColumnView& view, uint32_t first, uint32_t count,
                                    uint32_t at) {
  if (view.validity != nullptr || physical == PhysicalType::kString) {
    for (uint32_t i = 0; i < count; ++i) Put(view.Get(first + i), at + i);
    return;
  }
  char* const cells = cells_bytes.data() + at * size;
  const char* const data = static_cast<const char*>(view.data);
  if (view.selection == nullptr) {
    std::memcpy(cells, data + first * size, count * size);
    return;
  }
  const uint32_t* const rows = view.selection + first;
  switch (size) {
    case 1:
      return Gather<1>(data, rows, count, cells);
    case 2:
      return Gather<2>(data, rows, count, cells);
    case 4:
      return Gather<4>(data, rows, count, cells);
    case 8:
      return Gather<8>(data, rows, count, cells);
    default:
      return Gather<16>(data, rows, count, cells);
  }
}

ColumnCells SegmentWriter::Pending::cells(uint32_t rows) {
  return {physical, rows, cells_bytes.data(), validity.data(), nulls};
}

// The file under its temporary name: appends through a buffer, and knows where it is.
class SegmentWriter::File {
 public:
  static Result<std::unique_ptr<File>> Create(env::Env& env, const std::string& path,
                                              uint64_t file_id) {
    OMEN_ASSIGN(auto file, env.NewWritableFile(path, {.mode = env::OpenMode::kTruncate,
                                                      .write_behind_bytes = kWriteBytes}));
    return std::make_unique<File>(std::move(file), file_id);
  }
  File(std::unique_ptr<env::WritableFile> file, uint64_t file_id)
      : file_(std::move(file)), file_id_(file_id) {}

  uint64_t offset() const { return file_->position() + buffer_.size(); }
  Status Put(std::string_view bytes) {
    buffer_.append(bytes);
    return buffer_.size() < kWriteBytes ? Status::Ok() : Flush();
  }
  // A block or section, whose first four bytes become its CRC, and the padding behind it.
  Result<Extent> PutFrame(std::string& frame) {
    const Extent extent{offset(), frame.size()};
    StoreLe<uint32_t>(frame.data(), Crc32c(std::string_view(frame).substr(4),
                                           FrameCrcSeed(file_id_, extent.offset)));
    frame.resize(AlignUp(frame.size()));
    OMEN_TRY(Put(frame));
    return extent;
  }
  Result<Extent> PutSection(std::string_view content) {
    std::string frame(kSectionHeaderBytes, '\0');
    StoreLe<uint32_t>(frame.data() + 4, static_cast<uint32_t>(content.size()));
    frame.append(content);
    return PutFrame(frame);
  }
  Status Close() {
    OMEN_TRY(Flush());
    OMEN_TRY(file_->Sync());
    return file_->Close();
  }

 private:
  Status Flush() {
    OMEN_TRY(file_->Append(buffer_));
    buffer_.clear();
    return Status::Ok();
  }
  const std::unique_ptr<env::WritableFile> file_;
  const uint64_t file_id_;
  std::string buffer_;
};

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::Create(env::Env& env, const std::string& path,
                                                             SegmentOptions options) {
  OMEN_TRY(CheckOptions(options));
  return std::unique_ptr<SegmentWriter>(new SegmentWriter(env, path, std::move(options)));
}

SegmentWriter::SegmentWriter(env::Env& env, std::string path, SegmentOptions options)
    : env_(env),
      path_(std::move(path)),
      options_(std::move(options)),
      integer_key_(!options_.key.empty() &&
                   IsIntegerKey(options_.key, options_.columns[options_.key[0].column].type)) {
  for (const SegmentColumn& column : options_.columns) {
    pending_.push_back(std::make_unique<Pending>(column));
    columns_.emplace_back().footer.column = column;
  }
}

SegmentWriter::~SegmentWriter() {
  if (renamed_) return;
  // Best effort: whoever owns the folder removes what is left at its next start.
  const std::string temporary = path_ + ".tmp";
  const Result<bool> exists = env_.Exists(temporary);
  if (exists.ok() && *exists) (void)env_.Remove(temporary);
}

Status SegmentWriter::Append(const types::Chunk& chunk, uint32_t first, uint32_t count) {
  OMEN_CHECK(chunk.columns.size() == pending_.size());
  if (count > rows_left()) {
    return Status(sqlstate::kProgramLimitExceeded, "a segment has at most 262144 rows");
  }
  while (count > 0) {
    const uint32_t step = std::min(count, kBlockRows - pending_rows_);
    for (size_t i = 0; i < pending_.size(); ++i) {
      pending_[i]->Append(chunk.columns[i], first, step, pending_rows_);
    }
    first += step;
    count -= step;
    pending_rows_ += step;
    rows_ += step;
    if (pending_rows_ == kBlockRows) OMEN_TRY(FlushBlock());
  }
  return Status::Ok();
}

Status SegmentWriter::AppendRow(std::span<const types::Value> row) {
  OMEN_CHECK(row.size() == pending_.size());
  if (rows_left() == 0) {
    return Status(sqlstate::kProgramLimitExceeded, "a segment has at most 262144 rows");
  }
  for (size_t i = 0; i < row.size(); ++i) pending_[i]->Put(row[i], pending_rows_);
  ++rows_;
  return ++pending_rows_ == kBlockRows ? FlushBlock() : Status::Ok();
}

void SegmentWriter::NoteTimestamp(Timestamp ts) {
  min_ts_ = std::min(min_ts_, ts);
  max_ts_ = std::max(max_ts_, ts);
}

// Keys before encoding, which overwrites the cells of NULLs.
Status SegmentWriter::FlushBlock() {
  OMEN_TRY(integer_key_ ? NoteIntegerKeys() : NoteByteKeys());
  for (size_t i = 0; i < pending_.size(); ++i) {
    Pending& pending = *pending_[i];
    if (pending.string_bytes >= kBlockStringBytesMax) {
      return Status(sqlstate::kProgramLimitExceeded,
                    "the strings of 2048 rows of a segment are at most 1 GB together");
    }
    Column& column = columns_[i];
    const ColumnCells cells = pending.cells(pending_rows_);
    Zone zone = Zone::Of(pending.column.type, cells);
    column.footer.zone.Merge(pending.column.type, zone);
    column.section.zones.push_back(std::move(zone));
    column.section.sketch.AddCells(pending.column.type, cells);
    encoder_.Encode(cells, column.hint, column.blocks.emplace_back());
    encoded_bytes_ += column.blocks.back().size();
    pending.Clear();
  }
  pending_rows_ = 0;
  return Status::Ok();
}

Status SegmentWriter::KeyError(const char* what) const {
  return Status(sqlstate::kInvalidParameterValue,
                std::string("keys of segment \"") + path_ + "\" " + what);
}

Status SegmentWriter::NoteIntegerKeys() {
  const Pending& pending = *pending_[options_.key[0].column];
  if (pending.nulls > 0) return KeyError("must not be NULL");
  for (uint32_t i = 0; i < pending_rows_; ++i) {
    const types::Value value =
        types::LoadCell(pending.physical, pending.cells_bytes.data() + i * pending.size);
    const uint64_t key = types::EncodeIntKey(pending.column.type, value);
    if (!integer_keys_.empty() && integer_keys_.back() >= key) return KeyError("must ascend");
    integer_keys_.push_back(key);
  }
  return Status::Ok();
}

Status SegmentWriter::NoteByteKeys() {
  if (options_.key.empty()) return Status::Ok();
  std::string key;
  for (uint32_t i = 0; i < pending_rows_; ++i) {
    key.clear();
    for (const SegmentKeyColumn& column : options_.key) {
      const Pending& pending = *pending_[column.column];
      const bool is_null = (pending.validity[i / 64] >> i % 64 & 1) == 0;
      const types::Value value =
          is_null
              ? types::Value::Null()
              : types::LoadCell(pending.physical, pending.cells_bytes.data() + i * pending.size);
      types::AppendKey(pending.column.type, value, column.options, key);
    }
    OMEN_TRY(NoteByteKey(key));
  }
  return Status::Ok();
}

Status SegmentWriter::NoteByteKey(std::string_view key) {
  if (key.size() > kKeyBytesMax) {
    return Status(sqlstate::kProgramLimitExceeded, "a key of a segment is at most 65536 bytes");
  }
  const auto count = static_cast<uint32_t>(key_ends_.size());
  if (count > 0 && ByteKeyAt(count - 1) >= key) return KeyError("must ascend");
  key_bytes_.append(key);
  key_ends_.push_back(key_bytes_.size());
  return Status::Ok();
}

std::string_view SegmentWriter::ByteKeyAt(uint32_t row) const {
  const uint64_t begin = row == 0 ? 0 : key_ends_[row - 1];
  return std::string_view(key_bytes_).substr(begin, key_ends_[row] - begin);
}

std::string SegmentWriter::KeyAt(uint32_t row) const {
  if (options_.key.empty()) return {};
  if (!integer_key_) return std::string(ByteKeyAt(row));
  std::string key(8, '\0');
  StoreBe<uint64_t>(key.data(), integer_keys_[row]);
  return key;
}

Result<std::string> SegmentWriter::BuildKeyIndex() const {
  if (integer_key_) return KeyIndex::BuildIntegers(integer_keys_);
  std::vector<std::string_view> keys;
  for (uint32_t i = 0; i < key_ends_.size(); ++i) keys.push_back(ByteKeyAt(i));
  return KeyIndex::BuildBytes(keys);
}

// Integer keys without gaps need no filter: the bounds say it all.
std::string SegmentWriter::BuildKeyFilter() const {
  std::vector<uint64_t> hashes;
  if (integer_key_ && integer_keys_.back() - integer_keys_.front() + 1 != rows_) {
    for (const uint64_t key : integer_keys_) hashes.push_back(HashInt(key));
  }
  for (uint32_t i = 0; i < key_ends_.size(); ++i) hashes.push_back(HashBytes(ByteKeyAt(i)));
  return KeyFilter::Build(hashes);
}

Status SegmentWriter::WriteBlocks(File& file, Column& column, size_t first, size_t count) {
  const size_t end = std::min(first + count, column.blocks.size());
  for (size_t i = first; i < end; ++i) {
    OMEN_ASSIGN(const Extent extent, file.PutFrame(column.blocks[i]));
    column.section.blocks.push_back(extent);
    column.blocks[i] = std::string();
  }
  return Status::Ok();
}

Status SegmentWriter::WriteBlocks(File& file) {
  const std::vector<uint32_t> grouped = footer_.GroupedColumns();
  for (size_t first = 0; first < footer_.blocks_count(); first += kGroupBlocks) {
    for (const uint32_t i : grouped) {
      OMEN_TRY(WriteBlocks(file, columns_[i], first, kGroupBlocks));
    }
  }
  for (Column& column : columns_) {
    if (column.section.blocks.empty()) OMEN_TRY(WriteBlocks(file, column, 0, column.blocks.size()));
  }
  for (size_t i = 0; i < columns_.size(); ++i) {
    const std::vector<Extent>& blocks = columns_[i].section.blocks;
    footer_.columns[i].blocks.offset = blocks.front().offset;
    for (const Extent& block : blocks) footer_.columns[i].blocks.bytes += AlignUp(block.bytes);
  }
  return Status::Ok();
}

// Last those of columns that lookups by key read, so that they lie beside the key index.
Status SegmentWriter::WriteColumnSections(File& file) {
  std::vector<uint32_t> order(columns_.size());
  std::iota(order.begin(), order.end(), 0U);
  const std::vector<uint32_t> wanted = footer_.LookupColumns();
  std::stable_partition(order.begin(), order.end(), [&](uint32_t i) {
    return std::find(wanted.begin(), wanted.end(), i) == wanted.end();
  });
  for (const uint32_t i : order) {
    const Column& column = columns_[i];
    OMEN_ASSIGN(footer_.columns[i].section, file.PutSection(column.section.Serialize(
                                                column.footer.column.type, footer_.IsGrouped(i))));
  }
  return Status::Ok();
}

Status SegmentWriter::WriteAll(File& file) {
  OMEN_TRY(file.Put(SerializeHeader({options_.system_id, options_.file_id})));
  OMEN_TRY(WriteBlocks(file));
  OMEN_TRY(WriteColumnSections(file));
  if (!options_.key.empty()) {
    OMEN_ASSIGN(const std::string key_index, BuildKeyIndex());
    OMEN_ASSIGN(footer_.key_index, file.PutSection(key_index));
    OMEN_ASSIGN(footer_.key_filter, file.PutSection(BuildKeyFilter()));
  }
  const std::string footer = footer_.Serialize();
  SegmentTail tail;
  tail.version = options_.version;
  tail.footer = {file.offset(), footer.size()};
  tail.file_id = options_.file_id;
  tail.file_bytes = file.offset() + footer.size() + kTailBytes;
  tail.footer_crc = Crc32c(footer);
  OMEN_TRY(file.Put(footer));
  OMEN_TRY(file.Put(SerializeTail(tail)));
  return file.Close();
}

Result<SegmentSummary> SegmentWriter::Finish() {
  OMEN_CHECK(rows_ > 0);
  if (pending_rows_ > 0) OMEN_TRY(FlushBlock());
  footer_.version = options_.version;
  footer_.storage = options_.storage;
  footer_.rows = rows_;
  footer_.min_ts = std::min(min_ts_, max_ts_);
  footer_.max_ts = max_ts_;
  footer_.key = options_.key;
  footer_.min_key = KeyAt(0);
  footer_.max_key = KeyAt(rows_ - 1);
  for (const Column& column : columns_) footer_.columns.push_back(column.footer);
  const std::string temporary = path_ + ".tmp";
  OMEN_ASSIGN(const auto file, File::Create(env_, temporary, options_.file_id));
  OMEN_TRY(WriteAll(*file));
  OMEN_TRY(env_.Rename(temporary, path_));
  renamed_ = true;
  OMEN_TRY(env_.SyncDir(env::DirName(path_)));
  return SegmentSummary{path_,           options_.file_id, file->offset(), rows_,
                        footer_.min_key, footer_.max_key,  footer_.min_ts, footer_.max_ts};
}

}  // namespace omendb::colstore
