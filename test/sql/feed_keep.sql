-- A trace stays for a while after it was logged: standbys that are a little behind look for it.
INSERT INTO roost_data.account (id, username) VALUES (62101, 'feed_keep_1'), (62102, 'feed_keep_2');
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (62101, 62102, roost_internal.id_next(62101));
DELETE FROM roost_data.follow WHERE follower_id = 62101;
SELECT id AS trace FROM roost_data.feed_trace WHERE kind = 'follow_deleted' AND account_id = 62101 \gset
-- until the horizon of the log has passed it, and the worker has looked after traces once more
CREATE PROCEDURE pg_temp.pass(trace bigint) LANGUAGE plpgsql AS $$
DECLARE
	v_end constant timestamptz := clock_timestamp() + interval '1 minute';
BEGIN
	WHILE (SELECT s.horizon <= trace FROM roost_data.feed_state s) AND clock_timestamp() < v_end LOOP
		PERFORM roost.worker_sync('1 minute');
		COMMIT;
	END LOOP;
	PERFORM roost.worker_sync('1 minute');
END
$$;
CALL pg_temp.pass(:trace);
SELECT horizon > :trace AS passed, (SELECT count(*) FROM roost_data.feed_trace WHERE id = :trace) AS traces FROM roost_data.feed_state;
DELETE FROM roost_data.account WHERE id IN (62101, 62102);
