#include "types/json.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/check.h"
#include "types/json_reader.h"
#include "types/text_parsers.h"

namespace omendb::types {
namespace {

struct IgnoreEvents {
  void Begin(JsonToken) {}
  void End(JsonToken) {}
  void Key(const JsonReader&) {}
  Status Scalar(const JsonReader&) { return Status::Ok(); }
};

// numeric_in and numeric_out of PostgreSQL: no exponent, the digits behind the point as written.
constexpr int64_t kIntegerDigitsMax = 131072;
constexpr int64_t kFractionDigitsMax = 16383;

Status AppendNormalNumber(std::string_view text, std::string& out) {
  bool negative = text.front() == '-';
  if (negative) text.remove_prefix(1);
  size_t mark = text.find_first_of("eE");
  int64_t exponent = 0;
  if (mark != std::string_view::npos) {
    bool down = text[mark + 1] == '-';
    for (char c : text.substr(mark + 1)) {
      if (IsDigit(c)) exponent = std::min<int64_t>(exponent * 10 + (c - '0'), 1000000);
    }
    if (down) exponent = -exponent;
    text = text.substr(0, mark);
  }
  size_t point = text.find('.');
  std::string digits(text.substr(0, point));
  int64_t fraction = 0;
  if (point != std::string_view::npos) {
    digits += text.substr(point + 1);
    fraction = static_cast<int64_t>(text.size() - point - 1);
  }
  fraction -= exponent;
  size_t leading = std::min(digits.find_first_not_of('0'), digits.size());
  digits.erase(0, leading);
  bool zero = digits.empty();
  int64_t scale = std::max<int64_t>(fraction, 0);
  int64_t integer_digits = static_cast<int64_t>(digits.size()) - fraction;
  if ((!zero && integer_digits > kIntegerDigitsMax) || scale > kFractionDigitsMax) {
    return Status(sqlstate::kNumericValueOutOfRange, "value overflows numeric format");
  }
  if (!zero && fraction < 0) digits.append(static_cast<size_t>(-fraction), '0');
  size_t needed = static_cast<size_t>(scale) + 1;
  if (digits.size() < needed) digits.insert(0, needed - digits.size(), '0');
  if (negative && !zero) out += '-';
  out.append(digits, 0, digits.size() - static_cast<size_t>(scale));
  if (scale == 0) return Status::Ok();
  out += '.';
  out.append(digits, digits.size() - static_cast<size_t>(scale));
  return Status::Ok();
}

// Writes values as they come, and sorts an object's members when it ends, where they need it.
class Normalizer {
 public:
  explicit Normalizer(std::string& out) : out_(out) {}

  void Begin(JsonToken token) {
    StartValue();
    out_ += token == JsonToken::kObjectBegin ? '{' : '[';
    frames_.push_back({out_.size(), members_.size(), keys_.size(), true});
  }
  void End(JsonToken token) {
    if (token == JsonToken::kObjectEnd) FinishObject();
    out_ += token == JsonToken::kObjectEnd ? '}' : ']';
    frames_.pop_back();
  }
  void Key(const JsonReader& reader) {
    StartValue();
    const std::string& key = reader.decoded();
    members_.push_back({keys_.size(), key.size(), out_.size()});
    keys_ += key;
    AppendJsonString(key, out_);
    out_ += ": ";
    after_key_ = true;
  }
  Status Scalar(const JsonReader& reader) {
    StartValue();
    if (reader.token() == JsonToken::kString) {
      AppendJsonString(reader.decoded(), out_);
      return Status::Ok();
    }
    if (reader.token() == JsonToken::kNumber) {
      return AppendNormalNumber(reader.token_text(), out_);
    }
    out_ += reader.token_text();
    return Status::Ok();
  }

 private:
  struct Frame {
    size_t body;          // Offset in out_ behind the opening bracket.
    size_t first_member;  // In members_; objects only.
    size_t first_key;     // In keys_.
    bool is_empty;
  };
  struct Member {
    size_t key;
    size_t key_size;
    size_t text;  // Offset in out_ of its key.
  };

  void StartValue() {
    if (after_key_) {
      after_key_ = false;
      return;
    }
    if (frames_.empty()) return;
    if (!frames_.back().is_empty) out_ += ", ";
    frames_.back().is_empty = false;
  }

  std::string_view KeyOf(const Member& member) const {
    return std::string_view(keys_).substr(member.key, member.key_size);
  }
  bool KeyLess(const Member& a, const Member& b) const {
    if (a.key_size != b.key_size) return a.key_size < b.key_size;
    return KeyOf(a) < KeyOf(b);
  }

  void FinishObject() {
    const Frame& frame = frames_.back();
    auto first = members_.begin() + static_cast<std::ptrdiff_t>(frame.first_member);
    bool ordered = true;
    for (auto it = first; it != members_.end() && it + 1 != members_.end(); ++it) {
      ordered = ordered && KeyLess(*it, *(it + 1));
    }
    if (!ordered) Reorder(frame.body, frame.first_member);
    members_.resize(frame.first_member);
    keys_.resize(frame.first_key);
  }

  void Reorder(size_t body, size_t first_member) {
    std::string old = out_.substr(body);
    size_t count = members_.size() - first_member;
    std::vector<size_t> order(count);
    std::iota(order.begin(), order.end(), first_member);
    std::stable_sort(order.begin(), order.end(),
                     [this](size_t a, size_t b) { return KeyLess(members_[a], members_[b]); });
    out_.resize(body);
    for (size_t i = 0; i < count; ++i) {
      const Member& member = members_[order[i]];
      if (i + 1 < count && !KeyLess(member, members_[order[i + 1]])) continue;  // The last wins.
      size_t begin = member.text - body;
      bool is_last = order[i] + 1 == members_.size();
      size_t end = is_last ? old.size() : members_[order[i] + 1].text - body - 2;
      if (out_.size() > body) out_ += ", ";
      out_.append(old, begin, end - begin);
    }
  }

  std::string& out_;
  std::vector<Frame> frames_;
  std::vector<Member> members_;
  std::string keys_;
  bool after_key_ = false;
};

}  // namespace

Status ValidateJson(std::string_view text) {
  IgnoreEvents events;
  return WalkJson(text, JsonStrings::kValidate, events);
}

Status NormalizeJsonb(std::string_view text, std::string& out) {
  Normalizer normalizer(out);
  return WalkJson(text, JsonStrings::kDecode, normalizer);
}

std::string JsonbEqualityForm(std::string_view jsonb) {
  std::string out;
  JsonReader reader(jsonb, JsonStrings::kValidate);
  size_t copied = 0;
  while (true) {
    Status status = reader.Next();
    OMEN_CHECK(status.ok());
    if (reader.token() == JsonToken::kEnd) break;
    std::string_view text = reader.token_text();
    if (reader.token() != JsonToken::kNumber || text.find('.') == std::string_view::npos) continue;
    size_t kept = text.find_last_not_of('0') + 1;
    if (text[kept - 1] == '.') --kept;
    auto begin = static_cast<size_t>(text.data() - jsonb.data());
    out += jsonb.substr(copied, begin + kept - copied);
    copied = begin + text.size();
  }
  out += jsonb.substr(copied);
  return out;
}

void AppendJsonString(std::string_view text, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (char c : text) {
    switch (c) {
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      default: {
        auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20) {
          out += c;
          break;
        }
        out += "\\u00";
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
      }
    }
  }
  out += '"';
}

}  // namespace omendb::types
