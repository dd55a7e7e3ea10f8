#!/usr/bin/python3
"""A real pg_dump file loads through psql, and tables, joins, aggregates answer as PostgreSQL's."""

import os
import subprocess
import unittest

import omendb_server

DUMP = os.path.join(os.path.dirname(__file__), '..', 'data', 'chinook.sql')
TABLES = {'Album': 1, 'Artist': 1, 'Customer': 1, 'Employee': 1, 'Genre': 1, 'Invoice': 1,
          'InvoiceLine': 1, 'MediaType': 1, 'Playlist': 1, 'PlaylistTrack': 2, 'Track': 1}
QUERIES = '''
SELECT count(*) FROM "Track" t JOIN "InvoiceLine" i ON i."TrackId" = t."TrackId";

SELECT g."Name", count(*) AS n, sum(t."UnitPrice"), avg(t."Milliseconds") FROM
  "Track" t JOIN "Genre" g USING ("GenreId") GROUP BY g."Name" ORDER BY n DESC, g."Name";

SELECT a."Name", count(DISTINCT al."AlbumId") AS albums, count(t."TrackId") AS tracks
  FROM "Artist" a LEFT JOIN "Album" al USING ("ArtistId") LEFT JOIN "Track" t USING ("AlbumId")
  GROUP BY a."ArtistId", a."Name" ORDER BY tracks DESC, a."ArtistId" LIMIT 40;

SELECT c."Country", sum(i."Total") AS total, count(*), min(i."InvoiceDate"), max(i."InvoiceDate")
  FROM "Customer" c JOIN "Invoice" i USING ("CustomerId") GROUP BY c."Country"
  HAVING sum(i."Total") > 50 ORDER BY total DESC, c."Country";

SELECT date_trunc('month', "InvoiceDate") AS month, sum("Total"), avg("Total"), stddev("Total")
  FROM "Invoice" GROUP BY 1 ORDER BY 1;

SELECT extract(year FROM "InvoiceDate") AS year, "BillingCountry", sum("Total"),
  rank() OVER (PARTITION BY extract(year FROM "InvoiceDate") ORDER BY sum("Total") DESC,
               "BillingCountry")
  FROM "Invoice" GROUP BY 1, 2 ORDER BY 1, 4;

WITH RECURSIVE chain AS (
  SELECT "EmployeeId", "ReportsTo", "LastName", 1 AS depth FROM "Employee" WHERE "ReportsTo" IS NULL
  UNION ALL
  SELECT e."EmployeeId", e."ReportsTo", e."LastName", c.depth + 1 FROM "Employee" e
    JOIN chain c ON e."ReportsTo" = c."EmployeeId")
SELECT * FROM chain ORDER BY depth, "EmployeeId";

SELECT t."Name" FROM "Track" t WHERE NOT EXISTS
  (SELECT 1 FROM "InvoiceLine" i WHERE i."TrackId" = t."TrackId") ORDER BY t."TrackId" LIMIT 50;

SELECT "FirstName" || ' ' || "LastName" AS who, upper("City"), length("Email"),
  coalesce("Company", 'none'), "Phone" LIKE '+1%' FROM "Customer" ORDER BY "CustomerId";

SELECT p."Name", count(*), sum(t."Bytes"), sum(t."Milliseconds") / 60000 AS minutes
  FROM "Playlist" p JOIN "PlaylistTrack" pt USING ("PlaylistId") JOIN "Track" t USING ("TrackId")
  GROUP BY p."PlaylistId", p."Name" ORDER BY p."PlaylistId";

SELECT "Composer", count(*) FROM "Track" WHERE "Composer" ~ '^[A-C].*(Young|Gillan)'
  GROUP BY 1 ORDER BY 2 DESC, 1;

SELECT e."LastName", count(c."CustomerId"), sum(i."Total") FROM "Employee" e
  LEFT JOIN "Customer" c ON c."SupportRepId" = e."EmployeeId"
  LEFT JOIN "Invoice" i USING ("CustomerId") GROUP BY e."EmployeeId", e."LastName"
  ORDER BY e."EmployeeId";

SELECT "CustomerId", "InvoiceDate", "Total", sum("Total") OVER w, lag("Total") OVER w
  FROM "Invoice" WHERE "CustomerId" <= 10 WINDOW w AS (PARTITION BY "CustomerId"
  ORDER BY "InvoiceDate", "InvoiceId") ORDER BY 1, 2, "InvoiceId";

SELECT "State", count(*) FROM "Customer" GROUP BY "State" ORDER BY "State" NULLS FIRST;
SELECT "State" FROM "Customer" ORDER BY "State" DESC, "CustomerId" LIMIT 35;
SELECT "Name" FROM "Genre" UNION SELECT "Name" FROM "MediaType" ORDER BY 1;
SELECT "Name" FROM "Playlist" INTERSECT SELECT "Name" FROM "Genre" ORDER BY 1;
SELECT "UnitPrice", "UnitPrice" * 3 / 7, "UnitPrice" / 3, avg("UnitPrice") OVER () FROM "Track"
  WHERE "TrackId" < 5 ORDER BY "TrackId";
SELECT 7 / 2, -7 / 2, 7 % -3, 7.0 / 2, 2 ^ 10, round(2.5), round(-2.5), 10 / 4.0;
'''


class ChinookTest(unittest.TestCase):
    maxDiff = 5000

    @classmethod
    def setUpClass(cls):
        cls.servers = [omendb_server.server_under_test(), omendb_server.PostgresServer()]
        for server in cls.servers:
            cls.addClassCleanup(server.close)
            server.start()
            done = subprocess.run(['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', DUMP],
                                  env=server.environment(), check=False, text=True,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            if done.returncode != 0:
                raise AssertionError(
                    f'the dump does not load: {done.stderr}\n{server.log()[-3000:]}')

    def assert_same_answer(self, query):
        ours, theirs = [omendb_server.psql(s, query, '-A', check=False) for s in self.servers]
        self.assertEqual('', theirs.stderr)
        self.assertEqual('', ours.stderr, query)
        self.assertEqual(theirs.stdout, ours.stdout, query)

    def test_every_row_of_every_table(self):
        for table, key_columns in TABLES.items():
            with self.subTest(table):
                order = ', '.join(str(i + 1) for i in range(key_columns))
                self.assert_same_answer(f'SELECT * FROM "{table}" ORDER BY {order};')

    def test_joins_and_aggregates(self):
        for query in QUERIES.split(';\n'):
            if query.strip():
                with self.subTest(query):
                    self.assert_same_answer(query + ';')

    def test_constraints_came_along(self):
        for sql, name in (('INSERT INTO "Album" VALUES (1, \'again\', 1)', 'PK_Album'),
                          ('INSERT INTO "Album" VALUES (9999, \'new\', 9999)', 'FK_AlbumArtistId'),
                          ('DELETE FROM "Artist" WHERE "ArtistId" = 1', 'FK_AlbumArtistId')):
            with self.subTest(sql):
                errors = [omendb_server.psql(s, sql + ';', check=False).stderr
                          for s in self.servers]
                self.assertIn(name, errors[1])
                self.assertEqual(errors[1], errors[0])

    def test_it_is_all_there_after_a_restart(self):
        server = self.servers[0]
        server.stop()
        server.start()
        self.test_every_row_of_every_table()


if __name__ == '__main__':
    unittest.main()
