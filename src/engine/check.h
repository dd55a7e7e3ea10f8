// check.h - verifies a stopped database: every checksum, and what must hold between its parts.
//
// The folder is opened as a server would open it, on an Env that keeps changes in memory, so it
// stays as it is. Checked are: the checksums of manifest, checkpoint and log, and that they fit
// together; that the catalog refers to nothing that is not there; for each table that NOT NULL
// holds, that each index has the table's rows, no other, in the order of its keys where it is
// unique with each key once, and that each foreign key finds its row.
//
// Thread safety  One call at a time for one folder; it takes the folder's lock.
// Errors         55006 when a server has it open; 58P01 when there is none; XX001 when the files
//                are damaged without which it cannot be opened, naming file and offset. What is
//                wrong inside, and each damaged part of a segment or an index run, comes as a
//                problem.
// Cost           The memory and time of a start, and a scan of each table and index.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "env/env.h"

namespace omendb::engine {

struct CheckReport {
  struct TableLine {
    std::string name;  // schema.table
    uint64_t rows = 0;
    uint64_t indexes = 0;
  };
  std::vector<TableLine> tables;
  std::vector<std::string> problems;
};

Result<CheckReport> CheckDatabase(env::Env& env, const std::string& data_dir);

}  // namespace omendb::engine
