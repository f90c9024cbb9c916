-- Messages that are found, in conversations that are not encrypted.

CREATE OR REPLACE FUNCTION roost_internal.search_message_scan(
	reader_id bigint, conversation_ids bigint[], low_ids bigint[], top_ids bigint[], groups boolean[],
	before bigint, query tsquery, language text, "limit" integer, effort integer, "time" integer,
	OUT ids bigint[], OUT found_in bigint[], OUT stopped_id bigint)
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_search_message_scan';
REVOKE ALL ON FUNCTION roost_internal.search_message_scan(bigint, bigint[], bigint[], bigint[], boolean[], bigint, tsquery, text, integer, integer, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_message_scan(bigint, bigint[], bigint[], bigint[], boolean[], bigint, tsquery, text, integer, integer, integer) IS 'The newest messages of these conversations that match the query (null: all) and that the reader has not deleted for itself, with their conversations; of a group none by accounts with which it has a block. low_ids, top_ids: what is looked at of each conversation, greater than low and up to top. It ends after "limit" messages, after it has looked at effort messages, or after time (ms): then stopped_id says how far it has come, everything from there on has been looked at.';

CREATE OR REPLACE FUNCTION roost_internal.search_message_page(
	reader_id bigint, q text, conversation_id bigint, before text, "limit" integer,
	OUT ids bigint[], OUT found_in bigint[], OUT next text, OUT partial boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_language constant text := coalesce((SELECT a.language FROM roost_data.account a WHERE a.id = reader_id),
		split_part(current_setting('default_text_search_config'), '.', -1));
	v_query record := roost_internal.search_query(q, reader_id, v_language, NULL);
	v_before bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after bigint := 0;
	v_in record;
	v_found record;
BEGIN
	ids := '{}';
	found_in := '{}';
	partial := false;
	IF v_query.exact IS NULL AND v_query.since IS NULL AND v_query.until IS NULL THEN
		RETURN;
	END IF;
	IF v_query.until IS NOT NULL THEN
		v_before := least(v_before, roost_internal.id_floor(v_query.until));
	END IF;
	IF v_query.since IS NOT NULL THEN
		v_after := roost_internal.id_floor(v_query.since) - 1;
	END IF;
	SELECT coalesce(array_agg(c.id), '{}') AS ids, coalesce(array_agg(greatest(m.since_id, m.cleared_id, v_after)), '{}') AS low_ids,
		coalesce(array_agg(c.last_message_id), '{}') AS top_ids, coalesce(array_agg(c.kind = 'group'), '{}') AS groups
	INTO v_in
	FROM roost_data.conversation_member m
	JOIN roost_data.conversation c ON c.id = m.conversation_id
	WHERE m.account_id = reader_id AND (search_message_page.conversation_id IS NULL OR m.conversation_id = search_message_page.conversation_id)
		AND c.encryption = 'none' AND c.last_message_id > greatest(m.since_id, m.cleared_id, v_after);
	v_found := roost_internal.search_message_scan(reader_id, v_in.ids, v_in.low_ids, v_in.top_ids, v_in.groups, v_before,
		v_query.exact::tsquery, v_language, "limit" + 1, current_setting('roost.search_effort')::integer,
		(extract(epoch FROM current_setting('roost.search_time')::interval) * 1000)::integer);
	ids := v_found.ids[:"limit"];
	found_in := v_found.found_in[:"limit"];
	IF cardinality(v_found.ids) > "limit" THEN
		next := ids["limit"];
	ELSIF v_found.stopped_id IS NOT NULL THEN
		next := v_found.stopped_id;
		partial := true;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_message_page(bigint, text, bigint, text, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_message_page(bigint, text, bigint, text, integer) IS 'The ids of the messages that a reader finds in a conversation of its own, or (null) in all of them, newest first, and in which. next is the position of the next page, null at the end; partial: the page ends early, for it was work enough.';

CREATE OR REPLACE FUNCTION roost.message_search(
	actor_id roost.id,
	q roost.search_text,
	conversation_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL
) RETURNS roost.message_search
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_page record;
	v_result roost.message_search;
BEGIN
	PERFORM roost_internal.search_limit_check("limit");
	IF conversation_id IS NOT NULL AND NOT EXISTS (SELECT FROM roost_data.conversation_member m
		WHERE m.conversation_id = message_search.conversation_id AND m.account_id = actor_id)
	THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'conversation_id', MESSAGE = 'the conversation does not exist';
	END IF;
	v_page := roost_internal.search_message_page(actor_id, q, conversation_id, before, "limit");
	v_result.items := '{}';
	IF v_page.ids <> '{}' THEN
		v_result.items := ARRAY(
			SELECT r.message
			FROM (SELECT f.conversation_id, array_agg(f.id ORDER BY f.id DESC) AS ids
				FROM unnest(v_page.ids, v_page.found_in) f (id, conversation_id) GROUP BY f.conversation_id) g
			CROSS JOIN LATERAL (SELECT m AS message, m.id FROM roost_internal.message_row(actor_id, g.conversation_id, g.ids) m) r
			ORDER BY r.id::bigint DESC);
	END IF;
	v_result.next := v_page.next;
	v_result.partial := v_page.partial;
	RETURN v_result;
END
$$;
REVOKE ALL ON FUNCTION roost.message_search(roost.id, roost.search_text, roost.id, integer, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.message_search(roost.id, roost.search_text, roost.id, integer, roost.cursor) IS 'Messages that the actor sees and that match, newest first, of one conversation or of all of its own; not of encrypted ones. The query is that of GET /search: words, "phrases", -without, OR, begin*, from:, has:, is:reply, since:, until:. A search looks at a bounded number of messages: with partial the page is short, and next goes on. P0002 there is no such conversation; 22023 a filter''s value means nothing.';
SELECT roost_internal.route('GET', '/messages/search', 'roost.message_search', limit_class => 'search', lane => 'slow', tags => '{chat}');
SELECT roost_internal.route('GET', '/conversations/:conversation_id/messages/search', 'roost.message_search', limit_class => 'search', lane => 'slow', tags => '{chat}');
