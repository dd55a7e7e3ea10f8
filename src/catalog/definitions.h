// definitions.h - what the catalog knows of each kind of object; plain data, versioned as a whole.
//
// Thread safety  Immutable once put into a CatalogSnapshot (held by shared_ptr<const ...>).
// Format         docs/formats/catalog.md. Enumerators reach the disk: never renumber.
// See            PostgreSQL 15, chapter 53 "System Catalogs", whose terms are used here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "types/type.h"

namespace omendb::catalog {

// User objects start here; smaller Oids are PostgreSQL's own fixed ones.
inline constexpr uint32_t kFirstUserOid = 16384;
inline constexpr Oid kBootstrapRole{10};  // "postgres"
inline constexpr Oid kPublicRole{0};      // In an Acl: everybody.

// A set of privileges, one bit for each, as PostgreSQL numbers them (utils/acl.h).
using PrivilegeSet = uint32_t;
namespace privilege {
inline constexpr PrivilegeSet kInsert = 1 << 0, kSelect = 1 << 1, kUpdate = 1 << 2,
                              kDelete = 1 << 3, kTruncate = 1 << 4, kReferences = 1 << 5,
                              kTrigger = 1 << 6, kUsage = 1 << 8, kCreate = 1 << 9,
                              kTemporary = 1 << 10, kConnect = 1 << 11;
}  // namespace privilege

// What one grantor gave to one grantee; `grantable` (a part of `privileges`) WITH GRANT OPTION.
struct AclItem {
  Oid grantee;
  Oid grantor;
  PrivilegeSet privileges = 0;
  PrivilegeSet grantable = 0;
};
// An access control list: at most one item for each grantee and grantor (catalog/privileges.h).
using Acl = std::vector<AclItem>;

struct DatabaseDef {
  Oid oid;
  std::string name;
  Oid owner;
  std::optional<Acl> acl;  // nullopt = the default of its kind, here and below
};

// Membership of the role that lists it in `role`.
struct RoleMembership {
  Oid role;
  Oid grantor;
  bool admin = false;  // May grant it to others.
};

struct RoleDef {
  Oid oid;
  std::string name;
  bool superuser = false;
  bool inherit = true;
  bool create_role = false;
  bool create_db = false;
  bool can_login = false;
  bool replication = false;
  bool bypass_rls = false;
  int32_t connection_limit = -1;
  std::string password_verifier;              // "SCRAM-SHA-256$..." or empty; never a password.
  std::optional<int64_t> valid_until_micros;  // Unix microseconds
  std::vector<RoleMembership> memberships;
};

struct SchemaDef {
  Oid oid;
  Oid database;
  std::string name;
  Oid owner;
  std::optional<Acl> acl;
};

enum class Identity : uint8_t { kNone = 0, kAlways = 1, kByDefault = 2 };

struct ColumnDef {
  ColumnId id;
  std::string name;
  types::SqlType type;
  bool not_null = false;
  bool dropped = false;  // Stays in the list so that ids are never reused.
  Identity identity = Identity::kNone;
  std::string default_sql;    // PostgreSQL expression text (deparsed); empty = NULL.
  std::string generated_sql;  // GENERATED ALWAYS AS (...) STORED; empty = not generated.
  // Text form of the value that rows stored before ADD COLUMN ... DEFAULT read; nullopt = NULL.
  std::optional<std::string> missing_value;
};

struct IndexKey {
  ColumnId column;
  bool descending = false;
  bool nulls_first = false;
};

struct IndexDef {
  Oid oid;
  std::string name;
  Oid storage;  // Changes when the index is rebuilt; see TableDef::storage.
  bool unique = false;
  bool primary = false;
  bool nulls_not_distinct = false;
  std::vector<IndexKey> keys;
  std::vector<ColumnId> included;  // INCLUDE: named only, no index keeps their values.
  std::string method = "btree";    // As the user named it; every index is the learned index.
};

enum class ConstraintKind : uint8_t { kPrimaryKey = 0, kUnique = 1, kCheck = 2, kForeignKey = 3 };
enum class ReferentialAction : uint8_t {
  kNoAction = 0,
  kRestrict = 1,
  kCascade = 2,
  kSetNull = 3,
  kSetDefault = 4,
};

struct ConstraintDef {
  Oid oid;
  std::string name;
  ConstraintKind kind = ConstraintKind::kCheck;
  std::vector<ColumnId> columns;
  Oid index;              // kPrimaryKey, kUnique
  std::string check_sql;  // kCheck: PostgreSQL expression text
  // kForeignKey
  Oid referenced_table;
  std::vector<ColumnId> referenced_columns;
  Oid referenced_index;  // The unique index on referenced_columns.
  ReferentialAction on_delete = ReferentialAction::kNoAction;
  ReferentialAction on_update = ReferentialAction::kNoAction;
  std::vector<ColumnId> on_delete_columns;  // ON DELETE SET NULL (a, b); empty = all
  bool match_full = false;
  bool deferrable = false;
  bool initially_deferred = false;
  bool validated = true;
};

enum class Persistence : uint8_t { kPermanent = 0, kUnlogged = 1, kTemporary = 2 };

struct TableDef {
  Oid oid;
  Oid database;
  Oid schema;
  std::string name;
  Oid owner;
  Persistence persistence = Persistence::kPermanent;
  // Names the rows. TRUNCATE and rewrites give the table a new storage in the same transaction.
  Oid storage;
  std::vector<ColumnDef> columns;  // columns[i].id == i + 1
  std::vector<IndexDef> indexes;
  std::vector<ConstraintDef> constraints;
  std::optional<Acl> acl;

  // nullptr when there is none (or it was dropped).
  const ColumnDef* FindColumn(std::string_view column_name) const;
  const ColumnDef& column(ColumnId id) const { return columns[id.value() - 1]; }
  const IndexDef* FindIndex(Oid index) const;
  const IndexDef* primary_key() const;
  // The columns that are not dropped, in order.
  std::vector<ColumnId> live_columns() const;
};

struct ViewDef {
  Oid oid;
  Oid database;
  Oid schema;
  std::string name;
  Oid owner;
  Persistence persistence = Persistence::kPermanent;
  std::string definition_sql;  // PostgreSQL SELECT, deparsed, names qualified where they can be
  std::vector<ColumnDef> columns;
  std::vector<Oid> depends_on;  // tables and views
  std::optional<Acl> acl;
};

struct SequenceDef {
  Oid oid;
  Oid database;
  Oid schema;
  std::string name;
  Oid owner;
  Persistence persistence = Persistence::kPermanent;
  types::SqlType type{types::TypeKind::kInt8};
  int64_t start = 1;
  int64_t increment = 1;
  int64_t min_value = 1;
  int64_t max_value = INT64_MAX;
  int64_t cache = 1;
  bool cycle = false;
  Oid owned_by_table;  // 0 = none
  ColumnId owned_by_column;
  bool is_identity = false;
  std::optional<Acl> acl;
};

// COMMENT ON: (class, object, sub-object) -> text, as pg_description.
struct CommentDef {
  uint32_t class_oid = 0;  // 1259 pg_class, 2615 pg_namespace, ...
  Oid object;
  int16_t sub_object = 0;  // column number, 0 = the object itself
  std::string text;
};

}  // namespace omendb::catalog
