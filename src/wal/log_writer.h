// log_writer.h - the write-ahead log as a byte stream: append, sync, follow what is durable.
//
// Format         docs/formats/wal.md
// Thread safety  LogWriter: any thread. DurableObserver is called from the flusher thread alone,
//                one call at a time, with no lock of the log held.
// Ownership      The writer owns its files and its threads; it borrows Env and the observer, which
//                must outlive it.
// Cost           Append is a CRC and a copy under a short lock; it touches no file. One flusher
//                thread writes and syncs what has gathered (group commit): one sync serves every
//                commit that arrived while the last one ran.
// Blocking       Append blocks the thread only when the disk is behind: more than
//                LogOptions::buffer_bytes_max unwritten, or no prepared segment left.
// Invariants     I1  durable_lsn() <= appended_lsn(), both only grow
//                I2  bytes before durable_lsn() are never written again
//                I3  OnDurable comes in increasing order, after the sync and before any later one
//                I4  an LSN once returned is in the stream for good, or the log has failed
// Failure        Space is set aside before it is used, so a full disk shows before anything is
//                torn: Append then answers 53100, takes nothing, and works again when there is
//                space. A failed write or sync of the stream is sticky: what is durable is unknown
//                from there on, so every later call answers 58030 with Radius::kDatabase and the
//                observer gets OnFailure once. Reads go on; a restart recovers what the disk has.
// See            DESIGN section 7 (log as a stream); ARIES (Mohan 1992) for redo; PostgreSQL
//                15, 30.3 "Write-Ahead Logging" and 30.5 "WAL Configuration" (commit_delay).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/status.h"
#include "env/env.h"

namespace omendb::wal {

// What a record holds is the business of the log's user; 0 is reserved. Values reach the disk: the
// user must not renumber them.
using RecordKind = uint8_t;

enum class Durability {
  kSync,   // Sync as soon as possible: a commit that waits.
  kAsync,  // Sync within LogOptions::async_sync_delay (synchronous_commit = off), or with the next
           // kSync record: parts of a transaction before its commit, statistics.
};

// Told what became durable.
class DurableObserver {
 public:
  virtual ~DurableObserver() = default;
  // Everything before `durable` survives a power failure. Must not block.
  virtual void OnDurable(Lsn durable) = 0;
  // The log has failed for good (see Failure above). Records at or past durable_lsn() may or may
  // not be on disk: their transactions must not be acknowledged, nor reported as rolled back.
  virtual void OnFailure(const Status& status) = 0;
};

struct LogOptions {
  // Identity of the data folder: segments of another one are refused.
  uint64_t system_id = 0;
  uint64_t segment_bytes = 16 << 20;  // Multiple of 4096, at least 4096.
  // Appends wait while more than this is unwritten.
  uint64_t buffer_bytes_max = 64 << 20;
  // How many segments are kept ready ahead of the one being written.
  int spare_segments = 1;
  // Old segments kept for reuse by RemoveBefore, beyond the spares. A reused segment needs no
  // zeroing and its space is known to be there.
  int recycled_segments_max = 8;
  std::chrono::milliseconds async_sync_delay{200};  // wal_writer_delay
  // False: never sync, and report what is merely written as durable (fsync = off). For tests that
  // must be able to lose data, and for nothing else.
  bool fsync = true;
};

struct LogStats {
  uint64_t records = 0;
  uint64_t bytes = 0;  // Appended, framing included.
  uint64_t writes = 0;
  uint64_t syncs = 0;
  uint64_t synced_requests = 0;  // kSync appends covered; / syncs = commits per sync.
  uint64_t sync_micros = 0;      // Time in fdatasync.
  uint64_t segments_created = 0;
  uint64_t segments_recycled = 0;
  uint64_t append_waits = 0;  // Appends that had to block.
};

class LogWriter {
 public:
  // Longer payloads: 54000. Prefer records below 1 MiB: a transaction's changes may go as several
  // records before its commit record, while others append between them.
  static constexpr uint64_t kPayloadBytesMax = 1ULL << 30;

  virtual ~LogWriter() = default;

  // Adds one record to the stream and returns the LSN just after it: it is durable once
  // durable_lsn() >= that. Does not wait for the disk (but see Blocking).
  virtual Result<Lsn> Append(RecordKind kind, std::string_view payload, Durability durability) = 0;

  // Asks for everything appended so far to be synced soon; does not wait.
  virtual void RequestSync() = 0;
  // Blocks the thread until everything before `lsn` is durable, or the log has failed. Not for
  // event-loop threads: those follow the observer.
  virtual Status WaitDurable(Lsn lsn) = 0;

  virtual Lsn appended_lsn() const = 0;
  virtual Lsn durable_lsn() const = 0;
  // Ok, or the sticky failure.
  virtual Status status() const = 0;

  // Drops or recycles segments that end at or before `lsn`: nothing will be read from before it
  // again. Call after the checkpoint that makes this true is durable.
  virtual Status RemoveBefore(Lsn lsn) = 0;
  // Start of the oldest segment kept.
  virtual Lsn oldest_lsn() const = 0;

  virtual LogStats stats() const = 0;

  // Syncs everything, stops the threads, closes. Later calls answer 57P01. The destructor does the
  // same and tells no errors.
  virtual Status Close() = 0;
};

// Where the first record of a new log begins.
Lsn FirstLsn();

// Opens the log in `dir` for appending at `end`: FirstLsn() in an empty directory (which is
// created), or what LogReader::end() gave after reading to the end. Whatever lies past `end` is
// wiped first, so that it can never be taken for part of the log. `observer` may be null.
Result<std::unique_ptr<LogWriter>> OpenLogWriter(env::Env& env, const std::string& dir,
                                                 const LogOptions& options, Lsn end,
                                                 DurableObserver* observer);

}  // namespace omendb::wal
