"""Parameters of statements whose types nobody gave, beside numerics: they are numeric without
precision, as in PostgreSQL, so that no digit of a value is rounded before it is compared."""

import os
import sys
import unittest
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from system_test import ConnectedTest  # noqa: E402


class NumericParametersTest(ConnectedTest):
    setup_sql = '''
        CREATE TABLE items (id int PRIMARY KEY, price numeric(9,2), name text);
        CREATE UNIQUE INDEX ON items (price)'''

    autocommit = False

    def setUp(self):
        super().setUp()
        self.cursor.execute("INSERT INTO items VALUES (1, 10.12, 'a'), (2, 3, 'b')")

    def run_prepared(self, sql, *values):
        self.cursor.execute(f'PREPARE it AS {sql}')
        self.cursor.execute(f'EXECUTE it ({", ".join(values)})')
        rows = self.cursor.fetchall() if self.cursor.description else self.cursor.rowcount
        self.cursor.execute('DEALLOCATE it')
        return rows

    def test_comparisons_see_every_digit(self):
        for condition, values, ids in (
                ('price = $1', ['10.123'], []), ('price = $1', ['10.120'], [1]),
                ('price > $1', ['10.115'], [1]), ('price > $1', ['10.123'], []),
                ('price < $1', ['3.001'], [2]), ('price <> $1', ['10.121'], [1, 2]),
                ('price IN ($1, $2)', ['10.119', '3.00'], [2]),
                ('price BETWEEN $1 AND $2', ['2.999', '10.121'], [1, 2]),
                ('price BETWEEN $1 AND $2', ['3.001', '10.119'], []),
                ('(price, id) = ($1, $2)', ['10.12', '1'], [1]),
                ('price + $1 > 5', ['123456789.123'], [1, 2]),
                ('$1 - price = 0.003', ['3.003'], [2]),
                ('name = $1 AND price <> $2', ["'b'", '3.0001'], [2])):
            found = self.run_prepared(f'SELECT id FROM items WHERE {condition} ORDER BY id',
                                      *values)
            self.assertEqual(ids, [row[0] for row in found], f'{condition} {values}')

    def test_computed_values(self):
        self.assertEqual([(Decimal('95.0'),)], self.run_prepared('SELECT $1 * 9.5', '10'))
        self.assertEqual([(Decimal('13.13312'),)],
                         self.run_prepared('SELECT sum(price * $1) FROM items', '1.001'))

    def test_what_is_stored_is_rounded_once(self):
        self.assertEqual(1, self.run_prepared("INSERT INTO items VALUES (3, $1 * 9.5, 'c')", '10'))
        self.assertEqual(1, self.run_prepared('INSERT INTO items VALUES (4, $1, $2)', '7.777',
                                              "'d'"))
        self.assertEqual(1, self.run_prepared(
            'UPDATE items SET price = price + $1 WHERE id = 1', '0.016'))
        self.assertEqual(1, self.run_prepared('UPDATE items SET price = $1 WHERE id = $2', '1.239',
                                              '2'))
        self.cursor.execute('SELECT id, price FROM items ORDER BY id')
        self.assertEqual([(1, Decimal('10.14')), (2, Decimal('1.24')), (3, Decimal('95.00')),
                          (4, Decimal('7.78'))], self.cursor.fetchall())

    def test_the_row_executor_computes_them(self):
        for sql, values in (('UPDATE items SET price = price + $1 WHERE id = $2', '1, 1'),
                            ("INSERT INTO items VALUES ($1, $2 * 9.5, 'c')", '9, 3'),
                            ('SELECT price * $1 - 1 FROM items WHERE id = 1', '3'),
                            ('SELECT price * price FROM items WHERE id = $1', '1')):
            self.cursor.execute(f'PREPARE it AS {sql}')
            self.cursor.execute(f'EXPLAIN EXECUTE it ({values})')
            lines = [line for line, in self.cursor.fetchall()]
            self.assertIn('Executor: row', lines, sql)
            self.cursor.execute('DEALLOCATE it')

    def test_what_is_no_number_is_text(self):
        self.assertEqual([('a', 'x')], self.run_prepared(
            'SELECT name, $1 FROM items WHERE price > $2 AND name || $3 = $4',
            "'x'", '9.999', "'-'", "'a-'"))


if __name__ == '__main__':
    unittest.main()
