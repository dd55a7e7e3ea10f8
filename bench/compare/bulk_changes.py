#!/usr/bin/python3
"""UPDATE, DELETE and MERGE of all rows of tables in segments, with foreign keys, their actions, new
keys, and rows that are referred to: time, and the most memory that the server had resident
meanwhile.

Two binaries may be compared, each statement of one followed by that of the other:

    bench/compare/bulk_changes.py [--rows 3000000] [--memory 300MB] [--other BINARY]
        [--group keys] [--group actions] [--group merge]
"""

import argparse
import os
import threading
import time

import psycopg2
from peers import ROOT_BIN, OmenServer

# Of each group, on a server of its own: what is made, and what is measured.
KEYS = (('CREATE TABLE parents (id int PRIMARY KEY, v int)',
         'CREATE TABLE children (id int PRIMARY KEY, p int REFERENCES parents, v int, s text)',
         'CREATE TABLE victims (id int PRIMARY KEY, v int)',
         'CREATE TABLE followers (id int PRIMARY KEY, p int REFERENCES victims ON DELETE CASCADE)',
         'CREATE TABLE alone (id int PRIMARY KEY, v int)',
         'INSERT INTO alone SELECT i, 0 FROM generate_series(1, {rows}) g (i)',
         'INSERT INTO parents SELECT i, 0 FROM generate_series(1, {rows}) g (i)',
         "INSERT INTO children SELECT i, i, 0, 'text ' || i FROM generate_series(1, {rows}) g (i)",
         'INSERT INTO victims SELECT i, 0 FROM generate_series(1, {rows}) g (i)',
         'INSERT INTO followers SELECT i, i * 10 FROM generate_series(1, {rows} / 10) g (i)'),
        ('UPDATE alone SET id = id + 10000000',
         'UPDATE children SET v = v + 1',
         'UPDATE parents SET v = v + 1',
         'UPDATE children SET p = 1 + id % 1000',
         'UPDATE children SET p = {rows} + 1 - id',
         'UPDATE children SET p = 5',
         'DELETE FROM parents WHERE id > 5',
         'DELETE FROM victims'))
ACTIONS = (('CREATE TABLE parents (id int PRIMARY KEY, v int)',
            'INSERT INTO parents SELECT i, 0 FROM generate_series(0, {rows}) g (i)',
            'CREATE TABLE few (id int PRIMARY KEY, v int)',
            'INSERT INTO few SELECT i, 0 FROM generate_series(0, 999) g (i)',
            'CREATE TABLE children (id int PRIMARY KEY, p int REFERENCES parents'
            ' ON DELETE SET NULL ON UPDATE CASCADE, f int DEFAULT 0 REFERENCES few'
            ' ON DELETE SET DEFAULT ON UPDATE CASCADE, s text)',
            "INSERT INTO children SELECT i, i, i % 1000, 'text ' || i"
            ' FROM generate_series(1, {rows}) g (i)'),
           ('UPDATE few SET id = id + 1000 WHERE id > 0',
            'DELETE FROM few WHERE id > 0',
            'DELETE FROM parents WHERE id % 2 = 0',
            'UPDATE parents SET id = id + 10000000',
            'DELETE FROM parents'))
MERGE = (('CREATE TABLE m (id int PRIMARY KEY, u int UNIQUE, s text)',
          "INSERT INTO m SELECT i, i, 'text ' || i FROM generate_series(1, {rows}) g (i)"),
         ('MERGE INTO m USING (SELECT i FROM generate_series(1, {rows} + 1000) g (i)) n ON id = i'
          ' WHEN MATCHED AND i % 10 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET u = u + 10000000'
          " WHEN NOT MATCHED THEN INSERT VALUES (i, i, 'new')",))
GROUPS = {'keys': KEYS, 'actions': ACTIONS, 'merge': MERGE}


class Watched:
    """The most memory that a process has resident while something runs."""

    def __init__(self, pid):
        self.path = f'/proc/{pid}/statm'
        self.most = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.ended.wait(0.01):
            with open(self.path, encoding='ascii') as file:
                self.most = max(self.most, int(file.read().split()[1]) * 4096)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


class Peer:
    def __init__(self, binary, memory):
        os.environ['OMENDB_BINARY'] = binary
        self.server = OmenServer('--memory', memory)
        self.server.start()
        connection = self.server.connect()
        connection.autocommit = True
        self.cursor = connection.cursor()

    def run(self, sql):
        start = time.monotonic()
        with Watched(self.server.process.pid) as watched:
            try:
                self.cursor.execute(sql)
                outcome = f'{self.cursor.rowcount} rows'
            except psycopg2.Error as error:
                outcome = error.pgcode
        return f'{time.monotonic() - start:.2f} s, {watched.most >> 20} MB, {outcome}'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rows', type=int, default=3_000_000)
    parser.add_argument('--memory', default='300MB')
    parser.add_argument('--other', help='another binary')
    parser.add_argument('--group', action='append', choices=GROUPS, help='default: all')
    arguments = parser.parse_args()
    binaries = [os.path.join(ROOT_BIN, 'omendb')] + ([arguments.other] if arguments.other else [])
    for group in arguments.group or GROUPS:
        peers = [Peer(binary, arguments.memory) for binary in binaries]
        for sql in sum(GROUPS[group], ()):
            sql = sql.format(rows=arguments.rows)
            print(sql[:90], *(peer.run(sql) for peer in peers), sep=' | ', flush=True)
        for peer in peers:
            peer.server.stop()


if __name__ == '__main__':
    main()
