// sinks.h - where results of the library's statements go: into memory, or to a callback.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "omendb/omendb.h"
#include "sql/session.h"

namespace omendb::api {

Column ColumnOf(const types::ResultColumn& column);

// What every sink of the library answers alike: no COPY, no suspended portals, notices dropped.
class BaseSink : public sql::ResultSink {
 public:
  BaseSink() = default;
  BaseSink(const BaseSink&) = delete;
  BaseSink& operator=(const BaseSink&) = delete;

  Status OnColumns(const std::vector<types::ResultColumn>& columns) override;
  Status OnComplete(std::string_view tag) override;
  Status OnEmptyQuery() override { return Status::Ok(); }
  Status OnPortalSuspended() override { return Status::Ok(); }
  void OnNotice(const sql::Notice& /*notice*/) override {}
  void OnParameterStatus(std::string_view /*name*/, std::string_view /*value*/) override {}
  Status OnCopyIn(sql::CopyFormat format, int columns_count) override;
  Result<std::optional<std::string_view>> ReadCopyData() override;
  Status OnCopyOut(sql::CopyFormat format, int columns_count) override;
  Status OnCopyData(std::string_view data) override;
  Status OnCopyDone() override { return Status::Ok(); }

  // Borrows them: those of the extended protocol, which Execute does not tell.
  void SetColumns(const std::vector<types::ResultColumn>& columns) { columns_ = &columns; }
  const std::vector<types::ResultColumn>& columns() const { return *columns_; }
  const std::string& tag() const { return tag_; }
  // The number at the end of the tag: "INSERT 0 3" is 3.
  uint64_t rows_affected() const;

 private:
  std::vector<types::ResultColumn> announced_;
  const std::vector<types::ResultColumn>* columns_ = &announced_;
  std::string tag_;
};

// Keeps every row as text; a new statement's rows replace the last one's.
class TextSink : public BaseSink {
 public:
  explicit TextSink(const types::IoSettings& settings) : settings_(settings) {}
  Status OnColumns(const std::vector<types::ResultColumn>& columns) override;
  Status OnRow(std::span<const types::Value> row) override;

  struct Cell {
    bool is_null = true;
    std::string text;
  };
  std::vector<Cell> TakeCells() { return std::move(cells_); }

 private:
  const types::IoSettings& settings_;
  std::vector<Cell> cells_;
};

class CallbackSink : public BaseSink {
 public:
  CallbackSink(const types::IoSettings& settings, const RowCallback& callback)
      : settings_(settings), callback_(callback) {}
  Status OnRow(std::span<const types::Value> row) override;
  uint64_t rows_seen() const { return rows_seen_; }

 private:
  const types::IoSettings& settings_;
  const RowCallback& callback_;
  uint64_t rows_seen_ = 0;
};

class ChunkSink : public BaseSink {
 public:
  explicit ChunkSink(const ChunkCallback& callback) : callback_(callback) {}
  Status OnRow(std::span<const types::Value> row) override;
  Status OnChunk(const types::Chunk& chunk) override;

 private:
  const ChunkCallback& callback_;
};

// Feeds COPY ... FROM STDIN from a buffer.
class CopySource : public BaseSink {
 public:
  explicit CopySource(std::string_view data) : data_(data) {}
  Status OnRow(std::span<const types::Value> /*row*/) override { return Status::Ok(); }
  Status OnCopyIn(sql::CopyFormat format, int columns_count) override;
  Result<std::optional<std::string_view>> ReadCopyData() override;

 private:
  std::string_view data_;
  bool given_ = false;
};

}  // namespace omendb::api
