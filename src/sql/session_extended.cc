// The extended protocol: prepared statements and portals, in one implicit transaction up to Sync.
#include <fmt/format.h>

#include "base/sqlstate.h"
#include "sql/session_impl.h"
#include "sql/statements/dispatch.h"
#include "types/binary_io.h"

namespace omendb::sql {

Status SessionImpl::Parse(std::string_view name, std::string_view text,
                          std::span<const uint32_t> param_oids) {
  StatementScope scope(*this, nullptr, text);
  auto run = [&]() -> Status {
    if (!name.empty() && prepared_.find(name) != prepared_.end()) {
      return Status(sqlstate::kDuplicatePreparedStatement,
                    fmt::format("prepared statement \"{}\" already exists", name));
    }
    std::vector<types::SqlType> types;
    for (uint32_t oid : param_oids) {
      if (oid == 0) {
        types.push_back({types::TypeKind::kUnknown});
        continue;
      }
      OMEN_ASSIGN(types::SqlType type, types::TypeFromOid(oid));
      types.push_back(type);
    }
    std::string key("\1");
    key += text;
    key += '\0';
    for (uint32_t oid : param_oids) key += std::to_string(oid) + ",";
    Prepared prepared;
    prepared.text = text;
    prepared.plan = name.empty() ? plans_.Find(key) : nullptr;
    if (prepared.plan == nullptr) {
      OMEN_ASSIGN(auto tree, ParseTree::Parse(text));
      if (tree->size() > 1) {
        return Status(sqlstate::kSyntaxError,
                      "cannot insert multiple commands into a prepared statement");
      }
      if (tree->size() == 1) {
        const Statement statement = tree->statement(0);
        OMEN_TRY(CheckFailedBlock(statement));
        prepared.plan = NewPlan(statement, types);
        prepared.plan->parameters =
            std::max(prepared.plan->parameters, static_cast<int>(types.size()));
        OMEN_TRY(EnsureBound(*prepared.plan));
        if (name.empty() && prepared.plan->is_query) plans_.Put(key, prepared.plan);
      }
    } else {
      OMEN_TRY(CheckFailedBlock(prepared.plan->statement));
      prepared.plan->was_described = false;
    }
    prepared.prepared_micros = now_micros();
    prepared_[std::string(name)] = std::move(prepared);
    return Status::Ok();
  };
  Status status = run();
  if (!status.ok()) FailTransaction();
  return status;
}

Result<Session::Description> SessionImpl::DescribeStatement(std::string_view name) {
  auto found = prepared_.find(name);
  if (found == prepared_.end()) {
    FailTransaction();
    return Status(sqlstate::kInvalidSqlStatementName,
                  name.empty() ? "unnamed prepared statement does not exist"
                               : fmt::format("prepared statement \"{}\" does not exist", name));
  }
  if (found->second.plan == nullptr) return Description{};
  auto description = Describe(*found->second.plan);
  if (!description.ok()) FailTransaction();
  return description;
}

Status SessionImpl::DecodeParameters(Plan& plan, std::span<const BoundParameter> params,
                                     PortalState& portal) {
  for (size_t i = 0; i < params.size(); ++i) {
    const BoundParameter& param = params[i];
    if (param.is_null) {
      portal.params.push_back(types::Value::Null());
      continue;
    }
    const types::SqlType type =
        i < plan.param_types.size() ? plan.param_types[i] : types::SqlType{types::TypeKind::kText};
    const std::string_view bytes = portal.arena.Copy(param.bytes);
    auto value = param.is_binary ? types::ReceiveBinary(type, bytes, portal.arena)
                                 : types::ParseText(type, bytes, portal.arena, settings_.io());
    if (!value.ok()) {
      return Status(value.status())
          .WithContext(fmt::format("unnamed portal parameter ${}{}", i + 1,
                                   param.is_binary ? "" : fmt::format(" = '{}'", param.bytes)));
    }
    portal.params.push_back(*value);
  }
  return Status::Ok();
}

Status SessionImpl::Bind(std::string_view portal_name, std::string_view statement_name,
                         std::span<const BoundParameter> params) {
  auto run = [&]() -> Status {
    auto found = prepared_.find(statement_name);
    if (found == prepared_.end()) {
      return Status(sqlstate::kInvalidSqlStatementName,
                    statement_name.empty()
                        ? "unnamed prepared statement does not exist"
                        : fmt::format("prepared statement \"{}\" does not exist", statement_name));
    }
    if (auto open = portals_.find(portal_name); open != portals_.end()) {
      if (!portal_name.empty()) {
        return Status(sqlstate::kDuplicateCursor,
                      fmt::format("cursor \"{}\" already exists", portal_name));
      }
      if (streaming_ == open->second.get()) streaming_ = nullptr;
      portals_.erase(open);
    }
    auto portal = std::make_unique<PortalState>();
    portal->name = portal_name;
    portal->plan = found->second.plan;
    portal->query = found->second.text;
    if (portal->plan != nullptr) {
      Plan& plan = *portal->plan;
      OMEN_TRY(CheckFailedBlock(plan.statement));
      const auto wanted = static_cast<size_t>(plan.parameters);
      if (params.size() != wanted) {
        return Status(sqlstate::kProtocolViolation,
                      fmt::format("bind message supplies {} parameters, but prepared statement "
                                  "\"{}\" requires {}",
                                  params.size(), statement_name, wanted));
      }
      if (block_.state() != TransactionBlock::State::kFailed) {
        block_.EnsureStarted();
        OMEN_TRY(EnsureBound(plan));
      }
      OMEN_TRY(DecodeParameters(plan, params, *portal));
      if (plan.statement.kind() == PG_QUERY__NODE__NODE_EXECUTE_STMT) {
        portal->params.clear();
        OMEN_ASSIGN(portal->plan, ResolveExecute(*plan.statement.node->execute_stmt, portal->arena,
                                                 portal->params));
      }
    }
    portal->transaction_serial = block_.serial();
    portals_[std::string(portal_name)] = std::move(portal);
    return Status::Ok();
  };
  Status status = run();
  if (!status.ok()) FailTransaction();
  return status;
}

Result<Session::Description> SessionImpl::DescribePortal(std::string_view name) {
  auto found = portals_.find(name);
  if (found == portals_.end()) {
    FailTransaction();
    return Status(sqlstate::kInvalidCursorName, fmt::format("portal \"{}\" does not exist", name));
  }
  if (found->second->plan == nullptr) return Description{};
  auto description = Describe(*found->second->plan);
  if (!description.ok()) {
    FailTransaction();
    return description;
  }
  description->param_oids.clear();
  return description;
}

Status SessionImpl::Execute(std::string_view name, uint64_t rows_max, ResultSink& sink) {
  auto found = portals_.find(name);
  if (found == portals_.end()) {
    FailTransaction();
    return Status(sqlstate::kInvalidCursorName, fmt::format("portal \"{}\" does not exist", name));
  }
  PortalState* portal = found->second.get();
  if (portal->plan == nullptr) return sink.OnEmptyQuery();
  StatementScope scope(*this, &sink, portal->query);
  auto run = [&]() -> Status {
    OMEN_TRY(CheckFailedBlock(portal->plan->statement));
    if (portal->state == PortalState::State::kDone) {
      return sink.OnComplete(portal->plan->returns_rows && portal->plan->is_query &&
                                     portal->tag.starts_with("SELECT")
                                 ? "SELECT 0"
                                 : portal->tag);
    }
    // COMMIT and its like drop portals, this one included: what is needed after is copied.
    std::shared_ptr<Plan> plan = portal->plan;
    if (!plan->is_query && portal->state == PortalState::State::kReady) {
      UtilityResult result;
      const std::string portal_name(name);
      OMEN_TRY(RunUtility(plan->statement, result, sink));
      auto still = portals_.find(portal_name);
      if (still == portals_.end() || still->second.get() != portal) {
        return result.tag.empty() ? Status::Ok() : sink.OnComplete(result.tag);
      }
      portal->buffer = std::move(result.buffer);
      portal->tag = std::move(result.tag);
      portal->state = PortalState::State::kBuffered;
    }
    OMEN_ASSIGN(bool at_end, RunPortal(*portal, rows_max, sink));
    if (!at_end) return sink.OnPortalSuspended();
    return portal->tag.empty() ? Status::Ok() : sink.OnComplete(portal->tag);
  };
  Status status = run();
  if (!status.ok()) {
    if (streaming_ == portal) AbandonPortal(*portal);
    if (block_.state() == TransactionBlock::State::kImplicit) RollbackTransaction();
    block_.Fail();
  }
  return status;
}

Status SessionImpl::CloseStatement(std::string_view name) {
  auto found = prepared_.find(name);
  if (found != prepared_.end()) prepared_.erase(found);
  return Status::Ok();
}

Status SessionImpl::ClosePortal(std::string_view name) {
  auto found = portals_.find(name);
  if (found == portals_.end()) return Status::Ok();
  if (streaming_ == found->second.get()) streaming_ = nullptr;
  portals_.erase(found);
  return Status::Ok();
}

Status SessionImpl::Sync(ResultSink& sink) {
  sink_ = &sink;
  Status status;
  if (block_.state() == TransactionBlock::State::kImplicit) {
    status = CommitTransaction();
    if (!status.ok()) RollbackTransaction();
  }
  sink_ = nullptr;
  return status;
}

}  // namespace omendb::sql
