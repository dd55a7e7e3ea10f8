// redo.h - the changes of rows as they lie in the log: what to write, and how to read it back.
//
// Format         docs/formats/log_records.md. An operation is
//                  u8 op | varint storage | varint bytes | payload
//                so that operations on storage that no longer exists are skipped unread.
// Thread safety  Pure functions over caller-owned buffers.
// Errors         A reader fails as ByteReader does: nothing past the end is read; callers turn
//                failed() into XX001.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "types/chunk.h"
#include "types/value.h"

namespace omendb::engine {

// On disk: never renumber.
enum class RedoOp : uint8_t {
  kPut = 1,         // varint row, row image: inserted or updated
  kDelete = 2,      // varint row
  kPutMany = 3,     // varint first row, varint count, row images: rows first, first + 1, ...
  kFreeze = 4,      // varint segment file, mask of dead rows: the others lie in the segment now
  kLoad = 5,        // the same, of rows that were nowhere before
  kDeleteMask = 6,  // varint segment file, runs of rows: those that lie there still are gone
};

// A row image: varint columns, validity bytes, then each value that is not NULL: fixed-size cells
// as they are in memory, strings as varint size and bytes.
void AppendRowImage(std::span<const types::PhysicalType> columns, std::span<const types::Value> row,
                    std::string& out);
// Fills `row` with the columns of the image, at most columns.size(); missing ones are left out, so
// row.size() tells how many there were. Strings are borrowed from the reader's input.
bool ReadRowImage(std::span<const types::PhysicalType> columns, ByteReader& in, types::Row& row);

void AppendPut(Oid storage, RowId row, std::span<const types::PhysicalType> columns,
               std::span<const types::Value> values, std::string& redo);
void AppendDelete(Oid storage, RowId row, std::string& redo);

// kFreeze or kLoad with `rows` as DeadRows::Serialize made it, kDeleteMask with
// DeleteMask::Serialize.
void AppendSegment(RedoOp op, Oid storage, uint64_t file_id, std::string_view rows,
                   std::string& redo);

// A kPutMany under construction: rows are added one by one.
class PutManyWriter {
 public:
  PutManyWriter(Oid storage, RowId first, std::span<const types::PhysicalType> columns)
      : storage_(storage), first_(first), columns_(columns) {}
  void Add(std::span<const types::Value> row) {
    AppendRowImage(columns_, row, images_);
    ++count_;
  }
  void Finish(std::string& redo);

 private:
  const Oid storage_;
  const RowId first_;
  const std::span<const types::PhysicalType> columns_;
  uint64_t count_ = 0;
  std::string images_;
};

}  // namespace omendb::engine
