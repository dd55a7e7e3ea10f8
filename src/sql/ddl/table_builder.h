// table_builder.h - column and constraint clauses of CREATE and ALTER TABLE put into a TableDef,
// with PostgreSQL's names for what the user left unnamed.
//
// Thread safety  The statement's thread.
// Errors         42701, 42704, 42703, 42P16, 42830, 0A000, ... as PostgreSQL words them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sql/names.h"
#include "sql/statements/dispatch.h"

namespace omendb::sql {

class TableBuilder {
 public:
  TableBuilder(UtilityCall& call, catalog::TableDef& table)
      : call_(call), session_(call.session), table_(table) {}

  // Appends the column; its constraints are kept until AddConstraints.
  Status AddColumn(const PgQuery__ColumnDef& column);
  Status AddTableConstraint(const PgQuery__Constraint& constraint);
  Status AddLike(const PgQuery__TableLikeClause& like);
  // Keys first, then foreign keys and checks: those refer to what came before.
  Status AddConstraints();

  // Sequences of SERIAL and IDENTITY columns, to be put before the table.
  std::vector<catalog::SequenceDef>& sequences() { return sequences_; }
  // Indexes that AddConstraints made, for BuildIndex on a table with rows.
  const std::vector<Oid>& new_indexes() const { return new_indexes_; }
  const std::vector<Oid>& new_constraints() const { return new_constraints_; }

  // A free name in the table's schema: base, base1, base2, ...
  std::string FreeRelationName(std::string base) const;
  std::string FreeConstraintName(std::string base) const;

  // The default's text as the catalog keeps it; times in it are read by `io`.
  static Result<std::string> DefaultText(const Node* expression, const types::SqlType& type,
                                         const types::IoSettings& io, AstBuilder& build);

 private:
  struct Pending {
    const PgQuery__Constraint* constraint;
    std::string column;  // of a column constraint
  };
  // A condition or generation expression, as the catalog keeps it.
  Result<std::string> ExpressionText(const Node* expression) const;
  Status ApplyColumnConstraint(catalog::ColumnDef& column, const PgQuery__Constraint& constraint);
  Status AddSequence(catalog::ColumnDef& column, const types::SqlType& type, bool identity,
                     const PgQuery__Constraint* options);
  Status AddKey(const Pending& pending);
  Status AddCheck(const Pending& pending);
  Status AddForeignKey(const Pending& pending);
  // The other table, locked; 42809, 42501.
  Result<std::shared_ptr<const catalog::TableDef>> ReferencedTable(const QualifiedRelation& name);
  // The name given to it, which must be free, or table_columns_label.
  Result<std::string> ConstraintName(const PgQuery__Constraint& source, const std::string& columns,
                                     std::string_view label) const;
  Status Keep(catalog::ConstraintDef constraint);
  Result<std::vector<ColumnId>> KeyColumns(const Pending& pending, size_t count,
                                           Node** names) const;

  UtilityCall& call_;
  SessionImpl& session_;
  catalog::TableDef& table_;
  std::vector<Pending> pending_;
  std::vector<catalog::SequenceDef> sequences_;
  std::vector<Oid> new_indexes_;
  std::vector<Oid> new_constraints_;
};

// first_second_label, shortened in the middle parts to 63 bytes as makeObjectName does.
std::string ObjectName(std::string first, std::string second, std::string_view label);
// The columns' names with underscores between them.
std::string JoinedNames(const catalog::TableDef& table, const std::vector<ColumnId>& columns);
// The first row of a query as texts; nullopt when it has none.
Result<std::optional<std::vector<std::optional<std::string>>>> FirstRow(SessionImpl& session,
                                                                        const std::string& sql);
// Runs a query for its effect or its errors. How many rows it wrote.
Result<uint64_t> RunSql(SessionImpl& session, const std::string& sql);
// Binds only.
Status CheckSql(SessionImpl& session, const std::string& sql);
// schema.name of a table, quoted.
std::string FullName(const SessionImpl& session, const catalog::TableDef& table);
// Every CHECK condition can be bound; called once the table is in the edit.
Status CheckConditions(SessionImpl& session, const catalog::TableDef& table,
                       const std::vector<Oid>& constraints);
// The type as a column may have it: not unknown, not void.
Status CheckColumnType(const types::SqlType& type, std::string_view column);
// Reads the options of CREATE/ALTER SEQUENCE into a definition; `restart` gets RESTART's value.
Status ReadSequenceOptions(SessionImpl& session, size_t count, Node** options, bool creating,
                           catalog::SequenceDef& sequence, std::optional<int64_t>& restart);
// Puts a sequence and sets it to its start.
Status PutSequence(SessionImpl& session, catalog::CatalogEdit& edit,
                   const catalog::SequenceDef& sequence);

}  // namespace omendb::sql
