// pg_catalog.pg_class.relname: the table's name is enough, as no two tables of one FROM have the
// same.
#include "sql/rewrite/rules.h"

namespace omendb::sql {

Status RewriteQualifiedColumns(Node* node, RewriteState&) {
  if (node->node_case != PG_QUERY__NODE__NODE_COLUMN_REF) return Status::Ok();
  PgQuery__ColumnRef& column = *node->column_ref;
  if (column.n_fields <= 2) return Status::Ok();
  column.fields += column.n_fields - 2;
  column.n_fields = 2;
  return Status::Ok();
}

}  // namespace omendb::sql
