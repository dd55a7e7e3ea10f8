// protobuf_arena.h - lets protobuf-c unpack a tree into an Arena; nothing is freed one by one.
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "types/value.h"

namespace omendb::sql {

inline ProtobufCAllocator ProtobufArenaAllocator(types::Arena& arena) {
  ProtobufCAllocator allocator;
  allocator.alloc = [](void* data, size_t size) -> void* {
    return static_cast<types::Arena*>(data)->Allocate(size);
  };
  allocator.free = [](void*, void*) {};
  allocator.allocator_data = &arena;
  return allocator;
}

}  // namespace omendb::sql
