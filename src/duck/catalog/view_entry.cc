#include "duck/catalog/view_entry.h"

#include "duck/catalog/omen_catalog.h"
#include "duck/errors.h"
#include "duck/plan/statement_rewrite.h"
#include "duck/session_state.h"
#include "duckdb/parser/parser.hpp"

namespace omendb::duck {

std::shared_ptr<duckdb::CatalogEntry> MakeViewEntry(duckdb::Catalog& owner, OmenSchema& schema,
                                                    SessionState& state,
                                                    const catalog::ViewDef& view) {
  duckdb::CreateViewInfo info(schema, view.name);
  info.query = ParseCatalogQuery(state, view.definition_sql);
  for (const catalog::ColumnDef& column : view.columns) info.aliases.push_back(column.name);
  return std::make_shared<OmenViewEntry>(owner, schema, info);
}

std::shared_ptr<duckdb::CatalogEntry> MakeSequenceEntry(
    duckdb::Catalog& owner, OmenSchema& schema,
    const std::shared_ptr<const catalog::SequenceDef>& sequence) {
  duckdb::CreateViewInfo info(schema, sequence->name);
  const std::string oid = std::to_string(sequence->oid.value());
  duckdb::Parser parser;
  parser.ParseQuery("SELECT sequence_last_value(" + oid +
                    "::UINTEGER) AS last_value, 0::BIGINT AS log_cnt, sequence_is_called(" + oid +
                    "::UINTEGER) AS is_called");
  info.query = duckdb::unique_ptr_cast<duckdb::SQLStatement, duckdb::SelectStatement>(
      std::move(parser.statements[0]));
  return std::make_shared<OmenViewEntry>(owner, schema, info);
}

}  // namespace omendb::duck
