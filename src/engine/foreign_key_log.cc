#include "engine/foreign_key_log.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"

namespace omendb::engine {

using types::PhysicalType;
using types::Value;

namespace {

constexpr size_t kFirstBlockBytes = 256;  // A transaction may have one event.
constexpr size_t kBlockBytes = 64 << 10;

// Small where two numbers are near each other, whichever is greater.
uint64_t Difference(uint64_t now, uint64_t before) {
  const uint64_t difference = now - before;
  return difference << 1 ^ (0 - (difference >> 63));
}
uint64_t Sum(uint64_t before, uint64_t difference) {
  return before + (difference >> 1 ^ (0 - (difference & 1)));
}

uint64_t IntegerOf(PhysicalType type, const Value& value) {
  switch (type) {
    case PhysicalType::kBool8:
      return value.boolean ? 1 : 0;
    case PhysicalType::kInt16:
      return static_cast<uint64_t>(static_cast<int64_t>(value.i16));
    case PhysicalType::kInt32:
      return static_cast<uint64_t>(static_cast<int64_t>(value.i32));
    default:
      return static_cast<uint64_t>(value.i64);
  }
}
Value OfInteger(PhysicalType type, uint64_t integer) {
  switch (type) {
    case PhysicalType::kBool8:
      return Value::Bool(integer != 0);
    case PhysicalType::kInt16:
      return Value::Int16(static_cast<int16_t>(integer));
    case PhysicalType::kInt32:
      return Value::Int32(static_cast<int32_t>(integer));
    default:
      return Value::Int64(static_cast<int64_t>(integer));
  }
}

bool IsInteger(PhysicalType type) {
  return type == PhysicalType::kBool8 || type == PhysicalType::kInt16 ||
         type == PhysicalType::kInt32 || type == PhysicalType::kInt64;
}

void PutKey(std::span<const PhysicalType> types, std::span<const Value> key,
            std::vector<uint64_t>& last, ByteWriter& out) {
  last.resize(types.size());
  for (size_t i = 0; i < types.size(); ++i) {
    if (key[i].is_null) continue;
    if (IsInteger(types[i])) {
      const uint64_t integer = IntegerOf(types[i], key[i]);
      out.PutVarint(Difference(integer, last[i]));
      last[i] = integer;
    } else if (types[i] == PhysicalType::kString) {
      out.PutString(key[i].str());
    } else {
      out.Put(key[i].i128);
    }
  }
}

void GetKey(std::span<const PhysicalType> types, uint64_t nulls, ByteReader& in,
            std::vector<uint64_t>& last, std::vector<Value>& key) {
  last.resize(types.size());
  key.assign(types.size(), Value::Null());
  for (size_t i = 0; i < types.size(); ++i) {
    if ((nulls >> i & 1) != 0) continue;
    if (IsInteger(types[i])) {
      last[i] = Sum(last[i], in.GetVarint());
      key[i] = OfInteger(types[i], last[i]);
    } else if (types[i] == PhysicalType::kString) {
      key[i] = Value::String(in.GetString());
    } else {
      key[i] = Value::I128(in.Get<types::Int128>());
    }
  }
}

uint64_t NullsOf(std::span<const Value> key) {
  OMEN_CHECK(key.size() <= 64);
  uint64_t nulls = 0;
  for (size_t i = 0; i < key.size(); ++i) nulls |= uint64_t{key[i].is_null} << i;
  return nulls;
}

}  // namespace

size_t ForeignKeyLog::StreamOf(const Subject& subject, std::span<const PhysicalType> types) {
  for (size_t i = 0; i < streams_.size(); ++i) {
    const Stream& stream = streams_[i];
    if (stream.subject == subject && std::ranges::equal(stream.types, types)) return i;
  }
  streams_.push_back({subject, {types.begin(), types.end()}});
  last_.emplace_back();
  return streams_.size() - 1;
}

std::string& ForeignKeyLog::BlockFor(size_t bytes) {
  if (blocks_.empty() || blocks_.back().capacity() - blocks_.back().size() < bytes) {
    const size_t size =
        blocks_.empty() ? kFirstBlockBytes : std::min(kBlockBytes, blocks_.back().capacity() * 2);
    blocks_.emplace_back().reserve(std::max(size, bytes));
  }
  return blocks_.back();
}

// Varint: the stream, twice, and whether there are NULLs; then which, of the key and of the new
// one; then what is not NULL.
void ForeignKeyLog::Append(const Subject& subject, std::span<const PhysicalType> types,
                           const RowRef& row, std::span<const Value> key,
                           std::span<const Value> new_key) {
  const size_t stream = StreamOf(subject, types);
  Last& last = last_[stream];
  packed_.clear();
  ByteWriter out(packed_);
  const bool has_nulls = (NullsOf(key) | NullsOf(new_key)) != 0;
  out.PutVarint(stream << 1 | (has_nulls ? 1 : 0));
  if (has_nulls) {
    out.PutVarint(NullsOf(key));
    out.PutVarint(NullsOf(new_key));
  }
  if (subject.kind == Kind::kReferring) {
    out.PutVarint(Difference(row.row_id.value(), last.row));
    out.PutVarint(Difference(row.version, last.version));
    last.row = row.row_id.value();
    last.version = row.version;
  }
  PutKey(types, key, last.key, out);
  if (subject.kind == Kind::kReplaced) PutKey(types, new_key, last.new_key, out);
  BlockFor(packed_.size()) += packed_;
  ++count_;
}

bool ForeignKeyLog::Reader::Next(Event& event) {
  if (number_ == log_->end()) return false;
  if (offset_ == log_->blocks_[block_].size()) {
    ++block_;
    offset_ = 0;
  }
  last_.resize(log_->streams_.size());
  ByteReader in(std::string_view(log_->blocks_[block_]).substr(offset_));
  const uint64_t head = in.GetVarint();
  const Stream& stream = log_->streams_[head >> 1];
  Last& last = last_[head >> 1];
  const uint64_t nulls = (head & 1) != 0 ? in.GetVarint() : 0;
  const uint64_t new_nulls = (head & 1) != 0 ? in.GetVarint() : 0;
  event.subject = stream.subject;
  event.row = {};
  event.new_key.clear();
  if (stream.subject.kind == Kind::kReferring) {
    last.row = Sum(last.row, in.GetVarint());
    last.version = Sum(last.version, in.GetVarint());
    event.row = {RowId(last.row), last.version};
  }
  GetKey(stream.types, nulls, in, last.key, event.key);
  if (stream.subject.kind == Kind::kReplaced) {
    GetKey(stream.types, new_nulls, in, last.new_key, event.new_key);
  }
  OMEN_CHECK(!in.failed());
  offset_ += in.position();
  ++number_;
  return true;
}

void ForeignKeyLog::Truncate(uint64_t number) {
  if (number >= end()) return;
  if (number <= begin_) return Clear();
  Reader reader(*this);
  Event event;
  while (reader.number() < number) OMEN_CHECK(reader.Next(event));
  blocks_.resize(reader.block_ + 1);
  blocks_.back().resize(reader.offset_);
  last_ = std::move(reader.last_);
  last_.resize(streams_.size());
  count_ = number - begin_;
}

void ForeignKeyLog::Clear() {
  begin_ += count_;
  count_ = 0;
  blocks_.clear();
  streams_.clear();
  last_.clear();
}

size_t ForeignKeyLog::memory_bytes() const {
  size_t bytes = sizeof(*this) + packed_.capacity();
  for (const std::string& block : blocks_) bytes += block.capacity() + sizeof(block);
  return bytes;
}

}  // namespace omendb::engine
