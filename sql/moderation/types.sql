-- Types of the moderation module.

-- Policies: what is done with scores.
CREATE DOMAIN roost.moderation_name AS text CHECK (VALUE ~ '^[a-z][a-z0-9_]{0,62}$');
COMMENT ON DOMAIN roost.moderation_name IS 'The name of a policy: a letter, then lower-case letters, digits and underscores, at most 63.';

CREATE DOMAIN roost.moderation_subject AS text CHECK (VALUE ~ '^[a-z][a-z_]{0,30}$');
COMMENT ON DOMAIN roost.moderation_subject IS 'What a policy judges: post, profile (user name, display name and bio), or a kind that your own functions judge.';

CREATE DOMAIN roost.moderation_signal AS text CHECK (VALUE IN ('profanity', 'spam', 'gibberish', 'url', 'duplicate', 'repeat',
	'mentions', 'strangers', 'hashtags', 'links', 'capitals', 'repetition', 'rate'));
COMMENT ON DOMAIN roost.moderation_signal IS 'What a policy looks at. From 0 to 1: profanity, spam, gibberish, url (the worst address in it), capitals and repetition (their share of the text). Numbers: duplicate (other accounts with nearly the same text lately), repeat (earlier posts of the same account with nearly the same text), mentions, strangers (mentioned accounts that do not follow the author), hashtags, links. rate: 1 when the policy''s limit_class has nothing left.';

CREATE DOMAIN roost.moderation_action AS text CHECK (VALUE IN ('allow', 'label', 'limit', 'hold', 'reject'));
COMMENT ON DOMAIN roost.moderation_action IS 'What is done: allow (no policy of lower priority is asked), label, limit (the post is in no public list), hold (only its author sees it until a moderator has decided), reject.';

CREATE DOMAIN roost.moderation_label AS text CHECK (VALUE ~ '^[a-z][a-z0-9_-]{0,30}$');
COMMENT ON DOMAIN roost.moderation_label IS 'A word that is put on a post: lower-case letters, digits, underscores and hyphens, at most 31.';

CREATE TYPE roost.moderation_policy AS (
	name text,
	enabled boolean,
	dry_run boolean,
	subject text,
	signal text,
	threshold double precision,
	below double precision,
	languages text[],
	new_accounts boolean,
	account_age interval,
	followers integer,
	exempt_roles text[],
	exempt_verified boolean,
	adaptive boolean,
	action text,
	label text,
	message text,
	case_category text,
	limit_class text,
	priority integer,
	updated_at timestamptz
);
COMMENT ON TYPE roost.moderation_policy IS 'A rule: when signal of a subject is at least threshold (and less than below), action is taken, or with dry_run only recorded. It applies to texts in one of languages, of accounts younger than account_age, with fewer than that many followers, or with new_accounts to new ones only (each null or false: to all), but not to accounts with one of exempt_roles, nor, with exempt_verified, to verified ones. adaptive: the threshold moves with the account''s history. message is told on rejection, case_category is that of the case that a held post opens, limit_class what a policy on rate takes from. Higher priority is asked first.';

CREATE TYPE roost_internal.moderation_rule AS (
	signal text,
	threshold double precision,
	below double precision,
	languages text[],
	account_age interval,
	followers integer,
	action text,
	label text,
	message text,
	case_category text,
	limit_class text,
	priority integer
);
COMMENT ON TYPE roost_internal.moderation_rule IS 'What is checked of a policy.';

CREATE TYPE roost.moderation_verdict AS (
	id roost.id,
	at timestamptz,
	subject text,
	subject_id roost.id,
	account_id roost.id,
	policy text,
	signal text,
	score double precision,
	threshold double precision,
	action text,
	dry_run boolean,
	text_hash text,
	explanation jsonb,
	cursor bigint
);
COMMENT ON TYPE roost.moderation_verdict IS 'What a policy said: the score, the threshold that applied to the account, and the action; with dry_run nothing was done. subject_id is the post or account (null of a post that was refused), text_hash a fingerprint of its text, explanation what the score is made of.';

CREATE TYPE roost.moderation_trial AS (
	policy text,
	signal text,
	score double precision,
	threshold double precision,
	fires boolean,
	action text,
	enabled boolean,
	dry_run boolean,
	explanation jsonb
);
COMMENT ON TYPE roost.moderation_trial IS 'What a policy would say of a text: its score, the threshold, and whether that is enough.';

CREATE TYPE roost.moderation_report AS (
	policy text,
	action text,
	dry_run boolean,
	verdicts bigint,
	accounts bigint,
	released bigint,
	least double precision,
	median double precision,
	greatest double precision,
	first_at timestamptz,
	last_at timestamptz
);
COMMENT ON TYPE roost.moderation_report IS 'How often a policy has said something: verdicts, of how many accounts, how many of these posts a moderator has made visible since (released), and the scores.';

CREATE TYPE roost.account_reputation AS (
	account_id roost.id,
	reputation double precision,
	standing double precision,
	burden double precision,
	is_new boolean,
	history jsonb
);
COMMENT ON TYPE roost.account_reputation IS 'How an account stands with the filters: reputation from -2 to 1 moves the thresholds of adaptive policies; standing (0 to 1) comes from age and posts, burden from what it has done, fading with time; is_new: policies for new accounts apply; history has count and weight by kind.';
