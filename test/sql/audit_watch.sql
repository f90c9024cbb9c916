-- What is watched is watched whoever changes it, and no secret gets into the trail.
\set VERBOSITY terse
\set SHOW_CONTEXT never
CREATE PROCEDURE pg_temp.seal() LANGUAGE plpgsql AS $$
BEGIN
	COMMIT;
	WHILE EXISTS (SELECT FROM roost_data.audit_entry) LOOP
		PERFORM roost.worker_sync('1 minute');
		COMMIT;
	END LOOP;
END
$$;
-- What this transaction has written, without ids and times.
CREATE FUNCTION pg_temp.entries() RETURNS TABLE (action text, object text, concerns text, source text, cause text, detail text) LANGUAGE sql AS $$
	SELECT e.action, CASE WHEN e.object_id ~ '^\d{10,}$' THEN 'id' ELSE e.object_id END, a.username, e.source, e.cause,
		regexp_replace(regexp_replace(e.detail::text, '"\d{10,}"', '"id"', 'g'), '"\d{4}-\d\d-\d\dT[^"]*"', '"time"', 'g')
	FROM roost_data.audit_entry e LEFT JOIN roost_data.account a ON a.id = e.account_id
	WHERE e.transaction = pg_current_xact_id()::text::bigint AND e.action !~ '^ddl' ORDER BY e.id
$$;
SELECT (account).id AS ada, session_id AS session FROM roost.auth_register('wat_ada', 'wat.ada@example.org', 'correct horse battery') \gset
SELECT id AS post FROM roost.post_create(:ada, 'wat words', visibility => 'direct') \gset

-- By hand, as a superuser, as if replicated: triggers fire always.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE roost_data.account SET role = 'admin', bio = 'wat bio' WHERE id = :ada;
UPDATE roost_data.account SET bio = 'wat again', last_active_at = now() WHERE id = :ada;
UPDATE roost_data.account SET role = role WHERE id = :ada;
UPDATE roost_data.account SET username = 'wat_eve', is_verified = true WHERE id = :ada;
UPDATE roost_data.account SET limited_at = now(), suspended_until = now() + interval '1 day' WHERE id = :ada;
UPDATE roost_data.account_credential SET password_hash = '$argon2id$wat' WHERE account_id = :ada;
DELETE FROM roost_data.account_credential WHERE account_id = :ada;
INSERT INTO roost_data.account_credential VALUES (:ada, '$argon2id$wat');
UPDATE roost_data.account_email SET email = 'wat.eve@example.org', verified_at = now() WHERE account_id = :ada;
DELETE FROM roost_data.account_email WHERE account_id = :ada;
UPDATE roost_data.session SET last_used_at = now() WHERE id = :session;
UPDATE roost_data.session SET refresh_key = 'wat key' WHERE id = :session;
UPDATE roost_data.session SET revoked_at = now() WHERE id = :session;
DELETE FROM roost_data.session WHERE id = :session;
INSERT INTO roost_data.revocation (id) VALUES (4711);
DELETE FROM roost_data.revocation WHERE id = 4711;
INSERT INTO roost_data.role VALUES ('wat_role', 7, 'for tests');
INSERT INTO roost_data.role_permission VALUES ('wat_role', 'audit.read');
UPDATE roost_data.role SET rank = 8 WHERE name = 'wat_role';
DELETE FROM roost_data.role_permission WHERE role = 'wat_role';
DELETE FROM roost_data.role WHERE name = 'wat_role';
UPDATE roost_data.limit_policy SET "limit" = 7, burst = 7 WHERE class = 'mail' AND name = 'address';
INSERT INTO roost_data.limit_exemption (network, reason) VALUES ('192.0.2.0/24', 'wat');
UPDATE roost_data.mail_template SET subject = 'wat subject' WHERE name = 'email_changed';
INSERT INTO roost_data.reserved_handle VALUES ('wat_reserved', NULL, NULL, 'wat');
INSERT INTO roost_data.reserved_handle VALUES ('wat_former', now() + interval '1 day', :ada, 'renamed');
DELETE FROM roost_data.reserved_handle WHERE username LIKE 'wat\_%';
UPDATE roost_data.signing_key SET retired_at = now() + interval '1 day' WHERE kid = (SELECT max(kid) FROM roost_data.signing_key);
UPDATE roost_data.post SET state = 'held', labels = '{wat}' WHERE id = :post;
UPDATE roost_data.post SET pinned_at = now() WHERE id = :post;
UPDATE roost_data.post SET text = 'wat forged', visibility = 'public' WHERE id = :post;
UPDATE roost_data.post SET media = '[{"url": "https://example.org/wat.png", "type": "image"}]' WHERE id = :post;
DELETE FROM roost_data.post WHERE id = :post;
UPDATE roost_data.account SET is_private = true WHERE id = :ada;
UPDATE roost_data.account_handle SET username = 'wat_stolen' WHERE account_id = :ada;
DELETE FROM roost_data.account_handle WHERE account_id = :ada;
INSERT INTO roost_data.banned_email (digest, account_id) VALUES ('wat digest', :ada);
DELETE FROM roost_data.banned_email WHERE account_id = :ada;
SELECT action, CASE WHEN action ~ '^(signing_key|limit_exemption)' THEN 'name' ELSE object END AS object, concerns, source, detail FROM pg_temp.entries();
ROLLBACK;
BEGIN;
LOCK TABLE roost_data.feed_state IN ACCESS EXCLUSIVE MODE;
TRUNCATE roost_data.session;
SELECT action, object, source FROM pg_temp.entries();
ROLLBACK;

-- Authors pay nothing for their own posts, others do; cascades are not told again.
BEGIN;
SELECT (roost.post_delete(:ada, :post)).id IS NOT NULL AS gone;
SELECT count(*) FROM pg_temp.entries();
ROLLBACK;
BEGIN;
SELECT (roost.post_edit(:ada, :post, 'wat others', 'followers')).visibility;
SELECT (roost.account_update(:ada, username => 'wat_ida', is_private => true)).is_private;
SELECT action, detail FROM pg_temp.entries();
ROLLBACK;
BEGIN;
SELECT (roost.post_like(:ada, :post)).liked;
SELECT (roost.post_create(:ada, 'wat more')).text;
SELECT count(*) FROM pg_temp.entries();
ROLLBACK;

-- A suspension, and what follows of it.
BEGIN;
UPDATE roost_data.account SET status = 'suspended' WHERE id = :ada;
SELECT * FROM pg_temp.entries();
ROLLBACK;

-- An account that goes: what it leaves names nobody.
SELECT roost.account_delete(:ada, 'correct horse battery');
CALL pg_temp.seal();
SELECT DISTINCT action, cause FROM roost_data.audit WHERE account_id = :ada AND action LIKE '%.delete' OR account_id = :ada AND action = 'account.update' ORDER BY 1;
SELECT count(*) FROM roost_data.audit a WHERE a::text ~ 'wat_ada|wat\.ada|example\.org';

-- Every watched table has all its triggers, enabled always, and one for TRUNCATE.
SELECT c.relname, count(*) FILTER (WHERE t.tgtype & 32 = 0) > 0 AS rows, count(*) FILTER (WHERE t.tgtype & 32 <> 0) AS truncate
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE t.tgfoid = 'roost_internal.audit_watch'::regproc GROUP BY 1 HAVING count(*) FILTER (WHERE t.tgtype & 32 = 0) = 0 OR count(*) FILTER (WHERE t.tgtype & 32 <> 0) <> 1 OR bool_or(t.tgenabled <> 'A');
SELECT string_agg(DISTINCT c.relname, ' ' ORDER BY c.relname) AS watched FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE t.tgfoid = 'roost_internal.audit_watch'::regproc
	AND c.relname IN ('account', 'account_credential', 'account_email', 'session', 'revocation', 'role', 'role_permission', 'limit_policy', 'limit_exemption', 'mail_template', 'reserved_handle', 'signing_key', 'post', 'login_lockout');

-- Tables and functions themselves.
BEGIN;
LOCK TABLE roost_data.feed_state IN ACCESS EXCLUSIVE MODE;
ALTER TABLE roost_data.account DISABLE TRIGGER account_audit;
DROP TRIGGER session_audit ON roost_data.session;
CREATE OR REPLACE FUNCTION roost_internal.has_permission(account_id bigint, permission text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
GRANT SELECT ON roost_data.session TO PUBLIC;
REVOKE SELECT ON roost_data.session FROM PUBLIC;
CREATE TABLE roost_data.wat_table (i integer);
DROP TABLE roost_data.wat_table;
CREATE TABLE public.wat_table (i integer);
DROP TABLE public.wat_table;
CREATE TEMP TABLE wat_temporary (i integer);
DROP TABLE wat_temporary;
ALTER TABLE roost_data.audit DISABLE TRIGGER audit_guard;
SELECT action, detail FROM roost_data.audit_entry WHERE transaction = pg_current_xact_id()::text::bigint ORDER BY id;
ROLLBACK;

-- The trigger refuses what it cannot do.
CREATE TABLE wat_table (id bigint, a text, d double precision);
CREATE TRIGGER t BEFORE INSERT ON wat_table FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('wat', 'id');
INSERT INTO wat_table VALUES (1);
CREATE OR REPLACE TRIGGER t AFTER INSERT ON wat_table FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('wat', 'id', 'b');
INSERT INTO wat_table VALUES (1);
CREATE OR REPLACE TRIGGER t AFTER INSERT ON wat_table FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch();
INSERT INTO wat_table VALUES (1);
CREATE OR REPLACE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON wat_table FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('wat', 'id,a', 'd', '@id');
BEGIN;
INSERT INTO wat_table VALUES (1, E'quo"te\\', 'NaN'), (NULL, NULL, NULL);
UPDATE wat_table SET id = 2, a = 'b' WHERE id = 1;
DELETE FROM wat_table;
SELECT action, object_id, account_id, detail FROM roost_data.audit_entry WHERE transaction = pg_current_xact_id()::text::bigint AND action ~ '^wat' ORDER BY id;
ROLLBACK;
DROP TABLE wat_table;

-- After all that other tests have done as well: no secret stands in the trail.
CALL pg_temp.seal();
CREATE TEMP TABLE said AS SELECT a::text AS said FROM roost_data.audit a UNION ALL SELECT e::text FROM roost_data.audit_entry e;
SELECT kind, count(*) AS secrets, count(*) FILTER (WHERE position(s.secret IN w.whole) > 0) AS told
FROM (
	SELECT 'password hash' AS kind, c.password_hash AS secret FROM roost_data.account_credential c WHERE c.password_hash IS NOT NULL
	UNION ALL SELECT 'address', e.email FROM roost_data.account_email e
	UNION ALL SELECT 'refresh key', s.refresh_key FROM roost_data.session s
	UNION ALL SELECT 'refresh digest', encode(s.refresh_digest, 'hex') FROM roost_data.session s
	UNION ALL SELECT 'signing key', encode(k.secret, 'hex') FROM roost_data.signing_key k
	UNION ALL SELECT 'signing key', encode(k.secret, 'base64') FROM roost_data.signing_key k
	UNION ALL SELECT 'token', j.payload->'values'->>'token' FROM roost_data.job j WHERE j.payload->'values' ? 'token'
	UNION ALL SELECT DISTINCT 'text', p.text FROM roost_data.post p WHERE p.visibility = 'direct' AND length(p.text) > 8
) s, (SELECT string_agg(said, ' ') AS whole FROM said) w GROUP BY kind HAVING count(*) FILTER (WHERE position(s.secret IN w.whole) > 0) > 0;
SELECT count(*) FROM said WHERE said ~ '\$argon2|\$2[aby]\$|eyJ[A-Za-z0-9_-]{20}|correct horse|@example';
