// joined_returning.h - RETURNING of UPDATE ... FROM and DELETE ... USING: the target's columns as
// the statement leaves (UPDATE) or finds (DELETE) them, and columns of the row joined to it.
//
// DuckDB's RETURNING knows the target alone. So its list is taken off the statement, and a call
// that is always true is put into WHERE: where DuckDB binds that, the list is bound with everything
// that FROM or USING has.
//
// Thread safety  The session's thread.
// Errors         Throws DuckDB exceptions.
#pragma once

#include "duck/functions/registry.h"
#include "duckdb.hpp"
#include "duckdb/parser/sql_statement.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace omendb::duck {

struct Binding;

// A mark of the write operators that DuckDB plans: `expressions` from `first` on are the columns of
// the joined row that RETURNING wants. They come behind the table's own.
struct JoinedColumns {
  size_t first = 0;
  virtual ~JoinedColumns() = default;
};

class JoinedReturning {
 public:
  // Takes the list off such a statement; another one is left alone. The object must outlive the
  // binding of the statement.
  JoinedReturning(duckdb::SQLStatement& statement, duckdb::ClientContext& context);
  ~JoinedReturning();
  JoinedReturning(const JoinedReturning&) = delete;
  JoinedReturning& operator=(const JoinedReturning&) = delete;

  // The statement was bound: its plan answers the list.
  void Finish(Binding& binding);

 private:
  friend void RegisterJoinedReturning(Registry& registry);
  void Bind(duckdb::Binder& binder);

  duckdb::ClientContext& context_;
  duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> list_;
  // As bound.
  duckdb::vector<std::string> names_;
  duckdb::vector<duckdb::LogicalType> types_;
  duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> values_;
  duckdb::idx_t target_ = 0;  // the index of the target's scan
};

// The call in WHERE.
void RegisterJoinedReturning(Registry& registry);

}  // namespace omendb::duck
