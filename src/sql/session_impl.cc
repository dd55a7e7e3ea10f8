#include "sql/session_impl.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "sql/privileges.h"

namespace omendb::sql {

Status ResultSink::OnChunk(const types::Chunk& chunk) {
  types::Row row(chunk.columns.size());
  for (uint32_t r = 0; r < chunk.rows_count; ++r) {
    for (size_t c = 0; c < row.size(); ++c) row[c] = chunk.columns[c].Get(r);
    OMEN_TRY(OnRow(row));
  }
  return Status::Ok();
}

SessionImpl::SessionImpl(InstanceImpl& instance, Instance::SessionOptions options, Host& host,
                         Oid database, Oid role)
    : instance_(instance),
      host_(host),
      options_(std::move(options)),
      database_(database),
      session_user_(options_.user),
      block_(instance.database(), settings_) {
  ActivityEntry entry;
  entry.pid = options_.backend_pid;
  entry.cancel_key = options_.cancel_key;
  entry.user = options_.user;
  entry.database = options_.database;
  entry.database_oid = database;
  entry.role_oid = role;
  entry.application_name = options_.application_name;
  entry.client_address = options_.client_address;
  activity_ = instance_.activity().Add(std::move(entry), cancel_);
  progress_notices_.emplace(activity_->progress());
}

SessionImpl::~SessionImpl() {
  streaming_ = nullptr;
  portals_.Clear();
  prepared_.clear();
  plans_.Clear();
  block_.Rollback();
  if (has_temp_schema_) (void)CreateTempCleanup().ok();
  db().UnlockAllAdvisory(static_cast<uint64_t>(options_.backend_pid));
  instance_.activity().Remove(activity_);
}

Status SessionImpl::Start() {
  settings_.SetInternal("port", std::to_string(instance_.options().port));
  settings_.SetInternal("max_connections", std::to_string(instance_.options().max_connections));
  settings_.SetInternal("session_authorization", options_.user);
  settings_.SetInternal("is_superuser", is_superuser() ? "on" : "off");
  for (const auto& [name, value] : instance_.options().settings) {
    const SettingDef* def = FindSetting(name);
    if (def == nullptr && name.find('.') == std::string::npos) continue;  // The server's own.
    OMEN_TRY(settings_.SetDefault(name, value, "configuration file"));
  }
  if (!options_.application_name.empty()) {
    OMEN_TRY(settings_.SetDefault("application_name", options_.application_name, "client"));
  }
  for (const auto& [name, value] : options_.settings) {
    if (name == "user" || name == "database" || name == "replication" || name == "options") {
      continue;
    }
    if (const SettingDef* def = FindSetting(name)) {
      if (def->context < SettingContext::kSuperuserBackend) {
        OMEN_TRY(settings_.CheckChangeable(name, true));
      }
    }
    OMEN_TRY(settings_.SetDefault(name, value, "client"));
  }
  settings_.set_on_report([this](std::string_view name, std::string_view value) {
    if (name == "application_name") activity_->SetApplicationName(value);
    if (sink_ != nullptr) sink_->OnParameterStatus(name, value);
  });
  OMEN_ASSIGN(duck_, instance_.duck().NewSession(database_));
  duck_->set_session_data(this);
  return Status::Ok();
}

// Temporary tables end with their session.
Status SessionImpl::CreateTempCleanup() {
  ThreadWaiter waiter;
  block_.EnsureStarted();
  engine::StatementContext context = MakeContext(waiter);
  context.cancel = nullptr;
  catalog::CatalogEdit& edit = db().EditCatalog(*block_.txn());
  const catalog::SchemaDef* schema = edit.view()->FindSchema(database_, temp_schema_name());
  if (schema != nullptr) {
    const Oid oid = schema->oid;
    OMEN_TRY(DropSchemaContents(edit, database_, oid));
    OMEN_TRY(edit.Drop(catalog::ObjectKind::kSchema, oid));
  }
  return block_.Commit(context);
}

char SessionImpl::transaction_status() const {
  switch (block_.state()) {
    case TransactionBlock::State::kBlock:
      return 'T';
    case TransactionBlock::State::kFailed:
      return 'E';
    default:
      return 'I';
  }
}

std::vector<std::pair<std::string, std::string>> SessionImpl::ReportedSettings() const {
  std::vector<std::pair<std::string, std::string>> reported;
  for (const SettingDef& def : AllSettings()) {
    if (!IsReported(def.name)) continue;
    reported.emplace_back(def.name, Setting(def.name));
  }
  return reported;
}

std::string SessionImpl::Setting(std::string_view name) const {
  auto shown = settings_.Show(name);
  return shown.ok() ? *shown : "";
}

void SessionImpl::OnNextValue(Oid sequence, int64_t value) {
  sequence_values_[sequence] = value;
  last_sequence_ = sequence;
}

// Asked for every value: the answer is kept while neither the catalog nor the role changes. An
// identity column's values belong to its table.
Status SessionImpl::CheckUse(const catalog::SequenceDef& sequence, Access access) {
  const auto snapshot = catalog();
  if (allowed_in_catalog_ != snapshot->version()) allowed_sequences_.clear();
  allowed_in_catalog_ = snapshot->version();
  if (allowed_sequences_.contains({sequence.oid, access})) return Status::Ok();
  const catalog::Relation relation = FindRelation(*snapshot, sequence.oid);
  const bool is_free = access == Access::kNext && sequence.is_identity;
  if (relation && !is_free) {
    OMEN_TRY(CheckAnyPrivilege(*this, relation,
                               access == Access::kSet
                                   ? catalog::privilege::kUpdate
                                   : catalog::privilege::kUsage | catalog::privilege::kUpdate));
  }
  allowed_sequences_.emplace(sequence.oid, access);
  return Status::Ok();
}

// search_path may name the role's schema, and leaves out schemas that it may not use.
void SessionImpl::set_role(std::string role) {
  role_ = std::move(role);
  allowed_sequences_.clear();
  settings_.InvalidatePlans();
}

void SessionImpl::set_session_user(std::string user) {
  session_user_ = std::move(user);
  allowed_sequences_.clear();
}

Oid SessionImpl::current_role() const {
  const catalog::RoleDef* role = catalog()->FindRole(current_user());
  // A role that was dropped meanwhile owns nothing and may do nothing.
  return role != nullptr ? role->oid : Oid(UINT32_MAX);
}

bool SessionImpl::is_superuser() const {
  const catalog::RoleDef* role = catalog()->FindRole(current_user());
  return role != nullptr && role->superuser;
}

std::shared_ptr<const catalog::CatalogSnapshot> SessionImpl::catalog() const {
  return block_.txn() == nullptr ? db().catalog() : db().CatalogFor(*block_.txn());
}

// Nearly always that of the statement before, as its version tells without a lock.
const std::shared_ptr<const catalog::CatalogSnapshot>& SessionImpl::KeptCatalog() {
  if (kept_catalog_ == nullptr ||
      kept_catalog_->version() != db().CatalogVersionFor(block_.txn())) {
    kept_catalog_ = catalog();
  }
  return kept_catalog_;
}

engine::StatementContext SessionImpl::MakeContext(Waiter& waiter) {
  return ContextWith(waiter, catalog());
}

engine::StatementContext SessionImpl::ContextWith(
    Waiter& waiter, std::shared_ptr<const catalog::CatalogSnapshot> catalog) {
  engine::StatementContext context;
  context.txn = block_.txn();
  context.catalog = std::move(catalog);
  context.database = database_;
  context.waiter = &waiter;
  context.cancel = &cancel_;
  context.lock_timeout_ms = settings_.lock_timeout_ms();
  context.io_settings = &settings_.io();
  context.sequence_observer = this;
  context.column_expressions = this;
  context.progress = &activity_->progress();
  return context;
}

std::string SessionImpl::temp_schema_name() const {
  return "pg_temp_" + std::to_string(options_.backend_pid);
}

std::vector<std::string> SessionImpl::SearchPath(bool implicit) const {
  std::vector<std::string> path;
  auto snapshot = catalog();
  auto add = [&](const std::string& name) {
    const catalog::SchemaDef* schema = snapshot->FindSchema(database_, name);
    if (schema == nullptr) return;
    if (!CheckSchema(*this, *schema, catalog::privilege::kUsage).ok()) return;
    if (std::find(path.begin(), path.end(), name) == path.end()) path.push_back(name);
  };
  const auto& setting = settings_.search_path();
  const bool names_catalog =
      std::find(setting.begin(), setting.end(), "pg_catalog") != setting.end();
  if (implicit && has_temp_schema_) add(temp_schema_name());
  if (implicit && !names_catalog) add("pg_catalog");
  for (const std::string& name : setting) {
    if (name == "pg_temp") {
      if (implicit) add(temp_schema_name());
    } else {
      add(name == "$user" ? current_user() : name);
    }
  }
  return path;
}

void SessionImpl::Notify(std::string_view severity, Status status) {
  static constexpr std::string_view kLevels[] = {"debug5", "debug4", "debug3",  "debug2", "debug1",
                                                 "log",    "notice", "warning", "error"};
  const std::string least = settings_.Get("client_min_messages");
  auto rank = [](std::string_view level) {
    return std::find(std::begin(kLevels), std::end(kLevels), level) - std::begin(kLevels);
  };
  std::string lower(severity);
  std::transform(lower.begin(), lower.end(), lower.begin(), ::tolower);
  if (severity != "INFO" && rank(lower) < rank(least)) return;
  sql::Notice notice;
  notice.severity = severity;
  notice.info = status.error();
  if (pool_waiter_ != nullptr || sink_ == nullptr) {
    pending_notices_.push_back(std::move(notice));  // Sent when the session's own thread is back.
  } else {
    sink_->OnNotice(notice);
  }
}

void SessionImpl::Notice(std::string message) {
  Notify("NOTICE", Status(SqlState("00000"), std::move(message)));
}

void SessionImpl::Warning(SqlState code, std::string message) {
  Notify("WARNING", Status(code, std::move(message)));
}

void SessionImpl::Info(std::string message) {
  Notify("INFO", Status(SqlState("00000"), std::move(message)));
}

Status SessionImpl::OnPool(const std::function<Status(Waiter&)>& work) {
  if (pool_waiter_ != nullptr) return work(*pool_waiter_);
  progress_notices_->SetInterval(settings_.progress_notices_ms());
  Status status;
  Status admitted = host_.RunAnalytical(
      [&](Waiter& waiter) {
        pool_waiter_ = &waiter;
        status = work(waiter);
        pool_waiter_ = nullptr;
      },
      cancel_, &*progress_notices_);
  progress_notices_->TickIfDue();
  if (sink_ != nullptr) {
    for (const sql::Notice& notice : pending_notices_) sink_->OnNotice(notice);
    pending_notices_.clear();
  }
  return admitted.ok() ? status : admitted;
}

Status SessionImpl::CommitTransaction() {
  // A cursor whose query still runs ends with its transaction: one WITH HOLD has all its rows.
  if (streaming_ != nullptr && streaming_->is_cursor) AbandonPortal(*streaming_);
  OMEN_TRY(SettleStream());
  Status status = ApplyOnCommit();
  if (!status.ok()) {
    RollbackTransaction();
    return status;
  }
  for (const auto& portal : portals_) {
    if (portal->hold && portal->state == PortalState::State::kReady) {
      OMEN_TRY(BufferPortal(*portal));
    }
  }
  engine::StatementContext context = OwnContext();
  if (context.txn != nullptr && context.txn->has_writes()) {
    status = CheckConstraints(context, /*at_commit=*/true);
    if (!status.ok()) {
      RollbackTransaction();
      return status;
    }
  }
  status = block_.Commit(context);
  DropPortalsOfTransaction(status.ok());
  return status;
}

void SessionImpl::RollbackTransaction() {
  streaming_ = nullptr;
  on_commit_drop_.clear();
  for (const auto& portal : portals_) portal->stream.reset();
  block_.Rollback();
  DropPortalsOfTransaction(false);
}

void SessionImpl::FailTransaction() {
  if (block_.state() == TransactionBlock::State::kImplicit) RollbackTransaction();
  block_.Fail();
}

void SessionImpl::DropPortalsOfTransaction(bool committed) {
  portals_.CloseIf([&](PortalState& portal) {
    const bool is_old = portal.transaction_serial != block_.serial();
    if (portal.hold && (committed || is_old)) {
      portal.transaction_serial = 0;
      return false;
    }
    if (streaming_ == &portal) streaming_ = nullptr;
    return true;
  });
}

void SessionImpl::DropPortalsAfter(uint64_t number) {
  portals_.CloseIf([&](const PortalState& portal) {
    if (portal.number <= number) return false;
    if (streaming_ == &portal) streaming_ = nullptr;
    return true;
  });
}

// CREATE TEMP TABLE ... ON COMMIT DROP / DELETE ROWS.
Status SessionImpl::ApplyOnCommit() {
  if (on_commit_drop_.empty() && on_commit_delete_.empty()) return Status::Ok();
  catalog::CatalogEdit& edit = db().EditCatalog(*block_.txn());
  for (Oid oid : on_commit_drop_) {
    if (edit.view()->table(oid) != nullptr) OMEN_TRY(DropTableObject(edit, oid));
  }
  on_commit_drop_.clear();
  std::erase_if(on_commit_delete_, [&](Oid oid) { return edit.view()->table(oid) == nullptr; });
  return OnPool([&](Waiter& waiter) -> Status {
    for (Oid oid : on_commit_delete_) {
      engine::StatementContext context = MakeContext(waiter);
      OMEN_TRY(TruncateTable(*this, context, oid));
    }
    return Status::Ok();
  });
}

StatementScope::StatementScope(SessionImpl& session, ResultSink* sink, std::string_view text)
    : session_(session) {
  session.activity_->SetQuery(text);
  Begin(sink);
}

StatementScope::StatementScope(SessionImpl& session, ResultSink* sink,
                               const std::shared_ptr<const std::string>& text)
    : session_(session) {
  session.activity_->SetQuery(text);
  Begin(sink);
}

void StatementScope::Begin(ResultSink* sink) {
  session_.sink_ = sink;
  session_.progress_notices_->Begin(sink);
  if (session_.cancel_.reason() != CancelFlag::Reason::kShutdown) session_.cancel_.Clear();
  if (uint64_t ms = session_.settings_.statement_timeout_ms(); ms > 0) {
    timer_ = session_.instance_.timer().Arm(ms, session_.cancel_);
  }
}

StatementScope::~StatementScope() {
  if (timer_ != 0) session_.instance_.timer().Disarm(timer_);
  txn::Transaction* txn = session_.block_.txn();
  auto state = ActivitySlot::State::kIdle;
  if (session_.block_.state() == TransactionBlock::State::kFailed) {
    state = ActivitySlot::State::kIdleAborted;
  } else if (session_.block_.in_block()) {
    state = ActivitySlot::State::kIdleInTransaction;
  }
  session_.activity_->SetState(state, txn != nullptr ? txn->start_micros() : 0);
  session_.sink_ = nullptr;
  session_.progress_notices_->End();
}

}  // namespace omendb::sql
