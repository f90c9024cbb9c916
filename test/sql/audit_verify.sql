-- Whatever a superuser does to the audit trail is found, and the first bad row named.
\set VERBOSITY terse
\set SHOW_CONTEXT never
CREATE PROCEDURE pg_temp.seal() LANGUAGE plpgsql AS $$
BEGIN
	COMMIT;
	WHILE EXISTS (SELECT FROM roost_data.audit_entry) LOOP
		PERFORM roost.worker_sync('1 minute');
		COMMIT;
	END LOOP;
END
$$;
-- Does something to the trail, says what verification finds (bad_seq from the mark on), and undoes it.
CREATE FUNCTION pg_temp.tamper(mark bigint, VARIADIC statements text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_statement text;
	v_report roost.audit_report;
BEGIN
	FOREACH v_statement IN ARRAY statements LOOP
		EXECUTE replace(v_statement, '$mark', mark::text);
	END LOOP;
	v_report := roost.audit_verify();
	RAISE EXCEPTION USING ERRCODE = 'RO000', MESSAGE = concat_ws(' ', v_report.ok, v_report.bad_seq - mark,
		regexp_replace(v_report.reason, 'rows (\d+) to (\d+)', 'rows N to N'));
EXCEPTION WHEN SQLSTATE 'RO000' THEN
	RETURN SQLERRM;
END
$$;
CALL pg_temp.seal();
SELECT roost_internal.audit_add('verify.' || i, 'test', i, jsonb_build_object('n', i, 'text', 'Größe "x"', 'list', ARRAY[1.50, 2])) FROM generate_series(1, 9) i;
CALL pg_temp.seal();
SELECT ok, reason, bad_seq, anchor_seq, rows = head_seq AS all, from_seq FROM roost.audit_verify();

-- The canonical form in SQL.
CREATE FUNCTION pg_temp.part(value bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT coalesce(int4send(length(value)) || value, '\xffffffff') $$;
SELECT bool_and(a.hash = sha256(pg_temp.part(p.hash) || pg_temp.part(int8send(a.seq)) || pg_temp.part(timestamptz_send(a.sealed_at)) || pg_temp.part(int8send(a.id))
	|| pg_temp.part(timestamptz_send(a.at)) || pg_temp.part(convert_to(a.action, 'UTF8')) || pg_temp.part(convert_to(a.object_type, 'UTF8')) || pg_temp.part(convert_to(a.object_id, 'UTF8'))
	|| pg_temp.part(int8send(a.account_id)) || pg_temp.part(int8send(a.actor_id)) || pg_temp.part(int8send(a.session_id))
	|| pg_temp.part(convert_to(a.session_role, 'UTF8')) || pg_temp.part(convert_to(a.role, 'UTF8')) || pg_temp.part(convert_to(a.source, 'UTF8')) || pg_temp.part(convert_to(a.cause, 'UTF8'))
	|| pg_temp.part(convert_to(a.application, 'UTF8')) || pg_temp.part(convert_to(a.request_id, 'UTF8')) || pg_temp.part(convert_to(a.address, 'UTF8'))
	|| pg_temp.part(int8send(a.transaction)) || pg_temp.part(convert_to(a.detail::text, 'UTF8')))) AS same
FROM roost_data.audit a JOIN roost_data.audit p ON p.seq = a.seq - 1 WHERE a.action LIKE 'verify.%';

-- No setting changes it.
SET timezone = 'Pacific/Chatham';
SET datestyle = 'German';
SET intervalstyle = 'sql_standard';
SET extra_float_digits = -15;
SET bytea_output = 'escape';
SELECT ok FROM roost.audit_verify();
RESET ALL;
\set VERBOSITY terse

-- From a row on, and against heads.
SELECT min(seq) - 1 AS mark, max(seq) AS head FROM roost_data.audit WHERE action LIKE 'verify.%' \gset
SELECT ok, from_seq - :mark AS from_seq, rows >= 6 AS rows FROM roost.audit_verify(:mark + 4);
SELECT ok, bad_seq - :mark AS bad, left(reason, 18) AS reason FROM roost.audit_verify(:mark + 40);
-- (the worker, which may have something to seal at any time, waits here before it locks anything else)
BEGIN;
LOCK TABLE roost_data.feed_state IN ACCESS EXCLUSIVE MODE;
SELECT h.seq AS head_seq, h.hash AS head_hash FROM roost.audit_head() h \gset
SELECT ok FROM roost.audit_verify(expected_seq => :head_seq, expected_hash => :'head_hash');
SELECT ok FROM roost.audit_verify(expected_seq => :head_seq, expected_hash => upper(:'head_hash'));
SELECT ok, bad_seq - :head_seq AS bad, reason FROM roost.audit_verify(expected_seq => :head_seq, expected_hash => repeat('ab', 32));
SELECT ok, bad_seq - :head_seq AS bad, regexp_replace(reason, '\d+ to \d+', 'N to N') AS reason FROM roost.audit_verify(expected_seq => :head_seq + 1, expected_hash => repeat('ab', 32));
SELECT ok FROM roost.audit_verify(expected_seq => :head_seq, expected_hash => NULL);

ALTER TABLE roost_data.audit DISABLE TRIGGER audit_guard;
ALTER TABLE roost_data.audit_state DISABLE TRIGGER audit_state_guard;
SELECT pg_temp.tamper(:mark, 'SELECT 1');
SELECT pg_temp.tamper(:mark, 'ALTER TABLE roost_data.audit ENABLE ALWAYS TRIGGER audit_guard', 'ALTER TABLE roost_data.audit_state ENABLE ALWAYS TRIGGER audit_state_guard') AS guarded;

-- Every column of a row.
SELECT c.name, pg_temp.tamper(:mark, format('UPDATE roost_data.audit SET %I = %s WHERE seq = $mark + 4', c.name, c.value))
FROM (VALUES ('sealed_at', 'sealed_at + interval ''1 microsecond'''), ('id', 'id + 1'), ('at', 'at - interval ''1 microsecond'''), ('action', '''verify.4 '''),
	('object_type', '''Test'''), ('object_id', '''5'''), ('account_id', '0'), ('actor_id', '1'), ('session_id', '1'), ('session_role', '''eve'''), ('role', 'NULL'), ('source', '''http'''),
	('cause', ''''''), ('application', 'coalesce(application, '''') || ''x'''), ('request_id', '''x'''), ('address', '''192.0.2.1'''), ('transaction', 'transaction + 1'),
	('detail', 'jsonb_set(detail, ''{n}'', ''4.0'')'), ('hash', 'set_byte(hash, 31, get_byte(hash, 31) # 1)'), ('seq', 'seq + 1000')) c (name, value);
SELECT count(*) AS columns FROM information_schema.columns WHERE table_schema = 'roost_data' AND table_name = 'audit';
-- A value moved to the neighbouring column.
SELECT pg_temp.tamper(:mark, 'UPDATE roost_data.audit SET object_type = ''tes'', object_id = ''t4'' WHERE seq = $mark + 4');
-- With a hash that fits: the next row tells.
SELECT pg_temp.tamper(:mark, 'UPDATE roost_data.audit SET actor_id = 7 WHERE seq = $mark + 4',
	'UPDATE roost_data.audit a SET hash = roost_internal.audit_digest((SELECT p.hash FROM roost_data.audit p WHERE p.seq = $mark + 3), a.seq, a.sealed_at, a.id, a.at, a.action, a.object_type, a.object_id,
		a.account_id, a.actor_id, a.session_id, a.session_role, a.role, a.source, a.cause, a.application, a.request_id, a.address, a.transaction, a.detail) WHERE a.seq = $mark + 4');
-- Rows deleted: the first of all, in the middle, at the end; also with a head that fits.
SELECT pg_temp.tamper(0, 'DELETE FROM roost_data.audit WHERE seq = 1');
SELECT pg_temp.tamper(0, 'DELETE FROM roost_data.audit WHERE seq <= 3');
SELECT pg_temp.tamper(:mark, 'DELETE FROM roost_data.audit WHERE seq = $mark + 4');
SELECT pg_temp.tamper(:mark, 'DELETE FROM roost_data.audit WHERE seq BETWEEN $mark + 4 AND $mark + 6');
SELECT pg_temp.tamper(:mark, 'DELETE FROM roost_data.audit WHERE seq > $mark + 7');
SELECT pg_temp.tamper(0, 'DELETE FROM roost_data.audit');
SELECT pg_temp.tamper(:mark, 'DELETE FROM roost_data.audit WHERE seq = $mark + 4',
	'UPDATE roost_data.audit SET seq = seq + 1000000000 WHERE seq > $mark + 4', 'UPDATE roost_data.audit SET seq = seq - 1000000001 WHERE seq > 1000000000');
-- Rows exchanged, put in, doubled, put before the beginning.
SELECT pg_temp.tamper(:mark, 'UPDATE roost_data.audit SET seq = 1000000000 WHERE seq = $mark + 4',
	'UPDATE roost_data.audit SET seq = $mark + 4 WHERE seq = $mark + 5', 'UPDATE roost_data.audit SET seq = $mark + 5 WHERE seq = 1000000000');
SELECT pg_temp.tamper(:mark, 'UPDATE roost_data.audit SET seq = seq + 1000000001 WHERE seq > $mark + 4',
	'UPDATE roost_data.audit SET seq = seq - 1000000000 WHERE seq > 1000000000', 'UPDATE roost_data.audit_state SET seq = seq + 1', 'INSERT INTO roost_data.audit (seq, sealed_at, id, at, action, object_type, source, transaction, hash) SELECT a.seq + 1, a.sealed_at, a.id, a.at, a.action, a.object_type, a.source, a.transaction, a.hash FROM roost_data.audit a WHERE a.seq = $mark + 4');
SELECT pg_temp.tamper(:mark, 'INSERT INTO roost_data.audit (seq, sealed_at, id, at, action, object_type, source, transaction, hash) SELECT a.seq, a.sealed_at + interval ''1 microsecond'', a.id, a.at, a.action, a.object_type, a.source, a.transaction, a.hash FROM roost_data.audit a WHERE a.seq = $mark + 4');
SELECT pg_temp.tamper(0, 'INSERT INTO roost_data.audit (seq, sealed_at, id, at, action, object_type, source, transaction, hash) SELECT 0, a.sealed_at, a.id, a.at, a.action, a.object_type, a.source, a.transaction, a.hash FROM roost_data.audit a WHERE a.seq = 1');
SELECT pg_temp.tamper(:head, 'INSERT INTO roost_data.audit (seq, sealed_at, id, at, action, object_type, source, transaction, hash) SELECT s.seq + 1, s.sealed_at, 0, s.sealed_at, ''forged'', ''test'', ''sql'', 1,
	roost_internal.audit_digest(s.hash, s.seq + 1, s.sealed_at, 0::bigint, s.sealed_at, ''forged''::text, ''test''::text, NULL::text, NULL::bigint, NULL::bigint, NULL::bigint, NULL::text, NULL::text, ''sql''::text, NULL::text, NULL::text, NULL::text, NULL::text, 1::bigint, NULL::jsonb) FROM roost_data.audit_state s') ~ 'f \d+ the row stands behind the head of the chain' AS behind;
-- The head.
SELECT pg_temp.tamper(:head, 'UPDATE roost_data.audit_state SET hash = set_byte(hash, 0, get_byte(hash, 0) # 1)') LIKE 'f % the head has another hash than the last row' AS head;
SELECT pg_temp.tamper(:head, 'UPDATE roost_data.audit_state SET seq = seq + 2') LIKE 'f % rows N to N are missing at the end' AS head;
SELECT pg_temp.tamper(:head, 'DELETE FROM roost_data.audit_state') LIKE 'f % the head is missing' AS head;
-- Anchors: nothing was dropped by retention.
SELECT pg_temp.tamper(0, 'INSERT INTO roost_data.audit_anchor SELECT a.seq, a.hash, 1, now() FROM roost_data.audit a WHERE a.seq = 3', 'DELETE FROM roost_data.audit WHERE seq <= 3');
SELECT pg_temp.tamper(0, 'INSERT INTO roost_data.audit_anchor SELECT a.seq, a.hash, 2, now() FROM roost_data.audit a WHERE a.seq = 3');
SELECT pg_temp.tamper(0, 'INSERT INTO roost_data.audit_anchor SELECT a.seq, a.hash, 1, now() FROM roost_data.audit a WHERE a.seq = 3', 'DELETE FROM roost_data.audit WHERE seq <= 3',
	'SELECT roost_internal.audit_add(''audit.retention'', ''audit'', 3, jsonb_build_object(''from_seq'', 1, ''seq'', 3, ''hash'', repeat(''ab'', 32)))');
SELECT pg_temp.tamper(0, 'SELECT roost_internal.audit_add(''audit.retention'', ''audit'', 3, jsonb_build_object(''from_seq'', 1, ''seq'', 3, ''hash'', repeat(''ab'', 32)))') AS entry_without_anchor;
-- All of it gone: what the head says, and what was noted elsewhere.
SELECT string_agg(format('ALTER TABLE %s DISABLE TRIGGER audit_guard', i.inhrelid::regclass), '; ') AS unguard, string_agg(format('DROP TABLE %s', i.inhrelid::regclass), '; ') AS drop
FROM pg_inherits i WHERE i.inhparent = 'roost_data.audit'::regclass \gset
SELECT pg_temp.tamper(0, 'ALTER TABLE roost_data.audit_entry DISABLE TRIGGER audit_entry_guard', :'unguard', 'TRUNCATE roost_data.audit, roost_data.audit_entry');
SELECT pg_temp.tamper(0, :'drop');
SELECT pg_temp.tamper(0, :'drop', 'DELETE FROM roost_data.audit_state');
SAVEPOINT whole;
:drop;
UPDATE roost_data.audit_state SET seq = 0, hash = decode(repeat('00', 32), 'hex');
ALTER TABLE roost_data.audit ENABLE ALWAYS TRIGGER audit_guard;
ALTER TABLE roost_data.audit_state ENABLE ALWAYS TRIGGER audit_state_guard;
SELECT ok, bad_seq FROM roost.audit_verify();
SELECT ok, bad_seq, regexp_replace(reason, '\d+ to \d+', 'N to N') AS reason FROM roost.audit_verify(expected_seq => :head_seq, expected_hash => :'head_hash');
ROLLBACK TO whole;
-- The whole end made anew, with a head that fits: only a head noted elsewhere tells.
DELETE FROM roost_data.audit WHERE seq > :mark + 7;
UPDATE roost_data.audit_state s SET seq = a.seq, hash = a.hash FROM roost_data.audit a WHERE a.seq = :mark + 7;
ALTER TABLE roost_data.audit ENABLE ALWAYS TRIGGER audit_guard;
ALTER TABLE roost_data.audit_state ENABLE ALWAYS TRIGGER audit_state_guard;
SELECT ok FROM roost.audit_verify();
SELECT ok, bad_seq - :mark AS bad, regexp_replace(reason, '\d+ to \d+', 'N to N') AS reason FROM roost.audit_verify(expected_seq => :head_seq, expected_hash => :'head_hash');
ROLLBACK;

-- By hand nothing is put in; what is added says who did it.
INSERT INTO roost_data.audit_entry (at, action, object_type, role, source, transaction) VALUES (now(), 'verify.forged', 'test', 'somebody', 'http', 1);
INSERT INTO roost_data.audit SELECT a.* FROM roost_data.audit a LIMIT 0;
SELECT c.relname ~ '^audit_\d{4}_\d\d$' AS named, pg_temp.tamper(0, format('INSERT INTO %s SELECT a.* FROM roost_data.audit a LIMIT 0', c.oid::regclass))
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'roost_data.audit'::regclass LIMIT 1;

-- What does not watch is told: triggers that are disabled, or fire only sometimes, guards that are gone.
BEGIN;
LOCK TABLE roost_data.feed_state IN ACCESS EXCLUSIVE MODE;
SELECT pg_temp.tamper(:mark, 'ALTER TABLE roost_data.account DISABLE TRIGGER account_audit');
SELECT pg_temp.tamper(:mark, 'ALTER TABLE roost_data.account ENABLE TRIGGER account_audit');
SELECT pg_temp.tamper(:mark, 'ALTER TABLE roost_data.role DISABLE TRIGGER role_audit_truncate');
SELECT pg_temp.tamper(:mark, 'DROP TRIGGER audit_anchor_guard ON roost_data.audit_anchor');
SELECT pg_temp.tamper(:mark, 'ALTER EVENT TRIGGER roost_audit_ddl DISABLE');
SELECT pg_temp.tamper(:mark, 'ALTER EVENT TRIGGER roost_audit_drop ENABLE REPLICA');
ROLLBACK;

-- What pg_restore --disable-triggers leaves of the guards of the partitions, roost.install() mends.
BEGIN;
LOCK TABLE roost_data.feed_state IN ACCESS EXCLUSIVE MODE;
SELECT string_agg(format('ALTER TABLE %s ENABLE TRIGGER ALL', i.inhrelid::regclass), '; ') AS enable FROM pg_inherits i WHERE i.inhparent = 'roost_data.audit'::regclass \gset
:enable;
SELECT ok, reason ~ '^roost_data.audit_\d{4}_\d\d is not guarded$' AS gap FROM roost.audit_verify();
SELECT roost_internal.audit_enable();
SELECT ok, reason FROM roost.audit_verify();
ROLLBACK;

-- What waits is counted.
BEGIN;
SELECT roost_internal.audit_add('verify.waits', 'test', 1);
SELECT ok, unsealed > 0 AS unsealed, unsealed_since <= now() + interval '1 minute' AS since FROM roost.audit_verify();
ROLLBACK;
SELECT ok FROM roost.audit_verify();
