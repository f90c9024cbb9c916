-- Blocks: what they end and keep out, in both directions and whoever writes them; lists, relationships, leaving.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username, is_private) SELECT 1700 + n, 'block_' || n, n = 4 FROM generate_series(1, 9) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'block_' || n, 1700 + n FROM generate_series(1, 9) n;

-- what is between two accounts: follows in both directions, a request, entries in lists of both, and what is not between them
SELECT count(roost.account_follow(a, b::text)) FROM (VALUES (1701, 1702), (1702, 1701), (1703, 1702), (1701, 1703), (1702, 1704), (1705, 1704)) f (a, b);
INSERT INTO roost_data.list (id, account_id, title) VALUES (1, 1701, 'a'), (2, 1701, 'b'), (3, 1702, 'c');
SELECT count(roost.list_member_add(actor, list, member::text)) FROM (VALUES (1701, 1, 1702), (1701, 1, 1703), (1701, 2, 1702), (1702, 3, 1701), (1702, 3, 1703)) m (actor, list, member);

-- a block ends it in one step; again changes nothing
SELECT * FROM roost.account_block(1701, '@Block_2');
SELECT * FROM roost.account_block(1701, '1702');
SELECT * FROM roost.relationship_get(1702, '1701');
SELECT (relationship).* FROM roost.account_get(1702, '1701');
SELECT follower_id, followee_id FROM roost_data.follow WHERE follower_id BETWEEN 1700 AND 1710 ORDER BY 1, 2;
SELECT list_id, member_id FROM roost_data.list_member WHERE account_id BETWEEN 1700 AND 1710 ORDER BY 1, 2;
SELECT id, follower_count, following_count FROM roost_bi.account WHERE id BETWEEN 1701 AND 1703 ORDER BY id;
SELECT count(*) FROM roost_data.account_block WHERE account_id = 1701;

-- neither can begin anything with the other, and both are told the same
SELECT roost.account_follow(1701, '1702');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_follow(1702, '1701');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.list_member_add(1701, 1, '1702');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.list_member_add(1702, 3, '1701');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.follow_request_accept(1701, '1702');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_block(1704, '1702');
SELECT roost.account_follow(1702, '1704');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM roost_data.follow_request WHERE followee_id = 1704;

-- nor does a trusted role write it past the block, one or many
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (1702, 1701, 1);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT 1702, g, g FROM (SELECT 1701 UNION ALL SELECT generate_series(1710, 1760)) t (g);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO roost_data.list_member (list_id, member_id, account_id, id) VALUES (3, 1701, 1702, 1);
\echo :LAST_ERROR_SQLSTATE

-- others go on; lists of followers are closed to the other side, and leave it out elsewhere
SELECT following FROM roost.account_follow(1702, '1703');
SELECT roost.follower_list('1701', 1702);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.following_list('1702', 1701);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.timeline_account('1702', 1701);
\echo :LAST_ERROR_SQLSTATE
SELECT id FROM roost.follower_list('1703', 1701) ORDER BY id;
SELECT id FROM roost.follower_list('1703', 1702) ORDER BY id;
SELECT id FROM roost.follower_list('1703', 1705) ORDER BY id;
SELECT id FROM roost.follower_list('1703') ORDER BY id;
SELECT count(roost.account_follow(1706, b::text)) FROM (VALUES (1701), (1702), (1703)) f (b);
SELECT id FROM roost.following_list('1706', 1701) ORDER BY id;
SELECT id FROM roost.following_list('1706', 1702) ORDER BY id;

-- presence
SELECT roost_internal.live_viewers(1701, '{0,1701,1702,1703}'), roost_internal.live_viewers(1702, '{0,1701,1703}'), roost_internal.live_viewers(1703, '{0,1701,1702}');
SELECT roost.presence_settings_set(a, 'everyone') FROM generate_series(1701, 1703) a;
SELECT a, v, roost_internal.may_see_presence(v, a) FROM (VALUES (1701, 1702), (1702, 1701), (1701, 1703), (1703, 1701), (1701, NULL), (1701, 1701)) t (a, v);

-- the list of blocks is one's own
SELECT count(roost.account_block(1701, n::text)) FROM generate_series(1705, 1708) n;
SELECT id, (relationship).blocking FROM roost.block_list(1701, 3);
SELECT id FROM roost.block_list(1701, 3, before => (SELECT min(cursor)::text FROM roost.block_list(1701, 3)));
SELECT id FROM roost.block_list(1702);

-- unblocking brings nothing back; a block in the other direction stays
SELECT roost.account_block(1702, '1701');
SELECT * FROM roost.account_unblock(1701, '1702');
SELECT * FROM roost.account_unblock(1701, '1702');
SELECT roost.account_follow(1701, '1702');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM roost.account_unblock(1702, '@block_1');
SELECT * FROM roost.account_follow(1701, '1702');

-- refusals
SELECT roost.account_block(1701, '1701');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_block(1701, '@nobody_here');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_block(99999, '1701');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO roost_data.account_block (account_id, blocked_id, id) VALUES (1701, 1701, 1);
\echo :LAST_ERROR_SQLSTATE

-- rows of a trusted role end the same things, one, many and by an update
SELECT count(roost.account_follow(1702, '1701'));
INSERT INTO roost_data.account_block (account_id, blocked_id, id) VALUES (1702, 1701, 1);
SELECT * FROM roost.relationship_get(1701, '1702');
DELETE FROM roost_data.account_block WHERE account_id BETWEEN 1700 AND 1710;
SELECT count(roost.account_follow(1701, '1702')), count(roost.account_follow(1702, '1701'));
INSERT INTO roost_data.account_block (account_id, blocked_id, id) SELECT 1701, g, g FROM generate_series(1702, 1760) g;
SELECT count(*) FROM roost_data.follow WHERE 1701 IN (follower_id, followee_id);
SELECT id, follower_count, following_count FROM roost_bi.account WHERE id = 1701;
DELETE FROM roost_data.account_block WHERE account_id BETWEEN 1700 AND 1710;
SELECT roost.account_block(1703, '1709');
SELECT count(roost.account_follow(1701, '1702'));
UPDATE roost_data.account_block SET account_id = 1701, blocked_id = 1702 WHERE account_id = 1703;
SELECT following, blocking FROM roost.relationship_get(1701, '1702');

-- an import of follows leaves out what a block keeps out
INSERT INTO roost_data.import_map (kind, external_id, id) SELECT 'account', 'b' || n, 1700 + n FROM generate_series(1, 3) n;
INSERT INTO roost_data.import_follow (follower, followee) VALUES ('b1', 'b2'), ('b2', 'b1'), ('b1', 'b3'), ('b3', 'b1');
\set QUIET on
SET LOCAL client_min_messages = warning;
\set QUIET off
SELECT * FROM roost.follow_import();
SELECT follower, followee, error FROM roost_data.import_follow ORDER BY follower;

-- one takes along whom one has blocked, not who has blocked one; a deleted account leaves nothing
SELECT roost_internal.graph_export(1701)->'blocks'->0->>'username', roost_internal.graph_export(1702)->'blocks';
SELECT count(roost.account_block(1705, '1701'));
SELECT roost_internal.account_erase(1701);
SELECT count(*) FROM roost_data.account_block WHERE 1701 IN (account_id, blocked_id);

-- no analyst learns who has blocked whom
SELECT count(*) FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
WHERE d.refobjid IN ('roost_data.account_mute'::regclass, 'roost_data.muted_word'::regclass, 'roost_data.list_member'::regclass)
	AND v.relnamespace = 'roost_bi'::regnamespace;

ROLLBACK;
