// key_encoding.h - values as keys: bytes that order as the values do, native integers, hashes.
//
// memcmp of two encodings of the same type and options orders as Compare() with the asked place of
// NULLs, and two values have the same encoding exactly when Compare() is 0. Encodings of the
// columns of a composite key are appended one behind the other: none is a prefix of another.
//
// Encoding       one byte: 0x00 NULL (nulls first), 0x01 a value, 0x02 NULL (nulls last); then
//                integers, dates, times, numeric(p,s), uuid: big-endian, sign bit flipped;
//                floats: IEEE bits made unsigned-ordered, -0 as 0, one NaN above all;
//                interval: its 30-day-month microseconds as a 128-bit integer;
//                strings: bytes with 0x00 as 0x00 0xFF, ended by 0x00 0x00; char(n) without
//                trailing blanks; numeric: its order key (big_numeric.h) as a string; arrays:
//                elements, each as a key of its own, then 0x00; jsonb: its equality form (not its
//                order). Descending: all bits behind the first byte flipped. It reaches the disk
//                with the indexes' checkpoints: never change it.
// Thread safety  Pure functions.
// Errors         None: every value of every type has a key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "types/type.h"
#include "types/value.h"

namespace omendb::types {

struct KeyOptions {
  bool descending = false;
  bool nulls_first = false;  // PostgreSQL's default: NULLS LAST ascending, FIRST descending.
};

// Appends the encoding of one column of a key.
void AppendKey(const SqlType& type, const Value& value, KeyOptions options, std::string& key);
// How many bytes at the front of `key` are the encoding of its first column, which is of this type;
// 0 when only reading the values would tell: arrays.
size_t KeyLength(const SqlType& type, KeyOptions options, std::string_view key);
// Makes `key` the smallest byte string greater than every string with prefix `key`; false when
// there is none (all 0xFF).
bool PrefixSuccessor(std::string& key);

// Oids and names of objects: they compare as unsigned 32-bit numbers.
bool IsOidLike(TypeKind kind);

// Whether one column of this type can be keyed by a 64-bit integer: int2, int4, int8, oid, date,
// time, timestamp, timestamptz.
bool HasNativeIntKey(const SqlType& type);
// Order-preserving: a < b exactly when EncodeIntKey(a) < EncodeIntKey(b).
// Requires: HasNativeIntKey(type), !value.is_null.
uint64_t EncodeIntKey(const SqlType& type, const Value& value);
Value DecodeIntKey(const SqlType& type, uint64_t key);

// Equal values (Compare() == 0) have equal hashes; NULL has one too. Not stable across versions:
// never stored.
uint64_t HashValue(const SqlType& type, const Value& value);

}  // namespace omendb::types
