#include "sql/error_position.h"

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

// The first place in the text that `at` answers for; it answers a byte offset, or -1.
template <typename At>
int FirstLocation(ProtobufCMessage* root, const At& at) {
  int first = -1;
  WalkAllMessages(root, [&](ProtobufCMessage* message) {
    const int location = at(message);
    if (location >= 0 && (first < 0 || location < first)) first = location;
    return true;
  });
  return first;
}

template <typename T>
const T* As(const ProtobufCMessage* message, const ProtobufCMessageDescriptor& descriptor) {
  return message->descriptor == &descriptor ? reinterpret_cast<const T*>(message) : nullptr;
}

// Where an expression begins: the first of its parts.
int StartOf(Node* expression) {
  return FirstLocation(&expression->base, [](const ProtobufCMessage* message) {
    const ProtobufCFieldDescriptor* field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, "location");
    if (field == nullptr) return -1;
    return *reinterpret_cast<const int32_t*>(reinterpret_cast<const char*>(message) +
                                             field->offset);
  });
}

// A string constant of this text: 'x'::int, nextval('nosuch').
int ConstantLocation(const Node* root, std::string_view text) {
  return FirstLocation(const_cast<ProtobufCMessage*>(&root->base), [&](ProtobufCMessage* message) {
    const auto* constant = As<PgQuery__AConst>(message, pg_query__a__const__descriptor);
    const bool matches = constant != nullptr && !constant->isnull &&
                         constant->val_case == PG_QUERY__A__CONST__VAL_SVAL &&
                         View(constant->sval->sval) == text;
    return matches ? constant->location : -1;
  });
}

// Whether a function reads the constant when the statement runs: PostgreSQL says no place then.
bool IsReadByTemplate(const Node* root, std::string_view text) {
  bool found = false;
  WalkNode(const_cast<Node*>(root), [&](Node* node) {
    if (node->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) return !found;
    const PgQuery__FuncCall& call = *node->func_call;
    const std::string_view name = LastName(call.funcname, call.n_funcname);
    if (name != "to_date" && name != "to_timestamp" && name != "to_number") return !found;
    for (size_t i = 0; i < call.n_args; ++i) {
      found = found || ConstantLocation(call.args[i], text) >= 0;
    }
    return !found;
  });
  return found;
}

int TableLocation(const Node* root, std::string_view name) {
  return FirstLocation(const_cast<ProtobufCMessage*>(&root->base), [&](ProtobufCMessage* message) {
    if (const auto* range = As<PgQuery__RangeVar>(message, pg_query__range_var__descriptor)) {
      return View(range->relname) == name ? range->location : -1;
    }
    const auto* column = As<PgQuery__ColumnRef>(message, pg_query__column_ref__descriptor);
    const bool names_table = column != nullptr && column->n_fields > 1 &&
                             StringOf(column->fields[column->n_fields - 2]) == name;
    return names_table ? column->location : -1;
  });
}

// Only queries say where an unknown table stands: DROP TABLE and its like do not.
int UndefinedTableLocation(const Node* root, const std::string& name) {
  int location = -1;
  WalkNode(const_cast<Node*>(root), [&](Node* node) {
    if (!IsQuery(node) || location >= 0) return location < 0;
    location = TableLocation(node, LastPart(name));
    return false;
  });
  return location >= 0 ? location : ConstantLocation(root, name);
}

int SchemaLocation(const Node* root, std::string_view name) {
  return FirstLocation(const_cast<ProtobufCMessage*>(&root->base), [&](ProtobufCMessage* message) {
    const auto* range = As<PgQuery__RangeVar>(message, pg_query__range_var__descriptor);
    return range != nullptr && View(range->schemaname) == name ? range->location : -1;
  });
}

// Queries and CREATE TABLE say which name stands in a schema that is closed to them.
int ClosedSchemaLocation(const Node* root, std::string_view name) {
  const bool creates = root->node_case == PG_QUERY__NODE__NODE_CREATE_STMT;
  if (!creates && !IsQuery(root)) return -1;
  const int location = SchemaLocation(root, name);
  return location < 0 && creates ? root->create_stmt->relation->location : location;
}

int ColumnLocation(const Node* root, SqlState state, std::string_view name) {
  return FirstLocation(const_cast<ProtobufCMessage*>(&root->base), [&](ProtobufCMessage* message) {
    if (const auto* column = As<PgQuery__ColumnRef>(message, pg_query__column_ref__descriptor)) {
      return LastName(column->fields, column->n_fields) == name ? column->location : -1;
    }
    const auto* target = As<PgQuery__ResTarget>(message, pg_query__res_target__descriptor);
    const bool is_target = target != nullptr && target->location > 0 &&
                           state != sqlstate::kAmbiguousColumn &&
                           state != sqlstate::kGroupingError && View(target->name) == name;
    return is_target ? target->location : -1;
  });
}

int FunctionLocation(const Node* root, std::string_view name) {
  return FirstLocation(const_cast<ProtobufCMessage*>(&root->base), [&](ProtobufCMessage* message) {
    const auto* call = As<PgQuery__FuncCall>(message, pg_query__func_call__descriptor);
    const bool matches = call != nullptr && LastName(call->funcname, call->n_funcname) == name;
    return matches ? call->location : -1;
  });
}

// "operator does not exist: integer + boolean".
int OperatorLocation(const Node* root, const std::string& message_text) {
  return FirstLocation(const_cast<ProtobufCMessage*>(&root->base), [&](ProtobufCMessage* message) {
    const auto* expr = As<PgQuery__AExpr>(message, pg_query__a__expr__descriptor);
    if (expr == nullptr) return -1;
    const std::string name = " " + std::string(LastName(expr->name, expr->n_name)) + " ";
    return message_text.find(name) != std::string::npos ? expr->location : -1;
  });
}

// The constraint that names an unknown column, or is one primary key too many.
int ConstraintLocation(const Node* root, const std::string& message_text, const std::string& name) {
  const bool second_key = message_text.starts_with("multiple primary keys");
  int keys = 0;
  return FirstLocation(const_cast<ProtobufCMessage*>(&root->base), [&](ProtobufCMessage* message) {
    const auto* constraint = As<PgQuery__Constraint>(message, pg_query__constraint__descriptor);
    if (constraint == nullptr) return -1;
    if (second_key) {
      const bool is_key = constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY;
      return is_key && ++keys == 2 ? constraint->location : -1;
    }
    for (size_t i = 0; i < constraint->n_keys; ++i) {
      if (StringOf(constraint->keys[i]) == name) return constraint->location;
    }
    return -1;
  });
}

// The same of MERGE's INSERT: there only more expressions than columns have a place.
int UnmatchedMergeLocation(const PgQuery__MergeStmt& merge, size_t table_columns) {
  for (size_t i = 0; i < merge.n_merge_when_clauses; ++i) {
    const PgQuery__MergeWhenClause& when = *merge.merge_when_clauses[i]->merge_when_clause;
    const size_t columns = when.n_target_list > 0 ? when.n_target_list : table_columns;
    if (when.n_values > columns) return StartOf(when.values[columns]);
  }
  return -1;
}

// INSERT with more expressions than columns, or the other way round: the first without a partner.
int UnmatchedInsertLocation(const Node* root, size_t table_columns) {
  if (root->node_case == PG_QUERY__NODE__NODE_MERGE_STMT) {
    return UnmatchedMergeLocation(*root->merge_stmt, table_columns);
  }
  if (root->node_case != PG_QUERY__NODE__NODE_INSERT_STMT) return -1;
  const PgQuery__InsertStmt& insert = *root->insert_stmt;
  if (insert.select_stmt == nullptr ||
      insert.select_stmt->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) {
    return -1;
  }
  const PgQuery__SelectStmt& select = *insert.select_stmt->select_stmt;
  const size_t columns = insert.n_cols > 0 ? insert.n_cols : table_columns;
  size_t count = select.n_target_list;
  Node** expressions = select.target_list;
  if (select.n_values_lists > 0) {
    count = select.values_lists[0]->list->n_items;
    expressions = select.values_lists[0]->list->items;
  }
  if (count > columns) return StartOf(expressions[columns]);
  return count < insert.n_cols ? insert.cols[count]->res_target->location : -1;
}

// What is wrong with GENERATED ALWAYS AS (...); -1 for other errors.
int GenerationLocation(const Node* root, const std::string& message_text, const std::string& name) {
  return FirstLocation(const_cast<ProtobufCMessage*>(&root->base), [&](ProtobufCMessage* message) {
    const auto* constraint = As<PgQuery__Constraint>(message, pg_query__constraint__descriptor);
    if (constraint == nullptr || constraint->contype != PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED) {
      return -1;
    }
    if (message_text.starts_with("both default and generation")) return constraint->location;
    int location = -1;
    WalkNode(constraint->raw_expr, [&](Node* node) {
      const bool is_query = node->node_case == PG_QUERY__NODE__NODE_SUB_LINK;
      if (is_query && message_text.starts_with("cannot use subquery")) {
        location = node->sub_link->location;
      }
      return location < 0 && !is_query;
    });
    if (message_text.starts_with("cannot use generated column")) {
      location = ColumnLocation(constraint->raw_expr, sqlstate::kUndefinedColumn, name);
    }
    return location;
  });
}

int LocationOf(const Node* root, const ErrorInfo& info, const std::string& name,
               size_t table_columns) {
  const SqlState state = info.sqlstate;
  constexpr std::string_view kClosed = "permission denied for schema ";
  if (info.message.starts_with(kClosed)) {
    return ClosedSchemaLocation(root, std::string_view(info.message).substr(kClosed.size()));
  }
  if (info.message.find("generation expression") != std::string::npos) {
    return GenerationLocation(root, info.message, name);
  }
  if (name.empty()) return -1;
  if (state.view().starts_with("22")) {
    return IsReadByTemplate(root, name) ? -1 : ConstantLocation(root, name);
  }
  if (state == sqlstate::kUndefinedTable) return UndefinedTableLocation(root, name);
  if (state == sqlstate::kInvalidSchemaName) return SchemaLocation(root, name);
  if (state == sqlstate::kUndefinedFunction) {
    return info.message.starts_with("operator") ? OperatorLocation(root, info.message)
                                                : FunctionLocation(root, LastPart(name));
  }
  if (state == sqlstate::kInvalidTableDefinition ||
      info.message.ends_with("named in key does not exist")) {
    return ConstraintLocation(root, info.message, name);
  }
  if (state == sqlstate::kUndefinedColumn || state == sqlstate::kAmbiguousColumn ||
      state == sqlstate::kGroupingError || state == sqlstate::kDuplicateColumn) {
    return ColumnLocation(root, state, LastPart(name));
  }
  if (info.message.starts_with("INSERT has more")) {
    return UnmatchedInsertLocation(root, table_columns);
  }
  return -1;
}

// UPDATE t SET nosuch = 1 names the relation, as PostgreSQL does.
void NameUpdatedRelation(ErrorInfo& info, const Node* node, const std::string& name) {
  if (node->node_case != PG_QUERY__NODE__NODE_UPDATE_STMT ||
      info.message != "column \"" + name + "\" does not exist") {
    return;
  }
  const PgQuery__UpdateStmt& update = *node->update_stmt;
  for (size_t i = 0; i < update.n_target_list; ++i) {
    if (View(update.target_list[i]->res_target->name) != name) continue;
    info.message = "column \"" + name + "\" of relation \"" +
                   std::string(View(update.relation->relname)) + "\" does not exist";
  }
}

// A column missing in GROUP BY is named with its table.
void NameGroupedTable(ErrorInfo& info, const Node* node, const std::string& name) {
  if (node->node_case != PG_QUERY__NODE__NODE_SELECT_STMT || name.find('.') != std::string::npos ||
      !info.message.starts_with("column \"" + name + "\" must appear")) {
    return;
  }
  const PgQuery__SelectStmt& select = *node->select_stmt;
  if (select.n_from_clause != 1) return;
  const Node& from = *select.from_clause[0];
  const PgQuery__Alias* alias = nullptr;
  std::string table;
  if (from.node_case == PG_QUERY__NODE__NODE_RANGE_VAR) {
    table = View(from.range_var->relname);
    alias = from.range_var->alias;
  } else if (from.node_case == PG_QUERY__NODE__NODE_RANGE_FUNCTION) {
    alias = from.range_function->alias;
  } else if (from.node_case == PG_QUERY__NODE__NODE_RANGE_SUBSELECT) {
    alias = from.range_subselect->alias;
  }
  if (alias != nullptr) table = View(alias->aliasname);
  if (!table.empty()) info.message.insert(sizeof("column \"") - 1, table + ".");
}

// FROM q a hides the name q.
void NameHiddenTable(ErrorInfo& info, const Node* node, const std::string& name) {
  if (!info.message.starts_with("missing FROM-clause entry")) return;
  WalkAllMessages(const_cast<ProtobufCMessage*>(&node->base), [&](ProtobufCMessage* message) {
    const auto* range = As<PgQuery__RangeVar>(message, pg_query__range_var__descriptor);
    if (range == nullptr || range->alias == nullptr || View(range->relname) != name) return true;
    info.message = "invalid reference to FROM-clause entry for table \"" + name + "\"";
    info.hint = "Perhaps you meant to reference the table alias \"" +
                std::string(View(range->alias->aliasname)) + "\".";
    return true;
  });
}

void Reword(ErrorInfo& info, const Node* node, const std::string& name) {
  if (info.sqlstate == sqlstate::kUndefinedColumn) NameUpdatedRelation(info, node, name);
  if (info.sqlstate == sqlstate::kGroupingError) NameGroupedTable(info, node, name);
  if (info.sqlstate == sqlstate::kUndefinedTable) NameHiddenTable(info, node, name);
}

// Errors of runtime values have no position; those of constants in the text do.
bool MayHavePosition(const ErrorInfo& info) {
  const SqlState state = info.sqlstate;
  if (info.message.find("generation expression") != std::string::npos) return true;
  return state.view().starts_with("42") || state == sqlstate::kInvalidSchemaName ||
         state == sqlstate::kInvalidTextRepresentation ||
         state == sqlstate::kInvalidDatetimeFormat || state == sqlstate::kDatetimeFieldOverflow;
}

}  // namespace

Status AnnotatePosition(Status status, const Statement& statement, size_t table_columns) {
  if (status.ok() || statement.node == nullptr) return status;
  ErrorInfo info = status.error();
  if (!MayHavePosition(info)) return status;
  const std::string name = NamedIn(info.message);
  const int location = LocationOf(statement.node, info, name, table_columns);
  Reword(info, statement.node, name);
  status = Status(std::move(info));
  if (status.error().position > 0) return status;
  const std::string& text = statement.tree->text();
  if (location < 0 || static_cast<size_t>(location) > text.size()) return status;
  const auto before = std::string_view(text).substr(0, static_cast<size_t>(location));
  return std::move(status).WithPosition(static_cast<int>(types::Utf8Length(before)) + 1);
}

}  // namespace omendb::sql
