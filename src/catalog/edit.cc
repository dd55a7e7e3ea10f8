// edit.cc - how a transaction changes its copy of the catalog.
#include <atomic>

#include "base/sqlstate.h"
#include "catalog/snapshot.h"

namespace omendb::catalog {
namespace {

// Versions of unfinished edits lie in a range of their own, so that a plan made inside a DDL
// transaction is never taken for one over an installed catalog.
constexpr uint64_t kEditVersionBit = 1ULL << 63;
std::atomic<uint64_t> next_edit_version{1};

Status Taken(SqlState sqlstate, std::string_view what, const std::string& name) {
  return Status(sqlstate, std::string(what) + " \"" + name + "\" already exists");
}

Status Missing(ObjectKind kind, Oid oid) {
  return Status(sqlstate::kUndefinedObject,
                "catalog object " + std::to_string(oid.value()) + " of kind " +
                    std::to_string(static_cast<int>(kind)) + " does not exist");
}

template <typename Map>
bool EraseFrom(Map& map, Oid oid) {
  return map.erase(oid) != 0;
}

}  // namespace

CatalogEdit::CatalogEdit(std::shared_ptr<const CatalogSnapshot> base)
    : base_(std::move(base)), view_(base_) {}

Status CatalogEdit::Make(CatalogChange change) {
  auto next = std::make_shared<CatalogSnapshot>(*view_);
  OMEN_TRY(ApplyTo(*next, change));
  next->version_ = kEditVersionBit | next_edit_version.fetch_add(1, std::memory_order_relaxed);
  view_ = std::move(next);
  changes_.push_back(std::move(change));
  return Status::Ok();
}

Status CatalogEdit::Put(Object object) {
  CatalogChange change;
  change.op = CatalogChange::Op::kPut;
  change.kind = static_cast<ObjectKind>(object.index());
  change.object = std::make_shared<const Object>(std::move(object));
  return Make(std::move(change));
}

Status CatalogEdit::Drop(ObjectKind kind, Oid oid) {
  CatalogChange change;
  change.op = CatalogChange::Op::kDrop;
  change.kind = kind;
  change.oid = oid;
  return Make(std::move(change));
}

void CatalogEdit::SetComment(CommentDef comment) {
  CatalogChange change;
  change.op = comment.text.empty() ? CatalogChange::Op::kUncomment : CatalogChange::Op::kComment;
  change.comment = std::move(comment);
  const Status made = Make(std::move(change));
  OMEN_CHECK(made.ok());  // Comments have no names that could be taken.
}

Status CatalogEdit::Apply(const std::vector<CatalogChange>& changes) {
  if (changes.empty()) return Status::Ok();
  auto next = std::make_shared<CatalogSnapshot>(*view_);
  for (const CatalogChange& change : changes) OMEN_TRY(ApplyTo(*next, change));
  next->version_ = kEditVersionBit | next_edit_version.fetch_add(1, std::memory_order_relaxed);
  view_ = std::move(next);
  changes_.insert(changes_.end(), changes.begin(), changes.end());
  return Status::Ok();
}

void CatalogEdit::RollbackTo(const Mark& mark) {
  view_ = mark.view;
  changes_.resize(mark.changes_count);
}

Status CatalogEdit::Rebase(std::shared_ptr<const CatalogSnapshot> base) {
  if (base == base_) return Status::Ok();
  auto next = std::make_shared<CatalogSnapshot>(*base);
  for (const CatalogChange& change : changes_) OMEN_TRY(ApplyTo(*next, change));
  next->version_ = kEditVersionBit | next_edit_version.fetch_add(1, std::memory_order_relaxed);
  base_ = std::move(base);
  view_ = std::move(next);
  return Status::Ok();
}

std::shared_ptr<const CatalogSnapshot> CatalogEdit::Installed() const {
  auto installed = std::make_shared<CatalogSnapshot>(*view_);
  installed->version_ = base_->version_ + 1;
  return installed;
}

Status CatalogEdit::ApplyTo(CatalogSnapshot& next, const CatalogChange& change) {
  const CommentDef& c = change.comment;
  switch (change.op) {
    case CatalogChange::Op::kPut:
      return PutInto(next, *change.object);
    case CatalogChange::Op::kDrop:
      return DropFrom(next, change.kind, change.oid);
    case CatalogChange::Op::kComment:
      next.comments_[{c.class_oid, c.object, c.sub_object}] = c.text;
      return Status::Ok();
    case CatalogChange::Op::kUncomment:
      next.comments_.erase({c.class_oid, c.object, c.sub_object});
      return Status::Ok();
  }
  return Status::Ok();
}

// The parts of PutInto: each refuses a name that another object has.
struct Putter {
  CatalogSnapshot& next;

  template <typename Def>
  bool NameFree(const std::map<Oid, std::shared_ptr<const Def>>& map, const Def& def) const {
    for (const auto& [oid, other] : map) {
      if (other->name == def.name && oid != def.oid) return false;
    }
    return true;
  }
  static Status RelationTaken(const std::string& name) {
    return Taken(sqlstate::kDuplicateTable, "relation", name);
  }
};

Status CatalogEdit::PutInto(CatalogSnapshot& next, const Object& object) {
  auto relation_free = [&next](Oid schema, const std::string& name, Oid self) {
    auto it = next.relation_names_.find({schema.value(), name});
    return it == next.relation_names_.end() || it->second == self;
  };
  const Putter putter{next};
  if (const auto* database = std::get_if<DatabaseDef>(&object)) {
    if (!putter.NameFree(next.databases_, *database)) {
      return Taken(sqlstate::kDuplicateDatabase, "database", database->name);
    }
    next.databases_[database->oid] = std::make_shared<const DatabaseDef>(*database);
    return Status::Ok();
  }
  if (const auto* role = std::get_if<RoleDef>(&object)) {
    if (!putter.NameFree(next.roles_, *role)) {
      return Taken(sqlstate::kDuplicateObject, "role", role->name);
    }
    next.roles_[role->oid] = std::make_shared<const RoleDef>(*role);
    return Status::Ok();
  }
  if (const auto* schema = std::get_if<SchemaDef>(&object)) {
    const SchemaDef* other = next.FindSchema(schema->database, schema->name);
    if (other != nullptr && other->oid != schema->oid) {
      return Taken(sqlstate::kDuplicateSchema, "schema", schema->name);
    }
    next.schemas_[schema->oid] = std::make_shared<const SchemaDef>(*schema);
    return Status::Ok();
  }
  if (const auto* table = std::get_if<TableDef>(&object)) {
    if (!relation_free(table->schema, table->name, table->oid)) {
      return Putter::RelationTaken(table->name);
    }
    for (const IndexDef& index : table->indexes) {
      if (!relation_free(table->schema, index.name, index.oid)) {
        return Putter::RelationTaken(index.name);
      }
    }
    if (auto old = next.table(table->oid)) next.ForgetRelationNames(*old);
    next.tables_[table->oid] = std::make_shared<const TableDef>(*table);
    next.IndexRelationNames(*table);
    return Status::Ok();
  }
  // Views and sequences name one relation each.
  auto put_simple = [&](auto& map, const auto& def) {
    if (!relation_free(def.schema, def.name, def.oid)) return Putter::RelationTaken(def.name);
    auto it = map.find(def.oid);
    if (it != map.end()) {
      next.relation_names_.erase({it->second->schema.value(), it->second->name});
    }
    map[def.oid] = std::make_shared<std::decay_t<decltype(def)>>(def);
    next.relation_names_[{def.schema.value(), def.name}] = def.oid;
    return Status::Ok();
  };
  if (const auto* view = std::get_if<ViewDef>(&object)) return put_simple(next.views_, *view);
  return put_simple(next.sequences_, std::get<SequenceDef>(object));
}

Status CatalogEdit::DropFrom(CatalogSnapshot& next, ObjectKind kind, Oid oid) {
  auto drop_named = [&](auto& map) {
    auto it = map.find(oid);
    if (it == map.end()) return Missing(kind, oid);
    next.relation_names_.erase({it->second->schema.value(), it->second->name});
    map.erase(it);
    return Status::Ok();
  };
  bool found = true;
  switch (kind) {
    case ObjectKind::kDatabase:
      found = EraseFrom(next.databases_, oid);
      break;
    case ObjectKind::kRole:
      found = EraseFrom(next.roles_, oid);
      break;
    case ObjectKind::kSchema:
      found = EraseFrom(next.schemas_, oid);
      break;
    case ObjectKind::kTable: {
      auto table = next.table(oid);
      if (table == nullptr) return Missing(kind, oid);
      next.ForgetRelationNames(*table);
      next.tables_.erase(oid);
      break;
    }
    case ObjectKind::kView:
      OMEN_TRY(drop_named(next.views_));
      break;
    case ObjectKind::kSequence:
      OMEN_TRY(drop_named(next.sequences_));
      break;
  }
  if (!found) return Missing(kind, oid);
  std::erase_if(next.comments_,
                [oid](const auto& comment) { return std::get<1>(comment.first) == oid; });
  return Status::Ok();
}

}  // namespace omendb::catalog
