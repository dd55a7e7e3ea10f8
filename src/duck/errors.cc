#include "duck/errors.h"

#include <array>
#include <cctype>
#include <cerrno>

#include "base/sqlstate.h"
#include "duck/logical_types.h"

namespace omendb::duck {

namespace {

constexpr const char* kStateKey = "omen_sqlstate";

// The text between the first `before` and the next `after` behind it; empty when not there.
std::string Between(std::string_view text, std::string_view before, std::string_view after) {
  const size_t start = text.find(before);
  if (start == std::string_view::npos) return "";
  const size_t from = start + before.size();
  const size_t end = after.empty() ? text.size() : text.find(after, from);
  if (end == std::string_view::npos) return "";
  return std::string(text.substr(from, end - from));
}

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}
bool StartsWith(std::string_view text, std::string_view part) { return text.starts_with(part); }

std::string Extra(const duckdb::ErrorData& error, const char* key) {
  const auto& extra = error.ExtraInfo();
  auto it = extra.find(key);
  return it == extra.end() ? "" : it->second;
}

SqlState MakeState(const std::string& code) {
  char text[6] = "XX000";
  if (code.size() == 5) std::memcpy(text, code.data(), 5);
  return SqlState(text);
}

Status CarriedStatus(const duckdb::ErrorData& error) {
  ErrorInfo info;
  info.sqlstate = MakeState(Extra(error, kStateKey));
  info.message = Extra(error, "omen_message");
  info.detail = Extra(error, "omen_detail");
  info.hint = Extra(error, "omen_hint");
  info.schema_name = Extra(error, "omen_schema");
  info.table_name = Extra(error, "omen_table");
  info.column_name = Extra(error, "omen_column");
  info.constraint_name = Extra(error, "omen_constraint");
  info.context = Extra(error, "omen_context");
  info.radius = static_cast<Radius>(std::atoi(Extra(error, "omen_radius").c_str()));
  info.position = std::atoi(Extra(error, "omen_position").c_str());
  return Status(std::move(info));
}

bool IsOperatorName(std::string_view name) {
  return !name.empty() && !std::isalnum(static_cast<unsigned char>(name[0])) && name[0] != '_';
}

// "f(INTEGER, VARCHAR)" as PostgreSQL writes it: "function f(integer, text) does not exist", or
// "operator does not exist: integer + text".
std::string UndefinedFunctionMessage(const std::string& name, const std::string& call) {
  std::vector<std::string> arguments;
  const size_t open = call.find('(');
  if (open != std::string::npos) {
    int depth = 0;
    std::string argument;
    for (size_t i = open + 1; i < call.size(); ++i) {
      const char c = call[i];
      if ((c == ',' || c == ')') && depth == 0) {
        if (!argument.empty()) arguments.push_back(PostgresTypeName(argument));
        argument.clear();
        if (c == ')') break;
        continue;
      }
      if (c == '(') ++depth;
      if (c == ')') --depth;
      if (c == ' ' && argument.empty()) continue;
      argument.push_back(c);
    }
  }
  if (IsOperatorName(name) && !arguments.empty() && arguments.size() <= 2) {
    if (arguments.size() == 1) return "operator does not exist: " + name + " " + arguments[0];
    return "operator does not exist: " + arguments[0] + " " + name + " " + arguments[1];
  }
  std::string message = "function " + name + "(";
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (i > 0) message += ", ";
    message += arguments[i];
  }
  return message + ") does not exist";
}

constexpr const char* kFunctionHint =
    "No function matches the given name and argument types. You might need to add explicit type "
    "casts.";
constexpr const char* kOperatorHint =
    "No operator matches the given name and argument types. You might need to add explicit type "
    "casts.";

Status UndefinedFunction(const std::string& name, const std::string& call) {
  const bool is_operator = IsOperatorName(name);
  return Status(sqlstate::kUndefinedFunction, UndefinedFunctionMessage(name, call))
      .WithHint(is_operator ? kOperatorHint : kFunctionHint);
}

Status MissingEntry(const duckdb::ErrorData& error, std::string_view message) {
  std::string type = Extra(error, "type");
  std::string name = Extra(error, "name");
  if (name.empty()) name = Between(message, "with name ", " does not exist");
  if (type.empty()) type = std::string(message.substr(0, message.find(" with name")));
  if (type == "Table" || type == "View" || type == "Table Entry") {
    return Status(sqlstate::kUndefinedTable, "relation \"" + name + "\" does not exist");
  }
  if (type == "Schema") {
    return Status(sqlstate::kInvalidSchemaName, "schema \"" + name + "\" does not exist");
  }
  if (type == "Type" || type == "Type Entry") {
    return Status(sqlstate::kUndefinedObject, "type \"" + name + "\" does not exist");
  }
  if (Contains(type, "Function") || Contains(type, "Macro")) {
    return Status(sqlstate::kUndefinedFunction, "function " + name + " does not exist")
        .WithHint(kFunctionHint);
  }
  return Status(sqlstate::kUndefinedObject, std::string(message.substr(0, message.find('\n'))));
}

Status ColumnMissing(const std::string& name) {
  return Status(sqlstate::kUndefinedColumn, "column \"" + name + "\" does not exist");
}

std::string FirstLine(std::string_view message) {
  return std::string(message.substr(0, message.find('\n')));
}

Status BinderStatus(const duckdb::ErrorData& error, std::string_view message) {
  const std::string subtype = Extra(error, "error_subtype");
  if (subtype == "COLUMN_NOT_FOUND") return ColumnMissing(Extra(error, "name"));
  if (subtype == "NO_MATCHING_FUNCTION" || Contains(message, "No function matches the given")) {
    std::string name = Extra(error, "name");
    std::string call = Extra(error, "call");
    if (call.empty()) call = Between(message, "argument types '", "'");
    if (name.empty()) name = call.substr(0, call.find('('));
    return UndefinedFunction(name, call);
  }
  if (StartsWith(message, "Macro ") && Contains(message, "does not support the supplied arg")) {
    return Status(sqlstate::kUndefinedFunction,
                  "function " + Between(message, "Macro ", "(") + " does not exist")
        .WithHint(kFunctionHint);
  }
  if (Contains(message, "Referenced column \"")) {
    return ColumnMissing(Between(message, "Referenced column \"", "\""));
  }
  if (Contains(message, "does not have a column named")) {
    std::string table = Between(message, "Table \"", "\"");
    if (table.empty()) table = Between(message, "table \"", "\"");
    const std::string column = Between(message, "column named \"", "\"");
    return Status(sqlstate::kUndefinedColumn, "column " + table + "." + column + " does not exist");
  }
  if (Contains(message, "does not have a column with name")) {
    return Status(sqlstate::kUndefinedColumn,
                  "column \"" + Between(message, "column with name \"", "\"") +
                      "\" of relation \"" + Between(message, "Table \"", "\"") +
                      "\" does not exist");
  }
  if (Contains(message, "Referenced update column")) {
    return Status(
        sqlstate::kUndefinedColumn,
        "column \"" + Between(message, "update column ", " not found") + "\" does not exist");
  }
  if (Contains(message, "Referenced table \"")) {
    return Status(sqlstate::kUndefinedTable, "missing FROM-clause entry for table \"" +
                                                 Between(message, "Referenced table \"", "\"") +
                                                 "\"");
  }
  if (Contains(message, "Ambiguous reference to column name")) {
    return Status(
        sqlstate::kAmbiguousColumn,
        "column reference \"" + Between(message, "column name \"", "\"") + "\" is ambiguous");
  }
  if (Contains(message, "Ambiguous reference to table") ||
      Contains(message, "Duplicate alias \"")) {
    std::string name = Between(message, "table \"", "\"");
    if (name.empty()) name = Between(message, "Duplicate alias \"", "\"");
    return Status(SqlState("42712"), "table name \"" + name + "\" specified more than once");
  }
  if (Contains(message, "must appear in the GROUP BY clause")) {
    const std::string column = Between(message, "column \"", "\"");
    return Status(sqlstate::kGroupingError,
                  "column \"" + column +
                      "\" must appear in the GROUP BY clause or be used in an aggregate function");
  }
  if (Contains(message, "WHERE clause cannot contain aggregates")) {
    return Status(sqlstate::kGroupingError, "aggregate functions are not allowed in WHERE");
  }
  if (Contains(message, "GROUP BY clause cannot contain aggregates")) {
    return Status(sqlstate::kGroupingError, "aggregate functions are not allowed in GROUP BY");
  }
  if (Contains(message, "aggregate function calls cannot be nested")) {
    return Status(sqlstate::kGroupingError, "aggregate function calls cannot be nested");
  }
  if (Contains(message, "Cannot mix values of type") ||
      Contains(message, "Cannot compare values")) {
    const std::string left = PostgresTypeName(Between(message, "type ", " and "));
    std::string right = Between(message, " and ", " -");
    if (StartsWith(right, "type ")) right = right.substr(5);
    return Status(sqlstate::kUndefinedFunction,
                  "operator does not exist: " + left + " = " + PostgresTypeName(right))
        .WithHint(kOperatorHint);
  }
  if (Contains(message, "Set operations can only apply to expressions with the same number")) {
    return Status(sqlstate::kSyntaxError, "each UNION query must have the same number of columns");
  }
  if (Contains(message, "values were supplied")) {
    const auto expected = std::atoll(
        Between(message, Contains(message, "expected ") ? "expected " : "has ", " columns")
            .c_str());
    const auto got = std::atoll(Between(message, "but ", " values").c_str());
    return Status(sqlstate::kSyntaxError, got > expected
                                              ? "INSERT has more expressions than target columns"
                                              : "INSERT has more target columns than expressions");
  }
  if (Contains(message, "Duplicate column name")) {
    return Status(sqlstate::kDuplicateColumn,
                  "column \"" + Between(message, "name \"", "\"") + "\" specified more than once");
  }
  if (Contains(message, "Multiple assignments to same column")) {
    return Status(sqlstate::kSyntaxError, "multiple assignments to same column \"" +
                                              Between(message, "column \"", "\"") + "\"");
  }
  if (Contains(message, "term out of range")) {
    return Status(sqlstate::kInvalidColumnReference,
                  std::string(Contains(message, "ORDER") ? "ORDER BY" : "GROUP BY") +
                      " position is not in select list");
  }
  if (Contains(message, "not referenced by a UNIQUE/PRIMARY KEY") ||
      Contains(message, "no UNIQUE/PRIMARY KEY")) {
    return Status(sqlstate::kInvalidColumnReference,
                  "there is no unique or exclusion constraint matching the ON CONFLICT "
                  "specification");
  }
  if (Contains(message, "Separator argument to StringAgg must be a constant")) {
    return NotSupported("string_agg with a separator that is no constant");
  }
  if (Contains(message, "PERCENTILEs can only take parameters in the range")) {
    return Status(sqlstate::kNumericValueOutOfRange, "percentile value is not between 0 and 1");
  }
  if (Contains(message, "Subquery returns") ||
      Contains(message, "subquery must return one column")) {
    return Status(sqlstate::kSyntaxError, "subquery must return only one column");
  }
  if (Contains(message, "Catalog \"") && Contains(message, "does not exist")) {
    return Status(sqlstate::kInvalidSchemaName,
                  "schema \"" + Between(message, "Catalog \"", "\"") + "\" does not exist");
  }
  if (Contains(message, "LIMIT/OFFSET cannot be negative")) {
    return Status(sqlstate::kInvalidLimitValue, "LIMIT must not be negative");
  }
  if (Contains(message, "does not support") || Contains(message, "not supported") ||
      Contains(message, "UNSUPPORTED")) {
    return Status(sqlstate::kFeatureNotSupported, FirstLine(message));
  }
  if (Contains(message, "window function") && Contains(message, "WHERE")) {
    return Status(SqlState("42P20"), "window functions are not allowed in WHERE");
  }
  return Status(sqlstate::kSyntaxError, FirstLine(message));
}

std::string IntegerName(std::string_view type) {
  if (type == "INT8" || type == "INT16") return "smallint";
  if (type == "INT32") return "integer";
  if (type == "INT64") return "bigint";
  return "value";
}

Status OutOfRange(std::string_view message) {
  if (Contains(message, "cannot take square root of a negative number")) {
    return Status(SqlState("2201F"), "cannot take square root of a negative number");
  }
  if (Contains(message, "cannot take logarithm of")) {
    return Status(SqlState("2201E"), FirstLine(message));
  }
  if (StartsWith(message, "Overflow on abs(")) {
    const auto value = std::atoll(Between(message, "abs(", ")").c_str());
    return Status(sqlstate::kNumericValueOutOfRange, value == INT16_MIN   ? "smallint out of range"
                                                     : value == INT32_MIN ? "integer out of range"
                                                                          : "bigint out of range");
  }
  if (Contains(message, "Overflow in")) {
    std::string type = Between(message, " of ", " (");
    if (StartsWith(type, "DECIMAL") || type.empty() || Contains(type, "INT128")) {
      return Status(sqlstate::kNumericValueOutOfRange, "value overflows numeric format");
    }
    if (type == "DATE" || Contains(type, "TIMESTAMP")) {
      return Status(sqlstate::kDatetimeFieldOverflow,
                    std::string(type == "DATE" ? "date" : "timestamp") + " out of range");
    }
    return Status(sqlstate::kNumericValueOutOfRange, IntegerName(type) + " out of range");
  }
  if (Contains(message,
               "can't be cast because the value is out of range for the destination type")) {
    const std::string type = Between(message, "destination type ", "");
    return Status(sqlstate::kNumericValueOutOfRange,
                  IntegerName(type.substr(0, type.find_first_of(" \n"))) + " out of range");
  }
  if (Contains(message, "date") || Contains(message, "timestamp") ||
      Contains(message, "Timestamp")) {
    return Status(sqlstate::kDatetimeFieldOverflow, "timestamp out of range");
  }
  return Status(sqlstate::kNumericValueOutOfRange, FirstLine(message));
}

Status Conversion(std::string_view message) {
  if (Contains(message, "out of range for the destination type") || Contains(message, "Overflow")) {
    return OutOfRange(message);
  }
  if (Contains(message, "Could not convert string")) {
    std::string value = Between(message, "Could not convert string '", "' to ");
    std::string type = Between(message, "' to ", "");
    if (value.empty()) {
      value = Between(message, "Could not convert string \"", "\" to ");
      type = Between(message, "\" to ", "");
    }
    type = type.substr(0, type.find('\n'));
    if (type == "INT16") type = "SMALLINT";
    if (type == "INT32") type = "INTEGER";
    if (type == "INT64") type = "BIGINT";
    if (type == "BOOL") type = "BOOLEAN";
    if (StartsWith(type, "DECIMAL")) type = "DECIMAL";
    return Status(
        sqlstate::kInvalidTextRepresentation,
        "invalid input syntax for type " + PostgresTypeName(type) + ": \"" + value + "\"");
  }
  if (const std::string type = Between(message, "to DECIMAL(", ")");
      Contains(message, "Could not cast value") && !type.empty()) {
    const int precision = std::atoi(type.c_str());
    const int scale = std::atoi(Between(type, ",", "").c_str());
    return Status(sqlstate::kNumericValueOutOfRange, "numeric field overflow")
        .WithDetail("A field with precision " + std::to_string(precision) + ", scale " +
                    std::to_string(scale) + " must round to an absolute value less than 10^" +
                    std::to_string(precision - scale) + ".");
  }
  if (Contains(message, "Could not cast value") || Contains(message, "to DECIMAL(") ||
      Contains(message, "to type DECIMAL(")) {
    return Status(sqlstate::kNumericValueOutOfRange, "numeric field overflow");
  }
  if (Contains(message, "field value out of range")) {
    return Status(sqlstate::kDatetimeFieldOverflow,
                  "date/time field value out of range: " + Between(message, "out of range: ", ","));
  }
  if (Contains(message, "invalid timestamp field format") || Contains(message, "date field") ||
      Contains(message, "invalid date")) {
    return Status(sqlstate::kInvalidDatetimeFormat, FirstLine(message));
  }
  return Status(sqlstate::kInvalidTextRepresentation, FirstLine(message));
}

Status CastMissing(std::string_view message) {
  // "Unimplemented type for cast (DATE -> DECIMAL(18,3))"
  const std::string from = PostgresTypeName(Between(message, "cast (", " ->"));
  std::string to = Between(message, "-> ", "");
  to = to.substr(0, to.find('\n'));
  if (to.ends_with(')')) to.pop_back();
  return Status(sqlstate::kCannotCoerce,
                "cannot cast type " + from + " to " + PostgresTypeName(to));
}

Status InvalidInput(std::string_view message) {
  if (Contains(message, "More than one row returned by a subquery")) {
    return Status(sqlstate::kCardinalityViolation,
                  "more than one row returned by a subquery used as an expression");
  }
  if (Contains(message, "ivision by zero")) {
    return Status(sqlstate::kDivisionByZero, "division by zero");
  }
  if (Contains(message, "Argument for ntile must be greater than zero")) {
    return Status(SqlState("22014"), "argument of ntile must be greater than zero");
  }
  if (Contains(message, "ACOS is undefined") || Contains(message, "ASIN is undefined")) {
    return Status(sqlstate::kNumericValueOutOfRange, "input is out of range");
  }
  if (Contains(message, "regular expression") || Contains(message, "missing )") ||
      Contains(message, "invalid perl operator") ||
      Contains(message, "no argument for repetition")) {
    return Status(sqlstate::kInvalidRegularExpression,
                  "invalid regular expression: " + FirstLine(message));
  }
  return Status(sqlstate::kInvalidParameterValue, FirstLine(message));
}

// What is written by DuckDB is what does not fit into memory.
Status DiskFull() {
  return Status(sqlstate::kDiskFull,
                "could not write to a temporary file: No space left on device");
}

Status OutOfMemory(std::string_view message) {
  // Its limit for temporary files is what of the disk was free when it began to write them.
  if (Contains(message, "max_temp_directory_size")) return DiskFull();
  return Status(sqlstate::kOutOfMemory, "out of memory").WithDetail(FirstLine(message));
}

Status InputOutput(const duckdb::ErrorData& error, std::string_view message) {
  const std::string number = Extra(error, "errno");
  if (number == std::to_string(ENOSPC) || number == std::to_string(EDQUOT)) return DiskFull();
  return Status(sqlstate::kIoError, FirstLine(message));
}

Status Translate(const duckdb::ErrorData& error) {
  const std::string_view message = error.RawMessage();
  switch (error.Type()) {
    case duckdb::ExceptionType::INTERRUPT:
      return Status(sqlstate::kQueryCanceled, "canceling statement due to user request");
    case duckdb::ExceptionType::OUT_OF_MEMORY:
      return OutOfMemory(message);
    case duckdb::ExceptionType::CATALOG:
      if (Contains(message, "does not exist")) return MissingEntry(error, message);
      return Status(sqlstate::kUndefinedObject, FirstLine(message));
    case duckdb::ExceptionType::BINDER:
      if (Contains(message, "Unimplemented type for cast")) return CastMissing(message);
      return BinderStatus(error, message);
    case duckdb::ExceptionType::PARSER:
    case duckdb::ExceptionType::SYNTAX:
      return Status(sqlstate::kSyntaxError, FirstLine(message));
    case duckdb::ExceptionType::OUT_OF_RANGE:
      return OutOfRange(message);
    case duckdb::ExceptionType::CONVERSION:
      if (Contains(message, "Unimplemented type for cast")) return CastMissing(message);
      return Conversion(message);
    case duckdb::ExceptionType::DIVIDE_BY_ZERO:
      return Status(sqlstate::kDivisionByZero, "division by zero");
    case duckdb::ExceptionType::MISMATCH_TYPE:
      return Status(sqlstate::kDatatypeMismatch, FirstLine(message));
    case duckdb::ExceptionType::NOT_IMPLEMENTED:
      return Status(sqlstate::kFeatureNotSupported, FirstLine(message));
    case duckdb::ExceptionType::PARAMETER_NOT_RESOLVED:
      return Status(sqlstate::kIndeterminateDatatype, "could not determine data type of parameter");
    case duckdb::ExceptionType::PERMISSION:
      return Status(sqlstate::kInsufficientPrivilege, FirstLine(message));
    case duckdb::ExceptionType::INVALID_INPUT:
      return InvalidInput(message);
    case duckdb::ExceptionType::IO:
      return InputOutput(error, message);
    case duckdb::ExceptionType::CONSTRAINT:
      return Status(sqlstate::kIntegrityConstraintViolation, FirstLine(message));
    default:
      return Status(sqlstate::kInternalError, FirstLine(message));
  }
}

}  // namespace

void ThrowStatus(const Status& status) {
  const ErrorInfo& info = status.error();
  duckdb::unordered_map<std::string, std::string> extra;
  extra[kStateKey] = std::string(info.sqlstate.view());
  extra["omen_message"] = info.message;
  extra["omen_radius"] = std::to_string(static_cast<int>(info.radius));
  const std::array<std::pair<const char*, const std::string*>, 7> fields{{
      {"omen_detail", &info.detail},
      {"omen_hint", &info.hint},
      {"omen_schema", &info.schema_name},
      {"omen_table", &info.table_name},
      {"omen_column", &info.column_name},
      {"omen_constraint", &info.constraint_name},
      {"omen_context", &info.context},
  }};
  for (const auto& [key, text] : fields) {
    if (!text->empty()) extra[key] = *text;
  }
  if (info.position != 0) extra["omen_position"] = std::to_string(info.position);
  throw duckdb::Exception(duckdb::ExceptionType::INVALID_INPUT, info.message, extra);
}

Status ToStatus(const duckdb::ErrorData& error) {
  if (error.ExtraInfo().contains(kStateKey)) return CarriedStatus(error);
  // DuckDB's position is one in the rewritten text: of no use to the client.
  return Translate(error);
}

std::string PostgresTypeName(std::string_view duck_name) {
  std::string name(duck_name);
  if (name.size() > 2 && name.ends_with("[]")) {
    return PostgresTypeName(std::string_view(name).substr(0, name.size() - 2)) + "[]";
  }
  static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"VARCHAR", "text"},
      {"BPCHAR", "character"},
      {"STRING_LITERAL", "unknown"},
      {"INTEGER_LITERAL", "integer"},
      {"INTEGER", "integer"},
      {"BIGINT", "bigint"},
      {"SMALLINT", "smallint"},
      {"TINYINT", "smallint"},
      {"HUGEINT", "numeric"},
      {"UINTEGER", "oid"},
      {"BOOLEAN", "boolean"},
      {"FLOAT", "real"},
      {"DOUBLE", "double precision"},
      {"BLOB", "bytea"},
      {"DATE", "date"},
      {"TIME", "time without time zone"},
      {"TIMESTAMP", "timestamp without time zone"},
      {"TIMESTAMP WITH TIME ZONE", "timestamp with time zone"},
      {"INTERVAL", "interval"},
      {"UUID", "uuid"},
      {"JSON", "json"},
      {"JSONB", "jsonb"},
      {"NUMERIC", "numeric"},
      {"NULL", "unknown"},
      {"\"NULL\"", "unknown"},
      {"UNKNOWN", "unknown"},
  };
  if (name.starts_with("DECIMAL")) return "numeric";
  for (const auto& [duck, postgres] : kNames) {
    if (name == duck) return std::string(postgres);
  }
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

}  // namespace omendb::duck
