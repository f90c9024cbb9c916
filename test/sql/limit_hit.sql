-- Counting, with the clock under control.
SELECT roost_internal.clock_freeze('2040-01-01 00:00:00+00');
SELECT roost.limit_policy_set('test', 'minute', 6, '1 minute', burst => 3, key => 'account_or_address');

-- Three at once, then one every ten seconds.
SELECT n, hit.* FROM generate_series(1, 4) n, roost.limit_hit('test', 1 + n * 0) hit;
SELECT * FROM roost.limit_hit('test', 1, cost => 0) AS looked;
SELECT roost_internal.clock_freeze('2040-01-01 00:00:09+00');
SELECT * FROM roost.limit_hit('test', 1);
SELECT roost_internal.clock_freeze('2040-01-01 00:00:10+00');
SELECT * FROM roost.limit_hit('test', 1);
SELECT * FROM roost.limit_hit('test', 1);
-- all of them are back after thirty
SELECT roost_internal.clock_freeze('2040-01-01 00:00:40+00');
SELECT * FROM roost.limit_hit('test', 1, cost => 0);
SELECT * FROM roost.limit_hit('test', 1, cost => 3);
SELECT * FROM roost.limit_hit('test', 1, cost => 4);

-- When the clock steps back nobody waits for it to come again.
SELECT roost_internal.clock_freeze('2039-12-31 00:00:00+00');
SELECT * FROM roost.limit_hit('test', 1);
SELECT roost_internal.clock_freeze('2039-12-31 00:00:10+00');
SELECT allowed FROM roost.limit_hit('test', 1);
SELECT roost_internal.clock_freeze('2040-01-02 00:00:00+00');

-- Who is not logged in counts by address: of IPv6 by the /64, of IPv4 in IPv6 by the IPv4.
SELECT address, allowed, remaining
FROM (VALUES (1, '192.0.2.1'), (2, '192.0.2.1'), (3, '192.0.2.2'), (4, '::ffff:192.0.2.1'),
	(5, '2001:db8::1'), (6, '2001:db8::ffff:1'), (7, '2001:db8:0:1::1'), (8, '@@@'), (9, '@@@'), (10, ''), (11, NULL)) a (n, address),
	roost.limit_hit('test', NULL, address)
ORDER BY n;
-- whoever is logged in does not use up the address
SELECT remaining FROM roost.limit_hit('test', 2, '192.0.2.9');
SELECT remaining FROM roost.limit_hit('test', 3, '192.0.2.9');
SELECT remaining FROM roost.limit_hit('test', NULL, '192.0.2.9');

-- Targets; and what does not apply does not count.
SELECT roost.limit_policy_set('test_target', 'target', 2, '1 hour', key => 'target');
SELECT roost.limit_policy_set('test_target', 'account', 5, '1 hour', key => 'account');
SELECT n, hit.* FROM generate_series(1, 3) n, roost.limit_hit('test_target', 5, NULL, left('bobby', 3 + n * 0)) hit;
-- the third took nothing of the account's either
SELECT * FROM roost.limit_hit('test_target', 5, cost => 0);
SELECT * FROM roost.limit_hit('test_target', 5);
SELECT * FROM roost.limit_hit('test_target', target => 'bobby');
SELECT * FROM roost.limit_hit('test_target');

-- Forgetting.
SELECT roost.limit_reset('test_target', target => 'bob');
SELECT remaining FROM roost.limit_hit('test_target', target => 'bob');
SELECT roost.limit_reset('test_target', 5), roost.limit_reset('test_target', 987654321) AS unknown;
SELECT remaining FROM roost.limit_hit('test_target', 5);
SELECT roost.limit_reset(NULL, 5, '192.0.2.1', 'bob');
SELECT remaining FROM roost.limit_hit('test', NULL, '192.0.2.1');

-- What was taken stays taken.
BEGIN;
SELECT remaining FROM roost.limit_hit('test', 6);
ROLLBACK;
SELECT remaining FROM roost.limit_hit('test', 6);

-- Classes without policies allow everything.
SELECT * FROM roost.limit_hit('no such class', 1);
SELECT * FROM roost.limit_hit('none', 1);

-- The built-in class: 5 a second, 10 at once, and 300 in five minutes; the answer is about the one nearer to its end.
SELECT n, hit.* FROM generate_series(1, 11) n, roost.limit_hit('default', 7 + n * 0) hit;
SELECT roost.limit_hit('default', 8, cost => 10);
SELECT roost_internal.clock_freeze('2040-01-02 00:00:01+00');
SELECT count(*) FILTER (WHERE (roost.limit_hit('default', 8)).allowed) FROM generate_series(1, 20);

-- Through a request, each route takes its class and "default".
SELECT denied AS denied_before FROM roost.stat_limit_policy WHERE class = 'default' AND name = 'second' \gset
SELECT array_agg(line ORDER BY n) FROM (
	SELECT n, split_part(split_part(roost.handle('GET', '/tweets/public', '', '', NULL, '198.51.100.7'), 'RateLimit-Remaining: ', 2), E'\n', 1) AS line
	FROM generate_series(1, 10) n) requests;
\set VERBOSITY terse
SELECT roost.handle('GET', '/tweets/public', '', '', NULL, '198.51.100.7');
SELECT denied - :denied_before AS denied FROM roost.stat_limit_policy WHERE class = 'default' AND name = 'second';

-- Switched off, nothing counts.
SET roost.limit_enabled = off;
SELECT * FROM roost.limit_hit('default', 7);
SELECT enabled FROM roost.stat_limit;
RESET roost.limit_enabled;
SELECT allowed FROM roost.limit_hit('default', 7, cost => 5);

SELECT roost.limit_hit(NULL, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.limit_hit('test', 1, cost => -1);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.limit_hit('test', 1, cost => 1000001);
CREATE ROLE limit_hit_caller;
SET ROLE limit_hit_caller;
SELECT roost.limit_hit('test', 1);
SELECT roost.limit_reset(NULL, 1);
SET roost.limit_enabled = off;
SELECT * FROM roost.stat_limit;
SELECT * FROM roost.stat_limit_policy;
RESET ROLE;
DROP ROLE limit_hit_caller;
DELETE FROM roost_data.limit_policy WHERE class LIKE 'test%';
SELECT * FROM roost.limit_hit('test', 1);
