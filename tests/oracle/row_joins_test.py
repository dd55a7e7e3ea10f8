#!/usr/bin/python3
"""Joins, groups and orders of few rows: random SELECTs answer alike in the row executor and in
DuckDB, and most of them do run in the row executor. The seed is fixed; OMENDB_SEED sets another.
"""

import os
import random
import sys

import psycopg2

from omendb_server import OmenServer

STATEMENTS = 700
# Of the statements, at least this share must have a row plan, or the test shows nothing.
ROW_PLANS_MIN = 0.4
SEED = int(os.environ.get('OMENDB_SEED', '20261129'))

SCHEMA = """
CREATE TABLE people (id int PRIMARY KEY, name text, city int, born date);
CREATE TABLE orders (id bigint PRIMARY KEY, person int, amount numeric(10,2), placed timestamp,
  note varchar(20));
CREATE TABLE lines (order_id bigint, line smallint, item int, price float8,
  PRIMARY KEY (order_id, line));
CREATE TABLE items (id int PRIMARY KEY, title text, weight smallint, UNIQUE (title));
CREATE INDEX ON people (city);
CREATE INDEX ON orders (person);
CREATE INDEX ON orders (placed DESC);
CREATE INDEX ON lines (item);
"""


def fill(cursor, rng):
    """Rows with NULLs, orders of nobody, lines of no order."""
    def maybe(value):
        return None if rng.random() < 0.1 else value
    for i in range(60):
        cursor.execute('INSERT INTO people VALUES (%s, %s, %s, %s)',
                       (i, maybe(f'name {i % 17}'), maybe(i % 9),
                        maybe(f'19{50 + i % 40}-01-15')))
    for i in range(200):
        cursor.execute('INSERT INTO orders VALUES (%s, %s, %s, %s, %s)',
                       (i, maybe(rng.randint(0, 65)), maybe(rng.randint(-500, 9999) / 4),
                        maybe(f'2024-03-{1 + i % 28:02} 10:00:00'), maybe(f'note {i % 5}')))
        for line in range(rng.randint(0, 4)):
            cursor.execute('INSERT INTO lines VALUES (%s, %s, %s, %s)',
                           (i if rng.random() < 0.95 else i + 1000, line,
                            maybe(rng.randint(0, 30)), maybe(rng.randint(0, 900) / 8)))
    for i in range(28):
        cursor.execute('INSERT INTO items VALUES (%s, %s, %s)',
                       (i, maybe(f'title {i}'), maybe(i % 6)))


class Query:
    """FROM grows by one table at a time, joined to one that is there."""
    KEYS = {'p': ['p.id'], 'o': ['o.id'], 'l': ['l.order_id', 'l.line'], 'i': ['i.id']}
    TABLES = {'p': 'people p', 'o': 'orders o', 'l': 'lines l', 'i': 'items i'}
    EDGES = {('p', 'o'): 'o.person = p.id', ('o', 'l'): 'l.order_id = o.id',
             ('l', 'i'): 'i.id = l.item', ('p', 'i'): 'i.weight = p.city'}
    COLUMNS = {'p': ['p.id', 'p.name', 'p.city', 'p.born'],
               'o': ['o.id', 'o.person', 'o.amount', 'o.placed', 'o.note', 'o.id + 1'],
               'l': ['l.line', 'l.item', 'l.price', 'l.order_id'],
               'i': ['i.title', 'i.weight', "coalesce(i.title, '-')"]}
    NUMBERS = {'p': ['p.city', 'p.id'], 'o': ['o.amount', 'o.person'], 'l': ['l.item', 'l.line'],
               'i': ['i.weight']}

    def __init__(self, rng):
        self.rng = rng
        self.joined = [rng.choice('poli')]
        self.source = self.TABLES[self.joined[0]]
        for _ in range(rng.choice([0, 1, 1, 2, 2, 3])):
            self.grow()

    def grow(self):
        rng = self.rng
        edges = [(pair, on) for pair, on in self.EDGES.items()
                 if (pair[0] in self.joined) != (pair[1] in self.joined)]
        if not edges:
            return
        pair, on = rng.choice(edges)
        new = pair[1] if pair[0] in self.joined else pair[0]
        if rng.random() < 0.3:
            on += ' AND ' + self.condition(new)
        self.source += f" {rng.choice(['JOIN', 'JOIN', 'LEFT JOIN'])} {self.TABLES[new]} ON {on}"
        self.joined.append(new)

    def condition(self, table):
        r = self.rng
        return r.choice({
            'p': [f'p.id = {r.randint(0, 65)}', f'p.city = {r.randint(0, 9)}',
                  f'p.id IN ({r.randint(0, 60)}, {r.randint(0, 60)})', 'p.name IS NOT NULL',
                  "p.born < '1975-01-01'"],
            'o': [f'o.id = {r.randint(0, 210)}', f'o.person = {r.randint(0, 65)}',
                  f'o.id BETWEEN {r.randint(0, 100)} AND {r.randint(90, 200)}',
                  f'o.amount > {r.randint(-100, 2000)}', "o.placed = '2024-03-05 10:00:00'",
                  "o.note <> 'note 1'", 'o.person IS NULL'],
            'l': [f'l.order_id = {r.randint(0, 200)}', f'l.item = {r.randint(0, 32)}',
                  f'l.line < {r.randint(0, 4)}', 'l.price IS NULL',
                  f'l.order_id = {r.randint(0, 200)} AND l.line = {r.randint(0, 3)}'],
            'i': [f'i.id = {r.randint(0, 30)}', f"i.title = 'title {r.randint(0, 29)}'",
                  f'i.weight > {r.randint(0, 5)}'],
        }[table])

    def where(self):
        rng = self.rng
        chosen = [self.condition(rng.choice(self.joined)) for _ in range(rng.randint(0, 2))]
        if len(self.joined) > 1 and rng.random() < 0.2:
            a, b = rng.sample(self.joined, 2)
            chosen.append(f'{self.NUMBERS[a][0]} < {self.NUMBERS[b][0]}')
        return ' WHERE ' + ' AND '.join(chosen) if chosen else ''

    def plain(self):
        rng = self.rng
        columns = [c for table in self.joined for c in self.COLUMNS[table]]
        listed = rng.sample(columns, rng.randint(1, min(5, len(columns))))
        keys = [key for table in self.joined for key in self.KEYS[table]]
        order = ''
        if rng.random() < 0.6:  # A total order, so that LIMIT has one answer.
            first = rng.sample(columns, rng.randint(0, 2))
            order = ' ORDER BY ' + ', '.join(
                c + rng.choice(['', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST'])
                for c in first + keys)
            if rng.random() < 0.5:
                order += f' LIMIT {rng.randint(0, 12)}'
            if rng.random() < 0.2:
                order += f' OFFSET {rng.randint(0, 5)}'
        return f"SELECT {', '.join(listed)} FROM {self.source}{self.where()}{order}"

    def grouped(self):
        rng = self.rng
        numbers = [n for table in self.joined for n in self.NUMBERS[table]]
        columns = [c for table in self.joined for c in self.COLUMNS[table]]
        n = rng.choice(numbers)
        aggregates = rng.sample(
            ['count(*)', f'count({rng.choice(columns)})', f'sum({n})', f'avg({n})',
             f'min({rng.choice(columns)})', f'max({rng.choice(columns)})',
             f'sum({n}) + 1', f'count(*) FILTER (WHERE {n} > 3)'], rng.randint(1, 3))
        groups = rng.sample(columns, rng.choice([0, 1, 1, 2]))
        sql = f"SELECT {', '.join(groups + aggregates)} FROM {self.source}{self.where()}"
        if groups:
            sql += ' GROUP BY ' + ', '.join(groups)
            if rng.random() < 0.3:
                sql += f' HAVING count(*) > {rng.randint(0, 2)}'
            if rng.random() < 0.5:
                sql += ' ORDER BY ' + ', '.join(groups)
        return sql

    def sql(self):
        return self.plain() if self.rng.random() < 0.6 else self.grouped()


def run(cursor, sql):
    try:
        cursor.execute(sql)
        rows = [repr(row) for row in cursor.fetchall()]
        return (rows if 'ORDER BY' in sql else sorted(rows), [d.name for d in cursor.description],
                [d.type_code for d in cursor.description])
    except psycopg2.Error as error:
        return error.pgcode


def has_row_plan(cursor, sql):
    cursor.execute('EXPLAIN ' + sql)
    return any('Executor: row' in row[0] for row in cursor.fetchall())


def main():
    rng = random.Random(SEED)
    failures = 0
    row_plans = 0
    with OmenServer() as server:
        cursors = {}
        for setting in ('on', 'off'):
            connection = server.connect()
            connection.autocommit = True
            cursors[setting] = connection.cursor()
            cursors[setting].execute(f'SET omendb.row_executor = {setting}')
        cursors['on'].execute(SCHEMA)
        fill(cursors['on'], rng)
        for _ in range(STATEMENTS):
            sql = Query(rng).sql()
            row_plans += has_row_plan(cursors['on'], sql)
            answers = [run(cursors[setting], sql) for setting in ('on', 'off')]
            if answers[0] != answers[1]:
                failures += 1
                print(f'{sql}\n  row:  {answers[0]}\n  duck: {answers[1]}')
    print(f'seed {SEED}: {STATEMENTS} statements, {row_plans} of them with a row plan, '
          f'{failures} differences')
    return 1 if failures or row_plans < ROW_PLANS_MIN * STATEMENTS else 0


if __name__ == '__main__':
    sys.exit(main())
