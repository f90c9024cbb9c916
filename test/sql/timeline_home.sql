-- What a home timeline shows: by example, then every page against the definition.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

-- 1 reads; it follows 2, 3 (private) and 4. 5 and 6 are strangers to it.
INSERT INTO roost_data.account (id, username, is_private) SELECT 2000 + n, 'home_' || n, n = 3 FROM generate_series(1, 6) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'home_' || n, 2000 + n FROM generate_series(1, 6) n;
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (2001, 2002, 1), (2001, 2003, 2), (2001, 2004, 3), (2005, 2001, 4), (2006, 2003, 5);
CREATE FUNCTION pg_temp.post(n integer, author integer, content text, seen_by roost.visibility DEFAULT 'public', reply_to integer DEFAULT NULL, retweet_of integer DEFAULT NULL, mention integer DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	INSERT INTO roost_data.post (id, author_id, thread_id, reply_to_id, reply_to_account_id, retweet_of_id, created_at, visibility, text, mention_ids)
	SELECT 3000000 + n, 2000 + author, coalesce(r.thread_id, 3000000 + n), r.id, r.author_id, 3000000 + retweet_of, now(), seen_by, content,
		CASE WHEN mention IS NOT NULL THEN ARRAY[2000 + mention] END
	FROM (SELECT) one LEFT JOIN roost_data.post r ON r.id = 3000000 + reply_to
$$;
SELECT pg_temp.post(1, 2, 'public of a followee');
SELECT pg_temp.post(2, 5, 'public of a stranger');
SELECT pg_temp.post(3, 3, 'private account', 'public');
SELECT pg_temp.post(4, 4, 'for followers', 'followers');
SELECT pg_temp.post(5, 1, 'my own', 'followers');
SELECT pg_temp.post(6, 2, 'direct to me', 'direct', mention => 1);
SELECT pg_temp.post(7, 2, 'direct to another', 'direct', mention => 4);
SELECT pg_temp.post(8, 2, 'reply to a followee', reply_to => 3);
SELECT pg_temp.post(9, 2, 'reply to a stranger', reply_to => 2);
SELECT pg_temp.post(10, 4, 'reply to me', reply_to => 5);
SELECT pg_temp.post(11, 1, 'my reply to a stranger', reply_to => 2);
SELECT pg_temp.post(12, 4, 'unlisted', 'unlisted');
SELECT pg_temp.post(13, 2, '', retweet_of => 2);
SELECT pg_temp.post(14, 4, '', retweet_of => 2);
SELECT pg_temp.post(15, 4, '', retweet_of => 1);
SELECT pg_temp.post(16, 6, 'for followers of a stranger', 'followers');
SELECT pg_temp.post(17, 4, '', retweet_of => 16);

CREATE FUNCTION pg_temp.shown(roost.post) RETURNS text LANGUAGE sql AS $$
	SELECT ($1).id - 3000000 || ' @' || (($1).author).username || coalesce(' RT @' || ((($1).retweet_of).author).username || ' ' || (($1).retweet_of).text, ' ' || ($1).text)
$$;
SELECT pg_temp.shown(p) FROM roost.timeline_home(2001) p;
SELECT pg_temp.shown(p) FROM roost.timeline_home(2001, replies => 'all') p;
SELECT pg_temp.shown(p) FROM roost.timeline_home(2001, replies => 'none', own => false) p;

SELECT (SELECT count(*) FROM roost.timeline_home(2001, NULL)) = (SELECT count(*) FROM roost.timeline_home(2001)) AS same_as_default;
-- a post shows once a page, where it appears first; then on a later page
SELECT pg_temp.shown(p) FROM roost.timeline_home(2001, 3) p;
SELECT pg_temp.shown(p) FROM roost.timeline_home(2001, 3, before => '3000012') p;
SELECT pg_temp.shown(p) FROM roost.timeline_home(2001, 10, after => '3000010') p;
SELECT pg_temp.shown(p) FROM roost.timeline_home(2001, before => '3000000') p;
SELECT pg_temp.shown(p) FROM roost.timeline_home(2001, 3, before => 'x y') p;
\echo :LAST_ERROR_SQLSTATE

-- top: what is talked about moves up; pages fit together
INSERT INTO roost_data.post_stat (post_id, slot, like_count, reply_count, retweet_count) VALUES (3000001, 0, 9, 0, 0), (3000003, 0, 3, 1, 1), (3000003, 1, -1, 0, 0);
SELECT pg_temp.shown(p) FROM roost.timeline_home(2001, 4, "order" => 'top') p;
SELECT pg_temp.shown(p) FROM roost.timeline_home(2001, 4, "order" => 'top', before => (SELECT min(cursor)::text FROM roost.timeline_home(2001, 4, "order" => 'top'))) p;

-- a suspended author is gone, also from retweets; a reader who follows nobody reads itself
UPDATE roost_data.account SET status = 'suspended' WHERE id = 2005;
SELECT pg_temp.shown(p) FROM roost.timeline_home(2001, 3) p;
SELECT pg_temp.shown(p) FROM roost.timeline_home(2002) p WHERE id <> 3000007 LIMIT 2;
SELECT count(*) FROM roost.timeline_home(2002, own => false);
UPDATE roost_data.account SET status = 'active' WHERE id = 2005;

-- unfollowing takes effect at once
SELECT (roost.account_unfollow(2001, '2002')).following;
SELECT pg_temp.shown(p) FROM roost.timeline_home(2001, 3) p;

-- Every page equals the definition: 40 accounts of all kinds, 1,200 posts of
-- all kinds, readers with few and with many followees, all modes.
CREATE TEMP TABLE dice AS SELECT n, ('x' || substr(md5('timeline ' || n), 1, 8))::bit(32)::bigint AS d, ('x' || substr(md5('timeline ' || n), 9, 8))::bit(32)::bigint AS e FROM generate_series(1, 1200) n;
INSERT INTO roost_data.account (id, username, is_private, status)
SELECT 5000 + n, 'dice_' || n, n % 5 = 0, CASE n % 9 WHEN 8 THEN 'suspended' ELSE 'active' END FROM generate_series(0, 39) n;
INSERT INTO roost_data.follow (follower_id, followee_id, id)
SELECT DISTINCT ON (1, 2) 5000 + r, 5000 + d % 40, 100000 + r * 1200 + n
FROM generate_series(0, 39) r, dice WHERE n <= (r + 1) * (r + 1) AND (d >> 8) % 40 = r AND d % 40 <> r;
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT 5039, 5000 + n, 900000 + n FROM generate_series(0, 38) n ON CONFLICT DO NOTHING;
INSERT INTO roost_data.post (id, author_id, thread_id, reply_to_id, reply_to_account_id, retweet_of_id, created_at, visibility, text, mention_ids)
SELECT 6000000 + n, 5000 + author, 6000000 + n, CASE WHEN kind = 1 THEN 6000000 + e % n END, CASE WHEN kind = 1 THEN 5000 + (e >> 4) % 40 END,
	CASE WHEN kind = 2 THEN 6000000 + 1 + e % n % 60 END, now(),
	CASE WHEN kind = 2 THEN 'public' ELSE (enum_range(NULL::roost.visibility))[1 + d % 4] END,
	CASE WHEN kind = 2 THEN '' ELSE 'post ' || n END, CASE WHEN d % 7 < 3 THEN ARRAY[5000 + (e >> 6) % 40] END
FROM (SELECT *, (d >> 12) % CASE WHEN n % 3 = 0 THEN 3 ELSE 40 END AS author, CASE WHEN n < 62 THEN 0 ELSE (e >> 20) % 3 END AS kind FROM dice) t
ON CONFLICT DO NOTHING;

-- the pages that the definition gives, entry by entry
CREATE FUNCTION pg_temp.pages(reader bigint, size integer, replies roost.timeline_replies, own boolean) RETURNS TABLE (page integer, ids bigint[]) LANGUAGE plpgsql AS $$
DECLARE
	v_entry record;
	v_seen bigint[] := '{}';
BEGIN
	page := 1;
	ids := '{}';
	FOR v_entry IN SELECT * FROM roost_internal.timeline_definition(reader, replies, own) ORDER BY id DESC LOOP
		CONTINUE WHEN v_entry.post_id = ANY (v_seen);
		ids := ids || v_entry.id;
		v_seen := v_seen || v_entry.post_id;
		IF cardinality(ids) = size THEN
			RETURN NEXT;
			page := page + 1;
			ids := '{}';
			v_seen := '{}';
		END IF;
	END LOOP;
	RETURN NEXT;
END
$$;
CREATE FUNCTION pg_temp.read(reader bigint, size integer, replies roost.timeline_replies, own boolean) RETURNS TABLE (page integer, ids bigint[]) LANGUAGE plpgsql AS $$
DECLARE
	v_before bigint := 9223372036854775807;
BEGIN
	page := 1;
	LOOP
		ids := ARRAY(SELECT t.id FROM roost.timeline_home(reader, size, before => v_before::text, replies => read.replies, own => read.own) t);
		RETURN NEXT;
		EXIT WHEN cardinality(ids) < size;
		v_before := ids[size];
		page := page + 1;
	END LOOP;
END
$$;
CREATE TEMP TABLE mode AS
SELECT reader, size, replies, own
FROM unnest('{5000,5003,5010,5020,5037,5039}'::bigint[]) reader, unnest('{1,7,20,2000}'::integer[]) size,
	unnest(enum_range(NULL::roost.timeline_replies)) replies, unnest('{t,f}'::boolean[]) own
WHERE size > 1 OR reader < 5011;
CREATE TEMP TABLE compared AS
SELECT reader, size, replies, own, page, d.ids AS defined, r.ids AS read
FROM (SELECT m.*, p.* FROM mode m, pg_temp.pages(reader, size, replies, own) p) d
FULL JOIN (SELECT m.*, p.* FROM mode m, pg_temp.read(reader, size, replies, own) p) r USING (reader, size, replies, own, page);
SELECT count(*) > 1000 AS many, count(*) FILTER (WHERE defined IS DISTINCT FROM read) AS different FROM compared;
SELECT reader, size, count(*) AS pages, sum(cardinality(defined)) AS entries FROM compared WHERE own AND replies = 'following' GROUP BY 1, 2 ORDER BY 1, 2;
ROLLBACK;
