// art.h - an adaptive radix tree, as a peer for the benchmark.
//
// Nodes of 4, 16, 48 and 256 children, path compression (whole prefixes are kept in a leaf and
// compared there: up to 8 bytes in the node, the rest optimistically), lazy expansion. Single
// threaded. Erase removes leaves and shrinks nothing but empty nodes.
//
// See  V. Leis, A. Kemper, T. Neumann, "The Adaptive Radix Tree" (ICDE 2013).
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace omendb::bench {

// Keys as bytes; a u64 as its 8 big-endian bytes, a string with a terminating zero (no key may be
// a prefix of another).
class Art {
 public:
  ~Art() { FreeAll(root_); }

  bool Find(std::string_view key, uint64_t* value) const {
    const Node* node = root_;
    size_t depth = 0;
    while (node != nullptr) {
      if (IsLeaf(node)) {
        const Leaf* leaf = AsLeaf(node);
        if (leaf->key() != key) return false;
        *value = leaf->value;
        return true;
      }
      const uint32_t stored = std::min<uint32_t>(node->prefix_size, kStored);
      if (depth + node->prefix_size >= key.size()) return false;
      if (std::memcmp(node->prefix, key.data() + depth, stored) != 0) return false;
      depth += node->prefix_size;
      Node* const* child = FindChild(node, Byte(key, depth));
      node = child == nullptr ? nullptr : *child;
      ++depth;
    }
    return false;
  }

  bool Insert(std::string_view key, uint64_t value) {
    Node** ref = &root_;
    size_t depth = 0;
    for (;;) {
      Node* node = *ref;
      if (node == nullptr) {
        *ref = MakeLeaf(key, value);
        return true;
      }
      if (IsLeaf(node)) {
        const std::string_view other = AsLeaf(node)->key();
        if (other == key) return false;
        size_t same = depth;
        while (other[same] == key[same]) ++same;
        Node4* fork = Make<Node4>();
        SetPrefix(fork, key.substr(depth, same - depth));
        *ref = fork;
        AddChild(ref, Byte(other, same), node);
        AddChild(ref, Byte(key, same), MakeLeaf(key, value));
        return true;
      }
      if (node->prefix_size > 0) {
        const std::string_view full = node->prefix_size <= kStored
                                          ? std::string_view(node->prefix, node->prefix_size)
                                          : Smallest(node)->key().substr(depth, node->prefix_size);
        size_t same = 0;
        while (same < full.size() && depth + same < key.size() && full[same] == key[depth + same]) {
          ++same;
        }
        if (same < full.size()) {
          Node4* fork = Make<Node4>();
          SetPrefix(fork, key.substr(depth, same));
          const auto branch = static_cast<uint8_t>(full[same]);
          const std::string rest(full.substr(same + 1));
          SetPrefix(node, rest);
          *ref = fork;
          AddChild(ref, branch, node);
          AddChild(ref, Byte(key, depth + same), MakeLeaf(key, value));
          return true;
        }
        depth += full.size();
      }
      Node** child = const_cast<Node**>(FindChild(node, Byte(key, depth)));
      if (child == nullptr) {
        AddChild(ref, Byte(key, depth), MakeLeaf(key, value));
        return true;
      }
      ref = child;
      ++depth;
    }
  }

  bool Erase(std::string_view key) { return EraseAt(&root_, key, 0); }

  size_t Scan(std::string_view from, size_t n, uint64_t* sum) const {
    size_t seen = 0;
    ScanAt(root_, from, 0, true, n, sum, &seen);
    return seen;
  }
  size_t Bytes() const { return bytes_; }

 private:
  static constexpr uint32_t kStored = 8;
  enum Kind : uint8_t { k4, k16, k48, k256 };
  struct Node {
    Kind kind;
    uint16_t count = 0;
    uint32_t prefix_size = 0;
    char prefix[kStored] = {};
    explicit Node(Kind k) : kind(k) {}
  };
  struct Node4 : Node {
    uint8_t keys[4] = {};
    Node* child[4] = {};
    Node4() : Node(k4) {}
  };
  struct Node16 : Node {
    uint8_t keys[16] = {};
    Node* child[16] = {};
    Node16() : Node(k16) {}
  };
  struct Node48 : Node {
    uint8_t index[256] = {};
    Node* child[48] = {};
    Node48() : Node(k48) {}
  };
  struct Node256 : Node {
    Node* child[256] = {};
    Node256() : Node(k256) {}
  };
  struct Leaf {
    uint64_t value;
    uint32_t size;
    std::string_view key() const { return {reinterpret_cast<const char*>(this + 1), size}; }
  };

  static uint8_t Byte(std::string_view key, size_t i) { return static_cast<uint8_t>(key[i]); }
  static bool IsLeaf(const Node* node) { return (reinterpret_cast<uintptr_t>(node) & 1) != 0; }
  static Leaf* AsLeaf(const Node* node) {
    return reinterpret_cast<Leaf*>(reinterpret_cast<uintptr_t>(node) ^ 1);
  }
  Node* MakeLeaf(std::string_view key, uint64_t value) {
    const size_t size = sizeof(Leaf) + key.size();
    bytes_ += size;
    auto* leaf = static_cast<Leaf*>(std::malloc(size));
    leaf->value = value;
    leaf->size = static_cast<uint32_t>(key.size());
    std::memcpy(leaf + 1, key.data(), key.size());
    return reinterpret_cast<Node*>(reinterpret_cast<uintptr_t>(leaf) | 1);
  }
  template <typename T>
  T* Make() {
    bytes_ += sizeof(T);
    return new T();
  }
  template <typename T>
  void Drop(T* node) {
    bytes_ -= sizeof(T);
    delete node;
  }
  static void SetPrefix(Node* node, std::string_view prefix) {
    node->prefix_size = static_cast<uint32_t>(prefix.size());
    std::memcpy(node->prefix, prefix.data(), std::min<size_t>(prefix.size(), kStored));
  }

  static Node* const* FindChild(const Node* node, uint8_t byte) {
    switch (node->kind) {
      case k4: {
        const auto* n = static_cast<const Node4*>(node);
        for (int i = 0; i < n->count; ++i) {
          if (n->keys[i] == byte) return &n->child[i];
        }
        return nullptr;
      }
      case k16: {
        const auto* n = static_cast<const Node16*>(node);
#if defined(__SSE2__)
        const __m128i keys = _mm_loadu_si128(reinterpret_cast<const __m128i*>(n->keys));
        const __m128i same = _mm_cmpeq_epi8(keys, _mm_set1_epi8(static_cast<char>(byte)));
        const unsigned mask =
            static_cast<unsigned>(_mm_movemask_epi8(same)) & ((1u << n->count) - 1);
        return mask == 0 ? nullptr : &n->child[std::countr_zero(mask)];
#else
        for (int i = 0; i < n->count; ++i) {
          if (n->keys[i] == byte) return &n->child[i];
        }
        return nullptr;
#endif
      }
      case k48: {
        const auto* n = static_cast<const Node48*>(node);
        return n->index[byte] == 0 ? nullptr : &n->child[n->index[byte] - 1];
      }
      default: {
        const auto* n = static_cast<const Node256*>(node);
        return n->child[byte] == nullptr ? nullptr : &n->child[byte];
      }
    }
  }
  template <typename Small>
  static void AddSorted(Small* n, uint8_t byte, Node* child) {
    int at = 0;
    while (at < n->count && n->keys[at] < byte) ++at;
    for (int i = n->count; i > at; --i) {
      n->keys[i] = n->keys[i - 1];
      n->child[i] = n->child[i - 1];
    }
    n->keys[at] = byte;
    n->child[at] = child;
    ++n->count;
  }
  static void CopyHead(Node* to, const Node* from) {
    to->count = from->count;
    to->prefix_size = from->prefix_size;
    std::memcpy(to->prefix, from->prefix, kStored);
  }
  void AddChild(Node** ref, uint8_t byte, Node* child) {
    Node* node = *ref;
    if (node->kind == k4 && node->count < 4)
      return AddSorted(static_cast<Node4*>(node), byte, child);
    if (node->kind == k16 && node->count < 16) {
      return AddSorted(static_cast<Node16*>(node), byte, child);
    }
    if (node->kind == k4) {
      auto* from = static_cast<Node4*>(node);
      auto* to = Make<Node16>();
      CopyHead(to, from);
      std::copy(from->keys, from->keys + 4, to->keys);
      std::copy(from->child, from->child + 4, to->child);
      Drop(from);
      *ref = to;
      return AddChild(ref, byte, child);
    }
    if (node->kind == k16) {
      auto* from = static_cast<Node16*>(node);
      auto* to = Make<Node48>();
      CopyHead(to, from);
      for (int i = 0; i < 16; ++i) {
        to->index[from->keys[i]] = static_cast<uint8_t>(i + 1);
        to->child[i] = from->child[i];
      }
      Drop(from);
      *ref = to;
      return AddChild(ref, byte, child);
    }
    if (node->kind == k48 && node->count < 48) {
      auto* n = static_cast<Node48*>(node);
      int slot = 0;
      while (n->child[slot] != nullptr) ++slot;
      n->child[slot] = child;
      n->index[byte] = static_cast<uint8_t>(slot + 1);
      ++n->count;
      return;
    }
    if (node->kind == k48) {
      auto* from = static_cast<Node48*>(node);
      auto* to = Make<Node256>();
      CopyHead(to, from);
      for (int b = 0; b < 256; ++b) {
        if (from->index[b] != 0) to->child[b] = from->child[from->index[b] - 1];
      }
      Drop(from);
      *ref = to;
      node = to;
    }
    static_cast<Node256*>(node)->child[byte] = child;
    ++node->count;
  }

  template <typename F>
  static bool ForEach(const Node* node, int from, F&& visit) {
    switch (node->kind) {
      case k4:
      case k16: {
        const uint8_t* keys = node->kind == k4 ? static_cast<const Node4*>(node)->keys
                                               : static_cast<const Node16*>(node)->keys;
        Node* const* child = node->kind == k4 ? static_cast<const Node4*>(node)->child
                                              : static_cast<const Node16*>(node)->child;
        for (int i = 0; i < node->count; ++i) {
          if (keys[i] >= from && !visit(keys[i], child[i])) return false;
        }
        return true;
      }
      default:
        for (int b = from; b < 256; ++b) {
          Node* const* child = FindChild(node, static_cast<uint8_t>(b));
          if (child != nullptr && !visit(b, *child)) return false;
        }
        return true;
    }
  }
  static const Leaf* Smallest(const Node* node) {
    while (!IsLeaf(node)) {
      const Node* next = nullptr;
      ForEach(node, 0, [&next](int, const Node* child) {
        next = child;
        return false;
      });
      node = next;
    }
    return AsLeaf(node);
  }
  // `bounded`: keys below `from` may be in this subtree.
  bool ScanAt(const Node* node, std::string_view from, size_t depth, bool bounded, size_t n,
              uint64_t* sum, size_t* seen) const {
    if (node == nullptr) return true;
    if (IsLeaf(node)) {
      if (bounded && AsLeaf(node)->key() < from) return true;
      *sum += AsLeaf(node)->value;
      return ++*seen < n;
    }
    int first = 0;
    if (bounded) {
      const std::string_view full = node->prefix_size <= kStored
                                        ? std::string_view(node->prefix, node->prefix_size)
                                        : Smallest(node)->key().substr(depth, node->prefix_size);
      const std::string_view part = from.substr(std::min(depth, from.size()), full.size());
      const int order = full.compare(part);
      if (order < 0) return true;
      if (order > 0) bounded = false;
      depth += full.size();
      if (bounded && depth < from.size()) first = Byte(from, depth);
    }
    return ForEach(node, first, [&](int byte, const Node* child) {
      return ScanAt(child, from, depth + 1, bounded && byte == first, n, sum, seen);
    });
  }
  bool EraseAt(Node** ref, std::string_view key, size_t depth) {
    Node* node = *ref;
    if (node == nullptr) return false;
    if (IsLeaf(node)) {
      if (AsLeaf(node)->key() != key) return false;
      bytes_ -= sizeof(Leaf) + key.size();
      std::free(AsLeaf(node));
      *ref = nullptr;
      return true;
    }
    depth += node->prefix_size;
    if (depth >= key.size()) return false;
    const uint8_t byte = Byte(key, depth);
    Node** child = const_cast<Node**>(FindChild(node, byte));
    if (child == nullptr || !EraseAt(child, key, depth + 1)) return false;
    if (*child == nullptr) RemoveChild(ref, byte);
    return true;
  }
  void RemoveChild(Node** ref, uint8_t byte) {
    Node* node = *ref;
    auto remove_sorted = [byte](auto* n) {
      int at = 0;
      while (n->keys[at] != byte) ++at;
      for (int i = at; i + 1 < n->count; ++i) {
        n->keys[i] = n->keys[i + 1];
        n->child[i] = n->child[i + 1];
      }
      n->child[n->count - 1] = nullptr;
    };
    if (node->kind == k4) remove_sorted(static_cast<Node4*>(node));
    if (node->kind == k16) remove_sorted(static_cast<Node16*>(node));
    if (node->kind == k48) {
      auto* n = static_cast<Node48*>(node);
      n->child[n->index[byte] - 1] = nullptr;
      n->index[byte] = 0;
    }
    if (node->kind == k256) static_cast<Node256*>(node)->child[byte] = nullptr;
    if (--node->count == 0) {
      DropAny(node);
      *ref = nullptr;
    }
  }
  void DropAny(Node* node) {
    switch (node->kind) {
      case k4:
        return Drop(static_cast<Node4*>(node));
      case k16:
        return Drop(static_cast<Node16*>(node));
      case k48:
        return Drop(static_cast<Node48*>(node));
      default:
        return Drop(static_cast<Node256*>(node));
    }
  }
  void FreeAll(Node* node) {
    if (node == nullptr) return;
    if (IsLeaf(node)) {
      std::free(AsLeaf(node));
      return;
    }
    ForEach(node, 0, [this](int, Node* child) {
      FreeAll(child);
      return true;
    });
    DropAny(node);
  }

  Node* root_ = nullptr;
  size_t bytes_ = 0;
};

template <typename Key>
class ArtMap {
 public:
  static std::string Name() { return "art"; }
  template <typename Pairs>
  void Load(const Pairs& sorted) {
    for (const auto& pair : sorted) Insert(pair.key, pair.value);
  }
  bool Find(const Key& key, uint64_t* value) const { return art_.Find(View(key), value); }
  bool Insert(const Key& key, uint64_t value) { return art_.Insert(View(key), value); }
  bool Erase(const Key& key) { return art_.Erase(View(key)); }
  size_t Scan(const Key& from, size_t n, uint64_t* sum) const {
    return art_.Scan(View(from), n, sum);
  }
  size_t Bytes() const { return art_.Bytes(); }

 private:
  struct Buffer {
    char bytes[8];
    operator std::string_view() const { return {bytes, 8}; }  // NOLINT
  };
  static Buffer View(uint64_t key) {
    Buffer buffer;
    const uint64_t big = __builtin_bswap64(key);
    std::memcpy(buffer.bytes, &big, 8);
    return buffer;
  }
  static std::string_view View(const std::string& key) { return {key.data(), key.size() + 1}; }
  Art art_;
};

}  // namespace omendb::bench
