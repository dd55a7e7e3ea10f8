#include "engine/recovery.h"

#include <algorithm>
#include <set>

#include "base/bytes.h"
#include "base/newer_format.h"
#include "base/sqlstate.h"
#include "engine/build_index.h"
#include "engine/redo.h"

namespace omendb::engine {
namespace {

Status DamagedRecord(std::string_view what) {
  return Status(sqlstate::kDataCorrupted, "the log is damaged: " + std::string(what));
}

}  // namespace

Recovery::Recovery(Storages& storages, DurableCounters& counters, SegmentFiles& segments,
                   const KeyBudget& key_budget)
    : storages_(storages),
      counters_(counters),
      segments_(segments),
      key_budget_(key_budget),
      catalog_(catalog::BootstrapCatalog()) {}

Status Recovery::LoadCheckpoint(env::Env& env, const std::string& path, const Manifest& manifest) {
  checkpoint_ts_ = manifest.checkpoint_ts;
  last_commit_ = std::max(last_commit_, checkpoint_ts_);
  // The checkpoint has the whole catalog: nothing of a new folder's may shine through.
  catalog_ = std::make_shared<const catalog::CatalogSnapshot>();
  return ReadCheckpoint(env, path, manifest.system_id, *this);
}

Status Recovery::OnCatalog(const std::vector<catalog::CatalogChange>& objects) {
  return ApplyCatalog(objects);
}

Status Recovery::OnSequence(std::string_view record) { return counters_.Apply(record); }

Status Recovery::OnSegment(Oid storage, uint64_t file_id, std::string_view dead) {
  Target* target = TargetOf(storage);
  if (target == nullptr) return DamagedRecord("a checkpointed segment of an unknown table");
  ByteReader in(dead);
  return AddSegment(*target, file_id, in, /*rows_are_there=*/false);
}

Status Recovery::AddSegment(Target& target, uint64_t file_id, ByteReader& dead,
                            bool rows_are_there) {
  segment_files_.insert(file_id);
  const auto opened = segments_.Open(file_id);
  if (!opened.ok()) return NoteDamage(target, opened.status());
  const std::shared_ptr<const FrozenSegment>& segment = *opened;
  Table& table = *target.table;
  DeadRows mask;
  if (segment->reader()->footer().storage != table.storage() ||
      !mask.Parse(segment->rows(), dead)) {
    return DamagedRecord("segment " + std::to_string(file_id) + " does not fit what is told of it");
  }
  const Result<std::vector<RowId>> ids = segment->ReadRowIds();
  if (!ids.ok()) return NoteDamage(target, ids.status());
  const std::vector<RowId>& rows = *ids;
  std::vector<bool> live(rows.size());
  for (uint32_t i = 0; i < rows.size(); ++i) live[i] = !mask.Has(i);
  const uint64_t number = table.frozen().Publish(segment, std::move(mask), {});
  rowstore::TableStore& store = table.store();
  for (uint32_t i = 0; i < rows.size(); ++i) {
    if (rows[i].value() == 0) return DamagedRecord("a frozen row without an id");
    // Dead ones too: the segment goes on giving their ids for their keys.
    store.RaiseRows(rows[i]);
    if (!live[i]) continue;
    const bool is_there = store.head(rows[i]) != 0;
    const bool was_damaged = rows_are_there && !target.damage.ok();
    if (is_there != rows_are_there && !was_damaged) {
      return DamagedRecord("row " + std::to_string(rows[i].value()) + " of segment " +
                           std::to_string(file_id) + " is in two places, or in none");
    }
    if (!rows_are_there) continue;
    LeaveSegment(table, rows[i]);
    store.RestoreFrozen(rows[i], rowstore::MakeFrozenRef(number, i));
  }
  if (!rows_are_there) RestoreNewRows(store, rows, live, number);
  return Status::Ok();
}

// As many at once as have ids one behind the other.
void Recovery::RestoreNewRows(rowstore::TableStore& store, const std::vector<RowId>& rows,
                              const std::vector<bool>& live, uint64_t segment) {
  for (uint32_t first = 0; first < rows.size();) {
    uint32_t end = first + 1;
    if (live[first]) {
      while (end < rows.size() && live[end] && rows[end].value() == rows[end - 1].value() + 1) {
        ++end;
      }
      store.RestoreFrozenRange(rows[first], end - first, rowstore::MakeFrozenRef(segment, first));
    }
    first = end;
  }
}

Status Recovery::NoteDamage(Target& target, const Status& status) {
  const bool is_damage = status.Is(sqlstate::kDataCorrupted) ||
                         status.Is(sqlstate::kUndefinedFile) || status.Is(sqlstate::kIoError);
  if (!is_damage) return status;
  if (target.damage.ok()) target.damage = status;
  return Status::Ok();
}

// What the same transaction put in the place of a row comes before this.
Status Recovery::DeleteMasked(Target& target, uint64_t file_id, ByteReader& runs) {
  Table& table = *target.table;
  const std::shared_ptr<const RunSet> set = table.frozen().runs();
  const auto found = std::find_if(set->runs.begin(), set->runs.end(), [&](const Run& run) {
    return run.segment->file_id() == file_id;
  });
  if (found == set->runs.end()) {
    if (!target.damage.ok()) return Status::Ok();
    return DamagedRecord("rows are deleted of segment " + std::to_string(file_id) +
                         ", which the table does not have");
  }
  OMEN_ASSIGN(const std::vector<RowId> rows, found->segment->ReadRowIds());
  const auto number = static_cast<uint64_t>(found - set->runs.begin());
  const auto remove = [&](uint32_t first, uint32_t count) {
    for (uint32_t i = first; i < first + count; ++i) {
      if (table.store().head(rows[i]) != rowstore::MakeFrozenRef(number, i)) continue;
      LeaveSegment(table, rows[i]);
      table.store().RestoreDelete(rows[i]);
    }
  };
  if (!DeleteMask::Parse(found->segment->rows(), runs, remove)) {
    return DamagedRecord("rows that are deleted of segment " + std::to_string(file_id));
  }
  return Status::Ok();
}

void Recovery::LeaveSegment(Table& table, RowId row) {
  table.store().RaiseRows(row);
  const rowstore::VersionRef head = table.store().head(row);
  if (rowstore::IsFrozen(head)) table.frozen().MarkDead(head);
}

Status Recovery::OnRows(Oid storage, uint64_t count, std::string_view images) {
  Target* target = TargetOf(storage);
  if (target == nullptr) return DamagedRecord("checkpointed rows of an unknown table");
  ByteReader in(images);
  for (uint64_t i = 0; i < count; ++i) {
    const RowId row(in.GetVarint());
    if (row.value() == 0 || !ReadRowImage(target->columns, in, row_)) {
      return DamagedRecord("a checkpointed row");
    }
    rowstore::TableStore& store = target->table->store();
    store.RaiseRows(row);
    if (store.head(row) != 0) return DamagedRecord("a checkpointed row that is there twice");
    store.Restore(row, target->layout, checkpoint_ts_, row_);
  }
  return Status::Ok();
}

Status Recovery::ApplyCatalog(const std::vector<catalog::CatalogChange>& changes) {
  catalog::CatalogEdit edit(catalog_);
  OMEN_TRY(edit.Apply(changes));
  catalog_ = edit.Installed();
  last_target_ = nullptr;
  for (const catalog::CatalogChange& change : changes) {
    if (change.op != catalog::CatalogChange::Op::kPut) continue;
    const auto* def = std::get_if<catalog::TableDef>(change.object.get());
    if (def == nullptr) continue;
    Target& target = targets_[def->storage];
    if (target.table == nullptr) {
      catalog::TableDef bare = *def;  // Indexes come last.
      bare.indexes.clear();
      target.table = storages_.Create(bare);
    }
    target.columns.clear();
    for (const catalog::ColumnDef& column : def->columns) {
      target.columns.push_back(types::PhysicalTypeOf(column.type));
    }
    target.layout = target.table->store().InternLayout(target.columns);
  }
  return Status::Ok();
}

Recovery::Target* Recovery::TargetOf(Oid storage) {
  if (last_target_ != nullptr && last_storage_ == storage) return last_target_;
  const auto it = targets_.find(storage);
  if (it == targets_.end()) return nullptr;
  last_storage_ = storage;
  last_target_ = &it->second;
  return last_target_;
}

Status Recovery::ReplayLog(env::Env& env, const std::string& dir, const Manifest& manifest,
                           Lsn* end) {
  wal::ReaderOptions options;
  options.system_id = manifest.system_id;
  options.must_reach = manifest.must_reach;
  OMEN_ASSIGN(auto reader, wal::OpenLogReader(env, dir, manifest.redo_start, options));
  wal::Record record;
  for (;;) {
    OMEN_ASSIGN(const bool more, reader->Next(&record));
    if (!more) break;
    Status applied = ApplyRecord(record, manifest.checkpoint_ts);
    if (applied.ok()) continue;
    const bool is_newer = applied.Is(sqlstate::kFeatureNotSupported);
    return Status(is_newer ? sqlstate::kFeatureNotSupported : sqlstate::kDataCorrupted,
                  "cannot replay the log record at " + std::to_string(record.begin.value()))
        .WithDetail(applied.ToString());
  }
  *end = reader->end();
  streams_.clear();
  return Status::Ok();
}

Status Recovery::ApplyRecord(const wal::Record& record, Timestamp checkpoint_ts) {
  ByteReader in(record.payload);
  switch (record.kind) {
    case txn::kCommitRecord:
      return ApplyCommit(record.payload, checkpoint_ts);
    case txn::kChangesRecord: {
      const auto stream = in.Get<uint64_t>();
      if (in.failed()) return DamagedRecord("a record of changes without a stream");
      streams_[stream].append(record.payload.substr(in.position()));
      return Status::Ok();
    }
    case txn::kForgetRecord: {
      const auto stream = in.Get<uint64_t>();
      const auto position = in.Get<uint64_t>();
      if (in.failed()) return DamagedRecord("a record that forgets");
      std::string& redo = streams_[stream];
      if (position > redo.size()) headless_.insert(stream);
      redo.resize(std::min<uint64_t>(position, redo.size()));
      return Status::Ok();
    }
    case txn::kRestartRecord:
      streams_.clear();
      headless_.clear();
      return Status::Ok();
    case txn::kSequenceRecord:
      return counters_.Apply(record.payload);
    default:
      return WrittenByNewer("a log record", "kind", record.kind);
  }
}

Status Recovery::ApplyCommit(std::string_view payload, Timestamp checkpoint_ts) {
  ByteReader in(payload);
  const Timestamp ts(in.Get<uint64_t>());
  const auto stream = in.Get<uint64_t>();
  const std::string_view changes = in.GetString();
  if (in.failed()) return DamagedRecord("a commit record without a head");
  std::string spilled;
  if (stream != 0) {
    const auto it = streams_.find(stream);
    if (it != streams_.end()) {
      spilled = std::move(it->second);
      streams_.erase(it);
    }
  }
  if (ts <= checkpoint_ts) return Status::Ok();
  if (headless_.contains(stream)) return DamagedRecord("a commit of which changes are missing");
  last_commit_ = std::max(last_commit_, ts);
  ++transactions_;
  if (!changes.empty()) {
    OMEN_ASSIGN(const auto decoded, catalog::DecodeChanges(changes));
    OMEN_TRY(ApplyCatalog(decoded));
  }
  OMEN_TRY(ApplyRedo(spilled, ts));
  return ApplyRedo(payload.substr(in.position()), ts);
}

Status Recovery::ApplyRedo(std::string_view redo, Timestamp ts) {
  ByteReader in(redo);
  while (in.remaining() > 0) {
    const auto op = in.Get<uint8_t>();
    const Oid storage(static_cast<uint32_t>(in.GetVarint()));
    const std::string_view payload = in.GetString();
    if (in.failed()) return DamagedRecord("a cut operation");
    // Storage that is unknown was dropped by a transaction that is older than the checkpoint, or
    // was replaced within its own transaction.
    if (Target* target = TargetOf(storage)) {
      OMEN_TRY(ApplyOperation(op, *target, payload, ts));
    }
  }
  return Status::Ok();
}

Status Recovery::ApplyOperation(uint8_t op, Target& target, std::string_view payload,
                                Timestamp ts) {
  rowstore::TableStore& store = target.table->store();
  ByteReader in(payload);
  const bool freezes = static_cast<RedoOp>(op) == RedoOp::kFreeze;
  if (freezes || static_cast<RedoOp>(op) == RedoOp::kLoad) {
    const uint64_t file_id = in.GetVarint();
    if (in.failed()) return DamagedRecord("a freeze or load without a segment");
    return AddSegment(target, file_id, in, /*rows_are_there=*/freezes);
  }
  if (static_cast<RedoOp>(op) == RedoOp::kDeleteMask) {
    const uint64_t file_id = in.GetVarint();
    if (in.failed()) return DamagedRecord("a mask without a segment");
    return DeleteMasked(target, file_id, in);
  }
  if (op > static_cast<uint8_t>(RedoOp::kDeleteMask)) {
    return WrittenByNewer("an operation of the log", "number", op);
  }
  const RowId first(in.GetVarint());
  if (in.failed() || first.value() == 0) return DamagedRecord("an operation without a row");
  switch (static_cast<RedoOp>(op)) {
    case RedoOp::kFreeze:
    case RedoOp::kLoad:
    case RedoOp::kDeleteMask:
      break;
    case RedoOp::kDelete:
      LeaveSegment(*target.table, first);
      store.RestoreDelete(first);
      return Status::Ok();
    case RedoOp::kPut:
      if (!ReadRowImage(target.columns, in, row_)) return DamagedRecord("a row image");
      LeaveSegment(*target.table, first);
      store.Restore(first, target.layout, ts, row_);
      return Status::Ok();
    case RedoOp::kPutMany: {
      const uint64_t count = in.GetVarint();
      for (uint64_t i = 0; i < count; ++i) {
        if (!ReadRowImage(target.columns, in, row_)) return DamagedRecord("a row image");
        LeaveSegment(*target.table, RowId(first.value() + i));
        store.Restore(RowId(first.value() + i), target.layout, ts, row_);
      }
      return Status::Ok();
    }
  }
  return DamagedRecord("an unknown operation");
}

Status Recovery::Finish() {
  catalog::CatalogEdit edit(catalog_);
  for (const auto& table : catalog_->all_tables()) {
    if (table->persistence == catalog::Persistence::kTemporary) {
      OMEN_TRY(edit.Drop(catalog::ObjectKind::kTable, table->oid));
    }
  }
  for (const auto& sequence : catalog_->all_sequences()) {
    if (sequence->persistence == catalog::Persistence::kTemporary) {
      OMEN_TRY(edit.Drop(catalog::ObjectKind::kSequence, sequence->oid));
    }
  }
  for (const catalog::DatabaseDef* database : catalog_->databases()) {
    for (const auto& view : catalog_->views(database->oid)) {
      if (view->persistence == catalog::Persistence::kTemporary) {
        OMEN_TRY(edit.Drop(catalog::ObjectKind::kView, view->oid));
      }
    }
  }
  if (!edit.empty()) catalog_ = edit.Installed();
  const auto no_transactions = std::make_unique<const mvcc::TxnTable>();
  std::set<Oid> wanted;
  for (const auto& def : catalog_->all_tables()) {
    wanted.insert(def->storage);
    OMEN_TRY(Rebuild(*def, *no_transactions));
    counters_.RaiseOid(std::max(def->oid, def->storage));
  }
  for (const auto& [storage, target] : targets_) {
    if (!wanted.contains(storage)) storages_.Drop(storage);
  }
  counters_.Retain(*catalog_);
  return Status::Ok();
}

// Rows that a damaged segment has replaced may still be there, so that keys of the rest may come
// twice: it is not brought back then.
Status Recovery::Rebuild(const catalog::TableDef& definition,
                         const mvcc::TxnTable& no_transactions) {
  const std::shared_ptr<Table> table = storages_.Find(definition.storage);
  const Status rebuilt = RebuildTable(key_budget_, *table, definition, no_transactions);
  const auto target = targets_.find(definition.storage);
  if (target == targets_.end() || target->second.damage.ok()) return rebuilt;
  damages_[definition.storage] = {target->second.damage, rebuilt.ok()};
  if (rebuilt.ok()) return rebuilt;
  storages_.Drop(definition.storage);
  storages_.Create(definition);
  return Status::Ok();
}

}  // namespace omendb::engine
