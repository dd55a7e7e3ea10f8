// codec.cc - catalog changes as bytes (docs/formats/catalog.md).
#include "base/bytes.h"
#include "base/newer_format.h"
#include "base/sqlstate.h"
#include "catalog/privileges.h"

namespace omendb::catalog {
namespace {

// 2 added, at the end of each object, access control lists, memberships in roles and the columns of
// ON DELETE SET NULL. 3: a numeric without precision holds any number of digits; before, it was
// numeric(38,10), as which the columns of older objects are read. 1 and 2 are still read.
constexpr uint8_t kCodecVersion = 4;
constexpr uint8_t kOldestVersion = 1;

// One list of fields for both directions: Archive is Writer or Reader, and each definition names
// its fields once, so that what is written is what is read.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  uint8_t version() const { return kCodecVersion; }
  void operator()(bool v) { out_.Put<uint8_t>(v ? 1 : 0); }
  void operator()(int16_t v) { out_.Put(v); }
  void operator()(int32_t v) { out_.Put(v); }
  void operator()(int64_t v) { out_.Put(v); }
  void operator()(uint32_t v) { out_.Put(v); }
  void operator()(const std::string& v) { out_.PutString(v); }
  template <typename Tag, typename Rep>
  void operator()(StrongId<Tag, Rep> id) {
    out_.Put(id.value());
  }
  template <typename E>
  requires std::is_enum_v<E>
  void operator()(E e) { out_.Put(static_cast<uint8_t>(e)); }
  void Count(size_t n) { out_.PutVarint(n); }
  template <typename T>
  void Optional(const std::optional<T>& v) {
    (*this)(v.has_value());
    if (v) (*this)(*v);
  }
  template <typename T, typename Each>
  void OptionalList(const std::optional<std::vector<T>>& list, Each each) {
    (*this)(list.has_value());
    if (list) List(*list, each);
  }
  template <typename T, typename Each>
  void List(const std::vector<T>& list, Each each) {
    Count(list.size());
    for (const T& item : list) each(*this, item);
  }

 private:
  ByteWriter out_;
};

class Reader {
 public:
  Reader(ByteReader& in, uint8_t version) : in_(in), version_(version) {}
  uint8_t version() const { return version_; }
  void operator()(bool& v) { v = in_.Get<uint8_t>() != 0; }
  void operator()(int16_t& v) { v = in_.Get<int16_t>(); }
  void operator()(int32_t& v) { v = in_.Get<int32_t>(); }
  void operator()(int64_t& v) { v = in_.Get<int64_t>(); }
  void operator()(uint32_t& v) { v = in_.Get<uint32_t>(); }
  void operator()(std::string& v) { v = std::string(in_.GetString()); }
  template <typename Tag, typename Rep>
  void operator()(StrongId<Tag, Rep>& id) {
    id = StrongId<Tag, Rep>(in_.Get<Rep>());
  }
  template <typename E>
  requires std::is_enum_v<E>
  void operator()(E& e) { e = static_cast<E>(in_.Get<uint8_t>()); }
  template <typename T>
  void Optional(std::optional<T>& v) {
    bool present = false;
    (*this)(present);
    if (present) (*this)(v.emplace());
  }
  template <typename T, typename Each>
  void OptionalList(std::optional<std::vector<T>>& list, Each each) {
    bool present = false;
    (*this)(present);
    if (present) List(list.emplace(), each);
  }
  template <typename T, typename Each>
  void List(std::vector<T>& list, Each each) {
    const uint64_t count = in_.GetVarint();
    list.clear();
    // A damaged count must not allocate: every item takes at least one byte.
    for (uint64_t i = 0; i < count && !in_.failed(); ++i) each(*this, list.emplace_back());
  }

 private:
  ByteReader& in_;
  const uint8_t version_;
};

// `T` is const when writing.
template <typename Archive, typename T>
void TypeFields(Archive& a, T& type) {
  a(type.kind);
  a(type.is_array);
  a(type.typmod);
  if constexpr (!std::is_const_v<T>) {
    if (a.version() < 3 && type.kind == types::TypeKind::kNumeric && type.typmod < 0) {
      type.typmod = types::kLegacyNumericTypmod;
    }
  }
}

template <typename Archive, typename T>
void ColumnFields(Archive& a, T& c) {
  a(c.id);
  a(c.name);
  TypeFields(a, c.type);
  a(c.not_null);
  a(c.dropped);
  a(c.identity);
  a(c.default_sql);
  a(c.generated_sql);
  a.Optional(c.missing_value);
}

template <typename Archive, typename T>
void IndexFields(Archive& a, T& index) {
  a(index.oid);
  a(index.name);
  a(index.storage);
  a(index.unique);
  a(index.primary);
  a(index.nulls_not_distinct);
  a.List(index.keys, [](Archive& ar, auto& key) {
    ar(key.column);
    ar(key.descending);
    ar(key.nulls_first);
  });
  a(index.method);
  if (a.version() >= 4) a.List(index.included, [](Archive& ar, auto& column) { ar(column); });
}

template <typename Archive, typename T>
void ConstraintFields(Archive& a, T& c) {
  auto id = [](Archive& ar, auto& column) { ar(column); };
  a(c.oid);
  a(c.name);
  a(c.kind);
  a.List(c.columns, id);
  a(c.index);
  a(c.check_sql);
  a(c.referenced_table);
  a.List(c.referenced_columns, id);
  a(c.referenced_index);
  a(c.on_delete);
  a(c.on_update);
  a(c.match_full);
  a(c.deferrable);
  a(c.initially_deferred);
  a(c.validated);
  if (a.version() >= 2) a.List(c.on_delete_columns, id);
}

template <typename Archive, typename T>
void AclField(Archive& a, T& acl) {
  if (a.version() < 2) return;
  a.OptionalList(acl, [](Archive& ar, auto& item) {
    ar(item.grantee);
    ar(item.grantor);
    ar(item.privileges);
    ar(item.grantable);
  });
}

template <typename Archive, typename T>
void RelationFields(Archive& a, T& r) {
  a(r.oid);
  a(r.database);
  a(r.schema);
  a(r.name);
  a(r.owner);
  a(r.persistence);
}

template <typename Archive>
struct ObjectFields {
  Archive& a;

  template <typename T>
  void Database(T& d) {
    a(d.oid);
    a(d.name);
    a(d.owner);
    AclField(a, d.acl);
  }
  template <typename T>
  void Role(T& r) {
    a(r.oid);
    a(r.name);
    a(r.superuser);
    a(r.inherit);
    a(r.create_role);
    a(r.create_db);
    a(r.can_login);
    a(r.replication);
    a(r.bypass_rls);
    a(r.connection_limit);
    a(r.password_verifier);
    a.Optional(r.valid_until_micros);
    if (a.version() < 2) return;
    a.List(r.memberships, [](Archive& ar, auto& m) {
      ar(m.role);
      ar(m.grantor);
      ar(m.admin);
    });
  }
  template <typename T>
  void Schema(T& s) {
    a(s.oid);
    a(s.database);
    a(s.name);
    a(s.owner);
    AclField(a, s.acl);
  }
  template <typename T>
  void Table(T& t) {
    RelationFields(a, t);
    a(t.storage);
    a.List(t.columns, [](Archive& ar, auto& c) { ColumnFields(ar, c); });
    a.List(t.indexes, [](Archive& ar, auto& i) { IndexFields(ar, i); });
    a.List(t.constraints, [](Archive& ar, auto& c) { ConstraintFields(ar, c); });
    AclField(a, t.acl);
  }
  template <typename T>
  void View(T& v) {
    RelationFields(a, v);
    a(v.definition_sql);
    a.List(v.columns, [](Archive& ar, auto& c) { ColumnFields(ar, c); });
    a.List(v.depends_on, [](Archive& ar, auto& oid) { ar(oid); });
    AclField(a, v.acl);
  }
  template <typename T>
  void Sequence(T& s) {
    RelationFields(a, s);
    TypeFields(a, s.type);
    a(s.start);
    a(s.increment);
    a(s.min_value);
    a(s.max_value);
    a(s.cache);
    a(s.cycle);
    a(s.owned_by_table);
    a(s.owned_by_column);
    a(s.is_identity);
    AclField(a, s.acl);
  }

  // Dispatches on the alternative that `object` holds.
  template <typename Variant>
  void Any(Variant& object) {
    switch (static_cast<ObjectKind>(object.index())) {
      case ObjectKind::kDatabase:
        return Database(std::get<DatabaseDef>(object));
      case ObjectKind::kRole:
        return Role(std::get<RoleDef>(object));
      case ObjectKind::kSchema:
        return Schema(std::get<SchemaDef>(object));
      case ObjectKind::kTable:
        return Table(std::get<TableDef>(object));
      case ObjectKind::kView:
        return View(std::get<ViewDef>(object));
      case ObjectKind::kSequence:
        return Sequence(std::get<SequenceDef>(object));
    }
  }
};

bool MakeEmpty(ObjectKind kind, Object& object) {
  switch (kind) {
    case ObjectKind::kDatabase:
      object = DatabaseDef();
      return true;
    case ObjectKind::kRole:
      object = RoleDef();
      return true;
    case ObjectKind::kSchema:
      object = SchemaDef();
      return true;
    case ObjectKind::kTable:
      object = TableDef();
      return true;
    case ObjectKind::kView:
      object = ViewDef();
      return true;
    case ObjectKind::kSequence:
      object = SequenceDef();
      return true;
  }
  return false;
}

// Every later reader trusts columns[i].id == i + 1, so it is checked where bytes come in.
bool ColumnIdsInOrder(const Object& object) {
  const auto* table = std::get_if<TableDef>(&object);
  if (table == nullptr) return true;
  for (size_t i = 0; i < table->columns.size(); ++i) {
    if (table->columns[i].id != ColumnId(static_cast<int16_t>(i + 1))) return false;
  }
  return true;
}

// Before version 2 nothing was restricted; from then on PUBLIC keeps what every new database
// grants.
void AddInitialAcl(Object& object) {
  auto* schema = std::get_if<SchemaDef>(&object);
  if (schema != nullptr) schema->acl = InitialSchemaAcl(schema->name, schema->owner);
}

Status Damaged(size_t position) {
  return Status(sqlstate::kDataCorrupted,
                "catalog record is damaged at byte " + std::to_string(position));
}

}  // namespace

std::string EncodeChanges(const std::vector<CatalogChange>& changes) {
  std::string bytes;
  bytes.push_back(static_cast<char>(kCodecVersion));
  Writer writer(bytes);
  writer.Count(changes.size());
  for (const CatalogChange& change : changes) {
    writer(change.op);
    switch (change.op) {
      case CatalogChange::Op::kPut:
        writer(change.kind);
        ObjectFields<Writer>{writer}.Any(*change.object);
        break;
      case CatalogChange::Op::kDrop:
        writer(change.kind);
        writer(change.oid);
        break;
      case CatalogChange::Op::kComment:
      case CatalogChange::Op::kUncomment:
        writer(change.comment.class_oid);
        writer(change.comment.object);
        writer(change.comment.sub_object);
        writer(change.comment.text);
        break;
    }
  }
  return bytes;
}

Result<std::vector<CatalogChange>> DecodeChanges(std::string_view bytes) {
  ByteReader in(bytes);
  const auto version = in.Get<uint8_t>();
  if (version > kCodecVersion) {
    return WrittenByNewer("a catalog record", "format version", version);
  }
  if (version < kOldestVersion) return Damaged(0);
  Reader reader(in, version);
  const uint64_t count = in.GetVarint();
  std::vector<CatalogChange> changes;
  for (uint64_t i = 0; i < count; ++i) {
    CatalogChange& change = changes.emplace_back();
    reader(change.op);
    if (change.op == CatalogChange::Op::kPut) {
      reader(change.kind);
      Object object;
      if (in.failed() || !MakeEmpty(change.kind, object)) return Damaged(in.position());
      ObjectFields<Reader>{reader}.Any(object);
      if (in.failed() || !ColumnIdsInOrder(object)) return Damaged(in.position());
      if (version < 2) AddInitialAcl(object);
      change.object = std::make_shared<const Object>(std::move(object));
    } else if (change.op == CatalogChange::Op::kDrop) {
      reader(change.kind);
      reader(change.oid);
    } else if (change.op <= CatalogChange::Op::kUncomment) {
      reader(change.comment.class_oid);
      reader(change.comment.object);
      reader(change.comment.sub_object);
      reader(change.comment.text);
    } else {
      return Damaged(in.position());
    }
    if (in.failed()) return Damaged(in.position());
  }
  if (in.failed() || in.remaining() != 0) return Damaged(in.position());
  return changes;
}

}  // namespace omendb::catalog
