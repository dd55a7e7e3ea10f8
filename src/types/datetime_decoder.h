// datetime_decoder.h - lets each token of a date or time say which fields it is; internal to this
// folder. Tokens of numbers are read in datetime_numbers.cc, words in datetime_words.cc, the rest
// in datetime_decode.cc.
//
// Thread safety  One thread.
// Ownership      Borrows what it is made with.
// See            PostgreSQL 15, appendix B.1 "Date/Time Input Interpretation".
#pragma once

#include <string>
#include <string_view>

#include "types/datetime_fields.h"

namespace omendb::types {

class DateTimeDecoder {
 public:
  DateTimeDecoder(const DateTimeTokens& tokens, DateTimeShape shape, const IoSettings& settings,
                  DateTimeFields& fields, std::string& unknown_zone)
      : tokens_(tokens),
        time_only_(shape == DateTimeShape::kTimeOnly),
        settings_(settings),
        fields_(fields),
        unknown_zone_(unknown_zone) {}

  DateTimeError Run();

 private:
  // Which fields a token is, or all tokens so far are: a field twice is an error.
  using Mask = uint32_t;
  static constexpr Mask kYear = 1u << 0, kMonth = 1u << 1, kDay = 1u << 2, kDayOfYear = 1u << 3,
                        kHour = 1u << 4, kMinute = 1u << 5, kSecond = 1u << 6, kZone = 1u << 7,
                        kDaylightZone = 1u << 8, kAmPm = 1u << 9, kAdBc = 1u << 10,
                        kDayOfWeek = 1u << 11, kReservedWord = 1u << 12;
  static constexpr Mask kDate = kYear | kMonth | kDay;
  static constexpr Mask kTime = kHour | kMinute | kSecond;

  enum class Meridian : uint8_t { kNone, kAm, kPm };

  DateTimeError DecodeToken(size_t i);
  DateTimeError DecodeDateToken(size_t i, std::string_view text);
  DateTimeError DecodeDate(std::string_view text, Mask seen);
  DateTimeError DecodeTime(std::string_view text);
  DateTimeError DecodeNumberToken(size_t i, std::string_view text);
  DateTimeError DecodeTimeOnlyNumber(size_t i, std::string_view text);
  DateTimeError DecodeAfterUnit(std::string_view text);
  DateTimeError DecodeNumber(std::string_view text, bool text_month, Mask seen);
  DateTimeError DecodeRunTogether(std::string_view text, Mask seen);
  DateTimeError DecodeWord(std::string_view text);
  DateTimeError DecodeReserved(Reserved word);
  DateTimeError DecodeMonthWord(int month);
  DateTimeError DecodeZoneName(std::string_view text);
  DateTimeError SetOffset(std::string_view text);
  void SetLocalNow(int64_t day_shift);
  DateTimeError Validate();
  DateTimeError ValidateDate();
  DateTimeError ValidateTime();
  // Where a date may stand in the text of a time.
  bool TimeAllowsDate(size_t i) const;

  const DateTimeTokens& tokens_;
  const bool time_only_;
  const IoSettings& settings_;
  DateTimeFields& fields_;
  std::string& unknown_zone_;
  Mask seen_ = 0;
  Mask found_ = 0;  // By the token at hand.
  int unit_ = 0;    // The letter of a unit word before a number; 't' for ISO time.
  bool text_month_ = false;
  bool two_digits_ = false;
  bool julian_ = false;
  bool bc_ = false;
  int day_of_year_ = 0;
  Meridian meridian_ = Meridian::kNone;
};

}  // namespace omendb::types
