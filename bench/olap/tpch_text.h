// tpch_text.h - text of the specification's grammar (clause 4.2.2.14): comments are cut from one
// long text at random places, so that phrases such as "special requests" occur as often as
// grammar and place allow.
#pragma once

#include <string>
#include <string_view>

#include "bench/olap/tpch_words.h"
#include "testing/prng.h"

namespace omendb::bench::tpch {

template <size_t n>
Word Pick(testutil::Prng& prng, const Word (&words)[n]) {
  return words[prng.Below(n)];
}

class TextPool {
 public:
  TextPool(uint64_t seed, size_t bytes) : prng_(seed) {
    text_.reserve(bytes + 1024);
    while (text_.size() < bytes) Sentence();
  }
  // A piece of `low` to `high` bytes.
  std::string_view Piece(testutil::Prng& prng, int64_t low, int64_t high) const {
    const auto size = static_cast<size_t>(prng.Between(low, high));
    return std::string_view(text_).substr(prng.Below(text_.size() - size), size);
  }

 private:
  void Add(std::string_view word) {
    text_ += word;
    text_ += ' ';
  }
  // A terminator follows the word before it without a blank.
  void End() {
    text_.pop_back();
    Add(Pick(prng_, kTerminators));
  }
  void NounPhrase() {
    switch (prng_.Below(4)) {
      case 0:
        break;
      case 1:
        Add(Pick(prng_, kAdjectives));
        break;
      case 2:
        text_ += Pick(prng_, kAdjectives);
        text_ += ", ";
        Add(Pick(prng_, kAdjectives));
        break;
      default:
        Add(Pick(prng_, kAdverbs));
        Add(Pick(prng_, kAdjectives));
    }
    Add(Pick(prng_, kNouns));
  }
  void VerbPhrase() {
    const uint64_t form = prng_.Below(4);
    if (form == 1 || form == 3) Add(Pick(prng_, kAuxiliaries));
    Add(Pick(prng_, kVerbs));
    if (form >= 2) Add(Pick(prng_, kAdverbs));
  }
  void PrepositionalPhrase() {
    Add(Pick(prng_, kPrepositions));
    Add("the");
    NounPhrase();
  }
  void Sentence() {
    const uint64_t form = prng_.Below(5);
    NounPhrase();
    if (form == 2 || form == 4) PrepositionalPhrase();
    VerbPhrase();
    if (form == 1 || form == 2) PrepositionalPhrase();
    if (form == 3) NounPhrase();
    End();
  }

  testutil::Prng prng_;
  std::string text_;
};

}  // namespace omendb::bench::tpch
