// functions.h - PostgreSQL's functions about the session and the catalog (current_setting,
// pg_get_indexdef, pg_cancel_backend, advisory locks, ...), in the form that src/duck registers.
//
// Each is one entry of a table: its declaration and a small function over its arguments.
// Thread safety  Any thread; the session waits while one runs.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "duck/duck_engine.h"
#include "sql/session_impl.h"

namespace omendb::sql {

std::unique_ptr<duck::SessionFunctions> MakeSessionFunctions(InstanceImpl& instance);

// What a function works with.
struct FunctionCall {
  InstanceImpl& instance;
  SessionImpl& session;
  engine::StatementContext& context;
  std::span<const types::Value> args;
  types::Arena& arena;

  size_t count() const { return args.size(); }
  std::string_view text(size_t i) const { return args[i].str(); }
  uint32_t oid(size_t i) const { return static_cast<uint32_t>(args[i].i32); }
  const catalog::CatalogSnapshot& catalog() const { return *context.catalog; }
  types::Value Text(std::string_view s) const { return types::Value::String(arena.Copy(s)); }
  static types::Value OidValue(uint32_t oid) {
    return types::Value::Int32(static_cast<int32_t>(oid));
  }
};

using SqlFunction = Result<types::Value> (*)(FunctionCall& call);

struct FunctionEntry {
  std::string_view name;
  std::vector<types::TypeKind> arguments;
  types::SqlType result;
  SqlFunction run;
  int optional = 0;
  bool strict = true;
  bool stable = true;
};

std::vector<FunctionEntry> SessionInfoFunctions();  // session_functions.cc
std::vector<FunctionEntry> DefinitionFunctions();   // definition_functions.cc
std::vector<FunctionEntry> NameFunctions();         // name_functions.cc
std::vector<FunctionEntry> PrivilegeFunctions();    // privilege_functions.cc
std::vector<FunctionEntry> SizeFunctions();         // size_functions.cc
std::vector<FunctionEntry> LockFunctions();         // lock_functions.cc

}  // namespace omendb::sql
