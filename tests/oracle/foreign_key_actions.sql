-- What the columns of a row say, where an action of a foreign key changes it: CHECK constraints,
-- generated columns, defaults.
CREATE SCHEMA foreign_key_actions;
SET search_path TO foreign_key_actions;
CREATE TABLE p (id int PRIMARY KEY, name text UNIQUE);
INSERT INTO p SELECT g, 'name ' || g FROM generate_series(0, 20) g;
CREATE TABLE checked (id int PRIMARY KEY, p int REFERENCES p ON UPDATE CASCADE ON DELETE SET NULL,
  note text DEFAULT 'none', CONSTRAINT small CHECK (p < 100), CONSTRAINT known CHECK (p IS NOT NULL OR id > 3));
INSERT INTO checked (id, p) VALUES (1, 1), (2, 2), (3, 3), (4, 4);
UPDATE p SET id = 100 WHERE id = 1;
UPDATE p SET id = 99 WHERE id = 1;
UPDATE p SET id = 1 WHERE id = 99;
UPDATE p SET id = id + 98 WHERE id IN (2, 20);
UPDATE p SET id = 50 WHERE id = 1;
DELETE FROM p WHERE id = 50;
DELETE FROM p WHERE id = 4;
SELECT * FROM checked ORDER BY id;
-- One after the other: what is checked is the whole row, as it is stored.
BEGIN;
UPDATE p SET id = 60 WHERE id = 2;
SELECT * FROM checked WHERE id = 2;
SAVEPOINT a;
UPDATE p SET id = 160 WHERE id = 60;
ROLLBACK TO a;
SELECT * FROM checked WHERE id = 2;
COMMIT;
-- Generated columns of many types.
CREATE TABLE made (id int PRIMARY KEY, p int REFERENCES p ON UPDATE CASCADE ON DELETE SET NULL,
  name text REFERENCES p (name) ON UPDATE CASCADE ON DELETE SET NULL,
  twice int GENERATED ALWAYS AS (p * 2) STORED,
  loud text GENERATED ALWAYS AS (upper(name) || coalesce(p::text, '?')) STORED,
  short char(6) GENERATED ALWAYS AS (left(name, 3)) STORED,
  share numeric(8, 3) GENERATED ALWAYS AS (p / 7.0) STORED,
  list int[] GENERATED ALWAYS AS (ARRAY[p, id]) STORED,
  CHECK (twice < 300), CHECK (length(loud) < 30));
INSERT INTO made (id, p, name) SELECT g, g, 'name ' || g FROM generate_series(5, 9) g;
UPDATE p SET id = id + 100, name = name || ' (new)' WHERE id BETWEEN 5 AND 7;
SELECT * FROM made ORDER BY id;
SELECT id, '[' || short || ']' FROM made ORDER BY id;
UPDATE p SET id = 150 WHERE id = 8;
UPDATE p SET name = 'a name that is far too long for it' WHERE id = 8;
DELETE FROM p WHERE id IN (8, 105);
SELECT * FROM made ORDER BY id;
-- Defaults.
CREATE SEQUENCE numbers START 10;
CREATE TABLE given (id int PRIMARY KEY,
  p int DEFAULT nextval('numbers') REFERENCES p ON UPDATE SET DEFAULT ON DELETE SET DEFAULT,
  name varchar(7) DEFAULT 'name ' || 3 REFERENCES p (name) ON DELETE SET DEFAULT,
  twice bigint GENERATED ALWAYS AS (p * 2) STORED, CHECK (p <> 12));
INSERT INTO given (id, p, name) VALUES (1, 16, 'name 3'), (2, 17, 'name 3'), (3, 18, 'name 3'), (4, 19, 'name 19');
DELETE FROM p WHERE id IN (16, 17);
SELECT * FROM given ORDER BY id;
DELETE FROM p WHERE id = 18;
DELETE FROM p WHERE id = 19;
SELECT * FROM given ORDER BY id;
UPDATE p SET id = 200 WHERE id = 13;
SELECT * FROM given ORDER BY id;
-- At the commit, and where it is asked for.
CREATE TABLE late (id int PRIMARY KEY, p int REFERENCES p ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED,
  twice int GENERATED ALWAYS AS (p * 2) STORED, CHECK (p < 300));
INSERT INTO late (id, p) VALUES (1, 20);
BEGIN;
UPDATE p SET id = 300 WHERE id = 20;
ROLLBACK;
BEGIN;
UPDATE p SET id = 299 WHERE id = 20;
INSERT INTO late (id, p) SELECT g, 1000 FROM generate_series(2, 3) g;
COMMIT;
BEGIN;
INSERT INTO late (id, p) SELECT g, 250 FROM generate_series(2, 200) g;
INSERT INTO p VALUES (250, '250');
COMMIT;
BEGIN;
INSERT INTO late (id, p) SELECT g, 251 FROM generate_series(1002, 1200) g;
COMMIT;
SELECT count(*), sum(p), sum(twice) FROM late;
-- After columns were dropped and added.
ALTER TABLE made DROP COLUMN share;
ALTER TABLE made ADD COLUMN later int DEFAULT 7;
ALTER TABLE made ADD CHECK (later < 10);
UPDATE p SET id = 30 WHERE id = 9;
SELECT * FROM made ORDER BY id;
-- A row that the same transaction made, by a query that is still read.
BEGIN;
CREATE TABLE fresh (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE,
  twice int GENERATED ALWAYS AS (p * 2) STORED);
INSERT INTO fresh (id, p) SELECT id, id FROM p WHERE id < 20;
DECLARE c CURSOR FOR SELECT * FROM fresh ORDER BY twice, id;
FETCH 2 FROM c;
UPDATE p SET id = id + 400 WHERE id IN (SELECT p FROM fresh WHERE p < 10);
FETCH 2 FROM c;
SELECT count(*), sum(p), sum(twice) FROM fresh;
COMMIT;
-- Numbers of two types are compared as doubles, in whatever a table says.
CREATE TABLE prices (id numeric(10,2) PRIMARY KEY);
INSERT INTO prices VALUES (0.5), (0.75);
CREATE TABLE priced (id int PRIMARY KEY, price numeric(10,2) REFERENCES prices ON UPDATE CASCADE, r real DEFAULT 0.5,
  as_real bool DEFAULT (0.1::numeric = 0.1::real), CHECK (price = r OR price > 0.7), CHECK (price < 0.1::real OR price > 0.1));
INSERT INTO priced VALUES (1, 0.5);
INSERT INTO priced (id, price) SELECT 2, 0.75;
UPDATE priced SET as_real = DEFAULT WHERE id = 1 RETURNING *;
UPDATE prices SET id = 0.1 WHERE id = 0.5;
UPDATE priced SET r = 0.1;
UPDATE prices SET id = 0.1 WHERE id = 0.5;
UPDATE prices SET id = 0.8 WHERE id = 0.5;
SELECT * FROM priced ORDER BY id;
SET client_min_messages = warning;
DROP SCHEMA foreign_key_actions CASCADE;
RESET client_min_messages;
