"""count, min, max, sum and avg of whole tables, which segments answer without a scan: the same as a
scan finds, whatever is in pages, dead, not committed, or newer than the snapshot."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from system_test import ConnectedTest  # noqa: E402

ROWS = 40_000
COLUMNS = ('id', 'small', 'wide', 'day', 'moment', 'price', 'name', 'nothing', 'flag')
NUMBERS = ('id', 'small', 'wide', 'price', 'nothing')
SUMMARY = ('SELECT count(*), ' + ', '.join(f'min({c}), max({c})' for c in COLUMNS
                                           if c != 'flag') + ' FROM {t}')
SUMS = ('sum(id + 3), sum(small + 3), '
        + ', '.join(f'count({c}), sum({c}), avg({c})' for c in NUMBERS))
# No plain column: what follows is scanned.
SCANNED = ('SELECT count(id), ' + ', '.join(f'min(x.{c}), max(x.{c})' for c in COLUMNS
                                            if c != 'flag')
           + ' FROM (SELECT * FROM {t} WHERE id > -1000000 OR id IS NULL) x')


class KnownAggregatesTest(ConnectedTest):
    server_options = ('-c', 'omendb.freeze_after=0')

    def setUp(self):
        super().setUp()
        self.cursor.execute('DROP TABLE IF EXISTS t')
        self.cursor.execute('CREATE TABLE t (id int PRIMARY KEY, small smallint, wide bigint, '
                            'day date, moment timestamp, price numeric(9,2), name text, '
                            'nothing int, flag boolean)')

    def fill(self, first, count):
        self.cursor.execute(
            "INSERT INTO t SELECT i, i % 1000 - 500, i * 1000000007::bigint, "
            "date '2020-01-01' + i % 3000, timestamp '2020-01-01' + i * interval '1 minute', "
            "i / 7.0, 'name ' || i, NULL, i % 2 = 0 "
            f'FROM generate_series({first}, {first + count - 1}) g(i)')

    def rows(self, sql, cursor=None):
        cursor = cursor or self.cursor
        cursor.execute(sql.format(t='t'))
        return cursor.fetchall()

    def check(self, cursor=None):
        found = self.rows(SUMMARY, cursor)
        self.assertEqual(self.rows(SCANNED, cursor), found)
        self.assertEqual(
            self.rows(f'SELECT {SUMS} FROM {{t}} WHERE id > -1000000 OR id IS NULL', cursor),
            self.rows(f'SELECT {SUMS} FROM {{t}}', cursor))
        return found[0]

    def is_scanned(self, sql):
        return any('OMENDB_SCAN' in line for line, in self.rows('EXPLAIN ' + sql))

    def test_an_empty_table(self):
        self.assertEqual((0,) + (None,) * 16, self.check())

    def test_rows_in_pages_and_in_segments(self):
        self.fill(1, ROWS)  # Which writes a segment.
        self.check()
        self.assertFalse(self.is_scanned('SELECT min(day), max(id), count(*) FROM t'))
        self.fill(-5, 3)  # In pages.
        found = self.check()
        self.assertEqual((ROWS + 3, -5, ROWS), found[:3])
        self.assertFalse(self.is_scanned('SELECT max(id) + 1, min(price) FROM t'))
        self.assertFalse(self.is_scanned(f'SELECT {SUMS}, count(*) FROM t'))

    def test_what_needs_a_scan(self):
        self.fill(1, ROWS)
        for sql in ('SELECT min(name) FROM t', 'SELECT max(id) FROM t WHERE small = 3',
                    'SELECT max(id) FILTER (WHERE flag) FROM t', 'SELECT max(id + 1) FROM t',
                    'SELECT small, max(id) FROM t GROUP BY small', 'SELECT sum(DISTINCT id) FROM t',
                    'SELECT count(DISTINCT small) FROM t', 'SELECT sum(id * 2) FROM t',
                    'SELECT sum(id) FILTER (WHERE flag) FROM t'):
            self.assertTrue(self.is_scanned(sql), sql)

    def test_sums_at_the_end_of_their_types(self):
        self.cursor.execute('DROP TABLE IF EXISTS big')
        self.cursor.execute('CREATE TABLE big AS SELECT 9223372036854775807 - i AS b, '
                            '(2147483647 - i)::int AS a, 99.9::numeric(3,1) AS n '
                            f'FROM generate_series(1, {ROWS}) i')
        sums = 'sum(b), avg(b), sum(a), avg(a), sum(n), avg(n), count(a)'
        self.assertEqual(self.rows(f'SELECT {sums} FROM big WHERE a > 0'),
                         self.rows(f'SELECT {sums} FROM big'))
        self.assertFalse(self.is_scanned(f'SELECT {sums} FROM big'))

    def test_deleted_and_changed_rows(self):
        self.fill(1, ROWS)
        self.cursor.execute(f'DELETE FROM t WHERE id IN (1, {ROWS})')
        self.assertEqual((ROWS - 2, 2, ROWS - 1), self.check()[:3])
        self.cursor.execute('UPDATE t SET wide = -3 WHERE id = 77')
        self.assertEqual(-3, self.check()[5])
        self.cursor.execute('VACUUM (FREEZE) t')
        self.assertEqual((ROWS - 2, 2, ROWS - 1), self.check()[:3])
        self.cursor.execute('DELETE FROM t')
        self.assertEqual((0,) + (None,) * 16, self.check())

    def test_a_transaction_sees_its_own_rows_and_no_others(self):
        self.fill(1, ROWS)
        other = self.server.connect()
        self.addCleanup(other.close)
        other.set_session(isolation_level='REPEATABLE READ')
        reader = other.cursor()
        before = self.check(reader)
        self.connection.autocommit = False
        self.fill(ROWS + 1, ROWS)  # A second segment.
        self.assertEqual((2 * ROWS, 1, 2 * ROWS), self.check()[:3])
        self.assertEqual(before, self.check(reader))
        self.connection.commit()
        self.assertEqual(before, self.check(reader))
        other.commit()
        self.assertEqual((2 * ROWS, 1, 2 * ROWS), self.check(reader)[:3])
        self.cursor.execute('DELETE FROM t WHERE id > 100')
        self.assertEqual((100, 1, 100), self.check()[:3])
        self.connection.rollback()
        self.connection.autocommit = True
        self.assertEqual((2 * ROWS, 1, 2 * ROWS), self.check()[:3])

    def test_prepared_statements_look_again(self):
        self.fill(1, ROWS)
        self.cursor.execute('PREPARE known AS SELECT count(*), max(id) FROM t')
        for last in (ROWS, ROWS + 5, ROWS + 9):
            self.fill(self.rows('SELECT max(id) FROM t')[0][0] + 1,
                      last - self.rows('SELECT max(id) FROM t')[0][0])
            self.assertEqual([(last, last)], self.rows('EXECUTE known'))

    def test_columns_that_segments_lack(self):
        self.fill(1, ROWS)
        self.cursor.execute('ALTER TABLE t ADD COLUMN later int DEFAULT 7')
        self.assertEqual([(7, 7, ROWS)],
                         self.rows('SELECT min(later), max(later), count(*) FROM t'))

    def test_within_other_statements(self):
        self.fill(1, ROWS)
        self.assertEqual([(ROWS, 1)], self.rows(
            'SELECT (SELECT max(id) FROM t), (SELECT min(id) FROM t)'))
        self.assertEqual([(ROWS,)],
                         self.rows('SELECT id FROM t WHERE id = (SELECT max(id) FROM t)'))
        self.cursor.execute('INSERT INTO t (id) SELECT max(id) + 1 FROM t')
        self.assertEqual([(ROWS + 1, ROWS + 1)], self.rows('SELECT max(id), count(*) FROM t'))


if __name__ == '__main__':
    unittest.main()
