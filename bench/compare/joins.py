#!/usr/bin/python3
"""Joins and filters that touch few rows of large tables, against PostgreSQL 15: what an application
asks between its point lookups.

    bench/compare/joins.py [--orders 1000000] [--seconds 2] [--rounds 3]
"""

import argparse
import random
import time

import psycopg2

from peers import DurablePostgres, durable_omendb, table, versions

SCHEMA = '''
CREATE TABLE customers (id int PRIMARY KEY, name text, city text);
CREATE TABLE orders (id int PRIMARY KEY, customer int, placed timestamp, amount numeric(10,2));
CREATE TABLE lines (order_id int, line int, item int, quantity int, PRIMARY KEY (order_id, line));
INSERT INTO customers SELECT g, 'name ' || g, 'city ' || g % 1000 FROM generate_series(1, {c}) g;
INSERT INTO orders SELECT g, 1 + g % {c}, timestamp '2024-01-01' + g * interval '1 minute', g / 8.0
  FROM generate_series(1, {n}) g;
INSERT INTO lines SELECT 1 + g / 3, g % 3, g % 1009, g % 7 FROM generate_series(0, 3 * {n} - 1) g;
CREATE INDEX ON customers (city);
CREATE INDEX ON orders (customer);
CREATE INDEX ON orders (placed);
'''
QUERIES = [
    ('an order with its customer',
     'SELECT o.id, o.amount, c.name FROM orders o JOIN customers c ON c.id = o.customer '
     'WHERE o.id = {order}'),
    ('an order with its customer and lines',
     'SELECT o.id, c.name, l.line, l.item FROM orders o JOIN customers c ON c.id = o.customer '
     'JOIN lines l ON l.order_id = o.id WHERE o.id = {order} ORDER BY l.line'),
    ('orders of the customers of a city (of 1,000)',
     "SELECT count(*), sum(o.amount) FROM customers c JOIN orders o ON o.customer = c.id "
     "WHERE c.city = 'city {city}'"),
    ('orders of an hour, by customer',
     "SELECT customer, sum(amount) FROM orders WHERE placed >= timestamp '2024-01-01' "
     "+ {hour} * interval '1 hour' AND placed < timestamp '2024-01-01' "
     "+ ({hour} + 1) * interval '1 hour' GROUP BY customer"),
]


def rate(cursor, query, orders, seconds, seed):
    """Queries a second, each with other constants."""
    rng = random.Random(seed)
    done = 0
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        cursor.execute(query.format(order=rng.randrange(1, orders), city=rng.randrange(1000),
                                    hour=rng.randrange(1, orders // 60)))
        cursor.fetchall()
        done += 1
    return done / (time.monotonic() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--orders', type=int, default=1_000_000)
    parser.add_argument('--seconds', type=float, default=2)
    parser.add_argument('--rounds', type=int, default=3)
    arguments = parser.parse_args()
    with durable_omendb() as omendb, DurablePostgres() as postgres:
        print(versions(omendb, postgres))
        cursors = []
        for server in (omendb, postgres):
            connection = server.connect()
            connection.autocommit = True
            cursors.append(connection.cursor())
            for statement in SCHEMA.format(c=arguments.orders // 10,
                                           n=arguments.orders).split(';'):
                if statement.strip():
                    cursors[-1].execute(statement)
        cursors[1].execute('VACUUM ANALYZE')
        rows = []
        for name, query in QUERIES:
            rates = ([], [])
            for seed in range(arguments.rounds):
                for cursor, into in zip(cursors, rates):
                    into.append(rate(cursor, query, arguments.orders, arguments.seconds, seed))
            rows.append((name, *rates))
        table(f'few rows of large tables, {arguments.orders:,} orders, one connection',
              'queries/s', rows)


if __name__ == '__main__':
    main()
