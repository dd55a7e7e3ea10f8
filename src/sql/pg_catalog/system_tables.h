// system_tables.h - the relations of pg_catalog and information_schema: their columns as PostgreSQL
// 15 has them, their rows made from the statement's CatalogSnapshot. Relations of things that
// OmenDB does not have are there, and empty.
//
// Thread safety  Any thread; a producer reads the session while the session waits for it.
#pragma once

#include <memory>

#include "duck/duck_engine.h"

namespace omendb::sql {

class InstanceImpl;

std::unique_ptr<duck::SystemTables> MakeSystemTables(InstanceImpl& instance);
// The pg_class.oid of a system relation; 0 when there is none of this name.
uint32_t SystemRelationOid(std::string_view schema, std::string_view name);
// Its "schema.name"; empty for other Oids.
std::pair<std::string_view, std::string_view> SystemRelationName(uint32_t oid);

}  // namespace omendb::sql
