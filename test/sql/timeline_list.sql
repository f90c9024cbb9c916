-- Timelines of lists: what members post and the reader may see, pages without a seam, replies, equal to the definition by every way.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username, is_private) SELECT 23000 + n, 'listed_' || n, n IN (3, 4) FROM generate_series(1, 9) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'listed_' || n, 23000 + n FROM generate_series(1, 9) n;
-- the reader is 1, follows 4 (private) and 6; on the list are 2, 3 (private, not followed), 4 and 5
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (23001, 23004, 1), (23001, 23006, 2);
INSERT INTO roost_data.list (id, account_id, title) VALUES (23001, 23001, 'l'), (23002, 23001, 'empty');
INSERT INTO roost_data.list_member (list_id, member_id, account_id, id) SELECT 23001, 23000 + n, 23001, n FROM generate_series(2, 5) n;

INSERT INTO roost_data.post (created_at, id, author_id, thread_id, text, visibility, reply_to_id, reply_to_account_id, mention_ids, retweet_of_id) VALUES
	(now(), 230010, 23002, 230010, 'a post', 'public', NULL, NULL, NULL, NULL),
	(now(), 230011, 23003, 230011, 'private, not followed', 'public', NULL, NULL, NULL, NULL),
	(now(), 230012, 23004, 230012, 'private, followed', 'public', NULL, NULL, NULL, NULL),
	(now(), 230013, 23002, 230013, 'for followers', 'followers', NULL, NULL, NULL, NULL),
	(now(), 230014, 23002, 230014, 'direct to the reader', 'direct', NULL, NULL, '{23001}', NULL),
	(now(), 230015, 23006, 230015, 'followed, not on the list', 'public', NULL, NULL, NULL, NULL),
	(now(), 230016, 23002, 230010, 'to a member', 'public', 230010, 23005, NULL, NULL),
	(now(), 230017, 23002, 230010, 'to a followed account', 'public', 230015, 23006, NULL, NULL),
	(now(), 230018, 23002, 230010, 'to the reader', 'public', 230015, 23001, NULL, NULL),
	(now(), 230019, 23002, 230010, 'to somebody else', 'public', 230015, 23007, NULL, NULL),
	(now(), 230020, 23007, 230020, 'elsewhere', 'public', NULL, NULL, NULL, NULL),
	(now(), 230021, 23002, 230021, '', 'public', NULL, NULL, NULL, 230020),
	(now(), 230022, 23005, 230022, '', 'public', NULL, NULL, NULL, 230020),
	(now(), 230023, 23005, 230023, '', 'public', NULL, NULL, NULL, 230011),
	(now(), 230024, 23001, 230024, 'own', 'public', NULL, NULL, NULL, NULL);

SELECT id, (retweet_of).id AS retweet_of, text FROM roost.timeline_list(23001, '23001');
SELECT id FROM roost.timeline_list(23001, '23001', replies => 'all');
SELECT id FROM roost.timeline_list(23001, '23001', replies => 'none');
SELECT id FROM roost.timeline_list(23001, '23002');

-- pages: each entry once, by cursors of both directions
SELECT id FROM roost.timeline_list(23001, '23001', 3);
SELECT id FROM roost.timeline_list(23001, '23001', 3, before => '230017');
SELECT id FROM roost.timeline_list(23001, '23001', 3, before => '230012');
SELECT id FROM roost.timeline_list(23001, '23001', 10, after => '230014');

-- another's list, and none
SELECT roost.timeline_list(23002, '23001');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.timeline_list(23001, '987654321');
\echo :LAST_ERROR_SQLSTATE

-- oneself on it; a member that goes away, and one that leaves
SELECT count(roost.list_member_add(23001, '23001', '23001'));
SELECT id FROM roost.timeline_list(23001, '23001', 1);
UPDATE roost_data.account SET status = 'suspended' WHERE id = 23005;
SELECT id FROM roost.timeline_list(23001, '23001', 2);
SELECT count(roost.list_member_remove(23001, '23001', '23002'));
SELECT id FROM roost.timeline_list(23001, '23001');
-- a muted member is not shown, nor a muted word
SELECT count(roost.account_mute(23001, '23004')), count(roost.muted_word_create(23001, 'OWN'));
SELECT id FROM roost.timeline_list(23001, '23001');
SELECT count(roost.account_unmute(23001, '23004'));
SELECT id FROM roost.timeline_list(23001, '23001');
-- a block takes the other off the list
SELECT count(roost.account_block(23004, '23001'));
SELECT id FROM roost.timeline_list(23001, '23001');

ROLLBACK;

-- committed, so that outboxes are read: every way gives the definition, page by page
CREATE FUNCTION pg_temp.pages(reader bigint, members bigint[], size integer, replies roost.timeline_replies) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
	v_all bigint[] := '{}';
	v_page bigint[];
BEGIN
	LOOP
		v_page := roost_internal.timeline_list_ids(reader, members, size, coalesce(v_all[cardinality(v_all)], 9223372036854775807), 0, replies);
		v_all := v_all || v_page;
		EXIT WHEN cardinality(v_page) < size;
	END LOOP;
	RETURN v_all;
END
$$;
INSERT INTO roost_data.account (id, username, is_private) SELECT 23100 + n, 'lister_' || n, n % 5 = 0 FROM generate_series(1, 30) n;
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT 23101, 23100 + n, 231000 + n FROM generate_series(2, 8) n;
INSERT INTO roost_data.post (created_at, id, author_id, thread_id, text, visibility, reply_to_id, reply_to_account_id)
SELECT now(), 2310000 + n, 23102 + n % 25, 2310000 + n, 'post ' || n, (ARRAY['public', 'followers', 'unlisted'])[1 + n % 3]::roost.visibility,
	CASE WHEN n % 7 = 0 THEN 2310000 + n - 1 END, CASE WHEN n % 7 = 0 THEN 23102 + (n * 3) % 25 END
FROM generate_series(1, 3000) n;
SELECT roost.timeline_sync('1 minute');
CREATE FUNCTION pg_temp.compare(source text, replies roost.timeline_replies, size integer, OUT entries integer, OUT equal boolean) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	v_members constant bigint[] := '{23103,23105,23108,23115,23116,23120,23103,1}';
	v_got bigint[];
BEGIN
	PERFORM set_config('roost.timeline_source', source, false);
	v_got := pg_temp.pages(23101, v_members, size, replies);
	entries := cardinality(v_got);
	equal := v_got = ARRAY(SELECT d.id FROM roost_internal.timeline_list_definition(23101, v_members, replies) d ORDER BY d.id DESC);
END
$$;
SELECT replies, size, (pg_temp.compare('auto', replies, size)).*, (pg_temp.compare('table', replies, size)).equal AS "table",
	(pg_temp.compare('pull', replies, size)).equal AS pull, (pg_temp.compare('inbox', replies, size)).equal AS inbox, (pg_temp.compare('auto', replies, size)).equal AS auto
FROM unnest(enum_range(NULL::roost.timeline_replies)) replies, unnest('{7,100,1000}'::integer[]) size;
-- outboxes were used: the members have them, and others need not
RESET roost.timeline_source;
SELECT cardinality(roost_internal.timeline_outbox(23103)) > 0 AS kept;
SELECT roost_internal.timeline_list_ids(23101, NULL, 20, 9223372036854775807, 0, 'all'), roost_internal.timeline_list_ids(23101, '{}', 20, 9223372036854775807, 0, 'all'),
	roost_internal.timeline_list_ids(23101, '{NULL}', 20, 9223372036854775807, 0, 'all'), roost_internal.timeline_list_ids(NULL, '{23103}', 20, 9223372036854775807, 0, 'all'),
	cardinality(roost_internal.timeline_list_ids(23101, '{23103}', NULL, 9223372036854775807, 0, NULL)), roost_internal.timeline_list_ids(23101, '{23103}', -1, 9223372036854775807, 0, 'all');

DELETE FROM roost_data.post WHERE author_id BETWEEN 23100 AND 23200;
DELETE FROM roost_data.follow WHERE follower_id = 23101;
DELETE FROM roost_data.account_stat WHERE account_id BETWEEN 23100 AND 23200;
DELETE FROM roost_data.account WHERE id BETWEEN 23100 AND 23200;
