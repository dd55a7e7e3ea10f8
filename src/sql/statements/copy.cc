// COPY ... TO STDOUT and COPY ... FROM STDIN.
#include <fmt/format.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "catalog/column_ids.h"
#include "pgwire/copy_parser.h"
#include "pgwire/copy_writer.h"
#include "sql/privileges.h"
#include "sql/statements/copy_loader.h"
#include "sql/statements/dispatch.h"
#include "sql/statements/option_value.h"
#include "types/binary_io.h"

namespace omendb::sql {
namespace {

std::vector<std::string> NamesOf(const Node* arg) {
  std::vector<std::string> names;
  if (arg == nullptr || arg->node_case != PG_QUERY__NODE__NODE_LIST) return names;
  for (size_t i = 0; i < arg->list->n_items; ++i) {
    names.emplace_back(StringOf(arg->list->items[i]));
  }
  return names;
}

Status SetFormat(const std::string& format, pgwire::CopyOptions& options) {
  if (format == "text") {
    options.format = pgwire::CopyFormat::kText;
  } else if (format == "csv") {
    options.format = pgwire::CopyFormat::kCsv;
  } else if (format == "binary") {
    options.format = pgwire::CopyFormat::kBinary;
  } else {
    return Status(sqlstate::kInvalidParameterValue,
                  fmt::format("COPY format \"{}\" not recognized", format));
  }
  return Status::Ok();
}

Status SetOption(const PgQuery__DefElem& option, pgwire::CopyOptions& options) {
  const std::string_view name = View(option.defname);
  const std::string text = ConstText(option.arg);
  const bool star = option.arg != nullptr && option.arg->node_case == PG_QUERY__NODE__NODE_A_STAR;
  if (name == "format") return SetFormat(text, options);
  if (name == "delimiter") {
    options.delimiter = text;
  } else if (name == "null") {
    options.null_text = text;
  } else if (name == "quote") {
    options.quote = text;
  } else if (name == "escape") {
    options.escape = text;
  } else if (name == "encoding") {
    options.encoding = text;
  } else if (name == "header") {
    if (text == "match") {
      options.header = pgwire::CopyHeader::kMatch;
    } else {
      OMEN_ASSIGN(const bool present, BooleanOption(option));
      options.header = present ? pgwire::CopyHeader::kPresent : pgwire::CopyHeader::kNone;
    }
  } else if (name == "force_quote") {
    options.force_quote_all = star;
    options.force_quote = NamesOf(option.arg);
  } else if (name == "force_not_null") {
    options.force_not_null = NamesOf(option.arg);
  } else if (name == "force_null") {
    options.force_null = NamesOf(option.arg);
  } else if (name != "freeze") {
    return Status(sqlstate::kSyntaxError, fmt::format("option \"{}\" not recognized", name));
  }
  return Status::Ok();
}

Result<pgwire::CopyOptions> ReadOptions(const PgQuery__CopyStmt& copy) {
  pgwire::CopyOptions options;
  std::vector<std::string_view> seen;
  for (size_t i = 0; i < copy.n_options; ++i) {
    const PgQuery__DefElem& option = *copy.options[i]->def_elem;
    const std::string_view name = View(option.defname);
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      return Status(sqlstate::kSyntaxError, "conflicting or redundant options");
    }
    seen.push_back(name);
    OMEN_TRY(SetOption(option, options));
  }
  return options;
}

CopyFormat WireFormat(pgwire::CopyFormat format) {
  switch (format) {
    case pgwire::CopyFormat::kText:
      return CopyFormat::kText;
    case pgwire::CopyFormat::kCsv:
      return CopyFormat::kCsv;
    case pgwire::CopyFormat::kBinary:
      return CopyFormat::kBinary;
  }
  return CopyFormat::kText;
}

struct CopySource {
  Statement query;
  Oid table;  // 0: the query was given
};

// The query behind COPY TO: the one given, or SELECT of the table's columns.
Result<CopySource> SourceOf(UtilityCall& call, const PgQuery__CopyStmt& copy) {
  if (copy.query != nullptr) {
    CopySource source{call.statement, Oid{}};
    source.query.node = copy.query;
    return source;
  }
  const QualifiedRelation name = NameOf(*copy.relation);
  OMEN_ASSIGN(catalog::Relation found, GetRelation(call.session, name));
  if (found.view != nullptr) {
    return Status(sqlstate::kWrongObjectType,
                  fmt::format("cannot copy from view \"{}\"", name.name))
        .WithHint("Try the COPY (SELECT ...) TO variant.");
  }
  if (found.table == nullptr || found.index != nullptr) {
    return Status(sqlstate::kWrongObjectType,
                  fmt::format("cannot copy from sequence \"{}\"", name.name));
  }
  OMEN_ASSIGN(std::vector<ColumnId> columns,
              CopiedColumns(*found.table, copy.n_attlist, copy.attlist));
  std::string sql = "SELECT ";
  for (size_t i = 0; i < columns.size(); ++i) {
    sql += (i > 0 ? ", " : "") + QuoteIdentifier(found.table->column(columns[i]).name);
  }
  const catalog::SchemaDef* schema = call.session.catalog()->schema(found.table->schema);
  sql += " FROM " + QualifiedName(schema->name, found.table->name);
  OMEN_ASSIGN(auto tree, ParseTree::Parse(sql));
  return CopySource{tree->statement(0), found.table->oid};
}

void WriteRow(const std::vector<types::ResultColumn>& columns, std::span<const types::Value> row,
              bool binary, const types::IoSettings& io, std::string& scratch,
              pgwire::CopyWriter& writer) {
  writer.BeginRow();
  for (size_t c = 0; c < row.size(); ++c) {
    if (row[c].is_null) {
      writer.Null();
      continue;
    }
    scratch.clear();
    if (binary) {
      types::SendBinary(columns[c].type, row[c], scratch);
    } else {
      types::FormatText(columns[c].type, row[c], io, scratch);
    }
    writer.Field(scratch);
  }
  writer.EndRow();
}

Status CopyTo(UtilityCall& call, const PgQuery__CopyStmt& copy) {
  SessionImpl& session = call.session;
  OMEN_ASSIGN(pgwire::CopyOptions options, ReadOptions(copy));
  OMEN_ASSIGN(const CopySource source, SourceOf(call, copy));
  auto plan = session.NewPlan(source.query, {});
  if (!plan->is_query || !plan->returns_rows) {
    return Status(sqlstate::kFeatureNotSupported, "COPY query must have a RETURNING clause");
  }
  OMEN_TRY(session.EnsureBound(*plan));
  std::vector<std::string> names;
  for (const types::ResultColumn& column : plan->columns) names.push_back(column.name);
  OMEN_ASSIGN(pgwire::CopyDialect dialect,
              pgwire::ResolveCopyOptions(options, pgwire::CopyWay::kTo, names));
  const bool binary = dialect.format == pgwire::CopyFormat::kBinary;
  std::string out, scratch;
  pgwire::CopyWriter writer(dialect, out);
  OMEN_TRY(call.sink.OnCopyOut(WireFormat(dialect.format), static_cast<int>(names.size())));
  writer.WriteHeader();
  CommandProgress& progress = session.progress().command;
  const CommandProgress::Scope scope(progress,
                                     {CommandProgress::Kind::kCopyTo, source.table, Oid{}});
  uint64_t rows = 0, affected = 0;
  // One message a row, as libpq promises its callers; the binary header goes with the first row.
  auto flush = [&]() -> Status {
    if (out.empty()) return Status::Ok();
    progress.AddBytes(out.size());
    Status status = call.sink.OnCopyData(out);
    out.clear();
    return status;
  };
  if (!binary) OMEN_TRY(flush());
  types::Row row(plan->columns.size());
  Status sent = session.RunQueryRows(
      *plan, {},
      [&](const types::Chunk* chunk, std::span<const types::Value> values) -> Status {
        const uint32_t count = chunk != nullptr ? chunk->rows_count : 1;
        for (uint32_t r = 0; r < count; ++r) {
          if (chunk != nullptr) {
            for (size_t c = 0; c < row.size(); ++c) row[c] = chunk->columns[c].Get(r);
            values = row;
          }
          WriteRow(plan->columns, values, binary, session.settings().io(), scratch, writer);
          ++rows;
          OMEN_TRY(flush());
          progress.SetRows(rows);
        }
        return Status::Ok();
      },
      &affected);
  OMEN_TRY(std::move(sent));
  writer.WriteTrailer();
  OMEN_TRY(flush());
  OMEN_TRY(call.sink.OnCopyDone());
  call.result.tag = fmt::format("COPY {}", rows);
  return Status::Ok();
}

Status CopyFrom(UtilityCall& call, const PgQuery__CopyStmt& copy) {
  SessionImpl& session = call.session;
  OMEN_TRY(CheckWritable(session, "COPY FROM"));
  if (copy.where_clause != nullptr) return NotSupported("COPY FROM ... WHERE");
  OMEN_ASSIGN(pgwire::CopyOptions options, ReadOptions(copy));
  const QualifiedRelation name = NameOf(*copy.relation);
  OMEN_ASSIGN(catalog::Relation found, GetRelation(session, name));
  if (found.view != nullptr) {
    return Status(sqlstate::kWrongObjectType, fmt::format("cannot copy to view \"{}\"", name.name));
  }
  if (found.table == nullptr || found.index != nullptr) {
    return Status(sqlstate::kWrongObjectType,
                  fmt::format("cannot copy to sequence \"{}\"", name.name));
  }
  OMEN_TRY(CheckPrivileges(session, found, catalog::privilege::kInsert));
  OMEN_ASSIGN(std::vector<ColumnId> columns,
              CopiedColumns(*found.table, copy.n_attlist, copy.attlist));
  std::vector<std::string> names;
  for (ColumnId id : columns) names.push_back(found.table->column(id).name);
  OMEN_ASSIGN(pgwire::CopyDialect dialect,
              pgwire::ResolveCopyOptions(options, pgwire::CopyWay::kFrom, names));
  CopyLoader loader(session, found.table, columns, dialect.format == pgwire::CopyFormat::kBinary);
  OMEN_TRY(loader.Start());
  OMEN_TRY(call.sink.OnCopyIn(WireFormat(dialect.format), static_cast<int>(columns.size())));
  CommandProgress& progress = session.progress().command;
  const CommandProgress::Scope scope(progress,
                                     {CommandProgress::Kind::kCopyFrom, found.table->oid, Oid{}});
  session.progress_notices().SetInterval(session.settings().progress_notices_ms());
  auto parser = pgwire::CopyParser::Create(dialect, found.table->name);
  std::vector<std::string_view> fields;
  bool more = true;
  while (more) {
    OMEN_ASSIGN(std::optional<std::string_view> data, call.sink.ReadCopyData());
    more = data.has_value();
    if (more) {
      progress.AddBytes(data->size());
      parser->Feed(*data);
    } else {
      parser->Finish();
    }
    while (true) {
      fields.clear();
      auto count = parser->NextRows(types::kChunkRowsMax, fields);
      if (!count.ok()) {
        // The client may still be sending; the rest is read and dropped.
        Status failed = count.status();
        while (more) {
          auto rest = call.sink.ReadCopyData();
          more = rest.ok() && rest->has_value();
        }
        return failed;
      }
      if (*count == 0) break;
      Status status = loader.Load(*count, fields, *parser);
      if (!status.ok()) {
        while (more) {
          auto rest = call.sink.ReadCopyData();
          more = rest.ok() && rest->has_value();
        }
        return status;
      }
      progress.SetRows(loader.rows());
      session.progress_notices().TickIfDue();
    }
  }
  OMEN_TRY(loader.Finish());
  call.result.tag = fmt::format("COPY {}", loader.rows());
  return Status::Ok();
}

}  // namespace

Result<std::vector<ColumnId>> CopiedColumns(const catalog::TableDef& table, size_t count,
                                            Node** names) {
  if (count == 0) {
    std::vector<ColumnId> live;
    for (ColumnId id : table.live_columns()) {
      if (table.column(id).generated_sql.empty()) live.push_back(id);
    }
    return live;
  }
  std::vector<ColumnId> columns;
  for (size_t i = 0; i < count; ++i) {
    const std::string name(StringOf(names[i]));
    const catalog::ColumnDef* column = table.FindColumn(name);
    if (column == nullptr) {
      return Status(
          sqlstate::kUndefinedColumn,
          fmt::format("column \"{}\" of relation \"{}\" does not exist", name, table.name));
    }
    if (!column->generated_sql.empty()) {
      return Status(sqlstate::kInvalidColumnReference,
                    fmt::format("column \"{}\" is a generated column", name))
          .WithDetail("Generated columns cannot be used in COPY.");
    }
    if (catalog::Contains(columns, column->id)) {
      return Status(sqlstate::kDuplicateColumn,
                    fmt::format("column \"{}\" specified more than once", name));
    }
    columns.push_back(column->id);
  }
  return columns;
}

Status RunCopy(UtilityCall& call) {
  const PgQuery__CopyStmt& copy = *call.node()->copy_stmt;
  if (copy.is_program) return NotSupported("COPY with a program");
  if (!View(copy.filename).empty()) return NotSupported("COPY with a file of the server");
  return copy.is_from ? CopyFrom(call, copy) : CopyTo(call, copy);
}

}  // namespace omendb::sql
