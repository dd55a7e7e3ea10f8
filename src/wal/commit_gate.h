// commit_gate.h - decides how long a sync waits for more commits to join it.
//
// Without waiting, eight committers fall into a rhythm of syncs that serve one and seven in turn:
// the first to return starts a sync, all others miss it. So after each sync the gate guesses how
// many committers are about: those just released, who will likely commit again, and those already
// queued. The next sync waits for that many, for at most half a sync's time. One committer alone is
// never delayed. When waiting did not help (committers think longer than a sync takes), the gate
// stays open for a number of syncs that doubles with each disappointment.
//
// Thread safety  One caller at a time. Pure.
// See            PostgreSQL's commit_delay and commit_siblings, which must be set by hand.
#pragma once

#include <algorithm>
#include <cstdint>

namespace omendb::wal {

class CommitGate {
 public:
  // How many commits should be there before syncing. At least 1.
  uint64_t target() const { return syncs_to_skip_ > 0 ? 1 : target_; }
  // How long to wait for them.
  int64_t patience_micros() const { return std::min(sync_micros_ / 2, kPatienceMicrosMax); }

  // A wait ended with `pending` commits there.
  void OnWaited(uint64_t pending) {
    if (pending >= target_) {
      skip_ = 1;
      return;
    }
    syncs_to_skip_ = skip_;
    skip_ = std::min(skip_ * 2, kSkipMax);
  }

  // A sync took `micros`, released `released` commits, and `queued` had come meanwhile.
  void OnSync(uint64_t released, uint64_t queued, int64_t micros) {
    if (syncs_to_skip_ > 0) --syncs_to_skip_;
    target_ = std::max<uint64_t>(released + queued, 1);
    // A moving average over about eight syncs.
    sync_micros_ += (micros - sync_micros_) / 8;
  }

 private:
  static constexpr int64_t kPatienceMicrosMax = 1000;
  static constexpr uint64_t kSkipMax = 64;

  uint64_t target_ = 1;
  int64_t sync_micros_ = 200;  // A guess until syncs were seen.
  uint64_t skip_ = 1;
  uint64_t syncs_to_skip_ = 0;
};

}  // namespace omendb::wal
