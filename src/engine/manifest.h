// manifest.h - the one file that says which checkpoint is the newest and where the log starts after
// it. Replaced as a whole, never changed in place.
//
// Format         docs/formats/manifest.md
// Thread safety  One caller at a time.
// Errors         XX001 naming file and offset when it is damaged; those of env.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/status.h"
#include "env/env.h"

namespace omendb::engine {

struct Manifest {
  uint64_t system_id = 0;       // names the data folder
  std::string checkpoint_file;  // within the folder
  Timestamp checkpoint_ts;      // commits up to here are in it
  Lsn redo_start;               // replay begins here
  Lsn must_reach;               // the log was durable up to here
};

// nullopt when the folder has none.
Result<std::optional<Manifest>> ReadManifest(env::Env& env, const std::string& dir);
// Durable, and the only one, when it returns Ok.
Status WriteManifest(env::Env& env, const std::string& dir, const Manifest& manifest);

}  // namespace omendb::engine
