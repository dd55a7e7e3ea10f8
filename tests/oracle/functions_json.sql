-- json and jsonb: operators, functions, aggregates, sets of rows.

-- types
SELECT json_build_array(1, 'a', NULL, true, 2.5), json_build_array(), jsonb_build_array(1, 'a', NULL), json_build_object('a', 1, 'b', 'x', 'c', NULL), json_build_object();
-- types
SELECT jsonb_build_object('b', 1, 'a', 2), json_build_object('a', ARRAY[1,2], 'd', date '2024-01-01', 't', timestamp '2024-01-01 10:00');
-- types
SELECT json_build_object('a');
-- types
SELECT json_build_object(NULL, 1);
-- types
SELECT json_build_object('a', json '{"x":1}', 'b', jsonb '{"y": 2}', 'c', json_build_array(1));
-- types
SELECT jsonb_build_object('a', json '{"x":1}', 1, 2, true, 3);
-- types
SELECT json_object('{a,1,b,2}'), json_object('{a,b}', '{1,2}'), jsonb_object('{a,1}');
-- types
SELECT to_json('a'::text), to_json(1), to_json(1.50), to_json(true), to_json(ARRAY[1,2]), to_json(ARRAY['a','b']), to_json(date '2024-01-01'), to_json(timestamp '2024-01-01 10:00');
-- types
SELECT to_jsonb('a"b'::text), to_jsonb(ARRAY[1,2]), to_json(NULL::int), to_jsonb(1.50), to_json('{"a":1}'::json);
-- types
SELECT to_json(timestamptz '2024-01-01 10:00+00'), to_json(interval '1 day'), to_json('\x12'::bytea), to_json(1e10::float8), to_json('NaN'::float8);
-- types
SELECT row_to_json(t) FROM (SELECT 1 AS a, 'x' AS b, NULL AS c) t;
-- types
SELECT row_to_json(t) FROM (VALUES (1, 'a'), (2, NULL)) t(id, name);
-- types
SELECT row_to_json(row(1, 'foo'));
-- types
SELECT to_json(t) FROM (VALUES (1, 'a')) t(id, name);
-- types
SELECT to_jsonb(t) FROM (VALUES (1, 'a')) t(id, name);
-- types
SELECT json_agg(t) FROM (VALUES (1, 'a'), (2, 'b')) t(id, name);
-- types
SELECT jsonb_agg(t) FROM (VALUES (1, 'a'), (2, 'b')) t(id, name);
-- types
SELECT array_to_json(ARRAY[1,2,3]), array_to_json(ARRAY['a',NULL]);
-- types
SELECT json_agg(x), jsonb_agg(x) FROM (VALUES (1), (NULL), (3)) v(x);
-- types
SELECT json_agg(x ORDER BY x DESC), jsonb_agg(x ORDER BY x DESC) FROM (VALUES (1), (2), (3)) v(x);
-- types
SELECT json_agg(x) FROM (SELECT 1 AS x WHERE false) v;
-- types
SELECT json_agg(x), jsonb_agg(x) FROM (VALUES ('a'), ('b"c')) v(x);
-- types
SELECT json_agg(DISTINCT x) FROM (VALUES (1), (1)) v(x);
-- types
SELECT json_object_agg(k, v), jsonb_object_agg(k, v) FROM (VALUES ('a', 1), ('b', 2)) t(k, v);
-- types
SELECT json_object_agg(k, v ORDER BY k DESC), jsonb_object_agg(k, v) FROM (VALUES ('bb', 1), ('a', NULL), ('a', 3)) t(k, v);
-- types
SELECT json_object_agg(k, v) FROM (VALUES (NULL, 1)) t(k, v);
-- types
SELECT json_object_agg(k, v), jsonb_object_agg(k, v) FROM (SELECT 'a' AS k, 1 AS v WHERE false) t;
-- types
SELECT jsonb_set('[{"f1":1,"f2":null},2,null,3]', '{0,f1}', '[2,3,4]', false), jsonb_set('{"a":1}', '{b}', '2'), jsonb_set('{"a":1}', '{b}', '2', false), jsonb_set('{"a":{"b":1}}', '{a,b}', '"x"');
-- types
SELECT jsonb_set('{"a":{"b":1}}', '{a,c,d}', '1'), jsonb_set('[1,2]', '{-1}', '9'), jsonb_set('[1,2]', '{5}', '9'), jsonb_set('[1,2]', '{-5}', '9'), jsonb_set(NULL, '{a}', '1');
-- types
SELECT jsonb_set('{"a":1}', '{a}', NULL), jsonb_set('{"a":1}', '{}', '2');
-- types
SELECT jsonb_set('1', '{a}', '2');
-- types
SELECT jsonb_set('[1]', '{a}', '2');
-- types
SELECT jsonb_set('{"a":1}', '{NULL}', '2');
-- types
SELECT jsonb_set_lax('{"a":1}', '{a}', NULL), jsonb_set_lax('{"a":1}', '{a}', NULL, true, 'delete_key');
-- types
SELECT jsonb_insert('{"a": [0,1,2]}', '{a, 1}', '"new"'), jsonb_insert('{"a": [0,1,2]}', '{a, 1}', '"new"', true), jsonb_insert('{"a":1}', '{b}', '2'), jsonb_insert('[1,2]', '{-1}', '9');
-- types
SELECT jsonb_insert('[1,2]', '{-1}', '9', true);
-- types
SELECT jsonb_insert('{"a":1}', '{a}', '2');
-- types
SELECT '{"a":1,"b":2}'::jsonb - 'a', '["a","b"]'::jsonb - 'a', '["a","b"]'::jsonb - 1, '["a","b"]'::jsonb - (-1), '{"a":1,"b":2,"c":3}'::jsonb - ARRAY['a','c'];
-- types
SELECT '["a"]'::jsonb - 5, '{"a":1}'::jsonb - 'zz';
-- types
SELECT '{"a":1}'::jsonb - 1;
-- types
SELECT '1'::jsonb - 'a';
-- types
SELECT '["a", {"b":1}]'::jsonb #- '{1,b}', '{"a":{"b":1}}'::jsonb #- '{a,b}', '{"a":1}'::jsonb #- '{x}', '[1,2,3]'::jsonb #- '{-1}', '{"a":1}'::jsonb #- '{}';
-- types
SELECT '{"a":1, "b":2}'::jsonb @> '{"b":2}'::jsonb, '{"a":1}'::jsonb @> '{"a":2}', '[1,2,3]'::jsonb @> '[3,1]', '[1,2]'::jsonb @> '1', '{"a":{"b":1,"c":2}}'::jsonb @> '{"a":{"b":1}}';
-- types
SELECT '{"b":2}'::jsonb <@ '{"a":1,"b":2}'::jsonb, '[1,[2]]'::jsonb @> '[2]', '1'::jsonb @> '1', '1.0'::jsonb @> '1', '{}'::jsonb @> '{}', '[{"a":1,"b":2}]'::jsonb @> '[{"a":1}]';
-- types
SELECT '"a"'::jsonb @> '["a"]';
-- types
SELECT '{"a":1, "b":2}'::jsonb ? 'b', '["a","b"]'::jsonb ? 'b', '"b"'::jsonb ? 'b', '[1,2]'::jsonb ? '1', '{"a":1}'::jsonb ?| ARRAY['b','a'], '{"a":1}'::jsonb ?& ARRAY['b','a'];
-- types
SELECT '["a","b"]'::jsonb ?& ARRAY['a','b'], '{"a":1}'::jsonb ?| ARRAY[]::text[], '{"a":1}'::jsonb ?& ARRAY[]::text[];
-- types
SELECT '{"a":1}'::jsonb || '{"b":2}'::jsonb, '["a"]'::jsonb || '["b"]'::jsonb, '["a"]'::jsonb || '1'::jsonb, '{"a":1}'::jsonb || '{"a":2}'::jsonb, '1'::jsonb || '2'::jsonb;
-- types
SELECT '[1]'::jsonb || '{"a":1}'::jsonb, '{"a":1}'::jsonb || '[1]'::jsonb, '{"a":1}'::jsonb || NULL;
-- types
SELECT '1'::jsonb || '{"a":1}'::jsonb;
-- types
SELECT '{"a":{"b":1}}'::json -> 'a', '{"a":{"b":1}}'::json ->> 'a', '[1,2,3]'::json -> 1, '[1,2,3]'::json -> -1, '[1,2,3]'::json -> 5, '{"a":"x"}'::jsonb ->> 'a';
-- types
SELECT '{"a":null}'::jsonb -> 'a', '{"a":null}'::jsonb ->> 'a', '{"a":1}'::jsonb -> 'b', '"x"'::jsonb -> 'a', '[{"a":1}]'::jsonb -> 0 -> 'a', '{"a b":1, "c.d":2}'::jsonb -> 'c.d';
-- types
SELECT '{"a b":1}'::jsonb ->> 'a b', '{"$x":5}'::jsonb -> '$x', '{"1":5}'::jsonb -> '1', '[1]'::jsonb -> '0';
-- types
SELECT '{"a": [1, 2]}'::json -> 'a', '{"a" : {"b":  2}}'::json -> 'a', '{"a":  "x\ty"}'::json ->> 'a';
-- types
SELECT '{"a":{"b":["foo","bar"]}}'::json #> '{a,b,1}', '{"a":{"b":["foo","bar"]}}'::json #>> '{a,b,1}', '{"a":{"b":["foo","bar"]}}'::jsonb #> '{a,b}', '{"a":1}'::jsonb #> '{}';
-- types
SELECT '{"a":1}'::jsonb #>> '{x,y}', '[1,[2,3]]'::jsonb #>> '{1,-1}';
-- types
SELECT json_extract_path('{"a":{"b":1}}', 'a', 'b'), json_extract_path_text('{"a":{"b":"x"}}', 'a', 'b'), jsonb_extract_path('{"a":{"b":1}}', 'a', 'b'), jsonb_extract_path_text('{"a":{"b":"x"}}', 'a', 'b');
-- types
SELECT jsonb_extract_path('{"a":1}', 'b');
-- types
SELECT json_array_length('[1,2,[3]]'), jsonb_array_length('[]'), jsonb_array_length(NULL);
-- types
SELECT jsonb_array_length('{"a":1}');
-- types
SELECT jsonb_array_length('1');
-- types
SELECT json_array_length('{"a":1}');
-- types
SELECT json_typeof('{}'), json_typeof('[]'), json_typeof('"a"'), json_typeof('1.5'), json_typeof('true'), json_typeof('null'), jsonb_typeof('{}'), jsonb_typeof('-1');
-- types
SELECT jsonb_typeof(NULL);
-- types
SELECT jsonb_pretty('{"a":1,"b":[1,2,{"c":null}],"d":{}}'), jsonb_pretty('[]'), jsonb_pretty('1');
-- types
SELECT json_strip_nulls('[{"f1":1, "f2":null}, 2, null, 3]'), jsonb_strip_nulls('{"a":null,"b":{"c":null}}');
-- types
SELECT * FROM jsonb_each('{"a":1,"b":"x","c":null}');
-- types
SELECT * FROM jsonb_each_text('{"a":1,"b":"x","c":null}');
-- types
SELECT * FROM json_each('{"b":1,"a":{"x": 1}}');
-- types
SELECT * FROM json_each_text('{"b":1,"a":"x"}');
-- types
SELECT key, value FROM jsonb_each('{"a":1}') AS t(key, value);
-- types
SELECT k, v FROM jsonb_each_text('{"a":1}') AS t(k, v);
-- types
SELECT jsonb_object_keys('{"b":1,"a":2,"cc":3}');
-- types
SELECT * FROM jsonb_object_keys('{"b":1,"a":2}') AS k;
-- types
SELECT json_object_keys('{"b":1,"a":2}');
-- types
SELECT jsonb_object_keys('[1]');
-- types
SELECT * FROM jsonb_array_elements('[1,"a",{"b":2},null]');
-- types
SELECT * FROM jsonb_array_elements_text('[1,"a",{"b":2},null]');
-- types
SELECT * FROM json_array_elements('[1, "a", {"b": 2}]') AS x;
-- types
SELECT * FROM json_array_elements_text('["a","b"]') AS x(y);
-- types
SELECT jsonb_array_elements('[1,2]'), jsonb_array_elements_text('["a","b"]');
-- types
SELECT * FROM jsonb_array_elements('{"a":1}');
-- types
SELECT * FROM jsonb_array_elements('1');
-- types
SELECT id FROM (VALUES (1, '[{"n":"a"},{"n":"b"}]'::jsonb)) t(id, j) CROSS JOIN LATERAL jsonb_array_elements(t.j) AS e;
-- types
SELECT id FROM (VALUES (1, '{"a":1,"b":2}'::jsonb), (2, '{}'::jsonb)) t(id, j), jsonb_each(j) AS e;
-- types
SELECT id FROM (VALUES (1, '{"a":1,"b":2}'::jsonb), (2, '{}'::jsonb)) t(id, j) LEFT JOIN LATERAL jsonb_each_text(j) AS e ON true;
-- types
SELECT e.value, e.ordinality FROM jsonb_array_elements('["x","y"]') WITH ORDINALITY AS e;
-- types
SELECT elem, idx FROM jsonb_array_elements_text('["x","y"]') WITH ORDINALITY AS t(elem, idx);
-- types
SELECT '{"a":1}'::jsonb = '{"a": 1}'::jsonb, '[1,2]'::jsonb < '[1,3]'::jsonb, '1'::jsonb < '"a"'::jsonb, '{"a":1}'::jsonb <> '{"b":1}'::jsonb;
-- types
SELECT '{"a":1, "a":2, "b":  [1,2]}'::jsonb, '{"a":1, "a":2}'::json, '1.10'::jsonb, '"\u0041"'::jsonb, '1e5'::jsonb;
-- types
SELECT '{a:1}'::json;
-- types
SELECT ''::jsonb;
-- types
SELECT '{"a":1}'::jsonb::text, '5'::jsonb::int, '"x"'::jsonb #>> '{}', 'true'::jsonb::boolean, '1.5'::jsonb::numeric, '2'::jsonb::float8, '7'::jsonb::bigint;
-- types
SELECT jsonb '{"a":1}' ->> 'a' = '1', (jsonb '{"a":5}' ->> 'a')::int + 1, jsonb '{"a":{"b":[10,20]}}' -> 'a' -> 'b' ->> 1;
-- types
SELECT x->'a' FROM (SELECT NULL::jsonb AS x) t;
-- types
SELECT '{"b":1}'::json::jsonb, '{"b":1}'::jsonb::json;
-- types
SELECT json_build_object('id', id, 'tags', tags) FROM (VALUES (1, ARRAY['a','b'])) t(id, tags);
-- types
SELECT jsonb_agg(jsonb_build_object('id', id, 'n', n) ORDER BY id) FROM (VALUES (2, 'b'), (1, 'a')) t(id, n);
-- types
SELECT coalesce(json_agg(x) FILTER (WHERE x > 1), '[]'::json) FROM (VALUES (1), (2)) v(x);
-- types
SELECT coalesce(jsonb_agg(x) FILTER (WHERE x > 9), '[]') FROM (VALUES (1), (2)) v(x);
-- types
SELECT json_agg(json_build_object('a', a)) FROM (VALUES (1), (2)) v(a);
