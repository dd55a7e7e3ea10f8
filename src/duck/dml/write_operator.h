// write_operator.h - what our INSERT, UPDATE, DELETE and MERGE operators have in common: a sink
// that gathers its input, a finalize that writes it, a source that gives the count or the rows of
// RETURNING.
//
// The input is gathered whole before the first write when the statement may read the table that it
// writes: a scan sees its own transaction's writes, and a statement must not meet its own rows.
//
// Thread safety  The sink is not parallel: one thread writes.
#pragma once

#include <memory>

#include "duck/dml/row_writer.h"
#include "duckdb.hpp"
#include "duckdb/execution/physical_operator.hpp"

namespace omendb::duck {

class OmenTableEntry;

class WriteOperator : public duckdb::PhysicalOperator {
 public:
  WriteOperator(duckdb::PhysicalPlan& plan, duckdb::vector<duckdb::LogicalType> result_types,
                duckdb::TableCatalogEntry& table,
                duckdb::vector<duckdb::unique_ptr<duckdb::BoundConstraint>> constraints,
                duckdb::idx_t cardinality, bool returning);

  // True when chunks can be written as they come.
  virtual bool streams() const { return false; }

  bool IsSink() const override { return true; }
  bool IsSource() const override { return true; }
  bool SinkOrderDependent() const override { return true; }

  duckdb::unique_ptr<duckdb::GlobalSinkState> GetGlobalSinkState(
      duckdb::ClientContext& context) const override;
  duckdb::SinkResultType Sink(duckdb::ExecutionContext& context, duckdb::DataChunk& chunk,
                              duckdb::OperatorSinkInput& input) const override;
  duckdb::SinkFinalizeType Finalize(duckdb::Pipeline& pipeline, duckdb::Event& event,
                                    duckdb::ClientContext& context,
                                    duckdb::OperatorSinkFinalizeInput& input) const override;
  duckdb::unique_ptr<duckdb::GlobalSourceState> GetGlobalSourceState(
      duckdb::ClientContext& context) const override;
  duckdb::SourceResultType GetData(duckdb::ExecutionContext& context, duckdb::DataChunk& chunk,
                                   duckdb::OperatorSourceInput& input) const override;

 protected:
  // State of one execution, made before the first chunk.
  struct Run {
    virtual ~Run() = default;
    std::unique_ptr<RowWriter> writer;
  };
  virtual std::unique_ptr<Run> StartRun(duckdb::ClientContext& context) const;
  virtual void Write(duckdb::ClientContext& context, Run& run, duckdb::DataChunk& chunk) const = 0;
  // After the last chunk.
  virtual void Finish(Run&) const {}

  OmenTableEntry& table_;
  duckdb::vector<duckdb::unique_ptr<duckdb::BoundConstraint>> constraints_;
  const bool returning_;

  // For the RowWriter.
  const duckdb::vector<duckdb::LogicalType>* returned_types() const {
    return returning_ ? &types : nullptr;
  }

 private:
  void WriteChunk(duckdb::ClientContext& context, Run& run, duckdb::DataChunk& chunk) const;
  struct SinkState;
  struct SourceState;
};

// True when the plan is a write that gathers its rows before it writes the first.
bool GathersRows(const duckdb::PhysicalOperator& plan);
// True when a scan of `table` is anywhere below.
bool PlanReads(const duckdb::PhysicalOperator& plan, const OmenTableEntry& table);

}  // namespace omendb::duck
