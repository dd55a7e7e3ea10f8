// log_reader.h - reads the log from an LSN to its end, and tells a torn end from damage.
//
// Format         docs/formats/wal.md
// Thread safety  One caller at a time. May run beside a LogWriter when it stays below its
//                durable_lsn() (ReaderOptions::limit).
// Ownership      Borrows Env, which must outlive it.
// End of log     The first record that is not whole and valid ends the log, unless something proves
//                that its bytes had once been durable: a later valid record written after they were
//                synced (each record says what was durable when it was appended), or
//                ReaderOptions::must_reach. Then it is damage: XX001 naming file and offset, and
//                nothing is skipped. Bytes of the last sync before a crash carry no such proof.
// Errors         XX001 damage, a missing segment, or another system's segment; 58030 reading
// failed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/status.h"
#include "env/env.h"
#include "wal/log_writer.h"

namespace omendb::wal {

struct Record {
  RecordKind kind = 0;
  std::string_view payload;  // Valid until the next call of Next.
  Lsn begin;                 // Where a reader may start to see this record first.
  Lsn end;                   // What Append returned.
};

struct ReaderOptions {
  uint64_t system_id = 0;  // 0 = take it from the first segment.
  // The log is known to be whole up to here (the manifest says so): ending earlier is damage.
  Lsn must_reach{0};
  // Stop before the first record that ends past this: the end of a record, e.g. durable_lsn().
  // Everything before it must be valid.
  Lsn limit{UINT64_MAX};
  // Reading starts at the oldest segment kept, which may begin inside a record: skip that.
  bool skip_begun = false;
};

class LogReader {
 public:
  virtual ~LogReader() = default;
  // True and a record, or false at the end of the log (again and again).
  virtual Result<bool> Next(Record* record) = 0;
  // Where the next record begins; after Next returned false, where a writer continues.
  virtual Lsn end() const = 0;
};

// `start` must be FirstLsn(), or the begin or end of a record. XX001 if the segment it lies in is
// gone while others are there; an empty directory is an empty log if `start` is FirstLsn().
Result<std::unique_ptr<LogReader>> OpenLogReader(env::Env& env, const std::string& dir, Lsn start,
                                                 const ReaderOptions& options);

}  // namespace omendb::wal
