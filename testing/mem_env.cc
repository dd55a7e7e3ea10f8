#include "testing/mem_env.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <set>

#include "base/mutex.h"
#include "base/sqlstate.h"
#include "testing/prng.h"

namespace omendb::testutil {
namespace {

using env::ErrnoToStatus;

// A change of a file's bytes since its last sync.
struct Change {
  enum class Kind { kWrite, kResize } kind;
  uint64_t offset;  // Of the write, or the new size.
  std::string bytes;
};

void Apply(const Change& change, std::string& content) {
  if (change.kind == Change::Kind::kResize) {
    content.resize(change.offset, '\0');
    return;
  }
  const uint64_t end = change.offset + change.bytes.size();
  if (content.size() < end) content.resize(end, '\0');
  content.replace(change.offset, change.bytes.size(), change.bytes);
}

struct Node {
  bool is_dir = false;
  std::string live;    // What readers see.
  std::string synced;  // What a power failure leaves for certain.
  std::vector<Change> changes;

  void Sync() {
    for (const Change& change : changes) Apply(change, synced);
    changes.clear();
  }
};
using NodeRef = std::shared_ptr<Node>;
using Names = std::map<std::string, NodeRef>;

// A change of a directory since its last sync.
struct NameChange {
  std::string dir;   // Which SyncDir makes it durable.
  std::string drop;  // Name that goes, if not empty.
  std::string add;   // Name that comes, if not empty.
  NodeRef node;
};

void Apply(const NameChange& change, Names& names) {
  if (!change.drop.empty()) names.erase(change.drop);
  if (!change.add.empty()) names[change.add] = change.node;
}

// The part of `change` that lies in one sector, done to that sector.
void ApplyToSector(const Change& change, uint64_t sector, std::string& content) {
  const uint64_t from = sector * kSectorBytes;
  const uint64_t to = std::min<uint64_t>(from + kSectorBytes, content.size());
  if (change.kind == Change::Kind::kResize) {
    for (uint64_t i = std::max(from, change.offset); i < to; ++i) content[i] = '\0';
    return;
  }
  const uint64_t begin = std::max(from, change.offset);
  const uint64_t end = std::min<uint64_t>(to, change.offset + change.bytes.size());
  for (uint64_t i = begin; i < end; ++i) content[i] = change.bytes[i - change.offset];
}

// The changes that touch each sector, in their order.
std::map<uint64_t, std::vector<const Change*>> ChangesBySector(const Node& node) {
  std::map<uint64_t, std::vector<const Change*>> sectors;
  uint64_t size = node.synced.size();
  for (const Change& change : node.changes) {
    // Growing changes no byte: what is new reads as zero anyway.
    const uint64_t end =
        change.kind == Change::Kind::kResize ? size : change.offset + change.bytes.size();
    for (uint64_t s = change.offset / kSectorBytes; s * kSectorBytes < end; ++s) {
      sectors[s].push_back(&change);
    }
    size = change.kind == Change::Kind::kResize ? change.offset : std::max(size, end);
  }
  return sectors;
}

// The content after a power failure in which each sector keeps some first few of its changes.
std::string Crashed(const Node& node, Prng& prng) {
  std::vector<uint64_t> sizes{node.synced.size()};
  uint64_t bytes_max = node.synced.size();
  for (const Change& change : node.changes) {
    const uint64_t end = change.offset + change.bytes.size();
    sizes.push_back(change.kind == Change::Kind::kResize ? end : std::max(sizes.back(), end));
    bytes_max = std::max(bytes_max, end);
  }
  std::string content = node.synced;
  content.resize(bytes_max, '\0');
  for (const auto& [sector, touching] : ChangesBySector(node)) {
    const uint64_t kept = prng.Below(touching.size() + 1);
    for (uint64_t i = 0; i < kept; ++i) ApplyToSector(*touching[i], sector, content);
  }
  content.resize(sizes[prng.Below(sizes.size())], '\0');
  return content;
}

}  // namespace

struct MemEnv::State {
  mutable Mutex mu;
  Names live OMEN_GUARDED_BY(mu);     // Path to node; "/" and "." are always there.
  Names durable OMEN_GUARDED_BY(mu);  // As of the last SyncDir.
  std::vector<NameChange> name_changes OMEN_GUARDED_BY(mu);
  std::set<std::string> locked OMEN_GUARDED_BY(mu);
  SyncMode sync_mode OMEN_GUARDED_BY(mu) = SyncMode::kHonest;
  uint64_t capacity OMEN_GUARDED_BY(mu) = UINT64_MAX;
  uint64_t used OMEN_GUARDED_BY(mu) = 0;

  NodeRef Find(const std::string& path) const OMEN_REQUIRES(mu) {
    const auto it = live.find(path);
    return it == live.end() ? nullptr : it->second;
  }
  bool HasDir(const std::string& dir) const OMEN_REQUIRES(mu) {
    if (dir == "/" || dir == ".") return true;
    const NodeRef node = Find(dir);
    return node != nullptr && node->is_dir;
  }
  void Change(NameChange change) OMEN_REQUIRES(mu) {
    Apply(change, live);
    name_changes.push_back(std::move(change));
  }
  // Grows or shrinks the account; false when `node` may not grow to `bytes`.
  bool Account(const Node& node, uint64_t bytes) OMEN_REQUIRES(mu) {
    const uint64_t after = used - node.live.size() + bytes;
    if (bytes > node.live.size() && after > capacity) return false;
    used = after;
    return true;
  }
};

namespace {

template <typename State>
class MemWritableFile : public env::WritableFile {
 public:
  MemWritableFile(std::shared_ptr<State> state, NodeRef node, std::string path, uint64_t offset)
      : state_(std::move(state)),
        node_(std::move(node)),
        path_(std::move(path)),
        position_(offset) {}

  Status Append(std::string_view data) override {
    MutexLock lock(state_->mu);
    const uint64_t end = std::max<uint64_t>(node_->live.size(), position_ + data.size());
    if (!state_->Account(*node_, end)) return ErrnoToStatus(ENOSPC, "write to file", path_);
    Record({Change::Kind::kWrite, position_, std::string(data)});
    position_ += data.size();
    return Status::Ok();
  }
  Status Sync() override {
    MutexLock lock(state_->mu);
    if (state_->sync_mode == SyncMode::kHonest) node_->Sync();
    return Status::Ok();
  }
  Status Preallocate(uint64_t bytes) override {
    MutexLock lock(state_->mu);
    if (bytes <= node_->live.size()) return Status::Ok();
    if (!state_->Account(*node_, bytes)) return ErrnoToStatus(ENOSPC, "extend file", path_);
    Record({Change::Kind::kResize, bytes, {}});
    return Status::Ok();
  }
  Status Close() override { return Status::Ok(); }
  uint64_t position() const override { return position_; }

 private:
  void Record(Change change) {
    Apply(change, node_->live);
    node_->changes.push_back(std::move(change));
  }
  const std::shared_ptr<State> state_;
  const NodeRef node_;
  const std::string path_;
  uint64_t position_;
};

template <typename State>
size_t ReadNode(const State& state, const Node& node, uint64_t offset, std::span<char> out) {
  MutexLock lock(state.mu);
  if (offset >= node.live.size()) return 0;
  const size_t size = std::min<size_t>(out.size(), node.live.size() - offset);
  node.live.copy(out.data(), size, offset);
  return size;
}

template <typename State>
class MemReadableFile : public env::RandomAccessFile, public env::SequentialFile {
 public:
  MemReadableFile(std::shared_ptr<State> state, NodeRef node)
      : state_(std::move(state)), node_(std::move(node)) {}
  Result<size_t> Read(uint64_t offset, std::span<char> out) const override {
    return ReadNode(*state_, *node_, offset, out);
  }
  Result<size_t> Read(std::span<char> out) override {
    const size_t got = ReadNode(*state_, *node_, position_, out);
    position_ += got;
    return got;
  }

 private:
  const std::shared_ptr<State> state_;
  const NodeRef node_;
  uint64_t position_ = 0;
};

template <typename State>
class MemFileLock : public env::FileLock {
 public:
  MemFileLock(std::shared_ptr<State> state, std::string path)
      : state_(std::move(state)), path_(std::move(path)) {}
  ~MemFileLock() override {
    MutexLock lock(state_->mu);
    state_->locked.erase(path_);
  }

 private:
  const std::shared_ptr<State> state_;
  const std::string path_;
};

}  // namespace

MemEnv::MemEnv(SimClock* clock) : state_(std::make_shared<State>()), clock_(clock) {}
MemEnv::~MemEnv() = default;

void MemEnv::SetSyncMode(SyncMode mode) {
  MutexLock lock(state_->mu);
  state_->sync_mode = mode;
}
void MemEnv::SetCapacity(uint64_t bytes) {
  MutexLock lock(state_->mu);
  state_->capacity = bytes;
}
uint64_t MemEnv::used_bytes() const {
  MutexLock lock(state_->mu);
  return state_->used;
}

std::unique_ptr<MemEnv> MemEnv::CrashClone(uint64_t seed, CrashLoss loss) const {
  auto clone = std::make_unique<MemEnv>(clock_);
  MutexLock lock(state_->mu);
  MutexLock clone_lock(clone->state_->mu);
  Prng prng(seed);
  Names names = loss == CrashLoss::kNothing ? state_->live : state_->durable;
  if (loss == CrashLoss::kRandom) {
    for (const NameChange& change : state_->name_changes) {
      if (prng.Chance(0.5)) Apply(change, names);
    }
  }
  for (const auto& [path, node] : names) {
    // Names are sorted, so a directory comes before what is in it.
    if (!clone->state_->HasDir(env::DirName(path))) continue;
    auto copy = std::make_shared<Node>();
    copy->is_dir = node->is_dir;
    copy->live = loss == CrashLoss::kNothing  ? node->live
                 : loss == CrashLoss::kRandom ? Crashed(*node, prng)
                                              : node->synced;
    copy->synced = copy->live;
    clone->state_->used += copy->live.size();
    clone->state_->live[path] = copy;
  }
  clone->state_->durable = clone->state_->live;
  clone->state_->capacity = state_->capacity;
  return clone;
}

Status MemEnv::FlipBit(const std::string& path, uint64_t offset, int bit) {
  MutexLock lock(state_->mu);
  const NodeRef node = state_->Find(path);
  if (node == nullptr) return ErrnoToStatus(ENOENT, "open file", path);
  node->Sync();
  if (offset >= node->live.size()) return ErrnoToStatus(EINVAL, "damage file", path);
  node->live[offset] = static_cast<char>(node->live[offset] ^ (1 << bit));
  node->synced = node->live;
  return Status::Ok();
}

Result<std::unique_ptr<env::WritableFile>> MemEnv::NewWritableFile(
    const std::string& path, const env::WritableOptions& options) {
  MutexLock lock(state_->mu);
  NodeRef node = state_->Find(path);
  if (node != nullptr && node->is_dir) return ErrnoToStatus(EISDIR, "open file", path);
  if (options.mode == env::OpenMode::kExisting && node == nullptr) {
    return ErrnoToStatus(ENOENT, "open file", path);
  }
  if (options.mode == env::OpenMode::kCreateNew && node != nullptr) {
    return ErrnoToStatus(EEXIST, "open file", path);
  }
  if (node == nullptr) {
    const std::string dir = env::DirName(path);
    if (!state_->HasDir(dir)) return ErrnoToStatus(ENOENT, "open file", path);
    node = std::make_shared<Node>();
    state_->Change({dir, {}, path, node});
  } else if (options.mode == env::OpenMode::kTruncate) {
    state_->Account(*node, 0);
    node->live.clear();
    node->changes.push_back({Change::Kind::kResize, 0, {}});
  }
  return std::unique_ptr<env::WritableFile>(
      std::make_unique<MemWritableFile<State>>(state_, node, path, options.offset));
}

Result<std::unique_ptr<env::RandomAccessFile>> MemEnv::NewRandomAccessFile(
    const std::string& path) {
  MutexLock lock(state_->mu);
  const NodeRef node = state_->Find(path);
  if (node == nullptr) return ErrnoToStatus(ENOENT, "open file", path);
  return std::unique_ptr<env::RandomAccessFile>(
      std::make_unique<MemReadableFile<State>>(state_, node));
}

Result<std::unique_ptr<env::SequentialFile>> MemEnv::NewSequentialFile(const std::string& path) {
  MutexLock lock(state_->mu);
  const NodeRef node = state_->Find(path);
  if (node == nullptr) return ErrnoToStatus(ENOENT, "open file", path);
  return std::unique_ptr<env::SequentialFile>(
      std::make_unique<MemReadableFile<State>>(state_, node));
}

Status MemEnv::Rename(const std::string& from, const std::string& to) {
  MutexLock lock(state_->mu);
  const NodeRef node = state_->Find(from);
  if (node == nullptr || !state_->HasDir(env::DirName(to))) {
    return ErrnoToStatus(ENOENT, "rename file", from);
  }
  if (const NodeRef old = state_->Find(to); old != nullptr) state_->used -= old->live.size();
  state_->Change({env::DirName(to), from, to, node});
  return Status::Ok();
}

Status MemEnv::Remove(const std::string& path) {
  MutexLock lock(state_->mu);
  const NodeRef node = state_->Find(path);
  if (node == nullptr) return ErrnoToStatus(ENOENT, "remove file", path);
  if (node->is_dir) return ErrnoToStatus(EISDIR, "remove file", path);
  state_->used -= node->live.size();
  state_->Change({env::DirName(path), path, {}, node});
  return Status::Ok();
}

Status MemEnv::RemoveDir(const std::string& path) {
  MutexLock lock(state_->mu);
  const NodeRef node = state_->Find(path);
  if (node == nullptr || !node->is_dir) return ErrnoToStatus(ENOENT, "remove directory", path);
  for (const auto& entry : state_->live) {
    if (env::DirName(entry.first) == path)
      return ErrnoToStatus(ENOTEMPTY, "remove directory", path);
  }
  state_->Change({env::DirName(path), path, {}, node});
  return Status::Ok();
}

Result<std::vector<std::string>> MemEnv::List(const std::string& dir) {
  MutexLock lock(state_->mu);
  if (!state_->HasDir(dir)) return ErrnoToStatus(ENOENT, "open directory", dir);
  std::vector<std::string> names;
  for (const auto& entry : state_->live) {
    if (env::DirName(entry.first) != dir) continue;
    names.push_back(entry.first.substr(entry.first.rfind('/') + 1));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Status MemEnv::CreateDir(const std::string& dir) {
  MutexLock lock(state_->mu);
  if (state_->HasDir(dir)) return Status::Ok();
  if (state_->Find(dir) != nullptr) return ErrnoToStatus(EEXIST, "create directory", dir);
  const std::string parent = env::DirName(dir);
  if (!state_->HasDir(parent)) return ErrnoToStatus(ENOENT, "create directory", dir);
  auto node = std::make_shared<Node>();
  node->is_dir = true;
  state_->Change({parent, {}, dir, std::move(node)});
  return Status::Ok();
}

Status MemEnv::SyncDir(const std::string& dir) {
  MutexLock lock(state_->mu);
  if (!state_->HasDir(dir)) return ErrnoToStatus(ENOENT, "open directory", dir);
  if (state_->sync_mode == SyncMode::kLies) return Status::Ok();
  std::vector<NameChange> rest;
  for (NameChange& change : state_->name_changes) {
    if (change.dir == dir) {
      Apply(change, state_->durable);
    } else {
      rest.push_back(std::move(change));
    }
  }
  state_->name_changes = std::move(rest);
  return Status::Ok();
}

Result<bool> MemEnv::Exists(const std::string& path) {
  MutexLock lock(state_->mu);
  return state_->HasDir(path) || state_->Find(path) != nullptr;
}

Result<uint64_t> MemEnv::FileSize(const std::string& path) {
  MutexLock lock(state_->mu);
  const NodeRef node = state_->Find(path);
  if (node == nullptr) return ErrnoToStatus(ENOENT, "stat file", path);
  return static_cast<uint64_t>(node->live.size());
}

Status MemEnv::Truncate(const std::string& path, uint64_t bytes) {
  MutexLock lock(state_->mu);
  const NodeRef node = state_->Find(path);
  if (node == nullptr) return ErrnoToStatus(ENOENT, "truncate file", path);
  if (!state_->Account(*node, bytes)) return ErrnoToStatus(ENOSPC, "truncate file", path);
  node->live.resize(bytes, '\0');
  node->changes.push_back({Change::Kind::kResize, bytes, {}});
  return Status::Ok();
}

Result<std::unique_ptr<env::FileLock>> MemEnv::LockFile(const std::string& path) {
  {
    MutexLock lock(state_->mu);
    if (!state_->locked.insert(path).second) {
      return Status(sqlstate::kObjectInUse, "lock file \"" + path + "\" is held by another server");
    }
  }
  auto held = std::make_unique<MemFileLock<State>>(state_, path);
  OMEN_ASSIGN(const bool exists, Exists(path));
  if (!exists) {
    const auto file = NewWritableFile(path, {.mode = env::OpenMode::kCreateNew});
    if (!file.ok()) return file.status();
  }
  return std::unique_ptr<env::FileLock>(std::move(held));
}

int64_t MemEnv::NowMicros() {
  if (clock_ != nullptr) return clock_->NowMicros();
  struct timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

SteadyTime MemEnv::SteadyNow() {
  return clock_ != nullptr ? clock_->SteadyNow() : std::chrono::steady_clock::now();
}

}  // namespace omendb::testutil
