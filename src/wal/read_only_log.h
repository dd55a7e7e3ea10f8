// read_only_log.h - a log that takes nothing: of a database that is read as it was found.
//
// Every call that would write answers the reason, as a log does that has failed. No file is
// touched, and everything before `end` is durable.
//
// Thread safety  Any thread.
#pragma once

#include <memory>

#include "wal/log_writer.h"

namespace omendb::wal {

// Requires: !reason.ok().
std::unique_ptr<LogWriter> NewReadOnlyLog(Status reason, Lsn end);

}  // namespace omendb::wal
