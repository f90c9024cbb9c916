-- Access tokens.

CREATE OR REPLACE FUNCTION roost_internal.token_lifetime() RETURNS interval
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_token_lifetime_sql';
REVOKE ALL ON FUNCTION roost_internal.token_lifetime() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.token_lifetime() IS 'For how long an access token issued now may be accepted at most: roost.token_access_ttl and some minutes for clocks that differ.';

CREATE OR REPLACE FUNCTION roost_internal.token_make(account_id bigint, session_id bigint, device_id bigint) RETURNS text
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_token_make';
REVOKE ALL ON FUNCTION roost_internal.token_make(bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.token_make(bigint, bigint, bigint) IS 'A new access token for a session, valid for roost.token_access_ttl; device_id may be null. Claims: iss, aud, sub (account), sid, did, jti, iat, nbf, exp. 55000 when there is no signing key.';

CREATE OR REPLACE FUNCTION roost.token_verify(token text) RETURNS roost.token_identity
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_token_verify';
COMMENT ON FUNCTION roost.token_verify(text) IS 'Who sends an access token. Checks form, key, signature, issuer, audience, times and revocation; 28000 with the reason when it is not accepted.';

CREATE OR REPLACE FUNCTION roost.token_account(token text) RETURNS roost.id
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_token_account';
COMMENT ON FUNCTION roost.token_account(text) IS 'The account of an access token, for instance in a row security policy. The same checks and error as roost.token_verify().';
