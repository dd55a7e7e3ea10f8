#!/usr/bin/python3
"""pgbench, unmodified, against OmenDB and PostgreSQL 15 on this machine, in turn.

    bench/compare/pgbench.py [--scale 10] [--clients 8] [--seconds 5] [--rounds 3]
"""

import argparse
import re
import time

from peers import DurablePostgres, PGBENCH, durable_omendb, run_client, table, versions

WORKLOADS = [('select only (-S)', ['-S']), ('simple update (-N)', ['-N']), ('TPC-B', [])]
PROTOCOLS = ['simple', 'extended', 'prepared']


def transactions_per_second(server, options, clients, seconds):
    output = run_client(server, [PGBENCH, '-n', '-c', str(clients), '-j', '2', '-T', str(seconds),
                                 *options, server.database])
    failed = re.search(r'number of failed transactions: (\d+)', output)
    if failed and failed.group(1) != '0':
        raise RuntimeError(output)
    return float(re.search(r'tps = ([\d.]+)', output).group(1))


def initialise(server, scale):
    start = time.monotonic()
    run_client(server, [PGBENCH, '-i', '-q', '-s', str(scale), server.database])
    return time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--scale', type=int, default=10)
    parser.add_argument('--clients', type=int, default=8)
    parser.add_argument('--seconds', type=float, default=5)
    parser.add_argument('--rounds', type=int, default=3)
    arguments = parser.parse_args()
    with durable_omendb() as omendb, DurablePostgres() as postgres:
        print(versions(omendb, postgres))
        print(f'pgbench -i -s {arguments.scale}: OmenDB {initialise(omendb, arguments.scale):.1f} s'
              f', PostgreSQL {initialise(postgres, arguments.scale):.1f} s')
        rows = []
        for name, options in WORKLOADS:
            for protocol in PROTOCOLS:
                figures = ([], [])
                for _ in range(arguments.rounds):
                    for server, into in zip((omendb, postgres), figures):
                        into.append(transactions_per_second(
                            server, ['-M', protocol, *options], arguments.clients,
                            int(arguments.seconds)))
                rows.append((f'{name}, {protocol}', *figures))
        table(f'pgbench scale {arguments.scale}, {arguments.clients} clients', 'transactions/s',
              rows)


if __name__ == '__main__':
    main()
