#!/usr/bin/python3
"""psycopg2: simple protocol, text results, COPY by expert and by file."""

import datetime
import decimal
import io
import unittest
import uuid

import psycopg2
import psycopg2.extras
from psycopg2 import errorcodes, extensions

from system_test import SystemTest


class Psycopg2Test(SystemTest):
    setup_sql = '''
        CREATE TABLE people (id SERIAL PRIMARY KEY, name TEXT NOT NULL,
                             age INTEGER CHECK (age >= 0),
                             email VARCHAR(40) UNIQUE);
        CREATE TABLE pets (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES people (id));
        CREATE TABLE every_type (
            b boolean, i2 smallint, i4 integer, i8 bigint, f4 real, f8 double precision,
            n numeric(12,3), t text, v varchar(10), c char(5), by bytea, d date, tm time,
            ts timestamp, tz timestamptz, iv interval, u uuid, j json, jb jsonb,
            ai integer[], at text[]);
    '''

    def setUp(self):
        self.connection = self.server.connect()
        self.addCleanup(self.connection.close)
        self.cursor = self.connection.cursor()

    def query(self, sql, *args):
        self.cursor.execute(sql, args or None)
        return self.cursor.fetchall()

    def test_connect_reports_a_postgres_server(self):
        self.assertGreaterEqual(self.connection.server_version, 150000)
        self.assertEqual('UTF8', self.connection.get_parameter_status('client_encoding'))
        self.assertEqual('on', self.connection.get_parameter_status('standard_conforming_strings'))
        self.assertEqual([(1,)], self.query('SELECT 1'))

    def test_unknown_database_is_refused(self):
        with self.assertRaisesRegex(psycopg2.OperationalError, 'database "nowhere" does not exist'):
            self.server.connect(dbname='nowhere')

    def test_parameters_of_every_type_come_back(self):
        stamp = datetime.datetime(2024, 2, 29, 13, 14, 15, 123456)
        zoned = stamp.replace(tzinfo=datetime.timezone.utc)
        row = (True, -5, 2147483647, -9223372036854775808, 1.5, 2.25, decimal.Decimal('1234.500'),
               "it's \\ \u00fcber \u4e16\u754c", 'short', 'ab   ', b'\x00\xff\\', stamp.date(),
               stamp.time(), stamp, zoned, datetime.timedelta(days=3, seconds=7384),
               str(uuid.UUID(int=77)), {'a': [1, None]}, {'b': 'c'}, [1, None, 3], ['x', 'y,"z'])
        sent = tuple(psycopg2.extras.Json(x) if isinstance(x, dict) else x for x in row)
        self.cursor.execute('INSERT INTO every_type VALUES (' + ','.join(['%s'] * len(row)) + ')',
                            sent)
        got = self.query('SELECT * FROM every_type WHERE i4 = %s', 2147483647)[0]
        got = tuple(bytes(x) if isinstance(x, memoryview) else x for x in got)
        self.assertEqual(row, got)
        self.connection.rollback()

    def test_nulls_of_every_type_come_back(self):
        self.cursor.execute('INSERT INTO every_type (b) VALUES (NULL)')
        self.assertEqual([(None,) * 21], self.query('SELECT * FROM every_type'))
        self.connection.rollback()

    def test_commit_and_rollback(self):
        self.cursor.execute("INSERT INTO people (name) VALUES ('kept') RETURNING id")
        kept = self.cursor.fetchone()[0]
        self.assertEqual(extensions.TRANSACTION_STATUS_INTRANS,
                         self.connection.get_transaction_status())
        self.connection.commit()
        self.cursor.execute("INSERT INTO people (name) VALUES ('dropped')")
        self.connection.rollback()
        self.assertEqual([(kept,)], self.query(
            "SELECT id FROM people WHERE name IN ('kept', 'dropped')"))

    def test_savepoint_undoes_a_part(self):
        self.cursor.execute("INSERT INTO people (name) VALUES ('one')")
        self.cursor.execute('SAVEPOINT s')
        self.cursor.execute("INSERT INTO people (name) VALUES ('two')")
        self.cursor.execute('ROLLBACK TO SAVEPOINT s')
        self.assertEqual([('one',)], self.query(
            "SELECT name FROM people WHERE name IN ('one', 'two')"))
        self.connection.rollback()

    def test_errors_carry_sqlstate_and_names(self):
        cases = [
            ('SELEC 1', errorcodes.SYNTAX_ERROR, None),
            ('SELECT * FROM nowhere', errorcodes.UNDEFINED_TABLE, None),
            ('SELECT nothing FROM people', errorcodes.UNDEFINED_COLUMN, None),
            ('SELECT 1 / 0', errorcodes.DIVISION_BY_ZERO, None),
            ("SELECT 'x'::integer", errorcodes.INVALID_TEXT_REPRESENTATION, None),
            ('INSERT INTO people (id) VALUES (999)', errorcodes.NOT_NULL_VIOLATION, None),
            ("INSERT INTO people (name, age) VALUES ('x', -1)", errorcodes.CHECK_VIOLATION,
             'people_age_check'),
            ('INSERT INTO pets VALUES (1, 123456)', errorcodes.FOREIGN_KEY_VIOLATION,
             'pets_owner_fkey'),
            ("INSERT INTO people (name, email) VALUES ('a', 'e'), ('b', 'e')",
             errorcodes.UNIQUE_VIOLATION, 'people_email_key'),
            ('INSERT INTO every_type (i2) VALUES (40000)', errorcodes.NUMERIC_VALUE_OUT_OF_RANGE,
             None),
            ("INSERT INTO every_type (v) VALUES ('longer than ten')",
             errorcodes.STRING_DATA_RIGHT_TRUNCATION, None),
        ]
        for sql, sqlstate, constraint in cases:
            with self.subTest(sql):
                with self.assertRaises(psycopg2.Error) as caught:
                    self.cursor.execute(sql)
                self.assertEqual(sqlstate, caught.exception.pgcode)
                if constraint:
                    self.assertEqual(constraint, caught.exception.diag.constraint_name)
                self.connection.rollback()

    def test_a_failed_transaction_refuses_more(self):
        with self.assertRaises(psycopg2.errors.DivisionByZero):
            self.cursor.execute('SELECT 1 / 0')
        with self.assertRaises(psycopg2.errors.InFailedSqlTransaction):
            self.cursor.execute('SELECT 1')
        self.connection.rollback()
        self.assertEqual([(1,)], self.query('SELECT 1'))

    def test_syntax_error_has_a_position(self):
        with self.assertRaises(psycopg2.errors.SyntaxError) as caught:
            self.cursor.execute('SELECT FROM FROM x')
        self.assertEqual('13', caught.exception.diag.statement_position)

    def test_copy_both_ways(self):
        self.cursor.execute('CREATE TABLE copied (a integer, b text)')
        self.cursor.copy_from(io.StringIO('1\tone\n2\t\\N\n3\ttab\\there\n'), 'copied')
        self.assertEqual([(1, 'one'), (2, None), (3, 'tab\there')],
                         self.query('SELECT * FROM copied ORDER BY a'))
        csv = io.StringIO()
        self.cursor.copy_expert('COPY (SELECT * FROM copied ORDER BY a) TO STDOUT '
                                'WITH (FORMAT csv, HEADER)', csv)
        self.assertEqual('a,b\n1,one\n2,\n3,tab\there\n', csv.getvalue())
        text = io.StringIO()
        self.cursor.copy_to(text, 'copied')
        self.assertEqual(['1\tone', '2\t\\N', '3\ttab\\there'],
                         sorted(text.getvalue().splitlines()))
        self.connection.rollback()

    def test_copy_error_names_the_line(self):
        self.cursor.execute('CREATE TABLE copied (a integer)')
        with self.assertRaises(psycopg2.errors.InvalidTextRepresentation) as caught:
            self.cursor.copy_from(io.StringIO('1\nx\n'), 'copied')
        self.assertIn('line 2', caught.exception.diag.context)
        self.connection.rollback()

    def test_named_cursor_fetches_in_pieces(self):
        with self.connection.cursor('piecewise') as cursor:
            cursor.itersize = 100
            cursor.execute('SELECT n FROM generate_series(1, 1000) AS g (n) ORDER BY n')
            self.assertEqual(list(range(1, 1001)), [n for (n,) in cursor])
        self.connection.rollback()

    def test_execute_values_and_row_counts(self):
        rows = [(f'bulk{i}', i) for i in range(500)]
        psycopg2.extras.execute_values(self.cursor, 'INSERT INTO people (name, age) VALUES %s',
                                       rows, page_size=500)
        self.assertEqual(500, self.cursor.rowcount)
        self.cursor.execute("UPDATE people SET age = age + 1 WHERE name LIKE 'bulk%'")
        self.assertEqual(500, self.cursor.rowcount)
        self.cursor.execute("DELETE FROM people WHERE name LIKE 'bulk%' AND age > 250")
        self.assertEqual(250, self.cursor.rowcount)
        self.connection.rollback()

    def test_notices_arrive(self):
        self.cursor.execute('DROP TABLE IF EXISTS not_there')
        self.assertIn('table "not_there" does not exist, skipping', self.connection.notices[-1])
        self.connection.rollback()


if __name__ == '__main__':
    unittest.main()
