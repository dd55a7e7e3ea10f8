#include "sql/portal_list.h"

#include "base/check.h"

namespace omendb::sql {
namespace {

// The memory of larger parameters is given back.
constexpr size_t kSpareBytesMax = size_t{64} << 10;

}  // namespace

PortalState* PortalList::Find(std::string_view name) const {
  for (const auto& portal : open_) {
    if (portal->name == name) return portal.get();
  }
  return nullptr;
}

std::unique_ptr<PortalState> PortalList::New() {
  return spare_ != nullptr ? std::move(spare_) : std::make_unique<PortalState>();
}

void PortalList::Close(const PortalState& portal) {
  size_t i = 0;
  while (i < open_.size() && open_[i].get() != &portal) ++i;
  OMEN_CHECK(i < open_.size());
  CloseAt(i);
}

void PortalList::CloseAt(size_t i) {
  std::unique_ptr<PortalState> closed = std::move(open_[i]);
  if (i + 1 < open_.size()) open_[i] = std::move(open_.back());
  open_.pop_back();
  if (closed->arena.bytes_reserved() > kSpareBytesMax) return;
  closed->Reuse();
  spare_ = std::move(closed);
}

}  // namespace omendb::sql
