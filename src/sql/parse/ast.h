// ast.h - PostgreSQL's parse tree as libpg_query gives it, with the few helpers everyone needs.
//
// The node structs are libpg_query's (pg_query/pg_query.pb-c.h): a Node is a tagged union. A tree
// lies in one Arena: nodes made or copied into it live exactly as long, nothing is freed one by
// one.
//
// Thread safety  Plain data; one thread at a time while it is changed.
#pragma once

#include <pg_query/pg_query.pb-c.h>

#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "types/value.h"

namespace omendb::sql {

using Node = PgQuery__Node;

// Makes nodes in an arena. Strings are copied.
class AstBuilder {
 public:
  explicit AstBuilder(types::Arena& arena) : arena_(arena) {}
  types::Arena& arena() { return arena_; }

  char* Copy(std::string_view text);
  // A list of node pointers.
  Node** List(std::span<Node* const> nodes);
  Node** List(std::initializer_list<Node*> nodes) {
    return List(std::span<Node* const>(nodes.begin(), nodes.size()));
  }

  Node* String(std::string_view text);
  Node* StringConst(std::string_view text);
  Node* IntConst(int32_t value);
  Node* FloatConst(std::string_view text);  // any number that is no int4
  Node* BoolConst(bool value);
  Node* NullConst();
  Node* Param(int number);
  Node* Column(std::initializer_list<std::string_view> names);
  Node* Star();  // *
  Node* Call(std::string_view function, std::initializer_list<Node*> args);
  Node* Call(std::string_view function, std::span<Node* const> args);
  Node* Cast(Node* arg, std::string_view type_name);
  Node* Operator(std::string_view op, Node* left, Node* right);
  Node* In(Node* left, std::span<Node* const> values);
  Node* Not(Node* arg);
  // One of them is that itself. Requires: at least one.
  Node* And(std::span<Node* const> args);
  Node* And(std::initializer_list<Node*> args) { return And({args.begin(), args.size()}); }
  Node* Or(std::span<Node* const> args);
  Node* Or(std::initializer_list<Node*> args) { return Or({args.begin(), args.size()}); }
  Node* IsNull(Node* arg);
  // CASE WHEN c THEN v ... ELSE otherwise END, of pairs (c, v).
  Node* Case(std::initializer_list<std::pair<Node*, Node*>> whens, Node* otherwise);
  PgQuery__TypeName* Type(std::string_view name);
  PgQuery__Alias* Alias(std::string_view name);
  // An item of a select list (value AS name), or a column of INSERT (without a value).
  Node* Target(Node* value, std::string_view name);
  // table in FROM.
  Node* Relation(PgQuery__RangeVar* range);
  // SELECT value FROM from WHERE where; without FROM or WHERE where null.
  PgQuery__SelectStmt* Select(Node* value, Node* from, Node* where);
  // EXISTS (select), (select).
  Node* Exists(PgQuery__SelectStmt* select);
  Node* Scalar(PgQuery__SelectStmt* select);
  // (select) AS alias in FROM.
  Node* Subselect(PgQuery__SelectStmt* select, std::string_view alias);

  // A deep copy.
  Node* Clone(const Node* node);

 private:
  template <typename T>
  T* Make(void (*init)(T*));
  template <typename T, typename Member>
  Node* Wrap(PgQuery__Node__NodeCase kind, Member PgQuery__Node::*member, T* message);
  Node* Connected(PgQuery__BoolExprType type, std::span<Node* const> args);
  Node* SubLink(PgQuery__SubLinkType type, PgQuery__SelectStmt* select);
  types::Arena& arena_;
};

// Calls `visit` for each Node below and including `root`'s, parents first; a visit that answers
// false keeps the walk out of that node. A visit may replace the node's content.
using NodeVisitor = std::function<bool(Node*)>;
void WalkNode(Node* root, const NodeVisitor& visit);
// The same below any message (a statement struct, a TypeName).
void WalkMessage(ProtobufCMessage* message, const NodeVisitor& visit);
// Children first: `visit` sees nodes whose children were visited.
void WalkNodePostorder(Node* root, const std::function<void(Node*)>& visit);
// As WalkNode, for messages of every kind (RangeVar and TypeName are not always in a Node).
// The messages directly below one.
void ForEachMessage(ProtobufCMessage* message, const std::function<void(ProtobufCMessage*)>& visit);
using MessageVisitor = std::function<bool(ProtobufCMessage*)>;
void WalkAllMessages(ProtobufCMessage* message, const MessageVisitor& visit);

// The text of a String node; empty for others.
std::string_view StringOf(const Node* node);
// The last of a list of String nodes ("pg_catalog"."int4" -> int4).
std::string_view LastName(Node* const* names, size_t count);
// The schema of a two-part name; empty for one part.
std::string_view SchemaName(Node* const* names, size_t count);
inline std::string_view View(const char* text) {
  return text == nullptr ? std::string_view() : std::string_view(text);
}
// Whether the node is * or t.*.
bool IsStar(const Node* node);
// Whether the node is a constant; then its text ("on" of SET x = on, 5, 1.5).
bool IsConst(const Node* node);
std::string ConstText(const Node* node);

// SQL text of a statement or of an expression, as PostgreSQL writes it. XX000 when libpg_query
// cannot deparse.
Result<std::string> DeparseStatement(const Node* statement);
Result<std::string> DeparseExpression(const Node* expression);
// As format_type writes it is types::FormatType; this is the name as it was written.
Result<std::string> DeparseSelect(const PgQuery__SelectStmt* select);

// "a" or "\"A b\"": quoted when PostgreSQL's quote_ident would.
std::string QuoteIdentifier(std::string_view name);
// 'it''s', as quote_literal.
std::string QuoteLiteral(std::string_view text);
// schema.name, each quoted where needed.
std::string QualifiedName(std::string_view schema, std::string_view name);

}  // namespace omendb::sql
