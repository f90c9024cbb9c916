-- New accounts may post so often, unless they or the network that they come from are exempt from rate limits.
\set VERBOSITY terse
\pset format unaligned
SET client_min_messages = warning;
SELECT access_token AS token, (account).id AS id FROM roost.auth_register('rate_new', 'rate_new@example.org', 'correct horse battery staple') \gset
CREATE SCHEMA rate;
CREATE FUNCTION rate.post(token text, address text, text text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN split_part(roost.handle('POST', '/tweets', '', E'content-type: application/json\nauthorization: Bearer ' || token, json_build_object('text', text)::text, address), E'\n', 1);
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
SELECT roost.limit_policy_set('post_new', 'hour', 2, '1 hour', 2, 'account');
SELECT n, rate.post(:'token', '192.0.2.91', 'the day has number ' || n) FROM generate_series(1, 3) n;
SELECT roost.limit_exempt(network => '192.0.2.0/25', reason => 'test');
SELECT n, rate.post(:'token', a, 'another one, number ' || n) FROM (VALUES (4, '192.0.2.91'), (5, '192.0.2.191'), (6, '192.0.2.92')) v (n, a);
SELECT roost.limit_unexempt(network => '192.0.2.0/25');
SELECT roost.limit_exempt(:id, reason => 'test');
SELECT rate.post(:'token', '192.0.2.91', 'of an account that is free');
SELECT roost.limit_unexempt(:id);
SELECT rate.post(:'token', '192.0.2.91', 'and of one that is not');
SELECT roost.limit_policy_set('post_new', 'hour', 60, '1 hour', 60, 'account');
DROP SCHEMA rate CASCADE;
SELECT roost_internal.account_erase(:id);
DELETE FROM roost_data.reserved_handle WHERE username = 'rate_new';
