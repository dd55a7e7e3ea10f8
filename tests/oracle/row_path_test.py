#!/usr/bin/python3
"""The row executor and DuckDB answer alike: random statements run on two equal tables, one
session with omendb.row_executor = on, the other with off. Rows, tags and SQLSTATEs must
agree, and so must the
tables at the end. The seed is fixed; OMENDB_SEED sets another.
"""

import os
import random
import re
import sys

import psycopg2

from omendb_server import OmenServer

STATEMENTS = 600
SEED = int(os.environ.get('OMENDB_SEED', '20240607'))

TABLE = """CREATE TABLE {name} (
  id int PRIMARY KEY, k bigint, s varchar(20), n numeric(10,2), f float8, d date, b boolean,
  t timestamp DEFAULT '2024-01-01', UNIQUE (k), CHECK (n < 1000000));
CREATE INDEX ON {name} (d);"""


class Generator:
    def __init__(self, rng):
        self.rng = rng

    def integer(self):
        return self.rng.choice([self.rng.randint(-5, 40), self.rng.randint(-5, 40), 2147483647])

    def literal(self, column):
        if self.rng.random() < 0.1:
            return 'NULL'
        r = self.rng
        return {
            'id': lambda: str(r.randint(0, 40)),
            'k': lambda: str(r.choice([r.randint(0, 60), 3000000000])),
            's': lambda: r.choice(
                ["'abc'", "'it''s'", "''", "'a longer text than twelve'", "'Zz'"]),
            'n': lambda: r.choice(['0', '1.5', '-2.25', '99.999', '12345.67', '10000000']),
            'f': lambda: r.choice(['0', '1.5', '-2.5e3', "'NaN'", '1e-3']),
            'd': lambda: r.choice(
                ["'2024-01-01'", "'2023-12-31'", "'2024-02-30'", "date '2024-05-05'"]),
            'b': lambda: r.choice(['true', 'false', "'t'", "'no'"]),
        }[column]()

    def expression(self, column):
        r = self.rng
        choices = [self.literal(column)] * 3
        choices += {
            'k': ['k + 1', 'k * 2', 'id + k', 'k / 0', 'k % 7', '-k'],
            's': ["s || 'x'", "coalesce(s, 'none')"],
            'n': ['n + 1', 'n * 2', 'n - 0.5'],
            'f': ['f * 2', 'f + 1'],
            'd': ['d + 1', 'd - 3'],
            'b': ['NOT b', 'k > 5'],
        }.get(column, [])
        return r.choice(choices)

    def condition(self):
        r = self.rng
        return r.choice([
            f'id = {r.randint(0, 40)}',
            f'id = {r.randint(0, 40)}',
            f'k = {r.randint(0, 60)}',
            f'id IN ({r.randint(0, 40)}, {r.randint(0, 40)}, {r.randint(0, 40)})',
            f'id BETWEEN {r.randint(0, 20)} AND {r.randint(15, 40)}',
            f'id > {r.randint(20, 40)} AND b',
            f'id = {r.randint(0, 40)} AND s IS NOT NULL',
            "d = '2024-01-01'",
            f"d = '2024-0{r.randint(1, 6)}-0{r.randint(1, 6)}'::date",
            f"id = '{r.randint(0, 40)}'::int AND t < '2024-01-0{r.randint(1, 4)}'::timestamp",
            "id = '1x'::int",
            f"id = {r.randint(0, 40)}::bigint AND n < '{r.randint(0, 50)}'::numeric",
            f'id >= {r.randint(0, 40)} AND (n > 1 OR f < 0)',
            f"id = {r.randint(0, 40)} AND s <> 'abc'",
            f'id = {self.integer()}',
            "id = '7'",
        ])

    def statement(self):
        r = self.rng
        columns = ['k', 's', 'n', 'f', 'd', 'b']
        chosen = r.sample(columns, r.randint(1, 4))
        kind = r.random()
        if kind < 0.35:
            values = ', '.join([self.literal('id')] + [self.literal(c) for c in chosen])
            conflict = r.choice(['', '', ' ON CONFLICT DO NOTHING',
                                 ' ON CONFLICT (id) DO UPDATE SET s = excluded.s, n = T.n + 1'])
            returning = r.choice(['', ' RETURNING *', ' RETURNING id, k'])
            return f"INSERT INTO T (id, {', '.join(chosen)}) VALUES ({values}){conflict}{returning}"
        if kind < 0.6:
            sets = ', '.join(f'{c} = {self.expression(c)}' for c in chosen)
            returning = r.choice(['', ' RETURNING id, s, k'])
            return f'UPDATE T SET {sets} WHERE {self.condition()}{returning}'
        if kind < 0.68:
            return f'DELETE FROM T WHERE {self.condition()}' + r.choice(['', ' RETURNING id'])
        listed = r.choice(['*', 'id, s', 'id, k + 1, n * 2', "id, coalesce(s, '-'), f",
                           'id, d + 1'])
        return f'SELECT {listed} FROM T WHERE {self.condition()}'


def run(cursor, sql):
    try:
        cursor.execute(sql)
        rows = cursor.fetchall() if cursor.description is not None else None
        return (sorted(map(repr, rows)) if rows is not None else None, cursor.statusmessage, None)
    except psycopg2.Error as error:
        return (None, None, error.pgcode)


def main():
    generator = Generator(random.Random(SEED))
    failures = 0
    with OmenServer() as server:
        cursors = []
        for name, setting in (('t_row', 'on'), ('t_duck', 'off')):
            connection = server.connect()
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(f'SET omendb.row_executor = {setting}')
            for part in TABLE.format(name=name).split(';\n'):
                cursor.execute(part)
            cursors.append((cursor, name))
        for _ in range(STATEMENTS):
            sql = generator.statement()
            answers = [run(cursor, re.sub(r'\bT\b', name, sql)) for cursor, name in cursors]
            if answers[0] != answers[1]:
                failures += 1
                print(f'{sql}\n  row:  {answers[0]}\n  duck: {answers[1]}')
        tables = []
        for cursor, name in cursors:
            cursor.execute(f'SELECT * FROM {name} ORDER BY id')
            tables.append([repr(row) for row in cursor.fetchall()])
        if tables[0] != tables[1]:
            failures += 1
            print('the tables differ at the end')
        print(f'seed {SEED}: {STATEMENTS} statements, {len(tables[0])} rows left, '
              f'{failures} differences')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
