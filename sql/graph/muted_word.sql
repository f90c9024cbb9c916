-- Muted words: of what an account does not want to be shown posts unasked.
-- roost_internal.wants() looks for them.

CREATE OR REPLACE FUNCTION roost_internal.own_hold(account_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.account_hold(account_id);
	PERFORM pg_advisory_xact_lock(1919905655, hashint8(account_id));
	PERFORM FROM roost_data.account a WHERE a.id = own_hold.account_id AND a.status = 'active';
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', MESSAGE = 'the account does not exist';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.own_hold(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.own_hold(bigint) IS 'Keeps an account from being deleted, and from adding something else of which it may have so many, until the end of the transaction. P0002 unless it is active.';

CREATE OR REPLACE FUNCTION roost_internal.phrase_normal(phrase text, OUT phrase_normal text, OUT folded text)
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	phrase_normal := btrim(regexp_replace(phrase, '\s+', ' ', 'g'));
	IF phrase_normal IN ('', '#') OR phrase_normal ~ '[\u0001-\u001f\u007f-\u009f]' THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'phrase', MESSAGE = 'invalid phrase',
			DETAIL = 'It is a word, several words or a hashtag, without control characters.';
	ELSIF char_length(phrase_normal) > 100 THEN
		RAISE EXCEPTION USING ERRCODE = '22001', COLUMN = 'phrase', MESSAGE = 'the phrase is too long', DETAIL = 'It can have 100 characters.';
	END IF;
	folded := btrim(regexp_replace(roost_internal.hashtag_fold(phrase_normal), '\s+', ' ', 'g'));
	IF octet_length(folded) NOT BETWEEN 1 AND 1000 THEN
		RAISE EXCEPTION USING ERRCODE = '22001', COLUMN = 'phrase', MESSAGE = 'the phrase is too long', DETAIL = 'Written out it can have 1000 bytes.';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.phrase_normal(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.phrase_normal(text) IS 'A muted phrase with single spaces, and what is looked for: NFKC and lower case. 22023 if there is nothing to look for, 22001 for more than 100 characters.';

CREATE OR REPLACE FUNCTION roost.muted_word_list(actor_id roost.id) RETURNS SETOF roost.muted_word
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
BEGIN
	RETURN QUERY
	SELECT w.id::roost.id, w.phrase, w.whole_word, w.expires_at, w.created_at
	FROM roost_data.muted_word w
	WHERE w.account_id = actor_id AND (w.expires_at IS NULL OR w.expires_at > v_now)
	ORDER BY w.id DESC;
END
$$;
REVOKE ALL ON FUNCTION roost.muted_word_list(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.muted_word_list(roost.id) IS 'The words and phrases that the caller has muted, the last one first; 200 at most. Nobody else gets this list.';
SELECT roost_internal.route('GET', '/muted-words', 'roost.muted_word_list', auth => 'user');

CREATE OR REPLACE FUNCTION roost.muted_word_create(
	actor_id roost.id, phrase text, whole_word boolean DEFAULT true, duration bigint DEFAULT NULL
) RETURNS roost.muted_word
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_phrase constant record := roost_internal.phrase_normal(phrase);
	v_end constant timestamptz := roost_internal.duration_end(duration);
	v_word roost.muted_word;
BEGIN
	IF phrase IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '23502', COLUMN = 'phrase', MESSAGE = 'the phrase is null';
	END IF;
	PERFORM roost_internal.own_hold(actor_id);
	DELETE FROM roost_data.muted_word w WHERE w.account_id = actor_id AND w.expires_at <= roost_internal.clock_now();
	IF EXISTS (SELECT FROM roost_data.muted_word w WHERE w.account_id = actor_id AND w.folded = v_phrase.folded) THEN
		RAISE EXCEPTION USING ERRCODE = '23505', COLUMN = 'phrase', MESSAGE = 'the phrase is muted already';
	ELSIF (SELECT count(*) FROM roost_data.muted_word w WHERE w.account_id = actor_id) >= 200 THEN
		RAISE EXCEPTION USING ERRCODE = '54000', MESSAGE = 'too many muted words', DETAIL = 'An account can have 200.';
	END IF;
	INSERT INTO roost_data.muted_word AS w (account_id, id, phrase, folded, whole_word, expires_at)
	VALUES (actor_id, roost_internal.id_next(actor_id), v_phrase.phrase_normal, v_phrase.folded, coalesce(muted_word_create.whole_word, true), v_end)
	RETURNING w.id, w.phrase, w.whole_word, w.expires_at, w.created_at INTO v_word;
	RETURN v_word;
END
$$;
REVOKE ALL ON FUNCTION roost.muted_word_create(roost.id, text, boolean, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost.muted_word_create(roost.id, text, boolean, bigint) IS 'Mutes a word or phrase, without regard to case: posts of others with it are not shown to the caller unasked any more, for so many seconds (duration, up to ten years) or until it is deleted. whole_word: only where it is not part of a longer word. With # before it only the hashtag is looked for. Returns it. 22001 more than 100 characters, 22023 nothing to look for or an invalid duration, 23505 muted already, 54000 there are 200.';
SELECT roost_internal.route('POST', '/muted-words', 'roost.muted_word_create', auth => 'user', limit_class => 'write', status => 201);

CREATE OR REPLACE FUNCTION roost.muted_word_update(
	actor_id roost.id, word_id roost.id, phrase text DEFAULT NULL, whole_word boolean DEFAULT NULL, duration bigint DEFAULT NULL
) RETURNS roost.muted_word
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_phrase record;
	v_end constant timestamptz := roost_internal.duration_end(nullif(duration, 0));
	v_now constant timestamptz := roost_internal.clock_now();
	v_word roost.muted_word;
BEGIN
	SELECT * INTO v_phrase FROM roost_internal.phrase_normal(phrase);
	PERFORM roost_internal.own_hold(actor_id);
	DELETE FROM roost_data.muted_word w WHERE w.account_id = actor_id AND w.expires_at <= v_now;
	IF EXISTS (SELECT FROM roost_data.muted_word w WHERE w.account_id = actor_id AND w.folded = v_phrase.folded AND w.id <> word_id) THEN
		RAISE EXCEPTION USING ERRCODE = '23505', COLUMN = 'phrase', MESSAGE = 'the phrase is muted already';
	END IF;
	UPDATE roost_data.muted_word w SET
		phrase = coalesce(v_phrase.phrase_normal, w.phrase), folded = coalesce(v_phrase.folded, w.folded),
		whole_word = coalesce(muted_word_update.whole_word, w.whole_word),
		expires_at = CASE WHEN duration IS NULL THEN w.expires_at ELSE v_end END
	WHERE w.account_id = actor_id AND w.id = word_id
	RETURNING w.id, w.phrase, w.whole_word, w.expires_at, w.created_at INTO v_word;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'word_id', MESSAGE = 'the muted word does not exist';
	END IF;
	RETURN v_word;
END
$$;
REVOKE ALL ON FUNCTION roost.muted_word_update(roost.id, roost.id, text, boolean, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost.muted_word_update(roost.id, roost.id, text, boolean, bigint) IS 'Changes what is given of a muted word; duration counts from now, 0 is without an end. Returns it. Errors as for muting one; P0002 there is none, or it has expired.';
SELECT roost_internal.route('PATCH', '/muted-words/:word_id', 'roost.muted_word_update', auth => 'user', limit_class => 'write');

CREATE OR REPLACE FUNCTION roost.muted_word_delete(actor_id roost.id, word_id roost.id) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM roost_data.muted_word w
	WHERE w.account_id = actor_id AND w.id = word_id AND (w.expires_at IS NULL OR w.expires_at > roost_internal.clock_now());
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'word_id', MESSAGE = 'the muted word does not exist';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.muted_word_delete(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.muted_word_delete(roost.id, roost.id) IS 'Shows posts with a word or phrase again. P0002 there is no such muted word of the caller.';
SELECT roost_internal.route('DELETE', '/muted-words/:word_id', 'roost.muted_word_delete', auth => 'user', limit_class => 'write', status => 204);
