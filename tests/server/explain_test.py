"""EXPLAIN: how many rows it expects, and what its JSON tells beside the text."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import psycopg2  # noqa: E402
from system_test import ConnectedTest  # noqa: E402

ROWS = 30_000
COUNTS = ('Index Model Hits', 'Index Corrections', 'Index Fallbacks')


class ExplainTest(ConnectedTest):
    server_options = ('-c', 'omendb.freeze_after=0')
    setup_sql = f'''
        CREATE TABLE "odd ""name" (id int PRIMARY KEY, v int);
        CREATE TABLE items (id int PRIMARY KEY, "group" int, name text UNIQUE);
        CREATE INDEX items_group ON items ("group");
        INSERT INTO items SELECT i, i % 300, 'name ' || i FROM generate_series(1, {ROWS}) g(i);
        CREATE TABLE frozen (id int PRIMARY KEY, v int, w int);
        INSERT INTO frozen SELECT i, i, i % 7 FROM generate_series(1, {ROWS}) g(i)'''
    frozen_tables = ('frozen',)

    def text(self, sql, options='ANALYZE'):
        self.cursor.execute(f'EXPLAIN ({options}) {sql}')
        return [line for line, in self.cursor.fetchall()]

    def explained(self, sql, options='ANALYZE, FORMAT JSON'):
        self.cursor.execute(f'EXPLAIN ({options}) {sql}')
        (text,), = self.cursor.fetchall()
        explained, = json.loads(text)
        return explained

    def plan(self, sql, options='ANALYZE, FORMAT JSON'):
        return self.explained(sql, options)['Plan']

    def test_a_lookup(self):
        plan = self.plan('SELECT * FROM items WHERE id = 777')
        self.assertEqual(('Index Lookup', 'row', 'items_pkey', 'items', 'id = ?', 1, 1),
                         tuple(plan[name] for name in (
                             'Node Type', 'Executor', 'Index Name', 'Relation Name', 'Index Cond',
                             'Plan Rows', 'Actual Rows')))
        self.assertEqual(1, sum(plan[name] for name in COUNTS))
        self.assertIn(plan['Index Depth'], (2, 3, 4))
        self.assertNotIn('Blocks Read', plan)

    def test_lookups_are_counted_as_in_the_text(self):
        sql = 'SELECT * FROM items WHERE id IN (5, 50, 500, 5000)'
        hits, corrections, fallbacks = (self.plan(sql)[name] for name in COUNTS)
        self.assertEqual(4, hits + corrections + fallbacks)
        self.assertIn(f'Index Model Hits: {hits}  Corrections: {corrections}  '
                      f'Fallbacks: {fallbacks}', self.text(sql))

    def test_each_table_of_a_join_has_its_index(self):
        plan = self.plan('SELECT count(*) FROM items a JOIN items b ON b.id = a."group" + 1 '
                         'WHERE a.id BETWEEN 1 AND 10')
        self.assertEqual(('Aggregate', 10),
                         (plan['Node Type'], sum(plan[name] for name in COUNTS)))
        self.assertEqual([('Index Scan', 'items_pkey'), ('Index Lookup', 'items_pkey')],
                         [(node['Node Type'], node['Index Name']) for node in plan['Plans']])
        for node in plan['Plans']:
            self.assertIn(node['Index Depth'], (2, 3, 4))

    def test_blocks_of_segments(self):
        def blocks(sql):
            plan = self.plan(sql)
            self.assertEqual('duckdb', plan['Executor'])
            return tuple(plan[f'Blocks {name}'] for name in ('Read', 'From Cache', 'Skipped'))

        every = -(-ROWS // 2048)
        read, _, skipped = blocks('SELECT sum(v * 2) FROM frozen')
        self.assertEqual((every, 0), (read, skipped))
        self.assertEqual((every, every, 0), blocks('SELECT sum(v * 2) FROM frozen'))
        self.assertEqual((2 * every, 0), blocks('SELECT sum(v * 2), sum(w * 2) FROM frozen')[::2])
        # All scans of the statement, whichever they are.
        self.assertEqual(2 * every, blocks('SELECT sum(v * 2) FROM frozen UNION ALL '
                                           'SELECT sum(v * 2) FROM frozen')[0])
        read, _, skipped = blocks('SELECT count(w) FROM frozen WHERE v < 40 AND w < 9')
        self.assertLess(read, 6)
        self.assertGreater(skipped, 0)
        self.assertEqual((0, 0, 0), blocks('SELECT sum("group") FROM items'))

    def test_blocks_are_those_of_one_statement(self):
        self.connection.autocommit = False
        first = self.plan('SELECT sum(v * 2) FROM frozen')['Blocks Read']
        self.cursor.execute('SELECT sum(v * 2) FROM frozen')
        self.assertEqual(first, self.plan('SELECT sum(v * 2) FROM frozen')['Blocks Read'])

    def test_options_leave_properties_out(self):
        sql = 'SELECT * FROM items WHERE id = 1'
        measured = set(COUNTS) | {'Actual Rows', 'Actual Total Time', 'Index Depth'}
        self.assertFalse(measured & set(self.plan(sql, 'FORMAT JSON')))
        self.assertNotIn('Execution Time', self.explained(sql, 'FORMAT JSON'))
        explained = self.explained(
            sql, 'ANALYZE, FORMAT JSON, COSTS off, TIMING off, SUMMARY off')
        self.assertNotIn('Execution Time', explained)
        self.assertNotIn('Plan Rows', explained['Plan'])
        self.assertEqual({'Actual Total Time'}, measured - set(explained['Plan']))

    def test_names_are_escaped(self):
        plan = self.plan('SELECT * FROM "odd ""name" WHERE id = 1')
        self.assertEqual('odd "name', plan['Relation Name'])

    def expects(self, sql, factor=1.0):
        """The rows that it expects are those that there are, give or take the factor."""
        self.cursor.execute(sql)
        true = len(self.cursor.fetchall())
        plan = self.plan(sql, 'FORMAT JSON')
        self.assertEqual('row', plan['Executor'], sql)
        least, most = max(1, true) / factor, max(1, true) * factor
        self.assertTrue(least <= plan['Plan Rows'] <= most, f'{sql}: {plan["Plan Rows"]}, {true}')
        self.assertIn(f'(rows={plan["Plan Rows"]})', self.text(sql, 'COSTS')[0])

    def test_rows_expected_of_a_range(self):
        for first, last in ((1, 1), (1, 17), (500, 899), (29_990, 50_000), (40_000, 50_000)):
            self.expects(f'SELECT * FROM items WHERE id BETWEEN {first} AND {last}')
            self.expects(f'SELECT * FROM items WHERE id > {first} AND id < {last}')
        for first, last in ((1, 1000), (10_000, 12_999)):
            self.expects(f'SELECT * FROM items WHERE id BETWEEN {first} AND {last}', 1.3)
        self.expects('SELECT * FROM items WHERE id >= 29900')
        self.expects('SELECT * FROM items WHERE id < 20 ORDER BY id DESC')
        self.expects("SELECT id FROM items WHERE name >= 'name 10' AND name < 'name 1002'")
        self.expects("SELECT id FROM items WHERE name > 'name 10' AND name < 'name 11'", 1.5)
        self.expects('SELECT v FROM frozen WHERE id BETWEEN 7 AND 99')

    def test_rows_expected_of_keys(self):
        self.expects('SELECT * FROM items WHERE id = 5')
        self.expects("SELECT * FROM items WHERE name = 'name 5'")
        self.expects('SELECT * FROM items WHERE id IN (5, 6, 7, 8)')
        self.expects('SELECT * FROM items WHERE "group" = 5')
        self.expects('SELECT * FROM items WHERE "group" IN (5, 6, 1000)')
        self.expects('SELECT * FROM items WHERE "group" = 5 LIMIT 3')
        self.expects('SELECT count(*) FROM items WHERE "group" = 5')

    def test_rows_expected_of_joins(self):
        self.expects('SELECT b.name FROM items a JOIN items b ON b.id = a."group" + 1 '
                     'WHERE a.id BETWEEN 1 AND 10')
        # Each of the 300 groups has as many rows.
        self.expects('SELECT b.name FROM items a JOIN items b ON b."group" = a."group" '
                     'WHERE a.id BETWEEN 1 AND 10', 1.5)

    def test_rows_expected_of_writes(self):
        for sql, rows in (('UPDATE items SET name = name WHERE id BETWEEN 3 AND 9', 7),
                          ('DELETE FROM items WHERE "group" = 8', 100),
                          ("INSERT INTO items VALUES (-1, 0, 'a'), (-2, 0, 'b')", 2)):
            self.assertEqual(rows, self.plan(sql, 'FORMAT JSON')['Plan Rows'], sql)

    def test_rows_expected_with_parameters(self):
        self.cursor.execute('PREPARE stretch (int, int) AS SELECT * FROM items '
                            'WHERE id BETWEEN $1 AND $2')
        self.assertEqual(21, self.plan('EXECUTE stretch (10, 30)', 'FORMAT JSON')['Plan Rows'])
        self.assertEqual(1, self.plan('EXECUTE stretch (10, NULL)', 'FORMAT JSON')['Plan Rows'])

    def test_ranges_known_to_be_wide_cost_no_try(self):
        self.cursor.execute('PREPARE summed (int, int) AS SELECT count(*), sum("group") '
                            'FROM items WHERE id BETWEEN $1 AND $2')
        for _ in range(5):  # Three tries in vain would send it to DuckDB for good.
            self.cursor.execute(f'EXECUTE summed (1, {ROWS})')
            self.assertEqual([(ROWS, 300 // 2 * 299 * (ROWS // 300))], self.cursor.fetchall())
        self.assertIn('Executor: row', self.text('EXECUTE summed (3, 9)', 'COSTS OFF'))
        self.cursor.execute('EXECUTE summed (3, 9)')
        self.assertEqual([(7, 42)], self.cursor.fetchall())

    def test_other_formats_are_refused(self):
        for name in ('xml', 'yaml'):
            with self.assertRaises(psycopg2.errors.FeatureNotSupported):
                self.plan('SELECT 1', f'FORMAT {name}')


if __name__ == '__main__':
    unittest.main()
