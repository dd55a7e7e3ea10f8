// storages.h - the tables' storage by storage Oid, and the relations over them.
//
// Thread safety  Any thread; mu_ is a leaf but for the tables' own locks.
// Ownership      Shared with whoever uses a table.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "engine/relation_impl.h"
#include "engine/table.h"

namespace omendb::engine {

class Storages {
 public:
  Storages(EpochManager& epochs, rowstore::MemoryAccount& memory, txn::TransactionManager& manager,
           SegmentFiles& segment_files)
      : epochs_(epochs), memory_(memory), manager_(manager), segment_files_(segment_files) {}

  // Storage for the table, with empty indexes. What is there stays; missing indexes are added only
  // to new storage.
  std::shared_ptr<Table> Create(const catalog::TableDef& table);
  // Null when there is none.
  std::shared_ptr<Table> Find(Oid storage) const;
  void Drop(Oid storage);
  std::shared_ptr<RelationImpl> Open(std::shared_ptr<const catalog::TableDef> table);
  // Its indexes changed: later Opens make a new relation.
  void Forget(Oid storage);
  std::vector<std::shared_ptr<Table>> All() const;

 private:
  struct Entry {
    std::shared_ptr<Table> table;
    std::shared_ptr<RelationImpl> relation;  // for the definition asked for last
  };
  EpochManager& epochs_;
  rowstore::MemoryAccount& memory_;
  txn::TransactionManager& manager_;
  SegmentFiles& segment_files_;
  mutable Mutex mu_;
  std::unordered_map<Oid, Entry> entries_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::engine
