"""UPDATE and DELETE of many rows at once in tables with foreign keys, and of primary keys: of
tables whose rows lie in segments, where they are changed, and of such as lie in pages. Both must
give the same answers, in little memory."""

import os
import random
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import psycopg2  # noqa: E402
from frozen_and_hot import ROWS, FrozenAndHotTest  # noqa: E402
from system_test import ConnectedTest  # noqa: E402

MANY = 600_000
ACTIONS = ('NO ACTION', 'RESTRICT', 'CASCADE', 'SET NULL', 'SET DEFAULT')


class ActionsTest(FrozenAndHotTest):
    """Random statements; children of the two tables are changed alike."""

    compared = FrozenAndHotTest.compared + (
        'SELECT count(*), count(p), sum(p), sum(id) FROM {t}_child',
        'SELECT p, count(*) FROM {t}_child GROUP BY p ORDER BY count(*) DESC, p LIMIT 100',
        'SELECT count(*), count(p), sum(p), sum(c) FROM {t}_grandchild')

    def make_children(self, table, action, has_index):
        self.run_sql(f'''CREATE TABLE {table}_child (id int PRIMARY KEY, p int DEFAULT 0
            REFERENCES {table} ON DELETE {action} ON UPDATE {action}, c text)''')
        self.run_sql(f'''CREATE TABLE {table}_grandchild (id int PRIMARY KEY, c int
            REFERENCES {table}_child ON DELETE CASCADE, p bigint REFERENCES {table}
            ON DELETE SET NULL)''')
        if has_index:
            self.run_sql(f'CREATE INDEX ON {table}_child (p)')
            self.run_sql(f'CREATE INDEX ON {table}_grandchild (c)')
        for first in range(0, ROWS, ROWS // 4):
            last = first + ROWS // 4 - 1
            self.run_sql(f"INSERT INTO {table}_child SELECT i, i / 2, 'c' || i "
                         f'FROM generate_series({first}, {last}) g(i)')
            self.run_sql(f'INSERT INTO {table}_grandchild SELECT i, i, i / 3 '
                         f'FROM generate_series({first}, {last}) g(i)')
        if table == 'frozen':
            self.run_sql('VACUUM (FREEZE) frozen_child')
            self.run_sql('VACUUM (FREEZE) frozen_grandchild')

    def tearDown(self):
        for table in ('frozen', 'hot'):
            self.run_sql(f'DROP TABLE IF EXISTS {table}_grandchild, {table}_child')
        super().tearDown()

    def both_or_error(self, sql):
        results = []
        for table in ('frozen', 'hot'):
            self.run_sql('SAVEPOINT one')
            try:
                results.append(self.run_sql(sql.format(t=table)))
            except psycopg2.Error as error:
                self.run_sql('ROLLBACK TO one')
                detail = (error.diag.message_detail or '').replace('hot', 'frozen')
                results.append((error.pgcode, detail))
        self.assertEqual(results[0], results[1], sql)
        return results[0]

    def statement(self, dice):
        at, many = dice.randrange(ROWS), dice.randrange(33_000, 60_000)
        return dice.choice((
            f'UPDATE {{t}}_child SET p = p + 1 WHERE id >= {at} AND id < {at + many}',
            f'UPDATE {{t}}_child SET p = {at} WHERE id % 2 = 0',
            'UPDATE {t}_child SET p = NULL WHERE id % 3 = 0',
            f"UPDATE {{t}}_child SET c = c || '!' WHERE id < {many}",
            f'UPDATE {{t}}_grandchild SET p = id / 2, c = id WHERE c < {many}',
            f'DELETE FROM {{t}} WHERE id > {at} AND id % 2 = 0 AND id > 0',
            f'DELETE FROM {{t}} WHERE id BETWEEN {at} AND {at + 3000} AND id > 0',
            f'DELETE FROM {{t}} WHERE id >= {ROWS // 2 + 1} AND id % 5 = {at % 5}',
            f'DELETE FROM {{t}}_child WHERE id > {at}',
            f'UPDATE {{t}} SET id = -id WHERE id BETWEEN {at} AND {at + 500} AND id > 0',
            'UPDATE {t} SET v = v + 1'))

    def test_random_statements(self):
        for i, action in enumerate(ACTIONS):
            dice = random.Random(i)
            for table in ('frozen', 'hot'):
                self.make_children(table, action, has_index=i != 1)
            self.run_sql('BEGIN')
            for step in range(14):
                self.run_sql('SAVEPOINT s')
                result = self.both_or_error(self.statement(dice))
                if isinstance(result, tuple) or dice.random() < 0.2:
                    self.run_sql('ROLLBACK TO s')
                if step % 3 == 2:
                    self.compare()
                if step == 7:
                    self.run_sql('COMMIT')
                    self.run_sql('BEGIN')
            self.compare()
            self.run_sql('COMMIT')
            self.check_after_kill()
            self.compare()
            self.tearDown()
            self.setUp()


class PrimaryKeysTest(FrozenAndHotTest):
    def test_new_primary_keys(self):
        self.assertEqual(ROWS, self.both('UPDATE {t} SET id = id + 1000000, v = v + 1'))
        self.compare()
        self.both('UPDATE {t} SET id = CASE WHEN id % 2 = 0 THEN id ELSE -id END, k = 7')
        self.compare()
        self.check_after_kill()
        self.compare()
        self.run_sql('BEGIN')
        self.both('UPDATE {t} SET id = id + 5000000 WHERE id > 0')
        self.run_sql('SAVEPOINT s')
        self.both("UPDATE {t} SET id = id - 3000000, s = 'x' WHERE id > 0")
        self.compare()
        self.run_sql('ROLLBACK TO s')
        self.both('UPDATE {t} SET v = v + 1')
        self.compare()
        self.run_sql('ROLLBACK')
        self.compare()
        self.run_sql('VACUUM (FREEZE) frozen')
        self.both('UPDATE {t} SET id = -id')
        self.both('DELETE FROM {t} WHERE id % 7 = 0')
        self.compare()
        self.check_after_kill()
        self.compare()

    def test_a_key_is_free_when_its_row_has_left_it(self):
        for t in ('frozen', 'hot'):
            with self.assertRaises(psycopg2.errors.UniqueViolation):
                self.run_sql(f'UPDATE {t} SET id = id + 1')
            with self.assertRaises(psycopg2.errors.UniqueViolation):
                self.run_sql(f'UPDATE {t} SET id = id / 2 + 200000')
        self.compare()
        self.both('UPDATE {t} SET id = id - 1')  # In the order of the rows.
        self.compare()
        for t in ('frozen', 'hot'):
            with self.assertRaises(psycopg2.errors.UniqueViolation):
                self.run_sql(f'UPDATE {t} SET id = CASE WHEN id = 90000 THEN 5 ELSE id END')
        self.compare()
        self.check_after_kill()
        self.compare()

    def test_who_waits(self):
        for end, sqlstate in (('commit', '40001'), ('rollback', None)):
            other = self.connect(isolation_level='REPEATABLE READ')
            other.cursor().execute('SELECT count(*) FROM frozen')
            changer = self.connect(isolation_level='READ COMMITTED')
            changer.cursor().execute('UPDATE frozen SET id = id + 1000000')
            result = {}

            def change():
                try:
                    other.cursor().execute(
                        'UPDATE frozen SET id = -id WHERE id % 2 = 1')
                    result['state'] = None
                except psycopg2.Error as error:
                    result['state'] = error.pgcode

            thread = threading.Thread(target=change)
            thread.start()
            deadline = time.monotonic() + 30
            while self.metric('omendb_transactions_waiting') == 0:
                self.assertLess(time.monotonic(), deadline, result)
            getattr(changer, end)()
            thread.join()
            self.assertEqual({'state': sqlstate}, result)
            other.rollback()
            other.close()
            changer.close()


class LittleMemoryTest(ConnectedTest):
    """In which copies of the rows have no room."""

    server_options = ('--memory', '100MB', '-c', 'omendb.freeze_after=0')
    setup_sql = f'''
        CREATE TABLE parents (id int PRIMARY KEY, v int);
        CREATE TABLE children (id int PRIMARY KEY, p int REFERENCES parents, v int, s text);
        INSERT INTO parents SELECT i, 0 FROM generate_series(1, {MANY}) g(i);
        INSERT INTO children SELECT i, i, 0, 'some text ' || i
          FROM generate_series(1, {MANY}) g(i);
        CREATE TABLE alone (id int PRIMARY KEY, v int);
        INSERT INTO alone SELECT i, 0 FROM generate_series(1, {MANY}) g(i)'''

    def resident_bytes(self):
        with open(f'/proc/{self.server.process.pid}/status', encoding='ascii') as file:
            for line in file:
                if line.startswith('VmHWM'):
                    return int(line.split()[1]) << 10
        return 0

    def test_many_rows(self):
        for statement in (f'UPDATE children SET p = {MANY} + 1 - p',
                          'UPDATE alone SET id = id + 10000000',
                          'UPDATE children SET p = NULL WHERE p <= 10',
                          'DELETE FROM parents WHERE id <= 10',
                          'UPDATE children SET p = 11 + p % 5',
                          'DELETE FROM parents WHERE id > 20'):
            self.cursor.execute(statement)
            self.assertGreaterEqual(self.cursor.rowcount, 10, statement)
        self.cursor.execute('SELECT count(*), sum(p), (SELECT min(id) FROM alone) FROM children')
        count, total, least = self.cursor.fetchone()
        self.assertEqual((MANY, 10000001), (count, least))
        self.assertEqual(sum(11 + p % 5 for p in range(11, MANY + 1)), total)
        self.assertLess(self.resident_bytes(), 300 << 20)


if __name__ == '__main__':
    unittest.main()
