#!/usr/bin/python3
"""psycopg 3: extended protocol, server-side parameters, binary results, pipelines."""

import datetime
import decimal
import unittest
import uuid

import psycopg
from psycopg.types.json import Jsonb

from system_test import SystemTest


class Psycopg3Test(SystemTest):
    setup_sql = '''
        CREATE TABLE items (id BIGSERIAL PRIMARY KEY, label TEXT, price NUMERIC(10,2),
                            tags TEXT[], made TIMESTAMPTZ, ref UUID, extra JSONB);
    '''

    def setUp(self):
        server = self.server
        self.connection = psycopg.connect(host=server.host, port=server.port, user=server.user,
                                          dbname=server.database)
        self.addCleanup(self.connection.close)

    def insert(self, label, price):
        return self.connection.execute(
            'INSERT INTO items (label, price) VALUES (%s, %s) RETURNING id',
            (label, price)).fetchone()[0]

    def test_connect(self):
        self.assertGreaterEqual(self.connection.info.server_version, 150000)
        self.assertEqual('utf-8', self.connection.info.encoding)

    def test_parameters_in_text_and_binary(self):
        values = [True, 7, 2**40, -1.5, decimal.Decimal('12.34'), 'text', b'\x00\x01',
                  datetime.date(1999, 12, 31), datetime.time(1, 2, 3, 4),
                  datetime.datetime(2000, 1, 1, 0, 0, 0, 1), uuid.UUID(int=5), [1, 2, 3],
                  datetime.timedelta(days=1, seconds=2)]
        types = ['boolean', 'integer', 'bigint', 'float8', 'numeric', 'text', 'bytea', 'date',
                 'time', 'timestamp', 'uuid', 'integer[]', 'interval']
        for binary in (False, True):
            for value, sql_type in zip(values, types):
                mark = '%b' if binary else '%t'
                with self.subTest(type=sql_type, binary=binary):
                    cursor = self.connection.cursor(binary=binary)
                    cursor.execute(f'SELECT {mark}::{sql_type}', (value,))
                    self.assertEqual((value,), cursor.fetchone())

    def test_a_row_of_many_types_in_binary(self):
        row = ('thing', decimal.Decimal('3.50'), ['a', None, 'c d'],
               datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.timezone.utc),
               uuid.UUID(int=9),
               Jsonb({'k': [1, 2.5, None]}))
        self.connection.execute('INSERT INTO items (label, price, tags, made, ref, extra) '
                                'VALUES (%s, %s, %s, %s, %s, %s)', row)
        for binary in (False, True):
            cursor = self.connection.cursor(binary=binary)
            cursor.execute('SELECT label, price, tags, made, ref, extra FROM items')
            self.assertEqual(row[:5] + (row[5].obj,), cursor.fetchone())
        self.connection.rollback()

    def test_prepared_statements_are_reused(self):
        for i in range(20):
            cursor = self.connection.execute('SELECT %s::integer + 1', (i,), prepare=True)
            self.assertEqual((i + 1,), cursor.fetchone())

    def test_prepared_statement_survives_a_new_column(self):
        self.connection.execute('CREATE TABLE grows (a integer PRIMARY KEY)')
        self.connection.execute('INSERT INTO grows VALUES (1)')
        query = 'SELECT count(*) FROM grows WHERE a = %s'
        self.assertEqual((1,), self.connection.execute(query, (1,), prepare=True).fetchone())
        self.connection.execute("ALTER TABLE grows ADD COLUMN b text DEFAULT 'x'")
        self.assertEqual((1,), self.connection.execute(query, (1,), prepare=True).fetchone())
        self.assertEqual((1, 'x'), self.connection.execute('SELECT * FROM grows').fetchone())
        self.connection.rollback()

    def test_transaction_blocks_and_nested_ones(self):
        with self.connection.transaction():
            self.insert('outer', 1)
            with self.assertRaises(psycopg.errors.DivisionByZero):
                with self.connection.transaction():
                    self.insert('inner', 1)
                    self.connection.execute('SELECT 1 / 0')
        labels = self.connection.execute(
            "SELECT label FROM items WHERE label IN ('outer', 'inner')")
        self.assertEqual([('outer',)], labels.fetchall())

    def test_errors(self):
        cases = [('SELECT * FROM nowhere', psycopg.errors.UndefinedTable),
                 ('SELECT nofunc(1)', psycopg.errors.UndefinedFunction),
                 ("SELECT '2024-13-01'::date", psycopg.errors.DatetimeFieldOverflow),
                 ('CREATE TABLE items (a int)', psycopg.errors.DuplicateTable),
                 ("INSERT INTO items (price) VALUES (123456789.5)",
                  psycopg.errors.NumericValueOutOfRange)]
        for sql, error in cases:
            with self.subTest(sql):
                with self.assertRaises(error):
                    self.connection.execute(sql)
                self.connection.rollback()

    def test_serialization_failure_under_repeatable_read(self):
        key = self.insert('contended', 1)
        self.connection.commit()
        self.connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        self.connection.execute('SELECT price FROM items WHERE id = %s', (key,))
        with self.server.connect() as other:
            other.cursor().execute('UPDATE items SET price = 2 WHERE id = %s', (key,))
        other.close()
        self.assertEqual((1,), self.connection.execute(
            'SELECT price FROM items WHERE id = %s', (key,)).fetchone())
        with self.assertRaises(psycopg.errors.SerializationFailure):
            self.connection.execute('UPDATE items SET price = 3 WHERE id = %s', (key,))
        self.connection.rollback()

    def test_executemany_in_a_pipeline(self):
        with self.connection.pipeline():
            cursor = self.connection.cursor()
            cursor.executemany('INSERT INTO items (label, price) VALUES (%s, %s)',
                               [(f'p{i}', i) for i in range(200)])
        count = self.connection.execute("SELECT count(*), sum(price) FROM items "
                                        "WHERE label ~ '^p[0-9]+$'").fetchone()
        self.assertEqual((200, 19900), count)
        self.connection.rollback()

    def test_pipeline_skips_to_sync_after_an_error(self):
        self.connection.autocommit = True
        with self.assertRaises(psycopg.errors.DivisionByZero):
            with self.connection.pipeline():
                self.connection.execute('SELECT 1 / %s::integer', (0,))
                self.connection.execute("INSERT INTO items (label) VALUES ('skipped')")
        self.assertEqual((0,), self.connection.execute(
            "SELECT count(*) FROM items WHERE label = 'skipped'").fetchone())

    def test_copy_in_text_and_binary(self):
        self.connection.execute('CREATE TABLE copied (a integer, b text, c timestamp)')
        rows = [(i, f'row {i}' if i % 3 else None, datetime.datetime(2020, 1, 1) +
                 datetime.timedelta(seconds=i)) for i in range(1000)]
        for form in ('', ' (FORMAT BINARY)'):
            cursor = self.connection.cursor()
            with cursor.copy(f'COPY copied FROM STDIN{form}') as copy:
                copy.set_types(['int4', 'text', 'timestamp'])
                for row in rows:
                    copy.write_row(row)
            with cursor.copy(f'COPY (SELECT * FROM copied ORDER BY a) TO STDOUT{form}') as copy:
                copy.set_types(['int4', 'text', 'timestamp'])
                self.assertEqual(rows, list(copy.rows()))
            self.connection.execute('TRUNCATE copied')
        self.connection.rollback()

    def test_server_cursor(self):
        with self.connection.cursor('walk') as cursor:
            cursor.execute('SELECT * FROM generate_series(1, 500)')
            self.assertEqual([(1,), (2,)], cursor.fetchmany(2))
            self.assertEqual(498, len(cursor.fetchall()))
        self.connection.rollback()

    def test_cancel_ends_a_running_query(self):
        cursor = self.connection.cursor()
        self.connection.execute('SET statement_timeout = 200')
        with self.assertRaises(psycopg.errors.QueryCanceled):
            cursor.execute('SELECT count(*) FROM generate_series(1, 100000000) a, '
                           'generate_series(1, 1000) b WHERE a * 7 % 5 = b')
        self.connection.rollback()


if __name__ == '__main__':
    unittest.main()
