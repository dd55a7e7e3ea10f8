// Columnar segments beside a DuckDB file with the same rows: bytes a value, encoding, decoding, a
// filter with a sum, and point lookups. One thread each; medians of interleaved rounds.
//
//   bench_colstore [rows, default 1048576] [folder, default bench_colstore.tmp]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <numeric>

#include "bench/colstore/duckdb_table.h"
#include "bench/colstore/lineitem.h"
#include "bench/timing.h"
#include "colstore/segment_scan.h"
#include "colstore/segment_writer.h"
#include "testing/mem_env.h"

namespace omendb::bench {
namespace {

constexpr int kRounds = 9;
constexpr uint64_t kCacheBytes = uint64_t{1} << 30;
constexpr uint32_t kLookups = 100'000;

void Require(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

double MedianSeconds(const std::function<void()>& work) {
  std::vector<double> seconds;
  work();
  for (int i = 0; i < kRounds; ++i) seconds.push_back(Seconds(work));
  return Median(std::move(seconds));
}

using Readers = std::vector<std::shared_ptr<const colstore::SegmentReader>>;

// Columns [first, end) of the rows as segments of 2^18.
struct Segments {
  Segments(env::Env& env, const std::string& folder, const Lineitem& rows, size_t first, size_t end,
           colstore::BlockCache& cache) {
    std::vector<types::Value> row(end - first);
    std::unique_ptr<colstore::SegmentWriter> writer;
    const auto finish = [&] {
      const auto summary = writer->Finish();
      Require(summary.status());
      bytes += summary->file_bytes;
      auto reader = colstore::SegmentReader::Open(env, summary->path, {.cache = &cache});
      Require(reader.status());
      readers.push_back(*reader);
    };
    for (uint32_t i = 0; i < rows.rows(); ++i) {
      if (i % colstore::kSegmentRowsMax == 0) {
        if (writer != nullptr) finish();
        colstore::SegmentOptions options;
        options.file_id = i + 1;
        for (size_t c = first; c < end; ++c) {
          options.columns.push_back(
              {ColumnId(static_cast<int16_t>(c + 1)), rows.columns()[c].type});
        }
        // The key of the whole table; a single column has none.
        if (end - first > 1) options.key = {{0, {}}, {1, {}}};
        auto created = colstore::SegmentWriter::Create(
            env, folder + "/" + std::to_string(first) + "-" + std::to_string(i), options);
        Require(created.status());
        writer = std::move(created).value();
      }
      for (size_t c = first; c < end; ++c) row[c - first] = rows.columns()[c].values[i];
      Require(writer->AppendRow(row));
    }
    finish();
  }
  uint64_t bytes = 0;
  Readers readers;
};

// Every chunk of one column.
template <typename Visit>
void ScanColumn(const Readers& readers, uint32_t column, Visit visit) {
  types::Chunk chunk;
  for (const auto& reader : readers) {
    colstore::SegmentScan scan(reader, {.columns = {column}});
    const auto worker = scan.NewWorker();
    for (;;) {
      const auto more = scan.Next(*worker, chunk);
      Require(more.status());
      if (!*more) break;
      visit(chunk);
    }
  }
}

void CompareColumns(env::Env& env, const std::string& folder, const Lineitem& rows) {
  std::printf("| column | type | OmenDB bytes a value | DuckDB | ratio | decoded values/s |\n");
  std::printf("|---|---|---|---|---|---|\n");
  const auto count = static_cast<double>(rows.rows());
  for (size_t c = 0; c < rows.columns().size(); ++c) {
    colstore::BlockCache cache(kCacheBytes);
    const Segments ours(env, folder, rows, c, c + 1, cache);
    const DuckDbTable theirs(folder + "/column.db", rows, c, c + 1);
    const double seconds =
        MedianSeconds([&] { ScanColumn(ours.readers, 0, [](const types::Chunk&) {}); });
    const auto a = static_cast<double>(ours.bytes), b = static_cast<double>(theirs.file_bytes());
    std::printf("| %s | %s | %.2f | %.2f | %.2f | %.0f M |\n", rows.columns()[c].name.c_str(),
                rows.columns()[c].duckdb_type.c_str(), a / count, b / count, a / b,
                count / seconds / 1e6);
    std::fflush(stdout);
  }
}

int64_t FilterAndSum(const Readers& readers, uint32_t column, int32_t below) {
  int64_t sum = 0;
  ScanColumn(readers, column, [&](const types::Chunk& chunk) {
    const types::ColumnView& view = chunk.columns[0];
    const auto* cells = static_cast<const int32_t*>(view.data);
    int64_t part = 0;
    for (uint32_t i = 0; i < chunk.rows_count; ++i) part += cells[i] < below ? cells[i] : 0;
    sum += part;
  });
  return sum;
}

void CompareFilter(const Segments& ours, DuckDbTable& theirs, uint32_t rows) {
  constexpr int32_t kBelow = 100'000;
  const std::string sql =
      "SELECT sum(l_partkey) FROM t WHERE l_partkey < " + std::to_string(kBelow);
  const int64_t expected = theirs.Run(sql);
  if (FilterAndSum(ours.readers, 2, kBelow) != expected) {
    std::fprintf(stderr, "the sums differ\n");
    std::exit(1);
  }
  const double a = MedianSeconds([&] { (void)FilterAndSum(ours.readers, 2, kBelow); });
  const double b = MedianSeconds([&] { (void)theirs.Run(sql); });
  std::printf("filter and sum of 18-bit integers: OmenDB %.0f M rows/s, DuckDB %.0f M rows/s\n",
              rows / a / 1e6, rows / b / 1e6);
}

// What a scan of strings costs that are stored as symbols or as bytes.
void CompareLengths(const Segments& ours, DuckDbTable& theirs, const Lineitem& rows,
                    uint32_t column) {
  const std::string sql = "SELECT sum(strlen(" + rows.columns()[column].name + ")) FROM t";
  uint64_t sum = 0;
  const auto add = [&sum](const types::Chunk& chunk) {
    const types::ColumnView& view = chunk.columns[0];
    const auto* slots = static_cast<const types::StringSlot*>(view.data);
    for (uint32_t i = 0; i < chunk.rows_count; ++i) sum += slots[view.cell(i)].size;
  };
  ScanColumn(ours.readers, column, add);
  if (sum != static_cast<uint64_t>(theirs.Run(sql))) {
    std::fprintf(stderr, "the lengths differ\n");
    std::exit(1);
  }
  const double a = MedianSeconds([&] { ScanColumn(ours.readers, column, add); });
  const double b = MedianSeconds([&] { (void)theirs.Run(sql); });
  std::printf("lengths of %s: OmenDB %.0f M rows/s, DuckDB %.0f M rows/s\n",
              rows.columns()[column].name.c_str(), rows.rows() / a / 1e6, rows.rows() / b / 1e6);
}

// The segment with the key, the row in it, three of its columns.
void MeasureLookups(const Segments& ours, const Lineitem& rows) {
  std::vector<std::string> keys(kLookups);
  testutil::Prng prng(1);
  for (std::string& key : keys) {
    const auto row = prng.Below(rows.rows());
    for (size_t c = 0; c < 2; ++c) {
      types::AppendKey(rows.columns()[c].type, rows.columns()[c].values[row], {}, key);
    }
  }
  types::Arena arena;
  const uint32_t columns[] = {2, 5, 10};
  types::Value values[3];
  const auto look = [&] {
    for (const std::string& key : keys) {
      const auto segment = std::lower_bound(
          ours.readers.begin(), ours.readers.end(), key,
          [](const auto& reader, const std::string& k) { return reader->footer().max_key < k; });
      const auto row = (*segment)->Find(std::string_view(key));
      Require(row.status());
      if (!row->has_value()) Require(Status(SqlState("XX000"), "a key is missing"));
      arena.Reset();
      Require((*segment)->ReadRow(**row, columns, arena, values));
    }
  };
  std::printf("lookup by a key of two columns, three columns read, all cached: %.0f ns\n",
              MedianSeconds(look) / kLookups * 1e9);
}

// The same with one integer as the key.
void MeasureIntegerLookups(env::Env& env, const std::string& folder, const Lineitem& rows) {
  colstore::BlockCache cache(kCacheBytes);
  colstore::SegmentOptions options;
  options.file_id = 1;
  options.columns = {{ColumnId(1), {types::TypeKind::kInt8}}};
  for (const size_t c : {2, 5, 10}) {
    options.columns.push_back({ColumnId(static_cast<int16_t>(c)), rows.columns()[c].type});
  }
  options.key = {{0, {}}};
  auto writer = colstore::SegmentWriter::Create(env, folder + "/integers", options);
  Require(writer.status());
  testutil::Prng prng(2);
  std::vector<uint64_t> keys;
  int64_t key = 0;
  for (uint32_t i = 0; i < std::min(rows.rows(), colstore::kSegmentRowsMax); ++i) {
    key += prng.Between(1, 20);
    const types::Value row[] = {types::Value::Int64(key), rows.columns()[2].values[i],
                                rows.columns()[5].values[i], rows.columns()[10].values[i]};
    Require((*writer)->AppendRow(row));
    keys.push_back(types::EncodeIntKey(options.columns[0].type, row[0]));
  }
  const auto summary = (*writer)->Finish();
  Require(summary.status());
  const auto opened = colstore::SegmentReader::Open(env, summary->path, {.cache = &cache});
  Require(opened.status());
  std::vector<uint64_t> wanted(kLookups);
  for (uint64_t& k : wanted) k = keys[prng.Below(keys.size())];
  types::Arena arena;
  const uint32_t columns[] = {1, 2, 3};
  types::Value values[3];
  const double seconds = MedianSeconds([&] {
    for (const uint64_t k : wanted) {
      const auto row = (*opened)->Find(k);
      Require(row.status());
      arena.Reset();
      Require((*opened)->ReadRow(**row, columns, arena, values));
    }
  });
  std::printf("lookup by an integer key, three columns read, all cached: %.0f ns\n",
              seconds / kLookups * 1e9);
}

void Run(uint32_t rows_count, const std::string& folder) {
  std::filesystem::create_directories(folder);
  const auto env = env::NewPosixEnv();
  const Lineitem rows(rows_count);
  colstore::BlockCache cache(kCacheBytes);
  const size_t all = rows.columns().size();
  std::unique_ptr<Segments> ours;
  std::unique_ptr<DuckDbTable> theirs;
  const double a =
      Seconds([&] { ours = std::make_unique<Segments>(*env, folder, rows, 0, all, cache); });
  const double b =
      Seconds([&] { theirs = std::make_unique<DuckDbTable>(folder + "/table.db", rows, 0, all); });
  std::printf("%u rows of %zu columns: OmenDB %.1f MB (%.2f of DuckDB's %.1f MB)\n", rows_count,
              all, static_cast<double>(ours->bytes) / 1e6,
              static_cast<double>(ours->bytes) / static_cast<double>(theirs->file_bytes()),
              static_cast<double>(theirs->file_bytes()) / 1e6);
  std::printf("written with fsync, row by row: OmenDB %.2f M rows/s, DuckDB %.2f M rows/s\n",
              rows_count / a / 1e6, rows_count / b / 1e6);
  const double encoding = Seconds([&] {
    testutil::MemEnv memory;
    colstore::BlockCache unused(0);
    const Segments encoded(memory, "/", rows, 0, all, unused);
  });
  std::printf("encoded in memory, row by row: %.2f M rows/s, %.1f M values/s\n",
              rows_count / encoding / 1e6, static_cast<double>(all) * rows_count / encoding / 1e6);
  CompareFilter(*ours, *theirs, rows_count);
  CompareLengths(*ours, *theirs, rows, 13);  // A dictionary.
  CompareLengths(*ours, *theirs, rows, 15);
  CompareLengths(*ours, *theirs, rows, 18);
  MeasureLookups(*ours, rows);
  MeasureIntegerLookups(*env, folder, rows);
  CompareColumns(*env, folder, rows);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace omendb::bench

int main(int argc, char** argv) {
  const uint32_t rows = argc > 1 ? static_cast<uint32_t>(std::atoi(argv[1])) : 1U << 20;
  omendb::bench::Run(rows, argc > 2 ? argv[2] : "bench_colstore.tmp");
  return 0;
}
