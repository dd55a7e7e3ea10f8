#include "pgwire/copy_binary.h"

#include "base/bytes.h"

namespace omendb::pgwire {
namespace {
constexpr uint32_t kCriticalFlags = 0xffff0000;
constexpr uint32_t kHasOids = 1u << 16;  // Of PostgreSQL before 12.
// A signature, the flags and the size of the header's extension.
constexpr size_t kHeaderBytes = 19;
}  // namespace

CopyBinaryParser::CopyBinaryParser(CopyDialect dialect, std::string table)
    : CopyParser(std::move(dialect), std::move(table)) {}

CopyParser::RowState CopyBinaryParser::Short() {
  return finished_ ? FailFormat("unexpected EOF in COPY data") : RowState::kNeedMore;
}

CopyParser::RowState CopyBinaryParser::ParseHeader() {
  const std::string_view rest(data_.get() + begin_, size_ - begin_);
  const std::string_view signature = rest.substr(0, kCopyBinarySignature.size());
  if (signature != kCopyBinarySignature.substr(0, signature.size()) ||
      (finished_ && signature.size() < kCopyBinarySignature.size())) {
    return FailFormat("COPY file signature not recognized");
  }
  if (rest.size() < kHeaderBytes) {
    return finished_ ? FailFormat("invalid COPY file header (missing flags)") : RowState::kNeedMore;
  }
  const auto flags = LoadBe<uint32_t>(rest.data() + 11);
  if ((flags & kHasOids) != 0) return FailFormat("invalid COPY file header (WITH OIDS)");
  if ((flags & kCriticalFlags) != 0) {
    return FailFormat("unrecognized critical flags in COPY file header");
  }
  const auto extension = static_cast<int32_t>(LoadBe<uint32_t>(rest.data() + 15));
  if (extension < 0) return FailFormat("invalid COPY file header (missing length)");
  if (rest.size() - kHeaderBytes < static_cast<size_t>(extension)) {
    return finished_ ? FailFormat("invalid COPY file header (wrong length)") : RowState::kNeedMore;
  }
  begin_ += kHeaderBytes + static_cast<size_t>(extension);
  header_pending_ = false;
  return RowState::kRow;
}

CopyParser::RowState CopyBinaryParser::ParseRow(std::vector<std::string_view>& fields) {
  row_line_ = line_ + 1;
  if (header_pending_) {
    const RowState state = ParseHeader();
    if (state != RowState::kRow) return state;
  }
  const char* const data = data_.get();
  size_t at = begin_;
  // The end of the stream without a trailer ends the data, as in PostgreSQL.
  if (finished_ && at == size_) return RowState::kEnd;
  if (size_ - at < 2) return Short();
  const auto count = static_cast<int16_t>(LoadBe<uint16_t>(data + at));
  at += 2;
  if (count == -1) {
    if (!finished_ && at == size_) return RowState::kNeedMore;
    if (at != size_) return FailFormat("received copy data after EOF marker");
    return RowState::kEnd;
  }
  if (count < 0 || static_cast<size_t>(count) != dialect_.columns.size()) {
    return FailFormat("row field count is " + std::to_string(count) + ", expected " +
                      std::to_string(dialect_.columns.size()));
  }
  for (int i = 0; i < count; ++i) {
    if (size_ - at < 4) return Short();
    const auto size = static_cast<int32_t>(LoadBe<uint32_t>(data + at));
    at += 4;
    if (size == -1) {
      fields.emplace_back();
      continue;
    }
    if (size < 0) return FailFormat("invalid field size");
    if (size_ - at < static_cast<size_t>(size)) return Short();
    fields.emplace_back(data + at, static_cast<size_t>(size));
    at += static_cast<size_t>(size);
  }
  line_ = row_line_;
  begin_ = at;
  return RowState::kRow;
}

}  // namespace omendb::pgwire
