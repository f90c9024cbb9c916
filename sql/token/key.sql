-- Keys that sign access tokens.

CREATE OR REPLACE FUNCTION roost_internal.key_changed() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'roost_key_changed';
REVOKE ALL ON FUNCTION roost_internal.key_changed() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_changed() IS 'Trigger: makes every backend read the signing keys again once a change to them has committed.';

CREATE OR REPLACE FUNCTION roost_internal.key_material(algorithm text, OUT kid text, OUT secret bytea, OUT public_key bytea) RETURNS record
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_key_material';
REVOKE ALL ON FUNCTION roost_internal.key_material(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_material(text) IS 'A new random key for HS256 or EdDSA: its name, its secret, and for EdDSA its public part. Stores nothing. 22023 for another algorithm.';

CREATE OR REPLACE FUNCTION roost_internal.key_generate(algorithm text, not_before timestamptz DEFAULT now()) RETURNS text
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO roost_data.signing_key (kid, algorithm, secret, public_key, created_at, not_before)
	SELECT m.kid, key_generate.algorithm, m.secret, m.public_key, clock_timestamp(), key_generate.not_before
	FROM roost_internal.key_material(key_generate.algorithm) m
	RETURNING kid
$$;
REVOKE ALL ON FUNCTION roost_internal.key_generate(text, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_generate(text, timestamptz) IS 'Makes and stores a key for HS256 or EdDSA that signs from not_before on, and returns its name. Other keys stay as they are.';

CREATE OR REPLACE FUNCTION roost.key_rotate(algorithm text DEFAULT 'HS256', not_before timestamptz DEFAULT now()) RETURNS text
LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_kid text;
BEGIN
	LOCK TABLE roost_data.signing_key IN SHARE ROW EXCLUSIVE MODE;
	UPDATE roost_data.signing_key k
	SET retired_at = greatest(key_rotate.not_before, now()) + roost_internal.token_lifetime()
	WHERE k.retired_at IS NULL;
	v_kid := roost_internal.key_generate(key_rotate.algorithm, greatest(key_rotate.not_before, now()));
	DELETE FROM roost_data.signing_key k WHERE k.retired_at < now();
	RETURN v_kid;
END
$$;
REVOKE ALL ON FUNCTION roost.key_rotate(text, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost.key_rotate(text, timestamptz) IS 'Makes a new signing key (HS256 or EdDSA) and returns its name. It signs from not_before on, at once by default; give those who fetch the public keys time by naming a later moment. Older keys are accepted until the last token they may have signed has ended; keys past that are deleted. 22023 for another algorithm.';

CREATE OR REPLACE FUNCTION roost.key_retire(kid text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_algorithm text;
BEGIN
	LOCK TABLE roost_data.signing_key IN SHARE ROW EXCLUSIVE MODE;
	DELETE FROM roost_data.signing_key k WHERE k.kid = key_retire.kid RETURNING k.algorithm INTO v_algorithm;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'no_data_found', MESSAGE = 'there is no such key';
	END IF;
	IF NOT EXISTS (SELECT FROM roost_data.signing_key k WHERE k.retired_at IS NULL AND k.not_before <= now()) THEN
		PERFORM roost_internal.key_generate(v_algorithm);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.key_retire(text) FROM PUBLIC;
COMMENT ON FUNCTION roost.key_retire(text) IS 'Deletes a signing key, for instance because its secret has leaked: every access token that it has signed ends at once, and clients refresh. Makes a new key of the same algorithm if none is left to sign. P0002 for an unknown name.';

CREATE OR REPLACE FUNCTION roost.key_list() RETURNS SETOF roost.signing_key
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT k.kid, k.algorithm, k.created_at, k.not_before, k.retired_at,
		k.kid = first_value(k.kid) OVER (ORDER BY k.not_before <= now() AND coalesce(k.retired_at > now(), true) DESC, k.not_before DESC, k.created_at DESC)
	FROM roost_data.signing_key k
	ORDER BY k.not_before DESC, k.created_at DESC
$$;
REVOKE ALL ON FUNCTION roost.key_list() FROM PUBLIC;
COMMENT ON FUNCTION roost.key_list() IS 'The signing keys without their secrets, newest first.';

CREATE OR REPLACE FUNCTION roost.token_jwks() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object('keys', coalesce(jsonb_agg(jsonb_build_object(
		'kty', 'OKP', 'crv', 'Ed25519', 'use', 'sig', 'alg', k.algorithm, 'kid', k.kid,
		'x', translate(encode(k.public_key, 'base64'), '+/=', '-_')) ORDER BY k.not_before DESC), '[]'))
	FROM roost_data.signing_key k
	WHERE k.algorithm = 'EdDSA' AND coalesce(k.retired_at > now(), true)
$$;
COMMENT ON FUNCTION roost.token_jwks() IS 'The public keys with which others verify access tokens, as a JWK set (RFC 7517). Empty while tokens are signed with HS256; see roost.key_rotate().';
SELECT roost_internal.route('GET', '/.well-known/jwks.json', 'roost.token_jwks', auth => 'none');
