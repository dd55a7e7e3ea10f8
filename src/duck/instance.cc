#include "duck/instance.h"

#include "base/sqlstate.h"
#include "duck/catalog/omen_catalog.h"
#include "duck/errors.h"
#include "duck/functions/register.h"
#include "duck/session_state.h"
#include "duckdb/function/replacement_scan.hpp"
#include "duckdb/main/extension_helper.hpp"
#include "duckdb/main/valid_checker.hpp"
#include "duckdb/storage/buffer_manager.hpp"

namespace omendb::duck {

namespace {

// Settings of every connection. PostgreSQL: NULLs sort as the greatest value, a scalar subquery has
// at most one row, joins and float arithmetic raise errors.
constexpr const char* kSettings[] = {
    "SET default_null_order = 'nulls_last_on_asc_first_on_desc'",
    "SET scalar_subquery_error_on_multiple_rows = true",
    "SET ieee_floating_point_ops = false",
    "SET order_by_non_integer_literal = true",
    "SET python_enable_replacements = false",
    "SET errors_as_json = false",
    // A join hands this many keys of its one side to the scan of the other, which may then go
    // through an index (scan/index_scan.h).
    "SET dynamic_or_filter_threshold = 1000",
};

// Asked for every table that is in no catalog, before DuckDB looks for names that are alike.
duckdb::unique_ptr<duckdb::TableRef> UnknownTable(
    duckdb::ClientContext& context, duckdb::ReplacementScanInput& input,
    duckdb::optional_ptr<duckdb::ReplacementScanData>) {
  if (SessionState::TryGet(context) == nullptr) return nullptr;
  std::string name = input.table_name;
  if (!input.schema_name.empty()) name = input.schema_name + "." + name;
  ThrowStatus(Status(sqlstate::kUndefinedTable, "relation \"" + name + "\" does not exist"));
}

}  // namespace

Result<std::shared_ptr<Instance>> Instance::Create(const DuckOptions& options,
                                                   SessionFunctions& functions) {
  std::shared_ptr<Instance> instance(new Instance());
  try {
    duckdb::DBConfig config;
    config.options.maximum_memory = options.memory_bytes;
    config.options.maximum_threads = static_cast<duckdb::idx_t>(options.threads);
    config.options.temporary_directory = options.temp_directory;
    config.options.autoload_known_extensions = false;
    config.options.autoinstall_known_extensions = false;
    config.options.load_extensions = false;
    RegisterStorageExtension(config);
    config.replacement_scans.emplace_back(UnknownTable);
    instance->db_ = std::make_unique<duckdb::DuckDB>(nullptr, &config);
    duckdb::Connection connection(*instance->db_);
    RegisterCasts(*connection.context);
    // core_functions, icu, json: in the library itself.
    duckdb::ExtensionHelper::LoadAllExtensions(*instance->db_);
    RegisterFunctions(*connection.context, functions);
  } catch (const std::exception& exception) {
    return ToStatus(duckdb::ErrorData(exception));
  }
  return instance;
}

Status Instance::Attach(duckdb::Connection& connection, Oid database) {
  MutexLock lock(mu_);
  if (attached_.contains(database.value())) return Status::Ok();
  auto result = connection.Query("ATTACH '" + std::to_string(database.value()) + "' AS \"" +
                                 AttachedName(database) + "\" (TYPE omendb)");
  if (result->HasError()) return ToStatus(result->GetErrorObject());
  attached_.insert(database.value());
  return Status::Ok();
}

Result<std::unique_ptr<duckdb::Connection>> Instance::Connect(Oid database) {
  try {
    auto connection = std::make_unique<duckdb::Connection>(*db_);
    OMEN_TRY(Attach(*connection, database));
    for (const char* setting : kSettings) {
      auto result = connection->Query(setting);
      // A setting that another build of DuckDB does not have is not worth failing for.
      (void)result;
    }
    return connection;
  } catch (const std::exception& exception) {
    return ToStatus(duckdb::ErrorData(exception));
  }
}

bool Instance::invalidated() const { return duckdb::ValidChecker::IsInvalidated(*db_->instance); }

uint64_t Instance::memory_used() const {
  return duckdb::BufferManager::GetBufferManager(*db_->instance).GetUsedMemory();
}

bool Instance::SetMemoryLimit(uint64_t bytes) {
  try {
    duckdb::BufferManager::GetBufferManager(*db_->instance).SetMemoryLimit(bytes);
    return true;
  } catch (const std::exception&) {  // More is in use and cannot be spilled.
    return false;
  }
}

}  // namespace omendb::duck
