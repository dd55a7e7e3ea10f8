// keywords.h - which words PostgreSQL's grammar keeps for itself, so that quote_ident quotes them.
#pragma once

#include <string_view>

namespace omendb::sql {

// True for every key word that is not "unreserved" (PostgreSQL 15, appendix C).
bool IsReservedKeyword(std::string_view lower_case_word);

}  // namespace omendb::sql
