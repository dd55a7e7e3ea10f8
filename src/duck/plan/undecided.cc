#include "duck/plan/undecided.h"

#include <algorithm>

namespace omendb::duck {
namespace {

using exec::Expression;
using exec::Op;
using types::TypeKind;

// Whether values of the type are equal exactly when their encoded keys are.
bool HasExactKeys(const types::SqlType& type) {
  if (type.is_array) return false;
  switch (type.kind) {
    case TypeKind::kBool:
    case TypeKind::kInt2:
    case TypeKind::kInt4:
    case TypeKind::kInt8:
    case TypeKind::kOid:
    case TypeKind::kDate:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kUuid:
    case TypeKind::kText:
    case TypeKind::kVarchar:
      return true;
    default:
      return false;
  }
}

bool IsText(const types::SqlType& type) {
  return type.kind == TypeKind::kText || type.kind == TypeKind::kVarchar;
}

bool SameConstant(const Expression& a, const Expression& b) {
  if (a.constant.is_null || b.constant.is_null) return false;  // Such a condition never holds.
  return types::Compare(a.type, a.constant, b.constant) == 0;
}

bool Same(const Expression& a, const Expression& b) {
  if (a.op != b.op || !(a.type == b.type) || a.index != b.index ||
      a.cast_is_assignment != b.cast_is_assignment) {
    return false;
  }
  if (a.op == Op::kConstant) return SameConstant(a, b);
  return std::equal(a.children.begin(), a.children.end(), b.children.begin(), b.children.end(),
                    Same);
}

class Decider {
 public:
  Decider(const exec::IndexAccess& access, const catalog::TableDef& table,
          const PlanColumns& columns)
      : access_(access), table_(table), columns_(columns), index_(table.FindIndex(access.index)) {}

  bool Decides(const Expression& condition) const {
    if (index_ == nullptr || condition.op != Op::kEqual) return false;
    const Expression& left = condition.children[0];
    const Expression& right = condition.children[1];
    return IsKey(left, right) || IsKey(right, left);
  }

 private:
  bool IsKey(const Expression& column, const Expression& value) const {
    if (column.op != Op::kColumn) return false;
    const ColumnId id = columns_.slots()[column.index].column;
    const types::SqlType& type = table_.column(id).type;
    const bool same_kind = value.type.kind == type.kind || (IsText(value.type) && IsText(type));
    if (!HasExactKeys(type) || !same_kind || value.type.is_array) return false;
    for (size_t i = 0; i < access_.equal.size(); ++i) {
      if (index_->keys[i].column == id) return Same(value, access_.equal[i]);
    }
    return false;
  }

  const exec::IndexAccess& access_;
  const catalog::TableDef& table_;
  const PlanColumns& columns_;
  const catalog::IndexDef* const index_;
};

template <typename Fn>
void ForEachColumn(Expression& expression, const Fn& fn) {
  if (expression.op == Op::kColumn) fn(expression);
  for (Expression& child : expression.children) ForEachColumn(child, fn);
}

template <typename Fn>
void ForEachColumn(exec::RowPlan& plan, const Fn& fn) {
  if (plan.filter) ForEachColumn(*plan.filter, fn);
  for (Expression& output : plan.output) ForEachColumn(output, fn);
  for (exec::SortKey& key : plan.order) ForEachColumn(key.value, fn);
}

}  // namespace

std::vector<Expression> Undecided(std::vector<Expression> conditions,
                                  const exec::IndexAccess& access, const catalog::TableDef& table,
                                  const PlanColumns& columns) {
  const Decider decider(access, table, columns);
  std::erase_if(conditions, [&](const Expression& c) { return decider.Decides(c); });
  return conditions;
}

void KeepReadColumns(const PlanColumns& columns, exec::RowPlan& plan) {
  constexpr uint32_t kNone = UINT32_MAX;
  std::vector<uint32_t> numbers(columns.slots().size(), kNone);
  plan.columns.clear();
  ForEachColumn(plan, [&](Expression& column) {
    uint32_t& number = numbers[column.index];
    if (number == kNone) {
      number = static_cast<uint32_t>(plan.columns.size());
      plan.columns.push_back(columns.slots()[column.index].column);
    }
    column.index = number;
  });
}

}  // namespace omendb::duck
