-- Rate limits through the eyes of those who run the platform.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;
INSERT INTO roost_data.account (id, username, role) SELECT 98800 + n, 'lim_' || n, (ARRAY['user', 'moderator', 'admin'])[n] FROM generate_series(1, 3) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 98801 AND 98803;
SELECT count(*) FROM roost.limit_rule_list(98801);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM roost.limit_rule_list(98802);
\echo :LAST_ERROR_SQLSTATE
SELECT class, name, "limit", period, burst, key, denied >= 0 AS denied FROM roost.limit_rule_list(98803) WHERE class IN ('default', 'login');
-- What is not given stays.
SELECT * FROM roost.limit_rule_set(98803, 'admin_limit', 'minute', 7, 60);
SELECT * FROM roost.limit_rule_set(98803, 'admin_limit', 'minute', burst => 3);
SELECT * FROM roost.limit_rule_set(98803, 'admin_limit', 'minute', period => 0.5, enabled => false, key => 'address');
-- What is not possible.
CREATE FUNCTION pg_temp.try(call text) RETURNS TABLE (state text, field text, message text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'SELECT ' || call;
	RETURN QUERY SELECT 'ok'::text, NULL::text, NULL::text;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS field = COLUMN_NAME;
	state := SQLSTATE;
	message := SQLERRM;
	RETURN NEXT;
END
$$;
SELECT c, t.* FROM unnest(ARRAY['roost.limit_rule_set(98802, ''admin_limit'', ''minute'', 7, 60)', 'roost.limit_rule_set(98803, ''none'', ''minute'', 7, 60)',
	'roost.limit_rule_set(98803, ''admin_limit'', ''new'', 7)', 'roost.limit_rule_set(98803, ''admin_limit'', ''new'', period => 7)', 'roost.limit_rule_set(98803, ''admin_limit'', ''minute'', 0)',
	'roost.limit_rule_set(98803, ''admin_limit'', ''minute'', period => ''NaN'')', 'roost.limit_rule_set(98803, ''admin_limit'', ''minute'', period => ''infinity'')', 'roost.limit_rule_set(98803, ''admin_limit'', ''minute'', period => -1)',
	'roost.limit_rule_set(98803, ''admin_limit'', ''minute'', burst => 0)', 'roost.limit_rule_set(98803, ''admin_limit'', ''minute'', key => ''nothing'')', 'roost.limit_rule_set(98803, NULL, NULL)',
	'roost.limit_exemption_add(98802, ''why'', ''98801'')', 'roost.limit_exemption_add(98803, ''why'')', 'roost.limit_exemption_add(98803, '' '', ''98801'')', 'roost.limit_exemption_add(98803, ''why'', ''98801'', ''192.0.2.0/24'')',
	'roost.limit_exemption_add(98803, ''why'', network => ''192.0.2.1/24'')', 'roost.limit_exemption_add(98803, ''why'', network => ''everywhere'')', 'roost.limit_exemption_add(98803, repeat(''x'', 301), ''98801'')',
	'roost.limit_exemption_add(98803, ''why'', ''@lim_nobody'')', 'roost.limit_exemption_remove(98802, 1)', 'roost.limit_exemption_remove(98803, 1)', 'roost.limit_exemption_show(98802)']) c, pg_temp.try(c) t;
-- Exemptions.
SELECT (e.account).username, e.network, e.reason FROM roost.limit_exemption_add(98803, 'a bot of ours', '@lim_1') e;
SELECT (e.account).username, e.network, e.reason FROM roost.limit_exemption_add(98803, 'our monitoring', network => '192.0.2.0/24') e;
SELECT (e.account).username, e.network, e.reason FROM roost.limit_exemption_show(98803) e WHERE e.reason LIKE 'our%' OR (e.account).id = 98801;
SELECT roost.limit_exemption_remove(98803, e.id) FROM roost.limit_exemption_show(98803) e WHERE (e.account).id = 98801;
SELECT count(*) FROM roost.limit_exemption_show(98803) e WHERE (e.account).id = 98801;
ROLLBACK;
