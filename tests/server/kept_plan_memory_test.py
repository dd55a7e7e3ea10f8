"""What a session keeps of a plan that may run again is the plan, not what a run of it gathered."""

import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from system_test import SystemTest  # noqa: E402
from wire_client import WireClient  # noqa: E402

ROWS = 100_000
# Each gathers most of the rows in an operator of its own.
GATHERING = (
    "SELECT id FROM facts ORDER BY s || 'x', v OFFSET {rows} - 5",
    "SELECT s || 'x', count(*) FROM facts GROUP BY 1 ORDER BY 1 LIMIT 3",
    "SELECT count(DISTINCT s || 'x') FROM facts",
    "SELECT count(*), max(a.s || b.s) FROM facts a JOIN facts b ON a.id = b.id + 1",
    'SELECT max(m) FROM (SELECT max(s) OVER (ORDER BY s DESC) AS m FROM facts) x',
    'SELECT count(*) FROM (SELECT * FROM facts WHERE id < 4) a JOIN facts b ON a.s < b.s',
    'SELECT count(*) FROM facts f WHERE v = (SELECT max(v) FROM facts g WHERE g.k = f.k)',
)
SETUP = f"""
    CREATE TABLE facts (id int PRIMARY KEY, k int, v int, s text);
    INSERT INTO facts SELECT i, i % 100, i % 7, 'some longer text value number ' || i
      FROM generate_series(1, {ROWS}) g(i)"""
HALF_READ_RUNS = 200
GROWTH_MAX_BYTES = 64 << 20


class KeptPlanMemoryTest(SystemTest):
    setup_sql = SETUP
    frozen_tables = ('facts',)

    def duckdb_bytes(self):
        return self.metric('omendb_memory_bytes{user="duckdb"}')

    def resident_bytes(self):
        with open(f'/proc/{self.server.process.pid}/statm', encoding='ascii') as file:
            return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')

    def test_a_finished_statement_holds_nothing(self):
        before = self.duckdb_bytes()
        connection = self.server.connect()
        connection.autocommit = True
        cursor = connection.cursor()
        for sql in GATHERING:
            answers = set()
            for _ in range(3):
                cursor.execute(sql.format(rows=ROWS))
                answers.add(str(cursor.fetchall()))
                self.assertEqual(before, self.duckdb_bytes(), sql)
            self.assertEqual(1, len(answers), sql)
        connection.close()

    def test_half_read_portals_hold_nothing(self):
        before = self.duckdb_bytes()
        client = WireClient(self.server)
        sql = "SELECT s, id, v, repeat(s, 10) || v::text FROM facts WHERE v >= 0"
        client.send('P', b'st\0' + sql.encode() + b'\0\0\0')
        client.send('S')
        list(client.messages())
        first = resident = None
        for _ in range(HALF_READ_RUNS):
            client.send('B', b'\0st\0\0\0\0\0\0\0')
            client.send('E', b'\0' + struct.pack('!i', 1))
            client.send('C', b'P\0')
            client.send('S')
            rows = [body for kind, body in client.messages() if kind == 'D']
            self.assertEqual(1, len(rows))
            self.assertEqual(before, self.duckdb_bytes())
            resident = self.resident_bytes()
            first = first or resident
        self.assertLess(resident, first + GROWTH_MAX_BYTES)
        client.close()

    def test_a_cancelled_statement_holds_nothing(self):
        before = self.duckdb_bytes()
        connection = self.server.connect()
        connection.autocommit = True
        cursor = connection.cursor()
        sql = 'SELECT count(*) FROM facts a JOIN facts b ON a.s < b.s'
        cursor.execute('SET statement_timeout = 100')
        for _ in range(3):
            with self.assertRaisesRegex(Exception, 'statement timeout'):
                cursor.execute(sql)
            self.assertEqual(before, self.duckdb_bytes())
        connection.close()


class LittleMemoryTest(SystemTest):
    server_options = ('--memory', '256MB')
    setup_sql = SETUP.replace(str(ROWS), str(3 * ROWS))
    frozen_tables = ('facts',)

    def test_joins_one_after_the_other(self):
        """There is no room for what all of them gather."""
        connection = self.server.connect()
        connection.autocommit = True
        cursor = connection.cursor()
        for i in range(16):
            cursor.execute(f"""
                SELECT count(*) FROM (SELECT * FROM facts WHERE id < 4) a
                JOIN (SELECT s || '{i}' AS s, id FROM facts) b ON a.s < b.s AND a.id < b.id""")
            self.assertEqual(1, len(cursor.fetchall()))
        connection.close()


if __name__ == '__main__':
    unittest.main()
