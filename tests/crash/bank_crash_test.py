#!/usr/bin/python3
"""kill -9 under bank transfers, 50 times in a row at random moments.

Each worker moves money between accounts in numbered transactions and remembers the last number that
was acknowledged. After every restart: nothing acknowledged is lost, at most the one transfer in
flight came on top, every balance is what the transfers say (no half transaction), the sum holds.
A reader checks the sum all the while. Some rounds checkpoint under load, some kill the restart too.
"""

import random
import threading
import time
import unittest

import psycopg2

from omendb_server import server_under_test

ROUNDS = 50
WORKERS = 4
ACCOUNTS = 200
OPENING = 1000
SEED = 20240229

SETUP = f'''
    CREATE TABLE accounts (id integer PRIMARY KEY, balance bigint NOT NULL);
    INSERT INTO accounts SELECT n, {OPENING} FROM generate_series(1, {ACCOUNTS}) AS g (n);
    CREATE TABLE transfers (worker integer, seq integer, source integer, target integer,
                            amount integer, PRIMARY KEY (worker, seq));
'''

BALANCES = '''
    SELECT count(*), sum(a.balance), count(*) FILTER (WHERE a.balance <> %s + coalesce(i.amount, 0)
                                                                            - coalesce(o.amount, 0))
    FROM accounts a
    LEFT JOIN (SELECT target, sum(amount) AS amount FROM transfers GROUP BY target) i
      ON i.target = a.id
    LEFT JOIN (SELECT source, sum(amount) AS amount FROM transfers GROUP BY source) o
      ON o.source = a.id
'''


class Worker(threading.Thread):
    def __init__(self, server, number, acknowledged, seed):
        super().__init__(daemon=True)
        self.server = server
        self.number = number
        self.acknowledged = acknowledged
        self.random = random.Random(seed)
        self.error = None

    def transfer(self, cursor, seq):
        source, target = self.random.sample(range(1, ACCOUNTS + 1), 2)
        amount = self.random.randint(1, 100)
        moves = sorted([(source, -amount), (target, amount)])  # one order: no deadlocks
        for account, change in moves:
            cursor.execute('UPDATE accounts SET balance = balance + %s WHERE id = %s',
                           (change, account))
        cursor.execute('INSERT INTO transfers VALUES (%s, %s, %s, %s, %s)',
                       (self.number, seq, source, target, amount))

    def run(self):
        try:
            with self.server.connect() as connection, connection.cursor() as cursor:
                while True:
                    self.transfer(cursor, self.acknowledged + 1)
                    connection.commit()
                    self.acknowledged += 1
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            if error.pgcode not in (None, '57P01', '57P02', '57P03'):
                self.error = error  # anything but a lost connection
        except psycopg2.Error as error:
            self.error = error


class Reader(threading.Thread):
    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        self.wrong_sums = []
        self.reads_count = 0

    def run(self):
        try:
            with self.server.connect() as connection, connection.cursor() as cursor:
                while True:
                    cursor.execute('SELECT sum(balance), count(*) FROM accounts')
                    answer = tuple(map(int, cursor.fetchone()))
                    connection.commit()
                    self.reads_count += 1
                    if answer != (ACCOUNTS * OPENING, ACCOUNTS):
                        self.wrong_sums.append(answer)
        except psycopg2.Error:
            pass


class BankCrashTest(unittest.TestCase):

    def setUp(self):
        self.server = server_under_test()
        self.addCleanup(self.server.close)
        self.random = random.Random(SEED)
        self.server.start()
        with self.server.connect() as connection, connection.cursor() as cursor:
            cursor.execute(SETUP)
        connection.close()

    def load_until_kill(self, acknowledged, round_number):
        workers = [Worker(self.server, n, acknowledged[n], SEED + 1000 * round_number + n)
                   for n in range(WORKERS)]
        reader = Reader(self.server)
        for thread in [*workers, reader]:
            thread.start()
        if round_number % 5 == 4:
            threading.Thread(target=self.checkpoint, daemon=True).start()
        time.sleep(self.random.uniform(0.02, 0.5))  # the random moment
        self.server.kill()
        for thread in [*workers, reader]:
            thread.join()
        self.assertEqual([], [w.error for w in workers if w.error])
        self.assertEqual([], reader.wrong_sums)
        return workers, reader

    def checkpoint(self):
        try:
            connection = self.server.connect()
            connection.autocommit = True
            connection.cursor().execute('CHECKPOINT')
        except psycopg2.Error:
            pass

    def restart(self, round_number):
        if round_number % 7 == 6:
            # A crash in the middle of recovery must not matter.
            self.server.launch()
            time.sleep(self.random.uniform(0.0, 0.1))
            self.server.kill()
        self.server.start()

    def check(self, workers):
        with self.server.connect() as connection, connection.cursor() as cursor:
            cursor.execute(BALANCES, (OPENING,))
            count, total, wrong = map(int, cursor.fetchone())
            self.assertEqual((ACCOUNTS, ACCOUNTS * OPENING), (count, total))
            self.assertEqual(0, wrong, 'balances that are not what the transfers say')
            found = []
            for worker in workers:
                cursor.execute('SELECT count(*), coalesce(max(seq), 0) FROM transfers '
                               'WHERE worker = %s', (worker.number,))
                count, highest = cursor.fetchone()
                self.assertEqual(highest, count, 'a transfer before the last is missing')
                self.assertGreaterEqual(highest, worker.acknowledged, 'acknowledged and lost')
                self.assertLessEqual(highest, worker.acknowledged + 1)
                found.append(highest)
        connection.close()
        return found

    def test_nothing_acknowledged_is_lost(self):
        acknowledged = [0] * WORKERS
        reads_count = 0
        for round_number in range(ROUNDS):
            workers, reader = self.load_until_kill(acknowledged, round_number)
            reads_count += reader.reads_count
            self.restart(round_number)
            acknowledged = self.check(workers)
        print(f'{ROUNDS} kills, {sum(acknowledged)} transfers, {reads_count} sums read')
        self.assertGreater(sum(acknowledged), ROUNDS)
        self.assertGreater(reads_count, ROUNDS)


if __name__ == '__main__':
    unittest.main()
