-- Policies are rows; a change is obeyed at once.
SELECT roost_internal.clock_freeze('2041-01-01 00:00:00+00');
SELECT * FROM roost.limit_policy_list() WHERE class IN ('default', 'login');

SELECT roost.limit_policy_set('policy_test', 'one', 1, '1 day', key => 'account');
SELECT allowed, "limit" FROM roost.limit_hit('policy_test', 1);
SELECT allowed, "limit" FROM roost.limit_hit('policy_test', 1);
SELECT roost.limit_policy_set('policy_test', 'one', 24, '1 day', burst => 2, key => 'account');
SELECT * FROM roost.limit_policy_list() WHERE class = 'policy_test';
-- what was used counts at the new rate
SELECT allowed, "limit", remaining, reset, retry_after FROM roost.limit_hit('policy_test', 1);
SELECT roost_internal.clock_freeze('2041-01-01 02:00:00+00');
SELECT allowed, remaining FROM roost.limit_hit('policy_test', 1, cost => 2);
SELECT roost.limit_policy_set('policy_test', 'one', 24, '1 day', key => 'account', enabled => false);
SELECT allowed, "limit" FROM roost.limit_hit('policy_test', 1);

-- A change that is rolled back was none.
BEGIN;
SELECT roost.limit_policy_set('policy_test', 'one', 7, '1 day', key => 'account');
SELECT "limit" FROM roost.limit_hit('policy_test', 2);
ROLLBACK;
SELECT "limit" FROM roost.limit_hit('policy_test', 2);
TRUNCATE roost_data.limit_exemption;
DELETE FROM roost_data.limit_policy WHERE class = 'policy_test';

-- Exemptions.
SELECT roost.limit_policy_set('policy_test', 'one', 1, '1 day');
SELECT roost.limit_exempt(account_id => 11, reason => 'a robot of ours');
SELECT roost.limit_exempt(network => '203.0.113.0/24', reason => 'the office');
SELECT roost.limit_exempt(network => '2001:db8:5::/48', reason => 'the office');
SELECT roost.limit_exempt(account_id => 11, reason => 'a robot of ours, still');
SELECT account_id, network, reason FROM roost.limit_exemption_list();
SELECT account_id, address, bool_and((roost.limit_hit('policy_test', account_id, address)).allowed) AS free
FROM (VALUES (11, NULL), (12, NULL), (NULL, '203.0.113.77'), (NULL, '203.0.114.77'), (NULL, '::ffff:203.0.113.1'),
	(NULL, '2001:db8:5:1::1'), (NULL, '2001:db8:6::1'), (12, '203.0.113.77')) a (account_id, address), generate_series(1, 3)
GROUP BY account_id, address ORDER BY account_id, address;
SELECT roost.limit_unexempt(account_id => 11), roost.limit_unexempt(account_id => 11) AS again,
	roost.limit_unexempt(network => '203.0.113.0/24') AS network;
SELECT count(*) FILTER (WHERE allowed) FROM generate_series(1, 3), roost.limit_hit('policy_test', 11);
SELECT roost.limit_unexempt(network => '2001:db8:5::/48');

-- Values that make no limit are refused, by the function and by the table.
\set SHOW_CONTEXT never
CREATE FUNCTION policy_error(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_column text;
	v_message text;
BEGIN
	EXECUTE 'SELECT ' || call;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS v_column = COLUMN_NAME, v_message = MESSAGE_TEXT;
	RETURN SQLSTATE || ' ' || v_column || ': ' || v_message;
END
$$;
SELECT policy_error(format('roost.limit_policy_set(%s)', arguments)) FROM (VALUES
	($$NULL, 'a', 1, '1 s'$$), ($$'Login', 'a', 1, '1 s'$$), ($$'none', 'a', 1, '1 s'$$), ($$'x; DROP TABLE y', 'a', 1, '1 s'$$),
	($$'policy_test', NULL, 1, '1 s'$$), ($$'policy_test', repeat('a', 64), 1, '1 s'$$),
	($$'policy_test', 'a', 0, '1 s'$$), ($$'policy_test', 'a', NULL, '1 s'$$), ($$'policy_test', 'a', 1000001, '1 s'$$),
	($$'policy_test', 'a', 1, '0'$$), ($$'policy_test', 'a', 1, '-1 day'$$), ($$'policy_test', 'a', 1, NULL$$), ($$'policy_test', 'a', 1, '2 years'$$),
	($$'policy_test', 'a', 1, '1 s', 0$$), ($$'policy_test', 'a', 1, '1 year', 1000000$$),
	($$'policy_test', 'a', 1, '1 s', 1, 'session'$$), ($$'policy_test', 'a', 1, '1 s', 1, NULL$$),
	($$'policy_test', 'a', 1, '1 s', 1, 'target', NULL$$),
	($$'policy_test', 'a', 1000000, '1 ms', 1000000, 'target'$$)) v (arguments);
SELECT policy_error(format('roost.limit_exempt(%s)', arguments)) FROM (VALUES
	($$NULL, NULL, 'x'$$), ($$1, '10.0.0.0/8', 'x'$$), ($$1, NULL, NULL$$), ($$1, NULL, ' '$$)) v (arguments);
DROP FUNCTION policy_error(text);
\set VERBOSITY terse
UPDATE roost_data.limit_policy SET period = '0' WHERE class = 'policy_test';
\echo :LAST_ERROR_SQLSTATE

-- The smallest interval is a microsecond.
SELECT count(*) FILTER (WHERE allowed) FROM generate_series(1, 10), roost.limit_hit('policy_test', 21, target => 'x');
DELETE FROM roost_data.limit_policy WHERE class = 'policy_test';

CREATE ROLE limit_policy_caller;
SET ROLE limit_policy_caller;
SELECT roost.limit_policy_set('default', 'second', 1000000, '1 second');
SELECT * FROM roost.limit_policy_list();
SELECT roost.limit_exempt(1, reason => 'me');
SELECT roost.limit_unexempt(1);
SELECT * FROM roost.limit_exemption_list();
RESET ROLE;
DROP ROLE limit_policy_caller;

-- routes: every class of one has policies, and posting, liking and deleting have limits of their own
SELECT limit_class FROM roost_internal.route WHERE builtin AND limit_class <> 'none' EXCEPT SELECT class FROM roost_data.limit_policy;
SELECT limit_class, method, path FROM roost_internal.route WHERE builtin AND limit_class IN ('post', 'like', 'delete') ORDER BY 1, 3;
