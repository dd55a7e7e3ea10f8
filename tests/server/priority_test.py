"""Analytical threads give way to the others: their nice value."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from system_test import SystemTest  # noqa: E402


class PriorityTest(SystemTest):
    server_options = ('-c', 'omendb.analytical_nice=7')
    setup_sql = 'CREATE TABLE t AS SELECT i FROM generate_series(1, 100000) i'

    def nice_values(self):
        tasks = f'/proc/{self.server.process.pid}/task'
        values = []
        for task in os.listdir(tasks):
            with open(f'{tasks}/{task}/stat', encoding='utf-8') as file:
                values.append(int(file.read().rpartition(')')[2].split()[16]))
        return values

    def test_only_analytical_threads_give_way(self):
        with self.server.connect() as connection, connection.cursor() as cursor:
            cursor.execute('SELECT i % 7, count(*) FROM t GROUP BY 1')
            self.assertEqual(7, len(cursor.fetchall()))
        connection.close()
        values = self.nice_values()
        # The pool's thread and DuckDB's: one for each processor but that of the pool's.
        own = os.nice(0)  # which the server was given
        merging = 5  # one thread, which merges index runs
        self.assertEqual(max(1, os.cpu_count()), values.count(7))
        self.assertEqual({own, merging, 7}, set(values))


if __name__ == '__main__':
    unittest.main()
