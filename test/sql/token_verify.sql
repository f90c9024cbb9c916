-- What roost.token_verify() accepts, and why it refuses the rest.
SET client_min_messages = warning;
SET timezone = 'UTC';
SELECT roost_internal.clock_freeze('2030-01-01 00:00:00+00');

-- A token of any header and claims, signed with the server's own key.
CREATE FUNCTION pg_temp.encode(part text) RETURNS text LANGUAGE sql
AS $$ SELECT translate(encode(convert_to(part, 'UTF8'), 'base64'), E'+/=\n', '-_') $$;
CREATE FUNCTION pg_temp.sign(header text, claims text) RETURNS text LANGUAGE sql
AS $$
	SELECT s.signed || '.' || translate(encode(hmac(convert_to(s.signed, 'UTF8'), k.secret, 'sha256'), 'base64'), E'+/=\n', '-_')
	FROM roost_data.signing_key k, (SELECT pg_temp.encode(replace(header, '<kid>', k2.kid)) || '.' || pg_temp.encode(claims) AS signed FROM roost_data.signing_key k2) s
$$;
CREATE FUNCTION pg_temp.verdict(token text) RETURNS text LANGUAGE plpgsql
AS $$
DECLARE
	v_identity roost.token_identity;
BEGIN
	v_identity := roost.token_verify(token);
	RETURN format('account %s session %s device %s', v_identity.account_id, v_identity.session_id, v_identity.device_id);
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE FUNCTION pg_temp.at(seconds integer) RETURNS bigint LANGUAGE sql AS $$ SELECT extract(epoch FROM timestamptz '2030-01-01 00:00:00+00')::bigint + seconds $$;
-- Claims that are good, changed by a JSON patch; a null removes a claim.
CREATE FUNCTION pg_temp.claims(patch jsonb DEFAULT '{}') RETURNS text LANGUAGE sql
AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('iss', 'roost', 'aud', 'roost', 'sub', '11', 'sid', '22', 'did', '33',
		'iat', pg_temp.at(0), 'exp', pg_temp.at(600)) || patch)::text
$$;

-- A token of our own
SELECT roost_internal.token_make(11, 22, 33) AS token \gset
SELECT pg_temp.verdict(:'token');
SELECT * FROM roost.token_verify(:'token');
SELECT roost.token_account(:'token');
SELECT pg_temp.verdict(roost_internal.token_make(11, 22, NULL)) AS without_device;
SELECT roost.token_verify(NULL) IS NULL AS null_is_null;
SELECT jsonb_object_keys(convert_from(decode(rpad(translate(split_part(:'token', '.', 2), '-_', '+/'), 4 * ((length(split_part(:'token', '.', 2)) + 3) / 4), '='), 'base64'), 'UTF8')::jsonb) AS claim ORDER BY 1;
SELECT count(DISTINCT roost_internal.token_make(11, 22, 33)) AS never_the_same FROM generate_series(1, 5);

-- Form
SELECT what, pg_temp.verdict(token) FROM (VALUES
	('empty', ''), ('one part', 'a'), ('two parts', 'a.b'), ('dots', '..'), ('four parts', :'token' || '.x'),
	('no signature', regexp_replace(:'token', '[^.]*$', '')),
	('leading space', ' ' || :'token'), ('trailing newline', :'token' || E'\n'), ('padding', :'token' || '='),
	('unused bits', left(:'token', -1) || translate(right(:'token', 1), 'AEIMQUYcgkosw048', 'BFJNRVZdhlptx159')),
	('short signature', left(:'token', -2)),
	('changed signature', regexp_replace(:'token', '\.[^.]*$', '.' || repeat('A', 43))),
	('changed claims', regexp_replace(:'token', '\..', '.f')),
	('too long', :'token' || repeat('A', 8192)),
	('header is no JSON', 'AAAA.' || split_part(:'token', '.', 2) || '.' || split_part(:'token', '.', 3))
) v (what, token);

-- Header
SELECT header, pg_temp.verdict(pg_temp.sign(header, pg_temp.claims())) FROM (VALUES
	('{"alg":"HS256","kid":"<kid>","typ":"JWT"}'), ('{"alg":"HS256","kid":"<kid>"}'), (' { "kid" : "<kid>" , "alg" : "HS256" } '),
	('{"alg":"none","kid":"<kid>"}'), ('{"kid":"<kid>"}'), ('{"alg":"hs256","kid":"<kid>"}'), ('{"alg":"HS512","kid":"<kid>"}'),
	('{"alg":["HS256"],"kid":"<kid>"}'), ('{"alg":"EdDSA","kid":"<kid>"}'),
	('{"alg":"HS256"}'), ('{"alg":"HS256","kid":"other"}'), ('{"alg":"HS256","kid":7}'), ('{"alg":"HS256","kid":""}'),
	('{"alg":"HS256","kid":"<kid>","typ":"at+jwt"}'), ('{"alg":"HS256","kid":"<kid>","crit":["exp"]}'), ('{"alg":"HS256","kid":"<kid>","b64":false}'),
	('{"alg":"HS256","alg":"HS256","kid":"<kid>"}'), ('{"alg":"none","alg":"HS256","kid":"<kid>"}'), ('{"\u0061lg":"HS256","kid":"<kid>"}'),
	('{"alg":"HS256","kid":"<kid>"} '), ('{"alg":"HS256","kid":"<kid>"}x'), ('{"alg":"HS256","kid":"<kid>",}'), ('["HS256"]'), ('null'), ('')
) v (header);

-- Claims
SELECT patch, pg_temp.verdict(pg_temp.sign('{"alg":"HS256","kid":"<kid>"}', pg_temp.claims(patch))) FROM (VALUES
	('{}'::jsonb), ('{"did":null}'), ('{"other":{"a":[1,2,{"b":null}]}}'),
	('{"sub":null}'), ('{"sid":null}'), ('{"iat":null}'), ('{"exp":null}'), ('{"iss":null}'), ('{"aud":null}'),
	('{"sub":11}'), ('{"sub":"0"}'), ('{"sub":"011"}'), ('{"sub":"-1"}'), ('{"sub":"1 "}'), ('{"sub":""}'), ('{"sub":"9223372036854775808"}'), ('{"sub":"9223372036854775807"}'),
	('{"sub":"99999999999999999999999"}'), ('{"sid":"x"}'), ('{"did":{}}'),
	('{"iss":"Roost"}'), ('{"iss":["roost"]}'), ('{"iss":"roos"}'), ('{"iss":"roosts"}'),
	('{"aud":"other"}'), ('{"aud":["other","roost"]}'), ('{"aud":["other"]}'), ('{"aud":[]}'), ('{"aud":["roost",1]}'), ('{"aud":[["roost"]]}'), ('{"aud":{"roost":1}}'),
	('{"exp":"9999999999"}'), ('{"exp":-1}'), ('{"exp":0}'), ('{"exp":1e12}'), ('{"exp":99999999999999999999}'), ('{"iat":true}')
) v (patch);
SELECT what, pg_temp.verdict(pg_temp.sign('{"alg":"HS256","kid":"<kid>"}', pg_temp.claims(patch))) FROM (VALUES
	('ended', jsonb_build_object('iat', pg_temp.at(-100), 'exp', pg_temp.at(-50))),
	('ended within the leeway', jsonb_build_object('iat', pg_temp.at(-100), 'exp', pg_temp.at(-4))),
	('ended just before it', jsonb_build_object('iat', pg_temp.at(-100), 'exp', pg_temp.at(-5))),
	('issued longer ago than tokens live', jsonb_build_object('iat', pg_temp.at(-1000), 'exp', pg_temp.at(1000))),
	('issued tomorrow', jsonb_build_object('iat', pg_temp.at(86400), 'exp', pg_temp.at(90000))),
	('issued within the leeway', jsonb_build_object('iat', pg_temp.at(5))),
	('issued just after it', jsonb_build_object('iat', pg_temp.at(6))),
	('not before tomorrow', jsonb_build_object('nbf', pg_temp.at(86400))),
	('not before a moment', jsonb_build_object('nbf', pg_temp.at(5)))
) v (what, patch);
SELECT claims, pg_temp.verdict(pg_temp.sign('{"alg":"HS256","kid":"<kid>"}', claims)) FROM (VALUES
	(''), ('{}'), ('[]'), ('1'), ('{"iss":"roost","iss":"roost"}'), ('{"x":1,"x":2}'), ('{"s\u0075b":"1"}'), ('{"x":"\u0000"}'), ('{"x":"\ud800"}'), ('{"x":"\ud83d\ude00"}'),
	('{"x":01}'), ('{"x":1.}'), ('{"x":.1}'), ('{"x":+1}'), ('{"x":nul}'), ('{"x":"' || chr(9) || '"}'), ('{''x'':1}'), ('{"x":1}//'), ('{"x":NaN}')
) v (claims);
SELECT pg_temp.verdict(pg_temp.sign('{"alg":"HS256","kid":"<kid>"}', pg_temp.claims(jsonb_build_object('x', repeat('[', 9)::text)))) AS deep_text_is_fine;
SELECT depth, pg_temp.verdict(pg_temp.sign('{"alg":"HS256","kid":"<kid>"}', overlay(pg_temp.claims() PLACING '{"x":' || repeat('[', depth) || repeat(']', depth) || ',' FROM 1 FOR 1)))
FROM unnest('{15,16,1000}'::int[]) depth;
SELECT members, pg_temp.verdict(pg_temp.sign('{"alg":"HS256","kid":"<kid>"}', pg_temp.claims((SELECT jsonb_object_agg('x' || i, i) FROM generate_series(1, members) i))))
FROM unnest('{20,40}'::int[]) members;

-- Making needs an account and a session
SELECT roost_internal.token_make(NULL, 22, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT roost_internal.token_make(11, 0, NULL);
\echo :LAST_ERROR_SQLSTATE

-- Strangers may verify, and nothing else
SELECT p.proname FROM pg_proc p
WHERE p.pronamespace IN ('roost'::regnamespace, 'roost_internal'::regnamespace)
	AND (p.proname ~ '^(token|key|jws|jwt|password|login|random|lockout|revocation|equal)_' OR p.proname IN ('session_revoked', 'signature_valid'))
	AND has_function_privilege('public', p.oid, 'EXECUTE')
ORDER BY 1;
CREATE ROLE token_stranger;
SET ROLE token_stranger;
SELECT secret FROM roost_data.signing_key;
RESET ROLE;
SET SESSION AUTHORIZATION token_stranger;
SELECT roost.token_account(:'token');
RESET SESSION AUTHORIZATION;
DROP ROLE token_stranger;
SELECT roost_internal.clock_freeze(NULL);
