#!/usr/bin/python3
"""psql: scripts, variables, \\copy, and the \\d family, whose queries read pg_catalog."""

import os
import subprocess
import unittest

from omendb_server import psql
from system_test import SystemTest


class PsqlTest(SystemTest):
    setup_sql = '''
        CREATE TABLE customers (id SERIAL PRIMARY KEY, name VARCHAR(50) NOT NULL,
                                joined DATE DEFAULT '2020-01-01', score NUMERIC(6,2));
        CREATE INDEX customers_name_idx ON customers (name);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL
                             REFERENCES customers (id) ON DELETE CASCADE, total NUMERIC(10,2)
                             CHECK (total >= 0), note TEXT UNIQUE);
        CREATE VIEW big_orders AS SELECT id, total FROM orders WHERE total > 100;
        CREATE SCHEMA extra;
        CREATE TABLE extra.things (a INTEGER);
    '''

    def run_psql(self, script, *options):
        done = psql(self.server, script, *options, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout

    def table(self, command, *options):
        """Unaligned rows of a meta command or query, without title and footer."""
        return self.run_psql(command, '-A', '-t', *options).splitlines()

    def test_a_script_stops_at_its_first_error(self):
        done = psql(self.server, "SELECT 1;\nSELECT nope;\nSELECT 3;\n", '-A', '-t', check=False)
        self.assertEqual(3, done.returncode)
        self.assertEqual('1\n', done.stdout)
        self.assertIn('ERROR:  column "nope" does not exist\nLINE 1: SELECT nope;\n'
                      '               ^', done.stderr)

    def test_results_are_aligned_by_type(self):
        self.assertEqual(' n |  t  \n---+-----\n 1 | one\n   | two\n(2 rows)\n\n', self.run_psql(
            "SELECT * FROM (VALUES (1, 'one'), (NULL, 'two')) v (n, t);"))

    def test_variables_conditions_and_gset(self):
        self.assertEqual(['yes 42'], self.table(
            "\\set n 42\nSELECT :n AS a, 't' AS b \\gset\n"
            "\\if :b\n\\echo yes :a\n\\else\n\\echo no\n\\endif\n"))

    def test_command_tags_and_multiple_statements(self):
        done = subprocess.run(
            ['psql', '-X', '-c', 'CREATE TABLE tags (a int); INSERT INTO tags VALUES (1), (2); '
             'UPDATE tags SET a = 3 WHERE a = 2; DELETE FROM tags; DROP TABLE tags'],
            env=self.server.environment(), text=True, stdout=subprocess.PIPE, check=True)
        self.assertEqual('CREATE TABLE\nINSERT 0 2\nUPDATE 1\nDELETE 2\nDROP TABLE\n', done.stdout)

    def test_transactions_and_on_error_rollback(self):
        out = self.table("BEGIN;\nINSERT INTO customers (name) VALUES ('a');\nROLLBACK;\n"
                         "SELECT count(*) FROM customers;\n")
        self.assertEqual(['0'], out)
        done = psql(self.server, "\\set ON_ERROR_STOP 0\n\\set ON_ERROR_ROLLBACK on\nBEGIN;\n"
                    "SELECT 1/0;\nSELECT 'alive';\nCOMMIT;\n", '-A', '-t')
        self.assertEqual('alive\n', done.stdout)
        self.assertIn('division by zero', done.stderr)

    def test_copy_from_and_to_files(self):
        path = os.path.join(self.server.folder, 'rows.csv')
        with open(path, 'w', encoding='utf-8') as file:
            file.write('a,b\n1,"quoted, ""text"""\n2,\n3,""\n')
        out = self.table(
            "CREATE TABLE files (a int, b text);\n"
            f"\\copy files FROM '{path}' WITH (FORMAT csv, HEADER)\n"
            "SELECT a, b, b IS NULL FROM files ORDER BY a;\n"
            f"\\copy (SELECT * FROM files ORDER BY a) TO '{path}.out' CSV HEADER\n"
            "DROP TABLE files;\n")
        self.assertEqual(['1|quoted, "text"|f', '2||t', '3||f'], out)
        with open(path + '.out', encoding='utf-8') as file:
            self.assertEqual('a,b\n1,"quoted, ""text"""\n2,\n3,""\n', file.read())

    def test_copy_in_a_script(self):
        self.assertEqual(['6'], self.table(
            'CREATE TABLE inline (a int);\nCOPY inline FROM stdin;\n1\n2\n3\n\\.\n'
            'SELECT sum(a) FROM inline;\nDROP TABLE inline;\n'))

    def test_describe_a_table(self):
        out = self.run_psql('\\d customers')
        self.assertEqual('''\
                                   Table "public.customers"
 Column |         Type          | Collation | Nullable |                Default                \n\
--------+-----------------------+-----------+----------+---------------------------------------
 id     | integer               |           | not null | nextval('customers_id_seq'::regclass)
 name   | character varying(50) |           | not null | 
 joined | date                  |           |          | '2020-01-01'::date
 score  | numeric(6,2)          |           |          | 
Indexes:
    "customers_pkey" PRIMARY KEY, btree (id)
    "customers_name_idx" btree (name)
Referenced by:
    TABLE "orders" CONSTRAINT "orders_customer_id_fkey" FOREIGN KEY (customer_id) \
REFERENCES customers(id) ON DELETE CASCADE

''', out)

    def test_describe_constraints(self):
        out = self.run_psql('\\d orders')
        for line in ('    "orders_pkey" PRIMARY KEY, btree (id)',
                     '    "orders_note_key" UNIQUE CONSTRAINT, btree (note)',
                     'Check constraints:', '    "orders_total_check" CHECK (total >= 0',
                     'Foreign-key constraints:',
                     '    "orders_customer_id_fkey" FOREIGN KEY (customer_id) REFERENCES '
                     'customers(id) ON DELETE CASCADE'):
            self.assertIn(line, out)

    def test_lists(self):
        owner = self.server.user
        self.assertEqual([f'public|customers|table|{owner}', f'public|orders|table|{owner}'],
                         self.table('\\dt'))
        self.assertEqual([f'extra|things|table|{owner}'], self.table('\\dt extra.*'))
        self.assertEqual([f'public|big_orders|view|{owner}'], self.table('\\dv'))
        self.assertIn(f'public|customers_name_idx|index|{owner}|customers', self.table('\\di'))
        self.assertEqual([f'public|customers_id_seq|sequence|{owner}'], self.table('\\ds'))
        self.assertIn(f'extra|{owner}', self.table('\\dn'))
        self.assertIn('public|big_orders|view', [line[:len('public|big_orders|view')]
                                                 for line in self.table('\\d')])
        databases = [line.split('|')[0] for line in self.table('\\l')]
        self.assertIn(self.server.database, databases)
        self.run_psql('\\df')

    def test_connection_to_another_database(self):
        self.assertEqual(['other', '0'], self.table(
            'CREATE DATABASE other;\n\\c other\nSELECT current_database();\n'
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public';\n"))
        self.run_psql('DROP DATABASE other;')

    def test_information_schema(self):
        self.assertEqual(
            ['id|integer|NO|', 'name|character varying|NO|50', 'joined|date|YES|',
             'score|numeric|YES|'],
            self.table("SELECT column_name, data_type, is_nullable, character_maximum_length FROM "
                       "information_schema.columns WHERE table_name = 'customers' "
                       "ORDER BY ordinal_position"))

    def test_show_and_set(self):
        self.assertEqual(['UTC', '100ms', '0'], self.table(
            "SET TimeZone = 'UTC';\nSHOW timezone;\nSET statement_timeout = 100;\n"
            "SHOW statement_timeout;\nRESET statement_timeout;\nSHOW statement_timeout;\n"))


if __name__ == '__main__':
    unittest.main()
