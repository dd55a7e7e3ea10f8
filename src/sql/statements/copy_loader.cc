#include "sql/statements/copy_loader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "engine/relation.h"
#include "types/binary_io.h"

namespace omendb::sql {

CopyLoader::CopyLoader(SessionImpl& session, std::shared_ptr<const catalog::TableDef> table,
                       std::vector<ColumnId> columns, bool binary)
    : session_(session), table_(std::move(table)), copied_(std::move(columns)), binary_(binary) {}

Status CopyLoader::Start() {
  const catalog::SchemaDef* schema = session_.catalog()->schema(table_->schema);
  std::string sql = "INSERT INTO " + QualifiedName(schema->name, table_->name) + " (";
  std::string values;
  std::vector<types::SqlType> types;
  for (size_t i = 0; i < copied_.size(); ++i) {
    const catalog::ColumnDef& column = table_->column(copied_[i]);
    sql += (i > 0 ? ", " : "") + QuoteIdentifier(column.name);
    values += fmt::format("{}${}", i > 0 ? ", " : "", i + 1);
    types.push_back(column.type);
  }
  sql += ") OVERRIDING SYSTEM VALUE VALUES (" + values + ")";
  if (copied_.empty())
    sql = "INSERT INTO " + QualifiedName(schema->name, table_->name) + " DEFAULT VALUES";
  OMEN_ASSIGN(plan_, session_.ParsePlan(sql, types));
  OMEN_TRY(session_.EnsureBound(*plan_));
  context_ = session_.MakeContext(session_.host().waiter());
  OMEN_TRY(context_.txn->LockTable(table_->oid, txn::TableLockMode::kRowExclusive,
                                   txn::LockWait::kWait, *context_.waiter, context_.cancel,
                                   context_.lock_timeout_ms));
  context_.catalog = session_.catalog();
  auto current = context_.catalog->table(table_->oid);
  if (current == nullptr) {
    return Status(sqlstate::kUndefinedTable,
                  fmt::format("relation \"{}\" does not exist", table_->name));
  }
  table_ = current;
  OMEN_TRY(session_.EnsureBound(*plan_));
  context_.txn->BeginStatement();
  relation_ = session_.db().OpenRelation(table_);
  types.clear();
  for (size_t c = 0; c < table_->columns.size(); ++c) {
    Column column;
    column.type = table_->columns[c].type;
    for (size_t i = 0; i < copied_.size(); ++i) {
      if (copied_[i] == table_->columns[c].id) column.field = static_cast<int>(i);
    }
    if (plan_->row_plan != nullptr && column.field < 0 && !table_->columns[c].dropped) {
      column.computed = &plan_->row_plan->insert_rows[0][c];
    }
    columns_.push_back(std::move(column));
    types.push_back(columns_.back().type);
  }
  chunk_.emplace(types);
  load_.emplace(context_, relation_);
  return Status::Ok();
}

Result<types::Value> CopyLoader::ReadField(const Column& column, std::string_view field) const {
  if (field.data() == nullptr) return types::Value::Null();
  return binary_ ? types::ReceiveBinary(column.type, field, arena_)
                 : types::ParseText(column.type, field, arena_, session_.settings().io());
}

Status CopyLoader::FieldError(Status status, const pgwire::CopyParser& parser, size_t row,
                              const Column& column, std::string_view field) const {
  const std::string& name = table_->column(copied_[static_cast<size_t>(column.field)]).name;
  std::string context =
      fmt::format("COPY {}, line {}, column {}", table_->name, parser.LineOf(row), name);
  constexpr size_t kShown = 100;
  if (!binary_) context += fmt::format(": \"{}\"", field.substr(0, kShown));
  return std::move(status).WithContext(std::move(context));
}

Status CopyLoader::ComputeDefaults(std::span<types::Value> row) {
  exec::EvalContext eval;
  eval.statement = &context_;
  eval.database = &session_.db();
  eval.row = row;
  eval.arena = &arena_;
  for (size_t c = 0; c < columns_.size(); ++c) {
    if (columns_[c].computed == nullptr) continue;
    std::vector<types::Value> params;
    if (columns_[c].computed->op != exec::Op::kConstant &&
        columns_[c].computed->op != exec::Op::kNextValue) {
      for (ColumnId id : copied_) params.push_back(row[static_cast<size_t>(id.value() - 1)]);
    }
    eval.params = params;
    OMEN_ASSIGN(row[c], exec::Evaluate(*columns_[c].computed, eval));
  }
  return Status::Ok();
}

Status CopyLoader::CompleteRow(std::span<types::Value> row, const pgwire::CopyParser& parser,
                               size_t r) {
  exec::EvalContext eval;
  eval.statement = &context_;
  eval.database = &session_.db();
  eval.row = row;
  eval.arena = &arena_;
  for (const exec::Assignment& generated : plan_->row_plan->generated) {
    OMEN_ASSIGN(row[static_cast<size_t>(generated.column.value() - 1)],
                exec::Evaluate(generated.value, eval));
  }
  for (const exec::RowPlan::Check& check : plan_->row_plan->checks) {
    OMEN_ASSIGN(types::Value value, exec::Evaluate(check.condition, eval));
    if (value.is_null || value.boolean) continue;
    const catalog::SchemaDef* schema = context_.catalog->schema(table_->schema);
    return Status(sqlstate::kCheckViolation,
                  fmt::format("new row for relation \"{}\" violates check constraint \"{}\"",
                              table_->name, check.name))
        .WithConstraint(schema->name, table_->name, check.name)
        .WithContext(fmt::format("COPY {}, line {}", table_->name, parser.LineOf(r)));
  }
  return Status::Ok();
}

// A table whose defaults or conditions only DuckDB can compute.
Status CopyLoader::InsertOneByOne(std::span<const types::Value> row) {
  return session_.RunToEnd(*plan_, row).status();
}

Status CopyLoader::Load(size_t count, const std::vector<std::string_view>& fields,
                        const pgwire::CopyParser& parser) {
  OMEN_TRY(context_.cancel->ToStatus());
  arena_.Reset();
  types::Row row(columns_.size(), types::Value::Null());
  types::Row given(copied_.size(), types::Value::Null());
  for (size_t r = 0; r < count; ++r) {
    const std::string_view* row_fields = fields.data() + r * copied_.size();
    for (size_t c = 0; c < columns_.size(); ++c) {
      const Column& column = columns_[c];
      if (column.field < 0) continue;
      const std::string_view field = row_fields[column.field];
      auto value = ReadField(column, field);
      if (!value.ok()) return FieldError(value.status(), parser, r, column, field);
      row[c] = *value;
      given[static_cast<size_t>(column.field)] = *value;
    }
    if (plan_->row_plan == nullptr) {
      OMEN_TRY(InsertOneByOne(given));
      continue;
    }
    OMEN_TRY(ComputeDefaults(row));
    OMEN_TRY(CompleteRow(row, parser, r));
    chunk_->Set(static_cast<uint32_t>(r), row);
  }
  if (plan_->row_plan != nullptr) {
    NoteLines(count, parser);
    OMEN_TRY(KeyError(load_->Append(chunk_->View(static_cast<uint32_t>(count)))));
  }
  rows_ += count;
  return Status::Ok();
}

void CopyLoader::NoteLines(size_t count, const pgwire::CopyParser& parser) {
  Lines& lines = lines_.emplace_back();
  lines.first_row = rows_;
  lines.first_line = parser.LineOf(0);
  if (parser.LineOf(count - 1) - lines.first_line == count - 1) return;
  for (size_t r = 0; r < count; ++r) lines.lines.push_back(parser.LineOf(r));
}

Status CopyLoader::KeyError(Status status) const {
  if (status.ok()) return status;
  const uint64_t row = load_->failed_row();
  const auto after =
      std::upper_bound(lines_.begin(), lines_.end(), row,
                       [](uint64_t at, const Lines& lines) { return at < lines.first_row; });
  const Lines& lines = *(after - 1);
  const uint64_t offset = row - lines.first_row;
  return std::move(status).WithContext(
      fmt::format("COPY {}, line {}", table_->name,
                  lines.lines.empty() ? lines.first_line + offset : lines.lines[offset]));
}

Status CopyLoader::Finish() {
  if (plan_->row_plan != nullptr && rows_ > 0) OMEN_TRY(KeyError(load_->Finish()));
  return session_.CheckConstraints(context_, /*at_commit=*/false);
}

}  // namespace omendb::sql
