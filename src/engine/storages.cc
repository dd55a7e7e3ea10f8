#include "engine/storages.h"

namespace omendb::engine {

std::shared_ptr<Table> Storages::Create(const catalog::TableDef& table) {
  MutexLock lock(mu_);
  Entry& entry = entries_[table.storage];
  if (entry.table == nullptr) {
    const bool logged = table.persistence != catalog::Persistence::kTemporary;
    entry.table = std::make_shared<Table>(epochs_, memory_, table.storage, logged);
    for (const catalog::IndexDef& index : table.indexes) {
      entry.table->AddIndex(std::make_shared<TableIndex>(epochs_, table, index));
    }
  }
  entry.relation.reset();
  return entry.table;
}

std::shared_ptr<Table> Storages::Find(Oid storage) const {
  MutexLock lock(mu_);
  const auto it = entries_.find(storage);
  return it == entries_.end() ? nullptr : it->second.table;
}

void Storages::Drop(Oid storage) {
  Entry gone;  // Destroyed after the lock: it may be large.
  MutexLock lock(mu_);
  const auto it = entries_.find(storage);
  if (it == entries_.end()) return;
  gone = std::move(it->second);
  entries_.erase(it);
}

std::shared_ptr<RelationImpl> Storages::Open(std::shared_ptr<const catalog::TableDef> table) {
  MutexLock lock(mu_);
  Entry& entry = entries_[table->storage];
  if (entry.relation != nullptr && entry.relation->definition() == table) return entry.relation;
  if (entry.table == nullptr) {
    // Dropped meanwhile, for a transaction whose catalog still has it: it reads as empty.
    auto empty = std::make_shared<Table>(epochs_, memory_, table->storage, false);
    entries_.erase(table->storage);
    return std::make_shared<RelationImpl>(manager_, segment_files_, std::move(empty),
                                          std::move(table));
  }
  entry.relation =
      std::make_shared<RelationImpl>(manager_, segment_files_, entry.table, std::move(table));
  return entry.relation;
}

void Storages::Forget(Oid storage) {
  MutexLock lock(mu_);
  const auto it = entries_.find(storage);
  if (it != entries_.end()) it->second.relation.reset();
}

std::vector<std::shared_ptr<Table>> Storages::All() const {
  MutexLock lock(mu_);
  std::vector<std::shared_ptr<Table>> tables;
  for (const auto& [oid, entry] : entries_) tables.push_back(entry.table);
  return tables;
}

}  // namespace omendb::engine
