#include "duck/functions/register.h"

#include "duck/functions/parameter.h"
#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterFunctions(duckdb::ClientContext& context, SessionFunctions& functions) {
  context.RunFunctionInTransaction([&] {
    Registry registry(context);
    RegisterParameter(registry);
    (void)functions;
  });
}

}  // namespace omendb::duck
