-- Numbers: functions, overflow, to_char, generate_series.

-- types
SELECT abs(-5), abs(-5.5), @ -5, ceil(4.2), ceil(-4.2), ceiling(4.2::float8), floor(4.7), floor(-4.7), floor(4.7::float8);
SELECT abs(NULL);
-- types
SELECT round(4.5), round(5.5), round(-4.5), round(4.5::float8), round(5.5::float8), round(42.4382, 2), round(1234.567, -2), round(2.5::numeric), round(0.5), trunc(4.8);
-- types
SELECT trunc(-4.8), trunc(42.4382, 2), trunc(1234.5, -2), trunc(4.8::float8);
SELECT round(12345, -2);
-- types
SELECT sign(0), sign(5), sign(-2::float8), sqrt(2), sqrt(4), cbrt(27), |/ 25, ||/ 27;
SELECT sign(-8.4);
-- types
SELECT sqrt(-1);
-- types
SELECT ln(-1);
-- types
SELECT ln(0);
-- types
SELECT log(0);
-- types
SELECT exp(1), ln(2), log(100), log10(1000);
SELECT ln(2.0);
-- types
SELECT power(2, 10), 2 ^ 10, power(0, 0), power(2, -1);
-- types
SELECT power(0, -1);
-- types
SELECT power(-1, 0.5);
-- types
SELECT power(10.0::float8, 400);
-- types
SELECT exp(1000::float8);
-- types
SELECT mod(9, 4), mod(-9, 4), mod(9.5, 4), 9 % 4, -9 % 4, 9.5 % 4, mod(5, -3);
-- types
SELECT mod(1, 0);
-- types
SELECT 1 / 0;
-- types
SELECT 1.0 / 0;
-- types
SELECT 1::float8 / 0;
-- types
SELECT 5 / 2, -5 / 2, 5 / 2.0, 5 / 2::float8;
-- types
SELECT gcd(1071, 462), gcd(0, 0), gcd(-12, 8), lcm(1071, 462), lcm(0, 5), factorial(5), factorial(0), factorial(20);
-- types
SELECT factorial(-1);
-- types
SELECT degrees(0.5), radians(45.0), pi(), sin(1), cos(1), tan(1), asin(0.5), acos(0.5), atan(1), atan2(1, 2), cot(1), sinh(1), cosh(1), tanh(1), asinh(1), acosh(2);
-- types
SELECT atanh(0.5);
-- types
SELECT sind(30), cosd(60), tand(45), asind(0.5), acosd(0.5), atand(1), atan2d(1, 1), cotd(45);
-- types
SELECT acos(2);
-- types
SELECT asin(-2);
-- types
SELECT width_bucket(5.35, 0.024, 10.06, 5), width_bucket(5.35::float8, 0.024, 10.06, 5), width_bucket(-1, 0, 10, 5), width_bucket(11, 0, 10, 5), width_bucket(5, 10, 0, 5);
-- types
SELECT width_bucket(3, ARRAY[1,3,5]), width_bucket(0, ARRAY[1,3,5]);
-- types
SELECT width_bucket(5, 0, 0, 5);
-- types
SELECT width_bucket(5, 0, 10, 0);
-- types
SELECT 2147483647 + 1;
-- types
SELECT 9223372036854775807 + 1;
-- types
SELECT (-2147483648)::int4 / -1;
-- types
SELECT 32767::int2 + 1::int2;
-- types
SELECT abs((-2147483648)::int4);
-- types
SELECT 1000000 * 1000000;
-- types
SELECT 99999999999999999999 + 1, 12345678901234567890.123456789 * 2;
-- types
SELECT 5 & 3, 5 | 3, 5 # 3, ~5, 1 << 4, 16 >> 2, 5::bigint & 3, ~5::bigint;
-- types
SELECT 'NaN'::float8, 'Infinity'::float8, '-Infinity'::float8, 'NaN'::float8 = 'NaN'::float8, 'NaN'::float8 > 1, 'Infinity'::float8 - 'Infinity'::float8;
-- types
SELECT random() BETWEEN 0 AND 1, random() <> random();
-- types
SELECT 1.5::int, 2.5::int, (-1.5)::int, 2.5::float8::int, 3.5::float8::int, '12'::int, ' 12 '::int, 1e3::int, true::int, 0::boolean, 5::boolean;
-- types
SELECT '1e3'::int;
-- types
SELECT 'abc'::int;
-- types
SELECT ''::int;
-- types
SELECT '99999999999'::int;
-- types
SELECT 1e20::bigint;
-- types
SELECT 3000000000::int;
-- types
SELECT 'NaN'::float8::int;
-- types
SELECT 1.0::text, 1.10::numeric(10,1), 1.15::numeric(10,1), 1e-5::float8, 1e15::float8, 1e16::float8, 123456789.123456789::float8, 0.1::float4, 1.0::float8, 100::float4;
-- types
SELECT 1e-7::numeric, 3.14159::float4::float8;
-- types
SELECT 123.456::numeric(5,2), 99.995::numeric(5,2);
-- types
SELECT to_char(125, '999'), to_char(-125, '999'), to_char(125.8, '999D9'), to_char(125.8::real, '999D9'), to_char(-125.8, '999D99S'), to_char(0.1, '0.9'), to_char(0.1, '9.9');
-- types
SELECT to_char(-0.1, 'FM9.99'), to_char(12, '9990999.9'), to_char(485, '999'), to_char(1485, '9,999'), to_char(1485, '9G999'), to_char(148.5, '999.999'), to_char(148.5, 'FM999.999');
-- types
SELECT to_char(148.5, '999D999'), to_char(3148.5, '9G999D999'), to_char(-485, '999S'), to_char(-485, '999MI'), to_char(485, '999MI'), to_char(485, 'FM999MI');
-- types
SELECT to_char(485, 'SG999'), to_char(-485, 'SG999'), to_char(-485, '999PR'), to_char(485, 'L999');
-- types
SELECT to_char(1234567, '999,999'), to_char(0, '999'), to_char(0, '000'), to_char(0, 'FM999'), to_char(1.5, '9'), to_char(2.5, '9'), to_char(NULL::int, '9');
-- types
SELECT to_char(1234567.891, 'FM999,999,999.00'), to_char(0.5, 'FM990.00'), to_char(5, '00000'), to_char(-5, '00000'), to_char(5, 'FM00000'), to_char(123456789012, '999,999,999,999');
-- types
SELECT to_char(99.999, '99.99'), to_char(1, '9 9'), to_char(12, 'S99'), to_char(12, 'FMS99'), to_char(12.5::float8, '99.9'), to_char(1e20::float8, '9');
-- types
SELECT 7 BETWEEN SYMMETRIC 10 AND 1 FROM NULL, NULL IS NOT DISTINCT FROM NULL, 1 <> 2, 1 != 1, NOT NULL::boolean, true AND NULL, false AND NULL, true OR NULL;
-- types
SELECT 1 IS DISTINCT FROM NULL, NULL IS NOT DISTINCT FROM NULL, 1 <> 2, 1 != 1, NOT NULL::boolean, true AND NULL, false AND NULL, true OR NULL;
SELECT * FROM generate_series(1, 10, 3) AS g;
SELECT * FROM generate_series(5, 1, -2) AS g;
SELECT * FROM generate_series(1, 0) AS g;
SELECT * FROM generate_series(NULL, 5) AS g;
-- types
SELECT 'x';
SELECT generate_series(1, 3);
SELECT generate_series(1, 3) AS a, generate_series(1, 2) AS b;
-- types
SELECT * FROM generate_series('2024-01-01'::timestamp, '2024-01-03'::timestamp, '1 day') AS g;
-- types
SELECT * FROM generate_series('2024-01-01'::date, '2024-01-03'::date, '1 day') AS g;
-- types
SELECT * FROM generate_series('2024-01-31'::timestamp, '2024-05-31', '1 month') AS g;
-- types
SELECT * FROM generate_series('2024-01-03'::timestamp, '2024-01-01'::timestamp, '-1 day') AS g;
-- types
SELECT * FROM generate_series(9223372036854775806, 9223372036854775807) AS g;
-- types
SELECT o FROM generate_series(10, 12) WITH ORDINALITY AS t(g, o);
SELECT g FROM generate_series(10, 12) WITH ORDINALITY AS t(g, o);
-- types
SELECT count(*) FROM generate_series(1, 1000);
-- types
SELECT 10 = ANY (ARRAY[1, 10]), 10 <> ALL (ARRAY[1, 2]), 1 = ANY (ARRAY[2, NULL]), 1 > ALL (ARRAY[]::int[]), 5 > SOME (ARRAY[9, 3]);
-- types
SELECT bit_count('\x1234567890'::bytea);
-- types
SELECT 5!;
-- types
SELECT isfinite(date '2024-01-01'), isfinite('infinity'::timestamp);
