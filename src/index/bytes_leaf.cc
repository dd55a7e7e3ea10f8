#include "index/bytes_leaf.h"

#include <array>
#include <utility>

#include "index/shift.h"

namespace omendb::index {

int BytesLeaf::Compare(uint32_t i, std::string_view key, uint64_t version) const {
  const uint8_t length = lengths[i].get();
  if (length == kOutside) {
    const BytesRecord* record = RecordOf(cell(i));
    return lock.Unchanged(version) ? record->key().compare(key) : 0;
  }
  const Word* words = cell(i) + 1;
  const size_t rest = key.size() - skip;
  for (uint32_t w = 0; w * 8 < length; ++w) {
    const uint64_t mine = words[w].get(), theirs = HeadOf(key, skip + w * 8);
    if (mine != theirs) return mine < theirs ? -1 : 1;
  }
  // Equal but for zeros at the end of one, or for what follows in `key`.
  return length < rest ? -1 : length > rest ? 1 : 0;
}

BytesLeaf::Spot BytesLeaf::Search(std::string_view key, uint64_t version) const {
  const uint64_t head = HeadOf(key, skip);
  const uint32_t n = ReadCount();
  uint32_t first = 0;
  for (uint32_t width = n; width > 0;) {
    const uint32_t half = (width + 1) / 2;
    first += heads[first + half - 1].get() < head ? half : 0;
    width -= half;
  }
  uint32_t end = first;
  while (end < n && heads[end].get() == head) ++end;
  while (first < end) {  // Equal heads: halve by whole keys.
    const uint32_t middle = first + (end - first) / 2;
    const int compared = Compare(order[middle].get(), key, version);
    if (compared == 0) return {middle, true};
    if (compared < 0) {
      first = middle + 1;
    } else {
      end = middle;
    }
  }
  return {first, false};
}

BytesLeaf::Spot BytesLeaf::SearchInOrder(std::string_view key, uint64_t version) const {
  const uint32_t n = count.get(), last = latest;
  if (last < n) {
    const uint64_t head = HeadOf(key, skip), near = heads[last].get();
    if (near < head && (last + 1 == n || head < heads[last + 1].get())) return {last + 1, false};
    if (head < near && (last == 0 || heads[last - 1].get() < head)) return {last, false};
  }
  return Search(key, version);
}

bool BytesLeaf::AppendTo(BytesBatch& batch, uint32_t at, uint32_t n, int step,
                         std::string_view within, uint64_t version) const {
  static constexpr auto kByWords = []<size_t... kWords>(std::index_sequence<kWords...>) {
    return std::array{&BytesLeaf::AppendInside<kCellWordsMin + kWords>...};
  }
  (std::make_index_sequence<kCellWordsMax + 1 - kCellWordsMin>());
  const auto append_inside = kByWords[cell_words - kCellWordsMin];
  uint32_t k = 0;
  while (k < n) {
    const uint32_t done = (this->*append_inside)(batch, at, n - k, step, within);
    k += done;
    at += static_cast<uint32_t>(step) * done;
    if (k == n) break;
    // A key outside.
    const Word* words = cell_at(at);
    const BytesRecord* record = RecordOf(words);
    if (!lock.Unchanged(version)) return false;
    batch.Append(record->key(), words[0].get());
    ++k;
    at += static_cast<uint32_t>(step);
  }
  return true;
}

// The same, up to the first entry whose key lies outside; returns how many. All words of a cell are
// written, whatever its key's length: the next key comes over what was too much, and no branch has
// to be foreseen.
template <uint32_t kWords>
uint32_t BytesLeaf::AppendInside(BytesBatch& batch, uint32_t at, uint32_t n, int step,
                                 std::string_view within) const {
  constexpr uint32_t kRestMax = (kWords - 1) * 8, kPiece = 16;
  const uint32_t prefix_size = skip;
  const auto* const cells = reinterpret_cast<const Word*>(this + 1);
  batch.Reserve(n, size_t{n} * (prefix_size + kRestMax));
  BytesBatch::Writer writer(batch);
  const char* from = nullptr;
  uint32_t k = 0;
  for (; k < n; ++k, at += static_cast<uint32_t>(step)) {
    const uint32_t i = order[at].get();
    const uint8_t length = lengths[i].get();
    // Of a leaf that is being changed the length may be of another key; it is not above kOutside.
    if (length > kRestMax) [[unlikely]]
      break;
    const Word* words = cells + size_t{i} * kWords;
    char* out = writer.Extend(prefix_size + length, words[0].get());
    if (from == nullptr) {
      within.copy(out, prefix_size);
      from = out;
    } else {  // From the first key, whose end may be read past.
      for (uint32_t c = 0; c < prefix_size; c += kPiece) std::memcpy(out + c, from + c, kPiece);
    }
    out += prefix_size;
#pragma GCC unroll 12
    for (uint32_t w = 1; w < kWords; ++w) StoreBe(out + (w - 1) * 8, words[w].get());
  }
  writer.Done();
  return k;
}

uint32_t BytesLeaf::TakeCell(uint8_t fingerprint) {
  const uint32_t wanted = WantedCell(fingerprint);
  const uint64_t free = std::rotr(~used.get(), static_cast<int>(wanted));
  const uint32_t i = (wanted + static_cast<uint32_t>(std::countr_zero(free))) % kCapacity;
  fingerprints[i].set(fingerprint);
  used.set(used.get() | uint64_t{1} << i);
  return i;
}

// Makes entry `at`: those from there on move up.
void BytesLeaf::Open(uint32_t at, uint64_t head, uint32_t cell_index) {
  const uint32_t n = count.get();
  ShiftUp(heads, at, n);
  ShiftUp(order, at, n);
  heads[at].set(head);
  order[at].set(static_cast<uint8_t>(cell_index));
  count.set_release(n + 1);
}

void BytesLeaf::InsertAt(uint32_t at, std::string_view key, uint64_t value, BytesRecord* record) {
  const uint32_t i = TakeCell(FingerprintOf(key));
  Word* words = cell(i);
  words[0].set(value);
  if (record != nullptr) {
    words[1].set_release(reinterpret_cast<uint64_t>(record));
    lengths[i].set(kOutside);
  } else {
    const auto length = static_cast<uint8_t>(key.size() - skip);
    for (uint32_t w = 0; w * 8 < length; ++w) words[w + 1].set(HeadOf(key, skip + w * 8));
    lengths[i].set(length);
  }
  Open(at, HeadOf(key, skip), i);
}

bool BytesLeaf::AppendCell(const BytesLeaf& from, uint32_t at) {
  const uint32_t source = from.order[at].get();
  const uint32_t length = from.lengths[source].get();
  if (length == kOutside || skip < from.skip) return false;
  const uint32_t cut = skip - from.skip;  // The prefix here has grown by so many bytes.
  const uint32_t rest = length - cut;
  if (rest > (cell_words - 1) * 8) return false;
  char key[(kCellWordsMax + 1) * 8] = {};
  const Word* theirs = from.cell(source);
  for (uint32_t w = 0; w * 8 < length; ++w) StoreBe(key + w * 8, theirs[w + 1].get());
  const uint32_t i = TakeCell(from.fingerprints[source].get());
  Word* words = cell(i);
  words[0].set(theirs[0].get());
  for (uint32_t w = 0; w * 8 < rest; ++w) words[w + 1].set(LoadBe<uint64_t>(key + cut + w * 8));
  lengths[i].set(static_cast<uint8_t>(rest));
  // An empty rest: the head is zero, and `key + cut` may be its end.
  Open(count.get(), rest == 0 ? 0 : words[1].get(), i);
  return true;
}

// Keys without their first `cut` bytes, from cells to cells of kWords: big-endian, zeros at the end
// (what is behind a key has no meaning). As many words for each: how many a key has cannot be
// foreseen.
template <uint32_t kWords>
class BytesLeaf::RestCopier {
 public:
  // `from`: the words of a cell.
  RestCopier(uint32_t cut, uint32_t from) : first_(cut / 8), shift_(cut % 8 * 8), last_(from - 1) {}
  // `rest`: the bytes that are left of the key in `from`; they fit.
  void Copy(const Word* from, uint32_t rest, Word* to) const {
    uint64_t here = At(from, 1);
#pragma GCC unroll 12
    for (uint32_t w = 1; w < kWords; ++w) {
      const uint64_t next = At(from, w + 1);
      to[w].set(here << shift_ | next >> 1 >> (63 - shift_));
      here = next;
    }
    if (rest == 0) return to[1].set(0);
    Word& end = to[(rest + 7) / 8];
    end.set(end.get() & ~uint64_t{0} << (-rest % 8 * 8));
  }

 private:
  uint64_t At(const Word* from, uint32_t w) const {
    return from[std::min(first_ + w, last_)].get();
  }
  const uint32_t first_, shift_, last_;
};

bool BytesLeaf::CopyRange(const BytesLeaf& from, uint32_t begin, uint32_t end) {
  if (skip < from.skip) return false;
  for (uint32_t at = begin; at < end; ++at) {
    // Whoever is in a record here stays in it, nobody else needs one.
    const bool fits = from.KeySizeAt(at) - skip <= (cell_words - 1) * 8;
    if (fits == from.outside_at(at)) return false;
  }
  static constexpr auto kByWords = []<size_t... kWords>(std::index_sequence<kWords...>) {
    return std::array{&BytesLeaf::CopyCells<kCellWordsMin + kWords>...};
  }
  (std::make_index_sequence<kCellWordsMax + 1 - kCellWordsMin>());
  (this->*kByWords[cell_words - kCellWordsMin])(from, begin, end);
  return true;
}

template <uint32_t kWords>
void BytesLeaf::CopyCells(const BytesLeaf& from, uint32_t begin, uint32_t end) {
  const uint32_t cut = skip - from.skip;
  const RestCopier<kWords> copier(cut, from.cell_words);
  auto* const cells = reinterpret_cast<Word*>(this + 1);
  uint64_t taken = 0;
  for (uint32_t at = begin; at < end; ++at) {
    const uint32_t i = from.order[at].get();
    const uint8_t length = from.lengths[i].get();
    const Word* theirs = from.cell(i);
    Word* words = cells + size_t{i} * kWords;
    taken |= uint64_t{1} << i;
    words[0].set(theirs[0].get());
    fingerprints[i].set(from.fingerprints[i].get());
    order[at - begin].set(static_cast<uint8_t>(i));
    if (length == kOutside) [[unlikely]] {
      words[1].set_release(theirs[1].get());
      lengths[i].set(kOutside);
      heads[at - begin].set(HeadOf(RecordOf(words)->key(), skip));
      continue;
    }
    copier.Copy(theirs, length - cut, words);
    lengths[i].set(static_cast<uint8_t>(length - cut));
    heads[at - begin].set(words[1].get());
  }
  used.set(taken);
  count.set_release(end - begin);
}

BytesRecord* BytesLeaf::RemoveAt(uint32_t at) {
  const uint32_t i = order[at].get();
  BytesRecord* record = outside_at(at) ? RecordOf(cell(i)) : nullptr;
  const uint32_t n = count.get();
  for (uint32_t k = at; k + 1 < n; ++k) {
    heads[k].set(heads[k + 1].get());
    order[k].set(order[k + 1].get());
  }
  used.set(used.get() & ~(uint64_t{1} << i));
  count.set_release(n - 1);
  return record;
}

void BytesLeaf::FreeCells(uint32_t begin, uint32_t end) {
  uint64_t left = used.get();
  for (uint32_t k = begin; k < end; ++k) left &= ~(uint64_t{1} << order[k].get());
  used.set(left);
}

void BytesLeaf::KeepBefore(uint32_t at, BytesRecord* bound) {
  FreeCells(at, count.get());
  count.set_release(at);
  high.set_release(bound);
}

void BytesLeaf::KeepFrom(uint32_t at, BytesRecord* bound) {
  const uint32_t n = count.get();
  FreeCells(0, at);
  for (uint32_t k = at; at > 0 && k < n; ++k) {
    heads[k - at].set(heads[k].get());
    order[k - at].set(order[k].get());
  }
  count.set_release(n - at);
  low.set_release(bound);
}

void BytesLeaf::ReadKeyAt(uint32_t at, std::string* key) const {
  const uint32_t i = order[at].get();
  const Word* words = cell(i);
  if (outside_at(at)) {
    key->assign(RecordOf(words)->key());
    return;
  }
  const uint8_t length = lengths[i].get();
  key->resize(skip + (length + 7) / 8 * 8);
  prefix().copy(key->data(), skip);
  for (uint32_t w = 0; w * 8 < length; ++w) StoreBe(key->data() + skip + w * 8, words[w + 1].get());
  key->resize(skip + length);
}

}  // namespace omendb::index
