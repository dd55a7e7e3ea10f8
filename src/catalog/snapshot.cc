#include "catalog/snapshot.h"

namespace omendb::catalog {
namespace {

template <typename Map>
auto FindShared(const Map& map, Oid oid) -> typename Map::mapped_type {
  auto it = map.find(oid);
  return it == map.end() ? nullptr : it->second;
}

template <typename Map>
auto FindByName(const Map& map, std::string_view name) {
  for (const auto& [oid, object] : map) {
    if (object->name == name) return object.get();
  }
  return static_cast<decltype(map.begin()->second.get())>(nullptr);
}

template <typename Map>
auto InDatabase(const Map& map, Oid database) {
  std::vector<typename Map::mapped_type> found;
  for (const auto& [oid, object] : map) {
    if (object->database == database) found.push_back(object);
  }
  return found;
}

template <typename Map>
auto Values(const Map& map) {
  std::vector<typename Map::mapped_type> found;
  for (const auto& [oid, object] : map) found.push_back(object);
  return found;
}

}  // namespace

const DatabaseDef* CatalogSnapshot::FindDatabase(std::string_view name) const {
  return FindByName(databases_, name);
}

const RoleDef* CatalogSnapshot::FindRole(std::string_view name) const {
  return FindByName(roles_, name);
}

const SchemaDef* CatalogSnapshot::FindSchema(Oid database, std::string_view name) const {
  for (const auto& [oid, schema] : schemas_) {
    if (schema->database == database && schema->name == name) return schema.get();
  }
  return nullptr;
}

Relation CatalogSnapshot::FindRelation(Oid schema, std::string_view name) const {
  Relation found;
  auto it = relation_names_.find(NameKey(schema.value(), std::string(name)));
  if (it == relation_names_.end()) return found;
  found.table = table(it->second);
  found.view = view(it->second);
  found.sequence = sequence(it->second);
  if (!found) {
    found.table = TableOfIndex(it->second);
    found.index = found.table->FindIndex(it->second);
  }
  return found;
}

const DatabaseDef* CatalogSnapshot::database(Oid oid) const {
  return FindShared(databases_, oid).get();
}
const RoleDef* CatalogSnapshot::role(Oid oid) const { return FindShared(roles_, oid).get(); }
const SchemaDef* CatalogSnapshot::schema(Oid oid) const { return FindShared(schemas_, oid).get(); }
std::shared_ptr<const TableDef> CatalogSnapshot::table(Oid oid) const {
  return FindShared(tables_, oid);
}
std::shared_ptr<const ViewDef> CatalogSnapshot::view(Oid oid) const {
  return FindShared(views_, oid);
}
std::shared_ptr<const SequenceDef> CatalogSnapshot::sequence(Oid oid) const {
  return FindShared(sequences_, oid);
}

std::shared_ptr<const TableDef> CatalogSnapshot::TableOfIndex(Oid index) const {
  auto it = index_tables_.find(index);
  return it == index_tables_.end() ? nullptr : table(it->second);
}

std::vector<const DatabaseDef*> CatalogSnapshot::databases() const {
  std::vector<const DatabaseDef*> found;
  for (const auto& [oid, database] : databases_) found.push_back(database.get());
  return found;
}

std::vector<const RoleDef*> CatalogSnapshot::roles() const {
  std::vector<const RoleDef*> found;
  for (const auto& [oid, role] : roles_) found.push_back(role.get());
  return found;
}

std::vector<const SchemaDef*> CatalogSnapshot::schemas(Oid database) const {
  std::vector<const SchemaDef*> found;
  for (const auto& [oid, schema] : schemas_) {
    if (schema->database == database) found.push_back(schema.get());
  }
  return found;
}

std::vector<std::shared_ptr<const TableDef>> CatalogSnapshot::tables(Oid database) const {
  return InDatabase(tables_, database);
}
std::vector<std::shared_ptr<const ViewDef>> CatalogSnapshot::views(Oid database) const {
  return InDatabase(views_, database);
}
std::vector<std::shared_ptr<const SequenceDef>> CatalogSnapshot::sequences(Oid database) const {
  return InDatabase(sequences_, database);
}
std::vector<std::shared_ptr<const TableDef>> CatalogSnapshot::all_tables() const {
  return Values(tables_);
}
std::vector<std::shared_ptr<const SequenceDef>> CatalogSnapshot::all_sequences() const {
  return Values(sequences_);
}

std::vector<std::pair<std::shared_ptr<const TableDef>, const ConstraintDef*>>
CatalogSnapshot::ReferencesTo(Oid table) const {
  std::vector<std::pair<std::shared_ptr<const TableDef>, const ConstraintDef*>> found;
  auto it = references_.find(table);
  if (it == references_.end()) return found;
  for (const Oid referring : it->second) {
    const auto& definition = tables_.at(referring);
    for (const ConstraintDef& constraint : definition->constraints) {
      if (constraint.kind == ConstraintKind::kForeignKey && constraint.referenced_table == table) {
        found.emplace_back(definition, &constraint);
      }
    }
  }
  return found;
}

const std::string* CatalogSnapshot::comment(uint32_t class_oid, Oid object,
                                            int16_t sub_object) const {
  auto it = comments_.find({class_oid, object, sub_object});
  return it == comments_.end() ? nullptr : &it->second;
}

std::vector<CommentDef> CatalogSnapshot::comments() const {
  std::vector<CommentDef> found;
  for (const auto& [key, text] : comments_) {
    found.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), text});
  }
  return found;
}

void CatalogSnapshot::IndexRelationNames(const TableDef& table) {
  relation_names_[{table.schema.value(), table.name}] = table.oid;
  for (const IndexDef& index : table.indexes) {
    relation_names_[{table.schema.value(), index.name}] = index.oid;
    index_tables_[index.oid] = table.oid;
  }
  for (const ConstraintDef& constraint : table.constraints) {
    if (constraint.kind == ConstraintKind::kForeignKey) {
      references_[constraint.referenced_table].insert(table.oid);
    }
  }
}

void CatalogSnapshot::ForgetRelationNames(const TableDef& table) {
  relation_names_.erase({table.schema.value(), table.name});
  for (const IndexDef& index : table.indexes) {
    relation_names_.erase({table.schema.value(), index.name});
    index_tables_.erase(index.oid);
  }
  for (const ConstraintDef& constraint : table.constraints) {
    auto it = references_.find(constraint.referenced_table);
    if (it != references_.end()) it->second.erase(table.oid);
  }
}

}  // namespace omendb::catalog
