#include "pgwire/copy_parser.h"

#include <algorithm>
#include <cstring>

#include "base/sqlstate.h"
#include "pgwire/copy_binary.h"
#include "pgwire/copy_lines.h"

namespace omendb::pgwire {
namespace {

constexpr size_t kInitialBytes = 64 * 1024;
// Beyond this an incomplete row is only tried again when the buffer has grown by half, so that a
// row of a gigabyte in small pieces costs linear time.
constexpr size_t kEagerBytes = 64 * 1024;
constexpr size_t kRowBytesMax = size_t{1} << 30;  // As PostgreSQL's MaxAllocSize.

}  // namespace

std::unique_ptr<CopyParser> CopyParser::Create(CopyDialect dialect, std::string table) {
  if (dialect.format == CopyFormat::kBinary) {
    return std::make_unique<CopyBinaryParser>(std::move(dialect), std::move(table));
  }
  return std::make_unique<CopyLineParser>(std::move(dialect), std::move(table));
}

CopyParser::CopyParser(CopyDialect dialect, std::string table)
    : dialect_(std::move(dialect)), table_(std::move(table)) {}

void CopyParser::Feed(std::string_view bytes) {
  if (bytes.empty() || ended_) return;
  // LATIN1 takes at most two bytes of UTF-8 a character.
  const bool latin1 =
      dialect_.format != CopyFormat::kBinary && dialect_.encoding == CopyEncoding::kLatin1;
  const size_t room = bytes.size() * (latin1 ? 2 : 1) + kPadding;
  const size_t used = size_ - begin_;
  if (capacity_ - size_ < room) {
    if (capacity_ >= used + room && begin_ >= used) {
      std::memcpy(data_.get(), data_.get() + begin_, used);
    } else {
      const size_t capacity = std::max({kInitialBytes, used + room, capacity_ + capacity_ / 2});
      auto grown = std::make_unique_for_overwrite<char[]>(capacity);
      if (used > 0) std::memcpy(grown.get(), data_.get() + begin_, used);
      data_ = std::move(grown);
      capacity_ = capacity;
    }
    begin_ = 0;
    size_ = used;
  }
  if (latin1) {
    AppendConverted(bytes);
  } else {
    std::memcpy(data_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  std::memset(data_.get() + size_, 0, kPadding);
  BufferChanged();
}

void CopyParser::AppendConverted(std::string_view bytes) {
  char* out = data_.get() + size_;
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x80) {
      *out++ = c;
    } else {
      *out++ = static_cast<char>(0xc0 | byte >> 6);
      *out++ = static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  size_ = static_cast<size_t>(out - data_.get());
}

Result<size_t> CopyParser::NextRows(size_t rows_max, std::vector<std::string_view>& fields) {
  lines_.clear();
  if (!error_.ok()) return error_;
  if (ended_) return size_t{0};
  if (!finished_ && buffered() < retry_size_) return size_t{0};
  retry_size_ = 0;
  size_t rows = 0;
  while (rows < rows_max) {
    const size_t fields_before = fields.size();
    const RowState state = ParseRow(fields);
    if (state == RowState::kRow) {
      lines_.push_back(row_line_);
      ++rows;
      continue;
    }
    fields.resize(fields_before);
    if (state == RowState::kNeedMore && buffered() > kRowBytesMax) {
      Fail(Status(sqlstate::kProgramLimitExceeded, "COPY row is longer than 1 GB"));
    } else if (state == RowState::kNeedMore && buffered() > kEagerBytes) {
      retry_size_ = buffered() + buffered() / 2;
    }
    if (state == RowState::kEnd) {
      ended_ = true;
      begin_ = size_;
    }
    break;
  }
  if (rows == 0 && !error_.ok()) return error_;
  return rows;
}

std::string CopyParser::ContextOf(uint64_t line) const {
  return "COPY " + table_ + ", line " + std::to_string(line);
}

CopyParser::RowState CopyParser::Fail(Status status) {
  error_ = std::move(status).WithContext(ContextOf(row_line_));
  return RowState::kError;
}

CopyParser::RowState CopyParser::FailFormat(std::string message, std::string hint) {
  Status status(sqlstate::kBadCopyFileFormat, std::move(message));
  if (!hint.empty()) status = std::move(status).WithHint(std::move(hint));
  return Fail(std::move(status));
}

}  // namespace omendb::pgwire
