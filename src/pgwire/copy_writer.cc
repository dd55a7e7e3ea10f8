#include "pgwire/copy_writer.h"

#include "pgwire/backend.h"
#include "pgwire/copy_binary.h"

namespace omendb::pgwire {
namespace {

// The letter that stands for a control character after a backslash; other bytes stand for
// themselves.
char EscapeLetter(char c) {
  switch (c) {
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    case '\v':
      return 'v';
    default:
      return c;
  }
}

std::string Latin1FromUtf8(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if (byte < 0x80) {
      out += text[i];
    } else if (byte < 0xc4 && i + 1 < text.size()) {
      out += static_cast<char>(byte << 6 | (static_cast<uint8_t>(text[++i]) & 0x3f));
    } else {
      out += '?';
      while (i + 1 < text.size() && (static_cast<uint8_t>(text[i + 1]) & 0xc0) == 0x80) ++i;
    }
  }
  return out;
}

}  // namespace

CopyWriter::CopyWriter(CopyDialect dialect, std::string& out)
    : dialect_(std::move(dialect)), out_(out) {
  const auto mark = [&](std::string_view bytes) {
    for (const char c : bytes) special_[static_cast<uint8_t>(c)] = true;
  };
  mark({&dialect_.delimiter, 1});
  if (dialect_.format == CopyFormat::kCsv) {
    mark("\r\n");
    mark({&dialect_.quote, 1});
  } else {
    mark("\b\f\n\r\t\v\\");
  }
}

void CopyWriter::WriteHeader() {
  if (dialect_.format == CopyFormat::kBinary) {
    out_.append(kCopyBinarySignature);
    AppendInt32(out_, 0);  // Flags.
    AppendInt32(out_, 0);  // No extension.
    return;
  }
  if (dialect_.header == CopyHeader::kNone) return;
  column_ = 0;
  for (const std::string& name : dialect_.columns) {
    Separate();
    if (dialect_.format == CopyFormat::kCsv) {
      CsvField(name, false);
    } else {
      TextField(name);
    }
    ++column_;
  }
  EndRow();
}

void CopyWriter::BeginRow() {
  column_ = 0;
  if (dialect_.format == CopyFormat::kBinary) {
    AppendInt16(out_, static_cast<int16_t>(dialect_.columns.size()));
  }
}

void CopyWriter::Separate() {
  if (column_ > 0) out_ += dialect_.delimiter;
}

void CopyWriter::Field(std::string_view value) {
  if (dialect_.format == CopyFormat::kBinary) {
    AppendInt32(out_, static_cast<int32_t>(value.size()));
    out_.append(value);
    return;
  }
  Separate();
  std::string converted;
  if (dialect_.encoding == CopyEncoding::kLatin1) {
    converted = Latin1FromUtf8(value);
    value = converted;
  }
  if (dialect_.format == CopyFormat::kCsv) {
    CsvField(value, dialect_.force_quote[column_]);
  } else {
    TextField(value);
  }
  ++column_;
}

void CopyWriter::Null() {
  if (dialect_.format == CopyFormat::kBinary) {
    AppendInt32(out_, -1);
    return;
  }
  Separate();
  out_ += dialect_.null_text;
  ++column_;
}

void CopyWriter::TextField(std::string_view value) {
  size_t copied = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (!special_[static_cast<uint8_t>(c)]) continue;
    out_.append(value.substr(copied, i - copied));
    out_ += '\\';
    out_ += c == dialect_.delimiter ? (c == '\t' ? 't' : c) : EscapeLetter(c);
    copied = i + 1;
  }
  out_.append(value.substr(copied));
}

void CopyWriter::CsvField(std::string_view value, bool force_quote) {
  bool quote = force_quote || value == dialect_.null_text ||
               (dialect_.columns.size() == 1 && value == "\\.");
  for (size_t i = 0; i < value.size() && !quote; ++i) {
    quote = special_[static_cast<uint8_t>(value[i])];
  }
  if (!quote) {
    out_.append(value);
    return;
  }
  out_ += dialect_.quote;
  for (const char c : value) {
    if (c == dialect_.quote || c == dialect_.escape) out_ += dialect_.escape;
    out_ += c;
  }
  out_ += dialect_.quote;
}

void CopyWriter::EndRow() {
  if (dialect_.format != CopyFormat::kBinary) out_ += '\n';
}

void CopyWriter::WriteTrailer() {
  if (dialect_.format == CopyFormat::kBinary) AppendInt16(out_, -1);
}

}  // namespace omendb::pgwire
