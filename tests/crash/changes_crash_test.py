#!/usr/bin/python3
"""kill -9 under changes of many rows, at random moments.

Each worker has a table of its own, with a primary key of another shape, and changes it by
everything that moves rows between memory and segments: loads, updates and deletes of many rows or
one, of keys too, upserts, MERGE, savepoints, rollbacks, VACUUM (FREEZE and FULL), checkpoints,
indexes and columns that come and go. A model in memory follows. After every restart a table holds
what its model held after the last acknowledged transaction, or after the one in flight, by a scan
and through each of its indexes. Beside them a snapshot is read again and again.

$OMENDB_TEST_ROUNDS (12) and $OMENDB_TEST_SEED choose another sequence.
"""

import hashlib
import io
import os
import random
import subprocess
import threading
import time
import unittest
from contextlib import closing

import psycopg2

from omendb_server import OmenServer

ROUNDS = int(os.environ.get('OMENDB_TEST_ROUNDS', '12'))
SEED = int(os.environ.get('OMENDB_TEST_SEED', '20261201'))
OPTIONS = ('-c', 'omendb.freeze_after=1s')
ROWS_MAX = 100_000  # A load of 32,768 rows goes to segments at once.
MEMORY = ('64MB', '128MB', '1GB')
COLUMNS = 'id, k, v, u, t'

# The keys of tables; of the others than the first they follow from the id, which has an index of
# its own. How a row is found by its key; in what order rows come by it.
KEYS = (
    ('id bigint PRIMARY KEY', lambda key: f'id = {key}', 'id', lambda key: key),
    ("""id bigint NOT NULL UNIQUE, g integer GENERATED ALWAYS AS ((id % 7)::int) STORED,
        n text GENERATED ALWAYS AS ('row ' || id * 7919 % 1000 || ' or ' || id) STORED,
        PRIMARY KEY (g, n)""",
     lambda key: f"g = {key % 7} AND n = '{name_of(key)}'", 'g, n',
     lambda key: (key % 7, name_of(key))),
    ("""id bigint NOT NULL, x uuid GENERATED ALWAYS AS (md5(id::text)::uuid) STORED PRIMARY KEY,
        UNIQUE (id)""",
     lambda key: f"x = '{md5_of(key)}'", 'x', lambda key: md5_of(key)),
)
INDEXES = (None, 'CREATE UNIQUE INDEX ON t1 (n DESC)', 'CREATE UNIQUE INDEX ON t2 (id DESC, k)')


def ddl(number):
    """Of table t0, t1, ..."""
    table = (f'CREATE TABLE t{number} ({KEYS[number][0]}, k integer NOT NULL, v integer, '
             'u bigint UNIQUE, t text)')
    return [table, INDEXES[number]] if INDEXES[number] else [table]


def name_of(key):
    return f'row {key * 7919 % 1000} or {key}'


def md5_of(key):
    return hashlib.md5(str(key).encode()).hexdigest()


def row(key, v=0):
    return (key % 97, v, key * 3 + 1, 'x' * (key % 40))


class Changes:
    """Statements that change one table, each with what it does to the rows: {id: (k, v, u, t)}."""

    def __init__(self, table, seed):
        self.table = table
        self.random = random.Random(seed)
        self.next_key = 1
        self.upserts = 0

    def span(self, rows):
        """A range of keys with some of the rows."""
        keys = sorted(rows)
        if not keys:
            return 0, 0
        at = self.random.randrange(len(keys))
        end = min(len(keys) - 1, at + self.random.choice((1, 30, 1000, 5000, 60_000)))
        return keys[at], keys[end]

    def new_keys(self, rows):
        n = self.random.choice((1, 50, 2000, 6000, 40_000))
        if len(rows) + n > ROWS_MAX:
            n = 1
        first = self.next_key
        self.next_key += n + self.random.choice((0, 0, 10_000))
        return range(first, first + n)

    def load(self, rows):
        keys = self.new_keys(rows)
        sql = (f'INSERT INTO {self.table} ({COLUMNS}) SELECT g, g % 97, 0, g * 3 + 1, '
               f"repeat('x', g % 40) FROM generate_series({keys[0]}, {keys[-1]}) AS s (g)")
        return [sql], {**rows, **{key: row(key) for key in keys}}

    def copy(self, rows):
        keys = list(self.new_keys(rows))
        self.random.shuffle(keys)
        lines = ''.join('\t'.join(map(str, (key, *row(key)))) + '\n' for key in keys)
        return [('copy', lines)], {**rows, **{key: row(key) for key in keys}}

    def update_all(self, rows):
        by = self.random.randint(1, 9)
        return ([f'UPDATE {self.table} SET v = v + {by}'],
                {key: (k, v + by, u, t) for key, (k, v, u, t) in rows.items()})

    def update_span(self, rows):
        low, high = self.span(rows)
        by = self.random.randint(1, 96)
        return ([f'UPDATE {self.table} SET k = (k + {by}) % 97 WHERE id BETWEEN {low} AND {high}'],
                {key: ((r[0] + by) % 97, *r[1:]) if low <= key <= high else r
                 for key, r in rows.items()})

    def update_few(self, rows):
        changed, statements = dict(rows), []
        for key in self.random.sample(sorted(rows), min(len(rows), 10)):
            text = f'{key}-{self.random.randrange(1000)}'
            statements.append(f"UPDATE {self.table} SET t = '{text}' WHERE id = {key}")
            changed[key] = (*changed[key][:3], text)
        return statements, changed

    def move_keys(self, rows):
        low, high = self.span(rows)
        by = max(rows, default=0) - low + 1 + self.random.randrange(1000)
        self.next_key = max(self.next_key, high + by + 1)
        return ([f'UPDATE {self.table} SET id = id + {by}, u = -u WHERE id BETWEEN {low} AND '
                 f'{high}'],
                {key + by if low <= key <= high else key:
                 (r[0], r[1], -r[2], r[3]) if low <= key <= high else r
                 for key, r in rows.items()})

    def delete_span(self, rows):
        low, high = self.span(rows)
        return ([f'DELETE FROM {self.table} WHERE id BETWEEN {low} AND {high}'],
                {key: r for key, r in rows.items() if not low <= key <= high})

    def delete_class(self, rows):
        k = self.random.randrange(97)
        return ([f'DELETE FROM {self.table} WHERE k = {k}'],
                {key: r for key, r in rows.items() if r[0] != k})

    def upsert(self, rows):
        low, high = self.span(rows)
        high = min(high, low + 40_000)
        v = self.random.randrange(1000)
        self.upserts += 1
        base = self.upserts * 10**12
        changed = dict(rows)
        for key in range(low, high + 1):
            old = changed.get(key)
            changed[key] = (old[0], v, *old[2:]) if old else (key % 97, v, base + key, 'new')
        sql = (f'INSERT INTO {self.table} ({COLUMNS}) SELECT g, g % 97, {v}, g + {base}, '
               f"'new' FROM generate_series({low}, {high}) AS s (g) "
               'ON CONFLICT (id) DO UPDATE SET v = excluded.v')
        return ([sql], changed) if len(changed) <= 2 * ROWS_MAX else ([], rows)

    def merge(self, rows):
        low, high = self.span(rows)
        by = self.random.randint(1, 9)
        sql = (f'MERGE INTO {self.table} AS a USING generate_series({low}, {high}) AS s (g) '
               f'ON a.id = s.g WHEN MATCHED AND a.k < 10 THEN DELETE '
               f'WHEN MATCHED THEN UPDATE SET v = v + {by}')
        return ([sql], {key: (r[0], r[1] + by, *r[2:]) if low <= key <= high else r
                        for key, r in rows.items() if not (low <= key <= high and r[0] < 10)})

    def several(self, rows):
        """A transaction of several statements, some of them taken back."""
        statements = []
        for _ in range(self.random.randint(2, 4)):
            some, changed = self.random.choice(self.PLAIN)(self, rows)
            if self.random.random() < 0.3:
                statements += ['SAVEPOINT s', *some, 'ROLLBACK TO s']
            else:
                statements += some
                rows = changed
        return statements, rows

    def taken_back(self, rows):
        statements, _ = self.several(rows)
        return [*statements, 'rollback'], rows

    def empty(self, rows):
        return ([f'TRUNCATE {self.table}'], {}) if self.random.random() < 0.2 else ([], rows)

    def keep(self, rows):
        statement = self.random.choice((
            f'VACUUM (FREEZE) {self.table}', f'VACUUM (FREEZE) {self.table}',
            f'VACUUM (FULL) {self.table}', f'VACUUM {self.table}', 'CHECKPOINT'))
        return [('alone', statement)], rows

    def reindex(self, rows):
        name = f'{self.table}_k'
        return [f'DROP INDEX IF EXISTS {name}', *(
            [f'CREATE INDEX {name} ON {self.table} (k)'] if self.random.random() < 0.7 else [])
        ], rows

    def widen(self, rows):
        return [f'ALTER TABLE {self.table} DROP COLUMN IF EXISTS w',
                f'ALTER TABLE {self.table} ADD COLUMN w integer DEFAULT 7'], rows

    def recreate(self, rows):
        """Not the one that is read all the time."""
        if self.table == 't0':
            return [], rows
        statements = [f'DROP TABLE {self.table}', *ddl(int(self.table[1:]))]
        loaded, changed = self.load({})
        if self.random.random() < 0.5:
            return [*statements, *loaded, 'rollback'], rows
        return [*statements, *loaded], changed

    PLAIN = (load, copy, update_all, update_span, update_few, move_keys, delete_span, delete_class,
             upsert, merge)
    ALL = PLAIN + (load, copy, several, several, taken_back, empty, keep, keep, keep, keep, reindex,
                   widen, recreate)

    def any(self, rows):
        return self.random.choice(self.ALL)(self, rows)


class Worker(threading.Thread):
    def __init__(self, server, changes, rows):
        super().__init__(daemon=True)
        self.server = server
        self.changes = changes
        self.rows = rows        # after the last acknowledged transaction
        self.in_flight = rows   # if the one that was tried went through
        self.statements = []
        self.done = 0
        self.error = None

    def execute(self, connection, cursor, statements):
        for statement in statements:
            if statement == 'rollback':
                connection.rollback()
            elif isinstance(statement, str):
                cursor.execute(statement)
            elif statement[0] == 'copy':
                cursor.copy_expert(f'COPY {self.changes.table} ({COLUMNS}) FROM STDIN',
                                   io.StringIO(statement[1]))
            else:
                connection.commit()
                connection.autocommit = True
                cursor.execute(statement[1])
                connection.autocommit = False
        connection.commit()

    def run(self):
        try:
            with closing(self.server.connect()) as connection, connection.cursor() as cursor:
                while True:
                    self.statements, self.in_flight = self.changes.any(self.rows)
                    try:
                        self.execute(connection, cursor, self.statements)
                    except psycopg2.Error as error:
                        if error.pgcode != '53200':  # out of memory: nothing happened
                            raise
                        connection.rollback()
                        connection.autocommit = False
                        self.in_flight = self.rows
                    self.rows = self.in_flight
                    self.done += 1
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            if error.pgcode not in (None, '57P01', '57P02', '57P03'):
                self.error = (error, self.statements)
        except psycopg2.Error as error:
            self.error = (error, self.statements)


class Reader(threading.Thread):
    """A snapshot stays as it is, whatever moves where meanwhile."""

    SUMS = 'SELECT count(*), sum(id), sum(v), sum(k), min(u), max(u), sum(length(t)) FROM t0'

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        self.wrong = []
        self.reads = 0

    def sums(self, cursor):
        cursor.execute(self.SUMS)
        return cursor.fetchone()

    def run(self):
        try:
            with closing(self.server.connect()) as connection, connection.cursor() as cursor:
                connection.set_session(isolation_level='REPEATABLE READ')
                while True:
                    first = self.sums(cursor)
                    for _ in range(4):
                        again = self.sums(cursor)
                        if again != first:
                            self.wrong.append((first, again))
                    connection.commit()
                    self.reads += 1
        except psycopg2.Error:
            pass


class ChangesCrashTest(unittest.TestCase):

    def setUp(self):
        self.server = OmenServer(*OPTIONS)
        self.addCleanup(self.server.close)
        self.random = random.Random(SEED)
        self.server.start()
        with self.server.connect() as connection, connection.cursor() as cursor:
            for number in range(len(KEYS)):
                for statement in ddl(number):
                    cursor.execute(statement)
        connection.close()

    def load_until_kill(self, changes, tables):
        workers = [Worker(self.server, changes[n], tables[n]) for n in range(len(KEYS))]
        reader = Reader(self.server)
        for thread in (*workers, reader):
            thread.start()
        time.sleep(self.random.choice((0.1, 0.5, 1, 2, 3)) * self.random.random())
        self.server.kill()
        for thread in (*workers, reader):
            thread.join()
        self.assertEqual([], reader.wrong)
        self.assertEqual([], [w.error for w in workers if w.error])
        return workers

    def restart(self, round_number):
        self.server.options = [*OPTIONS, '--memory', self.random.choice(MEMORY)]
        if round_number % 4 == 3:
            self.server.launch()
            time.sleep(self.random.uniform(0.0, 0.2))
            self.server.kill()
        self.server.start()

    def found(self, cursor, worker):
        """The rows, which are one of the two that may be there."""
        table = worker.changes.table
        cursor.execute(f'SELECT {COLUMNS} FROM {table}')
        rows = cursor.fetchall()
        found = {r[0]: tuple(r[1:]) for r in rows}
        self.assertEqual(len(rows), len(found), f'{table}: a key twice')
        if found not in (worker.rows, worker.in_flight):
            self.fail(f'{table}: {self.difference(worker.rows, found)} from what was acknowledged, '
                      f'{self.difference(worker.in_flight, found)} from what was in flight: '
                      f'{str(worker.statements)[:300]}')
        return found

    @staticmethod
    def difference(expected, found):
        return (f'{len(expected.keys() - found.keys())} of {len(expected)} rows missing, '
                f'{len(found.keys() - expected.keys())} of {len(found)} too many, '
                f'{sum(found[k] != expected[k] for k in found.keys() & expected.keys())} other '
                f'(first {min(expected.items() ^ found.items(), default=None)})')

    def check_indexes(self, cursor, table, rows):
        _, where, order, place = KEYS[int(table[1:])]
        for key in self.random.sample(sorted(rows), min(len(rows), 20)):
            cursor.execute(f'SELECT {COLUMNS} FROM {table} WHERE id = {key}')
            self.assertEqual([(key, *rows[key])], cursor.fetchall())
            cursor.execute(f'SELECT {COLUMNS} FROM {table} WHERE u = {rows[key][2]}')
            self.assertEqual([(key, *rows[key])], cursor.fetchall())
            cursor.execute(f'SELECT {COLUMNS} FROM {table} WHERE {where(key)}')
            self.assertEqual([(key, *rows[key])], cursor.fetchall())
        cursor.execute(f'SELECT id FROM {table} ORDER BY {order}')
        self.assertEqual([(key,) for key in sorted(rows, key=place)], cursor.fetchall())
        for k in self.random.sample(range(97), 5):
            cursor.execute(f'SELECT id FROM {table} WHERE k = {k} ORDER BY id')
            self.assertEqual([(key,) for key in sorted(rows) if rows[key][0] == k],
                             cursor.fetchall(), f'{table}: k = {k}')
        cursor.execute(f'SELECT count(*), sum(v), min(id), max(u), count(t) FROM {table}')
        self.assertEqual((len(rows), sum(r[1] for r in rows.values()) if rows else None,
                          min(rows, default=None), max((r[2] for r in rows.values()), default=None),
                          len(rows)), cursor.fetchone(), table)

    def check(self, workers):
        tables = []
        with self.server.connect() as connection, connection.cursor() as cursor:
            for worker in workers:
                rows = self.found(cursor, worker)
                self.check_indexes(cursor, worker.changes.table, rows)
                tables.append(rows)
        connection.close()
        return tables

    def test_every_table_is_what_its_model_says(self):
        changes = [Changes(f't{n}', SEED + n) for n in range(len(KEYS))]
        tables = [{} for _ in KEYS]
        done = 0
        for round_number in range(ROUNDS):
            workers = self.load_until_kill(changes, tables)
            done += sum(worker.done for worker in workers)
            self.restart(round_number)
            tables = self.check(workers)
        print(f'{ROUNDS} kills, {done} transactions')
        self.assertGreater(done, ROUNDS)
        self.server.stop()
        subprocess.run([self.server.binary, 'check', '--data-dir', self.server.data_dir],
                       check=True, stdout=subprocess.DEVNULL)


if __name__ == '__main__':
    unittest.main()
