-- Stamps and losses: what makes copies and caches void, however the rows are changed.
\set VERBOSITY terse

-- Other sessions of the server may write at this moment: asks until it is good.
CREATE FUNCTION core_stamp_settled(kind text, id bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	v_version bigint;
	v_end constant timestamptz := clock_timestamp() + interval '1 minute';
BEGIN
	LOOP
		v_version := roost_internal.stamp_read(kind, id);
		EXIT WHEN v_version IS NOT NULL OR clock_timestamp() > v_end;
	END LOOP;
	RETURN v_version;
END
$$;
-- What has changed since the last look: versions and losses.
CREATE FUNCTION core_stamp_new(OUT graph bigint, OUT post bigint, OUT counters bigint, OUT account bigint, OUT losses bigint) LANGUAGE plpgsql AS $$
DECLARE
	v_before bigint[] := current_setting('core_stamp.seen', true)::bigint[];
	v_now bigint[] := ARRAY[core_stamp_settled('graph', 9201), core_stamp_settled('post', 9202), core_stamp_settled('count', 9202),
		core_stamp_settled('account', 9201), roost_internal.pending_generation()];
BEGIN
	PERFORM set_config('core_stamp.seen', v_now::text, false);
	graph := v_now[1] - v_before[1];
	post := v_now[2] - v_before[2];
	counters := v_now[3] - v_before[3];
	account := v_now[4] - v_before[4];
	losses := v_now[5] - v_before[5];
END
$$;
INSERT INTO roost_data.account (id, username) VALUES (9201, 'core_stamp_a'), (9203, 'core_stamp_b');
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text) VALUES (9202, 9201, 9202, now(), '');
SELECT roost.worker_sync('1 minute');
SELECT graph IS NULL AS begun FROM core_stamp_new();

-- One by one.
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (9201, 9203, 9204);
SELECT * FROM core_stamp_new();
DELETE FROM roost_data.follow WHERE follower_id = 9201;
SELECT * FROM core_stamp_new();
UPDATE roost_data.post SET pinned_at = now() WHERE id = 9202;
SELECT * FROM core_stamp_new();
INSERT INTO roost_data.post_like (account_id, post_id, id) VALUES (9203, 9202, 9205);
SELECT * FROM core_stamp_new();
INSERT INTO roost_data.post (id, author_id, thread_id, reply_to_id, created_at, text) VALUES (9206, 9203, 9202, 9202, now(), '');
SELECT * FROM core_stamp_new();
UPDATE roost_data.account SET is_private = true WHERE id = 9201;
SELECT * FROM core_stamp_new();
UPDATE roost_data.account SET bio = 'not shown with posts' WHERE id = 9201;
SELECT * FROM core_stamp_new();

-- The same by somebody who applies what another server has changed.
SET session_replication_role = replica;
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (9201, 9203, 9204);
UPDATE roost_data.post SET pinned_at = NULL WHERE id = 9202;
UPDATE roost_data.post_stat SET like_count = like_count + 1 WHERE post_id = 9202;
UPDATE roost_data.account SET status = 'suspended' WHERE id = 9201;
SELECT * FROM core_stamp_new();
RESET session_replication_role;

-- What events cannot say makes everything void, once.
UPDATE roost_data.follow SET followee_id = 9207 WHERE follower_id = 9201;
SELECT * FROM core_stamp_new();
UPDATE roost_data.follow SET follower_id = 9208 WHERE follower_id = 9201;
SELECT * FROM core_stamp_new();
UPDATE roost_data.follow SET created_at = now() WHERE follower_id = 9208;
SELECT * FROM core_stamp_new();
-- (a post cannot have another author or id)
UPDATE roost_data.post SET author_id = 9208 WHERE id IN (9202, 9206);
UPDATE roost_data.post SET id = 9209 WHERE id = 9206;
SELECT * FROM core_stamp_new();
UPDATE roost_data.account SET id = 9210 WHERE id = 9203;
SELECT * FROM core_stamp_new();
BEGIN;
UPDATE roost_data.account SET id = 9203 WHERE id = 9210;
ROLLBACK;
SELECT * FROM core_stamp_new();
SELECT roost.cache_forget();
SELECT * FROM core_stamp_new();
BEGIN READ ONLY;
SELECT roost.cache_forget();
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- Truncated: here on a table of its own, the others have the same triggers.
CREATE TABLE core_stamp_table (id bigint);
CREATE TRIGGER change AFTER INSERT ON core_stamp_table FOR EACH ROW EXECUTE FUNCTION roost_internal.stamp_changed('graph', 'id');
CREATE TRIGGER truncate AFTER TRUNCATE ON core_stamp_table FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.stamp_changed('graph', 'id');
CREATE TRIGGER lose AFTER TRUNCATE ON core_stamp_table FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.event_lose();
TRUNCATE core_stamp_table;
SELECT * FROM core_stamp_new();
SELECT c.relname, t.tgname, t.tgenabled FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE t.tgfoid IN ('roost_internal.event_emit'::regproc, 'roost_internal.event_lose'::regproc, 'roost_internal.stamp_changed'::regproc, 'roost_internal.post_identity_kept'::regproc)
	AND c.relnamespace = 'roost_data'::regnamespace AND c.relname IN ('post', 'post_stat', 'follow', 'account')
ORDER BY c.relname COLLATE "C", t.tgname COLLATE "C";

-- Many at once: each once, and too many for a list are all.
INSERT INTO core_stamp_table SELECT 9100 + i % 200 FROM generate_series(1, 50000) i;
SELECT * FROM core_stamp_new();
INSERT INTO core_stamp_table SELECT i FROM generate_series(1, 20000) i;
SELECT * FROM core_stamp_new();
BEGIN;
INSERT INTO core_stamp_table SELECT i FROM generate_series(1, 20000) i;
PREPARE TRANSACTION 'core_stamp_many';
SELECT roost_internal.stamp_read('account', 9201);
ROLLBACK PREPARED 'core_stamp_many';
SELECT roost.worker_sync('1 minute');
SELECT * FROM core_stamp_new();
BEGIN;
INSERT INTO core_stamp_table SELECT 9000 + i FROM generate_series(1, 500) i;
PREPARE TRANSACTION 'core_stamp_some';
SELECT roost_internal.stamp_read('graph', 9201);
COMMIT PREPARED 'core_stamp_some';
SELECT roost.worker_sync('1 minute');
SELECT * FROM core_stamp_new();

-- While a trigger that tells of changes is disabled, nothing is good; afterwards what was kept before is void.
SELECT graph + post + counters + account + losses AS before FROM core_stamp_new();
ALTER TABLE roost_data.post_stat DISABLE TRIGGER post_stat_stamp;
UPDATE roost_data.post_stat SET like_count = 7 WHERE post_id = 9202;
SELECT roost_internal.stamp_read('graph', 9201), (SELECT string_agg(kind, ' ') FROM roost_internal.pending_events()) AS pending;
ALTER TABLE roost_data.post_stat ENABLE TRIGGER post_stat_stamp;
SELECT roost_internal.stamp_read('graph', 9201), (SELECT string_agg(kind, ' ') FROM roost_internal.pending_events()) AS pending;
ALTER TABLE roost_data.post_stat ENABLE ALWAYS TRIGGER post_stat_stamp;
SELECT * FROM core_stamp_new();
-- also if nobody looks meanwhile
BEGIN;
ALTER TABLE roost_data.follow DISABLE TRIGGER USER;
DELETE FROM roost_data.follow WHERE follower_id = 9208;
ALTER TABLE roost_data.follow ENABLE TRIGGER USER;
SELECT roost.install() = roost.version() AS installed;
COMMIT;
SELECT graph > 0 AS graph, post > 0 AS post, counters > 0 AS counters, account > 0 AS account, losses > 0 AS losses FROM core_stamp_new();
ANALYZE roost_data.follow, roost_data.post, roost_data.post_stat, roost_data.account;
SELECT * FROM core_stamp_new();

-- Used wrongly, they say so.
SELECT roost_internal.stamp_read('nonsense', 1);
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER change AFTER INSERT ON core_stamp_table FOR EACH ROW EXECUTE FUNCTION roost_internal.stamp_changed('graph', 'nonsense');
INSERT INTO core_stamp_table VALUES (1);
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER change AFTER INSERT ON core_stamp_table FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.stamp_changed('graph', 'id');
INSERT INTO core_stamp_table VALUES (1);
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER change BEFORE INSERT ON core_stamp_table FOR EACH ROW EXECUTE FUNCTION roost_internal.event_lose();
INSERT INTO core_stamp_table VALUES (1);
\echo :LAST_ERROR_SQLSTATE

DROP TABLE core_stamp_table;
DELETE FROM roost_data.follow WHERE follower_id = 9208;
DELETE FROM roost_data.post WHERE author_id = 9208;
DELETE FROM roost_data.account WHERE id IN (9201, 9210);
DROP FUNCTION core_stamp_settled(text, bigint), core_stamp_new();
