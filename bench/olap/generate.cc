// Writes the CSV files of the analytical benchmark:
//
//   bench_olap_generate tpch SCALE FOLDER
//   bench_olap_generate hits|series ROWS FOLDER
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "bench/olap/hits.h"
#include "bench/olap/tpch.h"

namespace {

bool Generate(const std::string& suite, double size, const std::string& folder) {
  const auto rows = static_cast<int64_t>(size);
  if (suite == "tpch") {
    // See tpch.h.
    if (size != 0.01 && size != 0.02 && size < 0.03) return false;
    omendb::bench::GenerateTpch(size, folder);
  } else if (suite == "hits" && rows > 0) {
    omendb::bench::GenerateHits(rows, folder);
  } else if (suite == "series" && rows > 0) {
    omendb::bench::GenerateSeries(rows, folder);
  } else {
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4) {
    std::filesystem::create_directories(argv[3]);
    if (Generate(argv[1], std::atof(argv[2]), argv[3])) return 0;
  }
  std::fprintf(stderr,
               "usage: bench_olap_generate tpch SCALE FOLDER (0.01, 0.02, at least 0.03)\n"
               "       bench_olap_generate hits|series ROWS FOLDER\n");
  return 2;
}
