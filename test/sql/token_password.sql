-- Password hashes and the rule for new passwords.
SET client_min_messages = warning;

-- argon2id by default
SELECT roost_internal.password_hash('correct horse battery staple') AS hash \gset
SELECT :'hash' ~ '^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$' AS form;
SELECT roost_internal.password_hash('correct horse battery staple') = :'hash' AS same_salt;
SELECT roost_internal.password_verify('correct horse battery staple', :'hash') AS right,
	roost_internal.password_verify('Correct horse battery staple', :'hash') AS wrong,
	roost_internal.password_verify('', :'hash') AS empty,
	roost_internal.password_verify(repeat('x', 5000), :'hash') AS too_long;
SELECT roost_internal.password_verify_dummy('correct horse battery staple') AS dummy;
SELECT roost_internal.password_hash(repeat('x', 4097));
\echo :LAST_ERROR_SQLSTATE

-- The same password in another normalization
SELECT roost_internal.password_verify(U&'pa\0308ssword', roost_internal.password_hash(U&'p\00e4ssword')) AS same,
	roost_internal.password_verify('passwort', roost_internal.password_hash(U&'p\00e4sswort')) AS other;

-- Parameters
SET roost.password_memory = '1MB';
SET roost.password_iterations = 1;
SET roost.password_parallelism = 3;
SELECT roost_internal.password_hash('x') AS weak \gset
SELECT :'weak' LIKE '$argon2id$v=19$m=1024,t=1,p=3$%' AS form, roost_internal.password_verify('x', :'weak') AS right, roost_internal.password_needs_rehash(:'weak') AS as_wanted;
RESET roost.password_memory;
RESET roost.password_iterations;
RESET roost.password_parallelism;
SELECT roost_internal.password_verify('x', :'weak') AS right, roost_internal.password_needs_rehash(:'weak') AS no_more, roost_internal.password_needs_rehash(:'hash') AS strong;

-- Hashes of others: computed by the reference library for "password"
SELECT kind, roost_internal.password_verify('password', hash) AS right, roost_internal.password_verify('Password', hash) AS wrong, roost_internal.password_needs_rehash(hash) AS rehash
FROM (VALUES
	('argon2i', '$argon2i$v=19$m=1024,t=2,p=2$c29tZXNhbHQ$L5PmjAVnzK105vF+MVHkys50egOLjT2ezk1HL3KqpE0'),
	('argon2id', '$argon2id$v=19$m=2048,t=3,p=4$c2FsdHNhbHRzYWx0$OqxcZi9gC/ke/iUUcliPsatxNSo3yYRs'),
	('bcrypt 2a', crypt('password', gen_salt('bf', 4))),
	('bcrypt 2b', regexp_replace(crypt('password', gen_salt('bf', 4)), '^\$2a', '$2b')),
	('bcrypt 2y', regexp_replace(crypt('password', gen_salt('bf', 4)), '^\$2a', '$2y'))
) v (kind, hash);

-- What cannot be read, or costs too much, is never right and never an error
SELECT left(hash, 60) AS hash, roost_internal.password_verify('password', hash) AS verified, roost_internal.password_needs_rehash(hash) AS rehash
FROM (VALUES (''), ('password'), ('$'), ('$argon2id$'), ('$1$salt$qJH7.N4xYta3aEG/dfqo/0'), ('rEK1ecacw.7.c'),
	('$argon2d$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
	('$argon2id$v=16$m=19456,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
	('$argon2id$m=19456,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
	('$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
	('$argon2id$v=19$m=1048577,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
	('$argon2id$v=19$m=1048576,t=5,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
	('$argon2id$v=19$m=19456,t=99999,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
	('$argon2id$v=19$m=19456,t=2,p=999$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
	('$argon2id$v=19$m=7,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
	('$argon2id$v=19$m=019456,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
	('$argon2id$v=19$m=19456,t=2,p=0$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
	('$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$'),
	('$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAA'),
	('$argon2id$v=19$m=19456,t=2,p=1$$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
	('$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ=$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
	('$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA$'),
	('$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$' || repeat('A', 1000)),
	('$2b$31$abcdefghijklmnopqrstuvabcdefghijklmnopqrstuvabcdefghi'), ('$2b$04$tooshort'), ('$2x$04$abcdefghijklmnopqrstuvabcdefghijklmnopqrstuvabcdefghi'),
	('$2b$04$abcdefghijklmnopqrstu!abcdefghijklmnopqrstuvabcdefghi'), ('$2b$0x$abcdefghijklmnopqrstuvabcdefghijklmnopqrstuvabcdefghi')
) v (hash);

-- New passwords
SELECT left(password, 40) AS password, roost_internal.password_check(password, 'margaret', 'peggy.olsen@example.com') AS reason
FROM unnest(ARRAY['', 'short', 'ninechars', 'password12', 'P@ssw0rd2024!!', 'iloveyou2024!', 'qwertyuiop', '1234567890', 'aaaaaaaaaaaaaaaa', 'abcabcabcabcabc', '1q2w3e4r5t6y',
	'hunter2hunter2', 'dragonmonkey1', 'Margaret2024!', 'peggy-olsen', 'peggy.olsen@example.com', 'olsen19701970',
	'margaret drives a red bus', 'correct horse battery', 'Tr0ub4dor&3', 'x7$kQ9pl2w', 'tiger lily pond 7', 'пароль на каждый день', repeat('long and ', 112), repeat('ab3$', 251)]) password;
SELECT roost_internal.password_check(NULL, NULL, NULL) AS none, roost_internal.password_check('margaret1956', NULL, NULL) AS without_names;
SET roost.password_min_length = 20;
SELECT roost_internal.password_check('x7$kQ9pl2wN0', NULL, NULL) AS reason;
RESET roost.password_min_length;

-- Random tokens, their digests, comparison
SELECT length(roost_internal.random_token(32)), roost_internal.random_token(16) ~ '^[A-Za-z0-9_-]{22}$' AS form, count(DISTINCT roost_internal.random_token(16)) FROM generate_series(1, 100);
SELECT roost_internal.random_token(8);
\echo :LAST_ERROR_SQLSTATE
SELECT encode(roost_internal.token_digest('abc'), 'hex') = encode(sha256('abc'), 'hex') AS digest;
SELECT roost_internal.equal_constant_time('\x00ff', '\x00ff'), roost_internal.equal_constant_time('\x00ff', '\x00fe'), roost_internal.equal_constant_time('\x00ff', '\x00'), roost_internal.equal_constant_time('', '');
