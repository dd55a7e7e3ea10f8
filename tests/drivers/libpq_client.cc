// libpq: parameters and results in both formats, prepared statements, single-row and pipeline mode,
// COPY, cancel, error fields. Run by client_test.py.
#include <libpq-fe.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace {

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using QueryResult = std::unique_ptr<PGresult, decltype(&PQclear)>;

int failures_count = 0;

void Check(bool holds, const char* what, int line, const std::string& detail) {
  if (holds) return;
  ++failures_count;
  std::printf("FAILED line %d: %s (%s)\n", line, what, detail.c_str());
}
#define CHECK_THAT(condition, detail) Check((condition), #condition, __LINE__, (detail))

Connection Connect() {
  Connection connection(PQconnectdb(""), PQfinish);
  CHECK_THAT(PQstatus(connection.get()) == CONNECTION_OK, PQerrorMessage(connection.get()));
  return connection;
}

QueryResult Query(PGconn* connection, const char* sql) {
  return {PQexec(connection, sql), PQclear};
}

std::string Value(const QueryResult& result, int row, int column) {
  return {PQgetvalue(result.get(), row, column),
          static_cast<size_t>(PQgetlength(result.get(), row, column))};
}

std::string ErrorField(const QueryResult& result, int field) {
  const char* text = PQresultErrorField(result.get(), field);
  return text == nullptr ? "" : text;
}

// Big-endian, as the wire has it.
std::string BinaryInt(uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

void ParametersInBothFormats(PGconn* connection) {
  const std::string four = BinaryInt(40, 4);
  const std::string eight = BinaryInt(2, 8);
  const char* values[] = {four.data(), "2", eight.data(), nullptr, "a\\\\b"};
  const int lengths[] = {4, 0, 8, 0, 0};
  const int formats[] = {1, 0, 1, 0, 0};
  const Oid types[] = {23, 23, 20, 25, 17};
  for (int result_format : {0, 1}) {
    QueryResult result(PQexecParams(connection, "SELECT $1 + $2, $3, $4, 'x'::text, true, $5", 5,
                                    types, values, lengths, formats, result_format),
                       PQclear);
    CHECK_THAT(PQresultStatus(result.get()) == PGRES_TUPLES_OK, PQerrorMessage(connection));
    CHECK_THAT(PQftype(result.get(), 0) == 23 && PQftype(result.get(), 1) == 20, "types");
    CHECK_THAT(PQfformat(result.get(), 0) == result_format, "format");
    const bool binary = result_format == 1;
    CHECK_THAT(Value(result, 0, 0) == (binary ? BinaryInt(42, 4) : "42"), Value(result, 0, 0));
    CHECK_THAT(Value(result, 0, 1) == (binary ? BinaryInt(2, 8) : "2"), Value(result, 0, 1));
    CHECK_THAT(PQgetisnull(result.get(), 0, 2) == 1, "null");
    CHECK_THAT(Value(result, 0, 3) == "x", Value(result, 0, 3));
    CHECK_THAT(Value(result, 0, 4) == (binary ? std::string(1, '\1') : "t"), Value(result, 0, 4));
  }
}

void PreparedStatements(PGconn* connection) {
  QueryResult prepared(PQprepare(connection, "add", "SELECT $1::int + 1 AS next", 0, nullptr),
                       PQclear);
  CHECK_THAT(PQresultStatus(prepared.get()) == PGRES_COMMAND_OK, PQerrorMessage(connection));
  QueryResult described(PQdescribePrepared(connection, "add"), PQclear);
  CHECK_THAT(PQnparams(described.get()) == 1 && PQparamtype(described.get(), 0) == 23,
             "parameters");
  CHECK_THAT(std::strcmp(PQfname(described.get(), 0), "next") == 0, "name");
  for (int i = 0; i < 100; ++i) {
    const std::string text = std::to_string(i);
    const char* values[] = {text.c_str()};
    QueryResult result(PQexecPrepared(connection, "add", 1, values, nullptr, nullptr, 0), PQclear);
    CHECK_THAT(Value(result, 0, 0) == std::to_string(i + 1), PQerrorMessage(connection));
  }
  QueryResult again(PQprepare(connection, "add", "SELECT 1", 0, nullptr), PQclear);
  CHECK_THAT(ErrorField(again, PG_DIAG_SQLSTATE) == "42P05", ErrorField(again, PG_DIAG_SQLSTATE));
}

void Transactions(PGconn* connection) {
  Query(connection, "CREATE TABLE tx (a int)");
  Query(connection, "BEGIN; INSERT INTO tx VALUES (1)");
  CHECK_THAT(PQtransactionStatus(connection) == PQTRANS_INTRANS, "in a transaction");
  Query(connection, "SELECT 1 / 0");
  CHECK_THAT(PQtransactionStatus(connection) == PQTRANS_INERROR, "failed");
  QueryResult ended = Query(connection, "COMMIT");
  CHECK_THAT(std::strcmp(PQcmdStatus(ended.get()), "ROLLBACK") == 0, PQcmdStatus(ended.get()));
  CHECK_THAT(PQtransactionStatus(connection) == PQTRANS_IDLE, "idle");
  CHECK_THAT(Value(Query(connection, "SELECT count(*) FROM tx"), 0, 0) == "0", "rolled back");
}

void ErrorFields(PGconn* connection) {
  Query(connection,
        "CREATE TABLE uniq (a int CONSTRAINT once UNIQUE); INSERT INTO uniq VALUES (1)");
  QueryResult result = Query(connection, "INSERT INTO uniq VALUES (1)");
  CHECK_THAT(PQresultStatus(result.get()) == PGRES_FATAL_ERROR, "status");
  CHECK_THAT(ErrorField(result, PG_DIAG_SQLSTATE) == "23505", ErrorField(result, PG_DIAG_SQLSTATE));
  CHECK_THAT(ErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED) == "ERROR", "severity");
  CHECK_THAT(ErrorField(result, PG_DIAG_MESSAGE_PRIMARY) ==
                 "duplicate key value violates unique constraint \"once\"",
             ErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
  CHECK_THAT(ErrorField(result, PG_DIAG_MESSAGE_DETAIL) == "Key (a)=(1) already exists.",
             ErrorField(result, PG_DIAG_MESSAGE_DETAIL));
  CHECK_THAT(ErrorField(result, PG_DIAG_SCHEMA_NAME) == "public", "schema");
  CHECK_THAT(ErrorField(result, PG_DIAG_TABLE_NAME) == "uniq", "table");
  CHECK_THAT(ErrorField(result, PG_DIAG_CONSTRAINT_NAME) == "once", "constraint");
  result = Query(connection, "SELECT 'abc'::int");
  CHECK_THAT(ErrorField(result, PG_DIAG_SQLSTATE) == "22P02", ErrorField(result, PG_DIAG_SQLSTATE));
}

void SingleRowMode(PGconn* connection) {
  PQsendQuery(connection, "SELECT n FROM generate_series(1, 5000) AS g (n) ORDER BY n");
  CHECK_THAT(PQsetSingleRowMode(connection) == 1, PQerrorMessage(connection));
  int rows_count = 0;
  while (PGresult* raw = PQgetResult(connection)) {
    QueryResult result(raw, PQclear);
    if (PQresultStatus(raw) == PGRES_SINGLE_TUPLE) {
      ++rows_count;
      CHECK_THAT(Value(result, 0, 0) == std::to_string(rows_count), "in order");
    }
  }
  CHECK_THAT(rows_count == 5000, std::to_string(rows_count));
}

// The statements after an error are skipped up to the next Sync, and only those.
void PipelineMode(PGconn* connection) {
  Query(connection, "CREATE TABLE piped (a int PRIMARY KEY)");
  CHECK_THAT(PQenterPipelineMode(connection) == 1, PQerrorMessage(connection));
  const char* texts[] = {"INSERT INTO piped VALUES (1)", "INSERT INTO piped VALUES (1)",
                         "INSERT INTO piped VALUES (2)"};
  for (const char* text : texts) {
    PQsendQueryParams(connection, text, 0, nullptr, nullptr, nullptr, nullptr, 0);
  }
  PQpipelineSync(connection);
  PQsendQueryParams(connection, "SELECT count(*) FROM piped", 0, nullptr, nullptr, nullptr, nullptr,
                    0);
  PQpipelineSync(connection);
  std::vector<ExecStatusType> seen;
  std::string count;
  for (int syncs = 0; syncs < 2;) {
    PGresult* raw = PQgetResult(connection);
    if (raw == nullptr) continue;
    QueryResult result(raw, PQclear);
    seen.push_back(PQresultStatus(raw));
    if (seen.back() == PGRES_PIPELINE_SYNC) ++syncs;
    if (seen.back() == PGRES_TUPLES_OK) count = Value(result, 0, 0);
    if (PQstatus(connection) != CONNECTION_OK) break;
  }
  const std::vector<ExecStatusType> expected = {PGRES_COMMAND_OK,       PGRES_FATAL_ERROR,
                                                PGRES_PIPELINE_ABORTED, PGRES_PIPELINE_SYNC,
                                                PGRES_TUPLES_OK,        PGRES_PIPELINE_SYNC};
  CHECK_THAT(seen == expected, "order of results");
  CHECK_THAT(count == "0", count);
  CHECK_THAT(PQexitPipelineMode(connection) == 1, PQerrorMessage(connection));
}

void CopyBothWays(PGconn* connection) {
  Query(connection, "CREATE TABLE copied (a int, b text)");
  CHECK_THAT(PQresultStatus(Query(connection, "COPY copied FROM STDIN").get()) == PGRES_COPY_IN,
             "in");
  for (int i = 0; i < 1000; ++i) {
    const std::string line = std::to_string(i) + "\trow\\t" + std::to_string(i) + "\n";
    // Split in odd places: rows need not come whole.
    PQputCopyData(connection, line.data(), 3);
    PQputCopyData(connection, line.data() + 3, static_cast<int>(line.size()) - 3);
  }
  PQputCopyEnd(connection, nullptr);
  while (PGresult* raw = PQgetResult(connection)) {
    QueryResult result(raw, PQclear);
    CHECK_THAT(std::strcmp(PQcmdStatus(raw), "COPY 1000") == 0, PQresultErrorMessage(raw));
  }
  Query(connection, "COPY (SELECT a FROM copied WHERE a < 3 ORDER BY a) TO STDOUT");
  std::string text;
  char* buffer = nullptr;
  for (int size; (size = PQgetCopyData(connection, &buffer, 0)) > 0; PQfreemem(buffer)) {
    text.append(buffer, static_cast<size_t>(size));
  }
  CHECK_THAT(text == "0\n1\n2\n", text);
  while (PGresult* raw = PQgetResult(connection)) PQclear(raw);
  Query(connection, "COPY copied FROM STDIN");
  PQputCopyEnd(connection, "changed my mind");
  QueryResult failed(PQgetResult(connection), PQclear);
  CHECK_THAT(ErrorField(failed, PG_DIAG_SQLSTATE) == "57014", ErrorField(failed, PG_DIAG_SQLSTATE));
  while (PGresult* raw = PQgetResult(connection)) PQclear(raw);
  CHECK_THAT(Value(Query(connection, "SELECT count(*) FROM copied"), 0, 0) == "1000", "unchanged");
}

void Cancel(PGconn* connection) {
  PQsendQuery(connection,
              "SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 1000) b "
              "WHERE a * 7 % 5 = b");
  std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> cancel(PQgetCancel(connection), PQfreeCancel);
  QueryResult result(nullptr, PQclear);
  // A cancel that arrives before the statement runs is lost, so it is sent until it takes.
  while (PQisBusy(connection) != 0) {
    char error[256];
    CHECK_THAT(PQcancel(cancel.get(), error, sizeof(error)) == 1, error);
    PQconsumeInput(connection);
  }
  while (PGresult* raw = PQgetResult(connection)) result.reset(raw);
  CHECK_THAT(ErrorField(result, PG_DIAG_SQLSTATE) == "57014", ErrorField(result, PG_DIAG_SQLSTATE));
}

}  // namespace

int main() {
  const std::pair<const char*, std::function<void(PGconn*)>> checks[] = {
      {"parameters in both formats", ParametersInBothFormats},
      {"prepared statements", PreparedStatements},
      {"transactions", Transactions},
      {"error fields", ErrorFields},
      {"single-row mode", SingleRowMode},
      {"pipeline mode", PipelineMode},
      {"copy both ways", CopyBothWays},
      {"cancel", Cancel},
  };
  for (const auto& [name, run] : checks) {
    const int before = failures_count;
    run(Connect().get());
    std::printf("%s %s\n", failures_count == before ? "ok" : "FAILED", name);
  }
  return failures_count == 0 ? 0 : 1;
}
