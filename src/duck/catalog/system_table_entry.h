// system_table_entry.h - pg_catalog and information_schema relations as DuckDB tables whose rows
// the SQL layer makes when a scan begins.
//
// Thread safety  Immutable; a scan hands its rows out under DuckDB's one thread.
#pragma once

#include <memory>

#include "duck/duck_engine.h"
#include "duckdb.hpp"

namespace omendb::duck {

class OmenSchema;

// Borrows `table`.
std::shared_ptr<duckdb::CatalogEntry> MakeSystemTableEntry(duckdb::Catalog& owner,
                                                           OmenSchema& schema,
                                                           const SystemTable& table);

inline constexpr const char* kSystemScanName = "omendb_system_scan";
// The table that a scan of this name reads; `bind_data` is the scan's.
const SystemTable& SystemTableOf(const duckdb::FunctionData& bind_data);

}  // namespace omendb::duck
