#include "testing/temp_dir.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "base/check.h"

namespace omendb::testutil {

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "omendb-test-XXXXXX").string();
  OMEN_CHECK(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;  // What cannot be removed is left to the system's own cleaning.
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace omendb::testutil
