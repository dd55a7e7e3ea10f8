-- Strings, bytes, regular expressions, conditionals, and the errors of calls that do not resolve.

-- types
SELECT to_hex(255), to_hex(0), to_hex(-1), to_hex(2147483648), to_hex(NULL::int);
-- types
SELECT ascii('A'), ascii(''), ascii('é'), ascii('日'), chr(65), chr(233), chr(26085);
-- types
SELECT chr(0);
-- types
SELECT chr(-1);
-- types
SELECT chr(1114112);
-- types
SELECT btrim('  x  '), btrim('xyxtrimyyx', 'xyz'), ltrim('zzzytest', 'xyz'), rtrim('testxxzx', 'xyz');
-- types
SELECT trim('  a b  '), trim(both from '  a '), trim(leading 'x' from 'xxa'), trim(trailing 'x' from 'axx'), trim(both 'xy' from 'xyaxy');
-- types
SELECT btrim(NULL), ltrim('', 'x');
SELECT btrim('abc', NULL);
-- types
SELECT lpad('hi', 5), lpad('hi', 5, 'xy'), lpad('hello', 2), lpad('hi', 0), lpad('hi', -3), lpad('hi', 5, ''), lpad(NULL, 5);
-- types
SELECT rpad('hi', 5) || '|', rpad('hi', 5, 'xy'), rpad('hello', 2), rpad('hi', 5, '');
-- types
SELECT split_part('a,b,c', ',', 1), split_part('a,b,c', ',', 4), split_part('a,b,c', ',', -1), split_part('a,b,c', ',', -4), split_part('a,b,c', '', 1), split_part('a,b,c', '', 2);
-- types
SELECT split_part('', ',', 1);
-- types
SELECT split_part('a,b,c', ',', 0);
-- types
SELECT string_to_array('a,b,c', ','), string_to_array('a,b,c', NULL), string_to_array('abc', ''), string_to_array('', ','), string_to_array(NULL, ','), string_to_array('a,,c', ',', '');
-- types
SELECT string_to_array('xx~^~yy~^~zz', '~^~', 'yy');
-- types
SELECT array_to_string(ARRAY[1,2,NULL,4], ','), array_to_string(ARRAY[1,2,NULL,4], ',', '*'), array_to_string(ARRAY[]::int[], ','), array_to_string(NULL::int[], ',');
-- types
SELECT array_to_string(ARRAY['a','b'], NULL);
-- types
SELECT overlay('Txxxxas' placing 'hom' from 2 for 4), overlay('abcdef' placing 'XX' from 3), overlay('abcdef', 'XX', 2, 3), overlay('abc' placing 'X' from 10);
SELECT overlay('abc' placing NULL from 1);
-- types
SELECT overlay('abc' placing 'X' from 0);
-- types
SELECT position('b' in 'abc'), position('' in 'abc'), position('z' in 'abc'), strpos('high', 'ig'), position(NULL in 'abc');
-- types
SELECT translate('12345', '143', 'ax'), translate('abc', '', 'x'), translate('abc', 'abc', ''), translate('éa', 'é', 'e');
-- types
SELECT repeat('Pg', 4), repeat('a', 0), repeat('a', -1), reverse('abcé'), left('abcde', 2), left('abcde', -2), right('abcde', 2), right('abcde', -2), left('abc', 10);
-- types
SELECT left('abc', -10);
-- types
SELECT length('jose'), length('é'), char_length('é'), character_length('é'), octet_length('é'), bit_length('é'), length(''), length(NULL);
-- types
SELECT lower('ABCÉ'), upper('abcé'), initcap('hi THOMAS o''neil'), initcap('');
-- types
SELECT substring('Thomas' from 2 for 3), substring('Thomas' from 3), substring('Thomas' for 2), substring('Thomas', 2, 3), substr('alphabet', 3), substr('alphabet', 3, 2);
-- types
SELECT substr('abc', 0, 2), substr('abc', -1, 3), substr('abc', 2, 0);
-- types
SELECT substring('Thomas' from '...$'), substring('Thomas' from 'x'), substring('foobar' from 'o(.)b'), substring('foobar' from 'o.b');
-- types
SELECT substring('abc' from 2 for -1);
-- types
SELECT substr('abc', 2, -1);
-- types
SELECT quote_ident('Foo bar'), quote_ident('abc'), quote_ident('select'), quote_ident('a"b'), quote_ident(''), quote_ident('1a'), quote_ident('user'), quote_ident('abc$d');
-- types
SELECT quote_literal('O''Reilly'), quote_literal(42.5), quote_literal('a\b'), quote_literal(NULL), quote_nullable(NULL), quote_nullable('x'), quote_nullable(5);
-- types
SELECT format('Hello %s, %1$s', 'World'), format('%s %s %s', 1, 2.5, NULL), format('%I.%I', 'Foo', 'bar'), format('%L', 'it''s'), format('%L', NULL), format('|%10s|', 'foo');
-- types
SELECT format('|%-10s|', 'foo'), format('%%'), format('%2$s %1$s', 'a', 'b');
-- types
SELECT format('|%*s|', 10, 'foo'), format('|%-*s|', 10, 'foo'), format('|%*s|', -10, 'foo'), format('|%1$*2$s|', 'foo', 10);
-- types
SELECT format('%s');
-- types
SELECT format('%z', 1);
-- types
SELECT format('%');
-- types
SELECT format('%I', NULL);
-- types
SELECT format(NULL), format('%s', NULL), format('%s', ARRAY[1,2]), format('%s', true), format('%s', date '2024-01-02');
-- types
SELECT format('%0$s', 1);
-- types
SELECT concat('a', NULL, 'b', 1, true), concat(NULL), concat_ws(',', 'a', NULL, 'b'), concat_ws(NULL, 'a'), concat_ws(',', NULL), concat(1, 2.50, date '2024-01-01');
-- types
SELECT 'a' || NULL, 'a' || 1, 1 || 'a', 'a' || 2.5, 'x' || true, 'x' || date '2024-01-01';
-- types
SELECT encode('\x1234'::bytea, 'hex'), encode('abc'::bytea, 'base64'), encode('\x00ff41'::bytea, 'escape'), decode('1234', 'hex'), decode('YWJj', 'base64'), decode('a\\000b', 'escape');
-- types
SELECT decode('12g4', 'hex');
-- types
SELECT decode('123', 'hex');
-- types
SELECT decode('ab', 'foo');
-- types
SELECT encode('ab', 'foo');
-- types
SELECT md5('abc'), md5(''), md5('abc'::bytea), md5(NULL);
-- types
SELECT sha256('abc'::bytea), sha224('abc'::bytea), sha384('abc'::bytea), sha512('abc'::bytea);
-- types
SELECT length('\x1234'::bytea), octet_length('\x1234'::bytea), get_byte('\x1234'::bytea, 1), set_byte('\x1234'::bytea, 1, 255), get_bit('\x1234'::bytea, 2), set_bit('\x1234'::bytea, 2, 1);
-- types
SELECT substring('\x123456'::bytea from 2 for 1), '\x12'::bytea || '\x34'::bytea, position('\x34'::bytea in '\x1234'::bytea), overlay('\x123456'::bytea placing '\xff'::bytea from 2 for 1);
-- types
SELECT btrim('\x001200'::bytea, '\x00'::bytea), convert_from('\x616263'::bytea, 'UTF8'), convert_to('abc', 'UTF8');
-- types
SELECT get_byte('\x1234'::bytea, 5);
-- types
SELECT regexp_match('foobarbequebaz', '(bar)(beque)'), regexp_match('foobarbequebaz', 'bar.*que'), regexp_match('abc', 'x'), regexp_match('ABC', 'b', 'i'), regexp_match('a', '(b)?a');
-- types
SELECT regexp_match(NULL, 'a');
-- types
SELECT regexp_matches('foobarbequebazilbarfbonk', '(b[^b]+)(b[^b]+)', 'g');
-- types
SELECT regexp_matches('foobarbequebaz', 'bar');
-- types
SELECT regexp_matches('foo', 'x');
-- types
SELECT * FROM regexp_matches('a1b2c3', '[a-z](\d)', 'g') AS m;
-- types
SELECT (regexp_match('foo123', '\d+'))[1];
-- types
SELECT (regexp_matches('foo123bar45', '\d+', 'g'))[1];
-- types
SELECT regexp_match('abc', 'b', 'g');
-- types
SELECT regexp_replace('Thomas', '.[mN]a.', 'M'), regexp_replace('foobarbaz', 'b..', 'X'), regexp_replace('foobarbaz', 'b..', 'X', 'g'), regexp_replace('foobarbaz', 'b(..)', 'X\1Y', 'g');
-- types
SELECT regexp_replace('ABC', 'b', 'x', 'i'), regexp_replace('aAa', 'A', 'x', 'gi'), regexp_replace('abc', '(b)', '[\&]'), regexp_replace('abc', 'b', '\\');
-- types
SELECT regexp_replace('foobarbaz', 'b..', 'X', 1, 2), regexp_replace('A PostgreSQL function', 'a|e|i|o|u', 'X', 1, 0, 'i'), regexp_replace('A PostgreSQL function', 'a|e|i|o|u', 'X', 1, 3, 'i');
-- types
SELECT regexp_replace('abc', 'b', 'x', 'z');
-- types
SELECT regexp_split_to_array('hello world', '\s+'), regexp_split_to_array('abc', ''), regexp_split_to_array('a1b2c', '\d'), regexp_split_to_array('', 'x'), regexp_split_to_array('aXbxc', 'x', 'i');
-- types
SELECT regexp_split_to_table('the quick  brown', '\s+');
-- types
SELECT * FROM regexp_split_to_table('a,b;c', '[,;]') AS t(x);
-- types
SELECT regexp_count('ABCABCAXYaxy', 'A.'), regexp_count('ABCABCAXYaxy', 'A.', 1, 'i'), regexp_instr('ABCDEF', 'c(.)(..)', 1, 1, 0, 'i'), regexp_instr('number of your street', '[^,]+', 1, 1);
-- types
SELECT regexp_like('Hello World', 'world$', 'i'), regexp_substr('ABCDEF', 'c(.)(..)', 1, 1, 'i', 2);
-- types
SELECT 'abc' ~ 'b', 'abc' ~ 'B', 'abc' ~* 'B', 'abc' !~ 'b', 'abc' !~* 'B', 'abc' ~ '^b', NULL ~ 'a';
-- types
SELECT 'abc' ~ '(', 1;
-- types
SELECT 'a.b' ~ 'a\.b', 'tel 555' ~ '\d{3}', 'foo bar' ~ '\mbar\M', 'foobar' ~ '\mbar', 'x' ~ '[[:alpha:]]', E'a\nb' ~ 'a.b', E'a\nb' ~ '^b';
-- types
SELECT 'abc' LIKE 'a%', 'abc' LIKE '_b_', 'abc' LIKE 'A%', 'abc' ILIKE 'A%', 'a%c' LIKE 'a\%c', 'abc' LIKE 'a\%c', 'a_c' LIKE 'a#_c' ESCAPE '#', 'abc' NOT LIKE 'a%';
-- types
SELECT 'abc' NOT ILIKE 'A%', NULL LIKE 'a';
-- types
SELECT 'abc' SIMILAR TO '%(b|d)%', 'abc' SIMILAR TO 'b', 'abc' NOT SIMILAR TO 'abc';
-- types
SELECT starts_with('alphabet', 'alph'), 'alphabet' ^@ 'alph', starts_with('a', ''), starts_with(NULL, 'a');
-- types
SELECT 'abc' < 'abd', 'a' < 'B', 'abc' = 'abc ', 'A' BETWEEN 'A' AND 'Z';
-- types
SELECT unistr('\0041'), unistr('d\u0061t\U00000061');
-- types
SELECT string_to_table('a,b', ',');
-- types
SELECT * FROM string_to_table('a,,b', ',', '') AS x;
-- types
SELECT num_nonnulls();
-- types
SELECT num_nulls(1, NULL, 2), num_nonnulls(1, NULL, 'a'), num_nulls(NULL);
-- types
SELECT gen_random_uuid() IS NOT NULL, length(gen_random_uuid()::text);
SELECT pg_typeof(1), pg_typeof(1.5), pg_typeof('a'::text), pg_typeof(ARRAY[1]), pg_typeof(NULL), pg_typeof(now()), pg_typeof(1::oid), pg_typeof(interval '1 day');
-- types
SELECT nullif(1, 1), nullif(1, 2), nullif('a', 'b'), coalesce(NULL, 1), coalesce(NULL, NULL, 'x'), greatest(1, NULL, 3), least(NULL, 2, 1), greatest('a', 'b');
-- types
SELECT greatest(date '2024-01-01', NULL, date '2023-01-01');
SELECT greatest(NULL, NULL);
-- types
SELECT nullif(1, 'a');
-- types
SELECT greatest(1, 'x');
-- types
SELECT foo(1);
-- types
SELECT foo(1, 'a', NULL, 2.5, now(), ARRAY[1]);
-- types
SELECT length(1);
-- types
SELECT upper(1);
-- types
SELECT 1 + 'a';
-- types
SELECT true + 1;
-- types
SELECT -'a'::text;
-- types
SELECT substring(1, 2);
-- types
SELECT abs('a'::text);
-- types
SELECT round('x'::text, 1);
-- types
SELECT sum('a'::text);
-- types
SELECT avg('a'::text);
-- types
SELECT lower();
-- types
SELECT now(1);
-- types
SELECT pg_catalog.lower('A');
-- types
SELECT a FROM (SELECT 1 AS a, 2 AS a) t;
-- types
SELECT t.a FROM (SELECT 1 AS a, 2 AS a) t;
SELECT 'abc'::bytea || '\x00', '\x0102'::bytea || '\xff'::bytea, '\x01' || 'ab'::bytea, 'a'::bytea || NULL;
