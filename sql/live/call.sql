-- Calls: what clients say to each other before they speak without a server.
-- Nothing of it is stored; extension/live/call.c has it for as long as it takes.

CREATE OR REPLACE FUNCTION roost_internal.call_put(account_id bigint, session_id bigint, event text, told bigint[], data text) RETURNS bigint
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_call_put';
REVOKE ALL ON FUNCTION roost_internal.call_put(bigint, bigint, text, bigint[], text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.call_put(bigint, bigint, text, bigint[], text) IS 'Has up to 32 accounts told data, a JSON object of at most 20,480 bytes, on all their devices but the one with this session (0: none); at once, whatever becomes of the transaction. Returns the number under which roost.live_call() gives it until 256 others have come. 22023 unknown event, 54000 too large, or too many accounts.';

CREATE OR REPLACE FUNCTION roost.live_call(ns bigint[]) RETURNS TABLE (n bigint, event text, session_id bigint, told bigint[], data text)
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_live_call';
REVOKE ALL ON FUNCTION roost.live_call(bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost.live_call(bigint[]) IS 'What signals of calls (channel call:<n>) say, and to which accounts, on all devices but that with the session; in the order of the numbers. Those of which the server does not know any more are left out. 54000 for more than 1,000.';

CREATE OR REPLACE FUNCTION roost.live_call_missed(after bigint) RETURNS TABLE (n bigint, event text, session_id bigint, told bigint[], data text)
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_live_call_missed';
REVOKE ALL ON FUNCTION roost.live_call_missed(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost.live_call_missed(bigint) IS 'The same for the numbers after one, of the last 10 seconds: for a gateway that could not hear for a moment.';

CREATE OR REPLACE FUNCTION roost_internal.call_told(account_id bigint, conversation_id bigint, "to" bigint) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_told bigint[];
BEGIN
	PERFORM FROM roost_data.conversation_member m JOIN roost_data.account a ON a.id = m.account_id AND a.status = 'active'
	WHERE m.conversation_id = call_told.conversation_id AND m.account_id = call_told.account_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'conversation_id', MESSAGE = 'the conversation does not exist';
	END IF;
	PERFORM roost_internal.conversation_send_refuse(account_id, conversation_id);
	IF "to" IS NOT NULL THEN
		PERFORM FROM roost_data.conversation_member m
		WHERE m.conversation_id = call_told.conversation_id AND m.account_id = call_told."to" AND m.account_id <> call_told.account_id;
		IF NOT FOUND THEN
			RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'to', MESSAGE = 'there is no such other member';
		END IF;
		v_told := ARRAY["to"];
	ELSE
		v_told := ARRAY(SELECT m.account_id FROM roost_data.conversation_member m
			WHERE m.conversation_id = call_told.conversation_id AND m.account_id <> call_told.account_id LIMIT 32);
		IF cardinality(v_told) > 31 THEN
			RAISE EXCEPTION USING ERRCODE = '54000', COLUMN = 'to', MESSAGE = 'too many members',
				DETAIL = 'In a conversation with more than 32 members a signal of a call names the one for whom it is.';
		END IF;
	END IF;
	-- Nobody learns of a block.
	RETURN ARRAY(SELECT t FROM unnest(v_told) t WHERE NOT roost_internal.is_blocked(call_told.account_id, t));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.call_told(bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.call_told(bigint, bigint, bigint) IS 'Who gets what an account says of a call in a conversation: the other members ("to": one of them) between whom and it there is no block. P0002 it is no member, or there is no such other one, 42501 it may not write to the other of a direct conversation, 54000 more than 32 members without "to".';

CREATE OR REPLACE FUNCTION roost_internal.call_send(account_id bigint, session_id bigint, event roost.call_event, conversation_id bigint, data jsonb, "to" bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_data constant text := coalesce(data, '{}')::text;
	v_told bigint[];
	v_author roost.author;
BEGIN
	IF event IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '23502', COLUMN = 'event', MESSAGE = 'the event is null';
	ELSIF left(v_data, 1) <> '{' THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'data', MESSAGE = 'the data must be an object';
	ELSIF octet_length(v_data) > 16384 THEN
		RAISE EXCEPTION USING ERRCODE = '54000', COLUMN = 'data', MESSAGE = 'the data is too large',
			DETAIL = format('It has %s bytes; at most 16384 are passed on.', octet_length(v_data));
	END IF;
	v_told := roost_internal.call_told(account_id, conversation_id, "to");
	IF event IN ('call:answer', 'call:hangup') THEN
		-- the other devices stop ringing
		v_told := v_told || account_id;
	END IF;
	IF v_told <> '{}' THEN
		SELECT a.id, a.username, a.display_name, a.avatar_url INTO v_author FROM roost_data.account a WHERE a.id = call_send.account_id;
		PERFORM roost_internal.call_put(account_id, coalesce(session_id, 0), event::text, v_told,
			format('{"conversation_id":"%s","account":%s,"event":"%s","data":%s}', conversation_id, roost_internal.to_json(v_author), event, v_data));
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.call_send(bigint, bigint, roost.call_event, bigint, jsonb, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.call_send(bigint, bigint, roost.call_event, bigint, jsonb, bigint) IS 'Passes on what a session of an account says of a call. Errors as of roost.call_send().';

CREATE OR REPLACE FUNCTION roost.call_send(actor_id roost.id, conversation_id roost.id, event roost.call_event, data jsonb DEFAULT NULL, "to" roost.id DEFAULT NULL, session_id roost.id DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.call_send(actor_id, session_id, event, conversation_id, data, "to");
END
$$;
REVOKE ALL ON FUNCTION roost.call_send(roost.id, roost.id, roost.call_event, jsonb, roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.call_send(roost.id, roost.id, roost.call_event, jsonb, roost.id, roost.id) IS 'Passes on what a client says of a call to the sockets (channel messages) of the other members of a conversation, or of the one that "to" names: {"conversation_id", "account", "event", "data"}; of answer and hangup also to the caller''s other devices. data is an object of at most 16,384 bytes that nobody looks at. Nothing is stored: who has no socket does not get it. 22023 data is no object, 42501 the caller may not write to the other of a direct conversation, 54000 data is too large, or the conversation has more than 32 members and "to" names none, P0002 no such conversation or member.';
SELECT roost_internal.route('POST', '/conversations/:conversation_id/call', 'roost.call_send', limit_class => 'signal', status => 204, tags => '{live}');

CREATE OR REPLACE FUNCTION roost.live_call_send(account_id bigint, session_id bigint, event text, channel text, data text, "to" text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_limit roost.limit_state;
	v_conversation_id constant bigint := roost_internal.channel_conversation(channel);
BEGIN
	IF event IS NULL OR event <> ALL (enum_range(NULL::roost.call_event)::text[]) THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'event', MESSAGE = 'unknown kind of signal',
			HINT = 'Signals of calls are call:offer, call:answer, call:candidate, call:hangup and call:ringing.';
	ELSIF "to" !~ '^[1-9][0-9]{0,17}$' THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'to', MESSAGE = 'this is no id of an account';
	END IF;
	v_limit := roost.limit_hit('signal', account_id);
	IF NOT v_limit.allowed THEN
		RAISE EXCEPTION USING ERRCODE = 'RO429', MESSAGE = 'too many signals', DETAIL = format('Try again in %s s.', v_limit.retry_after);
	ELSIF v_conversation_id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'channel', MESSAGE = 'the channel does not exist';
	END IF;
	PERFORM roost_internal.call_send(account_id, session_id, event::roost.call_event, v_conversation_id, data::jsonb, "to"::bigint);
END
$$;
REVOKE ALL ON FUNCTION roost.live_call_send(bigint, bigint, text, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.live_call_send(bigint, bigint, text, text, text, text) IS 'The same as roost.call_send() for the signal of a socket: channel is conversation:<id>, data JSON text. Errors as there, and 22023 another event or "to", RO429 too many signals.';
