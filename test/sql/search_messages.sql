-- Messages that are found: who finds which, what one can type, pages, and how far a search looks.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
\pset footer off
BEGIN;
SET TimeZone = 'UTC';
INSERT INTO roost_data.account (id, username, language) SELECT 73000 + v.n, 'sm_' || v.name, 'en'
FROM (VALUES (1, 'ada'), (2, 'bob'), (3, 'cleo'), (4, 'former'), (5, 'later'), (6, 'stranger'), (7, 'blocks')) v (n, name);
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 73001 AND 73007;
INSERT INTO roost_data.account_block (account_id, blocked_id, id) VALUES (73007, 73001, 1), (73003, 73002, 2);
SELECT roost_internal.id_floor('2200-01-01Z') AS base \gset
-- 731 a direct conversation, 732 a group, 733 encrypted, 734 a direct one with a block
INSERT INTO roost_data.conversation (id, kind, encryption, member_count) VALUES (731, 'direct', 'none', 2), (732, 'group', 'none', 5), (733, 'group', 'e2ee', 2), (734, 'direct', 'none', 2);
INSERT INTO roost_data.conversation_member (conversation_id, account_id, since_id, cleared_id) VALUES
	(731, 73001, 0, 0), (731, 73002, 0, 0), (732, 73001, 0, 0), (732, 73002, 0, 0), (732, 73003, 0, :base + 25), (732, 73005, :base + 29, 0), (732, 73007, 0, 0),
	(733, 73001, 0, 0), (733, 73002, 0, 0), (734, 73002, 0, 0), (734, 73003, 0, 0);
CREATE FUNCTION pg_temp.message(n integer, room bigint, sender integer, text text, reply_to integer DEFAULT NULL, media jsonb DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	INSERT INTO roost_data.message (id, conversation_id, sender_id, text, reply_to_id, media, created_at)
	SELECT b + n, room, 73000 + sender, text, b + reply_to, media, roost.id_time((b + n)::roost.id) FROM roost_internal.id_floor('2200-01-01Z') b;
	UPDATE roost_data.conversation SET last_message_id = greatest(last_message_id, roost_internal.id_floor('2200-01-01Z') + n) WHERE id = room
$$;
CREATE FUNCTION pg_temp.found(q text, viewer bigint DEFAULT 73001, conversation bigint DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce((SELECT string_agg((i - roost_internal.id_floor('2200-01-01Z'))::text, ' ' ORDER BY n) FROM unnest(p.ids) WITH ORDINALITY u (i, n)), '-')
	FROM roost_internal.search_message_page(viewer, q, conversation, NULL, 50) p
$$;
SELECT count(pg_temp.message(v.n, v.c, v.s, 'zebrafish ' || v.n)) FROM (VALUES (11, 731, 1), (12, 731, 2), (21, 732, 1), (22, 732, 2), (23, 732, 3), (24, 732, 4), (25, 732, 7),
	(26, 732, 1), (30, 732, 2), (31, 732, 1), (41, 734, 2), (42, 734, 3)) v (n, c, s);
INSERT INTO roost_data.message (id, conversation_id, sender_id, text, encrypted, action, deleted_at, expires_at) VALUES
	(:base + 32, 732, 73001, 'zebrafish', false, NULL, NULL, now() + interval '1 hour'), (:base + 33, 732, 73001, 'zebrafish', false, NULL, NULL, now() - interval '1 second'),
	(:base + 34, 732, 73001, NULL, true, NULL, NULL, NULL), (:base + 35, 732, 73001, 'zebrafish', false, 'updated', NULL, NULL), (:base + 36, 732, 73001, 'zebrafish', false, NULL, now(), NULL),
	-- an encrypted conversation is not looked at, whatever stands there
	(:base + 51, 733, 73001, 'zebrafish', false, NULL, NULL, NULL), (:base + 52, 733, 73002, NULL, true, NULL, NULL, NULL);
UPDATE roost_data.conversation SET last_message_id = :base + 60 WHERE id IN (732, 733);
INSERT INTO roost_data.message_hidden (conversation_id, account_id, message_id) VALUES (732, 73001, :base + 21), (731, 73002, :base + 11);

-- of a group nothing by those with whom there is a block; of a direct conversation what there was; nothing that was deleted, hidden, cleared, or written before one came
SELECT v.viewer, pg_temp.found('zebrafish', v.id) AS everywhere, pg_temp.found('zebrafish', v.id, 731) AS direct, pg_temp.found('zebrafish', v.id, 732) AS "group", pg_temp.found('zebrafish', v.id, 733) AS encrypted
FROM (VALUES ('ada', 73001), ('bob', 73002), ('cleo', 73003), ('former', 73004), ('later', 73005), ('stranger', 73006), ('blocks', 73007)) v (viewer, id);
SELECT roost.message_search(73004, 'zebrafish', 732);
SELECT roost.message_search(73006, 'zebrafish');
SELECT roost.message_search(73001, 'zebrafish', "limit" => 0);
SELECT roost.message_search(73001, 'since:yesterday');
-- what was edited or deleted a moment ago
UPDATE roost_data.message SET text = 'a horse', edited_at = now() WHERE id = :base + 31 AND conversation_id = 732;
SELECT pg_temp.found('zebrafish'), pg_temp.found('horse');
UPDATE roost_data.message SET text = NULL, deleted_at = now() WHERE id = :base + 31 AND conversation_id = 732;
SELECT pg_temp.found('horse');

-- what one can type
SELECT pg_temp.message(201, 731, 1, 'Quokkas are running to #Outback, @sm_bob https://quokka.example.org/x'), pg_temp.message(202, 731, 2, 'A quokka ran: éclair', 201),
	pg_temp.message(203, 732, 3, 'quokka two', NULL, '[{"type": "image", "url": "https://example.org/a.png", "description": "a wombat"}]'), pg_temp.message(204, 732, 2, '東京タワー');
SELECT q, pg_temp.found(q) AS found FROM unnest('{quokka,quokkas,run,"\"running to\"","\"to running\"","quokka -two","éclair OR two","ECLAIR","#outback",@sm_bob,example,wombat,"has:image","has:link","has:video","is:reply","quok*",
	"from:me quokka","from:sm_bob quokka","from:nobody","京タ","since:2200-01-01 quokka","until:2200-01-01 quokka","","...","-quokka has:media"}'::text[]) WITH ORDINALITY t (q, n) ORDER BY n;

-- pages: all of it in its order, whatever their size
CREATE FUNCTION pg_temp.walk(q text, size integer, OUT pages integer, OUT partial integer, OUT ids text) LANGUAGE plpgsql AS $$
DECLARE
	v_page record;
	v_ids bigint[] := '{}';
	v_before text;
BEGIN
	pages := 0;
	partial := 0;
	LOOP
		v_page := roost_internal.search_message_page(73001, q, NULL, v_before, size);
		v_ids := v_ids || v_page.ids;
		pages := pages + 1;
		partial := partial + v_page.partial::integer;
		EXIT WHEN v_page.next IS NULL OR pages > 1000;
		v_before := v_page.next;
	END LOOP;
	SELECT string_agg((i - roost_internal.id_floor('2200-01-01Z'))::text, ' ' ORDER BY n) INTO ids FROM unnest(v_ids) WITH ORDINALITY u (i, n);
END
$$;
SELECT count(pg_temp.message(1000 + n, CASE WHEN n % 7 = 0 THEN 731 ELSE 732 END, 1 + n % 2, CASE WHEN n % 40 = 0 THEN 'rare ' ELSE '' END || 'and often')) FROM generate_series(1, 700) n;
SET roost.search_time = '1min';
SELECT size, w.pages, w.partial, w.ids FROM unnest('{1,3,17,18,50}'::integer[]) size, pg_temp.walk('rare', size) w;
SELECT (pg_temp.walk('often', 200)).pages, md5((pg_temp.walk('often', 200)).ids) = md5((pg_temp.walk('often', 7)).ids) AS same;
-- and however little one scan looks at
CREATE FUNCTION pg_temp.scan(effort integer, OUT scans integer, OUT ids text) LANGUAGE plpgsql AS $$
DECLARE
	v_scan record;
	v_ids bigint[] := '{}';
	v_before bigint := 9223372036854775807;
BEGIN
	scans := 0;
	LOOP
		v_scan := roost_internal.search_message_scan(73001, '{731,732}', '{0,0}', ARRAY(SELECT last_message_id FROM roost_data.conversation WHERE id IN (731, 732) ORDER BY id), '{f,t}', v_before, 'rare', NULL, 1000, effort, 60000);
		v_ids := v_ids || v_scan.ids;
		scans := scans + 1;
		EXIT WHEN v_scan.stopped_id IS NULL OR scans > 10000;
		v_before := v_scan.stopped_id;
	END LOOP;
	SELECT string_agg((i - roost_internal.id_floor('2200-01-01Z'))::text, ' ' ORDER BY n) INTO ids FROM unnest(v_ids) WITH ORDINALITY u (i, n);
END
$$;
SELECT effort, s.scans, s.ids FROM unnest('{1,7,100,1000}'::integer[]) effort, pg_temp.scan(effort) s;
ROLLBACK;
