#include "engine/segment_run.h"

#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "colstore/hash.h"
#include "colstore/index_run_writer.h"
#include "engine/frozen_scan.h"

namespace omendb::engine {
namespace {

using colstore::IndexEntry;
using colstore::IndexRun;
using colstore::IndexRunName;
using colstore::RunSegment;

// Raised whenever the encoding of a key changes (types/key_encoding.h).
constexpr uint32_t kKeyEncodingVersion = 1;

// The keys of all rows of a segment.
class SegmentEntries {
 public:
  Status Read(const TableIndex& index, const std::shared_ptr<const FrozenSegment>& segment) {
    const std::span<const ColumnId> columns = index.key_columns();
    const Run all{segment, std::make_shared<DeadRows>(segment->rows()), nullptr};
    FrozenScan scan(all, {.columns = {columns.begin(), columns.end()}, .with_refs = true});
    const auto worker = scan.NewWorker();
    types::Chunk chunk;
    types::Row values(columns.size());
    std::string key;
    for (;;) {
      OMEN_ASSIGN(const bool more, scan.Next(*worker, chunk));
      if (!more) return Status::Ok();
      for (uint32_t row = 0; row < chunk.rows_count; ++row) {
        for (size_t i = 0; i < columns.size(); ++i) {
          const int32_t from = scan.chunk_column(i);
          values[i] = from < 0 ? index.missing_key_value(i)
                               : chunk.columns[static_cast<size_t>(from)].Get(row);
        }
        index.KeyOfValues(values, key);
        keys_.append(key);
        ends_.push_back(keys_.size());
        rows_.push_back(scan.row_id(chunk, row));
      }
    }
  }
  // Valid as long as this.
  std::vector<IndexEntry> Sorted() const {
    std::vector<IndexEntry> entries;
    entries.reserve(rows_.size());
    size_t begin = 0;
    for (size_t i = 0; i < rows_.size(); ++i) {
      entries.push_back({std::string_view(keys_).substr(begin, ends_[i] - begin), rows_[i]});
      begin = ends_[i];
    }
    if (!std::is_sorted(entries.begin(), entries.end())) SortByHeads(entries);
    return entries;
  }

 private:
  // The first bytes of most keys tell them apart, and lie beside each other here.
  static void SortByHeads(std::vector<IndexEntry>& entries) {
    struct Headed {
      uint64_t head;
      IndexEntry entry;
    };
    std::vector<Headed> headed;
    headed.reserve(entries.size());
    for (const IndexEntry& entry : entries) headed.push_back({HeadOf(entry.key), entry});
    std::sort(headed.begin(), headed.end(), [](const Headed& a, const Headed& b) {
      return a.head != b.head ? a.head < b.head : a.entry < b.entry;
    });
    std::transform(headed.begin(), headed.end(), entries.begin(),
                   [](const Headed& one) { return one.entry; });
  }
  // A number whose order is that of the keys, where it differs.
  static uint64_t HeadOf(std::string_view key) {
    char bytes[sizeof(uint64_t)] = {};
    key.copy(bytes, sizeof(bytes));
    return LoadBe<uint64_t>(bytes);
  }

  std::string keys_;  // one behind the other
  std::vector<size_t> ends_;
  std::vector<RowId> rows_;
};

// Those that the table has no more, too: each once.
std::vector<RunSegment> SegmentsOf(std::span<const IndexRunPtr> runs) {
  std::map<uint64_t, RunSegment> segments;
  for (const IndexRunPtr& run : runs) {
    for (const RunSegment& segment : run->name().segments) {
      segments.emplace(segment.file_id, segment);
    }
  }
  std::vector<RunSegment> all;
  for (const auto& [file_id, segment] : segments) all.push_back(segment);
  return all;
}

}  // namespace

colstore::RunSegment RunSegmentOf(const FrozenSegment& segment) {
  return {segment.file_id(), segment.reader()->footer_crc()};
}

IndexRunName NameOfRun(const SegmentFiles& files, const TableIndex& index,
                       std::vector<RunSegment> segments) {
  std::sort(segments.begin(), segments.end(),
            [](const RunSegment& a, const RunSegment& b) { return a.file_id < b.file_id; });
  std::string made_from;
  ByteWriter out(made_from);
  out.Put(kKeyEncodingVersion);
  out.Put(files.system_id());
  out.Put(index.storage().value());
  index.AppendIdentity(made_from);
  for (const RunSegment& segment : segments) {
    out.Put(segment.file_id);
    out.Put(segment.footer_crc);
  }
  return {colstore::HashBytes(made_from), index.storage(), std::move(segments)};
}

Result<IndexRunPtr> OpenSegmentRun(SegmentFiles& files, const TableIndex& index,
                                   const FrozenSegment& segment) {
  return IndexRun::Open(files.env(), files.PathOfRun(segment.file_id(), index.storage()),
                        NameOfRun(files, index, {RunSegmentOf(segment)}), &files.cache());
}

Result<IndexRunPtr> OpenMergedRun(SegmentFiles& files, const TableIndex& index,
                                  const std::string& path) {
  OMEN_ASSIGN(IndexRunPtr run, IndexRun::Open(files.env(), path, &files.cache()));
  if (run->name() == NameOfRun(files, index, run->name().segments)) return run;
  return env::DamagedFile(path, 0, "it is of another index");
}

Status ReadKeys(const TableIndex& index, const std::shared_ptr<const FrozenSegment>& segment) {
  return SegmentEntries().Read(index, segment);
}

Result<IndexRunPtr> WriteSegmentRun(SegmentFiles& files, TableIndex& index,
                                    const std::shared_ptr<const FrozenSegment>& segment) {
  SegmentEntries entries;
  OMEN_TRY(entries.Read(index, segment));
  const SegmentFiles::WritingRuns writing(files, index.storage());
  const std::string path = files.PathOfRun(segment->file_id(), index.storage());
  OMEN_TRY(colstore::WriteIndexRun(
      files.env(), path, NameOfRun(files, index, {RunSegmentOf(*segment)}), entries.Sorted()));
  index.runs().SetWritten(segment->file_id(), path);
  return OpenSegmentRun(files, index, *segment);
}

void ForgetRun(TableIndex& index, const RunSet& set, const std::string& path) {
  for (const Run& run : set.runs) {
    const uint64_t file_id = run.segment->file_id();
    if (index.runs().WrittenAt(file_id) == path) index.runs().SetWritten(file_id, {});
  }
}

Result<IndexRunPtr> WriteMergedRun(SegmentFiles& files, const TableIndex& index,
                                   std::span<const IndexRunPtr> runs, const Stop& stop) {
  IndexRunName name = NameOfRun(files, index, SegmentsOf(runs));
  const std::string path =
      files.PathOfMergedRun(name.segments.back().file_id, index.storage(), name.identity);
  OMEN_ASSIGN(const auto writer, colstore::IndexRunWriter::Create(files.env(), path, name));
  OMEN_ASSIGN(const bool merged, colstore::MergeIndexRuns(runs, stop, *writer));
  if (!merged) return IndexRunPtr();
  OMEN_TRY(writer->Finish());
  return IndexRun::Open(files.env(), path, name, &files.cache());
}

}  // namespace omendb::engine
