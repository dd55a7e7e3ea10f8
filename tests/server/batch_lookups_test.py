"""Keys looked up together answer as keys looked up one by one: IN lists, joins by key, foreign keys
and ON CONFLICT, over rows in pages and in segments, deleted rows and the transaction's own
changes."""

import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import psycopg2  # noqa: E402
from system_test import ConnectedTest  # noqa: E402

ROWS = 3000
SETUP = f'''
CREATE TABLE parents (id int PRIMARY KEY, code text UNIQUE, note int);
CREATE TABLE pairs (a int, b text, v int, PRIMARY KEY (a, b));
CREATE TABLE children (id int PRIMARY KEY, parent int, code text, a int, b text);
INSERT INTO parents SELECT i, CASE WHEN i % 7 > 0 THEN 'code ' || i END, i % 10
  FROM generate_series(1, {ROWS}) g(i);
INSERT INTO pairs SELECT i / 10, 'b' || i % 10, i FROM generate_series(1, {ROWS}) g(i);
INSERT INTO children SELECT i, i * 7919 % ({ROWS} + 500), 'code ' || i * 31 % {ROWS},
  i % 320, CASE WHEN i % 13 > 0 THEN 'b' || i % 12 END FROM generate_series(1, {ROWS}) g(i);
'''
# Some rows are changed, deleted or new.
DISTURB = f'''
UPDATE parents SET note = note + 100 WHERE id % 11 = 0;
DELETE FROM parents WHERE id % 13 = 0;
UPDATE parents SET code = 'moved ' || id WHERE id % 17 = 0;
DELETE FROM pairs WHERE v % 19 = 0;
INSERT INTO parents SELECT i, 'code ' || i, 1 FROM generate_series({ROWS} + 1, {ROWS} + 99) g(i);
'''


class InTransaction(ConnectedTest):
    """Each test is a transaction that is undone."""

    autocommit = False

    def setUp(self):
        super().setUp()
        self.random = random.Random(20261129)


class Lookups(InTransaction):
    def assert_row_executor(self, sql, *parameters):
        plan = [row[0] for row in self.ask('EXPLAIN ' + sql, *parameters)]
        self.assertIn('Executor: row', plan, sql)

    def some(self, highest, count):
        return [self.random.randint(-5, highest) for _ in range(count)]

    def check_in_lists(self):
        for count in (1, 2, 3, 17, 64, 65, 200):
            keys = self.some(ROWS + 150, count)
            holders = ', '.join(str(key) for key in keys)
            sql = f'SELECT id, code, note FROM parents WHERE id IN ({holders}, NULL) ORDER BY id'
            self.assert_row_executor(sql)
            single = [row for key in sorted(set(keys)) for row in self.ask(
                'SELECT id, code, note FROM parents WHERE id = %s', key)]
            self.assertEqual(self.ask(sql), single)
            for limit in (1, 5, 70):
                self.assertEqual(self.ask(f'{sql} LIMIT {limit}'), single[:limit])
                self.assertEqual(self.ask(f'{sql} DESC LIMIT {limit}'), single[::-1][:limit])
            passing = [row for row in single if row[2] == 1]
            self.assertEqual(
                self.ask(sql.replace(' ORDER', ' AND note = 1 ORDER') + ' LIMIT 3'), passing[:3])
            codes = [f'code {key}' for key in keys]
            listed = ', '.join(f"'{code}'" for code in codes)
            sql = f'SELECT id FROM parents WHERE code IN ({listed}) ORDER BY id'
            single = [row for code in set(codes)
                      for row in self.ask('SELECT id FROM parents WHERE code = %s', code)]
            self.assertEqual(self.ask(sql), sorted(single))
            letters = [f'b{self.random.randint(0, 12)}' for _ in range(count)]
            listed = ', '.join(f"'{letter}'" for letter in letters)
            a = self.random.randint(0, ROWS // 10)
            single = [row for letter in sorted(set(letters)) for row in self.ask(
                'SELECT b, v FROM pairs WHERE a = %s AND b = %s', a, letter)]
            self.assertEqual(self.ask(
                f'SELECT b, v FROM pairs WHERE a = {a} AND b IN ({listed}) ORDER BY b'), single)

    def check_joins(self):
        parents = {row[0]: row for row in self.ask('SELECT id, code, note FROM parents')}
        by_code = {row[1]: row for row in parents.values() if row[1] is not None}
        pairs = {row[:2]: row[2] for row in self.ask('SELECT a, b, v FROM pairs')}
        children = self.ask('SELECT id, parent, code, a, b FROM children ORDER BY id')
        for first, last in ((1, 1), (10, 14), (100, 164), (500, 900), (1, 1900)):
            scope = f'WHERE c.id BETWEEN {first} AND {last} ORDER BY c.id'
            some = [child for child in children if first <= child[0] <= last]
            left = [(c[0], *parents.get(c[1], (None, None, None))[1:], pairs.get(c[3:]))
                    for c in some]
            sql = f'''SELECT c.id, p.code, p.note, q.v FROM children c
                LEFT JOIN parents p ON p.id = c.parent
                LEFT JOIN pairs q ON q.a = c.a AND q.b = c.b {scope}'''
            self.assert_row_executor(sql)
            self.assertEqual(self.ask(sql), left)
            inner = [(c[0], by_code[c[2]][0], parents[c[1]][2]) for c in some
                     if c[2] in by_code and c[1] in parents and parents[c[1]][2] > 2]
            sql = f'''SELECT c.id, k.id, p.note FROM children c JOIN parents k ON k.code = c.code
                JOIN parents p ON p.id = c.parent AND p.note > 2 {scope}'''
            self.assertEqual(self.ask(sql), inner)
            for limit in (1, 3, 20, 100):
                self.assertEqual(self.ask(f'{sql} LIMIT {limit}'), inner[:limit])
                self.assertEqual(self.ask(f'{sql} LIMIT {limit} OFFSET 2'), inner[2:2 + limit])
                # Nothing is sorted: the search ends early, in the order of the first index.
                unsorted = sql.replace('ORDER BY c.id', f'LIMIT {limit}')
                self.assertEqual(self.ask(unsorted), inner[:limit])


class BatchLookupsTest(Lookups):
    setup_sql = SETUP

    def test_rows_in_pages(self):
        self.check_in_lists()
        self.check_joins()

    def test_own_changes(self):
        self.cursor.execute(DISTURB)
        self.check_in_lists()
        self.check_joins()

    def test_a_long_list_through_duckdb(self):
        self.cursor.execute('SET omendb.row_executor = off')
        self.cursor.execute(DISTURB)
        self.cursor.execute(f'INSERT INTO parents SELECT i FROM '
                            f'generate_series(10000, {10000 + 40000}) g(i)')
        keys = self.some(ROWS, 300)
        sql = f"SELECT id FROM parents WHERE id IN ({', '.join(map(str, keys))}) ORDER BY id"
        found = [row[0] for row in self.ask(sql)]
        present = {row[0] for row in self.ask('SELECT id FROM parents')}
        self.assertEqual(found, sorted(set(keys) & present))

    def test_changes_by_list(self):
        keys = self.some(ROWS + 50, 150)
        present = {row[0] for row in self.ask('SELECT id FROM parents')}
        listed = ', '.join(map(str, keys))
        self.cursor.execute(f'UPDATE parents SET note = -1 WHERE id IN ({listed})')
        changed = sorted(set(keys) & present)
        self.assertEqual(self.cursor.rowcount, len(changed))
        self.assertEqual([row[0] for row in self.ask(
            'SELECT id FROM parents WHERE note = -1 ORDER BY id')], changed)
        self.cursor.execute(f'DELETE FROM parents WHERE id IN ({listed})')
        self.assertEqual(self.cursor.rowcount, len(changed))
        self.assertEqual(self.ask(f'SELECT id FROM parents WHERE id IN ({listed})'), [])

    # The row that fails stops the query only if the rows before it are not enough.
    def test_an_error_beyond_the_limit(self):
        self.cursor.execute('''
            CREATE TABLE numbers (id int PRIMARY KEY, n int);
            INSERT INTO numbers SELECT i, CASE WHEN i = 50 THEN 2147483647 ELSE i END
              FROM generate_series(1, 100) g(i)''')
        sql = '''SELECT n.id, p.id FROM numbers n LEFT JOIN parents p ON p.id = n.n + 1
            WHERE n.id > 0'''
        self.assert_row_executor(sql)
        for limit in (1, 7, 30, 49):
            self.assertEqual(len(self.ask(f'{sql} LIMIT {limit}')), limit)
        with self.assertRaises(psycopg2.errors.NumericValueOutOfRange):
            self.ask(f'{sql} LIMIT 50')


class FrozenRowsTest(Lookups):
    setup_sql = SETUP
    server_options = ('-c', 'omendb.freeze_after=0')
    frozen_tables = ('parents', 'pairs', 'children')

    def test_frozen_rows(self):
        self.check_in_lists()
        self.check_joins()
        self.cursor.execute(DISTURB)
        self.check_in_lists()
        self.check_joins()


class ForeignKeysTest(InTransaction):
    setup_sql = SETUP + '''
        CREATE TABLE links (id int, parent int REFERENCES parents, a int, b text,
          FOREIGN KEY (a, b) REFERENCES pairs);
        CREATE TABLE later (parent bigint REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
        CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree);
    '''

    def test_many_rows(self):
        self.cursor.execute('INSERT INTO links SELECT id, parent, v / 10, b FROM '
                            '(SELECT i AS id, 1 + i % 3000 AS parent, 1 + i % 3000 AS v FROM '
                            "generate_series(1, 1000) g(i)) s JOIN pairs USING (v)")
        self.assertEqual(self.cursor.rowcount, 1000)
        self.cursor.execute('INSERT INTO tree SELECT i, i / 2 + 1 FROM '
                            'generate_series(1, 500) g(i)')
        self.cursor.execute('INSERT INTO links VALUES (1, NULL, NULL, NULL), (2, 5, 1, NULL)')

    def test_the_first_that_is_missing_is_told(self):
        for missing in (3, 40, 64, 65, 200):
            with self.assertRaises(psycopg2.errors.ForeignKeyViolation) as raised:
                self.cursor.execute(
                    'INSERT INTO links (id, parent) SELECT i, CASE WHEN i IN (%s, 250) '
                    'THEN 100000 + i ELSE i END FROM generate_series(1, 300) g(i)', (missing,))
            self.assertIn(f'Key (parent)=({100000 + missing}) is not present',
                          raised.exception.diag.message_detail)
            self.connection.rollback()

    def test_deferred(self):
        self.cursor.execute('INSERT INTO later SELECT i FROM generate_series(2990, 3050) g(i)')
        self.cursor.execute('INSERT INTO parents SELECT i FROM generate_series(3001, 3050) g(i)')
        self.cursor.execute('SET CONSTRAINTS ALL IMMEDIATE')
        self.cursor.execute('INSERT INTO later VALUES (1)')
        self.cursor.execute('SET CONSTRAINTS ALL DEFERRED')
        self.cursor.execute('INSERT INTO later VALUES (5), (50000000000)')
        with self.assertRaises(psycopg2.errors.ForeignKeyViolation):
            self.connection.commit()

    # The referenced rows stay: whoever deletes one waits.
    def test_all_referenced_rows_are_locked(self):
        self.cursor.execute('INSERT INTO links (parent) SELECT i FROM '
                            'generate_series(100, 200) g(i)')
        other = self.server.connect()
        self.addCleanup(other.close)
        for parent in (100, 163, 164, 200):
            with self.assertRaises(psycopg2.errors.LockNotAvailable):
                other.cursor().execute(
                    'SELECT id FROM parents WHERE id = %s FOR UPDATE NOWAIT', (parent,))
            other.rollback()
        other.cursor().execute('SELECT id FROM parents WHERE id = 201 FOR UPDATE NOWAIT')


# So many rows that keys are looked up ahead.
MANY = 90_000
PART = 30_000  # Few enough to stay in pages.
UPSERT = '''ON CONFLICT (id) DO UPDATE SET n = t.n + excluded.n, code = excluded.code
    WHERE t.n % 5 <> 4 RETURNING id, n'''


class OnConflictTest(InTransaction):
    setup_sql = 'CREATE TABLE t (id int PRIMARY KEY, code text UNIQUE, n int NOT NULL);' + ''.join(
        f"INSERT INTO t SELECT i, 'code ' || i, i % 7 FROM "
        f'generate_series({first}, {first + PART - 1}) g(i);'
        for first in range(0, MANY, PART))

    def table(self):
        return {row[0]: row[1:] for row in self.ask('SELECT id, code, n FROM t')}

    def insert(self, rows, clause, query=False):
        """Through the row executor, or as INSERT ... SELECT through DuckDB."""
        values = ', '.join(f"({i}, {'NULL' if code is None else repr(code)}, {n})"
                           for i, code, n in rows)
        source = f'SELECT * FROM (VALUES {values}) v' if query else f'VALUES {values}'
        self.cursor.execute('SAVEPOINT before')
        try:
            self.cursor.execute(f"SET LOCAL omendb.row_executor = {'off' if query else 'on'}")
            self.cursor.execute(f'INSERT INTO t {source} {clause}')
            return self.cursor.rowcount
        except psycopg2.Error:
            self.cursor.execute('ROLLBACK TO before')
            raise

    def some_rows(self, count):
        ids = self.random.sample(range(MANY + MANY // 10), count)
        return [(i, f'new {self.random.random()}' if i % 3 else None, i % 4) for i in ids]

    def test_do_update(self):
        for query in (False, True):
            expected = self.table()
            for count in (2, 63, 64, 65, 700):
                rows = self.some_rows(count)
                changed = []
                for i, code, n in rows:
                    old = expected.get(i)
                    if old is not None and old[1] % 5 == 4:
                        continue
                    expected[i] = (code, n if old is None else old[1] + n)
                    changed.append((i, expected[i][1]))
                self.assertEqual(len(changed), self.insert(rows, UPSERT, query))
                self.assertEqual(sorted(changed), sorted(self.cursor.fetchall()))
            self.assertEqual(expected, self.table())

    def test_do_nothing(self):
        for query in (False, True):
            for clause in ('ON CONFLICT DO NOTHING', 'ON CONFLICT (id) DO NOTHING',
                           'ON CONFLICT (code) DO NOTHING'):
                expected = self.table()
                codes = {code for code, _ in expected.values() if code is not None}
                rows = []
                for i, _, n in self.some_rows(300):
                    new = MANY * 10 + self.random.randrange(10**6)
                    known = self.random.random() < 0.5
                    rows.append((i if known and '(code)' not in clause else new,
                                 f'code {i}' if known and '(id)' not in clause else f'x {new}', n))
                inserted = 0
                for i, code, n in rows + rows[:9]:
                    if i in expected or code in codes:
                        continue
                    expected[i] = (code, n)
                    codes.add(code)
                    inserted += 1
                self.assertEqual(inserted, self.insert(rows + rows[:9], clause, query), clause)
                self.assertEqual(expected, self.table())

    # Whether both are in one batch of lookups or not.
    def test_a_key_twice_in_one_command(self):
        rows = [(i, f'twice {i}', 1) for i in range(100, 1500, 7)]
        for query in (False, True):
            for again in (1, 63, 64, 150):
                for new in (0, 10**7):
                    twice = [(i + new, f'{code} {new}', n) for i, code, n in rows]
                    twice.insert(again, twice[0])
                    with self.assertRaises(psycopg2.errors.CardinalityViolation) as raised:
                        self.insert(twice, 'ON CONFLICT (id) DO UPDATE SET n = 0', query)
                    self.assertIn('ON CONFLICT DO UPDATE command cannot affect row a second time',
                                  str(raised.exception))
                    inserted = self.insert(twice, 'ON CONFLICT DO NOTHING', query)
                    self.assertEqual(len(rows) if new else 0, inserted)
                    self.cursor.execute('ROLLBACK TO before')

    def test_another_index_is_an_error(self):
        rows = [(i, f'other {i}', 1) for i in range(1000, 1100)] + [(10**8, 'code 5', 1)]
        for query in (False, True):
            for clause in ('ON CONFLICT (id) DO NOTHING', UPSERT):
                with self.assertRaises(psycopg2.errors.UniqueViolation) as raised:
                    self.insert(rows, clause, query)
                self.assertEqual('t_code_key', raised.exception.diag.constraint_name)

    # Looking ahead meets it first, and leaves it to the row's own turn.
    def test_an_error_in_a_later_row(self):
        with self.assertRaises(psycopg2.errors.UniqueViolation):
            self.cursor.execute('''
                SET LOCAL plan_cache_mode = force_generic_plan;
                PREPARE later (int) AS INSERT INTO t VALUES (100000000, 'code 5', 1),
                    (100000001, 'f', 1), (1 / $1, 'g', 1) ON CONFLICT (id) DO NOTHING;
                EXECUTE later (0)''')

    def test_own_changes_and_sequences(self):
        self.cursor.execute('''
            DELETE FROM t WHERE id BETWEEN 100 AND 149;
            UPDATE t SET id = id + 5000000 WHERE id BETWEEN 150 AND 199;
            CREATE SEQUENCE s MINVALUE 0''')
        rows = [(i, f'own {i}', 1) for i in range(50, 250)]
        self.assertEqual(100, self.insert(rows, 'ON CONFLICT (id) DO NOTHING'))
        values = ', '.join(f"(nextval('s'), 'seq {i}', 1)" for i in range(200))
        self.cursor.execute(f'INSERT INTO t VALUES {values} ON CONFLICT (id) DO NOTHING')
        self.assertEqual(0, self.cursor.rowcount)
        self.assertEqual([(200,)], self.ask("SELECT nextval('s')"))  # Each was taken once.


class FrozenOnConflictTest(OnConflictTest):
    server_options = ('-c', 'omendb.freeze_after=0')
    frozen_tables = ('t',)


if __name__ == '__main__':
    unittest.main()
