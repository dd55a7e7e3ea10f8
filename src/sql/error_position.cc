#include "sql/error_position.h"

#include <algorithm>

#include "base/sqlstate.h"
#include "types/text_io.h"

namespace omendb::sql {
namespace {

// The name in 'column "a" does not exist', 'column t.a does not exist', "function f(integer) ...".
std::string NamedIn(const std::string& message) {
  const size_t quote = message.find('"');
  if (quote != std::string::npos) {
    return message.substr(quote + 1, message.find('"', quote + 1) - quote - 1);
  }
  const size_t space = message.find(' ');
  if (space == std::string::npos) return "";
  return message.substr(space + 1, message.find_first_of(" (", space + 1) - space - 1);
}

std::string_view LastPart(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

int LocationOf(const Node* root, SqlState state, const std::string& name) {
  int location = -1;
  const std::string_view last = LastPart(name);
  auto take = [&](bool matches, int at) {
    if (matches && (location < 0 || at < location)) location = at;
  };
  WalkAllMessages(const_cast<ProtobufCMessage*>(&root->base), [&](ProtobufCMessage* message) {
    if (message->descriptor == &pg_query__range_var__descriptor) {
      auto* range = reinterpret_cast<PgQuery__RangeVar*>(message);
      take(state == sqlstate::kUndefinedTable && View(range->relname) == last, range->location);
    } else if (message->descriptor == &pg_query__column_ref__descriptor) {
      auto* column = reinterpret_cast<PgQuery__ColumnRef*>(message);
      const bool by_column =
          (state == sqlstate::kUndefinedColumn || state == sqlstate::kAmbiguousColumn ||
           state == sqlstate::kGroupingError) &&
          LastName(column->fields, column->n_fields) == last;
      const bool by_table = state == sqlstate::kUndefinedTable && column->n_fields > 1 &&
                            StringOf(column->fields[column->n_fields - 2]) == last;
      take(by_column || by_table, column->location);
    } else if (message->descriptor == &pg_query__func_call__descriptor) {
      auto* call = reinterpret_cast<PgQuery__FuncCall*>(message);
      take(state == sqlstate::kUndefinedFunction &&
               LastName(call->funcname, call->n_funcname) == last,
           call->location);
    } else if (message->descriptor == &pg_query__res_target__descriptor) {
      auto* target = reinterpret_cast<PgQuery__ResTarget*>(message);
      take((state == sqlstate::kUndefinedColumn || state == sqlstate::kDuplicateColumn) &&
               View(target->name) == last && target->location > 0,
           target->location);
    }
    return true;
  });
  return location;
}

// UPDATE t SET nosuch = 1 names the relation, as PostgreSQL does; so does a column missing in GROUP
// BY.
std::string Reworded(const ErrorInfo& info, const Node* node, const std::string& name) {
  if (info.sqlstate == sqlstate::kUndefinedColumn &&
      node->node_case == PG_QUERY__NODE__NODE_UPDATE_STMT &&
      info.message == "column \"" + name + "\" does not exist") {
    const PgQuery__UpdateStmt& update = *node->update_stmt;
    for (size_t i = 0; i < update.n_target_list; ++i) {
      if (View(update.target_list[i]->res_target->name) == name) {
        return "column \"" + name + "\" of relation \"" +
               std::string(View(update.relation->relname)) + "\" does not exist";
      }
    }
  }
  if (info.sqlstate == sqlstate::kGroupingError &&
      node->node_case == PG_QUERY__NODE__NODE_SELECT_STMT && name.find('.') == std::string::npos &&
      info.message.starts_with("column \"" + name + "\" must appear")) {
    const PgQuery__SelectStmt& select = *node->select_stmt;
    if (select.n_from_clause == 1 &&
        select.from_clause[0]->node_case == PG_QUERY__NODE__NODE_RANGE_VAR) {
      const PgQuery__RangeVar& range = *select.from_clause[0]->range_var;
      const std::string table(range.alias != nullptr ? View(range.alias->aliasname)
                                                     : View(range.relname));
      return "column \"" + table + "." + name + info.message.substr(name.size() + 8);
    }
  }
  return info.message;
}

}  // namespace

Status AnnotatePosition(Status status, const Statement& statement) {
  if (status.ok() || statement.node == nullptr) return status;
  const ErrorInfo info = status.error();
  if (!info.sqlstate.view().starts_with("42")) return status;
  const std::string name = NamedIn(info.message);
  const int location = name.empty() ? -1 : LocationOf(statement.node, info.sqlstate, name);
  ErrorInfo reworded = info;
  reworded.message = Reworded(info, statement.node, name);
  status = Status(std::move(reworded));
  if (info.position > 0) return status;
  const std::string& text = statement.tree->text();
  if (location < 0 || static_cast<size_t>(location) > text.size()) return status;
  const auto before = std::string_view(text).substr(0, static_cast<size_t>(location));
  return std::move(status).WithPosition(static_cast<int>(types::Utf8Length(before)) + 1);
}

}  // namespace omendb::sql
