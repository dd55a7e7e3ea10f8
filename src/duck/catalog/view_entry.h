// view_entry.h - views, and sequences seen as one-row relations.
//
// Thread safety  Immutable.
#pragma once

#include <memory>

#include "catalog/definitions.h"
#include "duckdb.hpp"
#include "duckdb/catalog/catalog_entry/view_catalog_entry.hpp"
#include "duckdb/parser/parsed_data/create_view_info.hpp"

namespace omendb::duck {

class OmenSchema;
class SessionState;

class OmenViewEntry : public duckdb::ViewCatalogEntry {
 public:
  OmenViewEntry(duckdb::Catalog& owner, duckdb::SchemaCatalogEntry& owner_schema,
                duckdb::CreateViewInfo& info)
      : ViewCatalogEntry(owner, owner_schema, info) {}
  // The catalog has the column types; the query is bound anew each time.
  bool HasTypes() const override { return false; }
};

std::shared_ptr<duckdb::CatalogEntry> MakeViewEntry(duckdb::Catalog& owner, OmenSchema& schema,
                                                    SessionState& state,
                                                    const catalog::ViewDef& view);
// SELECT last_value, log_cnt, is_called FROM sequence.
std::shared_ptr<duckdb::CatalogEntry> MakeSequenceEntry(
    duckdb::Catalog& owner, OmenSchema& schema,
    const std::shared_ptr<const catalog::SequenceDef>& sequence);

}  // namespace omendb::duck
