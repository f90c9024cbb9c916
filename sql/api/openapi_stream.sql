-- The part of the description that no SQL function tells of: streams, which
-- the gateway serves itself, and their events (docs/live.md).

CREATE OR REPLACE FUNCTION roost_internal.openapi_stream_paths() RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT '{
		"/stream": {"get": {
			"operationId": "stream", "summary": "Events as they happen, over a WebSocket", "tags": ["live"],
			"description": "Events as they happen, over a WebSocket (sub-protocol roost.v1): subscribe to channels, resume with a cursor, call any operation. Frames are JSON texts. Without a token public channels only; it may also come in the first frame.",
			"security": [{}, {"bearer": []}, {"cookie": []}],
			"parameters": [
				{"name": "access_token", "in": "query", "schema": {"type": "string"}, "description": "The token of who cannot send headers, where the operator allows that."},
				{"name": "Sec-WebSocket-Protocol", "in": "header", "schema": {"type": "string", "enum": ["roost.v1"]}}],
			"responses": {"101": {"description": "The connection is a WebSocket from now on."}, "4XX": {"$ref": "#/components/responses/Problem"}, "5XX": {"$ref": "#/components/responses/Problem"}}}},
		"/events/stream": {"get": {
			"operationId": "event_stream", "summary": "Events as they happen, as server-sent events", "tags": ["live"],
			"description": "Events as they happen, as server-sent events: first ready, whose data is {\"cursor\", \"recovered\"}, then events whose data is one of the schema event. id is a cursor; the browser sends it back as Last-Event-ID.",
			"security": [{}, {"bearer": []}, {"cookie": []}],
			"parameters": [
				{"name": "channels", "in": "query", "schema": {"type": "array", "maxItems": 100, "items": {"$ref": "#/components/schemas/channel"}}, "style": "form", "explode": false, "description": "home and notifications if not given; for strangers public."},
				{"name": "after", "in": "query", "schema": {"$ref": "#/components/schemas/event_cursor"}, "description": "The cursor to go on from, if there is no Last-Event-ID."},
				{"name": "access_token", "in": "query", "schema": {"type": "string"}, "description": "The token of who cannot send headers, where the operator allows that."},
				{"name": "Last-Event-ID", "in": "header", "schema": {"$ref": "#/components/schemas/event_cursor"}}],
			"responses": {"200": {"description": "The stream.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}, "4XX": {"$ref": "#/components/responses/Problem"}, "5XX": {"$ref": "#/components/responses/Problem"}}}}
	}'::jsonb
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_stream_paths() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_stream_paths() IS 'The paths that the gateway serves as streams.';

CREATE OR REPLACE FUNCTION roost_internal.openapi_event(events text[], data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object('type', 'object', 'required', '["event", "data"]'::jsonb, 'properties', jsonb_build_object(
		'event', jsonb_build_object('type', 'string', 'enum', to_jsonb(events)),
		'data', jsonb_build_object('type', 'object', 'properties', data, 'required', (SELECT jsonb_agg(k ORDER BY k) FROM jsonb_object_keys(data) k))))
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_event(text[], jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_event(text[], jsonb) IS 'The schema of events with these names and the fields of their data.';

CREATE OR REPLACE FUNCTION roost_internal.openapi_stream_schemas() RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT '{
		"event_cursor": {"type": "string", "pattern": "^[0-9]+-[0-9]+$", "examples": ["117655288937710359-38990"], "description": "Stands for everything up to a row of the log of events."},
		"channel": {"type": "string", "maxLength": 127, "pattern": "^(home|notifications|messages|public|presence|(user|post|conversation):[1-9][0-9]{0,18}|hashtag:.+)$"},
		"event_page": {"type": "object", "required": ["events", "cursor", "recovered"], "description": "What has happened since a cursor. recovered is false if the log does not go on from it.", "properties": {
			"events": {"type": "array", "items": {"$ref": "#/components/schemas/event"}},
			"cursor": {"$ref": "#/components/schemas/event_cursor"},
			"recovered": {"type": "boolean"}}}
	}'::jsonb || jsonb_build_object('event', '{"type": "object", "required": ["id", "event", "channels", "data"],
		"description": "What has happened: id is the row of the log and a number in it, channels those that anybody may know who gets it, and home or messages for who has it there. Posts are without what depends on their reader (liked, retweeted and bookmarked are false).",
		"properties": {
			"id": {"type": "string", "pattern": "^[0-9]+[.][0-9]+$"},
			"event": {"type": "string"},
			"channels": {"type": "array", "items": {"$ref": "#/components/schemas/channel"}},
			"data": {"type": "object"}}}'::jsonb || jsonb_build_object('oneOf', jsonb_build_array(
		roost_internal.openapi_event('{tweet:new,tweet:retweeted,tweet:updated}', '{"post": {"$ref": "#/components/schemas/post"}}'),
		roost_internal.openapi_event('{tweet:deleted}', '{"post_id": {"$ref": "#/components/schemas/id"}, "author_id": {"$ref": "#/components/schemas/id"}}'),
		roost_internal.openapi_event('{tweet:liked,tweet:unliked}', '{"post_id": {"$ref": "#/components/schemas/id"}, "author_id": {"$ref": "#/components/schemas/id"},
			"account": {"$ref": "#/components/schemas/author"}, "like_count": {"type": "integer", "format": "int64"}}'),
		roost_internal.openapi_event('{user:followed,user:unfollowed,user:follow_requested}', '{"account": {"$ref": "#/components/schemas/author"}, "target": {"$ref": "#/components/schemas/author"}}'),
		roost_internal.openapi_event('{user:updated}', '{"account": {"$ref": "#/components/schemas/account"}}'),
		roost_internal.openapi_event('{user:deleted,relationship:changed}', '{"account_id": {"$ref": "#/components/schemas/id"}}'),
		roost_internal.openapi_event('{notification:new}', '{"notification": {"$ref": "#/components/schemas/notification_act"}}'),
		roost_internal.openapi_event('{notification:read}', '{"count": {"type": "integer"}, "more": {"type": "boolean"},
			"latest_id": {"type": ["string", "null"]}, "read_id": {"type": ["string", "null"]}}'),
		roost_internal.openapi_event('{message:received,message:edited}', '{"message": {"$ref": "#/components/schemas/message"}}'),
		roost_internal.openapi_event('{message:deleted}', '{"message_id": {"$ref": "#/components/schemas/id"}, "conversation_id": {"$ref": "#/components/schemas/id"}, "for": {"type": "string", "enum": ["me", "everyone"]}}'),
		roost_internal.openapi_event('{message:reaction}', '{"message_id": {"$ref": "#/components/schemas/id"}, "conversation_id": {"$ref": "#/components/schemas/id"},
			"account": {"$ref": "#/components/schemas/author"}, "reactions": {"type": "array", "items": {"$ref": "#/components/schemas/message_reaction"}}}'),
		roost_internal.openapi_event('{message:delivered,message:read}', '{"message_id": {"$ref": "#/components/schemas/id"}, "conversation_id": {"$ref": "#/components/schemas/id"},
			"account": {"$ref": "#/components/schemas/author"}, "at": {"type": "string", "format": "date-time"}}'),
		roost_internal.openapi_event('{conversation:created,conversation:updated}', '{"conversation": {"$ref": "#/components/schemas/conversation"}}'),
		roost_internal.openapi_event('{conversation:settings}', '{"conversation_id": {"$ref": "#/components/schemas/id"}, "muted": {"type": "boolean"}, "muted_until": {"type": ["string", "null"], "format": "date-time"},
			"archived": {"type": "boolean"}, "pinned": {"type": "boolean"}}'),
		roost_internal.openapi_event('{conversation:cleared}', '{"conversation_id": {"$ref": "#/components/schemas/id"}, "message_id": {"$ref": "#/components/schemas/id"}}'),
		roost_internal.openapi_event('{conversation:member_added,conversation:member_changed}', '{"conversation_id": {"$ref": "#/components/schemas/id"}, "account": {"oneOf": [{"$ref": "#/components/schemas/author"}, {"type": "null"}]},
			"member": {"$ref": "#/components/schemas/conversation_member"}}'),
		roost_internal.openapi_event('{conversation:member_removed}', '{"conversation_id": {"$ref": "#/components/schemas/id"}, "account": {"oneOf": [{"$ref": "#/components/schemas/author"}, {"type": "null"}]},
			"target": {"oneOf": [{"$ref": "#/components/schemas/author"}, {"type": "null"}]}}'),
		roost_internal.openapi_event('{friend:request:received,friend:request:cancelled,friend:request:rejected,friend:request:accepted,friend:removed}', '{"account": {"$ref": "#/components/schemas/author"}, "target": {"$ref": "#/components/schemas/author"}, "request_id": {"oneOf": [{"$ref": "#/components/schemas/id"}, {"type": "null"}]}}'),
		roost_internal.openapi_event('{encryption:devices_changed}', '{"account_id": {"$ref": "#/components/schemas/id"}, "conversation_id": {"oneOf": [{"$ref": "#/components/schemas/id"}, {"type": "null"}]}, "identity_changed": {"type": "boolean"}}'),
		roost_internal.openapi_event('{encryption:prekeys_low}', '{"device": {"type": "integer"}, "count": {"type": "integer"}, "kyber_count": {"type": "integer"}}'),
		roost_internal.openapi_event('{encryption:envelope}', '{"conversation_id": {"$ref": "#/components/schemas/id"}, "message_id": {"oneOf": [{"$ref": "#/components/schemas/id"}, {"type": "null"}]}}'))))
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_stream_schemas() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_stream_schemas() IS 'The schemas of events, of channels and of what GET /events answers.';
