#!/usr/bin/python3
"""Comparisons of row values answer as PostgreSQL 15's: all operators, BETWEEN and IN over rows of
two to four fields of mixed types with NULL anywhere, and with sub-selects of several columns, in
the select list, in WHERE of a scan, and in WHERE of a lookup by key (which the row executor runs).
The seed is fixed; OMENDB_SEED sets another.
"""

import os
import random
import sys

from omendb_server import OmenServer, PostgresServer

COMPARISONS = 400
ROWS = 40
SEED = int(os.environ.get('OMENDB_SEED', '20250101'))
OPERATORS = ('=', '<>', '<', '<=', '>', '>=')
COLUMNS = {'a': 'int', 'b': 'bigint', 'c': 'text', 'd': 'numeric(6,2)', 'e': 'float8', 'f': 'date'}
VALUES = {
    'a': ('0', '1', '2', '1.5'),
    'b': ('0', '1', '2', '3000000000'),
    'c': ("''", "'x'", "'y'"),
    'd': ('0', '1.5', '2'),
    'e': ('0', '1.5', "'NaN'"),
    'f': ("'2024-01-01'", "'2024-01-02'"),
}


class Generator:
    def __init__(self, rng):
        self.rng = rng

    def value(self, column):
        return 'NULL' if self.rng.random() < 0.2 else self.rng.choice(VALUES[column])

    def stored(self, column):
        value = self.value(column)
        return '1' if value == '1.5' and column == 'a' else value

    def field(self, column):
        return column if self.rng.random() < 0.1 else self.value(column)

    def other(self, columns):
        return '(' + ', '.join(self.field(column) for column in columns) + ')'

    def comparison(self):
        columns = self.rng.sample(sorted(COLUMNS), self.rng.randint(2, 4))
        row = '(' + ', '.join(columns) + ')'
        if self.rng.random() < 0.2:
            negation = self.rng.choice(('', 'NOT '))
            return f'{row} {negation}BETWEEN {self.other(columns)} AND {self.other(columns)}'
        if self.rng.random() < 0.2:
            rows = [self.other(columns) for _ in range(self.rng.choice((1, 3, 8, 12, 40)))]
            return f"{row} {self.rng.choice(('', 'NOT '))}IN ({', '.join(rows)})"
        if self.rng.random() < 0.4:
            return f'{row} {self.with_query(columns)}'
        sides = [row, self.other(columns)]
        self.rng.shuffle(sides)
        return f'{sides[0]} {self.rng.choice(OPERATORS)} {sides[1]}'

    def with_query(self, columns):
        """An operator and a sub-select of so many columns, of rows with and without NULL."""
        names = ', '.join(columns)
        if self.rng.random() < 0.3:
            key = self.rng.randrange(ROWS + 2)
            return f'{self.rng.choice(OPERATORS)} (SELECT {names} FROM s WHERE id = {key})'
        condition = self.rng.choice(('true', 'false', f'id < {self.rng.randrange(12)}',
                                     f'id % 5 = {self.rng.randrange(5)}', f's.a = t.{columns[0]}'
                                     if columns[0] in 'ab' else 's.b > t.b',
                                     ' AND '.join(f'{name} IS NOT NULL' for name in columns)))
        query = f'(SELECT {names} FROM s WHERE {condition})'
        if self.rng.random() < 0.6:
            return self.rng.choice(('IN ', 'NOT IN ', '= ANY ', '<> ALL ')) + query
        return f"{self.rng.choice(OPERATORS)} {self.rng.choice(('ANY', 'ALL'))} {query}"


def setup(generator):
    definition = ', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())
    for table in 'ts':
        yield f'CREATE TABLE {table} (id int PRIMARY KEY, {definition})'
        for i in range(ROWS):
            row = ', '.join(generator.stored(column) for column in COLUMNS)
            yield f'INSERT INTO {table} VALUES ({i}, {row})'


def queries(generator):
    for _ in range(COMPARISONS):
        comparison = generator.comparison()
        yield f'SELECT id, {comparison} FROM t ORDER BY id'
        yield f'SELECT id FROM t WHERE {comparison} ORDER BY id'
        yield f'SELECT id FROM t WHERE NOT ({comparison}) ORDER BY id'
        yield f'SELECT id FROM t WHERE id = {generator.rng.randrange(ROWS)} AND {comparison}'


def main():
    generator = Generator(random.Random(SEED))
    with OmenServer() as omendb, PostgresServer() as postgres:
        cursors = []
        for server in (omendb, postgres):
            connection = server.connect()
            connection.autocommit = True
            cursors.append(connection.cursor())
        for sql in setup(generator):
            for cursor in cursors:
                cursor.execute(sql)
        for sql in queries(generator):
            found = []
            for cursor in cursors:
                cursor.execute(sql)
                found.append(cursor.fetchall())
            if found[0] != found[1]:
                sys.exit(f'seed {SEED}: {sql}\nOmenDB     {found[0]}\nPostgreSQL {found[1]}')


main()
