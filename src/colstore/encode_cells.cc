// Constants, runs, dictionaries and plain cells, of numbers and of strings.
#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "colstore/encode_internal.h"
#include "colstore/hash.h"
#include "colstore/strings.h"

namespace omendb::colstore {
namespace {

using types::PhysicalType;

struct Cell16 {
  uint64_t low, high;
  friend bool operator==(const Cell16&, const Cell16&) = default;
};
uint64_t HashOf(const Cell16& cell) { return HashInt(cell.low ^ HashInt(cell.high)); }
template <typename T>
uint64_t HashOf(T cell) {
  return HashInt(cell);
}
uint64_t HashOf(std::string_view string) { return HashBytes(string); }

// Rows where runs of equal values end, exclusive.
template <typename At>
void FindRuns(uint32_t rows, At at, std::vector<uint16_t>& ends) {
  ends.clear();
  for (uint32_t i = 1; i < rows; ++i) {
    if (!(at(i) == at(i - 1))) ends.push_back(static_cast<uint16_t>(i));
  }
  ends.push_back(static_cast<uint16_t>(rows));
}

// Codes by first appearance, and where each entry was met first. False past `entries_max`.
template <typename At, typename Slots>
bool FindEntries(uint32_t rows, At at, size_t entries_max, uint64_t* codes,
                 std::vector<uint16_t>& first_rows, Slots& slots) {
  slots.fill(0);
  first_rows.clear();
  for (uint32_t i = 0; i < rows; ++i) {
    if (i > 0 && at(i) == at(i - 1)) {
      codes[i] = codes[i - 1];
      continue;
    }
    size_t slot = HashOf(at(i)) % slots.size();
    while (slots[slot] != 0 && !(at(first_rows[slots[slot] - 1U]) == at(i))) {
      slot = (slot + 1) % slots.size();
    }
    if (slots[slot] == 0) {
      if (first_rows.size() == entries_max) return false;
      first_rows.push_back(static_cast<uint16_t>(i));
      slots[slot] = static_cast<uint16_t>(first_rows.size());
    }
    codes[i] = slots[slot] - 1U;
  }
  return true;
}

// What strings take as they are, about.
size_t RoughBytes(const std::vector<std::string_view>& strings,
                  const std::vector<uint16_t>* rows = nullptr, uint32_t back = 0) {
  size_t bytes = 16;
  if (rows == nullptr) {
    for (const std::string_view string : strings) bytes += string.size() + 1;
  } else {
    for (const uint16_t row : *rows) bytes += strings[row - back].size() + 1;
  }
  return bytes;
}

}  // namespace

void BlockEncoder::OfferCells(const ColumnCells& column) {
  switch (types::PhysicalSize(column.physical)) {
    case 1:
      return OfferEntries<uint8_t>(column);
    case 2:
      return OfferEntries<uint16_t>(column);
    case 4:
      return OfferEntries<uint32_t>(column);
    case 8:
      return OfferEntries<uint64_t>(column);
    default:
      return OfferEntries<Cell16>(column);
  }
}

template <typename T>
void BlockEncoder::OfferEntries(const ColumnCells& column) {
  const auto at = [&column](uint32_t row) { return LoadLe<T>(column.cells + row * sizeof(T)); };
  const auto append = [at](std::string& out, uint32_t row) { ByteWriter(out).Put<T>(at(row)); };
  Offer(Encoding::kPlain, column.rows * sizeof(T),
        [&column](std::string& out) { out.append(column.cells, column.rows * sizeof(T)); });
  FindRuns(column.rows, at, scratch_->run_ends);
  const size_t runs = scratch_->run_ends.size();
  if (runs == 1) {
    Offer(Encoding::kConstant, sizeof(T), [append](std::string& out) { append(out, 0); });
  }
  Offer(Encoding::kRuns, RunEndsBytes(runs) + runs * sizeof(T), [this, append](std::string& out) {
    AppendRunEnds(scratch_->run_ends, out);
    for (const uint16_t end : scratch_->run_ends) append(out, end - 1U);
  });
  // Past this many entries a dictionary takes more than the best there is.
  const size_t entries_max = Best(std::nullopt)->bytes / sizeof(T);
  if (!FindEntries(column.rows, at, std::min<size_t>(entries_max, column.rows),
                   scratch_->codes.data(), scratch_->first_rows, scratch_->slots)) {
    return;
  }
  const size_t entries = scratch_->first_rows.size();
  Offer(Encoding::kDictionary, CodesBytes(column.rows, entries) + entries * sizeof(T),
        [this, append, &column](std::string& out) {
          const std::vector<uint16_t>& firsts = scratch_->first_rows;
          AppendCodes(scratch_->codes.data(), column.rows, firsts.size(), out);
          for (const uint16_t row : firsts) append(out, row);
        });
}

// The three ways are compared as if strings were stored as they are; only the best is then planned
// with symbols, since making a table is most of the cost. `all` offers the others too.
void BlockEncoder::OfferStrings(const ColumnCells& column, SymbolHint& hint, bool all) {
  std::vector<std::string_view>& strings = scratch_->strings;
  strings.clear();
  const auto* slots = reinterpret_cast<const types::StringSlot*>(column.cells);
  for (uint32_t i = 0; i < column.rows; ++i) strings.push_back(slots[i].view());
  const auto at = [&strings](uint32_t row) { return strings[row]; };
  FindRuns(column.rows, at, scratch_->run_ends);
  if (scratch_->run_ends.size() == 1) {
    Offer(Encoding::kConstant, strings[0].size(),
          [&strings](std::string& out) { out.append(strings[0]); });
    if (!all) return;
  }
  const auto pick = [&strings](const std::vector<uint16_t>& rows, uint32_t back) {
    std::vector<std::string_view> picked;
    for (const uint16_t row : rows) picked.push_back(strings[row - back]);
    return picked;
  };
  const size_t plain_bytes = RoughBytes(strings);
  const size_t runs_bytes =
      RunEndsBytes(scratch_->run_ends.size()) + RoughBytes(strings, &scratch_->run_ends, 1);
  const bool few = FindEntries(column.rows, at, all ? column.rows : column.rows / 4 * 3 + 1,
                               scratch_->codes.data(), scratch_->first_rows, scratch_->slots);
  const size_t dictionary_bytes = few ? CodesBytes(column.rows, scratch_->first_rows.size()) +
                                            RoughBytes(strings, &scratch_->first_rows)
                                      : SIZE_MAX;
  const size_t least = std::min({plain_bytes, runs_bytes, dictionary_bytes});
  if (all || least == plain_bytes) {
    Offer(Encoding::kPlain, plain_bytes, [&strings, &hint](std::string& out) {
      AppendStrings(strings, PlanStrings(strings, hint), out);
    });
  }
  if (all || least == runs_bytes) {
    Offer(Encoding::kRuns, runs_bytes, [this, pick, &hint](std::string& out) {
      AppendRunEnds(scratch_->run_ends, out);
      const std::vector<std::string_view> picked = pick(scratch_->run_ends, 1);
      AppendStrings(picked, PlanStrings(picked, hint), out);
    });
  }
  if (few && (all || least == dictionary_bytes)) {
    Offer(Encoding::kDictionary, dictionary_bytes, [this, pick, &hint, &column](std::string& out) {
      AppendCodes(scratch_->codes.data(), column.rows, scratch_->first_rows.size(), out);
      const std::vector<std::string_view> picked = pick(scratch_->first_rows, 0);
      AppendStrings(picked, PlanStrings(picked, hint), out);
    });
  }
}

}  // namespace omendb::colstore
