-- Who may do what over HTTP: every route as every kind of caller, every route of moderators with each permission alone, and their functions by SQL.
\set VERBOSITY terse
\pset format unaligned
\pset footer off
SET client_min_messages = warning;
SET roost.limit_enabled = off;
SET roost.password_memory = 1024;
SET roost.lockout_account_failures = 1000;
SET roost.lockout_address_failures = 1000;
-- the log of events has begun
SELECT roost.worker_sync('1 minute');
BEGIN;
CREATE SCHEMA privilege;

-- Callers; the last one ranks high and may do nothing. Then one for each permission, which may do that alone.
INSERT INTO roost_data.role (name, rank, description) VALUES ('figurehead', 90, ''), ('lower', 10, '');
CREATE TABLE privilege.caller (n int, label text PRIMARY KEY, role text, permission text, id bigint, token text);
INSERT INTO privilege.caller (n, label, role) VALUES (1, 'user', 'user'), (2, 'suspended', 'admin'), (3, 'moderator', 'moderator'), (4, 'admin', 'admin'), (5, 'figurehead', 'figurehead'),
	(6, 'target', 'user'), (7, 'chief', 'admin');
UPDATE privilege.caller c SET id = ((t).account).id, token = (t).access_token
FROM (SELECT c.label AS called, roost.auth_register('privilege_' || label, 'privilege_' || label || '@example.org', 'correct horse battery staple') AS t FROM privilege.caller c) r WHERE c.label = r.called;
INSERT INTO roost_data.role (name, rank, description) SELECT 'only_' || replace(permission, '.', '_'), 60, '' FROM roost_internal.permission_list();
INSERT INTO roost_data.role_permission (role, permission) SELECT 'only_' || replace(permission, '.', '_'), permission FROM roost_internal.permission_list();
INSERT INTO privilege.caller SELECT 100 + n, 'only_' || replace(permission, '.', '_'), 'only_' || replace(permission, '.', '_'), permission, 9500 + n
FROM roost_internal.permission_list() WITH ORDINALITY p (permission, n);
INSERT INTO roost_data.account (id, username) SELECT id, label FROM privilege.caller WHERE permission IS NOT NULL;
INSERT INTO roost_data.account_handle (username, account_id) SELECT label, id FROM privilege.caller WHERE permission IS NOT NULL;
UPDATE roost_data.account a SET role = c.role FROM privilege.caller c WHERE a.id = c.id AND c.role <> 'user';
-- as if its tokens had been forgotten: no trigger revokes them
SET LOCAL session_replication_role = replica;
UPDATE roost_data.account SET status = 'suspended' WHERE id = (SELECT id FROM privilege.caller WHERE label = 'suspended');
RESET session_replication_role;
UPDATE privilege.caller SET token = roost_internal.token_make(id, id, id) WHERE token IS NULL;

-- What they try it on: somebody else's, all of it there.
SELECT id AS target FROM privilege.caller WHERE label = 'target' \gset
SELECT id AS chief FROM privilege.caller WHERE label = 'chief' \gset
SELECT id AS post FROM roost.post_create(:target, 'a #privilege') \gset
SELECT id AS removed FROM roost.post_create(:target, 'another') \gset
SELECT id AS decision FROM roost.post_moderate(:chief, :removed, 'remove', 'because') \gset
SELECT id AS appeal FROM roost.appeal_create(:target, :decision, 'why?') \gset
SELECT count(*) FROM roost.report_create(:chief, 'spam', post_id => :post);
SELECT id AS case FROM roost_data.moderation_case WHERE subject_id = :post \gset
SELECT id AS list FROM roost.list_create(:target, 'mine') \gset
SELECT id AS word FROM roost.muted_word_create(:target, 'spoiler') \gset
SELECT id AS request FROM roost.friend_request_create(:chief, :'target') \gset
SELECT id AS exemption FROM roost.limit_exemption_add(:chief, 'test', network => '192.0.2.78/32') \gset
SELECT count(*) FROM roost.moderation_policy_create(:chief, 'privilege', 'spam', 0.99, 'limit');
SELECT count(*) FROM roost.moderation_word_set(:chief, 'privilegeword');
SELECT count(*) FROM roost.moderation_url_host_set(:chief, 'privilege.example');
SELECT roost.moderation_spam_sample_add(:chief, 'a ' || kind || ' text', kind = 'spam', test) FROM unnest('{spam,dull}'::text[]) kind, unnest('{t,f}'::boolean[]) test;
INSERT INTO roost_data.conversation (id, kind, member_count) VALUES (9580, 'group', 1);
INSERT INTO roost_data.conversation_member (conversation_id, account_id, role) VALUES (9580, :target, 'owner');
SELECT id AS message FROM roost.message_create(:target, NULL, 9580, 'to the group') \gset
INSERT INTO roost_data.conversation_invite (conversation_id, id, code) VALUES (9580, 1, 'privilege');

-- Arguments by name, and those that mean something else in one function: what is there, and what is not.
CREATE TABLE privilege.argument (function text, name text, there jsonb, missing jsonb);
INSERT INTO privilege.argument VALUES
	('', 'account_id', to_jsonb(:'target'::text), '"1"'), ('', 'post_id', to_jsonb(:'post'::text), '"1"'), ('', 'case_id', to_jsonb(:'case'::text), '"1"'),
	('', 'appeal_id', to_jsonb(:'appeal'::text), '"1"'), ('', 'decision_id', to_jsonb(:'decision'::text), '"1"'), ('', 'list_id', to_jsonb(:'list'::text), '"1"'),
	('', 'conversation_id', '"9580"', '"1"'), ('', 'code', '"privilege"', '"nothing0"'), ('', 'kind', '"group"', '"group"'),
	('roost.conversation_member_add', 'account_ids', to_jsonb(ARRAY[:'target']), '["1"]'), ('roost.conversation_member_update', 'role', '"admin"', '"admin"'),
	('', 'word_id', to_jsonb(:'word'::text), '"1"'), ('', 'exemption_id', to_jsonb(:'exemption'::text), '"1"'), ('', 'event', '"call:offer"', '"call:offer"'), ('', 'request_id', to_jsonb(:'request'::text), '"1"'), ('', 'id', to_jsonb(:'target'::text), '"1"'),
	('', 'ids', to_jsonb(:'target'::text), '"1"'), ('', 'account_ids', to_jsonb(:'target'::text), '"1"'), ('', 'username', '"privilege_target"', '"privilege_nobody"'),
	('', 'identifier', '"privilege_target"', '"privilege_nobody"'), ('', 'email', '"privilege_target@example.org"', '"privilege_nobody@example.org"'),
	('', 'password', '"not the right one"', '"not the right one"'), ('', 'current_password', '"not the right one"', '"not the right one"'), ('', 'new_password', '"another horse battery"', '"another horse battery"'),
	('', 'token', '"0123456789abcdef0123456789abcdef"', '"0123456789abcdef0123456789abcdef"'), ('', 'refresh_token', '"0123456789abcdef0123456789abcdef"', '"0123456789abcdef0123456789abcdef"'),
	('', 'text', '"a text"', '"a text"'), ('', 'title', '"a title"', '"a title"'), ('', 'reason', '"a reason"', '"a reason"'), ('', 'category', '"spam"', '"spam"'),
	('', 'phrase', '"a phrase"', '"a phrase"'), ('', 'hashtag', '"privilege"', '"nothing"'), ('', 'q', '"privilege"', '"nothing"'), ('', 'presence', '"nobody"', '"nobody"'),
	('', 'url', to_jsonb('https://example.org/@privilege_target/' || :'post'), '"https://example.org/@privilege_nobody"'),
	('', 'role', '"lower"', '"nothing"'), ('', 'rank', '5', '5'), ('', 'permissions', '[]', '[]'), ('', 'class', '"write"', '"nothing"'),
	('', 'word', '"privilegeword"', '"nothingword"'), ('', 'host', '"privilege.example"', '"nothing.example"'), ('', 'is_spam', 'true', 'true'),
	('', 'signal', '"spam"', '"spam"'), ('', 'threshold', '0.5', '0.5'), ('', 'action', '"limit"', '"limit"'),
	('', 'message_id', to_jsonb(:'message'::text), '"1"'), ('', 'reaction', '"ok"', '"ok"'),
	('', 'envelopes', '[]', '[]'), ('', 'number', '1', '2'), ('', 'registration_id', '1', '1'), ('', 'identity_key', '"BQ=="', '"BQ=="'), ('', 'signed_prekey', '{}', '{}'), ('', 'kyber_prekey', '{}', '{}'),
	('roost.role_set', 'name', '"lower"', '"nothing"'), ('roost.role_delete', 'name', '"lower"', '"nothing"'),
	('roost.moderation_policy_get', 'name', '"privilege"', '"nothing"'), ('roost.moderation_policy_update', 'name', '"privilege"', '"nothing"'),
	('roost.moderation_policy_delete', 'name', '"privilege"', '"nothing"'), ('roost.moderation_policy_report', 'name', '"privilege"', '"nothing"'),
	('roost.moderation_policy_create', 'name', '"privilege_new"', '"privilege_new"'),
	('roost.limit_rule_set', 'name', '"account"', '"nothing"'), ('roost.appeal_decide', 'decision', '"uphold"', '"uphold"'), ('roost.case_decide', 'decision', '"dismiss"', '"dismiss"'),
	('roost.auth_register', 'username', '"privilege_new"', '"privilege_new"'), ('roost.auth_register', 'email', '"privilege_new@example.org"', '"privilege_new@example.org"');
-- Routes whose permission depends on an argument, and arguments beyond those that a function cannot do without.
CREATE TABLE privilege.variant (function text, variant text, more jsonb);
INSERT INTO privilege.variant
SELECT 'roost.case_decide', d::text, CASE d WHEN 'suspend' THEN jsonb_build_object('until', now() + interval '7 days') WHEN 'label' THEN '{"labels": ["graphic"]}' ELSE '{}' END || jsonb_build_object('decision', d) FROM unnest(enum_range(NULL::roost.decision)) d
UNION ALL SELECT 'roost.appeal_decide', d::text, jsonb_build_object('decision', d) FROM unnest(enum_range(NULL::roost.appeal_verdict)) d
UNION ALL SELECT 'roost.post_moderate', d::text, CASE d WHEN 'label' THEN '{"labels": ["graphic"]}'::jsonb ELSE '{}' END || jsonb_build_object('action', d) FROM unnest(enum_range(NULL::roost.post_action)) d
UNION ALL SELECT 'roost.account_moderate', d::text, CASE d WHEN 'suspend' THEN jsonb_build_object('until', now() + interval '7 days') ELSE '{}' END || jsonb_build_object('action', d) FROM unnest(enum_range(NULL::roost.account_action)) d
UNION ALL VALUES ('roost.limit_exemption_add', '', '{"network": "192.0.2.79/32"}'::jsonb), ('roost.limit_rule_set', '', '{"limit": 1000}'), ('roost.report_create', '', jsonb_build_object('account_id', :'target')),
	('roost.admin_account_list', '', '{}'), ('roost.admin_account_list', 'by address', '{"q": "privilege_target@example.org"}'), ('roost.event_list', '', '{"channels": ["public"]}'),
	('roost.post_create', '', '{"text": "a text"}'), ('roost.message_search', '', '{"conversation_id": "9580"}'), ('roost.account_list', '', '{"username": "privilege_target"}');

CREATE VIEW privilege.input AS -- what callers say to a function
SELECT p.oid AS function, a.name, a.n, format_type(p.proargtypes[a.n - 1], NULL) AS type, a.n <= p.pronargs - p.pronargdefaults AS required
FROM pg_proc p CROSS JOIN LATERAL unnest(p.proargnames[1:p.pronargs]) WITH ORDINALITY a (name, n)
WHERE a.name NOT IN ('actor_id', 'session_id', 'device_id', 'client_address', 'user_agent');
CREATE TABLE privilege.request AS
SELECT row_number() OVER () AS n, r.method, r.path, r.function, roost_internal.route_function(r.function)::oid AS oid, coalesce(v.variant, '') AS variant, t.there, t.missing
FROM roost_internal.route r LEFT JOIN privilege.variant v USING (function) CROSS JOIN LATERAL (
	SELECT coalesce(jsonb_object_agg(i.name, coalesce(o.there, a.there)), '{}') || coalesce(v.more, '{}') AS there,
		coalesce(jsonb_object_agg(i.name, coalesce(o.missing, a.missing)), '{}') || coalesce(v.more, '{}') AS missing
	FROM privilege.input i LEFT JOIN privilege.argument a ON a.function = '' AND a.name = i.name LEFT JOIN privilege.argument o ON o.function = r.function AND o.name = i.name
	WHERE i.function = roost_internal.route_function(r.function) AND (i.required OR r.path ~ (':' || i.name || '(/|$)'))) t
WHERE r.builtin;
\echo routes that need an argument of which this test knows nothing
SELECT method, path, k AS argument FROM privilege.request, jsonb_each(there) e (k, v) WHERE e.v = 'null' ORDER BY path COLLATE "C", method, k;

CREATE FUNCTION privilege.escape(value jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT replace(replace(replace(replace(t, '%', '%25'), '&', '%26'), '#', '%23'), ' ', '%20')
	FROM (SELECT CASE jsonb_typeof(value) WHEN 'array' THEN (SELECT string_agg(e, ',') FROM jsonb_array_elements_text(value) e) ELSE value #>> '{}' END) v (t)
$$;
-- The SQLSTATE of what a caller is answered, and all that it is told if that is an error; nothing stays of it.
CREATE FUNCTION privilege.call(method text, path text, token text, arguments jsonb, OUT class text, OUT told text) LANGUAGE plpgsql AS $$
DECLARE
	v_path text := path;
	v_rest jsonb := arguments;
	v_key text;
	v_detail text;
	v_hint text;
	v_field text;
	v_context text;
BEGIN
	FOR v_key IN SELECT m[1] FROM regexp_matches(path, ':([a-z_]+)', 'g') m LOOP
		v_path := replace(v_path, ':' || v_key, privilege.escape(arguments -> v_key));
		v_rest := v_rest - v_key;
	END LOOP;
	PERFORM roost.handle(method, v_path, CASE WHEN method = 'GET' THEN coalesce((SELECT string_agg(k || '=' || privilege.escape(v), '&') FROM jsonb_each(v_rest) e (k, v)), '') END,
		'content-type: application/json' || coalesce(E'\nauthorization: Bearer ' || token, ''), CASE WHEN method <> 'GET' AND v_rest <> '{}' THEN v_rest::text END, '192.0.2.77');
	RAISE EXCEPTION USING ERRCODE = 'P0001';
EXCEPTION WHEN raise_exception THEN
	class := 'ok';
WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL, v_hint = PG_EXCEPTION_HINT, v_field = COLUMN_NAME, v_context = PG_EXCEPTION_CONTEXT;
	class := SQLSTATE;
	told := concat_ws('|', SQLERRM, v_detail, v_hint, v_field, (SELECT string_agg(h, ',') FROM regexp_split_to_table(v_context, E'\n') h WHERE h LIKE 'roost-header:%'));
END
$$;
CREATE TABLE privilege.answer AS
SELECT r.n, c.label, c.permission, a.class, a.told FROM privilege.request r, (SELECT label, permission, token FROM privilege.caller WHERE label NOT IN ('target', 'chief') UNION ALL VALUES ('stranger', NULL, NULL)) c,
	privilege.call(r.method, r.path, c.token, r.there) a
WHERE c.permission IS NULL OR r.path LIKE '/admin/%';

\echo every route, about what belongs to somebody else
SELECT r.method, r.path, r.variant, max(class) FILTER (WHERE label = 'stranger') AS stranger, max(class) FILTER (WHERE label = 'user') AS "user",
	max(class) FILTER (WHERE label = 'suspended') AS suspended, max(class) FILTER (WHERE label = 'figurehead') AS figurehead,
	max(class) FILTER (WHERE label = 'moderator') AS moderator, max(class) FILTER (WHERE label = 'admin') AS admin
FROM privilege.request r JOIN privilege.answer a USING (n) GROUP BY r.n, r.method, r.path, r.variant ORDER BY r.path COLLATE "C", r.method, r.variant COLLATE "C";

\echo what opens a route of moderators
SELECT r.method, r.path, r.variant, string_agg(a.permission, ' ' ORDER BY c.n) FILTER (WHERE class <> '42501') AS permissions,
	string_agg(DISTINCT a.class, ' ') FILTER (WHERE class <> '42501') AS classes
FROM privilege.request r JOIN privilege.answer a USING (n) JOIN privilege.caller c USING (label) WHERE a.permission IS NOT NULL
GROUP BY r.n, r.method, r.path, r.variant ORDER BY r.path COLLATE "C", r.method, r.variant COLLATE "C";

\echo who is refused is refused in the same way whether there is such a thing or not
SELECT r.method, r.path, r.variant, a.label, a.class, a.told, m.class AS missing_class, m.told AS missing_told
FROM privilege.request r JOIN privilege.answer a USING (n) LEFT JOIN privilege.caller c USING (label), privilege.call(r.method, r.path, c.token, r.missing) m
WHERE r.path LIKE '/admin/%' AND a.class IN ('42501', 'RO401') AND (m.class, coalesce(m.told, '')) IS DISTINCT FROM (a.class, coalesce(a.told, ''))
ORDER BY r.path COLLATE "C", r.method, r.variant COLLATE "C", a.label;
\echo no route of moderators is open to who has no permission
SELECT r.method, r.path, a.label, a.class FROM privilege.request r JOIN privilege.answer a USING (n)
WHERE r.path LIKE '/admin/%' AND (a.label IN ('user', 'figurehead') AND a.class <> '42501' OR a.label IN ('stranger', 'suspended') AND a.class = 'ok');

\echo what one may not see is answered as if it did not exist, whatever one asks
INSERT INTO roost_data.account (id, username, is_private, status) VALUES (9591, 'privilege_closed', true, 'active'), (9592, 'privilege_gone', false, 'suspended'), (9593, 'privilege_blocks', false, 'active'), (9594, 'privilege_blocked', false, 'active');
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 9591 AND 9594;
INSERT INTO roost_data.account_block (account_id, blocked_id, id) SELECT 9593, id, 1 FROM privilege.caller WHERE label = 'user' UNION ALL SELECT id, 9594, 2 FROM privilege.caller WHERE label = 'user';
CREATE TABLE privilege.hidden AS SELECT n, why, roost_internal.id_next() AS id, coalesce(author_id, :target) AS author_id, visibility::roost.visibility, state::roost.post_state
FROM (VALUES (1, 'direct', NULL, 'direct', 'visible'), (2, 'for followers', NULL, 'followers', 'visible'), (3, 'held', NULL, 'public', 'held'), (4, 'removed', NULL, 'public', 'removed'),
	(5, 'of a private account', 9591, 'public', 'visible'), (6, 'of a suspended account', 9592, 'public', 'visible'), (7, 'of who has blocked one', 9593, 'public', 'visible'), (8, 'of who is blocked', 9594, 'public', 'visible')) h (n, why, author_id, visibility, state);
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text, visibility, state) SELECT id, author_id, id, roost.id_time(id), 'a text', visibility, state FROM privilege.hidden;
CREATE TABLE privilege.question AS
SELECT r.n, r.method, r.path, r.variant, r.there, k.name FROM privilege.request r, (VALUES ('post_id')) k (name) WHERE r.there ? 'post_id' AND r.path NOT LIKE '/admin/%'
UNION ALL SELECT 0, m.* FROM (VALUES ('POST', '/tweets', 'answer', '{"text": "x"}'::jsonb, 'reply_to_id'), ('POST', '/tweets', 'quote', '{"text": "x"}', 'quote_of_id'), ('POST', '/reports', 'post', '{"category": "spam"}', 'post_id')) m;
SELECT count(*) > 20 AS enough FROM privilege.question;
SELECT q.method, q.path, q.variant, c.label, h.why, a.class, a.told, m.class AS missing_class, m.told AS missing_told
FROM privilege.question q, privilege.hidden h, (SELECT label, token FROM privilege.caller WHERE label IN ('user', 'moderator') UNION ALL VALUES ('stranger', NULL)) c,
	privilege.call(q.method, q.path, c.token, q.there || jsonb_build_object(q.name, h.id::text)) a, privilege.call(q.method, q.path, c.token, q.there || jsonb_build_object(q.name, '1')) m
WHERE (h.n < 7 OR c.label = 'user') AND (a.class, coalesce(a.told, '')) IS DISTINCT FROM (m.class, coalesce(m.told, '')) ORDER BY q.path COLLATE "C", q.method, q.variant, c.label, h.n;
\echo and an account that is suspended as one that never was
SELECT r.method, r.path, r.variant, c.label, a.class, a.told, m.class AS missing_class, m.told AS missing_told
FROM privilege.request r, (SELECT label, token FROM privilege.caller WHERE label IN ('user', 'moderator') UNION ALL VALUES ('stranger', NULL)) c,
	privilege.call(r.method, r.path, c.token, r.there || '{"account_id": "9592"}') a, privilege.call(r.method, r.path, c.token, r.there || '{"account_id": "1"}') m
WHERE r.there ? 'account_id' AND r.path NOT LIKE '/admin/%' AND (a.class, coalesce(a.told, '')) IS DISTINCT FROM (m.class, coalesce(m.told, '')) ORDER BY r.path COLLATE "C", r.method, r.variant, c.label;
\echo about an account of the same rank, and about oneself: by an admin
SELECT r.method, r.path, r.variant, e.class AS same_rank, o.class AS oneself
FROM privilege.request r, privilege.caller a, privilege.call(r.method, r.path, a.token, r.there || jsonb_build_object('account_id', :'chief')) e,
	privilege.call(r.method, r.path, a.token, r.there || jsonb_build_object('account_id', a.id::text)) o
WHERE r.path LIKE '/admin/accounts/%' AND r.there ? 'account_id' AND a.label = 'admin' ORDER BY r.path COLLATE "C", r.method, r.variant COLLATE "C";

-- The same functions, and those that ask for a permission without a route, called by SQL with a plain account, one that is suspended, and none, as the actor.
CREATE FUNCTION privilege.run(oid, actor_id bigint, arguments jsonb, OUT class text, OUT told text) LANGUAGE plpgsql AS $$
DECLARE
	v_call text;
	v_detail text;
BEGIN
	SELECT format('SELECT %s(%s)', $1::regproc, string_agg(format('%I => %L::%s', i.name, CASE WHEN i.name = 'actor_id' THEN actor_id::text
		WHEN jsonb_typeof(arguments -> i.name) = 'array' THEN translate((arguments -> i.name)::text, '[]', '{}') ELSE arguments ->> i.name END, i.type), ', ')) INTO v_call
	FROM (SELECT i.name, i.type FROM privilege.input i WHERE i.function = $1 AND arguments ? i.name UNION ALL SELECT 'actor_id', 'roost.id') i;
	EXECUTE v_call;
	RAISE EXCEPTION USING ERRCODE = 'P0001';
EXCEPTION WHEN raise_exception THEN
	class := 'ok';
WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
	class := SQLSTATE;
	told := SQLERRM || '|' || v_detail;
END
$$;
\echo functions that ask for a permission and have no route
SELECT p.oid::regprocedure AS function FROM pg_proc p
WHERE p.pronamespace = 'roost'::regnamespace AND p.prosrc ~ 'permission_check|has_permission' AND p.oid NOT IN (SELECT oid FROM privilege.request) ORDER BY 1;
\echo called with an actor who may not
SELECT count(DISTINCT r.oid) > 30 AS enough, c.label, t.there, x.class, count(*) > 0 AS called
FROM privilege.request r, (VALUES ('user'), ('suspended'), ('figurehead'), ('none'), ('nobody')) c (label) LEFT JOIN privilege.caller USING (label) CROSS JOIN LATERAL (VALUES (true), (false)) t (there),
	privilege.run(r.oid, CASE c.label WHEN 'nobody' THEN 1 ELSE id END, CASE WHEN t.there THEN r.there ELSE r.missing END) x
WHERE r.path LIKE '/admin/%' GROUP BY c.label, t.there, x.class ORDER BY c.label, t.there, x.class;
SELECT r.function, r.variant, x.class, x.told FROM privilege.request r, privilege.caller c, unnest(ARRAY[r.there, r.missing]) t, privilege.run(r.oid, c.id, t) x
WHERE r.path LIKE '/admin/%' AND c.label = 'user' AND (x.class <> '42501' OR x.told !~ '^not allowed\|This takes the permission [a-z.]+\.$');
ROLLBACK;
