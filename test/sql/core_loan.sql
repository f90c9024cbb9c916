-- Expressions of tables that statements borrow follow every change of the table.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE TABLE roost_data.loan_note (id integer PRIMARY KEY, kind text, n integer, CONSTRAINT loan_note_n_check CHECK (n > 0));
CREATE TABLE roost_data.loan_seen (id integer, what text);
CREATE FUNCTION roost_data.loan_see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO roost_data.loan_seen VALUES (NEW.id, TG_NAME);
	RETURN NULL;
END $$;
CREATE TRIGGER loan_a AFTER INSERT OR UPDATE ON roost_data.loan_note FOR EACH ROW WHEN (NEW.kind = 'a') EXECUTE FUNCTION roost_data.loan_see();
CREATE UNIQUE INDEX loan_note_kind_idx ON roost_data.loan_note (kind) WHERE n > 10;
CREATE UNIQUE INDEX loan_note_open_idx ON roost_data.loan_note (n) WHERE kind = ANY ('{q,r}') OR kind = 'a word that is longer than a place for it';
CREATE PROCEDURE roost_data.loan_add(id integer, kind text, n integer) LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO roost_data.loan_note VALUES (id, kind, n);
END $$;

-- Each twice: the second one borrows what the first one has prepared.
CALL roost_data.loan_add(1, 'a', 1);
CALL roost_data.loan_add(2, 'a', 2);
CALL roost_data.loan_add(3, 'b', 3);
CALL roost_data.loan_add(4, 'b', -4);
CALL roost_data.loan_add(4, 'b', -4);
CALL roost_data.loan_add(5, 'u', 50);
CALL roost_data.loan_add(6, 'u', 60);
CALL roost_data.loan_add(6, 'u', 6);
CALL roost_data.loan_add(60, 'q', 1);
CALL roost_data.loan_add(61, 'a word that is longer than a place for it', 2);
CALL roost_data.loan_add(62, 'a word that is longer than a place for it', 2);
CALL roost_data.loan_add(62, 'r', 2);
CALL roost_data.loan_add(62, 'r', 3);
SELECT * FROM roost_data.loan_seen ORDER BY 1, 2;
DELETE FROM roost_data.loan_note WHERE id > 50;

-- The constraint, the condition and the index change.
ALTER TABLE roost_data.loan_note DROP CONSTRAINT loan_note_n_check;
ALTER TABLE roost_data.loan_note ADD CONSTRAINT loan_note_n_check CHECK (n > -10 AND n < 100), ADD CONSTRAINT loan_note_kind_check CHECK (kind <> 'x');
CALL roost_data.loan_add(4, 'b', -4);
CALL roost_data.loan_add(7, 'b', -70);
CALL roost_data.loan_add(7, 'x', 7);
CREATE OR REPLACE TRIGGER loan_a AFTER INSERT OR UPDATE ON roost_data.loan_note FOR EACH ROW WHEN (NEW.kind = 'b') EXECUTE FUNCTION roost_data.loan_see();
CALL roost_data.loan_add(8, 'a', 8);
CALL roost_data.loan_add(9, 'b', 9);
CREATE TRIGGER loan_0 AFTER INSERT OR UPDATE ON roost_data.loan_note FOR EACH ROW WHEN (NEW.n = 11) EXECUTE FUNCTION roost_data.loan_see();
CALL roost_data.loan_add(11, 'b', 11);
DROP INDEX roost_data.loan_note_kind_idx;
CALL roost_data.loan_add(12, 'u', 60);
CREATE UNIQUE INDEX loan_note_kind_idx ON roost_data.loan_note (kind) WHERE n > 60;
CALL roost_data.loan_add(13, 'u', 60);
CALL roost_data.loan_add(14, 'u', 61);
CALL roost_data.loan_add(15, 'u', 62);
UPDATE roost_data.loan_note SET n = 63 WHERE id = 13;
UPDATE roost_data.loan_note SET n = 1000 WHERE id = 13;
SELECT * FROM roost_data.loan_seen ORDER BY 1, 2;

-- A change of the table while a statement has borrowed: the rest of it goes on.
TRUNCATE roost_data.loan_seen;
CREATE FUNCTION roost_data.loan_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE pg_catalog.pg_class SET reltuples = reltuples + 1 WHERE oid = TG_RELID;
	INSERT INTO roost_data.loan_note SELECT NEW.id + 1000, 'b', NEW.n WHERE NEW.id < 1000;
	RETURN NULL;
END $$;
CREATE TRIGGER loan_change AFTER INSERT ON roost_data.loan_note FOR EACH ROW WHEN (NEW.n BETWEEN 20 AND 22) EXECUTE FUNCTION roost_data.loan_change();
INSERT INTO roost_data.loan_note SELECT i, 'b', i FROM generate_series(20, 24) i;
INSERT INTO roost_data.loan_note SELECT i, 'b', i - 10 FROM generate_series(30, 34) i;
SELECT id FROM roost_data.loan_seen ORDER BY 1;

-- What is not lent works, too: a subtransaction that fails, functions of one's own, arrays, whole rows.
CREATE FUNCTION roost_data.loan_small(n integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN n < 90; END';
ALTER TABLE roost_data.loan_note ADD CONSTRAINT loan_note_small_check CHECK (roost_data.loan_small(n)),
	ADD CONSTRAINT loan_note_list_check CHECK (kind IN ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'u'));
CREATE TRIGGER loan_row AFTER UPDATE ON roost_data.loan_note FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION roost_data.loan_see();
CALL roost_data.loan_add(40, 'c', 95);
CALL roost_data.loan_add(40, 'm', 40);
CALL roost_data.loan_add(40, 'l', 40);
CALL roost_data.loan_add(41, 'k', 41);
UPDATE roost_data.loan_note SET n = 41 WHERE id IN (40, 41);
SELECT id FROM roost_data.loan_seen WHERE what = 'loan_row' ORDER BY 1;
CREATE OR REPLACE FUNCTION roost_data.loan_small(n integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN n < 50; END';
CALL roost_data.loan_add(42, 'c', 60);

INSERT INTO roost_data.loan_note VALUES (42, 'c', 42) ON CONFLICT (id) DO UPDATE SET n = 1;
INSERT INTO roost_data.loan_note VALUES (42, 'c', 42) ON CONFLICT (id) DO UPDATE SET n = 500;
INSERT INTO roost_data.loan_note VALUES (42, 'c', 42) ON CONFLICT (id) DO UPDATE SET n = 2;
SELECT n FROM roost_data.loan_note WHERE id = 42;

-- Functions of one's own are called anew, too, where planning would put their result or body in their place.
CREATE FUNCTION roost_data.loan_most() RETURNS integer LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 80; END';
CREATE FUNCTION roost_data.loan_short(kind text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT length(kind) < 5';
ALTER TABLE roost_data.loan_note DROP CONSTRAINT loan_note_small_check, DROP CONSTRAINT loan_note_list_check,
	ADD CONSTRAINT loan_note_most_check CHECK (n < roost_data.loan_most()), ADD CONSTRAINT loan_note_short_check CHECK (roost_data.loan_short(kind));
CREATE TRIGGER loan_most AFTER INSERT ON roost_data.loan_note FOR EACH ROW WHEN (NEW.n = roost_data.loan_most() - 1) EXECUTE FUNCTION roost_data.loan_see();
CALL roost_data.loan_add(70, 'long', 79);
CALL roost_data.loan_add(71, 'longer', 79);
CREATE OR REPLACE FUNCTION roost_data.loan_most() RETURNS integer LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 70; END';
CREATE OR REPLACE FUNCTION roost_data.loan_short(kind text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT length(kind) < 4';
CALL roost_data.loan_add(72, 'b', 79);
CALL roost_data.loan_add(73, 'long', 69);
CALL roost_data.loan_add(74, 'c', 69);
SELECT id FROM roost_data.loan_seen WHERE what = 'loan_most' ORDER BY 1;

DROP TABLE roost_data.loan_note, roost_data.loan_seen;
DROP PROCEDURE roost_data.loan_add(integer, text, integer);
DROP FUNCTION roost_data.loan_see(), roost_data.loan_change(), roost_data.loan_small(integer), roost_data.loan_most(), roost_data.loan_short(text);
