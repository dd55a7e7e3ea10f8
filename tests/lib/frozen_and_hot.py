"""What tests of changes of many rows share: a table whose rows lie in segments, and one whose rows
lie in pages. Both must give the same answers."""

import subprocess

from system_test import SystemTest

ROWS = 100_000
TABLES = ('frozen', 'hot')
SUMS = 'SELECT count(*), sum(id), sum(k), sum(v), min(s), max(s), sum(double) FROM {t}'


class FrozenAndHotTest(SystemTest):
    server_options = ('--memory', '512MB', '-c', 'omendb.freeze_after=0')
    compared = (SUMS, 'SELECT * FROM {t} ORDER BY id LIMIT 2000 OFFSET 49000',
                'SELECT id, v FROM {t} WHERE id IN (1, 77, 50000, 99999) ORDER BY id',
                'SELECT id, v FROM {t} WHERE k = 77 ORDER BY id',
                'SELECT s, count(*), sum(v) FROM {t} GROUP BY s ORDER BY s')

    def setUp(self):
        self.connection = self.connect()
        self.cursor = self.connection.cursor()
        for table in TABLES:
            self.run_sql(f'''CREATE TABLE {table} (id int PRIMARY KEY, k int, v bigint, s text,
                double bigint GENERATED ALWAYS AS (v * 2) STORED, CHECK (v > -1000))''')
            self.run_sql(f'CREATE INDEX ON {table} (k)')
            self.make_indexes(table)
            for first in range(0, ROWS, ROWS // 4):  # Too few at once to be loaded as segments.
                self.run_sql(f"""INSERT INTO {table} SELECT i, i % 1000, i, 'text ' || i % 777
                    FROM generate_series({first}, {first + ROWS // 4 - 1}) g(i)""")
        self.run_sql('VACUUM (FREEZE) frozen')

    def make_indexes(self, table):
        """More of them."""

    def tearDown(self):
        self.run_sql('DROP TABLE IF EXISTS referring, frozen, hot')
        self.connection.close()

    def connect(self, **settings):
        connection = self.server.connect()
        connection.set_session(autocommit=not settings, **settings)
        return connection

    def run_sql(self, sql):
        self.cursor.execute(sql)
        return self.cursor.rowcount

    def rows_of(self, sql, cursor=None):
        (cursor or self.cursor).execute(sql)
        return (cursor or self.cursor).fetchall()

    def both(self, sql):
        """Runs a change on both tables."""
        counts = [self.run_sql(sql.format(t=table)) for table in TABLES]
        self.assertEqual(counts[0], counts[1], sql)
        return counts[0]

    def compare(self, cursor=None):
        for query in self.compared:
            frozen, hot = (self.rows_of(query.format(t=table), cursor) for table in TABLES)
            self.assertEqual(hot, frozen, query)

    def check_after_kill(self):
        self.connection.close()
        self.server.kill()
        checked = subprocess.run([self.server.binary, 'check', '--data-dir', self.server.data_dir],
                                 capture_output=True, text=True, check=False)
        self.assertEqual(0, checked.returncode, checked.stdout + checked.stderr)
        self.server.start()
        self.connection = self.connect()
        self.cursor = self.connection.cursor()
