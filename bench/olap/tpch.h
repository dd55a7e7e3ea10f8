// tpch.h - TPC-H's eight tables by our own seeded generator, after the specification's clause 4.2:
// its cardinalities, ranges, keys and dependencies between columns, not dbgen's random streams, so
// no published answer set applies to it.
#pragma once

#include <string>

namespace omendb::bench {

// Writes region.csv ... lineitem.csv to the folder. The same scale gives the same bytes.
// Requires: scale is 0.01, 0.02 or at least 0.03 (below, a part's four suppliers may collide).
void GenerateTpch(double scale, const std::string& folder);

}  // namespace omendb::bench
