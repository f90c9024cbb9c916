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
		'mentions', 'strangers', 'hashtags', 'links', 'capitals', 'repetition', 'lookalike', 'rate')),
	CONSTRAINT moderation_policy_action_check CHECK (action IN ('allow', 'label', 'limit', 'hold', 'reject')),
	CONSTRAINT moderation_policy_threshold_check CHECK (threshold > 0 AND threshold <= 1000000
		AND (signal NOT IN ('profanity', 'spam', 'gibberish', 'url', 'capitals', 'repetition', 'lookalike', 'rate') OR threshold <= 1)),
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
	('profile_lookalike', true, 'profile', 'lookalike', 1, NULL, false, false, 'hold', NULL, NULL, 'impersonation', NULL, 30, true),
	('profile_profanity', true, 'profile', 'profanity', 0.9, NULL, false, false, 'hold', NULL, NULL, 'other', NULL, 20, true),
	('group_url_blocked', false, 'group', 'url', 1, NULL, false, false, 'reject', NULL, 'the group links to a site that is blocked here', NULL, NULL, 100, true),
	('group_spam', true, 'group', 'spam', 0.98, NULL, false, true, 'reject', NULL, NULL, NULL, NULL, 40, true),
	('message_url_blocked', false, 'message', 'url', 1, NULL, false, false, 'reject', NULL, 'the message links to a site that is blocked here', NULL, NULL, 100, true),
	('message_request_spam', false, 'message_request', 'spam', 0.98, NULL, false, true, 'reject', NULL, 'this is not accepted as long as the other one has not answered', NULL, NULL, 40, true),
	('message_request_duplicate', false, 'message_request', 'duplicate', 20, NULL, false, true, 'reject', NULL, 'too many have sent this to others who do not know them', NULL, NULL, 45, true),
	('message_request_repeat', false, 'message_request', 'repeat', 15, NULL, false, true, 'reject', NULL, 'this was sent to too many who have not answered', NULL, NULL, 44, true),
	('message_request_rate', false, 'message_request', 'rate', 1, NULL, true, false, 'reject', NULL, 'new accounts may not write that often to others who have not answered', NULL, 'message_new', 90, true)
ON CONFLICT DO NOTHING;
INSERT INTO roost_data.limit_policy (class, name, "limit", period, burst, key) VALUES
	('post_new', 'hour', 60, '1 hour', 60, 'account'),
	('message_new', 'hour', 60, '1 hour', 60, 'account')
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
	author_id bigint NOT NULL,
	state roost.post_state NOT NULL,
	labels text[] COLLATE "C"
);
COMMENT ON TABLE roost_data.post_judgement IS 'What policies have made of a post: the state and labels that an edit may have judged anew. A row goes when somebody else sets the state or the labels: what a moderator has decided no edit undoes.';
CREATE INDEX IF NOT EXISTS post_judgement_author_id_idx ON roost_data.post_judgement (author_id);

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
	key integer NOT NULL,
	at timestamptz NOT NULL,
	post_id bigint NOT NULL,
	author_id bigint NOT NULL,
	simhash bigint NOT NULL,
	key1 integer NOT NULL,
	key2 integer NOT NULL,
	key3 integer NOT NULL,
	key4 integer NOT NULL
);
COMMENT ON TABLE roost_data.post_fingerprint IS 'Fingerprints of the texts of late posts, by which copies are found, a row for each of a text''s up to four keys: those of roost.moderation_duplicate_window count. Deleted posts count, too. Not logged: after a crash it begins anew.';
CREATE INDEX IF NOT EXISTS post_fingerprint_key_at_idx ON roost_data.post_fingerprint (key, at);
CREATE INDEX IF NOT EXISTS post_fingerprint_at_idx ON roost_data.post_fingerprint USING brin (at);

CREATE UNLOGGED TABLE IF NOT EXISTS roost_data.message_fingerprint (
	key integer NOT NULL,
	at timestamptz NOT NULL,
	message_id bigint NOT NULL,
	sender_id bigint NOT NULL,
	simhash bigint NOT NULL,
	key1 integer NOT NULL,
	key2 integer NOT NULL,
	key3 integer NOT NULL,
	key4 integer NOT NULL
);
COMMENT ON TABLE roost_data.message_fingerprint IS 'The same of late messages to accounts that have not answered.';
CREATE INDEX IF NOT EXISTS message_fingerprint_key_at_idx ON roost_data.message_fingerprint (key, at);
CREATE INDEX IF NOT EXISTS message_fingerprint_at_idx ON roost_data.message_fingerprint USING brin (at);

CREATE OR REPLACE VIEW roost_bi.moderation_verdict AS
SELECT v.id, v.at, v.subject, v.policy, v.signal, v.score, v.threshold, v.action, v.dry_run FROM roost_data.moderation_verdict v;
COMMENT ON VIEW roost_bi.moderation_verdict IS 'What filters said about posts and profiles, and when; not whose they were, nor what stood there.';

-- Asking the policies: of every post but retweets, and of every profile.  What
-- a moderator sets names the columns, what policies set does not.
CREATE OR REPLACE TRIGGER post_judge BEFORE INSERT OR UPDATE OF text, content_warning, media ON roost_data.post
	FOR EACH ROW WHEN (NEW.retweet_of_id IS NULL) EXECUTE FUNCTION roost_internal.post_judge();
CREATE OR REPLACE TRIGGER post_judgement_void AFTER UPDATE OF state, labels ON roost_data.post
	FOR EACH ROW EXECUTE FUNCTION roost_internal.post_judgement_void();
CREATE OR REPLACE TRIGGER post_held AFTER INSERT OR UPDATE OF text, content_warning, media ON roost_data.post
	FOR EACH ROW WHEN (NEW.state = 'held') EXECUTE FUNCTION roost_internal.post_held();
CREATE OR REPLACE TRIGGER account_judge BEFORE INSERT OR UPDATE OF username, display_name, bio, avatar_url, header_url ON roost_data.account
	FOR EACH ROW WHEN (NEW.status <> 'deleted') EXECUTE FUNCTION roost_internal.profile_judge();
CREATE OR REPLACE TRIGGER account_judged AFTER INSERT OR UPDATE OF username, display_name, bio, avatar_url, header_url ON roost_data.account
	FOR EACH ROW WHEN (NEW.status <> 'deleted') EXECUTE FUNCTION roost_internal.profile_judge();

--
-- Reports, cases, decisions and appeals belong to the operator, not to the
-- accounts they are about: ids of accounts and posts are no foreign keys, and
-- what is written here outlives them (until roost.report_retention).

-- Reports and cases.

CREATE TABLE IF NOT EXISTS roost_data.report_category (
	name text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]{0,39}$'),
	description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 300),
	severity integer NOT NULL DEFAULT 10 CHECK (severity BETWEEN 0 AND 100),
	enabled boolean NOT NULL DEFAULT true,
	place integer NOT NULL DEFAULT 100
);
COMMENT ON TABLE roost_data.report_category IS 'What a report may be about, for the operator to edit: own rules of the site are rows, too. severity (0 to 100) decides how urgent a case is. To drop a built-in category set enabled to false: roost.install() adds missing ones.';
INSERT INTO roost_data.report_category (place, name, severity, description) VALUES
	(1, 'spam', 20, 'Advertising, fraud, the same thing over and over'),
	(2, 'harassment', 50, 'Insults, threats, bullying'),
	(3, 'hate', 60, 'Hatred against people for what they are'),
	(4, 'violence', 70, 'Violence, or calls for it'),
	(5, 'self_harm', 80, 'Somebody may be hurting themselves'),
	(6, 'sexual', 40, 'Sexual content without a warning'),
	(7, 'minors', 100, 'Sexual content with minors'),
	(8, 'impersonation', 40, 'Pretends to be somebody else'),
	(9, 'illegal', 70, 'Against the law'),
	(10, 'copyright', 30, 'Somebody else''s work'),
	(11, 'other', 10, 'Something else')
ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS roost_data.moderation_case (
	id bigint PRIMARY KEY,
	subject_type text COLLATE "C" NOT NULL CHECK (subject_type ~ '^[a-z][a-z0-9_]{0,39}$'),
	subject_id bigint NOT NULL,
	account_id bigint,
	status text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'assigned', 'decided', 'appealed', 'closed')),
	category text COLLATE "C" NOT NULL,
	source text COLLATE "C" NOT NULL,
	severity integer NOT NULL,
	weight double precision NOT NULL DEFAULT 0,
	reach bigint NOT NULL DEFAULT 0,
	priority integer NOT NULL DEFAULT 0,
	assignee_id bigint,
	report_count integer NOT NULL DEFAULT 0,
	decision roost.decision,
	outcome text COLLATE "C" CHECK (outcome IN ('action', 'no_action', 'gone')),
	version integer NOT NULL DEFAULT 1,
	snapshot jsonb,
	verdicts jsonb NOT NULL DEFAULT '[]',
	created_at timestamptz NOT NULL,
	updated_at timestamptz NOT NULL,
	decided_at timestamptz,
	purged_at timestamptz
) WITH (fillfactor = 80);
COMMENT ON TABLE roost_data.moderation_case IS 'What moderators have to decide, or have decided: one open case for each subject, in which all reports and verdicts of filters about it gather.';
COMMENT ON COLUMN roost_data.moderation_case.account_id IS 'Whom it concerns: the account, or the author of the post.';
COMMENT ON COLUMN roost_data.moderation_case.weight IS 'The sum of the credibility of those who reported it, and 1 for each verdict of a filter.';
COMMENT ON COLUMN roost_data.moderation_case.reach IS 'How many followers the account had when it was last reported.';
COMMENT ON COLUMN roost_data.moderation_case.priority IS 'How urgent it is: roost_internal.case_priority().';
COMMENT ON COLUMN roost_data.moderation_case.outcome IS 'What reporters are told: action (something was done), no_action, or gone (the subject was deleted before).';
COMMENT ON COLUMN roost_data.moderation_case.version IS 'Grows with everything that happens to the case, so that nobody decides what has changed meanwhile.';
COMMENT ON COLUMN roost_data.moderation_case.snapshot IS 'What could be seen of the subject when it was first reported.';
CREATE UNIQUE INDEX IF NOT EXISTS moderation_case_subject_idx ON roost_data.moderation_case (subject_type, subject_id) WHERE status IN ('open', 'assigned');
CREATE INDEX IF NOT EXISTS moderation_case_priority_id_idx ON roost_data.moderation_case (priority DESC, id DESC) WHERE status IN ('open', 'assigned', 'appealed');
CREATE INDEX IF NOT EXISTS moderation_case_status_id_idx ON roost_data.moderation_case (status, id DESC);
CREATE INDEX IF NOT EXISTS moderation_case_account_id_id_idx ON roost_data.moderation_case (account_id, id DESC);
CREATE INDEX IF NOT EXISTS moderation_case_assignee_id_idx ON roost_data.moderation_case (assignee_id, id DESC) WHERE assignee_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS moderation_case_purge_idx ON roost_data.moderation_case (updated_at) WHERE status = 'closed' AND purged_at IS NULL;

CREATE TABLE IF NOT EXISTS roost_data.report (
	id bigint PRIMARY KEY,
	case_id bigint NOT NULL REFERENCES roost_data.moderation_case ON DELETE CASCADE,
	reporter_id bigint,
	account_id bigint,
	category text COLLATE "C" NOT NULL,
	comment text,
	evidence text,
	snapshot jsonb,
	credibility double precision NOT NULL,
	created_at timestamptz NOT NULL,
	updated_at timestamptz NOT NULL,
	told_at timestamptz,
	CONSTRAINT report_case_id_reporter_id_key UNIQUE (case_id, reporter_id)
);
COMMENT ON TABLE roost_data.report IS 'What people have reported, one row for each reporter and case. reporter_id is null once that account is deleted; account_id is the account concerned.';
COMMENT ON COLUMN roost_data.report.evidence IS 'What the reporter chose to show of what only it could read.';
COMMENT ON COLUMN roost_data.report.snapshot IS 'What the reporter saw, where it differs from the snapshot of the case.';
COMMENT ON COLUMN roost_data.report.told_at IS 'When the reporter was told by mail what became of it.';
CREATE INDEX IF NOT EXISTS report_case_id_id_idx ON roost_data.report (case_id, id DESC);
CREATE INDEX IF NOT EXISTS report_reporter_id_id_idx ON roost_data.report (reporter_id, id DESC);
CREATE INDEX IF NOT EXISTS report_account_id_idx ON roost_data.report (account_id);
CREATE INDEX IF NOT EXISTS report_untold_idx ON roost_data.report (case_id) WHERE told_at IS NULL;

CREATE TABLE IF NOT EXISTS roost_data.moderation_event (
	id bigint PRIMARY KEY,
	case_id bigint NOT NULL REFERENCES roost_data.moderation_case ON DELETE CASCADE,
	kind text COLLATE "C" NOT NULL CHECK (kind IN ('opened', 'reported', 'flagged', 'assigned', 'unassigned', 'note', 'decided', 'appealed', 'appeal_decided', 'reopened', 'closed')),
	account_id bigint,
	text text,
	detail jsonb NOT NULL DEFAULT '{}',
	created_at timestamptz NOT NULL
);
COMMENT ON TABLE roost_data.moderation_event IS 'What happened to a case, who did it (account_id), and notes of moderators. Reports have rows of their own.';
CREATE INDEX IF NOT EXISTS moderation_event_case_id_id_idx ON roost_data.moderation_event (case_id, id);

CREATE TABLE IF NOT EXISTS roost_data.moderation_decision (
	id bigint PRIMARY KEY,
	decision roost.decision NOT NULL,
	subject_type text COLLATE "C" NOT NULL,
	subject_id bigint NOT NULL,
	account_id bigint,
	case_id bigint REFERENCES roost_data.moderation_case,
	category text COLLATE "C",
	reason text,
	note text,
	labels text[] COLLATE "C",
	until timestamptz,
	told boolean NOT NULL,
	source text COLLATE "C" NOT NULL DEFAULT 'moderator',
	undo jsonb,
	decided_by bigint,
	created_at timestamptz NOT NULL,
	reverted_at timestamptz,
	reverted_by bigint
);
COMMENT ON TABLE roost_data.moderation_decision IS 'What was decided, about what, whom it concerns, why, until when and by whom. What is told is the strike that the account concerned sees.';
COMMENT ON COLUMN roost_data.moderation_decision.undo IS 'What the decision replaced: what comes back if it is overturned.';
COMMENT ON COLUMN roost_data.moderation_decision.reverted_at IS 'When it was undone after an appeal.';
CREATE INDEX IF NOT EXISTS moderation_decision_account_id_id_idx ON roost_data.moderation_decision (account_id, id DESC);
CREATE INDEX IF NOT EXISTS moderation_decision_case_id_idx ON roost_data.moderation_decision (case_id);
CREATE INDEX IF NOT EXISTS moderation_decision_subject_idx ON roost_data.moderation_decision (subject_type, subject_id, id);

CREATE TABLE IF NOT EXISTS roost_data.moderation_appeal (
	id bigint PRIMARY KEY,
	decision_id bigint NOT NULL UNIQUE REFERENCES roost_data.moderation_decision,
	account_id bigint NOT NULL,
	text text NOT NULL,
	status roost.appeal_status NOT NULL DEFAULT 'open',
	reason text,
	decided_by bigint,
	created_at timestamptz NOT NULL,
	decided_at timestamptz
);
COMMENT ON TABLE roost_data.moderation_appeal IS 'Objections of accounts to decisions about them, one each.';
CREATE INDEX IF NOT EXISTS moderation_appeal_status_id_idx ON roost_data.moderation_appeal (status, id);
CREATE INDEX IF NOT EXISTS moderation_appeal_account_id_id_idx ON roost_data.moderation_appeal (account_id, id DESC);

CREATE OR REPLACE VIEW roost_bi.moderation_queue AS
SELECT c.status, c.category, c.subject_type, c.source,
	CASE WHEN now() - c.created_at < interval '1 hour' THEN 'hour' WHEN now() - c.created_at < interval '1 day' THEN 'day'
		WHEN now() - c.created_at < interval '7 days' THEN 'week' ELSE 'older' END AS age,
	count(*) AS cases, sum(c.report_count)::bigint AS reports, min(c.created_at) AS oldest_at, max(c.priority) AS highest_priority
FROM roost_data.moderation_case c
WHERE c.status IN ('open', 'assigned', 'appealed')
GROUP BY 1, 2, 3, 4, 5;
COMMENT ON VIEW roost_bi.moderation_queue IS 'How many cases wait, by status (open, assigned, appealed), category, type of subject, source and age (less than an hour, a day, a week old, or older): cases, their reports, the oldest, and the highest priority. No texts, no accounts.';

CREATE OR REPLACE VIEW roost_bi.decision AS
SELECT d.id, d.case_id, d.decision, d.subject_type, d.category, d.source, d.created_at, d.until, d.reverted_at,
	a.status AS appeal_status, a.created_at AS appealed_at, a.decided_at AS appeal_decided_at,
	c.created_at AS case_opened_at, c.report_count
FROM roost_data.moderation_decision d
LEFT JOIN roost_data.moderation_appeal a ON a.decision_id = d.id
LEFT JOIN roost_data.moderation_case c ON c.id = d.case_id;
COMMENT ON VIEW roost_bi.decision IS 'Decisions of moderators, with what became of appeals, and when the case was opened. No texts, no accounts, no moderators.';

INSERT INTO roost_data.mail_template (name, language, subject, text, html) VALUES
	('decision_warn', 'en', 'A warning for your account on {{site_name}}',
		E'Hello {{display_name}},\n\na moderator of {{site_name}} warns @{{username}}.\n\nReason: {{reason}}\n\nNothing else has changed. You may appeal once, under your account''s decisions:\n\n{{public_url}}\n',
		'<p>Hello {{display_name}},</p><p>a moderator of {{site_name}} warns @{{username}}.</p><p>Reason: {{reason}}</p><p>Nothing else has changed. You may appeal once, under your account''s decisions: <a href="{{public_url}}">{{public_url}}</a></p>'),
	('decision_remove', 'en', 'A post of yours was removed from {{site_name}}',
		E'Hello {{display_name}},\n\na moderator of {{site_name}} has removed a post of @{{username}}. Nobody but you sees it.\n\nReason: {{reason}}\n\nYou may appeal once, under your account''s decisions:\n\n{{public_url}}\n',
		'<p>Hello {{display_name}},</p><p>a moderator of {{site_name}} has removed a post of @{{username}}. Nobody but you sees it.</p><p>Reason: {{reason}}</p><p>You may appeal once, under your account''s decisions: <a href="{{public_url}}">{{public_url}}</a></p>'),
	('decision_suspend', 'en', 'Your account on {{site_name}} is suspended',
		E'Hello {{display_name}},\n\n@{{username}} on {{site_name}} is suspended until {{until}}. Until then you cannot log in, and nobody sees your posts; nothing is lost.\n\nReason: {{reason}}\n\nYou may appeal once, where you log in:\n\n{{public_url}}\n',
		'<p>Hello {{display_name}},</p><p>@{{username}} on {{site_name}} is suspended until {{until}}. Until then you cannot log in, and nobody sees your posts; nothing is lost.</p><p>Reason: {{reason}}</p><p>You may appeal once, where you log in: <a href="{{public_url}}">{{public_url}}</a></p>'),
	('decision_ban', 'en', 'Your account on {{site_name}} is closed to you',
		E'Hello {{display_name}},\n\n@{{username}} on {{site_name}} is suspended for good. You cannot log in, and nobody sees your posts.\n\nReason: {{reason}}\n\nYou may appeal once, where you log in:\n\n{{public_url}}\n',
		'<p>Hello {{display_name}},</p><p>@{{username}} on {{site_name}} is suspended for good. You cannot log in, and nobody sees your posts.</p><p>Reason: {{reason}}</p><p>You may appeal once, where you log in: <a href="{{public_url}}">{{public_url}}</a></p>'),
	('decision_unsuspend', 'en', 'Your account on {{site_name}} is open again',
		E'Hello {{display_name}},\n\n@{{username}} on {{site_name}} is no longer suspended. You can log in again; everything is as it was.\n\n{{public_url}}\n',
		'<p>Hello {{display_name}},</p><p>@{{username}} on {{site_name}} is no longer suspended. You can log in again; everything is as it was.</p><p><a href="{{public_url}}">{{public_url}}</a></p>'),
	('appeal_upheld', 'en', 'Your appeal on {{site_name}}',
		E'Hello {{display_name}},\n\nsomebody else has looked at your appeal for @{{username}}. The decision stands.\n\n{{reason}}\n',
		'<p>Hello {{display_name}},</p><p>somebody else has looked at your appeal for @{{username}}. The decision stands.</p><p>{{reason}}</p>'),
	('appeal_overturned', 'en', 'Your appeal on {{site_name}}',
		E'Hello {{display_name}},\n\nsomebody else has looked at your appeal for @{{username}}. You were right: the decision was undone.\n\n{{reason}}\n',
		'<p>Hello {{display_name}},</p><p>somebody else has looked at your appeal for @{{username}}. You were right: the decision was undone.</p><p>{{reason}}</p>'),
	('report_decided', 'en', 'What became of your report on {{site_name}}',
		E'Hello {{display_name}},\n\nyou reported something on {{site_name}}. {{outcome}}\n\nThank you for telling us.\n',
		'<p>Hello {{display_name}},</p><p>you reported something on {{site_name}}. {{outcome}}</p><p>Thank you for telling us.</p>')
ON CONFLICT DO NOTHING;

-- Analyzers: words, hosts, the spam model. ------------------------------

CREATE TABLE IF NOT EXISTS roost_data.moderation_word (
	language text COLLATE "C" NOT NULL DEFAULT '' CHECK (language ~ '^([a-z]{2,8})?$'),
	word text NOT NULL CHECK (length(word) BETWEEN 1 AND 100 AND word = btrim(word)),
	kind text COLLATE "C" NOT NULL DEFAULT 'profanity' CHECK (kind ~ '^[a-z][a-z0-9_]{0,30}$'),
	severity real NOT NULL DEFAULT 0.7 CHECK (severity > 0 AND severity <= 1),
	whole_word boolean NOT NULL DEFAULT true,
	allowed boolean NOT NULL DEFAULT false,
	PRIMARY KEY (language, word)
);
COMMENT ON TABLE roost_data.moderation_word IS 'Words and phrases that roost.profanity_score() finds. language is a code like en, empty for all; kind what the operator calls it; severity how bad one is, 0 to 1; whole_word: not as a part of longer words. allowed: an exception, what it covers is not found: scunthorpe.';

CREATE OR REPLACE TRIGGER moderation_word_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON roost_data.moderation_word
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.relation_changed();

-- A few words that are the same everywhere, with what they are innocently part of.
INSERT INTO roost_data.moderation_word (language, word, kind, severity, whole_word, allowed) VALUES
	('en', 'fuck', 'profanity', 0.8, false, false),
	('en', 'shit', 'profanity', 0.6, false, false),
	('en', 'cunt', 'profanity', 0.9, false, false),
	('en', 'nigger', 'slur', 1, false, false),
	('en', 'faggot', 'slur', 1, false, false),
	('en', 'scunthorpe', 'profanity', 0.5, false, true),
	('en', 'snigger', 'profanity', 0.5, false, true),
	('en', 'shitake', 'profanity', 0.5, false, true),
	('en', 'matsushita', 'profanity', 0.5, false, true),
	('en', 'kinoshita', 'profanity', 0.5, false, true),
	('en', 'yamashita', 'profanity', 0.5, false, true),
	('en', 'morishita', 'profanity', 0.5, false, true),
	('en', 'miyashita', 'profanity', 0.5, false, true),
	('en', 'sakashita', 'profanity', 0.5, false, true),
	('en', 'takeshita', 'profanity', 0.5, false, true),
	('en', 'ishita', 'profanity', 0.5, false, true),
	('en', 'yoshita', 'profanity', 0.5, false, true),
	('en', 'toshita', 'profanity', 0.5, false, true),
	('en', 'moshita', 'profanity', 0.5, false, true),
	('en', 'oshita', 'profanity', 0.5, false, true),
	('en', 'mishit', 'profanity', 0.5, false, true),
	('en', 'cushit', 'profanity', 0.5, false, true),
	('en', 'kushit', 'profanity', 0.5, false, true),
	('en', 'shittim', 'profanity', 0.5, false, true),
	('en', 'shittah', 'profanity', 0.5, false, true)
ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS roost_data.moderation_url_host (
	host text COLLATE "C" NOT NULL CHECK (host = lower(host) AND length(host) BETWEEN 1 AND 253 AND host !~ '[\s/@]'),
	kind text COLLATE "C" NOT NULL CHECK (kind IN ('shortener', 'blocked', 'allowed', 'protected')),
	note text,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (host, kind)
);
COMMENT ON TABLE roost_data.moderation_url_host IS 'Hosts that roost.url_analyze() knows; a row is about the host and all below it, of blocked and allowed ones the longest decides. shortener: its links lead elsewhere; protected: other hosts that look like it are suspicious. Names in other scripts stand as xn-- labels.';

CREATE OR REPLACE TRIGGER moderation_url_host_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON roost_data.moderation_url_host
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.relation_changed();

INSERT INTO roost_data.moderation_url_host (host, kind)
SELECT host, 'shortener' FROM unnest(ARRAY['bit.ly', 'tinyurl.com', 'goo.gl', 't.co', 'ow.ly', 'is.gd', 'buff.ly', 'cutt.ly', 'rb.gy', 'rebrand.ly', 'shorturl.at',
	'tiny.cc', 't.ly', 'v.gd', 'lnkd.in', 'bl.ink', 'soo.gd', 's.id', 'adf.ly', 'bc.vc', 'x.gd', 'urlz.fr', 'tiny.one', 'clck.ru', 'qr.ae', 'dlvr.it', 'ift.tt',
	'youtu.be', 'amzn.to', 'fb.me', 'wp.me', 'surl.li', 'shorte.st', 'snip.ly', 'short.io', 'kutt.it', 'trib.al', 'u.to', 'bitly.com', 't.me']) host
UNION ALL
SELECT host, 'protected' FROM unnest(ARRAY['google.com', 'facebook.com', 'youtube.com', 'instagram.com', 'whatsapp.com', 'twitter.com', 'x.com', 'paypal.com', 'amazon.com',
	'apple.com', 'icloud.com', 'microsoft.com', 'live.com', 'outlook.com', 'office.com', 'netflix.com', 'linkedin.com', 'github.com', 'ebay.com', 'wikipedia.org',
	'steamcommunity.com', 'steampowered.com', 'discord.com', 'telegram.org', 'tiktok.com', 'spotify.com', 'dropbox.com', 'coinbase.com', 'binance.com', 'metamask.io',
	'stripe.com', 'visa.com', 'mastercard.com', 'chase.com', 'wellsfargo.com', 'dhl.com', 'ups.com', 'fedex.com', 'usps.com', 'roblox.com', 'reddit.com', 'yahoo.com']) host
ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS roost_data.spam_sample (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	text text NOT NULL,
	is_spam boolean NOT NULL,
	is_test boolean NOT NULL DEFAULT false,
	source text,
	created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE roost_data.spam_sample IS 'Labelled texts from which roost.spam_train() learns. is_test: not learnt from, but kept for roost.spam_evaluate().';

CREATE TABLE IF NOT EXISTS roost_data.spam_weight (
	feature text COLLATE "C" PRIMARY KEY,
	weight real NOT NULL CHECK (weight BETWEEN -1000 AND 1000)
);
COMMENT ON TABLE roost_data.spam_weight IS 'The spam model: how much each feature of a text adds to the logarithm of the odds that it is spam. Written by roost.spam_train(). While it is empty the model that roost brings along is in force.';

CREATE OR REPLACE TRIGGER spam_weight_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON roost_data.spam_weight
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.relation_changed();
CREATE OR REPLACE TRIGGER spam_weight_audit AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON roost_data.spam_weight
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.spam_weight_audit();
ALTER TABLE roost_data.spam_weight ENABLE ALWAYS TRIGGER spam_weight_audit;

-- What is watched, whoever changes it; what functions do besides stands in the trail by their own names.
CREATE OR REPLACE TRIGGER report_category_audit AFTER INSERT OR UPDATE OR DELETE ON roost_data.report_category
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('report_category', 'name', 'severity', 'enabled');
CREATE OR REPLACE TRIGGER report_audit AFTER UPDATE OF id, case_id, account_id, category, comment, evidence, snapshot OR DELETE ON roost_data.report
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('report', 'id', '@account_id', 'case_id', 'category', 'comment!', 'evidence!', 'snapshot!');
CREATE OR REPLACE TRIGGER moderation_case_audit AFTER UPDATE OF id, subject_type, subject_id, status, assignee_id, decision, outcome, snapshot OR DELETE ON roost_data.moderation_case
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('case', 'id', '@account_id', 'subject_type', 'subject_id', 'status', 'assignee_id', 'decision', 'outcome', 'snapshot!');
CREATE OR REPLACE TRIGGER moderation_event_audit AFTER UPDATE OR DELETE ON roost_data.moderation_event
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('case_event', 'id', 'case_id', 'kind', 'account_id', 'text!', 'detail!');
CREATE OR REPLACE TRIGGER moderation_decision_audit AFTER UPDATE OR DELETE ON roost_data.moderation_decision
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('decision', 'id', '@account_id', 'decision', 'subject_type', 'subject_id', 'until', 'decided_by', 'reverted_at', 'reverted_by', 'reason!', 'note!', 'undo!');
CREATE OR REPLACE TRIGGER moderation_appeal_audit AFTER UPDATE OR DELETE ON roost_data.moderation_appeal
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('appeal', 'id', '@account_id', 'status', 'decided_by', 'text!', 'reason!');
CREATE OR REPLACE TRIGGER moderation_word_audit AFTER INSERT OR UPDATE OR DELETE ON roost_data.moderation_word
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('word', 'language,word', 'kind', 'severity', 'whole_word', 'allowed');
CREATE OR REPLACE TRIGGER moderation_url_host_audit AFTER INSERT OR UPDATE OR DELETE ON roost_data.moderation_url_host
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('url_host', 'host,kind', 'note!');
