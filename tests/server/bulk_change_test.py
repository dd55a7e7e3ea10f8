"""DELETE and UPDATE of rows of a table that is far larger than the memory for rows."""

import io
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import psycopg2  # noqa: E402
from system_test import ConnectedTest  # noqa: E402

ROWS = 1_000_000
PATIENCE_S = 60


class BulkChangeTest(ConnectedTest):
    """Rows and indexes may take 36 MB; a copy of a row takes 64 bytes."""

    server_options = ('--memory', '64MB')

    def setUp(self):
        super().setUp()
        lines = ''.join(f'{i}\t{i % 1000}\t{i * 7}\ttext {i}\n' for i in range(ROWS))
        self.cursor.execute('CREATE TABLE t (id int PRIMARY KEY, x int, y bigint, s text)')
        self.cursor.copy_expert('COPY t FROM STDIN', io.StringIO(lines))

    def tearDown(self):
        self.cursor.execute('DROP TABLE t')

    def execute_in_time(self, sql):
        """What was deleted fills the memory, until nobody sees it any more."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.cursor.execute(sql)
            except psycopg2.errors.OutOfMemory:
                self.assertLess(time.monotonic(), deadline)

    def assert_rows(self, kept):
        self.cursor.execute('SELECT count(*), sum(x) FROM t')
        self.assertEqual((len(kept), sum(i % 1000 for i in kept)), self.cursor.fetchone())

    def test_writes_go_on_after_most_rows_were_deleted(self):
        for part in range(7):
            self.execute_in_time(f'DELETE FROM t WHERE id % 8 = {part}')
        self.execute_in_time("INSERT INTO t VALUES (-1, 0, 0, 'new')")
        self.execute_in_time('DELETE FROM t WHERE id = -1')
        self.assert_rows(range(7, ROWS, 8))

    def test_all_rows_are_deleted_by_one_statement(self):
        old = self.server.connect()
        old.set_session(isolation_level='REPEATABLE READ')
        with old.cursor() as cursor:
            cursor.execute('SELECT count(*) FROM t')
            self.assertEqual((ROWS,), cursor.fetchone())
            self.cursor.execute('DELETE FROM t WHERE s IS NOT NULL AND id >= 0')
            self.assertEqual(ROWS, self.cursor.rowcount)
            self.cursor.execute('SELECT count(*), sum(x) FROM t')
            self.assertEqual((0, None), self.cursor.fetchone())
            cursor.execute('SELECT count(*), sum(x) FROM t')
            self.assertEqual((ROWS, ROWS // 1000 * 499_500), cursor.fetchone())
        old.close()
        self.cursor.execute("INSERT INTO t VALUES (7, 7, 1, 'again')")
        self.assert_rows([7])

    def test_all_rows_are_updated_by_one_statement(self):
        old = self.server.connect()
        old.set_session(isolation_level='REPEATABLE READ')
        with old.cursor() as cursor:
            cursor.execute('SELECT count(*) FROM t')
            self.assertEqual((ROWS,), cursor.fetchone())
            for more in range(1, 3):
                self.execute_in_time('UPDATE t SET x = x + 1')
                self.assertEqual(ROWS, self.cursor.rowcount)
                self.cursor.execute('SELECT count(*), sum(x) FROM t')
                self.assertEqual((ROWS, ROWS // 1000 * 499_500 + more * ROWS),
                                 self.cursor.fetchone())
            cursor.execute('SELECT count(*), sum(x) FROM t')
            self.assertEqual((ROWS, ROWS // 1000 * 499_500), cursor.fetchone())
        old.close()

    def test_all_keys_are_updated_by_one_statement(self):
        self.execute_in_time('UPDATE t SET id = -1 - id')
        self.assertEqual(ROWS, self.cursor.rowcount)
        self.cursor.execute('SELECT count(*), min(id), max(id), sum(id) FROM t')
        self.assertEqual((ROWS, -ROWS, -1, -ROWS * (ROWS + 1) // 2), self.cursor.fetchone())


if __name__ == '__main__':
    unittest.main()
