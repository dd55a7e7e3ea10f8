"""Portals over the wire: several of one statement at once, read in parts, beside others and DDL."""

import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from system_test import SystemTest  # noqa: E402
from wire_client import WireClient, fields  # noqa: E402


class Client(WireClient):
    def parse(self, name, sql):
        self.send('P', name.encode() + b'\0' + sql.encode() + b'\0\0\0')

    def bind(self, portal, statement, *texts):
        values = b''.join(struct.pack('!i', -1) if text is None
                          else struct.pack('!i', len(text)) + text.encode() for text in texts)
        self.send('B', portal.encode() + b'\0' + statement.encode() + b'\0' +
                  struct.pack('!hh', 0, len(texts)) + values + struct.pack('!h', 0))

    def run_portal(self, portal, rows_max=0):
        self.send('E', portal.encode() + b'\0' + struct.pack('!i', rows_max))

    def sync(self):
        """What came since the last one: rows as tuples of text, tags, SQLSTATEs, 'suspended'."""
        self.send('S')
        found = []
        for kind, body in self.messages():
            if kind == 'D':
                found.append(self.row(body))
            elif kind == 'C':
                found.append(body.rstrip(b'\0').decode())
            elif kind == 'E':
                found.append(fields(body)['C'])
            elif kind == 's':
                found.append('suspended')
        return found

    @staticmethod
    def row(body):
        values = []
        at = 2
        for _ in range(struct.unpack('!h', body[:2])[0]):
            size = struct.unpack('!i', body[at:at + 4])[0]
            at += 4
            values.append(None if size < 0 else body[at:at + size].decode())
            at += max(size, 0)
        return tuple(values)

    def simple(self, sql):
        self.query(sql)
        return [body for kind, body in self.messages() if kind == 'E']


class PortalsTest(SystemTest):
    def setUp(self):
        self.client = Client(self.server)
        for sql in ('DROP TABLE IF EXISTS portals_t',
                    'CREATE TABLE portals_t (id int PRIMARY KEY, v text)',
                    "INSERT INTO portals_t SELECT i, 'v' || i FROM generate_series(1, 20) g(i)"):
            self.assertEqual([], self.client.simple(sql))

    def tearDown(self):
        self.client.close()

    def test_two_portals_of_one_statement_are_read_in_turns(self):
        client = self.client
        client.parse('range', 'SELECT id FROM portals_t WHERE id >= $1 ORDER BY id')
        client.bind('a', 'range', '1')
        client.bind('b', 'range', '11')
        client.run_portal('a', 2)
        client.run_portal('b', 1)
        client.run_portal('a', 1)
        client.run_portal('b')
        self.assertEqual([('1',), ('2',), 'suspended', ('11',), 'suspended', ('3',), 'suspended'] +
                         [(str(i),) for i in range(12, 21)] + ['SELECT 9'], client.sync())

    def test_the_unnamed_portal_is_replaced_where_it_was_left_half_read(self):
        client = self.client
        client.parse('all', 'SELECT id FROM portals_t ORDER BY id')
        client.parse('one', 'SELECT v FROM portals_t WHERE id = $1')
        client.bind('', 'all')
        client.run_portal('', 3)
        client.bind('', 'one', '7')
        client.run_portal('')
        client.bind('', 'one', None)
        client.run_portal('')
        self.assertEqual([('1',), ('2',), ('3',), 'suspended', ('v7',), 'SELECT 1', 'SELECT 0'],
                         client.sync())

    def test_a_name_in_use_is_refused_and_free_after_its_transaction(self):
        client = self.client
        client.parse('one', 'SELECT v FROM portals_t WHERE id = $1')
        client.bind('p', 'one', '1')
        client.bind('p', 'one', '2')
        self.assertEqual(['42P03'], client.sync())
        client.bind('p', 'one', '2')
        client.run_portal('p')
        self.assertEqual([('v2',), 'SELECT 1'], client.sync())
        client.run_portal('p')
        self.assertEqual(['34000'], client.sync())

    def test_a_statement_goes_on_after_errors(self):
        client = self.client
        client.parse('one', 'SELECT 10 / (id - 1), v FROM portals_t WHERE id = $1')
        for text, expected in (('1', ['22012']), ('x', ['22P02']),
                               ('2', [('10', 'v2'), 'SELECT 1']), ('99999999999', ['22003']),
                               ('3', [('5', 'v3'), 'SELECT 1'])):
            client.bind('', 'one', text)
            client.run_portal('')
            self.assertEqual(expected, client.sync(), text)

    def test_ddl_beside_a_half_read_portal_and_between_executions(self):
        client = self.client
        other = Client(self.server)
        client.parse('one', 'SELECT v FROM portals_t WHERE id = $1')
        client.parse('all', 'SELECT * FROM portals_t WHERE id > $1 ORDER BY id')
        client.bind('half', 'all', '18')
        client.run_portal('half', 1)
        client.bind('', 'one', '5')
        client.run_portal('')
        client.run_portal('half')
        self.assertEqual([('19', 'v19'), 'suspended', ('v5',), 'SELECT 1', ('20', 'v20'),
                          'SELECT 1'], client.sync())
        self.assertEqual([], other.simple('ALTER TABLE portals_t ADD COLUMN w int'))
        client.bind('', 'one', '6')
        client.run_portal('')
        self.assertEqual([('v6',), 'SELECT 1'], client.sync())
        other.close()

    def test_commit_within_a_portal_ends_the_others(self):
        client = self.client
        for name, sql in (('begin', 'BEGIN'), ('commit', 'COMMIT'),
                          ('all', 'SELECT id FROM portals_t ORDER BY id')):
            client.parse(name, sql)
        client.bind('', 'begin')
        client.run_portal('')
        client.bind('rows', 'all')
        client.run_portal('rows', 1)
        client.bind('end', 'commit')
        client.run_portal('end')
        client.run_portal('rows', 1)
        self.assertEqual(['BEGIN', ('1',), 'suspended', 'COMMIT', '34000'], client.sync())

    def execute(self, portal, sql, times=1):
        self.client.parse('', sql)
        self.client.bind(portal, '')
        for _ in range(times):
            self.client.run_portal(portal)

    def test_a_portal_cannot_be_run_or_closed_from_within(self):
        for sql, expected in (('FETCH 3 FROM cc', '55000'), ('MOVE 3 FROM cc', '55000'),
                              ('CLOSE cc', '24000')):
            self.execute('cc', sql)
            self.assertEqual([expected], self.client.sync(), sql)
        self.execute('cc', 'CLOSE ALL')
        self.assertEqual(['CLOSE CURSOR ALL'], self.client.sync())

    def test_only_rows_of_a_query_are_fetched_from_a_portal(self):
        client = self.client
        for sql in ('FETCH 1 FROM q', 'COMMIT', 'DELETE FROM portals_t', 'SHOW datestyle', ''):
            client.parse('inner', sql)
            client.bind('p', 'inner')
            client.send('D', b'Pp\0')
            self.execute('q', 'FETCH 1 FROM p')
            self.assertEqual(['0A000'], client.sync(), sql)
            client.send('C', b'Sinner\0')
        client.parse('inner', 'SELECT id FROM portals_t ORDER BY id')
        client.bind('p', 'inner')
        self.execute('q', 'FETCH 2 FROM p')
        self.assertEqual([('1',), ('2',), 'FETCH 2'], client.sync())

    def test_a_statement_that_executes_itself(self):
        client = self.client
        client.parse('itself', 'EXECUTE itself')
        client.send('D', b'Sitself\0')
        client.bind('', 'itself')
        client.run_portal('')
        self.assertEqual(['0A000'], client.sync())
        client.parse('nothing', '')
        client.parse('of_nothing', 'EXECUTE nothing')
        client.send('D', b'Sof_nothing\0')
        client.bind('', 'of_nothing')
        self.assertEqual(['26000'], client.sync())

    def test_a_finished_portal_is_run_again(self):
        for sql, expected in (
                ("UPDATE portals_t SET v = 'x'", ['UPDATE 20', '55000']),
                ('SET application_name = b', ['SET', '55000']),
                ('SHOW datestyle', [('ISO, MDY',), 'SHOW', 'SHOW']),
                ('SELECT 1', [('1',), 'SELECT 1', 'SELECT 0'])):
            self.execute('p', sql, times=2)
            self.assertEqual(expected, self.client.sync(), sql)

    def test_what_writes_is_checked_before_its_first_row_is_read(self):
        client = self.client
        for sql in ('DROP TABLE IF EXISTS portals_child',
                    'CREATE TABLE portals_child (id int REFERENCES portals_t)'):
            self.assertEqual([], client.simple(sql))
        for sql in ('INSERT INTO portals_child SELECT i FROM generate_series(19, 22) g(i) '
                    'RETURNING id',
                    'WITH d AS (DELETE FROM portals_t WHERE id < 9 RETURNING id) '
                    'INSERT INTO portals_child SELECT id FROM d RETURNING id'):
            client.simple('BEGIN')
            client.parse('write', sql)
            client.bind('p', 'write')
            client.run_portal('p', 1)
            self.assertEqual('23503', client.sync()[-1], sql)
            client.simple('ROLLBACK')
            client.send('C', b'Swrite\0')
        client.parse('write', 'DELETE FROM portals_t WHERE id < 9 RETURNING id')
        client.bind('p', 'write')
        client.run_portal('p', 2)
        client.run_portal('p', 2)
        self.assertEqual([('1',), ('2',), 'suspended', ('3',), ('4',), 'suspended'], client.sync())
        self.assertEqual([], client.simple('DROP TABLE portals_child'))

    def test_a_portal_that_failed_cannot_be_run(self):
        client = self.client
        client.simple('BEGIN')
        client.parse('p', 'SELECT 1 / (id - id) FROM portals_t')
        client.bind('p', 'p')
        client.simple('SAVEPOINT s')
        client.run_portal('p')
        self.assertEqual(['22012'], client.sync())
        client.simple('ROLLBACK TO s')
        client.run_portal('p')
        self.assertEqual(['55000'], client.sync())
        client.simple('ROLLBACK')

    def test_execute_goes_on_where_fetch_stopped(self):
        client = self.client
        for sql in ('SELECT id FROM portals_t ORDER BY id',
                    'SELECT id FROM portals_t WHERE id BETWEEN 1 AND 20 ORDER BY id',
                    'SELECT id FROM portals_t, generate_series(1, 1) ORDER BY id'):
            client.simple('BEGIN')
            client.parse('all', sql)
            client.bind('p', 'all')
            self.execute('', 'FETCH 2 FROM p')
            client.run_portal('p', 2)
            self.execute('', 'FETCH 1 FROM p')
            client.run_portal('p', 3)
            self.execute('', 'MOVE 10 FROM p')
            client.run_portal('p')
            client.run_portal('p')
            self.execute('', 'FETCH 1 FROM p')
            self.assertEqual([('1',), ('2',), 'FETCH 2', ('3',), ('4',), 'suspended', ('5',),
                              'FETCH 1', ('6',), ('7',), ('8',), 'suspended', 'MOVE 10',
                              ('19',), ('20',), 'SELECT 2', 'SELECT 0', 'FETCH 0'],
                             client.sync(), sql)
            client.send('C', b'Sall\0')
            client.simple('COMMIT')

    def test_a_declared_cursor_is_executed_and_goes_back(self):
        client = self.client
        client.simple('BEGIN')
        client.simple('DECLARE c SCROLL CURSOR FOR SELECT id FROM portals_t ORDER BY id')
        self.execute('', 'FETCH 3 FROM c')
        client.run_portal('c', 2)
        self.execute('', 'FETCH BACKWARD 3 FROM c')
        client.run_portal('c', 1)
        client.run_portal('c')
        client.run_portal('c')
        self.execute('', 'FETCH PRIOR FROM c')
        self.assertEqual([('1',), ('2',), ('3',), 'FETCH 3', ('4',), ('5',), 'suspended',
                          ('4',), ('3',), ('2',), 'FETCH 3', ('3',), 'suspended'] +
                         [(str(i),) for i in range(4, 21)] +
                         ['SELECT 17', 'SELECT 0', ('20',), 'FETCH 1'], client.sync())
        client.simple('ROLLBACK')

    def test_the_tag_counts_the_rows_of_the_run(self):
        client = self.client
        for sql, tag in (("UPDATE portals_t SET v = 'x' WHERE id < 6 RETURNING id", 'UPDATE '),
                         ('DELETE FROM portals_t WHERE id < 6 RETURNING id', 'DELETE '),
                         ("INSERT INTO portals_t SELECT i, '' FROM generate_series(1, 5) g(i) "
                          'RETURNING id', 'INSERT 0 ')):
            client.parse('', sql)
            client.bind('p', '')
            client.run_portal('p', 3)
            client.run_portal('p')
            client.run_portal('p')
            found = client.sync()
            self.assertEqual(['suspended', tag + '2', tag + '0'],
                             [item for item in found if not isinstance(item, tuple)], sql)
            self.assertEqual([(str(i),) for i in range(1, 6)],
                             sorted(item for item in found if isinstance(item, tuple)))

    def test_the_tag_of_fetch_counts_the_rows_of_the_run(self):
        client = self.client
        client.simple('BEGIN')
        client.simple('DECLARE c CURSOR FOR SELECT id FROM portals_t ORDER BY id')
        client.parse('fetch', 'FETCH 4 FROM c')
        client.bind('p', 'fetch')
        client.run_portal('p', 3)
        client.run_portal('p')
        client.run_portal('p')
        self.assertEqual([('1',), ('2',), ('3',), 'suspended', ('4',), 'FETCH 1', 'FETCH 0'],
                         client.sync())
        client.simple('ROLLBACK')

    def test_rollback_to_a_savepoint_ends_portals_opened_behind_it(self):
        client = self.client
        client.simple('BEGIN')
        client.parse('all', 'SELECT id FROM portals_t ORDER BY id')
        client.bind('before', 'all')
        client.run_portal('before', 1)
        self.execute('', 'SAVEPOINT s')
        client.bind('behind', 'all')
        client.run_portal('behind', 1)
        self.execute('', 'DECLARE c CURSOR FOR SELECT 1')
        self.execute('', 'DECLARE h CURSOR WITH HOLD FOR SELECT 1')
        self.execute('', 'SAVEPOINT inner_one')
        client.bind('inner', 'all')
        self.execute('', 'RELEASE inner_one')
        client.run_portal('before', 1)
        self.assertEqual([('1',), 'suspended', 'SAVEPOINT', ('1',), 'suspended', 'DECLARE CURSOR',
                          'DECLARE CURSOR', 'SAVEPOINT', 'RELEASE', ('2',), 'suspended'],
                         client.sync())
        self.execute('', 'ROLLBACK TO s')
        client.run_portal('before', 1)
        self.assertEqual(['ROLLBACK', ('3',), 'suspended'], client.sync())
        for name in ('behind', 'c', 'h', 'inner'):
            client.run_portal(name)
            self.assertEqual(['34000'], client.sync(), name)
            client.simple('ROLLBACK TO s')
        client.run_portal('before', 1)
        self.assertEqual([('4',), 'suspended'], client.sync())
        client.simple('ROLLBACK')

    def test_a_portal_of_rollback_to_ends_with_itself(self):
        client = self.client
        client.simple('BEGIN')
        client.simple('SAVEPOINT s')
        self.execute('p', 'ROLLBACK TO s', times=2)
        self.assertEqual(['ROLLBACK', '34000'], client.sync())
        client.simple('ROLLBACK')

    def test_a_portal_of_an_empty_statement_ends_with_its_transaction(self):
        self.execute('p', '', times=2)
        self.assertEqual([], self.client.sync())
        self.client.run_portal('p')
        self.assertEqual(['34000'], self.client.sync())


if __name__ == '__main__':
    unittest.main()
