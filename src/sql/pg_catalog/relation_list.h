// relation_list.h - names and columns of the system relations; internal to this folder.
#pragma once

#include <span>
#include <string_view>

namespace omendb::sql {

struct RelationColumns {
  std::string_view schema;
  std::string_view name;
  std::string_view columns;  // "oid oid,relname name,..."
};

std::span<const RelationColumns> SystemRelations();

}  // namespace omendb::sql
