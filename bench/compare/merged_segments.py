#!/usr/bin/python3
"""A time series that comes in the order of time, asked by sensor: segments as they were loaded, and
put in the order of the key (sensor, time), beside PostgreSQL 15, clustered and not.

    bench/compare/merged_segments.py [--rows 10000000] [--sensors 1000] [--memory 4GB] [--rounds 3]

Prints the medians of each query's time on one connection, rounds interleaved, the size, and how
long putting the rows in order took: VACUUM (FULL) and CLUSTER.
"""

import argparse
import os
import statistics
import time

from peers import ROOT_BIN, DurablePostgres, OmenServer, StartedPeer, own_memory_mb

BATCH_ROWS = 1_000_000
SENSOR = 'sensor = %s'
CASES = (
    ('all rows of a sensor, averaged', f'SELECT count(*), avg(v) FROM t WHERE {SENSOR}', 20),
    ('a hundredth of them', 'SELECT at, v FROM t WHERE sensor = %s AND at >= {middle} '
     'AND at < {middle} + {hundredth} ORDER BY at', 50),
    ('their last value', f'SELECT at, v FROM t WHERE {SENSOR} ORDER BY at DESC LIMIT 1', 100),
    ('ten sensors by day', 'SELECT sensor, date_trunc(\'day\', at), max(v) FROM t WHERE sensor '
     'BETWEEN %s AND %s + 9 GROUP BY 1, 2', 5),
    ('all rows by sensor', 'SELECT sensor, sum(v), min(at), max(at) FROM t GROUP BY sensor', 2),
)


class Peer(StartedPeer):
    def timed(self, sql):
        start = time.monotonic()
        self.cursor.execute(sql)
        return time.monotonic() - start

    def load(self, arguments):
        self.cursor.execute('CREATE TABLE t (sensor int, at timestamp, v double precision, '
                            'note text, PRIMARY KEY (sensor, at))')
        for first in range(0, arguments.rows, BATCH_ROWS):
            last = min(arguments.rows, first + BATCH_ROWS) - 1
            self.cursor.execute(
                f"INSERT INTO t SELECT i %% {arguments.sensors}, timestamp '2026-01-01' + "
                "i * interval '0.1 second', sqrt(i %% 10007), 'state ' || i %% 11 "
                'FROM generate_series(%s, %s) AS g (i)', (first, last))
        self.cursor.execute('VACUUM (FREEZE, ANALYZE) t')

    def run(self, sql, times, arguments):
        """Seconds of each of so many, of sensors that differ; and the last answer."""
        taken = []
        for number in range(times):
            sensor = number * 37 % (arguments.sensors - 10)
            start = time.monotonic()
            self.cursor.execute(sql, (sensor,) * sql.count('%s'))
            answer = self.cursor.fetchall()
            taken.append(time.monotonic() - start)
        return statistics.median(taken), sorted(answer)

    def megabytes(self):
        if self.name == 'PostgreSQL':
            self.cursor.execute("SELECT pg_total_relation_size('t')")
            return self.cursor.fetchone()[0] / 1e6
        folder = os.path.join(self.server.data_dir, 'segments')
        return sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)) / 1e6


def compare(peers, what, arguments):
    seconds = arguments.rows / 10
    places = {'middle': f"timestamp '2026-01-01' + interval '{seconds / 2:.0f} seconds'",
              'hundredth': f"interval '{seconds / 100:.0f} seconds'"}
    for name, sql, times in CASES:
        sql = sql.format(**places)
        taken = {peer.name: [] for peer in peers}
        for _ in range(arguments.rounds):
            answers = []
            for peer in peers:
                seconds_each, answer = peer.run(sql, times, arguments)
                taken[peer.name].append(seconds_each)
                answers.append(answer)
            assert len(answers[0]) == len(answers[1]), f'{name}: the answers differ'
        ours, theirs = (statistics.median(taken[peer.name]) * 1000 for peer in peers)
        print(f'| {name} | {what} | {ours:.2f} ms | {theirs:.2f} ms | {ours / theirs:.2f} |',
              flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rows', type=int, default=10_000_000)
    parser.add_argument('--sensors', type=int, default=1000)
    parser.add_argument('--memory', default='4GB')
    parser.add_argument('--rounds', type=int, default=3)
    arguments = parser.parse_args()
    os.environ.setdefault('OMENDB_BINARY', f'{ROOT_BIN}/omendb')
    omendb = Peer('OmenDB', OmenServer('--memory', arguments.memory))
    postgres = Peer('PostgreSQL', DurablePostgres())
    peers = (omendb, postgres)
    for peer in peers:
        peer.load(arguments)
    print('| query | rows | OmenDB | PostgreSQL | ratio |\n|---|---|---|---|---|')
    compare(peers, 'as loaded', arguments)
    sizes = [peer.megabytes() for peer in peers]
    ours = omendb.timed('VACUUM (FULL) t')
    theirs = postgres.timed('CLUSTER t USING t_pkey')
    postgres.cursor.execute('ANALYZE t')
    omendb.cursor.execute('CHECKPOINT')
    print(f'put in order: OmenDB {ours:.1f} s, PostgreSQL {theirs:.1f} s')
    compare(peers, 'in order', arguments)
    print(f'as loaded {sizes[0]:.0f} and {sizes[1]:.0f} MB, in order '
          f'{omendb.megabytes():.0f} and {postgres.megabytes():.0f} MB; '
          f'OmenDB resident {own_memory_mb(omendb.server)} MB')
    for peer in peers:
        peer.server.stop()


if __name__ == '__main__':
    main()
