// state_pool.h - states of an aggregate that DuckDB does not own: they live until the query's plan
// goes, wherever the rows that point to them are.
//
// Thread safety  Any thread; a state belongs to one at a time.
// Ownership      The pool destroys what was taken and not given back.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "duckdb.hpp"
#include "duckdb/function/aggregate_function.hpp"

namespace omendb::duck {

class StatePool {
 public:
  // Requires: `function` has a destructor that needs no arena.
  StatePool(const duckdb::AggregateFunction& function,
            duckdb::unique_ptr<duckdb::FunctionData> bind_data);
  ~StatePool();
  StatePool(const StatePool&) = delete;
  StatePool& operator=(const StatePool&) = delete;

  const duckdb::AggregateFunction& function() const { return function_; }
  duckdb::optional_ptr<duckdb::FunctionData> bind_data() const { return bind_data_.get(); }

  // Fills the null pointers among these with initialized states.
  void Take(std::span<duckdb::data_ptr_t* const> states);
  // Destroys the states; null pointers among them are passed over.
  void Give(std::span<const duckdb::data_ptr_t> states);

 private:
  // Before each state: whether it is taken.
  struct Header {
    bool is_taken;
  };
  static constexpr size_t kHeaderBytes = 16;

  static Header& HeaderOf(duckdb::data_ptr_t state) {
    return *reinterpret_cast<Header*>(state - kHeaderBytes);
  }
  duckdb::data_ptr_t TakeOne() OMEN_REQUIRES(mu_);
  void AddSlab() OMEN_REQUIRES(mu_);
  void Destroy(std::span<const duckdb::data_ptr_t> states);

  const duckdb::AggregateFunction function_;
  const duckdb::unique_ptr<duckdb::FunctionData> bind_data_;
  const size_t stride_;  // bytes
  Mutex mu_;
  std::vector<std::unique_ptr<duckdb::data_t[]>> slabs_ OMEN_GUARDED_BY(mu_);
  std::vector<duckdb::data_ptr_t> free_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::duck
