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

CREATE OR REPLACE FUNCTION roost_internal.signature_valid(algorithm text, key bytea, message bytea, signature bytea) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_jwk_signature_valid';
REVOKE ALL ON FUNCTION roost_internal.signature_valid(text, bytea, bytea, bytea) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.signature_valid(text, bytea, bytea, bytea) IS 'Whether a signature of a message is right: HS256 with a secret of at least 32 bytes, EdDSA (Ed25519) with a public key. False for other algorithms and keys.';

CREATE OR REPLACE FUNCTION roost.jws_verify(token text, keys jsonb) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_jwk_jws_verify';
COMMENT ON FUNCTION roost.jws_verify(text, jsonb) IS 'The payload of a signed token of somebody else (RFC 7515, compact form, at most 8192 letters). keys is a JWK or a JWK set (RFC 7517); HS256 with "kty": "oct" and EdDSA with Ed25519 keys are offered. 28000 with the reason when the token is not accepted, 22023 for a set that is ambiguous: two keys of one name, or both secret and public ones.';

CREATE OR REPLACE FUNCTION roost_internal.jwt_claims(token text, keys jsonb) RETURNS jsonb
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_jwk_jwt_claims';
REVOKE ALL ON FUNCTION roost_internal.jwt_claims(text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.jwt_claims(text, jsonb) IS 'The claims of a signed token whose times are right; see roost.jwt_verify().';

CREATE OR REPLACE FUNCTION roost.jwt_verify(token text, keys jsonb, issuer text DEFAULT NULL, audience text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_claims jsonb := roost_internal.jwt_claims(token, keys);
	v_audience jsonb := v_claims -> 'aud';
BEGIN
	IF issuer IS NOT NULL AND v_claims ->> 'iss' IS DISTINCT FROM issuer THEN
		RAISE EXCEPTION USING ERRCODE = '28000', MESSAGE = 'token is not accepted: it is from another issuer';
	ELSIF v_audience IS NULL AND audience IS NOT NULL OR v_audience IS NOT NULL AND NOT coalesce(v_audience ? audience, false) THEN
		RAISE EXCEPTION USING ERRCODE = '28000', MESSAGE = 'token is not accepted: it is for another audience';
	END IF;
	RETURN v_claims;
END
$$;
COMMENT ON FUNCTION roost.jwt_verify(text, jsonb, text, text) IS 'The claims of a JSON Web Token of somebody else, for instance an identity provider: form, key and signature as in roost.jws_verify(), exp, nbf and iat (seconds without exponent) against the clock, iss if an issuer is given, aud if an audience is given. A token that names an audience needs one. Names of claims occur once and have no escapes. 28000 with the reason when it is not accepted; null for a null token.';
