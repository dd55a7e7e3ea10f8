// key_cursor.h - reading keys of a segment's rows: the key blocks in hand, one of each key column.
//
// Thread safety  One thread at a time.
// Ownership      Borrows the reader, shares the blocks.
// Errors         XX001, 58030, as reading a block.
#pragma once

#include <compare>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "colstore/segment_reader.h"

namespace omendb::colstore {

class KeyCursor {
 public:
  explicit KeyCursor(const SegmentReader& reader);

  // The key of a row as docs/formats/segment.md, "Keys and hashes", has it.
  Status KeyAt(uint32_t row, std::string& key);

  // ---- For SegmentReader -----------------------------------------------------------------------
  // Where a key is, or would be, and the key that is there.
  struct Place {
    uint32_t row = 0;
    std::optional<uint64_t> key;
  };
  Result<uint64_t> IntegerAt(uint32_t row);
  Status BytesAt(uint32_t row, std::string& key);
  // The lower bound of the key within the window. `Place::key` is told where it costs nothing.
  Result<Place> SearchIntegers(index::PositionRange window, uint64_t key);
  Result<uint32_t> SearchBytes(index::PositionRange window, std::string_view key);

 private:
  struct Held {
    types::Value Integer(uint32_t row) const {
      return types::LoadCell(block->view().physical, &integers[row]);
    }
    uint32_t number = 0;
    std::shared_ptr<const Block> block;
    uint32_t reads = 0;             // by IntegerAt
    std::vector<int64_t> integers;  // of a delta block, whose values are dear one by one
  };
  Result<const BlockView*> Hold(size_t key_column, uint32_t block);
  const types::SqlType& type(size_t key_column) const;
  // Leaves of a window that is in two blocks the one that the lower bound of the key is in, where
  // the first column tells.
  Status NarrowToBlock(std::string_view key, uint32_t& low, uint32_t& high);
  // Whether the first key of a block is below, or above, by the zone of its first column; neither:
  // it does not tell.
  Result<std::strong_ordering> FirstOf(uint32_t block, std::string_view key) const;

  const SegmentReader& reader_;
  std::vector<Held> held_;
  types::Arena arena_;
};

}  // namespace omendb::colstore
