// jsonb values as bytes that order as PostgreSQL orders them (compareJsonbContainers in
// jsonb_util.c): token by token, the kind first, then the members of a container, or the value.
#include <string>
#include <vector>

#include "base/check.h"
#include "types/big_numeric.h"
#include "types/json.h"
#include "types/json_reader.h"

namespace omendb::types {
namespace {

// What a key begins with. A lone scalar is stored as an array of one member, which orders before a
// true one of one member and behind an empty array: PostgreSQL's behaviour, kept for its indexes'
// sake.
enum class Root : char { kEmptyArray, kScalar, kArray, kObject };
enum class Kind : char { kNull = 1, kString, kNumber, kFalse, kTrue, kArray, kObject };

class KeyWriter {
 public:
  explicit KeyWriter(std::string& key) : key_(key), root_(key.size()) {}

  void Begin(JsonToken token) {
    CountItem();
    const bool array = token == JsonToken::kArrayBegin;
    if (open_.empty()) Put(array ? Root::kEmptyArray : Root::kObject);
    Put(array ? Kind::kArray : Kind::kObject);
    open_.push_back({array, key_.size(), 0});
    key_.append(sizeof(uint32_t), '\0');
  }
  void End(JsonToken) {
    const Container& container = open_.back();
    for (size_t i = 0; i < sizeof(uint32_t); ++i) {
      key_[container.at + i] = static_cast<char>(container.count >> (24 - 8 * i));
    }
    if (open_.size() == 1 && container.array && container.count > 0) {
      key_[root_] = static_cast<char>(Root::kArray);
    }
    open_.pop_back();
  }
  void Key(const JsonReader& reader) {
    ++open_.back().count;
    PutString(reader.decoded());
  }
  Status Scalar(const JsonReader& reader) {
    CountItem();
    if (open_.empty()) Put(Root::kScalar);
    switch (reader.token()) {
      case JsonToken::kString:
        PutString(reader.decoded());
        break;
      case JsonToken::kNumber:
        return PutNumber(reader.token_text());
      case JsonToken::kTrue:
        Put(Kind::kTrue);
        break;
      case JsonToken::kFalse:
        Put(Kind::kFalse);
        break;
      default:
        Put(Kind::kNull);
    }
    return Status::Ok();
  }

 private:
  struct Container {
    bool array;
    size_t at;  // Where the count goes.
    uint32_t count;
  };

  template <typename Byte>
  void Put(Byte byte) {
    key_ += static_cast<char>(byte);
  }
  void CountItem() {
    if (!open_.empty() && open_.back().array) ++open_.back().count;
  }
  // No string of jsonb has a zero byte.
  void PutString(std::string_view text) {
    Put(Kind::kString);
    key_ += text;
    key_ += '\0';
  }
  Status PutNumber(std::string_view text) {
    OMEN_ASSIGN(const BigNumeric number, ParseBig(text));
    std::string bytes;
    AppendBigBytes(number, bytes);
    Put(Kind::kNumber);
    for (const char c : BigKey(bytes)) {
      key_ += c;
      if (c == '\0') key_ += '\xFF';
    }
    key_.append(2, '\0');
    return Status::Ok();
  }

  std::string& key_;
  const size_t root_;
  std::vector<Container> open_;
};

}  // namespace

void AppendJsonbKey(std::string_view jsonb, std::string& key) {
  KeyWriter writer(key);
  const Status status = WalkJson(jsonb, JsonStrings::kDecode, writer);
  OMEN_CHECK(status.ok());  // Stored jsonb is in normal form.
}

int CompareJsonb(std::string_view a, std::string_view b) {
  if (a == b) return 0;
  std::string left, right;
  AppendJsonbKey(a, left);
  AppendJsonbKey(b, right);
  return left.compare(right);
}

}  // namespace omendb::types
