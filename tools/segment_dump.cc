// segment_dump: shows a segment file, and what is wrong with it.
//
//   segment_dump FILE [--blocks] [--rows N]
//
// Prints header, footer and columns; with --blocks every block with its encoding and zone; with
// --rows the first N rows. Then reads everything: the last line says how many parts are damaged,
// and the exit status is 1 if any is.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "colstore/segment_reader.h"
#include "env/env.h"
#include "types/text_io.h"

namespace omendb::colstore {
namespace {

std::string_view NameOf(Encoding encoding) {
  switch (encoding) {
    case Encoding::kPlain:
      return "plain";
    case Encoding::kConstant:
      return "constant";
    case Encoding::kFrame:
      return "frame";
    case Encoding::kDelta:
      return "delta";
    case Encoding::kRuns:
      return "runs";
    case Encoding::kDictionary:
      return "dictionary";
    case Encoding::kDecimal:
      return "decimal";
  }
  return "?";
}

std::string Text(const types::SqlType& type, const types::Value& value) {
  if (value.is_null) return "NULL";
  std::string text;
  types::FormatText(type, value, {}, text);
  return text;
}

std::string RangeOf(const types::SqlType& type, const Zone& zone) {
  std::string text;
  if (zone.nulls() > 0) text += " nulls " + std::to_string(zone.nulls());
  if (zone.nulls() == zone.rows() || !zone.has_range()) return text;
  return text + " [" + Text(type, zone.min()) + (zone.min_exact() ? "" : "...") + ", " +
         Text(type, zone.max()) + (zone.max_exact() ? "" : "...") + "]";
}

void PrintBlocks(const SegmentReader& reader, uint32_t column, const ColumnDirectory& directory) {
  const types::SqlType& type = reader.footer().columns[column].column.type;
  for (uint32_t i = 0; i < directory.blocks_count(); ++i) {
    const Extent extent = directory.extent(i);
    const auto block = reader.GetBlock(column, i);
    const std::string encoding(block.ok() ? NameOf((*block)->view().encoding) : "damaged");
    std::printf("    block %3u at %10lu %8lu bytes %-10s%s\n", i,
                static_cast<unsigned long>(extent.offset), static_cast<unsigned long>(extent.bytes),
                encoding.c_str(), RangeOf(type, directory.zone(i)).c_str());
  }
}

// The encodings of a column's blocks, as "3 frame, 1 plain".
std::string EncodingsOf(const SegmentReader& reader, uint32_t column) {
  std::map<std::string_view, int> counts;
  for (uint32_t i = 0; i < reader.footer().blocks_count(); ++i) {
    const auto block = reader.GetBlock(column, i);
    ++counts[block.ok() ? NameOf((*block)->view().encoding) : "damaged"];
  }
  std::string text;
  for (const auto& [name, count] : counts) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(name);
  }
  return text;
}

void PrintColumn(const SegmentReader& reader, uint32_t column, bool blocks) {
  const ColumnFooter& info = reader.footer().columns[column];
  const double per_value = static_cast<double>(info.blocks.bytes) / reader.rows();
  const auto directory = reader.directory(column);
  const auto sketch = reader.sketch(column);
  std::printf("  column %d %s: %lu bytes, %.2f a value, %lu distinct, %s%s\n",
              info.column.id.value(), types::FormatType(info.column.type).c_str(),
              static_cast<unsigned long>(info.blocks.bytes), per_value,
              static_cast<unsigned long>(sketch.ok() ? sketch->Estimate() : 0),
              EncodingsOf(reader, column).c_str(), RangeOf(info.column.type, info.zone).c_str());
  if (blocks && directory.ok()) PrintBlocks(reader, column, **directory);
}

void PrintRows(const SegmentReader& reader, uint32_t count) {
  std::vector<uint32_t> columns;
  for (uint32_t i = 0; i < reader.footer().columns.size(); ++i) columns.push_back(i);
  std::vector<types::Value> values(columns.size());
  for (uint32_t row = 0; row < std::min(count, reader.rows()); ++row) {
    types::Arena arena;
    const Status status = reader.ReadRow(row, columns, arena, values.data());
    std::printf("  row %u:", row);
    for (size_t i = 0; status.ok() && i < values.size(); ++i) {
      std::printf(" %s", Text(reader.footer().columns[i].column.type, values[i]).c_str());
    }
    std::printf("%s\n", status.ok() ? "" : (" " + status.ToString()).c_str());
  }
}

// How many parts are damaged.
size_t Dump(const SegmentReader& reader, bool blocks, uint32_t rows) {
  const SegmentFooter& footer = reader.footer();
  std::printf("segment %s: file id %lu, storage %u, %u rows, %lu bytes, commits %lu to %lu\n",
              reader.path().c_str(), static_cast<unsigned long>(reader.file_id()),
              footer.storage.value(), footer.rows, static_cast<unsigned long>(reader.file_bytes()),
              static_cast<unsigned long>(footer.min_ts.value()),
              static_cast<unsigned long>(footer.max_ts.value()));
  std::printf("  key:");
  for (const SegmentKeyColumn& key : footer.key) {
    std::printf(" column %d%s", footer.columns[key.column].column.id.value(),
                key.options.descending ? " descending" : "");
  }
  std::printf("%s, index %lu bytes, filter %lu bytes\n", footer.key.empty() ? " none" : "",
              static_cast<unsigned long>(footer.key_index.bytes),
              static_cast<unsigned long>(footer.key_filter.bytes));
  for (uint32_t i = 0; i < footer.columns.size(); ++i) PrintColumn(reader, i, blocks);
  if (rows > 0) PrintRows(reader, rows);
  const std::vector<Status> damages = reader.Verify();
  for (const Status& damage : damages) std::printf("%s\n", damage.ToString().c_str());
  std::printf("%zu parts are damaged\n", damages.size());
  return damages.size();
}

}  // namespace
}  // namespace omendb::colstore

int main(int argc, char** argv) {
  const char* path = nullptr;
  bool blocks = false;
  uint32_t rows = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--blocks") {
      blocks = true;
    } else if (argument == "--rows" && i + 1 < argc) {
      rows = static_cast<uint32_t>(std::strtoul(argv[++i], nullptr, 10));
    } else if (path == nullptr && !argument.starts_with("--")) {
      path = argv[i];
    } else {
      path = nullptr;
      break;
    }
  }
  if (path == nullptr) {
    std::fprintf(stderr, "usage: segment_dump FILE [--blocks] [--rows N]\n");
    return 2;
  }
  const auto env = omendb::env::NewPosixEnv();
  const auto reader = omendb::colstore::SegmentReader::Open(*env, path, {});
  if (!reader.ok()) {
    std::printf("%s\n", reader.status().ToString().c_str());
    return 1;
  }
  return omendb::colstore::Dump(**reader, blocks, rows) > 0 ? 1 : 0;
}
