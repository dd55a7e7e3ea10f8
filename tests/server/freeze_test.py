"""Rows in columnar segments: a table that is frozen now and then and one that never is get the same
statements and must give the same answers, through both executors, over restarts and kills."""

import io
import os
import random
import re
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import psycopg2  # noqa: E402
from omendb_server import psql  # noqa: E402
from system_test import ConnectedTest, SystemTest  # noqa: E402

COLUMNS = '''id int PRIMARY KEY, k int, big bigint, small smallint, price numeric(12,2),
    wide numeric(30,5), ratio double precision, single real, name text, code varchar(12),
    fixed char(6), flag boolean, day date, at timestamp, zoned timestamptz, span interval,
    id2 uuid, doc jsonb, tags int[], words text[], raw bytea'''
# Row i, with every kind of NULL, few and many distinct values, runs and noise.
VALUES = '''i, CASE WHEN i % 17 = 0 THEN NULL ELSE i / 100 END, i::bigint * 1000003 - 5e11::bigint,
    (i % 7)::smallint, (i % 100000) / 100.0, i * 12345.67891, sqrt(i), (i % 13) / 4.0,
    CASE WHEN i % 11 = 0 THEN NULL ELSE 'name ' || i END, 'code ' || i % 50,
    CASE WHEN i % 3 = 0 THEN 'ab' ELSE 'a' || i % 10 END, i % 5 = 0, date '2020-01-01' + i % 1000,
    timestamp '2021-01-01' + i * interval '1 minute',
    timestamptz '2021-01-01+00' + i * interval '1 s',
    i % 40 * interval '1 hour', md5(i::text)::uuid, ('{"a": ' || i % 9 || '}')::jsonb,
    CASE WHEN i % 2 = 0 THEN ARRAY[i, NULL, 3] END, ARRAY['x' || i % 3, 'y'],
    decode(md5((i % 1000)::text), 'hex')'''
QUERIES = (
    'SELECT count(*), count(k), sum(big), min(name), max(zoned), avg(price) FROM {t}',
    'SELECT * FROM {t} WHERE id BETWEEN {a} AND {a} + 40 ORDER BY id',
    'SELECT * FROM {t} WHERE id = {a}',
    'SELECT id, name, tags, doc FROM {t} WHERE id IN ({a}, {a} + 777, 5) ORDER BY id',
    'SELECT k, count(*), sum(price), max(wide) FROM {t} WHERE k < 20 GROUP BY k ORDER BY k',
    'SELECT code, count(*), min(at), max(fixed) FROM {t} GROUP BY code ORDER BY code',
    'SELECT fixed, flag, count(*) FROM {t} GROUP BY 1, 2 ORDER BY 1, 2',
    "SELECT id FROM {t} WHERE name LIKE 'name 12%' ORDER BY id",
    "SELECT count(*) FROM {t} WHERE code = 'code 7' AND flag",
    'SELECT id FROM {t} WHERE k IS NULL AND id > {a} ORDER BY id LIMIT 20',
    'SELECT id, ratio FROM {t} WHERE ratio > 100 ORDER BY ratio DESC, id LIMIT 15',
    'SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.id = b.k WHERE b.small = 3 '
    'ORDER BY 1, 2 LIMIT 50',
    'SELECT day, sum(single), min(span), max(id2::text) FROM {t} GROUP BY day ORDER BY day '
    'LIMIT 40',
    'SELECT id FROM {t} WHERE big BETWEEN -3e11 AND -2.99e11 ORDER BY id',
    "SELECT id, raw FROM {t} WHERE doc->>'a' = '4' AND words[1] = 'x1' ORDER BY id LIMIT 30",
    'SELECT id, row_number() OVER (ORDER BY zoned DESC, id) FROM {t} ORDER BY 2 LIMIT 10',
)


class FreezeTest(ConnectedTest):
    rows = 40_000
    server_options = ('--memory', '512MB', '-c', 'omendb.freeze_after=0')

    def setUp(self):
        super().setUp()
        self.random = random.Random(20261129)
        self.run_sql('DROP TABLE IF EXISTS frozen, hot')
        for table in ('frozen', 'hot'):
            self.run_sql(f'CREATE TABLE {table} ({COLUMNS})')
            self.run_sql(f'CREATE INDEX ON {table} (k)')
            for first in (1, self.rows // 2 + 1):  # Too few at once to be loaded as segments.
                self.fill(table, first, first + self.rows // 2 - 1)

    def fill(self, table, first, last):
        self.run_sql(f'INSERT INTO {table} SELECT {VALUES} FROM '
                     f'generate_series({first}, {last}) g(i)')

    def run_sql(self, sql):
        self.cursor.execute(sql)
        return self.cursor.rowcount

    def rows_of(self, sql):
        try:
            self.cursor.execute(sql)
        except psycopg2.Error as error:
            self.fail(f'{sql}: {error}')
        return self.cursor.fetchall()

    def both(self, sql):
        """Runs a change on both tables."""
        counts = [self.run_sql(sql.format(t=table)) for table in ('frozen', 'hot')]
        self.assertEqual(counts[0], counts[1], sql)
        return counts[0]

    def compare(self):
        at = self.random.randrange(1, self.rows)
        for executor in ('on', 'off'):
            self.run_sql(f'SET omendb.row_executor = {executor}')
            for query in QUERIES:
                hot = self.rows_of(query.format(t='hot', a=at))
                self.assertEqual(hot, self.rows_of(query.format(t='frozen', a=at)),
                                 f'row_executor={executor}: {query.format(t="frozen", a=at)}')
        self.run_sql('RESET omendb.row_executor')

    def test_frozen_rows_answer_as_hot_ones(self):
        self.compare()
        self.run_sql('VACUUM (FREEZE) frozen')
        self.assertEqual(self.rows, self.metric('omendb_frozen_rows'))
        self.compare()

    def test_loaded_rows_answer_as_hot_ones(self):
        self.run_sql('TRUNCATE frozen')
        self.fill('frozen', 1, self.rows)
        self.assertEqual(self.rows, self.metric('omendb_frozen_rows'))
        self.compare()
        self.both("UPDATE {t} SET price = price + 1, name = 'new' WHERE id % 97 = 1")
        self.both('DELETE FROM {t} WHERE id % 89 = 2')
        self.connection.close()
        self.server.kill()
        self.server.start()
        self.connect()
        self.compare()

    def test_rows_are_copied_into_segments(self):
        copied = io.StringIO()
        self.cursor.copy_expert('COPY hot TO STDOUT', copied)
        copied.seek(0)
        lines = copied.readlines()
        for broken in (lines[:1], lines[-1:]):  # Its key is taken, and the error tells its line.
            self.run_sql('TRUNCATE frozen')
            with self.assertRaises(psycopg2.errors.UniqueViolation) as raised:
                self.cursor.copy_expert('COPY frozen FROM STDIN',
                                        io.StringIO(''.join(lines + broken)))
            self.assertEqual(f'COPY frozen, line {self.rows + 1}', raised.exception.diag.context)
        self.assertEqual([(0,)], self.rows_of('SELECT count(*) FROM frozen'))
        self.cursor.copy_expert('COPY frozen FROM STDIN', io.StringIO(''.join(lines)))
        self.assertEqual(self.rows, self.metric('omendb_frozen_rows'))
        for query in QUERIES:
            self.assertEqual(self.rows_of(query.format(t='hot', a=100)),
                             self.rows_of(query.format(t='frozen', a=100)), query)

    def test_changes_of_frozen_rows(self):
        self.run_sql('VACUUM (FREEZE) frozen')
        changed = self.both("UPDATE {t} SET price = price + 1, name = 'new' WHERE id % 97 = 1")
        self.assertGreater(changed, 0)
        self.assertGreater(self.both('DELETE FROM {t} WHERE id % 89 = 2'), 0)
        self.both('INSERT INTO {t} (id, k) SELECT i, 7 FROM generate_series(100001, 100500) g(i)')
        self.both("INSERT INTO {t} (id, name) VALUES (2, 'again'), (3, 'other') "
                  'ON CONFLICT (id) DO UPDATE SET name = excluded.name')
        self.compare()
        self.assertGreater(self.metric('omendb_frozen_rows_dead'), 0)
        self.run_sql('VACUUM (FREEZE) frozen')
        self.compare()

    def test_random_statements(self):
        for _ in range(40):
            low = self.random.randrange(0, self.rows)
            high = low + self.random.choice((0, 5, 300, 5000))
            step = self.random.choice((
                'UPDATE {t} SET k = k + 1 WHERE id BETWEEN LOW AND HIGH',
                "UPDATE {t} SET name = 'u' || id, tags = NULL WHERE id BETWEEN LOW AND HIGH",
                'UPDATE {t} SET id = id + 1000000 WHERE id BETWEEN LOW AND HIGH AND id % 50 = 0',
                'DELETE FROM {t} WHERE id BETWEEN LOW AND HIGH AND id % 3 = 0',
                'INSERT INTO {t} (id, k, code) SELECT i, i % 9, i FROM generate_series(LOW, HIGH) '
                'g(i) ON CONFLICT DO NOTHING'))
            self.both(step.replace('LOW', str(low)).replace('HIGH', str(high)))
            if self.random.random() < 0.3:
                self.run_sql(f"VACUUM ({self.random.choice(('FREEZE', 'FULL'))}) frozen")
            if self.random.random() < 0.1:
                self.run_sql('CHECKPOINT')
            if self.random.random() < 0.2:
                self.compare()
        self.compare()

    def test_a_snapshot_keeps_its_rows(self):
        reader = self.server.connect()
        reader.set_session(isolation_level='REPEATABLE READ')
        cursor = reader.cursor()
        cursor.execute('SELECT count(*), sum(big) FROM frozen')
        before = cursor.fetchall()
        self.run_sql('VACUUM (FREEZE) frozen')
        cursor.execute('SELECT count(*), sum(big) FROM frozen')
        self.assertEqual(before, cursor.fetchall())
        self.run_sql('DELETE FROM frozen WHERE id < 1000')
        self.run_sql('VACUUM (FREEZE) frozen')
        cursor.execute('SELECT count(*), sum(big) FROM frozen')
        self.assertEqual(before, cursor.fetchall())
        cursor.execute('SELECT name FROM frozen WHERE id = 500')
        self.assertEqual([('name 500',)], cursor.fetchall())
        reader.close()

    def test_restart_and_kill(self):
        self.run_sql('VACUUM (FREEZE) frozen')
        self.both('UPDATE {t} SET k = -1 WHERE id < 500')
        self.connection.close()
        self.server.kill()
        self.server.start()
        self.connect()
        self.compare()
        self.both('DELETE FROM {t} WHERE id % 10 = 0')
        self.run_sql('VACUUM (FREEZE)')
        self.connection.close()
        self.server.stop()
        self.server.start()
        self.connect()
        self.compare()

    def test_columns_that_come_and_go(self):
        self.run_sql('VACUUM (FREEZE) frozen')
        self.both("ALTER TABLE {t} ADD COLUMN later int DEFAULT 5")
        self.both('ALTER TABLE {t} DROP COLUMN flag')
        self.both('UPDATE {t} SET later = 6 WHERE id % 1000 = 0')
        for sql in ('SELECT later, count(*), sum(k) FROM {t} GROUP BY later ORDER BY later',
                    'SELECT * FROM {t} WHERE id BETWEEN 990 AND 1010 ORDER BY id'):
            self.assertEqual(self.rows_of(sql.format(t='hot')),
                             self.rows_of(sql.format(t='frozen')))
        self.run_sql('VACUUM (FREEZE) frozen')
        self.assertEqual(self.rows_of('SELECT * FROM hot ORDER BY id'),
                         self.rows_of('SELECT * FROM frozen ORDER BY id'))

    def test_explain_tells_of_blocks(self):
        self.run_sql('VACUUM (FREEZE) frozen')

        def blocks(sql):
            text = '\n'.join(row[0] for row in self.rows_of(f'EXPLAIN ANALYZE {sql}'))
            found = re.findall(r'Blocks ([A-Z a-z]+):\s+(\d+)', text)
            return {name: int(count) for name, count in found}

        every = -(-self.rows // 2048)
        first = blocks('SELECT sum(big * 2) FROM frozen')
        self.assertEqual((every, 0), (first['Read'], first['Skipped']))
        self.assertEqual({'Read': every, 'From Cache': every, 'Skipped': 0},
                         blocks('SELECT sum(big * 2) FROM frozen'))
        few = blocks('SELECT count(ratio) FROM frozen WHERE ratio < 40')
        self.assertLess(few['Read'], 4)
        self.assertGreaterEqual(few['Skipped'], every - 2)
        self.assertEqual({}, blocks('SELECT sum(big * 2) FROM hot'))

    def test_verbose_and_privileges(self):
        self.connection.notices.clear()
        self.run_sql('VACUUM (FREEZE, VERBOSE) frozen')
        self.assertIn(f'moved {self.rows} rows to columnar segments', self.connection.notices[-1])
        self.run_sql("DROP ROLE IF EXISTS stranger")
        self.run_sql('CREATE ROLE stranger')
        self.run_sql('SET ROLE stranger')
        self.run_sql('VACUUM (FREEZE) hot')
        self.run_sql('RESET ROLE')
        self.assertIn('permission denied to vacuum "hot", skipping it', self.connection.notices[-1])
        for sql in ('VACUUM (NONSENSE) hot', 'VACUUM (FREEZE maybe) hot', 'ANALYZE (FREEZE) hot'):
            with self.assertRaises(psycopg2.errors.SyntaxError):
                self.run_sql(sql)
        in_block = psql(self.server, 'BEGIN; VACUUM (FREEZE) hot;', check=False)
        self.assertIn('VACUUM cannot run inside a transaction block', in_block.stderr)


class ColdRowsTest(SystemTest):
    """The background: what nobody changes is frozen, what is changed all the time is not."""
    server_options = ('--memory', '512MB', '-c', 'omendb.freeze_after=2s')
    setup_sql = '''
        CREATE TABLE cold (id int PRIMARY KEY, v int);
        CREATE TABLE busy (id int PRIMARY KEY, v int);
        INSERT INTO cold SELECT i, i FROM generate_series(1, 50000) g(i);
        INSERT INTO busy SELECT i, i FROM generate_series(1, 50000) g(i)'''

    def test_cold_rows_are_frozen(self):
        connection = self.server.connect()
        connection.autocommit = True
        cursor = connection.cursor()
        metric = lambda name: FreezeTest.metric(self, name)
        deadline = time.monotonic() + 60
        while metric('omendb_frozen_rows') < 50_000 and time.monotonic() < deadline:
            cursor.execute('UPDATE busy SET v = v + 1 WHERE id % 4 = 0')
            time.sleep(0.1)
        self.assertGreaterEqual(metric('omendb_frozen_rows'), 50_000)
        cursor.execute('SELECT count(*), sum(v) FROM cold')
        self.assertEqual([(50_000, 1_250_025_000)], cursor.fetchall())
        cursor.execute('SELECT count(*) FROM busy')
        self.assertEqual([(50_000,)], cursor.fetchall())
        self.assertEqual(0, metric('omendb_freeze_failures_total'))
        connection.close()


if __name__ == '__main__':
    unittest.main()
