"""SELECT ... FOR UPDATE of statements that no index answers: who waits, who is left out, and what
a waiter sees afterwards. OMENDB_TEST_TARGET=postgres asks PostgreSQL the same."""

import os
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import psycopg2  # noqa: E402
from system_test import SystemTest  # noqa: E402

UNDONE = "SELECT id FROM jobs WHERE state = 'new' ORDER BY priority DESC LIMIT {} FOR UPDATE {}"


class RowLocksTest(SystemTest):
    setup_sql = '''
        CREATE TABLE jobs (id int PRIMARY KEY, state text, priority int);
        CREATE TABLE owners (id int PRIMARY KEY, job int, name text);
        INSERT INTO jobs SELECT g, 'new', g % 10 * 100 + g FROM generate_series(1, 50) g;
        INSERT INTO owners SELECT g, g, 'o' || g FROM generate_series(1, 50) g'''

    def setUp(self):
        self.one = self.server.connect()
        self.two = self.server.connect()

    def tearDown(self):
        self.one.close()
        self.two.close()

    @staticmethod
    def rows(connection, sql):
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall()

    def waiting(self, connection, sql):
        """Runs sql on a thread; returns (thread, answers) once it has had time to block."""
        answers = []

        def run():
            try:
                answers.append(self.rows(connection, sql))
            except psycopg2.Error as error:
                answers.append(error.pgcode)

        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(0.3)
        return thread, answers

    def test_skip_locked_hands_out_each_job_once(self):
        first = self.rows(self.one, UNDONE.format(3, 'SKIP LOCKED'))
        second = self.rows(self.two, UNDONE.format(3, 'SKIP LOCKED'))
        self.assertEqual([(49,), (39,), (29,)], first)
        self.assertEqual([(19,), (9,), (48,)], second)

    def test_workers_take_each_job_once(self):
        take = ('UPDATE jobs SET state = %s WHERE id = (SELECT id FROM jobs WHERE state = %s '
                'ORDER BY priority LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id')
        taken = []

        def work():
            connection = self.server.connect()
            cursor = connection.cursor()
            while True:
                cursor.execute(take, ('mine', 'queued'))
                rows = cursor.fetchall()
                connection.commit()
                if not rows:
                    break
                taken.extend(rows)
            connection.close()

        self.rows(self.one, "UPDATE jobs SET state = 'queued' WHERE id <= 30 RETURNING id")
        self.one.commit()
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual([(i,) for i in range(1, 31)], sorted(taken))
        self.rows(self.one, "UPDATE jobs SET state = 'new' RETURNING id")
        self.one.commit()

    def test_nowait_fails_at_once(self):
        self.rows(self.one, UNDONE.format(1, ''))
        with self.assertRaises(psycopg2.Error) as caught:
            self.rows(self.two, UNDONE.format(1, 'NOWAIT'))
        self.assertEqual('55P03', caught.exception.pgcode)

    def test_a_waiter_sees_what_the_other_committed(self):
        self.rows(self.one, "UPDATE jobs SET state = 'done' WHERE id = 49 RETURNING id")
        thread, answers = self.waiting(
            self.two, "SELECT id, state FROM jobs WHERE priority = 949 FOR UPDATE")
        self.assertEqual([], answers)
        self.one.commit()
        thread.join(30)
        self.assertEqual([[(49, 'done')]], answers)
        self.two.rollback()
        self.rows(self.one, "UPDATE jobs SET state = 'new' WHERE id = 49 RETURNING id")
        self.one.commit()

    def test_a_row_that_no_longer_qualifies_is_left_out(self):
        self.rows(self.one, "UPDATE jobs SET state = 'done' WHERE id = 39 RETURNING id")
        thread, answers = self.waiting(
            self.two, "SELECT id FROM jobs WHERE state = 'new' AND priority = 939 FOR UPDATE")
        self.one.commit()
        thread.join(30)
        self.assertEqual([[]], answers)
        self.two.rollback()
        self.rows(self.one, "UPDATE jobs SET state = 'new' WHERE id = 39 RETURNING id")
        self.one.commit()

    def test_repeatable_read_does_not_go_on_over_a_change(self):
        self.two.set_session(isolation_level='REPEATABLE READ')
        self.rows(self.two, 'SELECT count(*) FROM jobs')
        self.rows(self.one, "UPDATE jobs SET priority = priority WHERE id = 29 RETURNING id")
        self.one.commit()
        with self.assertRaises(psycopg2.Error) as caught:
            self.rows(self.two, 'SELECT id FROM jobs WHERE priority = 929 FOR UPDATE')
        self.assertEqual('40001', caught.exception.pgcode)

    def test_of_locks_one_side_of_a_join_only(self):
        join = ("SELECT j.id FROM jobs j JOIN owners o ON o.job = j.id WHERE o.name = 'o7' "
                'FOR UPDATE OF {}')
        self.rows(self.one, join.format('o'))
        self.assertEqual([(7,)], self.rows(self.two, join.format('j')))
        self.two.rollback()
        thread, answers = self.waiting(self.two, join.format('o'))
        self.assertEqual([], answers)
        self.one.rollback()
        thread.join(30)
        self.assertEqual([[(7,)]], answers)

    def test_writers_wait_for_a_locked_row(self):
        self.rows(self.one, "SELECT id FROM jobs WHERE priority = 505 FOR SHARE")
        self.assertEqual([(5,)], self.rows(self.two, 'SELECT id FROM jobs WHERE priority = 505 '
                                                     'FOR SHARE'))
        self.two.rollback()
        thread, answers = self.waiting(
            self.two, 'UPDATE jobs SET priority = priority WHERE id = 5 RETURNING id')
        self.assertEqual([], answers)
        self.one.rollback()
        thread.join(30)
        self.assertEqual([[(5,)]], answers)


if __name__ == '__main__':
    unittest.main()
