// copy_binary.h - COPY FROM in binary format. See copy_parser.h for the contract.
//
// See            PostgreSQL 15, COPY, "Binary Format".
#pragma once

#include <string_view>

#include "pgwire/copy_parser.h"

namespace omendb::pgwire {

inline constexpr std::string_view kCopyBinarySignature{"PGCOPY\n\377\r\n\0", 11};

class CopyBinaryParser final : public CopyParser {
 public:
  CopyBinaryParser(CopyDialect dialect, std::string table);

 private:
  RowState ParseRow(std::vector<std::string_view>& fields) override;
  RowState ParseHeader();
  RowState Short();

  bool header_pending_ = true;
};

}  // namespace omendb::pgwire
