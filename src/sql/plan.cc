#include "sql/plan.h"

#include "types/time_words.h"

namespace omendb::sql {
namespace {

bool HasTimeWord(const Node* statement) {
  bool found = false;
  WalkNode(const_cast<Node*>(statement), [&](Node* node) {
    found = found || (node->node_case == PG_QUERY__NODE__NODE_A_CONST && !node->a_const->isnull &&
                      node->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL &&
                      types::MayNameTheTime(View(node->a_const->sval->sval)));
    return !found;
  });
  return found;
}

}  // namespace

std::shared_ptr<Plan> PlanCache::Find(std::string_view key) {
  auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  if (found->second != entries_.begin()) {
    entries_.splice(entries_.begin(), entries_, found->second);
  }
  return found->second->plan;
}

void PlanCache::Put(std::string_view key, std::shared_ptr<Plan> plan) {
  if (key.size() > kTextBytesMax || HasTimeWord(plan->statement.node)) return;
  if (auto found = by_key_.find(key); found != by_key_.end()) {
    found->second->plan = std::move(plan);
    return;
  }
  text_bytes_ += key.size();
  while (entries_.size() == kPlansMax || text_bytes_ > kTextsBytesMax) DropLast();
  entries_.push_front({std::string(key), std::move(plan)});
  by_key_[entries_.front().key] = entries_.begin();
}

void PlanCache::DropLast() {
  text_bytes_ -= entries_.back().key.size();
  by_key_.erase(entries_.back().key);
  entries_.pop_back();
}

bool PlanCache::IsUnliftable(std::string_view key) const {
  return unliftable_.find(std::string(key)) != unliftable_.end();
}

void PlanCache::PutUnliftable(std::string_view key) {
  if (key.size() > kTextBytesMax) return;
  if (unliftable_.size() >= kPlansMax || unliftable_bytes_ + key.size() > kTextsBytesMax) {
    unliftable_.clear();
    unliftable_bytes_ = 0;
  }
  if (unliftable_.emplace(key, true).second) unliftable_bytes_ += key.size();
}

void PlanCache::Clear() {
  by_key_.clear();
  entries_.clear();
  text_bytes_ = 0;
  unliftable_.clear();
  unliftable_bytes_ = 0;
}

}  // namespace omendb::sql
