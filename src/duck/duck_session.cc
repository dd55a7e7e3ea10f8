#include "duck/duck_session.h"

#include "base/sqlstate.h"
#include "duck/catalog/omen_catalog.h"
#include "duck/catalog/table_entry.h"
#include "duck/dml/table_expressions.h"
#include "duck/dml/write_operator.h"
#include "duck/duck_engine_impl.h"
#include "duck/duck_result.h"
#include "duck/errors.h"
#include "duck/instance.h"
#include "duck/locking_result.h"
#include "duck/logical_types.h"
#include "duck/plan/column_origin.h"
#include "duck/plan/key_order.h"
#include "duck/plan/known_aggregates.h"
#include "duck/plan/plain_states.h"
#include "duck/plan/range_joins.h"
#include "duck/plan/repeatable.h"
#include "duck/plan/row_plan_builder.h"
#include "duck/plan/shared_averages.h"
#include "duck/plan/statement_rewrite.h"
#include "duckdb/catalog/catalog_search_path.hpp"
#include "duckdb/execution/physical_plan_generator.hpp"
#include "duckdb/main/client_config.hpp"
#include "duckdb/main/client_data.hpp"
#include "duckdb/main/prepared_statement_data.hpp"
#include "duckdb/optimizer/optimizer.hpp"
#include "duckdb/parser/parser.hpp"

namespace omendb::duck {

namespace {

StatementClass ClassOf(duckdb::StatementType type) {
  switch (type) {
    case duckdb::StatementType::SELECT_STATEMENT:
      return StatementClass::kSelect;
    case duckdb::StatementType::INSERT_STATEMENT:
      return StatementClass::kInsert;
    case duckdb::StatementType::UPDATE_STATEMENT:
      return StatementClass::kUpdate;
    case duckdb::StatementType::DELETE_STATEMENT:
      return StatementClass::kDelete;
    case duckdb::StatementType::MERGE_INTO_STATEMENT:
      return StatementClass::kMerge;
    default:
      return StatementClass::kOther;
  }
}

// Ties the statement to the connection while binding; Execute leaves it to the result.
class StatementScope {
 public:
  StatementScope(SessionState& state, engine::StatementContext& context) : state_(state) {
    state_.statement = &context;
    state_.conflict = nullptr;
    state_.rows_affected = 0;
    state_.rows_written = 0;
    state_.rows_to_write = 0;
    state_.one_thread = false;
    state_.run_again = RunAgain::kNo;
  }
  ~StatementScope() {
    if (!kept_) {
      state_.statement = nullptr;
      state_.conflict = nullptr;
    }
  }
  void Keep() { kept_ = true; }

 private:
  SessionState& state_;
  bool kept_ = false;
};

// The query is told of from its planning on, by its result in the end.
class TellingScope {
 public:
  explicit TellingScope(engine::StatementContext& context)
      : progress_(context.progress != nullptr ? &context.progress->query : nullptr) {
    if (progress_ != nullptr) progress_->Plan();
  }
  ~TellingScope() {
    if (progress_ != nullptr) progress_->End();
  }
  QueryProgress* Hand() { return std::exchange(progress_, nullptr); }

 private:
  QueryProgress* progress_;
};

types::SqlType SentType(const duckdb::LogicalType& type) {
  if (type.id() == duckdb::LogicalTypeId::SQLNULL || type.id() == duckdb::LogicalTypeId::UNKNOWN) {
    return {types::TypeKind::kText};
  }
  return ToSqlType(type);
}

}  // namespace

DuckSessionImpl::DuckSessionImpl(DuckEngineImpl& engine, Oid database)
    : engine_(engine), database_(database), kept_plans_(engine.kept_plan_count()) {}

DuckSessionImpl::~DuckSessionImpl() = default;

RunAgain DuckSessionImpl::run_again() const {
  return state_ != nullptr ? state_->run_again.load() : RunAgain::kNo;
}

Status DuckSessionImpl::SetSearchPath(const std::vector<std::string>& schemas) {
  if (search_path_ != schemas) settings_applied_ = false;
  search_path_ = schemas;
  return Status::Ok();
}

Status DuckSessionImpl::SetTimeZone(std::string_view iana_name) {
  if (time_zone_ != iana_name) settings_applied_ = false;
  time_zone_ = iana_name;
  return Status::Ok();
}

Status DuckSessionImpl::Connect() {
  if (connection_ != nullptr && !instance_->invalidated()) {
    state_->session_data = session_data_;
    return Status::Ok();
  }
  kept_plans_.Clear();
  connection_.reset();
  OMEN_ASSIGN(instance_, engine_.CurrentInstance());
  OMEN_ASSIGN(connection_, instance_->Connect(database_));
  state_ = duckdb::make_shared_ptr<SessionState>();
  state_->database = &engine_.database();
  state_->system_tables = &engine_.system_tables();
  state_->functions = &engine_.functions();
  state_->rewriter = engine_.rewriter();
  state_->session_data = session_data_;
  connection_->context->registered_state->Insert(SessionState::kKey, state_);
  settings_applied_ = false;
  return Status::Ok();
}

Status DuckSessionImpl::ApplySettings() {
  if (settings_applied_) return Status::Ok();
  const std::string catalog = AttachedName(database_);
  duckdb::vector<duckdb::CatalogSearchEntry> paths;
  // PostgreSQL looks into pg_catalog first unless it is named later in the path.
  if (std::find(search_path_.begin(), search_path_.end(), "pg_catalog") == search_path_.end()) {
    paths.emplace_back(catalog, "pg_catalog");
  }
  for (const std::string& schema : search_path_) paths.emplace_back(catalog, schema);
  duckdb::ClientData::Get(*connection_->context)
      .catalog_search_path->Set(paths, duckdb::CatalogSetPathType::SET_DIRECTLY);
  auto result = connection_->Query("SET TimeZone = '" +
                                   duckdb::StringUtil::Replace(time_zone_, "'", "''") + "'");
  if (result->HasError()) {
    // A zone that only our own zoneinfo knows (a POSIX string): DuckDB's functions use UTC.
    result = connection_->Query("SET TimeZone = 'UTC'");
  }
  state_->search_path = search_path_;
  settings_applied_ = true;
  return Status::Ok();
}

Status DuckSessionImpl::NoteError(const std::exception& exception) {
  return ToStatus(duckdb::ErrorData(exception));
}

void DuckSessionImpl::Describe(BoundStatementImpl& statement, Binding& binding) {
  statement.needs_values_ = binding.needs_values;
  statement.duck_param_types_ = binding.param_types;
  statement.param_types_.clear();
  for (const auto& type : binding.param_types) {
    statement.param_types_.push_back(SentType(type));
    // A value for char(n) may be longer: it is compared, or refused where it is stored.
    types::SqlType& sent = statement.param_types_.back();
    if (sent.kind == types::TypeKind::kBpchar) sent.typmod = -1;
  }
  statement.returns_rows_ =
      binding.properties.return_type == duckdb::StatementReturnType::QUERY_RESULT;
  statement.columns_.clear();
  if (!statement.returns_rows_) return;
  const auto origins = TraceColumns(*binding.plan);
  for (size_t i = 0; i < binding.types.size(); ++i) {
    types::ResultColumn column;
    column.name = binding.names[i];
    column.type = SentType(binding.types[i]);
    if (i < origins.size() && origins[i].has_value() &&
        ToLogicalType(origins[i]->type) == binding.types[i]) {
      column.table = origins[i]->table;
      column.column = origins[i]->column;
      column.type = origins[i]->type;
    }
    statement.columns_.push_back(std::move(column));
  }
  statement.sent_columns_ = statement.columns_;
  if (statement.options_.hidden) {
    statement.columns_.resize(statement.columns_.size() - statement.options_.hidden->count());
  }
}

Result<std::unique_ptr<BoundStatement>> DuckSessionImpl::Bind(
    std::string_view duck_sql, std::span<const types::SqlType> param_types,
    engine::StatementContext& context, const BindOptions& options) {
  OMEN_TRY(Connect());
  StatementScope scope(*state_, context);
  auto statement = std::make_unique<BoundStatementImpl>();
  statement->session_ = this;
  statement->sql_ = duck_sql;
  statement->options_ = options;
  statement->catalog_version_ = context.catalog->version();
  try {
    OMEN_TRY(ApplySettings());
    duckdb::Parser parser(connection_->context->GetParserOptions());
    parser.ParseQuery(statement->sql_);
    if (parser.statements.size() != 1) {
      return Status(sqlstate::kSyntaxError, "cannot bind several statements at once");
    }
    statement->statement_ = std::move(parser.statements[0]);
    statement->class_ = ClassOf(statement->statement_->type);
    if (statement->class_ == StatementClass::kOther) return NotSupported("this statement");

    std::vector<duckdb::LogicalType> types;
    for (const types::SqlType& type : param_types) {
      types.push_back(type.kind == types::TypeKind::kUnknown && !type.is_array
                          ? duckdb::LogicalType::INVALID
                          : ToLogicalType(type));
    }
    (void)state_->TakePinned();
    state_->analyzed_micros = options.analyzed_micros;
    connection_->context->RunFunctionInTransaction([&] {
      auto binding = std::make_unique<Binding>(
          BindStatement(*connection_->context, *state_, *statement->statement_, types));
      Describe(*statement, *binding);
      for (size_t i = 0; i < param_types.size() && i < statement->param_types_.size(); ++i) {
        if (param_types[i].kind != types::TypeKind::kUnknown) {
          statement->param_types_[i] = param_types[i];
        }
      }
      RowPlanOutcome outcome = BuildRowPlan(*connection_->context, *state_, *binding,
                                            statement->param_types_, statement->columns_, options);
      statement->row_plan_ = std::move(outcome.plan);
      statement->refusal_ = std::move(outcome.refusal);
      statement->fresh_ = std::move(binding);
    });
    statement->pinned_ = state_->TakePinned();
    statement->bound_at_ = context.txn->snapshot().read_ts;
    statement->bound_by_ = context.txn->id();
    if (context.txn->has_writes() || !statement->param_types_.empty()) statement->fresh_ = nullptr;
  } catch (const std::exception& exception) {
    return NoteError(exception);
  }
  return std::unique_ptr<BoundStatement>(std::move(statement));
}

std::unique_ptr<Binding> DuckSessionImpl::TakePlan(BoundStatementImpl& statement,
                                                   const std::vector<duckdb::Value>& values,
                                                   engine::StatementContext& context) {
  const bool usable = statement.fresh_ != nullptr && values.empty() &&
                      statement.bound_at_ == context.txn->snapshot().read_ts &&
                      statement.bound_by_ == context.txn->id() && !context.txn->has_writes() &&
                      statement.catalog_version_ == context.catalog->version();
  std::unique_ptr<Binding> fresh = std::move(statement.fresh_);
  if (usable) return fresh;
  state_->analyzed_micros = statement.options_.analyzed_micros;
  return std::make_unique<Binding>(
      BindWithValues(*connection_->context, *state_, *statement.statement_,
                     statement.duck_param_types_, values, statement.needs_values_));
}

duckdb::shared_ptr<duckdb::PreparedStatementData> DuckSessionImpl::MakePhysical(
    BoundStatementImpl& statement, Binding& binding) {
  duckdb::ClientContext& context = *connection_->context;
  state_->conflict = binding.conflict;
  auto data = duckdb::make_shared_ptr<duckdb::PreparedStatementData>(statement.statement_->type);
  data->names = binding.names;
  data->types = binding.types;
  data->properties = binding.properties;
  data->properties.parameter_count = 0;
  data->properties.bound_all_parameters = true;
  data->properties.always_require_rebind = false;
  data->unbound_statement = statement.statement_->Copy();
  duckdb::unique_ptr<duckdb::LogicalOperator> plan = std::move(binding.plan);
  if (plan->RequireOptimizer()) {
    ReplaceKnownAggregates(context, plan);
    ShareAverages(context, *binding.binder, plan);
    duckdb::Optimizer optimizer(*binding.binder, context);
    plan = optimizer.Optimize(std::move(plan));
    ReplaceKnownAggregates(context, plan);  // Those that the optimizer made of others.
    ScanInKeyOrder(context, *binding.binder, plan);
  }
  MakeStatesPlain(context, *plan);
  duckdb::PhysicalPlanGenerator generator(context);
  data->physical_plan = generator.Plan(std::move(plan));
  return data;
}

DuckSessionImpl::Runnable DuckSessionImpl::Plan(BoundStatementImpl& statement,
                                                const std::vector<duckdb::Value>& values,
                                                engine::StatementContext& context,
                                                const ExecuteOptions& options) {
  const bool may_keep = statement.class_ == StatementClass::kSelect && !statement.options_.lock &&
                        !statement.options_.hidden && values.empty() && !options.one_thread &&
                        !options.with_profile && statement.sql_.size() <= KeptPlans::kTextBytesMax;
  if (const std::shared_ptr<KeptPlan> kept = statement.kept_.lock();
      kept != nullptr && may_keep && kept->Serves(context)) {
    return {kept->data, kept->pinned, std::make_unique<KeptRun>(kept)};
  }
  Runnable made;
  bool keeps = may_keep && !context.txn->has_writes() && context.io_settings != nullptr;
  connection_->context->RunFunctionInTransaction([&] {
    auto binding = TakePlan(statement, values, context);
    keeps = keeps && IsRepeatable(*binding->plan, statement.sql_);
    made.data = MakePhysical(statement, *binding);
  });
  made.pinned = state_->TakePinned();
  made.pinned.insert(made.pinned.end(), statement.pinned_.begin(), statement.pinned_.end());
  if (keeps) {
    const std::shared_ptr<KeptPlan> kept =
        kept_plans_.Keep({made.data, made.pinned, context.txn->snapshot().read_ts,
                          context.catalog->version(), *context.io_settings},
                         statement.kept_);
    statement.kept_ = kept;
    if (kept != nullptr) made.run = std::make_unique<KeptRun>(kept);
  }
  return made;
}

Result<std::unique_ptr<DuckResult>> DuckSessionImpl::Execute(BoundStatement& bound,
                                                             std::span<const types::Value> params,
                                                             engine::StatementContext& context,
                                                             const ExecuteOptions& options) {
  auto& statement = static_cast<BoundStatementImpl&>(bound);
  OMEN_TRY(Connect());
  StatementScope scope(*state_, context);
  state_->one_thread = options.one_thread;
  // Who locks or writes rows keeps others waiting for as long as he reads.
  const bool only_reads = statement.class_ == StatementClass::kSelect && !statement.options_.lock;
  state_->share = only_reads ? engine_.share() : nullptr;
  TellingScope told(context);
  try {
    OMEN_TRY(ApplySettings());
    std::vector<duckdb::Value> values;
    for (size_t i = 0; i < params.size() && i < statement.param_types_.size(); ++i) {
      values.push_back(ToDuckValue(statement.param_types_[i], params[i]));
    }
    (void)state_->TakePinned();
    auto [data, pinned, run] = Plan(statement, values, context, options);
    auto& config = duckdb::ClientConfig::GetConfig(*connection_->context);
    config.enable_profiler = options.with_profile;
    config.emit_profiler_output = false;
    duckdb::PendingQueryParameters parameters;
    parameters.allow_stream_result = true;
    DuckResultImpl::Parts parts;
    parts.pending = connection_->context->PendingQuery(statement.sql_, data, parameters);
    if (parts.pending->HasError()) return ToStatus(parts.pending->GetErrorObject());
    parts.instance = instance_;
    parts.connection = connection_.get();
    parts.state = state_;
    parts.columns = statement.sent_columns_;
    parts.pinned = std::move(pinned);
    for (auto& entry : state_->TakePinned()) parts.pinned.push_back(std::move(entry));
    parts.run = std::move(run);
    parts.returns_rows = statement.returns_rows_;
    parts.with_profile = options.with_profile;
    parts.gathers = GathersRows(data->physical_plan->Root());
    parts.has_range_join = HasRangeJoin(data->physical_plan->Root());
    parts.progress = told.Hand();
    scope.Keep();
    std::unique_ptr<DuckResult> result = std::make_unique<DuckResultImpl>(std::move(parts));
    if (statement.options_.hidden) {
      result = std::make_unique<LockingResult>(std::move(result), state_, statement.options_,
                                               statement.columns_);
    }
    return result;
  } catch (const std::exception& exception) {
    return NoteError(exception);
  }
}

Result<std::unique_ptr<engine::RowExpressions>> DuckSessionImpl::OpenExpressions(
    const catalog::TableDef& table, engine::StatementContext& context) {
  OMEN_TRY(Connect());
  StatementScope scope(*state_, context);
  const catalog::SchemaDef* const schema = context.catalog->schema(table.schema);
  if (schema == nullptr) return Status(sqlstate::kInternalError, "a table is in no schema");
  std::unique_ptr<TableExpressions> opened;
  try {
    OMEN_TRY(ApplySettings());
    (void)state_->TakePinned();
    connection_->context->RunFunctionInTransaction([&] {
      auto& entry = duckdb::Catalog::GetEntry<duckdb::TableCatalogEntry>(
          *connection_->context, AttachedName(database_), schema->name, table.name);
      opened = std::make_unique<TableExpressions>(connection_->context, state_,
                                                  entry.Cast<OmenTableEntry>());
    });
    opened->KeepPinned(state_->TakePinned());
  } catch (const std::exception& exception) {
    return NoteError(exception);
  }
  return std::unique_ptr<engine::RowExpressions>(std::move(opened));
}

Result<std::string> DuckSessionImpl::PlanText(BoundStatementImpl& statement,
                                              engine::StatementContext& context) {
  OMEN_TRY(Connect());
  StatementScope scope(*state_, context);
  std::string text;
  try {
    OMEN_TRY(ApplySettings());
    std::vector<duckdb::Value> values;
    for (const auto& type : statement.duck_param_types_) values.emplace_back(type);
    (void)state_->TakePinned();
    connection_->context->RunFunctionInTransaction([&] {
      auto binding = TakePlan(statement, values, context);
      auto data = MakePhysical(statement, *binding);
      text = data->physical_plan->Root().ToString();
    });
    (void)state_->TakePinned();
  } catch (const std::exception& exception) {
    return NoteError(exception);
  }
  return text;
}

Result<std::string> BoundStatementImpl::PlanText(engine::StatementContext& context) {
  return session_->PlanText(*this, context);
}

}  // namespace omendb::duck
