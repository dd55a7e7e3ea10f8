#!/usr/bin/python3
"""Restart after kill -9 with a log of about a gigabyte behind it, against PostgreSQL 15.

Both load the same rows in many committed COPYs without a checkpoint, are killed, and are timed
until the first query answers.

    bench/compare/restart.py [--megabytes 1000] [--rounds 3]
"""

import argparse
import io
import statistics
import time

from peers import DurablePostgres, durable_omendb, versions

BATCH_ROWS = 20_000
ROW_TEXT = 'x' * 80


def batch(start):
    return io.StringIO(''.join(f'{i}\t{i % 97}\t{ROW_TEXT}\n'
                               for i in range(start, start + BATCH_ROWS)))


def load(server, megabytes):
    connection = server.connect()
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute('CREATE TABLE t (id bigint PRIMARY KEY, k int, s text)')
    rows = 0
    while rows * 110 < megabytes * 1_000_000:
        cursor.copy_expert('COPY t FROM STDIN', batch(rows))
        rows += BATCH_ROWS
    connection.close()
    return rows


def restart_seconds(server, expected_rows):
    server.kill()
    start = time.monotonic()
    server.start()
    seconds = time.monotonic() - start
    connection = server.connect()
    cursor = connection.cursor()
    cursor.execute('SELECT count(*) FROM t')
    assert cursor.fetchone()[0] == expected_rows, 'rows were lost'
    connection.close()
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--megabytes', type=int, default=1000)
    parser.add_argument('--rounds', type=int, default=3)
    arguments = parser.parse_args()
    figures = ([], [])
    for _ in range(arguments.rounds):
        with durable_omendb() as omendb, DurablePostgres() as postgres:
            print(versions(omendb, postgres))
            for server, into in zip((omendb, postgres), figures):
                rows = load(server, arguments.megabytes)
                into.append(restart_seconds(server, rows))
    print(f'\nRestart after kill -9 with {arguments.megabytes} MB of row changes in the log: '
          f'OmenDB {statistics.median(figures[0]):.2f} s {figures[0]}, PostgreSQL '
          f'{statistics.median(figures[1]):.2f} s {figures[1]}')


if __name__ == '__main__':
    main()
