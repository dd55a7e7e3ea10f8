-- ON DELETE and ON UPDATE of so many referring rows that they are changed where they lie, new keys of
-- as many rows that are referred to, and MERGE that does all three: the tables are loaded as segments.
CREATE SCHEMA bulk_actions;
SET search_path TO bulk_actions;
CREATE TABLE p (id int PRIMARY KEY, u int UNIQUE, v int);
INSERT INTO p SELECT g, g + 1000000, 0 FROM generate_series(0, 79999) g;
CREATE TABLE c (id int PRIMARY KEY, p int DEFAULT 0 REFERENCES p ON DELETE SET NULL ON UPDATE CASCADE,
  s text, twice int GENERATED ALWAYS AS (p * 2) STORED);
INSERT INTO c (id, p, s) SELECT g, g % 80000, 'text ' || g FROM generate_series(1, 90000) g;
CREATE INDEX ON c (p);
BEGIN;
DELETE FROM p WHERE id % 10 <> 3;
SELECT count(*), count(p), sum(p), sum(twice), min(s), max(s) FROM c;
SELECT * FROM c WHERE id IN (1, 3, 79999, 80000, 89993) ORDER BY id;
SAVEPOINT a;
DELETE FROM p WHERE id > 20000;
SELECT count(*), count(p), sum(p), sum(twice) FROM c;
ROLLBACK TO a;
SELECT count(*), count(p), sum(p), sum(twice) FROM c;
ROLLBACK;
SELECT count(*), count(p), sum(p), sum(twice) FROM c;
UPDATE p SET id = id + 200000;
SELECT count(*), count(p), sum(p), sum(twice), min(p), max(p) FROM c;
SELECT count(*) FROM c JOIN p ON c.p = p.id;
UPDATE p SET id = id - 1;
SELECT count(*), count(p), sum(p), sum(twice), min(p), max(p) FROM c;
UPDATE p SET id = id / 2;
SELECT count(*), sum(id) FROM p;
DELETE FROM p WHERE id < 250000;
SELECT count(*), count(p), sum(p), sum(twice) FROM c;
INSERT INTO c (id, p) VALUES (100001, 200005);
INSERT INTO c (id, p) VALUES (100001, 250005);
-- Again, of other rows.
INSERT INTO p SELECT g, g + 2000000, 0 FROM generate_series(1, 70000) g;
UPDATE c SET p = id WHERE id <= 70000;
UPDATE p SET id = -id, v = 5 WHERE id <= 70000;
SELECT count(*), count(p), sum(p), sum(twice), min(p), max(p) FROM c;
SELECT id, p FROM c WHERE p BETWEEN -10 AND -5 ORDER BY p;
DELETE FROM p WHERE id < -100;
SELECT count(*), count(p), sum(p) FROM c;
SELECT id, p FROM c WHERE p BETWEEN -102 AND -98 ORDER BY p;
-- SET DEFAULT: the default must be there.
CREATE TABLE d (id int PRIMARY KEY, u int DEFAULT 7 REFERENCES p (u) ON DELETE SET DEFAULT ON UPDATE SET DEFAULT);
DELETE FROM p;
INSERT INTO p SELECT g, g, 0 FROM generate_series(1, 70000) g;
CREATE INDEX ON d (u);
INSERT INTO d SELECT g, g FROM generate_series(1, 70000) g;
BEGIN;
UPDATE p SET u = u + 70000;
ROLLBACK;
BEGIN;
UPDATE p SET u = CASE WHEN u = 7 THEN u ELSE u + 70000 END;
SELECT count(*), sum(u), min(u), max(u) FROM d;
ROLLBACK;
DELETE FROM p WHERE u <> 7 AND u < 60000;
SELECT count(*), sum(u), min(u), max(u) FROM d;
DELETE FROM p;
-- A key that others refer to, which is no primary key.
CREATE TABLE e (id int PRIMARY KEY, u int UNIQUE REFERENCES p (u) ON UPDATE CASCADE ON DELETE CASCADE);
UPDATE p SET u = u + 1 WHERE u > 60000;
UPDATE p SET u = u - 1 WHERE u > 60000;
INSERT INTO p SELECT g, g, 0 FROM generate_series(100001, 170000) g;
INSERT INTO e SELECT g, g FROM generate_series(100001, 170000) g;
UPDATE p SET u = u + 1 WHERE u > 100000;
UPDATE p SET u = u - 1 WHERE u > 100000;
SELECT count(*), sum(u), min(u), max(u) FROM e;
SELECT * FROM e WHERE u IN (100000, 100001, 169999) ORDER BY id;
UPDATE p SET u = NULL WHERE u > 160000;
SELECT count(*), count(u), sum(u) FROM e;
DELETE FROM p WHERE id > 110000;
SELECT count(*), count(u), sum(u) FROM e;
-- A referring column of the primary key.
CREATE TABLE orders (id int PRIMARY KEY, v int);
CREATE TABLE items (o int REFERENCES orders ON UPDATE CASCADE ON DELETE CASCADE, n int, PRIMARY KEY (o, n));
CREATE TABLE parts (id int PRIMARY KEY, o int, n int, FOREIGN KEY (o, n) REFERENCES items ON UPDATE CASCADE ON DELETE SET NULL (n));
INSERT INTO orders SELECT g, 0 FROM generate_series(1, 40000) g;
INSERT INTO items SELECT g / 2 + 1, g % 2 FROM generate_series(0, 79999) g;
CREATE INDEX ON parts (o, n);
INSERT INTO parts SELECT g, g / 2 + 1, g % 2 FROM generate_series(0, 79999) g;
UPDATE orders SET id = id + 50000;
SELECT count(*), sum(o), sum(n) FROM items;
SELECT count(*), sum(o), sum(n) FROM parts;
SELECT count(*) FROM parts JOIN items USING (o, n);
DELETE FROM items WHERE n = 0;
SELECT count(*), count(o), count(n), sum(o) FROM parts;
DELETE FROM orders;
SELECT count(*) FROM items;
SELECT count(*), count(o), count(n), sum(o) FROM parts;
-- Two foreign keys of one table, which the same statement changes.
CREATE TABLE two (id int PRIMARY KEY, a int REFERENCES orders ON DELETE SET NULL ON UPDATE CASCADE,
  b int REFERENCES orders ON DELETE SET NULL ON UPDATE CASCADE);
INSERT INTO orders SELECT g, 0 FROM generate_series(1, 60000) g;
CREATE INDEX ON two (a);
CREATE INDEX ON two (b);
INSERT INTO two SELECT g, g, 60001 - g FROM generate_series(1, 60000) g;
UPDATE orders SET id = id + 100000;
SELECT count(*), sum(a), sum(b), min(a), max(b), sum(a::bigint * b) FROM two;
DELETE FROM orders WHERE id % 3 = 1;
SELECT count(*), count(a), count(b), sum(a), sum(b) FROM two;
-- A table that refers to itself.
CREATE TABLE tree (id int PRIMARY KEY, p int REFERENCES tree ON UPDATE CASCADE ON DELETE SET NULL);
CREATE INDEX ON tree (p);
INSERT INTO tree SELECT g, nullif(g / 2, 0) FROM generate_series(1, 70000) g;
UPDATE tree SET id = id + 100000;
SELECT count(*), sum(p), sum(id - 2 * p), min(p), max(p) FROM tree;
DELETE FROM tree WHERE id % 2 = 0;
SELECT count(*), count(p), sum(p) FROM tree;
CREATE TABLE small_tree (id int PRIMARY KEY, p int REFERENCES small_tree ON UPDATE CASCADE);
INSERT INTO small_tree VALUES (1, NULL), (2, 3), (3, 1), (4, 5), (5, 5);
UPDATE small_tree SET id = id + 100;
SELECT * FROM small_tree ORDER BY id;
-- A row that two ways of cascading lead to.
CREATE TABLE root (id int PRIMARY KEY);
CREATE TABLE left_side (id int PRIMARY KEY REFERENCES root ON UPDATE CASCADE);
CREATE TABLE right_side (id int PRIMARY KEY REFERENCES root ON UPDATE CASCADE);
CREATE TABLE pair (a int REFERENCES left_side ON UPDATE CASCADE, b int REFERENCES right_side ON UPDATE CASCADE, UNIQUE (a, b));
CREATE TABLE pair_user (id int, a int, b int, FOREIGN KEY (a, b) REFERENCES pair (a, b) ON UPDATE CASCADE);
INSERT INTO root VALUES (1), (2);
INSERT INTO left_side VALUES (1), (2);
INSERT INTO right_side VALUES (1), (2);
INSERT INTO pair VALUES (1, 1), (1, 2), (2, 2);
INSERT INTO pair_user VALUES (1, 1, 1), (2, 1, 2), (3, 2, 2), (4, NULL, 2);
UPDATE root SET id = id + 10;
SELECT * FROM pair ORDER BY a, b;
SELECT * FROM pair_user ORDER BY id;
-- CHECK and NOT NULL.
CREATE TABLE checked (id int PRIMARY KEY, p int NOT NULL REFERENCES root ON DELETE SET NULL, CHECK (p < 100));
CREATE TABLE checked_too (id int PRIMARY KEY, p int CHECK (p < 100) REFERENCES root ON UPDATE CASCADE);
INSERT INTO root VALUES (50), (60);
INSERT INTO checked VALUES (1, 50);
INSERT INTO checked_too VALUES (1, 60);
DELETE FROM root WHERE id = 50;
UPDATE root SET id = 200 WHERE id = 60;
SELECT * FROM checked_too;
-- MERGE.
CREATE TABLE m (id int PRIMARY KEY, u int UNIQUE, v int);
INSERT INTO m SELECT g, g, 0 FROM generate_series(1, 80000) g;
MERGE INTO m USING (SELECT g AS id FROM generate_series(1, 120000) g) n ON m.id = n.id
  WHEN MATCHED AND n.id % 10 = 0 THEN DELETE
  WHEN MATCHED THEN UPDATE SET u = m.u + 1000000, v = 1
  WHEN NOT MATCHED THEN INSERT VALUES (n.id, n.id - 80000, 2);
SELECT count(*), sum(u), sum(v), min(u), max(u) FROM m;
SELECT id, u, v FROM m WHERE u IN (1, 9, 10, 1000001, 1000010, 40000) ORDER BY u;
MERGE INTO m USING (SELECT g AS id FROM generate_series(1, 130000) g) n ON m.id = n.id
  WHEN MATCHED AND n.id % 7 = 0 THEN DELETE
  WHEN MATCHED THEN UPDATE SET id = m.id + 500000, v = 3
  WHEN NOT MATCHED THEN INSERT VALUES (n.id, NULL, 4);
SELECT count(*), sum(id), sum(u), sum(v), min(id), max(id) FROM m;
MERGE INTO m USING (SELECT g AS id FROM generate_series(1, 130000) g) n ON m.id = n.id + 500000
  WHEN MATCHED THEN UPDATE SET u = 5
  WHEN NOT MATCHED THEN INSERT VALUES (n.id + 500000, NULL, 4);
MERGE INTO m USING (SELECT g AS id FROM generate_series(1, 130000) g) n ON m.id = n.id + 500000
  WHEN MATCHED AND n.id < 60000 THEN DELETE
  WHEN MATCHED THEN UPDATE SET u = n.id + 3000000;
SELECT count(*), sum(id), sum(u), sum(v), min(u), max(u) FROM m;
SET client_min_messages = warning;
DROP SCHEMA bulk_actions CASCADE;
RESET client_min_messages;
