#include "sql/pg_catalog/functions.h"

#include "base/sqlstate.h"

namespace omendb::sql {
namespace {

class SessionFunctionsImpl : public duck::SessionFunctions {
 public:
  explicit SessionFunctionsImpl(InstanceImpl& instance) : instance_(instance) {
    for (auto list : {SessionInfoFunctions(), DefinitionFunctions(), NameFunctions(),
                      PrivilegeFunctions(), SizeFunctions(), LockFunctions()}) {
      for (FunctionEntry& entry : list) {
        Declaration declaration;
        declaration.name = entry.name;
        for (types::TypeKind kind : entry.arguments) {
          declaration.arguments.push_back(types::SqlType{kind});
        }
        declaration.result = entry.result;
        declaration.stable = entry.stable;
        declaration.strict = entry.strict;
        declaration.optional_arguments = entry.optional;
        declarations_.push_back(std::move(declaration));
        entries_.push_back(std::move(entry));
      }
    }
  }

  const std::vector<Declaration>& functions() const override { return declarations_; }

  Result<types::Value> Call(size_t function, std::span<const types::Value> arguments,
                            engine::StatementContext& context, void* session_data,
                            types::Arena& arena) override {
    if (session_data == nullptr) {
      return Status(sqlstate::kInternalError, "no session to ask");
    }
    FunctionCall call{instance_, *static_cast<SessionImpl*>(session_data), context, arguments,
                      arena};
    return entries_[function].run(call);
  }

 private:
  InstanceImpl& instance_;
  std::vector<Declaration> declarations_;
  std::vector<FunctionEntry> entries_;
};

}  // namespace

std::unique_ptr<duck::SessionFunctions> MakeSessionFunctions(InstanceImpl& instance) {
  return std::make_unique<SessionFunctionsImpl>(instance);
}

}  // namespace omendb::sql
