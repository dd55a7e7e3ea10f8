// foreign_key_log.h - what writes have queued for foreign keys, in the order in which they came,
// packed: a statement may queue millions, of neighbouring rows and keys mostly.
//
// An event is written as what differs from the one before it of the same kind and constraint. So
// the log is read from its begin on.
//
// Thread safety  One thread at a time.
// Ownership      The log owns the bytes of strings; events read from it point there, until those
//                are forgotten. Appending moves nothing.
// Cost           Of an integer key 4 bytes an event where rows and keys follow each other, 8 or so
//                where keys come in no order. Going back reads what stays.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "engine/relation.h"
#include "types/value.h"

namespace omendb::engine {

class ForeignKeyLog {
 public:
  enum class Kind : uint8_t {
    kReferring,  // A referring row came, or changed its key.
    kDeleted,    // A referenced key is gone,
    kReplaced,   // or its row has another one now.
  };
  struct Subject {
    Kind kind = Kind::kReferring;
    Oid constraint;
    Oid referring_table;
    Oid referenced_table;
    friend bool operator==(const Subject&, const Subject&) = default;
  };
  struct Event {
    Subject subject;
    RowRef row;                         // kReferring: the new version
    std::vector<types::Value> key;      // of the constraint's columns: kReferring new, else old
    std::vector<types::Value> new_key;  // of kReplaced
  };
  class Reader;

  // `types`: of the key's columns.
  void Append(const Subject& subject, std::span<const types::PhysicalType> types, const RowRef& row,
              std::span<const types::Value> key, std::span<const types::Value> new_key);
  bool empty() const { return count_ == 0; }
  uint64_t size() const { return count_; }
  // Whether there may be events other than kReferring.
  bool may_have_gone_keys() const {
    return std::any_of(streams_.begin(), streams_.end(), [](const Stream& stream) {
      return stream.subject.kind != Kind::kReferring;
    });
  }
  // Events are numbered for good: begin() is the number of the first that is there.
  uint64_t begin() const { return begin_; }
  uint64_t end() const { return begin_ + count_; }
  // Forgets events from this number on. Requires: no reader goes on.
  void Truncate(uint64_t number);
  void Clear();
  size_t memory_bytes() const;

 private:
  // Events of one subject, whose keys have these types.
  struct Stream {
    Subject subject;
    std::vector<types::PhysicalType> types;
  };
  // The last event of a stream: what the next one differs from.
  struct Last {
    uint64_t row = 0;
    uint64_t version = 0;
    std::vector<uint64_t> key;  // integers, as their bits
    std::vector<uint64_t> new_key;
  };

  size_t StreamOf(const Subject& subject, std::span<const types::PhysicalType> types);
  std::string& BlockFor(size_t bytes);

  std::vector<Stream> streams_;
  std::vector<Last> last_;           // of each stream
  std::vector<std::string> blocks_;  // never grow beyond what they have reserved
  std::string packed_;               // the event that is being appended
  uint64_t begin_ = 0;
  uint64_t count_ = 0;
};

// Reads on when the log has grown meanwhile. Borrows it.
class ForeignKeyLog::Reader {
 public:
  explicit Reader(const ForeignKeyLog& log) : log_(&log), number_(log.begin_) {}
  // False at the end. `event` is overwritten.
  bool Next(Event& event);
  // Of the next event.
  uint64_t number() const { return number_; }

 private:
  friend class ForeignKeyLog;
  const ForeignKeyLog* log_;
  std::vector<Last> last_;
  size_t block_ = 0;
  size_t offset_ = 0;  // in the block
  uint64_t number_;
};

}  // namespace omendb::engine
