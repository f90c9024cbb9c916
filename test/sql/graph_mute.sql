-- Mutes: durations, expiry, lists, maintenance; nothing between the two accounts ends.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username) SELECT 1800 + n, 'mute_' || n FROM generate_series(1, 6) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'mute_' || n, 1800 + n FROM generate_series(1, 6) n;
SELECT roost_internal.clock_freeze('2026-03-01 12:00:00Z');
SELECT count(roost.account_follow(1801, '1802')), count(roost.account_follow(1802, '1801'));

-- follows stay, and the other side sees nothing of it
SELECT * FROM roost.account_mute(1801, '@mute_2');
SELECT * FROM roost.relationship_get(1802, '1801');
SELECT (account).id, notifications, expires_at FROM roost.mute_list(1801);

-- again: the new duration and notifications count, the place stays
SELECT count(roost.account_mute(1801, '1803'));
SELECT muting FROM roost.account_mute(1801, '1802', 3600, false);
SELECT (account).id, notifications, expires_at FROM roost.mute_list(1801);
SELECT (account).id FROM roost.mute_list(1801, 1);
SELECT (account).id FROM roost.mute_list(1801, 1, before => (SELECT cursor::text FROM roost.mute_list(1801, 1)));
SELECT (account).id FROM roost.mute_list(1802);

-- expired: as if it were not there, and it begins anew
SELECT roost_internal.clock_freeze('2026-03-01 13:00:00Z');
SELECT muting FROM roost.relationship_get(1801, '1802');
SELECT (relationship).muting FROM roost.account_get(1801, '1802');
SELECT (account).id FROM roost.mute_list(1801);
SELECT muting FROM roost.account_mute(1801, '1802', 1);
SELECT (account).id, notifications, expires_at FROM roost.mute_list(1801);

-- maintenance deletes what has expired
SELECT count(roost.muted_word_create(1801, 'w' || n, duration => n)) FROM generate_series(1, 3) n;
SELECT roost_internal.clock_freeze('2026-03-01 13:00:02Z');
SELECT module, purged, error FROM roost.maintenance_run('graph');
SELECT muted_id FROM roost_data.account_mute WHERE account_id = 1801;
SELECT phrase FROM roost_data.muted_word WHERE account_id = 1801;

-- unmuting
SELECT * FROM roost.account_unmute(1801, '1803');
SELECT * FROM roost.account_unmute(1801, '1803');

-- refusals
SELECT roost.account_mute(1801, '1801');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_mute(1801, '1802', 0);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_mute(1801, '1802', 315360001);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_mute(1801, '1802', -9223372036854775807);
\echo :LAST_ERROR_SQLSTATE
SELECT muting FROM roost.account_mute(1801, '1802', 315360000);
SELECT expires_at FROM roost.mute_list(1801);
SELECT roost.account_mute(1801, '987654321');
\echo :LAST_ERROR_SQLSTATE

-- one takes it along; a deleted account leaves nothing
SELECT roost_internal.graph_export(1801)->'mutes'->0->>'username', roost_internal.graph_export(1802)->'mutes';
SELECT count(roost.account_mute(1803, '1801')), count(roost.account_mute(1801, '1803'));
SELECT roost_internal.account_erase(1801);
SELECT count(*) FROM roost_data.account_mute WHERE 1801 IN (account_id, muted_id);
SELECT count(*) FROM roost_data.muted_word WHERE account_id = 1801;

ROLLBACK;
SELECT roost_internal.clock_freeze(NULL);
