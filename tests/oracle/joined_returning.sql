-- RETURNING of UPDATE ... FROM and DELETE ... USING knows the joined row.
CREATE SCHEMA joined_returning;
SET search_path = joined_returning;
CREATE TABLE t (id int PRIMARY KEY, v varchar(10), n numeric(8, 2) DEFAULT 7, c char(4) DEFAULT 'ab', g int GENERATED ALWAYS AS (id * 10) STORED);
CREATE TABLE u (uid int PRIMARY KEY, tid int, w text, c char(6), id int);
INSERT INTO t (id, v, n) VALUES (1, 'one', 1.5), (2, 'two', 2.5), (3, 'three', 3.5), (4, NULL, NULL);
INSERT INTO u VALUES (11, 1, 'eleven', 'x', 100), (12, 2, NULL, 'y', 200), (14, 4, 'fourteen', NULL, NULL), (19, 9, 'none', 'z', 900);
-- types
UPDATE t SET n = n + uid FROM u WHERE t.id = tid AND t.id = 1 RETURNING *;
-- types
UPDATE t SET n = n + 1, v = w FROM u WHERE t.id = tid AND t.id = 2 RETURNING t.*, u.w, u.c AS uc, n + uid AS sum;
UPDATE t SET n = 0 FROM u WHERE t.id = tid AND t.id = 1 RETURNING u.*;
UPDATE t AS q SET v = 'q' FROM u AS r WHERE q.id = r.tid AND q.id = 1 RETURNING q.v, r.w, q.*, r.*;
UPDATE t SET v = DEFAULT, n = DEFAULT FROM u WHERE t.id = tid AND t.id = 1 RETURNING uid, v, n, g;
UPDATE t SET id = 21 FROM u WHERE t.id = tid AND t.id = 1 RETURNING t.id, g, u.id, tid, g + tid;
UPDATE t SET id = 1 WHERE id = 21;
WITH c AS (UPDATE t SET n = coalesce(n, 0) + 1 FROM u WHERE t.id = tid RETURNING t.id, n, w, u.id AS other) SELECT * FROM c ORDER BY id;
WITH c AS (UPDATE t SET v = w FROM u LEFT JOIN (VALUES (11, 'yes'), (12, 'no')) x (k, answer) ON k = uid WHERE t.id = tid RETURNING t.*, uid, answer) SELECT * FROM c ORDER BY 1;
WITH s AS (SELECT tid, count(*) AS many, max(w) AS last FROM u GROUP BY tid) UPDATE t SET n = many FROM s WHERE t.id = s.tid AND t.id < 2 RETURNING t.id, s.*, last || '!' AS loud;
WITH s AS MATERIALIZED (SELECT 4 AS k, 'm' AS m), r AS (SELECT k, m || 'r' AS r FROM s) UPDATE t SET v = r FROM r, s WHERE t.id = s.k AND r.k = s.k RETURNING t.id, v, m, r;
UPDATE t SET n = 5 FROM u WHERE t.id = tid AND t.id = 2 AND EXISTS (SELECT FROM u AS o WHERE o.tid = t.id) RETURNING v, w IS NULL AS nothing;
UPDATE t SET n = (SELECT max(uid) FROM u AS o WHERE o.uid > u.uid) FROM u WHERE t.id = tid AND t.id = 2 RETURNING n, uid;
-- A target that several rows are joined to changes once.
INSERT INTO u VALUES (15, 3, 'same', 'same', 3), (16, 3, 'same', 'same', 3);
UPDATE t SET v = w FROM u WHERE t.id = tid AND t.id = 3 RETURNING t.id, v, w, tid;
UPDATE t SET n = n + 1 FROM generate_series(1, 1) AS s (k) WHERE t.id = k RETURNING t.id, k;
UPDATE t SET n = o.n FROM t AS o WHERE t.id = 1 AND o.id = 2 RETURNING t.id, o.id, t.n = o.n AS same;
UPDATE t SET n = n FROM u JOIN (SELECT 1 AS tid, 'joined' AS j) k USING (tid) WHERE t.id = tid RETURNING t.id, tid, j, w;
UPDATE t SET n = n FROM u WHERE false RETURNING *;
-- types
DELETE FROM t USING u WHERE t.id = tid AND t.id = 1 RETURNING *;
DELETE FROM t USING u WHERE t.id = tid AND t.id = 2 RETURNING v, w, uid + t.id AS sum, u.*;
DELETE FROM t AS q USING u AS r WHERE q.id = r.tid AND q.id = 3 RETURNING q.id, r.w, g;
DELETE FROM t USING u, (VALUES (14, 'v')) AS x (k, y) WHERE t.id = tid AND k = uid RETURNING y, *;
SELECT count(*) FROM t;
-- Names.
UPDATE t SET n = 1 FROM u WHERE tid = 1 RETURNING id;
UPDATE t SET n = 1 FROM u WHERE t.id = tid RETURNING nosuch;
UPDATE t SET n = 1 FROM u WHERE t.id = tid RETURNING nosuch.id;
DELETE FROM t USING u WHERE tid = 1 RETURNING id;
DELETE FROM t USING (SELECT 1 AS tid) AS r WHERE t.id = tid RETURNING u.w;
UPDATE t SET n = 1 FROM u WHERE t.id = tid RETURNING count(*);
-- Prepared, with parameters in the list.
INSERT INTO t (id, v) VALUES (1, 'one');
PREPARE p(int, text) AS UPDATE t SET n = $1 FROM u WHERE t.id = tid RETURNING w || $2 AS text, n + $1 AS twice;
EXECUTE p(3, '!');
EXECUTE p(4, '?');
-- Many rows, most of them in segments.
CREATE TABLE big (id int PRIMARY KEY, n int, v text);
CREATE TABLE src (id int, m int, w text);
INSERT INTO big SELECT i, i % 7, 'v' || i FROM generate_series(1, 30000) g(i);
INSERT INTO src SELECT i, i * 2, 'w' || i FROM generate_series(1, 30000, 3) g(i);
VACUUM (FREEZE) big;
WITH c AS (UPDATE big SET n = n + m FROM src WHERE src.id = big.id AND big.id <= 27000 RETURNING big.id, n, v, m, w)
  SELECT count(*), sum(n), sum(m), min(v), max(w), count(*) FILTER (WHERE v <> replace(w, 'w', 'v')), count(*) FILTER (WHERE n <> id % 7 + m) FROM c;
SELECT sum(n) FROM big;
WITH c AS (DELETE FROM big USING src WHERE src.id = big.id AND big.id <= 27000 RETURNING big.*, src.*)
  SELECT count(*), sum(n), sum(m), min(v), max(w) FROM c;
SELECT count(*), sum(n) FROM big;
DROP SCHEMA joined_returning CASCADE;
