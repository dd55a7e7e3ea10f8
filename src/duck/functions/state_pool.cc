#include "duck/functions/state_pool.h"

#include <algorithm>

#include "duckdb/storage/arena_allocator.hpp"

namespace omendb::duck {

namespace {

constexpr size_t kSlabStates = 64;

size_t StrideOf(const duckdb::AggregateFunction& function, size_t header_bytes) {
  return header_bytes + (function.state_size(function) + 15) / 16 * 16;
}

}  // namespace

StatePool::StatePool(const duckdb::AggregateFunction& function,
                     duckdb::unique_ptr<duckdb::FunctionData> bind_data)
    : function_(function),
      bind_data_(std::move(bind_data)),
      stride_(StrideOf(function, kHeaderBytes)) {}

StatePool::~StatePool() {
  MutexLock lock(mu_);
  std::vector<duckdb::data_ptr_t> taken;
  for (const auto& slab : slabs_) {
    taken.clear();
    for (size_t i = 0; i < kSlabStates; ++i) {
      duckdb::data_t* const state = slab.get() + i * stride_ + kHeaderBytes;
      if (HeaderOf(state).is_taken) taken.push_back(state);
    }
    Destroy(taken);
  }
}

void StatePool::Take(std::span<duckdb::data_ptr_t* const> states) {
  MutexLock lock(mu_);
  for (duckdb::data_ptr_t* const state : states) {
    if (*state == nullptr) *state = TakeOne();
  }
}

duckdb::data_ptr_t StatePool::TakeOne() {
  if (free_.empty()) AddSlab();
  duckdb::data_t* const state = free_.back();
  function_.initialize(function_, state);
  HeaderOf(state).is_taken = true;
  free_.pop_back();
  return state;
}

void StatePool::AddSlab() {
  free_.reserve(free_.size() + kSlabStates);
  slabs_.push_back(std::make_unique<duckdb::data_t[]>(kSlabStates * stride_));
  duckdb::data_t* const slab = slabs_.back().get();
  for (size_t i = kSlabStates; i-- > 0;) free_.push_back(slab + i * stride_ + kHeaderBytes);
}

void StatePool::Give(std::span<const duckdb::data_ptr_t> states) {
  std::vector<duckdb::data_ptr_t> given;
  std::copy_if(states.begin(), states.end(), std::back_inserter(given),
               [](duckdb::data_ptr_t state) { return state != nullptr; });
  Destroy(given);
  MutexLock lock(mu_);
  for (const duckdb::data_ptr_t state : given) HeaderOf(state).is_taken = false;
  free_.insert(free_.end(), given.begin(), given.end());
}

void StatePool::Destroy(std::span<const duckdb::data_ptr_t> states) {
  duckdb::ArenaAllocator arena(duckdb::Allocator::DefaultAllocator());
  duckdb::AggregateInputData data(bind_data_.get(), arena);
  while (!states.empty()) {
    const size_t count = std::min<size_t>(states.size(), STANDARD_VECTOR_SIZE);
    duckdb::Vector addresses(duckdb::LogicalType::POINTER, count);
    std::copy_n(states.begin(), count, duckdb::FlatVector::GetData<duckdb::data_ptr_t>(addresses));
    function_.destructor(addresses, data, count);
    states = states.subspan(count);
  }
}

}  // namespace omendb::duck
