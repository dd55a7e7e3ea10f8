"""The two servers of a comparison: OmenDB and PostgreSQL 15, both durable, both tuned, and how
their figures are put side by side: interleaved rounds, medians, ratios of medians.
"""

import os
import statistics
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', '..', 'tests', 'lib'))
from omendb_server import POSTGRES_BIN, OmenServer, PostgresServer  # noqa: E402

# Where the programs of bench/ are built.
ROOT_BIN = os.environ.get('OMENDB_BENCH_BIN') or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), '..', '..', 'build', 'release')
PGBENCH = f'{POSTGRES_BIN}/pgbench'
PSQL = f'{POSTGRES_BIN}/psql'


class DurablePostgres(PostgresServer):
    """As the tests' PostgreSQL, but with fsync and the memory that OmenDB has."""

    def __init__(self, *options):
        super().__init__('-c', 'fsync=on', '-c', 'shared_buffers=4GB', '-c', 'max_wal_size=8GB',
                         '-c', 'checkpoint_timeout=1h', *options)


def durable_omendb(*options):
    server = OmenServer(*options)
    plain = server.command

    def with_memory():
        command = plain()
        command[command.index('--memory') + 1] = '8GB'
        return command

    server.command = with_memory
    return server


class StartedPeer:
    """A server that runs, and a cursor of a connection to it that commits each statement."""

    def __init__(self, name, server):
        self.name = name
        self.server = server
        server.start()
        connection = server.connect()
        connection.autocommit = True
        self.cursor = connection.cursor()


def own_memory_mb(server):
    """What its process has resident beside mapped files."""
    with open(f'/proc/{server.process.pid}/status', encoding='ascii') as file:
        for line in file:
            if line.startswith('RssAnon'):
                return int(line.split()[1]) // 1024
    return 0


class Beside:
    """Calls work(cursor) on a connection of its own over and over, until it is left."""

    def __init__(self, server, work):
        self.server = server
        self.work = work
        self.count = 0  # of calls that have ended
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        connection = self.server.connect()
        connection.autocommit = True
        with connection.cursor() as cursor:
            while not self.stop.is_set():
                self.work(cursor)
                self.count += 1
        connection.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def run_client(server, arguments, **options):
    """Runs a libpq client against the server and returns what it printed; fails loudly."""
    done = subprocess.run(arguments, env=server.environment(), text=True, capture_output=True,
                          check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f'{arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}')
    return done.stdout


def versions(omendb, postgres):
    ours = subprocess.run([omendb.binary, '--version'], text=True, capture_output=True, check=True)
    theirs = subprocess.run([f'{POSTGRES_BIN}/postgres', '--version'], text=True,
                            capture_output=True, check=True)
    assert postgres is not None
    return f'{ours.stdout.strip()} against {theirs.stdout.strip()}'


def table(title, unit, rows):
    """rows: (name, OmenDB's figures, the peer's figures). Higher is better in `unit`."""
    print(f'\n{title} ({unit}, median of {len(rows[0][1])} interleaved rounds)\n')
    print('| case | OmenDB | PostgreSQL 15 | ratio | OmenDB min..max | PostgreSQL min..max |')
    print('|---|---|---|---|---|---|')
    for name, ours, theirs in rows:
        a, b = statistics.median(ours), statistics.median(theirs)
        print(f'| {name} | {a:,.0f} | {b:,.0f} | {a / b:.2f} | {min(ours):,.0f}..{max(ours):,.0f} '
              f'| {min(theirs):,.0f}..{max(theirs):,.0f} |')
    sys.stdout.flush()
