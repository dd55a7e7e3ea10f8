"""Segments whose rows came in no order of their keys are put in order: nothing else changes."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from system_test import ConnectedTest, SystemTest  # noqa: E402

ROWS = 60_000
PARTS = 10
ANSWERS = (
    'SELECT count(*), sum(v), min(at), max(s), count(extra) FROM t',
    'SELECT * FROM t WHERE sensor = 17 ORDER BY at',
    'SELECT * FROM t ORDER BY sensor, at LIMIT 3000 OFFSET 25000',
    'SELECT sensor, count(*), sum(v) FROM t GROUP BY sensor ORDER BY sensor',
    'SELECT sensor, at FROM t WHERE v = 77 ORDER BY 1, 2',
)


class MergedSegmentsTest(ConnectedTest):
    server_options = ('--memory', '512MB', '-c', 'omendb.freeze_after=0')

    def setUp(self):
        super().setUp()
        self.run_sql('DROP TABLE IF EXISTS t, ordered')
        self.run_sql('''CREATE TABLE t (sensor int, at timestamp, v int, s text,
            PRIMARY KEY (sensor, at))''')
        self.run_sql('CREATE INDEX ON t (v)')
        for part in range(PARTS):  # Each has all of the hundred sensors.
            if part == PARTS // 2:
                self.run_sql("ALTER TABLE t ADD COLUMN extra text DEFAULT 'as before'")
            count = ROWS // PARTS
            self.run_sql(f"""INSERT INTO t SELECT i % 100, timestamp '2026-01-01' + i *
                interval '1 minute', i % 1000, CASE WHEN i % 9 = 0 THEN NULL ELSE 'text ' || i END
                FROM generate_series({part * count}, {(part + 1) * count - 1}) g(i)""")
            self.run_sql('VACUUM (FREEZE) t')

    def run_sql(self, sql):
        self.cursor.execute(sql)
        return self.cursor.fetchall() if self.cursor.description else []

    def answers(self):
        answers = []
        for executor in ('on', 'off'):
            self.run_sql(f'SET omendb.row_executor = {executor}')
            answers.append([self.run_sql(sql) for sql in ANSWERS])
        self.run_sql('RESET omendb.row_executor')
        return answers

    def plan(self, sql):
        return '\n'.join(row[0] for row in self.run_sql(f'EXPLAIN {sql}'))

    def test_answers_stay_over_kills(self):
        before = self.answers()
        self.run_sql('VACUUM (FULL) t')
        self.assertEqual(before, self.answers())
        self.connection.close()
        self.server.kill()
        self.server.start()
        self.connect()
        self.assertEqual(before, self.answers())
        self.run_sql('CHECKPOINT')
        self.assertEqual(before, self.answers())

    def test_the_order_of_the_key_needs_no_sort(self):
        order = 'SELECT * FROM t ORDER BY sensor, at'
        self.assertNotIn('Order: Primary Key', self.plan(order))
        self.run_sql('VACUUM (FULL) t')
        self.assertIn('Order: Primary Key', self.plan(order))

    def test_a_key_that_came_later_is_the_order(self):
        self.run_sql('ALTER TABLE t DROP CONSTRAINT t_pkey')
        self.run_sql('ALTER TABLE t DROP COLUMN s')
        self.run_sql('ALTER TABLE t ADD COLUMN number int')
        self.run_sql('UPDATE t SET number = -extract(epoch FROM at)::int')
        self.run_sql('ALTER TABLE t ADD PRIMARY KEY (number)')
        sums = 'SELECT count(*), sum(number), sum(v), min(number), max(at) FROM t'
        before = self.run_sql(sums)
        # What is left of each segment is written anew, in the order of the key of now.
        self.run_sql('DELETE FROM t WHERE v % 3 = 0')
        left = self.run_sql(sums)
        self.assertNotEqual(before, left)
        for _ in range(2):
            self.run_sql('VACUUM (FULL) t')
        self.assertEqual(left, self.run_sql(sums))
        rows = self.run_sql('SELECT number FROM t ORDER BY number')
        self.assertEqual(sorted(rows), rows)
        number = rows[len(rows) // 2][0]
        self.assertEqual([(1,)],
                         self.run_sql(f'SELECT count(*) FROM t WHERE number = {number}'))

    def test_writers_and_readers_beside(self):
        self.run_sql('CREATE TABLE ordered (sensor int, at timestamp, PRIMARY KEY (sensor, at))')
        reader = self.server.connect()
        reader.set_session(isolation_level='REPEATABLE READ')
        cursor = reader.cursor()
        cursor.execute(ANSWERS[0])
        before = cursor.fetchall()
        writer = self.server.connect()
        changes = writer.cursor()
        changes.execute('UPDATE t SET v = -1 WHERE sensor = 5')
        changes.execute('DELETE FROM t WHERE sensor = 6')
        self.run_sql('VACUUM (FULL) t')
        cursor.execute(ANSWERS[0])
        self.assertEqual(before, cursor.fetchall())
        changes.execute("UPDATE t SET v = -2 WHERE sensor = 7 AND at < '2026-01-05'")
        writer.commit()
        cursor.execute(ANSWERS[0])
        self.assertEqual(before, cursor.fetchall())
        reader.close()
        self.run_sql('VACUUM (FULL) t')
        self.assertEqual([(ROWS // 100,)], self.run_sql('SELECT count(*) FROM t WHERE v = -1'))
        self.assertEqual([(0,)], self.run_sql('SELECT count(*) FROM t WHERE sensor = 6'))
        writer.close()


class MemoryForOrderTest(SystemTest):
    """A row in the order of its key takes a word of memory, of which there is not enough here."""

    server_options = ('--memory', '64MB', '-c', 'omendb.freeze_after=0')

    def test_vacuum_says_what_it_has_left(self):
        connection = self.server.connect()
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute('CREATE TABLE t (id int PRIMARY KEY, v int)')
        rows = 700_000
        for part in range(2):
            cursor.execute(f'INSERT INTO t SELECT 2 * i + {part}, i FROM '
                           f'generate_series(1, {rows}) g(i)')
        cursor.execute('VACUUM (FREEZE) t')
        self.assertEqual([], connection.notices)
        cursor.execute('VACUUM (FULL) t')
        self.assertEqual(1, len(connection.notices), connection.notices)
        self.assertIn('WARNING:  not all rows of "t" were put in the order of its primary key',
                      connection.notices[0])
        self.assertIn('larger --memory', connection.notices[0])
        cursor.execute('SELECT count(*), sum(v), sum(id), min(id), max(id) FROM t')
        self.assertEqual([(2 * rows, rows * (rows + 1), 2 * rows * (rows + 1) + rows, 2,
                           2 * rows + 1)], cursor.fetchall())
        connection.close()


if __name__ == '__main__':
    unittest.main()
