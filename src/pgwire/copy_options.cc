#include "pgwire/copy_options.h"

#include <algorithm>
#include <cctype>

#include "base/sqlstate.h"

namespace omendb::pgwire {
namespace {

Status Unsupported(std::string message) {
  return Status(sqlstate::kFeatureNotSupported, std::move(message));
}
Status Invalid(std::string message) {
  return Status(sqlstate::kInvalidParameterValue, std::move(message));
}
Status Syntax(std::string message) { return Status(sqlstate::kSyntaxError, std::move(message)); }

bool HasNewline(std::string_view s) { return s.find_first_of("\r\n") != std::string_view::npos; }

Status CheckDelimiter(const CopyOptions& options, const CopyDialect& dialect,
                      const std::string& delimiter) {
  if (delimiter.size() != 1) {
    return Unsupported("COPY delimiter must be a single one-byte character");
  }
  if (HasNewline(delimiter)) return Invalid("COPY delimiter cannot be newline or carriage return");
  // A letter, digit, dot or backslash would be mistaken for the rest of an escape.
  constexpr std::string_view kConfusing = "\\.abcdefghijklmnopqrstuvwxyz0123456789";
  if (options.format == CopyFormat::kText && kConfusing.find(delimiter) != std::string_view::npos) {
    return Invalid("COPY delimiter cannot be \"" + delimiter + "\"");
  }
  if (dialect.null_text.find(delimiter) != std::string::npos) {
    return Unsupported("COPY delimiter must not appear in the NULL specification");
  }
  return Status::Ok();
}

Status CheckQuotes(const CopyOptions& options, const CopyDialect& dialect) {
  const bool csv = options.format == CopyFormat::kCsv;
  if (!csv && options.quote) return Unsupported("COPY quote available only in CSV mode");
  if (csv && options.quote && options.quote->size() != 1) {
    return Unsupported("COPY quote must be a single one-byte character");
  }
  if (csv && dialect.delimiter == dialect.quote) {
    return Invalid("COPY delimiter and quote must be different");
  }
  if (!csv && options.escape) return Unsupported("COPY escape available only in CSV mode");
  if (csv && options.escape && options.escape->size() != 1) {
    return Unsupported("COPY escape must be a single one-byte character");
  }
  if (csv && dialect.null_text.find(dialect.quote) != std::string::npos) {
    return Unsupported("CSV quote character must not appear in the NULL specification");
  }
  return Status::Ok();
}

Status CheckForce(const CopyOptions& options, CopyWay way) {
  const bool csv = options.format == CopyFormat::kCsv;
  if (options.force_quote_all || !options.force_quote.empty()) {
    if (!csv) return Unsupported("COPY force quote available only in CSV mode");
    if (way == CopyWay::kFrom) return Unsupported("COPY force quote only available using COPY TO");
  }
  if (!options.force_not_null.empty()) {
    if (!csv) return Unsupported("COPY force not null available only in CSV mode");
    if (way == CopyWay::kTo) {
      return Unsupported("COPY force not null only available using COPY FROM");
    }
  }
  if (!options.force_null.empty()) {
    if (!csv) return Unsupported("COPY force null available only in CSV mode");
    if (way == CopyWay::kTo) return Unsupported("COPY force null only available using COPY FROM");
  }
  return Status::Ok();
}

Status MarkColumns(const char* option, const std::vector<std::string>& names,
                   const std::vector<std::string>& columns, std::vector<bool>& flags) {
  for (const std::string& name : names) {
    const auto it = std::find(columns.begin(), columns.end(), name);
    if (it == columns.end()) {
      return Status(sqlstate::kInvalidColumnReference,
                    std::string(option) + " column \"" + name + "\" not referenced by COPY");
    }
    flags[static_cast<size_t>(it - columns.begin())] = true;
  }
  return Status::Ok();
}

Status CheckBinary(const CopyOptions& options) {
  if (options.delimiter) return Syntax("cannot specify DELIMITER in BINARY mode");
  if (options.null_text) return Syntax("cannot specify NULL in BINARY mode");
  if (options.header != CopyHeader::kNone) {
    return Unsupported("cannot specify HEADER in BINARY mode");
  }
  return Status::Ok();
}

}  // namespace

std::optional<CopyEncoding> CopyEncodingFromName(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  if (plain == "utf8" || plain == "unicode") return CopyEncoding::kUtf8;
  if (plain == "latin1" || plain == "iso88591") return CopyEncoding::kLatin1;
  if (plain == "sqlascii") return CopyEncoding::kSqlAscii;
  return std::nullopt;
}

Result<CopyDialect> ResolveCopyOptions(const CopyOptions& options, CopyWay way,
                                       std::vector<std::string> columns) {
  const bool csv = options.format == CopyFormat::kCsv;
  CopyDialect dialect;
  dialect.format = options.format;
  dialect.header = options.header;
  if (options.format == CopyFormat::kBinary) OMEN_TRY(CheckBinary(options));
  if (options.encoding) {
    const std::optional<CopyEncoding> encoding = CopyEncodingFromName(*options.encoding);
    if (!encoding) return NotSupported("COPY encoding \"" + *options.encoding + "\"");
    dialect.encoding = *encoding;
  }

  const std::string delimiter = options.delimiter.value_or(csv ? "," : "\t");
  dialect.null_text = options.null_text.value_or(csv ? "" : "\\N");
  if (HasNewline(dialect.null_text)) {
    return Invalid("COPY null representation cannot use newline or carriage return");
  }
  OMEN_TRY(CheckDelimiter(options, dialect, delimiter));
  dialect.delimiter = delimiter[0];
  if (options.quote && !options.quote->empty()) dialect.quote = (*options.quote)[0];
  dialect.escape =
      options.escape && !options.escape->empty() ? (*options.escape)[0] : dialect.quote;
  OMEN_TRY(CheckQuotes(options, dialect));
  OMEN_TRY(CheckForce(options, way));
  if (options.header == CopyHeader::kMatch && way == CopyWay::kTo) {
    return Syntax("cannot use \"match\" with HEADER in COPY TO");
  }

  dialect.force_quote.assign(columns.size(), options.force_quote_all);
  dialect.force_not_null.assign(columns.size(), false);
  dialect.force_null.assign(columns.size(), false);
  OMEN_TRY(MarkColumns("FORCE_QUOTE", options.force_quote, columns, dialect.force_quote));
  OMEN_TRY(MarkColumns("FORCE_NOT_NULL", options.force_not_null, columns, dialect.force_not_null));
  OMEN_TRY(MarkColumns("FORCE_NULL", options.force_null, columns, dialect.force_null));
  dialect.columns = std::move(columns);
  return dialect;
}

}  // namespace omendb::pgwire
