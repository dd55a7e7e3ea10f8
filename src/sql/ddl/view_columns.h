// view_columns.h - which columns of a table a view names.
//
// Thread safety  Any thread.
// Errors         None: of a text that cannot be read a view is taken to use every column.
#pragma once

#include <string>
#include <string_view>

namespace omendb::sql {

// Whether a view of this text may use the column of the table, which the text names. A column that
// is named without its table is taken to be of this one, and NATURAL and * to name all.
bool ViewUsesColumn(const std::string& view_sql, std::string_view table, std::string_view column);

}  // namespace omendb::sql
