// copy_options.h - the options of COPY, and the checked dialect they amount to.
//
// Thread safety  Values.
// Errors         PostgreSQL's own, for combinations that it refuses: 0A000, 22023, 42601.
// See            PostgreSQL 15, COPY; ProcessCopyOptions in its copy.c.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace omendb::pgwire {

enum class CopyFormat { kText, kCsv, kBinary };
enum class CopyHeader { kNone, kPresent, kMatch };
enum class CopyEncoding { kUtf8, kLatin1, kSqlAscii };

// As written in the statement: what was not written is none.
struct CopyOptions {
  CopyFormat format = CopyFormat::kText;
  std::optional<std::string> delimiter;
  std::optional<std::string> null_text;
  std::optional<std::string> quote;
  std::optional<std::string> escape;
  CopyHeader header = CopyHeader::kNone;
  std::optional<std::string> encoding;
  bool force_quote_all = false;
  std::vector<std::string> force_quote;  // Column names.
  std::vector<std::string> force_not_null;
  std::vector<std::string> force_null;
};

// Checked and complete. The per-column flags have one entry for each copied column.
struct CopyDialect {
  CopyFormat format = CopyFormat::kText;
  CopyEncoding encoding = CopyEncoding::kUtf8;
  CopyHeader header = CopyHeader::kNone;
  char delimiter = '\t';
  char quote = '"';
  char escape = '"';
  std::string null_text = "\\N";
  std::vector<std::string> columns;
  std::vector<bool> force_quote;
  std::vector<bool> force_not_null;
  std::vector<bool> force_null;
};

enum class CopyWay { kFrom, kTo };

// `columns` are the names of the copied columns, in the order of the data.
Result<CopyDialect> ResolveCopyOptions(const CopyOptions& options, CopyWay way,
                                       std::vector<std::string> columns);

// "UTF8", "utf-8", "LATIN1", "SQL_ASCII": none for an encoding that is not spoken.
std::optional<CopyEncoding> CopyEncodingFromName(std::string_view name);

}  // namespace omendb::pgwire
