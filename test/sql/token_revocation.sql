-- Revoked sessions and accounts: in effect from the commit on, also for other
-- sessions, for savepoints, prepared transactions and changes by hand.
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.verdict(token text) RETURNS text LANGUAGE plpgsql
AS $$
BEGIN
	RETURN 'account ' || roost.token_account(token);
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT roost_internal.token_make(901, 902, NULL) AS token \gset
SELECT pg_temp.verdict(:'token');

-- By hand, with the effect at commit
BEGIN;
INSERT INTO roost_data.revocation (id) VALUES (902);
SELECT pg_temp.verdict(:'token') AS not_yet;
ROLLBACK;
SELECT pg_temp.verdict(:'token');
BEGIN;
SAVEPOINT a;
INSERT INTO roost_data.revocation (id) VALUES (902);
ROLLBACK TO a;
COMMIT;
SELECT pg_temp.verdict(:'token');
BEGIN;
SAVEPOINT a;
INSERT INTO roost_data.revocation (id) VALUES (902);
RELEASE a;
COMMIT;
SELECT pg_temp.verdict(:'token'), roost_internal.session_revoked(902);
DELETE FROM roost_data.revocation WHERE id = 902;
SELECT pg_temp.verdict(:'token'), roost_internal.session_revoked(902);

-- The whole account
INSERT INTO roost_data.revocation (id) VALUES (901);
SELECT pg_temp.verdict(:'token');
DELETE FROM roost_data.revocation WHERE id = 901;
SELECT pg_temp.verdict(:'token');

-- A prepared transaction
BEGIN;
INSERT INTO roost_data.revocation (id) VALUES (902);
PREPARE TRANSACTION 'revocation';
SELECT pg_temp.verdict(:'token') AS in_doubt;
COMMIT PREPARED 'revocation';
SELECT pg_temp.verdict(:'token');
SELECT roost.worker_sync('1 minute');
SELECT pg_temp.verdict(:'token');
DELETE FROM roost_data.revocation;
BEGIN;
INSERT INTO roost_data.revocation (id) VALUES (902);
PREPARE TRANSACTION 'revocation';
ROLLBACK PREPARED 'revocation';
SELECT roost.worker_sync('1 minute');
SELECT pg_temp.verdict(:'token');

-- More than the memory holds: the table is asked
INSERT INTO roost_data.revocation (id) SELECT i FROM generate_series(100000, 299999) i;
SELECT count(*) AS revoked FROM generate_series(100000, 299999) i WHERE roost_internal.session_revoked(i);
SELECT count(*) AS not_revoked FROM generate_series(300000, 309999) i WHERE NOT roost_internal.session_revoked(i);
-- and a transaction too large for the commit queue makes it be read again
DELETE FROM roost_data.revocation;
SELECT count(*) AS not_revoked FROM generate_series(100000, 299999) i WHERE NOT roost_internal.session_revoked(i);
SELECT pg_temp.verdict(:'token');

-- Sessions and accounts, through their own tables
SELECT (roost.auth_register('token_revoker', 'token_revoker@example.com', 'one long enough phrase')) AS registered \gset
SELECT id AS account FROM roost_data.account WHERE username = 'token_revoker' \gset
SELECT id AS session FROM roost_data.session WHERE account_id = :account \gset
SELECT roost_internal.token_make(:account, :session, NULL) AS token \gset
SELECT pg_temp.verdict(:'token') = 'account ' || :account AS accepted;
UPDATE roost_data.session SET revoked_at = now() WHERE id = :session;
SELECT pg_temp.verdict(:'token');
UPDATE roost_data.session SET revoked_at = NULL WHERE id = :session;
SELECT pg_temp.verdict(:'token') = 'account ' || :account AS accepted;
UPDATE roost_data.account SET status = 'suspended' WHERE id = :account;
SELECT pg_temp.verdict(:'token'), pg_temp.verdict(roost_internal.token_make(:account, 903, NULL)) AS another_session;
UPDATE roost_data.account SET status = 'active' WHERE id = :account;
SELECT pg_temp.verdict(:'token') AS its_sessions_stay_ended, pg_temp.verdict(roost_internal.token_make(:account, 903, NULL)) = 'account ' || :account AS another_session;
UPDATE roost_data.session SET revoked_at = NULL WHERE id = :session;
DELETE FROM roost_data.session WHERE id = :session;
SELECT pg_temp.verdict(:'token');
DELETE FROM roost_data.account WHERE id = :account;
SELECT pg_temp.verdict(roost_internal.token_make(:account, 903, NULL));

-- Forgotten when no token can be left
UPDATE roost_data.revocation SET expires_at = now() - interval '1 second';
SELECT roost_internal.token_maintenance() > 0 AS purged;
SELECT count(*) FROM roost_data.revocation;
