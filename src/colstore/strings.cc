#include "colstore/strings.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "colstore/bitpack.h"
#include "colstore/format.h"

namespace omendb::colstore {
namespace {

constexpr size_t kHeadBytes = 16;
constexpr uint8_t kAsTheyAre = 0;
constexpr uint8_t kSymbols = 1;

// A table and its decoding must pay: symbols are kept only when they take less than this share.
constexpr double kSymbolShareMax = 0.8;
// A table is made anew when it leaves so much more of a sample than of the one it was made for.
constexpr double kShareDrift = 0.03;
// Below this a table cannot pay for itself.
constexpr size_t kSymbolHeapMin = 2048;
constexpr size_t kSampleBytes = 16 * 1024;
constexpr size_t kSamplePieceBytes = 256;  // of one string

uint32_t StridesOf(uint32_t count) { return count == 0 ? 0 : (count - 1) / kStringStride; }
size_t PackedAt(uint32_t count) { return AlignUp(kHeadBytes + 4 * size_t{StridesOf(count)}); }

// Pieces of strings spread over all of them.
std::vector<std::string_view> Sample(std::span<const std::string_view> strings, size_t bytes) {
  std::vector<std::string_view> sample;
  const size_t step = std::max<size_t>(1, bytes / kSampleBytes);
  for (size_t i = 0; i < strings.size(); i += step) {
    if (!strings[i].empty()) sample.push_back(strings[i].substr(0, kSamplePieceBytes));
  }
  return sample;
}

double ShareLeft(const SymbolTable& symbols, std::span<const std::string_view> sample) {
  size_t before = 0, after = 0;
  for (const std::string_view string : sample) {
    before += string.size();
    after += symbols.EncodedSize(string);
  }
  return static_cast<double>(after) / static_cast<double>(std::max<size_t>(1, before));
}

size_t LengthsBytes(std::span<const size_t> lengths) {
  if (lengths.empty()) return kHeadBytes;
  const auto [low, high] = std::minmax_element(lengths.begin(), lengths.end());
  const auto count = static_cast<uint32_t>(lengths.size());
  return PackedAt(count) + PackedBytes(count, BitsFor(*high - *low));
}

}  // namespace

bool StringsView::Parse(std::string_view bytes, uint32_t count) {
  if (bytes.size() < PackedAt(count) || count > kBlockRows) return false;
  const auto form = static_cast<uint8_t>(bytes[0]);
  count_ = count;
  width_ = static_cast<uint8_t>(bytes[1]);
  stored_bytes_ = LoadLe<uint32_t>(bytes.data() + 4);
  decoded_bytes_ = LoadLe<uint32_t>(bytes.data() + 8);
  length_min_ = LoadLe<uint32_t>(bytes.data() + 12);
  if (form > kSymbols || width_ > kNarrowWidthMax || decoded_bytes_ > kBlockBytesMax) return false;
  strides_ = bytes.data() + 16;
  packed_ = bytes.data() + PackedAt(count);
  bytes.remove_prefix(PackedAt(count));
  if (bytes.size() < PackedBytes(count, width_)) return false;
  bytes.remove_prefix(PackedBytes(count, width_));
  if (form == kSymbols) {
    auto symbols = std::make_shared<SymbolsView>();
    if (!symbols->Parse(bytes)) return false;
    symbols_ = std::move(symbols);
  }
  heap_ = bytes.data();
  return bytes.size() == stored_bytes_ && CheckLengths();
}

bool StringsView::CheckLengths() const {
  uint32_t lengths[kBlockRows];
  Lengths(lengths);
  uint64_t end = 0, decoded = 0;
  for (uint32_t i = 0; i < count_; ++i) {
    if (i % kStringStride == 0 && i > 0 &&
        LoadLe<uint32_t>(strides_ + 4 * size_t{i / kStringStride - 1}) != end) {
      return false;
    }
    if (lengths[i] < length_min_ || end + lengths[i] > stored_bytes_) return false;
    if (symbols_ != nullptr) {
      const size_t size = symbols_->DecodedSize({heap_ + end, lengths[i]});
      if (size == SIZE_MAX) return false;
      decoded += size;
    }
    end += lengths[i];
  }
  return end == stored_bytes_ && (symbols_ == nullptr ? end : decoded) == decoded_bytes_;
}

void StringsView::Lengths(uint32_t* lengths) const {
  Unpack<uint32_t>(packed_, count_, width_, length_min_, lengths);
}

std::string_view StringsView::Stored(uint32_t index) const {
  const uint32_t stride = index / kStringStride;
  uint64_t begin = stride == 0 ? 0 : LoadLe<uint32_t>(strides_ + 4 * size_t{stride - 1});
  for (uint32_t i = stride * kStringStride; i < index; ++i) {
    begin += length_min_ + UnpackOne(packed_, i, width_);
  }
  return {heap_ + begin, length_min_ + UnpackOne(packed_, index, width_)};
}

std::string_view StringsView::At(uint32_t index, types::Arena& arena) const {
  const std::string_view stored = Stored(index);
  if (symbols_ == nullptr) return stored;
  char* const out = arena.Allocate(stored.size() * kSymbolBytesMax + kSymbolBytesMax);
  return {out, static_cast<size_t>(symbols_->Decode(stored, out) - out)};
}

void StringsView::Fill(types::StringSlot* slots, types::Arena& arena) const {
  uint32_t lengths[kBlockRows];
  Lengths(lengths);
  const char* at = heap_;
  if (symbols_ == nullptr) {
    for (uint32_t i = 0; i < count_; ++i) {
      slots[i] = types::StringSlot::Of({at, lengths[i]});
      at += lengths[i];
    }
    return;
  }
  char* out = arena.Allocate(decoded_bytes_ + kSymbolBytesMax);
  for (uint32_t i = 0; i < count_; ++i) {
    char* const end = symbols_->Decode({at, lengths[i]}, out);
    // Decoding the next string begins at `end`, so a short one is copied out before.
    slots[i] = types::StringSlot::Of({out, static_cast<size_t>(end - out)});
    out = end;
    at += lengths[i];
  }
}

StringsPlan PlanStrings(std::span<const std::string_view> strings, SymbolHint& hint) {
  std::vector<size_t> lengths;
  lengths.reserve(strings.size());
  size_t heap = 0;
  for (const std::string_view string : strings) {
    lengths.push_back(string.size());
    heap += string.size();
  }
  StringsPlan plan{nullptr, LengthsBytes(lengths) + heap};
  if (heap < kSymbolHeapMin) return plan;
  const std::vector<std::string_view> sample = Sample(strings, heap);
  double share = hint.symbols == nullptr ? 1 : ShareLeft(*hint.symbols, sample);
  if (hint.symbols == nullptr || share > hint.share + kShareDrift) {
    hint.symbols = std::make_shared<const SymbolTable>(SymbolTable::Build(sample));
    hint.share = share = ShareLeft(*hint.symbols, sample);
  }
  const auto shortened = static_cast<size_t>(static_cast<double>(heap) * share) +
                         size_t{hint.symbols->count()} * 5;  // The table: 4 bytes each, about.
  if (hint.symbols->count() > 0 &&
      static_cast<double>(shortened) < static_cast<double>(heap) * kSymbolShareMax) {
    plan.bytes -= heap - shortened;
    plan.symbols = hint.symbols;
  }
  return plan;
}

void AppendStrings(std::span<const std::string_view> strings, const StringsPlan& plan,
                   std::string& out) {
  const auto count = static_cast<uint32_t>(strings.size());
  std::string heap;
  std::vector<uint64_t> lengths(count);
  std::string strides;
  uint64_t decoded = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const size_t begin = heap.size();
    if (i % kStringStride == 0 && i > 0) {
      ByteWriter(strides).Put<uint32_t>(static_cast<uint32_t>(begin));
    }
    if (plan.symbols != nullptr) {
      plan.symbols->Encode(strings[i], heap);
    } else {
      heap.append(strings[i]);
    }
    lengths[i] = heap.size() - begin;
    decoded += strings[i].size();
  }
  uint64_t low = 0, high = 0;
  if (count > 0) {
    low = *std::min_element(lengths.begin(), lengths.end());
    high = *std::max_element(lengths.begin(), lengths.end());
  }
  for (uint64_t& length : lengths) length -= low;
  const int width = BitsFor(high - low);
  const size_t begin = out.size();
  ByteWriter writer(out);
  writer.Put<uint8_t>(plan.symbols != nullptr ? kSymbols : kAsTheyAre);
  writer.Put<uint8_t>(static_cast<uint8_t>(width));
  writer.Put<uint16_t>(0);
  writer.Put<uint32_t>(static_cast<uint32_t>(heap.size()));
  writer.Put<uint32_t>(static_cast<uint32_t>(decoded));
  writer.Put<uint32_t>(static_cast<uint32_t>(low));
  writer.PutRaw(strides);
  out.resize(begin + PackedAt(count));
  const size_t packed_at = out.size();
  out.resize(packed_at + PackedBytes(count, width));
  Pack(lengths.data(), count, width, out.data() + packed_at);
  if (plan.symbols != nullptr) plan.symbols->Serialize(out);
  out.append(heap);
}

}  // namespace omendb::colstore
