// sequence_name.h - from the argument of nextval() and its kin to a sequence of the catalog.
//
// Thread safety  The statement's threads.
// Errors         42P01 when there is no such relation, 42809 when it is no sequence.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "catalog/definitions.h"
#include "catalog/snapshot.h"
#include "types/value.h"

namespace omendb::duck {

class SessionState;

// A possibly quoted, possibly qualified name: parts in the case they are looked up by.
Result<std::vector<std::string>> SplitName(std::string_view name);
// The relation of that name by the session's search path; empty when there is none.
Result<catalog::Relation> FindRelationByName(SessionState& state, std::string_view name);
// `argument` is a name (text) or an Oid (regclass).
Result<std::shared_ptr<const catalog::SequenceDef>> FindSequence(SessionState& state,
                                                                 const types::SqlType& type,
                                                                 const types::Value& argument);

}  // namespace omendb::duck
