// pg_type and the catalogs that types point to.
#include "sql/pg_catalog/row_maker.h"

namespace omendb::sql {
namespace {

struct TypeRow {
  uint32_t oid;
  std::string_view name;
  int length;
  char type;
  char category;
  bool preferred;
  uint32_t element;
  uint32_t array;
  bool by_value;
  char alignment;
  char storage;
};

constexpr TypeRow kTypes[] = {
    {16, "bool", 1, 'b', 'B', true, 0, 1000, true, 'c', 'p'},
    {17, "bytea", -1, 'b', 'U', false, 0, 1001, false, 'i', 'x'},
    {18, "char", 1, 'b', 'Z', false, 0, 1002, true, 'c', 'p'},
    {19, "name", 64, 'b', 'S', false, 18, 1003, false, 'c', 'p'},
    {20, "int8", 8, 'b', 'N', false, 0, 1016, true, 'd', 'p'},
    {21, "int2", 2, 'b', 'N', false, 0, 1005, true, 's', 'p'},
    {22, "int2vector", -1, 'b', 'A', false, 21, 1006, false, 'i', 'p'},
    {23, "int4", 4, 'b', 'N', false, 0, 1007, true, 'i', 'p'},
    {24, "regproc", 4, 'b', 'N', false, 0, 1008, true, 'i', 'p'},
    {25, "text", -1, 'b', 'S', true, 0, 1009, false, 'i', 'x'},
    {26, "oid", 4, 'b', 'N', true, 0, 1028, true, 'i', 'p'},
    {28, "xid", 4, 'b', 'U', false, 0, 1011, true, 'i', 'p'},
    {30, "oidvector", -1, 'b', 'A', false, 26, 1013, false, 'i', 'p'},
    {114, "json", -1, 'b', 'U', false, 0, 199, false, 'i', 'x'},
    {194, "pg_node_tree", -1, 'b', 'Z', false, 0, 0, false, 'i', 'x'},
    {199, "_json", -1, 'b', 'A', false, 114, 0, false, 'i', 'x'},
    {700, "float4", 4, 'b', 'N', false, 0, 1021, true, 'i', 'p'},
    {701, "float8", 8, 'b', 'N', true, 0, 1022, true, 'd', 'p'},
    {705, "unknown", -2, 'p', 'X', false, 0, 0, false, 'c', 'p'},
    {1000, "_bool", -1, 'b', 'A', false, 16, 0, false, 'i', 'x'},
    {1001, "_bytea", -1, 'b', 'A', false, 17, 0, false, 'i', 'x'},
    {1002, "_char", -1, 'b', 'A', false, 18, 0, false, 'i', 'x'},
    {1003, "_name", -1, 'b', 'A', false, 19, 0, false, 'i', 'x'},
    {1005, "_int2", -1, 'b', 'A', false, 21, 0, false, 'i', 'x'},
    {1006, "_int2vector", -1, 'b', 'A', false, 22, 0, false, 'i', 'x'},
    {1007, "_int4", -1, 'b', 'A', false, 23, 0, false, 'i', 'x'},
    {1008, "_regproc", -1, 'b', 'A', false, 24, 0, false, 'i', 'x'},
    {1009, "_text", -1, 'b', 'A', false, 25, 0, false, 'i', 'x'},
    {1011, "_xid", -1, 'b', 'A', false, 28, 0, false, 'i', 'x'},
    {1013, "_oidvector", -1, 'b', 'A', false, 30, 0, false, 'i', 'x'},
    {1014, "_bpchar", -1, 'b', 'A', false, 1042, 0, false, 'i', 'x'},
    {1015, "_varchar", -1, 'b', 'A', false, 1043, 0, false, 'i', 'x'},
    {1016, "_int8", -1, 'b', 'A', false, 20, 0, false, 'd', 'x'},
    {1021, "_float4", -1, 'b', 'A', false, 700, 0, false, 'i', 'x'},
    {1022, "_float8", -1, 'b', 'A', false, 701, 0, false, 'd', 'x'},
    {1028, "_oid", -1, 'b', 'A', false, 26, 0, false, 'i', 'x'},
    {1033, "aclitem", 12, 'b', 'U', false, 0, 1034, false, 'i', 'p'},
    {1034, "_aclitem", -1, 'b', 'A', false, 1033, 0, false, 'i', 'x'},
    {1042, "bpchar", -1, 'b', 'S', false, 0, 1014, false, 'i', 'x'},
    {1043, "varchar", -1, 'b', 'S', false, 0, 1015, false, 'i', 'x'},
    {1082, "date", 4, 'b', 'D', false, 0, 1182, true, 'i', 'p'},
    {1083, "time", 8, 'b', 'D', false, 0, 1183, true, 'd', 'p'},
    {1114, "timestamp", 8, 'b', 'D', false, 0, 1115, true, 'd', 'p'},
    {1115, "_timestamp", -1, 'b', 'A', false, 1114, 0, false, 'd', 'x'},
    {1182, "_date", -1, 'b', 'A', false, 1082, 0, false, 'i', 'x'},
    {1183, "_time", -1, 'b', 'A', false, 1083, 0, false, 'd', 'x'},
    {1184, "timestamptz", 8, 'b', 'D', true, 0, 1185, true, 'd', 'p'},
    {1185, "_timestamptz", -1, 'b', 'A', false, 1184, 0, false, 'd', 'x'},
    {1186, "interval", 16, 'b', 'T', true, 0, 1187, false, 'd', 'p'},
    {1187, "_interval", -1, 'b', 'A', false, 1186, 0, false, 'd', 'x'},
    {1231, "_numeric", -1, 'b', 'A', false, 1700, 0, false, 'i', 'x'},
    {1700, "numeric", -1, 'b', 'N', false, 0, 1231, false, 'i', 'm'},
    {2205, "regclass", 4, 'b', 'N', false, 0, 2210, true, 'i', 'p'},
    {2206, "regtype", 4, 'b', 'N', false, 0, 2211, true, 'i', 'p'},
    {2210, "_regclass", -1, 'b', 'A', false, 2205, 0, false, 'i', 'x'},
    {2211, "_regtype", -1, 'b', 'A', false, 2206, 0, false, 'i', 'x'},
    {2249, "record", -1, 'p', 'P', false, 0, 2287, false, 'd', 'x'},
    {2275, "cstring", -2, 'p', 'P', false, 0, 1263, false, 'c', 'p'},
    {2276, "any", 4, 'p', 'P', false, 0, 0, true, 'i', 'p'},
    {2277, "anyarray", -1, 'p', 'P', false, 0, 0, false, 'd', 'x'},
    {2278, "void", 4, 'p', 'P', false, 0, 0, true, 'i', 'p'},
    {2287, "_record", -1, 'p', 'P', false, 2249, 0, false, 'd', 'x'},
    {2950, "uuid", 16, 'b', 'U', false, 0, 2951, false, 'c', 'p'},
    {2951, "_uuid", -1, 'b', 'A', false, 2950, 0, false, 'i', 'x'},
    {3802, "jsonb", -1, 'b', 'U', false, 0, 3807, false, 'i', 'x'},
    {3807, "_jsonb", -1, 'b', 'A', false, 3802, 0, false, 'i', 'x'},
    {4089, "regnamespace", 4, 'b', 'N', false, 0, 4090, true, 'i', 'p'},
    {4090, "_regnamespace", -1, 'b', 'A', false, 4089, 0, false, 'i', 'x'},
};

constexpr uint32_t kArrayIn = 750, kArrayOut = 751, kArrayReceive = 2400, kArraySend = 2401;

std::string_view OneChar(const char& c) { return {&c, 1}; }

void PgType(SystemContext& c) {
  for (const TypeRow& type : kTypes) {
    const bool is_array = type.category == 'A' && type.name.starts_with("_");
    c.row.Begin()
        .Set("oid", type.oid)
        .Set("typname", type.name)
        .Set("typnamespace", 11)
        .Set("typowner", catalog::kBootstrapRole)
        .Set("typlen", type.length)
        .Set("typbyval", type.by_value)
        .Set("typtype", OneChar(type.type))
        .Set("typcategory", OneChar(type.category))
        .Set("typispreferred", type.preferred)
        .Set("typisdefined", true)
        .Set("typdelim", ",")
        .Set("typrelid", 0)
        .Set("typsubscript", 0)
        .Set("typelem", type.element)
        .Set("typarray", type.array)
        .Set("typinput", is_array ? kArrayIn : type.oid + 100000)
        .Set("typoutput", is_array ? kArrayOut : type.oid + 200000)
        .Set("typreceive", is_array ? kArrayReceive : type.oid + 300000)
        .Set("typsend", is_array ? kArraySend : type.oid + 400000)
        .Set("typmodin", 0)
        .Set("typmodout", 0)
        .Set("typanalyze", 0)
        .Set("typalign", OneChar(type.alignment))
        .Set("typstorage", OneChar(type.storage))
        .Set("typnotnull", false)
        .Set("typbasetype", 0)
        .Set("typtypmod", -1)
        .Set("typndims", 0)
        .Set("typcollation", type.category == 'S' ? 100 : 0);
  }
}

void ProcRow(SystemContext& c, uint32_t oid, const std::string& name, uint32_t result) {
  c.row.Begin()
      .Set("oid", oid)
      .Set("proname", name)
      .Set("pronamespace", 11)
      .Set("proowner", catalog::kBootstrapRole)
      .Set("prolang", 12)
      .Set("procost", 1)
      .Set("prorows", 0)
      .Set("provariadic", 0)
      .Set("prosupport", 0)
      .Set("prokind", "f")
      .Set("prosecdef", false)
      .Set("proleakproof", false)
      .Set("proisstrict", true)
      .Set("proretset", false)
      .Set("provolatile", "i")
      .Set("proparallel", "s")
      .Set("pronargs", 1)
      .Set("pronargdefaults", 0)
      .Set("prorettype", result)
      .SetList("proargtypes", {2275})
      .Set("prosrc", name);
}

// The input and output functions that types name.
void PgProc(SystemContext& c) {
  ProcRow(c, kArrayIn, "array_in", 2277);
  ProcRow(c, kArrayOut, "array_out", 2275);
  ProcRow(c, kArrayReceive, "array_recv", 2277);
  ProcRow(c, kArraySend, "array_send", 17);
  for (const TypeRow& type : kTypes) {
    if (type.category == 'A' && type.name.starts_with("_")) continue;
    const std::string name(type.name);
    ProcRow(c, type.oid + 100000, name + "in", type.oid);
    ProcRow(c, type.oid + 200000, name + "out", 2275);
    ProcRow(c, type.oid + 300000, name + "recv", type.oid);
    ProcRow(c, type.oid + 400000, name + "send", 17);
  }
}

void PgAm(SystemContext& c) {
  c.row.Begin().Set("oid", 2).Set("amname", "heap").Set("amhandler", 3).Set("amtype", "t");
  c.row.Begin().Set("oid", 403).Set("amname", "btree").Set("amhandler", 330).Set("amtype", "i");
  c.row.Begin().Set("oid", 405).Set("amname", "hash").Set("amhandler", 331).Set("amtype", "i");
}

void PgCollation(SystemContext& c) {
  const std::pair<int, const char*> collations[] = {{100, "default"}, {950, "C"}, {951, "POSIX"}};
  for (auto [oid, name] : collations) {
    c.row.Begin()
        .Set("oid", oid)
        .Set("collname", name)
        .Set("collnamespace", 11)
        .Set("collowner", catalog::kBootstrapRole)
        .Set("collprovider", oid == 100 ? "d" : "c")
        .Set("collisdeterministic", true)
        .Set("collencoding", -1);
    if (oid != 100) c.row.Set("collcollate", name).Set("collctype", name);
  }
}

struct OpclassRow {
  uint32_t oid;
  std::string_view name;
  uint32_t input;
};
constexpr OpclassRow kOpclasses[] = {
    {1978, "int4_ops", 23},        {3124, "int8_ops", 20},          {1979, "int2_ops", 21},
    {3126, "text_ops", 25},        {426, "bpchar_ops", 1042},       {3122, "date_ops", 1082},
    {3128, "timestamp_ops", 1114}, {3127, "timestamptz_ops", 1184}, {3125, "numeric_ops", 1700},
    {2968, "uuid_ops", 2950},      {10000, "any_ops", 2276},
};

void PgOpclass(SystemContext& c) {
  for (const OpclassRow& row : kOpclasses) {
    c.row.Begin()
        .Set("oid", row.oid)
        .Set("opcmethod", 403)
        .Set("opcname", row.name)
        .Set("opcnamespace", 11)
        .Set("opcowner", catalog::kBootstrapRole)
        .Set("opcfamily", 0)
        .Set("opcintype", row.input)
        .Set("opcdefault", true)
        .Set("opckeytype", 0);
  }
}

void PgLanguage(SystemContext& c) {
  const std::pair<int, const char*> languages[] = {{12, "internal"}, {14, "sql"}};
  for (auto [oid, name] : languages) {
    c.row.Begin()
        .Set("oid", oid)
        .Set("lanname", name)
        .Set("lanowner", catalog::kBootstrapRole)
        .Set("lanispl", false)
        .Set("lanpltrusted", oid == 14)
        .Set("lanplcallfoid", 0)
        .Set("laninline", 0)
        .Set("lanvalidator", 0);
  }
}

constexpr NamedProducer kProducers[] = {
    {"pg_catalog", "pg_type", PgType},       {"pg_catalog", "pg_proc", PgProc},
    {"pg_catalog", "pg_am", PgAm},           {"pg_catalog", "pg_collation", PgCollation},
    {"pg_catalog", "pg_opclass", PgOpclass}, {"pg_catalog", "pg_language", PgLanguage},
};

}  // namespace

std::span<const NamedProducer> TypeProducers() { return kProducers; }

}  // namespace omendb::sql
