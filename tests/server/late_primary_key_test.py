"""A primary key that a table gets while what was NULL in its columns is not collected yet."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from system_test import ConnectedTest  # noqa: E402

ROWS = 3000


class LatePrimaryKeyTest(ConnectedTest):
    server_options = ('--memory', '512MB', '-c', 'omendb.freeze_after=0')

    def setUp(self):
        super().setUp()
        self.run_sql('DROP TABLE IF EXISTS t')

    def run_sql(self, sql):
        self.cursor.execute(sql)
        return self.cursor.fetchall() if self.cursor.description else []

    def collect(self, rows):
        """Until all rows lie in segments, which they do when nothing older is left of them."""
        deadline = time.monotonic() + 60
        while self.metric('omendb_frozen_rows') != rows:
            self.assertLess(time.monotonic(), deadline)
            self.run_sql('VACUUM (FREEZE) t')

    def check(self, frozen, change, key):
        """A snapshot keeps what `change` ends until the key is there."""
        self.run_sql(f'''CREATE TABLE t AS SELECT i AS id, i AS other,
            CASE WHEN i % 3 > 0 THEN i END AS n FROM generate_series(1, {ROWS}) g(i)''')
        if frozen:
            self.run_sql('VACUUM (FREEZE) t')
        reader = self.server.connect()
        reader.set_session(isolation_level='REPEATABLE READ')
        reader.cursor().execute('SELECT 1')
        self.run_sql(change)
        rows = self.run_sql('SELECT id, n FROM t ORDER BY id')
        self.run_sql(f'ALTER TABLE t ADD PRIMARY KEY ({key})')
        self.assertEqual(rows, self.run_sql('SELECT id, n FROM t ORDER BY id'))
        # Old versions of rows that the new key finds.
        cursor = reader.cursor()
        for found in ('n = 6', 'n IN (6, 9)', 'n = 6 AND other = 6'):
            cursor.execute(f'SELECT id FROM t WHERE {found}')
            self.assertEqual([], cursor.fetchall())
        reader.close()
        self.run_sql('DELETE FROM t WHERE id % 5 = 0')
        left = [row for row in rows if row[0] % 5]
        self.collect(len(left))
        self.assertEqual(left, self.run_sql('SELECT id, n FROM t ORDER BY id'))
        self.assertEqual([(7, 7)], self.run_sql('SELECT id, n FROM t WHERE n = 7'))
        self.run_sql('DROP TABLE t')

    def test_what_was_null_is_collected(self):
        for frozen in (False, True):
            for change in ('DELETE FROM t WHERE n IS NULL', 'UPDATE t SET n = id'):
                for key in ('n', 'n, other'):
                    with self.subTest(frozen=frozen, change=change, key=key):
                        self.check(frozen, change, key)


if __name__ == '__main__':
    unittest.main()
