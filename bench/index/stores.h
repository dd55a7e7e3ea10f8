// stores.h - SQLite, RocksDB and LMDB as whole-table context: the same operations through their own
// fastest documented way, in one thread, with nothing waiting for the disk.
//
// They do more than an index in memory does (pages, files, transactions); no bar compares with
// them. Each keeps its files in a directory of its own below the system's temporary one. Changes
// are made in few transactions, and none is made durable: how many, each class says.
#pragma once

#include <lmdb.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <sqlite3.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>

#include "base/check.h"

namespace omendb::bench {

class StoreDir {
 public:
  StoreDir() {
    std::string pattern = std::filesystem::temp_directory_path() / "omendb-bench-XXXXXX";
    OMEN_CHECK(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~StoreDir() { std::filesystem::remove_all(path_); }
  StoreDir(const StoreDir&) = delete;
  StoreDir& operator=(const StoreDir&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A table (k INTEGER PRIMARY KEY, v): the rowid B-tree itself. No mutexes, WAL under one lock for
// good, no syncs, files mapped, a cache that holds all, prepared statements; one transaction, begun
// anew after loading.
class SqliteStore {
 public:
  static std::string Name() { return "sqlite"; }
  SqliteStore() {
    constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    const std::string path = dir_.path() + "/db";
    OMEN_CHECK(sqlite3_open_v2(path.c_str(), &db_, kFlags, nullptr) == SQLITE_OK);
    Run("PRAGMA locking_mode=EXCLUSIVE");
    Run("PRAGMA journal_mode=WAL");
    Run("PRAGMA synchronous=OFF");
    Run("PRAGMA cache_size=-4000000");
    Run("PRAGMA mmap_size=8000000000");
    Run("CREATE TABLE t (k INTEGER PRIMARY KEY, v INTEGER)");
    Run("BEGIN");
    find_ = Prepare("SELECT v FROM t WHERE k = ?");
    insert_ = Prepare("INSERT OR IGNORE INTO t VALUES (?, ?)");
    erase_ = Prepare("DELETE FROM t WHERE k = ?");
    scan_ = Prepare("SELECT v FROM t WHERE k >= ? ORDER BY k LIMIT ?");
  }
  ~SqliteStore() {
    for (sqlite3_stmt* statement : {find_, insert_, erase_, scan_}) sqlite3_finalize(statement);
    sqlite3_close(db_);
  }
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;
  template <typename Pairs>
  void Load(const Pairs& sorted) {
    for (const auto& pair : sorted) Insert(pair.key, pair.value);
    Run("COMMIT");
    Run("PRAGMA wal_checkpoint(TRUNCATE)");
    Run("BEGIN");
  }
  bool Find(uint64_t key, uint64_t* value) {
    Bind(find_, 1, key);
    const bool found = sqlite3_step(find_) == SQLITE_ROW;
    if (found) *value = static_cast<uint64_t>(sqlite3_column_int64(find_, 0));
    sqlite3_reset(find_);
    return found;
  }
  bool Insert(uint64_t key, uint64_t value) {
    Bind(insert_, 1, key);
    sqlite3_bind_int64(insert_, 2, static_cast<int64_t>(value));
    return Change(insert_);
  }
  bool Erase(uint64_t key) {
    Bind(erase_, 1, key);
    return Change(erase_);
  }
  size_t Scan(uint64_t from, size_t n, uint64_t* sum) {
    Bind(scan_, 1, from);
    sqlite3_bind_int64(scan_, 2, static_cast<int64_t>(n));
    size_t seen = 0;
    for (; sqlite3_step(scan_) == SQLITE_ROW; ++seen) {
      *sum += static_cast<uint64_t>(sqlite3_column_int64(scan_, 0));
    }
    sqlite3_reset(scan_);
    return seen;
  }
  size_t Bytes() { return Number("PRAGMA page_count") * Number("PRAGMA page_size"); }

 private:
  void Run(const char* sql) { OMEN_CHECK(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == 0); }
  sqlite3_stmt* Prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    OMEN_CHECK(sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr) == SQLITE_OK);
    return statement;
  }
  // Unsigned order in a signed column.
  static void Bind(sqlite3_stmt* statement, int at, uint64_t key) {
    sqlite3_bind_int64(statement, at, static_cast<int64_t>(key ^ (uint64_t{1} << 63)));
  }
  bool Change(sqlite3_stmt* statement) {
    OMEN_CHECK(sqlite3_step(statement) == SQLITE_DONE);
    sqlite3_reset(statement);
    return sqlite3_changes(db_) == 1;
  }
  size_t Number(const char* sql) {
    sqlite3_stmt* statement = Prepare(sql);
    OMEN_CHECK(sqlite3_step(statement) == SQLITE_ROW);
    const auto number = static_cast<size_t>(sqlite3_column_int64(statement, 0));
    sqlite3_finalize(statement);
    return number;
  }

  StoreDir dir_;
  sqlite3* db_ = nullptr;
  sqlite3_stmt *find_ = nullptr, *insert_ = nullptr, *erase_ = nullptr, *scan_ = nullptr;
};

// Integer keys, a writable map, no syncs, a transaction for 50,000 changes; a key above all others
// is appended.
class LmdbStore {
 public:
  static std::string Name() { return "lmdb"; }
  LmdbStore() {
    OMEN_CHECK(mdb_env_create(&env_) == 0);
    OMEN_CHECK(mdb_env_set_mapsize(env_, size_t{8} << 30) == 0);
    OMEN_CHECK(mdb_env_open(env_, dir_.path().c_str(), MDB_WRITEMAP | MDB_NOSYNC, 0600) == 0);
    OMEN_CHECK(mdb_txn_begin(env_, nullptr, 0, &txn_) == 0);
    OMEN_CHECK(mdb_dbi_open(txn_, nullptr, MDB_INTEGERKEY | MDB_CREATE, &dbi_) == 0);
  }
  ~LmdbStore() {
    mdb_txn_abort(txn_);
    mdb_env_close(env_);
  }
  LmdbStore(const LmdbStore&) = delete;
  LmdbStore& operator=(const LmdbStore&) = delete;
  template <typename Pairs>
  void Load(const Pairs& sorted) {
    for (const auto& pair : sorted) Put(pair.key, pair.value, MDB_APPEND);
  }
  bool Find(uint64_t key, uint64_t* value) {
    MDB_val k{sizeof(key), &key}, v{};
    if (mdb_get(txn_, dbi_, &k, &v) != 0) return false;
    std::memcpy(value, v.mv_data, sizeof(*value));
    return true;
  }
  bool Insert(uint64_t key, uint64_t value) {
    return Put(key, value, empty_ || key > last_ ? MDB_APPEND : MDB_NOOVERWRITE);
  }
  bool Erase(uint64_t key) {
    MDB_val k{sizeof(key), &key};
    return mdb_del(txn_, dbi_, &k, nullptr) == 0;
  }
  size_t Scan(uint64_t from, size_t n, uint64_t* sum) {
    MDB_cursor* cursor = nullptr;
    OMEN_CHECK(mdb_cursor_open(txn_, dbi_, &cursor) == 0);
    MDB_val k{sizeof(from), &from}, v{};
    size_t seen = 0;
    for (int got = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE); got == 0 && seen < n; ++seen) {
      uint64_t value = 0;
      std::memcpy(&value, v.mv_data, sizeof(value));
      *sum += value;
      got = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return seen;
  }
  size_t Bytes() {
    MDB_stat stat;
    OMEN_CHECK(mdb_stat(txn_, dbi_, &stat) == 0);
    return stat.ms_psize * (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages);
  }

 private:
  bool Put(uint64_t key, uint64_t value, unsigned flags) {
    MDB_val k{sizeof(key), &key}, v{sizeof(value), &value};
    const int outcome = mdb_put(txn_, dbi_, &k, &v, flags);
    OMEN_CHECK(outcome == 0 || outcome == MDB_KEYEXIST);
    last_ = empty_ ? key : std::max(last_, key);
    empty_ = false;
    if (++changes_ % 50'000 == 0) {  // A transaction is limited in pages.
      OMEN_CHECK(mdb_txn_commit(txn_) == 0);
      OMEN_CHECK(mdb_txn_begin(env_, nullptr, 0, &txn_) == 0);
    }
    return outcome == 0;
  }

  StoreDir dir_;
  MDB_env* env_ = nullptr;
  MDB_txn* txn_ = nullptr;
  MDB_dbi dbi_ = 0;
  size_t changes_ = 0;
  bool empty_ = true;
  uint64_t last_ = 0;  // The greatest key ever put.
};

// A block cache that holds all, Bloom filters of blocks and of what is in memory, a hash index
// inside blocks, no log, no compression; compacted after loading. Inserts do not look first whether
// the key is there, as the others do; its own threads write files, beside the time counted.
class RocksStore {
 public:
  static std::string Name() { return "rocksdb"; }
  RocksStore() {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(size_t{2} << 30);
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
    rocksdb::Options options;
    options.create_if_missing = true;
    options.write_buffer_size = 64 << 20;
    options.memtable_whole_key_filtering = true;
    options.memtable_prefix_bloom_size_ratio = 0.02;
    options.compression = rocksdb::kNoCompression;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::DB* db = nullptr;
    OMEN_CHECK(rocksdb::DB::Open(options, dir_.path(), &db).ok());
    db_.reset(db);
    write_.disableWAL = true;
  }
  template <typename Pairs>
  void Load(const Pairs& sorted) {
    for (const auto& pair : sorted) Insert(pair.key, pair.value);
    OMEN_CHECK(db_->CompactRange({}, nullptr, nullptr).ok());
  }
  bool Find(uint64_t key, uint64_t* value) {
    const uint64_t k = Ordered(key);
    if (!db_->Get(read_, db_->DefaultColumnFamily(), Bytes8(k), &found_).ok()) return false;
    std::memcpy(value, found_.data(), sizeof(*value));
    found_.Reset();
    return true;
  }
  bool Insert(uint64_t key, uint64_t value) {
    const uint64_t k = Ordered(key);
    OMEN_CHECK(db_->Put(write_, Bytes8(k), Bytes8(value)).ok());
    return true;
  }
  bool Erase(uint64_t key) {
    const uint64_t k = Ordered(key);
    return db_->Delete(write_, Bytes8(k)).ok();
  }
  size_t Scan(uint64_t from, size_t n, uint64_t* sum) {
    const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(read_));
    const uint64_t k = Ordered(from);
    size_t seen = 0;
    for (at->Seek(Bytes8(k)); at->Valid() && seen < n; at->Next(), ++seen) {
      uint64_t value = 0;
      std::memcpy(&value, at->value().data(), sizeof(value));
      *sum += value;
    }
    return seen;
  }
  size_t Bytes() { return Property("rocksdb.total-sst-files-size") + Property(kMemtables); }

 private:
  static constexpr const char* kMemtables = "rocksdb.cur-size-all-mem-tables";
  static uint64_t Ordered(uint64_t key) {
    return std::endian::native == std::endian::little ? __builtin_bswap64(key) : key;
  }
  static rocksdb::Slice Bytes8(const uint64_t& word) {
    return {reinterpret_cast<const char*>(&word), sizeof(word)};
  }
  size_t Property(const char* name) {
    uint64_t number = 0;
    OMEN_CHECK(db_->GetIntProperty(name, &number));
    return number;
  }

  StoreDir dir_;
  rocksdb::ReadOptions read_;
  rocksdb::WriteOptions write_;
  rocksdb::PinnableSlice found_;
  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace omendb::bench
