-- For timeline_random.pl and timeline_crash.pl: random steps of a few accounts, and the comparison of what
-- home timelines and timelines of lists show with what they are by definition.

CREATE SCHEMA walk;

INSERT INTO roost_data.account (id, username) SELECT n, 'walker_' || n FROM generate_series(1, 30) n;
-- everybody has a list, with the account's own id
INSERT INTO roost_data.list (id, account_id, title) SELECT n, n, 'list' FROM generate_series(1, 30) n;
INSERT INTO roost_data.list_member (list_id, member_id, account_id, id)
SELECT a, b, a, b FROM generate_series(1, 30) a, generate_series(1, 30) b WHERE (a * 5 + b * 11) % 6 = 0;

CREATE FUNCTION walk.pick(r double precision) RETURNS bigint LANGUAGE sql IMMUTABLE
AS $$ SELECT 1 + floor(r * r * 30)::bigint $$;
COMMENT ON FUNCTION walk.pick(double precision) IS 'An account; the first ones more often, so that some have many followers.';

CREATE FUNCTION walk.post() RETURNS roost_data.post LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	v_post roost_data.post;
BEGIN
	SELECT * INTO v_post FROM roost_data.post p
	WHERE p.id >= (SELECT min(id) + ((max(id) - min(id)) * (1 - random() * random()))::bigint FROM roost_data.post) ORDER BY p.id LIMIT 1;
	RETURN v_post;
END
$$;
COMMENT ON FUNCTION walk.post() IS 'A post; newer ones more often.';

CREATE FUNCTION walk.step(seed integer DEFAULT NULL) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	v_actor bigint;
	v_other bigint;
	v_what double precision;
	v_post roost_data.post;
BEGIN
	IF seed IS NOT NULL THEN
		PERFORM setseed(seed / 1000000.0);
	END IF;
	v_actor := walk.pick(random());
	v_other := walk.pick(random());
	v_what := random() * 118;
	IF v_what < 34 THEN
		IF random() < 0.3 THEN
			v_post := walk.post();
		END IF;
		PERFORM roost.post_create(v_actor, 'step @walker_' || v_other || (ARRAY[' Apple', ' #Pear', ' pineapple', ' ЯБЛОКО', ''])[1 + floor(random() * 5)::int], reply_to_id => v_post.id,
			visibility => (ARRAY['public', 'public', 'public', 'unlisted', 'followers', 'direct'])[1 + floor(random() * 6)::int]::roost.visibility);
		RETURN 'post';
	ELSIF v_what < 44 THEN
		PERFORM roost.post_retweet(v_actor, (walk.post()).id);
		RETURN 'retweet';
	ELSIF v_what < 48 THEN
		SELECT * INTO v_post FROM roost_data.post p WHERE p.author_id = v_actor AND p.retweet_of_id IS NOT NULL ORDER BY random() LIMIT 1;
		PERFORM roost.post_unretweet(v_actor, v_post.retweet_of_id);
		RETURN 'unretweet';
	ELSIF v_what < 54 THEN
		v_post := walk.post();
		PERFORM roost.post_delete(v_post.author_id, v_post.id);
		RETURN 'delete';
	ELSIF v_what < 64 THEN
		v_post := walk.post();
		UPDATE roost_data.post SET visibility = (ARRAY['public', 'followers', 'direct'])[1 + floor(random() * 3)::int]::roost.visibility
		WHERE id = v_post.id;
		RETURN 'visibility';
	ELSIF v_what < 78 THEN
		PERFORM roost.account_follow(v_actor, v_other::text);
		RETURN 'follow';
	ELSIF v_what < 87 THEN
		PERFORM roost.account_unfollow(v_actor, v_other::text);
		RETURN 'unfollow';
	ELSIF v_what < 90 THEN
		UPDATE roost_data.account SET is_private = NOT is_private WHERE id = v_actor / 5 * 5;
		RETURN 'private';
	ELSIF v_what < 92 THEN
		UPDATE roost_data.account SET status = CASE status WHEN 'active' THEN 'suspended' ELSE 'active' END
		WHERE id = (SELECT id FROM roost_data.account WHERE status = 'suspended' UNION ALL SELECT v_actor LIMIT 1);
		RETURN 'suspend';
	ELSIF v_what < 94 THEN
		INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text)
		SELECT i, v_actor, i, now() - interval '1 hour', 'imported'
		FROM (SELECT roost_internal.id_at(now() - interval '1 hour' * random(), v_actor, floor(random() * 1e9)::bigint) AS i) n ON CONFLICT DO NOTHING;
		RETURN 'import';
	ELSIF v_what < 95 THEN
		PERFORM roost.list_member_add(v_actor, v_actor, v_other::text);
		RETURN 'list';
	ELSIF v_what < 96 THEN
		PERFORM roost.list_member_remove(v_actor, v_actor, v_other::text);
		RETURN 'unlist';
	ELSIF v_what < 97 THEN
		PERFORM roost.post_like(v_actor, (walk.post()).id);
		RETURN 'like';
	ELSIF v_what < 99 THEN
		PERFORM roost.account_block(v_actor, v_other::text);
		RETURN 'block';
	ELSIF v_what < 101 THEN
		SELECT b.blocked_id INTO v_other FROM roost_data.account_block b WHERE b.account_id = v_actor ORDER BY random() LIMIT 1;
		PERFORM roost.account_unblock(v_actor, v_other::text);
		RETURN 'unblock';
	ELSIF v_what < 104 THEN
		PERFORM roost.account_mute(v_actor, v_other::text, duration => CASE WHEN random() < 0.5 THEN 100000 END);
		RETURN 'mute';
	ELSIF v_what < 106 THEN
		PERFORM roost.account_unmute(v_actor, v_other::text);
		RETURN 'unmute';
	ELSIF v_what < 108 THEN
		PERFORM roost.muted_word_create(v_actor, (ARRAY['apple', '#pear', 'яблоко', '@walker_' || v_other])[1 + floor(random() * 4)::int], whole_word => random() < 0.5);
		RETURN 'word';
	ELSIF v_what < 110 THEN
		DELETE FROM roost_data.muted_word WHERE account_id = v_actor;
		RETURN 'words';
	ELSIF v_what < 114 THEN
		v_post := walk.post();
		UPDATE roost_data.post SET state = (ARRAY['visible', 'limited', 'held', 'removed'])[1 + floor(random() * 4)::int]::roost.post_state
		WHERE id = v_post.id;
		RETURN 'state';
	ELSIF v_what < 115 THEN
		UPDATE roost_data.account SET limited_at = CASE WHEN limited_at IS NULL THEN now() END
		WHERE id = (SELECT id FROM roost_data.account WHERE limited_at IS NOT NULL UNION ALL SELECT v_actor LIMIT 1);
		RETURN 'limit';
	END IF;
	-- a step that is undone
	BEGIN
		PERFORM walk.step();
		RAISE EXCEPTION USING ERRCODE = 'P0001', MESSAGE = 'undone';
	EXCEPTION WHEN raise_exception THEN
		RETURN 'undone';
	END;
EXCEPTION WHEN OTHERS THEN
	-- refused (nothing to retweet, not allowed to see it …), and the savepoint rolled back
	IF SQLSTATE IN ('40P01', 'XX000') OR SQLSTATE LIKE '53%' THEN
		RAISE;
	END IF;
	RETURN SQLSTATE;
END
$$;
COMMENT ON FUNCTION walk.step(integer) IS 'Does one random thing, or tries to.';

CREATE FUNCTION walk.page(ids bigint[], posts bigint[], start bigint, count integer) RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	v_page bigint[] := '{}';
	v_seen bigint[] := '{}';
BEGIN
	FOR i IN 1 .. cardinality(ids) LOOP
		EXIT WHEN cardinality(v_page) = count;
		CONTINUE WHEN ids[i] >= start OR posts[i] = ANY (v_seen);
		v_page := v_page || ids[i];
		v_seen := v_seen || posts[i];
	END LOOP;
	RETURN v_page;
END
$$;
COMMENT ON FUNCTION walk.page(bigint[], bigint[], bigint, integer) IS 'One page of a definition''s entries, newest first, each post once.';

CREATE FUNCTION walk.difference(reader bigint, page_size integer, replies roost.timeline_replies, own boolean, members bigint[] DEFAULT NULL) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
	v_ids bigint[];
	v_posts bigint[];
	v_start bigint := 9223372036854775807;
	v_wanted bigint[];
	v_got bigint[];
BEGIN
	-- the function is stable: all of it sees one snapshot
	SELECT coalesce(array_agg(d.id ORDER BY d.id DESC), '{}'), coalesce(array_agg(d.post_id ORDER BY d.id DESC), '{}') INTO v_ids, v_posts
	FROM (
		SELECT * FROM roost_internal.timeline_definition(reader, replies, own) WHERE members IS NULL
		UNION ALL
		SELECT * FROM roost_internal.timeline_list_definition(reader, members, replies) WHERE members IS NOT NULL
	) d;
	FOR i IN 1 .. 6 LOOP
		v_wanted := walk.page(v_ids, v_posts, v_start, page_size);
		v_got := CASE WHEN members IS NULL THEN roost_internal.timeline_home_ids(reader, page_size, v_start, 0, replies, own)
			ELSE roost_internal.timeline_list_ids(reader, members, page_size, v_start, 0, replies) END;
		IF v_got IS DISTINCT FROM v_wanted THEN
			RETURN format('reader %s, replies %s, own %s, list %s, page %s of %s: missing %s, too many %s', reader, replies, own, members, i, page_size,
				ARRAY(SELECT unnest(v_wanted) EXCEPT SELECT unnest(v_got)), ARRAY(SELECT unnest(v_got) EXCEPT SELECT unnest(v_wanted)));
		END IF;
		EXIT WHEN cardinality(v_wanted) < page_size;
		v_start := v_wanted[page_size];
	END LOOP;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION walk.difference(bigint, integer, roost.timeline_replies, boolean, bigint[]) IS 'How the first pages of a home timeline, or of the timeline of a list with these members, differ from the definition under one snapshot; null: not at all.';

CREATE FUNCTION walk.check(reader bigint, page_size integer) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE
	v_replies constant roost.timeline_replies := (ARRAY['following', 'all', 'none'])[1 + reader % 3];
	v_difference constant text := coalesce(walk.difference(reader, page_size, v_replies, page_size % 4 <> 0),
		walk.difference(reader, page_size, v_replies, true, roost_internal.list_member_ids(reader)));
BEGIN
	IF v_difference IS NOT NULL THEN
		RAISE EXCEPTION 'a timeline lies: %', v_difference;
	END IF;
END
$$;
COMMENT ON FUNCTION walk.check(bigint, integer) IS 'Fails if the home timeline of a reader, or the timeline of its list, is not what it is by definition.';

CREATE FUNCTION walk.all_differences() RETURNS SETOF text LANGUAGE sql STABLE AS $$
	SELECT d FROM roost_data.account a, unnest(enum_range(NULL::roost.timeline_replies)) r, unnest(ARRAY[true, false]) o,
		walk.difference(a.id, 50, r, o) d
	WHERE d IS NOT NULL
	UNION ALL
	SELECT d FROM roost_data.list l, unnest(enum_range(NULL::roost.timeline_replies)) r,
		walk.difference(l.account_id, 50, r, true, roost_internal.list_member_ids(l.id)) d
	WHERE d IS NOT NULL
$$;
COMMENT ON FUNCTION walk.all_differences() IS 'Every reader, every kind of timeline.';

SELECT roost.account_follow(a, b::text) FROM generate_series(1, 30) a, generate_series(1, 30) b WHERE a <> b AND (a * 7 + b * 3) % 4 = 0;

CREATE FUNCTION walk.wrong_counters() RETURNS SETOF text LANGUAGE sql STABLE AS $$
	SELECT format('post %s: %s likes, %s retweets, %s replies, %s quotes', c.id, c.likes, c.retweets, c.replies, c.quotes)
	FROM (
		SELECT p.id,
			coalesce(sum(s.like_count), 0) AS likes, coalesce(sum(s.retweet_count), 0) AS retweets,
			coalesce(sum(s.reply_count), 0) AS replies, coalesce(sum(s.quote_count), 0) AS quotes
		FROM roost_data.post p LEFT JOIN roost_data.post_stat s ON s.post_id = p.id GROUP BY p.id
	) c
	WHERE (c.likes, c.retweets, c.replies, c.quotes) IS DISTINCT FROM (
		(SELECT count(*) FROM roost_data.post_like l WHERE l.post_id = c.id), (SELECT count(*) FROM roost_data.post r WHERE r.retweet_of_id = c.id),
		(SELECT count(*) FROM roost_data.post r WHERE r.reply_to_id = c.id), (SELECT count(*) FROM roost_data.post r WHERE r.quote_of_id = c.id))
	UNION ALL
	SELECT format('account %s: %s followers, %s followees', c.id, c.followers, c.followees)
	FROM (
		SELECT a.id, coalesce(sum(s.follower_count), 0) AS followers, coalesce(sum(s.following_count), 0) AS followees
		FROM roost_data.account a LEFT JOIN roost_data.account_stat s ON s.account_id = a.id GROUP BY a.id
	) c
	WHERE (c.followers, c.followees) IS DISTINCT FROM (
		(SELECT count(*) FROM roost_data.follow f WHERE f.followee_id = c.id), (SELECT count(*) FROM roost_data.follow f WHERE f.follower_id = c.id))
$$;
COMMENT ON FUNCTION walk.wrong_counters() IS 'Counters that are not what the tables say.';

CREATE FUNCTION walk.wrong_feed() RETURNS SETOF text LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF to_regproc('roost_internal.feed_check') IS NOT NULL THEN
		RETURN QUERY EXECUTE 'SELECT f::text FROM roost_internal.feed_check() f';
	END IF;
END
$$;
COMMENT ON FUNCTION walk.wrong_feed() IS 'What the log of events lacks, or has too much.';
