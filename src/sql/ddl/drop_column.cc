// ALTER TABLE ... DROP COLUMN.
#include <fmt/format.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "catalog/column_ids.h"
#include "sql/ddl/alter_table.h"
#include "sql/ddl/generated_columns.h"
#include "sql/ddl/view_columns.h"

namespace omendb::sql {
namespace {

using catalog::ColumnDef;
using catalog::ConstraintDef;
using catalog::IndexDef;
using Kind = DropTarget::Kind;

// Columns of one table that go, with what hangs on them.
class ColumnDropper {
 public:
  ColumnDropper(UtilityCall& call, catalog::TableDef& table)
      : session_(call.session), dropper_(call), table_(table) {}

  void Add(ColumnId column) {
    going_.push_back(column);
    AddViews(column);
    AddReferences(column);
  }
  // A generated column goes with one that it is computed from.
  void AddGenerated(const ColumnDef& generated, ColumnId from) {
    const DropTarget target = Target(generated.id);
    Note(dropper_.Describe(target), dropper_.Describe(Target(from)));
    dropper_.Tell(target);
    Add(generated.id);
  }

  // What hangs on them, a line each.
  const std::string& details() const { return details_; }
  std::string Describe(ColumnId column) const { return dropper_.Describe(Target(column)); }
  Status DropDependants() { return dropper_.Run(/*cascade=*/true); }

  // From the definition.
  void RemoveColumns() {
    std::erase_if(table_.constraints, [&](const ConstraintDef& constraint) {
      const IndexDef* index = table_.FindIndex(constraint.index);
      return Uses(constraint.columns) || (index != nullptr && Uses(index->included)) ||
             std::find(own_references_.begin(), own_references_.end(), constraint.oid) !=
                 own_references_.end();
    });
    std::erase_if(table_.indexes,
                  [&](const IndexDef& index) { return Uses(catalog::ColumnsOf(index)); });
    for (const ColumnId id : going_) Remove(table_.columns[static_cast<size_t>(id.value() - 1)]);
  }
  Status DropOwnedSequences(catalog::CatalogEdit& edit) const {
    for (const auto& sequence : edit.view()->sequences(session_.database())) {
      if (sequence->owned_by_table == table_.oid &&
          catalog::Contains(going_, sequence->owned_by_column)) {
        OMEN_TRY(edit.Drop(catalog::ObjectKind::kSequence, sequence->oid));
      }
    }
    return Status::Ok();
  }

 private:
  DropTarget Target(ColumnId column) const { return {Kind::kColumn, {}, table_.oid, column}; }
  bool Uses(const std::vector<ColumnId>& columns) const {
    return catalog::HaveCommon(columns, going_);
  }
  void Note(const std::string& dependant, const std::string& on) {
    details_ += fmt::format("{}{} depends on {}", details_.empty() ? "" : "\n", dependant, on);
  }

  void AddViews(ColumnId column) {
    const std::string& name = table_.column(column).name;
    for (const auto& view : session_.catalog()->views(session_.database())) {
      const auto& on = view->depends_on;
      if (std::find(on.begin(), on.end(), table_.oid) == on.end()) continue;
      if (!ViewUsesColumn(view->definition_sql, table_.name, name)) continue;
      const DropTarget target{Kind::kView, view->oid, {}, {}};
      Note(dropper_.Describe(target), dropper_.Describe(Target(column)));
      dropper_.AddDependant(target);
    }
  }

  // Foreign keys that refer to the column, or to an index that includes it.
  void AddReferences(ColumnId column) {
    for (const auto& [table, constraint] : session_.catalog()->ReferencesTo(table_.oid)) {
      const bool own = table->oid == table_.oid;
      if (own && Uses(constraint->columns)) continue;  // It goes with the column.
      const IndexDef* index = table_.FindIndex(constraint->referenced_index);
      const bool included = index != nullptr && catalog::Contains(index->included, column);
      if (!included && !catalog::Contains(constraint->referenced_columns, column)) continue;
      const DropTarget target{Kind::kConstraint, constraint->oid, table->oid, {}};
      Note(dropper_.Describe(target),
           included ? "index " + index->name : dropper_.Describe(Target(column)));
      if (own) {
        own_references_.push_back(constraint->oid);
        dropper_.Tell(target);
      } else {
        dropper_.AddDependant(target);
      }
    }
  }

  static void Remove(ColumnDef& column) {
    column.dropped = true;
    column.not_null = false;
    column.default_sql.clear();
    column.generated_sql.clear();
    column.identity = catalog::Identity::kNone;
    column.name = fmt::format("........pg.dropped.{}........", column.id.value());
  }

  SessionImpl& session_;
  Dropper dropper_;
  catalog::TableDef& table_;
  std::vector<ColumnId> going_;
  std::vector<Oid> own_references_;
  std::string details_;
};

}  // namespace

Status TableAlteration::DropColumn(std::string_view column_name, bool missing_ok, bool cascade) {
  auto found = Column(column_name);
  if (!found.ok()) {
    if (!missing_ok) return found.status();
    session_.Notify("NOTICE",
                    Status(SqlState("00000"),
                           fmt::format("column \"{}\" of relation \"{}\" does not exist, skipping",
                                       column_name, table_.name)));
    return Status::Ok();
  }
  const ColumnId id = (*found)->id;
  OMEN_ASSIGN(const auto generated, GeneratedFrom(table_, (*found)->name));
  ColumnDropper dropper(call_, table_);
  dropper.Add(id);
  for (const ColumnDef* other : generated) {
    if (other->id != id) dropper.AddGenerated(*other, id);
  }
  if (!dropper.details().empty() && !cascade) {
    return Status(sqlstate::kDependentObjectsStillExist,
                  fmt::format("cannot drop {} because other objects depend on it",
                              dropper.Describe(id)))
        .WithDetail(dropper.details())
        .WithHint("Use DROP ... CASCADE to drop the dependent objects too.");
  }
  OMEN_TRY(dropper.DropDependants());
  dropper.RemoveColumns();
  OMEN_TRY(Put());
  return dropper.DropOwnedSequences(session_.db().EditCatalog(*session_.block().txn()));
}

}  // namespace omendb::sql
