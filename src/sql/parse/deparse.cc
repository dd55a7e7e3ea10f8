#include <algorithm>
#include <cstring>

#include "base/sqlstate.h"
#include "pg_query.h"
#include "sql/parse/ast.h"
#include "sql/parse/keywords.h"
#include "sql/parse/protobuf_arena.h"

namespace omendb::sql {
namespace {

// The select list entry that carries a bare expression through the deparser.
constexpr std::string_view kSelectPrefix = "SELECT ";

Result<std::string> DeparseTree(Node* statement) {
  PgQuery__RawStmt raw;
  pg_query__raw_stmt__init(&raw);
  raw.stmt = statement;
  PgQuery__RawStmt* statements[] = {&raw};
  PgQuery__ParseResult tree;
  pg_query__parse_result__init(&tree);
  tree.version = PG_VERSION_NUM;
  tree.n_stmts = 1;
  tree.stmts = statements;
  std::string bytes(pg_query__parse_result__get_packed_size(&tree), '\0');
  pg_query__parse_result__pack(&tree, reinterpret_cast<uint8_t*>(bytes.data()));
  PgQueryDeparseResult result = pg_query_deparse_protobuf({bytes.size(), bytes.data()});
  if (result.error != nullptr) {
    Status status(sqlstate::kInternalError, std::string("deparse: ") + result.error->message);
    pg_query_free_deparse_result(result);
    return status;
  }
  std::string text = result.query;
  pg_query_free_deparse_result(result);
  return text;
}

}  // namespace

Result<std::string> DeparseStatement(const Node* statement) {
  return DeparseTree(const_cast<Node*>(statement));
}

Result<std::string> DeparseSelect(const PgQuery__SelectStmt* select) {
  Node node;
  pg_query__node__init(&node);
  node.node_case = PG_QUERY__NODE__NODE_SELECT_STMT;
  node.select_stmt = const_cast<PgQuery__SelectStmt*>(select);
  return DeparseTree(&node);
}

Result<std::string> DeparseExpression(const Node* expression) {
  PgQuery__ResTarget target;
  pg_query__res_target__init(&target);
  target.val = const_cast<Node*>(expression);
  Node target_node;
  pg_query__node__init(&target_node);
  target_node.node_case = PG_QUERY__NODE__NODE_RES_TARGET;
  target_node.res_target = &target;
  Node* list[] = {&target_node};
  PgQuery__SelectStmt select;
  pg_query__select_stmt__init(&select);
  select.n_target_list = 1;
  select.target_list = list;
  select.op = PG_QUERY__SET_OPERATION__SETOP_NONE;
  select.limit_option = PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_DEFAULT;
  OMEN_ASSIGN(std::string text, DeparseSelect(&select));
  return text.substr(std::min(kSelectPrefix.size(), text.size()));
}

Node* AstBuilder::Clone(const Node* node) {
  std::string bytes(pg_query__node__get_packed_size(node), '\0');
  pg_query__node__pack(node, reinterpret_cast<uint8_t*>(bytes.data()));
  ProtobufCAllocator allocator = ProtobufArenaAllocator(arena_);
  Node* copy = pg_query__node__unpack(&allocator, bytes.size(),
                                      reinterpret_cast<const uint8_t*>(bytes.data()));
  OMEN_CHECK(copy != nullptr);
  return copy;
}

std::string QuoteIdentifier(std::string_view name) {
  auto plain = [](char c, bool first) {
    return (c >= 'a' && c <= 'z') || c == '_' || (!first && c >= '0' && c <= '9');
  };
  bool safe = !name.empty();
  for (size_t i = 0; i < name.size(); ++i) safe = safe && plain(name[i], i == 0);
  if (safe && !IsReservedKeyword(name)) return std::string(name);
  std::string quoted = "\"";
  for (char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string QuoteLiteral(std::string_view text) {
  const bool has_backslash = text.find('\\') != std::string_view::npos;
  std::string quoted = has_backslash ? "E'" : "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  return quoted + '\'';
}

std::string QualifiedName(std::string_view schema, std::string_view name) {
  if (schema.empty()) return QuoteIdentifier(name);
  return QuoteIdentifier(schema) + "." + QuoteIdentifier(name);
}

}  // namespace omendb::sql
