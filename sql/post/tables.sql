-- Tables of the post module.
--
-- A row's owner is the account it belongs to: a post's author, a like's
-- account.  Nothing refers to another owner's row by a foreign key, so a
-- reply outlives the post it answers; what must not outlive a post is removed
-- by its delete trigger, and hydration never shows what has lost its post.

CREATE TABLE IF NOT EXISTS roost_data.post (
	id bigint PRIMARY KEY,
	author_id bigint NOT NULL,
	thread_id bigint NOT NULL,
	reply_to_id bigint,
	reply_to_account_id bigint,
	quote_of_id bigint,
	retweet_of_id bigint,
	created_at timestamptz NOT NULL,
	edited_at timestamptz,
	pinned_at timestamptz,
	visibility roost.visibility NOT NULL DEFAULT 'public',
	language text COLLATE "C",
	text text NOT NULL,
	content_warning text,
	mention_ids bigint[],
	hashtags text[] COLLATE "C",
	mentions jsonb,
	urls jsonb,
	media jsonb,
	CONSTRAINT post_text_check CHECK (octet_length(text) <= 65536),
	CONSTRAINT post_retweet_check CHECK (retweet_of_id IS NULL OR (text = '' AND reply_to_id IS NULL AND quote_of_id IS NULL AND media IS NULL))
);
COMMENT ON TABLE roost_data.post IS 'Posts and retweets. A retweet is a row of its own with retweet_of_id and an empty text. thread_id is the first post of the thread (its own id for that one). mention_ids, hashtags (lower case), mentions and urls come from the text and are NULL where there are none.';
ALTER TABLE roost_data.post ADD COLUMN IF NOT EXISTS state roost.post_state NOT NULL DEFAULT 'visible', ADD COLUMN IF NOT EXISTS labels text[] COLLATE "C";
COMMENT ON COLUMN roost_data.post.state IS 'What moderators or filters have decided (docs/safety.md).';
COMMENT ON COLUMN roost_data.post.labels IS 'Words that moderators or filters have put on it; NULL where there are none.';
CREATE INDEX IF NOT EXISTS post_author_id_id_idx ON roost_data.post (author_id, id DESC) INCLUDE (visibility, reply_to_account_id, retweet_of_id);
CREATE INDEX IF NOT EXISTS post_reply_to_id_id_idx ON roost_data.post (reply_to_id, id DESC) WHERE reply_to_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS post_quote_of_id_id_idx ON roost_data.post (quote_of_id, id DESC) WHERE quote_of_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS post_retweet_of_id_id_idx ON roost_data.post (retweet_of_id, id DESC) WHERE retweet_of_id IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS post_author_id_retweet_of_id_idx ON roost_data.post (author_id, retweet_of_id) WHERE retweet_of_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS post_author_id_pinned_at_idx ON roost_data.post (author_id, pinned_at DESC) WHERE pinned_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS post_author_id_id_hidden_idx ON roost_data.post (author_id, id DESC) WHERE state > 'limited';

CREATE TABLE IF NOT EXISTS roost_data.post_stat (
	post_id bigint NOT NULL,
	slot integer NOT NULL,
	like_count bigint NOT NULL DEFAULT 0,
	retweet_count bigint NOT NULL DEFAULT 0,
	reply_count bigint NOT NULL DEFAULT 0,
	quote_count bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (post_id, slot)
) WITH (fillfactor = 80);
COMMENT ON TABLE roost_data.post_stat IS 'Counters of posts: the sum over a post''s slots is the number; a post without a row has none. A slot alone may be negative.';

CREATE TABLE IF NOT EXISTS roost_data.post_like (
	account_id bigint NOT NULL,
	post_id bigint NOT NULL,
	id bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account_id, post_id)
);
COMMENT ON TABLE roost_data.post_like IS 'Who likes which post, once each; id orders the lists.';
CREATE INDEX IF NOT EXISTS post_like_post_id_id_idx ON roost_data.post_like (post_id, id DESC);
CREATE INDEX IF NOT EXISTS post_like_account_id_id_idx ON roost_data.post_like (account_id, id DESC);

CREATE TABLE IF NOT EXISTS roost_data.post_bookmark (
	account_id bigint NOT NULL,
	post_id bigint NOT NULL,
	id bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account_id, post_id)
);
COMMENT ON TABLE roost_data.post_bookmark IS 'Posts that accounts have put aside; nobody else sees it. id orders the list.';
CREATE INDEX IF NOT EXISTS post_bookmark_post_id_idx ON roost_data.post_bookmark (post_id);
CREATE INDEX IF NOT EXISTS post_bookmark_account_id_id_idx ON roost_data.post_bookmark (account_id, id DESC);

CREATE TABLE IF NOT EXISTS roost_data.post_revision (
	post_id bigint NOT NULL,
	revision integer NOT NULL,
	text text NOT NULL,
	content_warning text,
	language text COLLATE "C",
	media jsonb,
	created_at timestamptz NOT NULL,
	PRIMARY KEY (post_id, revision)
);
COMMENT ON TABLE roost_data.post_revision IS 'Former versions of edited posts; the present one is in roost_data.post. created_at is when that version was written.';
ALTER TABLE roost_data.post_revision ADD COLUMN IF NOT EXISTS visibility roost.visibility;
COMMENT ON COLUMN roost_data.post_revision.visibility IS 'Whom that version was for; NULL (of posts edited before 0.2.0): as the post.';

CREATE TABLE IF NOT EXISTS roost_data.post_hashtag (
	hashtag text COLLATE "C" NOT NULL,
	post_id bigint NOT NULL,
	PRIMARY KEY (hashtag, post_id)
);
COMMENT ON TABLE roost_data.post_hashtag IS 'The public posts of each hashtag (lower case) that no moderator or filter holds back, kept by the triggers of roost_data.post.';

-- Counters and lists: once a statement, however many rows it writes.  What a
-- post leaves behind is removed after it has been taken from the counters.
CREATE OR REPLACE TRIGGER post_insert_count AFTER INSERT ON roost_data.post
	REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.post_count();
CREATE OR REPLACE TRIGGER post_delete_1_count AFTER DELETE ON roost_data.post
	REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.post_count();
CREATE OR REPLACE TRIGGER post_delete_2_rest AFTER DELETE ON roost_data.post
	REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.post_deleted();
CREATE OR REPLACE TRIGGER post_update_hashtags AFTER UPDATE OF hashtags, visibility, state ON roost_data.post
	FOR EACH ROW WHEN ((OLD.hashtags, OLD.visibility, OLD.state) IS DISTINCT FROM (NEW.hashtags, NEW.visibility, NEW.state))
	EXECUTE FUNCTION roost_internal.post_hashtags_changed();
CREATE OR REPLACE TRIGGER post_like_insert_count AFTER INSERT ON roost_data.post_like
	REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.post_like_count();
CREATE OR REPLACE TRIGGER post_like_delete_count AFTER DELETE ON roost_data.post_like
	REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.post_like_count();

-- Events for the worker.
CREATE OR REPLACE TRIGGER post_insert_event AFTER INSERT ON roost_data.post
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('post_created', 'id', 'author_id', 'retweet_of_id', 'reply_to_account_id', 'quote_of_id?', 'mention_ids?', 'state=held|removed');
CREATE OR REPLACE TRIGGER post_update_event AFTER UPDATE ON roost_data.post
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('post_updated', 'id', 'author_id', 'retweet_of_id', 'reply_to_account_id', 'quote_of_id?', 'mention_ids?', 'state=held|removed');
CREATE OR REPLACE TRIGGER post_delete_event AFTER DELETE ON roost_data.post
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('post_deleted', 'id', 'author_id', 'retweet_of_id', 'reply_to_account_id');
CREATE OR REPLACE TRIGGER post_like_insert_event AFTER INSERT ON roost_data.post_like
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('like_created', 'post_id', 'account_id', 'id');
CREATE OR REPLACE TRIGGER post_like_delete_event AFTER DELETE ON roost_data.post_like
	FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('like_deleted', 'post_id', 'account_id', 'id');

-- A post's id names its author's bucket, and rings hold ids by author.
CREATE OR REPLACE TRIGGER post_update_identity BEFORE UPDATE ON roost_data.post
	FOR EACH ROW WHEN ((OLD.id, OLD.author_id) IS DISTINCT FROM (NEW.id, NEW.author_id)) EXECUTE FUNCTION roost_internal.post_identity_kept();

-- What events cannot say, and the counters, which no event is about.
CREATE OR REPLACE TRIGGER post_truncate_lose AFTER TRUNCATE ON roost_data.post
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.event_lose();
CREATE OR REPLACE TRIGGER post_stat_stamp AFTER INSERT OR UPDATE OR DELETE ON roost_data.post_stat
	FOR EACH ROW EXECUTE FUNCTION roost_internal.stamp_changed('count', 'post_id');
CREATE OR REPLACE TRIGGER post_stat_truncate_stamp AFTER TRUNCATE ON roost_data.post_stat
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.stamp_changed('count', 'post_id');

-- Rows that logical replication brings change the caches of this server, too.
ALTER TABLE roost_data.post ENABLE ALWAYS TRIGGER post_insert_event, ENABLE ALWAYS TRIGGER post_update_event,
	ENABLE ALWAYS TRIGGER post_delete_event, ENABLE ALWAYS TRIGGER post_update_identity, ENABLE ALWAYS TRIGGER post_truncate_lose;
ALTER TABLE roost_data.post_stat ENABLE ALWAYS TRIGGER post_stat_stamp, ENABLE ALWAYS TRIGGER post_stat_truncate_stamp;

CREATE OR REPLACE VIEW roost_bi.post AS
SELECT p.id, p.author_id, p.created_at, p.edited_at, p.visibility, p.reply_to_id, p.reply_to_account_id, p.thread_id, p.quote_of_id, p.retweet_of_id,
	p.language, p.text, p.content_warning, p.hashtags, p.mention_ids,
	coalesce(s.like_count, 0) AS like_count, coalesce(s.retweet_count, 0) AS retweet_count,
	coalesce(s.reply_count, 0) AS reply_count, coalesce(s.quote_count, 0) AS quote_count
FROM roost_data.post p
JOIN roost_data.account a ON a.id = p.author_id
LEFT JOIN LATERAL (
	SELECT sum(t.like_count)::bigint AS like_count, sum(t.retweet_count)::bigint AS retweet_count,
		sum(t.reply_count)::bigint AS reply_count, sum(t.quote_count)::bigint AS quote_count
	FROM roost_data.post_stat t WHERE t.post_id = p.id
) s ON true
WHERE roost_internal.everybody_sees(p.visibility, p.state, a.is_private, a.limited_at IS NOT NULL, a.status)
	AND (p.retweet_of_id IS NULL OR EXISTS (
		SELECT FROM roost_data.post o JOIN roost_data.account oa ON oa.id = o.author_id
		WHERE o.id = p.retweet_of_id AND roost_internal.everybody_sees(o.visibility, o.state, oa.is_private, oa.limited_at IS NOT NULL, oa.status)));
COMMENT ON VIEW roost_bi.post IS 'Posts and retweets that everybody may see, with their counters.';

CREATE OR REPLACE VIEW roost_bi.engagement AS
SELECT e.kind, e.account_id, e.post_id, e.created_at
FROM (
	SELECT 'like' AS kind, l.account_id, l.post_id, l.created_at
	FROM roost_data.post_like l JOIN roost_data.account la ON la.id = l.account_id AND la.status = 'active'
	UNION ALL
	SELECT CASE WHEN r.retweet_of_id IS NOT NULL THEN 'retweet' WHEN r.quote_of_id IS NOT NULL THEN 'quote' ELSE 'reply' END,
		r.author_id, coalesce(r.retweet_of_id, r.quote_of_id, r.reply_to_id), r.created_at
	FROM roost_data.post r JOIN roost_data.account ra ON ra.id = r.author_id
	WHERE coalesce(r.retweet_of_id, r.quote_of_id, r.reply_to_id) IS NOT NULL
		AND roost_internal.everybody_sees(r.visibility, r.state, ra.is_private, ra.limited_at IS NOT NULL, ra.status)
) e
JOIN roost_data.post p ON p.id = e.post_id
JOIN roost_data.account a ON a.id = p.author_id
WHERE roost_internal.everybody_sees(p.visibility, p.state, a.is_private, a.limited_at IS NOT NULL, a.status);
COMMENT ON VIEW roost_bi.engagement IS 'What active accounts did to posts that everybody may see: kind is like, retweet, quote or reply (a quote that is also a reply counts as a quote). No bookmarks.';

CREATE TABLE IF NOT EXISTS roost_data.import_post (
	external_id text COLLATE "C" PRIMARY KEY,
	author text COLLATE "C",
	created_at timestamptz,
	text text,
	reply_to text COLLATE "C",
	quote_of text COLLATE "C",
	retweet_of text COLLATE "C",
	visibility text,
	content_warning text,
	language text,
	hashtags text[],
	media jsonb,
	id bigint,
	author_id bigint,
	thread_id bigint,
	error text
);
COMMENT ON TABLE roost_data.import_post IS 'Posts and retweets to import: COPY them here after their accounts are imported, then SELECT roost.post_import(). author is the external id of an account; reply_to, quote_of and retweet_of are external ids of posts, here or imported before. What was imported leaves the table; what was refused stays, with the reason in error.';
COMMENT ON COLUMN roost_data.import_post.visibility IS 'public (also if null), unlisted, followers or direct. A retweet has that of its original.';
COMMENT ON COLUMN roost_data.import_post.hashtags IS 'Hashtags besides those in the text.';
COMMENT ON COLUMN roost_data.import_post.id IS 'For the import''s own use, as are author_id and thread_id.';

CREATE TABLE IF NOT EXISTS roost_data.import_like (
	account text COLLATE "C",
	post text COLLATE "C",
	created_at timestamptz,
	error text
);
COMMENT ON TABLE roost_data.import_like IS 'Likes to import: COPY them here after their posts are imported, then SELECT roost.like_import(). account and post are external ids. What was imported leaves the table; what was refused stays, with the reason in error.';

-- What moderators do to posts; what authors do to theirs costs nothing.
CREATE OR REPLACE TRIGGER post_audit AFTER UPDATE OF state, labels ON roost_data.post
	FOR EACH ROW WHEN ((OLD.state, OLD.labels) IS DISTINCT FROM (NEW.state, NEW.labels))
	EXECUTE FUNCTION roost_internal.audit_watch('post', 'id', '@author_id', 'state', 'labels');
CREATE OR REPLACE TRIGGER post_edit_audit AFTER UPDATE OF text, content_warning, media, visibility ON roost_data.post
	FOR EACH ROW WHEN ((OLD.text, OLD.content_warning, OLD.media, OLD.visibility) IS DISTINCT FROM (NEW.text, NEW.content_warning, NEW.media, NEW.visibility))
	EXECUTE FUNCTION roost_internal.audit_watch('post', 'id', '@author_id', '~author_id', 'text!', 'content_warning!', 'media!', 'visibility');
CREATE OR REPLACE TRIGGER post_delete_audit AFTER DELETE ON roost_data.post
	FOR EACH ROW WHEN (OLD.retweet_of_id IS NULL) EXECUTE FUNCTION roost_internal.audit_watch('post', 'id', '@author_id', '~author_id', 'author_id', 'state', 'labels');
