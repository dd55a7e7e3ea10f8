"""The same statement again and again: its plan may be kept, its answer must be that of now."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from system_test import ConnectedTest  # noqa: E402

SETUP = '''
CREATE TABLE facts (id int PRIMARY KEY, k int, v int, d date, s text);
INSERT INTO facts SELECT i, i % 100, i % 7, date '2024-01-01' + i % 50, 'text ' || i % 13
  FROM generate_series(1, 30000) g(i);
CREATE TABLE names (k int PRIMARY KEY, name text);
INSERT INTO names SELECT i, 'name ' || i FROM generate_series(0, 99) g(i);
'''
# Of every operator that has a state: joins with filters handed down, top rows, groups, windows.
STATEMENTS = (
    'SELECT count(*), sum(v), min(d), max(s) FROM facts',
    'SELECT k, count(*), avg(v) FROM facts WHERE v < 3 GROUP BY k ORDER BY k',
    'SELECT name, sum(v) FROM facts JOIN names USING (k) WHERE name LIKE \'%7\' GROUP BY name '
    'ORDER BY 2 DESC, 1 LIMIT 5',
    'SELECT id, v FROM facts ORDER BY v DESC, id LIMIT 10',
    'SELECT id FROM facts ORDER BY id OFFSET 29990',
    'SELECT DISTINCT s FROM facts WHERE d > \'2024-02-01\' ORDER BY s',
    'SELECT k, v, rank() OVER (PARTITION BY k ORDER BY v, id) FROM facts WHERE k < 2 '
    'ORDER BY 1, 2, 3',
    'SELECT count(*) FROM facts f WHERE v = (SELECT max(v) FROM facts g WHERE g.k = f.k)',
    'SELECT count(*) FROM names n WHERE EXISTS (SELECT 1 FROM facts f WHERE f.k = n.k AND v = 6)',
    'SELECT k FROM facts WHERE v = 1 UNION SELECT k FROM names WHERE k > 50 ORDER BY 1',
    'WITH x AS (SELECT k, sum(v) AS t FROM facts GROUP BY k) '
    'SELECT count(*) FROM x a JOIN x b ON a.t = b.t',
    'SELECT k, string_agg(s, \',\' ORDER BY id) FROM facts WHERE id < 50 AND v > 4 GROUP BY k '
    'ORDER BY k',
)


class RepeatedStatementsTest(ConnectedTest):
    setup_sql = SETUP

    def setUp(self):
        super().setUp()
        self.other = self.server.connect()
        self.other.autocommit = True
        self.addCleanup(self.other.close)

    def ask_anew(self, sql):
        connection = self.server.connect()
        with connection.cursor() as cursor:
            cursor.execute(sql)
            rows = cursor.fetchall()
        connection.close()
        return rows

    def change(self, sql):
        with self.other.cursor() as cursor:
            cursor.execute(sql)

    def test_answers_stay_while_nothing_changes(self):
        for sql in STATEMENTS:
            first = self.ask_anew(sql)
            for _ in range(5):
                self.assertEqual(first, self.ask(sql), sql)

    def test_in_turns_and_more_than_are_kept(self):
        expected = {}
        for i in range(24):
            sql = f'SELECT count(*), sum(v) + {i} FROM facts WHERE k <> {i}'
            expected[sql] = self.ask(sql)
        for _ in range(3):
            for sql, rows in expected.items():
                self.assertEqual(rows, self.ask(sql), sql)

    def test_every_answer_is_of_its_own_moment(self):
        for sql in STATEMENTS:
            self.ask(sql)
            self.ask(sql)
        for change in ('UPDATE facts SET v = 6 WHERE id % 1000 = 1',
                       'DELETE FROM facts WHERE id BETWEEN 100 AND 200',
                       "INSERT INTO facts VALUES (40000, 250, 99, '2030-01-01', 'zzz')",
                       "INSERT INTO names VALUES (250, 'name 2507')",
                       'VACUUM (FREEZE) facts', 'VACUUM (FREEZE) names',
                       'UPDATE facts SET k = k + 1 WHERE id = 40000'):
            self.change(change)
            for sql in STATEMENTS:
                expected = self.ask_anew(sql)
                for _ in range(3):
                    self.assertEqual(expected, self.ask(sql), f'{change}; {sql}')

    def test_own_changes_are_seen_and_taken_back(self):
        sql = 'SELECT count(*), max(v) FROM facts'
        before = self.ask(sql)
        self.assertEqual(before, self.ask(sql))
        self.cursor.execute('BEGIN')
        self.assertEqual(before, self.ask(sql))
        self.cursor.execute("INSERT INTO facts VALUES (50000, 1, 1000, '2024-01-01', 'x')")
        self.assertEqual([(before[0][0] + 1, 1000)], self.ask(sql))
        self.assertEqual([(before[0][0] + 1, 1000)], self.ask(sql))
        self.cursor.execute('ROLLBACK')
        self.assertEqual(before, self.ask(sql))

    def test_an_old_snapshot_keeps_its_answer(self):
        sql = 'SELECT count(*), sum(v) FROM facts'
        self.cursor.execute('BEGIN ISOLATION LEVEL REPEATABLE READ')
        before = self.ask(sql)
        self.change("INSERT INTO facts VALUES (60000, 1, 5, '2024-01-01', 'x')")
        self.assertEqual(before, self.ask(sql))
        self.cursor.execute('COMMIT')
        self.assertEqual([(before[0][0] + 1, before[0][1] + 5)], self.ask(sql))
        self.change('DELETE FROM facts WHERE id = 60000')
        self.assertEqual(before, self.ask(sql))

    def test_what_changes_by_itself_is_not_kept(self):
        for value in ('now()', 'current_timestamp', 'clock_timestamp()',
                      'random()', 'statement_timestamp()'):
            sql = f'SELECT {value}, count(*) FROM facts GROUP BY 1 LIMIT 1'
            self.assertEqual(3, len({self.ask(sql)[0][0] for _ in range(3)}), value)

    def test_settings_count(self):
        sql = "SELECT date '2024-02-03'::text, 0.1::float8::text, count(*) > 0, " \
              "max(d)::text FROM facts WHERE d <= '2024-02-03'"
        self.assertEqual([('2024-02-03', '0.1', True, '2024-02-03')], self.ask(sql))
        self.assertEqual([('2024-02-03', '0.1', True, '2024-02-03')], self.ask(sql))
        self.cursor.execute("SET datestyle = 'German'")
        self.assertEqual([('03.02.2024', '0.1', True, '03.02.2024')], self.ask(sql))
        self.cursor.execute('RESET datestyle')
        self.assertEqual([('2024-02-03', '0.1', True, '2024-02-03')], self.ask(sql))

    def test_ddl_counts(self):
        self.change('CREATE TABLE changing (a int)')
        self.change('INSERT INTO changing SELECT i FROM generate_series(1, 5000) g(i)')
        sql = 'SELECT count(*), sum(a) FROM changing WHERE a > 10'
        self.assertEqual(self.ask(sql), self.ask(sql))
        self.change('ALTER TABLE changing ADD COLUMN b int DEFAULT 3')
        self.assertEqual([(4990, 12502445)], self.ask(sql))
        self.change('TRUNCATE changing')
        self.assertEqual([(0, None)], self.ask(sql))
        self.change('DROP TABLE changing')
        self.change('CREATE TABLE changing (a bigint)')
        self.change('INSERT INTO changing VALUES (11), (12)')
        self.assertEqual([(2, 23)], self.ask(sql))
        self.change('DROP TABLE changing')

    def test_an_error_does_not_stay(self):
        sql = 'SELECT sum(100 / (v - 99)) FROM facts'
        self.change("INSERT INTO facts VALUES (70000, 1, 99, '2024-01-01', 'x')")
        for _ in range(2):
            with self.assertRaisesRegex(Exception, 'division by zero'):
                self.ask(sql)
        self.change('DELETE FROM facts WHERE id = 70000')
        self.assertEqual(self.ask(sql), self.ask(sql))

    def test_a_cursor_that_is_half_read_beside_the_same_statement(self):
        sql = 'SELECT id, v FROM facts WHERE v >= 0 ORDER BY s, id'
        whole = self.ask(sql)
        self.cursor.execute('BEGIN')
        self.cursor.execute(f'DECLARE c CURSOR FOR {sql}')
        self.cursor.execute('FETCH 100 FROM c')
        begun = self.cursor.fetchall()
        self.assertEqual(whole, self.ask(sql))
        self.cursor.execute('FETCH ALL FROM c')
        self.assertEqual(whole, begun + self.cursor.fetchall())
        self.cursor.execute('COMMIT')


if __name__ == '__main__':
    unittest.main()
