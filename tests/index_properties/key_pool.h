// key_pool.h - keys of every kind and type for the property tests of the indexes: distinct, and in
// the order that Compare() gives the values, so that a model need only know their ranks.
//
// Thread safety  Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "index/bytes_index.h"
#include "index/int_index.h"
#include "types/key_encoding.h"

namespace omendb::index_properties {

struct IntKeys {
  using Index = index::IntIndex;
  using Entry = index::Entry;
  using Key = uint64_t;
  std::vector<uint64_t> keys;

  Key Get(size_t rank) const { return keys[rank]; }
};

struct BytesKeys {
  using Index = index::BytesIndex;
  using Entry = index::BytesEntry;
  using Key = std::string_view;
  std::vector<std::string> keys;

  Key Get(size_t rank) const { return keys[rank]; }
};

// At most `count` values of the type, and NULL where the encoding has one.
IntKeys IntKeysOf(const types::SqlType& type, size_t count);
BytesKeys BytesKeysOf(const types::SqlType& type, types::KeyOptions options, size_t count);
// Of a key of three columns: a few integers, text downward, floats with NULLs first.
BytesKeys CompositeKeys(size_t count);

}  // namespace omendb::index_properties
