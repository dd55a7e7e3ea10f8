#!/usr/bin/python3
"""COPY of many rows through psql, and analytical queries over them, against
PostgreSQL 15.

    bench/compare/copy.py [--rows 10000000] [--rounds 3]
"""

import argparse
import os
import random
import tempfile
import time

from peers import DurablePostgres, PSQL, durable_omendb, run_client, table, versions

TABLE = 'CREATE TABLE t (id int PRIMARY KEY, k int, v bigint, x double precision, s text)'
QUERIES = [
    ('GROUP BY 1,000 keys', 'SELECT k, count(*), sum(v) FROM t GROUP BY k'),
    ('filter and sum', 'SELECT sum(v) FROM t WHERE x < 0.1'),
    ('count distinct', 'SELECT count(DISTINCT k) FROM t'),
]


def write_rows(path, rows_count):
    rng = random.Random(7)
    with open(path, 'w', encoding='ascii') as file:
        for start in range(0, rows_count, 10000):
            file.write(''.join(
                f'{i}\t{rng.randrange(1000)}\t{rng.randrange(1 << 30)}\t{rng.random():.6f}\t'
                f'item {i}\n'
                for i in range(start, min(start + 10000, rows_count))))


def seconds(server, *commands):
    start = time.monotonic()
    run_client(server, [PSQL, '-X', '-q', '-v', 'ON_ERROR_STOP=1',
                        *[part for command in commands for part in ('-c', command)]])
    return time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rows', type=int, default=10_000_000)
    parser.add_argument('--rounds', type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix='omendb-copy-') as folder, \
            durable_omendb() as omendb, DurablePostgres() as postgres:
        print(versions(omendb, postgres))
        path = os.path.join(folder, 'rows.txt')
        write_rows(path, arguments.rows)
        copied = ([], [])
        for _ in range(arguments.rounds):
            for server, into in zip((omendb, postgres), copied):
                seconds(server, 'DROP TABLE IF EXISTS t', TABLE)
                into.append(arguments.rows / seconds(server, f"\\copy t FROM '{path}'"))
        table(f'COPY of {arguments.rows:,} rows of 5 columns into a table with a primary key',
              'rows/s', [('COPY', *copied)])
        seconds(postgres, 'VACUUM ANALYZE t')
        rows = []
        for name, query in QUERIES:
            rates = ([], [])
            for _ in range(arguments.rounds):
                for server, into in zip((omendb, postgres), rates):
                    into.append(arguments.rows / seconds(server, query))
            rows.append((name, *rates))
        table('queries over the same rows, psql included', 'rows/s', rows)


if __name__ == '__main__':
    main()
