// setting_table.h - the rows behind registry.h; internal to this folder.
#pragma once

#include <span>

#include "sql/settings/registry.h"

namespace omendb::sql {

std::span<const SettingDef> SettingTable();

}  // namespace omendb::sql
