#include "sql/statements/option_value.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sqlstate.h"

namespace omendb::sql {

Result<bool> BooleanOption(const PgQuery__DefElem& option) {
  if (option.arg == nullptr) return true;
  std::string text = ConstText(option.arg);
  std::transform(text.begin(), text.end(), text.begin(), ::tolower);
  if (text == "true" || text == "on" || text == "1") return true;
  if (text == "false" || text == "off" || text == "0") return false;
  return Status(sqlstate::kSyntaxError,
                fmt::format("{} requires a Boolean value", View(option.defname)));
}

}  // namespace omendb::sql
