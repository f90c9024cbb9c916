-- Signing keys: made at installation, rotated, retired; kept by no backend
-- longer than they are good.
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.verdict(token text) RETURNS text LANGUAGE plpgsql
AS $$
BEGIN
	RETURN 'account ' || roost.token_account(token);
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

SELECT algorithm, octet_length(secret), public_key, retired_at FROM roost_data.signing_key;
SELECT kid AS first FROM roost.key_list() \gset
SELECT roost_internal.token_make(1, 2, 3) AS old \gset

CREATE TEMP TABLE held AS SELECT kid, algorithm, secret, public_key, created_at, not_before, retired_at FROM roost_data.signing_key;

-- Rolled back
BEGIN;
SELECT roost.key_rotate('EdDSA') AS gone \gset
SELECT roost_internal.token_make(1, 2, 3) AS gone_token \gset
SELECT pg_temp.verdict(:'gone_token'), pg_temp.verdict(:'old');
ROLLBACK;
SELECT pg_temp.verdict(:'gone_token'), pg_temp.verdict(:'old');

-- EdDSA
SELECT roost.token_jwks();
SELECT roost.key_rotate('EdDSA') AS second \gset
SELECT roost_internal.token_make(1, 2, 3) AS new \gset
SELECT pg_temp.verdict(:'new'), pg_temp.verdict(:'old');
SELECT kid = :'second' AS is_second, algorithm, signs, retired_at IS NOT NULL AS retires FROM roost.key_list();
SELECT retired_at - now() BETWEEN interval '15 minutes' AND interval '20 minutes' AS accepted_as_long_as_needed FROM roost.key_list() WHERE kid = :'first';
SELECT jsonb_path_query_array(roost.token_jwks(), '$.keys[*].kid') = jsonb_build_array(:'second') AS published,
	roost.token_jwks() #>> '{keys,0,alg}' AS alg, length(roost.token_jwks() #>> '{keys,0,x}') AS x, roost.token_jwks() #> '{keys,0,d}' AS d;
SELECT convert_from(roost.jws_verify(:'new', roost.token_jwks()), 'UTF8')::jsonb ->> 'sub' AS verified_by_others;

-- A public key does not pass for a secret
SELECT pg_temp.verdict(s.signed || '.' || translate(encode(hmac(convert_to(s.signed, 'UTF8'), k.public_key, 'sha256'), 'base64'), E'+/=\n', '-_'))
FROM roost_data.signing_key k,
	LATERAL (SELECT translate(encode(convert_to(format('{"alg":"HS256","kid":"%s"}', k.kid), 'UTF8'), 'base64'), E'+/=\n', '-_') || '.' || split_part(:'new', '.', 2) AS signed) s
WHERE k.kid = :'second';

-- A key for later is published, but does not sign yet
SELECT roost.key_rotate('EdDSA', now() + interval '1 hour') AS third \gset
SELECT split_part(roost_internal.token_make(1, 2, 3), '.', 1) = split_part(:'new', '.', 1) AS second_signs;
SELECT jsonb_array_length(roost.token_jwks() -> 'keys') AS published;
SELECT kid = :'third' AS is_third, signs FROM roost.key_list();

-- Retired: its tokens end at once
SELECT roost.key_retire(:'second');
SELECT pg_temp.verdict(:'new'), pg_temp.verdict(:'old');
SELECT roost.key_retire(:'second');
\echo :LAST_ERROR_SQLSTATE
-- the third does not sign yet, so there is a new one
SELECT algorithm, signs FROM roost.key_list();
SELECT pg_temp.verdict(roost_internal.token_make(1, 2, 3));

-- Past its end a key is not accepted, and maintenance deletes it
UPDATE roost_data.signing_key SET retired_at = now() WHERE kid = :'first';
SELECT pg_temp.verdict(:'old');
SELECT roost_internal.token_maintenance() > 0 AS purged;
SELECT count(*) FROM roost_data.signing_key WHERE kid = :'first';

-- Refused
SELECT roost.key_rotate('RS256');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.key_rotate('none');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
INSERT INTO roost_data.signing_key (kid, algorithm, secret) VALUES ('short', 'HS256', '\x00');
\echo :LAST_ERROR_SQLSTATE

-- No keys at all: an error with a hint
BEGIN;
DELETE FROM roost_data.signing_key;
SELECT roost_internal.token_make(1, 2, 3);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- As before
DELETE FROM roost_data.signing_key;
INSERT INTO roost_data.signing_key SELECT * FROM held;
SELECT pg_temp.verdict(:'old');
