// The library in one page: open a folder, write in a transaction, read what was written with the
// analytical engine, all in this process.
//
//   quickstart DIR
#include <cstdio>

#include "omendb/omendb.h"

namespace {

omendb::Status Run(const char* data_dir) {
  OMEN_ASSIGN(auto database, omendb::Database::Open(data_dir));
  {
    OMEN_ASSIGN(auto connection, database->Connect());
    OMEN_TRY(connection->Execute(
        "CREATE TABLE IF NOT EXISTS orders (id bigint PRIMARY KEY, product text, amount int)"));

    OMEN_ASSIGN(auto appender, connection->NewAppender("orders"));
    for (int64_t id = 0; id < 1000; ++id) {
      const omendb::Parameter row[] = {id, id % 2 == 0 ? "tea" : "coffee", id % 10};
      OMEN_TRY(appender->AppendRow(row));
    }
    OMEN_ASSIGN(const uint64_t appended, appender->Finish());
    std::printf("appended %llu rows\n", static_cast<unsigned long long>(appended));

    OMEN_ASSIGN(auto lookup, connection->Prepare("SELECT product FROM orders WHERE id = $1"));
    const omendb::Parameter key[] = {int64_t{7}};
    OMEN_ASSIGN(const uint64_t found, lookup->ForEachRow(key, [](const omendb::RowView& row) {
      std::printf("order 7 is %s\n", row.Text(0).c_str());
      return omendb::Status::Ok();
    }));
    if (found != 1) std::printf("order 7 is missing\n");
    lookup.reset();

    const auto correct = [](omendb::Connection& c) {
      OMEN_TRY(c.Execute("UPDATE orders SET amount = amount + 100 WHERE id = 7"));
      return c.Execute("DELETE FROM orders WHERE id = 8");
    };
    OMEN_TRY(connection->InTransaction(correct));

    OMEN_ASSIGN(auto totals, connection->Query("SELECT product, count(*), sum(amount) FROM orders "
                                               "GROUP BY product ORDER BY product"));
    for (size_t row = 0; row < totals.rows_count(); ++row) {
      std::printf("%s: %s orders, %s in all\n", std::string(totals.Text(row, 0)).c_str(),
                  std::string(totals.Text(row, 1)).c_str(),
                  std::string(totals.Text(row, 2)).c_str());
    }
  }
  return database->Close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: quickstart DIR\n");
    return 2;
  }
  const omendb::Status done = Run(argv[1]);
  if (!done.ok()) std::fprintf(stderr, "%s\n", done.ToString().c_str());
  return done.ok() ? 0 : 1;
}
