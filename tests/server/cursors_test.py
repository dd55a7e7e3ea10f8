"""A cursor's rows are computed as they are fetched: the server keeps a few of them, not all."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import psycopg2  # noqa: E402
from system_test import ConnectedTest  # noqa: E402

ROWS = 3_000_000
# Kept whole, these rows would take over 100 bytes each.
MANY_ROWS = f"SELECT i, 'row number ' || i FROM generate_series(1, {ROWS}) g(i)"
BYTES_KEPT_MAX = 100 << 20


class CursorsTest(ConnectedTest):
    autocommit = False

    def resident_bytes(self):
        with open(f'/proc/{self.server.process.pid}/statm', encoding='ascii') as file:
            return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')

    def test_fetching_everything_keeps_little(self):
        self.cursor.execute(f'DECLARE c CURSOR FOR {MANY_ROWS}')
        self.cursor.execute('FETCH 10000 FROM c')
        before = self.resident_bytes()
        total = most = 0
        while rows := self.cursor.fetchall():
            total += len(rows)
            most = max(most, self.resident_bytes() - before)
            self.cursor.execute('FETCH 10000 FROM c')
        self.assertEqual(ROWS, total)
        self.assertLess(most, BYTES_KEPT_MAX)

    def test_first_rows_come_before_the_last_are_computed(self):
        start = time.monotonic()
        self.cursor.execute(f'SELECT count(*), max(t) FROM ({MANY_ROWS}) s(i, t)')
        whole = time.monotonic() - start
        start = time.monotonic()
        self.cursor.execute(f'DECLARE c CURSOR FOR {MANY_ROWS}')
        self.cursor.execute('FETCH 10 FROM c')
        self.assertEqual(10, len(self.cursor.fetchall()))
        self.connection.commit()
        self.assertLess(time.monotonic() - start, whole)

    def test_steps_back_far_behind_ask_for_scroll(self):
        self.cursor.execute(f'DECLARE c CURSOR FOR {MANY_ROWS}')
        self.cursor.execute('FETCH 500000 FROM c')
        self.cursor.execute('SAVEPOINT s')
        with self.assertRaises(psycopg2.Error) as caught:
            self.cursor.execute('FETCH BACKWARD 2 FROM c')
        self.assertEqual('55000', caught.exception.pgcode)
        self.cursor.execute('ROLLBACK TO s')
        self.cursor.execute('FETCH 1 FROM c')
        self.assertEqual([(500001, 'row number 500001')], self.cursor.fetchall())
        self.cursor.execute(f'DECLARE s SCROLL CURSOR FOR {MANY_ROWS}')
        self.cursor.execute('MOVE 500000 FROM s')
        self.cursor.execute('FETCH FIRST FROM s')
        self.assertEqual([(1, 'row number 1')], self.cursor.fetchall())

    def test_named_cursor_of_the_driver(self):
        with self.connection.cursor('named') as named:
            named.itersize = 5000
            named.execute(MANY_ROWS)
            for number, row in enumerate(named, 1):
                if number != row[0]:
                    self.fail(f'row {row} at place {number}')
                if number == 100_000:
                    break


if __name__ == '__main__':
    unittest.main()
