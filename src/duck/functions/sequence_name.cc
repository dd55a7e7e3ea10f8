#include "duck/functions/sequence_name.h"

#include <cctype>

#include "base/sqlstate.h"
#include "duck/session_state.h"

namespace omendb::duck {

Result<std::vector<std::string>> SplitName(std::string_view name) {
  std::vector<std::string> parts(1);
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '"') {
      for (++i; i < name.size(); ++i) {
        if (name[i] == '"') {
          if (i + 1 < name.size() && name[i + 1] == '"') {
            ++i;
          } else {
            break;
          }
        }
        parts.back().push_back(name[i]);
      }
    } else if (name[i] == '.') {
      parts.emplace_back();
    } else {
      parts.back().push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(name[i]))));
    }
  }
  for (const std::string& part : parts) {
    if (part.empty()) {
      return Status(sqlstate::kInvalidName, "invalid name syntax");
    }
  }
  return parts;
}

Result<catalog::Relation> FindRelationByName(SessionState& state, std::string_view name) {
  OMEN_ASSIGN(std::vector<std::string> parts, SplitName(name));
  const engine::StatementContext& statement = state.RequireStatement();
  std::vector<std::string> schemas = state.search_path;
  if (parts.size() > 1) {
    schemas = {parts[parts.size() - 2]};
  } else {
    schemas.insert(schemas.begin(), "pg_catalog");
  }
  for (const std::string& schema : schemas) {
    const catalog::SchemaDef* found = statement.catalog->FindSchema(statement.database, schema);
    if (found == nullptr) continue;
    catalog::Relation relation = statement.catalog->FindRelation(found->oid, parts.back());
    if (relation) return relation;
  }
  return catalog::Relation();
}

Result<std::shared_ptr<const catalog::SequenceDef>> FindSequence(SessionState& state,
                                                                 const types::SqlType& type,
                                                                 const types::Value& argument) {
  if (types::PhysicalTypeOf(type) == types::PhysicalType::kString) {
    OMEN_ASSIGN(catalog::Relation relation, FindRelationByName(state, argument.str()));
    if (!relation) {
      return Status(sqlstate::kUndefinedTable,
                    "relation \"" + std::string(argument.str()) + "\" does not exist");
    }
    if (relation.sequence == nullptr) {
      return Status(sqlstate::kWrongObjectType,
                    "\"" + std::string(argument.str()) + "\" is not a sequence");
    }
    return relation.sequence;
  }
  const Oid oid(
      static_cast<uint32_t>(type.kind == types::TypeKind::kInt8 ? argument.i64 : argument.i32));
  auto sequence = state.RequireStatement().catalog->sequence(oid);
  if (sequence == nullptr) {
    return Status(sqlstate::kUndefinedTable,
                  "relation with OID " + std::to_string(oid.value()) + " does not exist");
  }
  return sequence;
}

}  // namespace omendb::duck
