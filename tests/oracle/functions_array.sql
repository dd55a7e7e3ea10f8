-- Arrays: operators, functions, unnest; row values.

-- types
SELECT ARRAY[1,2] || 3, 3 || ARRAY[1,2], ARRAY[1,2] || ARRAY[3,4], ARRAY[1] || NULL::int, NULL::int[] || 1, ARRAY['a'] || 'b'::text, 'x'::text || ARRAY['a'];
-- types
SELECT ARRAY[1,2] || NULL::int[], ARRAY['a','b'] || '{c}';
-- types
SELECT array_append(ARRAY[1,2], 3), array_append(NULL::int[], 1), array_prepend(0, ARRAY[1,2]), array_cat(ARRAY[1], ARRAY[2]), array_cat(NULL, ARRAY[1]), array_append(ARRAY[1], NULL);
-- types
SELECT array_prepend(NULL, ARRAY[1]);
-- types
SELECT array_remove(ARRAY[1,2,3,2], 2), array_remove(ARRAY['a',NULL,'b'], NULL), array_remove(NULL::int[], 1), array_remove(ARRAY[]::int[], 1), array_replace(ARRAY[1,2,5,4], 5, 3);
-- types
SELECT array_replace(ARRAY[1,NULL], NULL, 0), array_replace(ARRAY['a'], 'a', NULL);
-- types
SELECT array_position(ARRAY['sun','mon','tue'], 'mon'), array_position(ARRAY[1,2,1], 1, 2), array_position(ARRAY[1,NULL], NULL), array_position(ARRAY[1], 9);
-- types
SELECT array_positions(ARRAY['A','A','B','A'], 'A'), array_positions(ARRAY[1], 2), array_positions(ARRAY[NULL,1,NULL], NULL), array_positions(NULL::int[], 1);
-- types
SELECT array_length(ARRAY[1,2,3], 1), array_length(ARRAY[]::int[], 1), array_length(ARRAY[1], 2), array_length(NULL::int[], 1), cardinality(ARRAY[1,2]), cardinality(ARRAY[]::int[]);
-- types
SELECT array_ndims(ARRAY[1,2]), array_ndims(ARRAY[]::int[]), array_dims(ARRAY[1,2]), array_lower(ARRAY[1,2], 1), array_upper(ARRAY[1,2], 1), array_upper(ARRAY[]::int[], 1);
-- types
SELECT array_fill(7, ARRAY[3]), array_fill(NULL::int, ARRAY[2]), trim_array(ARRAY[1,2,3,4], 2);
-- types
SELECT trim_array(ARRAY[1,2], 5);
-- types
SELECT (ARRAY[1,2,3])[2], (ARRAY[1,2,3])[0], (ARRAY[1,2,3])[9], (ARRAY[1,2,3])[2:3], (ARRAY[1,2,3])[:2], (ARRAY[1,2,3])[2:], (ARRAY[1,2,3])[5:6], ('{a,b}'::text[])[1];
-- types
SELECT (ARRAY[1,2,3])[NULL];
-- types
SELECT ARRAY[1,2,3] @> ARRAY[1,2], ARRAY[1,2] <@ ARRAY[1,2,3], ARRAY[1,2] && ARRAY[2,3], ARRAY[1] && ARRAY[2], ARRAY[]::int[] <@ ARRAY[1], ARRAY['a'] @> ARRAY['a'];
-- types
SELECT ARRAY[1,1] <@ ARRAY[1];
-- types
SELECT ARRAY[1,2] = ARRAY[1,2], ARRAY[1,2] <> ARRAY[1,3], ARRAY[1,2] < ARRAY[1,3], ARRAY[1] < ARRAY[1,0], ARRAY[1,NULL] = ARRAY[1,NULL], ARRAY[]::int[] = ARRAY[]::int[];
-- types
SELECT unnest(ARRAY[1,2,NULL]);
-- types
SELECT * FROM unnest(ARRAY['a','b']) AS u;
-- types
SELECT * FROM unnest(ARRAY['a','b']) WITH ORDINALITY;
-- types
SELECT e, n FROM unnest(ARRAY['a','b']) WITH ORDINALITY AS t(e, n);
-- types
SELECT * FROM unnest(ARRAY[1,2], ARRAY['a','b','c']) AS t(a, b);
-- types
SELECT * FROM unnest(ARRAY[]::int[]) AS u;
-- types
SELECT * FROM unnest(NULL::int[]) AS u;
-- types
SELECT id FROM (VALUES (1, ARRAY[10,20]), (2, ARRAY[]::int[])) t(id, a) LEFT JOIN LATERAL unnest(a) AS u ON true;
-- types
SELECT unnest(ARRAY[1,2]) AS a, unnest(ARRAY['x','y','z']) AS b;
-- types
SELECT ARRAY(SELECT 1 WHERE false);
SELECT ARRAY(SELECT g FROM generate_series(1, 3) g);
-- types
SELECT '{1,2,3}'::int[], '{"a b",c,NULL,"NULL"}'::text[], '{}'::int[], ARRAY[]::text[], ARRAY['a', NULL], ARRAY[true, false], ARRAY[date '2024-01-01'], '{1,2}'::int[]::text;
-- types
SELECT '{1,2}'::int[]::text[], ARRAY[1,2]::bigint[];
-- types
SELECT ARRAY[1, 'a'];
-- types
SELECT array_agg(x), array_agg(x ORDER BY x DESC), array_agg(DISTINCT x) FROM (VALUES (2), (1), (2), (NULL)) v(x);
-- types
SELECT array_agg(x) FROM (SELECT 1 AS x WHERE false) v;
-- types
SELECT array_agg(x) FILTER (WHERE x > 1) FROM (VALUES (1), (2)) v(x);
-- types
SELECT array_to_string(array_agg(x ORDER BY x), ',') FROM (VALUES ('b'), ('a')) v(x);
-- types
SELECT generate_subscripts(ARRAY['a','b','c'], 1);
-- types
SELECT i, (ARRAY['a','b','c'])[i] FROM generate_subscripts(ARRAY['a','b','c'], 1) AS i;
-- types
SELECT array_append(ARRAY[1], 'a');
-- types
SELECT ARRAY[1] || 'a'::text;
-- types
SELECT 1 = ANY('{1,2}'), 'a' = ANY('{a,b}'::text[]), 'a' = ALL(ARRAY['a']), 3 IN (1, 2), 3 NOT IN (1, NULL), NULL IN (1);
-- types
SELECT array_shuffle(ARRAY[1]);
-- types
SELECT array_sample(ARRAY[1], 1);
-- types
SELECT string_to_array('1,2,3', ',')::int[];
-- types
SELECT ROW(1, 'a') = ROW(1, 'a'), (1, 2) < (1, 3), (1, 2) = (1, NULL), ROW(1, 2) IS NULL, ROW(NULL, NULL) IS NULL, (1, 2) IN ((1, 2), (3, 4));
-- types
SELECT array_length(1, 1);
