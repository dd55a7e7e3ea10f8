#include <fmt/format.h>

#include "base/sqlstate.h"
#include "sql/ddl/table_builder.h"
#include "sql/statements/evaluate.h"

namespace omendb::sql {
namespace {

using types::TypeKind;

std::optional<int64_t> Number(const PgQuery__DefElem& option) {
  if (option.arg == nullptr) return std::nullopt;
  return std::strtoll(ConstText(option.arg).c_str(), nullptr, 10);
}

Status OwnedBy(SessionImpl& session, const PgQuery__DefElem& option,
               catalog::SequenceDef& sequence) {
  const PgQuery__List& list = *option.arg->list;
  if (list.n_items == 1) {  // NONE
    sequence.owned_by_table = Oid{};
    sequence.owned_by_column = ColumnId{};
    return Status::Ok();
  }
  OMEN_ASSIGN(auto table, GetTable(session, NameOf(list.items, list.n_items - 1)));
  const std::string name(StringOf(list.items[list.n_items - 1]));
  const catalog::ColumnDef* column = table->FindColumn(name);
  if (column == nullptr) {
    return Status(
        sqlstate::kUndefinedColumn,
        fmt::format("column \"{}\" of relation \"{}\" does not exist", name, table->name));
  }
  if (table->schema != sequence.schema) {
    return Status(sqlstate::kObjectNotInPrerequisiteState,
                  "sequence must be in same schema as table it is linked to");
  }
  sequence.owned_by_table = table->oid;
  sequence.owned_by_column = column->id;
  return Status::Ok();
}

void TypeBounds(TypeKind kind, int64_t& min, int64_t& max) {
  min = kind == TypeKind::kInt2 ? INT16_MIN : kind == TypeKind::kInt4 ? INT32_MIN : INT64_MIN;
  max = kind == TypeKind::kInt2 ? INT16_MAX : kind == TypeKind::kInt4 ? INT32_MAX : INT64_MAX;
}

}  // namespace

Status ReadSequenceOptions(SessionImpl& session, size_t count, Node** options, bool creating,
                           catalog::SequenceDef& sequence, std::optional<int64_t>& restart) {
  bool has_min = !creating, has_max = !creating, has_start = !creating;
  bool do_restart = false;
  for (size_t i = 0; i < count; ++i) {
    const PgQuery__DefElem& option = *options[i]->def_elem;
    const std::string_view name = View(option.defname);
    if (name == "increment") {
      sequence.increment = Number(option).value_or(1);
      if (sequence.increment == 0) {
        return Status(sqlstate::kInvalidParameterValue, "INCREMENT must not be zero");
      }
    } else if (name == "minvalue") {
      has_min = option.arg != nullptr;
      if (has_min) sequence.min_value = *Number(option);
    } else if (name == "maxvalue") {
      has_max = option.arg != nullptr;
      if (has_max) sequence.max_value = *Number(option);
    } else if (name == "start") {
      has_start = true;
      sequence.start = Number(option).value_or(1);
    } else if (name == "restart") {
      do_restart = true;
      restart = Number(option);
    } else if (name == "cache") {
      sequence.cache = Number(option).value_or(1);
      if (sequence.cache <= 0) {
        return Status(sqlstate::kInvalidParameterValue,
                      fmt::format("CACHE ({}) must be greater than zero", sequence.cache));
      }
    } else if (name == "cycle") {
      sequence.cycle = ConstText(option.arg) != "false" && ConstText(option.arg) != "0";
    } else if (name == "owned_by") {
      OMEN_TRY(OwnedBy(session, option, sequence));
    } else if (name == "as") {
      OMEN_ASSIGN(sequence.type, ResolveTypeName(*option.arg->type_name));
      if (sequence.type.kind != TypeKind::kInt2 && sequence.type.kind != TypeKind::kInt4 &&
          sequence.type.kind != TypeKind::kInt8) {
        return Status(sqlstate::kInvalidParameterValue,
                      "sequence type must be smallint, integer, or bigint");
      }
    }
  }
  int64_t type_min, type_max;
  TypeBounds(sequence.type.kind, type_min, type_max);
  const bool up = sequence.increment > 0;
  if (!has_min) sequence.min_value = up ? 1 : type_min;
  if (!has_max) sequence.max_value = up ? type_max : -1;
  if (sequence.min_value >= sequence.max_value) {
    return Status(sqlstate::kInvalidParameterValue,
                  fmt::format("MINVALUE ({}) must be less than MAXVALUE ({})", sequence.min_value,
                              sequence.max_value));
  }
  if (!has_start) sequence.start = up ? sequence.min_value : sequence.max_value;
  if (sequence.start < sequence.min_value) {
    return Status(sqlstate::kInvalidParameterValue,
                  fmt::format("START value ({}) cannot be less than MINVALUE ({})", sequence.start,
                              sequence.min_value));
  }
  if (sequence.start > sequence.max_value) {
    return Status(sqlstate::kInvalidParameterValue,
                  fmt::format("START value ({}) cannot be greater than MAXVALUE ({})",
                              sequence.start, sequence.max_value));
  }
  if (do_restart && !restart) restart = sequence.start;
  return Status::Ok();
}

Status PutSequence(SessionImpl& session, catalog::CatalogEdit& edit,
                   const catalog::SequenceDef& sequence) {
  OMEN_TRY(edit.Put(sequence));
  return session.db().SetSequence(sequence, {sequence.start, false});
}

Status RunCreateSequence(UtilityCall& call) {
  const PgQuery__CreateSeqStmt& create = *call.node()->create_seq_stmt;
  SessionImpl& session = call.session;
  OMEN_ASSIGN(const catalog::SchemaDef* schema, CreationSchema(session, *create.sequence));
  catalog::SequenceDef sequence;
  sequence.name = View(create.sequence->relname);
  sequence.schema = schema->oid;
  if (session.catalog()->FindRelation(schema->oid, sequence.name)) {
    if (!create.if_not_exists) {
      return Status(sqlstate::kDuplicateTable,
                    fmt::format("relation \"{}\" already exists", sequence.name));
    }
    session.Notify("NOTICE",
                   Status(sqlstate::kDuplicateTable,
                          fmt::format("relation \"{}\" already exists, skipping", sequence.name)));
    return Status::Ok();
  }
  sequence.oid = session.db().NewOid();
  sequence.database = session.database();
  sequence.owner = session.current_role();
  if (schema->name == session.temp_schema_name()) {
    sequence.persistence = catalog::Persistence::kTemporary;
  }
  std::optional<int64_t> restart;
  OMEN_TRY(ReadSequenceOptions(session, create.n_options, create.options, true, sequence, restart));
  return PutSequence(session, session.db().EditCatalog(*session.block().txn()), sequence);
}

Status RunAlterSequence(UtilityCall& call) {
  const PgQuery__AlterSeqStmt& alter = *call.node()->alter_seq_stmt;
  SessionImpl& session = call.session;
  const QualifiedRelation name = NameOf(*alter.sequence);
  if (alter.missing_ok && !FindRelation(session, name)) {
    session.Notify("NOTICE",
                   Status(sqlstate::kUndefinedTable,
                          fmt::format("relation \"{}\" does not exist, skipping", name.name)));
    return Status::Ok();
  }
  OMEN_ASSIGN(auto definition, GetSequence(session, name));
  OMEN_TRY(CheckOwner(session, definition->owner, "sequence", definition->name));
  catalog::SequenceDef sequence = *definition;
  std::optional<int64_t> restart;
  OMEN_TRY(ReadSequenceOptions(session, alter.n_options, alter.options, false, sequence, restart));
  OMEN_TRY(session.db().EditCatalog(*session.block().txn()).Put(sequence));
  if (!restart) return Status::Ok();
  return session.db().SetSequence(sequence, {*restart, false});
}

}  // namespace omendb::sql
