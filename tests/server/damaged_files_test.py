#!/usr/bin/python3
"""Damaged segment files: what `omendb check` and segment_dump say of them, and what is still read.
"""

import glob
import os
import re
import subprocess
import unittest

import psycopg2

from omendb_server import OmenServer

SETUP = '''
    CREATE TABLE t (id integer PRIMARY KEY, k integer, v bigint, s text);
    CREATE INDEX t_k ON t (k);
    INSERT INTO t SELECT g, g % 97, g * 7919 % 10007, 'the text of row ' || g
      FROM generate_series(1, 6000) AS s (g);
    CREATE TABLE other (id integer PRIMARY KEY);
    INSERT INTO other VALUES (1);
'''


class DamagedFilesTest(unittest.TestCase):

    def setUp(self):
        self.server = OmenServer('-c', 'omendb.freeze_after=0')
        self.addCleanup(self.server.close)
        self.start()
        self.execute(SETUP)
        for statement in ('VACUUM (FREEZE) t', 'CHECKPOINT'):
            self.execute(statement)
        self.server.stop()
        self.file, = glob.glob(f'{self.server.data_dir}/segments/*.seg')

    def start(self):
        self.server.start()
        self.connection = self.server.connect()
        self.connection.autocommit = True

    def execute(self, sql):
        cursor = self.connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None

    @staticmethod
    def run_tool(*command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        return done.returncode, done.stdout

    def check(self):
        return self.run_tool(self.server.binary, 'check', '--data-dir', self.server.data_dir)

    def dump(self, *options):
        tool = os.path.join(os.path.dirname(self.server.binary), 'tools', 'segment_dump')
        return self.run_tool(tool, self.file, *options)

    def flip(self, at):
        with open(self.file, 'r+b') as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 4]))

    def flip_block(self, column, block):
        """A bit in the middle of a block, whose place segment_dump tells."""
        _, text = self.dump('--blocks')
        of_column = text[text.index(f'\n  column {column} '):]
        place = re.search(rf'block +{block} at +(\d+) +(\d+) bytes', of_column)
        self.flip(int(place[1]) + int(place[2]) // 2)

    def assert_damaged(self, sql, *parts):
        with self.assertRaises(psycopg2.Error) as raised:
            self.execute(sql)
        self.assertEqual('XX001', raised.exception.pgcode)
        for part in (os.path.basename(self.file), *parts):
            self.assertIn(part, str(raised.exception))

    def test_whole_ones_are_printed_and_checked(self):
        code, text = self.dump('--rows', '2')
        self.assertEqual(0, code, text)
        for part in ('6000 rows', 'key: column 1,', 'column 4 text', 'row 1: 2 2 5831 the text of',
                     '0 parts are damaged'):
            self.assertIn(part, text)
        code, text = self.check()
        self.assertEqual(0, code, text)

    def test_a_damaged_block_is_told_and_the_rest_is_read(self):
        self.flip_block(column=3, block=1)
        code, text = self.dump()
        self.assertEqual(1, code, text)
        self.assertIn('column 3, block 1', text)
        self.assertIn('1 parts are damaged', text)
        code, text = self.check()
        self.assertEqual(1, code, text)
        self.assertIn('column 3, block 1', text)
        self.start()
        self.assert_damaged('SELECT max(v * 2) FROM t', 'column 3, block 1')
        self.assert_damaged('SELECT v FROM t WHERE id = 3000', 'column 3, block 1')
        self.assertEqual([(5831,)], self.execute('SELECT v FROM t WHERE id = 2'))
        self.assertEqual([(6000, 6000)], self.execute('SELECT count(*), count(DISTINCT s) FROM t'))
        self.assertEqual([('the text of row 3000',)],
                         self.execute('SELECT s FROM t WHERE id = 3000'))
        self.assertEqual(62, len(self.execute('SELECT s FROM t WHERE k = 5')))
        self.assertEqual([(1,)], self.execute('SELECT * FROM other'))
        self.execute('INSERT INTO t VALUES (7000, 5, 1, NULL)')

    def test_the_column_of_an_index_keeps_nothing_else_from_being_read(self):
        for run in glob.glob(f'{self.server.data_dir}/segments/*.idx'):
            os.remove(run)
        self.flip_block(column=2, block=2)
        self.start()
        self.assert_damaged('SELECT s FROM t WHERE k = 5', 'column 2, block 2')
        self.assertEqual([(6000, 6000)], self.execute('SELECT count(*), count(DISTINCT s) FROM t'))
        self.assertEqual([('the text of row 5000', 7308)],
                         self.execute('SELECT s, v FROM t WHERE id = 5000'))
        self.assertEqual([(1,)], self.execute('SELECT * FROM other'))
        code, text = self.dump()
        self.assertEqual(1, code, text)

    def test_a_file_that_cannot_be_opened_keeps_other_tables_readable(self):
        self.flip(5)
        code, text = self.check()
        self.assertEqual(1, code, text)
        self.assertIn(os.path.basename(self.file), text)
        self.start()
        self.assertIn(os.path.basename(self.file), self.server.log())
        for sql in ('SELECT count(*) FROM t', 'SELECT s FROM t WHERE id = 1', 'TABLE t',
                    'SELECT o.id FROM other o LEFT JOIN t USING (id)', 'UPDATE t SET k = 0',
                    'CREATE TABLE copied AS TABLE t', 'DELETE FROM t',
                    'INSERT INTO t VALUES (7000)', 'INSERT INTO other VALUES (2)', 'DROP TABLE t',
                    'CREATE TABLE more (id integer)', 'VACUUM (FREEZE) other'):
            with self.subTest(sql):
                self.assert_damaged(sql)
        self.assertEqual([(1,)], self.execute('SELECT * FROM other'))
        self.execute('SET omendb.read_damaged_tables = on')
        self.assertEqual([(0,)], self.execute('SELECT count(*) FROM t'))
        self.connection.close()
        self.server.stop()
        self.flip(5)
        self.start()
        self.assertEqual([(6000, 6000)], self.execute('SELECT count(*), count(DISTINCT s) FROM t'))
        self.execute('INSERT INTO t VALUES (7000)')
        self.connection.close()


if __name__ == '__main__':
    unittest.main()
