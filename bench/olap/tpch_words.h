// tpch_words.h - the words of the TPC-H specification (clause 4.2.2.13 and 4.2.3) that its queries
// look for.
#pragma once

#include <string_view>

namespace omendb::bench::tpch {

using Word = std::string_view;

inline constexpr Word kColours[] = {
    "almond",     "antique",   "aquamarine", "azure",     "beige",     "bisque",    "black",
    "blanched",   "blue",      "blush",      "brown",     "burlywood", "burnished", "chartreuse",
    "chiffon",    "chocolate", "coral",      "cornsilk",  "cream",     "cyan",      "dark",
    "deep",       "dim",       "dodger",     "drab",      "firebrick", "floral",    "forest",
    "frosted",    "gainsboro", "ghost",      "goldenrod", "green",     "grey",      "honeydew",
    "hot",        "indian",    "ivory",      "khaki",     "lace",      "lavender",  "lawn",
    "lemon",      "light",     "lime",       "linen",     "magenta",   "maroon",    "medium",
    "metallic",   "midnight",  "mint",       "misty",     "moccasin",  "navajo",    "navy",
    "olive",      "orange",    "orchid",     "pale",      "papaya",    "peach",     "peru",
    "pink",       "plum",      "powder",     "puff",      "purple",    "red",       "rose",
    "rosy",       "royal",     "saddle",     "salmon",    "sandy",     "seashell",  "sienna",
    "sky",        "slate",     "smoke",      "snow",      "spring",    "steel",     "tan",
    "thistle",    "tomato",    "turquoise",  "violet",    "wheat",     "white",     "yellow",
    "cornflower",
};
inline constexpr Word kTypeSizes[] = {"STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"};
inline constexpr Word kTypeFinishes[] = {"ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"};
inline constexpr Word kTypeMetals[] = {"TIN", "NICKEL", "BRASS", "STEEL", "COPPER"};
inline constexpr Word kContainerSizes[] = {"SM", "LG", "MED", "JUMBO", "WRAP"};
inline constexpr Word kContainers[] = {"CASE", "BOX", "BAG", "JAR", "PKG", "PACK", "CAN", "DRUM"};
inline constexpr Word kSegments[] = {"AUTOMOBILE", "BUILDING", "FURNITURE", "MACHINERY",
                                     "HOUSEHOLD"};
inline constexpr Word kPriorities[] = {"1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED",
                                       "5-LOW"};
inline constexpr Word kInstructions[] = {"DELIVER IN PERSON", "COLLECT COD", "NONE",
                                         "TAKE BACK RETURN"};
inline constexpr Word kModes[] = {"REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"};
inline constexpr Word kRegions[] = {"AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"};

struct Nation {
  Word name;
  int region;
};
inline constexpr Nation kNations[] = {
    {"ALGERIA", 0},       {"ARGENTINA", 1}, {"BRAZIL", 1}, {"CANADA", 1},
    {"EGYPT", 4},         {"ETHIOPIA", 0},  {"FRANCE", 3}, {"GERMANY", 3},
    {"INDIA", 2},         {"INDONESIA", 2}, {"IRAN", 4},   {"IRAQ", 4},
    {"JAPAN", 2},         {"JORDAN", 4},    {"KENYA", 0},  {"MOROCCO", 0},
    {"MOZAMBIQUE", 0},    {"PERU", 1},      {"CHINA", 2},  {"ROMANIA", 3},
    {"SAUDI ARABIA", 4},  {"VIETNAM", 2},   {"RUSSIA", 3}, {"UNITED KINGDOM", 3},
    {"UNITED STATES", 1},
};

// The grammar's words, the more frequent ones written more than once.
inline constexpr Word kNouns[] = {
    "packages",     "requests",     "accounts",  "deposits",  "packages",       "requests",
    "accounts",     "deposits",     "foxes",     "ideas",     "theodolites",    "pinto beans",
    "instructions", "dependencies", "excuses",   "platelets", "asymptotes",     "courts",
    "dolphins",     "multipliers",  "sauternes", "warthogs",  "frets",          "dinos",
    "attainments",  "somas",        "Tiresias",  "patterns",  "forges",         "braids",
    "frays",        "warhorses",    "dugouts",   "notornis",  "epitaphs",       "pearls",
    "tithes",       "waters",       "orbits",    "gifts",     "sheaves",        "depths",
    "sentiments",   "decoys",       "realms",    "pains",     "hockey players", "escapades",
};
inline constexpr Word kVerbs[] = {
    "sleep",  "wake",      "are",      "cajole", "haggle",  "nag",     "use",    "boost",
    "affix",  "detect",    "nod",      "was",    "lose",    "sublate", "solve",  "thrash",
    "engage", "integrate", "maintain", "hinder", "promise", "print",   "x-ray",  "breach",
    "grow",   "impress",   "mold",     "poach",  "serve",   "run",     "dazzle", "snooze",
    "doze",   "unwind",    "kindle",   "play",   "hang",    "believe", "doubt",  "eat",
};
inline constexpr Word kAdjectives[] = {
    "special",  "pending",   "unusual",  "express", "regular", "final",   "ironic",  "even",
    "bold",     "silent",    "furious",  "sly",     "careful", "blithe",  "quick",   "fluffy",
    "slow",     "quiet",     "ruthless", "thin",    "close",   "dogged",  "daring",  "brave",
    "stealthy", "permanent", "enticing", "idle",    "busy",    "special", "pending", "regular",
};
inline constexpr Word kAdverbs[] = {
    "sometimes", "always",    "never",   "furiously",  "slyly",       "carefully",  "blithely",
    "quickly",   "fluffily",  "slowly",  "quietly",    "ruthlessly",  "thinly",     "closely",
    "doggedly",  "daringly",  "bravely", "stealthily", "permanently", "enticingly", "idly",
    "busily",    "regularly", "finally", "ironically", "evenly",      "boldly",     "silently",
};
inline constexpr Word kPrepositions[] = {
    "about",        "above",   "according to", "across",  "after",       "against", "along",
    "alongside of", "among",   "around",       "at",      "atop",        "before",  "behind",
    "beneath",      "beside",  "besides",      "between", "beyond",      "by",      "despite",
    "during",       "except",  "for",          "from",    "in place of", "inside",  "instead of",
    "into",         "near",    "of",           "on",      "outside",     "over",    "past",
    "since",        "through", "throughout",   "to",      "toward",      "under",   "until",
    "up",           "upon",    "without",      "with",    "within",
};
inline constexpr Word kAuxiliaries[] = {
    "do",     "may",      "might", "shall",        "will",          "would",   "can",    "could",
    "should", "ought to", "must",  "will have to", "shall have to", "need to", "try to",
};
inline constexpr Word kTerminators[] = {".", ".", ".", ";", ":", "?", "!", "--"};

}  // namespace omendb::bench::tpch
