// JDBC: text and binary transfer, batches, fetch size, generated keys, metadata, COPY.
// Run by client_test.py.

import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.sql.Array;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.Arrays;
import java.util.Objects;
import java.util.UUID;
import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;

public class JdbcClient {
  interface Check {
    void run(Connection c) throws Exception;
  }

  static int failed = 0;

  static void same(Object want, Object got) {
    if (!Objects.deepEquals(want, got)) {
      throw new AssertionError("want " + want + ", got " + got);
    }
  }

  static Connection open(String options) throws SQLException {
    String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/"
        + System.getenv("PGDATABASE") + "?user=" + System.getenv("PGUSER") + "&" + options;
    return DriverManager.getConnection(url);
  }

  static void check(String name, String options, Check body) {
    try (Connection c = open(options)) {
      body.run(c);
      System.out.println("ok " + name);
    } catch (Throwable error) {
      failed++;
      System.out.println("FAILED " + name);
      error.printStackTrace(System.out);
    }
  }

  static Object one(Connection c, String sql) throws SQLException {
    try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(sql)) {
      r.next();
      return r.getObject(1);
    }
  }

  static void parameters(Connection c) throws Exception {
    String sql = "SELECT ?::int, ?::bigint, ?::numeric, ?::text, ?::boolean, ?::timestamptz,"
        + " ?::uuid, ?::float8, ?::bytea, ?::date, ?::int[], ?::text";
    UUID uuid = new UUID(1, 2);
    Timestamp when = Timestamp.valueOf("2024-02-29 12:30:00.123456");
    try (PreparedStatement p = c.prepareStatement(sql)) {
      for (int i = 0; i < 8; i++) {  // past prepareThreshold: named statements, binary transfer
        p.setInt(1, i);
        p.setLong(2, Long.MIN_VALUE);
        p.setBigDecimal(3, new BigDecimal("-12.3400000000000000000000010"));
        p.setString(4, "it's \u00fc");
        p.setBoolean(5, true);
        p.setTimestamp(6, when);
        p.setObject(7, uuid);
        p.setDouble(8, 0.1);
        p.setBytes(9, new byte[] {0, -1});
        p.setDate(10, java.sql.Date.valueOf("1999-12-31"));
        p.setArray(11, c.createArrayOf("int4", new Integer[] {1, null, 3}));
        p.setNull(12, Types.VARCHAR);
        try (ResultSet r = p.executeQuery()) {
          r.next();
          same(i, r.getInt(1));
          same(Long.MIN_VALUE, r.getLong(2));
          same(new BigDecimal("-12.3400000000000000000000010"), r.getBigDecimal(3));
          same("it's \u00fc", r.getString(4));
          same(true, r.getBoolean(5));
          same(when, r.getTimestamp(6));
          same(uuid, r.getObject(7));
          same(0.1, r.getDouble(8));
          same(true, Arrays.equals(new byte[] {0, -1}, r.getBytes(9)));
          same("1999-12-31", r.getDate(10).toString());
          Array array = r.getArray(11);
          same(new Integer[] {1, null, 3}, array.getArray());
          same(null, r.getString(12));
        }
      }
    }
  }

  static void simpleProtocol(Connection c) throws Exception {
    try (PreparedStatement p = c.prepareStatement("SELECT ?::text || ?::int")) {
      p.setString(1, "it's \\ ");
      p.setInt(2, -7);
      ResultSet r = p.executeQuery();
      r.next();
      same("it's \\ -7", r.getString(1));
    }
    try {
      one(c, "SELECT 1; SELECT 1 / 0");
      throw new AssertionError("1 / 0 did not fail");
    } catch (SQLException e) {
      same("22012", e.getSQLState());
    }
  }

  static void transactions(Connection c) throws Exception {
    try (Statement s = c.createStatement()) {
      s.execute("CREATE TABLE tx (a int PRIMARY KEY)");
      c.setAutoCommit(false);
      s.execute("INSERT INTO tx VALUES (1)");
      c.rollback();
      s.execute("INSERT INTO tx VALUES (2)");
      java.sql.Savepoint point = c.setSavepoint("p");
      s.execute("INSERT INTO tx VALUES (3)");
      c.rollback(point);
      c.commit();
      same(2L, one(c, "SELECT sum(a) FROM tx"));
      c.commit();
      c.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      same("repeatable read", one(c, "SHOW transaction_isolation"));
    }
  }

  static void errors(Connection c) throws Exception {
    String[][] cases = {{"SELECT 1 / 0", "22012"}, {"SELEC", "42601"},
        {"SELECT * FROM no", "42P01"},
        {"SELECT 'x'::int", "22P02"}};
    for (String[] pair : cases) {
      try {
        one(c, pair[0]);
        throw new AssertionError(pair[0] + " did not fail");
      } catch (SQLException e) {
        same(pair[1], e.getSQLState());
      }
    }
    try (Statement s = c.createStatement()) {
      s.execute("CREATE TABLE uniq (a int CONSTRAINT only_once UNIQUE)");
      s.execute("INSERT INTO uniq VALUES (1)");
      s.execute("INSERT INTO uniq VALUES (1)");
      throw new AssertionError("the second 1 was taken");
    } catch (PSQLException e) {
      same("23505", e.getSQLState());
      same("only_once", e.getServerErrorMessage().getConstraint());
    }
  }

  static void batchesAndKeys(Connection c) throws Exception {
    try (Statement s = c.createStatement()) {
      s.execute("CREATE TABLE batch (id SERIAL PRIMARY KEY, v text)");
    }
    try (PreparedStatement p = c.prepareStatement("INSERT INTO batch (v) VALUES (?)",
             Statement.RETURN_GENERATED_KEYS)) {
      for (int i = 0; i < 300; i++) {
        p.setString(1, "v" + i);
        p.addBatch();
      }
      same(300, p.executeBatch().length);
      ResultSet keys = p.getGeneratedKeys();
      int count = 0;
      while (keys.next()) {
        same(++count, keys.getInt(1));
      }
      same(300, count);
    }
  }

  static void fetchSize(Connection c) throws Exception {
    c.setAutoCommit(false);
    try (Statement s = c.createStatement()) {
      s.setFetchSize(100);
      ResultSet r = s.executeQuery("SELECT n FROM generate_series(1, 1050) AS g (n) ORDER BY n");
      int n = 0;
      while (r.next()) {
        same(++n, r.getInt(1));
      }
      same(1050, n);
    }
  }

  static void copies(Connection c) throws Exception {
    try (Statement s = c.createStatement()) {
      s.execute("CREATE TABLE copied (a int, b text)");
    }
    var copy = c.unwrap(PGConnection.class).getCopyAPI();
    same(2L, copy.copyIn("COPY copied FROM STDIN CSV", new StringReader("1,one\n2,\n")));
    StringWriter out = new StringWriter();
    same(2L, copy.copyOut("COPY copied TO STDOUT", out));
    same("1\tone\n2\t\\N\n", out.toString());
  }

  static void metadata(Connection c) throws Exception {
    same("PostgreSQL", c.getMetaData().getDatabaseProductName());
    try (Statement s = c.createStatement()) {
      s.execute("CREATE TABLE meta (id int PRIMARY KEY, name varchar(20) NOT NULL, "
          + "n numeric(8,2))");
      ResultSet r = s.executeQuery("SELECT * FROM meta");
      same("varchar", r.getMetaData().getColumnTypeName(2));
      same(20, r.getMetaData().getPrecision(2));
      same(2, r.getMetaData().getScale(3));
    }
  }

  public static void main(String[] args) {
    check("connects", "", c -> same(1, one(c, "SELECT 1")));
    check("parameters", "", JdbcClient::parameters);
    check("simple protocol", "preferQueryMode=simple", JdbcClient::simpleProtocol);
    check("parameters, always binary", "prepareThreshold=-1", JdbcClient::parameters);
    check("transactions", "", JdbcClient::transactions);
    check("errors", "", JdbcClient::errors);
    check("batches and keys", "", JdbcClient::batchesAndKeys);
    check("fetch size", "", JdbcClient::fetchSize);
    check("copies", "", JdbcClient::copies);
    check("metadata", "", JdbcClient::metadata);
    System.exit(failed == 0 ? 0 : 1);
  }
}
