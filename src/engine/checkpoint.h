// checkpoint.h - writes and reads a checkpoint: the catalog, the sequences and all rows at one
// timestamp. Of rows in segments it has the segments' names, so it does not grow with them.
//
// Format         docs/formats/checkpoint.md
// Thread safety  Writing runs beside transactions: rows are read at a pinned snapshot.
// Errors         XX001 naming the file when it is damaged; those of env.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "catalog/snapshot.h"
#include "engine/table.h"
#include "env/env.h"
#include "mvcc/txn_table.h"

namespace omendb::engine {

struct CheckpointSource {
  Timestamp ts;  // pinned by the caller
  std::shared_ptr<const catalog::CatalogSnapshot> catalog;
  std::vector<std::string> sequences;  // see DurableCounters::Snapshot
  struct Stored {
    std::shared_ptr<Table> table;
    std::shared_ptr<const RunSet> runs;  // as of `ts`
  };
  std::map<Oid, Stored> tables;  // by storage: those of the catalog
};

Status WriteCheckpoint(env::Env& env, const std::string& path, uint64_t system_id,
                       const CheckpointSource& source, const mvcc::TxnTable& txns,
                       const std::function<bool()>& stop);

// Told of what a checkpoint holds, in its order: catalog, sequences, then segments and rows.
class CheckpointSink {
 public:
  virtual ~CheckpointSink() = default;
  virtual Status OnCatalog(const std::vector<catalog::CatalogChange>& objects) = 0;
  virtual Status OnSequence(std::string_view record) = 0;
  // A segment of the table and its dead rows, as DeadRows::Serialize made them.
  virtual Status OnSegment(Oid storage, uint64_t file_id, std::string_view dead) = 0;
  // Row images of one table, as kPutMany has them but each with its row id before it.
  virtual Status OnRows(Oid storage, uint64_t count, std::string_view images) = 0;
};
Status ReadCheckpoint(env::Env& env, const std::string& path, uint64_t system_id,
                      CheckpointSink& sink);

}  // namespace omendb::engine
