#include "pgwire/copy_lines.h"

#include <algorithm>

#include "base/sqlstate.h"
#include "pgwire/utf8.h"

namespace omendb::pgwire {
namespace {

constexpr size_t kContextBytesMax = 100;  // As PostgreSQL's MAX_COPY_DATA_DISPLAY.

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

// The meaning of the letter after a backslash; other bytes mean themselves.
char EscapedByte(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      return c;
  }
}

// Not shortened within a character.
std::string Shortened(std::string_view line) {
  if (line.size() <= kContextBytesMax) return std::string(line);
  size_t size = kContextBytesMax;
  while (size > 0 && (static_cast<uint8_t>(line[size]) & 0xc0) == 0x80) --size;
  return std::string(line.substr(0, size)) + "...";
}

}  // namespace

CopyLineParser::CopyLineParser(CopyDialect dialect, std::string table)
    : CopyParser(std::move(dialect), std::move(table)),
      mask_(dialect_.delimiter, '\n', '\r',
            dialect_.format == CopyFormat::kCsv ? dialect_.quote : '\\',
            dialect_.format == CopyFormat::kCsv ? dialect_.escape : '\\'),
      csv_(dialect_.format == CopyFormat::kCsv),
      header_pending_(dialect_.header != CopyHeader::kNone) {}

void CopyLineParser::BufferChanged() {
  block_ = kNone;
  bits_ = 0;
  // The bytes moved to the front of the buffer, or they did not: only begin_ is known.
  checked_ = begin_;
  invalid_ = kNone;
}

// Everything buffered is checked at once: one fast pass over bytes that are about to be read.
void CopyLineParser::CheckText() {
  if (checked_ == size_ || invalid_ != kNone) return;
  if (dialect_.encoding != CopyEncoding::kUtf8) {
    checked_ = size_;
    return;
  }
  checked_ += FindInvalidUtf8({data_.get() + checked_, size_ - checked_});
  const bool may_be_cut = !finished_ && size_ - checked_ < 4;
  if (checked_ < size_ && !may_be_cut) invalid_ = checked_;
}

CopyParser::RowState CopyLineParser::ParseRow(std::vector<std::string_view>& fields) {
  if (last_line_seen_) return RowState::kEnd;
  CheckText();
  if (header_pending_) {
    const RowState state = SkipHeader();
    if (state != RowState::kRow) return state;
  }
  first_ = fields.size();
  pending_.clear();
  inner_lines_ = 0;
  row_line_ = line_ + 1;
  const RowState state = csv_ ? ParseCsvLine(fields) : ParseTextLine(fields);
  if (state == RowState::kNeedMore) block_ = kNone;  // The row is read again from its start.
  return state;
}

CopyParser::RowState CopyLineParser::SkipHeader() {
  std::vector<std::string_view> names;
  header_pending_ = false;
  in_header_ = true;
  first_ = 0;
  pending_.clear();
  inner_lines_ = 0;
  row_line_ = line_ + 1;
  const RowState state = csv_ ? ParseCsvLine(names) : ParseTextLine(names);
  in_header_ = false;
  header_pending_ = state == RowState::kNeedMore;
  if (header_pending_) block_ = kNone;
  return state;
}

CopyParser::RowState CopyLineParser::ParseTextLine(std::vector<std::string_view>& fields) {
  const char* const data = data_.get();
  const char delimiter = dialect_.delimiter;
  size_t at = begin_;
  size_t start = begin_;
  size_t count = 0;
  bool escaped = false;
  const auto push = [&](size_t end) {
    const std::string_view raw(data + start, end - start);
    if (escaped && !IsNullText(raw)) pending_.push_back({fields.size(), false});
    PushField(fields, count++, IsNullText(raw) ? std::string_view() : raw);
    escaped = false;
  };
  while (true) {
    at = NextSpecial(at);
    if (at >= size_) {
      if (!finished_) return RowState::kNeedMore;
      if (begin_ == size_) return RowState::kEnd;
      push(size_);
      return FinishLine(fields, count, size_, size_);
    }
    const char c = data[at];
    if (c == delimiter) {
      push(at);
      start = ++at;
    } else if (c == '\\') {
      if (at + 1 >= size_ && !finished_) return RowState::kNeedMore;
      if (at + 1 < size_ && data[at + 1] == '.') {
        const RowState marker = CheckEndMarker(at);
        if (marker != RowState::kEnd || at == begin_) return marker;
        last_line_seen_ = true;
        push(at);
        return FinishLine(fields, count, at, size_);
      }
      escaped = true;
      at = std::min(at + 2, size_);
    } else {
      size_t next;
      const RowState state = TakeLineEnd(at, next);
      if (state != RowState::kRow) return state;
      push(at);
      return FinishLine(fields, count, at, next);
    }
  }
}

CopyParser::RowState CopyLineParser::ParseCsvLine(std::vector<std::string_view>& fields) {
  bool need_more = false;
  if (AtCsvEndMarker(need_more)) return need_more ? RowState::kNeedMore : RowState::kEnd;
  const char* const data = data_.get();
  const char delimiter = dialect_.delimiter;
  const char quote = dialect_.quote;
  const char escape = dialect_.escape;
  size_t at = begin_;
  size_t start = begin_;
  size_t count = 0;
  int opens = 0;      // Quoted stretches of the current field.
  bool whole = true;  // The field is nothing but one quoted stretch without escapes.
  size_t closed_at = 0;
  bool in_quote = false;
  const auto push = [&](size_t end) {
    std::string_view raw(data + start, end - start);
    const bool force_not_null = count < dialect_.columns.size() && dialect_.force_not_null[count];
    const bool force_null = count < dialect_.columns.size() && dialect_.force_null[count];
    if (opens == 0) {
      if (IsNullText(raw) && !force_not_null) raw = {};
      if (raw.data() != nullptr && force_null && IsNullText(raw)) raw = {};
    } else if (whole && closed_at + 1 == end && !force_null) {
      raw = raw.substr(1, raw.size() - 2);
    } else {
      pending_.push_back({fields.size(), true});
    }
    PushField(fields, count++, raw);
    opens = 0;
    whole = true;
  };
  while (true) {
    at = NextSpecial(at);
    if (at >= size_) {
      if (!finished_) return RowState::kNeedMore;
      if (begin_ == size_) return RowState::kEnd;
      row_line_ += inner_lines_;
      if (in_quote) return FailFormat("unterminated CSV quoted field");
      row_line_ -= inner_lines_;
      push(size_);
      return FinishLine(fields, count, size_, size_);
    }
    const char c = data[at];
    if (in_quote) {
      if (c == escape) {
        if (at + 1 >= size_ && !finished_) return RowState::kNeedMore;
        if (at + 1 < size_ && (data[at + 1] == escape || data[at + 1] == quote)) {
          whole = false;
          at += 2;
          continue;
        }
      }
      if (c == quote) {
        in_quote = false;
        closed_at = at;
      } else if (c == (line_end_ == LineEnd::kCr ? '\r' : '\n')) {
        ++inner_lines_;
      }
      ++at;
    } else if (c == delimiter) {
      push(at);
      start = ++at;
    } else if (c == quote) {
      if (opens++ > 0 || at != start) whole = false;
      in_quote = true;
      ++at;
    } else if (c == '\n' || c == '\r') {
      size_t next;
      const RowState state = TakeLineEnd(at, next);
      if (state != RowState::kRow) return state;
      push(at);
      return FinishLine(fields, count, at, next);
    } else {
      ++at;  // An escape outside quotes is plain text.
    }
  }
}

CopyParser::RowState CopyLineParser::TakeLineEnd(size_t at, size_t& next) {
  next = at + 1;
  if (data_[at] == '\n') {
    if (line_end_ == LineEnd::kCr || line_end_ == LineEnd::kCrNl) {
      return csv_
                 ? FailFormat("unquoted newline found in data",
                              "Use quoted CSV field to represent newline.")
                 : FailFormat("literal newline found in data", "Use \"\\n\" to represent newline.");
    }
    line_end_ = LineEnd::kNl;
    return RowState::kRow;
  }
  if (line_end_ == LineEnd::kUnknown || line_end_ == LineEnd::kCrNl) {
    if (at + 1 >= size_ && !finished_) return RowState::kNeedMore;
    if (at + 1 < size_ && data_[at + 1] == '\n') {
      line_end_ = LineEnd::kCrNl;
      next = at + 2;
      return RowState::kRow;
    }
  }
  if (line_end_ == LineEnd::kNl || line_end_ == LineEnd::kCrNl) {
    return csv_ ? FailFormat("unquoted carriage return found in data",
                             "Use quoted CSV field to represent carriage return.")
                : FailFormat("literal carriage return found in data",
                             "Use \"\\r\" to represent carriage return.");
  }
  line_end_ = LineEnd::kCr;
  return RowState::kRow;
}

CopyParser::RowState CopyLineParser::CheckEndMarker(size_t at) {
  const size_t after = at + 2;
  const size_t needed = line_end_ == LineEnd::kCrNl ? 2 : 1;
  if (size_ - after < needed) {
    if (!finished_) return RowState::kNeedMore;
    return size_ == after ? RowState::kEnd : FailFormat("end-of-copy marker corrupt");
  }
  const char c = data_[after];
  if (c != '\n' && c != '\r') return FailFormat("end-of-copy marker corrupt");
  const bool same_style = line_end_ == LineEnd::kUnknown ||
                          (line_end_ == LineEnd::kNl && c == '\n') ||
                          (line_end_ == LineEnd::kCr && c == '\r') ||
                          (line_end_ == LineEnd::kCrNl && c == '\r' && data_[after + 1] == '\n');
  if (!same_style) {
    return FailFormat("end-of-copy marker does not match previous newline style");
  }
  return RowState::kEnd;
}

// In CSV only a line that is nothing but the marker ends the data.
bool CopyLineParser::AtCsvEndMarker(bool& need_more) const {
  const size_t left = size_ - begin_;
  if (left == 0 || data_[begin_] != '\\') return false;
  if (left >= 2 && data_[begin_ + 1] != '.') return false;
  if (left < 3) {
    need_more = !finished_;
    return need_more || left == 2;
  }
  return data_[begin_ + 2] == '\n' || data_[begin_ + 2] == '\r';
}

CopyParser::RowState CopyLineParser::FinishLine(std::vector<std::string_view>& fields, size_t count,
                                                size_t end, size_t next) {
  row_line_ += inner_lines_;
  if (end > checked_) {
    if (invalid_ == kNone) return RowState::kNeedMore;
    return Fail(CheckUtf8({data_.get() + begin_, size_ - begin_}));
  }
  const std::string_view line(data_.get() + begin_, end - begin_);
  if (in_header_) {
    if (Status status = ResolvePending(fields); !status.ok()) return Fail(std::move(status));
    const RowState state = CheckHeader(fields, count);
    if (state != RowState::kRow) return state;
  } else if (count != dialect_.columns.size()) [[unlikely]] {
    // A table without columns has rows of empty lines.
    if (!(dialect_.columns.empty() && line.empty())) {
      const std::string message =
          count > dialect_.columns.size()
              ? "extra data after last expected column"
              : "missing data for column \"" + dialect_.columns[count] + "\"";
      const std::string shown = Shortened(line);
      FailFormat(message);
      error_ = std::move(error_).WithContext(ContextOf(row_line_) + ": \"" + shown + "\"");
      return RowState::kError;
    }
  } else if (!pending_.empty()) {
    if (Status status = ResolvePending(fields); !status.ok()) return Fail(std::move(status));
  }
  line_ = row_line_;
  begin_ = next;
  return RowState::kRow;
}

CopyParser::RowState CopyLineParser::CheckHeader(const std::vector<std::string_view>& fields,
                                                 size_t count) {
  if (dialect_.header != CopyHeader::kMatch) return RowState::kRow;
  const std::vector<std::string>& columns = dialect_.columns;
  if (count != columns.size()) {
    return FailFormat("wrong number of fields in header line: got " + std::to_string(count) +
                      ", expected " + std::to_string(columns.size()));
  }
  for (size_t i = 0; i < count; ++i) {
    const std::string where = "column name mismatch in header line field " + std::to_string(i + 1);
    if (fields[i].data() == nullptr) {
      return FailFormat(where + ": got null value (\"" + dialect_.null_text + "\"), expected \"" +
                        columns[i] + "\"");
    }
    if (fields[i] != columns[i]) {
      return FailFormat(where + ": got \"" + std::string(fields[i]) + "\", expected \"" +
                        columns[i] + "\"");
    }
  }
  return RowState::kRow;
}

Status CopyLineParser::ResolvePending(std::vector<std::string_view>& fields) {
  for (const Pending& pending : pending_) {
    if (pending.index >= fields.size()) continue;
    std::string_view& field = fields[pending.index];
    if (pending.quoted) {
      field = UnescapeCsv(field);
      const size_t column = pending.index - first_;
      if (dialect_.force_null[column] && IsNullText(field)) field = {};
      continue;
    }
    bool made_bytes = false;
    field = UnescapeText(field, made_bytes);
    if (made_bytes && dialect_.encoding != CopyEncoding::kSqlAscii) OMEN_TRY(CheckUtf8(field));
  }
  return Status::Ok();
}

// In place: what an escape stands for is never longer than the escape. The parser owns the bytes.
std::string_view CopyLineParser::UnescapeText(std::string_view raw, bool& made_bytes) {
  char* const begin = const_cast<char*>(raw.data());
  char* out = begin;
  for (size_t i = 0; i < raw.size();) {
    const char c = raw[i++];
    if (c != '\\' || i >= raw.size()) {
      *out++ = c;
      continue;
    }
    const char e = raw[i++];
    if (IsOctal(e)) {
      unsigned value = static_cast<unsigned>(e - '0');
      for (int digits = 1; digits < 3 && i < raw.size() && IsOctal(raw[i]); ++digits) {
        value = value << 3 | static_cast<unsigned>(raw[i++] - '0');
      }
      *out++ = static_cast<char>(value & 0xff);
      made_bytes |= (value & 0xff) == 0 || (value & 0x80) != 0;
    } else if (e == 'x' && i < raw.size() && HexValue(raw[i]) >= 0) {
      unsigned value = static_cast<unsigned>(HexValue(raw[i++]));
      if (i < raw.size() && HexValue(raw[i]) >= 0) {
        value = value << 4 | static_cast<unsigned>(HexValue(raw[i++]));
      }
      *out++ = static_cast<char>(value);
      made_bytes |= value == 0 || (value & 0x80) != 0;
    } else {
      *out++ = EscapedByte(e);
    }
  }
  return {begin, static_cast<size_t>(out - begin)};
}

std::string_view CopyLineParser::UnescapeCsv(std::string_view raw) const {
  char* const begin = const_cast<char*>(raw.data());
  char* out = begin;
  bool in_quote = false;
  for (size_t i = 0; i < raw.size(); ++i) {
    const char c = raw[i];
    if (in_quote && c == dialect_.escape && i + 1 < raw.size() &&
        (raw[i + 1] == dialect_.escape || raw[i + 1] == dialect_.quote)) {
      *out++ = raw[++i];
    } else if (c == dialect_.quote) {
      in_quote = !in_quote;
    } else {
      *out++ = c;
    }
  }
  return {begin, static_cast<size_t>(out - begin)};
}

}  // namespace omendb::pgwire
