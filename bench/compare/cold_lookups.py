#!/usr/bin/python3
"""Lookups by key of rows that lie in segments, in a database larger than its memory: how many reads
of files each takes, and how many bytes (TPC-H, /proc/PID/io), first ones and later ones.

    bench/compare/cold_lookups.py [--size 10] [--memory 600MB] [--lookups 3000] [--other BINARY]

--other  a binary that is asked for the same rows, in turn, on a database of its own
"""

import argparse
import os
import random
import subprocess
import tempfile
import time

from peers import ROOT_BIN, OmenServer, own_memory_mb

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'olap', 'schema',
                      'tpch.sql')
ORDERS = 1_500_000  # for each unit of size; eight of 32 numbers are keys
KINDS = (('orders, one column', 'SELECT o_totalprice FROM orders WHERE o_orderkey = {0}'),
         ('orders, three columns', 'SELECT o_totalprice, o_orderdate, o_clerk FROM orders '
                                   'WHERE o_orderkey = {0}'),
         ('lineitem, one column', 'SELECT l_extendedprice FROM lineitem '
                                  'WHERE l_orderkey = {0} AND l_linenumber = 1'))
SECONDS_AFTER_START = 20


class Peer:
    def __init__(self, binary, folder, memory):
        os.environ['OMENDB_BINARY'] = binary
        self.server = OmenServer('--memory', '4GB', '-c', 'omendb.freeze_after=0')
        self.server.start()
        self.load(folder)
        self.server.stop()
        self.server.options[1] = memory
        self.server.start()
        self.cursor = self.connect()

    def connect(self):
        connection = self.server.connect()
        connection.autocommit = True
        return connection.cursor()

    def load(self, folder):
        cursor = self.connect()
        with open(SCHEMA, encoding='utf-8') as file:
            cursor.execute(file.read())
        for table in ('orders', 'lineitem'):
            with open(f'{folder}/{table}.csv', 'rb') as file:
                cursor.copy_expert(f'COPY {table} FROM STDIN (FORMAT csv)', file, size=1 << 20)
        cursor.execute('VACUUM (FREEZE)')
        cursor.execute('CHECKPOINT')

    def reads(self):
        with open(f'/proc/{self.server.process.pid}/io', encoding='ascii') as file:
            figures = dict(line.split(': ') for line in file)
        return int(figures['syscr']), int(figures['rchar'])

    def look_up(self, sql, size, count, seed):
        """Reads and bytes of one; those of the connection are taken off."""
        numbers = random.Random(seed)
        self.cursor.execute('SELECT 1')
        calls, read_bytes = self.reads()
        for _ in range(count):
            order = numbers.randrange(int(ORDERS * size))
            self.cursor.execute(sql.format(order // 8 * 32 + order % 8 + 1))
            assert len(self.cursor.fetchall()) == 1
        calls_after, bytes_after = self.reads()
        return (calls_after - calls) / count, (bytes_after - read_bytes) / count


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--size', type=float, default=10)
    parser.add_argument('--memory', default='600MB')
    parser.add_argument('--lookups', type=int, default=3000)
    parser.add_argument('--other', help='a binary of before')
    options = parser.parse_args()
    binaries = [os.path.join(ROOT_BIN, 'omendb')] + ([options.other] if options.other else [])
    with tempfile.TemporaryDirectory(prefix='omendb-cold-') as folder:
        subprocess.run([f'{ROOT_BIN}/bench/olap/bench_olap_generate', 'tpch', f'{options.size:g}',
                        folder], check=True)
        peers = [Peer(binary, folder, options.memory) for binary in binaries]
    time.sleep(SECONDS_AFTER_START)
    for name, sql in KINDS:
        for turn in ('first', 'next'):
            figures = []
            for peer in peers:
                calls, read_bytes = peer.look_up(sql, options.size, options.lookups, turn)
                figures.append(f'{calls:.2f} reads, {read_bytes / 1000:.1f} KB '
                               f'({own_memory_mb(peer.server)} MB)')
            print(f'{name}, {turn} {options.lookups}: ' + '; '.join(figures), flush=True)
    for peer in peers:
        peer.server.close()


if __name__ == '__main__':
    main()
