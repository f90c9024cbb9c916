-- Tables of the moderation module.

-- Policies: what is done with scores.
CREATE TABLE IF NOT EXISTS roost_data.moderation_policy (
	name text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
	enabled boolean NOT NULL DEFAULT true,
	dry_run boolean NOT NULL DEFAULT true,
	subject text COLLATE "C" NOT NULL DEFAULT 'post' CHECK (subject ~ '^[a-z][a-z_]{0,30}$'),
	signal text COLLATE "C" NOT NULL,
	threshold double precision NOT NULL,
	below double precision,
	languages text[] COLLATE "C" CHECK (cardinality(languages) BETWEEN 1 AND 100),
	new_accounts boolean NOT NULL DEFAULT false,
	account_age interval CHECK (account_age > interval '0'),
	followers integer CHECK (followers > 0),
	exempt_roles text[] COLLATE "C" NOT NULL DEFAULT '{moderator,admin}',
	exempt_verified boolean NOT NULL DEFAULT false,
	adaptive boolean NOT NULL DEFAULT true,
	action text COLLATE "C" NOT NULL,
	label text COLLATE "C" CHECK (label ~ '^[a-z][a-z0-9_-]{0,30}$'),
	message text CHECK (char_length(message) BETWEEN 1 AND 300),
	case_category text COLLATE "C" CHECK (case_category ~ '^[a-z][a-z0-9_]{0,62}$'),
	limit_class text COLLATE "C" CHECK (limit_class ~ '^[a-z][a-z0-9_]{0,62}$' AND limit_class <> 'none'),
	priority integer NOT NULL DEFAULT 0 CHECK (priority BETWEEN -1000 AND 1000),
	builtin boolean NOT NULL DEFAULT false,
	updated_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT moderation_policy_signal_check CHECK (signal IN ('profanity', 'spam', 'gibberish', 'url', 'duplicate', 'repeat',
		'mentions', 'strangers', 'hashtags', 'links', 'capitals', 'repetition', 'rate')),
	CONSTRAINT moderation_policy_action_check CHECK (action IN ('allow', 'label', 'limit', 'hold', 'reject')),
	CONSTRAINT moderation_policy_threshold_check CHECK (threshold > 0 AND threshold <= 1000000
		AND (signal NOT IN ('profanity', 'spam', 'gibberish', 'url', 'capitals', 'repetition', 'rate') OR threshold <= 1)),
	CONSTRAINT moderation_policy_below_check CHECK (below > threshold AND below <= 1000000),
	CONSTRAINT moderation_policy_label_needed_check CHECK ((action = 'label') <= (label IS NOT NULL)),
	CONSTRAINT moderation_policy_limit_class_needed_check CHECK ((signal = 'rate') = (limit_class IS NOT NULL))
);
COMMENT ON TABLE roost_data.moderation_policy IS 'What is done with the scores of texts (docs/moderation.md). Every backend obeys a change from its next statement. To drop a built-in policy set enabled to false: roost.install() adds missing ones.';

CREATE OR REPLACE TRIGGER moderation_policy_changed AFTER INSERT OR UPDATE OR DELETE ON roost_data.moderation_policy
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.relation_changed();
CREATE OR REPLACE TRIGGER moderation_policy_truncated AFTER TRUNCATE ON roost_data.moderation_policy
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.relation_changed();
CREATE OR REPLACE TRIGGER moderation_policy_audit AFTER INSERT OR UPDATE OR DELETE ON roost_data.moderation_policy
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('moderation_policy', 'name', 'enabled', 'dry_run', 'subject', 'signal', 'threshold', 'below', 'languages',
		'new_accounts', 'account_age', 'followers', 'exempt_roles', 'exempt_verified', 'adaptive', 'action', 'label', 'message', 'case_category', 'limit_class', 'priority');

-- Enforced are those that obey lists of the operator's own, count copies, or
-- hold back new accounts far beyond what people do; the rest only records
-- until somebody has read its report.
INSERT INTO roost_data.moderation_policy (name, dry_run, subject, signal, threshold, below, new_accounts, adaptive, action, label, message, case_category, limit_class, priority, builtin) VALUES
	('url_blocked', false, 'post', 'url', 1, NULL, false, false, 'reject', NULL, 'the post links to a site that is blocked here', NULL, NULL, 100, true),
	('url_suspicious', true, 'post', 'url', 0.8, 1, false, true, 'hold', NULL, NULL, 'spam', NULL, 50, true),
	('spam_high', true, 'post', 'spam', 0.98, NULL, false, true, 'hold', NULL, NULL, 'spam', NULL, 40, true),
	('spam', true, 'post', 'spam', 0.9, 0.98, false, true, 'limit', NULL, NULL, NULL, NULL, 30, true),
	('profanity', true, 'post', 'profanity', 0.9, NULL, false, false, 'label', 'profanity', NULL, NULL, NULL, 20, true),
	('gibberish', true, 'post', 'gibberish', 0.95, NULL, false, true, 'limit', NULL, NULL, NULL, NULL, 10, true),
	('duplicate_flood', false, 'post', 'duplicate', 20, NULL, false, true, 'hold', NULL, NULL, 'spam', NULL, 45, true),
	('duplicate', false, 'post', 'duplicate', 6, 20, false, true, 'limit', NULL, NULL, NULL, NULL, 35, true),
	('repeat', true, 'post', 'repeat', 10, NULL, false, true, 'limit', NULL, NULL, NULL, NULL, 25, true),
	('mentions', true, 'post', 'mentions', 30, NULL, false, true, 'hold', NULL, NULL, 'spam', NULL, 15, true),
	('hashtags', true, 'post', 'hashtags', 30, NULL, false, true, 'limit', NULL, NULL, NULL, NULL, 14, true),
	('capitals', true, 'post', 'capitals', 0.9, NULL, false, true, 'limit', NULL, NULL, NULL, NULL, 5, true),
	('repetition', true, 'post', 'repetition', 0.9, NULL, false, true, 'limit', NULL, NULL, NULL, NULL, 4, true),
	('new_account_spam', false, 'post', 'spam', 0.98, NULL, true, true, 'limit', NULL, NULL, NULL, NULL, 39, true),
	('new_account_links', false, 'post', 'links', 6, NULL, true, true, 'limit', NULL, NULL, NULL, NULL, 38, true),
	('new_account_strangers', false, 'post', 'strangers', 8, NULL, true, true, 'limit', NULL, NULL, NULL, NULL, 37, true),
	('new_account_rate', false, 'post', 'rate', 1, NULL, true, false, 'reject', NULL, 'new accounts may not post that often', NULL, 'post_new', 90, true),
	('profile_url_blocked', false, 'profile', 'url', 1, NULL, false, false, 'reject', NULL, 'the profile links to a site that is blocked here', NULL, NULL, 100, true),
	('profile_spam', true, 'profile', 'spam', 0.98, NULL, false, true, 'hold', NULL, NULL, 'spam', NULL, 40, true),
	('profile_profanity', true, 'profile', 'profanity', 0.9, NULL, false, false, 'hold', NULL, NULL, 'other', NULL, 20, true)
ON CONFLICT DO NOTHING;
INSERT INTO roost_data.limit_policy (class, name, "limit", period, burst, key) VALUES
	('post_new', 'hour', 60, '1 hour', 60, 'account')
ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS roost_data.moderation_verdict (
	id bigint PRIMARY KEY,
	at timestamptz NOT NULL,
	subject text COLLATE "C" NOT NULL,
	subject_id bigint,
	account_id bigint,
	policy text COLLATE "C" NOT NULL,
	signal text COLLATE "C" NOT NULL,
	score double precision NOT NULL,
	threshold double precision NOT NULL,
	action text COLLATE "C" NOT NULL,
	dry_run boolean NOT NULL,
	text_hash bigint,
	explanation jsonb
);
COMMENT ON TABLE roost_data.moderation_verdict IS 'What policies said about posts and profiles, unless they allowed them; kept for roost.moderation_retention. Of a post that was refused there is no subject_id and no explanation, only a hash of its text. No row holds a text.';
CREATE INDEX IF NOT EXISTS moderation_verdict_policy_id_idx ON roost_data.moderation_verdict (policy, id DESC);
CREATE INDEX IF NOT EXISTS moderation_verdict_account_id_id_idx ON roost_data.moderation_verdict (account_id, id DESC);
CREATE INDEX IF NOT EXISTS moderation_verdict_subject_id_idx ON roost_data.moderation_verdict (subject_id) WHERE subject_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS moderation_verdict_at_idx ON roost_data.moderation_verdict (at);

CREATE TABLE IF NOT EXISTS roost_data.post_judgement (
	post_id bigint PRIMARY KEY,
	state roost.post_state NOT NULL,
	labels text[] COLLATE "C"
);
COMMENT ON TABLE roost_data.post_judgement IS 'What policies have made of a post: the state and labels that an edit may have judged anew. A row goes when somebody else sets the state or the labels: what a moderator has decided no edit undoes.';

CREATE TABLE IF NOT EXISTS roost_data.account_reputation (
	account_id bigint NOT NULL,
	kind text COLLATE "C" NOT NULL CHECK (kind ~ '^[a-z][a-z_]{0,30}$'),
	count bigint NOT NULL DEFAULT 0,
	weight double precision NOT NULL DEFAULT 0 CHECK (weight >= 0 AND weight <= 1000000),
	updated_at timestamptz NOT NULL,
	PRIMARY KEY (account_id, kind)
);
COMMENT ON TABLE roost_data.account_reputation IS 'What speaks against an account: how often, and with which weight as of updated_at; the weight halves in roost.moderation_half_life. Kind filter is what policies have done, every other kind what people have decided.';

CREATE UNLOGGED TABLE IF NOT EXISTS roost_data.post_fingerprint (
	post_id bigint NOT NULL,
	author_id bigint NOT NULL,
	at timestamptz NOT NULL,
	simhash bigint NOT NULL,
	key1 integer NOT NULL,
	key2 integer NOT NULL,
	key3 integer NOT NULL,
	key4 integer NOT NULL
);
COMMENT ON TABLE roost_data.post_fingerprint IS 'Fingerprints of the texts of late posts, by which copies are found: those of roost.moderation_duplicate_window count. Deleted posts count, too. Not logged: after a crash it begins anew.';
CREATE INDEX IF NOT EXISTS post_fingerprint_key1_idx ON roost_data.post_fingerprint (key1);
CREATE INDEX IF NOT EXISTS post_fingerprint_key2_idx ON roost_data.post_fingerprint (key2);
CREATE INDEX IF NOT EXISTS post_fingerprint_key3_idx ON roost_data.post_fingerprint (key3);
CREATE INDEX IF NOT EXISTS post_fingerprint_key4_idx ON roost_data.post_fingerprint (key4);

CREATE OR REPLACE VIEW roost_bi.moderation_verdict AS
SELECT v.id, v.at, v.subject, v.policy, v.signal, v.score, v.threshold, v.action, v.dry_run FROM roost_data.moderation_verdict v;
COMMENT ON VIEW roost_bi.moderation_verdict IS 'What filters said about posts and profiles, and when; not whose they were, nor what stood there.';
