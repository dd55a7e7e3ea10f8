#include "duck/plan/access_path.h"

#include <algorithm>

namespace omendb::duck {

namespace {

using exec::Expression;
using exec::Op;
using types::TypeKind;

// What the filter says of one column: `column op value`.
struct Condition {
  ColumnId column;
  Op op;
  std::vector<Expression> values;  // one, or the list of IN
};

Op Mirrored(Op op) {
  switch (op) {
    case Op::kLess:
      return Op::kGreater;
    case Op::kLessEqual:
      return Op::kGreaterEqual;
    case Op::kGreater:
      return Op::kLess;
    case Op::kGreaterEqual:
      return Op::kLessEqual;
    default:
      return op;
  }
}

int IntegerRank(const types::SqlType& type) {
  if (type.is_array) return 0;
  switch (type.kind) {
    case TypeKind::kInt2:
      return 1;
    case TypeKind::kInt4:
      return 2;
    case TypeKind::kInt8:
      return 3;
    default:
      return 0;
  }
}

Expression Typed(Op op, types::SqlType type, std::vector<Expression> children) {
  Expression result;
  result.op = op;
  result.type = type;
  result.children = std::move(children);
  return result;
}

Expression Integer(const types::SqlType& type, int64_t value) {
  Expression result;
  result.op = Op::kConstant;
  result.type = type;
  result.constant = type.kind == TypeKind::kInt8 ? types::Value::Int64(value)
                    : type.kind == TypeKind::kInt4
                        ? types::Value::Int32(static_cast<int32_t>(value))
                        : types::Value::Int16(static_cast<int16_t>(value));
  return result;
}

// A wider integer as a key of a narrower column: NULL, which equals nothing, when it does not fit.
std::optional<Expression> Narrowed(const Expression& value, const types::SqlType& type) {
  const int64_t least = type.kind == TypeKind::kInt2 ? INT16_MIN : INT32_MIN;
  const int64_t greatest = type.kind == TypeKind::kInt2 ? INT16_MAX : INT32_MAX;
  if (type.kind == TypeKind::kInt8) return std::nullopt;
  const types::SqlType boolean{TypeKind::kBool};
  Expression fits = Typed(Op::kAnd, boolean,
                          {Typed(Op::kGreaterEqual, boolean, {value, Integer(value.type, least)}),
                           Typed(Op::kLessEqual, boolean, {value, Integer(value.type, greatest)})});
  Expression null;
  null.op = Op::kConstant;
  null.type = type;
  null.constant = types::Value::Null();
  return Typed(Op::kCase, type, {std::move(fits), Typed(Op::kCast, type, {value}), null});
}

class ConditionCollector {
 public:
  explicit ConditionCollector(const AccessRequest& request) : request_(request) {}

  void Visit(const Expression& expression) {
    switch (expression.op) {
      case Op::kAnd:
        for (const Expression& child : expression.children) Visit(child);
        return;
      case Op::kEqual:
      case Op::kLess:
      case Op::kLessEqual:
      case Op::kGreater:
      case Op::kGreaterEqual:
        if (!Add(expression.op, expression.children[0], expression.children[1])) {
          Add(Mirrored(expression.op), expression.children[1], expression.children[0]);
        }
        return;
      case Op::kIn:
        return VisitIn(expression);
      case Op::kColumn:
        // A bare boolean column.
        return;
      default:
        return;
    }
  }

  std::vector<Condition> conditions;

 private:
  const types::SqlType& ColumnType(const Expression& column) const {
    return request_.table.column(Slot(column).column).type;
  }
  const PlanSlot& Slot(const Expression& column) const {
    return request_.columns.slots()[column.index];
  }
  bool IsOwnColumn(const Expression& expression) const {
    return expression.op == Op::kColumn && Slot(expression).table == request_.number;
  }
  // Its value is known before the table's rows are.
  bool IsKnown(const Expression& expression) const {
    return (request_.columns.TablesOf(expression) & ~request_.joined) == 0;
  }

  bool Add(Op op, const Expression& left, const Expression& right) {
    if (!IsKnown(right)) return false;
    if (IsOwnColumn(left)) {
      conditions.push_back({Slot(left).column, op, {right}});
      return true;
    }
    // CAST(column AS bigint) = value
    if (op == Op::kEqual && left.op == Op::kCast && IsOwnColumn(left.children[0])) {
      const types::SqlType& type = ColumnType(left.children[0]);
      if (IntegerRank(type) == 0 || IntegerRank(left.type) <= IntegerRank(type)) return false;
      auto narrowed = Narrowed(right, type);
      if (!narrowed) return false;
      conditions.push_back({Slot(left.children[0]).column, op, {std::move(*narrowed)}});
      return true;
    }
    return false;
  }

  void VisitIn(const Expression& in) {
    const Expression& column = in.children[0];
    if (!IsOwnColumn(column)) return;
    Condition condition{Slot(column).column, Op::kIn, {}};
    for (size_t i = 1; i < in.children.size(); ++i) {
      if (!IsKnown(in.children[i])) return;
      condition.values.push_back(in.children[i]);
    }
    conditions.push_back(std::move(condition));
  }

  const AccessRequest& request_;
};

bool AllConstant(const std::vector<Expression>& list) {
  return std::all_of(list.begin(), list.end(),
                     [](const Expression& e) { return e.op == Op::kConstant; });
}

class Chooser {
 public:
  Chooser(const AccessRequest& request, std::vector<Condition> conditions)
      : request_(request), conditions_(std::move(conditions)) {}

  std::optional<AccessPath> Try(const catalog::IndexDef& index) const {
    AccessPath path;
    exec::IndexAccess& access = path.access;
    access.index = index.oid;
    size_t key = 0;
    for (; key < index.keys.size(); ++key) {
      const Condition* equal = Find(index.keys[key].column, {Op::kEqual});
      if (equal == nullptr) break;
      access.equal.push_back(equal->values[0]);
    }
    if (key < index.keys.size()) {
      const Condition* in = Find(index.keys[key].column, {Op::kIn});
      if (in != nullptr && !index.keys[key].descending) {
        access.in_list = in->values;
      } else if (!index.keys[key].descending) {
        AddRange(index.keys[key].column, access);
      }
    }
    const size_t fixed = access.equal.size() + (access.in_list.empty() ? 0 : 1);
    access.unique_point = index.unique && fixed == index.keys.size() &&
                          (access.in_list.empty() || index.keys.size() == fixed);
    path.ordered = Orders(index, access);
    path.rows = EstimateRows(index, access);
    const bool selective =
        !access.equal.empty() || !access.in_list.empty() || access.lower || access.upper;
    if (!selective && !request_.force && !(request_.has_limit && request_.conditions.empty())) {
      return std::nullopt;
    }
    return path;
  }

 private:
  const Condition* Find(ColumnId column, std::initializer_list<Op> ops) const {
    for (const Condition& condition : conditions_) {
      if (condition.column != column) continue;
      if (std::find(ops.begin(), ops.end(), condition.op) != ops.end()) return &condition;
    }
    return nullptr;
  }

  void AddRange(ColumnId column, exec::IndexAccess& access) const {
    if (const Condition* lower = Find(column, {Op::kGreater, Op::kGreaterEqual})) {
      access.lower = lower->values[0];
      access.lower_inclusive = lower->op == Op::kGreaterEqual;
    }
    if (const Condition* upper = Find(column, {Op::kLess, Op::kLessEqual})) {
      access.upper = upper->values[0];
      access.upper_inclusive = upper->op == Op::kLessEqual;
    }
  }

  // Whether the access gives the wanted order, going backward if need be.
  bool Orders(const catalog::IndexDef& index, exec::IndexAccess& access) const {
    if (request_.order.empty()) return true;
    if (access.unique_point && access.in_list.empty()) return true;
    size_t key = access.equal.size();
    std::optional<bool> backward;
    for (const OrderColumn& wanted : request_.order) {
      if (Find(wanted.column, {Op::kEqual}) != nullptr) continue;
      if (key >= index.keys.size()) {  // Rows of one key: none to order where it is unique.
        if (!index.unique) return false;
        break;
      }
      const catalog::IndexKey& have = index.keys[key];
      if (have.column != wanted.column) return false;
      const bool flip = have.descending != wanted.descending;
      const bool nulls_agree = (have.nulls_first != wanted.nulls_first) == flip;
      if (!nulls_agree && !request_.table.column(wanted.column).not_null) return false;
      if (backward.has_value() && *backward != flip) return false;
      backward = flip;
      ++key;
    }
    access.backward = backward.value_or(false);
    return true;
  }

  uint64_t EstimateRows(const catalog::IndexDef& index, const exec::IndexAccess& access) const {
    const uint64_t rows = request_.relation.rows_estimate();
    if (access.unique_point) return std::max<uint64_t>(1, access.in_list.size());
    if (access.in_list.empty() && AllConstant(access.equal) &&
        (!access.lower || access.lower->op == Op::kConstant) &&
        (!access.upper || access.upper->op == Op::kConstant)) {
      engine::KeyRange range;
      for (const Expression& e : access.equal) range.equal.push_back(e.constant);
      if (access.lower) range.lower = access.lower->constant;
      if (access.upper) range.upper = access.upper->constant;
      range.lower_inclusive = access.lower_inclusive;
      range.upper_inclusive = access.upper_inclusive;
      return request_.relation.EstimateRange(index.oid, range);
    }
    double share = 1.0;
    const size_t fixed = access.equal.size() + (access.in_list.empty() ? 0 : 1);
    for (size_t i = 0; i < fixed; ++i) {
      const uint64_t distinct = request_.relation.statistics(index.keys[i].column).distinct_count;
      share /= static_cast<double>(std::max<uint64_t>(distinct, 1));
    }
    if (!access.in_list.empty()) share *= static_cast<double>(access.in_list.size());
    // PostgreSQL's guesses for ranges whose bounds are unknown.
    if (access.lower && access.upper) {
      share *= 0.005;
    } else if (access.lower || access.upper) {
      share *= 1.0 / 3.0;
    }
    return static_cast<uint64_t>(static_cast<double>(rows) * share);
  }

  const AccessRequest& request_;
  const std::vector<Condition> conditions_;
};

bool IsBetter(const AccessPath& path, const std::optional<AccessPath>& than) {
  return !than || path.rows < than->rows ||
         (path.access.unique_point && !than->access.unique_point);
}

}  // namespace

std::optional<AccessPath> ChooseAccess(const AccessRequest& request, std::string& refusal) {
  ConditionCollector collector(request);
  for (const Expression* condition : request.conditions) collector.Visit(*condition);
  Chooser chooser(request, std::move(collector.conditions));
  std::optional<AccessPath> ordered;
  std::optional<AccessPath> sorted;  // Its rows need a sort.
  for (const catalog::IndexDef& index : request.table.indexes) {
    auto path = chooser.Try(index);
    if (!path) continue;
    auto& best = path->ordered ? ordered : sorted;
    if (IsBetter(*path, best)) best = std::move(path);
  }
  if (request.force) {
    if (!ordered) refusal = "ORDER BY is not the index's order";
    return ordered;
  }
  const bool bounded =
      ordered && (ordered->rows <= kPathRowsMax ||
                  (request.has_limit && (request.conditions.empty() || !request.order.empty())));
  const bool sortable = sorted && sorted->rows <= kPathRowsMax;
  if (bounded && (!sortable || ordered->rows <= sorted->rows)) return ordered;
  if (sortable) return sorted;
  if (bounded) return ordered;
  refusal = ordered || sorted ? "many rows" : "no index on the filtered columns";
  return std::nullopt;
}

}  // namespace omendb::duck
