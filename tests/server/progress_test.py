"""Progress of long statements: pg_stat_progress_* as in PostgreSQL, pg_stat_progress_query, and
notices on request.

Nothing here depends on how fast anything is: a statement is held up by its client, by a lock, or by
the size of its work, and looked at until it is seen.
"""

import os
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import psycopg2  # noqa: E402
from omendb_server import PostgresServer  # noqa: E402
from system_test import SystemTest  # noqa: E402
from wire_client import WireClient, fields  # noqa: E402

PATIENCE_S = 60
WIDE_ROWS = 20000
POSTGRES_VIEWS = ['pg_stat_activity'] + [
    f'pg_stat_progress_{name}'
    for name in ('analyze', 'basebackup', 'cluster', 'copy', 'create_index', 'vacuum')]


class ProgressTest(SystemTest):
    setup_sql = f'''
        CREATE TABLE narrow (id int PRIMARY KEY, v int);
        CREATE TABLE wide (id int PRIMARY KEY, s text);
        INSERT INTO wide SELECT g, repeat('x', 2000) FROM generate_series(1, {WIDE_ROWS}) g;
        CREATE TABLE many (id int, v int);
        INSERT INTO many SELECT g, g % 1000 FROM generate_series(1, 100000) g;
        CREATE TABLE locked (id int PRIMARY KEY, v int);
        INSERT INTO locked SELECT g, 0 FROM generate_series(1, 1000) g;
        CREATE ROLE other LOGIN'''

    def setUp(self):
        self.watcher = self.server.connect()
        self.watcher.autocommit = True
        self.client = WireClient(self.server)

    def tearDown(self):
        self.client.close()
        self.watcher.close()

    def rows(self, sql, connection=None):
        cursor = (connection or self.watcher).cursor()
        cursor.execute(sql)
        columns = [column.name for column in cursor.description]
        return [dict(zip(columns, row)) for row in cursor.fetchall()]

    def seen(self, view, is_so=lambda row: True, connection=None):
        """The client's row of the view, once it is so."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            rows = self.rows(f'SELECT * FROM {view} WHERE pid = {self.client.pid}', connection)
            if rows and is_so(rows[0]):
                return rows[0]
        self.fail(f'not seen in {view}')

    def assert_ended(self):
        for view in ('copy', 'create_index', 'query'):
            self.assertEqual([], self.rows(f'SELECT * FROM pg_stat_progress_{view} '
                                           f'WHERE pid = {self.client.pid}'))

    def oid(self, table):
        return self.rows(f"SELECT '{table}'::regclass::oid AS oid")[0]['oid']

    # ---- Views
    def test_columns_are_postgresqls(self):
        def columns(connection, view):
            cursor = connection.cursor()
            cursor.execute(f'SELECT * FROM {view} WHERE false')
            return [(column.name, column.type_code) for column in cursor.description]

        with PostgresServer() as postgres:
            oracle = postgres.connect()
            for view in POSTGRES_VIEWS:
                ours, theirs = (columns(c, view) for c in (self.watcher, oracle))
                if view == 'pg_stat_activity':  # xid and inet stand as other types
                    ours, theirs = ([name for name, _ in side] for side in (ours, theirs))
                self.assertEqual(theirs, ours, view)
            oracle.close()
        self.assertEqual(
            ['pid', 'datid', 'datname', 'engine', 'phase', 'percent_done', 'rows_processed',
             'rows_total', 'rows_written', 'blocks_read', 'blocks_from_cache', 'blocks_skipped'],
            [name for name, _ in columns(self.watcher, 'pg_stat_progress_query')])

    def test_copy_from_counts_what_has_come(self):
        data = [b''.join(b'%d\t%d\n' % (i, i) for i in range(part * 5000, part * 5000 + 5000))
                for part in range(2)]
        self.client.query('COPY narrow FROM STDIN')
        self.assertEqual('G', self.client.message()[0])
        self.client.send('d', data[0])
        row = self.seen('pg_stat_progress_copy', lambda row: row['tuples_processed'] == 5000)
        database = self.rows('SELECT oid, datname FROM pg_database '
                             'WHERE datname = current_database()')[0]
        self.assertEqual(
            {'pid': self.client.pid, 'datid': database['oid'], 'datname': database['datname'],
             'relid': self.oid('narrow'), 'command': 'COPY FROM', 'type': 'PIPE',
             'bytes_processed': len(data[0]), 'bytes_total': 0, 'tuples_processed': 5000,
             'tuples_excluded': 0}, row)
        self.client.send('d', data[1])
        self.seen('pg_stat_progress_copy', lambda row: row['tuples_processed'] == 10000)
        self.client.send('c')
        self.assertEqual([('C', b'COPY 10000\0'), ('Z', b'I')], list(self.client.messages()))
        self.assert_ended()
        self.assertEqual([{'count': 10000}], self.rows('SELECT count(*) FROM narrow'))

    def test_copy_from_that_fails_is_not_shown(self):
        self.client.query('COPY narrow FROM STDIN')
        self.client.message()
        self.client.send('d', b'1\tnone\n')
        self.client.send('c')
        self.assertEqual(['E', 'Z'], [kind for kind, _ in self.client.messages()])
        self.assert_ended()

    def test_copy_to_counts_what_was_sent(self):
        self.client.query('COPY wide TO STDOUT')  # which is not read, more than sockets hold
        row = self.seen('pg_stat_progress_copy', lambda row: row['tuples_processed'] > 0)
        self.assertEqual(('COPY TO', 'PIPE', self.oid('wide')),
                         (row['command'], row['type'], row['relid']))
        self.assertLess(row['tuples_processed'], WIDE_ROWS)
        self.assertGreater(row['bytes_processed'], 2000 * row['tuples_processed'])
        messages = list(self.client.messages())
        self.assertEqual(WIDE_ROWS, sum(1 for kind, _ in messages if kind == 'd'))
        self.assert_ended()

    def test_copy_of_a_query_has_no_table(self):
        self.client.query('COPY (SELECT id, s || id FROM wide) TO STDOUT')
        row = self.seen('pg_stat_progress_copy', lambda row: row['tuples_processed'] > 0)
        self.assertEqual(0, row['relid'])
        self.seen('pg_stat_progress_query', lambda row: row['rows_total'] == WIDE_ROWS)
        for _ in self.client.messages():
            pass
        self.assert_ended()

    def test_index_builds_are_shown(self):
        def build():
            while not done.is_set():
                for sql in ('CREATE INDEX many_v ON many (v)', 'REINDEX INDEX many_v',
                            'DROP INDEX many_v'):
                    self.client.query(sql)
                    for _ in self.client.messages():
                        pass

        done = threading.Event()
        builder = threading.Thread(target=build)
        builder.start()
        try:
            for command in ('CREATE INDEX', 'REINDEX'):
                row = self.seen('pg_stat_progress_create_index',
                                lambda row: row['command'] == command and row['tuples_total'] > 0)
                self.assertEqual(self.oid('many'), row['relid'])
                self.assertEqual(100000, row['tuples_total'])
                self.assertLessEqual(row['tuples_done'], 100000)
                self.assertIn(row['phase'], ('building index: scanning table',
                                             'building index: loading tuples in tree'))
        finally:
            done.set()
            builder.join()
        self.assert_ended()

    def test_a_query_whose_client_reads_nothing(self):
        self.client.query('SELECT id, s FROM wide WHERE s LIKE \'x%\'')
        row = self.seen('pg_stat_progress_query', lambda row: row['percent_done'])
        self.assertEqual(('duckdb', 'executing', WIDE_ROWS),
                         (row['engine'], row['phase'], row['rows_total']))
        self.assertGreater(row['rows_processed'], 0)
        self.assertLessEqual(row['rows_processed'], WIDE_ROWS)
        self.assertLessEqual(row['percent_done'], 100)
        rows = sum(1 for kind, _ in self.client.messages() if kind == 'D')
        self.assertEqual(WIDE_ROWS, rows)
        self.assert_ended()

    def test_a_long_query_gets_on(self):
        self.client.query('SELECT sum((a.v * b.v) % 7) FROM many a CROSS JOIN many b')
        first = self.seen('pg_stat_progress_query', lambda row: row['percent_done'] is not None)
        later = self.seen('pg_stat_progress_query',
                          lambda row: row['percent_done'] > first['percent_done'])
        self.assertLess(later['percent_done'], 100)
        self.rows(f'SELECT pg_cancel_backend({self.client.pid})')
        messages = list(self.client.messages())
        self.assertEqual('57014', fields(messages[-2][1])['C'])
        self.assert_ended()

    def test_work_that_cannot_be_measured(self):
        self.client.query('SELECT g, repeat(\'x\', 2000) FROM generate_series(1, 20000) g')
        row = self.seen('pg_stat_progress_query', lambda row: row['phase'] == 'executing')
        self.assertEqual((0, 0), (row['rows_processed'], row['rows_total']))
        for _ in self.client.messages():
            pass
        self.assert_ended()

    def test_others_see_that_something_runs_and_no_more(self):
        self.client.query('COPY wide TO STDOUT')
        self.seen('pg_stat_progress_copy', lambda row: row['tuples_processed'] > 0)
        other = self.server.connect(user='other')
        other.autocommit = True
        for view in ('pg_stat_progress_copy', 'pg_stat_progress_query'):
            row = self.seen(view, connection=other)
            shown = {name for name, value in row.items() if value is not None}
            self.assertEqual({'pid', 'datid', 'datname'}, shown)
        other.close()
        for _ in self.client.messages():
            pass

    # ---- Notices
    def held_up(self, run):
        """A statement of the client that waits for a row lock; yields its notices' fields."""
        self.client.query("SET omendb.progress_notices = '1ms'")
        list(self.client.messages())
        holder = self.server.connect()
        holder.cursor().execute('UPDATE locked SET v = 1 WHERE id = 500')
        run('UPDATE locked SET v = v + id % 3 WHERE v >= 0')
        before = []  # of the first notice
        for _ in range(3):
            kind, body = self.client.message()
            while kind != 'N':
                before.append(kind)
                kind, body = self.client.message()
            yield fields(body)
        row = self.seen('pg_stat_progress_query', lambda row: row['phase'] == 'writing')
        self.assertEqual(0, row['rows_written'])  # They are counted by thousands.
        self.assertEqual(50, row['percent_done'])
        holder.commit()
        holder.close()
        kinds = [kind for kind, _ in self.client.messages()]
        self.assertEqual(['C', 'Z'], [kind for kind in kinds if kind != 'N'])
        self.assertEqual(['C', 'Z'], kinds[-2:])
        self.assertEqual([], [kind for kind in before if kind not in '12'])

    def test_notices_while_a_simple_query_runs(self):
        for notice in self.held_up(self.client.query):
            self.assertEqual(('INFO', 'INFO', '00000'), (notice['S'], notice['V'], notice['C']))
            self.assertRegex(notice['M'],
                             r'^(the |\d+% of the query done).*, after \d+\.\d s$')

    def test_notices_while_an_extended_query_runs(self):
        for notice in self.held_up(self.client.execute):
            self.assertEqual('INFO', notice['S'])

    def test_notices_of_copy_from(self):
        self.client.query("SET omendb.progress_notices = '1ms'; COPY narrow FROM STDIN")
        while self.client.message()[0] != 'G':
            pass
        row, received = 1_000_000, b''
        deadline = time.monotonic() + PATIENCE_S
        while not received and time.monotonic() < deadline:
            self.client.socket.setblocking(True)
            self.client.send('d', b'%d\t1\n' % row)
            self.client.socket.setblocking(False)
            row += 1
            try:
                received = self.client.socket.recv(1)
            except BlockingIOError:
                pass
        self.client.socket.setblocking(True)
        self.assertEqual(b'N', received)
        size = int.from_bytes(self.client.receive(4), 'big')
        notice = fields(self.client.receive(size - 4))
        self.assertRegex(notice['M'], r'^\d+ rows \(\d+ bytes\) copied, after \d+\.\d s$')
        self.client.send('f', b'enough\0')
        kinds = [kind for kind, _ in self.client.messages()]
        self.assertEqual(['E', 'Z'], [kind for kind in kinds if kind != 'N'])

    def test_the_setting(self):
        self.assertEqual([{'omendb.progress_notices': '0'}],
                         self.rows('SHOW omendb.progress_notices'))
        cursor = self.watcher.cursor()
        for bad in ('-1', 'often'):
            with self.assertRaises(psycopg2.Error) as caught:
                cursor.execute(f"SET omendb.progress_notices = '{bad}'")
            self.assertEqual('22023', caught.exception.pgcode)
        cursor.execute("SET omendb.progress_notices = '5s'")
        self.assertEqual([{'omendb.progress_notices': '5s'}],
                         self.rows('SHOW omendb.progress_notices'))


if __name__ == '__main__':
    unittest.main()
