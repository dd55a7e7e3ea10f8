#!/usr/bin/python3
"""asyncpg: binary parameters and results for everything, prepared statements, cursors, COPY."""

import asyncio
import datetime
import decimal
import io
import unittest
import uuid

import asyncpg

from system_test import SystemTest

VALUES = [
    ('boolean', True), ('smallint', -3), ('integer', 2**31 - 1), ('bigint', -2**63),
    ('real', 0.5), ('double precision', 1e300), ('numeric', decimal.Decimal('-12.5')),
    ('numeric(20,6)', decimal.Decimal('12345678901234.567891')), ('text', 'h\u00e9llo'),
    ('varchar(8)', 'abc'), ('bytea', b'\x00\xfe'), ('date', datetime.date(1900, 1, 1)),
    ('time', datetime.time(23, 59, 59, 999999)),
    ('timestamp', datetime.datetime(2038, 1, 19, 3, 14, 8)),
    ('timestamptz', datetime.datetime(1969, 7, 20, 20, 17, 40, tzinfo=datetime.timezone.utc)),
    ('interval', datetime.timedelta(days=40, microseconds=5)), ('uuid', uuid.UUID(int=2**127 + 1)),
    ('json', '{"a": 1}'), ('jsonb', '{"a": [1, 2]}'), ('integer[]', [1, None, 3]),
    ('text[]', ['x', '', None]), ('bigint[]', []), ('boolean[]', [True, False]),
]


class AsyncpgTest(SystemTest):
    setup_sql = 'CREATE TABLE kv (k INTEGER PRIMARY KEY, v TEXT)'

    def in_connection(self, body):
        async def main():
            server = self.server
            connection = await asyncpg.connect(host=server.host, port=server.port,
                                               user=server.user, database=server.database)
            try:
                return await body(connection)
            finally:
                await connection.close()
        return asyncio.run(main())

    def test_connect(self):
        async def body(c):
            self.assertGreaterEqual(c.get_server_version().major, 15)
            self.assertEqual(1, await c.fetchval('SELECT 1'))
        self.in_connection(body)

    def test_every_type_both_ways_in_binary(self):
        async def body(c):
            for sql_type, value in VALUES:
                with self.subTest(sql_type):
                    self.assertEqual(value, await c.fetchval(f'SELECT $1::{sql_type}', value))
                    self.assertIsNone(await c.fetchval(f'SELECT $1::{sql_type}', None))
        self.in_connection(body)

    def test_prepared_statement_describes_itself(self):
        async def body(c):
            statement = await c.prepare('SELECT k, v FROM kv WHERE k = $1 AND v LIKE $2')
            self.assertEqual(['int4', 'text'], [p.name for p in statement.get_parameters()])
            self.assertEqual([('k', 'int4'), ('v', 'text')],
                             [(a.name, a.type.name) for a in statement.get_attributes()])
        self.in_connection(body)

    def test_transactions(self):
        async def body(c):
            async with c.transaction():
                await c.execute("INSERT INTO kv VALUES (1, 'in')")
            with self.assertRaises(asyncpg.UniqueViolationError) as caught:
                async with c.transaction():
                    await c.execute("INSERT INTO kv VALUES (2, 'lost')")
                    await c.execute("INSERT INTO kv VALUES (1, 'twice')")
            self.assertEqual('kv_pkey', caught.exception.constraint_name)
            self.assertEqual('kv', caught.exception.table_name)
            self.assertEqual([(1,)], [tuple(r) for r in await c.fetch(
                'SELECT k FROM kv WHERE k < 10')])
        self.in_connection(body)

    def test_errors(self):
        async def body(c):
            for sql, args, error in (
                    ('SELECT 1 +', (), asyncpg.PostgresSyntaxError),
                    ('SELECT * FROM nowhere', (), asyncpg.UndefinedTableError),
                    ('SELECT 1 / $1::int', (0,), asyncpg.DivisionByZeroError),
                    ('INSERT INTO kv VALUES ($1)', (None,), asyncpg.NotNullViolationError)):
                with self.subTest(sql):
                    with self.assertRaises(error):
                        await c.fetch(sql, *args)
        self.in_connection(body)

    def test_copy_records_and_query(self):
        async def body(c):
            rows = [(100 + i, None if i % 7 == 0 else f'v{i}') for i in range(2000)]
            tag = await c.copy_records_to_table('kv', records=rows)
            self.assertEqual('COPY 2000', tag)
            got = await c.fetch('SELECT k, v FROM kv WHERE k >= 100 ORDER BY k')
            self.assertEqual(rows, [tuple(r) for r in got])
            out = io.BytesIO()
            await c.copy_from_query('SELECT k, v FROM kv WHERE k BETWEEN $1 AND $2 ORDER BY k', 100,
                                    101, output=out, format='csv')
            self.assertEqual(b'100,\n101,v1\n', out.getvalue())
        self.in_connection(body)

    def test_cursor_reads_in_portions(self):
        async def body(c):
            async with c.transaction():
                seen = []
                async for row in c.cursor('SELECT n FROM generate_series(1, 237) g(n) ORDER BY n',
                                          prefetch=50):
                    seen.append(row['n'])
                self.assertEqual(list(range(1, 238)), seen)
        self.in_connection(body)

    def test_executemany(self):
        async def body(c):
            await c.executemany('INSERT INTO kv VALUES ($1, $2)',
                                [(10000 + i, str(i)) for i in range(300)])
            self.assertEqual(300, await c.fetchval('SELECT count(*) FROM kv WHERE k >= 10000'))
        self.in_connection(body)

    def test_cancelled_query_frees_the_connection(self):
        async def body(c):
            with self.assertRaises(asyncio.TimeoutError):
                await c.fetch('SELECT count(*) FROM generate_series(1, 100000000) a, '
                              'generate_series(1, 1000) b WHERE a * 7 % 5 = b', timeout=0.3)
            self.assertEqual(2, await c.fetchval('SELECT 1 + 1'))
        self.in_connection(body)


if __name__ == '__main__':
    unittest.main()
