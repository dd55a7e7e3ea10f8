// bound_statement.h - duck::BoundStatement: the parsed text, its types, and, as long as it is
// fresh, its logical plan.
//
// A plan may be run only with the statistics that it was made with: DuckDB takes a column's minimum
// and maximum for facts (it skips filters and compresses keys by them). So a plan that was bound at
// an older snapshot, or before the transaction wrote something, is bound anew when it is run.
//
// Thread safety  As duck_engine.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "duck/duck_engine.h"
#include "duck/plan/binding.h"
#include "duck/plan/kept_plan.h"

namespace omendb::duck {

class DuckSessionImpl;

class BoundStatementImpl : public BoundStatement {
 public:
  StatementClass statement_class() const override { return class_; }
  const std::vector<types::ResultColumn>& columns() const override { return columns_; }
  const std::vector<types::SqlType>& param_types() const override { return param_types_; }
  uint64_t catalog_version() const override { return catalog_version_; }
  std::shared_ptr<const exec::RowPlan> row_plan() const override { return row_plan_; }
  const std::string& row_plan_refusal() const override { return refusal_; }
  Result<std::string> PlanText(engine::StatementContext& context) override;

 private:
  friend class DuckSessionImpl;

  DuckSessionImpl* session_ = nullptr;
  std::string sql_;
  StatementClass class_ = StatementClass::kOther;
  duckdb::unique_ptr<duckdb::SQLStatement> statement_;
  std::vector<duckdb::LogicalType> duck_param_types_;
  std::vector<types::SqlType> param_types_;
  std::vector<types::ResultColumn> columns_;
  std::vector<types::ResultColumn> sent_columns_;  // by DuckDB: with the hidden ones
  bool needs_values_ = false;
  bool returns_rows_ = true;
  uint64_t catalog_version_ = 0;
  BindOptions options_;
  std::shared_ptr<const exec::RowPlan> row_plan_;
  std::string refusal_;

  // The plan of the bind, until it is used or out of date.
  std::unique_ptr<Binding> fresh_;
  std::vector<std::shared_ptr<void>> pinned_;
  Timestamp bound_at_;
  TxnId bound_by_;
  std::weak_ptr<KeptPlan> kept_;  // the session's
};

}  // namespace omendb::duck
