#!/usr/bin/python3
"""Random changes by several open transactions against a model, by both executors at every snapshot.

Sessions with snapshots of their own insert, load, update, delete, upsert and re-key rows of tables
with primary keys of every shape; savepoints take some of it back. In between rows are frozen,
segments joined, checkpoints taken, indexes made, and the server starts again with more or less
memory. At every moment each session must find what the model says that its snapshot has: by the row
executor and by DuckDB, by scans, by every index, by keys and ranges, and in order.

$OMENDB_TEST_SEED and $OMENDB_TEST_STEPS (180) choose another sequence.
"""

import hashlib
import os
import random
import unittest

from omendb_server import OmenServer

SEED = int(os.environ.get('OMENDB_TEST_SEED', '20261201'))
STEPS = int(os.environ.get('OMENDB_TEST_STEPS', '180'))
SESSIONS = 3
LIVES = 3
MEMORY = ('64MB', '128MB', '1GB')
LOADED = 33_000  # rows that go straight to segments
ROWS_MAX = 60_000


def name_of(key):
    return f'the key of {key * 7919 % 1000} {"x" * (key % 9)}{key}'


def uuid_of(key):
    return hashlib.md5(str(key).encode()).hexdigest()


def columns_of(g):
    """What follows from an id, as SQL: grp, name, u."""
    return (f'({g} % 5)::int',
            f"'the key of ' || {g} * 7919 % 1000 || ' ' || repeat('x', ({g} % 9)::int) || {g}",
            f'md5({g}::text)::uuid')


# The primary key; how a row is found by it; in what order rows come by it.
SHAPES = {
    'integers': ('id', lambda key: f'id = {key}', lambda key: key),
    'composite': ('grp, name', lambda key: f"grp = {key % 5} AND name = '{name_of(key)}'",
                  lambda key: (key % 5, name_of(key).encode())),
    'names': ('name', lambda key: f"name = '{name_of(key)}'", lambda key: name_of(key).encode()),
    'uuids': ('u', lambda key: f"u = '{uuid_of(key)}'", lambda key: uuid_of(key)),
}


class Table:
    """Rows are {id: (v, t)}; the other columns follow from the id."""

    def __init__(self, name):
        self.name = name
        self.key, self.where, self.order = SHAPES[name]
        self.committed = {}

    def ddl(self):
        unique = '' if self.key == 'id' else f'CREATE UNIQUE INDEX ON {self.name} (id DESC);'
        return (f'CREATE TABLE {self.name} (id bigint NOT NULL, v integer, t text, '
                f'grp integer NOT NULL, name text NOT NULL, u uuid NOT NULL, '
                f'PRIMARY KEY ({self.key})); {unique}'
                f'CREATE INDEX {self.name}_v ON {self.name} (v DESC, grp);')


class Session:
    """One open transaction and what it must see. Sessions write other keys, so none waits."""

    def __init__(self, server, number, tables):
        self.connection = server.connect()
        self.connection.set_session(isolation_level='REPEATABLE READ')
        self.cursor = self.connection.cursor()
        self.number = number
        self.tables = tables
        self.begin()

    def begin(self):
        self.cursor.execute('SELECT 1')
        self.sees = {table.name: dict(table.committed) for table in self.tables}
        self.written = {table.name: set() for table in self.tables}
        self.savepoint = None

    def end(self, commit):
        if commit:
            self.connection.commit()
            for table in self.tables:
                sees = self.sees[table.name]
                for key in self.written[table.name]:
                    if key in sees:
                        table.committed[key] = sees[key]
                    else:
                        table.committed.pop(key, None)
        else:
            self.connection.rollback()
        self.begin()

    def state(self):
        return ({name: dict(rows) for name, rows in self.sees.items()},
                {name: set(keys) for name, keys in self.written.items()})

    def own(self, table):
        return [key for key in self.sees[table.name] if key % SESSIONS == self.number]


class Changes:
    """Each changes a table by one statement, and the session's model of it."""

    def __init__(self, rng):
        self.rng = rng
        self.next_key = 1000

    def fresh(self, count):
        first = self.next_key
        self.next_key += SESSIONS * count + self.rng.choice((0, 0, 5000))
        return first - first % SESSIONS

    def put(self, session, table, rows):
        session.sees[table.name].update(rows)
        session.written[table.name].update(rows)

    def insert(self, session, table):
        count = self.rng.choice((1, 5, 100, 1500, LOADED))
        if len(session.sees[table.name]) + count > ROWS_MAX:
            count = 5
        first = self.fresh(count) + session.number
        last = first + SESSIONS * (count - 1)
        session.cursor.execute(
            f'INSERT INTO {table.name} SELECT g, g % 1000, NULL, {", ".join(columns_of("g"))} '
            f'FROM generate_series({first}, {last}, {SESSIONS}) AS s (g)')
        self.put(session, table,
                 {key: (key % 1000, None) for key in range(first, last + 1, SESSIONS)})

    def span(self, session, table):
        own = sorted(session.own(table))
        if not own:
            return 0, 0, []
        at = self.rng.randrange(len(own))
        chosen = own[at:at + self.rng.choice((1, 3, 50, 2000, ROWS_MAX))]
        return chosen[0], chosen[-1], chosen

    def mine(self, session, low, high):
        return f'id BETWEEN {low} AND {high} AND id % {SESSIONS} = {session.number}'

    def update(self, session, table):
        low, high, keys = self.span(session, table)
        by = self.rng.randint(1, 9)
        session.cursor.execute(f"UPDATE {table.name} SET v = v + {by}, t = 'changed {by}' "
                               f'WHERE {self.mine(session, low, high)}')
        sees = session.sees[table.name]
        self.put(session, table, {key: (sees[key][0] + by, f'changed {by}') for key in keys})

    def update_one(self, session, table):
        _, _, keys = self.span(session, table)
        for key in keys[:5]:
            session.cursor.execute(f'UPDATE {table.name} SET v = -v WHERE {table.where(key)}')
            v, t = session.sees[table.name][key]
            self.put(session, table, {key: (-v, t)})

    def delete(self, session, table):
        low, high, keys = self.span(session, table)
        session.cursor.execute(f'DELETE FROM {table.name} WHERE {self.mine(session, low, high)}')
        for key in keys:
            del session.sees[table.name][key]
            session.written[table.name].add(key)

    def move(self, session, table):
        low, high, keys = self.span(session, table)
        if len(keys) > 4000:
            return
        by = self.fresh(high - low + 1) - low
        by += (session.number - (low + by)) % SESSIONS
        to = f'(id + {by})'
        session.cursor.execute(
            f'UPDATE {table.name} SET (id, grp, name, u) = ({to}, {", ".join(columns_of(to))}) '
            f'WHERE {self.mine(session, low, high)}')
        sees = session.sees[table.name]
        moved = {key + by: sees.pop(key) for key in keys}
        session.written[table.name].update(keys)
        self.next_key = max(self.next_key, high + by + 1)
        self.put(session, table, moved)

    def upsert(self, session, table):
        low, high, keys = self.span(session, table)
        v = self.rng.randrange(1000)
        session.cursor.execute(
            f'INSERT INTO {table.name} SELECT g, {v}, NULL, {", ".join(columns_of("g"))} FROM '
            f'generate_series({low}, {min(high, low + 5000)}) AS s (g) '
            f'WHERE g % {SESSIONS} = {session.number} '
            f'ON CONFLICT (id) DO UPDATE SET v = excluded.v, t = NULL')
        self.put(session, table, {key: (v, None)
                                  for key in range(low, min(high, low + 5000) + 1)
                                  if key % SESSIONS == session.number})

    ALL = (insert, insert, update, update_one, delete, move, upsert)

    def any(self, session, table):
        self.rng.choice(self.ALL)(self, session, table)


class SnapshotsTest(unittest.TestCase):

    def setUp(self):
        self.rng = random.Random(SEED)
        self.server = OmenServer('--memory', '1GB', '-c', 'omendb.freeze_after=1s')
        self.addCleanup(self.server.close)
        self.tables = [Table(name) for name in SHAPES]
        self.changes = Changes(self.rng)
        self.server.start()
        self.keep(*(table.ddl() for table in self.tables))

    def keep(self, *statements):
        connection = self.server.connect()
        connection.autocommit = True
        for statement in statements:
            connection.cursor().execute(statement)
        connection.close()

    def upkeep(self):
        table = self.rng.choice(self.tables).name
        self.keep(self.rng.choice((
            f'VACUUM (FREEZE) {table}', f'VACUUM (FREEZE) {table}', f'VACUUM (FULL) {table}',
            f'VACUUM {table}', 'CHECKPOINT')))

    # ---- What a session sees.

    def queries(self, table, rows):
        """SQL, and the rows that it must give in this order."""
        name, rng = table.name, self.rng
        keys = sorted(rows)
        by_key = sorted(rows, key=table.order)
        some = rng.choice(keys) if keys else 0
        low, high = sorted((some, rng.choice(keys) if keys else 0))
        v = rng.randrange(1000)
        limit = rng.choice((1, 10, 1000))
        grp = rng.randrange(5)
        every = (f'SELECT id, v, t FROM {name} ORDER BY {table.key}',
                 [(key, *rows[key]) for key in by_key])
        return rng.sample((
            every,
            (f'SELECT count(*), sum(v), min(id), max(id), count(t) FROM {name}',
             [(len(rows), sum(r[0] for r in rows.values()) if rows else None,
               min(keys, default=None), max(keys, default=None),
               sum(r[1] is not None for r in rows.values()))]),
            (f'SELECT id, v, t FROM {name} WHERE {table.where(some)}',
             [(some, *rows[some])] if some in rows else []),
            (f'SELECT id, v, t FROM {name} WHERE id = {some + 1}',
             [(some + 1, *rows[some + 1])] if some + 1 in rows else []),
            (f'SELECT id FROM {name} WHERE v = {v} ORDER BY id',
             [(key,) for key in keys if rows[key][0] == v]),
            (f'SELECT v, id FROM {name} WHERE v BETWEEN {v} AND {v + 3} ORDER BY v DESC, id',
             sorted(((rows[key][0], key) for key in keys if v <= rows[key][0] <= v + 3),
                    key=lambda pair: (-pair[0], pair[1]))),
            (f'SELECT id FROM {name} WHERE id BETWEEN {low} AND {high} ORDER BY id LIMIT {limit}',
             [(key,) for key in keys if low <= key <= high][:limit]),
            (f'SELECT id, v FROM {name} ORDER BY {table.key.replace(",", " DESC,")} DESC '
             f'LIMIT {limit}', [(key, rows[key][0]) for key in by_key[::-1][:limit]]),
            (f'SELECT grp, count(*) FROM {name} WHERE grp >= {grp} GROUP BY grp ORDER BY grp',
             [(g, n) for g in range(grp, 5) for n in [sum(key % 5 == g for key in keys)] if n]),
        ), 3)

    def check(self, session, table):
        for sql, expected in self.queries(table, session.sees[table.name]):
            for executor in self.rng.sample(('on', 'off'), 2):
                session.cursor.execute(f'SET omendb.row_executor = {executor}')
                session.cursor.execute(sql)
                found = session.cursor.fetchall()
                if found != expected:
                    self.fail(f'row executor {executor}: {sql}: {len(found)} rows, not '
                              f'{len(expected)}; {self.difference(found, expected)}')

    @staticmethod
    def difference(found, expected):
        wrong = [row for row in found if row not in set(expected)][:3]
        missing = [row for row in expected if row not in set(found)][:3]
        return f'wrong {wrong}, missing {missing}'

    # ---- What happens.

    def step(self, sessions):
        session, table = self.rng.choice(sessions), self.rng.choice(self.tables)
        dice = self.rng.random()
        if dice < 0.12:
            self.upkeep()
        elif dice < 0.22:
            session.end(commit=self.rng.random() < 0.8)
        elif dice < 0.30:
            self.mark(session)
        elif dice < 0.60:
            self.check(session, table)
        else:
            self.changes.any(session, table)

    def mark(self, session):
        if session.savepoint is None:
            session.cursor.execute('SAVEPOINT s')
            session.savepoint = session.state()
        else:
            session.cursor.execute('ROLLBACK TO s')
            session.cursor.execute('RELEASE s')
            session.sees, session.written = session.savepoint
            session.savepoint = None

    def test_both_executors_see_what_the_model_says(self):
        for life in range(LIVES):
            sessions = [Session(self.server, n, self.tables) for n in range(SESSIONS)]
            for _ in range(STEPS // LIVES):
                self.step(sessions)
            for session in sessions:
                for table in self.tables:
                    self.check(session, table)
                session.end(commit=True)
                session.connection.close()
            if life % 2 == 0:
                self.server.kill()
            else:
                self.server.stop()
            self.server.options[1] = self.rng.choice(MEMORY)
            self.server.start()
        session = Session(self.server, 0, self.tables)
        for table in self.tables:
            self.check(session, table)
        session.connection.close()


if __name__ == '__main__':
    unittest.main()
