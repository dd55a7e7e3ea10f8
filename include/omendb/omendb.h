// omendb.h - OmenDB as a library: the engine, transactions and SQL of the server, in your process.
//
//   auto database = omendb::Database::Open("data");
//   auto connection = database.value()->Connect();
//   auto rows = connection.value()->Query("SELECT 1 + 1 AS two");
//   std::cout << rows.value().Text(0, 0) << '\n';
//
// Thread safety  Database: any thread. A Connection and what it makes: one thread at a time; open
// one
//                for each thread.
// Ownership      Connections must be gone before their Database. Views (RowView, ColumnChunk) are
//                valid during the callback that gets them.
// Errors         Nothing throws. Status carries PostgreSQL's SQLSTATE, message, detail and hint.
// Durability     A statement outside a transaction, or Transaction::Commit, returns when its work
// is
//                on disk (unless synchronous_commit is off). One process at a time may open a
//                folder; a second Open answers 55006.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"

namespace omendb {

struct OpenOptions {
  uint64_t memory_bytes = 4ULL << 30;  // For rows, indexes and queries together.
  int analytical_threads = 2;          // Threads of one analytical query.
};

struct Column {
  std::string name;
  std::string type;  // As PostgreSQL names it: "integer", "character varying(10)".
  uint32_t type_oid = 0;
};

// A parameter value: NULL, or a value that is converted to the parameter's type as PostgreSQL
// converts a literal. Text is borrowed for the call.
using Parameter = std::variant<std::monostate, bool, int64_t, double, std::string_view>;

// One row during a callback.
class RowView {
 public:
  virtual size_t columns_count() const = 0;
  virtual bool IsNull(size_t column) const = 0;
  // Integers of any width, dates as days and timestamps as microseconds since 1970-01-01; 0 for
  // NULL and for other types.
  virtual int64_t Int64(size_t column) const = 0;
  virtual double Float64(size_t column) const = 0;  // numbers of any type
  virtual bool Bool(size_t column) const = 0;
  virtual std::string Text(size_t column) const = 0;  // what psql would show; "" for NULL

 protected:
  ~RowView() = default;
};

// Many rows of one column during a callback, as they lie in memory. Row i is at element
// `selection ? selection[i] : i`; it is NULL when `validity` is given and that element's bit is 0.
struct ColumnChunk {
  uint32_t type_oid = 0;
  size_t element_bytes = 0;
  const void* data = nullptr;
  const uint32_t* selection = nullptr;
  const uint64_t* validity = nullptr;
};

// A whole result in memory.
class QueryResult {
 public:
  QueryResult();
  QueryResult(QueryResult&&) noexcept;
  QueryResult& operator=(QueryResult&&) noexcept;
  ~QueryResult();

  const std::vector<Column>& columns() const;
  size_t rows_count() const;
  uint64_t rows_affected() const;          // INSERT, UPDATE, DELETE
  const std::string& command_tag() const;  // "SELECT 2"
  bool IsNull(size_t row, size_t column) const;
  std::string_view Text(size_t row, size_t column) const;

 private:
  friend class Connection;
  friend class PreparedStatement;
  struct Data;
  std::unique_ptr<Data> data_;
};

using RowCallback = std::function<Status(const RowView&)>;
using ChunkCallback = std::function<Status(uint32_t rows_count, std::span<const ColumnChunk>)>;

// A statement that is parsed and planned once. Parameters are $1, $2, ...
class PreparedStatement {
 public:
  ~PreparedStatement();
  PreparedStatement(const PreparedStatement&) = delete;
  PreparedStatement& operator=(const PreparedStatement&) = delete;

  const std::vector<Column>& columns() const;
  size_t parameters_count() const;
  Result<QueryResult> Query(std::span<const Parameter> parameters = {});
  // Row by row, without keeping them. Returns how many rows were changed (DML) or seen.
  Result<uint64_t> ForEachRow(std::span<const Parameter> parameters, const RowCallback& callback);

 private:
  friend class Connection;
  struct Impl;
  explicit PreparedStatement(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Adds many rows to one table in one statement: the fast way in.
class Appender {
 public:
  ~Appender();  // What was not finished is not added.
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;

  // One value for each column of the table, in order.
  Status AppendRow(std::span<const Parameter> row);
  // Adds everything appended so far; the appender is then spent. Returns the number of rows.
  Result<uint64_t> Finish();

 private:
  friend class Connection;
  struct Impl;
  explicit Appender(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class Connection {
 public:
  ~Connection();  // An open transaction is rolled back.
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Any number of statements; the result is the last one's.
  Result<QueryResult> Query(std::string_view sql);
  Status Execute(std::string_view sql);
  // Results of one SELECT by column chunk, as the analytical engine makes them.
  Status ForEachChunk(std::string_view sql, const ChunkCallback& callback);
  Result<std::unique_ptr<PreparedStatement>> Prepare(std::string_view sql);
  // `table` as in SQL: "orders", "sales.orders", "\"Album\"".
  Result<std::unique_ptr<Appender>> NewAppender(std::string_view table);

  // BEGIN ... COMMIT around `work`; rolled back when it fails. Conflicts (40001, 40P01) are the
  // caller's to try again.
  Status InTransaction(const std::function<Status(Connection&)>& work);
  bool in_transaction() const;

  // Ends the running statement with 57014. Any thread.
  void Cancel();

 private:
  friend class Database;
  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class Database {
 public:
  // Creates the folder when it is missing or empty, else recovers what is in it.
  static Result<std::unique_ptr<Database>> Open(const std::string& data_dir,
                                                OpenOptions options = {});
  ~Database();  // Without Close, the next Open recovers from the log.
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Result<std::unique_ptr<Connection>> Connect(std::string_view database = "omendb",
                                              std::string_view user = "omendb");
  // Writes a checkpoint. No connection may be open.
  Status Close();

 private:
  struct Impl;
  explicit Database(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace omendb
