-- Changes of so many rows that they are made where the rows lie: the table is loaded as segments, and
-- tables that refer to it too.
CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, k int, v bigint DEFAULT 7, s text);
CREATE INDEX t_k ON t (k);
INSERT INTO t (id, u, k, s) SELECT g, g * 2, g % 100, 'text ' || g FROM generate_series(1, 60000) g;
-- Unique keys, judged row by row in the order of the rows, which is that of loading only once.
UPDATE t SET u = u + 2;
UPDATE t SET u = CASE WHEN id = 60000 THEN 10 ELSE -id END;
SELECT count(*), sum(u), min(u), max(u) FROM t;
UPDATE t SET u = 5 WHERE id > 10000 OR id = 7;
UPDATE t SET u = id * 2 + 200000;
SELECT id FROM t WHERE u = 200010;
SELECT count(*), sum(u), min(u), max(u) FROM t;
UPDATE t SET u = NULL WHERE id > 20000;
SELECT count(*), count(u), sum(u) FROM t;
UPDATE t SET u = id + 1000000, k = NULL WHERE id > 15000;
SELECT count(*), count(k), count(u), sum(u) FROM t;
INSERT INTO t (id, u) VALUES (70001, 1050000);
INSERT INTO t (id, u) VALUES (70001, 250000);
-- Columns of indexes.
UPDATE t SET k = k + 1;
SELECT count(*), sum(k), min(k), max(k) FROM t;
SELECT count(*), min(id), max(id) FROM t WHERE k = 50;
SELECT id, k FROM t WHERE k > 98 ORDER BY k DESC, id LIMIT 5;
UPDATE t SET k = id WHERE id % 2 = 0;
SELECT id FROM t WHERE k = 44444;
SELECT id FROM t WHERE k BETWEEN 58000 AND 58010 ORDER BY k;
-- In transactions.
BEGIN;
UPDATE t SET u = u + 5000000, k = 3;
SELECT count(*), sum(u) FROM t WHERE k = 3;
SAVEPOINT a;
UPDATE t SET u = 1;
ROLLBACK TO a;
UPDATE t SET k = 4 WHERE id > 25000;
SELECT count(*) FROM t WHERE k = 3;
INSERT INTO t (id, u) VALUES (70002, 1050000);
ROLLBACK;
SELECT count(*), sum(u), sum(k) FROM t;
SELECT id FROM t WHERE u = 1050000;
-- MERGE.
MERGE INTO t USING (SELECT g AS id FROM generate_series(1, 50000) g) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET k = s.id % 10, u = t.u + 3000000;
SELECT count(*), sum(u), sum(k) FROM t;
MERGE INTO t USING (SELECT g AS id FROM generate_series(40001, 90000) g) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET u = t.u + 3000000 WHEN NOT MATCHED THEN INSERT (id, u) VALUES (s.id, s.id);
SELECT count(*), sum(u), sum(k) FROM t;
-- INSERT ... ON CONFLICT.
INSERT INTO t AS t (id, k) SELECT g, g FROM generate_series(1, 100000) g ON CONFLICT (id) DO UPDATE SET k = excluded.k, v = coalesce(t.v, 0) + 1;
SELECT count(*), sum(k), sum(v) FROM t;
SELECT id, v FROM t WHERE k = 54321;
INSERT INTO t AS t (id, k) SELECT g, g FROM generate_series(1, 100000) g ON CONFLICT (id) DO UPDATE SET v = excluded.k WHERE t.id % 2 = 1;
SELECT count(*), sum(k), sum(v) FROM t;
INSERT INTO t AS t (id, k) SELECT g % 60000, g FROM generate_series(1, 60001) g ON CONFLICT (id) DO UPDATE SET v = 0;
INSERT INTO t AS t (id, k) SELECT g % 60000 + 1, g FROM generate_series(1, 90000) g ON CONFLICT (id) DO NOTHING;
INSERT INTO t AS t (id, k) SELECT g, g FROM generate_series(1, 60000) g ON CONFLICT (id) DO UPDATE SET u = excluded.k;
SELECT count(*), sum(u), sum(v) FROM t;
INSERT INTO t AS t (id, u) SELECT g + 500000, g FROM generate_series(1, 60000) g ON CONFLICT (u) DO UPDATE SET v = -1, id = t.id;
SELECT count(*), sum(u), sum(v) FROM t;
INSERT INTO t AS t (id, u) SELECT g, 60001 - g FROM generate_series(1, 60000) g ON CONFLICT (id) DO UPDATE SET v = 1 / (t.id - 50000);
INSERT INTO t AS t (id, u) SELECT g, -g FROM generate_series(1, 60000) g ON CONFLICT (id) DO UPDATE SET u = excluded.u RETURNING id = 7;
SELECT count(*), sum(u), sum(v) FROM t;
DROP TABLE t;
