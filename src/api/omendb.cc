// omendb.cc - the library over sessions: what the wire server does with sockets, done with calls.
#include "omendb/omendb.h"

#include "api/host.h"
#include "api/parameters.h"
#include "api/sinks.h"
#include "base/sqlstate.h"
#include "engine/database.h"
#include "env/env.h"
#include "sql/settings/registry.h"

namespace omendb {

// ---- QueryResult
// ---------------------------------------------------------------------------------

struct QueryResult::Data {
  std::vector<Column> columns;
  std::vector<api::TextSink::Cell> cells;
  std::string tag;
  uint64_t rows_affected = 0;

  void Take(api::TextSink& sink) {
    for (const types::ResultColumn& column : sink.columns()) {
      columns.push_back(api::ColumnOf(column));
    }
    cells = sink.TakeCells();
    tag = sink.tag();
    rows_affected = sink.rows_affected();
  }
};

QueryResult::QueryResult() : data_(std::make_unique<Data>()) {}
QueryResult::QueryResult(QueryResult&&) noexcept = default;
QueryResult& QueryResult::operator=(QueryResult&&) noexcept = default;
QueryResult::~QueryResult() = default;

const std::vector<Column>& QueryResult::columns() const { return data_->columns; }
size_t QueryResult::rows_count() const {
  return data_->columns.empty() ? 0 : data_->cells.size() / data_->columns.size();
}
uint64_t QueryResult::rows_affected() const { return data_->rows_affected; }
const std::string& QueryResult::command_tag() const { return data_->tag; }
bool QueryResult::IsNull(size_t row, size_t column) const {
  return data_->cells[row * data_->columns.size() + column].is_null;
}
std::string_view QueryResult::Text(size_t row, size_t column) const {
  return data_->cells[row * data_->columns.size() + column].text;
}

// ---- Connection
// ----------------------------------------------------------------------------------

struct Connection::Impl {
  api::InlineHost host;
  std::unique_ptr<sql::Session> session;  // After host: it is used until the session is gone.
  uint64_t statements_prepared = 0;
};

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::~Connection() = default;

Result<QueryResult> Connection::Query(std::string_view sql) {
  api::TextSink sink(impl_->session->io_settings());
  OMEN_TRY(impl_->session->ExecuteSimple(sql, sink));
  QueryResult result;
  result.data_->Take(sink);
  return result;
}

Status Connection::Execute(std::string_view sql) {
  const RowCallback ignore = [](const RowView&) { return Status::Ok(); };
  api::CallbackSink sink(impl_->session->io_settings(), ignore);
  return impl_->session->ExecuteSimple(sql, sink);
}

Status Connection::ForEachChunk(std::string_view sql, const ChunkCallback& callback) {
  api::ChunkSink sink(callback);
  return impl_->session->ExecuteSimple(sql, sink);
}

Status Connection::InTransaction(const std::function<Status(Connection&)>& work) {
  OMEN_TRY(Execute("BEGIN"));
  Status done = work(*this);
  if (done.ok()) done = Execute("COMMIT");
  // After a failed COMMIT there is no transaction left and ROLLBACK only warns.
  if (!done.ok() && in_transaction()) {
    const Status rolled_back = Execute("ROLLBACK");
    if (!rolled_back.ok()) return rolled_back;
  }
  return done;
}

bool Connection::in_transaction() const { return impl_->session->transaction_status() != 'I'; }

void Connection::Cancel() { impl_->session->cancel_flag().Set(CancelFlag::Reason::kUserRequest); }

// ---- PreparedStatement
// ---------------------------------------------------------------------------

struct PreparedStatement::Impl {
  sql::Session* session;  // The connection's; it outlives the statement.
  std::string name;
  std::vector<types::ResultColumn> result_columns;
  std::vector<Column> columns;
  size_t parameters_count = 0;
  std::vector<sql::BoundParameter> bound;  // reused

  // Bind, Execute, Sync. The error of the statement wins over that of the Sync after it.
  Status Run(std::span<const Parameter> parameters, api::BaseSink& sink) {
    sink.SetColumns(result_columns);
    api::BindParameters(parameters, bound);
    Status done = session->Bind("", name, bound);
    if (done.ok()) done = session->Execute("", 0, sink);
    if (!done.ok()) session->FailTransaction();
    Status synced = session->Sync(sink);
    return done.ok() ? std::move(synced) : std::move(done);
  }
};

PreparedStatement::PreparedStatement(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

PreparedStatement::~PreparedStatement() {
  // Closing can only fail for an unknown name, which this one is not.
  const Status closed = impl_->session->CloseStatement(impl_->name);
  OMEN_DCHECK(closed.ok());
}

const std::vector<Column>& PreparedStatement::columns() const { return impl_->columns; }
size_t PreparedStatement::parameters_count() const { return impl_->parameters_count; }

Result<QueryResult> PreparedStatement::Query(std::span<const Parameter> parameters) {
  api::TextSink sink(impl_->session->io_settings());
  OMEN_TRY(impl_->Run(parameters, sink));
  QueryResult result;
  result.data_->Take(sink);
  return result;
}

Result<uint64_t> PreparedStatement::ForEachRow(std::span<const Parameter> parameters,
                                               const RowCallback& callback) {
  api::CallbackSink sink(impl_->session->io_settings(), callback);
  OMEN_TRY(impl_->Run(parameters, sink));
  return sink.rows_seen() != 0 ? sink.rows_seen() : sink.rows_affected();
}

Result<std::unique_ptr<PreparedStatement>> Connection::Prepare(std::string_view sql) {
  auto statement = std::make_unique<PreparedStatement::Impl>();
  statement->session = impl_->session.get();
  statement->name = "omendb_api_" + std::to_string(++impl_->statements_prepared);
  OMEN_TRY(impl_->session->Parse(statement->name, sql, {}));
  OMEN_ASSIGN(sql::Session::Description description,
              impl_->session->DescribeStatement(statement->name));
  statement->parameters_count = description.param_oids.size();
  for (const types::ResultColumn& column : description.columns) {
    statement->columns.push_back(api::ColumnOf(column));
  }
  statement->result_columns = std::move(description.columns);
  return std::unique_ptr<PreparedStatement>(new PreparedStatement(std::move(statement)));
}

// ---- Appender
// ------------------------------------------------------------------------------------

struct Appender::Impl {
  sql::Session* session;  // The connection's; it outlives the appender.
  std::string table;
  std::string lines;
};

Appender::Appender(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Appender::~Appender() = default;

Status Appender::AppendRow(std::span<const Parameter> row) {
  if (impl_ == nullptr) {
    return Status(sqlstate::kObjectNotInPrerequisiteState, "the appender is finished");
  }
  api::AppendCopyLine(row, impl_->lines);
  return Status::Ok();
}

Result<uint64_t> Appender::Finish() {
  if (impl_ == nullptr) {
    return Status(sqlstate::kObjectNotInPrerequisiteState, "the appender is finished");
  }
  const std::unique_ptr<Impl> impl = std::move(impl_);
  api::CopySource source(impl->lines);
  OMEN_TRY(impl->session->ExecuteSimple("COPY " + impl->table + " FROM STDIN", source));
  return source.rows_affected();
}

Result<std::unique_ptr<Appender>> Connection::NewAppender(std::string_view table) {
  auto appender = std::make_unique<Appender::Impl>();
  appender->session = impl_->session.get();
  appender->table = table;
  return std::unique_ptr<Appender>(new Appender(std::move(appender)));
}

// ---- Database
// ------------------------------------------------------------------------------------

struct Database::Impl {
  std::unique_ptr<env::Env> env = env::NewPosixEnv();
  std::unique_ptr<engine::Database> engine;  // After env: gone before it.
  std::unique_ptr<sql::Instance> instance;   // After engine: gone before it.
};

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::Open(const std::string& data_dir, OpenOptions options) {
  auto impl = std::make_unique<Impl>();
  engine::DatabaseOptions engine_options;
  engine_options.data_dir = data_dir;
  engine_options.memory_bytes = options.memory_bytes;
  engine_options.freeze_after_ms = sql::DefaultNumber("omendb.freeze_after") * 1000;
  OMEN_ASSIGN(impl->engine, engine::Database::Open(*impl->env, engine_options));
  sql::Instance::Options sql_options;
  sql_options.duck_threads = options.analytical_threads;
  sql_options.temp_directory = data_dir + "/tmp";
  OMEN_ASSIGN(impl->instance, sql::Instance::Create(*impl->engine, sql_options));
  return std::unique_ptr<Database>(new Database(std::move(impl)));
}

Result<std::unique_ptr<Connection>> Database::Connect(std::string_view database,
                                                      std::string_view user) {
  auto connection = std::make_unique<Connection::Impl>();
  sql::Instance::SessionOptions options;
  options.database = database;
  options.user = user;
  options.application_name = "libomendb";
  OMEN_ASSIGN(connection->session,
              impl_->instance->NewSession(std::move(options), connection->host));
  return std::unique_ptr<Connection>(new Connection(std::move(connection)));
}

Status Database::Close() {
  impl_->instance.reset();
  return impl_->engine->Close();
}

}  // namespace omendb
