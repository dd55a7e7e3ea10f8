#include "exec/access.h"

#include <algorithm>
#include <functional>

#include "exec/batch_size.h"

namespace omendb::exec {
namespace {

using engine::RowRef;
using types::Value;

// Evaluates key expressions; `unknown` is set when one is NULL, which no row equals.
template <typename Keys>
Status EvaluateKeys(const std::vector<Expression>& expressions, EvalContext& context, Keys& keys,
                    bool& unknown) {
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

class Visitor {
 public:
  using Visit = std::function<Result<bool>(const RowRef&)>;
  Visitor(const IndexAccess& access, engine::Relation& relation, EvalContext& context,
          uint64_t rows_wanted, const Visit& visit)
      : access_(access),
        relation_(relation),
        context_(context),
        rows_wanted_(rows_wanted),
        visit_(visit) {}

  Status Run() {
    if (access_.unique_point && access_.in_list.empty()) return LookUpOne();
    engine::KeyRange range;
    bool unknown = false;
    OMEN_TRY(EvaluateKeys(access_.equal, context_, range.equal, unknown));
    if (unknown) return Status::Ok();
    if (!access_.in_list.empty()) return RunInList(std::move(range));
    OMEN_TRY(AddBound(access_.lower, range.lower, unknown));
    OMEN_TRY(AddBound(access_.upper, range.upper, unknown));
    if (unknown) return Status::Ok();
    return RunRange(range).status();
  }

 private:
  Status AddBound(const std::optional<Expression>& bound, std::optional<Value>& value,
                  bool& unknown) {
    if (!bound.has_value()) return Status::Ok();
    OMEN_ASSIGN(value, Evaluate(*bound, context_));
    unknown = unknown || value->is_null;
    return Status::Ok();
  }

  Status LookUpOne() {
    Values key;
    bool unknown = false;
    OMEN_TRY(EvaluateKeys(access_.equal, context_, key, unknown));
    if (unknown) return Status::Ok();
    OMEN_ASSIGN(const std::optional<RowRef> row,
                relation_.Lookup(*context_.statement, access_.index, key));
    return row.has_value() ? visit_(*row).status() : Status::Ok();
  }

  Status RunInList(engine::KeyRange range) {
    std::vector<Value> values;
    OMEN_TRY(EvaluateInList(access_, context_, values));
    if (access_.backward) std::reverse(values.begin(), values.end());
    if (access_.unique_point) return LookUp(range.equal, values);
    range.equal.emplace_back();
    for (const Value& value : values) {
      range.equal.back() = value;
      OMEN_ASSIGN(const bool more, RunRange(range));
      if (!more) break;
    }
    return Status::Ok();
  }

  // The keys that begin with `prefix` and end with one of `values`.
  Status LookUp(const std::vector<Value>& prefix, const std::vector<Value>& values) {
    BatchSize size(rows_wanted_);
    std::vector<Value> keys;
    std::vector<std::optional<RowRef>> found;
    for (size_t at = 0; at < values.size(); at += found.size(), size.Grow()) {
      keys.clear();
      found.resize(std::min(size.get(), values.size() - at));
      for (size_t i = 0; i < found.size(); ++i) {
        keys.insert(keys.end(), prefix.begin(), prefix.end());
        keys.push_back(values[at + i]);
      }
      OMEN_TRY(relation_.LookupBatch(*context_.statement, access_.index, keys, found));
      for (const std::optional<RowRef>& row : found) {
        if (!row.has_value()) continue;
        OMEN_ASSIGN(const bool more, visit_(*row));
        if (!more) return Status::Ok();
      }
    }
    return Status::Ok();
  }

  // False when the visitor wants no more.
  Result<bool> RunRange(engine::KeyRange& range) {
    range.lower_inclusive = access_.lower_inclusive;
    range.upper_inclusive = access_.upper_inclusive;
    range.backward = access_.backward;
    bool more = true;
    auto visit = [&](RowRef row) -> Result<bool> {
      OMEN_ASSIGN(more, visit_(row));
      return more;
    };
    OMEN_TRY(relation_.ScanIndex(*context_.statement, access_.index, range, visit));
    return more;
  }

  const IndexAccess& access_;
  engine::Relation& relation_;
  EvalContext& context_;
  const uint64_t rows_wanted_;
  const Visit& visit_;
};

// Keeps the rows that pass the plan's filter.
struct Collector {
  const RowPlan& plan;
  engine::Relation& relation;
  EvalContext& context;
  const uint64_t rows_max;
  Matches& matches;

  Result<bool> operator()(const RowRef& row) {
    OMEN_TRY(context.CountVisit());
    const size_t width = plan.columns.size();
    const size_t old_size = matches.values.size();
    matches.values.resize(old_size + width, boost::container::default_init);
    Value* values = matches.values.data() + old_size;
    OMEN_TRY(relation.Read(row, plan.columns, *context.arena, values));
    if (plan.filter.has_value()) {
      context.row = {values, width};
      OMEN_ASSIGN(const bool passed, EvaluatePredicate(*plan.filter, context));
      if (!passed) {
        matches.values.resize(old_size);
        return true;
      }
    }
    matches.rows.push_back(row);
    return matches.rows.size() < rows_max;
  }
};

}  // namespace

Status VisitRows(const IndexAccess& access, engine::Relation& relation, EvalContext& context,
                 uint64_t rows_wanted, const std::function<Result<bool>(const RowRef&)>& visit) {
  return Visitor(access, relation, context, rows_wanted, visit).Run();
}

Status FindRows(const RowPlan& plan, engine::Relation& relation, EvalContext& context,
                uint64_t rows_max, Matches& matches) {
  if (rows_max == 0) return Status::Ok();
  Collector collector{plan, relation, context, rows_max, matches};
  return VisitRows(*plan.access, relation, context, rows_max, std::ref(collector));
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
