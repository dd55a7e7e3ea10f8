#include "engine/own_changes.h"

#include "engine/relation_impl.h"

namespace omendb::engine {

bool IsChangedByStatement(const StatementContext& context, const Relation& relation,
                          const RowRef& seen) {
  return static_cast<const RelationImpl&>(relation).IsChangedByStatement(context, seen);
}

}  // namespace omendb::engine
