#!/usr/bin/python3
"""Writers beside analytics, OmenDB and PostgreSQL 15 in turn: pgbench runs new-order and payment
transactions in the manner of TPC-C (one statement each for what TPC-C does, five lines an order, no
think times), without and with a connection that reports on the order lines over and over (the first
query of CH-benCHmark).

    bench/compare/mixed.py [--warehouses 4] [--orders 300000] [--clients 4] [--seconds 10]
                           [--rounds 3]
"""

import argparse
import os
import re
import statistics
import tempfile

from peers import PGBENCH, Beside, DurablePostgres, durable_omendb, run_client, versions

ITEMS = 20_000
SCHEMA = '''
CREATE TABLE warehouse (w_id int PRIMARY KEY, w_ytd numeric(12,2) NOT NULL);
CREATE TABLE district (d_w_id int, d_id int, d_ytd numeric(12,2) NOT NULL, d_next_o_id int NOT NULL,
                       PRIMARY KEY (d_w_id, d_id));
CREATE TABLE customer (c_w_id int, c_d_id int, c_id int, c_balance numeric(12,2) NOT NULL,
                       c_data varchar(250), PRIMARY KEY (c_w_id, c_d_id, c_id));
CREATE TABLE stock (s_w_id int, s_i_id int, s_quantity int NOT NULL, s_ytd numeric(8) NOT NULL,
                    s_data varchar(50), PRIMARY KEY (s_w_id, s_i_id));
CREATE TABLE orders (o_w_id int, o_d_id int, o_id int, o_c_id int, o_entry_d timestamp,
                     PRIMARY KEY (o_w_id, o_d_id, o_id));
CREATE TABLE order_line (ol_w_id int, ol_d_id int, ol_o_id int, ol_number int, ol_i_id int,
                         ol_delivery_d timestamp, ol_quantity numeric(2), ol_amount numeric(6,2),
                         PRIMARY KEY (ol_w_id, ol_d_id, ol_o_id, ol_number));
CREATE TABLE history (h_w_id int, h_d_id int, h_c_id int, h_date timestamp, h_amount numeric(6,2))
'''
FILL = '''
INSERT INTO warehouse SELECT w, 0 FROM generate_series(1, {w}) w(w);
INSERT INTO district SELECT w, d, 0, {per_district} + 1
    FROM generate_series(1, {w}) w(w), generate_series(1, 10) d(d);
INSERT INTO customer SELECT w, d, c, 0, repeat('customer ', 20)
    FROM generate_series(1, {w}) w(w), generate_series(1, 10) d(d), generate_series(1, 3000) c(c);
INSERT INTO stock SELECT w, i, 100, 0, repeat('stock ', 6)
    FROM generate_series(1, {w}) w(w), generate_series(1, {items}) i(i);
INSERT INTO orders SELECT w, d, o, o % 3000 + 1, timestamp '2026-01-01' + o * interval '1 minute'
    FROM generate_series(1, {w}) w(w), generate_series(1, 10) d(d),
         generate_series(1, {per_district}) o(o);
INSERT INTO order_line
    SELECT w, d, o, l, (o * 7 + l * 13) % {items} + 1,
           timestamp '2026-01-01' + o * interval '1 minute', o % 10 + 1, (o * l) % 9999 / 100.0
    FROM generate_series(1, {w}) w(w), generate_series(1, 10) d(d),
         generate_series(1, {per_district}) o(o), generate_series(1, 5) l(l)
'''
LINES = range(5)
NEW_ORDER = '\n'.join([
    r'\set w random(1, {w})', r'\set d random(1, 10)', r'\set c random(1, 3000)',
    *(f'\\set i{n} random(1, {{items}})\n\\set q{n} random(1, 10)' for n in LINES),
    'BEGIN;',
    'UPDATE district SET d_next_o_id = d_next_o_id + 1 WHERE d_w_id = :w AND d_id = :d '
    r'RETURNING d_next_o_id AS o \gset',
    'INSERT INTO orders VALUES (:w, :d, :o, :c, now()::timestamp);',
    *(f'UPDATE stock SET s_quantity = s_quantity - :q{n}, s_ytd = s_ytd + :q{n} '
      f'WHERE s_w_id = :w AND s_i_id = :i{n};\n'
      f'INSERT INTO order_line VALUES (:w, :d, :o, {n}, :i{n}, now()::timestamp, :q{n}, '
      f':q{n} * 9.5);' for n in LINES),
    'COMMIT;', ''])
PAYMENT = r'''\set w random(1, {w})
\set d random(1, 10)
\set c random(1, 3000)
\set h random(1, 500)
BEGIN;
UPDATE warehouse SET w_ytd = w_ytd + :h WHERE w_id = :w;
UPDATE district SET d_ytd = d_ytd + :h WHERE d_w_id = :w AND d_id = :d;
UPDATE customer SET c_balance = c_balance - :h WHERE c_w_id = :w AND c_d_id = :d AND c_id = :c;
INSERT INTO history VALUES (:w, :d, :c, now()::timestamp, :h);
COMMIT;
'''
REPORT = '''SELECT ol_number, sum(ol_quantity), sum(ol_amount), avg(ol_quantity), avg(ol_amount),
                   count(*)
            FROM order_line WHERE ol_delivery_d > timestamp '2007-01-02' GROUP BY ol_number
            ORDER BY ol_number'''


def report(cursor):
    cursor.execute(REPORT)
    cursor.fetchall()


def fill(server, arguments):
    values = dict(w=arguments.warehouses, items=ITEMS,
                  per_district=arguments.orders // (10 * arguments.warehouses))
    connection = server.connect()
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in (SCHEMA + ';' + FILL.format(**values)).split(';'):
            cursor.execute(statement)
        cursor.execute('VACUUM ANALYZE')
    connection.close()


def transactions_per_second(server, scripts, arguments):
    output = run_client(server, [PGBENCH, '-n', '-M', 'prepared', '-c', str(arguments.clients),
                                 '-j', '1', '-T', str(arguments.seconds), *scripts,
                                 server.database])
    failed = re.search(r'number of failed transactions: (\d+)', output)
    if failed and failed.group(1) != '0':
        raise RuntimeError(output)
    return float(re.search(r'tps = ([\d.]+)', output).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--warehouses', type=int, default=4)
    parser.add_argument('--orders', type=int, default=300_000)
    parser.add_argument('--clients', type=int, default=4)
    parser.add_argument('--seconds', type=int, default=10)
    parser.add_argument('--rounds', type=int, default=3)
    arguments = parser.parse_args()
    with durable_omendb() as omendb, DurablePostgres() as postgres, \
            tempfile.TemporaryDirectory(prefix='omendb-mixed-') as folder:
        print(versions(omendb, postgres))
        scripts = []
        for name, text in (('new_order', NEW_ORDER), ('payment', PAYMENT)):
            path = os.path.join(folder, name)
            with open(path, 'w', encoding='ascii') as file:
                file.write(text.format(w=arguments.warehouses, items=ITEMS))
            scripts += ['-f', path]
        servers = {'OmenDB': omendb, 'PostgreSQL': postgres}
        figures = {name: ([], [], []) for name in servers}
        for server in servers.values():
            fill(server, arguments)
        for _ in range(arguments.rounds):
            for name, server in servers.items():
                alone, beside, reports = figures[name]
                alone.append(transactions_per_second(server, scripts, arguments))
                with Beside(server, report) as stream:
                    beside.append(transactions_per_second(server, scripts, arguments))
                reports.append(stream.count / arguments.seconds)
        print('\n| | transactions/s alone | beside reports | lost | reports/s |\n'
              '|---|---|---|---|---|')
        for name, columns in figures.items():
            alone, beside, reports = (statistics.median(column) for column in columns)
            print(f'| {name} | {alone:,.0f} | {beside:,.0f} | {1 - beside / alone:.0%} '
                  f'| {reports:.2f} |')


if __name__ == '__main__':
    main()
