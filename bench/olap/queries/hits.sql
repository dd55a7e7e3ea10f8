-- The 43 query shapes of ClickBench over our own table of page views, in PostgreSQL's dialect.
-- "compare: 1, 2" names the output columns that the query's ORDER BY and LIMIT determine, where ties
-- leave others open; "compare: none" compares the number of rows.
-- To be filled in: {many} = rows / 1000, {sums} = sum(resolution_width + i) for i of 0 to 89,
-- {hash} = 8760181245154573363, the hash of the busiest URL of the busiest site (62).

-- 1: all rows
SELECT count(*) FROM hits;

-- 2: rows of a rare value
SELECT count(*) FROM hits WHERE adv_engine_id <> 0;

-- 3: three aggregates of the whole table
SELECT sum(adv_engine_id), count(*), avg(resolution_width) FROM hits;

-- 4: mean of a wide number
SELECT avg(user_id) FROM hits;

-- 5: distinct users
SELECT count(DISTINCT user_id) FROM hits;

-- 6: distinct phrases
SELECT count(DISTINCT search_phrase) FROM hits;

-- 7: first and last day
SELECT min(event_date), max(event_date) FROM hits;

-- 8: few groups of few rows; compare: 2
SELECT adv_engine_id, count(*) FROM hits WHERE adv_engine_id <> 0
GROUP BY adv_engine_id ORDER BY count(*) DESC;

-- 9: users by region; compare: 2
SELECT region_id, count(DISTINCT user_id) AS u FROM hits
GROUP BY region_id ORDER BY u DESC LIMIT 10;

-- 10: aggregates by region; compare: 3
SELECT region_id, sum(adv_engine_id), count(*) AS c, avg(resolution_width), count(DISTINCT user_id)
FROM hits GROUP BY region_id ORDER BY c DESC LIMIT 10;

-- 11: users by phone model; compare: 2
SELECT mobile_phone_model, count(DISTINCT user_id) AS u FROM hits WHERE mobile_phone_model <> ''
GROUP BY mobile_phone_model ORDER BY u DESC LIMIT 10;

-- 12: users by phone; compare: 3
SELECT mobile_phone, mobile_phone_model, count(DISTINCT user_id) AS u FROM hits
WHERE mobile_phone_model <> '' GROUP BY mobile_phone, mobile_phone_model ORDER BY u DESC LIMIT 10;

-- 13: top phrases; compare: 2
SELECT search_phrase, count(*) AS c FROM hits WHERE search_phrase <> ''
GROUP BY search_phrase ORDER BY c DESC LIMIT 10;

-- 14: phrases by users; compare: 2
SELECT search_phrase, count(DISTINCT user_id) AS u FROM hits WHERE search_phrase <> ''
GROUP BY search_phrase ORDER BY u DESC LIMIT 10;

-- 15: phrases by engine; compare: 3
SELECT search_engine_id, search_phrase, count(*) AS c FROM hits WHERE search_phrase <> ''
GROUP BY search_engine_id, search_phrase ORDER BY c DESC LIMIT 10;

-- 16: top users; compare: 2
SELECT user_id, count(*) FROM hits GROUP BY user_id ORDER BY count(*) DESC LIMIT 10;

-- 17: users and phrases; compare: 3
SELECT user_id, search_phrase, count(*) FROM hits
GROUP BY user_id, search_phrase ORDER BY count(*) DESC LIMIT 10;

-- 18: any ten of them; compare: none
SELECT user_id, search_phrase, count(*) FROM hits GROUP BY user_id, search_phrase LIMIT 10;

-- 19: users, minutes and phrases; compare: 4
SELECT user_id, extract(minute FROM event_time) AS m, search_phrase, count(*) FROM hits
GROUP BY user_id, m, search_phrase ORDER BY count(*) DESC LIMIT 10;

-- 20: one user
SELECT user_id FROM hits WHERE user_id = 435090932899640449;

-- 21: a substring
SELECT count(*) FROM hits WHERE url LIKE '%google%';

-- 22: a substring, by phrase; compare: 3
SELECT search_phrase, min(url), count(*) AS c FROM hits
WHERE url LIKE '%google%' AND search_phrase <> ''
GROUP BY search_phrase ORDER BY c DESC LIMIT 10;

-- 23: two substrings, by phrase; compare: 4
SELECT search_phrase, min(url), min(title), count(*) AS c, count(DISTINCT user_id) FROM hits
WHERE title LIKE '%Google%' AND url NOT LIKE '%.google.%' AND search_phrase <> ''
GROUP BY search_phrase ORDER BY c DESC LIMIT 10;

-- 24: all columns of ten rows; compare: 5
SELECT * FROM hits WHERE url LIKE '%google%' ORDER BY event_time LIMIT 10;

-- 25: first phrases in time; compare: none
SELECT search_phrase FROM hits WHERE search_phrase <> '' ORDER BY event_time LIMIT 10;

-- 26: first phrases in the alphabet
SELECT search_phrase FROM hits WHERE search_phrase <> '' ORDER BY search_phrase LIMIT 10;

-- 27: first phrases in time and alphabet
SELECT search_phrase FROM hits WHERE search_phrase <> '' ORDER BY event_time, search_phrase
LIMIT 10;

-- 28: mean length of URLs, large sites
SELECT counter_id, avg(length(url)) AS l, count(*) AS c FROM hits WHERE url <> ''
GROUP BY counter_id HAVING count(*) > {many} ORDER BY l DESC LIMIT 25;

-- 29: the host by regular expression
SELECT regexp_replace(referer, '^https?://(?:www\.)?([^/]+)/.*$', '\1') AS k,
       avg(length(referer)) AS l, count(*) AS c, min(referer)
FROM hits WHERE referer <> ''
GROUP BY k HAVING count(*) > {many} ORDER BY l DESC LIMIT 25;

-- 30: ninety sums
SELECT {sums} FROM hits;

-- 31: by engine and address, rows with phrases; compare: 3
SELECT search_engine_id, client_ip, count(*) AS c, sum(is_refresh), avg(resolution_width)
FROM hits WHERE search_phrase <> ''
GROUP BY search_engine_id, client_ip ORDER BY c DESC LIMIT 10;

-- 32: a group for each row, rows with phrases; compare: 3
SELECT watch_id, client_ip, count(*) AS c, sum(is_refresh), avg(resolution_width)
FROM hits WHERE search_phrase <> ''
GROUP BY watch_id, client_ip ORDER BY c DESC LIMIT 10;

-- 33: a group for each row; compare: 3
SELECT watch_id, client_ip, count(*) AS c, sum(is_refresh), avg(resolution_width)
FROM hits GROUP BY watch_id, client_ip ORDER BY c DESC LIMIT 10;

-- 34: top pages; compare: 2
SELECT url, count(*) AS c FROM hits GROUP BY url ORDER BY c DESC LIMIT 10;

-- 35: the same beside a constant; compare: 1, 3
SELECT 1, url, count(*) AS c FROM hits GROUP BY 1, url ORDER BY c DESC LIMIT 10;

-- 36: four keys of one column; compare: 5
SELECT client_ip, client_ip - 1, client_ip - 2, client_ip - 3, count(*) AS c FROM hits
GROUP BY client_ip, client_ip - 1, client_ip - 2, client_ip - 3 ORDER BY c DESC LIMIT 10;

-- 37: top pages of a site; compare: 2
SELECT url, count(*) AS page_views FROM hits
WHERE counter_id = 62 AND event_date >= '2024-07-01' AND event_date <= '2024-07-31'
  AND dont_count_hits = 0 AND is_refresh = 0 AND url <> ''
GROUP BY url ORDER BY page_views DESC LIMIT 10;

-- 38: top titles of a site; compare: 2
SELECT title, count(*) AS page_views FROM hits
WHERE counter_id = 62 AND event_date >= '2024-07-01' AND event_date <= '2024-07-31'
  AND dont_count_hits = 0 AND is_refresh = 0 AND title <> ''
GROUP BY title ORDER BY page_views DESC LIMIT 10;

-- 39: links of a site, a page further on; compare: 2
SELECT url, count(*) AS page_views FROM hits
WHERE counter_id = 62 AND event_date >= '2024-07-01' AND event_date <= '2024-07-31'
  AND is_refresh = 0 AND is_link <> 0 AND is_download = 0
GROUP BY url ORDER BY page_views DESC LIMIT 10 OFFSET 1000;

-- 40: sources of a site's traffic; compare: 6
SELECT traffic_source_id, search_engine_id, adv_engine_id,
       CASE WHEN search_engine_id = 0 AND adv_engine_id = 0 THEN referer ELSE '' END AS src,
       url AS dst, count(*) AS page_views
FROM hits
WHERE counter_id = 62 AND event_date >= '2024-07-01' AND event_date <= '2024-07-31'
  AND is_refresh = 0
GROUP BY traffic_source_id, search_engine_id, adv_engine_id, src, dst
ORDER BY page_views DESC LIMIT 10 OFFSET 1000;

-- 41: pages by hash and day that one page led to; compare: 3
SELECT url_hash, event_date, count(*) AS page_views FROM hits
WHERE counter_id = 62 AND event_date >= '2024-07-01' AND event_date <= '2024-07-31'
  AND is_refresh = 0 AND traffic_source_id IN (-1, 6) AND referer_hash = {hash}
GROUP BY url_hash, event_date ORDER BY page_views DESC LIMIT 10 OFFSET 100;

-- 42: window sizes on one page; compare: 3
SELECT window_client_width, window_client_height, count(*) AS page_views FROM hits
WHERE counter_id = 62 AND event_date >= '2024-07-01' AND event_date <= '2024-07-31'
  AND is_refresh = 0 AND dont_count_hits = 0 AND url_hash = {hash}
GROUP BY window_client_width, window_client_height ORDER BY page_views DESC LIMIT 10 OFFSET 1000;

-- 43: page views by minute
SELECT date_trunc('minute', event_time) AS m, count(*) AS page_views FROM hits
WHERE counter_id = 62 AND event_date >= '2024-07-14' AND event_date <= '2024-07-15'
  AND is_refresh = 0 AND dont_count_hits = 0
GROUP BY date_trunc('minute', event_time) ORDER BY date_trunc('minute', event_time)
LIMIT 10 OFFSET 100;
