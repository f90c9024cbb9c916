-- Who is notified of friends: of a request while it waits, of its acceptance while they are friends, as preferences, blocks and limits say.
\set VERBOSITY terse
\pset format unaligned
INSERT INTO roost_data.account (id, username) SELECT 61200 + n, 'bell_' || n FROM generate_series(1, 5) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 61201 AND 61205;
CREATE FUNCTION friend_told() RETURNS TABLE (account text, listed text, agree boolean) LANGUAGE plpgsql AS $$
BEGIN
	IF NOT roost.worker_sync('1 minute') THEN
		RAISE EXCEPTION 'the worker does not work';
	END IF;
	RETURN QUERY
	SELECT t.username, string_agg(n.type || ' ' || (n.accounts[1]).username, ', ' ORDER BY n.latest_id), count(n.id) = (roost.notification_unread_get(t.id)).count
		AND count(n.id) = count(roost_internal.notification_item(t.id, n.latest_id))
	FROM roost_data.account t LEFT JOIN LATERAL roost.notification_list(t.id) n ON true WHERE t.id BETWEEN 61201 AND 61205 GROUP BY t.id, t.username ORDER BY t.id;
END
$$;
CREATE FUNCTION friend_id(requester bigint, recipient bigint) RETURNS bigint LANGUAGE sql AS $$
	SELECT id FROM roost_data.friend_request WHERE requester_id = requester AND recipient_id = recipient $$;

-- 1 asks all others; 5 asks 1, which makes them friends
SELECT count(roost.friend_request_create(61201, (61201 + n)::text)) FROM generate_series(1, 3) n;
SELECT count(roost.friend_request_create(61205, '61201')), count(roost.friend_request_create(61201, '61205'));
SELECT * FROM friend_told();
-- one accepts, one rejects, of one it is taken back
SELECT (r.account).username FROM roost.friend_request_accept(61202, friend_id(61201, 61202)) r;
SELECT roost.friend_request_reject(61203, friend_id(61201, 61203)), roost.friend_request_cancel(61201, friend_id(61201, 61204));
SELECT * FROM friend_told();
SELECT problem, what, account_id FROM roost_internal.feed_check() WHERE account_id BETWEEN 61201 AND 61205;
SELECT id ~ '^friend_accepted-\d+$' AS id, (accounts[1]).username, post IS NULL AS no_post FROM roost.notification_list(61201, '{friend_accepted}');

-- preferences
SELECT friend_request, friend_accepted FROM roost.notification_preferences_set(61201, friend_accepted => 'nobody');
SELECT * FROM friend_told() WHERE account IN ('bell_1', 'bell_5');
SELECT friend_request, friend_accepted FROM roost.notification_preferences_set(61201, friend_accepted => 'followed');
SELECT following FROM roost.account_follow(61201, '61202');
SELECT * FROM friend_told() WHERE account = 'bell_1';
SELECT friend_request, friend_accepted FROM roost.notification_preferences_set(61201, friend_accepted => 'everyone');
SELECT count(*) FROM roost_data.notification_preference WHERE account_id = 61201;

-- a limited account asks those only who follow it, and tells its friends that it has accepted
SELECT count(roost.friend_request_create(61203, '61202')), count(roost.friend_request_create(61203, '61204'));
UPDATE roost_data.account SET limited_at = now() WHERE id IN (61202, 61203);
SELECT following FROM roost.account_follow(61204, '61203');
SELECT * FROM friend_told();
UPDATE roost_data.account SET limited_at = NULL WHERE id IN (61202, 61203);

-- not friends any more, by hand or by a block; one goes
SELECT roost.friend_remove(61202, '61201');
SELECT blocking FROM roost.account_block(61204, '61203');
SELECT * FROM friend_told();
SELECT roost_internal.account_erase(61205);
SELECT * FROM friend_told();
SELECT problem, what, account_id FROM roost_internal.feed_check() WHERE account_id BETWEEN 61201 AND 61205;

SELECT roost_internal.account_erase(id) FROM roost_data.account WHERE id BETWEEN 61201 AND 61204 ORDER BY id;
DROP FUNCTION friend_told(), friend_id(bigint, bigint);
SELECT roost.worker_sync('1 minute');
