-- Events reach the worker when their transaction commits, and only then.
CREATE TABLE core_event (id bigint, n integer, flag boolean, at timestamptz, note text);
CREATE TRIGGER core_event_emit AFTER INSERT OR UPDATE OR DELETE ON core_event
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('job_added', 'id', 'n', 'flag', 'at');

-- How many have come since the last look.
SELECT set_config('core_event.seen', '0', false) AS seen \gset
CREATE FUNCTION core_event_new() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	v_events bigint;
	v_new bigint;
BEGIN
	IF NOT roost.worker_sync('1 minute') THEN
		RAISE EXCEPTION 'the worker does not work';
	END IF;
	SELECT events INTO v_events FROM roost.stat_event WHERE kind = 'job_added';
	v_new := v_events - current_setting('core_event.seen')::bigint;
	PERFORM set_config('core_event.seen', v_events::text, false);
	RETURN v_new;
END
$$;
SELECT core_event_new() >= 0 AS begun;

INSERT INTO core_event VALUES (1, 2, true, now()), (2, NULL, NULL, NULL);
UPDATE core_event SET n = 3 WHERE id = 1;
DELETE FROM core_event WHERE id = 2;
SELECT core_event_new();

BEGIN;
INSERT INTO core_event VALUES (3);
SELECT core_event_new() AS before_commit;
COMMIT;
SELECT core_event_new() AS after_commit;

BEGIN;
INSERT INTO core_event VALUES (4);
ROLLBACK;
SELECT core_event_new() AS after_rollback;

-- Savepoints: what is rolled back to goes, what is released stays.
BEGIN;
INSERT INTO core_event VALUES (5);
SAVEPOINT a;
INSERT INTO core_event VALUES (6);
SAVEPOINT b;
INSERT INTO core_event VALUES (7);
RELEASE SAVEPOINT b;
ROLLBACK TO SAVEPOINT a;
INSERT INTO core_event VALUES (8);
SAVEPOINT c;
INSERT INTO core_event VALUES (9);
RELEASE SAVEPOINT c;
COMMIT;
SELECT core_event_new() AS savepoints;

DO $$
BEGIN
	FOR i IN 1..10 LOOP
		BEGIN
			INSERT INTO core_event VALUES (i);
			IF i % 2 = 0 THEN
				RAISE EXCEPTION 'even';
			END IF;
		EXCEPTION WHEN raise_exception THEN
			NULL;
		END;
	END LOOP;
END
$$;
SELECT core_event_new() AS caught;

-- PREPARE TRANSACTION: the worker finds out how it ended.
BEGIN;
INSERT INTO core_event VALUES (10), (11);
SAVEPOINT a;
INSERT INTO core_event VALUES (12);
ROLLBACK TO SAVEPOINT a;
PREPARE TRANSACTION 'core_event_commit';
BEGIN;
INSERT INTO core_event VALUES (13);
PREPARE TRANSACTION 'core_event_rollback';
SELECT core_event_new() AS prepared;
SELECT in_doubt FROM roost.stat_worker;
COMMIT PREPARED 'core_event_commit';
ROLLBACK PREPARED 'core_event_rollback';
SELECT core_event_new() AS finished;
SELECT in_doubt FROM roost.stat_worker;

-- More than the worker can be told: it hears that it missed something.
SELECT losses FROM roost.stat_worker \gset
INSERT INTO core_event SELECT n FROM generate_series(1, 70000) n;
SELECT core_event_new() AS events;
SELECT losses - :losses AS losses FROM roost.stat_worker;
BEGIN;
INSERT INTO core_event SELECT n FROM generate_series(1, 5000) n;
PREPARE TRANSACTION 'core_event_large';
COMMIT PREPARED 'core_event_large';
SELECT core_event_new() AS events;
SELECT losses - :losses AS losses FROM roost.stat_worker;
INSERT INTO core_event VALUES (14);
SELECT core_event_new() AS again;

-- A trigger that asks for what does not exist says so.
\set VERBOSITY terse
CREATE TRIGGER wrong AFTER INSERT ON core_event FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('nonsense', 'id');
INSERT INTO core_event VALUES (15);
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER wrong AFTER INSERT ON core_event FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('job_added', 'nonsense');
INSERT INTO core_event VALUES (15);
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER wrong AFTER INSERT ON core_event FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('job_added', 'note');
INSERT INTO core_event VALUES (15);
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER wrong AFTER INSERT ON core_event FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('job_added', 'id', 'note=nonsense');
INSERT INTO core_event VALUES (15);
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER wrong AFTER INSERT ON core_event FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit();
INSERT INTO core_event VALUES (15);
\echo :LAST_ERROR_SQLSTATE
CREATE OR REPLACE TRIGGER wrong AFTER INSERT ON core_event FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.event_emit('job_added', 'id');
INSERT INTO core_event VALUES (15);
\echo :LAST_ERROR_SQLSTATE

DROP TABLE core_event;
DROP FUNCTION core_event_new();
