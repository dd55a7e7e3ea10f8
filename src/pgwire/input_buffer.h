// input_buffer.h - bytes received from a client, cut into frames.
//
// Thread safety  One thread at a time.
// Ownership      Frame bodies point into the buffer: valid until the next Room().
// Cost           No copy of a frame that arrives whole. Memory grows with the bytes that really
//                arrived, never with the length that a client claims.
// Errors         An impossible length answers 08P01 with radius connection: the stream is out of
//                step and nothing after it can be trusted.
// Invariants     begin_ <= end_ <= capacity_
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "base/status.h"

namespace omendb::pgwire {

struct Frame {
  char type = 0;
  std::string_view body;
};

enum class FrameState { kFrame, kNeedMore, kBroken };

class InputBuffer {
 public:
  // As PostgreSQL's MAX_STARTUP_PACKET_LENGTH.
  static constexpr size_t kStartupBytesMax = 10000;
  // As PostgreSQL's PQ_LARGE_MESSAGE_LIMIT.
  static constexpr size_t kMessageBytesMax = (1u << 30) - 2;
  // Before a client has proved who it is it may not make us hold more than this.
  static constexpr size_t kAuthBytesMax = 65535;

  // At least `bytes_min` writable bytes after the received ones. Invalidates frame bodies.
  std::span<char> Room(size_t bytes_min = 4096);
  // `bytes` of Room() were filled.
  void Commit(size_t bytes);

  // Takes the next whole frame. kBroken: error() says why; every later call says the same.
  FrameState NextFrame(Frame& frame, size_t bytes_max = kMessageBytesMax);
  // Takes the length-prefixed first packet, which has no type byte.
  FrameState NextStartup(std::string_view& body);
  Status error() const { return error_; }

  // The type byte of the frame at the front; 0 when nothing is buffered.
  char NextType() const { return begin_ < end_ ? data_[begin_] : '\0'; }
  size_t buffered() const { return end_ - begin_; }
  // Bytes still missing from the frame at the front, as far as its length is known; 0 if unknown.
  size_t missing() const { return missing_; }
  // Gives memory of an unusually large message back. Requires: no frame body in use.
  void ShrinkIfIdle();

 private:
  FrameState Break(const char* message);

  std::unique_ptr<char[]> data_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t missing_ = 0;
  Status error_;
};

}  // namespace omendb::pgwire
