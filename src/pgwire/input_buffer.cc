#include "pgwire/input_buffer.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/sqlstate.h"

namespace omendb::pgwire {
namespace {
constexpr size_t kInitialBytes = 8192;  // libpq's own buffer is 8 KB: a usual batch fits.
constexpr size_t kIdleBytesMax = 256 * 1024;
}  // namespace

std::span<char> InputBuffer::Room(size_t bytes_min) {
  if (begin_ == end_) begin_ = end_ = 0;
  if (capacity_ - end_ < bytes_min) {
    const size_t used = end_ - begin_;
    if (capacity_ - used >= bytes_min && begin_ >= capacity_ / 2) {
      std::memmove(data_.get(), data_.get() + begin_, used);
    } else {
      const size_t capacity = std::max({kInitialBytes, capacity_ * 2, used + bytes_min});
      auto grown = std::make_unique_for_overwrite<char[]>(capacity);
      if (used > 0) std::memcpy(grown.get(), data_.get() + begin_, used);
      data_ = std::move(grown);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = used;
  }
  return {data_.get() + end_, capacity_ - end_};
}

void InputBuffer::Commit(size_t bytes) {
  OMEN_DCHECK(bytes <= capacity_ - end_);
  end_ += bytes;
}

FrameState InputBuffer::Break(const char* message) {
  error_ = Status(sqlstate::kProtocolViolation, message).WithRadius(Radius::kConnection);
  return FrameState::kBroken;
}

FrameState InputBuffer::NextFrame(Frame& frame, size_t bytes_max) {
  if (!error_.ok()) return FrameState::kBroken;
  const size_t have = end_ - begin_;
  missing_ = 0;
  if (have < 5) return FrameState::kNeedMore;
  const char* p = data_.get() + begin_;
  const auto length = LoadBe<uint32_t>(p + 1);  // Counts itself, not the type byte.
  if (length < 4 || length > bytes_max) return Break("invalid message length");
  if (have < 1 + size_t{length}) {
    missing_ = 1 + size_t{length} - have;
    return FrameState::kNeedMore;
  }
  frame.type = p[0];
  frame.body = {p + 5, length - 4};
  begin_ += 1 + size_t{length};
  return FrameState::kFrame;
}

FrameState InputBuffer::NextStartup(std::string_view& body) {
  if (!error_.ok()) return FrameState::kBroken;
  const size_t have = end_ - begin_;
  if (have < 4) return FrameState::kNeedMore;
  const char* p = data_.get() + begin_;
  const auto length = LoadBe<uint32_t>(p);
  if (length < 8 || length > kStartupBytesMax) return Break("invalid length of startup packet");
  if (have < length) return FrameState::kNeedMore;
  body = {p + 4, length - 4};
  begin_ += length;
  return FrameState::kFrame;
}

void InputBuffer::ShrinkIfIdle() {
  if (capacity_ <= kIdleBytesMax || begin_ != end_) return;
  data_.reset();
  capacity_ = begin_ = end_ = 0;
}

}  // namespace omendb::pgwire
