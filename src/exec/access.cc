#include "exec/access.h"

#include <algorithm>

namespace omendb::exec {
namespace {

using engine::RowRef;
using types::Value;

// Evaluates key expressions; `unknown` is set when one is NULL, which no row equals.
Status EvaluateKeys(const std::vector<Expression>& expressions, EvalContext& context,
                    std::vector<Value>& keys, bool& unknown) {
  for (const Expression& expression : expressions) {
    OMEN_ASSIGN(const Value v, Evaluate(expression, context));
    unknown = unknown || v.is_null;
    keys.push_back(v);
  }
  return Status::Ok();
}

// The values of an IN list, each once, in ascending order.
Status EvaluateInList(const IndexAccess& access, EvalContext& context, std::vector<Value>& values) {
  bool unknown = false;
  OMEN_TRY(EvaluateKeys(access.in_list, context, values, unknown));
  std::erase_if(values, [](const Value& v) { return v.is_null; });
  const types::SqlType& type = access.in_list.front().type;
  std::sort(values.begin(), values.end(),
            [&](const Value& a, const Value& b) { return types::Compare(type, a, b) < 0; });
  auto same = [&](const Value& a, const Value& b) { return types::Compare(type, a, b) == 0; };
  values.erase(std::unique(values.begin(), values.end(), same), values.end());
  return Status::Ok();
}

class Finder {
 public:
  Finder(const RowPlan& plan, engine::Relation& relation, EvalContext& context, uint64_t rows_max,
         Matches& matches)
      : plan_(plan),
        relation_(relation),
        context_(context),
        rows_max_(rows_max),
        matches_(matches) {}

  Status Run() {
    const IndexAccess& access = *plan_.access;
    engine::KeyRange range;
    bool unknown = false;
    OMEN_TRY(EvaluateKeys(access.equal, context_, range.equal, unknown));
    if (unknown) return Status::Ok();
    if (!access.in_list.empty()) return RunInList(access, std::move(range));
    OMEN_TRY(AddBound(access.lower, range.lower, unknown));
    OMEN_TRY(AddBound(access.upper, range.upper, unknown));
    if (unknown) return Status::Ok();
    return RunRange(access, range);
  }

 private:
  Status AddBound(const std::optional<Expression>& bound, std::optional<Value>& value,
                  bool& unknown) {
    if (!bound.has_value()) return Status::Ok();
    OMEN_ASSIGN(value, Evaluate(*bound, context_));
    unknown = unknown || value->is_null;
    return Status::Ok();
  }

  Status RunInList(const IndexAccess& access, engine::KeyRange range) {
    std::vector<Value> values;
    OMEN_TRY(EvaluateInList(access, context_, values));
    if (access.backward) std::reverse(values.begin(), values.end());
    range.equal.emplace_back();
    for (const Value& value : values) {
      if (matches_.rows.size() >= rows_max_) break;
      range.equal.back() = value;
      OMEN_TRY(RunRange(access, range));
    }
    return Status::Ok();
  }

  Status RunRange(const IndexAccess& access, engine::KeyRange& range) {
    if (access.unique_point) {
      OMEN_ASSIGN(const std::optional<RowRef> row,
                  relation_.Lookup(*context_.statement, access.index, range.equal));
      if (!row.has_value()) return Status::Ok();
      return Visit(*row);
    }
    range.lower_inclusive = access.lower_inclusive;
    range.upper_inclusive = access.upper_inclusive;
    range.backward = access.backward;
    return relation_.ScanIndex(*context_.statement, access.index, range,
                               [this](RowRef row) -> Result<bool> {
                                 OMEN_TRY(Visit(row));
                                 return matches_.rows.size() < rows_max_;
                               });
  }

  // Keeps the row when it passes the filter.
  Status Visit(const RowRef& row) {
    const size_t old_size = matches_.values.size();
    matches_.values.resize(old_size + plan_.columns.size());
    Value* values = matches_.values.data() + old_size;
    OMEN_TRY(relation_.Read(row, plan_.columns, *context_.arena, values));
    if (plan_.filter.has_value()) {
      context_.row = {values, plan_.columns.size()};
      OMEN_ASSIGN(const bool passed, EvaluatePredicate(*plan_.filter, context_));
      if (!passed) {
        matches_.values.resize(old_size);
        return Status::Ok();
      }
    }
    matches_.rows.push_back(row);
    return Status::Ok();
  }

  const RowPlan& plan_;
  engine::Relation& relation_;
  EvalContext& context_;
  const uint64_t rows_max_;
  Matches& matches_;
};

}  // namespace

Status FindRows(const RowPlan& plan, engine::Relation& relation, EvalContext& context,
                uint64_t rows_max, Matches& matches) {
  if (rows_max == 0) return Status::Ok();
  return Finder(plan, relation, context, rows_max, matches).Run();
}

Result<bool> ReadAndTest(const RowPlan& plan, engine::Relation& relation, EvalContext& context,
                         const engine::RowRef& row, std::vector<types::Value>& values) {
  values.resize(plan.columns.size());
  OMEN_TRY(relation.Read(row, plan.columns, *context.arena, values.data()));
  if (!plan.filter.has_value()) return true;
  context.row = values;
  return EvaluatePredicate(*plan.filter, context);
}

}  // namespace omendb::exec
