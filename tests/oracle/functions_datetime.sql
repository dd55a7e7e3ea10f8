-- Dates, times, intervals: arithmetic, fields, formats.

-- types
SELECT justify_days(interval '35 days'), justify_hours(interval '27 hours'), justify_interval(interval '1 mon -1 hour'), justify_days(interval '-35 days'), justify_hours(interval '-27 hours');
-- types
SELECT justify_interval(interval '45 days 30 hours'), justify_days(NULL);
-- types
SELECT make_date(2013, 7, 15), make_date(-44, 3, 15), make_time(8, 15, 23.5), make_timestamp(2013, 7, 15, 8, 15, 23.5), make_timestamptz(2013, 7, 15, 8, 15, 23.5);
-- types
SELECT make_timestamptz(2013, 7, 15, 8, 15, 23.5, 'America/New_York');
-- types
SELECT make_date(2013, 2, 30);
-- types
SELECT make_date(0, 1, 1);
-- types
SELECT make_time(25, 0, 0);
-- types
SELECT make_timestamp(2013, 13, 1, 0, 0, 0);
-- types
SELECT make_timestamptz(2013, 7, 15, 8, 15, 23.5, 'Nowhere');
-- types
SELECT make_interval(), make_interval(1), make_interval(1, 2), make_interval(days => 10), make_interval(1, 2, 3, 4, 5, 6, 7.5), make_interval(hours => 5, mins => 30);
-- types
SELECT make_interval(secs => 0.5), make_interval(weeks => 2);
-- types
SELECT age(timestamp '2001-04-10', timestamp '1957-06-13'), age(timestamp '2024-03-31', timestamp '2024-02-29'), age(date '2024-01-01', date '2025-02-03'), age(timestamp '2024-01-01 10:00', timestamp '2024-01-01 08:30');
-- types
SELECT age(timestamptz '2024-05-01', timestamptz '2024-03-31');
-- types
SELECT age(current_date) = interval '0', age(NULL::timestamp, now()::timestamp);
-- types
SELECT date_bin('15 minutes', timestamp '2020-02-11 15:44:17', timestamp '2001-01-01'), date_bin('15 minutes', timestamp '2020-02-11 15:44:17', timestamp '2001-01-01 00:02:30');
-- types
SELECT date_bin('1 day', timestamptz '2020-02-11 15:44:17+00', timestamptz '2001-01-01 00:00+00'), date_bin('1 hour', timestamp '1999-12-31 23:59', timestamp '2001-01-01');
-- types
SELECT date_bin('1 month', timestamp '2020-02-11', timestamp '2001-01-01');
-- types
SELECT date_bin('0 days', timestamp '2020-02-11', timestamp '2001-01-01');
-- types
SELECT extract(century from timestamp '2000-12-16 12:21:13'), extract(century from date '2001-02-16'), extract(century from date '-0001-02-16 BC');
-- types
SELECT extract(century from date '2001-02-16'), extract(day from timestamp '2001-02-16 20:38:40'), extract(decade from timestamp '2001-02-16 20:38:40'), extract(dow from timestamp '2001-02-16 20:38:40');
-- types
SELECT extract(doy from timestamp '2001-02-16 20:38:40'), extract(epoch from timestamp '2001-02-16 20:38:40.12'), extract(hour from timestamp '2001-02-16 20:38:40');
-- types
SELECT extract(isodow from timestamp '2001-02-18 20:38:40'), extract(isoyear from date '2006-01-01'), extract(julian from date '2006-01-01'), extract(julian from timestamp '2006-01-01 12:00');
-- types
SELECT extract(microseconds from time '17:12:28.5'), extract(millennium from timestamp '2001-02-16 20:38:40'), extract(milliseconds from time '17:12:28.5'), extract(minute from timestamp '2001-02-16 20:38:40');
-- types
SELECT extract(month from timestamp '2001-02-16 20:38:40'), extract(quarter from timestamp '2001-02-16 20:38:40'), extract(second from timestamp '2001-02-16 20:38:40');
-- types
SELECT extract(second from time '17:12:28.5'), extract(week from timestamp '2001-02-16 20:38:40'), extract(year from timestamp '2001-02-16 20:38:40');
-- types
SELECT extract(timezone from timestamptz '2001-02-16 20:38:40+05'), extract(timezone_hour from timestamptz '2001-02-16 20:38:40+05'), extract(timezone_minute from timestamptz '2001-02-16 20:38:40+05');
-- types
SELECT extract(epoch from interval '5 days 3 hours'), extract(epoch from interval '1 year 1 mon'), extract(hour from interval '80 minutes'), extract(day from interval '40 days');
-- types
SELECT extract(month from interval '2 years 3 months'), extract(year from interval '2 years 15 months'), extract(second from interval '1.5 sec'), extract(minute from interval '90 sec');
-- types
SELECT extract(quarter from interval '7 months'), extract(decade from interval '25 years'), extract(milliseconds from interval '1.5 sec');
-- types
SELECT extract(epoch from date '2024-01-01'), extract(epoch from timestamptz '2024-01-01 00:00:00+00'), extract(dow from date '2024-01-07'), extract(isodow from date '2024-01-07');
-- types
SELECT extract(week from date '2024-12-30'), extract(isoyear from date '2024-12-30');
-- types
SELECT extract(foo from timestamp '2001-02-16');
-- types
SELECT extract(hour from date '2001-02-16');
-- types
SELECT extract(timezone from timestamp '2001-02-16');
-- types
SELECT extract(year from time '10:00');
-- types
SELECT extract(dow from interval '1 day');
-- types
SELECT date_part('day', timestamp '2001-02-16 20:38:40'), date_part('hour', interval '4 hours 3 minutes'), date_part('epoch', timestamp '2001-02-16 20:38:40.12');
-- types
SELECT date_part('second', timestamp '2001-02-16 20:38:40.12'), date_part('milliseconds', time '17:12:28.5'), date_part('year', date '2024-05-06'), date_part('minute', time '10:20:30');
-- types
SELECT date_part('epoch', time '10:20:30.5'), date_part('dow', date '2024-05-06');
SELECT pg_typeof(extract(day from now())), pg_typeof(date_part('day', now()));
-- types
SELECT date_part(NULL, now());
SELECT extract(year from NULL::date);
-- types
SELECT extract(day from 'infinity'::timestamp);
-- types
SELECT date_trunc('hour', timestamp '2001-02-16 20:38:40'), date_trunc('year', timestamp '2001-02-16 20:38:40'), date_trunc('day', timestamptz '2001-02-16 20:38:40+00');
-- types
SELECT date_trunc('day', timestamptz '2001-02-16 20:38:40+00', 'Australia/Sydney'), date_trunc('hour', interval '3 days 02:47:33'), date_trunc('week', timestamp '2024-01-03');
-- types
SELECT date_trunc('quarter', timestamp '2024-05-03'), date_trunc('decade', timestamp '2024-05-03'), date_trunc('century', timestamp '2024-05-03'), date_trunc('millennium', timestamp '2024-05-03');
-- types
SELECT date_trunc('milliseconds', timestamp '2024-05-03 10:00:00.123456'), date_trunc('month', date '2024-05-17');
-- types
SELECT date_trunc('foo', timestamp '2001-02-16');
-- types
SELECT date_trunc('month', interval '14 months 3 days'), date_trunc('year', interval '14 months 3 days');
-- types
SELECT to_date('05 Dec 2000', 'DD Mon YYYY'), to_date('20240131', 'YYYYMMDD'), to_date('2024-060', 'YYYY-DDD'), to_date('31/12/99', 'DD/MM/YY'), to_date('January 5, 2024', 'FMMonth DD, YYYY');
-- types
SELECT to_date(NULL, 'YYYY'), to_date('2024', 'YYYY'), to_date('1-1-2024', 'DD-MM-YYYY');
-- types
SELECT to_timestamp('05 Dec 2000', 'DD Mon YYYY'), to_timestamp('2024-01-02 13:14:15', 'YYYY-MM-DD HH24:MI:SS'), to_timestamp('2024-01-02 01:14:15 PM', 'YYYY-MM-DD HH12:MI:SS AM');
-- types
SELECT to_timestamp('2024-01-02 13:14:15.678', 'YYYY-MM-DD HH24:MI:SS.MS'), to_timestamp('2024-01-02 13:14:15.678901', 'YYYY-MM-DD HH24:MI:SS.US'), to_timestamp(1284352323);
-- types
SELECT to_timestamp(1284352323.5), to_timestamp('2024-01-02T13:14:15', 'YYYY-MM-DD"T"HH24:MI:SS');
-- types
SELECT to_timestamp('13:00', 'HH12:MI');
-- types
SELECT to_char(timestamp '2002-04-20 17:31:12.66', 'HH12:MI:SS'), to_char(timestamp '2002-04-20 17:31:12.66', 'YYYY-MM-DD HH24:MI:SS.MS'), to_char(timestamp '2002-04-20 17:31:12.66', 'Day, DD Month YYYY');
-- types
SELECT to_char(timestamp '2002-04-20 17:31:12.66', 'FMDay, FMDD FMMonth YYYY'), to_char(timestamp '2002-04-20 17:31:12.66', 'Dy DD Mon YY AM'), to_char(timestamp '2002-04-20 17:31:12.66', 'DDth DDTH FMDDth');
-- types
SELECT to_char(timestamp '2002-04-20 17:31:12.66', 'RM rm'), to_char(timestamp '2002-04-20 07:31:12', 'a.m. P.M. pm'), to_char(timestamp '2002-04-20 17:31:12.66', '"quoted YYYY" YYYY');
-- types
SELECT to_char(date '2024-02-29', 'YYYY/MM/DD'), to_char(date '2024-02-29', 'DAY MONTH DY MON day month dy mon');
-- types
SELECT to_char(timestamp '2002-04-20', NULL), to_char(NULL::timestamp, 'YYYY');
-- types
SELECT date '2001-09-28' + 7, date '2001-09-28' + interval '1 hour', date '2001-09-28' + time '03:00', interval '1 day' + interval '1 hour', timestamp '2001-09-28 01:00' + interval '23 hours';
-- types
SELECT time '01:00' + interval '3 hours', - interval '23 hours', date '2001-10-01' - date '2001-09-28', date '2001-10-01' - 7, date '2001-09-28' - interval '1 hour';
-- types
SELECT time '05:00' - time '03:00', time '05:00' - interval '2 hours', timestamp '2001-09-28 23:00' - interval '23 hours', interval '1 day' - interval '1 hour';
-- types
SELECT timestamp '2001-09-29 03:00' - timestamp '2001-07-27 12:00';
-- types
SELECT interval '1 second' * 900, interval '1 day' * 21, 3.5 * interval '1 hour', interval '1 hour' / 1.5, interval '1 month' * 1.5, interval '1 day' / 0.5;
-- types
SELECT interval '1 hour' / 0;
-- types
SELECT date '2024-01-31' + interval '1 month', timestamp '2024-03-31' - interval '1 month', timestamp '2024-02-29' + interval '1 year', timestamptz '2024-03-10 00:00+00' + interval '1 day';
-- types
SELECT (timestamp '2000-01-01', timestamp '2000-02-01') OVERLAPS (timestamp '2000-01-15', timestamp '2000-03-01');
-- types
SELECT timestamp '2001-02-16 20:38:40' AT TIME ZONE 'America/Denver', timestamptz '2001-02-16 20:38:40-05' AT TIME ZONE 'America/Denver', timestamp '2001-02-16 20:38:40' AT TIME ZONE 'UTC';
-- types
SELECT timezone('America/New_York', timestamp '2001-02-16 20:38:40'), timestamptz '2001-02-16 20:38:40+00' AT TIME ZONE INTERVAL '-08:00';
-- types
SELECT now() AT TIME ZONE 'Nowhere';
-- types
SELECT interval '1 year 2 months 3 days 4 hours 5 minutes 6.789 seconds', interval '1-2', interval '3 4:05:06', interval 'P1Y2M3DT4H5M6S', interval '-1 day +2:03';
-- types
SELECT interval '1.5 months', interval '90 minutes', interval '0', interval '1 day ago', interval '2' day, interval '10' hour;
-- types
SELECT interval 'foo';
-- types
SELECT '2024-02-30'::date;
-- types
SELECT 'foo'::date;
-- types
SELECT '25:00:00'::time;
-- types
SELECT '2024-01-01 10:00 +05'::timestamptz, '2024-01-01'::timestamp, 'Jan 5 2024'::date, '2024.01.05'::date, '20240105'::date, '10:20 PM'::time, 'infinity'::date;
-- types
SELECT '-infinity'::timestamp, 'epoch'::timestamp;
-- types
SELECT timestamp '2024-01-01 10:00'::date, timestamp '2024-01-01 10:00'::time, date '2024-01-01'::timestamp, timestamptz '2024-01-01 10:00+00'::date, time '10:00'::interval;
-- types
SELECT interval '10 hours'::time, timestamp '2024-01-01 10:00'::timestamptz;
-- types
SELECT date '2024-01-01' < timestamp '2024-01-01 00:00:01', date '2024-01-01' = timestamp '2024-01-01', interval '1 day' = interval '24 hours', interval '1 month' > interval '30 days';
-- types
SELECT interval '1 month' = interval '30 days';
-- types
SELECT date_part('day', age(timestamp '2024-03-01', timestamp '2024-01-15')), current_date = now()::date, localtimestamp IS NOT NULL, clock_timestamp() >= now();
-- types
SELECT statement_timestamp() >= transaction_timestamp();
-- types
SELECT timestamp '2024-01-01 12:34:56.789123'::timestamp(0), timestamp '2024-01-01 12:34:56.789123'::timestamp(3), time '12:34:56.789'::time(1), current_timestamp(0) = date_trunc('second', current_timestamp(0));
-- types
SELECT to_timestamp('2024-01-02', 'YYYY-MM-DD')::date, extract(epoch from now()) > 0, date '2024-01-01' - timestamp '2023-12-31 12:00';
-- types
SELECT date '2024-01-01' + 1.5;
-- types
SELECT now() - 5;
-- types
SELECT avg(i), min(i), max(i) FROM (VALUES (interval '1 day'), (interval '3 hours')) v(i);
-- types
SELECT days.d::date FROM generate_series(date '2024-02-27', date '2024-03-01', interval '1 day') AS days(d);
SELECT date_part('hour', t), date_part('year', t), date_part('epoch', t), date_part('dow', d), date_part('day', i) FROM (VALUES (timestamptz '2001-02-16 20:38:40+00', date '2001-02-16', interval '3 days'), (NULL, NULL, NULL)) v(t, d, i) ORDER BY 1;
SELECT date_part('month', t) AS m, count(*) FROM (VALUES (timestamp '2001-02-16'), ('2002-02-01'), ('2002-03-01')) v(t) GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM (VALUES (date '2020-01-15'), ('2020-02-01'), ('2020-02-29')) v(d) WHERE date_trunc('month', d) = '2020-02-01';
SELECT count(*) FROM (VALUES (timestamp '2020-01-15'), ('2020-02-01'), ('2020-02-29 23:00')) v(t) WHERE date_trunc('month', t) > '2020-01-01' AND date_part('hour', t) = 23;
