-- Failed logins: counted whether or not the transaction commits, locked with
-- a growing delay, saved by the worker.
SET client_min_messages = warning;
SELECT roost_internal.clock_freeze('2030-01-01 00:00:00+00');
-- Fails, and returns for how long the account is locked then.
CREATE FUNCTION pg_temp.fail(login_key bigint, address text, times integer) RETURNS integer LANGUAGE plpgsql
AS $$
BEGIN
	FOR i IN 1 .. times LOOP
		PERFORM roost_internal.login_failed(login_key, address);
	END LOOP;
	RETURN roost_internal.login_locked(login_key, NULL);
END $$;
SELECT roost.worker_sync('1 minute');
CREATE TEMP TABLE before AS SELECT kind, key FROM roost_data.login_lockout;
CREATE TEMP VIEW saved AS SELECT * FROM roost_data.login_lockout l WHERE NOT EXISTS (SELECT FROM before b WHERE b.kind = l.kind AND b.key = l.key);

-- Four failures cost nothing, the fifth locks; a rollback changes nothing
BEGIN;
SELECT pg_temp.fail(71, '198.51.100.1', 4);
ROLLBACK;
SELECT roost_internal.login_locked(71, '198.51.100.1') AS not_locked;
SELECT pg_temp.fail(71, '198.51.100.1', 1) AS locked;
SELECT roost_internal.login_locked(71, NULL) AS account_locked, roost_internal.login_locked(NULL, '198.51.100.1') AS address_not, roost_internal.login_locked(72, '198.51.100.1') AS other_not;

-- Each further one doubles it, up to an hour
SELECT failures, pg_temp.fail(71, NULL, 1) AS locked, seconds AS expected
FROM (VALUES (6, 60), (7, 120), (8, 240), (9, 480), (10, 960), (11, 1920), (12, 3600), (13, 3600)) v (failures, seconds);
SELECT kind, account_id, failures FROM roost.stat_lockout WHERE account_id = 71;

-- Time passes: unlocked, but not forgotten; and at last forgotten
SET timezone = 'UTC';
SELECT roost_internal.clock_freeze('2030-01-01 01:00:00+00');
SELECT roost_internal.login_locked(71, NULL) AS not_locked, pg_temp.fail(71, NULL, 1) AS again;
SELECT roost_internal.clock_freeze('2030-01-01 01:59:59.5+00');
SELECT roost_internal.login_locked(71, NULL) AS rounded_up;
SELECT roost_internal.clock_freeze('2030-01-01 14:00:00+00');
SELECT pg_temp.fail(71, NULL, 4) AS forgotten;
SELECT kind, account_id, failures, last_failed_at, locked_until FROM roost.stat_lockout WHERE account_id = 71;
SELECT pg_temp.fail(71, NULL, 1) AS locked;

-- Success forgets the account, not the address
SELECT roost_internal.login_succeeded(71);
SELECT roost_internal.login_locked(71, NULL) AS not_locked;

-- Addresses: many accounts from one of them; IPv6 by its first half
SELECT pg_temp.fail(1000 + i, '198.51.100.1', 1) FROM generate_series(1, 49) i \g /dev/null
SELECT roost_internal.login_locked(NULL, '198.51.100.1') AS not_locked;
SELECT pg_temp.fail(1050, '198.51.100.1', 1);
SELECT roost_internal.login_locked(NULL, '198.51.100.1') AS locked, roost_internal.login_locked(NULL, '::ffff:198.51.100.1') AS same_address, roost_internal.login_locked(NULL, '198.51.100.2') AS other;
SELECT pg_temp.fail(NULL, '2001:db8:71:2:' || to_hex(i) || '::1', 1) FROM generate_series(1, 50) i \g /dev/null
SELECT roost_internal.login_locked(NULL, '2001:db8:71:2:ffff:ffff:ffff:ffff') IS NOT NULL AS same_network, roost_internal.login_locked(NULL, '2001:db8:71:3::1') AS other_network;

-- What is no address does not count, and does not fail
SELECT pg_temp.fail(NULL, 'unix', 100), pg_temp.fail(NULL, '', 100), pg_temp.fail(NULL, NULL, 100), pg_temp.fail(0, NULL, 100);
SELECT roost_internal.login_locked(NULL, 'unix'), roost_internal.login_locked(0, NULL), roost_internal.login_locked(NULL, NULL);

-- Settings
SET roost.lockout_account_failures = 2;
SET roost.lockout_delay = '5min';
SET roost.lockout_max_delay = '6min';
SELECT pg_temp.fail(-81, NULL, 2) AS locked;
SELECT roost_internal.login_locked(-81, NULL) AS locked;
SELECT pg_temp.fail(-81, NULL, 1) AS locked;
SELECT roost_internal.login_locked(-81, NULL) AS at_most;
RESET roost.lockout_account_failures;
RESET roost.lockout_delay;
RESET roost.lockout_max_delay;

-- The table follows, and nothing shows an address
SELECT roost.worker_sync('1 minute');
SELECT kind, failures, count(*) FROM saved GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) AS forgotten FROM saved WHERE key = 71;
SELECT column_name FROM information_schema.columns WHERE table_schema = 'roost' AND table_name = 'stat_lockout' ORDER BY ordinal_position;
SELECT count(*) FROM roost.stat_lockout WHERE (kind = 'address' OR account_id < 0) AND account_id IS NOT NULL;

-- Maintenance deletes what is forgotten
UPDATE roost_data.login_lockout l SET last_failed_at = now() - interval '13 hours', locked_until = NULL
FROM saved s WHERE s.kind = l.kind AND s.key = l.key;
SELECT roost_internal.lockout_maintenance() >= 50 AS purged;
SELECT count(*) FROM saved;

-- Unlocked by hand
SELECT roost_internal.login_unlock(-81, '198.51.100.1');
SELECT roost_internal.login_locked(-81, '198.51.100.1') AS not_locked;
SELECT roost_internal.login_unlock(1000 + i, '2001:db8:71:2::') FROM generate_series(1, 50) i \g /dev/null
SELECT count(*) FROM roost.stat_lockout WHERE account_id BETWEEN 1001 AND 1050;
SELECT roost_internal.clock_freeze(NULL);
