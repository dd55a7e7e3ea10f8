// status.h - the one error type below the wire: SQLSTATE, message, and what the error ends.
//
// Thread safety  Value types; share a const Status freely.
// Cost           An OK Status is one null pointer; an error allocates once.
// Errors         Our code throws nothing. Functions that can fail return Status or Result<T>;
//                propagate with OMEN_TRY and OMEN_ASSIGN.
// See            PostgreSQL 15, Appendix A "PostgreSQL Error Codes".
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace omendb {

// What an error ends. The policy lives here and nowhere else.
enum class Radius {
  kStatement,   // The statement, and with it an open transaction block until ROLLBACK.
  kConnection,  // The connection: framing is lost or authentication failed.
  kDatabase,    // Writes stop: durability of acknowledged work is unknown.
};

// Five characters, e.g. "23505". See sqlstate.h for the named constants.
struct SqlState {
  char code[6] = "00000";
  constexpr SqlState() = default;
  constexpr explicit SqlState(const char (&text)[6]) {
    for (int i = 0; i < 6; ++i) code[i] = text[i];
  }
  constexpr std::string_view view() const { return {code, 5}; }
  friend constexpr bool operator==(const SqlState& a, const SqlState& b) {
    return a.view() == b.view();
  }
};

// The fields of a PostgreSQL ErrorResponse that an engine can know.
struct ErrorInfo {
  SqlState sqlstate;
  Radius radius = Radius::kStatement;
  std::string message;
  std::string detail;
  std::string hint;
  std::string schema_name;
  std::string table_name;
  std::string column_name;
  std::string constraint_name;
  std::string context;  // 'COPY t, line 3, column a: "x"'.
  int position = 0;     // 1-based character offset into the statement text; 0 = none.
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  static Status Ok() { return Status(); }
  Status(SqlState sqlstate, std::string message) : info_(std::make_unique<ErrorInfo>()) {
    info_->sqlstate = sqlstate;
    info_->message = std::move(message);
  }
  explicit Status(ErrorInfo info) : info_(std::make_unique<ErrorInfo>(std::move(info))) {}
  Status(const Status& other)
      : info_(other.info_ ? std::make_unique<ErrorInfo>(*other.info_) : nullptr) {}
  Status& operator=(const Status& other) {
    if (this != &other) info_ = other.info_ ? std::make_unique<ErrorInfo>(*other.info_) : nullptr;
    return *this;
  }
  Status(Status&&) = default;
  Status& operator=(Status&&) = default;

  bool ok() const { return info_ == nullptr; }
  // Requires: !ok().
  const ErrorInfo& error() const {
    OMEN_CHECK(info_ != nullptr);
    return *info_;
  }
  std::string_view sqlstate() const { return info_ ? info_->sqlstate.view() : "00000"; }
  bool Is(SqlState s) const { return info_ && info_->sqlstate == s; }
  // "23505: duplicate key value ..." or "OK"; for logs and test failures.
  std::string ToString() const;

  // Builders: Status(...).WithDetail(...).WithHint(...). Requires: !ok().
  Status&& WithDetail(std::string text) &&;
  Status&& WithHint(std::string text) &&;
  Status&& WithPosition(int position) &&;
  Status&& WithRadius(Radius radius) &&;
  Status&& WithColumn(std::string column) &&;
  Status&& WithContext(std::string context) &&;
  Status&& WithConstraint(std::string schema, std::string table, std::string constraint) &&;

 private:
  std::unique_ptr<ErrorInfo> info_;
};

// A value or an error. Never both, never neither.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {  // NOLINT(google-explicit-constructor)
    OMEN_CHECK(!status_.ok());
  }
  bool ok() const { return value_.has_value(); }
  const Status& status() const& { return status_; }
  Status&& status() && { return std::move(status_); }
  T& value() & {
    OMEN_CHECK(ok());
    return *value_;
  }
  const T& value() const& {
    OMEN_CHECK(ok());
    return *value_;
  }
  T&& value() && {
    OMEN_CHECK(ok());
    return std::move(*value_);
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace omendb

#define OMEN_CONCAT_INNER(a, b) a##b
#define OMEN_CONCAT(a, b) OMEN_CONCAT_INNER(a, b)

// Returns the error of `expr` (a Status) from the enclosing function.
#define OMEN_TRY(expr)                      \
  do {                                      \
    ::omendb::Status omen_status_ = (expr); \
    if (!omen_status_.ok()) [[unlikely]]    \
      return omen_status_;                  \
  } while (false)

// OMEN_ASSIGN(auto x, Compute()): x is the value, or the enclosing function returns the error.
#define OMEN_ASSIGN(decl, expr) OMEN_ASSIGN_IMPL(OMEN_CONCAT(omen_result_, __LINE__), decl, expr)
#define OMEN_ASSIGN_IMPL(tmp, decl, expr) \
  auto tmp = (expr);                      \
  if (!tmp.ok()) [[unlikely]]             \
    return std::move(tmp).status();       \
  decl = std::move(tmp).value()
