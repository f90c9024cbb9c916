-- demo.sql: people, follows, posts, likes, a few reports and conversations out of
-- nothing, through the import functions.  Set-based and deterministic: the same account number always gets
-- the same name, texts and friends, so running it again adds only what is new.
--
-- Variables: n (accounts), step (accounts, follows, posts, likes, reports or messages), first and
-- last (the account numbers to make these for), password (of the accounts "demo" and
-- "demo_moderator").

\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
SET synchronous_commit = off;

-- A number in [0, 1) that depends on nothing but its arguments.
CREATE FUNCTION pg_temp.u(a bigint, b bigint) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ((hashint8extended(a, b) >> 12) & 4503599627370495) / 4503599627370496.0 $$;

-- One of the words, chosen by a number in [0, 1).
CREATE FUNCTION pg_temp.pick(u double precision, words text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT words[1 + floor(u * cardinality(words))::integer] $$;

-- How many, when few have many: at least smallest, rarely much more.
CREATE FUNCTION pg_temp.tail(u double precision, smallest double precision, most double precision) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT floor(least(smallest / power(1 - u, 0.6), most))::integer $$;

-- Account 0 is "demo"; the smaller the number, the better known.
CREATE FUNCTION pg_temp.username(i bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN i = 0 THEN 'demo' ELSE pg_temp.pick(pg_temp.u(i, 1),
		'{ada,ben,cleo,dario,elif,finn,greta,hugo,ines,jonas,kira,luca,mila,noah,olga,pablo,quinn,rosa,sami,tara,umut,vera,wim,xenia,yara,zoe}') || '_' || i END
$$;

-- Something that person i says the j-th time.
CREATE FUNCTION pg_temp.sentence(i bigint, j bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT pg_temp.pick(pg_temp.u(i, 100 + j * 8),
			'{"Today I tried",Finally,"Small joy:","Question:","Thinking about","Never again without","My week:","Hot take:","Does anybody else love","Good morning with","Still dreaming of","Late again because of"}')
		|| ' ' || pg_temp.pick(pg_temp.u(i, 101 + j * 8),
			'{"a new bicycle","fresh bread","the night train","a borrowed telescope","rain on the roof","my old synthesizer","the corner bookshop","an open window","the first snow","a very long spreadsheet","two cats and one chair","the ferry at dawn","Köln in autumn 🍂","un café au soleil","もう一度","the quiet hour"}')
		|| ' ' || pg_temp.pick(pg_temp.u(i, 102 + j * 8),
			'{"and it worked.","and I have notes.","before breakfast ☕","with friends.","for the third time.","– ask me anything.","and no regrets.","more soon!","if only for a day.","because why not?","in the best company 🎉","and that is all."}')
		|| CASE WHEN pg_temp.u(i, 103 + j * 8) < 0.35 THEN ' #' || pg_temp.pick(pg_temp.u(i, 104 + j * 8), '{music,cycling,bread,trains,stars,books,cats,rain,work,travel}') ELSE '' END
		|| CASE WHEN pg_temp.u(i, 105 + j * 8) < 0.08 THEN ' https://example.org/' || i || '/' || j ELSE '' END
$$;

SELECT :'step' = 'accounts' AS is_accounts, :'step' = 'follows' AS is_follows, :'step' = 'posts' AS is_posts, :'step' = 'likes' AS is_likes, :'step' = 'reports' AS is_reports, :'step' = 'messages' AS is_messages \gset

\if :is_accounts
INSERT INTO roost_data.import_account (external_id, username, email, password_hash, display_name, bio, language, is_private, created_at)
SELECT 'demo-' || i, pg_temp.username(i), pg_temp.username(i) || '@example.org',
	CASE WHEN i = 0 THEN crypt(:'password', gen_salt('bf', 10)) END,
	initcap(split_part(pg_temp.username(i), '_', 1)), CASE WHEN pg_temp.u(i, 2) < 0.7 THEN pg_temp.sentence(i, 0) ELSE '' END,
	pg_temp.pick(pg_temp.u(i, 3), '{en,en,en,de,fr,ja}'), i > 0 AND pg_temp.u(i, 4) < 0.05,
	date_trunc('day', now()) - interval '400 days' * (0.25 + 0.75 * pg_temp.u(i, 5))
FROM generate_series(:first, :last) i
ON CONFLICT DO NOTHING;
SELECT inserted, existing, refused FROM roost.account_import() \gset
\endif

\if :is_follows
-- Whom one follows: mostly the well known, sometimes anybody.
INSERT INTO roost_data.import_follow (follower, followee, created_at)
SELECT DISTINCT ON (i, f) 'demo-' || i, 'demo-' || f, date_trunc('day', now()) - interval '90 days' * pg_temp.u(i, 3000 + k)
FROM generate_series(:first, :last) i,
	generate_series(1, CASE WHEN i = 0 THEN least(100, :n) ELSE pg_temp.tail(pg_temp.u(i, 10), 8, :n / 4.0) END) k,
	LATERAL (SELECT floor(:n * power(pg_temp.u(i, 1000 + k), CASE WHEN k % 4 = 0 THEN 1 ELSE 2.5 END))::bigint AS f) x
WHERE f <> i
ORDER BY i, f, k;
SELECT inserted, existing, refused FROM roost.follow_import() \gset
\endif

\if :is_posts
-- Post j of account i is "demo-i-j".  Some answer or pass on a post of somebody well known.
INSERT INTO roost_data.import_post (external_id, author, created_at, text, reply_to, quote_of, retweet_of, visibility, language)
SELECT 'demo-' || i || '-' || j, 'demo-' || i,
	date_trunc('day', now()) - interval '90 days' * CASE WHEN kind < 0.6 THEN 0.1 + 0.9 * pg_temp.u(i, 60 + j) ELSE 0.1 * pg_temp.u(i, 60 + j) END,
	CASE WHEN kind >= 0.85 THEN '' WHEN kind >= 0.6 AND kind < 0.8 THEN '@' || pg_temp.username(other) || ' ' ELSE '' END
		|| CASE WHEN kind >= 0.85 THEN '' ELSE pg_temp.sentence(i, j) END,
	CASE WHEN kind >= 0.6 AND kind < 0.8 THEN 'demo-' || other || '-1' END,
	CASE WHEN kind >= 0.8 AND kind < 0.85 THEN 'demo-' || other || '-1' END,
	CASE WHEN kind >= 0.85 THEN 'demo-' || other || '-1' END,
	CASE WHEN j > 1 AND kind < 0.6 AND pg_temp.u(i, 80 + j) < 0.08 THEN 'followers' ELSE 'public' END, 'en'
FROM generate_series(:first, :last) i, generate_series(1, pg_temp.tail(pg_temp.u(i, 11), 3, 200)) j,
	-- the first post of everybody is one of its own, and it is older: others build on it
	LATERAL (SELECT CASE WHEN j = 1 THEN 0 ELSE pg_temp.u(i, 70 + j) END AS kind, floor((i + 1) * power(pg_temp.u(i, 90 + j), 2.5))::bigint AS other) x
ON CONFLICT DO NOTHING;
-- Nobody passes the same post on twice.
DELETE FROM roost_data.import_post p
USING (SELECT external_id, row_number() OVER (PARTITION BY author, retweet_of ORDER BY external_id) AS n
	FROM roost_data.import_post WHERE retweet_of IS NOT NULL) d
WHERE d.external_id = p.external_id AND d.n > 1;
SELECT inserted, existing, refused FROM roost.post_import() \gset
\endif

\if :is_likes
INSERT INTO roost_data.import_like (account, post, created_at)
SELECT DISTINCT 'demo-' || floor(:n * pg_temp.u(i * 1009 + j, k))::bigint, 'demo-' || i || '-' || j, date_trunc('day', now())
FROM generate_series(:first, :last) i, generate_series(1, pg_temp.tail(pg_temp.u(i, 11), 3, 200)) j,
	generate_series(1, pg_temp.tail(pg_temp.u(i, 4000 + j), 2, least(1000, :n / 5.0)) - 1) k
WHERE EXISTS (SELECT FROM roost_data.import_map m WHERE m.kind = 'post' AND m.external_id = 'demo-' || i || '-' || j);
SELECT inserted, existing, refused FROM roost.like_import() \gset
\endif

\if :is_reports
-- A moderator for the console, and reports about the first posts of some, each with its comment, once.
INSERT INTO roost_data.import_account (external_id, username, email, password_hash, display_name, created_at)
SELECT 'demo-moderator', 'demo_moderator', 'demo_moderator@example.org', crypt(:'password', gen_salt('bf', 10)), 'Moderator', now() - interval '400 days'
WHERE :first = 0
ON CONFLICT DO NOTHING;
SELECT inserted, existing, refused FROM roost.account_import() \gset
SELECT roost.role_grant('@demo_moderator', 'moderator') \g /dev/null
SELECT count(*) AS inserted FROM (
	SELECT reporter.id AS reporter_id, post.id AS post_id, p.author_id, pg_temp.pick(pg_temp.u(i, 9000), '{spam,spam,harassment,hate,other}') AS category,
		pg_temp.pick(pg_temp.u(i * 10 + k, 9001), '{"The third time today.","Please have a look.","This is no fun for those concerned.","Advertising."}') AS comment
	FROM generate_series(greatest(:first, 1), least(:last, 12)) i CROSS JOIN LATERAL generate_series(1, 1 + i::integer % 3) k
	JOIN roost_data.import_map reporter ON reporter.kind = 'account' AND reporter.external_id = 'demo-' || CASE WHEN k = 1 THEN 0 ELSE (i + 13 + k) % :n END
	JOIN roost_data.import_map post ON post.kind = 'post' AND post.external_id = 'demo-' || i || '-1'
	JOIN roost_data.post p ON p.id = post.id AND p.author_id <> reporter.id
	JOIN roost_data.account a ON a.id = p.author_id AND NOT a.is_private AND a.status = 'active'
	WHERE NOT EXISTS (SELECT FROM roost_data.report r JOIN roost_data.moderation_case c ON c.id = r.case_id
		WHERE r.reporter_id = reporter.id AND c.subject_type = 'post' AND c.subject_id = post.id)
	OFFSET 0
) d CROSS JOIN LATERAL roost.report_create(d.reporter_id, d.category, NULL, d.post_id, d.comment) \gset
\set existing 0
\endif

\if :is_messages
-- Friends of "demo", somebody who asks to be one, what they have written to each other, and a group.
CREATE FUNCTION pg_temp.account(i bigint) RETURNS bigint LANGUAGE sql STABLE
AS $$ SELECT m.id FROM roost_data.import_map m WHERE m.kind = 'account' AND m.external_id = 'demo-' || i $$;
CREATE FUNCTION pg_temp.talk(n bigint) RETURNS bigint LANGUAGE plpgsql
AS $$
DECLARE
	v_demo_id constant bigint := pg_temp.account(0);
	v_before constant bigint := (SELECT count(*) FROM roost_data.message);
	v_group_id bigint;
	v_friend_id bigint;
	v_message roost.message;
BEGIN
	FOR i IN 1..least(n - 1, 5) LOOP
		v_friend_id := pg_temp.account(i);
		IF NOT roost_internal.is_friend(v_demo_id, v_friend_id) AND NOT EXISTS (SELECT FROM roost_data.friend_request r
			WHERE r.recipient_id = v_demo_id AND r.requester_id = v_friend_id)
		THEN
			PERFORM roost.friend_request_create(v_friend_id, v_demo_id::text);
		END IF;
		CONTINUE WHEN i = 5; -- waits for an answer
		PERFORM roost.friend_request_accept(v_demo_id, r.id) FROM roost_data.friend_request r WHERE r.recipient_id = v_demo_id AND r.requester_id = v_friend_id;
		FOR j IN 1..4 + i LOOP
			v_message := roost.message_create(CASE WHEN (i + j) % 2 = 0 THEN v_demo_id ELSE v_friend_id END,
				(CASE WHEN (i + j) % 2 = 0 THEN v_friend_id ELSE v_demo_id END)::text,
				text => pg_temp.sentence(1000000 + i, j), client_id => 'demo-' || i || '-' || j);
		END LOOP;
		IF i > 2 THEN
			PERFORM roost.conversation_read(v_demo_id, v_message.conversation_id);
		END IF;
	END LOOP;
	SELECT c.id INTO v_group_id FROM roost_data.conversation c JOIN roost_data.conversation_member m ON m.conversation_id = c.id
	WHERE m.account_id = v_demo_id AND c.created_by = v_demo_id AND c.title = 'The night train';
	IF NOT FOUND THEN
		SELECT t.id INTO v_group_id FROM roost.conversation_create(v_demo_id, 'group',
			ARRAY(SELECT pg_temp.account(i)::text FROM generate_series(1, least(n - 1, 8)) i), title => 'The night train', description => 'Who sleeps in which berth') t;
	END IF;
	FOR j IN 1..12 LOOP
		v_message := roost.message_create(pg_temp.account(j * 7 % least(n, 9)), conversation_id => v_group_id, text => pg_temp.sentence(2000000, j), client_id => 'demo-group-' || j);
		PERFORM roost.message_react(v_demo_id, v_message.id, '🚂', v_group_id) WHERE j % 5 = 0;
	END LOOP;
	RETURN (SELECT count(*) FROM roost_data.message) - v_before;
END
$$;
SELECT CASE WHEN :first = 0 THEN pg_temp.talk(:n) ELSE 0 END AS inserted \gset
\set existing 0
\set refused 0
\endif

\echo :inserted :existing :refused
