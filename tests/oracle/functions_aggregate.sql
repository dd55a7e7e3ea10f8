-- Aggregates, ordered-set aggregates, window functions.

-- types
CREATE TABLE agg (g int, i int, b bigint, s smallint, n numeric(10,2), f float8, t text, d date, bo boolean, ts timestamp);
-- types
INSERT INTO agg VALUES (1, 1, 10, 1, 1.50, 1.5, 'a', '2024-01-01', true, '2024-01-01 10:00'), (1, 2, 20, 2, 2.25, 2.5, 'b', '2024-01-02', false, '2024-01-01 11:00'), (1, 3, NULL, 3, NULL, 3.5, 'b', '2024-01-03', true, '2024-01-02 10:00'), (2, 4, 40, 4, 4.00, -4.5, NULL, NULL, NULL, NULL), (2, 5, 50, 5, 5.10, 5.5, 'c', '2024-01-05', true, '2024-01-03'), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- types
SELECT count(*), count(i), count(DISTINCT t), sum(i), sum(b), sum(s), sum(n), sum(f), avg(i), avg(b), avg(s), avg(n), avg(f) FROM agg;
-- types
SELECT min(i), max(i), min(t), max(t), min(d), max(d), min(n), max(f), min(ts), max(ts) FROM agg;
-- types
SELECT g, count(*), sum(i), avg(n) FROM agg GROUP BY g ORDER BY g;
-- types
SELECT bool_and(bo), bool_or(bo), every(bo), bit_and(i), bit_or(i), bit_xor(i), bit_and(b), bit_or(s) FROM agg;
-- types
SELECT stddev(f), stddev_pop(f), variance(f), var_pop(f) FROM agg;
SELECT stddev(i), var_samp(i), stddev_pop(i), var_pop(i) FROM agg WHERE i = 1;
-- types
SELECT corr(f, i), covar_pop(f, i), covar_samp(f, i), regr_avgx(f, i), regr_avgy(f, i), regr_count(f, i), regr_intercept(f, i), regr_r2(f, i), regr_slope(f, i) FROM agg;
-- types
SELECT regr_sxx(f, i), regr_sxy(f, i), regr_syy(f, i) FROM agg;
-- types
SELECT corr(f, i), covar_samp(f, i), regr_slope(f, i), regr_count(f, i) FROM agg WHERE i = 1;
-- types
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY i), percentile_cont(0.25) WITHIN GROUP (ORDER BY f), percentile_disc(0.5) WITHIN GROUP (ORDER BY i) FROM agg;
-- types
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY t), mode() WITHIN GROUP (ORDER BY t) FROM agg;
-- types
SELECT percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY f) FROM agg;
-- types
SELECT percentile_disc(ARRAY[0.25, 0.5]) WITHIN GROUP (ORDER BY i) FROM agg;
-- types
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY i DESC), percentile_disc(0) WITHIN GROUP (ORDER BY i), percentile_disc(1) WITHIN GROUP (ORDER BY i) FROM agg;
-- types
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY i) FROM agg WHERE false;
-- types
SELECT string_agg(t, ','), string_agg(t, ',' ORDER BY t DESC), string_agg(DISTINCT t, ','), string_agg(t, NULL), string_agg(t, '' ORDER BY i) FROM agg;
-- types
SELECT string_agg(t, ', ' ORDER BY i) FILTER (WHERE i > 1), string_agg(i::text, '-' ORDER BY i DESC) FROM agg;
-- types
SELECT string_agg(t, ',') FROM agg WHERE false;
-- types
SELECT count(*) FILTER (WHERE i > 2), sum(i) FILTER (WHERE bo), avg(n) FILTER (WHERE false) FROM agg;
-- types
SELECT sum(i), avg(i), max(i), count(i), bool_and(bo) FROM agg WHERE false;
-- types
SELECT sum(DISTINCT g), count(DISTINCT g), avg(DISTINCT g), sum(ALL g) FROM agg;
-- types
SELECT count(DISTINCT (g, t)) FROM agg;
-- types
SELECT sum(d) FROM agg;
-- types
SELECT avg(t) FROM agg;
-- types
SELECT min(ARRAY[i]) FROM agg;
-- types
SELECT i, lag(i) OVER (ORDER BY i), lead(i) OVER (ORDER BY i), lag(i, 2, -1) OVER (ORDER BY i), lead(i, 2, 0) OVER (ORDER BY i), first_value(i) OVER (ORDER BY i), last_value(i) OVER (ORDER BY i), nth_value(i, 2) OVER (ORDER BY i) FROM agg ORDER BY i;
-- types
SELECT i, row_number() OVER (ORDER BY i), rank() OVER (ORDER BY t), dense_rank() OVER (ORDER BY t), percent_rank() OVER (ORDER BY t), cume_dist() OVER (ORDER BY t), ntile(2) OVER (ORDER BY i), ntile(4) OVER (ORDER BY i) FROM agg ORDER BY i;
-- types
SELECT ntile(0) OVER () FROM agg;
-- types
SELECT i, sum(i) OVER (PARTITION BY g ORDER BY i), avg(i) OVER (PARTITION BY g), count(*) OVER () FROM agg ORDER BY i;
-- types
SELECT i, sum(i) OVER w, max(i) OVER w FROM agg WINDOW w AS (ORDER BY i ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) ORDER BY i;
-- types
SELECT i, sum(i) OVER (ORDER BY i RANGE BETWEEN 1 PRECEDING AND CURRENT ROW), sum(i) OVER (ORDER BY i ROWS UNBOUNDED PRECEDING) FROM agg ORDER BY i;
-- types
SELECT i, array_agg(i) OVER (ORDER BY i), string_agg(t, ',') OVER (ORDER BY i) FROM agg ORDER BY i;
-- types
SELECT i, sum(i) FILTER (WHERE i > 2) OVER (ORDER BY i) FROM agg ORDER BY i;
-- types
SELECT g, sum(sum(i)) OVER (ORDER BY g) FROM agg GROUP BY g ORDER BY g;
-- types
SELECT i FROM agg GROUP BY g;
-- types
SELECT g, sum(i) FROM agg GROUP BY g HAVING sum(i) > 5 ORDER BY g;
-- types
SELECT g, bo, sum(i) FROM agg GROUP BY ROLLUP (g, bo) ORDER BY g, bo, sum(i);
SELECT g, bo, sum(i), grouping(g, bo) FROM agg GROUP BY CUBE (g, bo) ORDER BY g, bo, sum(i), grouping(g, bo);
-- types
SELECT g, bo, count(*) FROM agg GROUP BY GROUPING SETS ((g), (bo), ()) ORDER BY g, bo, count(*);
-- types
SELECT array_agg(t ORDER BY i NULLS FIRST), array_agg(i ORDER BY i NULLS FIRST) FROM agg;
-- types
SELECT sum(i)::text, avg(n)::numeric(10,2), round(avg(i), 2), round(avg(n), 1) FROM agg;
SELECT round(stddev(i), 3) FROM agg;
-- types
SELECT sum(i) / count(i), sum(n) / count(n), sum(f) / 2, avg(i) * 2, avg(i) + 1 FROM agg;
-- types
SELECT i, first_value(t) OVER (PARTITION BY g ORDER BY i DESC), last_value(t) OVER (PARTITION BY g ORDER BY i ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM agg ORDER BY i;
-- types
SELECT i, sum(i) OVER (ORDER BY i GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM agg ORDER BY i;
-- types
SELECT i, sum(i) OVER (ORDER BY i ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW) FROM agg ORDER BY i;
-- types
SELECT d, sum(i) OVER (ORDER BY d RANGE BETWEEN INTERVAL '1 day' PRECEDING AND CURRENT ROW) FROM agg WHERE d IS NOT NULL ORDER BY d;
SELECT x::regclass FROM (VALUES ('pg_type'), ('pg_class'), ('pg_attribute')) v(x) ORDER BY x::regclass;
SELECT c.oid::regclass FROM pg_class c WHERE relname IN ('pg_type', 'pg_class', 'pg_attribute') ORDER BY c.oid::regclass;
SELECT c.oid::regclass FROM pg_class c WHERE relname IN ('pg_type', 'pg_class', 'pg_attribute') ORDER BY 1 DESC;
-- types
DROP TABLE agg;
-- Groups of many rows: those of neighbours, of rows in turn, and with NULLs between. The sums are
-- exact in any order.
CREATE TABLE runs (id int PRIMARY KEY, sensor int, f float8, s smallint, i int, b bigint, n numeric(9,2));
INSERT INTO runs SELECT k, k / 700, (k % 97 - 40) * 0.25, k % 31 - 7, k * 13 - 9000, k * 1000000007::bigint, (k % 1000) / 4.0 FROM generate_series(0, 4199) k;
SELECT sensor, sum(f), avg(f), min(f), max(f), count(f) FROM runs GROUP BY sensor ORDER BY sensor;
SELECT sensor, sum(s), avg(s), sum(i), avg(i), sum(b), avg(b), sum(n), avg(n) FROM runs GROUP BY sensor ORDER BY sensor;
SELECT id % 5, sum(f), avg(f), min(f), max(f), sum(s), avg(i), sum(b), avg(n) FROM runs GROUP BY id % 5 ORDER BY id % 5;
SELECT sensor, sum(f), min(f), max(f), sum(i) FROM runs WHERE id % 3 = 1 GROUP BY sensor ORDER BY sensor;
UPDATE runs SET f = NULL, i = NULL, n = NULL WHERE id % 7 = 3 OR sensor = 4;
UPDATE runs SET f = 'NaN' WHERE id IN (10, 2200);
UPDATE runs SET f = 'Infinity' WHERE id IN (20, 900, 2210);
UPDATE runs SET f = '-Infinity' WHERE id IN (910, 3600);
UPDATE runs SET f = '-0' WHERE sensor = 5;
SELECT sensor, sum(f), avg(f), min(f), max(f), count(f) FROM runs GROUP BY sensor ORDER BY sensor;
SELECT sensor, sum(i), avg(i), sum(n), avg(n), count(*) FROM runs GROUP BY sensor ORDER BY sensor;
SELECT sum(f), min(f), max(f), avg(f) FROM runs;
SELECT min(f), max(f) FROM runs WHERE f < 'NaN';
SELECT min(f), max(f), sum(DISTINCT f), avg(DISTINCT f) FROM runs WHERE f <> 'NaN' AND abs(f) < 1000;
SELECT min(i::real), max(s::real), sum(f::real) FROM runs WHERE id < 10;
SELECT id, min(f) OVER w, max(f) OVER w, sum(f) OVER w FROM runs WINDOW w AS (ORDER BY id ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) ORDER BY id LIMIT 30;
SELECT min(f), max(f), sum(f), avg(f) FROM runs WHERE false;
DROP TABLE runs;
