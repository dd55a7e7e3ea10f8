"""Changes of many rows at once that give them new keys, and INSERT ... ON CONFLICT of many: of a
table whose rows lie in segments, where they are replaced, and of one whose rows lie in pages."""

import os
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import psycopg2  # noqa: E402
from frozen_and_hot import ROWS, FrozenAndHotTest, TABLES  # noqa: E402

PROPOSED = '(SELECT i, i, i * 2, \'new\' FROM generate_series({first}, {last}) g(i))'
UPSERT = ('INSERT INTO {{t}} AS t (id, k, v, s) ' + PROPOSED + ' ON CONFLICT (id) DO UPDATE '
          'SET v = t.v + excluded.v, s = excluded.s')


class BulkKeysTest(FrozenAndHotTest):
    compared = (*FrozenAndHotTest.compared, 'SELECT id FROM {t} WHERE v = 50077',
                'SELECT k FROM {t} WHERE v < 50 ORDER BY v',
                'SELECT v FROM {t} WHERE v < 777777 ORDER BY v DESC LIMIT 100',
                'SELECT id FROM {t} WHERE k BETWEEN 500 AND 502 ORDER BY k, id')

    def make_indexes(self, table):
        self.run_sql(f'CREATE UNIQUE INDEX {table}_v ON {table} (v)')

    def in_pages(self):
        """Bytes."""
        return self.metric('omendb_memory_bytes{user="rows"}')

    def test_updates_of_indexed_columns(self):
        changes = ('v = v + 500000', 'k = k + 1, v = v - 1', 'k = 7 WHERE id % 3 <> 0',
                   'v = v + 3000000 WHERE v % 2 = 0')
        before = self.in_pages()
        for change in changes:
            self.run_sql('UPDATE frozen SET ' + change)
        self.assertLessEqual(self.in_pages(), before)  # None went to a page.
        for change in changes:
            self.run_sql('UPDATE hot SET ' + change)
        self.compare()
        self.run_sql('BEGIN')
        self.both('UPDATE {t} SET v = v + 1000000')
        self.both('UPDATE {t} SET k = k - 1')
        self.compare()
        self.run_sql('ROLLBACK')
        self.compare()
        self.run_sql('CHECKPOINT')
        self.check_after_kill()
        self.compare()

    def test_a_key_that_is_taken(self):
        for change in ('v = v / 2', 'v = 99999 - v / 2', 'v = v + 1 WHERE v < 99999'):
            for table in TABLES:
                with self.assertRaises(psycopg2.errors.UniqueViolation) as raised:
                    self.run_sql(f'UPDATE {table} SET {change}')
                self.assertEqual(f'{table}_v', raised.exception.diag.constraint_name)
                self.assertRegex(raised.exception.diag.message_detail, 'Key .v.=.* already exists')
            self.compare()
        self.check_after_kill()
        self.compare()

    def test_merge_gives_new_keys(self):
        self.both("""MERGE INTO {t} USING (SELECT i AS id FROM generate_series(0, 79999) g(i)) n
            ON {t}.id = n.id WHEN MATCHED AND n.id % 9 = 0 THEN DO NOTHING
            WHEN MATCHED THEN UPDATE SET v = {t}.v + 1000000, k = 1 - k""")
        self.compare()
        # The key that a row gives up is another's at once.
        self.both("""MERGE INTO {t}
            USING (SELECT i AS id FROM generate_series(80000, 119999) g(i)) n ON {t}.id = n.id
            WHEN MATCHED THEN UPDATE SET v = {t}.v + 2000000
            WHEN NOT MATCHED THEN INSERT (id, v) VALUES (n.id, n.id - 20000)""")
        self.compare()
        self.check_after_kill()
        self.compare()

    # ---- INSERT ... ON CONFLICT -----------------------------------------------------------------

    def upsert(self, first, last, rest=''):
        return UPSERT.format(first=first, last=last) + rest

    def drop_unique(self):
        for table in TABLES:
            self.run_sql(f'DROP INDEX {table}_v')

    def test_on_conflict_of_many_rows(self):
        self.drop_unique()
        self.assertEqual(ROWS + 5000, self.both(self.upsert(0, ROWS + 4999)))
        self.compare()
        self.both(self.upsert(10000, 99999, ' WHERE t.id % 4 <> 0'))
        self.compare()
        returned = [self.rows_of(self.upsert(0, 99999, ' RETURNING *').format(t=table))
                    for table in TABLES]
        self.assertEqual(sorted(returned[1]), sorted(returned[0]))
        self.run_sql('BEGIN')
        self.both(self.upsert(0, 80000))
        self.run_sql('ROLLBACK')
        self.compare()
        self.check_after_kill()
        self.compare()

    def test_on_conflict_stays_where_it_is(self):
        self.drop_unique()
        before = self.in_pages()
        self.run_sql(self.upsert(0, ROWS - 1).format(t='frozen'))
        # The first 32,768 rows are updated one by one.
        self.assertLess(self.in_pages() - before, 40_000 * 250)
        self.run_sql(self.upsert(0, ROWS - 1).format(t='hot'))
        self.compare()

    def test_on_conflict_with_unique_keys(self):
        self.both('UPDATE {t} SET v = v + 1000000')
        self.both('INSERT INTO {t} AS t (id, v) '
                  'SELECT i, i * 2 FROM generate_series(1, 99999) g(i) '
                  'ON CONFLICT (id) DO UPDATE SET v = excluded.v')
        self.compare()
        self.both('INSERT INTO {t} AS t (id, v) SELECT i + 200000, i '
                  'FROM generate_series(1, 99999) g(i) ON CONFLICT (v) DO UPDATE SET k = 5')
        self.compare()

    def test_a_row_twice(self):
        self.drop_unique()
        twice = ('INSERT INTO {t} AS t (id, v) '
                 'SELECT i % 99000, i FROM generate_series(0, 99500) g(i) '
                 'ON CONFLICT (id) DO UPDATE SET v = excluded.v')
        for table in TABLES:
            with self.assertRaises(psycopg2.errors.CardinalityViolation):
                self.run_sql(twice.format(t=table))
            self.compare()

    def test_on_conflict_beside_another_writer(self):
        self.drop_unique()
        for end, isolation, expected in (('commit', 'READ COMMITTED', None),
                                         ('rollback', 'READ COMMITTED', None),
                                         ('commit', 'REPEATABLE READ', '40001'),
                                         ('rollback', 'REPEATABLE READ', None)):
            change = ('UPDATE {t} SET v = v + 1000 WHERE id BETWEEN 70000 AND 70010',
                      'DELETE FROM {t} WHERE id BETWEEN 80000 AND 80010')
            other = self.connect(isolation_level='READ COMMITTED')
            for statement in change:
                other.cursor().execute(statement.format(t='frozen'))
            session = self.connect(isolation_level=isolation)
            cursor = session.cursor()
            cursor.execute('SELECT count(*) FROM frozen')
            ended = []

            def run(session=session, cursor=cursor, ended=ended):
                try:
                    cursor.execute(self.upsert(0, ROWS - 1).format(t='frozen'))
                    session.commit()
                    ended.append(None)
                except psycopg2.Error as error:
                    session.rollback()
                    ended.append(error.pgcode)

            thread = threading.Thread(target=run)
            thread.start()
            deadline = time.monotonic() + 60
            while self.metric('omendb_transactions_waiting') == 0:
                self.assertLess(time.monotonic(), deadline)
            getattr(other, end)()
            thread.join()
            other.close()
            session.close()
            self.assertEqual([expected], ended)
            if end == 'commit':
                for statement in change:
                    self.run_sql(statement.format(t='hot'))
            if expected is None:
                self.run_sql(self.upsert(0, ROWS - 1).format(t='hot'))
            self.compare()


if __name__ == '__main__':
    unittest.main()
