-- Passwords and random secrets.

CREATE OR REPLACE FUNCTION roost_internal.password_hash(password text) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_password_hash';
REVOKE ALL ON FUNCTION roost_internal.password_hash(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.password_hash(text) IS 'The argon2id hash of a password with a new salt, as a PHC string. Parameters: roost.password_memory, _iterations, _parallelism; about 15 ms. Error 22001 over 4096 bytes. Pass the password as a parameter, so that it never stands in a logged statement.';

CREATE OR REPLACE FUNCTION roost_internal.password_verify(password text, hash text) RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_password_verify';
REVOKE ALL ON FUNCTION roost_internal.password_verify(text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.password_verify(text, text) IS 'Whether the hash was made of the password. Hashes: argon2id and argon2i (PHC string, version 19, at most 1 GiB and 4 GiB in all passes), bcrypt ($2a$, $2b$, $2y$, cost 4 to 16). Anything else is false, never an error.';

CREATE OR REPLACE FUNCTION roost_internal.password_verify_dummy(password text) RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_password_verify_dummy';
REVOKE ALL ON FUNCTION roost_internal.password_verify_dummy(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.password_verify_dummy(text) IS 'False, after the time that a verification takes. Call it when there is no account, so that the time of the answer does not tell.';

CREATE OR REPLACE FUNCTION roost_internal.password_needs_rehash(hash text) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_password_needs_rehash';
REVOKE ALL ON FUNCTION roost_internal.password_needs_rehash(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.password_needs_rehash(text) IS 'Whether a hash is of another kind or has other parameters than a new one would have.';

CREATE OR REPLACE FUNCTION roost_internal.password_check(password text, username text, email text) RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_password_check';
REVOKE ALL ON FUNCTION roost_internal.password_check(text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.password_check(text, text, text) IS 'Why a password is refused, as a message without the password in it, or NULL when it is good: between roost.password_min_length and 1000 characters and not easy to guess (common words, keyboard walks, years, repetitions, the user name or e-mail address). User name and e-mail may be NULL.';

CREATE OR REPLACE FUNCTION roost_internal.random_token(bytes integer) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_secret_random_token';
REVOKE ALL ON FUNCTION roost_internal.random_token(integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.random_token(integer) IS 'Random bytes (16 to 256) as base64url, for secrets that are sent to somebody.';

CREATE OR REPLACE FUNCTION roost_internal.token_digest(token text) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_secret_token_digest';
REVOKE ALL ON FUNCTION roost_internal.token_digest(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.token_digest(text) IS 'The SHA-256 of a random token: what tables hold instead of the token.';

CREATE OR REPLACE FUNCTION roost_internal.equal_constant_time(a bytea, b bytea) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_secret_equal';
REVOKE ALL ON FUNCTION roost_internal.equal_constant_time(bytea, bytea) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.equal_constant_time(bytea, bytea) IS 'Whether two secrets are equal, in a time that depends on their length only.';
