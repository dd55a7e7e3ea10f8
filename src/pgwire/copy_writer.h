// copy_writer.h - rows of COPY ... TO as text, CSV or binary, appended to a buffer.
//
// A row: BeginRow, for each column Field or Null, EndRow. Text and CSV fields are the type's text;
// binary fields the type's binary format.
// Thread safety  One thread at a time.
// Cost           No allocation once the buffer has grown; a field is scanned once.
// See            PostgreSQL 15, COPY, "File Formats".
#pragma once

#include <string>
#include <string_view>

#include "pgwire/copy_options.h"

namespace omendb::pgwire {

class CopyWriter {
 public:
  CopyWriter(CopyDialect dialect, std::string& out);

  // The binary signature, or the line of column names where the options ask for one.
  void WriteHeader();
  void BeginRow();
  void Field(std::string_view value);
  void Null();
  void EndRow();
  // The binary trailer.
  void WriteTrailer();

 private:
  void Separate();
  void TextField(std::string_view value);
  void CsvField(std::string_view value, bool force_quote);

  const CopyDialect dialect_;
  std::string& out_;
  size_t column_ = 0;
  bool special_[256] = {};  // Bytes that text must escape or CSV must quote.
};

}  // namespace omendb::pgwire
