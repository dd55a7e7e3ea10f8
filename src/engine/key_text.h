// key_text.h - keys as error details name them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/database.h"

namespace omendb::engine {

// "Key (a, b)=(1, x)", in the session's text settings.
std::string KeyText(const StatementContext& context, const catalog::TableDef& table,
                    std::span<const ColumnId> columns, std::span<const types::Value> values);

}  // namespace omendb::engine
