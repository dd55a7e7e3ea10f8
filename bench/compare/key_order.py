#!/usr/bin/python3
"""All rows of a table by its primary key, over the wire: OmenDB beside PostgreSQL 15, and beside
another OmenDB.

    bench/compare/key_order.py [--rows 10000000] [--memory 8GB] [--rounds 3] [--other BINARY]

Prints the medians of the time of the whole answer and of that until its first bytes, and the most
memory of its own that OmenDB's process had resident, rounds interleaved.
"""

import argparse
import os
import statistics
import threading
import time

from peers import ROOT_BIN, DurablePostgres, OmenServer, StartedPeer, own_memory_mb

BATCH_ROWS = 1_000_000
CASES = (('upward', 'SELECT * FROM t ORDER BY id'),
         ('downward', 'SELECT * FROM t ORDER BY id DESC'),
         ('a tenth of the rows', 'SELECT id, v FROM t WHERE v < 100 ORDER BY id'),
         ('a page far behind', 'SELECT * FROM t ORDER BY id LIMIT {rows_2} OFFSET {rows_5}'))


class Receiver:
    """Counts what comes, and keeps when the first did."""

    def __init__(self):
        self.start = time.monotonic()
        self.first = None
        self.bytes = 0

    def write(self, data):
        if self.first is None:
            self.first = time.monotonic() - self.start
        self.bytes += len(data)


class Peer(StartedPeer):
    resident = 0

    def load(self, rows):
        self.cursor.execute('CREATE TABLE t (id bigint PRIMARY KEY, v int, s text)')
        for first in range(0, rows, BATCH_ROWS):
            self.cursor.execute('INSERT INTO t SELECT i, i::bigint * 7919 %% 1000, md5(i::text) '
                                'FROM generate_series(%s, %s) AS g (i)',
                                (first, min(rows, first + BATCH_ROWS) - 1))
        self.cursor.execute('VACUUM (FREEZE, ANALYZE) t')

    def run(self, sql):
        stopped = threading.Event()

        def watch():
            while not stopped.wait(0.01):
                self.resident = max(self.resident, own_memory_mb(self.server))

        watcher = threading.Thread(target=watch)
        watcher.start()
        receiver = Receiver()
        self.cursor.copy_expert(f'COPY ({sql}) TO STDOUT', receiver)
        seconds = time.monotonic() - receiver.start
        stopped.set()
        watcher.join()
        return seconds, receiver.first, receiver.bytes


def omendb(binary, memory):
    os.environ['OMENDB_BINARY'] = binary
    return OmenServer('--memory', memory)


def compare(peers, name, sql, rounds):
    taken = {peer.name: [] for peer in peers}
    for peer in peers:
        peer.resident = 0
    for _ in range(rounds):
        for peer in peers:
            taken[peer.name].append(peer.run(sql))
    assert len({run[2] for runs in taken.values() for run in runs}) == 1, 'answers differ'
    for peer in peers:
        whole, first = (statistics.median(run[i] for run in taken[peer.name]) for i in (0, 1))
        print(f'| {name} | {peer.name} | {whole:.2f} s | {first * 1000:.0f} ms | '
              f'{peer.resident} MB |', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rows', type=int, default=10_000_000)
    parser.add_argument('--memory', default='8GB')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--other')
    arguments = parser.parse_args()
    ours = os.environ.get('OMENDB_BINARY', f'{ROOT_BIN}/omendb')
    peers = [Peer('OmenDB', omendb(ours, arguments.memory)), Peer('PostgreSQL', DurablePostgres())]
    if arguments.other:
        peers.append(Peer('other', omendb(arguments.other, arguments.memory)))
    for peer in peers:
        peer.load(arguments.rows)
    print('| rows | | all | first bytes | resident at most |\n|---|---|---|---|---|')
    for name, sql in CASES:
        compare(peers, name, sql.format(rows_2=arguments.rows // 50, rows_5=arguments.rows // 5),
                arguments.rounds)
    for peer in peers:
        peer.server.stop()


if __name__ == '__main__':
    main()
