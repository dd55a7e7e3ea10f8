"""Analytics: OmenDB, with its rows in columnar segments, beside DuckDB (native, on disk) and
PostgreSQL 15, on the same generated rows, with answers compared.

    olap.py tpch|hits|series [--size N] [--rounds 3] [--hot] [--dirty] [--no-postgres]
            [--memory 300MB]

--rounds 0 compares answers only, as the test olap_answers does
--size   the scale factor of TPC-H (default 1), rows of the others (default 1,000,000)
--hot    leaves OmenDB's rows in pages
--dirty  changes 1 % of the rows of the greatest table, then deletes 1 %, after they were frozen
--memory what OmenDB, started again, and DuckDB have once the rows are loaded (before: 8 GB)

OmenDB and PostgreSQL answer over the wire, DuckDB in its own process; times are those of whole
statements. DuckDB has as many threads as OmenDB: one for each processor.
"""

import argparse
import datetime
import io
import itertools
import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

from peers import ROOT_BIN, DurablePostgres, durable_omendb, versions

HERE = os.path.dirname(os.path.abspath(__file__))
OLAP = os.path.join(HERE, '..', 'olap')
TABLES = {'tpch': ('region', 'nation', 'supplier', 'part', 'partsupp', 'customer', 'orders',
                   'lineitem'),
          'hits': ('hits',), 'series': ('series',)}
# PostgreSQL's advantage over scans: the natural indexes, beside the primary keys.
POSTGRES_INDEXES = {'tpch': ('lineitem (l_partkey)', 'lineitem (l_suppkey)',
                             'lineitem (l_shipdate)', 'orders (o_custkey)',
                             'orders (o_orderdate)', 'partsupp (ps_suppkey)'),
                    'hits': (), 'series': ()}
DIRTY = {'tpch': ('UPDATE lineitem SET l_tax = l_tax WHERE l_orderkey % 100 = 7',
                  'DELETE FROM lineitem WHERE l_orderkey % 100 = 9'),
         'hits': ('UPDATE hits SET is_refresh = is_refresh WHERE watch_id % 100 = 7',
                  'DELETE FROM hits WHERE watch_id % 100 = 9'),
         'series': ('UPDATE series SET reading = reading WHERE sensor % 100 = 7',
                    'DELETE FROM series WHERE sensor % 100 = 9')}
STATEMENT_LIMIT = '300s'
ROWS_IN_PAGES = 30_000  # A COPY of more writes segments.


class Query:
    def __init__(self, header, sql):
        self.name = header.split(':', 1)[0].strip()
        found = re.search(r'compare: (.*)$', header)
        self.columns = None  # all
        if found:
            self.columns = [] if found[1] == 'none' else [int(c) - 1 for c in found[1].split(',')]
        self.sql = sql.strip().rstrip(';')


def queries(suite, size):
    """The heads of the files say what is to be filled in."""
    with open(f'{OLAP}/queries/{suite}.sql', encoding='utf-8') as file:
        text = file.read()
    for name, value in (('fraction', f'{0.0001 / size:.10f}'), ('many', str(int(size / 1000))),
                        ('sums', ', '.join(f'sum(resolution_width + {i})' for i in range(90))),
                        ('hash', '8760181245154573363')):
        text = text.replace('{' + name + '}', value)
    parts = re.split(r'^-- (\d+: .*)$', text, flags=re.MULTILINE)
    return [Query(parts[i], parts[i + 1]) for i in range(1, len(parts), 2)]


class Wire:
    """OmenDB or PostgreSQL."""

    def __init__(self, server):
        self.server = server
        self.connection = server.connect()
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()

    def restart(self, memory):
        self.connection.close()
        self.server.stop()
        command = self.server.command()
        command[command.index('--memory') + 1] = memory
        self.server.command = lambda: command
        start = time.perf_counter()
        self.server.start()
        print(f'OmenDB: started again with {memory} in {time.perf_counter() - start:.1f} s')
        self.__init__(self.server)

    def resident(self):
        with open(f'/proc/{self.server.process.pid}/status', encoding='utf-8') as file:
            kib = re.search(r'VmHWM:\s+(\d+) kB', file.read())[1]
        return int(kib) / 1024

    def run(self, sql):
        start = time.perf_counter()
        self.cursor.execute(sql)
        rows = self.cursor.fetchall() if self.cursor.description else []
        return (time.perf_counter() - start) * 1e3, rows

    def load(self, table, path, hot=False):
        start = time.perf_counter()
        copy = f'COPY {table} FROM STDIN (FORMAT csv)'
        with open(path, 'rb') as file:
            if not hot:
                self.cursor.copy_expert(copy, file, size=1 << 20)
            while hot:
                part = b''.join(itertools.islice(file, ROWS_IN_PAGES))
                if not part:
                    break
                self.cursor.copy_expert(copy, io.BytesIO(part))
        return time.perf_counter() - start

    def bytes(self):
        total = 0
        for folder, _, files in os.walk(self.server.data_dir):
            if 'wal' not in os.path.basename(folder):
                total += sum(os.path.getsize(os.path.join(folder, f)) for f in files)
        return total


class Duck:
    def __init__(self, path):
        self.path = path
        self.process = subprocess.Popen([f'{ROOT_BIN}/bench/olap/bench_olap_duckdb', path],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, sql):
        text = sql.encode()
        self.process.stdin.write(b'%d\n' % len(text) + text)
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if 'error' in answer:
            raise RuntimeError(f'DuckDB: {answer["error"]}: {sql}')
        return answer['ms'], answer['rows']

    def load(self, table, path, hot=False):
        del hot
        return self.run(f"COPY {table} FROM '{path}' (FORMAT csv, HEADER false, "
                        f"ALLOW_QUOTED_NULLS false)")[0] / 1e3

    def bytes(self):
        return os.path.getsize(self.path)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def normal(value):
    """Numbers to nine digits, whatever wrote them; all else as text."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    text = value.isoformat(' ') if isinstance(value, datetime.datetime) else str(value)
    try:
        return float(f'{float(text):.9g}')
    except ValueError:
        return text.removesuffix(' 00:00:00')


def answers(query, rows):
    if query.columns == []:
        return len(rows)
    picked = [[row[c] for c in query.columns] if query.columns else row for row in rows]
    return sorted(([normal(v) for v in row] for row in picked),
                  key=lambda row: [(v is None, isinstance(v, str), v) for v in row])


def same(a, b):
    if isinstance(a, int) or isinstance(b, int):
        return a == b
    return len(a) == len(b) and all(
        x == y or (isinstance(x, float) and isinstance(y, float) and
                   math.isclose(x, y, rel_tol=1e-7))
        for row_a, row_b in zip(a, b) for x, y in zip(row_a, row_b))


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(v) for v in values))


def load(systems, suite, folder, frozen):
    schema = f'{folder}/schema.sql' if suite == 'hits' else f'{OLAP}/schema/{suite}.sql'
    with open(schema, encoding='utf-8') as file:
        create = file.read()
    for name, system in systems.items():
        for statement in create.split(';'):
            if statement.strip():
                system.run(statement)
        seconds = sum(system.load(table, f'{folder}/{table}.csv', name == 'OmenDB' and not frozen)
                      for table in TABLES[suite])
        print(f'{name}: loaded in {seconds:.1f} s', end='')
        start = time.perf_counter()
        if name == 'PostgreSQL':
            for index in POSTGRES_INDEXES[suite]:
                system.run(f'CREATE INDEX ON {index}')
            system.run('VACUUM ANALYZE')
        else:
            if name == 'OmenDB' and frozen:
                system.run('VACUUM (FREEZE)')
                print(f', frozen in {time.perf_counter() - start:.1f} s', end='')
            system.run('CHECKPOINT')
        print(f', {system.bytes() / 1e6:,.0f} MB on disk', flush=True)


def measure(systems, suite, size, rounds):
    """Medians by query and system, and how often a query failed or was answered differently."""
    medians = {}
    complaints = 0
    for query in queries(suite, size):
        times = {name: [] for name in systems}
        found = {}
        for round_number in range(rounds + 1):  # the first one warms
            for name, system in systems.items():
                try:
                    ms, rows = system.run(query.sql)
                except Exception as error:  # pylint: disable=broad-except
                    if round_number == 0:
                        complaints += 1
                        print(f'{suite} {query.name}: {name}: {str(error).strip()[:300]}')
                    continue
                if round_number == 0:
                    found[name] = answers(query, rows)
                else:
                    times[name].append(ms)
        for name, answer in found.items():
            if not same(answer, found.get('OmenDB', answer)):
                complaints += 1
                print(f'{suite} {query.name}: OmenDB and {name} answer differently: '
                      f'{str(found["OmenDB"])[:200]} / {str(answer)[:200]}')
        medians[query.name] = {name: statistics.median(t) for name, t in times.items() if t}
    return medians, complaints


def report(medians, systems):
    peers = [name for name in systems if name != 'OmenDB']
    print('\n| query | OmenDB ms | ' + ' | '.join(f'{p} ms | OmenDB/{p}' for p in peers) + ' |')
    print('|---|' + '---|' * (1 + 2 * len(peers)))
    for name, by_system in medians.items():
        ours = by_system.get('OmenDB')
        cells = [f'{ours:.1f}' if ours else '-']
        for peer in peers:
            theirs = by_system.get(peer)
            cells += [f'{theirs:.1f}' if theirs else '-',
                      f'{ours / theirs:.2f}' if ours and theirs else '-']
        print(f'| {name} | ' + ' | '.join(cells) + ' |')
    for peer in peers:
        ratios = [m['OmenDB'] / m[peer] for m in medians.values() if 'OmenDB' in m and peer in m]
        print(f'geometric mean of OmenDB\'s time over {peer}\'s, {len(ratios)} queries: '
              f'{geometric_mean(ratios):.2f}')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('suite', choices=sorted(TABLES))
    parser.add_argument('--size', type=float)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--hot', action='store_true')
    parser.add_argument('--dirty', action='store_true')
    parser.add_argument('--no-postgres', action='store_true')
    parser.add_argument('--memory')
    options = parser.parse_args()
    size = options.size or (1 if options.suite == 'tpch' else 1_000_000)
    with tempfile.TemporaryDirectory(prefix='omendb-olap-') as folder, \
            durable_omendb('-c', 'omendb.freeze_after=0') as omendb:
        subprocess.run([f'{ROOT_BIN}/bench/olap/bench_olap_generate', options.suite, f'{size:g}'
                        if options.suite == 'tpch' else str(int(size)), folder], check=True)
        systems = {'OmenDB': Wire(omendb), 'DuckDB': Duck(f'{folder}/duck.db')}
        postgres = None
        if not options.no_postgres:
            postgres = DurablePostgres('-c', 'work_mem=512MB', '-c', 'jit=off', '-c',
                                       'max_parallel_workers_per_gather=2')
            postgres.start()
            systems['PostgreSQL'] = Wire(postgres)
        try:
            print(versions(omendb, systems), f'and DuckDB, {options.suite}, '
                  f'size {size:g}, ' + ('hot' if options.hot else 'frozen') +
                  (', dirty' if options.dirty else ''))
            load(systems, options.suite, folder, not options.hot)
            if options.dirty:
                for statement in DIRTY[options.suite]:
                    for system in systems.values():
                        system.run(statement)
            if options.memory:
                systems['OmenDB'].restart(options.memory)
                systems['DuckDB'].run(f"SET memory_limit = '{options.memory}'")
            for name, system in systems.items():
                if name != 'DuckDB':
                    system.run(f"SET statement_timeout = '{STATEMENT_LIMIT}'")
            medians, complaints = measure(systems, options.suite, size, options.rounds)
            if options.rounds > 0:
                report(medians, systems)
            if options.memory:
                print(f"OmenDB: at most {systems['OmenDB'].resident():,.0f} MiB resident")
            if complaints:
                sys.exit(f'{complaints} answers are missing or differ')
        finally:
            systems['DuckDB'].close()
            if postgres is not None:
                postgres.close()


if __name__ == '__main__':
    main()
