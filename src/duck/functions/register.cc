#include "duck/functions/register.h"

#include "duck/dml/joined_returning.h"
#include "duck/functions/aggregates.h"
#include "duck/functions/arithmetic.h"
#include "duck/functions/array_functions.h"
#include "duck/functions/byte_functions.h"
#include "duck/functions/char_type.h"
#include "duck/functions/concat.h"
#include "duck/functions/date_part.h"
#include "duck/functions/datetime.h"
#include "duck/functions/format_function.h"
#include "duck/functions/interval_functions.h"
#include "duck/functions/json_functions.h"
#include "duck/functions/jsonb_order.h"
#include "duck/functions/math_functions.h"
#include "duck/functions/numeric_functions.h"
#include "duck/functions/numeric_type.h"
#include "duck/functions/parameter.h"
#include "duck/functions/regex_functions.h"
#include "duck/functions/registry.h"
#include "duck/functions/sampling.h"
#include "duck/functions/session_functions.h"
#include "duck/functions/strings.h"
#include "duck/functions/text_casts.h"
#include "duck/functions/text_functions.h"

namespace omendb::duck {

void RegisterCasts(duckdb::ClientContext& context) {
  context.RunFunctionInTransaction([&] {
    Registry registry(context);
    RegisterTextCasts(registry);
  });
}

void RegisterFunctions(duckdb::ClientContext& context, SessionFunctions& functions) {
  context.RunFunctionInTransaction([&] {
    Registry registry(context);
    RegisterParameter(registry);
    RegisterJoinedReturning(registry);
    RegisterNumericType(registry);
    RegisterJsonbOrder(registry);
    RegisterArithmetic(registry);
    RegisterAggregates(registry);
    RegisterClocks(registry);
    RegisterSequences(registry);
    RegisterStrings(registry);
    RegisterTextFunctions(registry);
    RegisterByteFunctions(registry);
    RegisterFormat(registry);
    RegisterRegex(registry);
    RegisterArrays(registry);
    RegisterConcat(registry);
    RegisterDateTime(registry);
    RegisterDateParts(registry);
    RegisterIntervals(registry);
    RegisterMath(registry);
    RegisterNumericFunctions(registry);
    RegisterCharType(registry);
    RegisterSampling(registry);
    RegisterJson(registry);
    RegisterSessionFunctions(registry, functions);
  });
}

}  // namespace omendb::duck
