#include "engine/checkpoint.h"

#include "base/bytes.h"
#include "base/newer_format.h"
#include "base/sqlstate.h"
#include "engine/redo.h"
#include "engine/visible_rows.h"
#include "env/record_file.h"

namespace omendb::engine {
namespace {

// On disk: never renumber.
enum class Kind : uint8_t { kCatalog = 1, kSequence = 2, kRows = 3, kEnd = 4, kSegment = 5 };

constexpr size_t kRowsRecordBytes = 256 * 1024;

env::RecordFileOptions Options(uint64_t system_id) {
  env::RecordFileOptions options;
  options.kind = env::RecordFileKind::kCheckpoint;
  options.system_id = system_id;
  return options;
}

Status AppendRecord(env::RecordFileWriter& file, Kind kind, std::string_view payload) {
  std::string record(1, static_cast<char>(kind));
  record.append(payload);
  return file.Append(record);
}

// Gathers row images of one table into records of a fair size.
class RowsWriter {
 public:
  RowsWriter(env::RecordFileWriter& file, Oid storage) : file_(file), storage_(storage) {}
  Status Add(const rowstore::Page& page, uint32_t slot) {
    const auto& columns = page.layout().columns();
    row_.resize(columns.size());
    for (uint32_t i = 0; i < row_.size(); ++i) row_[i] = page.Read(i, slot);
    ByteWriter(images_).PutVarint(page.header(slot).row_id);
    AppendRowImage(columns, row_, images_);
    ++count_;
    return images_.size() < kRowsRecordBytes ? Status::Ok() : Flush();
  }
  Status Flush() {
    if (count_ == 0) return Status::Ok();
    std::string payload;
    ByteWriter out(payload);
    out.PutVarint(storage_.value());
    out.PutVarint(count_);
    out.PutRaw(images_);
    images_.clear();
    count_ = 0;
    return AppendRecord(file_, Kind::kRows, payload);
  }

 private:
  env::RecordFileWriter& file_;
  const Oid storage_;
  types::Row row_;
  std::string images_;
  uint64_t count_ = 0;
};

Status WriteTable(env::RecordFileWriter& file, const CheckpointSource::Stored& stored,
                  const mvcc::Snapshot& snapshot, const mvcc::TxnTable& txns,
                  const std::function<bool()>& stop) {
  const Oid storage = stored.table->storage();
  const std::shared_ptr<const RunSet> runs = SeenRuns(stored.runs, txns, snapshot);
  for (const Run& run : runs->runs) {
    if (!run.IsSeen(txns, snapshot)) continue;
    std::string payload;
    ByteWriter out(payload);
    out.PutVarint(storage.value());
    out.PutVarint(run.segment->file_id());
    run.dead->Serialize(payload);
    OMEN_TRY(AppendRecord(file, Kind::kSegment, payload));
  }
  RowsWriter writer(file, storage);
  uint64_t page_number = 0;
  OMEN_TRY(ForEachHotRow(*stored.table, *runs, txns, snapshot,
                         [&](const rowstore::Page& page, uint32_t slot) -> Status {
                           if (page.number() != page_number && stop && stop()) {
                             return Status(sqlstate::kQueryCanceled, "the checkpoint was stopped");
                           }
                           page_number = page.number();
                           return writer.Add(page, slot);
                         }));
  return writer.Flush();
}

Status Damaged(const std::string& path, const std::string& what) {
  return Status(sqlstate::kDataCorrupted, "checkpoint \"" + path + "\" is damaged: " + what);
}

Status OfCheckpoint(const std::string& path, const Status& status) {
  const ErrorInfo& error = status.error();
  return Status(error.sqlstate, "checkpoint \"" + path + "\": " + error.message);
}

}  // namespace

Status WriteCheckpoint(env::Env& env, const std::string& path, uint64_t system_id,
                       const CheckpointSource& source, const mvcc::TxnTable& txns,
                       const std::function<bool()>& stop) {
  OMEN_ASSIGN(auto file, env::RecordFileWriter::Create(env, path, Options(system_id)));
  OMEN_TRY(AppendRecord(*file, Kind::kCatalog,
                        catalog::EncodeChanges(catalog::AllObjects(*source.catalog))));
  for (const std::string& sequence : source.sequences) {
    OMEN_TRY(AppendRecord(*file, Kind::kSequence, sequence));
  }
  const mvcc::Snapshot snapshot{source.ts, TxnId(0), 0};
  for (const auto& [storage, stored] : source.tables) {
    if (stored.table->logged()) OMEN_TRY(WriteTable(*file, stored, snapshot, txns, stop));
  }
  std::string end;
  ByteWriter(end).Put<uint64_t>(source.ts.value());
  OMEN_TRY(AppendRecord(*file, Kind::kEnd, end));
  return file->Finish();
}

Status ReadCheckpoint(env::Env& env, const std::string& path, uint64_t system_id,
                      CheckpointSink& sink) {
  OMEN_ASSIGN(auto file, env::RecordFileReader::Open(env, path, Options(system_id)));
  std::string_view record;
  bool ended = false;
  for (;;) {
    OMEN_ASSIGN(const bool more, file->Next(&record));
    if (!more) break;
    if (record.empty() || ended) return Damaged(path, "a record out of place");
    const auto kind = static_cast<Kind>(record[0]);
    record.remove_prefix(1);
    ByteReader in(record);
    switch (kind) {
      case Kind::kCatalog: {
        const auto objects = catalog::DecodeChanges(record);
        if (!objects.ok()) return OfCheckpoint(path, objects.status());
        OMEN_TRY(sink.OnCatalog(*objects));
        break;
      }
      case Kind::kSequence:
        OMEN_TRY(sink.OnSequence(record));
        break;
      case Kind::kRows: {
        const Oid storage(static_cast<uint32_t>(in.GetVarint()));
        const uint64_t count = in.GetVarint();
        if (in.failed()) return Damaged(path, "a record of rows without a head");
        OMEN_TRY(sink.OnRows(storage, count, record.substr(in.position())));
        break;
      }
      case Kind::kSegment: {
        const Oid storage(static_cast<uint32_t>(in.GetVarint()));
        const uint64_t file_id = in.GetVarint();
        if (in.failed()) return Damaged(path, "a record of a segment without a head");
        OMEN_TRY(sink.OnSegment(storage, file_id, record.substr(in.position())));
        break;
      }
      case Kind::kEnd:
        ended = true;
        break;
      default:
        return WrittenByNewer("checkpoint \"" + path + "\"", "a record of kind",
                              static_cast<uint8_t>(kind));
    }
  }
  return ended ? Status::Ok() : Damaged(path, "it has no end");
}

}  // namespace omendb::engine
