#!/usr/bin/python3
"""Records what PostgreSQL answers for texts, casts and operators, as goldens for src/types.

    tools/record_types.py --psql "psql -h HOST -p PORT -U postgres" src/types/testdata

The server must be PostgreSQL 15 with UTF-8 and the C locale. Four files are written, one case a
line, fields separated by tabs and escaped as COPY does (\\t \\n \\\\); a line that begins with #
sets what holds for those behind it.
"""

import argparse
import os
import random
import shlex
import subprocess
import sys

INTS = ['0', '1', '-1', '+5', ' 42 ', '\t7\n', '007', '-0', '32767', '32768', '-32768', '-32769',
        '2147483647', '2147483648', '-2147483648', '-2147483649', '9223372036854775807',
        '9223372036854775808', '-9223372036854775808', '-9223372036854775809', '', ' ', 'abc',
        '1.5', '1e3', '12x', 'x12', '1 2', '--1', '+-1', '0x10', '1_000', '99999999999x', '-', '+']
FLOATS = ['0', '-0', '1', '-1', '1.5', '.5', '5.', '1e10', '1E+10', '1e-10', '123456', '1234567',
          '12345678', '0.0001', '0.00001', '0.000123456', '1e14', '1e15', '1e16', '123456789012345',
          '1234567890123456', '12345678901234567', '0.1', '0.2', '0.3', '3.14159265358979323846',
          '1e20', '1e-5', '1e37', '1e38', '1e39', '-1e39', '1e-45', '1e-46', '1e308', '1e309',
          '-1e309', '1e-307', '4.9e-324', '1e-324', 'NaN', 'nan', 'NAN', 'Infinity', '-Infinity',
          'inf', '-inf', '+inf', '+Infinity', ' 1.5 ', '', ' ', 'abc', '1.5x', '1e', '1e+', '.',
          '1..2', '- 1', '0x1p3', '16777216', '16777217', '33554432', '100000', '1000000',
          '1.17549435e-38', '2.2250738585072014e-308', '9007199254740993', 'infinite', 'naan']
NUMERICS = ['0', '-0', '1', '1.5', '-1.5', '.5', '5.', '1e5', '1E-5', '1.50', '0.005', '0.015',
            '0.025', '-0.005', '999.994', '999.995', '-999.995', '99999', '123.456', '1e2', '12e-1',
            '00012.3400', ' 12.5 ', '', ' ', 'abc', '1.2.3', '1e', '1e+', '--1', '+1', '1,5', '1 2',
            '.', '-', '1.5x', '0.1234567890', '12345678901234567890', '0.0000000001', '1e27',
            '9999999999999999999999999999', '0.5', '1.4999999', '1.5000001', '2.5', '-2.5']
BOOLS = ['t', 'f', 'true', 'false', 'TRUE', 'False', 'tr', 'fal', 'y', 'n', 'yes', 'no', 'on',
         'off', 'of', 'o', '1', '0', ' t ', '', ' ', '2', '10', 'truee', 'yess', 'onn', 'enable']
BYTEAS = ['', '\\x', '\\x00ff', '\\xDEADbeef', '\\x de ad', '\\xd', '\\xzz', '\\x0g', 'abc',
          '\\\\', '\\000\\001', 'a\\134b', '\\', '\\1', '\\400', '\\377', 'é', 'a b\tc\nd',
          '\\x1é', "it's"]
UUIDS = ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
         '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', 'a0eebc999c0b4ef8bb6d6bb9bd380a11',
         'a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11', '{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}',
         '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '',
         'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111',
         '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
         'a0eebc99--9c0b-4ef8-bb6d-6bb9bd380a11', 'a-0eebc999c0b4ef8bb6d6bb9bd380a11',
         'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11-', ' a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
         '7fffffff-ffff-ffff-ffff-ffffffffffff', '80000000-0000-0000-0000-000000000000']
STRINGS = ['', ' ', 'a', 'abc', 'abcd', 'abc ', 'abc   ', 'ab  d', '  a', 'é', 'éèê', 'éèêë',
           '日本語', '日本語x', '日本語 ', '🦆🦆🦆', '🦆🦆🦆🦆', "it's", 'a\tb', 'a\nb', 'NULL',
           'x' * 63, 'x' * 64, 'é' * 32, 'é' * 40]
DATES = ['2024-01-31', '2024-02-29', '2023-02-29', '1999-12-31', '0001-01-01', '0000-01-01',
         '9999-12-31', '10000-01-01', '5874897-12-31', '5874898-01-01', '2024-1-5', '24-01-05',
         'January 8, 1999', 'Jan 31 2024', '31 Jan 2024', 'Jan-31-2024', '31-Jan-2024',
         '2024-Jan-31', '2024 Jan 31', '99-Jan-08', '08-Jan-99', 'Jan-08-99', '31 jan', 'jan 2024',
         '1/8/1999', '1/18/1999', '18/1/1999', '01/02/03', '31/1/2024', '2024/01/31', '31.1.2024',
         '20240131', '240131', '990108', '1999.008', '1999008', 'J2451187', 'j2451545',
         'January 8, 99 BC', '44-03-15 BC', '4714-11-24 BC', '4714-11-23 BC', '2024-13-01',
         '2024-00-10', '2024-01-32', '2024-01-00', '13/13/2024', 'infinity', '-infinity', 'epoch',
         '+infinity', 'Infinity', 'INFINITY', 'inf', '', ' ', 'abc', '2024', '2024-01', '12',
         ' 2024-01-31 ', '2024-01-31 10:00:00', '2024-01-31T10:00:00', '2024-01-31 BC', 'mon',
         'Mon Jan 08 1999', 'Monday, January 8, 1999', '8 January 1999 AD', '1999-01-08 AD',
         'sept 1 2020', 'Sep-01-2020', 'foo 1 2020', '2020-foo-01', '2024-01-31x', '2024-01--31',
         '2024--01-31', '-2024-01-31', '0044-03-15', '99-12-31', '70-01-01', '69-01-01',
         '2024-02-30', '2024-04-31', '2024-12-31 24:00:00', '1999-Jan-08', '08-01-1999',
         '2024-01-31 +02', 'y2001m02d04', '2024-366', '2023-366', '2024-060', 'today x', '1 2 3 4',
         '2000-01-01 allballs', '99999999-01-01', '2024-001', '1-1-1', '12-31', '00-01-01']
TIMES = ['04:05:06.789', '04:05:06', '04:05', '040506', '0405', '04:05 AM', '04:05 PM', '12:00 AM',
         '12:00 PM', '13:00 PM', '00:00 AM', '04:05:06.789-8', '04:05:06-08:00', '04:05-08:00',
         '040506-08', '04:05:06 PST', '24:00:00', '24:00:01', '23:59:60', '23:59:61', '25:00:00',
         '12:60:00', '00:00:00', 'allballs', '04:05:06.1234567', '04:05:06.9999999', '4:5:6',
         ' 04:05:06 ', '', 'abc', '2003-04-12 04:05:06', '2003-04-12 04:05:06 America/New_York',
         '04:05:06 America/New_York', '23:59:59.999999', '1:2', '040506.789', '040506.789+08',
         '04:05:06.', '04:05.5', '4', '04', '123456789', 'T040506', 'T04:05:06', '15:00:00 zulu',
         '11:59:59.5 PM', '00:00:00.000001', '12:34:56x', ':12', '12:', '1:2:3:4', 'now x']
STAMPS = ['2024-01-31 10:20:30', '2024-01-31T10:20:30', '2024-01-31 10:20:30.5',
          '2024-01-31 10:20:30.123456', '2024-01-31 10:20:30.1234565',
          '2024-01-31 10:20:30.9999999',
          '2024-01-31 10:20:30Z', '2024-01-31T10:20:30Z', '2024-01-31 10:20:30+02',
          '2024-01-31 10:20:30-05:30', '2024-01-31 10:20:30+0530', '2024-01-31 10:20:30 +02:00:15',
          '2024-01-31 10:20:30 PST', '2024-07-31 10:20:30 PDT', '2024-01-31 10:20:30 EST5EDT',
          '2024-01-31 10:20:30 Europe/Berlin', '2024-07-01 10:20:30 Europe/Berlin',
          '2024-07-01 10:20:30 europe/berlin', '2024-01-31 10:20:30 UTC', '2024-01-31 10:20:30 GMT',
          '2024-01-31 10:20:30 CEST', '2024-01-31 10:20:30 MSK', '2024-01-31 10:20:30 Foo/Bar',
          '2024-01-31 10:20:30 XYZ', '2024-01-31 10:20:30+16', '2024-01-31 10:20:30+15:59',
          '2024-01-31 10:20:30+99', '2024-01-31', '2024-01-31 10:20', '2024-01-31 10',
          '20240131T102030', '20240131 102030', '20240131102030', '20240131T102030.5',
          '20240131T102030+02', '2024-01-31 24:00:00', '2024-01-31 24:00:01',
          '2024-01-31 23:59:60', '2024-01-31 25:00:00', '2024-01-31 10:60:00',
          'Jan 31 10:20:30 2024', 'Wed Jan 31 10:20:30 2024', 'Wed Jan 31 10:20:30 2024 PST',
          'Wed Jan 31 10:20:30.5 2024 America/New_York', '31 Jan 2024 10:20:30',
          'January 31, 2024 10:20 PM', '1/31/2024 10:20:30', '31/1/2024 10:20:30',
          '31.01.2024 10:20:30', '1999-01-08 04:05:06 -8:00', '10:20:30 2024-01-31',
          '04:05:06 Jan 8 1999', '1999-01-08 04:05:06 BC', '0044-03-15 12:00:00 BC', 'infinity',
          '-infinity', 'epoch', '1970-01-01 00:00:00', '1969-12-31 23:59:59.999999',
          '1900-01-01 00:00:00', '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999',
          '12345-06-07 08:09:10', '294200-01-01', '4714-11-24 00:00:00 BC',
          '4714-11-23 23:59:59 BC', '', ' ', 'abc', '2024-02-30 10:00:00', '2024-13-01 10:00:00',
          '2024-01-31 10:20:30 10:20:30', '2024-01-31 2024-01-31', '2024-01-31 10:20:30 AM',
          '2024-01-31 13:00 PM', '2024-01-31 12:00 AM', 'J2451187 04:05:06', 'J2451187.5',
          '1999.008 04:05:06', '2024-03-31 02:30:00', '2024-10-27 02:30:00', '2024-03-10 02:30:00',
          '2024-11-03 01:30:00', '2050-07-01 12:00:00', '2050-01-01 12:00:00', '1883-11-18 12:00',
          '1910-06-01 00:00:00', '2024-01-31 10:20:30 MET DST', '2024-01-31 10:20:30 Z',
          '2024-01-31 10:20:30 zulu', '2024-01-31t10:20:30z', '2024-01-31  10:20:30',
          ' 2024-01-31 10:20:30 ', '2024-01-31 10:20:30.', '2024-01-31 10:20:30,5',
          '2024-01-31 10-20-30', '2024-01-31 1:2:3', '2024-01-31 10:20:30 @', '1999-W01-1',
          '2024-01-31 10:20:30 <+02>-2', 'tomorrow x', '2024-01-31 10:20:30 America',
          '2024-01-31 10:20:30 Japan', '2024-01-31 10:20:30+02 PST', '20240131 10:20:30 PST8PDT',
          '2024-01-31 10:20:30.5 +00:00', 'Thu Jan 01 00:00:00 1970 GMT', 'on 2024-01-31 at 10:20']
INTERVALS = ['1 year 2 mons -3 days 04:05:06.7', '1 year', '1 years 2 months', '1-2', '-1-2',
             '1-2 3 4:05:06', '3 4:05:06', '3 04:05', '1 day', '1 day 2 hours', '1.5 days',
             '1.5 months', '1.5 years', '1.5 weeks', '0.5 hours', '1.25 minutes', '1 week',
             '1 fortnight', '@ 1 hour ago', '1 hour ago', '1 day -1 hours', '-1 day +1 hour',
             '-1 day', '+1 day', '- 1 day', '1', '1.5', '-1.5', '10:20', '10:20:30', '-10:20:30',
             '10:20.5', '1:2:3.4', '100:00:00', 'P1Y2M3DT4H5M6S', 'P1Y2M', 'PT1H', 'P1W', 'P1.5D',
             'PT1.5S', 'PT-1S', 'P-1Y', 'P0001-02-03T04:05:06', 'P00010203T040506', 'P1Y-2M',
             'PT', 'P', 'P1', 'P1S', 'PT1Y', 'P1YT', '1 century', '1 decade', '1 millennium',
             '2 c', '3 dec', '1 mil', '5 us', '5 ms', '5 microseconds', '5 milliseconds',
             '1.5 microseconds', '1 s', '1 sec', '1 m', '1 min', '1 h', '1 hr', '1 d', '1 w',
             '1 mon', '1 y', '1 yr', '1year 2months', '1y2m3d', '1 day 1 day', '1 year 1 year',
             '1 day 10:20 5 seconds', '', ' ', 'abc', '1 foo', '2147483647 months',
             '2147483648 months', '178956970 years 7 months', '178956970 years 8 months',
             '-178956970 years -8 months', '2147483647 days', '2147483648 days',
             '2562047788 hours', '9999999999 hours', '1 month 30 days', '12 months', '36 months',
             '0', '00:00:00', '-0:00:01', '1 day 24:00:00', '1 quarter', 'infinity', '1 sec ago',
             '1 year ago 2 days', '0.1 year', '0.01 year', '0.33 month', '1.1 days', '0.000001 s',
             '0.0000001 s', '1e3 seconds', '3 days ago 2 hours', '-1 year -2 months +3 days',
             '1 mon -1 day', '1 day 2:03', '-1 day -2:03', '1 year -1 month', 'P1Y2M3W4DT5H6M7.8S',
             '1 days 1.5 hours', '25:61:00', '10:20:61', '1 mons 2 days', '1 day, 2 hours',
             'day 1', '1 2', '1 2 3', '-23 hours 45 min 12.34 sec', '4 hours -5 minutes',
             '1.5 decades', '1.7 centuries', '+10:20', '-10:20 ago', 'P1Y1D', 'p1y', 'PT36H',
             'P-1Y-2M3DT-4H-5M-6S', '1 day 23:59:59.9999999', '5 hours 61 minutes']
INTERVAL_TYPES = ['interval', 'interval(0)', 'interval(3)', 'interval year', 'interval month',
                  'interval day', 'interval hour', 'interval minute', 'interval second',
                  'interval year to month', 'interval day to hour', 'interval day to minute',
                  'interval day to second', 'interval hour to minute', 'interval hour to second',
                  'interval minute to second', 'interval second(2)']
JSONS = ['{}', '[]', 'null', 'true', 'false', '1', '-1', '"a"', '""', '{"a":1}', '{"b":1,"a":2}',
         '{"aa":1,"b":2}', '{"a":1,"a":2}', '{"b":1,"a":2,"b":3}', '[1,2,3]', ' [ 1 , 2 ] ',
         '{"a":{"b":[1,{"c":null}]}}', '1.0', '1.50', '1e2', '1.5e3', '1.5e-3', '-0', '-0.0', '0e5',
         '0.0e5', '1E+2', '123456789012345678901234567890', '0.1e1', '12.34e1', '"\\u00e9"',
         '"\\ud83e\\udd86"', '"\\u0000"', '"\\ud83e"', '"\\udd86"', '"\\ud83e\\ud83e"',
         '"\\ud83ex"', '"\\n\\t\\"\\\\\\/\\b\\f\\r"', '"\\x"', '"\\u12"', '"\\u12g4"', '"é"',
         '"tab\there"', '"\\u001f"', '"\\u007f"', '', ' ', 'abc', 'tru', '{', '[', '{"a"', '{"a":',
         '{"a":1', '{"a":1,', '{"a":1,}', '{,}', '[1', '[1,', '[1,]', '[,1]', '{1:2}', '{"a" 1}',
         '{"a":1 "b":2}', '[1 2]', '1 2', '01', '1.', '.5', '-', '+1', '1e', '1e+', '0x1', '"abc',
         "'a'", '{"a":1}}', '[]]', 'nul', 'NULL', 'True', '[1,2', '{"":1}', '{"a b":"c d"}',
         '[[[[]]]]', '[{},{}]', '{"a":[],"b":{}}', '1.5.2', '@', '{"a":@}', '[tru]', '"a" "b"',
         '{"c":1,"bb":2,"aaa":3,"b":4}', '[1.10, 1.1, 1]', '{"é":1,"z":2}', '\n[\n1\n]\n',
         '[1e3, 1e-3, 1.0e-10]', '100000000000000000000', '1e20', '"\\\\u0041"', '"\\u0041"']
ARRAYS = {
    'integer[]': ['{}', '{1}', '{1,2,3}', '{1,NULL,3}', '{null}', '{NULL,NULL}', ' { 1 , 2 } ',
                  '{1,}', '{,1}', '{1,,2}', '{1', '1}', '', 'abc', '{1}x', '{"1","2"}', '{a}',
                  '{2147483648}', '{1 2}', '{"NULL"}', '{}{}', '{1,2}}', '{ }', '{"1"x}', '{x"1"}'],
    'text[]': ['{}', '{a}', '{a,b}', '{"a b",c}', '{a b}', '{"a,b"}', '{NULL,"NULL",null}',
               '{"a\\"b"}', '{a\\"b}', '{"a\\\\b"}', '{a\\\\b}', '{""}', '{"",a}', '{ a , b }',
               '{" a "}', '{é,日本}', '{"{}"}', '{\\{}', '{"a"', '{a"b}', '{"a"b}', '{a\\ }',
               '{nUlL}', '{"\t"}', '{a\\,b}', '{nullx}', '{NULL }', '{\\NULL}'],
    'boolean[]': ['{t,f,NULL}', '{true,x}'],
    'double precision[]': ['{1.5,NaN,Infinity}', '{1e400}'],
    'numeric(5,2)[]': ['{1.5,2.255,NULL}', '{1000}'],
    'date[]': ['{2024-01-31,infinity}', '{2024-13-01}'],
    'timestamp[]': ['{"2024-01-31 10:20:30",NULL}', '{2024-01-31}'],
    'uuid[]': ['{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'],
    'jsonb[]': ['{"{\\"b\\":1,\\"a\\":2}",NULL}', '{1,true}', '{x}'],
    'bytea[]': ['{"\\\\x01ff",NULL}', '{abc}'],
    'interval[]': ['{"1 day",02:03:04}'],
    'varchar(3)[]': ['{abc,"ab "}', '{abcd}', '{"abc  "}'],
    'character(3)[]': ['{a,abc}', '{abcd}'],
    'bigint[]': ['{9223372036854775807,-1}'],
    'smallint[]': ['{1,32768}', '{-5}'],
    'real[]': ['{1.5,0.1}'],
    'time[]': ['{04:05:06,12:00}'],
    'timestamptz[]': ['{"2024-01-31 10:20:30+02"}'],
    'json[]': ['{"{\\"b\\":1}"}'],
    'oid[]': ['{1,4294967295}'],
}


def random_cases(rng):
    """More of each kind from a seed, within what OmenDB's types hold."""
    cases = []
    for _ in range(400):
        mantissa = rng.choice([rng.uniform(-10, 10), rng.uniform(-1e6, 1e6), rng.random()])
        text = repr(mantissa * 10.0 ** rng.randint(-30, 30))
        cases += [('double precision', text), ('real', text)]
    for _ in range(300):
        digits = rng.randint(1, 24)
        scale = rng.randint(0, 9)
        number = rng.choice(['', '-']) + str(rng.randrange(10 ** digits))
        fraction = '.' + str(rng.randrange(10 ** scale)) if scale else ''
        cases.append(('numeric', number + fraction))
        cases.append(('numeric(12,3)', f'{rng.uniform(-1e9, 1e9):.6f}'))
        cases.append(('numeric(38,18)', f'{rng.uniform(-1e9, 1e9):.9f}'))
    for _ in range(400):
        year = rng.choice([rng.randint(1, 9999), rng.randint(1800, 2100)])
        date = f'{year:04}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}'
        clock = f'{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}'
        if rng.random() < 0.5:
            clock += f'.{rng.randint(0, 999999):06}'
        cases += [('date', date), ('timestamp', f'{date} {clock}'),
                  ('timestamptz', f'{date} {clock}'),
                  ('timestamptz', f'{date} {clock}{rng.randint(-12, 12):+03}'),
                  ('time', clock), ('timestamp(3)', f'{date} {clock}'),
                  ('timestamptz', f'{date} {clock} '
                   + rng.choice(['Europe/Berlin', 'America/New_York', 'Asia/Kolkata',
                                 'Australia/Lord_Howe', 'UTC', 'PST']))]
    units = ['years', 'months', 'weeks', 'days', 'hours', 'minutes', 'seconds']
    for _ in range(400):
        parts = [f'{rng.randint(-50, 50)}{rng.choice(["", "", ".5", ".25", ".7"])} {unit}'
                 for unit in rng.sample(units, rng.randint(1, 4))]
        cases.append(('interval', ' '.join(parts)))
    return cases


def text_groups():
    base = [('smallint', INTS), ('integer', INTS), ('bigint', INTS), ('oid', INTS),
            ('real', FLOATS), ('double precision', FLOATS), ('numeric', NUMERICS),
            ('numeric(5,2)', NUMERICS), ('numeric(3,3)', NUMERICS), ('numeric(4,0)', NUMERICS),
            ('numeric(18,6)', NUMERICS), ('numeric(38,0)', NUMERICS), ('boolean', BOOLS),
            ('bytea', BYTEAS), ('uuid', UUIDS), ('text', STRINGS), ('varchar', STRINGS),
            ('varchar(3)', STRINGS), ('character(3)', STRINGS), ('character(1)', STRINGS),
            ('name', STRINGS), ('date', DATES), ('time', TIMES), ('time(0)', TIMES),
            ('time(3)', TIMES), ('timestamp', STAMPS), ('timestamp(0)', STAMPS),
            ('timestamp(3)', STAMPS), ('timestamptz', STAMPS), ('timestamptz(0)', STAMPS),
            ('json', JSONS), ('jsonb', JSONS)]
    base += [(t, INTERVALS) for t in INTERVAL_TYPES] + list(ARRAYS.items())
    plain = [(t, text) for t, texts in base for text in texts]
    utc = {'timezone': 'UTC', 'datestyle': 'ISO, MDY', 'intervalstyle': 'postgres',
           'extra_float_digits': '1', 'bytea_output': 'hex'}
    groups = [(utc, plain + random_cases(random.Random(15)))]
    stamps = [(t, s) for t in ('timestamp', 'timestamptz') for s in STAMPS]
    days = stamps + [('date', s) for s in DATES]
    for zone in ('Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Sydney',
                 'America/St_Johns', '-7', 'Pacific/Apia'):
        groups.append(({'timezone': zone}, stamps))
    for style in ('ISO, DMY', 'ISO, YMD', 'SQL, MDY', 'SQL, DMY', 'Postgres, MDY', 'Postgres, DMY',
                  'German, DMY'):
        groups.append(({'datestyle': style, 'timezone': 'America/New_York'}, days))
    intervals = [('interval', s) for s in INTERVALS]
    for style in ('postgres_verbose', 'sql_standard', 'iso_8601'):
        groups.append(({'intervalstyle': style}, intervals))
    floats = [(t, s) for t in ('real', 'double precision') for s in FLOATS]
    for digits in ('0', '-3', '3', '-15'):
        groups.append(({'extra_float_digits': digits}, floats))
    groups.append(({'bytea_output': 'escape'}, [('bytea', s) for s in BYTEAS]))
    return [({**utc, **settings}, cases) for settings, cases in groups]


VALUES = {
    'smallint': ['0', '1', '-7', '32767', '-32768'],
    'integer': ['0', '1', '-7', '100000', '2147483647', '-2147483648'],
    'bigint': ['0', '3', '-7', '3000000000', '9223372036854775807', '-9223372036854775808'],
    'numeric(10,2)': ['0', '1.50', '-2.25', '99999999.99', '0.5', '2.5', '-2.5'],
    'numeric(6,4)': ['0', '0.3333', '-12.5000', '3.0000'],
    'numeric(38,0)': ['0', '7', '99999999999999999999999999999999999999'],
    'real': ['0', '1.5', '-0.1', '3e38', 'NaN', 'Infinity', '2.5', '16777216'],
    'double precision': ['0', '1.5', '-0.1', '1e308', '1e-308', 'NaN', '-Infinity', '2.5', '3.5',
                         '1e10', '0.5', '-0.5', '1234.56789'],
    'date': ['2024-01-31', '1999-12-31', 'infinity', '0001-01-01', '2024-03-31'],
    'timestamp': ['2024-01-31 10:20:30', '1999-12-31 23:59:59.5', 'infinity',
                  '2024-03-30 02:30:00'],
    'timestamptz': ['2024-01-31 10:20:30+00', '2024-03-30 02:30:00+01', '-infinity'],
    'time': ['10:20:30', '00:00:00', '23:59:59.999999'],
    'interval': ['1 day', '1 mon', '-3 days 04:05:06', '1 year 2 mons', '36:00:00', '0', '30 days'],
    'boolean': ['t', 'f'],
    'text': ['', 'abc', '42', ' 1.5 ', 't', '2024-01-31', '1 day', '{1,2}', '{"a": 1}'],
    'varchar(5)': ['abcde', '12', 'a  '],
    'character(5)': ['ab', '12', 'abcde'],
    'name': ['abc'],
    'bytea': ['\\x6162', '\\x'],
    'uuid': ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    'json': ['{"b":1, "a":2}', '1', 'true'],
    'jsonb': ['{"b":1, "a":2}', '1.5', 'true', '"x"', 'null', '[1]', '40000'],
    'oid': ['0', '4294967295'],
    'integer[]': ['{}', '{1,2,NULL}', '{70000}'],
    'text[]': ['{a,NULL,5}', '{1,2}'],
}
TARGETS = list(VALUES) + ['varchar(2)', 'character(2)', 'numeric(3,1)', 'timestamp(0)', 'time(0)',
                          'smallint[]', 'bigint[]', 'varchar', 'interval hour']


def cast_cases():
    return [(f, text, to, context) for f, texts in VALUES.items() for text in texts
            for to in TARGETS for context in ('explicit', 'assignment')]


def operator_cases():
    cases = []
    for left, left_values in VALUES.items():
        for right, right_values in VALUES.items():
            for op in '+-*/%':
                cases += [(left, a, op, right, b) for a in left_values for b in right_values]
    numbers = {'smallint', 'integer', 'bigint', 'numeric(10,2)', 'numeric(6,4)', 'real',
               'double precision'}
    dates = {'date', 'timestamp', 'timestamptz', 'interval', 'integer', 'time'}
    return [c for c in cases if (c[0] in numbers and c[3] in numbers)
            or (c[0] in dates and c[3] in dates and c[2] in '+-')
            or (c[2] in '*/' and 'interval' in (c[0], c[3]) and {c[0], c[3]} & {
                'integer', 'double precision', 'interval'} and c[0] + c[3] != 'intervalinterval')]


def order_cases():
    lists = {'interval': INTERVALS, 'jsonb': JSONS, 'double precision': FLOATS, 'numeric': NUMERICS,
             'text': STRINGS, 'character(3)': STRINGS, 'integer[]': ARRAYS['integer[]'],
             'text[]': ARRAYS['text[]'], 'uuid': UUIDS, 'bytea': BYTEAS, 'date': DATES,
             'timestamp': STAMPS, 'boolean': BOOLS, 'real': FLOATS, 'time': TIMES, 'bigint': INTS,
             'oid': INTS, 'numeric(5,2)': NUMERICS}
    return lists


PRELUDE = r"""
set client_min_messages = error;
set client_encoding = 'UTF8';
create or replace function pg_temp.sender(t regtype) returns text language sql as
  $$select typsend::text from pg_type where oid = t$$;
create or replace function pg_temp.probe(t text, input text) returns text[] language plpgsql as $$
declare answer text; bytes text; st text; msg text; det text; fn text;
begin
  execute format('create temp table probe_table (c %s)', t);
  execute 'select typsend from pg_attribute a join pg_type t on t.oid = atttypid '
    || 'where attrelid = ''probe_table''::regclass and attname = ''c''' into fn;
  execute format('insert into probe_table values (%L)', input);
  -- A record's output function is the type's own, which a cast to text is not (boolean, char(n)).
  execute format('select format(''%%s'', c), encode(%s(c), ''hex'') from probe_table', fn)
    into answer, bytes;
  drop table probe_table;
  return array['ok', answer, bytes];
exception when others then
  get stacked diagnostics st = returned_sqlstate, msg = message_text, det = pg_exception_detail;
  return array['error', st, msg, det];
end $$;
create or replace function pg_temp.eval(expression text) returns text[] language plpgsql as $$
declare answer text; type text; st text; msg text;
begin
  execute format('select format(''%%s'', x), pg_typeof(x) from (select %s as x) s', expression)
    into answer, type;
  return array['ok', type, answer];
exception when others then
  get stacked diagnostics st = returned_sqlstate, msg = message_text;
  return array['error', st, msg];
end $$;
create or replace function pg_temp.assign(f text, input text, t text) returns text[]
language plpgsql as $$
declare answer text; st text; msg text;
begin
  execute format('create temp table probe_table (c %s)', t);
  execute format('insert into probe_table select %L::%s', input, f);
  select format('%s', c) into answer from probe_table;
  drop table probe_table;
  return array['ok', t, answer];
exception when others then
  get stacked diagnostics st = returned_sqlstate, msg = message_text;
  return array['error', st, msg];
end $$;
create or replace function pg_temp.valid(t text, input text) returns bool language plpgsql as $$
begin execute format('select %L::%s', input, t); return true;
exception when others then return false; end $$;
"""


def quote(text):
    return "E'" + text.replace('\\', '\\\\').replace("'", "\\'") + "'"


def escape(text):
    return text.replace('\\', '\\\\').replace('\t', '\\t').replace('\n', '\\n')


def emit(sql, fields, call):
    """One case: its own fields, then what the function answers, as a COPY line."""
    columns = [f'{quote(f)}::text' for f in fields] + [f'{call}']
    names = ', '.join(f'f{i}' for i in range(len(fields)))
    sql.append(f'copy (select {names}, r[1], r[2], r[3], r[4] from (select '
               + ', '.join(f'{c} as f{i}' for i, c in enumerate(columns[:-1]))
               + f', {columns[-1]} as r) s) to stdout;')


def header(sql, text):
    sql.append(f'\\echo {quote_echo(text)}')


def quote_echo(text):
    return "'" + text.replace("'", "''") + "'"


def run(psql, sql):
    script = PRELUDE + '\n'.join(sql)
    done = subprocess.run(shlex.split(psql) + ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1'],
                          input=script.encode(), stdout=subprocess.PIPE, check=True)
    return done.stdout


def record_text():
    sql = []
    for settings, cases in text_groups():
        for name, value in settings.items():
            zone = name == 'timezone' and value.lstrip('-').isdigit()
            sql.append(f'set {name} = {value if zone else quote(value)};')
            header(sql, f'#{name}\t{value}')
        for t, text in cases:
            emit(sql, [t, text], f'pg_temp.probe({quote(t)}, {quote(text)})')
    return sql


def record_casts():
    sql = ["set timezone = 'Europe/Berlin';"]
    for f, text, to, context in cast_cases():
        literal = f'{quote(text)}::{f}'
        call = (f'pg_temp.eval({quote(f"({literal})::{to}")})' if context == 'explicit'
                else f'pg_temp.assign({quote(f)}, {quote(text)}, {quote(to)})')
        emit(sql, [f, text, to, context], call)
    return sql


def record_operators():
    sql = ["set timezone = 'Europe/Berlin';"]
    for left, a, op, right, b in operator_cases():
        expression = f'{quote(a)}::{left} {op} {quote(b)}::{right}'
        emit(sql, [left, a, op, right, b], f'pg_temp.eval({quote(expression)})')
    return sql


def record_order():
    """Each type's valid values in order, with a rank that equal values share."""
    sql = []
    for t, texts in order_cases().items():
        values = ', '.join(f'({quote(text)})' for text in texts)
        sql.append(f'copy (select {quote(t)}::text, v, dense_rank() over (order by x) from '
                   f'(select v, v::{t} as x from (values {values}) as s(v) '
                   f'where case when pg_temp.valid({quote(t)}, v) then true else false end '
                   f'offset 0) q order by 3, 2) to stdout;')
    return sql


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--psql', default='psql')
    parser.add_argument('folder')
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    for name, record in (('text', record_text), ('casts', record_casts),
                         ('operators', record_operators), ('order', record_order)):
        path = os.path.join(options.folder, name + '.golden')
        answer = run(options.psql, record())
        with open(path, 'wb') as file:
            file.write(answer)
        print(path, answer.count(b'\n'), file=sys.stderr)


if __name__ == '__main__':
    main()
