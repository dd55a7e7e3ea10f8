#!/usr/bin/python3
"""A table with a secondary index whose entries exceed the memory: loads, lookups, writes, restarts.

Two binaries may be compared, each step of one followed by that of the other:

    bench/compare/secondary_index.py [--rows 10000000] [--memory 300MB] [--other BINARY] [--unique]
"""

import argparse
import os
import random
import time

import psycopg2
from peers import ROOT_BIN, OmenServer, own_memory_mb

BATCH_ROWS = 1_000_000
# v runs through all numbers below the prime, in no order of time.
PRIME = 999_999_937
FACTOR = 7_919_333


def value_of(number):
    return number * FACTOR % PRIME


class Peer:
    def __init__(self, binary, memory):
        os.environ['OMENDB_BINARY'] = binary
        self.server = OmenServer('--memory', memory)
        self.server.start()
        self.cursor = None
        self.reconnect()

    def reconnect(self):
        connection = self.server.connect()
        connection.autocommit = True
        self.cursor = connection.cursor()

    def timed(self, work):
        start = time.monotonic()
        try:
            work(self.cursor)
        except psycopg2.Error as error:
            return f'{error.pgcode} after {time.monotonic() - start:.1f} s'
        return f'{time.monotonic() - start:.2f} s'


def load(cursor, rows, unique):
    cursor.execute('CREATE TABLE t (id int PRIMARY KEY, v int, s text)')
    cursor.execute(f'CREATE {unique} INDEX t_v ON t (v)')
    for first in range(0, rows, BATCH_ROWS):
        cursor.execute('INSERT INTO t SELECT i, (i::bigint * %s %% %s)::int, md5(i::text) '
                       'FROM generate_series(%s, %s) AS g (i)',
                       (FACTOR, PRIME, first, min(rows, first + BATCH_ROWS) - 1))


def look_up(cursor, rows, count, seed):
    numbers = random.Random(seed)
    for _ in range(count):
        number = numbers.randrange(rows)
        cursor.execute('SELECT id FROM t WHERE v = %s', (value_of(number),))
        assert cursor.fetchall() == [(number,)]


def miss(cursor, rows, count, seed):
    numbers = random.Random(seed)
    for _ in range(count):
        cursor.execute('SELECT id FROM t WHERE v = %s', (value_of(rows + numbers.randrange(rows)),))
        assert cursor.fetchall() == []


def read_ranges(cursor, count, seed):
    numbers = random.Random(seed)
    for _ in range(count):
        low = numbers.randrange(PRIME)
        cursor.execute('SELECT v FROM t WHERE v >= %s ORDER BY v LIMIT 20', (low,))
        found = cursor.fetchall()
        assert found == sorted(found)


def update(cursor, rows, count, seed):
    numbers = random.Random(seed)
    for _ in range(count):
        cursor.execute('UPDATE t SET v = -v WHERE v = %s', (value_of(numbers.randrange(rows)),))


def insert(cursor, rows, count, unique):
    cursor.execute('INSERT INTO t SELECT i, (i::bigint * %s %% %s)::int, md5(i::text) '
                   'FROM generate_series(%s, %s) AS g (i)', (FACTOR, PRIME, rows, rows + count - 1))
    if unique:
        cursor.execute('INSERT INTO t SELECT -1 - i, (i::bigint * %s %% %s)::int, NULL '
                       'FROM generate_series(%s, %s) AS g (i) ON CONFLICT (v) DO NOTHING',
                       (FACTOR, PRIME, rows, rows + count - 1))
        assert cursor.rowcount == 0


def delete(cursor, count):
    cursor.execute('DELETE FROM t WHERE id < %s', (count,))


def restart(peer):
    peer.server.stop()
    start = time.monotonic()
    peer.server.start()
    seconds = time.monotonic() - start
    peer.reconnect()
    return f'{seconds:.2f} s, {own_memory_mb(peer.server)} MB at once'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rows', type=int, default=10_000_000)
    parser.add_argument('--memory', default='300MB')
    parser.add_argument('--other', help='a binary of before')
    parser.add_argument('--unique', action='store_true')
    parser.add_argument('--settle', type=int, default=40, help='seconds after the load')
    arguments = parser.parse_args()
    rows = arguments.rows
    unique = 'UNIQUE' if arguments.unique else ''
    binaries = [os.path.join(ROOT_BIN, 'omendb')] + ([arguments.other] if arguments.other else [])
    peers = [Peer(binary, arguments.memory) for binary in binaries]

    def both(name, work):
        figures = [peer.timed(work) + f' ({own_memory_mb(peer.server)} MB)' for peer in peers]
        print(f'{name}: ' + '; '.join(figures), flush=True)

    both(f'load of {rows} rows', lambda cursor: load(cursor, rows, unique))
    time.sleep(arguments.settle)
    print('at rest: ' + '; '.join(f'{own_memory_mb(peer.server)} MB' for peer in peers))
    for turn in range(3):
        both('5,000 lookups', lambda cursor, seed=turn: look_up(cursor, rows, 5000, seed))
    both('5,000 keys that are not there', lambda cursor: miss(cursor, rows, 5000, 4))
    both('1,000 ranges of 20', lambda cursor: read_ranges(cursor, 1000, 5))
    for _ in range(3):
        print('restart: ' + '; '.join(restart(peer) for peer in peers), flush=True)
    both('5,000 lookups', lambda cursor: look_up(cursor, rows, 5000, 6))
    both('5,000 updates of it', lambda cursor: update(cursor, rows, 5000, 7))
    both('100,000 rows inserted', lambda cursor: insert(cursor, rows, 100_000, arguments.unique))
    both('1,000,000 rows deleted', lambda cursor: delete(cursor, 1_000_000))
    both('all rows updated', lambda cursor: cursor.execute('UPDATE t SET v = -v'))
    both('an index made', lambda cursor: cursor.execute('CREATE INDEX t_s ON t (s)'))
    both('a unique index made',
         lambda cursor: cursor.execute('CREATE UNIQUE INDEX t_sv ON t (s, v)'))
    for peer in peers:
        peer.server.close()


if __name__ == '__main__':
    main()
