"""Servers for whole-system tests: OmenDB and, as the oracle, PostgreSQL 15.

Both start on a free port with a data folder of their own, and leave nothing behind:

    with server_under_test() as server:
        connection = server.connect()

The server under test is the OmenDB binary of $OMENDB_BINARY (default build/release/omendb), or a
real PostgreSQL when $OMENDB_TEST_TARGET is "postgres": a test of standard behaviour must pass there
as well. Logs are printed when the test fails.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import psycopg2

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..'))
POSTGRES_BIN = '/usr/lib/postgresql/15/bin'
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Server:
    """What both servers share. Data outlives stop(), kill() and start(); close() removes it."""

    user = 'postgres'
    database = 'postgres'
    host = '127.0.0.1'

    def __init__(self, prefix):
        self.folder = tempfile.mkdtemp(prefix=prefix)
        self.data_dir = os.path.join(self.folder, 'data')
        self.log_path = os.path.join(self.folder, 'server.log')
        self.port = free_port()
        self.process = None
        self.owner = {}  # of the process, as Popen's arguments

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            print(f'--- end of {self.log_path}\n{self.log()[-5000:]}', file=sys.stderr)
        self.close()

    def command(self):
        raise NotImplementedError

    def launch(self):
        with open(self.log_path, 'ab') as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, start_new_session=True,
                                            cwd='/', **self.owner)

    def start(self):
        """Returns once it answers."""
        self.launch()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.answers():
            if self.process.poll() is not None:
                raise RuntimeError(f'the server ended with {self.process.returncode}:\n'
                                   + self.log()[-5000:])
            if time.monotonic() > deadline:
                raise RuntimeError('the server does not answer:\n' + self.log()[-5000:])
            time.sleep(0.01)

    def answers(self):
        try:
            self.connect(connect_timeout=5).close()
            return True
        except psycopg2.OperationalError:
            return False

    def connect(self, **options):
        settings = dict(host=self.host, port=self.port, user=self.user, dbname=self.database)
        settings.update(options)
        return psycopg2.connect(**settings)

    def environment(self):
        """For clients that read libpq's variables."""
        env = {k: v for k, v in os.environ.items() if not k.startswith('PG')}
        env.update(PGHOST=self.host, PGPORT=str(self.port), PGUSER=self.user,
                   PGDATABASE=self.database)
        return env

    def stop(self):
        """Ends it cleanly; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_TIMEOUT_S)

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def log(self):
        with open(self.log_path, encoding='utf-8', errors='replace') as file:
            return file.read()

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class OmenServer(Server):
    def __init__(self, *options):
        super().__init__('omendb-test-')
        self.options = list(options)
        self.http_port = free_port()
        self.binary = os.path.abspath(
            os.environ.get('OMENDB_BINARY', f'{ROOT}/build/release/omendb'))

    def command(self):
        memory = [] if '--memory' in self.options else ['--memory', '1GB']
        return [self.binary, 'serve', '--data-dir', self.data_dir, '--port', str(self.port),
                '--http-port', str(self.http_port), *memory, *self.options]


def children_of(parent):
    found = []
    for name in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{name}/stat', encoding='utf-8', errors='replace') as file:
                if int(file.read().rsplit(')', 1)[1].split()[1]) == parent:
                    found.append(int(name))
        except OSError:  # It has ended.
            pass
    return found


class PostgresServer(Server):
    def __init__(self, *options):
        super().__init__('omendb-postgres-')
        self.options = list(options)
        if os.geteuid() == 0:  # which PostgreSQL refuses
            self.owner = dict(user='postgres', group='postgres', extra_groups=[])
            shutil.chown(self.folder, 'postgres')
        subprocess.run([f'{POSTGRES_BIN}/initdb', '-D', self.data_dir, '-U', self.user, '--no-sync',
                        '-A', 'trust', '-E', 'UTF8', '--locale', 'C.UTF-8'], check=True,
                       stdout=subprocess.DEVNULL, cwd='/', **self.owner)

    def kill(self):
        """Its processes are groups of their own, and hold its shared memory until they end."""
        children = children_of(self.process.pid)
        super().kill()
        for child in children:
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                continue
            while os.path.exists(f'/proc/{child}'):
                time.sleep(0.01)

    def command(self):
        return [f'{POSTGRES_BIN}/postgres', '-D', self.data_dir, '-p', str(self.port), '-h',
                self.host, '-k', self.folder, '-c', 'fsync=off', *self.options]

    def stop(self):
        self.process.send_signal(signal.SIGINT)  # fast shutdown; SIGTERM would wait for clients
        return self.process.wait(STOP_TIMEOUT_S)


def target_is_postgres():
    return os.environ.get('OMENDB_TEST_TARGET') == 'postgres'


def server_under_test(*omendb_options):
    return PostgresServer() if target_is_postgres() else OmenServer(*omendb_options)


def psql(server, sql, *options, check=True):
    """Runs a script through psql; stops at the first error."""
    return subprocess.run(['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', *options], input=sql,
                          env=server.environment(), text=True, check=check,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
