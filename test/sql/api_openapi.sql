-- The OpenAPI description of routes, arguments, results and types.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA api_openapi;
CREATE TYPE api_openapi.color AS ENUM ('red', 'green');
COMMENT ON TYPE api_openapi.color IS 'A color.';
CREATE DOMAIN api_openapi.name AS text CHECK (char_length(VALUE) BETWEEN 1 AND 10) CHECK (VALUE ~ '^[a-z''"]+$');
COMMENT ON DOMAIN api_openapi.name IS 'A name.';
CREATE DOMAIN api_openapi.score AS int CHECK (VALUE >= 0 AND VALUE <= 100);
CREATE DOMAIN api_openapi.either AS text CHECK (VALUE = '' OR VALUE ~ '^x+$');
CREATE DOMAIN api_openapi.bytes AS text CHECK (octet_length(VALUE) <= 64);
CREATE TYPE api_openapi.inner_row AS (id roost.id, score api_openapi.score);
CREATE TYPE api_openapi.outer_row AS (id roost.id, name text, inside api_openapi.inner_row, list api_openapi.inner_row[], at timestamptz, doc jsonb, cursor text);
CREATE FUNCTION api_openapi.item_get(item_id roost.id, color api_openapi.color DEFAULT 'red', ids bigint[] DEFAULT NULL, actor_id roost.id DEFAULT NULL) RETURNS api_openapi.outer_row LANGUAGE sql STABLE AS 'SELECT NULL::api_openapi.outer_row';
COMMENT ON FUNCTION api_openapi.item_get IS 'An item, by id (see version 1.5). P0002 if there is none.';
CREATE FUNCTION api_openapi.item_list("limit" int DEFAULT 20, before roost.cursor DEFAULT NULL) RETURNS SETOF api_openapi.outer_row LANGUAGE sql STABLE AS 'SELECT NULL::api_openapi.outer_row';
CREATE FUNCTION api_openapi.item_put(id roost.id, name api_openapi.name, score api_openapi.score DEFAULT 5, e api_openapi.either DEFAULT NULL, b api_openapi.bytes DEFAULT NULL) RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION api_openapi.columns() RETURNS TABLE (id roost.id, at date) LANGUAGE sql STABLE AS $$ SELECT 1::bigint::roost.id, '2026-01-01'::date $$;
SELECT roost.route_add('GET', '/api-openapi/:item_id', 'api_openapi.item_get', auth => 'optional');
SELECT roost.route_add('PUT', '/api-openapi/:id', 'api_openapi.item_put', status => 204);
CREATE FUNCTION api_openapi.item_undo(item_id roost.id) RETURNS api_openapi.outer_row LANGUAGE sql AS 'SELECT NULL::api_openapi.outer_row';
COMMENT ON FUNCTION api_openapi.item_undo IS 'Returns the item, null if it is gone.';
SELECT roost.route_add('DELETE', '/api-openapi/:item_id', 'api_openapi.item_undo');
SELECT roost.route_add('GET', '/api-openapi', 'api_openapi.item_list', auth => 'none');
SELECT roost.route_add('GET', '/api-openapi/all/columns', 'api_openapi.columns', tags => '{special}');

CREATE TEMP TABLE description AS SELECT roost.openapi() AS o;
SELECT o->>'openapi', o->'servers', o->'info'->>'title' FROM description;
-- one spelling of a path for all methods
SELECT p, array_agg(m ORDER BY m) FROM description, jsonb_each(o->'paths') AS path(p, item), jsonb_object_keys(item) m WHERE p LIKE '/api-openapi%' GROUP BY p ORDER BY p;
SELECT jsonb_pretty(o->'paths'->'/api-openapi/{item_id}'->'get') FROM description;
SELECT jsonb_pretty(o->'paths'->'/api-openapi/{item_id}'->'put'->'requestBody'), jsonb_path_query_array(o, '$.paths."/api-openapi/{item_id}".put.parameters'), o->'paths'->'/api-openapi/{item_id}'->'put'->'security' FROM description;
SELECT jsonb_object_keys(o->'paths'->'/api-openapi/{item_id}'->'put'->'responses') FROM description;
SELECT o->'paths'->'/api-openapi'->'get'->'parameters', o->'paths'->'/api-openapi'->'get'->'security', o#>'{paths,/api-openapi,get,responses,200,content,application/json,schema}' FROM description;
SELECT o#>'{paths,/api-openapi/all/columns,get,responses,200,content,application/json,schema}', o#>'{paths,/api-openapi/all/columns,get,tags}' FROM description;
SELECT o->'paths'->'/api-openapi/{item_id}'->'delete'#>'{responses,200,content,application/json,schema}' FROM description;
SELECT name, schema FROM description, jsonb_each(o->'components'->'schemas') s(name, schema) WHERE name LIKE 'api_openapi.%' ORDER BY name;

-- every route is there, once; every reference leads somewhere; ids are unique
SELECT count(*) FROM roost_internal.openapi_route() r, description WHERE NOT coalesce(o->'paths'->r.path ? lower(r.method), false);
SELECT DISTINCT ref #>> '{}' FROM description, jsonb_path_query(o, '$.**."$ref"') ref WHERE o #> string_to_array(substr(ref #>> '{}', 3), '/') IS NULL;
SELECT count(*) - count(DISTINCT id) FROM description, jsonb_path_query(o, '$.paths.*.*.operationId') id;
-- every operation of roost says what it does
SELECT r.path FROM roost_internal.openapi_route() r JOIN pg_proc p ON p.oid = r.function WHERE p.pronamespace = 'roost'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL;

SELECT bool_and(roost.route_remove(method, path)) FROM roost_internal.route WHERE path LIKE '/api-openapi%';
DROP SCHEMA api_openapi CASCADE;
