#include "sql/instance_impl.h"

#include <fmt/format.h>

#include "base/sqlstate.h"
#include "catalog/privileges.h"
#include "duck/duck_engine.h"
#include "sql/metric_families.h"
#include "sql/names.h"
#include "sql/pg_catalog/functions.h"
#include "sql/pg_catalog/system_tables.h"
#include "sql/rewrite/rewriter.h"
#include "sql/session_impl.h"

namespace omendb::sql {
namespace {

// Text that the catalog holds does not depend on a session.
class CatalogTextRewriter : public duck::SqlRewriter {
 public:
  Result<std::string> RewriteQuery(std::string_view sql,
                                   const engine::StatementContext& context) override {
    RewriteContext rewrite;
    rewrite.find_table = [&](const PgQuery__RangeVar& range) {
      // Definitions name schemas.
      const auto* schema = context.catalog->FindSchema(context.database, View(range.schemaname));
      return schema == nullptr
                 ? nullptr
                 : context.catalog->FindRelation(schema->oid, View(range.relname)).table;
    };
    return RewriteQueryText(sql, rewrite);
  }
  Result<std::string> RewriteExpression(std::string_view sql) override {
    return RewriteExpressionText(sql, RewriteContext{});
  }
};

}  // namespace

Result<std::unique_ptr<Instance>> Instance::Create(engine::Database& database, Options options) {
  auto instance = std::make_unique<InstanceImpl>(database, std::move(options));
  OMEN_TRY(instance->Start());
  return std::unique_ptr<Instance>(std::move(instance));
}

InstanceImpl::InstanceImpl(engine::Database& database, Options options)
    : database_(database),
      options_(std::move(options)),
      share_({.share = options_.analytical_share,
              .processors = static_cast<double>(options_.duck_threads),
              .statements = [this] { return counters_.RowStatements(); }}),
      system_tables_(MakeSystemTables(*this)),
      functions_(MakeSessionFunctions(*this)),
      rewriter_(std::make_unique<CatalogTextRewriter>()) {}

InstanceImpl::~InstanceImpl() { database_.ShareMemory(nullptr); }

Status InstanceImpl::Start() {
  OMEN_TRY(DropTemporaryObjects());
  duck::DuckOptions duck_options;
  duck_options.threads = options_.duck_threads;
  duck_options.temp_directory = options_.temp_directory;
  duck_options.rewriter = rewriter_.get();
  duck_options.share = &share_;
  OMEN_ASSIGN(duck_,
              duck::DuckEngine::Create(duck_options, database_, *system_tables_, *functions_));
  database_.ShareMemory(duck_.get());
  return Status::Ok();
}

// What a crash left of sessions' temporary schemas.
Status InstanceImpl::DropTemporaryObjects() {
  auto txn = database_.Begin({});
  bool found = false;
  for (const catalog::DatabaseDef* db : database_.catalog()->databases()) {
    for (const catalog::SchemaDef* schema : database_.catalog()->schemas(db->oid)) {
      if (!schema->name.starts_with("pg_temp_")) continue;
      catalog::CatalogEdit& edit = database_.EditCatalog(*txn);
      OMEN_TRY(DropSchemaContents(edit, db->oid, schema->oid));
      OMEN_TRY(edit.Drop(catalog::ObjectKind::kSchema, schema->oid));
      found = true;
    }
  }
  if (!found) {
    database_.Abort(*txn);
    return Status::Ok();
  }
  ThreadWaiter waiter;
  return database_.Commit(*txn, waiter);
}

Result<std::unique_ptr<Session>> InstanceImpl::NewSession(SessionOptions options, Host& host) {
  auto snapshot = database_.catalog();
  const catalog::RoleDef* role = snapshot->FindRole(options.user);
  if (role == nullptr) {
    return Status(sqlstate::kInvalidAuthorizationSpecification,
                  fmt::format("role \"{}\" does not exist", options.user))
        .WithRadius(Radius::kConnection);
  }
  if (!role->can_login) {
    return Status(sqlstate::kInvalidAuthorizationSpecification,
                  fmt::format("role \"{}\" is not permitted to log in", options.user))
        .WithRadius(Radius::kConnection);
  }
  const catalog::DatabaseDef* db = snapshot->FindDatabase(options.database);
  if (db == nullptr) {
    return Status(sqlstate::kInvalidCatalogName,
                  fmt::format("database \"{}\" does not exist", options.database))
        .WithRadius(Radius::kConnection);
  }
  if (!role->superuser &&
      (catalog::PrivilegesOf(*snapshot, role->oid, catalog::AclOfDatabase(*db)) &
       catalog::privilege::kConnect) == 0) {
    return Status(sqlstate::kInsufficientPrivilege,
                  fmt::format("permission denied for database \"{}\"", db->name))
        .WithDetail("User does not have CONNECT privilege.")
        .WithRadius(Radius::kConnection);
  }
  if (activity_.size() >= static_cast<size_t>(options_.max_connections)) {
    return Status(sqlstate::kTooManyConnections, "sorry, too many clients already")
        .WithRadius(Radius::kConnection);
  }
  auto session = std::make_unique<SessionImpl>(*this, std::move(options), host, db->oid, role->oid);
  OMEN_TRY(session->Start());
  return std::unique_ptr<Session>(std::move(session));
}

std::optional<std::string> InstanceImpl::PasswordVerifier(std::string_view role_name) {
  auto snapshot = database_.catalog();
  const catalog::RoleDef* role = snapshot->FindRole(role_name);
  if (role == nullptr || !role->can_login || role->password_verifier.empty()) return std::nullopt;
  return role->password_verifier;
}

bool InstanceImpl::CancelBackend(int32_t pid, int32_t key) {
  return activity_.Cancel(pid, key, CancelFlag::Reason::kUserRequest);
}

void InstanceImpl::ShutdownSessions() { activity_.CancelAll(CancelFlag::Reason::kShutdown); }

void InstanceImpl::CollectMetrics(MetricFamilies& out) {
  counters_.Collect(out);
  out.Gauge("omendb_sessions", "Sessions that are open.", static_cast<double>(activity_.size()));
  out.Gauge("omendb_memory_bytes", "Memory by user.", static_cast<double>(duck_->used()),
            {{"user", "duckdb"}});
  out.Gauge("omendb_analytical_processors",
            "Processors that analytics may take, as was found when it last ran.", share_.limit());
}

}  // namespace omendb::sql
