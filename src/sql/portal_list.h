// portal_list.h - the open portals of a session by name, and the memory of the one closed last,
// which the next one gets: a driver opens and closes one for each statement it runs.
//
// Thread safety  The session's thread.
// Ownership      Owns its portals. A reference to one is valid until it is closed.
// Cost           A session has few portals: they are looked through one by one.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "sql/portal.h"

namespace omendb::sql {

class PortalList {
 public:
  using Portals = std::vector<std::unique_ptr<PortalState>>;

  // Null when there is none of that name.
  PortalState* Find(std::string_view name) const;
  // A portal without a statement, which is in the list only once it is opened.
  std::unique_ptr<PortalState> New();
  // Requires: none of its name is open.
  void Open(std::unique_ptr<PortalState> portal) {
    portal->number = ++opened_;
    open_.push_back(std::move(portal));
  }
  // The number of the portal opened last.
  uint64_t opened() const { return opened_; }
  // Requires: it is open.
  void Close(const PortalState& portal);
  // Closes those of which `is_over` says so.
  template <typename Predicate>
  void CloseIf(const Predicate& is_over) {
    for (size_t i = 0; i < open_.size();) {
      if (is_over(*open_[i])) {
        CloseAt(i);
      } else {
        ++i;
      }
    }
  }
  void Clear() { open_.clear(); }

  Portals::const_iterator begin() const { return open_.begin(); }
  Portals::const_iterator end() const { return open_.end(); }

 private:
  // The last one takes its place.
  void CloseAt(size_t i);

  Portals open_;
  uint64_t opened_ = 0;
  std::unique_ptr<PortalState> spare_;  // null, or one without a statement
};

}  // namespace omendb::sql
