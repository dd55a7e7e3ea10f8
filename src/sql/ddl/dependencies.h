// dependencies.h - what hangs on an object, and dropping an object with it (CASCADE) or refusing to
// (2BP01).
//
// Thread safety  The statement's thread.
// See            PostgreSQL 15, section 5.14 "Dependency Tracking".
#pragma once

#include <string>
#include <vector>

#include "sql/names.h"
#include "sql/statements/dispatch.h"

namespace omendb::sql {

// Something to be dropped: a relation, a constraint or an index of a table, a default, a schema.
struct DropTarget {
  enum class Kind { kTable, kView, kSequence, kIndex, kConstraint, kDefault, kSchema, kColumn };
  Kind kind;
  Oid oid;
  Oid table;        // of a constraint, index, default or column
  ColumnId column;  // of a default; a column, which ALTER TABLE drops itself
};

class Dropper {
 public:
  explicit Dropper(UtilityCall& call) : call_(call), session_(call.session) {}
  // Everything is named before anything is dropped: objects of one statement may depend on each
  // other.
  void Add(DropTarget target) { targets_.push_back(target); }
  // What hangs on something that the caller drops, of which a notice tells. Nothing if it was
  // added.
  void AddDependant(DropTarget target);
  // The same of something that the caller drops as well.
  void Tell(const DropTarget& target) { cascaded_.push_back(Describe(target)); }
  // "table t", with its schema where the search path does not find it.
  std::string Describe(const DropTarget& target) const;
  // 2BP01 with RESTRICT, notices with CASCADE. Takes the tables' locks.
  Status Run(bool cascade);

 private:
  std::vector<DropTarget> DependantsOf(const DropTarget& target) const;
  Status DropOne(const DropTarget& target);
  bool IsTarget(const DropTarget& target) const;
  void TellOfCascaded();

  UtilityCall& call_;
  SessionImpl& session_;
  std::vector<DropTarget> targets_;
  std::vector<std::string> cascaded_;
};

}  // namespace omendb::sql
