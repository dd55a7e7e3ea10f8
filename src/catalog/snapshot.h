// snapshot.h - one immutable version of the whole catalog, and the edit that makes the next one.
//
// A reader takes shared_ptr<const CatalogSnapshot> and sees one consistent catalog as long as it
// holds it. A transaction with DDL owns a CatalogEdit: a copy with its changes, which it reads
// instead; commit installs it and logs its changes, abort forgets it.
//
// Thread safety  CatalogSnapshot: any thread. CatalogEdit: its transaction's thread.
// Cost           Lookup by name or Oid: one hash probe. A copy shares every definition.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/status.h"
#include "catalog/definitions.h"

namespace omendb::catalog {

using Object = std::variant<DatabaseDef, RoleDef, SchemaDef, TableDef, ViewDef, SequenceDef>;
enum class ObjectKind : uint8_t {
  kDatabase = 0,
  kRole = 1,
  kSchema = 2,
  kTable = 3,
  kView = 4,
  kSequence = 5,
};

// Anything that lives in a schema's name space of relations (an index shares it: pg_class).
struct Relation {
  std::shared_ptr<const TableDef> table;
  std::shared_ptr<const ViewDef> view;
  std::shared_ptr<const SequenceDef> sequence;
  const IndexDef* index = nullptr;  // Then `table` is the table it belongs to.
  explicit operator bool() const { return table || view || sequence; }
};

class CatalogSnapshot {
 public:
  // Grows with every installed edit: the key of every plan cache.
  uint64_t version() const { return version_; }

  const DatabaseDef* FindDatabase(std::string_view name) const;
  const RoleDef* FindRole(std::string_view name) const;
  const SchemaDef* FindSchema(Oid database, std::string_view name) const;
  // Empty Relation when there is none.
  Relation FindRelation(Oid schema, std::string_view name) const;

  const DatabaseDef* database(Oid oid) const;
  const RoleDef* role(Oid oid) const;
  const SchemaDef* schema(Oid oid) const;
  std::shared_ptr<const TableDef> table(Oid oid) const;
  std::shared_ptr<const ViewDef> view(Oid oid) const;
  std::shared_ptr<const SequenceDef> sequence(Oid oid) const;
  // The table that has this index; null when there is none.
  std::shared_ptr<const TableDef> TableOfIndex(Oid index) const;

  // Ordered by Oid.
  std::vector<const DatabaseDef*> databases() const;
  std::vector<const RoleDef*> roles() const;
  std::vector<const SchemaDef*> schemas(Oid database) const;
  std::vector<std::shared_ptr<const TableDef>> tables(Oid database) const;
  std::vector<std::shared_ptr<const ViewDef>> views(Oid database) const;
  std::vector<std::shared_ptr<const SequenceDef>> sequences(Oid database) const;
  // Every table of every database (recovery, checkpoint).
  std::vector<std::shared_ptr<const TableDef>> all_tables() const;
  std::vector<std::shared_ptr<const SequenceDef>> all_sequences() const;
  // Foreign keys that refer to `table`: (referring table, constraint).
  std::vector<std::pair<std::shared_ptr<const TableDef>, const ConstraintDef*>> ReferencesTo(
      Oid table) const;
  const std::string* comment(uint32_t class_oid, Oid object, int16_t sub_object) const;
  std::vector<CommentDef> comments() const;

 private:
  friend class CatalogEdit;
  friend class CatalogCodec;
  using NameKey = std::pair<uint32_t, std::string>;  // (schema or database, name)
  struct NameKeyHash {
    size_t operator()(const NameKey& k) const {
      return std::hash<std::string>()(k.second) * 31 + k.first;
    }
  };
  void IndexRelationNames(const TableDef& table);
  void ForgetRelationNames(const TableDef& table);

  uint64_t version_ = 1;
  std::map<Oid, std::shared_ptr<const DatabaseDef>> databases_;
  std::map<Oid, std::shared_ptr<const RoleDef>> roles_;
  std::map<Oid, std::shared_ptr<const SchemaDef>> schemas_;
  std::map<Oid, std::shared_ptr<const TableDef>> tables_;
  std::map<Oid, std::shared_ptr<const ViewDef>> views_;
  std::map<Oid, std::shared_ptr<const SequenceDef>> sequences_;
  std::map<std::tuple<uint32_t, Oid, int16_t>, std::string> comments_;
  std::unordered_map<NameKey, Oid, NameKeyHash>
      relation_names_;                                 // tables, views, sequences, indexes
  std::unordered_map<Oid, Oid> index_tables_;          // index -> table
  std::unordered_map<Oid, std::set<Oid>> references_;  // table -> tables with foreign keys to it
};

// One change as it is logged: an object in its new state, or its removal.
struct CatalogChange {
  enum class Op : uint8_t { kPut = 0, kDrop = 1, kComment = 2, kUncomment = 3 };
  Op op = Op::kPut;
  ObjectKind kind = ObjectKind::kTable;  // kPut, kDrop
  Oid oid;                               // kDrop
  std::shared_ptr<const Object> object;  // kPut
  CommentDef comment;                    // kComment, kUncomment
};

// Encodes changes for the log and whole snapshots for checkpoints (docs/formats/catalog.md).
// Decoding bad bytes gives XX001.
std::string EncodeChanges(const std::vector<CatalogChange>& changes);
Result<std::vector<CatalogChange>> DecodeChanges(std::string_view bytes);

class CatalogEdit {
 public:
  explicit CatalogEdit(std::shared_ptr<const CatalogSnapshot> base);

  // The catalog with this edit's changes. A new snapshot object after every change, so that
  // earlier pointers stay valid; its version differs from every installed one.
  std::shared_ptr<const CatalogSnapshot> view() const { return view_; }

  // Adds the object, or replaces the one with its Oid. Names must be free (checked, 42P07, 42P06,
  // 42P04, 42710).
  Status Put(Object object);
  // 42704 when there is none. Dependants are the caller's business.
  Status Drop(ObjectKind kind, Oid oid);
  void SetComment(CommentDef comment);  // An empty text removes it.

  // Applies logged changes (recovery). Equal to Put/Drop in order.
  Status Apply(const std::vector<CatalogChange>& changes);

  const std::vector<CatalogChange>& changes() const { return changes_; }
  bool empty() const { return changes_.empty(); }
  // Savepoints: Mark() before, RollbackTo(mark) forgets what came after.
  struct Mark {
    std::shared_ptr<const CatalogSnapshot> view;
    size_t changes_count;
  };
  Mark mark() const { return {view_, changes_.size()}; }
  void RollbackTo(const Mark& mark);

  // The same changes replayed on a newer base: for a commit that finds that others committed DDL
  // meanwhile. Fails like Put.
  Status Rebase(std::shared_ptr<const CatalogSnapshot> base);
  // view() as the next installed catalog: its version is the base's plus one.
  std::shared_ptr<const CatalogSnapshot> Installed() const;

 private:
  // Puts or drops in `next`; shared by first application and Rebase.
  static Status PutInto(CatalogSnapshot& next, const Object& object);
  static Status DropFrom(CatalogSnapshot& next, ObjectKind kind, Oid oid);
  static Status ApplyTo(CatalogSnapshot& next, const CatalogChange& change);
  Status Make(CatalogChange change);
  std::shared_ptr<const CatalogSnapshot> base_;
  std::shared_ptr<const CatalogSnapshot> view_;
  std::vector<CatalogChange> changes_;
};

// The catalog of a new data folder: roles omendb and postgres (superusers that can log in),
// databases omendb and postgres, in each the schemas pg_catalog (11), information_schema, public.
std::shared_ptr<const CatalogSnapshot> BootstrapCatalog();
// Everything in `snapshot` as a list of kPut changes, in dependency order (checkpoint).
std::vector<CatalogChange> AllObjects(const CatalogSnapshot& snapshot);

}  // namespace omendb::catalog
