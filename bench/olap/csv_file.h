// csv_file.h - writes one table as CSV that PostgreSQL's COPY and DuckDB read alike.
//
// Thread safety  One thread.
// Errors         A file that cannot be opened or written ends the program with a message.
// Format         A comma between fields, text quoted where it must be. No NULLs: an empty text is
//                written as "".
#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace omendb::bench {

class CsvFile {
 public:
  explicit CsvFile(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "wb")) {
    if (file_ == nullptr) Fail();
    buffer_.reserve(kBufferBytes + kRowBytesLikely);
  }
  ~CsvFile() {
    Flush();
    if (std::fclose(file_) != 0) Fail();
  }
  CsvFile(const CsvFile&) = delete;
  CsvFile& operator=(const CsvFile&) = delete;

  CsvFile& Int(int64_t value) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    return Plain({digits, static_cast<size_t>(end - digits)});
  }
  CsvFile& Real(double value) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    return Plain({digits, static_cast<size_t>(end - digits)});
  }
  // Hundredths as a decimal number.
  CsvFile& Money(int64_t cents) {
    char text[24];
    const char* const sign = cents < 0 ? "-" : "";
    const int64_t size = std::abs(cents);
    const int n =
        std::snprintf(text, sizeof text, "%s%lld.%02lld", sign, static_cast<long long>(size / 100),
                      static_cast<long long>(size % 100));
    return Plain({text, static_cast<size_t>(n)});
  }
  // Days since 1970.
  CsvFile& Date(int32_t days) {
    Separate();
    AppendDate(days);
    return *this;
  }
  // Seconds since 1970.
  CsvFile& Timestamp(int64_t seconds) {
    Separate();
    AppendDate(static_cast<int32_t>(seconds / 86400));
    buffer_ += ' ';
    AppendDigits(static_cast<unsigned>(seconds / 3600 % 24));
    buffer_ += ':';
    AppendDigits(static_cast<unsigned>(seconds / 60 % 60));
    buffer_ += ':';
    AppendDigits(static_cast<unsigned>(seconds % 60));
    return *this;
  }
  CsvFile& Text(std::string_view text) {
    if (!text.empty() && text.find_first_of("\",\n\r") == text.npos) return Plain(text);
    Separate();
    buffer_ += '"';
    for (const char c : text) {
      if (c == '"') buffer_ += '"';
      buffer_ += c;
    }
    buffer_ += '"';
    return *this;
  }
  // Requires: nothing in `text` needs a quote.
  CsvFile& Plain(std::string_view text) {
    Separate();
    buffer_ += text;
    return *this;
  }
  void EndRow() {
    buffer_ += '\n';
    row_is_open_ = false;
    if (buffer_.size() >= kBufferBytes) Flush();
  }

 private:
  static constexpr size_t kBufferBytes = 1 << 20;
  static constexpr size_t kRowBytesLikely = 1 << 14;

  void Separate() {
    if (row_is_open_) buffer_ += ',';
    row_is_open_ = true;
  }
  void AppendDigits(unsigned value) {
    buffer_ += static_cast<char>('0' + value / 10);
    buffer_ += static_cast<char>('0' + value % 10);
  }
  void AppendDate(int32_t days) {
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
    const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
    AppendDigits(year / 100);
    AppendDigits(year % 100);
    buffer_ += '-';
    AppendDigits(static_cast<unsigned>(date.month()));
    buffer_ += '-';
    AppendDigits(static_cast<unsigned>(date.day()));
  }
  void Flush() {
    if (std::fwrite(buffer_.data(), 1, buffer_.size(), file_) != buffer_.size()) Fail();
    buffer_.clear();
  }
  void Fail() const {
    std::perror(path_.c_str());
    std::exit(1);
  }

  const std::string path_;
  std::FILE* const file_;
  std::string buffer_;
  bool row_is_open_ = false;
};

}  // namespace omendb::bench
