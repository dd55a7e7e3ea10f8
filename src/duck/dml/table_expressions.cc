#include "duck/dml/table_expressions.h"

#include "duck/catalog/table_entry.h"
#include "duck/errors.h"
#include "duck/plan/number_comparison.h"
#include "duck/session_state.h"
#include "duckdb/planner/binder.hpp"
#include "duckdb/planner/expression_binder/constant_binder.hpp"

namespace omendb::duck {

namespace {

duckdb::unique_ptr<duckdb::Expression> BindDefault(duckdb::ClientContext& context,
                                                   const duckdb::ColumnDefinition& column) {
  auto binder = duckdb::Binder::CreateBinder(context);
  duckdb::ConstantBinder constant(*binder, context, "DEFAULT value");
  constant.target_type = column.Type();
  auto parsed = column.DefaultValue().Copy();
  auto value = constant.Bind(parsed);
  CompareNumbers(context, value);
  return value;
}

}  // namespace

TableExpressions::TableExpressions(const duckdb::shared_ptr<duckdb::ClientContext>& connection,
                                   const duckdb::shared_ptr<SessionState>& state,
                                   const OmenTableEntry& table)
    : connection_(connection), state_(state) {
  duckdb::ClientContext& context = *connection;
  constraints_ = duckdb::Binder::CreateBinder(context)->BindConstraints(table);
  CompareNumbers(context, constraints_);
  writer_ = std::make_unique<RowWriter>(context, table, constraints_, nullptr);
  size_t number = 0;
  for (const auto& column : table.GetColumns().Physical()) {
    const size_t i = number++;
    if (!column.HasDefaultValue()) continue;
    defaults_.emplace(table.column_ids()[i], Default{i, BindDefault(context, column)});
  }
}

Status TableExpressions::Run(engine::StatementContext& context, const std::function<void()>& work) {
  engine::StatementContext* const outer = std::exchange(state_->statement, &context);
  Status status;
  try {
    connection_->RunFunctionInTransaction(work);
  } catch (const std::exception& exception) {
    status = ToStatus(duckdb::ErrorData(exception));
  }
  state_->statement = outer;
  return status;
}

Status TableExpressions::Complete(engine::StatementContext& context, types::Row& row,
                                  types::Arena& arena) {
  writer_->ResetArena();
  return Run(context, [&] { writer_->Complete(row, arena); });
}

Result<types::Value> TableExpressions::DefaultOf(engine::StatementContext& context, ColumnId column,
                                                 types::Arena& arena) {
  const auto found = defaults_.find(column);
  if (found == defaults_.end()) return types::Value::Null();
  const Default& default_value = found->second;
  writer_->ResetArena();
  types::Value value;
  OMEN_TRY(Run(context, [&] {
    duckdb::ExpressionExecutor executor(*connection_, *default_value.value);
    duckdb::Vector computed(default_value.value->return_type);
    executor.ExecuteExpression(computed);
    value = writer_->KeepCell(computed, default_value.column, arena);
  }));
  return value;
}

}  // namespace omendb::duck
