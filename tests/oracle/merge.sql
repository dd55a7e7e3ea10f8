-- MERGE: actions and their conditions, one row twice, defaults, generated columns, errors.
CREATE TABLE target (id int PRIMARY KEY, v int, note text DEFAULT 'none');
CREATE TABLE source (id int, v int, note text);
INSERT INTO target VALUES (1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c'), (4, NULL, NULL);
INSERT INTO source VALUES (2, 200, 'B'), (3, 0, 'C'), (5, 500, 'E'), (6, NULL, NULL);
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v, note = t.note || s.note WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v, s.note);
SELECT * FROM target ORDER BY id;
MERGE INTO target USING source ON target.id = source.id WHEN MATCHED AND source.v = 0 THEN DELETE WHEN MATCHED AND source.v > 300 THEN DO NOTHING WHEN MATCHED THEN UPDATE SET v = target.v + 1, note = DEFAULT;
SELECT * FROM target ORDER BY id;
-- Only those without a match.
MERGE INTO target t USING (SELECT id + 100 AS id, v FROM source) s ON t.id = s.id WHEN NOT MATCHED AND s.v IS NOT NULL THEN INSERT (v, id) VALUES (s.v * 2, s.id) WHEN NOT MATCHED THEN DO NOTHING;
SELECT * FROM target ORDER BY id;
MERGE INTO target t USING (VALUES (1, 'x'), (7, 'y')) s(id, note) ON t.id = s.id WHEN MATCHED THEN UPDATE SET (v, note) = (s.id * 5, s.note) WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id);
SELECT * FROM target ORDER BY id;
MERGE INTO target t USING (VALUES (8)) s(id) ON false WHEN NOT MATCHED THEN INSERT (id, note) VALUES (s.id, DEFAULT);
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED AND EXISTS (SELECT 1 FROM source x WHERE x.id = t.id AND x.v > 100) THEN UPDATE SET note = (SELECT max(note) FROM source);
SELECT * FROM target ORDER BY id;
WITH w AS (SELECT id, v FROM source WHERE v > 100) MERGE INTO target t USING w ON t.id = w.id WHEN MATCHED THEN DELETE;
SELECT * FROM target ORDER BY id;
-- What an action computes is computed for its rows alone.
MERGE INTO target t USING source s ON t.id = s.id OR t.id = 1 AND s.id = 3 WHEN MATCHED AND s.v <> 0 THEN UPDATE SET v = 1000 / s.v WHEN MATCHED THEN UPDATE SET v = -1;
SELECT * FROM target ORDER BY id;
MERGE INTO target t USING source s ON t.id = s.id + 1000 WHEN MATCHED THEN UPDATE SET v = 1 / (s.v - s.v);
MERGE INTO target t USING source s ON t.id = 1 AND s.v = 0 WHEN MATCHED THEN UPDATE SET v = 1 / s.v;
-- A row twice.
MERGE INTO target t USING (VALUES (1, 1), (1, 2)) s(id, v) ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v;
MERGE INTO target t USING (VALUES (1, 1), (1, 2)) s(id, v) ON t.id = s.id WHEN MATCHED THEN DELETE;
MERGE INTO target t USING (VALUES (1, 1), (1, 2)) s(id, v) ON t.id = s.id WHEN MATCHED AND s.v = 1 THEN UPDATE SET v = 77 WHEN MATCHED THEN DO NOTHING;
SELECT * FROM target WHERE id = 1;
-- Errors.
MERGE INTO target t USING (VALUES (1), (1)) s(id) ON t.id = s.id + 50 WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id + 50);
MERGE INTO target t USING source s ON t.id = s.id + 70 WHEN NOT MATCHED THEN INSERT (id) VALUES (1);
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE WHEN MATCHED THEN DO NOTHING;
MERGE INTO nosuch t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE;
MERGE INTO target t USING nosuch s ON t.id = s.id WHEN MATCHED THEN DELETE;
MERGE INTO target t USING source s ON t.id = s.nosuch WHEN MATCHED THEN DELETE;
MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (s.id, 1, 'x', 2);
MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED THEN UPDATE SET v = 1;
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN INSERT VALUES (1);
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = 'abc';
SELECT count(*), sum(v) FROM target;
-- Constraints, generated columns, sequences.
CREATE TABLE strict (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, k int UNIQUE NOT NULL, v int CHECK (v < 100), twice int GENERATED ALWAYS AS (v * 2) STORED);
MERGE INTO strict t USING source s ON t.k = s.id WHEN NOT MATCHED AND s.v < 100 THEN INSERT (k, v) VALUES (s.id, s.v);
MERGE INTO strict t USING source s ON t.k = s.id WHEN MATCHED THEN UPDATE SET v = 7 WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.id, 1);
SELECT * FROM strict ORDER BY k;
MERGE INTO strict t USING source s ON t.k = s.id AND s.id = 3 WHEN MATCHED THEN UPDATE SET v = 100;
MERGE INTO strict t USING source s ON t.k = s.id AND s.id = 3 WHEN MATCHED THEN UPDATE SET k = NULL;
MERGE INTO strict t USING source s ON t.k = s.id WHEN MATCHED THEN UPDATE SET id = 5;
MERGE INTO strict t USING source s ON t.k = s.id WHEN MATCHED THEN UPDATE SET twice = 5;
MERGE INTO strict t USING source s ON t.k = s.id + 9 WHEN NOT MATCHED THEN INSERT (id, k) VALUES (1, s.id);
MERGE INTO strict t USING source s ON t.k = s.id + 9 WHEN NOT MATCHED THEN INSERT (k, twice) VALUES (1, s.id);
MERGE INTO strict t USING (VALUES (900)) s(k) ON t.k = s.k WHEN NOT MATCHED THEN INSERT (id, k) OVERRIDING SYSTEM VALUE VALUES (50, s.k);
SELECT k, v, twice FROM strict ORDER BY k;
-- A target of the same rows as the source, transactions, prepared statements.
BEGIN;
SAVEPOINT a;
MERGE INTO target t USING target s ON t.id = s.id + 1 WHEN MATCHED THEN UPDATE SET v = s.id WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id + 1, s.v);
SELECT * FROM target ORDER BY id;
ROLLBACK TO a;
SELECT * FROM target ORDER BY id;
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v, 'new');
COMMIT;
SELECT * FROM target ORDER BY id;
PREPARE m(int, text) AS MERGE INTO target t USING (SELECT $1 AS id) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET note = $2 WHEN NOT MATCHED THEN INSERT (id, note) VALUES (s.id, $2);
EXECUTE m(1, 'prepared');
EXECUTE m(1234, 'inserted');
SELECT * FROM target WHERE note IN ('prepared', 'inserted') ORDER BY id;
BEGIN READ ONLY;
MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE;
ROLLBACK;
-- Many rows.
CREATE TABLE big (id int PRIMARY KEY, v bigint);
INSERT INTO big SELECT g, g FROM generate_series(1, 50000) g;
MERGE INTO big t USING (SELECT g * 2 AS id FROM generate_series(1, 50000) g) s ON t.id = s.id WHEN MATCHED AND t.v % 3 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET v = -t.v WHEN NOT MATCHED THEN INSERT VALUES (s.id, 0);
SELECT count(*), sum(v), min(id), max(id), count(*) FILTER (WHERE v < 0) FROM big;
MERGE INTO big t USING (SELECT g AS id FROM generate_series(1, 200000) g) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.id);
SELECT count(*), sum(v), min(id), max(id) FROM big;
CREATE VIEW seen AS SELECT * FROM target;
MERGE INTO seen t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE;
DROP VIEW seen;
DROP TABLE target, source, strict, big;
