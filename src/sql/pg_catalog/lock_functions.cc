// Advisory locks.
#include "base/sqlstate.h"
#include "sql/pg_catalog/functions.h"

namespace omendb::sql {
namespace {

using types::SqlType;
using types::TypeKind;
using types::Value;

enum class Scope { kSession, kTransaction };

uint64_t Key(const FunctionCall& call) {
  if (call.count() == 1) return static_cast<uint64_t>(call.args[0].i64);
  return static_cast<uint64_t>(static_cast<uint32_t>(call.args[0].i32)) << 32 |
         static_cast<uint32_t>(call.args[1].i32);
}

uint64_t Owner(const FunctionCall& call) {
  return static_cast<uint64_t>(call.session.options().backend_pid);
}

template <Scope scope, bool shared, bool try_only>
Result<Value> Lock(FunctionCall& call) {
  OMEN_ASSIGN(bool taken,
              call.context.txn->LockAdvisory(
                  Key(call), shared, scope == Scope::kSession ? Owner(call) : 0,
                  try_only ? txn::LockWait::kNoWait : txn::LockWait::kWait, *call.context.waiter,
                  call.context.cancel, call.context.lock_timeout_ms));
  return try_only ? Value::Bool(taken) : call.Text("");
}

template <bool shared>
Result<Value> Unlock(FunctionCall& call) {
  const bool held = call.instance.database().UnlockAdvisory(Key(call), shared, Owner(call));
  if (!held) {
    call.session.Warning(sqlstate::kWarning, shared ? "you don't own a lock of type ShareLock"
                                                    : "you don't own a lock of type ExclusiveLock");
  }
  return Value::Bool(held);
}

Result<Value> UnlockAll(FunctionCall& call) {
  call.instance.database().UnlockAllAdvisory(Owner(call));
  return call.Text("");
}

void Add(std::vector<FunctionEntry>& list, std::string_view name, SqlType result, SqlFunction run) {
  list.push_back({name, {TypeKind::kInt8}, result, run, 0, true, false});
  list.push_back({name, {TypeKind::kInt4, TypeKind::kInt4}, result, run, 0, true, false});
}

}  // namespace

std::vector<FunctionEntry> LockFunctions() {
  const SqlType boolean{TypeKind::kBool}, none{TypeKind::kVoid};
  std::vector<FunctionEntry> list;
  Add(list, "pg_advisory_lock", none, Lock<Scope::kSession, false, false>);
  Add(list, "pg_advisory_lock_shared", none, Lock<Scope::kSession, true, false>);
  Add(list, "pg_try_advisory_lock", boolean, Lock<Scope::kSession, false, true>);
  Add(list, "pg_try_advisory_lock_shared", boolean, Lock<Scope::kSession, true, true>);
  Add(list, "pg_advisory_xact_lock", none, Lock<Scope::kTransaction, false, false>);
  Add(list, "pg_advisory_xact_lock_shared", none, Lock<Scope::kTransaction, true, false>);
  Add(list, "pg_try_advisory_xact_lock", boolean, Lock<Scope::kTransaction, false, true>);
  Add(list, "pg_try_advisory_xact_lock_shared", boolean, Lock<Scope::kTransaction, true, true>);
  Add(list, "pg_advisory_unlock", boolean, Unlock<false>);
  Add(list, "pg_advisory_unlock_shared", boolean, Unlock<true>);
  list.push_back({"pg_advisory_unlock_all", {}, none, UnlockAll, 0, true, false});
  return list;
}

}  // namespace omendb::sql
