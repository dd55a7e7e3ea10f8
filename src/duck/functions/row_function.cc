#include "duck/functions/row_function.h"

#include "duck/errors.h"
#include "duck/logical_types.h"

namespace omendb::duck {

namespace {

// Reads one argument vector, lists included.
class ArgumentReader {
 public:
  ArgumentReader(duckdb::Vector& vector, duckdb::idx_t count, const types::SqlType& type)
      : vector_(vector), type_(type), physical_(types::PhysicalTypeOf(type)) {
    vector.ToUnifiedFormat(count, format_);
    if (type.is_array) {
      duckdb::ListVector::GetEntry(vector).ToUnifiedFormat(duckdb::ListVector::GetListSize(vector),
                                                           child_);
    }
  }
  types::Value Read(duckdb::idx_t row, types::Arena& arena) {
    if (!type_.is_array) return Padded(type_, LoadVectorCell(format_, physical_, row), arena);
    const auto cell = format_.sel->get_index(row);
    if (!format_.validity.RowIsValid(cell)) return types::Value::Null();
    return EncodeList(duckdb::ListVector::GetEntry(vector_), child_,
                      duckdb::UnifiedVectorFormat::GetData<duckdb::list_entry_t>(format_)[cell],
                      type_.element(), arena);
  }

 private:
  duckdb::Vector& vector_;
  const types::SqlType& type_;
  const types::PhysicalType physical_;
  duckdb::UnifiedVectorFormat format_;
  duckdb::UnifiedVectorFormat child_;
};

}  // namespace

void RunRowBody(const RowShape& shape, const RowBody& body, duckdb::DataChunk& args,
                duckdb::ExpressionState& state, duckdb::Vector& result) {
  SessionState& session = SessionState::Get(state.GetContext());
  std::vector<ArgumentReader> readers;
  readers.reserve(args.ColumnCount());
  for (duckdb::idx_t c = 0; c < args.ColumnCount(); ++c) {
    readers.emplace_back(args.data[c], args.size(), shape.arguments[c]);
  }
  const bool constant = args.AllConstant() && args.ColumnCount() > 0 && shape.fold_constants;
  const duckdb::idx_t count = constant ? 1 : args.size();
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  types::Arena arena;
  std::vector<types::Value> values(args.ColumnCount());
  for (duckdb::idx_t i = 0; i < count; ++i) {
    bool has_null = false;
    for (size_t c = 0; c < values.size(); ++c) {
      values[c] = readers[c].Read(i, arena);
      has_null = has_null || values[c].is_null;
    }
    types::Value value = types::Value::Null();
    if (!has_null || !shape.strict) value = ValueOrThrow(body(values, session, arena));
    StoreVectorCell(result, i, shape.result, value);
    if (i % 256 == 255) arena.Reset();
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

void AddRowFunction(duckdb::ScalarFunctionSet& set, const RowFunction& function) {
  auto shared = std::make_shared<const RowFunction>(function);
  for (int left_out = 0; left_out <= function.optional_arguments; ++left_out) {
    duckdb::vector<duckdb::LogicalType> arguments;
    for (size_t i = 0; i + static_cast<size_t>(left_out) < function.arguments.size(); ++i) {
      arguments.push_back(ToLogicalType(function.arguments[i]));
    }
    duckdb::ScalarFunction added(
        function.name, std::move(arguments), ToLogicalType(function.result),
        [shared](duckdb::DataChunk& args, duckdb::ExpressionState& state, duckdb::Vector& result) {
          RunRowBody({shared->arguments, shared->result, shared->strict,
                      shared->stability != duckdb::FunctionStability::VOLATILE},
                     shared->body, args, state, result);
        });
    added.stability = function.stability;
    added.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
    if (function.strict) added.null_handling = duckdb::FunctionNullHandling::DEFAULT_NULL_HANDLING;
    set.AddFunction(std::move(added));
  }
}

void RegisterRowFunction(Registry& registry, const RowFunction& function) {
  duckdb::ScalarFunctionSet set(function.name);
  AddRowFunction(set, function);
  registry.Replace(std::move(set));
}

}  // namespace omendb::duck
