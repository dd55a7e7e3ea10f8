"""A unittest case with one server for all its tests. Import * after `import path_to_lib`."""

import unittest
import urllib.request

from omendb_server import server_under_test


class SystemTest(unittest.TestCase):
    """`setup_sql` is run once, by psycopg2, before the first test; then the rows of `frozen_tables`
    move to segments."""

    setup_sql = ''
    frozen_tables = ()
    server_options = ()
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.server = server_under_test(*cls.server_options)
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        frozen = [f'VACUUM (FREEZE) {table}' for table in cls.frozen_tables]
        connection = cls.server.connect()
        connection.autocommit = True
        for sql in filter(None, [cls.setup_sql, *frozen]):
            connection.cursor().execute(sql)
        connection.close()

    def metric(self, name):
        with urllib.request.urlopen(
                f'http://127.0.0.1:{self.server.http_port}/metrics') as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(name + ' '):
                    return float(line.split()[1])
        raise KeyError(name)

    def run(self, result=None):
        failures = len(result.failures) + len(result.errors) if result else 0
        super().run(result)
        if result and len(result.failures) + len(result.errors) > failures:
            print(f'--- end of the server log\n{self.server.log()[-3000:]}')


class ConnectedTest(SystemTest):
    """Each test has a connection, which is closed behind it, and a cursor of it."""

    autocommit = True

    def setUp(self):
        self.connect()

    def connect(self):
        self.connection = self.server.connect()
        self.connection.autocommit = self.autocommit
        self.cursor = self.connection.cursor()
        self.addCleanup(self.connection.close)

    def ask(self, sql, *parameters):
        self.cursor.execute(sql, parameters or None)
        return self.cursor.fetchall()
