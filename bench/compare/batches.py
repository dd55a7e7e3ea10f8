#!/usr/bin/python3
"""Statements that look many keys up: IN lists, joins by key, foreign keys of many rows, INSERT ...
ON CONFLICT of many rows; OmenDB against another OmenDB, such as the one before a change.

    OMENDB_BINARY=build/release/omendb bench/compare/batches.py BEFORE [--rows 2000000]
        [--seconds 1] [--rounds 5] [--only TEXT]
"""

import argparse
import random
import statistics
import time

from peers import durable_omendb

# Rows come in an order that has nothing to do with that of the keys. So few at once stay in pages.
BATCH = 20_000
SCHEMA = '''
CREATE TABLE parents (id int PRIMARY KEY, code int UNIQUE, v int);
CREATE TABLE children (id int PRIMARY KEY, parent int, code int);
CREATE TABLE links (parent int REFERENCES parents);
'''


class Case:
    def __init__(self, name, rows):
        self.name = name
        self.rows = rows
        self.prepared = 'ON CONFLICT' in name and 'query' not in name

    def sql(self, rng):
        def keys(count):
            return ', '.join(str(rng.randrange(self.rows)) for _ in range(count))
        first = rng.randrange(self.rows - 1000)
        upsert = 'INSERT INTO parents (id, v) VALUES ' + ', '.join(
            f'({key}, {key})' for key in rng.sample(range(self.rows), 1000))
        query = ('INSERT INTO parents (id, v) SELECT (i::bigint * '
                 f'{rng.randrange(self.rows) | 1} + {first}) % {self.rows}, i '
                 'FROM generate_series(1, 1000) g(i)')
        return {
            'IN of 64 primary keys': f'SELECT sum(v) FROM parents WHERE id IN ({keys(64)})',
            'IN of 8 primary keys': f'SELECT sum(v) FROM parents WHERE id IN ({keys(8)})',
            'IN of 64 keys of a unique index':
                f'SELECT sum(v) FROM parents WHERE code IN ({keys(64)})',
            '1,000 rows joined by primary key':
                'SELECT sum(p.v) FROM children c JOIN parents p ON p.id = c.parent '
                f'WHERE c.id BETWEEN {first} AND {first + 999}',
            '1 row joined by primary key':
                'SELECT p.v FROM children c JOIN parents p ON p.id = c.parent '
                f'WHERE c.id = {first}',
            'foreign keys of 1,000 rows':
                'INSERT INTO links VALUES ' + ', '.join(
                    f'({rng.randrange(self.rows)})' for _ in range(1000)),
            'ON CONFLICT DO NOTHING of 1,000 rows': upsert + ' ON CONFLICT (id) DO NOTHING',
            'ON CONFLICT DO UPDATE of 1,000 rows':
                upsert + ' ON CONFLICT (id) DO UPDATE SET v = excluded.v',
            'ON CONFLICT DO NOTHING of a query': query + ' ON CONFLICT (id) DO NOTHING',
            'ON CONFLICT DO UPDATE of a query':
                query + ' ON CONFLICT (id) DO UPDATE SET v = excluded.v',
        }[self.name]


NAMES = ('IN of 64 primary keys', 'IN of 8 primary keys', 'IN of 64 keys of a unique index',
         '1,000 rows joined by primary key', '1 row joined by primary key',
         'foreign keys of 1,000 rows', 'ON CONFLICT DO NOTHING of 1,000 rows',
         'ON CONFLICT DO UPDATE of 1,000 rows', 'ON CONFLICT DO NOTHING of a query',
         'ON CONFLICT DO UPDATE of a query')


def fill(cursor, rows):
    cursor.execute(SCHEMA)
    for first in range(0, rows, BATCH):
        cursor.execute('INSERT INTO parents SELECT k, (k * 7919 + 5) %% %s, k %% 1000 FROM (SELECT '
                       'i::bigint * 1000003 %% %s AS k FROM generate_series(%s, %s) g(i)) s',
                       (rows, rows, first, first + BATCH - 1))
        cursor.execute('INSERT INTO children SELECT i, (i::bigint * 1000003 %% %s)::int, i FROM '
                       'generate_series(%s, %s) g(i)', (rows, first, first + BATCH - 1))


def rate(cursor, case, seconds, seed):
    rng = random.Random(seed)
    statements = [case.sql(rng) for _ in range(50 if case.prepared else 200)]
    if case.prepared:  # Planning a thousand rows takes longer than inserting them.
        cursor.execute('DEALLOCATE ALL')
        for i, statement in enumerate(statements):
            cursor.execute(f'PREPARE p{i} AS {statement}')
        statements = [f'EXECUTE p{i}' for i in range(len(statements))]
    done = 0
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        cursor.execute(statements[done % len(statements)])
        done += 1
    return done / (time.monotonic() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('before')
    parser.add_argument('--rows', type=int, default=2_000_000)  # no multiple of 7919, 1000003
    parser.add_argument('--seconds', type=float, default=1)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--only', default='', help='cases whose name has this in it')
    arguments = parser.parse_args()
    before = durable_omendb('-c', 'omendb.freeze_after=0')
    before.binary = arguments.before
    with before, durable_omendb('-c', 'omendb.freeze_after=0') as now:
        cursors = []
        for server in (before, now):
            connection = server.connect()
            connection.autocommit = True
            cursors.append(connection.cursor())
            fill(cursors[-1], arguments.rows)
        print('| case | before, statements/s | now | ratio |\n|---|---|---|---|')
        for case in (Case(name, arguments.rows) for name in NAMES if arguments.only in name):
            rates = ([], [])
            for seed in range(arguments.rounds):
                for cursor, into in zip(cursors, rates):
                    into.append(rate(cursor, case, arguments.seconds, seed))
            a, b = (statistics.median(r) for r in rates)
            print(f'| {case.name} | {a:,.0f} | {b:,.0f} | {b / a:.2f} |', flush=True)


if __name__ == '__main__':
    main()
