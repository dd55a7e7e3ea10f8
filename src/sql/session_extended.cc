// The extended protocol: prepared statements and portals, in one implicit transaction up to Sync.
#include <fmt/format.h>

#include "base/sqlstate.h"
#include "sql/session_impl.h"
#include "sql/statements/dispatch.h"

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
    prepared.text = std::make_shared<const std::string>(text);
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

Status SessionImpl::Bind(std::string_view portal_name, std::string_view statement_name,
                         std::span<const BoundParameter> params) {
  auto run = [&]() -> Status {
    if (PortalState* open = portals_.Find(portal_name)) {
      if (!portal_name.empty()) {
        return Status(sqlstate::kDuplicateCursor,
                      fmt::format("cursor \"{}\" already exists", portal_name));
      }
      DropPortal(*open);
    }
    std::unique_ptr<PortalState> portal = portals_.New();
    portal->name = portal_name;
    OMEN_TRY(BindPortal(statement_name, params, *portal));
    portals_.Open(std::move(portal));
    return Status::Ok();
  };
  Status status = run();
  if (!status.ok()) FailTransaction();
  return status;
}

Status SessionImpl::BindPortal(std::string_view statement_name,
                               std::span<const BoundParameter> params, PortalState& portal) {
  auto found = prepared_.find(statement_name);
  if (found == prepared_.end()) {
    return Status(sqlstate::kInvalidSqlStatementName,
                  statement_name.empty()
                      ? "unnamed prepared statement does not exist"
                      : fmt::format("prepared statement \"{}\" does not exist", statement_name));
  }
  portal.plan = found->second.plan;
  portal.query = found->second.text;
  if (portal.plan != nullptr) OMEN_TRY(CheckFailedBlock(portal.plan->statement));
  if (block_.state() != TransactionBlock::State::kFailed) block_.EnsureStarted();
  if (portal.plan != nullptr) OMEN_TRY(BindPlan(statement_name, params, portal));
  portal.transaction_serial = block_.serial();
  return Status::Ok();
}

Status SessionImpl::BindPlan(std::string_view statement_name,
                             std::span<const BoundParameter> params, PortalState& portal) {
  Plan& plan = *portal.plan;
  const auto wanted = static_cast<size_t>(plan.parameters);
  if (params.size() != wanted) {
    return Status(sqlstate::kProtocolViolation,
                  fmt::format("bind message supplies {} parameters, but prepared statement "
                              "\"{}\" requires {}",
                              params.size(), statement_name, wanted));
  }
  if (block_.state() != TransactionBlock::State::kFailed) OMEN_TRY(EnsureBound(plan));
  OMEN_TRY(DecodeParameters(plan, params, portal));
  if (plan.statement.kind() != PG_QUERY__NODE__NODE_EXECUTE_STMT) return Status::Ok();
  portal.params.clear();
  OMEN_ASSIGN(portal.plan,
              ResolveExecute(*plan.statement.node->execute_stmt, portal.arena, portal.params));
  return Status::Ok();
}

Result<PortalState*> SessionImpl::FindPortal(std::string_view name) {
  if (PortalState* portal = portals_.Find(name)) return portal;
  return Status(sqlstate::kInvalidCursorName, fmt::format("portal \"{}\" does not exist", name));
}

Result<Session::PortalDescription> SessionImpl::DescribePortal(std::string_view name) {
  auto describe = [&]() -> Result<PortalDescription> {
    OMEN_ASSIGN(PortalState * portal, FindPortal(name));
    if (portal->plan == nullptr) return PortalDescription{};
    return DescribeOpen(*portal);
  };
  auto description = describe();
  if (!description.ok()) FailTransaction();
  return description;
}

Result<Session::PortalDescription> SessionImpl::DescribeOpen(PortalState& portal) {
  Plan& plan = *portal.plan;
  if (plan.is_query) {
    OMEN_TRY(EnsureBound(plan));
    NoteDescribed(plan);
    return PortalDescription{plan.columns, plan.returns_rows};
  }
  OMEN_ASSIGN(Description description, Describe(plan));
  portal.utility_columns = std::move(description.columns);
  return PortalDescription{portal.utility_columns, description.has_rows};
}

Status SessionImpl::Execute(std::string_view name, uint64_t rows_max, ResultSink& sink) {
  auto found = FindPortal(name);
  if (!found.ok()) {
    FailTransaction();
    return std::move(found).status();
  }
  PortalState* portal = *found;
  if (portal->plan == nullptr) return sink.OnEmptyQuery();
  StatementScope scope(*this, &sink, portal->query);
  Status status = CheckFailedBlock(portal->plan->statement);
  if (status.ok()) {
    status = RunOpen(*portal, rows_max, sink);
    if (streaming_ == portal && !status.ok()) AbandonPortal(*portal);
    // It may have been dropped with its transaction.
    if (!status.ok() && portals_.Find(name) == portal) portal->failed = true;
  }
  if (!status.ok()) FailTransaction();
  return status;
}

Status SessionImpl::RunOpen(PortalState& portal, uint64_t rows_max, ResultSink& sink) {
  OMEN_TRY(portal.CheckRunnable());
  if (portal.state == PortalState::State::kDone) {
    if (portal.plan->returns_rows) SetPortalTag(portal, 0);
    return sink.OnComplete(portal.tag);
  }
  if (!portal.plan->is_query && portal.state == PortalState::State::kReady) {
    OMEN_ASSIGN(const bool is_open, RunPortalUtility(portal, sink));
    if (!is_open) return Status::Ok();
  }
  OMEN_ASSIGN(const bool at_end, RunPortal(portal, rows_max, sink));
  if (!at_end) return sink.OnPortalSuspended();
  return portal.tag.empty() ? Status::Ok() : sink.OnComplete(portal.tag);
}

// COMMIT and its like drop portals, this one included: what is needed after is copied.
Result<bool> SessionImpl::RunPortalUtility(PortalState& portal, ResultSink& sink) {
  const std::shared_ptr<Plan> plan = portal.plan;
  const std::string name = portal.name;
  UtilityResult result;
  portal.state = PortalState::State::kActive;
  OMEN_TRY(RunUtility(plan->statement, result, sink));
  if (portals_.Find(name) != &portal) {
    if (!result.tag.empty()) OMEN_TRY(sink.OnComplete(result.tag));
    return false;
  }
  portal.buffer = std::move(result.buffer);
  portal.tag = std::move(result.tag);
  portal.state = PortalState::State::kBuffered;
  return true;
}

Status SessionImpl::CloseStatement(std::string_view name) {
  auto found = prepared_.find(name);
  if (found != prepared_.end()) prepared_.erase(found);
  return Status::Ok();
}

Status SessionImpl::ClosePortal(std::string_view name) {
  if (PortalState* portal = portals_.Find(name)) DropPortal(*portal);
  return Status::Ok();
}

void SessionImpl::DropPortal(PortalState& portal) {
  if (streaming_ == &portal) streaming_ = nullptr;
  portals_.Close(portal);
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
