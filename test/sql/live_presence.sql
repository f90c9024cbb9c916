-- Presence: several gateways, grace, silence, who may see it; all times are those of a clock that stands still.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO roost_data.account (id, username, is_private) SELECT n, 'presence_' || n, n = 8304 FROM generate_series(8301, 8310) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 8301 AND 8310;
SELECT (roost.account_follow(8301, '8302')).following;
SELECT (roost.account_follow(8302, '8303')).following;
-- after all that other tests may have told of gateways
SELECT clock_timestamp() + interval '2 minutes' AS base \gset
CREATE TABLE presence_mark AS SELECT coalesce(max(n), 0) AS n FROM roost_internal.signal_list();
-- the whole server is so many seconds after the beginning, and the worker has done what is due then
CREATE FUNCTION presence_at(base timestamptz, seconds double precision) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM roost_internal.clock_freeze(base + make_interval(secs => seconds), true);
	IF NOT roost.worker_sync('1 minute') THEN
		RAISE EXCEPTION 'the worker does not work';
	END IF;
END
$$;
-- what was signalled since the last time
CREATE FUNCTION presence_heard(base timestamptz) RETURNS TABLE (event text, account_id bigint, seconds double precision) LANGUAGE plpgsql AS $$
DECLARE
	v_mark bigint := (SELECT m.n FROM presence_mark m);
BEGIN
	IF NOT roost.worker_sync('1 minute') THEN
		RAISE EXCEPTION 'the worker does not work';
	END IF;
	UPDATE presence_mark m SET n = (SELECT coalesce(max(s.n), 0) FROM roost_internal.signal_list() s);
	RETURN QUERY SELECT s.event, s.account_id, extract(epoch FROM s.at - base)::double precision
		FROM roost_internal.signal_list(v_mark) s WHERE s.account_id BETWEEN 8301 AND 8310 AND s.channel = '' ORDER BY s.n;
END
$$;

-- a gateway that the server does not know is to tell everything
SELECT presence_at(:'base', 0);
SELECT roost.live_beat(101, '{8302}', '{}', false) AS tell_all;
SELECT roost.live_beat(101, '{}', '{}', true) AS tell_all;
-- long after the start of the server, so that everybody who comes is told
SELECT presence_at(:'base', 14);
SELECT roost.live_beat(101, '{}', '{}', false) AS tell_all;
SELECT presence_at(:'base', 20);
SELECT roost.live_beat(101, '{8302}', '{}', false) AS tell_all;
SELECT * FROM presence_heard(:'base');
-- a second device at another gateway is no event; nor is the end of one of the two
SELECT roost.live_beat(102, '{8302}', '{}', true) AS tell_all;
SELECT presence_at(:'base', 21);
SELECT roost.live_beat(101, '{}', '{8302}', false) AS tell_all;
SELECT presence_at(:'base', 34);
SELECT roost.live_beat(101, '{}', '{}', false), roost.live_beat(102, '{}', '{}', false);
SELECT * FROM presence_heard(:'base');
-- away for less than the time of grace: nothing
SELECT roost.live_beat(102, '{}', '{8302}', false) AS tell_all;
SELECT presence_at(:'base', 43.9);
SELECT roost.live_beat(101, '{8302}', '{}', false), roost.live_beat(102, '{}', '{}', false);
SELECT presence_at(:'base', 50);
SELECT * FROM presence_heard(:'base');
-- away for longer: offline since it left
SELECT roost.live_beat(101, '{}', '{8302}', false), roost.live_beat(102, '{}', '{}', false);
SELECT presence_at(:'base', 59.9);
SELECT * FROM presence_heard(:'base');
SELECT online, extract(epoch FROM since - :'base')::float8 AS since FROM roost_internal.presence_state('{8302}');
SELECT presence_at(:'base', 60);
SELECT * FROM presence_heard(:'base');
SELECT online, extract(epoch FROM since - :'base')::float8 AS since FROM roost_internal.presence_state('{8302}');

-- a gateway that is silent for 15 seconds is forgotten, its accounts leave
SELECT roost.live_beat(101, '{8302,8303}', '{}', false), roost.live_beat(102, '{8303}', '{}', false);
SELECT * FROM presence_heard(:'base');
SELECT presence_at(:'base', 74.9);
SELECT roost.live_beat(102, '{}', '{}', false) AS tell_all;
SELECT presence_at(:'base', 75);
SELECT roost.live_beat(102, '{}', '{}', false), roost.live_beat(101, '{}', '{}', false) AS forgotten;
SELECT presence_at(:'base', 85);
SELECT * FROM presence_heard(:'base');
-- it tells everything again: who has been told to be offline comes, the other was never away
SELECT roost.live_beat(101, '{8302,8303}', '{}', true), roost.live_beat(102, '{}', '{8303}', false);
SELECT * FROM presence_heard(:'base');
-- to tell everything twice is no event, and leaves out who has gone
SELECT roost.live_beat(101, '{8302}', '{}', true) AS tell_all;
SELECT * FROM presence_heard(:'base');
SELECT presence_at(:'base', 90);
SELECT roost.live_beat(101, '{}', '{}', false), roost.live_beat(102, '{}', '{}', false);
SELECT presence_at(:'base', 95);
SELECT * FROM presence_heard(:'base');
SELECT gateways >= 2 AS gateways, online >= 1 AS online, gateways_lost >= 1 AS lost FROM roost.stat_presence;

-- who may see it: at first those whom the account follows
SELECT roost.live_beat(101, '{8302,8303,8304,8310}', '{}', false), roost.live_beat(102, '{}', '{}', false);
CREATE FUNCTION presence_matrix() RETURNS TABLE (account_id bigint, "8301" boolean, "8302" boolean, "8303" boolean, "8304" boolean, stranger boolean) LANGUAGE sql AS $$
	SELECT a.id, s1.online, s2.online, s3.online, s4.online, s0.online FROM generate_series(8302, 8304) a(id),
		LATERAL roost.presence_list(ARRAY[a.id::roost.id], 8301) s1, LATERAL roost.presence_list(ARRAY[a.id::roost.id], 8302) s2,
		LATERAL roost.presence_list(ARRAY[a.id::roost.id], 8303) s3, LATERAL roost.presence_list(ARRAY[a.id::roost.id], 8304) s4,
		LATERAL roost.presence_list(ARRAY[a.id::roost.id]) s0 ORDER BY 1
$$;
SELECT * FROM presence_matrix();
SELECT roost.presence_settings_get(8302), roost.presence_settings_set(8302, 'everyone');
SELECT roost.presence_settings_get(8302);
SELECT roost.presence_settings_set(8304, 'everyone');
SELECT * FROM presence_matrix();
SELECT roost.presence_settings_set(8302, 'nobody'), roost.presence_settings_set(8304, 'followed');
SELECT * FROM presence_matrix();
SELECT roost.presence_settings_set(8302, 'everyone');
UPDATE roost_data.account SET status = 'suspended' WHERE id = 8302;
SELECT * FROM presence_matrix();
-- no difference between hidden, offline for long and not there
SELECT * FROM roost.presence_list('{8304,8302,8305,8399,8304}', 8301);
-- the same for signals; that an account goes may be seen of a suspended one, too
SELECT s.n, s.data FROM roost.live_see('{8302,8302,8303,8303,8304,8304}', '{online,offline,online,online,online,offline}', '{8301,0,8302,8301,8301,0}') s ORDER BY 1;
UPDATE roost_data.account SET status = 'active' WHERE id = 8302;
SELECT s.n, s.data FROM roost.live_see('{8302,8302,8303,8303,8302}', '{online,offline,online,online,online}', '{8301,0,8302,8301,8302}') s ORDER BY 1;
-- with or without following: 8301 follows 8302, 8303 does not
SELECT s.n, s.data FROM roost.live_see('{8302,8302,8302,8302,8302}', '{online_followed,offline_followed,online_followed,online,online_followed}', '{8301,8301,8303,8303,0}') s ORDER BY 1;
SELECT roost_internal.may_see_presence(8301, 8302), roost_internal.may_see_presence(NULL, 8302), roost_internal.may_see_presence(8310, 8310), roost_internal.may_see_presence(8301, 8399);

-- by HTTP
SELECT split_part(roost.handle('GET', '/presence', 'account_ids=8302&account_ids=8399', '', NULL, '192.0.2.83'), E'\n\n', 2)::jsonb #- '{items,0,changed_at}';
SELECT split_part(roost.handle('GET', '/presence/settings', '', '', NULL, '192.0.2.83'), E'\n', 1);
SELECT count(*) FROM roost.presence_list((SELECT array_agg(n) FROM generate_series(1, 100) n)::roost.id[], 8301);
SELECT roost.presence_list((SELECT array_agg(n) FROM generate_series(1, 101) n)::roost.id[], 8301);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.presence_settings_set(8302, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.presence_settings_set(8399, 'nobody');
\echo :LAST_ERROR_SQLSTATE

-- what is no beat
SELECT roost.live_beat(0, '{}', '{}', false);
SELECT roost.live_beat(101, '{NULL}', '{}', false);
SELECT roost.live_beat(101, '{-1}', '{}', false);
SELECT roost.live_beat(101, '{}', '{{1}}', false);

-- more accounts than there is room for: those offline for longest are forgotten, others refused, and nothing fails
SELECT room AS room, refused AS refused FROM roost.stat_presence \gset
SELECT roost.live_beat(103, ARRAY(SELECT 1000000 + n FROM generate_series(1, :room) n), '{}', true) AS tell_all;
SELECT online = room AS full, remembered, refused > :refused AS refused FROM roost.stat_presence;
SELECT online FROM roost_internal.presence_state('{8302}');
SELECT roost.live_beat(103, '{}', '{}', true), roost.live_beat(101, '{}', '{}', false), roost.live_beat(102, '{}', '{}', false);
SELECT presence_at(:'base', 96);
SELECT presence_at(:'base', 106);
SELECT roost.live_beat(101, '{8309}', '{}', false) AS tell_all;
SELECT online, remembered = room - online AS full FROM roost.stat_presence;
SELECT online FROM roost_internal.presence_state('{8309}');

-- what remains: the setting goes with the account
SELECT roost_internal.presence_export(8302);
SELECT count(*) FROM roost_data.presence_setting WHERE account_id = 8302;
SELECT roost_internal.presence_account_delete(8302);
SELECT count(*) FROM roost_data.presence_setting WHERE account_id = 8302;
-- nobody is left behind
SELECT presence_at(:'base', 130);
SELECT presence_at(:'base', 140);
SELECT online, gateways FROM roost.stat_presence;
SELECT roost_internal.clock_freeze(NULL, true);
DROP FUNCTION presence_at, presence_heard, presence_matrix;
DROP TABLE presence_mark;
