// Errors of DuckDB's own files, as PostgreSQL tells them.
#include "duck/errors.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/sqlstate.h"

namespace omendb::duck {
namespace {

duckdb::ErrorData FileError(int number) {
  const duckdb::unordered_map<std::string, std::string> extra{{"errno", std::to_string(number)}};
  return duckdb::ErrorData(
      duckdb::IOException("Could not write file \"%s\": %s", extra, "/data/tmp/t", "why"));
}

TEST(ErrorsTest, AFullDiskWhileSpillingIsTold) {
  for (const int number : {ENOSPC, EDQUOT}) {
    const Status full = ToStatus(FileError(number));
    EXPECT_TRUE(full.Is(sqlstate::kDiskFull)) << full.ToString();
    EXPECT_NE(full.ToString().find("No space left on device"), std::string::npos);
  }
  EXPECT_TRUE(ToStatus(FileError(EIO)).Is(sqlstate::kIoError));
}

TEST(ErrorsTest, TheLimitOfTemporaryFilesIsThatOfTheDisk) {
  const duckdb::ErrorData limit(duckdb::OutOfMemoryException(
      "failed to offload data block of size 256.0 KiB (1.0 MiB/1.0 MiB used).\n"
      "This limit was set by the 'max_temp_directory_size' setting."));
  EXPECT_TRUE(ToStatus(limit).Is(sqlstate::kDiskFull));
  const duckdb::ErrorData memory(duckdb::OutOfMemoryException("failed to allocate"));
  EXPECT_TRUE(ToStatus(memory).Is(sqlstate::kOutOfMemory));
}

}  // namespace
}  // namespace omendb::duck
