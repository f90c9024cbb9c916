-- Notifications: the mailbox in groups, newest first.
--
-- A group stands where its newest entry stands.  A page looks at the newest
-- entries that it has not looked at; of a day with so many that few groups come
-- of them, it then looks up the groups instead of the entries.  So it costs as
-- much as the page has groups, however many entries there are.
--
-- The functions that read the mailbox keep one plan for all accounts, which asks
-- the partitions in order and only as many as it must: planning for each call
-- costs more than the call, and a plan that sorts reads all of a group.
--
-- Cursors are "seq.upto": the place of the last group, and up to which entry the
-- pages go.  What comes after that changes nothing in the pages that follow.

CREATE OR REPLACE FUNCTION roost_internal.notification_place(cursor roost.cursor, name text, OUT seq bigint, OUT upto bigint)
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_part constant text[] := regexp_match(cursor, '^([0-9]{1,18})\.([0-9]{1,18})$');
BEGIN
	IF cursor IS NOT NULL AND v_part IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = name, MESSAGE = 'invalid cursor', HINT = 'Use the value of "next" from the page before.';
	END IF;
	seq := v_part[1];
	upto := v_part[2];
END
$$;
REVOKE ALL ON FUNCTION roost_internal.notification_place(roost.cursor, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.notification_place(roost.cursor, text) IS 'What a cursor of notifications stands for; nulls for null. 22023 if it is none; name is the argument to blame.';

CREATE OR REPLACE FUNCTION roost_internal.notification_kinds(account_id bigint, types roost.mailbox_kind[]) RETURNS roost.mailbox_kind[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_preference jsonb;
BEGIN
	SELECT to_jsonb(t) INTO v_preference FROM roost_data.notification_preference t WHERE t.account_id = notification_kinds.account_id;
	RETURN ARRAY(SELECT k FROM unnest(enum_range(NULL::roost.mailbox_kind)) k
		WHERE (types IS NULL OR k = ANY (types)) AND v_preference ->> k::text IS DISTINCT FROM 'nobody');
END
$$;
REVOKE ALL ON FUNCTION roost_internal.notification_kinds(bigint, roost.mailbox_kind[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.notification_kinds(bigint, roost.mailbox_kind[]) IS 'The types of entries worth looking at: those asked for (null: all) that the account does not keep out altogether.';

CREATE OR REPLACE FUNCTION roost_internal.notification_recent(
	account_id bigint, kinds roost.mailbox_kind[], after bigint, before bigint, upto bigint, size integer,
	OUT groups roost_internal.notification_group[], OUT next_seq bigint, OUT next_day date)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_sort = off
AS $$
DECLARE
	v_count bigint;
BEGIN
	WITH recent AS MATERIALIZED (
		SELECT m.kind, m.group_id, m.day, m.seq, m.post_id
		FROM roost_data.mailbox m
		WHERE m.account_id = notification_recent.account_id AND m.seq > after AND m.seq < before
		ORDER BY m.seq DESC LIMIT size
	), found AS (
		SELECT r.kind, r.group_id, r.day, max(r.seq) AS seq, max(r.post_id) AS post_id
		FROM recent r WHERE r.kind = ANY (kinds)
		GROUP BY r.kind, r.group_id, r.day, CASE WHEN r.group_id = 0 AND r.kind <> 'follow' THEN r.seq END
	)
	SELECT array_agg(ROW(f.kind, f.group_id, f.day, f.seq, f.post_id, NULL, NULL, NULL, NULL)::roost_internal.notification_group ORDER BY f.seq DESC) FILTER (
			-- Those with newer entries have been on a page before.
			WHERE before > upto OR (f.group_id = 0 AND f.kind <> 'follow') OR NOT EXISTS (
				SELECT FROM roost_data.mailbox m
				WHERE m.account_id = notification_recent.account_id AND m.day = f.day AND m.kind = f.kind AND m.group_id = f.group_id
					AND m.seq >= before AND m.seq <= upto)),
		(SELECT count(*) FROM recent), (SELECT min(r.seq) FROM recent r), (SELECT min(r.day) FROM recent r)
	INTO groups, v_count, next_seq, next_day
	FROM found f;
	IF v_count < size THEN
		next_seq := NULL;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.notification_recent(bigint, roost.mailbox_kind[], bigint, bigint, bigint, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.notification_recent(bigint, roost.mailbox_kind[], bigint, bigint, bigint, integer) IS 'The groups whose newest entry up to "upto" is among so many (size) of the newest between the two seqs (exclusive), newest first; where to go on, and its day, or null at the end.';

CREATE OR REPLACE FUNCTION roost_internal.notification_day(
	account_id bigint, kinds roost.mailbox_kind[], day date, after bigint, before bigint, upto bigint,
	OUT groups roost_internal.notification_group[], OUT next_seq bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_sort = off
AS $$
DECLARE
	v_first constant bigint := greatest(after + 1, (SELECT d.seq FROM roost_data.feed_day d WHERE d.day = notification_day.day));
	v_kind roost.mailbox_kind;
	v_part roost_internal.notification_group[];
	v_floor bigint := v_first;
BEGIN
	groups := '{}';
	FOREACH v_kind IN ARRAY kinds LOOP
		IF v_kind IN ('like', 'retweet', 'follow') THEN
			WITH RECURSIVE step AS (
				(SELECT m.group_id, m.seq FROM roost_data.mailbox m
				WHERE m.account_id = notification_day.account_id AND m.day = notification_day.day AND m.kind = v_kind
					AND m.seq >= v_first AND m.seq < before
				ORDER BY m.group_id DESC, m.seq DESC LIMIT 1)
				UNION ALL
				SELECT n.group_id, n.seq FROM step s CROSS JOIN LATERAL (
					SELECT m.group_id, m.seq FROM roost_data.mailbox m
					WHERE m.account_id = notification_day.account_id AND m.day = notification_day.day AND m.kind = v_kind
						AND m.group_id < s.group_id AND m.seq >= v_first AND m.seq < before
					ORDER BY m.group_id DESC, m.seq DESC LIMIT 1) n
			)
			SELECT array_agg(ROW(v_kind, s.group_id, notification_day.day, s.seq, NULL, NULL, NULL, NULL, NULL)::roost_internal.notification_group)
			INTO v_part FROM (SELECT * FROM step LIMIT 2000) s
			WHERE before > upto OR NOT EXISTS (SELECT FROM roost_data.mailbox m
				WHERE m.account_id = notification_day.account_id AND m.day = notification_day.day AND m.kind = v_kind AND m.group_id = s.group_id
					AND m.seq >= before AND m.seq <= upto);
		ELSE
			SELECT array_agg(ROW(v_kind, 0, notification_day.day, s.seq, s.post_id, NULL, NULL, NULL, NULL)::roost_internal.notification_group),
				CASE WHEN count(*) = 400 THEN greatest(v_floor, min(s.seq)) ELSE v_floor END
			INTO v_part, v_floor
			FROM (SELECT m.seq, m.post_id FROM roost_data.mailbox m
				WHERE m.account_id = notification_day.account_id AND m.day = notification_day.day AND m.kind = v_kind AND m.group_id = 0
					AND m.seq >= v_first AND m.seq < before
				ORDER BY m.seq DESC LIMIT 400) s;
		END IF;
		groups := groups || v_part;
	END LOOP;
	-- Of a type with more there may be some below the floor: those wait for the next round.
	groups := ARRAY(SELECT g FROM unnest(groups) g WHERE g.seq >= v_floor ORDER BY g.seq DESC);
	next_seq := v_floor;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.notification_day(bigint, roost.mailbox_kind[], date, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.notification_day(bigint, roost.mailbox_kind[], date, bigint, bigint, bigint) IS 'The groups of a day whose newest entry up to "upto" is between the two seqs (exclusive), newest first, found group by group: likes and retweets of the newest 2000 posts; and where to go on.';

CREATE OR REPLACE FUNCTION roost_internal.notification_told(account_id bigint, groups roost_internal.notification_group[], after bigint, plain boolean)
RETURNS roost_internal.notification_group[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_sort = off
AS $$
BEGIN
	RETURN ARRAY(
		SELECT ROW(g.kind, g.group_id, g.day, g.seq, g.post_id, e.latest_seq, e.latest_at, e.actor_ids, e.more)::roost_internal.notification_group
		FROM unnest(groups) WITH ORDINALITY g (kind, group_id, day, seq, post_id, latest_seq, latest_at, actor_ids, more, n)
		LEFT JOIN roost_data.feed_day d ON d.day = g.day
		CROSS JOIN LATERAL (SELECT CASE WHEN g.group_id = 0 AND g.kind <> 'follow' THEN g.seq ELSE coalesce(d.seq, 0) END AS low) b
		CROSS JOIN LATERAL (
			SELECT max(s.seq) AS latest_seq, max(s.created_at) AS latest_at, array_agg(s.actor_id ORDER BY s.seq DESC) AS actor_ids,
				count(*) > 100 OR b.low < g.seq AND EXISTS (
					SELECT FROM roost_data.mailbox t
					WHERE t.account_id = notification_told.account_id AND t.day = g.day AND t.kind = g.kind AND t.group_id = g.group_id
						AND t.seq <= g.seq AND t.seq >= b.low
					OFFSET 200) AS more
			FROM (
				SELECT m.seq, m.created_at, m.actor_id
				FROM (
					SELECT t.seq, t.created_at, t.actor_id, t.post_id, t.kind
					FROM roost_data.mailbox t
					WHERE t.account_id = notification_told.account_id AND t.day = g.day AND t.kind = g.kind AND t.group_id = g.group_id
						AND t.seq <= g.seq AND t.seq >= b.low
					ORDER BY t.seq DESC LIMIT 200
				) m
				CROSS JOIN LATERAL roost_internal.notification_shown(notification_told.account_id, m.kind, m.actor_id, m.post_id, plain)
				ORDER BY m.seq DESC LIMIT 101
			) s
		) e
		WHERE e.latest_seq > after
		ORDER BY g.n);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.notification_told(bigint, roost_internal.notification_group[], bigint, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.notification_told(bigint, roost_internal.notification_group[], bigint, boolean) IS 'Those of the groups of which something after a seq is told, with what of them is told: looks at the newest 200 entries of each and stops after 101.';

CREATE OR REPLACE FUNCTION roost_internal.notification_find(
	account_id bigint, kinds roost.mailbox_kind[], after bigint, before bigint, upto bigint, unread_after bigint, "limit" integer)
RETURNS roost_internal.notification_group[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_plain constant boolean := roost_internal.notification_plain(account_id);
	v_found roost_internal.notification_group[] := '{}';
	v_groups roost_internal.notification_group[];
	v_before bigint := before;
	v_day date;
	v_dense boolean := false;
	v_looked integer := 0;
	v_wanted integer;
BEGIN
	LOOP
		IF v_day IS NULL THEN
			SELECT r.groups, r.next_seq, r.next_day INTO v_groups, v_before, v_day
			FROM roost_internal.notification_recent(account_id, kinds, after, v_before, upto, CASE WHEN v_dense THEN 100 ELSE 400 END) r;
			-- Many groups: so it goes on with what is older.
			IF v_before IS NULL OR cardinality(v_groups) > 100 THEN
				v_day := NULL;
			END IF;
		ELSE
			v_dense := true;
			SELECT r.groups, r.next_seq INTO v_groups, v_before
			FROM roost_internal.notification_day(account_id, kinds, v_day, after, v_before, upto) r;
			v_day := NULL;
		END IF;
		FOR i IN 1 .. coalesce(cardinality(v_groups), 0) BY 20 LOOP
			v_found := v_found || roost_internal.notification_told(account_id, v_groups[i : i + 19], unread_after, v_plain);
			v_looked := v_looked + 20;
			EXIT WHEN cardinality(v_found) >= "limit" OR v_looked > 2000;
		END LOOP;
		EXIT WHEN cardinality(v_found) >= "limit" OR v_looked > 2000 OR v_before IS NULL OR v_before <= after + 1;
	END LOOP;
	RETURN v_found[1 : "limit"];
END
$$;
REVOKE ALL ON FUNCTION roost_internal.notification_find(bigint, roost.mailbox_kind[], bigint, bigint, bigint, bigint, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.notification_find(bigint, roost.mailbox_kind[], bigint, bigint, bigint, bigint, integer) IS 'At most "limit" groups between two seqs (exclusive), newest first, as of the entry upto, of which something after unread_after is told. Gives up after it has asked of 2000 groups what of them is told.';

CREATE OR REPLACE FUNCTION roost.notification_list(
	actor_id roost.id,
	types roost.mailbox_kind[] DEFAULT NULL,
	unread boolean DEFAULT false,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.notification
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before record;
	v_after record;
	v_upto bigint;
	v_read bigint;
	v_groups roost_internal.notification_group[];
BEGIN
	SELECT * INTO v_before FROM roost_internal.notification_place(notification_list.before, 'before');
	SELECT * INTO v_after FROM roost_internal.notification_place(notification_list.after, 'after');
	v_read := coalesce((SELECT t.read_seq FROM roost_data.notification_marker t WHERE t.account_id = actor_id), 0);
	v_upto := least(v_before.upto, roost_internal.notification_newest(actor_id));
	IF v_upto IS NULL THEN
		RETURN;
	END IF;
	v_groups := roost_internal.notification_find(actor_id, roost_internal.notification_kinds(actor_id, types),
		greatest(v_after.seq, CASE WHEN unread THEN v_read END, 0), least(v_before.seq, v_upto + 1), v_upto,
		CASE WHEN unread THEN v_read ELSE 0 END, coalesce(notification_list."limit", 20));
	RETURN QUERY
	WITH post AS MATERIALIZED (
		SELECT p.id::bigint AS id, roost_internal.post_embed(p) AS embed
		FROM roost_internal.post_hydrate(actor_id, ARRAY(SELECT DISTINCT coalesce(nullif(g.group_id, 0), g.post_id) FROM unnest(v_groups) g
			WHERE g.post_id IS NOT NULL OR g.group_id <> 0)) p
	)
	SELECT roost_internal.notification_id(g.kind, g.day, g.group_id, g.seq), g.kind, least(cardinality(g.actor_ids), 100)::bigint, g.more,
		ARRAY(SELECT ROW(a.id, a.username, a.display_name, a.avatar_url)::roost.author
			FROM unnest(g.actor_ids[1:8]) WITH ORDINALITY u (id, n) JOIN roost_data.account a ON a.id = u.id ORDER BY u.n),
		p.embed, g.latest_seq::roost.id, g.latest_at, g.latest_seq <= v_read, g.seq || '.' || v_upto
	FROM unnest(v_groups) WITH ORDINALITY g (kind, group_id, day, seq, post_id, latest_seq, latest_at, actor_ids, more, n)
	LEFT JOIN post p ON p.id = coalesce(nullif(g.group_id, 0), g.post_id)
	ORDER BY g.n;
END
$$;
REVOKE ALL ON FUNCTION roost.notification_list(roost.id, roost.mailbox_kind[], boolean, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.notification_list(roost.id, roost.mailbox_kind[], boolean, integer, roost.cursor, roost.cursor) IS 'What others did to the actor, newest first: likes of one post, retweets of one post and follows of one day (UTC) as one, everything else alone; only what the actor may see and wants to hear, by active accounts. types: only these. unread: only what has not been read. Pages do not change while new ones come; after gives those with something new. 22023 another cursor.';
SELECT roost_internal.route('GET', '/notifications', 'roost.notification_list', tags => '{notification}');
