#include "wal/read_only_log.h"

namespace omendb::wal {
namespace {

class ReadOnlyLog final : public LogWriter {
 public:
  ReadOnlyLog(Status reason, Lsn end) : reason_(std::move(reason)), end_(end) {}

  Result<Lsn> Append(RecordKind, std::string_view, Durability) override { return reason_; }
  void RequestSync() override {}
  Status WaitDurable(Lsn lsn) override { return lsn <= end_ ? Status::Ok() : reason_; }
  Lsn appended_lsn() const override { return end_; }
  Lsn durable_lsn() const override { return end_; }
  Status status() const override { return reason_; }
  Status RemoveBefore(Lsn) override { return reason_; }
  Lsn oldest_lsn() const override { return end_; }
  LogStats stats() const override { return {}; }
  Status Close() override { return Status::Ok(); }

 private:
  const Status reason_;
  const Lsn end_;
};

}  // namespace

std::unique_ptr<LogWriter> NewReadOnlyLog(Status reason, Lsn end) {
  return std::make_unique<ReadOnlyLog>(std::move(reason), end);
}

}  // namespace omendb::wal
