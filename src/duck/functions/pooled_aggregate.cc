#include "duck/functions/pooled_aggregate.h"

#include "duck/functions/state_pool.h"

namespace omendb::duck {

namespace {

using duckdb::AggregateInputData;
using duckdb::data_ptr_t;
using duckdb::idx_t;
using duckdb::Vector;

struct PooledData : public duckdb::FunctionData {
  explicit PooledData(std::shared_ptr<StatePool> states) : pool(std::move(states)) {}

  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    return duckdb::make_uniq<PooledData>(pool);
  }
  bool Equals(const duckdb::FunctionData& other) const override {
    const StatePool& theirs = *other.Cast<PooledData>().pool;
    return pool->function() == theirs.function() &&
           duckdb::FunctionData::Equals(pool->bind_data().get(), theirs.bind_data().get());
  }

  std::shared_ptr<StatePool> pool;
};

StatePool& PoolOf(const AggregateInputData& data) {
  return *data.bind_data->Cast<PooledData>().pool;
}

AggregateInputData InnerData(const AggregateInputData& data) {
  return {PoolOf(data).bind_data(), data.allocator, data.combine_type};
}

// The pooled states of rows that point to them.
class PooledStates {
 public:
  PooledStates(Vector& rows, idx_t count) : pooled_(duckdb::LogicalType::POINTER, count) {
    rows.ToUnifiedFormat(count, format_);
    auto** cells = duckdb::UnifiedVectorFormat::GetDataNoConst<data_ptr_t*>(format_);
    cells_.reserve(count);
    for (idx_t i = 0; i < count; ++i) cells_.push_back(cells[format_.sel->get_index(i)]);
  }

  std::vector<idx_t> RowsWithState() const {
    std::vector<idx_t> rows;
    for (idx_t i = 0; i < cells_.size(); ++i) {
      if (*cells_[i] != nullptr) rows.push_back(i);
    }
    return rows;
  }
  // Leaves out the others. Requires: in order.
  void Keep(const std::vector<idx_t>& rows) {
    for (size_t i = 0; i < rows.size(); ++i) cells_[i] = cells_[rows[i]];
    cells_.resize(rows.size());
  }
  void TakeMissing(StatePool& pool) { pool.Take(cells_); }
  void GiveAll(StatePool& pool) {
    std::vector<data_ptr_t> given;
    for (data_ptr_t* const cell : cells_) given.push_back(std::exchange(*cell, nullptr));
    pool.Give(given);
  }
  Vector& vector() {
    auto* const addresses = duckdb::FlatVector::GetData<data_ptr_t>(pooled_);
    for (size_t i = 0; i < cells_.size(); ++i) addresses[i] = *cells_[i];
    return pooled_;
  }

 private:
  duckdb::UnifiedVectorFormat format_;
  std::vector<data_ptr_t*> cells_;
  Vector pooled_;
};

idx_t Size(const duckdb::AggregateFunction&) { return sizeof(data_ptr_t); }

void Initialize(const duckdb::AggregateFunction&, data_ptr_t state) {
  *reinterpret_cast<data_ptr_t*>(state) = nullptr;
}

void Update(Vector inputs[], AggregateInputData& data, idx_t inputs_count, Vector& states,
            idx_t count) {
  StatePool& pool = PoolOf(data);
  PooledStates pooled(states, count);
  pooled.TakeMissing(pool);
  AggregateInputData inner = InnerData(data);
  pool.function().update(inputs, inner, inputs_count, pooled.vector(), count);
}

void SimpleUpdate(Vector inputs[], AggregateInputData& data, idx_t inputs_count, data_ptr_t state,
                  idx_t count) {
  StatePool& pool = PoolOf(data);
  auto* const cell = reinterpret_cast<data_ptr_t*>(state);
  pool.Take({&cell, 1});
  AggregateInputData inner = InnerData(data);
  pool.function().simple_update(inputs, inner, inputs_count, *cell, count);
}

void Combine(Vector& sources, Vector& targets, AggregateInputData& data, idx_t count) {
  StatePool& pool = PoolOf(data);
  PooledStates from(sources, count);
  PooledStates to(targets, count);
  const std::vector<idx_t> rows = from.RowsWithState();
  if (rows.empty()) return;
  from.Keep(rows);
  to.Keep(rows);
  to.TakeMissing(pool);
  AggregateInputData inner = InnerData(data);
  pool.function().combine(from.vector(), to.vector(), inner, rows.size());
  if (data.combine_type == duckdb::AggregateCombineType::ALLOW_DESTRUCTIVE) from.GiveAll(pool);
}

void Finalize(Vector& states, AggregateInputData& data, Vector& result, idx_t count, idx_t offset) {
  StatePool& pool = PoolOf(data);
  const bool is_constant = states.GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR;
  PooledStates pooled(states, is_constant ? 1 : count);
  pooled.TakeMissing(pool);
  AggregateInputData inner = InnerData(data);
  Vector& addresses = pooled.vector();
  if (is_constant) addresses.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
  pool.function().finalize(addresses, inner, result, count, offset);
}

// `inner`, whose states are pooled from now on.
duckdb::AggregateFunction Pooled(const duckdb::AggregateFunction& inner) {
  duckdb::AggregateFunction function = inner;
  function.state_size = Size;
  function.initialize = Initialize;
  function.update = Update;
  function.simple_update = inner.simple_update != nullptr ? SimpleUpdate : nullptr;
  function.combine = Combine;
  function.finalize = Finalize;
  function.destructor = nullptr;
  function.bind = nullptr;
  function.window = nullptr;
  function.window_init = nullptr;
  function.statistics = nullptr;
  function.serialize = nullptr;
  function.deserialize = nullptr;
  return function;
}

duckdb::unique_ptr<duckdb::FunctionData> MakePool(
    const duckdb::AggregateFunction& inner, duckdb::unique_ptr<duckdb::FunctionData> bind_data) {
  return duckdb::make_uniq<PooledData>(std::make_shared<StatePool>(inner, std::move(bind_data)));
}

// What the function was before it was told to become pooled when bound.
struct UnboundInfo : public duckdb::AggregateFunctionInfo {
  explicit UnboundInfo(duckdb::AggregateFunction inner) : function(std::move(inner)) {}
  const duckdb::AggregateFunction function;
};

duckdb::unique_ptr<duckdb::FunctionData> BindPooled(
    duckdb::ClientContext& context, duckdb::AggregateFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  duckdb::AggregateFunction inner = function.function_info->Cast<UnboundInfo>().function;
  duckdb::unique_ptr<duckdb::FunctionData> bind_data;
  if (inner.bind != nullptr) bind_data = inner.bind(context, inner, arguments);
  if (inner.destructor == nullptr) {
    function = std::move(inner);
    return bind_data;
  }
  function = Pooled(inner);
  return MakePool(inner, std::move(bind_data));
}

}  // namespace

void PoolStates(duckdb::BoundAggregateExpression& aggregate) {
  aggregate.bind_info = MakePool(aggregate.function, std::move(aggregate.bind_info));
  aggregate.function = Pooled(aggregate.function);
}

duckdb::AggregateFunctionSet PooledWhenBound(duckdb::AggregateFunctionSet set) {
  for (duckdb::AggregateFunction& function : set.functions) {
    if (function.bind == nullptr && function.destructor == nullptr) continue;
    function.function_info = duckdb::make_shared_ptr<UnboundInfo>(function);
    function.bind = BindPooled;
  }
  return set;
}

}  // namespace omendb::duck
