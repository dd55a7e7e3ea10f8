// hits.h - the web-analytics table in ClickBench's shape, by our own seeded generator.
//
// Shape  One month of page views, sorted by counter (web site) and day as such services store them.
//        Page views come in visits of a user: their columns repeat as in life. Sites, pages, users
//        and search phrases are skewed; the numbers of each grow with the rows.
#pragma once

#include <cstdint>
#include <string>

namespace omendb::bench {

// Writes hits.csv and schema.sql (CREATE TABLE hits) to the folder. The same number of rows gives
// the same bytes.
void GenerateHits(int64_t rows, const std::string& folder);

// Writes series.csv: `rows` readings of 1,000 sensors, in order of time: sensor, taken_at, reading.
void GenerateSeries(int64_t rows, const std::string& folder);

}  // namespace omendb::bench
