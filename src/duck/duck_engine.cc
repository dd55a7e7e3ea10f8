#include "duck/duck_engine.h"

#include "duck/duck_engine_impl.h"
#include "duck/duck_session.h"
#include "duck/instance.h"

namespace omendb::duck {

Result<std::unique_ptr<DuckEngine>> DuckEngine::Create(DuckOptions options,
                                                       engine::Database& database,
                                                       SystemTables& system_tables,
                                                       SessionFunctions& functions) {
  auto engine =
      std::make_unique<DuckEngineImpl>(std::move(options), database, system_tables, functions);
  auto instance = engine->CurrentInstance();
  if (!instance.ok()) return instance.status();
  return std::unique_ptr<DuckEngine>(std::move(engine));
}

Result<std::unique_ptr<DuckSession>> DuckEngineImpl::NewSession(Oid database) {
  return std::unique_ptr<DuckSession>(std::make_unique<DuckSessionImpl>(*this, database));
}

Result<std::shared_ptr<Instance>> DuckEngineImpl::CurrentInstance() {
  MutexLock lock(mu_);
  if (instance_ == nullptr || instance_->invalidated()) {
    OMEN_ASSIGN(instance_, Instance::Create(options_, functions_));
  }
  return instance_;
}

uint64_t DuckEngineImpl::used() const {
  MutexLock lock(mu_);
  return instance_ == nullptr ? 0 : instance_->memory_used();
}

bool DuckEngineImpl::SetLimit(uint64_t bytes) {
  std::shared_ptr<Instance> instance;
  {
    MutexLock lock(mu_);
    options_.memory_bytes = bytes;
    instance = instance_;
  }
  return instance == nullptr || instance->SetMemoryLimit(bytes);
}

}  // namespace omendb::duck
