-- Importing accounts: times, passwords, refusals, and doing it twice.
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- What a statement ends in: "ok", or SQLSTATE, field and message.
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_column text;
BEGIN
	EXECUTE statement;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS v_column = COLUMN_NAME;
	RETURN concat_ws(' ', SQLSTATE, nullif(v_column, ''), SQLERRM);
END
$$;

SELECT (account).id AS here FROM roost.auth_register('imp_here', 'imp.here@example.org', 'correct horse battery') \gset
SELECT roost_internal.email_verified(:here, 'imp.here@example.org');

COPY roost_data.import_account (external_id, username, email, email_verified, password_hash, display_name, bio, avatar_url, birth_date, language, is_private, created_at) FROM stdin;
e1	Imp_Ada	Imp.Ada@Example.org	t	$2a$04$pXoudEBHJ2cZ5wIfPM6DL.0P3kZ2Bvq5jH1nGJ0yq1JfRjCqTgSwO	Ada	about	https://example.org/a.png	1990-01-02	de	t	2014-03-04 05:06:07.891+00
e2	imp_bob	\N	t	\N	\N	\N	\N	\N	\N	f	\N
e3	imp_carol	imp.unproved@example.org	f	\N	Carol	\N	\N	\N	\N	f	2014-03-04 05:06:07.891+00
e4	imp_dave	imp.unproved@example.org	f	\N	Dave	\N	\N	\N	\N	f	2014-03-04 05:06:07.891+00
x01	\N	\N	t	\N	\N	\N	\N	\N	\N	f	\N
x02	not a name	\N	t	\N	\N	\N	\N	\N	\N	f	\N
x03	IMP_ada	\N	t	\N	\N	\N	\N	\N	\N	f	\N
x04	imp_here	\N	t	\N	\N	\N	\N	\N	\N	f	\N
x05	imp_x05	IMP.here@example.org	t	\N	\N	\N	\N	\N	\N	f	\N
x06	imp_x06	imp.ada@example.org	t	\N	\N	\N	\N	\N	\N	f	\N
x07	imp_x07	not an address	t	\N	\N	\N	\N	\N	\N	f	\N
x08	imp_x08	\N	t	hunter2hunter2	\N	\N	\N	\N	\N	f	\N
x09	imp_x09	\N	t	5f4dcc3b5aa765d61d8327deb882cf99	\N	\N	\N	\N	\N	f	\N
x10	imp_x10	\N	t	\N	\N	\N	javascript:alert(1)	\N	\N	f	\N
x11	imp_x11	\N	t	\N	\N	\N	\N	1800-01-01	\N	f	\N
x12	imp_x12	\N	t	\N	\N	\N	\N	\N	\N	f	2999-01-01
x13	imp_x13	\N	t	\N	\N	\N	\N	\N	\N	f	1969-12-31
\.
SELECT * FROM roost.account_import();
SELECT external_id, error FROM roost_data.import_account ORDER BY external_id;
SELECT m.external_id, a.username, a.display_name, a.bio, a.avatar_url, a.birth_date, a.language, a.is_private, a.status,
	a.created_at > now() - interval '1 hour' AS made_now, roost.id_time(a.id) - a.created_at AS id_differs, e.email, e.verified_at IS NOT NULL AS verified, left(c.password_hash, 4) AS hash
FROM roost_data.import_map m JOIN roost_data.account a ON a.id = m.id
LEFT JOIN roost_data.account_email e ON e.account_id = a.id LEFT JOIN roost_data.account_credential c ON c.account_id = a.id
WHERE m.kind = 'account' AND m.external_id ~ '^e[0-9]$' ORDER BY m.external_id;
SELECT roost.id_time(id) FROM roost_data.import_map WHERE external_id = 'e1';

-- Again: what is there is left alone, what was refused is tried again.
UPDATE roost_data.import_account SET username = 'imp_x02' WHERE external_id = 'x02';
DELETE FROM roost_data.import_account WHERE external_id > 'x02';
INSERT INTO roost_data.import_account (external_id, username) VALUES ('e1', 'imp_ada'), ('e2', 'imp_other');
SELECT * FROM roost.account_import();
SELECT count(*) FROM roost_data.import_map WHERE external_id ~ '^(e|x)[0-9]+$';
TRUNCATE roost_data.import_account;
SELECT * FROM roost.account_import();

-- The imported password works, once as bcrypt, from then on as argon2id.
UPDATE roost_data.account_credential c SET password_hash = crypt('correct horse battery', gen_salt('bf', 4)) FROM roost_data.import_map m WHERE m.external_id = 'e1' AND c.account_id = m.id;
SELECT (roost.auth_login('imp.ada@example.org', 'correct horse battery')).account.username;
-- Without one, the mail brings it.
SELECT pg_temp.try($$SELECT roost.auth_login('imp_carol', '')$$), pg_temp.try($$SELECT roost.auth_login('imp_carol', 'correct horse battery')$$);

-- Many of one moment get ids of their own, near that moment.
INSERT INTO roost_data.import_account (external_id, username, created_at) SELECT 'm' || i, 'imp_m' || i, '2012-12-12 12:12:12.123+00' FROM generate_series(1, 3000) i;
SELECT * FROM roost.account_import();
SELECT count(DISTINCT a.id), min(roost.id_time(a.id)), max(roost.id_time(a.id)) < '2012-12-12 12:12:12.200+00' AS near, count(DISTINCT a.created_at) AS times
FROM roost_data.import_map m JOIN roost_data.account a ON a.id = m.id WHERE m.external_id ~ '^m[0-9]+$';
