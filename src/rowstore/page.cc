#include "rowstore/page.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/check.h"

namespace omendb::rowstore {
namespace {

size_t AlignUp(size_t bytes) { return (bytes + 63) & ~size_t{63}; }

size_t ValidityWords(uint32_t capacity) { return (capacity + 63) / 64; }

}  // namespace

Layout::Layout(std::vector<types::PhysicalType> columns) : columns_(std::move(columns)) {
  for (uint32_t i = 0; i < columns_.size(); ++i) {
    row_bytes_ += static_cast<size_t>(types::PhysicalSize(columns_[i]));
    if (columns_[i] == types::PhysicalType::kString) string_columns_.push_back(i);
  }
}

Page::Page(uint64_t number, uint32_t capacity, std::shared_ptr<const Layout> layout, size_t bytes)
    : layout_(std::move(layout)), number_(number), capacity_(capacity), bytes_(bytes) {}

Page::Ptr Page::Create(uint64_t number, uint32_t capacity, std::shared_ptr<const Layout> layout) {
  OMEN_CHECK(capacity <= kPageSlots);
  const size_t columns_count = layout->columns_count();
  const size_t header_at = AlignUp(sizeof(Page));
  const size_t columns_at = header_at + AlignUp(capacity * sizeof(VersionHeader));
  size_t bytes = columns_at + AlignUp(columns_count * sizeof(Column));
  for (const types::PhysicalType type : layout->columns()) {
    bytes += AlignUp(capacity * static_cast<size_t>(types::PhysicalSize(type))) +
             AlignUp(ValidityWords(capacity) * sizeof(uint64_t));
  }
  void* memory = std::aligned_alloc(64, bytes);
  if (memory == nullptr) return nullptr;
  auto* page = new (memory) Page(number, capacity, std::move(layout), bytes);
  char* base = static_cast<char*>(memory);
  page->headers_ = reinterpret_cast<VersionHeader*>(base + header_at);
  for (uint32_t i = 0; i < capacity; ++i) {
    auto* header = new (&page->headers_[i]) VersionHeader;
    header->begin.store(mvcc::kInfinity, std::memory_order_relaxed);
    header->end.store(mvcc::kInfinity, std::memory_order_relaxed);
    header->prev.store(0, std::memory_order_relaxed);
    header->row_id = 0;
  }
  page->columns_ = reinterpret_cast<Column*>(base + columns_at);
  char* next = base + columns_at + AlignUp(columns_count * sizeof(Column));
  for (size_t i = 0; i < columns_count; ++i) {
    auto* column = new (&page->columns_[i]) Column;
    column->type = page->layout_->columns()[i];
    column->size = static_cast<uint8_t>(types::PhysicalSize(column->type));
    column->has_nulls.store(false, std::memory_order_relaxed);
    column->cells = next;
    next += AlignUp(capacity * size_t{column->size});
    column->validity = reinterpret_cast<uint64_t*>(next);
    std::memset(next, 0xff, ValidityWords(capacity) * sizeof(uint64_t));
    next += AlignUp(ValidityWords(capacity) * sizeof(uint64_t));
    // DuckDB may look at cells of NULL rows and of slots that are not selected.
    std::memset(column->cells, 0, capacity * size_t{column->size});
  }
  return Ptr(page);
}

void Page::Deleter::operator()(Page* page) const {
  const uint32_t used = page->used();
  for (uint32_t slot = 0; slot < used; ++slot) page->FreeStrings(slot);
  page->~Page();
  std::free(page);
}

void Page::SetNull(uint32_t column, uint32_t slot) {
  std::atomic_ref<uint64_t> word(columns_[column].validity[slot >> 6]);
  word.fetch_and(~(1ULL << (slot & 63)), std::memory_order_relaxed);
  columns_[column].has_nulls.store(true, std::memory_order_release);
}

void Page::SetValid(uint32_t column, uint32_t slot) {
  std::atomic_ref<uint64_t> word(columns_[column].validity[slot >> 6]);
  word.fetch_or(1ULL << (slot & 63), std::memory_order_relaxed);
}

size_t Page::WriteRow(uint32_t slot, std::span<const types::Value> row) {
  const size_t count = std::min(row.size(), layout_->columns_count());
  size_t long_bytes = 0;
  for (const uint32_t i : layout_->string_columns()) {
    if (i < count && !row[i].is_null && row[i].text.size > types::StringSlot::kInlineMax) {
      long_bytes += row[i].text.size;
    }
  }
  char* heap = nullptr;
  size_t allocated = 0;
  if (long_bytes > 0) {
    heap = static_cast<char*>(std::malloc(long_bytes));
    OMEN_CHECK(heap != nullptr);
    allocated = malloc_usable_size(heap);
  }
  const auto& types = layout_->columns();
  for (uint32_t i = 0; i < types.size(); ++i) {
    Column& c = columns_[i];
    char* cell = c.cells + size_t{slot} * c.size;
    if (i >= count || row[i].is_null) {
      std::memset(cell, 0, c.size);
      SetNull(i, slot);
      continue;
    }
    if (types[i] == types::PhysicalType::kString &&
        row[i].text.size > types::StringSlot::kInlineMax) {
      std::memcpy(heap, row[i].text.data, row[i].text.size);
      const types::StringSlot s = types::StringSlot::Of({heap, row[i].text.size});
      std::memcpy(cell, &s, sizeof(s));
      heap += row[i].text.size;
    } else {
      types::StoreCell(types[i], cell, row[i]);
    }
  }
  return allocated;
}

void Page::WriteFixed(uint32_t column, uint32_t slot, uint32_t count, const types::ColumnView& view,
                      uint32_t first_row) {
  Column& c = columns_[column];
  const size_t size = c.size;
  char* to = c.cells + slot * size;
  const char* from = static_cast<const char*>(view.data);
  if (view.selection == nullptr) {
    std::memcpy(to, from + first_row * size, count * size);
  } else {
    for (uint32_t i = 0; i < count; ++i) {
      std::memcpy(to + i * size, from + view.selection[first_row + i] * size, size);
    }
  }
  if (view.validity == nullptr) return;
  for (uint32_t i = 0; i < count; ++i) {
    if (!view.is_null(first_row + i)) continue;
    std::memset(to + i * size, 0, size);
    SetNull(column, slot + i);
  }
}

size_t Page::WriteRows(uint32_t slot, uint32_t count, const types::Chunk& chunk,
                       uint32_t first_row) {
  const auto& strings = layout_->string_columns();
  for (uint32_t column = 0; column < layout_->columns_count(); ++column) {
    if (column < chunk.columns.size()) {
      WriteFixed(column, slot, count, chunk.columns[column], first_row);
      continue;
    }
    for (uint32_t i = 0; i < count; ++i) SetNull(column, slot + i);
  }
  if (strings.empty()) return 0;
  // The slots point at the chunk's strings now; give each version its own bytes.
  size_t allocated = 0;
  for (uint32_t i = 0; i < count; ++i) {
    size_t long_bytes = 0;
    for (const uint32_t column : strings) {
      const auto* cells = reinterpret_cast<const types::StringSlot*>(columns_[column].cells);
      const types::StringSlot& cell = cells[slot + i];
      if (!cell.is_inline()) long_bytes += cell.size;
    }
    if (long_bytes == 0) continue;
    auto* heap = static_cast<char*>(std::malloc(long_bytes));
    OMEN_CHECK(heap != nullptr);
    allocated += malloc_usable_size(heap);
    for (const uint32_t column : strings) {
      auto* cells = reinterpret_cast<types::StringSlot*>(columns_[column].cells);
      types::StringSlot& cell = cells[slot + i];
      if (cell.is_inline()) continue;
      std::memcpy(heap, cell.pointer, cell.size);
      cell.pointer = heap;
      heap += cell.size;
    }
  }
  return allocated;
}

size_t Page::FreeStrings(uint32_t slot) {
  for (const uint32_t i : layout_->string_columns()) {
    if (is_null(i, slot)) continue;
    types::StringSlot s;
    std::memcpy(&s, columns_[i].cells + size_t{slot} * sizeof(s), sizeof(s));
    if (s.is_inline()) continue;
    // The first long string begins the version's allocation.
    auto* heap = const_cast<char*>(s.pointer);
    const size_t bytes = malloc_usable_size(heap);
    std::free(heap);
    return bytes;
  }
  return 0;
}

void Page::TryMarkClean() {
  const uint64_t modifications = modifications_.load(std::memory_order_acquire);
  if (used() != capacity_ || freed_count_.load(std::memory_order_acquire) != 0) return;
  uint64_t newest = 1;
  for (uint32_t slot = 0; slot < capacity_; ++slot) {
    const uint64_t begin = headers_[slot].begin.load(std::memory_order_acquire);
    if (begin >= kCleanTimestampMask) return;  // Not stamped, or dead.
    if (headers_[slot].end.load(std::memory_order_acquire) != mvcc::kInfinity) return;
    newest = std::max(newest, begin);
  }
  if (thawed_.load(std::memory_order_acquire)) return;  // After the begins that it comes before.
  clean_.store(modifications << kCleanTimestampBits | newest, std::memory_order_release);
}

bool Page::IsSettled(uint64_t newest_max) const {
  const uint32_t used_slots = used();
  for (uint32_t slot = 0; slot < used_slots; ++slot) {
    const VersionHeader& header = headers_[slot];
    const uint64_t begin = header.begin.load(std::memory_order_acquire);
    if (begin == mvcc::kInfinity && is_free(slot)) continue;
    // A mark and infinity are greater than any timestamp.
    if (begin > newest_max || header.end.load(std::memory_order_acquire) != mvcc::kInfinity ||
        OlderOf(header.prev.load(std::memory_order_acquire)) != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace omendb::rowstore
