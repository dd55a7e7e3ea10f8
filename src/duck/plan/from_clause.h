// from_clause.h - the tables of a SELECT and what must hold between them, read from DuckDB's bound
// joins, and the order in which the row executor joins them.
//
// Inner joins are taken apart: their conditions and those of WHERE are one set, and each is decided
// as soon as its tables are joined. The right side of a LEFT JOIN is one table, which follows the
// tables that its ON reads; inner joins and it may change places, since for each row it only adds
// columns.
//
// Thread safety  One thread.
#pragma once

#include <optional>
#include <vector>

#include "duck/plan/access_path.h"
#include "duck/plan/plan_draft.h"

namespace omendb::duck {

class FromClause {
 public:
  explicit FromClause(PlanDraft& draft) : draft_(draft) {}

  // Reads filters, joins and scans. False with a refusal for anything else.
  bool Collect(duckdb::LogicalOperator& op);
  // Fills the draft's joins, or its table and access where there is one table. `order` is wanted of
  // the result; `ordered` says whether the rows come in it.
  bool Plan(const std::vector<exec::SortKey>& order, bool& ordered);

 private:
  struct Table {
    size_t number;
    bool left;
    std::vector<exec::Expression> on;  // of a LEFT JOIN
  };
  struct Steps {
    std::vector<exec::JoinStep> joins;
    double rows = 1;  // estimated, of the most that any step has
    bool ordered = false;
  };

  bool CollectJoin(duckdb::LogicalOperator& op);
  bool CollectNullable(duckdb::LogicalOperator& op);
  bool CollectConditions(duckdb::LogicalOperator& op, std::vector<exec::Expression>& out);
  bool AddCondition(const duckdb::Expression& expr, std::vector<exec::Expression>& out);
  bool AddConditions(const PlanColumns::Expressions& expressions,
                     std::vector<exec::Expression>& out);
  // The table of a scan, as the last of tables_.
  bool AddTable(duckdb::LogicalOperator& scan, bool left);
  bool PlanOne(const std::vector<exec::SortKey>& order, bool& ordered);

  TableMask TablesOf(const std::vector<exec::Expression>& conditions) const;
  // The order as columns of one table; empty when it is none.
  std::vector<OrderColumn> OrderOf(const std::vector<exec::SortKey>& order, size_t& table) const;
  // `stops_early`: only as many rows are read as LIMIT asks for.
  std::optional<AccessPath> PathOf(const Table& table, TableMask joined,
                                   std::vector<OrderColumn> order, bool stops_early);
  bool HasLimit() const {
    return draft_.plan->limit.has_value() && !draft_.plan->aggregation.has_value();
  }
  std::optional<Steps> JoinGreedily(std::optional<size_t> first, std::vector<OrderColumn> order);
  exec::JoinStep MakeStep(const Table& table, exec::IndexAccess access, TableMask before) const;

  PlanDraft& draft_;
  std::vector<Table> tables_;
  std::vector<exec::Expression> conditions_;  // of WHERE and inner joins
};

}  // namespace omendb::duck
