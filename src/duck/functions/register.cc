#include "duck/functions/register.h"

#include "duck/functions/aggregates.h"
#include "duck/functions/arithmetic.h"
#include "duck/functions/datetime.h"
#include "duck/functions/json_functions.h"
#include "duck/functions/parameter.h"
#include "duck/functions/registry.h"
#include "duck/functions/session_functions.h"
#include "duck/functions/strings.h"
#include "duck/functions/text_casts.h"

namespace omendb::duck {

void RegisterFunctions(duckdb::ClientContext& context, SessionFunctions& functions) {
  context.RunFunctionInTransaction([&] {
    Registry registry(context);
    RegisterParameter(registry);
    RegisterArithmetic(registry);
    RegisterAggregates(registry);
    RegisterClocks(registry);
    RegisterSequences(registry);
    RegisterStrings(registry);
    RegisterDateTime(registry);
    RegisterTextCasts(registry);
    RegisterJson(registry);
    RegisterSessionFunctions(registry, functions);
  });
}

}  // namespace omendb::duck
