#include "sql/rewrite/rules.h"
#include "types/regex.h"

namespace omendb::sql {
namespace {

bool IsStringConst(const Node* node) {
  return IsConst(node) && !node->a_const->isnull &&
         node->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL;
}

// The call that says whether a text matches. A constant pattern that DuckDB reads alike is DuckDB's
// to match: it looks for plain words in it.
Node* RegexCall(Node* text, Node* pattern, bool ignore_case, AstBuilder& build) {
  std::string letters = ignore_case ? "i" : "";
  if (IsStringConst(pattern)) {
    const std::string_view regex = View(pattern->a_const->sval->sval);
    types::RegexFlags flags;
    flags.ignore_case = ignore_case;
    const auto translated = types::TranslateRegex(regex);
    const bool special = regex.starts_with("(?") || regex.starts_with("***");
    if (!special && translated.ok() && types::Regex::Compile(regex, flags).ok()) {
      if (regex.find('.') != std::string_view::npos) letters += 's';
      Node* constant = build.StringConst(*translated);
      if (letters.empty()) return build.Call("regexp_matches", {text, constant});
      return build.Call("regexp_matches", {text, constant, build.StringConst(letters)});
    }
  }
  return build.Call("omendb_regex_match", {text, pattern, build.StringConst(letters)});
}

bool RewriteRegex(Node* node, std::string_view op, AstBuilder& build) {
  const bool negated = op == "!~" || op == "!~*";
  const bool ignore_case = op == "~*" || op == "!~*";
  if (op != "~" && !negated && !ignore_case) return false;
  PgQuery__AExpr& expr = *node->a_expr;
  if (expr.lexpr == nullptr) return false;  // ~ 5: bitwise not
  Node* match = RegexCall(expr.lexpr, expr.rexpr, ignore_case, build);
  *node = negated ? *build.Not(match) : *match;
  return true;
}

// LIKE's escape is a backslash unless it says otherwise; DuckDB's is none. With one it is a
// function.
void RewriteLike(Node* node, bool ignore_case, AstBuilder& build) {
  PgQuery__AExpr& expr = *node->a_expr;
  Node* pattern = expr.rexpr;
  Node* escape = nullptr;
  if (pattern->node_case == PG_QUERY__NODE__NODE_FUNC_CALL &&
      LastName(pattern->func_call->funcname, pattern->func_call->n_funcname) == "like_escape" &&
      pattern->func_call->n_args == 2) {
    escape = pattern->func_call->args[1];
    pattern = pattern->func_call->args[0];
  } else if (IsStringConst(pattern) &&
             View(pattern->a_const->sval->sval).find('\\') != std::string_view::npos) {
    escape = build.StringConst("\\");
  }
  if (escape == nullptr) return;
  const bool negated = LastName(expr.name, expr.n_name).starts_with("!");
  Node* match =
      build.Call(ignore_case ? "ilike_escape" : "like_escape", {expr.lexpr, pattern, escape});
  *node = negated ? *build.Not(match) : *match;
}

Status RewriteSimilar(Node* node, RewriteState& state) {
  PgQuery__AExpr& expr = *node->a_expr;
  const Node* pattern = expr.rexpr;
  char escape = '\\';
  if (pattern->node_case == PG_QUERY__NODE__NODE_FUNC_CALL) {
    const PgQuery__FuncCall& call = *pattern->func_call;
    if (call.n_args == 0) return Status::Ok();
    pattern = call.args[0];
    if (call.n_args > 1) {
      std::string text = ConstText(call.args[1]);
      escape = text.size() == 1 ? text[0] : '\0';
    }
  }
  if (!IsStringConst(pattern)) {
    return state.At(NotSupported("SIMILAR TO with a pattern that is no constant"), expr.location);
  }
  AstBuilder& build = state.build;
  const std::string regex = SimilarToRegex(View(pattern->a_const->sval->sval), escape);
  const bool negated = LastName(expr.name, expr.n_name) == "!~";
  Node* match = build.Call("regexp_full_match", {expr.lexpr, build.StringConst(regex)});
  *node = negated ? *build.Not(match) : *match;
  return Status::Ok();
}

void RewriteBetweenSymmetric(Node* node, bool negated, AstBuilder& build) {
  PgQuery__AExpr& expr = *node->a_expr;
  const PgQuery__List& bounds = *expr.rexpr->list;
  Node* low = build.Call("least", {bounds.items[0], bounds.items[1]});
  Node* high = build.Call("greatest", {build.Clone(bounds.items[0]), build.Clone(bounds.items[1])});
  expr.kind =
      negated ? PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN : PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN;
  expr.rexpr->list->items = build.List({low, high});
  expr.name = build.List({build.String(negated ? "NOT BETWEEN" : "BETWEEN")});
}

// Of a column; nullopt of anything else.
std::optional<types::SqlType> ColumnTypeOf(const Node* value, const RewriteState& state) {
  if (value->node_case != PG_QUERY__NODE__NODE_COLUMN_REF || !state.context.column_type) {
    return std::nullopt;
  }
  const PgQuery__ColumnRef& column = *value->column_ref;
  return state.context.column_type(LastName(column.fields, column.n_fields));
}

// column = ANY ($1): the parameter is an array of the column's type.
void TypeArrayParameter(PgQuery__AExpr& expr, RewriteState& state) {
  if (expr.rexpr == nullptr || expr.rexpr->node_case != PG_QUERY__NODE__NODE_PARAM_REF) return;
  std::optional<types::SqlType> type = ColumnTypeOf(expr.lexpr, state);
  if (IsConst(expr.lexpr) && expr.lexpr->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL) {
    type = types::SqlType{types::TypeKind::kInt4};
  } else if (expr.lexpr->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) {
    const PgQuery__TypeName& name = *expr.lexpr->type_cast->type_name;
    auto cast = types::TypeFromName(LastName(name.names, name.n_names));
    if (cast.ok()) type = *cast;
  }
  if (!type || type->is_array) return;
  if (type->kind == types::TypeKind::kOid) {
    expr.rexpr = state.build.Cast(expr.rexpr, "uinteger");
  } else {
    expr.rexpr = state.build.Cast(expr.rexpr, types::TypeName(*type));
  }
  PgQuery__TypeName& array = *expr.rexpr->type_cast->type_name;
  Node* bound = state.build.NullConst();
  bound->node_case = PG_QUERY__NODE__NODE_INTEGER;
  bound->integer =
      reinterpret_cast<PgQuery__Integer*>(state.build.arena().Allocate(sizeof(PgQuery__Integer)));
  pg_query__integer__init(bound->integer);
  bound->integer->ival = -1;
  array.n_array_bounds = 1;
  array.array_bounds = state.build.List({bound});
}

// Operators that DuckDB's grammar has not, or takes for something else.
constexpr std::pair<std::string_view, std::string_view> kOperatorFunctions[] = {
    {"->", "omendb_json_get"},     {"->>", "omendb_json_get_text"},     {"?", "jsonb_exists"},
    {"?|", "jsonb_exists_any"},    {"?&", "jsonb_exists_all"},          {"#-", "jsonb_delete_path"},
    {"#>", "omendb_json_at_path"}, {"#>>", "omendb_json_at_path_text"},
};

// x = ANY ('{1,2}') is x IN ('1', '2'), x <> ALL its opposite.
bool RewriteAnyOfLiteral(PgQuery__AExpr& expr, std::string_view op, AstBuilder& build) {
  const bool any = expr.kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY;
  if (!IsStringConst(expr.rexpr) || !(any ? op == "=" : op == "<>")) return false;
  std::vector<std::optional<std::string>> elements;
  if (!SplitArrayLiteral(View(expr.rexpr->a_const->sval->sval), elements) || elements.empty()) {
    return false;
  }
  std::vector<Node*> items;
  for (const auto& element : elements) {
    items.push_back(element ? build.StringConst(*element) : build.NullConst());
  }
  expr.rexpr = build.In(expr.lexpr, items)->a_expr->rexpr;
  expr.kind = PG_QUERY__A__EXPR__KIND__AEXPR_IN;
  return true;
}

// ARRAY[...] or '{...}'::type[].
bool IsNoNullArray(const Node& array) {
  if (array.node_case == PG_QUERY__NODE__NODE_A_ARRAY_EXPR) return true;
  if (array.node_case != PG_QUERY__NODE__NODE_TYPE_CAST) return false;
  const Node& of = *array.type_cast->arg;
  return IsStringConst(&of) || IsNoNullArray(of);
}

// x > ALL (array) is x > ALL (SELECT unnest(array)), which a later rule compares by value. Of a
// NULL it would not be.
void CompareWithElements(Node* node, std::string_view op, AstBuilder& build) {
  PgQuery__AExpr& expr = *node->a_expr;
  const bool any = expr.kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY;
  Node* link = build.Exists(build.Select(build.Call("unnest", {expr.rexpr}), nullptr, nullptr));
  link->sub_link->sub_link_type =
      any ? PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK : PG_QUERY__SUB_LINK_TYPE__ALL_SUBLINK;
  link->sub_link->testexpr = expr.lexpr;
  link->sub_link->n_oper_name = 1;
  link->sub_link->oper_name = build.List({build.String(std::string(op))});
  *node = *link;
}

// x = ANY (array): DuckDB would make a sub-select of it, which outer joins do not take, and which
// does not find a numeric without precision. Other arrays stay, as their elements may be keys to
// look up.
void RewriteAnyOfArray(Node* node, std::string_view op, RewriteState& state) {
  PgQuery__AExpr& expr = *node->a_expr;
  AstBuilder& build = state.build;
  const bool any = expr.kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY;
  const bool of_column = expr.rexpr->node_case == PG_QUERY__NODE__NODE_COLUMN_REF;
  const bool of_big = MayBeBigNumeric(expr.lexpr, state);
  if (op != (any ? "=" : "<>")) {
    if (of_big && IsNoNullArray(*expr.rexpr) && IsComparison(op))
      CompareWithElements(node, op, build);
    return;
  }
  if (!of_column && !of_big) return;
  Node* found = build.Call("omendb_equals_any", {expr.lexpr, expr.rexpr});
  *node = any ? *found : *build.Not(found);
}

bool IsPatternOperator(std::string_view op) {
  return op == "~~" || op == "!~~" || op == "~~*" || op == "!~~*" || op == "~" || op == "!~" ||
         op == "~*" || op == "!~*";
}

// x LIKE ANY (ARRAY[a, b]) is x LIKE a OR x LIKE b; of ALL, AND.
Status RewritePatterns(Node* node, const std::string& op, RewriteState& state) {
  PgQuery__AExpr& expr = *node->a_expr;
  AstBuilder& build = state.build;
  std::vector<Node*> patterns;
  std::vector<std::optional<std::string>> elements;
  if (expr.rexpr->node_case == PG_QUERY__NODE__NODE_A_ARRAY_EXPR) {
    const PgQuery__AArrayExpr& array = *expr.rexpr->a_array_expr;
    patterns.assign(array.elements, array.elements + array.n_elements);
  } else if (IsStringConst(expr.rexpr) &&
             SplitArrayLiteral(View(expr.rexpr->a_const->sval->sval), elements)) {
    for (const auto& element : elements) {
      patterns.push_back(element ? build.StringConst(*element) : build.NullConst());
    }
  } else {
    return state.At(NotSupported("operator " + op + " with ANY or ALL of a computed array"),
                    expr.location);
  }
  const bool any = expr.kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY;
  std::vector<Node*> tests;
  for (Node* pattern : patterns) {
    Node* test = build.Operator(op, build.Clone(expr.lexpr), pattern);
    OMEN_TRY(RewriteOperators(test, state));
    tests.push_back(test);
  }
  if (tests.empty()) {
    *node = *build.BoolConst(!any);
    return Status::Ok();
  }
  Node* joined = build.Not(tests[0]);
  joined->bool_expr->boolop =
      any ? PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR : PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR;
  joined->bool_expr->n_args = tests.size();
  joined->bool_expr->args = build.List(tests);
  *node = tests.size() == 1 ? *tests[0] : *joined;
  return Status::Ok();
}

void RewriteNamed(Node* node, std::string_view op, AstBuilder& build) {
  PgQuery__AExpr& expr = *node->a_expr;
  if (expr.lexpr == nullptr) {
    if (op == "|/") *node = *build.Call("sqrt", {expr.rexpr});
    if (op == "||/") *node = *build.Call("cbrt", {expr.rexpr});
    if (op == "@") *node = *build.Call("abs", {expr.rexpr});
    return;
  }
  if (op == "#") *node = *build.Call("xor", {expr.lexpr, expr.rexpr});
  for (const auto& [name, function] : kOperatorFunctions) {
    if (op == name) {
      *node = *build.Call(function, {expr.lexpr, expr.rexpr});
      return;
    }
  }
  if (op == "^@") *node = *build.Call("starts_with", {expr.lexpr, expr.rexpr});
}

}  // namespace

bool MayBeBigNumeric(const Node* value, const RewriteState& state) {
  const auto type = ColumnTypeOf(value, state);
  return type && type->kind == types::TypeKind::kNumeric && !type->is_array &&
         type->numeric_unconstrained();
}

std::string SimilarToRegex(std::string_view pattern, char escape) {
  std::string regex;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (escape != '\0' && c == escape && i + 1 < pattern.size()) {
      regex += '\\';
      regex += pattern[++i];
    } else if (in_class) {
      in_class = c != ']';
      regex += c == '\\' ? "\\\\" : std::string(1, c);
    } else if (c == '[') {
      in_class = true;
      regex += c;
    } else if (c == '%') {
      regex += "(?s:.*)";
    } else if (c == '_') {
      regex += "(?s:.)";
    } else if (c == '.' || c == '^' || c == '$' || c == '\\') {
      regex += '\\';
      regex += c;
    } else {
      regex += c;
    }
  }
  return regex;
}

Status RewriteOperators(Node* node, RewriteState& state) {
  if (node->node_case != PG_QUERY__NODE__NODE_A_EXPR) return Status::Ok();
  PgQuery__AExpr& expr = *node->a_expr;
  if (expr.n_name > 1) {
    expr.name = state.build.List({expr.name[expr.n_name - 1]});
    expr.n_name = 1;
  }
  const std::string op(LastName(expr.name, expr.n_name));
  switch (expr.kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
      if (RewriteRegex(node, op, state.build)) return Status::Ok();
      if (op == "~~" || op == "!~~" || op == "~~*" || op == "!~~*") {
        const bool ignore_case = op.back() == '*';
        expr.kind = ignore_case ? PG_QUERY__A__EXPR__KIND__AEXPR_ILIKE
                                : PG_QUERY__A__EXPR__KIND__AEXPR_LIKE;
        RewriteLike(node, ignore_case, state.build);
        return Status::Ok();
      }
      RewriteNamed(node, op, state.build);
      return Status::Ok();
    case PG_QUERY__A__EXPR__KIND__AEXPR_LIKE:
      RewriteLike(node, false, state.build);
      return Status::Ok();
    case PG_QUERY__A__EXPR__KIND__AEXPR_ILIKE:
      RewriteLike(node, true, state.build);
      return Status::Ok();
    case PG_QUERY__A__EXPR__KIND__AEXPR_SIMILAR:
      return RewriteSimilar(node, state);
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM:
      RewriteBetweenSymmetric(node, false, state.build);
      return Status::Ok();
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM:
      RewriteBetweenSymmetric(node, true, state.build);
      return Status::Ok();
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY:
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL:
      if (IsPatternOperator(op)) return RewritePatterns(node, op, state);
      if (RewriteAnyOfLiteral(expr, op, state.build)) return Status::Ok();
      TypeArrayParameter(expr, state);
      RewriteAnyOfArray(node, op, state);
      return Status::Ok();
    default:
      return Status::Ok();
  }
}

Status RewriteCollations(Node* node, RewriteState& state) {
  if (node->node_case == PG_QUERY__NODE__NODE_COLLATE_CLAUSE) {
    const PgQuery__CollateClause& collate = *node->collate_clause;
    const std::string_view name = LastName(collate.collname, collate.n_collname);
    if (name != "default" && name != "C" && name != "POSIX" && name != "ucs_basic") {
      return state.At(NotSupported("collation \"" + std::string(name) + "\""), collate.location);
    }
    *node = *collate.arg;
  }
  return Status::Ok();
}

Status RewriteSortUsing(Node* node, RewriteState&) {
  if (node->node_case != PG_QUERY__NODE__NODE_SORT_BY) return Status::Ok();
  PgQuery__SortBy& sort = *node->sort_by;
  if (sort.sortby_dir != PG_QUERY__SORT_BY_DIR__SORTBY_USING) return Status::Ok();
  const std::string_view op = LastName(sort.use_op, sort.n_use_op);
  sort.sortby_dir =
      op == ">" ? PG_QUERY__SORT_BY_DIR__SORTBY_DESC : PG_QUERY__SORT_BY_DIR__SORTBY_ASC;
  sort.n_use_op = 0;
  sort.use_op = nullptr;
  return Status::Ok();
}

}  // namespace omendb::sql
