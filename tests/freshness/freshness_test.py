#!/usr/bin/python3
"""Freshness: no row acknowledged before a query began is missing from its answer, 10,000 times.

Writers insert the numbers 1, 2, 3, ... each in its own transaction and note what was acknowledged;
a reader aggregates all the time. An answer must hold at least what was acknowledged when the query
was sent, be one consistent prefix of each writer, and never go back.
"""

import threading
import unittest

from system_test import SystemTest

QUERIES = 10_000
WRITERS = 3


class Writer(threading.Thread):
    """`acknowledged` is the highest number whose commit the server has acknowledged."""

    def __init__(self, server, number):
        super().__init__(daemon=True)
        self.connection = server.connect()
        self.connection.autocommit = True
        self.number = number
        self.acknowledged = 0
        self.stopping = threading.Event()
        self.error = None

    def run(self):
        cursor = self.connection.cursor()
        try:
            while not self.stopping.is_set():
                following = self.acknowledged + 1
                cursor.execute('INSERT INTO numbers VALUES (%s, %s)', (self.number, following))
                self.acknowledged = following
                if following % 50 == 0:
                    # Rewritten rows must not hide, or be seen twice.
                    cursor.execute('UPDATE numbers SET n = n WHERE writer = %s AND n = %s',
                                   (self.number, following // 2))
                if following % 1000 == 0:
                    # Bounds the table, so that queries stay quick: rows are summed up and removed.
                    cursor.execute('UPDATE totals SET n = %s WHERE writer = %s; '
                                   'DELETE FROM numbers WHERE writer = %s AND n <= %s',
                                   (following, self.number, self.number, following))
        except Exception as error:  # noqa: BLE001 - reported by the test
            self.error = error


class FreshnessTest(SystemTest):
    setup_sql = ('CREATE TABLE numbers (writer integer, n integer, PRIMARY KEY (writer, n));'
                 'CREATE TABLE totals (writer integer PRIMARY KEY, n integer);'
                 'INSERT INTO totals VALUES ' + ','.join(f'({w}, 0)' for w in range(WRITERS)))

    def test_no_acknowledged_row_is_missing(self):
        writers = [Writer(self.server, number) for number in range(WRITERS)]
        reader = self.server.connect()
        reader.autocommit = True
        cursor = reader.cursor()
        for writer in writers:
            writer.start()
        newest = [0] * WRITERS
        for _ in range(QUERIES):
            before = [writer.acknowledged for writer in writers]
            cursor.execute('SELECT t.writer, t.n, count(v.n), min(v.n), max(v.n) FROM totals t '
                           'LEFT JOIN numbers v ON v.writer = t.writer GROUP BY t.writer, t.n')
            for writer, total, count, low, high in cursor.fetchall():
                high = total if high is None else high
                self.assertGreaterEqual(high, before[writer], 'an acknowledged row is missing')
                self.assertEqual(high - total, count, f'writer {writer} has holes up to {high}')
                self.assertEqual(total + 1 if count else None, low)
                self.assertGreaterEqual(high, newest[writer], 'an answer went back in time')
                newest[writer] = high
        for writer in writers:
            writer.stopping.set()
            writer.join()
            writer.connection.close()
            self.assertIsNone(writer.error)
        reader.close()
        self.assertTrue(all(n > 0 for n in newest))


if __name__ == '__main__':
    unittest.main()
