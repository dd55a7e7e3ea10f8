#include "tests/crash_sim/bank.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/sqlstate.h"

namespace omendb::crash_sim {
namespace {

using catalog::ColumnDef;
using catalog::TableDef;
using engine::RowOutcome;
using engine::RowRef;
using engine::StatementContext;
using types::TypeKind;
using types::Value;

ColumnDef Column(int16_t id, std::string name, TypeKind kind) {
  ColumnDef column;
  column.id = ColumnId(id);
  column.name = std::move(name);
  column.type = {kind, false, -1};
  column.not_null = true;
  return column;
}

// A table whose primary key is its first column.
TableDef Table(engine::Database& database, Oid schema, Oid database_oid, std::string name,
               std::vector<ColumnDef> columns) {
  TableDef table;
  table.oid = database.NewOid();
  table.storage = database.NewOid();
  table.database = database_oid;
  table.schema = schema;
  table.name = std::move(name);
  table.owner = catalog::kBootstrapRole;
  table.columns = std::move(columns);
  catalog::IndexDef index;
  index.oid = database.NewOid();
  index.storage = database.NewOid();
  index.name = table.name + "_pkey";
  index.unique = index.primary = true;
  index.keys = {{ColumnId(1)}};
  catalog::ConstraintDef primary;
  primary.oid = database.NewOid();
  primary.name = index.name;
  primary.kind = catalog::ConstraintKind::kPrimaryKey;
  primary.columns = {ColumnId(1)};
  primary.index = index.oid;
  table.indexes = {index};
  table.constraints = {primary};
  return table;
}

Status Broken(std::string what) { return Status(sqlstate::kInternalError, std::move(what)); }

// The key of a transfer: worker and number in one.
int64_t TransferKey(int worker, int64_t number) { return int64_t{worker} << 40 | number; }

}  // namespace

Status Bank::Freeze() {
  OMEN_TRY(database_.Freeze(accounts_->oid, {}).status());
  return database_.Freeze(transfers_->oid, {}).status();
}

Status Bank::Run(txn::Transaction& txn, const ContextBody& body) {
  txn.BeginStatement();
  StatementContext context;
  context.txn = &txn;
  context.catalog = database_.CatalogFor(txn);
  context.database = context.catalog->FindDatabase("omendb")->oid;
  context.waiter = &waiter_;
  OMEN_TRY(body(context));
  return database_.CheckConstraints(context, false);
}

Status Bank::RunAndCommit(const ContextBody& body) {
  auto txn = database_.Begin({});
  if (Status status = Run(*txn, body); !status.ok()) {
    database_.Abort(*txn);
    return status;
  }
  return database_.Commit(*txn, waiter_);
}

Status Bank::Create() {
  const Status created = RunAndCommit([this](StatementContext& context) -> Status {
    const Oid schema = context.catalog->FindSchema(context.database, "public")->oid;
    const TableDef accounts =
        Table(database_, schema, context.database, "accounts",
              {Column(1, "id", TypeKind::kInt8), Column(2, "balance", TypeKind::kInt8)});
    const TableDef transfers =
        Table(database_, schema, context.database, "transfers",
              {Column(1, "id", TypeKind::kInt8), Column(2, "source", TypeKind::kInt8),
               Column(3, "target", TypeKind::kInt8), Column(4, "amount", TypeKind::kInt8),
               Column(5, "text", TypeKind::kText)});
    for (const TableDef& table : {accounts, transfers}) {
      OMEN_TRY(database_.EditCatalog(*context.txn).Put(table));
      OMEN_TRY(database_.CreateStorage(context, table));
    }
    context.catalog = database_.CatalogFor(*context.txn);
    const auto relation = database_.OpenRelation(context.catalog->table(accounts.oid));
    for (int64_t id = 0; id < kAccounts; ++id) {
      const types::Row row{Value::Int64(id), Value::Int64(kOpening)};
      const auto inserted = relation->Insert(context, row);
      if (!inserted.ok()) return inserted.status();
    }
    return Status::Ok();
  });
  return created.ok() ? Find() : created;
}

Status Bank::Find() {
  const auto snapshot = database_.catalog();
  const Oid schema = snapshot->FindSchema(snapshot->FindDatabase("omendb")->oid, "public")->oid;
  accounts_ = snapshot->FindRelation(schema, "accounts").table;
  transfers_ = snapshot->FindRelation(schema, "transfers").table;
  if (accounts_ == nullptr || transfers_ == nullptr) {
    return Status(sqlstate::kUndefinedTable, "the tables of the bank are not there");
  }
  return Status::Ok();
}

Status Bank::AddToBalance(StatementContext& context, int64_t account, int64_t amount) {
  const auto relation = database_.OpenRelation(accounts_);
  const std::array<Value, 1> key{Value::Int64(account)};
  OMEN_ASSIGN(std::optional<RowRef> row,
              relation->Lookup(context, accounts_->primary_key()->oid, key));
  if (!row.has_value()) return Broken("account " + std::to_string(account) + " is gone");
  const std::array<ColumnId, 2> columns{ColumnId(1), ColumnId(2)};
  while (true) {
    types::Arena arena;
    types::Row values(2, Value::Null());
    OMEN_TRY(relation->Read(*row, columns, arena, values.data()));
    values[1].i64 += amount;
    OMEN_ASSIGN(const engine::RowResult result, relation->Update(context, *row, values));
    if (result.outcome == RowOutcome::kDone) return Status::Ok();
    if (result.outcome != RowOutcome::kChanged) return Broken("an account was deleted");
    row = result.latest;
  }
}

Status Bank::Transfer(int worker, int64_t number, testutil::Prng& prng, std::string_view text) {
  const int64_t source = prng.Between(0, kAccounts - 1);
  const int64_t target = (source + prng.Between(1, kAccounts - 1)) % kAccounts;
  const int64_t amount = prng.Between(1, 100);
  while (true) {
    const Status status = RunAndCommit([&](StatementContext& context) -> Status {
      OMEN_TRY(AddToBalance(context, source, -amount));
      OMEN_TRY(AddToBalance(context, target, amount));
      const types::Row row{Value::Int64(TransferKey(worker, number)), Value::Int64(source),
                           Value::Int64(target), Value::Int64(amount), Value::String(text)};
      return database_.OpenRelation(transfers_)->Insert(context, row).status();
    });
    if (!status.Is(sqlstate::kDeadlockDetected)) return status;
  }
}

Status Bank::ReadTransfers(StatementContext& context, Progress& progress,
                           std::array<int64_t, kAccounts>& balances) {
  const auto relation = database_.OpenRelation(transfers_);
  engine::KeyRange all;
  const std::array<ColumnId, 4> columns{ColumnId(1), ColumnId(2), ColumnId(3), ColumnId(4)};
  return relation->ScanIndex(
      context, transfers_->primary_key()->oid, all, [&](RowRef row) -> Result<bool> {
        types::Arena arena;
        std::array<Value, 4> values;
        OMEN_TRY(relation->Read(row, columns, arena, values.data()));
        const auto worker = static_cast<size_t>(values[0].i64 >> 40);
        const int64_t number = values[0].i64 & ((int64_t{1} << 40) - 1);
        if (worker >= kWorkers || number != progress.transfers[worker] + 1) {
          return Broken("transfer " + std::to_string(number) + " of worker " +
                        std::to_string(worker) + " follows " +
                        std::to_string(progress.transfers[worker % kWorkers]));
        }
        progress.transfers[worker] = number;
        balances[static_cast<size_t>(values[1].i64)] -= values[3].i64;
        balances[static_cast<size_t>(values[2].i64)] += values[3].i64;
        return true;
      });
}

Status Bank::CheckBalances(StatementContext& context,
                           const std::array<int64_t, kAccounts>& expected) {
  const auto relation = database_.OpenRelation(accounts_);
  const std::array<ColumnId, 2> columns{ColumnId(1), ColumnId(2)};
  auto scan = relation->OpenScan(context, {.columns = {columns.begin(), columns.end()}});
  auto worker = scan->NewWorker();
  types::Chunk chunk;
  int64_t seen = 0;
  while (true) {
    OMEN_ASSIGN(const bool more, scan->Next(*worker, chunk, nullptr));
    if (!more) break;
    for (uint32_t i = 0; i < chunk.rows_count; ++i) {
      const int64_t id = chunk.columns[0].Get(i).i64;
      const int64_t balance = chunk.columns[1].Get(i).i64;
      if (balance != expected[static_cast<size_t>(id)]) {
        return Broken("account " + std::to_string(id) + " has " + std::to_string(balance) +
                      " where its transfers make " +
                      std::to_string(expected[static_cast<size_t>(id)]));
      }
      ++seen;
    }
  }
  return seen == kAccounts ? Status::Ok()
                           : Broken("there are " + std::to_string(seen) + " accounts");
}

Result<Progress> Bank::Audit() {
  Progress progress;
  std::array<int64_t, kAccounts> balances;
  balances.fill(kOpening);
  const Status read = RunAndCommit([&](StatementContext& context) -> Status {
    OMEN_TRY(ReadTransfers(context, progress, balances));
    return CheckBalances(context, balances);
  });
  if (!read.ok()) return read;
  return progress;
}

Result<std::unique_ptr<engine::Database>> OpenDatabase(env::Env& env, bool fsync) {
  engine::DatabaseOptions options;
  options.data_dir = kDataDir;
  options.memory_bytes = 256ULL << 20;
  options.checkpoint_interval_ms = 3'600'000;
  options.wal_segment_bytes = 256 << 10;  // Small, so that the load crosses many.
  options.fsync = fsync;
  return engine::Database::Open(env, options);
}

}  // namespace omendb::crash_sim
