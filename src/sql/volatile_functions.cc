#include "sql/volatile_functions.h"

#include <algorithm>

namespace omendb::sql {

bool CallsVolatile(const Node* node) {
  constexpr std::string_view kNames[] = {"nextval",         "random",    "setseed",
                                         "gen_random_uuid", "timeofday", "clock_timestamp",
                                         "setval",          "pg_sleep",  "set_config"};
  bool found = false;
  WalkAllMessages(const_cast<ProtobufCMessage*>(&node->base), [&](ProtobufCMessage* message) {
    if (message->descriptor == &pg_query__func_call__descriptor) {
      const auto& call = *reinterpret_cast<const PgQuery__FuncCall*>(message);
      const std::string_view name = LastName(call.funcname, call.n_funcname);
      found = found || std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
    }
    return !found;
  });
  return found;
}

}  // namespace omendb::sql
