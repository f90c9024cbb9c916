-- Events for those who ask again and again.

CREATE OR REPLACE FUNCTION roost_internal.event_channels(actor_id bigint, channels text[]) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_channel text;
	v_channels text[] := '{}';
BEGIN
	IF cardinality(channels) > 100 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'channels', MESSAGE = 'too many channels', DETAIL = 'At most 100.';
	END IF;
	FOREACH v_channel IN ARRAY channels LOOP
		IF v_channel IS NULL OR octet_length(v_channel) > 127
			OR v_channel !~ '^(home|notifications|messages|presence|public|(user|post|conversation):[1-9][0-9]{0,18}|hashtag:[^[:space:][:cntrl:]#]+)$'
		THEN
			RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'channels', MESSAGE = 'unknown channel',
				HINT = 'Channels are home, notifications, messages, public, presence, user:<id>, post:<id>, hashtag:<tag> and conversation:<id>.';
		ELSIF v_channel IN ('home', 'notifications', 'messages', 'presence') AND actor_id IS NULL THEN
			RAISE EXCEPTION USING ERRCODE = 'RO401', COLUMN = 'channels', MESSAGE = 'an access token is required',
				DETAIL = format('Channel "%s" is somebody''s own.', v_channel);
		END IF;
		v_channels := v_channels || CASE WHEN v_channel LIKE 'hashtag:%' THEN 'hashtag:' || roost_internal.hashtag_fold(substr(v_channel, 9)) ELSE v_channel END;
	END LOOP;
	RETURN v_channels;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.event_channels(bigint, text[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.event_channels(bigint, text[]) IS 'The channels, hashtags in lower case. 22023 for more than 100 or an unknown one, RO401 if nobody is logged in and one needs that.';

CREATE OR REPLACE FUNCTION roost.event_list(
	actor_id roost.id DEFAULT NULL,
	channels text[] DEFAULT NULL,
	after text DEFAULT NULL,
	"limit" integer DEFAULT 100,
	wait integer DEFAULT 0,
	session_id roost.id DEFAULT NULL
) RETURNS roost.event_page
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_channels constant text[] := roost_internal.event_channels(actor_id,
		coalesce(channels, CASE WHEN actor_id IS NULL THEN '{public}' ELSE '{home,notifications}' END::text[]));
	v_after constant text[] := regexp_match(after, '^(\d{1,18})-(\d{1,18})$');
	v_epoch bigint := v_after[1];
	v_seq bigint;
	v_events text[] := '{}';
	v_recovered boolean := true;
	v_row record;
BEGIN
	IF after IS NOT NULL AND v_after IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'after', MESSAGE = 'this is no cursor that was given out';
	ELSIF "limit" IS NULL OR "limit" NOT BETWEEN 1 AND 1000 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'limit', MESSAGE = 'limit is between 1 and 1000';
	ELSIF wait IS NULL OR wait NOT BETWEEN 0 AND 60 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'wait', MESSAGE = 'wait is between 0 and 60';
	END IF;
	IF after IS NULL THEN
		SELECT p.epoch, p.last_seq INTO v_epoch, v_seq FROM roost.feed_position() p;
	ELSE
		FOR v_row IN SELECT * FROM roost.stream_resume(actor_id, v_epoch, v_after[2]::bigint, v_channels, "limit") LOOP
			v_seq := v_row.seq;
			IF v_row.event = 'reset' THEN
				v_recovered := false;
				v_epoch := v_row.data;
			ELSIF v_row.event IS NOT NULL THEN
				v_events := v_events || format('{"id":"%s.%s","event":"%s","channels":%s,"data":%s}', v_row.seq, v_row.part, v_row.event,
					roost_internal.to_json(CASE WHEN v_row.home THEN '{home}' ELSE '{}'::text[] END || string_to_array(coalesce(v_row.topics, ''), ' ')), v_row.data);
			END IF;
		END LOOP;
	END IF;
	IF v_epoch IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '57P03', MESSAGE = 'the log of events has not begun',
			HINT = 'It begins when the background worker runs for the first time.';
	END IF;
	IF wait > 0 AND after IS NOT NULL AND v_recovered AND v_events = '{}' THEN
		-- For the gateway, which waits and answers itself (gateway/long_poll.c).
		PERFORM roost.response_header('Roost-Wait', concat_ws(' ', coalesce(actor_id, 0), coalesce(session_id, 0), v_epoch || '-' || v_seq, wait,
			array_to_string(v_channels, ' ')));
	END IF;
	RETURN format('{"events":[%s],"cursor":"%s-%s","recovered":%s}', array_to_string(v_events, ','), v_epoch, v_seq, v_recovered::text);
END
$$;
REVOKE ALL ON FUNCTION roost.event_list(roost.id, text[], text, integer, integer, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.event_list(roost.id, text[], text, integer, integer, roost.id) IS 'What has happened in channels (home and notifications, for strangers public) since a cursor, oldest first: {"events", "cursor", "recovered"}; docs/live.md has the events. Without a cursor it gives the one to begin with. recovered is false when the log does not go on from the cursor: read the lists and go on from the new one. When there are more events than limit (1 to 1000), ask again. wait: the gateway waits so many seconds (0 to 60) for an event; SQL callers get their answer at once. 22023 unknown channel, or no cursor, 57P03 the log has not begun yet.';
SELECT roost_internal.route('GET', '/events', 'roost.event_list', auth => 'optional', tags => '{live}');
