// console_page.h - the page that GET / answers: a box for a statement and a table for its result.
#pragma once

#include <string_view>

namespace omendb::server {

std::string_view ConsolePage();

}  // namespace omendb::server
