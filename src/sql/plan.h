// plan.h - one statement ready to run, and the cache of them.
//
// A Plan is a statement's text parsed and, for SELECT/INSERT/UPDATE/DELETE, rewritten and bound. It
// belongs to one session: the bound statement lives on its DuckDB connection. A row plan is kept
// until the catalog version or a setting that plans depend on changes; then the statement is bound
// again from the same tree.
//
// Thread safety  The session's thread.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "duck/duck_engine.h"
#include "exec/row_plan.h"
#include "sql/parse/parse_tree.h"
#include "sql/parse/tokenizer.h"
#include "types/chunk.h"

namespace omendb::sql {

struct TableLock {
  Oid table;
  txn::TableLockMode mode;
};

// One relation that a statement names (or that a view of it reads), and what it does with it.
struct RelationUse {
  Oid relation;
  Oid as_role;  // kPublicRole = the session's current role; else a view's owner
  catalog::PrivilegeSet needed = 0;
  txn::TableLockMode lock = txn::TableLockMode::kAccessShare;
};

struct Plan {
  Statement statement;
  bool is_query = false;  // SELECT, INSERT, UPDATE, DELETE: runs in one of the executors
  bool returns_rows = false;
  bool locks_below = false;     // A sub-select has FOR UPDATE: sql/locking_subqueries.h
  bool modifies_below = false;  // A WITH query changes data: sql/modifying_with.h
  // Of a statement that runs in parts: one behind the first sees what that saw; one before the last
  // leaves the statement's checks to it.
  bool continues_statement = false;
  bool is_part = false;
  int parameters = 0;                          // the highest $n
  std::vector<types::SqlType> declared_types;  // by the client; kUnknown where it said nothing

  // Filled by binding; valid for this catalog version and generation of settings.
  bool bound_ok = false;
  uint64_t catalog_version = 0;
  uint64_t generation = 0;
  std::unique_ptr<duck::BoundStatement> bound;
  std::shared_ptr<const exec::RowPlan> row_plan;
  int gave_up = 0;  // how often the row plan met too many rows
  std::vector<types::SqlType> param_types;
  std::vector<types::ResultColumn> columns;
  std::optional<txn::RowLockMode> lock;  // SELECT ... FOR UPDATE
  std::vector<RelationUse> uses;
  std::vector<TableLock> locks;
  std::optional<std::string> privileges_of;  // The role that was found to have them.
  // The columns as first described: a prepared statement must not change them (0A000).
  std::vector<types::ResultColumn> described;
  bool was_described = false;
};

// Plans by text, and by text with its literals lifted out. Least recently used ones go first. A
// plan takes several times the memory of its text, so long texts are not kept, nor many of them.
class PlanCache {
 public:
  static constexpr size_t kPlansMax = 512;
  static constexpr size_t kTextBytesMax = 64 << 10;  // of one,
  static constexpr size_t kTextsBytesMax = 1 << 20;  // and of all

  std::shared_ptr<Plan> Find(std::string_view key);
  // A plan with a constant that may name the time ('now') is not kept: it was read when the plan
  // was made.
  void Put(std::string_view key, std::shared_ptr<Plan> plan);
  // A lifted text that does not run as a row plan: lifting it again is of no use.
  bool IsUnliftable(std::string_view key) const;
  void PutUnliftable(std::string_view key);
  void Clear();
  size_t size() const { return entries_.size(); }

 private:
  void DropLast();

  struct Entry {
    std::string key;
    std::shared_ptr<Plan> plan;
  };
  std::list<Entry> entries_;
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;
  size_t text_bytes_ = 0;  // of entries_
  std::unordered_map<std::string, bool> unliftable_;
  size_t unliftable_bytes_ = 0;
};

}  // namespace omendb::sql
