-- WITH queries that change data.
CREATE TABLE mw (id int PRIMARY KEY, v text, n int);
CREATE TABLE mw_log (at serial, id int, v text);
INSERT INTO mw SELECT i, 'v' || i, i FROM generate_series(1, 10) g(i);
WITH moved AS (DELETE FROM mw WHERE id > 8 RETURNING *) INSERT INTO mw_log (id, v) SELECT id, v FROM moved ORDER BY id;
SELECT id, v FROM mw_log ORDER BY id;
WITH u AS (UPDATE mw SET v = v || '!' WHERE id IN (1, 2) RETURNING id, v AS changed) SELECT * FROM u ORDER BY id;
-- No part sees what another one wrote.
WITH d AS (DELETE FROM mw WHERE id = 8 RETURNING id) SELECT count(*) FROM mw;
SELECT count(*) FROM mw;
WITH u AS (UPDATE mw SET n = n + 100) SELECT sum(n) FROM mw;
SELECT sum(n) FROM mw;
WITH i AS (INSERT INTO mw VALUES (20, 'new', 0) ON CONFLICT DO NOTHING RETURNING id)
  SELECT id, 'inserted' FROM i UNION ALL SELECT id, 'found' FROM mw WHERE id = 20;
WITH i AS (INSERT INTO mw VALUES (20, 'new', 0) ON CONFLICT DO NOTHING RETURNING id)
  SELECT id, 'inserted' FROM i UNION ALL SELECT id, 'found' FROM mw WHERE id = 20;
WITH a AS (UPDATE mw SET n = 1 WHERE id = 1 RETURNING id, n), b AS (UPDATE mw SET n = 2 WHERE id = 2 RETURNING id, n)
  SELECT * FROM a UNION ALL SELECT * FROM b ORDER BY 1;
WITH a AS (INSERT INTO mw VALUES (30, 'thirty', 30) RETURNING id), b AS (INSERT INTO mw_log (id, v) SELECT id, 'log' FROM a RETURNING id, v)
  SELECT a.id, b.v FROM a JOIN b USING (id);
WITH big AS (SELECT id FROM mw WHERE id > 5), d AS (DELETE FROM mw USING big WHERE mw.id = big.id RETURNING mw.id)
  SELECT count(*) FROM d, big;
SELECT count(*) FROM mw;
WITH up AS (UPDATE mw SET v = 'x' WHERE id = 77 RETURNING *) INSERT INTO mw SELECT 77, 'made', 7 WHERE NOT EXISTS (SELECT * FROM up);
SELECT * FROM mw WHERE id = 77;
WITH renamed(one, two) AS (UPDATE mw SET n = 5 WHERE id = 77 RETURNING id, n) SELECT one + two FROM renamed;
WITH w AS (INSERT INTO mw VALUES (78, 'a', 1)) DELETE FROM mw WHERE id = 77;
WITH w AS (INSERT INTO mw VALUES (79, 'a', 1)) UPDATE mw SET n = n + 1 WHERE id > 77 RETURNING id, n;
SELECT id, n FROM mw WHERE id > 70 ORDER BY id;
WITH w AS (INSERT INTO mw VALUES (80, 'a', 1)) SELECT * FROM w;
WITH w AS (INSERT INTO mw VALUES (1, 'a', 1) RETURNING id) SELECT * FROM w;
WITH w AS (UPDATE mw SET nosuch = 1) SELECT 1;
SELECT * FROM (WITH w AS (DELETE FROM mw RETURNING 1) SELECT * FROM w) x;
WITH m AS (MERGE INTO mw USING mw_log l ON mw.id = l.id WHEN MATCHED THEN DELETE) SELECT 1;
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3), i AS (INSERT INTO mw_log (id) SELECT n FROM t RETURNING id)
  SELECT * FROM i ORDER BY id;
WITH u AS (UPDATE mw SET n = o.id FROM mw_log o WHERE o.id = mw.id RETURNING mw.id, n) SELECT * FROM u ORDER BY id;
-- Foreign keys are checked behind the last part.
CREATE TABLE mw_parent (id int PRIMARY KEY);
CREATE TABLE mw_child (id int PRIMARY KEY, parent int REFERENCES mw_parent);
WITH c AS (INSERT INTO mw_child VALUES (1, 100)) INSERT INTO mw_parent VALUES (100);
WITH c AS (INSERT INTO mw_child VALUES (2, 200) RETURNING id) SELECT * FROM c;
WITH p AS (DELETE FROM mw_parent WHERE id = 100) DELETE FROM mw_child;
SELECT count(*) FROM mw_child;
PREPARE mw_do(int, text) AS WITH i AS (INSERT INTO mw VALUES ($1, $2, 9) RETURNING id, v), l AS (INSERT INTO mw_log (id, v) SELECT id, v || $2 FROM i RETURNING at)
  SELECT i.id, i.v FROM i, l WHERE i.id = $1;
EXECUTE mw_do(90, 'p');
EXECUTE mw_do(91, 'q');
SELECT id, v FROM mw_log WHERE id >= 90 ORDER BY id;
CREATE VIEW mw_view AS WITH d AS (DELETE FROM mw RETURNING id) SELECT * FROM d;
BEGIN;
DECLARE mw_cursor CURSOR FOR WITH d AS (DELETE FROM mw RETURNING id) SELECT * FROM d;
ROLLBACK;
BEGIN READ ONLY;
WITH d AS (DELETE FROM mw RETURNING id) SELECT * FROM d;
ROLLBACK;
BEGIN;
WITH d AS (DELETE FROM mw RETURNING id) SELECT count(*) FROM d;
SELECT count(*) FROM mw;
ROLLBACK;
SELECT count(*) FROM mw;
-- What varies from run to run is run once, however many parts read it.
CREATE SEQUENCE mw_ids;
WITH ids AS (SELECT nextval('mw_ids') AS id), a AS (INSERT INTO mw_log (id, v) SELECT id, 'once' FROM ids)
  INSERT INTO mw_log (id, v) SELECT id, 'twice' FROM ids;
SELECT count(*), count(DISTINCT id) FROM mw_log WHERE v IN ('once', 'twice');
WITH key AS (SELECT gen_random_uuid()::text AS v), named AS (SELECT 'key ' || v AS v FROM key),
  a AS (INSERT INTO mw_log (id, v) SELECT 500, v FROM named RETURNING v) SELECT a.v = named.v FROM a, named;
CREATE TABLE mw_jobs (id int PRIMARY KEY);
INSERT INTO mw_jobs SELECT i FROM generate_series(1, 100) g(i);
WITH picked AS (SELECT id FROM mw_jobs LIMIT 3), gone AS (DELETE FROM mw_jobs WHERE id IN (SELECT id FROM picked) RETURNING id)
  SELECT count(*) FROM gone JOIN picked USING (id);
SELECT last_value FROM mw_ids;
-- A row that a part has changed is left alone by those behind it.
WITH a AS (UPDATE mw SET n = 1000 WHERE id IN (77, 78) RETURNING id) UPDATE mw SET n = 2000 FROM a WHERE mw.id = a.id;
WITH a AS (UPDATE mw SET n = 1001 WHERE id = 79 RETURNING id) UPDATE mw SET n = 2000 WHERE id IN (SELECT id FROM a);
WITH a AS (UPDATE mw SET n = 1002 WHERE id = 80 RETURNING id) DELETE FROM mw USING a WHERE mw.id = a.id;
WITH a AS (DELETE FROM mw WHERE id = 90 RETURNING id) UPDATE mw SET n = 3 FROM a WHERE mw.id = a.id;
WITH a AS (INSERT INTO mw VALUES (81, 'b', 1) RETURNING id) UPDATE mw SET n = 3 FROM a WHERE mw.id = a.id;
WITH a AS (DELETE FROM mw WHERE id = 91 RETURNING *) INSERT INTO mw SELECT id, 'again', n FROM a;
WITH a AS (UPDATE mw SET n = 7 WHERE id = 91 RETURNING id)
  INSERT INTO mw SELECT id, 'x', 2 FROM a ON CONFLICT (id) DO UPDATE SET n = 9;
WITH a AS (INSERT INTO mw VALUES (82, 'b', 1) RETURNING id)
  INSERT INTO mw SELECT id, 'x', 2 FROM a ON CONFLICT (id) DO UPDATE SET n = 9;
WITH a AS (INSERT INTO mw VALUES (82, 'b', 1) RETURNING id)
  INSERT INTO mw VALUES ((SELECT id FROM a), 'x', 2) ON CONFLICT (id) DO UPDATE SET n = 9;
WITH a AS (INSERT INTO mw VALUES (83, 'b', 1) RETURNING id)
  INSERT INTO mw SELECT id, 'x', 2 FROM a ON CONFLICT (id) DO NOTHING;
INSERT INTO mw VALUES (84, 'a', 1), (84, 'b', 2) ON CONFLICT (id) DO UPDATE SET n = 9;
INSERT INTO mw VALUES (83, 'a', 1), (83, 'b', 2) ON CONFLICT (id) DO UPDATE SET n = 9 WHERE false;
SELECT * FROM mw WHERE id > 70 ORDER BY id;
WITH RECURSIVE a AS (INSERT INTO mw_jobs SELECT id + 1000 FROM a RETURNING id) SELECT * FROM a;
-- What is written to is a table, whatever WITH query has its name.
WITH mw AS (DELETE FROM mw WHERE id = 83 RETURNING *) SELECT * FROM mw;
WITH mw AS (UPDATE mw SET n = 6 WHERE id = 81) DELETE FROM mw WHERE id = 79;
WITH mw AS (DELETE FROM mw WHERE id = 81 RETURNING *) INSERT INTO mw SELECT id, 'back', n FROM mw;
WITH y AS (SELECT 77 AS id), d AS (WITH y AS (SELECT 91 AS id) DELETE FROM mw USING y WHERE mw.id = y.id RETURNING mw.id)
  SELECT d.id, y.id FROM d, y;
SELECT * FROM mw WHERE id > 70 ORDER BY id;
DROP SEQUENCE mw_ids;
DROP TABLE mw, mw_log, mw_child, mw_parent, mw_jobs;
