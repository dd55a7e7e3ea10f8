#include "engine/check.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/sqlstate.h"
#include "catalog/column_ids.h"
#include "engine/database.h"
#include "engine/relation.h"
#include "env/overlay_env.h"

namespace omendb::engine {
namespace {

using catalog::ColumnDef;
using catalog::ConstraintDef;
using catalog::ConstraintKind;
using catalog::IndexDef;
using catalog::TableDef;

// After so many problems of one table the rest is not told.
constexpr size_t kProblemsMax = 20;

class Checker {
 public:
  explicit Checker(Database& database) : database_(database) {}

  Result<CheckReport> Run() {
    txn::TransactionOptions options;
    options.isolation = txn::IsolationLevel::kRepeatableRead;
    options.read_only = true;
    auto txn = database_.Begin(options);
    txn->BeginStatement();
    context_.txn = txn.get();
    context_.catalog = database_.catalog();
    context_.waiter = &waiter_;
    // At first, as damaged index runs are soon made anew.
    for (const Status& damage : database_.VerifySegments()) {
      report_.problems.push_back(damage.error().message);
    }
    Status status;
    for (const auto& table : context_.catalog->all_tables()) {
      context_.database = table->database;
      if (status = CheckTable(table); !status.ok()) break;
    }
    database_.Abort(*txn);
    if (!status.ok()) return status;
    return std::move(report_);
  }

 private:
  // One row as a scan of the table found it.
  struct Found {
    RowId row_id;
    RowRef ref;
  };

  void Problem(const TableDef& table, const std::string& what) {
    if (++problems_of_table_ > kProblemsMax) return;
    report_.problems.push_back("table \"" + NameOf(table) + "\": " + what);
  }

  std::string NameOf(const TableDef& table) const {
    const catalog::SchemaDef* schema = context_.catalog->schema(table.schema);
    return (schema != nullptr ? schema->name + "." : "?.") + table.name;
  }

  Status CheckTable(const std::shared_ptr<const TableDef>& table) {
    problems_of_table_ = 0;
    CheckReferences(*table);
    if (!database_.CheckReadable(*table, /*rest=*/false).ok()) return Status::Ok();  // Told.
    relation_ = database_.OpenRelation(table);
    if (const Status rows = ReadRows(*table); !rows.ok()) return NoteDamage(*table, rows);
    for (const IndexDef& index : table->indexes) {
      OMEN_TRY(NoteDamage(*table, CheckIndex(*table, index)));
    }
    for (const ConstraintDef& constraint : table->constraints) {
      if (constraint.kind == ConstraintKind::kForeignKey && constraint.validated) {
        OMEN_TRY(NoteDamage(*table, CheckForeignKey(*table, constraint)));
      }
    }
    report_.tables.push_back({NameOf(*table), rows_.size(), table->indexes.size()});
    return Status::Ok();
  }

  // What a damaged file keeps from being checked is told, once, and the rest goes on.
  Status NoteDamage(const TableDef& table, const Status& status) {
    if (!status.Is(sqlstate::kDataCorrupted)) return status;
    const std::string& message = status.error().message;
    const auto& told = report_.problems;
    if (std::find(told.begin(), told.end(), message) == told.end()) Problem(table, message);
    return Status::Ok();
  }

  // What the definition names must be there.
  void CheckReferences(const TableDef& table) {
    const catalog::CatalogSnapshot& catalog = *context_.catalog;
    if (catalog.database(table.database) == nullptr) Problem(table, "its database is not there");
    if (catalog.schema(table.schema) == nullptr) Problem(table, "its schema is not there");
    if (catalog.role(table.owner) == nullptr) Problem(table, "its owner is not there");
    for (const IndexDef& index : table.indexes) {
      for (const ColumnId column : catalog::ColumnsOf(index))
        CheckColumn(table, index.name, column);
    }
    for (const ConstraintDef& constraint : table.constraints) {
      for (const ColumnId column : constraint.columns) CheckColumn(table, constraint.name, column);
      const bool needs_index = constraint.kind == ConstraintKind::kPrimaryKey ||
                               constraint.kind == ConstraintKind::kUnique;
      if (needs_index && table.FindIndex(constraint.index) == nullptr) {
        Problem(table, "constraint \"" + constraint.name + "\" has no index");
      }
    }
  }

  void CheckColumn(const TableDef& table, const std::string& user, ColumnId column) {
    const auto number = static_cast<size_t>(column.value());
    if (column.value() < 1 || number > table.columns.size() || table.column(column).dropped) {
      Problem(table, "\"" + user + "\" names column " + std::to_string(column.value()) +
                         ", which is not there");
    }
  }

  // Scans the table: which rows there are, and NOT NULL.
  Status ReadRows(const TableDef& table) {
    rows_.clear();
    const std::vector<ColumnId> columns = table.live_columns();
    auto scan = relation_->OpenScan(context_, {.columns = columns, .with_refs = true});
    auto worker = scan->NewWorker();
    types::Chunk chunk;
    std::vector<RowRef> refs;
    while (true) {
      refs.clear();
      OMEN_ASSIGN(const bool more, scan->Next(*worker, chunk, &refs));
      if (!more) break;
      for (const RowRef& ref : refs) rows_.push_back({ref.row_id, ref});
      for (size_t i = 0; i < columns.size(); ++i) CheckNotNull(table, columns[i], chunk, i);
    }
    std::sort(rows_.begin(), rows_.end(),
              [](const Found& a, const Found& b) { return a.row_id < b.row_id; });
    const auto twice =
        std::adjacent_find(rows_.begin(), rows_.end(),
                           [](const Found& a, const Found& b) { return a.row_id == b.row_id; });
    if (twice != rows_.end()) {
      Problem(table, "row " + std::to_string(twice->row_id.value()) + " is there twice");
    }
    return Status::Ok();
  }

  void CheckNotNull(const TableDef& table, ColumnId column, const types::Chunk& chunk, size_t i) {
    const ColumnDef& definition = table.column(column);
    if (!definition.not_null) return;
    for (uint32_t row = 0; row < chunk.rows_count; ++row) {
      if (!chunk.columns[i].is_null(row)) continue;
      Problem(table, "NULL in column \"" + definition.name + "\", which is NOT NULL");
      return;
    }
  }

  Status CheckIndex(const TableDef& table, const IndexDef& index) {
    std::vector<RowId> found;
    const auto collect = [&](RowRef ref) -> Result<bool> {
      found.push_back(ref.row_id);
      return true;
    };
    OMEN_TRY(relation_->ScanIndex(context_, index.oid, {}, collect));
    std::sort(found.begin(), found.end());
    const bool same = std::equal(found.begin(), found.end(), rows_.begin(), rows_.end(),
                                 [](RowId id, const Found& row) { return id == row.row_id; });
    if (!same) {
      Problem(table, "index \"" + index.name + "\" has " + std::to_string(found.size()) +
                         " rows, not the table's " + std::to_string(rows_.size()));
      return Status::Ok();
    }
    return index.unique ? CheckUnique(table, index) : Status::Ok();
  }

  // Each key leads back to its own row, so none is there twice.
  Status CheckUnique(const TableDef& table, const IndexDef& index) {
    const std::vector<ColumnId> columns = catalog::KeyColumns(index);
    types::Row key(columns.size(), types::Value::Null());
    for (const Found& row : rows_) {
      OMEN_ASSIGN(const bool whole, ReadKey(row.ref, columns, key));
      if (!whole) continue;
      OMEN_ASSIGN(const std::optional<RowRef> back, relation_->Lookup(context_, index.oid, key));
      if (back.has_value() && back->row_id == row.row_id) continue;
      Problem(table, "the key of row " + std::to_string(row.row_id.value()) + " in index \"" +
                         index.name + "\" leads to " +
                         (back.has_value() ? "row " + std::to_string(back->row_id.value())
                                           : std::string("no row")));
    }
    return Status::Ok();
  }

  // False when a part is NULL: such keys are never looked up.
  Result<bool> ReadKey(const RowRef& row, const std::vector<ColumnId>& columns, types::Row& key) {
    arena_.Reset();
    OMEN_TRY(relation_->Read(row, columns, arena_, key.data()));
    return std::none_of(key.begin(), key.end(), [](const types::Value& v) { return v.is_null; });
  }

  Status CheckForeignKey(const TableDef& table, const ConstraintDef& constraint) {
    const auto target = context_.catalog->table(constraint.referenced_table);
    const IndexDef* index =
        target == nullptr ? nullptr : target->FindIndex(constraint.referenced_index);
    if (index == nullptr) {
      Problem(table, "foreign key \"" + constraint.name + "\" refers to what is not there");
      return Status::Ok();
    }
    const std::vector<ColumnId> columns = InIndexOrder(constraint, *index);
    if (columns.size() != index->keys.size()) {
      Problem(table, "foreign key \"" + constraint.name + "\" does not fit its index");
      return Status::Ok();
    }
    if (!database_.CheckReadable(*target, /*rest=*/false).ok()) return Status::Ok();
    const auto referenced = database_.OpenRelation(target);
    types::Row key(columns.size(), types::Value::Null());
    for (const Found& row : rows_) {
      OMEN_ASSIGN(const bool whole, ReadKey(row.ref, columns, key));
      if (!whole) continue;
      if (!SameTypes(table, columns, *target, *index)) break;
      OMEN_ASSIGN(const std::optional<RowRef> found, referenced->Lookup(context_, index->oid, key));
      if (found.has_value()) continue;
      Problem(table, "row " + std::to_string(row.row_id.value()) + " refers by \"" +
                         constraint.name + "\" to a row that is not there");
    }
    return Status::Ok();
  }

  // The referring columns, each where its counterpart stands in the index.
  static std::vector<ColumnId> InIndexOrder(const ConstraintDef& constraint,
                                            const IndexDef& index) {
    std::vector<ColumnId> columns;
    for (const catalog::IndexKey& key : index.keys) {
      for (size_t i = 0; i < constraint.referenced_columns.size(); ++i) {
        if (constraint.referenced_columns[i] == key.column) {
          columns.push_back(constraint.columns[i]);
        }
      }
    }
    return columns;
  }

  // Keys of other types are converted before they are looked up, which is not done here.
  static bool SameTypes(const TableDef& table, const std::vector<ColumnId>& columns,
                        const TableDef& target, const IndexDef& index) {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (table.column(columns[i]).type != target.column(index.keys[i].column).type) return false;
    }
    return true;
  }

  Database& database_;
  ThreadWaiter waiter_;
  StatementContext context_;
  CheckReport report_;
  std::shared_ptr<Relation> relation_;  // Of the table being checked.
  std::vector<Found> rows_;             // Its visible rows, by row id.
  types::Arena arena_;                  // Of the key read last.
  size_t problems_of_table_ = 0;
};

}  // namespace

Result<CheckReport> CheckDatabase(env::Env& env, const std::string& data_dir) {
  OMEN_ASSIGN(const bool exists, env.Exists(data_dir));
  std::vector<std::string> names;
  if (exists) {
    OMEN_ASSIGN(names, env.List(data_dir));
  }
  if (names.empty()) {
    return Status(sqlstate::kUndefinedFile, "there is no database in \"" + data_dir + "\"");
  }
  env::OverlayEnv overlay(env);
  DatabaseOptions options;
  options.data_dir = data_dir;
  options.memory_bytes = 1ULL << 40;  // It must fit into the machine, not into a server's budget.
  options.checkpoint_interval_ms = 1ULL << 40;
  options.checkpoint_wal_bytes = UINT64_MAX;
  OMEN_ASSIGN(const auto database, Database::Open(overlay, options));
  return Checker(*database).Run();
}

}  // namespace omendb::engine
