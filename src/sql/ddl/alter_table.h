// alter_table.h - the state of one ALTER TABLE: a definition that its commands change one by one.
#pragma once

#include "sql/ddl/dependencies.h"
#include "sql/ddl/table_builder.h"

namespace omendb::sql {

class TableAlteration {
 public:
  TableAlteration(UtilityCall& call, catalog::TableDef table)
      : call_(call), session_(call.session), table_(std::move(table)) {}
  Status Run(const PgQuery__AlterTableCmd& command);

 private:
  Status AddColumn(const PgQuery__AlterTableCmd& command);
  Status AddGeneratedColumn(TableBuilder& builder, ColumnId id);
  Status DropExpression(const PgQuery__AlterTableCmd& command);
  Status DropColumn(std::string_view column_name, bool missing_ok, bool cascade);
  Status SetDefault(const PgQuery__AlterTableCmd& command);
  Status SetNotNull(const PgQuery__AlterTableCmd& command);
  Status DropNotNull(const PgQuery__AlterTableCmd& command);
  Status ChangeType(const PgQuery__AlterTableCmd& command);
  Status AddConstraint(const PgQuery__Constraint& constraint);
  Status DropConstraint(const PgQuery__AlterTableCmd& command);
  Status ValidateConstraint(const PgQuery__AlterTableCmd& command);
  Status AddIdentity(const PgQuery__AlterTableCmd& command);
  Status DropIdentity(const PgQuery__AlterTableCmd& command);
  Status SetPersistence(catalog::Persistence persistence);

  // Makes the changed definition visible to what follows.
  Status Put();
  // The column by name; 42703.
  Result<catalog::ColumnDef*> Column(std::string_view name);
  Status CheckNoNulls(const catalog::ColumnDef& column);
  // The rows that are there satisfy a new constraint.
  Status ValidateRows(const catalog::ConstraintDef& constraint);
  Status ValidateForeignKey(const catalog::ConstraintDef& constraint);
  Status FinishConstraints(TableBuilder& builder);
  // Every row again, computed by a select list over the old columns.
  Status RewriteRows(const catalog::TableDef& changed, const std::string& select_list);

  UtilityCall& call_;
  SessionImpl& session_;
  catalog::TableDef table_;
};

// ALTER TABLE ... OWNER TO (of any relation).
Status SetRelationOwner(SessionImpl& session, const catalog::Relation& found, Oid owner);

}  // namespace omendb::sql
