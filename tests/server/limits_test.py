"""What a user gets at a limit or for a mistake: the SQLSTATE, and a server that goes on."""

import os
import signal
import subprocess
import sys
import threading
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import psycopg2  # noqa: E402
from omendb_server import OmenServer, free_port  # noqa: E402
from system_test import ConnectedTest  # noqa: E402

HOURS_LONG = ('SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b '
              'WHERE a.a % 7 = b.b % 11')


class LimitsTest(ConnectedTest):
    server_options = ('--memory', '256MB', '-c', 'max_connections=12')
    setup_sql = '''
        CREATE TABLE items (id int PRIMARY KEY, name varchar(5) NOT NULL UNIQUE,
                            n int CHECK (n > 0));
        CREATE TABLE parts (item int REFERENCES items(id));
        INSERT INTO items VALUES (1, 'one', 1)'''

    def fails(self, sqlstate, sql, *args):
        with self.assertRaises(psycopg2.Error) as caught:
            self.cursor.execute(sql, *args)
        self.assertEqual(sqlstate, caught.exception.pgcode, f'{sql[:200]}: {caught.exception}')
        return caught.exception.diag

    def test_mistakes_have_their_sqlstates(self):
        for sqlstate, sql in (
                ('42601', 'SELEC 1'), ('42P01', 'SELECT * FROM nowhere'),
                ('42703', 'SELECT nothing FROM items'), ('42704', 'SELECT 1::nonsense'),
                ('22003', 'INSERT INTO items VALUES (3000000000, \'x\', 1)'),
                ('22003', 'SELECT 2147483647 + 1'), ('22012', 'SELECT 1 / 0'),
                ('22P02', "SELECT 'x'::int"), ('22007', "SELECT 'x'::date"),
                ('22001', "INSERT INTO items VALUES (2, 'longer than five', 1)"),
                ('22003', "SELECT sum(x) FROM (VALUES ('9e37'::numeric(38)), ('9e37')) t(x)"),
                ('0A000', 'LISTEN something'), ('42883', 'SELECT no_such_function(1)'),
                ('42P07', 'CREATE TABLE items (id int)'), ('25001', 'BEGIN; CREATE DATABASE x')):
            self.fails(sqlstate, sql)
            self.cursor.execute('ROLLBACK')

    def test_violations_name_their_constraint(self):
        for sqlstate, constraint, sql in (
                ('23505', 'items_pkey', "INSERT INTO items VALUES (1, 'two', 1)"),
                ('23505', 'items_name_key', "INSERT INTO items VALUES (2, 'one', 1)"),
                ('23514', 'items_n_check', "INSERT INTO items VALUES (2, 'two', 0)"),
                ('23503', 'parts_item_fkey', 'INSERT INTO parts VALUES (99)')):
            self.assertEqual(constraint, self.fails(sqlstate, sql).constraint_name)
        self.assertEqual('name', self.fails('23502', 'INSERT INTO items VALUES (3)').column_name)

    def test_syntax_error_has_a_position(self):
        self.assertEqual('13', self.fails('42601', 'SELECT from from').statement_position)
        self.assertEqual('15', self.fails('42601', 'SELECT 1 FROM )').statement_position)

    def test_bad_utf8(self):
        with self.assertRaises(psycopg2.Error) as caught:
            self.cursor.execute(b"SELECT 'a\xff'")
        self.assertEqual('22021', caught.exception.pgcode)

    def test_nesting_and_length(self):
        self.fails('54001', 'SELECT ' + 'NOT ' * 20000 + 'true')
        self.fails('54001', 'SELECT ' + '(' * 20000 + '1' + ')' * 20000)
        self.cursor.execute('SELECT 1 WHERE 1 IN (' + ','.join(map(str, range(20000))) + ')')
        self.cursor.execute("SELECT length('" + 'x' * 5_000_000 + "')")
        self.assertEqual((5_000_000,), self.cursor.fetchone())

    def test_statement_timeout_stops_both_executors(self):
        self.cursor.execute('SET statement_timeout = 200')
        start = time.monotonic()
        self.fails('57014', HOURS_LONG)
        self.assertLess(time.monotonic() - start, 30)
        blocker = self.server.connect()
        blocker.cursor().execute('UPDATE items SET n = 2 WHERE id = 1')
        self.fails('57014', 'UPDATE items SET n = 3 WHERE id = 1')
        blocker.rollback()
        blocker.close()

    def test_cancel(self):
        timer = threading.Timer(0.3, self.connection.cancel)
        timer.start()
        self.fails('57014', HOURS_LONG)
        timer.join()
        self.cursor.execute('SELECT 1')

    def test_too_many_connections(self):
        opened = []
        try:
            with self.assertRaises(psycopg2.OperationalError) as caught:
                for _ in range(13):
                    opened.append(self.server.connect())
            self.assertIn('too many clients already', str(caught.exception))
            self.assertGreaterEqual(len(opened), 8)
        finally:
            for connection in opened:
                connection.close()
        for _ in range(100):  # until the server has seen them go
            try:
                self.server.connect().close()
                break
            except psycopg2.OperationalError:
                time.sleep(0.1)
        else:
            self.fail('no connection possible after the others closed')

    def test_memory(self):
        """Rows past the budget are refused; what was there stays, and deleting makes room."""
        self.cursor.execute('CREATE TABLE big (id bigint PRIMARY KEY, text text)')
        with self.assertRaises(psycopg2.Error) as caught:
            for batch in range(200):
                self.cursor.execute(
                    "INSERT INTO big SELECT g, repeat('x', 400) FROM generate_series(%s, %s) g",
                    (batch * 10000, batch * 10000 + 9999))
        self.assertEqual('53200', caught.exception.pgcode, caught.exception)
        self.cursor.execute('SELECT count(*), min(length(text)) FROM big')
        count, length = self.cursor.fetchone()
        self.assertEqual((0, 400), (count % 10000, length))
        self.assertGreater(count, 0)
        with open(f'/proc/{self.server.process.pid}/status', encoding='ascii') as status:
            resident = [int(line.split()[1]) for line in status if line.startswith('VmRSS')][0]
        self.assertLess(resident, 700 * 1024)  # KiB: the budget and the program itself
        self.cursor.execute('DROP TABLE big')
        deadline = time.monotonic() + 60
        while True:  # garbage is collected in the background
            try:
                self.cursor.execute("CREATE TABLE room AS SELECT * FROM generate_series(1, 9999)")
                break
            except psycopg2.Error as error:
                self.assertEqual('53200', error.pgcode)
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.2)

    def test_metrics(self):
        self.cursor.execute('SELECT n FROM items WHERE id = 1')
        self.cursor.execute('SELECT count(*) FROM items')
        with urllib.request.urlopen(f'http://127.0.0.1:{self.server.http_port}/metrics') as answer:
            text = answer.read().decode()
        for line in ('# TYPE omendb_statement_seconds histogram',
                     'omendb_statement_seconds_bucket{kind="select",executor="row",le="+Inf"}',
                     'omendb_statement_seconds_count{kind="select",executor="duckdb"}',
                     '# TYPE omendb_wal_fsyncs_total counter', 'omendb_index_model_hits_total',
                     'omendb_index_depth ', '\nomendb_index_tuning_trials_total 0\n',
                     'omendb_index_tuning_kept_total 0', 'omendb_index_tuning_reverted_total 0',
                     'omendb_index_tuning_leaves_rewritten_total 0',
                     'omendb_memory_bytes{user="rows"}', 'omendb_memory_bytes{user="indexes"}',
                     'omendb_memory_bytes{user="duckdb"}', 'omendb_connections ',
                     'omendb_commits_total', 'omendb_checkpoints_total',
                     'omendb_row_versions_reclaimed_total'):
            self.assertIn(line, text)
        self.assertEqual(1, text.count('# TYPE omendb_memory_bytes '))

    def test_explain_counts_index_lookups(self):
        self.cursor.execute('CREATE TABLE dense (id int PRIMARY KEY)')
        self.cursor.execute('INSERT INTO dense SELECT * FROM generate_series(1, 50000)')
        self.cursor.execute('EXPLAIN ANALYZE SELECT * FROM dense WHERE id = 40777')
        plan = '\n'.join(line for line, in self.cursor.fetchall())
        self.assertIn('dense_pkey', plan)
        self.assertRegex(plan, r'Index Model Hits: 1  Corrections: 0  Fallbacks: 0|'
                               r'Index Model Hits: 0  Corrections: 1  Fallbacks: 0')
        self.assertRegex(plan, r'Index Depth: [2-4] \(dense_pkey\)')


class OperationsTest(unittest.TestCase):
    def setUp(self):
        self.server = OmenServer()
        self.addCleanup(self.server.close)

    def run_sql(self, sql):
        connection = self.server.connect()
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(sql)
        rows = cursor.fetchall() if cursor.description else None
        connection.close()
        return rows

    def test_second_server_is_refused(self):
        self.server.start()
        other = subprocess.run(
            [self.server.binary, 'serve', '--data-dir', self.server.data_dir, '--port',
             str(free_port()), '--http-port', str(free_port())],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=60)
        self.assertNotEqual(0, other.returncode)
        self.assertIn('held by another server', other.stdout)
        self.assertEqual([(1,)], self.run_sql('SELECT 1'))

    def test_clean_stop_ends_statements_and_needs_no_repair(self):
        self.server.start()
        self.run_sql('CREATE TABLE t (i int PRIMARY KEY); '
                     'INSERT INTO t SELECT generate_series(1, 1000)')
        busy = self.server.connect()
        errors = []

        def run():
            try:
                busy.cursor().execute(HOURS_LONG)
            except psycopg2.Error as error:
                errors.append(error.pgcode)
        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(0.3)
        self.assertEqual(0, self.server.stop())
        thread.join()
        self.assertIn(errors[0], ('57P01', None))
        check = subprocess.run([self.server.binary, 'check', '--data-dir', self.server.data_dir],
                               text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               check=False)
        self.assertEqual(0, check.returncode, check.stdout)
        self.server.start()
        self.assertEqual([(1000,)], self.run_sql('SELECT count(*) FROM t'))

    def test_killed_server_starts_again(self):
        self.server.start()
        self.run_sql('CREATE TABLE t (i int PRIMARY KEY); INSERT INTO t VALUES (1)')
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.wait()
        self.server.start()
        self.assertEqual([(1,)], self.run_sql('SELECT i FROM t'))

    def test_databases_are_apart(self):
        self.server.start()
        names = {name for name, in self.run_sql('SELECT datname FROM pg_database')}
        self.assertLessEqual({'omendb', 'postgres'}, names)
        self.run_sql('CREATE DATABASE apart')
        self.run_sql('CREATE TABLE here (i int)')
        other = self.server.connect(dbname='apart')
        with self.assertRaises(psycopg2.Error) as caught:
            other.cursor().execute('SELECT * FROM here')
        self.assertEqual('42P01', caught.exception.pgcode)
        other.close()
        self.run_sql('DROP DATABASE apart')

    def test_version(self):
        out = subprocess.run([self.server.binary, '--version'], text=True, stdout=subprocess.PIPE,
                             check=True).stdout
        self.assertRegex(out, r'^omendb \d+\.\d+\.\d+')


if __name__ == '__main__':
    unittest.main()
