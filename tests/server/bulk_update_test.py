"""UPDATE and MERGE of many rows at once: of a table whose rows lie in segments, where they are
replaced, and of one whose rows lie in pages. Both must give the same answers, also to sessions that
were there before or wait for the change, and after a kill."""

import os
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import psycopg2  # noqa: E402
from frozen_and_hot import ROWS, SUMS, FrozenAndHotTest, TABLES  # noqa: E402


class BulkUpdateTest(FrozenAndHotTest):
    def test_updates_of_many_rows(self):
        self.assertEqual(ROWS, self.both('UPDATE {t} SET v = v + 1'))
        self.compare()
        self.assertEqual(ROWS // 2, self.both("UPDATE {t} SET v = -v % 500, s = DEFAULT "
                                              'WHERE id % 2 = 0'))
        self.compare()
        self.both('UPDATE {t} SET k = k + 1')  # An index has it.
        self.both('UPDATE {t} SET id = id + 200000 WHERE id < 40000')
        self.compare()
        self.both("UPDATE {t} SET s = 'one' WHERE id = 200001")
        self.both('DELETE FROM {t} WHERE id % 10 = 3')
        self.both("UPDATE {t} a SET v = b.v, s = b.s FROM {t} b WHERE b.id = a.id + 2")
        self.compare()
        self.run_sql('VACUUM (FREEZE) frozen')
        self.both('UPDATE {t} SET v = v + 2')
        self.compare()
        self.check_after_kill()
        self.compare()
        self.both('UPDATE {t} SET v = v + 3 WHERE id % 3 <> 0')
        self.run_sql('CHECKPOINT')
        self.check_after_kill()
        self.compare()

    def test_rows_are_named_in_the_log_by_their_segment(self):
        update = 'UPDATE {t} SET v = v + 1'
        self.run_sql(update.format(t='hot'))
        before = self.metric('omendb_wal_bytes_total')
        self.run_sql(update.format(t='frozen'))
        self.assertLess(self.metric('omendb_wal_bytes_total') - before, 10_000)
        self.compare()

    def test_merge_and_returning(self):
        merge = '''MERGE INTO {t} USING (SELECT i AS id, i * 3 AS v
            FROM generate_series(1000, 119999) g(i)) n ON {t}.id = n.id
            WHEN MATCHED AND n.id % 7 = 0 THEN DELETE
            WHEN MATCHED THEN UPDATE SET v = n.v
            WHEN NOT MATCHED THEN INSERT (id, k, v, s) VALUES (n.id, 5, n.v, 'new')'''
        self.both(merge)
        self.compare()
        returned = [self.rows_of(f"UPDATE {t} SET v = v + 1, s = s || '!' "
                                 'RETURNING id, v, s, double') for t in TABLES]
        self.assertEqual(sorted(returned[1]), sorted(returned[0]))
        self.compare()
        self.check_after_kill()
        self.compare()

    def test_what_fails_or_is_rolled_back_leaves_nothing(self):
        with self.assertRaises(psycopg2.errors.CheckViolation):
            self.run_sql('UPDATE frozen SET v = CASE WHEN id = 99999 THEN -5000 ELSE 7 END')
        self.compare()
        self.run_sql('BEGIN')
        self.both('UPDATE {t} SET v = v + 1')
        self.run_sql('SAVEPOINT a')
        self.both('UPDATE {t} SET v = v + 2 WHERE id > 30000')
        self.both('DELETE FROM {t} WHERE id > 90000')
        self.run_sql('ROLLBACK TO a')
        self.compare()
        self.both('UPDATE {t} SET v = v + 4 WHERE id < 70000')
        self.run_sql('SAVEPOINT b')
        with self.assertRaises(psycopg2.errors.DivisionByZero):
            self.run_sql('UPDATE frozen SET v = 1 / (99000 - id)')
        self.run_sql('ROLLBACK TO b')
        self.compare()
        self.run_sql('COMMIT')
        self.compare()
        self.run_sql('BEGIN')
        self.run_sql('UPDATE frozen SET v = 0')
        self.run_sql('ROLLBACK')
        self.compare()
        self.check_after_kill()
        self.compare()

    def test_foreign_keys_hold(self):
        self.run_sql('''CREATE TABLE referring (id int PRIMARY KEY,
            f int REFERENCES frozen ON UPDATE CASCADE, note text)''')
        for first in (0, 20000, 40000):
            self.run_sql('INSERT INTO referring SELECT i, i % 50000 FROM '
                         f'generate_series({first}, {first + 19999}) g(i)')
        self.run_sql('VACUUM (FREEZE) referring')
        self.both('UPDATE {t} SET v = v + 1')
        self.run_sql("UPDATE referring SET note = 'n'")
        with self.assertRaises(psycopg2.errors.ForeignKeyViolation):
            self.run_sql('UPDATE referring SET f = f + 60000')
        with self.assertRaises(psycopg2.errors.ForeignKeyViolation):
            self.run_sql('DELETE FROM frozen')
        self.assertEqual(60000, self.run_sql('UPDATE referring SET f = f + 1'))
        self.run_sql('UPDATE frozen SET id = -id WHERE id BETWEEN 1 AND 100')
        self.assertEqual([(200, 60000)], self.rows_of(
            "SELECT count(*) FILTER (WHERE f < 0), count(*) FILTER (WHERE note = 'n') "
            'FROM referring'))
        # Whoever refers to a row that is being replaced need not wait.
        other = self.connect(isolation_level='READ COMMITTED')
        other.cursor().execute('UPDATE frozen SET v = v + 1')
        self.run_sql("SET lock_timeout = '5s'")
        self.run_sql('INSERT INTO referring VALUES (100000, 777)')
        other.commit()
        other.close()
        self.check_after_kill()

    def in_another_session(self, sql, isolation):
        """Starts the statement in a transaction that has looked at the table."""
        session = self.connect(isolation_level=isolation)
        cursor = session.cursor()
        cursor.execute('SELECT count(*) FROM frozen')
        result = {}

        def run():
            try:
                cursor.execute(sql)
                result['rows'] = cursor.rowcount
                session.commit()
            except psycopg2.Error as error:
                result['sqlstate'] = error.pgcode
                session.rollback()

        thread = threading.Thread(target=run)
        thread.start()
        deadline = time.monotonic() + 60
        while self.metric('omendb_transactions_waiting') == 0:
            self.assertLess(time.monotonic(), deadline)
        return session, thread, result

    def wait_for_a_change(self, sql, isolation, end):
        changer = self.connect(isolation_level='READ COMMITTED')
        changer.cursor().execute('UPDATE frozen SET v = v + 1000000')
        session, thread, result = self.in_another_session(sql, isolation)
        getattr(changer, end)()
        thread.join()
        session.close()
        changer.close()
        return result

    def test_who_waits_sees_the_new_version(self):
        many = 'UPDATE frozen SET v = v + 5 WHERE v >= 1000000'
        one = 'UPDATE frozen SET v = v + 7 WHERE id = 5 AND v >= 1000000'
        self.assertEqual({'rows': 1}, self.wait_for_a_change(
            'UPDATE frozen SET v = v + 7 WHERE id = 5', 'READ COMMITTED', 'commit'))
        self.assertEqual([(1000012,)], self.rows_of('SELECT v FROM frozen WHERE id = 5'))
        self.assertEqual({'rows': 1}, self.wait_for_a_change(
            one.replace('1000000', '5'), 'READ COMMITTED', 'commit'))
        self.assertEqual({'rows': 1}, self.wait_for_a_change(
            'DELETE FROM frozen WHERE id = 6', 'READ COMMITTED', 'commit'))
        self.assertEqual({'rows': 99999}, self.wait_for_a_change(
            many, 'READ COMMITTED', 'commit'))
        for statement in (many, one, 'DELETE FROM frozen WHERE id > 5'):
            self.assertEqual({'sqlstate': '40001'}, self.wait_for_a_change(
                statement, 'REPEATABLE READ', 'commit'))
        before = self.rows_of(SUMS.format(t='frozen'))
        self.assertEqual({'rows': 1}, self.wait_for_a_change(one, 'REPEATABLE READ', 'rollback'))
        self.run_sql('UPDATE frozen SET v = v - 7 WHERE id = 5')
        self.assertEqual(before, self.rows_of(SUMS.format(t='frozen')))

    def test_a_snapshot_keeps_its_versions(self):
        old = [self.connect(isolation_level='REPEATABLE READ') for _ in range(3)]
        seen = []
        for session in old:
            seen.append(self.rows_of(SUMS.format(t='frozen'), session.cursor()))
            self.both('UPDATE {t} SET v = v + 1')
            self.both('UPDATE {t} SET v = v + 1 WHERE id % 1000 = 0')
            self.both('DELETE FROM {t} WHERE id % 1000 = 1')
            self.run_sql('VACUUM (FREEZE) frozen')
        self.run_sql('CHECKPOINT')
        for i in (1, 0, 2):
            self.assertEqual(seen[i], self.rows_of(SUMS.format(t='frozen'), old[i].cursor()))
            old[i].close()
        self.compare()
        self.check_after_kill()
        self.compare()


if __name__ == '__main__':
    unittest.main()
