#include "duck/functions/char_type.h"

#include "duck/errors.h"
#include "duck/logical_types.h"
#include "duck/type_names.h"
#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/function/cast/default_casts.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "types/text_io.h"

namespace omendb::duck {

namespace {

using duckdb::LogicalType;
using duckdb::string_t;
using types::SqlType;
using types::TypeKind;
using Arguments = duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>;

// A char(n) is a text wherever one is wanted; a text is never a char(n) to a function.
constexpr int64_t kTextCost = 1;
constexpr int64_t kNotImplicit = -1;

string_t Trimmed(string_t text) {
  const auto kept = types::TrimBlanks({text.GetData(), text.GetSize()});
  return {text.GetData(), static_cast<uint32_t>(kept.size())};
}

bool TrimCells(duckdb::Vector& source, duckdb::Vector& result, duckdb::idx_t count,
               duckdb::CastParameters&) {
  duckdb::UnaryExecutor::Execute<string_t, string_t>(source, result, count, Trimmed);
  // The results point into the source.
  duckdb::StringVector::AddHeapReference(result, source);
  return true;
}

// char(n): at most n characters of the text.
void CutCells(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::BinaryExecutor::Execute<string_t, int32_t, string_t>(
      args.data[0], args.data[1], result, args.size(), [&](string_t text, int32_t length) {
        const auto kept =
            types::Utf8Prefix({text.GetData(), text.GetSize()}, static_cast<size_t>(length));
        return Trimmed(string_t(kept.data(), static_cast<uint32_t>(kept.size())));
      });
  duckdb::StringVector::AddHeapReference(result, args.data[0]);
}

duckdb::unique_ptr<duckdb::FunctionData> BindCut(duckdb::ClientContext& context,
                                                 duckdb::ScalarFunction& function,
                                                 Arguments& arguments) {
  const duckdb::Value length = duckdb::ExpressionExecutor::EvaluateScalar(context, *arguments[1])
                                   .DefaultCastAs(LogicalType::INTEGER);
  function.return_type = BpcharType(length.GetValue<int32_t>() + kCharModifierHeader);
  return nullptr;
}

struct PadData : public duckdb::FunctionData {
  explicit PadData(SqlType t) : type(t) {}
  SqlType type;
  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    return duckdb::make_uniq<PadData>(type);
  }
  bool Equals(const duckdb::FunctionData& other) const override {
    return other.Cast<PadData>().type == type;
  }
};

duckdb::unique_ptr<duckdb::FunctionData> BindPad(duckdb::ClientContext&, duckdb::ScalarFunction&,
                                                 Arguments& arguments) {
  return duckdb::make_uniq<PadData>(ToSqlType(arguments[0]->return_type));
}

void PadCells(duckdb::DataChunk& args, duckdb::ExpressionState& state, duckdb::Vector& result) {
  const auto& data = state.expr.Cast<duckdb::BoundFunctionExpression>().bind_info->Cast<PadData>();
  types::Arena arena;
  duckdb::UnaryExecutor::Execute<string_t, string_t>(
      args.data[0], result, args.size(), [&](string_t text) {
        const types::Value value = types::Value::String({text.GetData(), text.GetSize()});
        const types::Value padded = Padded(data.type, value, arena);
        return duckdb::StringVector::AddString(result, padded.text.data, padded.text.size);
      });
}

}  // namespace

void RegisterCharType(Registry& registry) {
  const LogicalType text = LogicalType::VARCHAR;
  const LogicalType bpchar = BpcharType(-1);
  registry.Cast(bpchar, text, duckdb::DefaultCasts::ReinterpretCast, kTextCost);
  registry.Cast(text, bpchar, duckdb::BoundCastInfo(TrimCells), kNotImplicit);
  duckdb::ScalarFunction cut(kCharFunction, {text, LogicalType::INTEGER}, bpchar, CutCells,
                             BindCut);
  registry.Replace(std::move(cut));
  duckdb::ScalarFunction pad(kCharPad, {bpchar}, text, PadCells, BindPad);
  registry.Replace(std::move(pad));
}

}  // namespace omendb::duck
