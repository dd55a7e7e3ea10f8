// bytes.h - little-endian and big-endian loads and stores, and a bounds-checked reader and writer.
//
// Thread safety  None needed: values and caller-owned buffers.
// Errors         ByteReader never reads past its end: a short read sets failed() and yields zeros,
//                so a decoder may read a whole record and check once.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace omendb {

static_assert(std::endian::native == std::endian::little, "OmenDB runs on little-endian machines");

template <typename T>
T LoadLe(const void* p) {
  T v;
  std::memcpy(&v, p, sizeof(T));
  return v;
}
template <typename T>
void StoreLe(void* p, T v) {
  std::memcpy(p, &v, sizeof(T));
}
inline uint16_t ByteSwap(uint16_t v) { return __builtin_bswap16(v); }
inline uint32_t ByteSwap(uint32_t v) { return __builtin_bswap32(v); }
inline uint64_t ByteSwap(uint64_t v) { return __builtin_bswap64(v); }
template <typename T>
T LoadBe(const void* p) {
  return ByteSwap(LoadLe<T>(p));
}
template <typename T>
void StoreBe(void* p, T v) {
  StoreLe<T>(p, ByteSwap(v));
}

// Of the bytes that both begin with.
inline size_t CommonPrefix(std::string_view a, std::string_view b) {
  const size_t n = std::min(a.size(), b.size());
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const uint64_t bits = LoadLe<uint64_t>(a.data() + i) ^ LoadLe<uint64_t>(b.data() + i);
    if (bits != 0) return i + static_cast<size_t>(std::countr_zero(bits)) / 8;
  }
  while (i < n && a[i] == b[i]) ++i;
  return i;
}

// Appends fixed-width little-endian values, varints and length-prefixed strings to a std::string.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}
  template <typename T>
  void Put(T v) {
    char buf[sizeof(T)];
    StoreLe(buf, v);
    out_.append(buf, sizeof(T));
  }
  void PutVarint(uint64_t v) {
    while (v >= 0x80) {
      out_.push_back(static_cast<char>(v | 0x80));
      v >>= 7;
    }
    out_.push_back(static_cast<char>(v));
  }
  void PutString(std::string_view s) {
    PutVarint(s.size());
    out_.append(s);
  }
  void PutRaw(std::string_view s) { out_.append(s); }

 private:
  std::string& out_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view in) : in_(in) {}
  template <typename T>
  T Get() {
    if (in_.size() - pos_ < sizeof(T)) return Fail<T>();
    T v = LoadLe<T>(in_.data() + pos_);
    pos_ += sizeof(T);
    return v;
  }
  uint64_t GetVarint() {
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (pos_ >= in_.size()) return Fail<uint64_t>();
      const auto byte = static_cast<uint8_t>(in_[pos_++]);
      v |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return v;
    }
    return Fail<uint64_t>();
  }
  // A view into the input; valid as long as the input is.
  std::string_view GetString() { return GetRaw(GetVarint()); }
  std::string_view GetRaw(uint64_t size) {
    if (in_.size() - pos_ < size) return Fail<std::string_view>();
    std::string_view v = in_.substr(pos_, size);
    pos_ += size;
    return v;
  }
  bool failed() const { return failed_; }
  size_t position() const { return pos_; }
  size_t remaining() const { return in_.size() - pos_; }

 private:
  template <typename T>
  T Fail() {
    failed_ = true;
    pos_ = in_.size();
    return T{};
  }
  std::string_view in_;
  size_t pos_ = 0;
  bool failed_ = false;
};

}  // namespace omendb
