#include "sql/statements/explanation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace omendb::sql {
namespace {

using Json = nlohmann::ordered_json;
using Lines = std::vector<std::string>;

void AppendLines(const std::string& text, Lines& lines) {
  size_t begin = 0;
  while (begin < text.size()) {
    size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

std::string RowsText(const Explanation& e, const ExplainOptions& options) {
  std::string text;
  if (options.costs && e.rows_estimate > 0) text += fmt::format("  (rows={})", e.rows_estimate);
  if (options.analyze && options.timing) {
    text += fmt::format(" (actual time={:.3f} rows={})", e.seconds * 1e3, e.rows_true);
  } else if (options.analyze) {
    text += fmt::format(" (actual rows={})", e.rows_true);
  }
  return text;
}

std::string AccessText(const ExplainedAccess& access) {
  std::string line = access.node;
  if (!access.index.empty()) line += " using " + access.index;
  if (!access.table.empty()) line += " on " + access.table;
  return line;
}

// A line for each step, each below the one it gives its rows to, as PostgreSQL draws it.
void AppendRowPlan(const Explanation& e, const ExplainOptions& options, Lines& lines) {
  std::string indent;
  std::string rows = RowsText(e, options);
  auto append = [&](const std::string& line) {
    lines.push_back(indent + (indent.empty() ? "" : "->  ") + line + rows);
    rows.clear();
  };
  for (const std::string& step : e.steps) {
    append(step);
    indent += indent.empty() ? "  " : "      ";
  }
  for (const ExplainedAccess& access : e.accesses) {
    append(AccessText(access));
    if (access.condition.empty()) continue;
    const std::string deeper = indent + (indent.empty() ? "  " : "      ");
    lines.push_back(deeper + "Index Cond: (" + access.condition + ")");
  }
  lines.push_back("Executor: row");
}

void SetAccess(const ExplainedAccess& access, Json& node) {
  if (!access.index.empty()) node["Index Name"] = access.index;
  if (!access.table.empty()) node["Relation Name"] = access.table;
  if (!access.condition.empty()) node["Index Cond"] = access.condition;
  if (access.depth != 0) node["Index Depth"] = access.depth;
}

double Milliseconds(double seconds) { return std::round(seconds * 1e6) / 1e3; }

// Of the whole statement, as PostgreSQL counts in a node what is done below it.
void SetRun(const Explanation& e, const ExplainOptions& options, Json& plan) {
  plan["Actual Rows"] = e.rows_true;
  if (options.timing) plan["Actual Total Time"] = Milliseconds(e.seconds);
  plan["Index Model Hits"] = e.model_hits;
  plan["Index Corrections"] = e.corrections;
  plan["Index Fallbacks"] = e.fallbacks;
  if (e.in_rows) return;
  plan["Blocks Read"] = e.blocks.read;
  plan["Blocks From Cache"] = e.blocks.read - std::min(e.blocks.read, e.blocks.loaded);
  plan["Blocks Skipped"] = e.blocks.skipped;
}

}  // namespace

std::vector<std::string> ExplanationText(const Explanation& e, const ExplainOptions& options) {
  Lines lines;
  if (e.in_rows) {
    AppendRowPlan(e, options, lines);
  } else {
    AppendLines(e.duck_plan, lines);
    lines.push_back("Executor: duckdb" + RowsText(e, options));
    if (!e.reason.empty()) lines.push_back("Row Executor Not Used: " + e.reason);
  }
  if (!options.analyze) return lines;
  lines.push_back(fmt::format("Index Model Hits: {}  Corrections: {}  Fallbacks: {}", e.model_hits,
                              e.corrections, e.fallbacks));
  for (const ExplainedAccess& access : e.accesses) {
    if (access.depth == 0) continue;
    lines.push_back(fmt::format("Index Depth: {} ({})", access.depth, access.index));
  }
  if (options.summary) lines.push_back(fmt::format("Execution Time: {:.3f} ms", e.seconds * 1e3));
  return lines;
}

std::string ExplanationJson(const Explanation& e, const ExplainOptions& options) {
  Json plan;
  plan["Node Type"] = !e.steps.empty()      ? e.steps.front()
                      : !e.accesses.empty() ? e.accesses.front().node
                                            : "DuckDB";
  plan["Executor"] = e.in_rows ? "row" : "duckdb";
  if (e.steps.empty() && !e.accesses.empty()) SetAccess(e.accesses.front(), plan);
  if (!e.reason.empty()) plan["Row Executor Not Used"] = e.reason;
  if (!e.duck_plan.empty()) plan["DuckDB Plan"] = e.duck_plan;
  if (options.costs) plan["Plan Rows"] = e.rows_estimate;
  if (options.analyze) SetRun(e, options, plan);
  for (const ExplainedAccess& access : e.accesses) {
    if (e.steps.empty()) break;
    Json& node = plan["Plans"].emplace_back();
    node["Node Type"] = access.node;
    SetAccess(access, node);
  }
  Json explained;
  explained["Plan"] = std::move(plan);
  if (options.analyze && options.summary) explained["Execution Time"] = Milliseconds(e.seconds);
  return Json::array({std::move(explained)}).dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace omendb::sql
