// fake_session.h - an Instance without a database, for tests of the server alone.
//
// Statements it knows:
//   echo TEXT        one row, one text column
//   rows N           N rows of one integer column
//   big N            one row of N bytes
//   fail CODE        an error with that SQLSTATE
//   throw            an exception
//   begin, commit    change the transaction status
//   copyin, copyout  COPY: "in" counts lines; "out" sends two rows
//   pool             runs on the analytical pool
//   tick N           runs there until N notices were sent meanwhile
//   wait             waits until it is cancelled
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <set>
#include <stdexcept>
#include <string>

#include "base/sqlstate.h"
#include "pgwire/scram.h"
#include "sql/session.h"

namespace omendb::server {

class FakeInstance;

class FakeSession final : public sql::Session {
 public:
  FakeSession(FakeInstance& instance, sql::Instance::SessionOptions options, sql::Host& host);
  ~FakeSession() override;

  Status ExecuteSimple(std::string_view text, sql::ResultSink& sink) override {
    return Run(text, sink, true, 0);
  }
  Status Parse(std::string_view name, std::string_view text,
               std::span<const uint32_t> /*param_oids*/) override {
    if (text == "bad") return Status(sqlstate::kSyntaxError, "syntax error").WithPosition(1);
    statements_[std::string(name)] = text;
    return Status::Ok();
  }
  Result<Description> DescribeStatement(std::string_view name) override {
    OMEN_ASSIGN(const std::string text, Find(statements_, name));
    Description description = Describe(text);
    if (text.find('$') != std::string::npos) description.param_oids.push_back(25);
    return description;
  }
  Status Bind(std::string_view portal, std::string_view statement,
              std::span<const sql::BoundParameter> params) override {
    OMEN_ASSIGN(std::string text, Find(statements_, statement));
    const size_t at = text.find("$1");
    if (at != std::string::npos && !params.empty()) text.replace(at, 2, params[0].bytes);
    portals_[std::string(portal)] = {text, 0};
    return Status::Ok();
  }
  Result<PortalDescription> DescribePortal(std::string_view portal) override {
    const auto found = portals_.find(std::string(portal));
    if (found == portals_.end()) return Status(sqlstate::kInvalidCursorName, "no such portal");
    description_ = Describe(found->second.text);
    return PortalDescription{description_.columns, description_.has_rows};
  }
  Status Execute(std::string_view portal, uint64_t rows_max, sql::ResultSink& sink) override {
    const auto found = portals_.find(std::string(portal));
    if (found == portals_.end()) return Status(sqlstate::kInvalidCursorName, "no such portal");
    portal_ = &found->second;
    return Run(found->second.text, sink, false, rows_max);
  }
  Status CloseStatement(std::string_view name) override {
    statements_.erase(std::string(name));
    return Status::Ok();
  }
  Status ClosePortal(std::string_view name) override {
    portals_.erase(std::string(name));
    return Status::Ok();
  }
  Status Sync(sql::ResultSink& /*sink*/) override { return Status::Ok(); }
  void FailTransaction() override {
    if (status_ == 'T') status_ = 'E';
  }
  char transaction_status() const override { return status_; }
  const types::IoSettings& io_settings() const override { return settings_; }
  std::vector<std::pair<std::string, std::string>> ReportedSettings() const override {
    return {{"server_version", "15.0"}, {"client_encoding", "UTF8"}};
  }
  std::string Setting(std::string_view /*name*/) const override { return {}; }
  CancelFlag& cancel_flag() override { return cancel_; }
  uint64_t idle_in_transaction_timeout_ms() const override { return idle_timeout_ms_; }

 private:
  struct OpenPortal {
    std::string text;
    int next = 0;
  };
  static Result<std::string> Find(const std::map<std::string, std::string>& from,
                                  std::string_view name) {
    const auto found = from.find(std::string(name));
    if (found != from.end()) return found->second;
    return Status(sqlstate::kInvalidSqlStatementName, "no such statement");
  }
  static types::ResultColumn Column(const char* name, types::TypeKind kind) {
    return {name, {kind, false, -1}, Oid(0), ColumnId(0)};
  }
  static Description Describe(const std::string& text) {
    Description description;
    if (text.starts_with("rows")) {
      description.columns.push_back(Column("n", types::TypeKind::kInt4));
    } else if (text.starts_with("echo") || text.starts_with("big")) {
      description.columns.push_back(Column("text", types::TypeKind::kText));
    }
    description.has_rows = !description.columns.empty();
    return description;
  }

  Status Run(std::string_view text, sql::ResultSink& sink, bool announce, uint64_t rows_max) {
    const size_t blank = text.find(' ');
    const std::string verb(text.substr(0, blank));
    const std::string rest(blank == std::string_view::npos ? "" : text.substr(blank + 1));
    if (verb.empty()) return sink.OnEmptyQuery();
    if (announce) {
      const Description description = Describe(std::string(text));
      if (description.has_rows) OMEN_TRY(sink.OnColumns(description.columns));
    }
    if (verb == "echo" || verb == "big") {
      const std::string value = verb == "echo" ? rest : std::string(std::stoul(rest), 'x');
      const types::Value row[] = {types::Value::String(value)};
      OMEN_TRY(sink.OnRow(row));
      return sink.OnComplete("SELECT 1");
    }
    if (verb == "rows") return Rows(std::stoi(rest), sink, rows_max);
    if (verb == "begin" || verb == "commit") {
      status_ = verb == "begin" ? 'T' : 'I';
      return sink.OnComplete(verb == "begin" ? "BEGIN" : "COMMIT");
    }
    if (verb == "idle_timeout") {
      idle_timeout_ms_ = std::stoul(rest);
      return sink.OnComplete("SET");
    }
    return RunSpecial(verb, rest, sink);
  }

  Status Rows(int count, sql::ResultSink& sink, uint64_t rows_max) {
    int from = 0;
    int to = count;
    if (rows_max > 0) {
      from = portal_->next;
      to = std::min(count, from + static_cast<int>(rows_max));
      portal_->next = to;
    }
    for (int i = from; i < to; ++i) {
      const types::Value row[] = {types::Value::Int32(i)};
      OMEN_TRY(sink.OnRow(row));
    }
    if (to < count) return sink.OnPortalSuspended();
    return sink.OnComplete("SELECT " + std::to_string(to - from));
  }

  Status RunSpecial(const std::string& verb, const std::string& rest, sql::ResultSink& sink) {
    if (verb == "fail") {
      char code[6] = "XX000";
      rest.copy(code, 5);
      return Status(SqlState(code), "failed as asked");
    }
    if (verb == "throw") Throw();
    if (verb == "copyin") {
      OMEN_TRY(sink.OnCopyIn(sql::CopyFormat::kText, 1));
      size_t lines = 0;
      while (true) {
        OMEN_ASSIGN(const auto data, sink.ReadCopyData());
        if (!data) break;
        for (const char c : *data) lines += c == '\n' ? 1 : 0;
      }
      return sink.OnComplete("COPY " + std::to_string(lines));
    }
    if (verb == "copyout") {
      OMEN_TRY(sink.OnCopyOut(sql::CopyFormat::kText, 1));
      OMEN_TRY(sink.OnCopyData("1\n"));
      OMEN_TRY(sink.OnCopyData("2\n"));
      OMEN_TRY(sink.OnCopyDone());
      return sink.OnComplete("COPY 2");
    }
    if (verb == "pool") {
      OMEN_TRY(host_.RunAnalytical([](Waiter&) {}, cancel_, nullptr));
      return sink.OnComplete("POOL");
    }
    if (verb == "tick") return Tick(std::stoi(rest), sink);
    if (verb == "wait") {
      cancel_.Clear();
      return host_.waiter().Wait(std::make_shared<WaitPoint>(), kNoDeadline, &cancel_);
    }
    return Status(sqlstate::kSyntaxError, "syntax error at or near \"" + verb + "\"");
  }
  Status Tick(int count, sql::ResultSink& sink) {
    struct Notices final : public sql::Ticker {
      SteadyTime next() const override { return left > 0 ? SteadyTime::min() : kNoDeadline; }
      void Tick() override {
        sink->OnNotice({});
        EXPECT_TRUE(sink->Flush().ok());
        if (--left == 0) enough->Signal();
      }
      sql::ResultSink* sink;
      int left;
      std::shared_ptr<WaitPoint> enough = std::make_shared<WaitPoint>();
    } notices;
    notices.sink = &sink;
    notices.left = count;
    const auto work = [&](Waiter& waiter) {
      EXPECT_TRUE(waiter.Wait(notices.enough, kNoDeadline, nullptr).ok());
    };
    OMEN_TRY(host_.RunAnalytical(work, cancel_, &notices));
    return sink.OnComplete("TICK");
  }
  // As a library would.
  static void Throw() { static_cast<void>(std::string().at(1)); }

  FakeInstance& instance_;
  const sql::Instance::SessionOptions options_;
  sql::Host& host_;
  types::IoSettings settings_;
  CancelFlag cancel_;
  char status_ = 'I';
  uint64_t idle_timeout_ms_ = 0;
  std::map<std::string, std::string> statements_;
  Description description_;  // of the portal asked for last
  std::map<std::string, OpenPortal> portals_;
  OpenPortal* portal_ = nullptr;
};

class FakeInstance final : public sql::Instance {
 public:
  // Not used by what these tests ask for.
  engine::Database& database() override { std::abort(); }
  Result<std::unique_ptr<sql::Session>> NewSession(SessionOptions options,
                                                   sql::Host& host) override {
    if (options.user == "nobody") {
      return Status(sqlstate::kInvalidAuthorizationSpecification, "role \"nobody\" does not exist");
    }
    {
      MutexLock lock(mu_);
      last_options_ = options;
    }
    return std::unique_ptr<sql::Session>(
        std::make_unique<FakeSession>(*this, std::move(options), host));
  }
  std::optional<std::string> PasswordVerifier(std::string_view role) override {
    if (role != "alice") return std::nullopt;
    return verifier_;
  }
  bool CancelBackend(int32_t pid, int32_t key) override {
    MutexLock lock(mu_);
    const auto found = sessions_.find(pid);
    if (found == sessions_.end() || found->second.key != key) return false;
    found->second.cancel->Set(CancelFlag::Reason::kUserRequest);
    return true;
  }
  void ShutdownSessions() override {
    MutexLock lock(mu_);
    for (auto& [pid, entry] : sessions_) entry.cancel->Set(CancelFlag::Reason::kShutdown);
  }
  void CollectMetrics(sql::MetricFamilies& /*out*/) override {}

  SessionOptions last_options() {
    MutexLock lock(mu_);
    return last_options_;
  }

 private:
  friend class FakeSession;
  struct Entry {
    int32_t key;
    CancelFlag* cancel;
  };
  const std::string verifier_ = pgwire::MakeScramVerifier("secret", 16).ToString();
  Mutex mu_;
  std::map<int32_t, Entry> sessions_ OMEN_GUARDED_BY(mu_);
  SessionOptions last_options_ OMEN_GUARDED_BY(mu_);
};

inline FakeSession::FakeSession(FakeInstance& instance, sql::Instance::SessionOptions options,
                                sql::Host& host)
    : instance_(instance), options_(std::move(options)), host_(host) {
  MutexLock lock(instance_.mu_);
  instance_.sessions_[options_.backend_pid] = {options_.cancel_key, &cancel_};
}

inline FakeSession::~FakeSession() {
  MutexLock lock(instance_.mu_);
  instance_.sessions_.erase(options_.backend_pid);
}

}  // namespace omendb::server
