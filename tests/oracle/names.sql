-- Names that are keywords in DuckDB's grammar and not in PostgreSQL's.
CREATE TABLE events (at timestamp, map int, show text, "by" int, qualify int, lambda int, pivot int,
    unpivot int, describe text, summarize int, struct int, columns int, semi int, positional int, glob text);
INSERT INTO events (at, map, show, by, qualify) VALUES ('2026-01-01', 1, 'x', 2, 3), ('2026-01-02', 4, 'y', 2, 6);
UPDATE events SET lambda = map + 1, pivot = 1, unpivot = 2, describe = 'd' || show WHERE at > '2025-01-01';
SELECT min(at), max(map), count(show), sum(qualify) FROM events;
SELECT by, count(*) FROM events GROUP BY by ORDER BY by;
SELECT at, map, show, lambda, pivot, unpivot, describe, summarize, struct, columns FROM events ORDER BY at;
SELECT e.at, e.by, e.semi, e.positional FROM events e JOIN events map ON e.map = map.map ORDER BY e.show DESC;
WITH describe AS (SELECT map AS show FROM events) SELECT show FROM describe ORDER BY show;
SELECT 'at map' AS at, "by" AS pivot, at AT TIME ZONE 'UTC' AS map FROM events WHERE show = 'x';
CREATE VIEW show AS SELECT at, map FROM events WHERE qualify > 3;
SELECT * FROM show;
CREATE TABLE map (columns int PRIMARY KEY, try_cast text CHECK (try_cast <> 'asof'));
INSERT INTO map VALUES (1, 'asof');
INSERT INTO map VALUES (1, 'anti') ON CONFLICT (columns) DO UPDATE SET try_cast = excluded.try_cast RETURNING columns, try_cast;
DELETE FROM map WHERE columns = 1 RETURNING try_cast AS glob;
SELECT map.columns, events.at FROM events LEFT JOIN map ON map.columns = events.map ORDER BY events.at;
-- Writes to what is not there.
INSERT INTO nosuch VALUES (1);
INSERT INTO nosuch SELECT 1;
INSERT INTO nosuch (a) VALUES (1);
UPDATE nosuch SET a = 1;
DELETE FROM nosuch;
INSERT INTO nosuchschema.t VALUES (1);
MERGE INTO nosuch USING (SELECT 1 AS a) s ON true WHEN MATCHED THEN DO NOTHING;
WITH nosuch AS (SELECT 1) INSERT INTO nosuch VALUES (1);
PREPARE into_nothing AS INSERT INTO nosuch VALUES ($1);
