-- Rows that are dead for everybody: what the scan of an index keeps of them must live as long as the scan (builds with debug points look).
\set VERBOSITY terse
INSERT INTO roost_data.account (id, username) VALUES (79101, 'dead_words_1'), (79102, 'dead_words_2');
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 79101 AND 79102;
SELECT (roost.account_follow(79101, '79102')).following;
SELECT text FROM roost.post_create(79102, 'something to read');
SELECT phrase FROM roost.muted_word_create(79101, 'the first word stays');
DO $$
DECLARE
	v_xid bigint;
BEGIN
	FOR i IN 1 .. 5 LOOP
		PERFORM roost.muted_word_create(79101, format('word %s of %s', n, i)) FROM generate_series(1, 5) n;
		COMMIT;
		-- (not by an index: that would find out that former ones are dead)
		SET LOCAL enable_indexscan = off;
		SET LOCAL enable_bitmapscan = off;
		DELETE FROM roost_data.muted_word WHERE account_id = 79101 AND phrase LIKE 'word %';
		v_xid := pg_current_xact_id()::text::bigint;
		COMMIT;
		-- until no snapshot needs them any more
		LOOP
			PERFORM pg_stat_clear_snapshot();
			EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.backend_xmin::text::bigint <= v_xid AND a.pid <> pg_backend_pid());
			PERFORM pg_sleep(0.01);
			COMMIT;
		END LOOP;
		COMMIT;
		PERFORM count(t.id) FROM roost.timeline_home(79101) t;
		COMMIT;
	END LOOP;
END
$$;
DELETE FROM roost_data.muted_word WHERE account_id = 79101;
DELETE FROM roost_data.post WHERE author_id = 79102;
DELETE FROM roost_data.follow WHERE follower_id = 79101;
DELETE FROM roost_data.account WHERE id BETWEEN 79101 AND 79102;
