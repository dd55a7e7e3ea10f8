"""MERGE beside other sessions, over rows in segments, and without the privileges it needs.
OMENDB_TEST_TARGET=postgres asks PostgreSQL the same."""

import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import psycopg2  # noqa: E402
from system_test import SystemTest  # noqa: E402

COUNT = ("MERGE INTO visits t USING (VALUES ({}, 1)) s(page, n) ON t.page = s.page "
         'WHEN MATCHED AND t.n + s.n > 100 THEN DELETE '
         'WHEN MATCHED THEN UPDATE SET n = t.n + s.n '
         'WHEN NOT MATCHED THEN INSERT VALUES (s.page, s.n)')


class MergeTest(SystemTest):
    def setUp(self):
        self.one = self.server.connect()
        self.two = self.server.connect()
        self.addCleanup(self.one.close)
        self.addCleanup(self.two.close)
        self.run_sql(self.one, 'DROP TABLE IF EXISTS visits; '
                               'CREATE TABLE visits (page int PRIMARY KEY, n int); '
                               'INSERT INTO visits VALUES (1, 10), (2, 100)')
        self.one.commit()

    @staticmethod
    def run_sql(connection, sql):
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else cursor.statusmessage

    def visits(self):
        rows = self.run_sql(self.one, 'SELECT page, n FROM visits ORDER BY page')
        self.one.commit()
        return rows

    def merge_beside(self, change, page, isolation=''):
        """What two's MERGE answers that meets a row changed by one, which commits then."""
        if isolation:
            self.run_sql(self.two, f'SET TRANSACTION ISOLATION LEVEL {isolation}')
        self.run_sql(self.two, 'SELECT 1 FROM visits')  # Takes the snapshot.
        self.run_sql(self.one, change)
        answers = []

        def run():
            try:
                answers.append(self.run_sql(self.two, COUNT.format(page)))
                self.two.commit()
            except psycopg2.Error as error:
                answers.append(error.pgcode)
                self.two.rollback()

        thread = threading.Thread(target=run)
        thread.start()
        self.one.commit()
        thread.join()
        return answers[0]

    def test_a_row_changed_by_another_is_looked_at_again(self):
        self.assertEqual('MERGE 1',
                         self.merge_beside('UPDATE visits SET n = 50 WHERE page = 1', 1))
        self.assertEqual([(1, 51), (2, 100)], self.visits())

    def test_the_condition_too(self):
        self.assertEqual('MERGE 1',
                         self.merge_beside('UPDATE visits SET n = 100 WHERE page = 1', 1))
        self.assertEqual([(2, 100)], self.visits())

    def test_repeatable_read_fails(self):
        self.assertEqual('40001', self.merge_beside('UPDATE visits SET n = 50 WHERE page = 1', 1,
                                                    'REPEATABLE READ'))
        self.assertEqual([(1, 50), (2, 100)], self.visits())

    def test_rows_in_segments(self):
        self.run_sql(self.one, 'INSERT INTO visits SELECT g, g % 90 FROM '
                               'generate_series(10, 70009) g')
        self.one.commit()
        self.one.autocommit = True
        self.run_sql(self.one, 'VACUUM')
        tag = self.run_sql(
            self.one, 'MERGE INTO visits t USING (SELECT g * 2 page FROM '
                      'generate_series(1, 40000) g) s ON t.page = s.page '
                      'WHEN MATCHED AND t.n < 30 THEN DELETE '
                      'WHEN MATCHED THEN UPDATE SET n = -1 '
                      'WHEN NOT MATCHED THEN INSERT VALUES (s.page, 1000)')
        self.assertEqual('MERGE 40000', tag)
        even = [g for g in range(10, 70010) if g % 2 == 0]
        deleted = sum(1 for g in even if g % 90 < 30)
        changed = len(even) - deleted + 1  # and page 2
        new = 40000 - len(even) - 1
        self.assertEqual(
            [(70000 - deleted + 2 + new, changed, new)],
            self.run_sql(self.one, 'SELECT count(*), count(*) FILTER (WHERE n = -1), '
                                   'count(*) FILTER (WHERE n = 1000) FROM visits'))
        self.one.autocommit = False

    def test_privileges(self):
        self.one.autocommit = True
        self.run_sql(self.one, 'DROP ROLE IF EXISTS merger; CREATE ROLE merger; '
                               'GRANT SELECT, INSERT, UPDATE ON visits TO merger')
        self.run_sql(self.one, 'SET ROLE merger')
        with self.assertRaises(psycopg2.errors.InsufficientPrivilege):
            self.run_sql(self.one, COUNT.format(1))
        self.run_sql(self.one, 'RESET ROLE; GRANT DELETE ON visits TO merger; SET ROLE merger')
        self.assertEqual('MERGE 1', self.run_sql(self.one, COUNT.format(1)))
        self.run_sql(self.one, 'RESET ROLE; DROP OWNED BY merger; DROP ROLE merger'
                     if os.environ.get('OMENDB_TEST_TARGET') == 'postgres' else
                     'RESET ROLE; REVOKE ALL ON visits FROM merger; DROP ROLE merger')
        self.one.autocommit = False


if __name__ == '__main__':
    unittest.main()
