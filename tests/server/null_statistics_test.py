"""Whether a column has NULLs is known from its rows, and plans rely on it: it must be true whatever
way a NULL took into the table, and for columns that rows of before they were added lack."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from system_test import ConnectedTest  # noqa: E402

ROWS = 40_000


class NullStatisticsTest(ConnectedTest):
    server_options = ('-c', 'omendb.freeze_after=0')

    def setUp(self):
        super().setUp()
        self.cursor.execute('DROP TABLE IF EXISTS t')
        self.values = {}

    def create(self, with_column=True):
        column = ', c int' if with_column else ''
        self.cursor.execute(f'CREATE TABLE t (id int PRIMARY KEY{column})')
        self.cursor.execute(f'INSERT INTO t SELECT i{", i * 2" if with_column else ""} '
                            f'FROM generate_series(1, {ROWS}) g(i)')
        self.values = {i: i * 2 if with_column else None for i in range(1, ROWS + 1)}

    def change(self, sql, changes):
        self.cursor.execute(sql)
        for key, value in changes.items():
            if value == 'gone':
                del self.values[key]
            else:
                self.values[key] = value

    def check(self):
        known = [v for v in self.values.values() if v is not None]
        nulls = len(self.values) - len(known)
        self.assertEqual(self.ask('SELECT count(c), count(*), sum(c) FROM t WHERE id > -999999'),
                         [(len(known), len(self.values), sum(known) if known else None)])
        self.assertEqual(self.ask('SELECT count(*) FROM t WHERE c IS NULL'), [(nulls,)])
        self.assertEqual(self.ask('SELECT count(*) FROM t WHERE c IS NOT NULL'), [(len(known),)])
        self.assertEqual(self.ask('SELECT sum(coalesce(c, 1)), count(avg) FROM t, '
                                  '(SELECT avg(c), sum(c) FROM t) x')[0][0], sum(known) + nulls)
        groups = {}
        for key, value in self.values.items():
            groups.setdefault(abs(key) % 3, []).append(value)
        self.assertEqual(
            [(g, n, s, all_rows, None if a is None else round(float(a), 6))
             for g, n, s, all_rows, a in self.ask(
                 'SELECT abs(id) % 3, count(c), sum(c), count(*), avg(c) FROM t GROUP BY 1 '
                     'ORDER BY 1')],
            [(g, len(some), sum(some) if some else None, len(rows),
              round(sum(some) / len(some), 6) if some else None)
             for g, rows in sorted(groups.items())
             for some in [[v for v in rows if v is not None]]])

    def everywhere(self):
        """As the rows lie, frozen, and after a start."""
        self.check()
        self.cursor.execute('VACUUM (FREEZE) t')
        self.check()
        self.connection.close()
        self.server.stop()
        self.server.start()
        self.connect()
        self.check()

    def test_no_nulls(self):
        self.create()
        self.everywhere()

    def test_one_null_by_each_way(self):
        ways = {
            'insert': ('INSERT INTO t VALUES (0, NULL)', {0: None}),
            'update': ('UPDATE t SET c = NULL WHERE id = 7', {7: None}),
            'bulk update': ('UPDATE t SET c = nullif(c, 14) WHERE id > 0', {7: None}),
            'key update': ('UPDATE t SET id = -1, c = NULL WHERE id = 7', {7: 'gone', -1: None}),
            'conflict': ('INSERT INTO t VALUES (7, NULL) ON CONFLICT (id) DO UPDATE SET c = NULL',
                         {7: None}),
            'merge': ('MERGE INTO t USING (VALUES (7)) s(k) ON id = k WHEN MATCHED THEN UPDATE '
                      'SET c = NULL', {7: None}),
            'rows in pages': ('INSERT INTO t SELECT -i, nullif(i, 5) '
                              'FROM generate_series(1, 9) g(i)',
                              {-i: None if i == 5 else i for i in range(1, 10)}),
            'a load': ('INSERT INTO t SELECT -i, nullif(i, 5) FROM generate_series(1, 40000) g(i)',
                       {-i: None if i == 5 else i for i in range(1, 40_001)})}
        for name, (sql, changes) in ways.items():
            with self.subTest(name):
                self.cursor.execute('DROP TABLE IF EXISTS t')
                self.create()
                self.change(sql, changes)
                self.everywhere()

    def test_of_ones_own_transaction(self):
        self.create()
        self.cursor.execute('BEGIN')
        self.change('INSERT INTO t VALUES (0, NULL)', {0: None})
        self.check()
        self.cursor.execute('ROLLBACK')
        del self.values[0]
        self.check()

    def test_rows_of_before_the_column(self):
        self.create(with_column=False)
        self.cursor.execute('ALTER TABLE t ADD COLUMN c int')
        self.check()
        # Rows with the column beside those without, then rows of both written anew together.
        self.change('INSERT INTO t SELECT i, i FROM generate_series(50001, 90000) g(i)',
                    {i: i for i in range(50_001, 90_001)})
        self.check()
        self.change('DELETE FROM t WHERE id % 3 = 0',
                    {i: 'gone' for i in list(self.values) if i % 3 == 0})
        self.check()
        self.everywhere()
        self.change('UPDATE t SET c = 1 WHERE id <= 40000 AND id % 2 = 0',
                    {i: 1 for i in self.values if i <= 40_000 and i % 2 == 0})
        self.everywhere()

    def test_a_column_of_another_type(self):
        self.create()
        self.change('UPDATE t SET c = NULL WHERE id = 9', {9: None})
        for new_type in ('bigint', 'int'):
            self.cursor.execute(f'ALTER TABLE t ALTER COLUMN c TYPE {new_type}')
            self.everywhere()


if __name__ == '__main__':
    unittest.main()
