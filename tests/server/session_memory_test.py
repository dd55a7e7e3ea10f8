"""What a session keeps when it has run a statement whose text is very long: next to nothing."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from system_test import SystemTest  # noqa: E402
from wire_client import WireClient  # noqa: E402

TEXT_BYTES = 8 << 20
LIST_BYTES = 512 << 10  # of texts that take long to run
SESSIONS = 3
KEPT_MAX_BYTES = 6 << 20  # by each, beyond what short statements leave


def numbers(form, between=','):
    """As many as fit."""
    parts, size, i = [], 0, 0
    while size < LIST_BYTES:
        parts.append(form.format(i))
        size += len(parts[-1]) + len(between)
        i += 1
    return between.join(parts)


class SessionMemoryTest(SystemTest):
    setup_sql = 'CREATE TABLE t (id int PRIMARY KEY, s text)'

    def resident_bytes(self):
        with open(f'/proc/{self.server.process.pid}/statm', encoding='ascii') as file:
            return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')

    def run_all(self, clients, send):
        for client in clients:
            send(client)
            errors = [body for kind, body in client.messages() if kind == 'E']
            self.assertEqual([], errors)

    def check_growth(self, send):
        """Memory that is given back goes to the system some time later."""
        clients = [WireClient(self.server) for _ in range(SESSIONS)]
        short = [lambda client: client.query('SELECT count(*) FROM t'),
                 lambda client: client.query('SELECT s FROM t WHERE id = 5')]
        for statement in short:
            self.run_all(clients, statement)
        before = self.resident_bytes()
        self.run_all(clients, send)
        for statement in short:
            self.run_all(clients, statement)
        deadline = time.monotonic() + 60
        while self.resident_bytes() - before > SESSIONS * KEPT_MAX_BYTES:
            grown = (self.resident_bytes() - before) // SESSIONS
            self.assertLess(time.monotonic(), deadline, f'{grown >> 20} MB are kept by each')
            self.run_all(clients, short[0])
        for client in clients:
            client.close()

    def test_a_long_literal(self):
        sql = f"SELECT length('{'x' * TEXT_BYTES}')"
        self.check_growth(lambda client: client.query(sql))

    def test_a_long_list(self):
        sql = f"SELECT count(*) FROM t WHERE id IN ({numbers('{}')})"
        self.check_growth(lambda client: client.query(sql))

    def test_many_rows(self):
        sql = f"INSERT INTO t VALUES {numbers(chr(40) + '{}, 5' + chr(41))} ON CONFLICT DO NOTHING"
        self.check_growth(lambda client: client.query(sql))

    def test_the_extended_protocol(self):
        sql = f"SELECT length('{'y' * TEXT_BYTES}')"
        self.check_growth(lambda client: client.execute(sql))

    def test_many_statements(self):
        sql = numbers('SELECT {}', ';')
        self.check_growth(lambda client: client.query(sql))


if __name__ == '__main__':
    unittest.main()
