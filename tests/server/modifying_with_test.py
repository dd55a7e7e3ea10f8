"""WITH queries that change data, by several sessions at once and in large.
OMENDB_TEST_TARGET=postgres asks PostgreSQL the same."""

import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import psycopg2  # noqa: E402
from system_test import ConnectedTest  # noqa: E402

SESSIONS = 4
IS_POSTGRES = os.environ.get('OMENDB_TEST_TARGET') == 'postgres'
TAKE = """
    WITH next AS (SELECT id FROM jobs WHERE state = 'new' ORDER BY id LIMIT 3
                  FOR UPDATE SKIP LOCKED),
      taken AS (UPDATE jobs SET state = 'taken' WHERE id IN (SELECT id FROM next) RETURNING id)
    INSERT INTO log SELECT id FROM taken RETURNING id"""
BUMP = """
    WITH first AS (UPDATE counters SET n = n + 1 WHERE id = 1 RETURNING n),
      second AS (UPDATE counters SET n = counters.n + 1 FROM first WHERE id = 2 RETURNING id)
    UPDATE counters SET n = counters.n + 1 FROM second WHERE counters.id = 3"""
TOTALS = "SELECT count(*), sum(n) FROM many"


class ModifyingWithTest(ConnectedTest):
    setup_sql = '''
        CREATE TABLE jobs (id int PRIMARY KEY, state text);
        INSERT INTO jobs SELECT g, 'new' FROM generate_series(1, 300) g;
        CREATE TABLE log (id int);
        CREATE TABLE counters (id int PRIMARY KEY, n int);
        INSERT INTO counters VALUES (1, 0), (2, 0), (3, 0);
        CREATE TABLE many (id int PRIMARY KEY, n int);
        INSERT INTO many SELECT g, 1 FROM generate_series(1, 30000) g'''

    def in_sessions(self, work):
        """Runs work(cursor) in several sessions at once; answers the errors."""
        errors = []

        def run():
            connection = self.server.connect()
            connection.autocommit = True
            try:
                work(connection.cursor())
            except psycopg2.Error as error:
                errors.append(str(error))
            connection.close()

        threads = [threading.Thread(target=run) for _ in range(SESSIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return errors

    def test_workers_take_each_job_once(self):
        taken = []

        def work(cursor):
            while True:
                cursor.execute(TAKE)
                rows = cursor.fetchall()
                if not rows:
                    return
                taken.extend(rows)

        self.assertEqual([], self.in_sessions(work))
        self.assertEqual([(i,) for i in range(1, 301)], sorted(taken))
        self.assertEqual(sorted(taken), self.ask('SELECT id FROM log ORDER BY id'))

    def test_no_change_is_lost_where_later_parts_meet_those_of_others(self):
        def work(cursor):
            for _ in range(30):
                cursor.execute(BUMP)

        self.assertEqual([], self.in_sessions(work))
        self.assertEqual([(1, 30 * SESSIONS), (2, 30 * SESSIONS), (3, 30 * SESSIONS)],
                         self.ask('SELECT * FROM counters ORDER BY id'))

    def test_a_later_part_fails_as_a_statement_does_in_repeatable_read(self):
        other = self.server.connect()
        cursor = other.cursor()
        self.cursor.execute('BEGIN ISOLATION LEVEL REPEATABLE READ')
        self.ask('SELECT count(*) FROM many')
        cursor.execute('UPDATE many SET n = 1 WHERE id = 2')
        other.commit()
        other.close()
        with self.assertRaises(psycopg2.Error) as caught:
            self.ask('WITH a AS (UPDATE many SET n = 5 WHERE id = 1 RETURNING id) '
                     'UPDATE many SET n = 5 FROM a WHERE many.id = a.id + 1 RETURNING many.id')
        self.assertEqual('40001', caught.exception.pgcode)
        self.cursor.execute('ROLLBACK')
        self.assertEqual([(30000, 30000)], self.ask(TOTALS))

    def test_many_rows(self):
        self.cursor.execute('BEGIN')
        self.cursor.execute('WITH u AS (UPDATE many SET n = n + 1 RETURNING id) SELECT 1')
        self.assertEqual([(30000, 60000)], self.ask(TOTALS))
        self.assertEqual([(9999, 30000)], self.ask(
            'WITH u AS (UPDATE many SET n = n + 1 WHERE id < 10000 RETURNING id) '
            'SELECT count(*), (SELECT count(*) FROM many WHERE n = 2) FROM u'))
        self.cursor.execute('ROLLBACK')

    @unittest.skipIf(IS_POSTGRES, 'which takes the parts in another order')
    def test_of_many_rows_each_is_changed_once(self):
        for freezes in (False, True):
            if freezes:
                self.cursor.execute('VACUUM (FREEZE) many')
            for first, totals in (('UPDATE many SET n = 5', (30000, 140000)),
                                  ('DELETE FROM many', (10000, 40000))):
                self.cursor.execute('BEGIN')
                self.cursor.execute(f'WITH a AS ({first} WHERE id <= 20000) '
                                    'UPDATE many SET n = 4 WHERE id > 10000')
                self.assertEqual('UPDATE 10000', self.cursor.statusmessage)
                self.assertEqual([totals], self.ask(TOTALS))
                self.cursor.execute('ROLLBACK')
                self.assertEqual([(30000, 30000)], self.ask(TOTALS))

    @unittest.skipIf(IS_POSTGRES, 'a limit of ours')
    def test_too_many_rows_to_read_change_nothing(self):
        with self.assertRaises(psycopg2.Error) as caught:
            self.ask('WITH u AS (UPDATE many SET n = n + 1 RETURNING id) SELECT count(*) FROM u')
        self.assertEqual('0A000', caught.exception.pgcode)
        self.assertEqual([(30000, 30000)], self.ask(TOTALS))


if __name__ == '__main__':
    unittest.main()
