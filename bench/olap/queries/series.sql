-- Readings of sensors: aggregates by one column, and a filter on a column without an index.

-- 1: min, max, mean and sum by sensor
SELECT sensor, avg(reading), min(reading), max(reading), sum(reading) FROM series GROUP BY sensor;

-- 2: filter on a column without a key
SELECT count(*), sum(reading) FROM series WHERE reading > 34.5;

-- 3: by hour
SELECT date_trunc('hour', taken_at) AS hour, avg(reading), count(*) FROM series
GROUP BY date_trunc('hour', taken_at) ORDER BY hour;
