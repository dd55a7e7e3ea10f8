#include "duck/plan/statement_rewrite.h"

#include <algorithm>

#include "base/sqlstate.h"
#include "duck/catalog/omen_catalog.h"
#include "duck/errors.h"
#include "duck/logical_types.h"
#include "duck/plan/char_padding.h"
#include "duck/plan/number_comparison.h"
#include "duck/session_state.h"
#include "duck/type_names.h"
#include "duckdb/parser/expression/cast_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "duckdb/parser/expression/parameter_expression.hpp"
#include "duckdb/parser/expression/subquery_expression.hpp"
#include "duckdb/parser/parsed_expression_iterator.hpp"
#include "duckdb/parser/parser.hpp"
#include "duckdb/parser/query_node.hpp"
#include "duckdb/parser/statement/delete_statement.hpp"
#include "duckdb/parser/statement/insert_statement.hpp"
#include "duckdb/parser/statement/merge_into_statement.hpp"
#include "duckdb/parser/statement/update_statement.hpp"
#include "duckdb/parser/tableref/basetableref.hpp"

namespace omendb::duck {

namespace {

using Expr = duckdb::unique_ptr<duckdb::ParsedExpression>;

bool IsUserType(const duckdb::LogicalType& type) {
  return type.id() == duckdb::LogicalTypeId::USER;
}

// "regclass", "jsonb", "name", ...: what DuckDB does not know.
duckdb::LogicalType ResolveType(const duckdb::LogicalType& type) {
  if (type.id() == duckdb::LogicalTypeId::LIST) {
    return duckdb::LogicalType::LIST(ResolveType(duckdb::ListType::GetChildType(type)));
  }
  if (!IsUserType(type)) return type;
  const std::string& name = duckdb::UserType::GetTypeName(type);
  const std::string lower = duckdb::StringUtil::Lower(name);
  if (lower == "numeric" || lower == "decimal" || lower == kBigNumericTypeName) {
    return BigNumericType();
  }
  auto found = types::TypeFromName(lower);
  if (!found.ok()) return type;
  return ToLogicalType(*found);
}

class Rewriter {
 public:
  explicit Rewriter(const RewriteInput& input) : input_(input) {}

  void Visit(Expr& expr) {
    if (expr == nullptr) return;
    MarkComparedCasts(*expr);
    switch (expr->GetExpressionClass()) {
      case duckdb::ExpressionClass::PARAMETER:
        return VisitParameter(expr);
      case duckdb::ExpressionClass::FUNCTION: {
        auto& function = expr->Cast<duckdb::FunctionExpression>();
        if (function.schema == "pg_catalog") {
          function.schema.clear();
          function.catalog.clear();
        }
        MarkExplicitCast(function);
        NameMissing(function);
        break;
      }
      case duckdb::ExpressionClass::CAST: {
        auto& cast = expr->Cast<duckdb::CastExpression>();
        cast.cast_type = ResolveType(cast.cast_type);
        break;
      }
      case duckdb::ExpressionClass::SUBQUERY:
        Visit(*expr->Cast<duckdb::SubqueryExpression>().subquery->node);
        break;
      default:
        break;
    }
    duckdb::ParsedExpressionIterator::EnumerateChildren(*expr,
                                                        [this](Expr& child) { Visit(child); });
  }

  void Visit(duckdb::QueryNode& node) {
    duckdb::ParsedExpressionIterator::EnumerateQueryNodeChildren(
        node, [this](Expr& child) { Visit(child); },
        [this](duckdb::TableRef& ref) { VisitRef(ref); });
  }

  void Visit(duckdb::TableRef& ref) {
    duckdb::ParsedExpressionIterator::EnumerateTableRefChildren(
        ref, [this](Expr& child) { Visit(child); },
        [this](duckdb::TableRef& child) { VisitRef(child); });
    VisitRef(ref);
  }

  void Visit(duckdb::vector<Expr>& list) {
    for (Expr& expr : list) Visit(expr);
  }
  void Visit(duckdb::CommonTableExpressionMap& ctes) {
    for (auto& cte : ctes.map) Visit(*cte.second->query->node);
  }
  void Visit(duckdb::UpdateSetInfo& set) {
    Visit(set.expressions);
    Visit(set.condition);
  }

  void Qualify(std::string& catalog, const std::string& schema) {
    if (schema.empty()) return;
    if (!catalog.empty() && catalog != input_.database_name && catalog != input_.attached_name) {
      ThrowStatus(NotSupported("a cross-database reference"));
    }
    catalog = input_.attached_name;
  }

 private:
  // A function that does not exist becomes one that says so with the types of its arguments.
  void NameMissing(duckdb::FunctionExpression& function) {
    if (input_.context == nullptr || function.function_name == "unnest" ||
        !function.schema.empty()) {
      return;
    }
    auto& catalog = duckdb::Catalog::GetSystemCatalog(*input_.context);
    const auto entry = catalog.GetEntry(*input_.context, duckdb::CatalogType::SCALAR_FUNCTION_ENTRY,
                                        DEFAULT_SCHEMA, function.function_name,
                                        duckdb::OnEntryNotFound::RETURN_NULL);
    if (entry) return;
    function.children.insert(
        function.children.begin(),
        duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value(function.function_name)));
    function.function_name = kMissingFunction;
    function.distinct = false;
    function.filter = nullptr;
    function.order_bys = duckdb::make_uniq<duckdb::OrderModifier>();
  }

  void VisitRef(duckdb::TableRef& ref) {
    if (ref.type != duckdb::TableReferenceType::BASE_TABLE) return;
    auto& table = ref.Cast<duckdb::BaseTableRef>();
    Qualify(table.catalog_name, table.schema_name);
  }

  void VisitParameter(Expr& expr) {
    auto& parameter = expr->Cast<duckdb::ParameterExpression>();
    const size_t number = ParameterNumber(parameter.identifier);
    if (number < 1 || number > input_.param_types.size()) return;
    const std::string alias = expr->GetAlias();
    const duckdb::LogicalType& type = input_.param_types[number - 1];
    if (type.id() == duckdb::LogicalTypeId::INVALID) {
      if (input_.split_occurrences) parameter.identifier += ":" + std::to_string(++occurrences_);
      return;
    }
    if (input_.values != nullptr) {
      expr = duckdb::make_uniq<duckdb::ConstantExpression>((*input_.values)[number - 1]);
    }
    duckdb::vector<Expr> arguments;
    arguments.push_back(duckdb::make_uniq<duckdb::CastExpression>(type, std::move(expr)));
    if (input_.values != nullptr) {
      expr = std::move(arguments[0]);
    } else {
      expr =
          duckdb::make_uniq<duckdb::FunctionExpression>(kParameterFunction, std::move(arguments));
    }
    expr->SetAlias(alias);
  }

  size_t occurrences_ = 0;
  const RewriteInput& input_;
};

void RewriteInsert(Rewriter& rewriter, duckdb::InsertStatement& insert) {
  rewriter.Qualify(insert.catalog, insert.schema);
  rewriter.Visit(insert.cte_map);
  if (insert.select_statement != nullptr) rewriter.Visit(*insert.select_statement->node);
  if (insert.table_ref != nullptr) rewriter.Visit(*insert.table_ref);
  if (insert.on_conflict_info != nullptr && insert.on_conflict_info->set_info != nullptr) {
    rewriter.Visit(*insert.on_conflict_info->set_info);
  }
  rewriter.Visit(insert.returning_list);
}

void RewriteMerge(Rewriter& rewriter, duckdb::MergeIntoStatement& merge) {
  rewriter.Visit(merge.cte_map);
  rewriter.Visit(*merge.target);
  rewriter.Visit(*merge.source);
  rewriter.Visit(merge.join_condition);
  for (auto& [condition, actions] : merge.actions) {
    (void)condition;
    for (auto& action : actions) {
      rewriter.Visit(action->condition);
      if (action->update_info != nullptr) rewriter.Visit(*action->update_info);
      rewriter.Visit(action->expressions);
    }
  }
}

}  // namespace

RewriteInput MakeRewriteInput(SessionState& state) {
  const engine::StatementContext& statement = state.RequireStatement();
  RewriteInput input;
  input.attached_name = AttachedName(statement.database);
  const catalog::DatabaseDef* database = statement.catalog->database(statement.database);
  if (database != nullptr) input.database_name = database->name;
  return input;
}

void RewriteStatement(duckdb::SQLStatement& statement, const RewriteInput& input) {
  Rewriter rewriter(input);
  switch (statement.type) {
    case duckdb::StatementType::SELECT_STATEMENT:
      rewriter.Visit(*statement.Cast<duckdb::SelectStatement>().node);
      break;
    case duckdb::StatementType::INSERT_STATEMENT:
      RewriteInsert(rewriter, statement.Cast<duckdb::InsertStatement>());
      break;
    case duckdb::StatementType::UPDATE_STATEMENT: {
      auto& update = statement.Cast<duckdb::UpdateStatement>();
      rewriter.Visit(update.cte_map);
      rewriter.Visit(*update.table);
      if (update.from_table != nullptr) rewriter.Visit(*update.from_table);
      rewriter.Visit(*update.set_info);
      rewriter.Visit(update.returning_list);
      break;
    }
    case duckdb::StatementType::DELETE_STATEMENT: {
      auto& del = statement.Cast<duckdb::DeleteStatement>();
      rewriter.Visit(del.cte_map);
      rewriter.Visit(*del.table);
      for (auto& clause : del.using_clauses) rewriter.Visit(*clause);
      rewriter.Visit(del.condition);
      rewriter.Visit(del.returning_list);
      break;
    }
    case duckdb::StatementType::MERGE_INTO_STATEMENT:
      RewriteMerge(rewriter, statement.Cast<duckdb::MergeIntoStatement>());
      break;
    default:
      ThrowStatus(NotSupported("this statement"));
  }
}

size_t ParameterNumber(const std::string& identifier) {
  const int number = std::atoi(identifier.c_str());
  return number < 0 ? 0 : static_cast<size_t>(number);
}

size_t CountParameters(const duckdb::SQLStatement& statement) {
  size_t count = 0;
  for (const auto& parameter : statement.named_param_map) {
    count = std::max(count, ParameterNumber(parameter.first));
  }
  return count;
}

duckdb::unique_ptr<duckdb::ParsedExpression> ParseCatalogExpression(SessionState& state,
                                                                    const std::string& sql) {
  const std::string text =
      state.rewriter != nullptr ? ValueOrThrow(state.rewriter->RewriteExpression(sql)) : sql;
  auto list = duckdb::Parser::ParseExpressionList(text);
  if (list.size() != 1) {
    ThrowStatus(Status(sqlstate::kInternalError, "the catalog holds no expression: " + sql));
  }
  const RewriteInput input = MakeRewriteInput(state);
  Rewriter rewriter(input);
  rewriter.Visit(list[0]);
  return std::move(list[0]);
}

duckdb::unique_ptr<duckdb::SelectStatement> ParseCatalogQuery(SessionState& state,
                                                              const std::string& sql) {
  const std::string text =
      state.rewriter != nullptr
          ? ValueOrThrow(state.rewriter->RewriteQuery(sql, state.RequireStatement()))
          : sql;
  duckdb::Parser parser;
  parser.ParseQuery(text);
  if (parser.statements.size() != 1 ||
      parser.statements[0]->type != duckdb::StatementType::SELECT_STATEMENT) {
    ThrowStatus(Status(sqlstate::kInternalError, "the catalog holds no query: " + sql));
  }
  RewriteStatement(*parser.statements[0], MakeRewriteInput(state));
  return duckdb::unique_ptr_cast<duckdb::SQLStatement, duckdb::SelectStatement>(
      std::move(parser.statements[0]));
}

}  // namespace omendb::duck
