-- A table's name as a value.
CREATE TABLE wr_a (id int PRIMARY KEY, x int);
CREATE TABLE wr_b (id int PRIMARY KEY, y int, z int);
CREATE TABLE wr_free (y int, z int);
INSERT INTO wr_a VALUES (1, 1), (2, 2), (3, NULL);
INSERT INTO wr_b VALUES (1, 1, 1), (2, NULL, 2);
INSERT INTO wr_free VALUES (1, 1), (2, NULL);
-- It is NULL where all of its columns are, and NOT NULL where none is.
SELECT y, f IS NULL, f IS NOT NULL, f.* IS NULL, (f.*) IS NOT NULL FROM wr_free f ORDER BY 1;
SELECT a.id FROM wr_a a WHERE a IS NOT NULL ORDER BY 1;
SELECT a.id FROM wr_a a WHERE NOT (a IS NOT NULL) ORDER BY 1;
SELECT wr_a.id FROM wr_a WHERE wr_a IS NOT NULL ORDER BY 1;
SELECT q.i FROM wr_a AS q(i, j) WHERE q IS NOT NULL ORDER BY 1;
-- An outer join leaves it out.
SELECT a.id FROM wr_a a LEFT JOIN wr_b b ON a.id = b.id WHERE b IS NULL ORDER BY 1;
SELECT a.id FROM wr_a a LEFT JOIN wr_b b ON a.id = b.id WHERE b IS NOT NULL ORDER BY 1;
SELECT a.id FROM wr_a a LEFT JOIN wr_b b ON a.id = b.id WHERE NOT (b IS NULL) ORDER BY 1;
SELECT b.id, a IS NULL FROM wr_a a RIGHT JOIN wr_b b ON a.id = b.id + 1 ORDER BY 1;
SELECT a.id, b.id, a IS NULL, b IS NULL FROM wr_a a FULL JOIN wr_b b ON a.id = b.id + 1 ORDER BY 1, 2;
SELECT count(b), count(a), count(*) FROM wr_a a LEFT JOIN wr_b b ON a.id = b.id;
SELECT a.id, count(b) FROM wr_a a LEFT JOIN wr_b b ON a.id = b.id GROUP BY a.id ORDER BY 1;
SELECT a.id, count(b) FROM wr_a a LEFT JOIN wr_b b ON a.id = b.id GROUP BY a.id HAVING count(b) = 0 ORDER BY 1;
SELECT a.id, count(f) FROM wr_a a LEFT JOIN wr_free f ON a.id = f.y GROUP BY a.id ORDER BY count(f) DESC, 1;
SELECT a.id, row_to_json(b) FROM wr_a a LEFT JOIN wr_b b ON a.id = b.id ORDER BY 1;
SELECT a.id, to_jsonb(b) FROM wr_a a LEFT JOIN wr_b b ON a.id = b.id ORDER BY 1;
SELECT a.id, json_agg(b) FROM wr_a a LEFT JOIN wr_b b ON a.id = b.id GROUP BY a.id ORDER BY 1;
SELECT a.id, coalesce(json_agg(b) FILTER (WHERE b IS NOT NULL), '[]') FROM wr_a a LEFT JOIN wr_b b ON a.id = b.id GROUP BY a.id ORDER BY 1;
SELECT a.id, CASE WHEN b IS NULL THEN 'none' ELSE 'some' END AS found FROM wr_a a LEFT JOIN wr_b b ON a.id = b.id ORDER BY 1;
-- Of queries.
SELECT a.id, q IS NULL, q IS NOT NULL FROM wr_a a LEFT JOIN (SELECT id, y FROM wr_b) q ON a.id = q.id ORDER BY 1;
SELECT a.id, q IS NULL, q IS NOT NULL FROM wr_a a LEFT JOIN (SELECT * FROM wr_b) q ON a.id = q.id ORDER BY 1;
SELECT a.id, q IS NULL, q.more FROM wr_a a LEFT JOIN (SELECT b.*, b.y + 1 AS more FROM wr_b b) q ON a.id = q.id ORDER BY 1;
SELECT a.id, count(q) FROM wr_a a LEFT JOIN (SELECT b.*, b.y + 1 AS more FROM wr_b b) q ON a.id = q.id GROUP BY a.id ORDER BY 1;
WITH q AS (SELECT id, y FROM wr_b) SELECT a.id, q IS NULL FROM wr_a a LEFT JOIN q ON a.id = q.id ORDER BY 1;
-- A column of the name goes before.
SELECT x FROM wr_a x WHERE x IS NULL;
SELECT y.id, count(y) FROM wr_a a LEFT JOIN wr_b y ON a.id = y.id GROUP BY y.id ORDER BY 1;
SELECT a.x AS b FROM wr_a a LEFT JOIN wr_b b ON a.id = b.id ORDER BY b;
SELECT a.x AS b, count(*) FROM wr_a a LEFT JOIN wr_b b ON a.id = b.id GROUP BY a.x ORDER BY b;
DROP TABLE wr_a, wr_b, wr_free;
