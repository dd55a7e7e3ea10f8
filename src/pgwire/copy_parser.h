// copy_parser.h - the bytes of COPY ... FROM cut into rows of fields.
//
// Feed bytes as they arrive, in pieces of any size; take rows in batches; after Finish take the
// rest. A field is a view; one whose data() is null is SQL NULL. Text and CSV fields are UTF-8
// text, already unescaped; binary fields are in the types' binary format.
//
// Thread safety  One thread at a time.
// Ownership      Fields point into the parser's buffer: valid until the next Feed.
// Cost           One pass over the bytes with 64-byte masks; escapes are undone in place; memory is
//                what was fed and not yet taken.
// Errors         As PostgreSQL: 22P04 and 22021, with the context "COPY <table>, line <n>". Rows
//                before the damage are returned first; then each call answers the error.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "pgwire/copy_options.h"

namespace omendb::pgwire {

class CopyParser {
 public:
  // `table` is for error contexts only.
  static std::unique_ptr<CopyParser> Create(CopyDialect dialect, std::string table);
  virtual ~CopyParser() = default;
  CopyParser(const CopyParser&) = delete;
  CopyParser& operator=(const CopyParser&) = delete;

  void Feed(std::string_view bytes);
  // No byte will follow.
  void Finish() { finished_ = true; }

  // Appends up to `rows_max` rows to `fields`, one entry for each column, and returns how many.
  // 0: nothing whole is buffered; after Finish: the end.
  Result<size_t> NextRows(size_t rows_max, std::vector<std::string_view>& fields);

  // 1-based line of row `row` of the last batch, for errors about its values.
  uint64_t LineOf(size_t row) const { return row < lines_.size() ? lines_[row] : line_; }
  std::string ContextOf(uint64_t line) const;
  size_t buffered() const { return size_ - begin_; }
  const CopyDialect& dialect() const { return dialect_; }

 protected:
  enum class RowState { kRow, kNeedMore, kEnd, kError };

  CopyParser(CopyDialect dialect, std::string table);
  // Appends the fields of the row at begin_ and moves begin_ past it. On kError error_ is set.
  virtual RowState ParseRow(std::vector<std::string_view>& fields) = 0;
  // Told when bytes were appended or moved: offsets kept from before are void.
  virtual void BufferChanged() {}
  RowState Fail(Status status);
  RowState FailFormat(std::string message, std::string hint = {});

  static constexpr size_t kPadding = 64;  // Readable bytes after the last, for whole-block loads.

  CopyDialect dialect_;
  const std::string table_;
  std::unique_ptr<char[]> data_;
  size_t capacity_ = 0;
  size_t begin_ = 0;  // First byte not yet taken.
  size_t size_ = 0;
  uint64_t line_ = 0;      // Lines begun so far.
  uint64_t row_line_ = 0;  // Line on which the current row began.
  bool finished_ = false;
  bool ended_ = false;  // End marker seen: what follows is ignored.
  Status error_;

 private:
  void AppendConverted(std::string_view bytes);

  std::vector<uint64_t> lines_;
  size_t retry_size_ = 0;  // Not enough is buffered for a whole row before this many bytes.
};

}  // namespace omendb::pgwire
