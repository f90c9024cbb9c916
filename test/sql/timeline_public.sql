-- The public timeline, the timeline of an account, and GET /tweets for strangers and for readers.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
\pset tuples_only on
BEGIN;

-- nothing else is newer: these are from the year 2200
INSERT INTO roost_data.account (id, username, is_private) SELECT 2100 + n, 'public_' || n, n = 3 FROM generate_series(1, 4) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'public_' || n, 2100 + n FROM generate_series(1, 4) n;
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (2101, 2102, 1), (2101, 2103, 2);
SELECT roost_internal.id_floor('2200-01-01Z') AS base \gset
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, visibility, text, reply_to_id, reply_to_account_id, retweet_of_id, mention_ids)
SELECT :base + n, 2100 + author, :base + n, '2200-01-01Z', visibility::roost.visibility, text, :base + reply_to, 2102, :base + retweet_of, ARRAY[2100 + mention]
FROM (VALUES
	(1, 2, 'public', 'first', NULL, NULL, NULL),
	(2, 3, 'public', 'of a private account', NULL, NULL, NULL),
	(3, 2, 'unlisted', 'unlisted', NULL, NULL, NULL),
	(4, 2, 'followers', 'for followers', NULL, NULL, NULL),
	(5, 2, 'direct', 'direct', NULL, NULL, 4),
	(6, 4, 'public', 'reply', 1, NULL, NULL),
	(7, 2, 'public', '', NULL, 2, NULL),
	(8, 2, 'public', 'second', NULL, NULL, NULL),
	(9, 2, 'public', 'reply to myself', 1, NULL, NULL),
	(10, 4, 'public', '', NULL, 1, NULL)
) v (n, author, visibility, text, reply_to, retweet_of, mention);
UPDATE roost_data.post SET reply_to_account_id = NULL WHERE reply_to_id IS NULL AND id >= :base;
CREATE FUNCTION pg_temp.shown(roost.post) RETURNS text LANGUAGE sql AS $$
	SELECT (($1).author).username || coalesce(' RT @' || ((($1).retweet_of).author).username || ' ' || (($1).retweet_of).text, ' ' || ($1).text)
$$;

-- everybody lists public posts: no replies, no retweets, nothing of private accounts
SELECT pg_temp.shown(p) FROM roost.timeline_public("limit" => 2) p;
SELECT pg_temp.shown(p) FROM roost.timeline_public(2101, 2) p;
SELECT pg_temp.shown(p) FROM roost.timeline_public(NULL, 2, before => (:base + 8)::text) p WHERE id >= :base;

-- GET /tweets
SELECT pg_temp.shown(p) FROM roost.timeline("limit" => 2) p;
SELECT pg_temp.shown(p) FROM roost.timeline(2101, 20) p;

-- an account's posts: what a stranger, a follower, someone mentioned and the author see
SELECT pg_temp.shown(p) FROM roost.timeline_account('@public_2') p;
SELECT pg_temp.shown(p) FROM roost.timeline_account('2102', 2101) p;
SELECT pg_temp.shown(p) FROM roost.timeline_account('2102', 2104) p;
SELECT pg_temp.shown(p) FROM roost.timeline_account('2102', 2102) p;
SELECT pg_temp.shown(p) FROM roost.timeline_account('2102', replies => true, retweets => false) p;
SELECT pg_temp.shown(p) FROM roost.timeline_account('2104', "limit" => 1) p;
SELECT pg_temp.shown(p) FROM roost.timeline_account('2102', 2102, 2, before => (:base + 8)::text) p;

-- a private account's: for its followers
SELECT pg_temp.shown(p) FROM roost.timeline_account('2103', 2101) p;
SELECT pg_temp.shown(p) FROM roost.timeline_account('2103', 2104) p;
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.shown(p) FROM roost.timeline_account('@nobody_at_all') p;
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
