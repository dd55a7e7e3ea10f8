#include "sql/ddl/generated_columns.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "sql/ddl/table_builder.h"
#include "sql/type_text.h"

namespace omendb::sql {
namespace {

// Functions whose answer is not decided by their arguments alone, as pg_proc.provolatile says.
constexpr std::string_view kNotImmutable[] = {"age",
                                              "clock_timestamp",
                                              "current_database",
                                              "current_schema",
                                              "current_setting",
                                              "currval",
                                              "gen_random_uuid",
                                              "lastval",
                                              "nextval",
                                              "now",
                                              "pg_backend_pid",
                                              "random",
                                              "setval",
                                              "statement_timestamp",
                                              "timeofday",
                                              "to_char",
                                              "to_date",
                                              "to_timestamp",
                                              "transaction_timestamp",
                                              "txid_current",
                                              "uuid_generate_v4",
                                              "concat",
                                              "concat_ws",
                                              "format"};

Result<Node*> ParseExpression(const std::string& sql, std::shared_ptr<const ParseTree>& tree) {
  OMEN_ASSIGN(auto parsed, ParseTree::Parse("SELECT " + sql));
  tree = std::move(parsed);
  return tree->statement(0).node->select_stmt->target_list[0]->res_target->val;
}

Status CheckExpression(const catalog::TableDef& table, const catalog::ColumnDef& column) {
  std::shared_ptr<const ParseTree> tree;
  OMEN_ASSIGN(Node * root, ParseExpression(column.generated_sql, tree));
  Status status;
  WalkNode(root, [&](Node* node) {
    if (!status.ok()) return false;
    if (node->node_case == PG_QUERY__NODE__NODE_SUB_LINK) {
      status = Status(sqlstate::kFeatureNotSupported,
                      "cannot use subquery in column generation expression");
    } else if (node->node_case == PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION) {
      status = Status(sqlstate::kInvalidObjectDefinition, "generation expression is not immutable");
    } else if (node->node_case == PG_QUERY__NODE__NODE_FUNC_CALL) {
      const std::string_view name =
          LastName(node->func_call->funcname, node->func_call->n_funcname);
      if (std::find(std::begin(kNotImmutable), std::end(kNotImmutable), name) !=
          std::end(kNotImmutable)) {
        status =
            Status(sqlstate::kInvalidObjectDefinition, "generation expression is not immutable");
      }
    } else if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF) {
      const std::string_view name = LastName(node->column_ref->fields, node->column_ref->n_fields);
      const catalog::ColumnDef* other = table.FindColumn(name);
      if (other != nullptr && !other->generated_sql.empty()) {
        status =
            Status(sqlstate::kInvalidObjectDefinition,
                   fmt::format("cannot use generated column \"{}\" in column generation expression",
                               name))
                .WithDetail("A generated column cannot reference another generated column.");
      }
    }
    return status.ok();
  });
  return status;
}

}  // namespace

Result<std::set<std::string>> ColumnsOfExpression(const std::string& sql) {
  std::shared_ptr<const ParseTree> tree;
  OMEN_ASSIGN(Node * root, ParseExpression(sql, tree));
  std::set<std::string> names;
  WalkNode(root, [&](Node* node) {
    if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF) {
      names.emplace(LastName(node->column_ref->fields, node->column_ref->n_fields));
    }
    return true;
  });
  return names;
}

Status CheckGeneratedColumns(SessionImpl& session, const catalog::TableDef& table) {
  for (ColumnId id : table.live_columns()) {
    const catalog::ColumnDef& column = table.column(id);
    if (column.generated_sql.empty()) continue;
    OMEN_TRY(CheckExpression(table, column));
    OMEN_TRY(CheckSql(session, fmt::format("SELECT CAST(({}) AS {}) FROM {}", column.generated_sql,
                                           CastName(column.type), FullName(session, table))));
  }
  return Status::Ok();
}

Result<std::vector<const catalog::ColumnDef*>> GeneratedFrom(const catalog::TableDef& table,
                                                             std::string_view column) {
  std::vector<const catalog::ColumnDef*> found;
  for (ColumnId id : table.live_columns()) {
    const catalog::ColumnDef& def = table.column(id);
    if (def.generated_sql.empty()) continue;
    OMEN_ASSIGN(const auto names, ColumnsOfExpression(def.generated_sql));
    if (names.contains(std::string(column))) found.push_back(&def);
  }
  return found;
}

}  // namespace omendb::sql
