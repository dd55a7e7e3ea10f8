"""DELETE and UPDATE of most rows of a table that is far larger than the memory for rows."""

import io
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import psycopg2  # noqa: E402
from system_test import SystemTest  # noqa: E402

ROWS = 1_000_000
PATIENCE_S = 60


class BulkChangeTest(SystemTest):
    server_options = ('--memory', '64MB')
    setup_sql = 'CREATE TABLE t (id int PRIMARY KEY, x int, y bigint, s text)'

    def setUp(self):
        self.connection = self.server.connect()
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()

    def tearDown(self):
        self.connection.close()

    def test_writes_go_on_after_most_rows_were_deleted(self):
        lines = ''.join(f'{i}\t{i % 1000}\t{i * 7}\ttext {i}\n' for i in range(ROWS))
        self.cursor.copy_expert('COPY t FROM STDIN', io.StringIO(lines))
        self.cursor.execute('DELETE FROM t WHERE id % 10 <> 0')
        self.assertEqual(f'DELETE {ROWS - ROWS // 10}', self.cursor.statusmessage)
        # Its copies of the rows fill the memory, until nobody sees them any more.
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.cursor.execute("INSERT INTO t VALUES (-1, 0, 0, 'new')")
                break
            except psycopg2.errors.OutOfMemory:
                self.assertLess(time.monotonic(), deadline)
        self.cursor.execute('SELECT count(*), sum(x) FROM t')
        self.assertEqual((ROWS // 10 + 1, sum(i % 1000 for i in range(0, ROWS, 10))),
                         self.cursor.fetchone())


if __name__ == '__main__':
    unittest.main()
