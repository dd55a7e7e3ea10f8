// t TABLESAMPLE method (percentage) REPEATABLE (seed). DuckDB's samples are of rows as they come;
// PostgreSQL's depend on the rows and the seed alone. So it becomes
//
//   (SELECT t.* FROM t, (SELECT percentage, seed) WHERE omendb_in_sample(row id, ...)) AS t
#include "duck/duck_engine.h"
#include "sql/rewrite/rules.h"

namespace omendb::sql {
namespace {

constexpr std::string_view kSampled = "omendb_sampled";
constexpr std::string_view kSample = "omendb_sample";

// How many rows of neighbouring ids are in the sample together, or are not. 0 of an unknown method.
int32_t RowsTogether(std::string_view method) {
  if (method == "bernoulli") return 1;
  return method == "system" ? 128 : 0;
}

Status CheckMethod(const PgQuery__RangeTableSample& sample, const RewriteState& state) {
  const std::string method(LastName(sample.method, sample.n_method));
  if (RowsTogether(method) == 0) {
    return state.At(
        Status(sqlstate::kUndefinedObject, "tablesample method " + method + " does not exist"),
        sample.location);
  }
  if (sample.n_args == 1) return Status::Ok();
  return state.At(
      Status(SqlState("2202H"), "tablesample method " + method + " requires 1 argument, not " +
                                    std::to_string(sample.n_args)),
      sample.location);
}

// One row: what the sample is taken by.
Node* Parameters(const PgQuery__RangeTableSample& sample, AstBuilder& build) {
  Node* share = build.Call("omendb_sample_share", {build.Cast(sample.args[0], "float4")});
  Node* seed = sample.repeatable == nullptr
                   ? build.Call("random", {})
                   : build.Call("omendb_sample_seed", {build.Cast(sample.repeatable, "float8")});
  PgQuery__SelectStmt* select = build.Select(share, nullptr, nullptr);
  select->n_target_list = 2;
  select->target_list = build.List({build.Target(share, "share"), build.Target(seed, "seed")});
  return build.Subselect(select, kSample);
}

Node* Condition(const PgQuery__RangeTableSample& sample, AstBuilder& build) {
  const int32_t together = RowsTogether(LastName(sample.method, sample.n_method));
  return build.Call("omendb_in_sample",
                    {build.Column({kSampled, duck::kRowIdColumn}), build.IntConst(together),
                     build.Column({kSample, "share"}), build.Column({kSample, "seed"})});
}

}  // namespace

Status RewriteTableSamples(Node* node, RewriteState& state) {
  if (node->node_case != PG_QUERY__NODE__NODE_RANGE_TABLE_SAMPLE) return Status::Ok();
  const PgQuery__RangeTableSample& sample = *node->range_table_sample;
  OMEN_TRY(CheckMethod(sample, state));
  PgQuery__RangeVar& range = *sample.relation->range_var;
  AstBuilder& build = state.build;
  PgQuery__Alias* alias = range.alias != nullptr ? range.alias : build.Alias(View(range.relname));
  const bool is_table = state.context.find_table && state.context.find_table(range) != nullptr;
  range.alias = build.Alias(kSampled);
  // Where the name is of nothing, the binder says so before it comes to this.
  Node* condition = is_table ? Condition(sample, build) : build.Call("omendb_no_sample", {});
  PgQuery__SelectStmt* select = build.Select(build.NullConst(), sample.relation, condition);
  select->target_list = build.List({build.Target(build.Column({kSampled}), "")});
  Node* star = build.Star();
  PgQuery__ColumnRef& all = *select->target_list[0]->res_target->val->column_ref;
  all.fields = build.List({all.fields[0], star->column_ref->fields[0]});
  all.n_fields = 2;
  select->n_from_clause = 2;
  select->from_clause = build.List({sample.relation, Parameters(sample, build)});
  *node = *build.Subselect(select, View(alias->aliasname));
  node->range_subselect->alias = alias;
  return Status::Ok();
}

}  // namespace omendb::sql
