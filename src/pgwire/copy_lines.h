// copy_lines.h - COPY FROM in text and CSV format. See copy_parser.h for the contract.
//
// Both formats are cut in the same pass: a mask marks every byte that may matter, and the parser
// walks its set bits. Text: a backslash takes the next byte's meaning away. CSV: inside quotes only
// the quote and the escape matter.
// See            PostgreSQL 15, COPY, "File Formats"; CopyReadLineText in its copyfromparse.c.
#pragma once

#include "pgwire/byte_mask.h"
#include "pgwire/copy_parser.h"

namespace omendb::pgwire {

class CopyLineParser final : public CopyParser {
 public:
  CopyLineParser(CopyDialect dialect, std::string table);

 private:
  enum class LineEnd { kUnknown, kNl, kCr, kCrNl };
  // Further than 64 bytes from any offset, in both directions.
  static constexpr size_t kNone = size_t{1} << 62;

  // One field that needs more than a view: index into the rows' fields.
  struct Pending {
    size_t index;
    bool quoted;
  };

  RowState ParseRow(std::vector<std::string_view>& fields) override;
  void BufferChanged() override;

  RowState ParseTextLine(std::vector<std::string_view>& fields);
  RowState ParseCsvLine(std::vector<std::string_view>& fields);
  RowState SkipHeader();

  // The place of the next special byte at or after `from`; size_ when there is none.
  size_t NextSpecial(size_t from) {
    if (from - block_ >= 64) {
      if (from >= size_) return size_;
      block_ = from;
      bits_ = mask_.Of(data_.get() + from);
    } else {
      bits_ &= ~uint64_t{0} << (from - block_);
    }
    while (bits_ == 0) {
      block_ += 64;
      if (block_ >= size_) return size_;
      bits_ = mask_.Of(data_.get() + block_);
    }
    return block_ + static_cast<size_t>(__builtin_ctzll(bits_));
  }
  // A line end begins at `at`. kRow: `next` is where the next line begins.
  RowState TakeLineEnd(size_t at, size_t& next);
  // "\." stands at `at`. kEnd: it ends the data.
  RowState CheckEndMarker(size_t at);
  bool AtCsvEndMarker(bool& need_more) const;
  // The line [begin_, end) is whole and has `count` fields; the next begins at `next`.
  RowState FinishLine(std::vector<std::string_view>& fields, size_t count, size_t end, size_t next);
  RowState CheckHeader(const std::vector<std::string_view>& fields, size_t count);

  void CheckText();
  void PushField(std::vector<std::string_view>& fields, size_t count, std::string_view raw) {
    if (count < dialect_.columns.size()) [[likely]]
      fields.push_back(raw);
  }
  bool IsNullText(std::string_view raw) const {
    return raw.size() == dialect_.null_text.size() && raw == dialect_.null_text;
  }
  Status ResolvePending(std::vector<std::string_view>& fields);
  static std::string_view UnescapeText(std::string_view raw, bool& made_bytes);
  std::string_view UnescapeCsv(std::string_view raw) const;

  const ByteMask mask_;
  const bool csv_;
  LineEnd line_end_ = LineEnd::kUnknown;
  bool header_pending_;
  bool in_header_ = false;
  bool last_line_seen_ = false;  // "\." followed the row just read.
  size_t first_ = 0;             // Where the current row's fields begin.
  uint64_t inner_lines_ = 0;     // Line ends inside quotes of the current row.
  std::vector<Pending> pending_;

  size_t block_ = kNone;  // Offset of the 64 bytes that bits_ speaks of.
  uint64_t bits_ = 0;
  size_t checked_ = 0;      // Bytes before this offset are valid UTF-8.
  size_t invalid_ = kNone;  // Offset of the first byte that is not.
};

}  // namespace omendb::pgwire
