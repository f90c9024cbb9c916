-- Events for who asks again and again: GET /events.
\set VERBOSITY terse
INSERT INTO roost_data.account (id, username) SELECT n, 'event_' || n FROM generate_series(9681, 9683) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 9681 AND 9683;
SELECT roost.worker_sync('1 minute');
CREATE FUNCTION events(answer json) RETURNS TABLE (part text, event text, channels text, type text)
LANGUAGE sql IMMUTABLE
AS $$
	SELECT split_part(e ->> 'id', '.', 2), e ->> 'event', regexp_replace(e ->> 'channels', '[0-9]{10,}', '…'), e #>> '{data,notification,type}'
	FROM json_array_elements($1 -> 'events') e
$$;

-- Without a cursor: where to begin.
SELECT a ->> 'recovered' AS recovered, json_array_length(a -> 'events') AS events, a ->> 'cursor' = epoch || '-' || last_seq AS now, a ->> 'cursor' AS begin
FROM roost.event_list(9681) a, roost.stream_position() \gset
\echo :recovered :events :now

-- Then what has happened since.
SELECT (roost.account_follow(9681, '9682')).following, (roost.account_follow(9683, '9681')).following;
SELECT id AS post FROM roost.post_create(9682, 'to #Everybody and @event_9681') \gset
SELECT (roost.post_like(9683, :post)).liked;
SELECT roost.worker_sync('1 minute');
SELECT * FROM events(roost.event_list(9681, after => :'begin'));
SELECT * FROM events(roost.event_list(9681, '{home}', :'begin'));
SELECT * FROM events(roost.event_list(9682, after => :'begin'));
SELECT * FROM events(roost.event_list(NULL, after => :'begin'));
SELECT * FROM events(roost.event_list(NULL, ARRAY['hashtag:EVERYBODY', 'post:' || :post, 'user:9681', 'conversation:1'], :'begin'));
-- in pieces
SELECT a ->> 'cursor' AS next, json_array_length(a -> 'events') AS count FROM roost.event_list(9681, after => :'begin', "limit" => 2) a \gset
\echo :count
SELECT * FROM events(roost.event_list(9681, after => :'next', "limit" => 2));
SELECT a ->> 'cursor' AS last FROM roost.event_list(9681, after => :'next') a \gset
SELECT a::text = '{"events":[],"cursor":"' || :'last' || '","recovered":true}' AS nothing FROM roost.event_list(9681, after => :'last', wait => 60) a;

-- A cursor from which the log does not go on.
SELECT epoch, first_seq, last_seq FROM roost.stream_position() \gset
SELECT split_part(c, '-', 1) AS epoch, a ->> 'recovered' AS recovered, a ->> 'cursor' = :'epoch' || '-' || :last_seq AS now, json_array_length(a -> 'events') AS events
FROM unnest(ARRAY['0-0', '1-1', '999999999999999999-' || :last_seq]) c, roost.event_list(9681, after => c) a ORDER BY c;
SELECT a ->> 'recovered' AS recovered FROM unnest(ARRAY[:first_seq - 1, :last_seq, :last_seq + 1]) WITH ORDINALITY s (seq, n),
	roost.event_list(9681, '{}', :'epoch' || '-' || seq) a ORDER BY n;

-- What makes no sense.
\set VERBOSITY terse
SELECT roost.event_list(9681, after => 'x');
SELECT roost.event_list(9681, after => '1-');
SELECT roost.event_list(9681, after => '1-1-1');
SELECT roost.event_list(9681, after => '-1-1');
SELECT roost.event_list(9681, after => '99999999999999999999-1');
\set VERBOSITY sqlstate
SELECT roost.event_list(9681, after => '');
SELECT roost.event_list(9681, "limit" => 0);
SELECT roost.event_list(9681, "limit" => 1001);
SELECT roost.event_list(9681, "limit" => NULL);
SELECT roost.event_list(9681, wait => -1);
SELECT roost.event_list(9681, wait => 61);
\set VERBOSITY terse
DO $$
DECLARE
	v_channel text;
BEGIN
	FOREACH v_channel IN ARRAY '{x,"",home:,user:,user:x,user:0,user:01,user:12345678901234567890,post:-1,"hashtag:","hashtag:a b","hashtag:#a",HOME,"home ","public:1",NULL}'::text[] || ('hashtag:' || repeat('x', 200)) LOOP
		BEGIN
			PERFORM roost.event_list(9681, ARRAY[v_channel]);
			RAISE NOTICE 'taken: %', v_channel;
		EXCEPTION WHEN invalid_parameter_value THEN
			NULL;
		END;
	END LOOP;
END
$$;
SELECT roost.event_list(9681, array_fill('public'::text, ARRAY[101]));
SELECT roost.event_list(NULL, '{public,home}');
SELECT roost.event_list(NULL, '{notifications}');
SELECT roost.stream_resume(9681, :epoch, :last_seq, '{home}', 0);
SELECT roost.stream_resume(9681, :epoch, :last_seq, '{home}', NULL);
SELECT roost.stream_resume(9681, :epoch, :last_seq, array_fill('x'::text, ARRAY[1001]), 1);
SELECT roost.stream_resume(9681, :epoch, :last_seq, '{{home}}', 1);
SELECT event, part, seq = :last_seq AS now FROM roost.stream_resume(NULL, :epoch, :last_seq, NULL, 1);
SELECT event, data = :epoch::text AS epoch, seq = :last_seq AS now FROM roost.stream_resume(9681, NULL, NULL, '{home}', 1);
SELECT event FROM roost.stream_resume(-1, :epoch, :last_seq, '{home,user:,user:99999999999999999999,post:x,nonsense,NULL,""}', 1);

-- Over HTTP.
SELECT roost.limit_exempt(network => '192.0.2.96/32', reason => 'test');
CREATE FUNCTION ask(query text, account_id bigint DEFAULT NULL) RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	v_answer text;
	v_body json;
BEGIN
	v_answer := roost.handle('GET', '/events', query,
		CASE WHEN account_id IS NULL THEN '' ELSE 'authorization: Bearer ' || roost_internal.token_make(account_id, 9689, NULL) END, NULL, '192.0.2.96');
	v_body := split_part(v_answer, E'\n\n', 2);
	RETURN split_part(v_answer, E'\n', 1) || ' ' || (v_body ->> 'recovered') || ' ' || json_array_length(v_body -> 'events');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
SELECT ask(q, a) FROM (VALUES (1, '', NULL), (2, 'after=' || :'begin', 9681), (3, 'after=' || :'begin' || '&channels=home,public&limit=1&wait=0', 9681), (4, 'channels=user:9682&after=' || :'begin', NULL),
	(11, 'channels=hashtag:%E6%97%A5%E6%9C%AC&wait=1&after=' || :'last', NULL), (5, 'channels=home', NULL), (6, 'channels=nothing', NULL), (7, 'after=5', NULL), (8, 'limit=2000', NULL), (9, 'wait=100', NULL), (10, 'until=1', NULL)) v (n, q, a) ORDER BY n;

SELECT roost.limit_unexempt(network => '192.0.2.96/32');
DROP FUNCTION ask, events;
DELETE FROM roost_data.follow WHERE follower_id BETWEEN 9681 AND 9683;
DELETE FROM roost_data.post WHERE author_id BETWEEN 9681 AND 9683;
