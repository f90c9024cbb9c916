-- Words, hosts and labelled texts: what the analyzers go by, for who writes policies.

CREATE OR REPLACE FUNCTION roost.moderation_word_list(
	actor_id roost.id,
	language text DEFAULT NULL,
	kind text DEFAULT NULL,
	q text DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL
) RETURNS SETOF roost.moderation_word
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 0);
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'policy.read');
	RETURN QUERY
	SELECT s.word, s.language, s.kind, s.severity, s.whole_word, s.allowed, s.place
	FROM (
		SELECT w.word, w.language, w.kind, w.severity, w.whole_word, w.allowed, pg_catalog.row_number() OVER (ORDER BY w.language, w.word COLLATE "C") AS place
		FROM roost_data.moderation_word w
		WHERE (moderation_word_list.language IS NULL OR w.language = lower(moderation_word_list.language))
			AND (moderation_word_list.kind IS NULL OR w.kind = moderation_word_list.kind)
			AND (q IS NULL OR pg_catalog.strpos(lower(w.word), lower(q)) > 0)
	) s
	WHERE s.place > v_before ORDER BY s.place LIMIT moderation_word_list."limit";
END
$$;
REVOKE ALL ON FUNCTION roost.moderation_word_list(roost.id, text, text, text, integer, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.moderation_word_list(roost.id, text, text, text, integer, roost.cursor) IS 'The words that roost.profanity_score() finds, by language: all, or of one language (empty: those for all languages), of one kind, or that contain q. 42501 without policy.read.';
SELECT roost_internal.route('GET', '/admin/words', 'roost.moderation_word_list');

CREATE OR REPLACE FUNCTION roost.moderation_word_set(
	actor_id roost.id,
	word text,
	language text DEFAULT '',
	kind text DEFAULT 'profanity',
	severity real DEFAULT 0.7,
	whole_word boolean DEFAULT true,
	allowed boolean DEFAULT false
) RETURNS roost.moderation_word
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_language constant text := lower(coalesce(language, ''));
	v_word constant text := pg_catalog.btrim(word);
	v_column text;
	v_detail text;
	v_result roost.moderation_word;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'policy.write');
	IF v_word IS NULL OR pg_catalog.char_length(v_word) NOT BETWEEN 1 AND 100 THEN
		v_column := 'word';
		v_detail := 'A word or phrase has 1 to 100 characters.';
	ELSIF v_language !~ '^([a-z]{2,8})?$' THEN
		v_column := 'language';
		v_detail := 'A language is a code like en, or empty for all languages.';
	ELSIF kind IS NULL OR kind !~ '^[a-z][a-z0-9_]{0,30}$' THEN
		v_column := 'kind';
		v_detail := 'A kind starts with a letter and has lower-case letters, digits and underscores, at most 31.';
	ELSIF severity IS NULL OR NOT (severity > 0 AND severity <= 1) THEN
		v_column := 'severity';
		v_detail := 'A severity is above 0 and at most 1.';
	END IF;
	IF v_column IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = v_column, MESSAGE = pg_catalog.format('invalid %s of a word', v_column), DETAIL = v_detail;
	END IF;
	INSERT INTO roost_data.moderation_word AS w (language, word, kind, severity, whole_word, allowed)
	VALUES (v_language, v_word, moderation_word_set.kind, moderation_word_set.severity, coalesce(moderation_word_set.whole_word, true), coalesce(moderation_word_set.allowed, false))
	ON CONFLICT ON CONSTRAINT moderation_word_pkey DO UPDATE
	SET kind = excluded.kind, severity = excluded.severity, whole_word = excluded.whole_word, allowed = excluded.allowed
	RETURNING w.word, w.language, w.kind, w.severity, w.whole_word, w.allowed, NULL::bigint INTO v_result;
	RETURN v_result;
END
$$;
REVOKE ALL ON FUNCTION roost.moderation_word_set(roost.id, text, text, text, real, boolean, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.moderation_word_set(roost.id, text, text, text, real, boolean, boolean) IS 'Adds a word or phrase to the list of a language (empty: for all), or changes it; allowed: an exception, what it covers is not found. In force at once. 22023 with the field, 42501 without policy.write.';
SELECT roost_internal.route('POST', '/admin/words', 'roost.moderation_word_set', limit_class => 'write', status => 201);

CREATE OR REPLACE FUNCTION roost.moderation_word_delete(actor_id roost.id, word text, language text DEFAULT '') RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'policy.write');
	DELETE FROM roost_data.moderation_word w WHERE w.word = moderation_word_delete.word AND w.language = lower(coalesce(moderation_word_delete.language, ''));
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'word', MESSAGE = 'the word is not on the list';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.moderation_word_delete(roost.id, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.moderation_word_delete(roost.id, text, text) IS 'Takes a word off the list of a language (empty: that for all). A built-in one comes back with the next roost.install(); a severity near 0 turns it off for good. 42501 without policy.write, P0002 it is not there.';
SELECT roost_internal.route('DELETE', '/admin/words', 'roost.moderation_word_delete', limit_class => 'write', status => 204);

CREATE OR REPLACE FUNCTION roost.moderation_url_host_list(
	actor_id roost.id,
	kind text DEFAULT NULL,
	q text DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL
) RETURNS SETOF roost.moderation_url_host
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 0);
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'policy.read');
	RETURN QUERY
	SELECT s.host, s.kind, s.note, s.created_at, s.place
	FROM (
		SELECT h.host, h.kind, h.note, h.created_at, pg_catalog.row_number() OVER (ORDER BY h.kind, h.host) AS place
		FROM roost_data.moderation_url_host h
		WHERE (moderation_url_host_list.kind IS NULL OR h.kind = moderation_url_host_list.kind) AND (q IS NULL OR pg_catalog.strpos(h.host, lower(q)) > 0)
	) s
	WHERE s.place > v_before ORDER BY s.place LIMIT moderation_url_host_list."limit";
END
$$;
REVOKE ALL ON FUNCTION roost.moderation_url_host_list(roost.id, text, text, integer, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.moderation_url_host_list(roost.id, text, text, integer, roost.cursor) IS 'The hosts that roost.url_analyze() knows, by kind: all, or of one kind (blocked, allowed, shortener, protected), or that contain q. 42501 without policy.read.';
SELECT roost_internal.route('GET', '/admin/url-hosts', 'roost.moderation_url_host_list');

CREATE OR REPLACE FUNCTION roost.moderation_url_host_set(actor_id roost.id, host text, kind text DEFAULT 'blocked', note text DEFAULT NULL) RETURNS roost.moderation_url_host
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_given constant text := pg_catalog.btrim(host);
	v_host constant text := roost_internal.url_host(CASE WHEN v_given ~ '^[A-Za-z][A-Za-z0-9+.-]*://' THEN v_given ELSE 'http://' || v_given END);
	v_result roost.moderation_url_host;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'policy.write');
	IF v_host IS NULL OR pg_catalog.char_length(v_host) NOT BETWEEN 1 AND 253 OR v_host ~ '[\s/@]' OR v_host <> lower(v_host) THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'host', MESSAGE = 'invalid host', DETAIL = 'A host is a name like example.org, an address, or a link to it.';
	ELSIF kind IS NULL OR kind NOT IN ('blocked', 'allowed', 'shortener', 'protected') THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'kind', MESSAGE = 'invalid kind of a host', DETAIL = 'A kind is blocked, allowed, shortener or protected.';
	ELSIF pg_catalog.char_length(note) > 300 THEN
		RAISE EXCEPTION USING ERRCODE = '22001', COLUMN = 'note', MESSAGE = 'the note is too long', DETAIL = 'A note has at most 300 characters.';
	END IF;
	INSERT INTO roost_data.moderation_url_host AS h (host, kind, note, created_at) VALUES (v_host, moderation_url_host_set.kind, nullif(moderation_url_host_set.note, ''), roost_internal.clock_now())
	ON CONFLICT ON CONSTRAINT moderation_url_host_pkey DO UPDATE SET note = excluded.note
	RETURNING h.host, h.kind, h.note, h.created_at, NULL::bigint INTO v_result;
	RETURN v_result;
END
$$;
REVOKE ALL ON FUNCTION roost.moderation_url_host_set(roost.id, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.moderation_url_host_set(roost.id, text, text, text) IS 'Lists a host, and all below it, as blocked, allowed, shortener or protected; a link stands for its host, and names in other scripts become xn--. In force at once. 22023 with the field, 42501 without policy.write.';
SELECT roost_internal.route('POST', '/admin/url-hosts', 'roost.moderation_url_host_set', limit_class => 'write', status => 201);

CREATE OR REPLACE FUNCTION roost.moderation_url_host_delete(actor_id roost.id, host text, kind text DEFAULT 'blocked') RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'policy.write');
	DELETE FROM roost_data.moderation_url_host h WHERE h.host = lower(moderation_url_host_delete.host) AND h.kind = moderation_url_host_delete.kind;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'host', MESSAGE = 'the host is not listed';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.moderation_url_host_delete(roost.id, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.moderation_url_host_delete(roost.id, text, text) IS 'Takes a host off the list of a kind. 42501 without policy.write, P0002 it is not there.';
SELECT roost_internal.route('DELETE', '/admin/url-hosts', 'roost.moderation_url_host_delete', limit_class => 'write', status => 204);

CREATE OR REPLACE FUNCTION roost.moderation_spam_sample_add(actor_id roost.id, text roost.post_text, is_spam boolean, is_test boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'policy.write');
	IF text IS NULL OR roost_internal.text_is_blank(text) THEN
		RAISE EXCEPTION USING ERRCODE = '23514', COLUMN = 'text', MESSAGE = 'the text is empty';
	ELSIF is_spam IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'is_spam', MESSAGE = 'a sample is spam or not';
	END IF;
	INSERT INTO roost_data.spam_sample (text, is_spam, is_test, source)
	VALUES (moderation_spam_sample_add.text, moderation_spam_sample_add.is_spam, coalesce(moderation_spam_sample_add.is_test, false), 'moderator');
END
$$;
REVOKE ALL ON FUNCTION roost.moderation_spam_sample_add(roost.id, roost.post_text, boolean, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.moderation_spam_sample_add(roost.id, roost.post_text, boolean, boolean) IS 'Adds a labelled text from which the spam model learns, or, with is_test, by which it is only measured. 23514 an empty text, 42501 without policy.write.';
SELECT roost_internal.route('POST', '/admin/spam-samples', 'roost.moderation_spam_sample_add', limit_class => 'write', status => 204);

CREATE OR REPLACE FUNCTION roost.moderation_spam_train(actor_id roost.id) RETURNS roost.spam_metrics
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'policy.write');
	PERFORM roost_internal.audit_add('spam.train', 'spam_weight', NULL, '{}', actor_id);
	RETURN roost.spam_train();
END
$$;
REVOKE ALL ON FUNCTION roost.moderation_spam_train(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.moderation_spam_train(roost.id) IS 'Lets the spam model learn anew from all labelled texts, in place of the one in force; returns how good it is on texts that were held out. 42501 without policy.write, 55000 without texts of both kinds.';
SELECT roost_internal.route('POST', '/admin/spam/train', 'roost.moderation_spam_train', limit_class => 'write', lane => 'slow');
