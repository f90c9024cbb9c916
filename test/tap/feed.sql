-- For feed.pl: acts of which mailboxes tell, on top of walk.sql.

CREATE SCHEMA feed_test;

-- so that they can be mentioned
INSERT INTO roost_data.account_handle (username, account_id) SELECT a.username, a.id FROM roost_data.account a ON CONFLICT DO NOTHING;

-- Groups in which everybody talks.
INSERT INTO roost_data.conversation (id, kind, member_count) SELECT 100 + n, 'group', 2 FROM generate_series(0, 3) n;

CREATE FUNCTION feed_test.talk(actor_id bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	v_room constant bigint := 100 + floor(random() * 4);
	v_message bigint;
BEGIN
	SELECT m.id INTO v_message FROM roost_data.message m WHERE m.conversation_id = v_room ORDER BY random() LIMIT 1;
	CASE floor(random() * 9)
		WHEN 0 THEN
			PERFORM roost_internal.feed_tell('message_edited', actor_id, v_room, v_room, v_message);
		WHEN 1 THEN
			PERFORM roost_internal.feed_tell('message_read', actor_id, walk.pick(random()), v_room, v_message);
		WHEN 2 THEN
			-- their time is over
			DELETE FROM roost_data.message m WHERE m.conversation_id = v_room AND m.id <= v_message;
		WHEN 3, 4 THEN
			PERFORM roost.friend_request_create(actor_id, walk.pick(random())::text);
		WHEN 5 THEN
			PERFORM roost.friend_request_accept(r.recipient_id, r.id) FROM (SELECT * FROM roost_data.friend_request ORDER BY random() LIMIT 1) r;
		WHEN 6 THEN
			PERFORM roost.friend_request_cancel(r.requester_id, r.id) FROM (SELECT * FROM roost_data.friend_request ORDER BY random() LIMIT 1) r;
			PERFORM roost.friend_request_reject(r.recipient_id, r.id) FROM (SELECT * FROM roost_data.friend_request ORDER BY random() LIMIT 1) r;
			PERFORM roost.friend_remove(f.account_id, f.friend_id::text) FROM (SELECT * FROM roost_data.friendship ORDER BY random() LIMIT 1) f;
		ELSE
			INSERT INTO roost_data.message (id, conversation_id, sender_id, text)
			SELECT roost_internal.id_next(v_room), v_room, actor_id, 'hello' FROM generate_series(0, floor(random() * 3)::int);
	END CASE;
END
$$;
COMMENT ON FUNCTION feed_test.talk(bigint) IS 'Does one random thing that is told to a room.';

CREATE FUNCTION feed_test.act(seed integer DEFAULT NULL) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	v_actor bigint;
	v_what double precision;
	v_post roost_data.post;
BEGIN
	IF seed IS NOT NULL THEN
		PERFORM setseed(seed / 1000000.0);
	END IF;
	v_actor := walk.pick(random());
	v_what := random() * 100;
	v_post := walk.post();
	IF random() < 0.15 THEN
		PERFORM feed_test.talk(v_actor);
	ELSIF v_what < 20 THEN
		PERFORM roost.post_like(v_actor, v_post.id);
	ELSIF v_what < 30 THEN
		PERFORM roost.post_unlike(v_actor, (SELECT l.post_id FROM roost_data.post_like l WHERE l.account_id = v_actor ORDER BY random() LIMIT 1));
	ELSIF v_what < 45 THEN
		PERFORM roost.post_create(v_actor, 'to @walker_' || walk.pick(random()) || ' and @walker_' || walk.pick(random()),
			reply_to_id => CASE WHEN random() < 0.5 THEN v_post.id END, quote_of_id => CASE WHEN random() < 0.5 THEN (walk.post()).id END);
	ELSIF v_what < 55 THEN
		PERFORM roost.post_edit(v_post.author_id, v_post.id, 'now to @walker_' || walk.pick(random()));
	ELSIF v_what < 60 THEN
		PERFORM roost.post_retweet(v_actor, v_post.id);
	ELSIF v_what < 65 THEN
		PERFORM roost.post_delete(v_post.author_id, v_post.id);
	ELSIF v_what < 80 THEN
		PERFORM roost.account_follow(v_actor, walk.pick(random())::text);
	ELSIF v_what < 90 THEN
		PERFORM roost.account_unfollow(v_actor, walk.pick(random())::text);
	ELSIF v_what < 91 THEN
		UPDATE roost_data.post SET state = (ARRAY['visible', 'visible', 'limited', 'held', 'removed'])[1 + floor(random() * 5)::int]::roost.post_state WHERE id = v_post.id;
	ELSIF v_what < 92 THEN
		-- not those who are mentioned in the end
		PERFORM roost.account_block(v_actor, (10 + walk.pick(random()) % 20)::text);
		PERFORM roost.account_unblock(v_actor, (10 + walk.pick(random()) % 20)::text);
	ELSIF v_what < 93 THEN
		PERFORM roost.account_mute(v_actor, walk.pick(random())::text);
		PERFORM roost.muted_word_create(v_actor, 'word ' || floor(random() * 20));
	ELSIF v_what < 94 THEN
		-- held when it is made; the first held ones are released
		INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text, mention_ids, state)
		SELECT i, v_actor, i, now(), 'held', ARRAY[walk.pick(random()), walk.pick(random())], 'held' FROM (SELECT roost_internal.id_next(v_actor) AS i) n;
		UPDATE roost_data.post SET state = 'visible' WHERE id IN (SELECT id FROM roost_data.post WHERE state = 'held' AND random() < 0.5 ORDER BY id LIMIT 5);
	ELSIF v_what < 95 THEN
		UPDATE roost_data.account SET is_private = NOT is_private WHERE id = v_actor / 5 * 5;
	ELSIF v_what < 97 THEN
		PERFORM roost.follow_request_accept(r.followee_id, r.follower_id::text)
		FROM (SELECT * FROM roost_data.follow_request ORDER BY random() LIMIT 1) r;
	ELSIF v_what < 98 THEN
		PERFORM roost_internal.account_erase(a.id) FROM roost_data.account a WHERE a.id > 30 AND a.status = 'active' LIMIT 1;
	ELSE
		INSERT INTO roost_data.account (id, username) SELECT i, 'guest_' || i FROM (SELECT roost_internal.id_next() AS i) n;
		PERFORM roost.account_follow((SELECT max(id) FROM roost_data.account), v_actor::text);
		PERFORM roost.post_like((SELECT max(id) FROM roost_data.account), v_post.id);
	END IF;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	-- refused, and rolled back
	IF SQLSTATE IN ('40P01', 'XX000') OR SQLSTATE LIKE '53%' THEN
		RAISE;
	END IF;
	RETURN SQLSTATE;
END
$$;
COMMENT ON FUNCTION feed_test.act(integer) IS 'Does one random thing, or tries to.';
