#!/usr/bin/python3
"""What a writer waits for while rows are frozen and segments compacted beside it: point updates by
key over all rows of a table to which another connection adds 30,000 rows at a time, with and
without a VACUUM (FREEZE) after each, in turn. The updates bring frozen rows back into pages, so
that segments fill with dead rows and are compacted, too.

    bench/compare/freeze_stall.py [--rows 2000000] [--clients 4] [--seconds 8] [--rounds 5]
"""

import argparse
import os
import statistics
import tempfile

from peers import PGBENCH, Beside, durable_omendb, run_client

BATCH = 30_000  # few enough to stay in pages until they are frozen
SCRIPT = r'''\set id random(1, {rows})
UPDATE accounts SET balance = balance + 1 WHERE id = :id;
'''


def latencies(server, script, clients, seconds, folder):
    """Microseconds of each transaction, sorted."""
    for name in os.listdir(folder):
        os.remove(os.path.join(folder, name))
    run_client(server, [PGBENCH, '-n', '-M', 'prepared', '-c', str(clients), '-j', '1', '-T',
                        str(seconds), '-l', '--log-prefix', f'{folder}/log', '-f', script,
                        server.database])
    found = []
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding='ascii') as file:
            found += [int(line.split()[2]) for line in file]
    return sorted(found)


def growing(freeze):
    """Adds rows, and freezes them when asked to."""
    def add(cursor):
        cursor.execute("INSERT INTO accounts SELECT nextval('ids'), 0, 'account' "
                       f'FROM generate_series(1, {BATCH})')
        if freeze:
            cursor.execute('VACUUM (FREEZE) accounts')
    return add


def at(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rows', type=int, default=2_000_000)
    parser.add_argument('--clients', type=int, default=4)
    parser.add_argument('--seconds', type=int, default=8)
    parser.add_argument('--rounds', type=int, default=5)
    options = parser.parse_args()
    figures = {'rows added': [], 'added and frozen': []}
    batches = dict.fromkeys(figures, 0)
    with durable_omendb('-c', 'omendb.freeze_after=0') as server, \
            tempfile.TemporaryDirectory(prefix='omendb-stall-') as folder:
        cursor = server.connect().cursor()
        cursor.connection.autocommit = True
        cursor.execute('CREATE TABLE accounts (id int PRIMARY KEY, balance bigint, name text)')
        cursor.execute("INSERT INTO accounts SELECT g, 0, 'account ' || g "
                       f'FROM generate_series(1, {options.rows}) g')
        cursor.execute(f'CREATE SEQUENCE ids START {options.rows + 1}')
        cursor.execute('VACUUM (FREEZE) accounts')
        script = f'{folder}/script.sql'
        os.mkdir(f'{folder}/logs')
        with open(script, 'w', encoding='ascii') as file:
            file.write(SCRIPT.format(rows=options.rows))
        for _ in range(options.rounds):
            for name, rounds in figures.items():
                with Beside(server, growing(name == 'added and frozen')) as adding:
                    rounds.append(latencies(server, script, options.clients, options.seconds,
                                            f'{folder}/logs'))
                batches[name] += adding.count
    print(f'{options.rows:,} rows, {options.clients} clients, medians of {options.rounds} '
          f'interleaved rounds of {options.seconds} s; batches of {BATCH:,} rows: {batches}\n')
    print('| | updates/s | p50 us | p99 us | p99.9 us | greatest us |\n|---|---|---|---|---|---|')
    for name, rounds in figures.items():
        cells = [statistics.median(len(r) / options.seconds for r in rounds)]
        cells += [statistics.median(at(r, share) for r in rounds)
                  for share in (0.5, 0.99, 0.999, 1)]
        print(f'| {name} | ' + ' | '.join(f'{c:,.0f}' for c in cells) + ' |')
    tail = [statistics.median(at(r, 0.999) for r in figures[name])
            for name in ('added and frozen', 'rows added')]
    print(f'\np99.9 with freezing over without: {tail[0] / tail[1]:.2f} (bar 2)')


if __name__ == '__main__':
    main()
