"""'now', 'today' and the like: of the transaction, or of the definition that names them."""

import datetime
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from system_test import ConnectedTest  # noqa: E402
from wire_client import WireClient  # noqa: E402

SETUP = '''
CREATE TABLE facts (id int PRIMARY KEY, at timestamptz);
INSERT INTO facts SELECT i, '2020-01-01' FROM generate_series(1, 3000) g(i);
CREATE TABLE words (id int, word text);
INSERT INTO words SELECT i, 'now' FROM generate_series(1, 3000) g(i);
CREATE VIEW of_words AS SELECT max(id) AS n, ('now'::text)::timestamptz AS t FROM words;
'''
# Read when the statement is analysed: by a statement that is not prepared, each time.
READ_AT_ONCE = (
    "SELECT 'now'::timestamptz, count(*) FROM facts GROUP BY 1",
    "SELECT E'n\\x6fw'::timestamptz, count(*) FROM facts GROUP BY 1",
    "SELECT 'NOW'::timestamptz",
    "SELECT timestamptz 'now' FROM facts WHERE id = 5",
    "SELECT 'now'::timestamptz, id FROM facts WHERE id = 6",
    "SELECT max(x) FROM (SELECT unnest('{now}'::timestamptz[]) AS x FROM facts) y",
    "SELECT array['now']::timestamptz[], count(*) FROM facts",
)
# Read by each execution, of a prepared statement too.
READ_LATE = (
    "SELECT ('no' || 'w')::timestamptz, count(*) FROM facts GROUP BY 1",
    'SELECT max(word::timestamptz) FROM words',
    'SELECT min(word::timestamptz) FROM words WHERE id > 5',
    'SELECT t, n FROM of_words',
    "SELECT ('no' || 'w')::timestamptz FROM facts WHERE id = 8",
    "SELECT ('now'::text)::timestamptz, id FROM facts WHERE id = 9",
    "SELECT max(x) FROM (SELECT unnest(('{n' || 'ow}')::timestamptz[]) AS x FROM facts) y",
)


class TimeWordsTest(ConnectedTest):
    setup_sql = SETUP

    def run_sql(self, sql):
        self.cursor.execute(sql)

    def three_times(self, sql):
        """What each gives, with the server's time before and behind it."""
        found = []
        for _ in range(3):
            begin = self.ask('SELECT clock_timestamp()')[0][0]
            found.append((begin, self.ask(sql)[0][0], self.ask('SELECT clock_timestamp()')[0][0]))
        return found

    def check_is_now(self, sql):
        for begin, value, end in self.three_times(sql):
            value = value[0] if isinstance(value, list) else value
            self.assertLessEqual(begin, value, sql)
            self.assertLess(value, end, sql)

    def test_a_statement_that_is_asked_again_reads_the_time_again(self):
        for sql in READ_AT_ONCE + READ_LATE:
            self.check_is_now(sql)

    def test_by_the_extended_protocol_too(self):
        client = WireClient(self.server)
        for sql in READ_AT_ONCE + READ_LATE:
            answers = []
            for _ in range(3):
                client.execute(sql)
                answers += [body for kind, body in client.messages() if kind == 'D']
            self.assertEqual(3, len(set(answers)), sql)
        client.close()

    def test_prepared_statements(self):
        for i, sql in enumerate(READ_LATE):
            self.run_sql(f'PREPARE late{i} AS {sql}')
            self.check_is_now(f'EXECUTE late{i}')
        self.run_sql(f'PREPARE early AS {READ_AT_ONCE[0]}')
        self.assertEqual(self.ask('EXECUTE early'), self.ask('EXECUTE early'))

    def test_a_prepared_constant_without_a_type_is_read_once(self):
        """PostgreSQL gives it the type of what it stands beside when it analyses the statement."""
        self.run_sql('CREATE TABLE kept (id serial, at timestamptz, day date)')
        self.addCleanup(self.run_sql_anew, 'DROP TABLE kept')
        for sql in ("INSERT INTO kept (at, day) VALUES ('now', 'today')",
                    "INSERT INTO kept (at, day) VALUES ('now', 'today'), ('now', 'today')",
                    "INSERT INTO kept (at, day) SELECT 'now', 'today' FROM facts WHERE id < 3",
                    "UPDATE kept SET at = 'now'",
                    "INSERT INTO kept (at) SELECT coalesce(f.at, 'now') FROM facts f"
                    " WHERE id < 3 AND at < 'now'",
                    "INSERT INTO kept (at) SELECT CASE WHEN id > 0 THEN 'now' ELSE at END"
                    ' FROM facts WHERE id < 3'):
            self.run_sql(f'PREPARE kept_{len(sql)} AS {sql}')
            found = []
            for _ in range(2):
                self.run_sql(f'EXECUTE kept_{len(sql)}')
                found.append(self.ask('SELECT max(at), count(day) FROM kept')[0][0])
                self.run_sql('DELETE FROM kept' if sql.startswith('INSERT')
                             else "UPDATE kept SET at = '2000-01-01'")
            self.run_sql("INSERT INTO kept (at) VALUES ('2000-01-01')")
            self.assertEqual(found[0], found[1], sql)
            self.run_sql(f'DEALLOCATE kept_{len(sql)}')

    def test_checks_read_the_time_when_they_are_defined(self):
        self.run_sql("CREATE TABLE checked (at timestamptz CHECK (at < 'now'), word text"
                     " CHECK (word <> 'now'), day date CHECK (day BETWEEN 'yesterday' AND"
                     " 'tomorrow'))")
        self.addCleanup(self.run_sql_anew, 'DROP TABLE checked')
        self.run_sql("INSERT INTO checked VALUES ('2000-01-01', 'then', 'today')")
        with self.assertRaisesRegex(Exception, 'checked_at_check'):
            self.run_sql('INSERT INTO checked VALUES (now())')
        with self.assertRaisesRegex(Exception, 'checked_word_check'):
            self.run_sql("INSERT INTO checked (word) VALUES ('now')")
        texts = self.ask("SELECT pg_get_constraintdef(oid) FROM pg_constraint"
                         " WHERE conrelid = 'checked'::regclass ORDER BY conname")
        self.assertNotIn('now', texts[0][0])
        self.assertNotIn('yesterday', texts[1][0])

    def test_conditions(self):
        """The row is there when the statement's time is behind its own."""
        sql = "SELECT id FROM facts WHERE id = 7 AND at < 'now'"
        for _ in range(3):
            self.run_sql('UPDATE facts SET at = clock_timestamp() WHERE id = 7')
            self.assertEqual([(7,)], self.ask(sql))
        sql = "SELECT count(*) FROM facts WHERE id = 7 AND at < 'now'::timestamptz"
        for _ in range(3):
            self.run_sql('UPDATE facts SET at = clock_timestamp() WHERE id = 7')
            self.assertEqual([(1,)], self.ask(sql))

    def test_now_is_the_start_of_the_transaction(self):
        self.run_sql('BEGIN')
        now = self.ask('SELECT now()')
        for _ in range(2):
            self.assertEqual(now, self.ask("SELECT 'now'::timestamptz"))
            self.assertEqual(now, self.ask("SELECT timestamptz 'now' FROM facts WHERE id = 5"))
        self.run_sql('COMMIT')

    def definitions(self):
        self.run_sql("""
            CREATE TABLE made (a int, d date DEFAULT 'today', t timestamptz DEFAULT 'now',
              u timestamptz DEFAULT 'now'::timestamptz, w timestamp DEFAULT timestamp 'now',
              x timestamptz[] DEFAULT '{now}', d2 date DEFAULT ('tomorrow'::date - 1),
              late timestamptz DEFAULT ('now'::text)::timestamptz,
              CHECK (a < 1 OR t < 'tomorrow'::timestamptz));
            ALTER TABLE made ADD COLUMN y timestamptz DEFAULT 'now',
              ALTER COLUMN a SET DEFAULT 1, ADD COLUMN z date, ALTER COLUMN z SET DEFAULT 'today';
            CREATE VIEW made_view AS SELECT 'now'::timestamptz AS t, 'today'::date AS d,
              array['now']::timestamptz[] AS a, '{now}'::timestamptz[] AS b,
              ('now'::text)::timestamptz AS late;""")

    def test_definitions_read_the_time_once(self):
        begin, today = self.ask("SELECT clock_timestamp(), current_date")[0]
        self.definitions()
        end = self.ask('SELECT clock_timestamp()')[0][0]
        self.addCleanup(self.run_sql_anew, 'DROP TABLE made; DROP VIEW made_view')
        for _ in range(2):
            self.run_sql('INSERT INTO made DEFAULT VALUES')
        first, second = self.ask('SELECT t, u, w AT TIME ZONE \'UTC\', x[1], y FROM made')
        self.assertEqual(first, second)
        for value in first:
            self.assertLessEqual(begin, value)
            self.assertLess(value, end)
        first, second = self.ask('SELECT late FROM made ORDER BY late')
        self.assertLess(end, first[0])
        self.assertLess(first[0], second[0])
        self.assertEqual([(today, today, today)] * 2, self.ask('SELECT d, d2, z FROM made'))
        self.assertEqual(self.ask('SELECT t, d, a, b FROM made_view'),
                         self.ask('SELECT t, d, a, b FROM made_view'))
        t, d, a, b, late = self.ask('SELECT * FROM made_view')[0]
        self.assertEqual((today, [t], [t]), (d, a, b))
        self.assertLessEqual(begin, t)
        self.assertLess(t, end)
        self.assertLess(end, late)

    def test_definitions_keep_times_of_the_session_that_made_them(self):
        self.run_sql("SET datestyle = 'SQL, DMY'; SET timezone = 'Asia/Tokyo'")
        self.run_sql("""
            CREATE TABLE made (a int, d date DEFAULT '03/02/2024',
              t timestamptz DEFAULT '2024-01-01 09:00',
              g date GENERATED ALWAYS AS ('03/02/2024'::date + a) STORED,
              CONSTRAINT early CHECK (d < '04/03/2024'::date));
            CREATE VIEW made_view AS
              SELECT '03/02/2024'::date AS d, timestamptz '2024-01-01 09:00' AS t""")
        self.run_sql('RESET datestyle; RESET timezone')
        self.addCleanup(self.run_sql_anew, 'DROP TABLE made; DROP VIEW made_view')
        self.run_sql('INSERT INTO made VALUES (1)')
        day = datetime.date(2024, 2, 3)
        time = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
        self.assertEqual([(day, time, day + datetime.timedelta(1))],
                         self.ask('SELECT d, t, g FROM made'))
        self.assertEqual([(day, time)], self.ask('SELECT d, t FROM made_view'))
        with self.assertRaisesRegex(Exception, 'early'):
            self.run_sql("INSERT INTO made VALUES (1, '2024-03-05')")

    def run_sql_anew(self, sql):
        connection = self.server.connect()
        connection.autocommit = True
        connection.cursor().execute(sql)
        connection.close()


if __name__ == '__main__':
    unittest.main()
