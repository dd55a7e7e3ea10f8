"""ORDER BY the primary key comes from the scan where segments are sorted by it, and from a sort
where they are not: the rows are in order either way, of every key that a table was given."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from system_test import ConnectedTest  # noqa: E402

ROWS = 60_000


class KeyOrderTest(ConnectedTest):
    server_options = ('-c', 'omendb.freeze_after=0')

    def setUp(self):
        super().setUp()
        self.cursor.execute('DROP TABLE IF EXISTS t')

    def scans_by_key(self, column):
        plan = self.ask(f'EXPLAIN SELECT {column} FROM t ORDER BY {column}')
        return 'Primary Key' in str(plan)

    def check(self, column, by_key):
        self.assertEqual(self.scans_by_key(column), by_key)
        rows = [key for key, in self.ask(f'SELECT {column} FROM t')]
        for direction in ('', 'DESC'):
            found = [key for key, in self.ask(f'SELECT {column} FROM t ORDER BY {column} '
                                              + direction)]
            self.assertEqual(found, sorted(rows, reverse=direction == 'DESC'))

    def fill(self, first):
        self.cursor.execute(f"INSERT INTO t SELECT i * 7919 % 1000003, i * 31 % 1000003, 'text' "
                            f'FROM generate_series({first}, {first + ROWS - 1}) g(i)')

    def test_of_a_key_that_came_after_the_rows(self):
        self.cursor.execute('CREATE TABLE t (a int NOT NULL, b int NOT NULL, s text)')
        self.fill(1)
        self.cursor.execute('ALTER TABLE t ADD PRIMARY KEY (a)')
        self.check('a', by_key=False)
        self.fill(200_000)
        self.check('a', by_key=False)

    def test_of_another_key(self):
        self.cursor.execute('CREATE TABLE t (a int PRIMARY KEY, b int NOT NULL, s text)')
        self.fill(1)
        self.check('a', by_key=True)
        self.cursor.execute('ALTER TABLE t DROP CONSTRAINT t_pkey')
        self.check('a', by_key=False)
        self.cursor.execute('ALTER TABLE t ADD PRIMARY KEY (b)')
        self.check('b', by_key=False)
        self.check('a', by_key=False)
        self.cursor.execute('TRUNCATE t')
        self.fill(1)
        self.check('b', by_key=True)
        self.check('a', by_key=False)


if __name__ == '__main__':
    unittest.main()
