// copy_loader.h - rows of COPY FROM into a table: values by the types' input functions, defaults
// and CHECK conditions by the same expressions that INSERT uses, 2,048 rows at a time.
//
// Thread safety  The session's thread.
// Errors         The input functions' with the context 'COPY t, line 3, column a: "x"'.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/bulk_load.h"
#include "pgwire/copy_parser.h"
#include "sql/session_impl.h"
#include "types/chunk_builder.h"

namespace omendb::sql {

class CopyLoader {
 public:
  CopyLoader(SessionImpl& session, std::shared_ptr<const catalog::TableDef> table,
             std::vector<ColumnId> columns, bool binary);
  Status Start();
  // `fields` holds `count` rows of the copied columns.
  Status Load(size_t count, const std::vector<std::string_view>& fields,
              const pgwire::CopyParser& parser);
  // The last rows, and foreign keys.
  Status Finish();
  uint64_t rows() const { return rows_; }

 private:
  struct Column {
    types::SqlType type;
    int field = -1;                              // which copied column; -1: computed
    const exec::Expression* computed = nullptr;  // its default
  };
  Result<types::Value> ReadField(const Column& column, std::string_view field) const;
  Status FieldError(Status status, const pgwire::CopyParser& parser, size_t row,
                    const Column& column, std::string_view field) const;
  Status ComputeDefaults(std::span<types::Value> row);
  Status CompleteRow(std::span<types::Value> row, const pgwire::CopyParser& parser, size_t r);
  Status InsertOneByOne(std::span<const types::Value> row);
  void NoteLines(size_t count, const pgwire::CopyParser& parser);
  // An error of the row that the load failed at.
  Status KeyError(Status status) const;

  SessionImpl& session_;
  std::shared_ptr<const catalog::TableDef> table_;
  const std::vector<ColumnId> copied_;
  const bool binary_;
  std::shared_ptr<Plan> plan_;  // INSERT INTO table (copied) VALUES ($1, ...)
  engine::StatementContext context_;
  std::shared_ptr<engine::Relation> relation_;
  std::vector<Column> columns_;
  std::optional<types::ChunkBuilder> chunk_;  // the batch
  mutable types::Arena arena_;
  uint64_t rows_ = 0;
  // Where the rows of a batch came from: one line each, unless the lines are told.
  struct Lines {
    uint64_t first_row;
    uint64_t first_line;
    std::vector<uint64_t> lines;
  };
  std::vector<Lines> lines_;
  std::optional<engine::BulkLoad> load_;
};

// The columns a COPY names, or all.
Result<std::vector<ColumnId>> CopiedColumns(const catalog::TableDef& table, size_t count,
                                            Node** names);

}  // namespace omendb::sql
