// Index runs to one: see index_run_writer.h.
#include <utility>

#include "base/bytes.h"
#include "colstore/index_run_writer.h"

namespace omendb::colstore {
namespace {

// Between two looks at `stop`.
constexpr uint64_t kStopEntries = 1024;

// A run and where it is read.
struct Source {
  explicit Source(const IndexRun& run) : cursor(run, /*keep=*/false) {}
  void Take() {
    entry = cursor.entry();
    // A row id is that long, so an entry is.
    prefix = LoadBe<uint64_t>(entry.data());
  }
  bool operator<(const Source& other) const {
    return prefix != other.prefix ? prefix < other.prefix : entry < other.entry;
  }
  IndexRun::Cursor cursor;
  std::string_view entry;  // the next one
  uint64_t prefix = 0;     // its first bytes, as a number
};

// The sources, the one with the least entry first.
class Heap {
 public:
  Status Add(const IndexRun& run) {
    auto source = std::make_unique<Source>(run);
    OMEN_TRY(source->cursor.SeekForward({}));
    source->Take();
    heap_.push_back(std::move(source));
    for (size_t at = heap_.size() - 1; at > 0 && *heap_[at] < *heap_[(at - 1) / 2];) {
      const size_t parent = (at - 1) / 2;
      std::swap(heap_[at], heap_[parent]);
      at = parent;
    }
    return Status::Ok();
  }
  bool empty() const { return heap_.empty(); }
  std::string_view least() const { return heap_.front()->entry; }
  Status Step() {
    OMEN_TRY(heap_.front()->cursor.Next());
    if (heap_.front()->cursor.at_end()) {
      heap_.front() = std::move(heap_.back());
      heap_.pop_back();
    } else {
      heap_.front()->Take();
    }
    SiftDown();
    return Status::Ok();
  }

 private:
  void SiftDown() {
    for (size_t at = 0;;) {
      size_t least = 2 * at + 1;
      if (least >= heap_.size()) return;
      if (least + 1 < heap_.size() && *heap_[least + 1] < *heap_[least]) ++least;
      if (!(*heap_[least] < *heap_[at])) return;
      std::swap(heap_[least], heap_[at]);
      at = least;
    }
  }
  std::vector<std::unique_ptr<Source>> heap_;
};

}  // namespace

Result<bool> MergeIndexRuns(std::span<const std::shared_ptr<const IndexRun>> runs,
                            const std::function<bool()>& stop, IndexRunWriter& out) {
  Heap heap;
  for (const auto& run : runs) OMEN_TRY(heap.Add(*run));
  for (uint64_t entries = 0; !heap.empty(); ++entries) {
    if (entries % kStopEntries == 0 && stop()) return false;
    OMEN_TRY(out.Add(heap.least()));
    OMEN_TRY(heap.Step());
  }
  return true;
}

}  // namespace omendb::colstore
