-- The routes of posts, and a post's life over HTTP.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

SELECT method, path, auth, status, lane FROM roost_internal.route
WHERE function ~ '^roost\.(post|bookmark|like|hashtag|pin|url)_' AND builtin ORDER BY path COLLATE "C", method;

SELECT access_token AS token, (account).id AS account FROM roost.auth_register('route_author', 'route_author@example.org', 'correct horse battery staple') \gset
CREATE FUNCTION pg_temp.call(method text, path text, token text, data text) RETURNS TABLE (status text, body jsonb) LANGUAGE plpgsql AS $$
DECLARE
	v_answer text := roost.handle(method, path, '', 'content-type: application/json' || coalesce(E'\nauthorization: Bearer ' || token, ''), data, NULL);
BEGIN
	RETURN QUERY SELECT split_part(v_answer, E'\n', 1), substr(v_answer, strpos(v_answer, E'\n\n') + 2)::jsonb;
END
$$;
SELECT status, body ->> 'text' AS text, body #>> '{author,username}' AS author, body ? 'cursor' AS cursor, jsonb_typeof(body -> 'id') AS id_type, body ->> 'id' AS post
FROM pg_temp.call('POST', '/tweets', :'token', '{"text": "over HTTP", "visibility": "unlisted", "media": [{"url": "https://cdn.example/a.png", "type": "image"}]}') \gset
\echo :status :text :author :cursor :id_type
SELECT status, body ->> 'visibility', body #>> '{media,0,type}', body -> 'liked' FROM pg_temp.call('GET', '/tweets/' || :'post', NULL, NULL);
SELECT status, body -> 'liked', body -> 'like_count' FROM pg_temp.call('POST', '/api/v1/tweets/' || :'post' || '/like', :'token', NULL);
SELECT status, body ->> 'text' FROM pg_temp.call('DELETE', '/tweets/' || :'post', :'token', NULL);
SELECT pg_temp.call('GET', '/tweets/' || :'post', NULL, NULL);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
