// fixture.h - a database in a folder of its own with DuckDB on top, for this folder's tests.
//
// Thread safety  One thread.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/waiter.h"
#include "duck/duck_engine.h"
#include "engine/relation.h"
#include "env/env.h"
#include "exec/row_executor.h"
#include "types/text_io.h"

namespace omendb::duck {

class NoSystemTables : public SystemTables {
 public:
  const std::vector<SystemTable>& tables() const override { return tables_; }
  Status Rows(const SystemTable&, engine::StatementContext&, void*, types::Arena&,
              std::vector<types::Row>&) override {
    return Status::Ok();
  }

 private:
  std::vector<SystemTable> tables_;
};

class NoFunctions : public SessionFunctions {
 public:
  const std::vector<Declaration>& functions() const override { return functions_; }
  Result<types::Value> Call(size_t, std::span<const types::Value>, engine::StatementContext&, void*,
                            types::Arena&) override {
    return types::Value::Null();
  }

 private:
  std::vector<Declaration> functions_;
};

// Answers rows as text, one line a row, columns separated by '|'; errors as "SQLSTATE: message".
class DuckFixture {
 public:
  DuckFixture();
  ~DuckFixture();

  struct Column {
    std::string name;
    types::SqlType type;
    std::string default_sql;
    bool not_null = false;
  };
  // Creates a table in schema public; `key` names its primary key's columns.
  void CreateTable(const std::string& name, const std::vector<Column>& columns,
                   const std::vector<std::string>& key,
                   const std::vector<std::string>& checks = {});

  // Moves the rows of a table of "public" to segments.
  void FreezeAll(std::string_view table) {
    const auto catalog = database().catalog();
    const Oid schema = catalog->FindSchema(catalog->FindDatabase("omendb")->oid, "public")->oid;
    const auto moved = database().Freeze(catalog->FindRelation(schema, table).table->oid, {});
    EXPECT_TRUE(moved.ok() && moved->rows_moved > 0);
  }

  // Binds and runs in its own transaction, in DuckDB.
  std::string Run(const std::string& sql, const std::vector<types::SqlType>& types = {},
                  const std::vector<types::Value>& params = {});
  // The row plan's refusal; "" when there is a row plan.
  std::string Refusal(const std::string& sql, const std::vector<types::SqlType>& types = {});
  // Runs through the row executor; the refusal in brackets when there is no row plan.
  std::string RunRow(const std::string& sql, const std::vector<types::SqlType>& types = {},
                     const std::vector<types::Value>& params = {});
  // "name type" of each result column, and the parameters' types: "(a integer) <- integer".
  std::string Describe(const std::string& sql, const std::vector<types::SqlType>& types = {});
  // DuckDB's plan, as it draws it.
  std::string Plan(const std::string& sql);

  engine::Database& database() { return *database_; }
  DuckEngine& engine() { return *engine_; }

 private:
  std::string RunIn(engine::StatementContext& context, const std::string& sql,
                    const std::vector<types::SqlType>& types,
                    const std::vector<types::Value>& params, bool row_path);
  engine::StatementContext Begin(std::unique_ptr<txn::Transaction>& txn);

  std::unique_ptr<env::Env> env_ = env::NewPosixEnv();
  std::filesystem::path folder_;
  std::unique_ptr<engine::Database> database_;
  NoSystemTables system_tables_;
  NoFunctions functions_;
  std::unique_ptr<DuckEngine> engine_;
  std::unique_ptr<DuckSession> session_;
  ThreadWaiter waiter_;
  CancelFlag cancel_;
  Oid database_oid_;
  Oid schema_oid_;
};

inline std::string Failed(const Status& status) {
  return std::string(status.sqlstate()) + ": " + status.error().message;
}

inline void AppendRow(std::span<const types::Value> row,
                      const std::vector<types::ResultColumn>& columns, std::string& out) {
  for (size_t i = 0; i < row.size(); ++i) {
    if (i > 0) out += '|';
    if (row[i].is_null) continue;
    types::FormatText(columns[i].type, row[i], types::IoSettings(), out);
  }
  out += '\n';
}

class TextSink : public exec::RowSink {
 public:
  explicit TextSink(const std::vector<types::ResultColumn>& columns) : columns_(columns) {}
  Status OnRow(std::span<const types::Value> row) override {
    AppendRow(row, columns_, text);
    return Status::Ok();
  }
  std::string text;

 private:
  const std::vector<types::ResultColumn>& columns_;
};

inline DuckFixture::DuckFixture() {
  folder_ =
      std::filesystem::temp_directory_path() / ("omendb-duck-" + std::to_string(::getpid()) + "-" +
                                                std::to_string(reinterpret_cast<uintptr_t>(this)));
  engine::DatabaseOptions options;
  options.data_dir = folder_.string();
  options.fsync = false;
  options.memory_bytes = 512ULL << 20;
  auto opened = engine::Database::Open(*env_, options);
  OMEN_CHECK(opened.ok());
  database_ = std::move(opened).value();
  auto catalog = database_->catalog();
  database_oid_ = catalog->FindDatabase("omendb")->oid;
  schema_oid_ = catalog->FindSchema(database_oid_, "public")->oid;
  DuckOptions duck_options;
  duck_options.temp_directory = (folder_ / "duck").string();
  auto engine = DuckEngine::Create(duck_options, *database_, system_tables_, functions_);
  if (!engine.ok()) std::fprintf(stderr, "%s\n", engine.status().ToString().c_str());
  OMEN_CHECK(engine.ok());
  engine_ = std::move(engine).value();
  auto session = engine_->NewSession(database_oid_);
  OMEN_CHECK(session.ok());
  session_ = std::move(session).value();
}

inline DuckFixture::~DuckFixture() {
  session_.reset();
  engine_.reset();
  (void)database_->Close();
  database_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

inline engine::StatementContext DuckFixture::Begin(std::unique_ptr<txn::Transaction>& txn) {
  txn = database_->Begin({});
  txn->BeginStatement();
  engine::StatementContext context;
  context.txn = txn.get();
  context.catalog = database_->CatalogFor(*txn);
  context.database = database_oid_;
  context.waiter = &waiter_;
  context.cancel = &cancel_;
  return context;
}

inline void DuckFixture::CreateTable(const std::string& name, const std::vector<Column>& columns,
                                     const std::vector<std::string>& key,
                                     const std::vector<std::string>& checks) {
  std::unique_ptr<txn::Transaction> txn;
  engine::StatementContext context = Begin(txn);
  catalog::TableDef table;
  table.oid = database_->NewOid();
  table.storage = database_->NewOid();
  table.database = database_oid_;
  table.schema = schema_oid_;
  table.name = name;
  table.owner = catalog::kBootstrapRole;
  for (const Column& column : columns) {
    catalog::ColumnDef added;
    added.id = ColumnId(static_cast<int16_t>(table.columns.size() + 1));
    added.name = column.name;
    added.type = column.type;
    added.default_sql = column.default_sql;
    added.not_null = column.not_null;
    table.columns.push_back(std::move(added));
  }
  if (!key.empty()) {
    catalog::IndexDef index;
    index.oid = database_->NewOid();
    index.storage = database_->NewOid();
    index.name = name + "_pkey";
    index.unique = true;
    index.primary = true;
    catalog::ConstraintDef constraint;
    constraint.oid = database_->NewOid();
    constraint.name = index.name;
    constraint.kind = catalog::ConstraintKind::kPrimaryKey;
    constraint.index = index.oid;
    for (const std::string& column : key) {
      const ColumnId id = table.FindColumn(column)->id;
      table.columns[static_cast<size_t>(id.value() - 1)].not_null = true;
      index.keys.push_back({id});
      constraint.columns.push_back(id);
    }
    table.indexes.push_back(std::move(index));
    table.constraints.push_back(std::move(constraint));
  }
  for (const std::string& check : checks) {
    catalog::ConstraintDef constraint;
    constraint.oid = database_->NewOid();
    constraint.name = name + "_check";
    constraint.kind = catalog::ConstraintKind::kCheck;
    constraint.check_sql = check;
    table.constraints.push_back(std::move(constraint));
  }
  OMEN_CHECK(database_->EditCatalog(*txn).Put(table).ok());
  context.catalog = database_->CatalogFor(*txn);
  OMEN_CHECK(database_->CreateStorage(context, table).ok());
  OMEN_CHECK(database_->Commit(*txn, waiter_).ok());
}

inline std::string DuckFixture::RunIn(engine::StatementContext& context, const std::string& sql,
                                      const std::vector<types::SqlType>& types,
                                      const std::vector<types::Value>& params, bool row_path) {
  auto bound = session_->Bind(sql, types, context);
  if (!bound.ok()) return Failed(bound.status());
  if (row_path) {
    const auto plan = (*bound)->row_plan();
    if (plan == nullptr) return "[" + (*bound)->row_plan_refusal() + "]";
    TextSink sink((*bound)->columns());
    auto run = exec::ExecuteRowPlan(*plan, *database_, context, params, sink);
    if (!run.ok()) return Failed(run.status());
    if (run->gave_up) return "[gave up]";
    const uint64_t affected = run->counts.rows_affected;
    if (affected > 0) sink.text += "affected " + std::to_string(affected);
    return sink.text;
  }
  auto result = session_->Execute(**bound, params, context);
  if (!result.ok()) return Failed(result.status());
  std::string text;
  for (;;) {
    auto chunk = (*result)->Next();
    if (!chunk.ok()) return Failed(chunk.status());
    if (*chunk == nullptr) break;
    std::vector<types::Value> row((*chunk)->columns.size());
    for (uint32_t i = 0; i < (*chunk)->rows_count; ++i) {
      for (size_t c = 0; c < row.size(); ++c) row[c] = (*chunk)->columns[c].Get(i);
      AppendRow(row, (*bound)->columns(), text);
    }
  }
  if ((*result)->rows_affected() > 0) {
    text += "affected " + std::to_string((*result)->rows_affected());
  }
  return text;
}

inline std::string DuckFixture::Run(const std::string& sql,
                                    const std::vector<types::SqlType>& types,
                                    const std::vector<types::Value>& params) {
  std::unique_ptr<txn::Transaction> txn;
  engine::StatementContext context = Begin(txn);
  std::string text = RunIn(context, sql, types, params, false);
  if (text.size() > 6 && text[5] == ':') {
    database_->Abort(*txn);
  } else {
    OMEN_CHECK(database_->Commit(*txn, waiter_).ok());
  }
  return text;
}

inline std::string DuckFixture::RunRow(const std::string& sql,
                                       const std::vector<types::SqlType>& types,
                                       const std::vector<types::Value>& params) {
  std::unique_ptr<txn::Transaction> txn;
  engine::StatementContext context = Begin(txn);
  std::string text = RunIn(context, sql, types, params, true);
  if (text.size() > 6 && text[5] == ':') {
    database_->Abort(*txn);
  } else {
    OMEN_CHECK(database_->Commit(*txn, waiter_).ok());
  }
  return text;
}

inline std::string DuckFixture::Refusal(const std::string& sql,
                                        const std::vector<types::SqlType>& types) {
  std::unique_ptr<txn::Transaction> txn;
  engine::StatementContext context = Begin(txn);
  auto bound = session_->Bind(sql, types, context);
  std::string text = bound.ok() ? (*bound)->row_plan_refusal() : Failed(bound.status());
  database_->Abort(*txn);
  return text;
}

inline std::string DuckFixture::Plan(const std::string& sql) {
  std::unique_ptr<txn::Transaction> txn;
  engine::StatementContext context = Begin(txn);
  auto bound = session_->Bind(sql, {}, context);
  const auto text = bound.ok() ? (*bound)->PlanText(context) : Result<std::string>(bound.status());
  database_->Abort(*txn);
  return text.ok() ? *text : Failed(text.status());
}

inline std::string DuckFixture::Describe(const std::string& sql,
                                         const std::vector<types::SqlType>& types) {
  std::unique_ptr<txn::Transaction> txn;
  engine::StatementContext context = Begin(txn);
  auto bound = session_->Bind(sql, types, context);
  std::string text;
  if (!bound.ok()) {
    text = Failed(bound.status());
  } else {
    text = "(";
    for (const auto& column : (*bound)->columns()) {
      if (text.size() > 1) text += ", ";
      text += column.name + " " + types::FormatType(column.type);
    }
    text += ")";
    for (const auto& type : (*bound)->param_types()) text += " <- " + types::FormatType(type);
  }
  database_->Abort(*txn);
  return text;
}

}  // namespace omendb::duck
