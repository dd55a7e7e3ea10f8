#include "sql/parse/ast.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace omendb::sql {

template <typename T>
T* AstBuilder::Make(void (*init)(T*)) {
  T* message = reinterpret_cast<T*>(arena_.Allocate(sizeof(T)));
  init(message);
  return message;
}

template <typename T, typename Member>
Node* AstBuilder::Wrap(PgQuery__Node__NodeCase kind, Member PgQuery__Node::*member, T* message) {
  Node* node = Make<Node>(pg_query__node__init);
  node->node_case = kind;
  node->*member = message;
  return node;
}

char* AstBuilder::Copy(std::string_view text) {
  char* copy = arena_.Allocate(text.size() + 1);
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return copy;
}

Node** AstBuilder::List(std::span<Node* const> nodes) {
  if (nodes.empty()) return nullptr;
  auto list = reinterpret_cast<Node**>(arena_.Allocate(nodes.size() * sizeof(Node*)));
  std::copy(nodes.begin(), nodes.end(), list);
  return list;
}

Node* AstBuilder::String(std::string_view text) {
  auto* string = Make<PgQuery__String>(pg_query__string__init);
  string->sval = Copy(text);
  return Wrap(PG_QUERY__NODE__NODE_STRING, &Node::string, string);
}

Node* AstBuilder::StringConst(std::string_view text) {
  auto* constant = Make<PgQuery__AConst>(pg_query__a__const__init);
  constant->val_case = PG_QUERY__A__CONST__VAL_SVAL;
  constant->sval = Make<PgQuery__String>(pg_query__string__init);
  constant->sval->sval = Copy(text);
  constant->location = -1;
  return Wrap(PG_QUERY__NODE__NODE_A_CONST, &Node::a_const, constant);
}

Node* AstBuilder::IntConst(int32_t value) {
  auto* constant = Make<PgQuery__AConst>(pg_query__a__const__init);
  constant->val_case = PG_QUERY__A__CONST__VAL_IVAL;
  constant->ival = Make<PgQuery__Integer>(pg_query__integer__init);
  constant->ival->ival = value;
  constant->location = -1;
  return Wrap(PG_QUERY__NODE__NODE_A_CONST, &Node::a_const, constant);
}

Node* AstBuilder::FloatConst(std::string_view text) {
  auto* constant = Make<PgQuery__AConst>(pg_query__a__const__init);
  constant->val_case = PG_QUERY__A__CONST__VAL_FVAL;
  constant->fval = Make<PgQuery__Float>(pg_query__float__init);
  constant->fval->fval = Copy(text);
  constant->location = -1;
  return Wrap(PG_QUERY__NODE__NODE_A_CONST, &Node::a_const, constant);
}

Node* AstBuilder::BoolConst(bool value) {
  auto* constant = Make<PgQuery__AConst>(pg_query__a__const__init);
  constant->val_case = PG_QUERY__A__CONST__VAL_BOOLVAL;
  constant->boolval = Make<PgQuery__Boolean>(pg_query__boolean__init);
  constant->boolval->boolval = value;
  constant->location = -1;
  return Wrap(PG_QUERY__NODE__NODE_A_CONST, &Node::a_const, constant);
}

Node* AstBuilder::NullConst() {
  auto* constant = Make<PgQuery__AConst>(pg_query__a__const__init);
  constant->isnull = true;
  constant->location = -1;
  return Wrap(PG_QUERY__NODE__NODE_A_CONST, &Node::a_const, constant);
}

Node* AstBuilder::Param(int number) {
  auto* param = Make<PgQuery__ParamRef>(pg_query__param_ref__init);
  param->number = number;
  return Wrap(PG_QUERY__NODE__NODE_PARAM_REF, &Node::param_ref, param);
}

Node* AstBuilder::Column(std::initializer_list<std::string_view> names) {
  auto* column = Make<PgQuery__ColumnRef>(pg_query__column_ref__init);
  std::vector<Node*> fields;
  for (std::string_view name : names) fields.push_back(String(name));
  column->n_fields = fields.size();
  column->fields = List(fields);
  return Wrap(PG_QUERY__NODE__NODE_COLUMN_REF, &Node::column_ref, column);
}

Node* AstBuilder::Star() {
  Node* all = Column({"*"});
  auto* star = Make<PgQuery__AStar>(pg_query__a__star__init);
  all->column_ref->fields[0] = Wrap(PG_QUERY__NODE__NODE_A_STAR, &Node::a_star, star);
  return all;
}

Node* AstBuilder::Call(std::string_view function, std::initializer_list<Node*> args) {
  return Call(function, std::span<Node* const>(args.begin(), args.size()));
}

Node* AstBuilder::Call(std::string_view function, std::span<Node* const> args) {
  auto* call = Make<PgQuery__FuncCall>(pg_query__func_call__init);
  call->n_funcname = 1;
  call->funcname = List({String(function)});
  call->n_args = args.size();
  call->args = List(args);
  call->funcformat = PG_QUERY__COERCION_FORM__COERCE_EXPLICIT_CALL;
  return Wrap(PG_QUERY__NODE__NODE_FUNC_CALL, &Node::func_call, call);
}

PgQuery__TypeName* AstBuilder::Type(std::string_view name) {
  auto* type = Make<PgQuery__TypeName>(pg_query__type_name__init);
  // Types with key words of their own are deparsed with them only under pg_catalog.
  constexpr std::string_view kKeywordTypes[] = {"bool",      "int2",        "int4",     "int8",
                                                "numeric",   "float4",      "float8",   "time",
                                                "timestamp", "timestamptz", "interval", "varchar"};
  if (std::find(std::begin(kKeywordTypes), std::end(kKeywordTypes), name) !=
      std::end(kKeywordTypes)) {
    type->n_names = 2;
    type->names = List({String("pg_catalog"), String(name)});
  } else {
    type->n_names = 1;
    type->names = List({String(name)});
  }
  type->typemod = -1;
  return type;
}

PgQuery__Alias* AstBuilder::Alias(std::string_view name) {
  auto* alias = Make<PgQuery__Alias>(pg_query__alias__init);
  alias->aliasname = Copy(name);
  return alias;
}

Node* AstBuilder::Target(Node* value, std::string_view name) {
  auto* target = Make<PgQuery__ResTarget>(pg_query__res_target__init);
  target->val = value;
  target->name = Copy(name);
  return Wrap(PG_QUERY__NODE__NODE_RES_TARGET, &Node::res_target, target);
}

Node* AstBuilder::Subselect(PgQuery__SelectStmt* select, std::string_view alias) {
  auto* sub = Make<PgQuery__RangeSubselect>(pg_query__range_subselect__init);
  sub->subquery = Wrap(PG_QUERY__NODE__NODE_SELECT_STMT, &Node::select_stmt, select);
  sub->alias = Alias(alias);
  return Wrap(PG_QUERY__NODE__NODE_RANGE_SUBSELECT, &Node::range_subselect, sub);
}

Node* AstBuilder::Cast(Node* arg, std::string_view type_name) {
  auto* cast = Make<PgQuery__TypeCast>(pg_query__type_cast__init);
  cast->arg = arg;
  cast->type_name = Type(type_name);
  cast->location = -1;
  return Wrap(PG_QUERY__NODE__NODE_TYPE_CAST, &Node::type_cast, cast);
}

Node* AstBuilder::Operator(std::string_view op, Node* left, Node* right) {
  auto* expr = Make<PgQuery__AExpr>(pg_query__a__expr__init);
  expr->kind = PG_QUERY__A__EXPR__KIND__AEXPR_OP;
  expr->n_name = 1;
  expr->name = List({String(op)});
  expr->lexpr = left;
  expr->rexpr = right;
  expr->location = -1;
  return Wrap(PG_QUERY__NODE__NODE_A_EXPR, &Node::a_expr, expr);
}

Node* AstBuilder::In(Node* left, std::span<Node* const> values) {
  auto* list = Make<PgQuery__List>(pg_query__list__init);
  list->n_items = values.size();
  list->items = List(values);
  Node* in = Operator("=", left, Wrap(PG_QUERY__NODE__NODE_LIST, &Node::list, list));
  in->a_expr->kind = PG_QUERY__A__EXPR__KIND__AEXPR_IN;
  return in;
}

Node* AstBuilder::Not(Node* arg) {
  auto* expr = Make<PgQuery__BoolExpr>(pg_query__bool_expr__init);
  expr->boolop = PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR;
  expr->n_args = 1;
  expr->args = List({arg});
  return Wrap(PG_QUERY__NODE__NODE_BOOL_EXPR, &Node::bool_expr, expr);
}

Node* AstBuilder::Connected(PgQuery__BoolExprType type, std::span<Node* const> args) {
  if (args.size() == 1) return args[0];
  auto* expr = Make<PgQuery__BoolExpr>(pg_query__bool_expr__init);
  expr->boolop = type;
  expr->n_args = args.size();
  expr->args = List(args);
  return Wrap(PG_QUERY__NODE__NODE_BOOL_EXPR, &Node::bool_expr, expr);
}

Node* AstBuilder::And(std::span<Node* const> args) {
  return Connected(PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR, args);
}

Node* AstBuilder::Or(std::span<Node* const> args) {
  return Connected(PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR, args);
}

Node* AstBuilder::IsNull(Node* arg) {
  auto* test = Make<PgQuery__NullTest>(pg_query__null_test__init);
  test->arg = arg;
  test->nulltesttype = PG_QUERY__NULL_TEST_TYPE__IS_NULL;
  return Wrap(PG_QUERY__NODE__NODE_NULL_TEST, &Node::null_test, test);
}

Node* AstBuilder::Case(std::initializer_list<std::pair<Node*, Node*>> whens, Node* otherwise) {
  auto* expr = Make<PgQuery__CaseExpr>(pg_query__case_expr__init);
  std::vector<Node*> args;
  for (const auto& [condition, value] : whens) {
    auto* when = Make<PgQuery__CaseWhen>(pg_query__case_when__init);
    when->expr = condition;
    when->result = value;
    args.push_back(Wrap(PG_QUERY__NODE__NODE_CASE_WHEN, &Node::case_when, when));
  }
  expr->n_args = args.size();
  expr->args = List(args);
  expr->defresult = otherwise;
  return Wrap(PG_QUERY__NODE__NODE_CASE_EXPR, &Node::case_expr, expr);
}

Node* AstBuilder::Relation(PgQuery__RangeVar* range) {
  return Wrap(PG_QUERY__NODE__NODE_RANGE_VAR, &Node::range_var, range);
}

PgQuery__SelectStmt* AstBuilder::Select(Node* value, Node* from, Node* where) {
  auto* select = Make<PgQuery__SelectStmt>(pg_query__select_stmt__init);
  select->limit_option = PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_DEFAULT;
  select->op = PG_QUERY__SET_OPERATION__SETOP_NONE;
  select->n_target_list = 1;
  select->target_list = List({Target(value, "")});
  select->n_from_clause = from != nullptr ? 1 : 0;
  if (from != nullptr) select->from_clause = List({from});
  select->where_clause = where;
  return select;
}

Node* AstBuilder::SubLink(PgQuery__SubLinkType type, PgQuery__SelectStmt* select) {
  auto* link = Make<PgQuery__SubLink>(pg_query__sub_link__init);
  link->sub_link_type = type;
  link->subselect = Wrap(PG_QUERY__NODE__NODE_SELECT_STMT, &Node::select_stmt, select);
  link->location = -1;
  return Wrap(PG_QUERY__NODE__NODE_SUB_LINK, &Node::sub_link, link);
}

Node* AstBuilder::Exists(PgQuery__SelectStmt* select) {
  return SubLink(PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK, select);
}

Node* AstBuilder::Scalar(PgQuery__SelectStmt* select) {
  return SubLink(PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK, select);
}

std::string_view StringOf(const Node* node) {
  if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_STRING) return {};
  return View(node->string->sval);
}

std::string_view LastName(Node* const* names, size_t count) {
  return count == 0 ? std::string_view() : StringOf(names[count - 1]);
}

std::string_view SchemaName(Node* const* names, size_t count) {
  return count < 2 ? std::string_view() : StringOf(names[count - 2]);
}

bool IsStar(const Node* node) {
  if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_COLUMN_REF) return false;
  const PgQuery__ColumnRef& column = *node->column_ref;
  return column.fields[column.n_fields - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR;
}

bool IsConst(const Node* node) {
  return node != nullptr && node->node_case == PG_QUERY__NODE__NODE_A_CONST;
}

std::string ConstText(const Node* node) {
  if (node == nullptr) return "";
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_STRING:
      return std::string(View(node->string->sval));
    case PG_QUERY__NODE__NODE_INTEGER:
      return std::to_string(node->integer->ival);
    case PG_QUERY__NODE__NODE_FLOAT:
      return std::string(View(node->float_->fval));
    case PG_QUERY__NODE__NODE_BOOLEAN:
      return node->boolean->boolval ? "true" : "false";
    case PG_QUERY__NODE__NODE_TYPE_NAME:
      return std::string(LastName(node->type_name->names, node->type_name->n_names));
    case PG_QUERY__NODE__NODE_A_CONST:
      break;
    default:
      return "";
  }
  const PgQuery__AConst* constant = node->a_const;
  if (constant->isnull) return "";
  switch (constant->val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
      return std::to_string(constant->ival->ival);
    case PG_QUERY__A__CONST__VAL_FVAL:
      return std::string(View(constant->fval->fval));
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
      return constant->boolval->boolval ? "true" : "false";
    case PG_QUERY__A__CONST__VAL_SVAL:
      return std::string(View(constant->sval->sval));
    case PG_QUERY__A__CONST__VAL_BSVAL:
      return std::string(View(constant->bsval->bsval));
    default:
      return "";
  }
}

}  // namespace omendb::sql
