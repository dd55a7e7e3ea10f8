#include "sql/ddl/dependencies.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sqlstate.h"

namespace omendb::sql {

using Kind = DropTarget::Kind;

namespace {

bool Same(const DropTarget& a, const DropTarget& b) {
  return a.kind == b.kind && a.oid == b.oid && a.column == b.column && a.table == b.table;
}

// nextval('name'::regclass) names this sequence.
bool DefaultUses(const SessionImpl& session, const std::string& default_sql,
                 const catalog::SequenceDef& sequence) {
  const size_t begin = default_sql.find("nextval('");
  if (begin == std::string::npos) return false;
  const size_t from = begin + 9;
  const size_t to = default_sql.find('\'', from);
  auto name = ParseQualifiedName(default_sql.substr(from, to - from));
  if (!name.ok()) return false;
  catalog::Relation found = FindRelation(session, *name);
  if (!found && name->schema.empty()) {
    found = session.catalog()->FindRelation(sequence.schema, name->name);
  }
  return found.sequence != nullptr && found.sequence->oid == sequence.oid;
}

}  // namespace

bool Dropper::IsTarget(const DropTarget& target) const {
  return std::any_of(targets_.begin(), targets_.end(), [&](const DropTarget& t) {
    if (Same(t, target)) return true;
    const bool part_of_table = target.kind == Kind::kConstraint || target.kind == Kind::kDefault ||
                               target.kind == Kind::kIndex;
    return part_of_table && t.kind == Kind::kTable && t.oid == target.table;
  });
}

std::string Dropper::Describe(const DropTarget& target) const {
  auto snapshot = session_.catalog();
  const auto path = session_.SearchPath(true);
  auto name = [&](Oid schema_oid, const std::string& object) {
    const catalog::SchemaDef* schema = snapshot->schema(schema_oid);
    const bool visible =
        schema == nullptr || std::find(path.begin(), path.end(), schema->name) != path.end();
    return visible ? QuoteIdentifier(object) : QualifiedName(schema->name, object);
  };
  switch (target.kind) {
    case Kind::kTable: {
      auto table = snapshot->table(target.oid);
      return "table " + name(table->schema, table->name);
    }
    case Kind::kView: {
      auto view = snapshot->view(target.oid);
      return "view " + name(view->schema, view->name);
    }
    case Kind::kSequence: {
      auto sequence = snapshot->sequence(target.oid);
      return "sequence " + name(sequence->schema, sequence->name);
    }
    case Kind::kSchema:
      return "schema " + snapshot->schema(target.oid)->name;
    case Kind::kIndex: {
      auto table = snapshot->TableOfIndex(target.oid);
      return "index " + name(table->schema, table->FindIndex(target.oid)->name);
    }
    case Kind::kConstraint: {
      auto table = snapshot->table(target.table);
      for (const catalog::ConstraintDef& constraint : table->constraints) {
        if (constraint.oid == target.oid) {
          return fmt::format("constraint {} on table {}", constraint.name,
                             name(table->schema, table->name));
        }
      }
      return "constraint";
    }
    case Kind::kColumn: {
      auto table = snapshot->table(target.table);
      return fmt::format("column {} of table {}", table->column(target.column).name,
                         name(table->schema, table->name));
    }
    case Kind::kDefault: {
      auto table = snapshot->table(target.table);
      return fmt::format("default value for column {} of table {}",
                         table->column(target.column).name, name(table->schema, table->name));
    }
  }
  return "";
}

std::vector<DropTarget> Dropper::DependantsOf(const DropTarget& target) const {
  std::vector<DropTarget> found;
  auto snapshot = session_.catalog();
  if (target.kind == Kind::kTable) {
    for (const auto& [table, constraint] : snapshot->ReferencesTo(target.oid)) {
      if (table->oid == target.oid) continue;
      found.push_back({Kind::kConstraint, constraint->oid, table->oid, {}});
    }
    for (const auto& sequence : snapshot->sequences(session_.database())) {
      if (sequence->owned_by_table != target.oid) continue;
      for (const DropTarget& user : DependantsOf({Kind::kSequence, sequence->oid, {}, {}})) {
        if (user.table != target.oid) found.push_back(user);
      }
    }
  }
  if (target.kind == Kind::kTable || target.kind == Kind::kView) {
    for (const auto& view : snapshot->views(session_.database())) {
      const auto& on = view->depends_on;
      if (std::find(on.begin(), on.end(), target.oid) != on.end()) {
        found.push_back({Kind::kView, view->oid, {}, {}});
      }
    }
  }
  if (target.kind == Kind::kConstraint || target.kind == Kind::kIndex) {
    auto owner = target.kind == Kind::kIndex ? snapshot->TableOfIndex(target.oid)
                                             : snapshot->table(target.table);
    Oid index = target.kind == Kind::kIndex ? target.oid : Oid{};
    for (const catalog::ConstraintDef& constraint : owner->constraints) {
      if (target.kind == Kind::kConstraint && constraint.oid == target.oid)
        index = constraint.index;
    }
    if (index == Oid{}) return found;
    for (const auto& [table, constraint] : snapshot->ReferencesTo(owner->oid)) {
      if (constraint->referenced_index == index) {
        found.push_back({Kind::kConstraint, constraint->oid, table->oid, {}});
      }
    }
  }
  if (target.kind == Kind::kSequence) {
    auto sequence = snapshot->sequence(target.oid);
    for (const auto& table : snapshot->tables(session_.database())) {
      for (const catalog::ColumnDef& column : table->columns) {
        if (!column.dropped && DefaultUses(session_, column.default_sql, *sequence)) {
          found.push_back({Kind::kDefault, table->oid, table->oid, column.id});
        }
      }
    }
  }
  if (target.kind == Kind::kSchema) {
    for (const auto& table : snapshot->tables(session_.database())) {
      if (table->schema == target.oid) found.push_back({Kind::kTable, table->oid, {}, {}});
    }
    for (const auto& view : snapshot->views(session_.database())) {
      if (view->schema == target.oid) found.push_back({Kind::kView, view->oid, {}, {}});
    }
    for (const auto& sequence : snapshot->sequences(session_.database())) {
      if (sequence->schema == target.oid && sequence->owned_by_table == Oid{}) {
        found.push_back({Kind::kSequence, sequence->oid, {}, {}});
      }
    }
  }
  return found;
}

void Dropper::AddDependant(DropTarget target) {
  if (IsTarget(target)) return;
  Tell(target);
  targets_.push_back(target);
}

void Dropper::TellOfCascaded() {
  if (cascaded_.size() == 1) session_.Notice("drop cascades to " + cascaded_[0]);
  if (cascaded_.size() < 2) return;
  std::string detail;
  for (const std::string& line : cascaded_) {
    detail += (detail.empty() ? "" : "\n") + std::string("drop cascades to ") + line;
  }
  session_.Notify(
      "NOTICE",
      Status(SqlState("00000"), fmt::format("drop cascades to {} other objects", cascaded_.size()))
          .WithDetail(std::move(detail)));
}

Status Dropper::Run(bool cascade) {
  const size_t named = targets_.size();
  std::vector<std::string> details;
  for (size_t i = 0; i < targets_.size(); ++i) {
    const DropTarget target = targets_[i];
    for (const DropTarget& dependant : DependantsOf(target)) {
      if (IsTarget(dependant)) continue;
      details.push_back(Describe(dependant) + " depends on " + Describe(target));
      cascaded_.push_back(Describe(dependant));
      targets_.push_back(dependant);
    }
  }
  if (!cascaded_.empty() && !cascade) {
    std::string detail;
    for (const std::string& line : details) detail += (detail.empty() ? "" : "\n") + line;
    const std::string message =
        named == 1 ? fmt::format("cannot drop {} because other objects depend on it",
                                 Describe(targets_[0]))
                   : "cannot drop desired object(s) because other objects depend on them";
    return Status(sqlstate::kDependentObjectsStillExist, message)
        .WithDetail(std::move(detail))
        .WithHint(named == 1 ? "Use DROP ... CASCADE to drop the dependent objects too."
                             : "Use DROP ... CASCADE to drop the dependent objects too.");
  }
  TellOfCascaded();
  // Dependants first.
  for (size_t i = targets_.size(); i > 0; --i) OMEN_TRY(DropOne(targets_[i - 1]));
  return Status::Ok();
}

Status Dropper::DropOne(const DropTarget& target) {
  catalog::CatalogEdit& edit = session_.db().EditCatalog(*session_.block().txn());
  engine::StatementContext context = session_.MakeContext(call_.waiter);
  switch (target.kind) {
    case Kind::kTable: {
      if (edit.view()->table(target.oid) == nullptr) return Status::Ok();
      OMEN_ASSIGN(auto table, LockForDdl(session_, context, target.oid));
      return DropTableObject(edit, table->oid);
    }
    case Kind::kView:
      return edit.Drop(catalog::ObjectKind::kView, target.oid);
    case Kind::kSequence:
      if (edit.view()->sequence(target.oid) == nullptr) return Status::Ok();
      return edit.Drop(catalog::ObjectKind::kSequence, target.oid);
    case Kind::kSchema:
      return edit.Drop(catalog::ObjectKind::kSchema, target.oid);
    case Kind::kIndex: {
      auto owner = edit.view()->TableOfIndex(target.oid);
      if (owner == nullptr) return Status::Ok();
      OMEN_ASSIGN(auto definition, LockForDdl(session_, context, owner->oid));
      catalog::TableDef table = *definition;
      std::erase_if(table.indexes, [&](const auto& index) { return index.oid == target.oid; });
      return edit.Put(table);
    }
    case Kind::kConstraint: {
      if (edit.view()->table(target.table) == nullptr) return Status::Ok();
      OMEN_ASSIGN(auto definition, LockForDdl(session_, context, target.table));
      catalog::TableDef table = *definition;
      Oid index;
      std::erase_if(table.constraints, [&](const auto& constraint) {
        if (constraint.oid != target.oid) return false;
        index = constraint.index;
        return true;
      });
      if (index != Oid{}) {
        std::erase_if(table.indexes, [&](const auto& i) { return i.oid == index; });
      }
      return edit.Put(table);
    }
    case Kind::kColumn:
      return Status::Ok();
    case Kind::kDefault: {
      if (edit.view()->table(target.table) == nullptr) return Status::Ok();
      catalog::TableDef table = *edit.view()->table(target.table);
      table.columns[static_cast<size_t>(target.column.value() - 1)].default_sql.clear();
      return edit.Put(table);
    }
  }
  return Status::Ok();
}

}  // namespace omendb::sql
