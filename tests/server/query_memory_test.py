"""Queries that need more memory than there is for two threads."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import psycopg2  # noqa: E402
from system_test import ConnectedTest, SystemTest  # noqa: E402

ROWS = 400_000


class QueryMemoryTest(ConnectedTest):
    server_options = ('--memory', '64MB')
    setup_sql = f"""
        CREATE TABLE t (id int PRIMARY KEY, s text);
        INSERT INTO t SELECT g, md5(g::text) || md5((g + 1)::text) || md5((g + 2)::text)
        FROM generate_series(1, {ROWS}) g"""

    def runs_again(self):
        return self.metric('omendb_statements_run_again_total{after="out_of_memory"}')

    def test_what_ran_out_of_memory_is_run_again_on_one_thread(self):
        """It is refused only then, and what it would have changed is as it was."""
        before = self.runs_again()
        for sql in ('SELECT a.s, count(*), max(b.s) FROM t a JOIN t b ON a.s = b.s GROUP BY a.s '
                    'ORDER BY count(*) DESC, a.s LIMIT 3',
                    'UPDATE t SET s = x.s FROM (SELECT max(a.s) AS s, max(b.id) AS id FROM t a '
                    'JOIN t b ON a.s = b.s GROUP BY a.s) x WHERE t.id = x.id'):
            try:
                self.cursor.execute(sql)
                if self.cursor.description:
                    self.assertEqual(3, len(self.cursor.fetchall()))
            except psycopg2.errors.OutOfMemory:
                pass
        self.assertGreater(self.runs_again(), before)
        self.cursor.execute('SELECT count(*), min(id), max(id), sum(id) FROM t')
        self.assertEqual((ROWS, 1, ROWS, ROWS * (ROWS + 1) // 2), self.cursor.fetchone())

    def test_a_query_that_fits_is_run_once(self):
        before = self.runs_again()
        self.cursor.execute('SELECT length(s), count(*) FROM t GROUP BY 1')
        self.assertEqual([(96, ROWS)], self.cursor.fetchall())
        self.assertEqual(before, self.runs_again())


class RangeJoinTest(SystemTest):
    server_options = ('--memory', '64MB')
    setup_sql = """
        CREATE TABLE facts (id int PRIMARY KEY, k int, v int, s text);
        INSERT INTO facts SELECT i, i % 100, i % 7, 'text number ' || i || repeat('y', 80)
          FROM generate_series(1, 600000) g(i)"""
    join = """SELECT count(*) FROM (SELECT * FROM facts WHERE id < 4) a
        JOIN (SELECT s || 'q' AS s, id FROM facts) b ON a.s < b.s AND a.id < b.id"""

    def test_it_runs_out_of_memory(self):
        """DuckDB loses rows that it sorts for one and spills, and tells of an internal error."""
        cursor = self.server.connect().cursor()
        before = self.metric('omendb_statements_run_again_total{after="out_of_memory"}')
        with self.assertRaises(psycopg2.errors.OutOfMemory):
            cursor.execute(self.join)
        cursor.connection.rollback()
        self.assertEqual(before + 1, self.metric(
            'omendb_statements_run_again_total{after="out_of_memory"}'))
        cursor.execute(self.join.replace('FROM facts)', 'FROM facts WHERE id < 100)'))
        self.assertEqual(1, len(cursor.fetchall()))
        cursor.connection.close()


if __name__ == '__main__':
    unittest.main()
