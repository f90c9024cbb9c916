-- Types of the moderation module.

-- Policies: what is done with scores.
CREATE DOMAIN roost.moderation_name AS text CHECK (VALUE ~ '^[a-z][a-z0-9_]{0,62}$');
COMMENT ON DOMAIN roost.moderation_name IS 'The name of a policy: a letter, then lower-case letters, digits and underscores, at most 63.';

CREATE DOMAIN roost.moderation_subject AS text CHECK (VALUE ~ '^[a-z][a-z_]{0,30}$');
COMMENT ON DOMAIN roost.moderation_subject IS 'What a policy judges: post, profile (user name, display name and bio), message (one that is not encrypted), message_request (a message to an account that has not answered its sender and has nothing else to do with it), group (title and description), or a kind that your own functions judge.';

CREATE DOMAIN roost.moderation_signal AS text CHECK (VALUE IN ('profanity', 'spam', 'gibberish', 'url', 'duplicate', 'repeat',
	'mentions', 'strangers', 'hashtags', 'links', 'capitals', 'repetition', 'lookalike', 'rate'));
COMMENT ON DOMAIN roost.moderation_signal IS 'What a policy looks at. From 0 to 1: profanity, spam, gibberish, url (the worst address in it), capitals and repetition (their share of the text), lookalike (1: a name of a profile may be taken for one of the staff). Numbers: duplicate (other accounts with nearly the same text lately), repeat (earlier posts of the same account with nearly the same text), mentions, strangers (mentioned accounts that do not follow the author), hashtags, links. rate: 1 when the policy''s limit_class has nothing left.';

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

CREATE TYPE roost.moderation_word AS (
	word text,
	language text,
	kind text,
	severity real,
	whole_word boolean,
	allowed boolean,
	cursor bigint
);
COMMENT ON TYPE roost.moderation_word IS 'A listed word or phrase: language (empty: all), what the operator calls its kind, how bad it is (0 to 1), whether it is no part of longer words, and whether it is an exception (allowed).';

CREATE TYPE roost.moderation_url_host AS (
	host text,
	kind text,
	note text,
	created_at timestamptz,
	cursor bigint
);
COMMENT ON TYPE roost.moderation_url_host IS 'A listed host: kind is blocked, allowed, shortener or protected (others that look like it are suspicious).';

CREATE TYPE roost.account_reputation AS (
	account_id roost.id,
	reputation double precision,
	standing double precision,
	burden double precision,
	is_new boolean,
	history jsonb
);
COMMENT ON TYPE roost.account_reputation IS 'How an account stands with the filters: reputation from -2 to 1 moves the thresholds of adaptive policies; standing (0 to 1) comes from age and posts, burden from what it has done, fading with time; is_new: policies for new accounts apply; history has count and weight by kind.';

-- Reports, cases, decisions, appeals.
CREATE DOMAIN roost.report_comment AS text CHECK (char_length(VALUE) <= 2000 AND VALUE !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f]');
COMMENT ON DOMAIN roost.report_comment IS 'A few words to a moderator or to an account: at most 2000 characters; line breaks are kept.';

CREATE DOMAIN roost.report_evidence AS text CHECK (octet_length(VALUE) <= 65536);
COMMENT ON DOMAIN roost.report_evidence IS 'What a reporter chooses to show of what only it can read, for instance the text of an encrypted message: at most 64 KiB.';

CREATE DOMAIN roost.assignee AS text COLLATE "C" CHECK (VALUE ~ '^([0-9]{1,19}|@[A-Za-z0-9_]{1,30}|me|none)$');
COMMENT ON DOMAIN roost.assignee IS 'Who handles a case: an account''s id, @name, "me" or "none".';

CREATE TYPE roost.decision AS ENUM ('dismiss', 'warn', 'label', 'limit', 'hold', 'release', 'remove', 'restore',
	'limit_account', 'unlimit_account', 'suspend', 'ban', 'unsuspend', 'verify', 'unverify');
COMMENT ON TYPE roost.decision IS 'What a moderator decides: dismiss (nothing is wrong), warn (an account); of a post label, limit, hold, release, remove, restore; of an account limit_account, unlimit_account, suspend, ban, unsuspend, verify, unverify.';

CREATE TYPE roost.post_action AS ENUM ('label', 'limit', 'hold', 'release', 'remove', 'restore');
COMMENT ON TYPE roost.post_action IS 'What moderators do to posts: see roost.decision.';

CREATE TYPE roost.account_action AS ENUM ('warn', 'limit', 'unlimit', 'suspend', 'ban', 'restore', 'verify', 'unverify');
COMMENT ON TYPE roost.account_action IS 'What moderators do to accounts: warn, limit, unlimit, suspend, ban, restore (end a suspension or ban), verify, unverify.';

CREATE TYPE roost.case_filter AS ENUM ('open', 'unassigned', 'assigned', 'appealed', 'decided', 'closed', 'all');
COMMENT ON TYPE roost.case_filter IS 'Which cases: open (all that wait: for a moderator, with one, or for the decision of an appeal), unassigned, assigned, appealed, decided, closed, all.';

CREATE TYPE roost.appeal_status AS ENUM ('open', 'upheld', 'overturned');
COMMENT ON TYPE roost.appeal_status IS 'What became of an appeal: open (not decided yet), upheld (the decision stands), overturned (it was undone).';

CREATE TYPE roost.appeal_filter AS ENUM ('open', 'upheld', 'overturned', 'all');
COMMENT ON TYPE roost.appeal_filter IS 'Which appeals: open, upheld, overturned, all.';

CREATE TYPE roost.appeal_verdict AS ENUM ('uphold', 'overturn');
COMMENT ON TYPE roost.appeal_verdict IS 'How an appeal is decided: uphold leaves the decision as it is, overturn undoes it.';

CREATE TYPE roost.account_filter AS ENUM ('active', 'limited', 'suspended', 'deleted');
COMMENT ON TYPE roost.account_filter IS 'Which accounts: active, limited, suspended, deleted.';

CREATE TYPE roost.report_category AS (
	name text,
	description text
);
COMMENT ON TYPE roost.report_category IS 'What a report may be about.';

CREATE TYPE roost.report AS (
	id roost.id,
	subject_type text,
	subject_id roost.id,
	account roost.author,
	category text,
	comment text,
	status text,
	outcome text,
	created_at timestamptz,
	decided_at timestamptz
);
COMMENT ON TYPE roost.report IS 'A report as its author sees it. subject_type is account, post or what else can be reported, account whom it concerns (null once that is deleted); status is open or decided; outcome action (something was done), no_action, or gone (the account or post was deleted before).';

CREATE TYPE roost.strike AS (
	id roost.id,
	decision roost.decision,
	subject_type text,
	subject_id roost.id,
	category text,
	reason text,
	labels text[],
	until timestamptz,
	created_at timestamptz,
	reverted_at timestamptz,
	appeal_status roost.appeal_status,
	can_appeal boolean
);
COMMENT ON TYPE roost.strike IS 'A decision as the account concerned sees it: about itself or a post of its own. until: when a suspension ends; reverted_at: when it was undone after an appeal; appeal_status is null without an appeal.';

CREATE TYPE roost.appeal AS (
	id roost.id,
	decision_id roost.id,
	text text,
	status roost.appeal_status,
	reason text,
	created_at timestamptz,
	decided_at timestamptz
);
COMMENT ON TYPE roost.appeal IS 'An appeal as its author sees it; reason is what was answered.';

CREATE TYPE roost.moderation_decision AS (
	id roost.id,
	decision roost.decision,
	subject_type text,
	subject_id roost.id,
	account roost.author,
	case_id roost.id,
	category text,
	reason text,
	note text,
	labels text[],
	until timestamptz,
	told boolean,
	source text,
	decided_by roost.author,
	created_at timestamptz,
	reverted_at timestamptz,
	appeal_status roost.appeal_status
);
COMMENT ON TYPE roost.moderation_decision IS 'A decision as moderators see it: what, about what, whom it concerns, why (reason is told to the account if told is true, note is not), by whom.';

CREATE TYPE roost.appeal_entry AS (
	id roost.id,
	decision_id roost.id,
	text text,
	status roost.appeal_status,
	reason text,
	created_at timestamptz,
	decided_at timestamptz,
	account roost.author,
	decision roost.moderation_decision,
	decided_by roost.author
);
COMMENT ON TYPE roost.appeal_entry IS 'An appeal as moderators see it, with the decision that it is about; decided_by: who decided the appeal.';

CREATE TYPE roost.case_event AS (
	id roost.id,
	kind text,
	account roost.author,
	text text,
	detail jsonb,
	created_at timestamptz
);
COMMENT ON TYPE roost.case_event IS 'Something that happened to a case, who did it, and what was said.';

CREATE TYPE roost.case_report AS (
	id roost.id,
	reporter roost.author,
	category text,
	comment text,
	evidence text,
	snapshot jsonb,
	credibility double precision,
	created_at timestamptz
);
COMMENT ON TYPE roost.case_report IS 'A report as moderators see it. snapshot: what the reporter saw, where that differs from the snapshot of the case; credibility: how much it weighed (about 1 for somebody who never reported before); reporter is null once that account is deleted.';

CREATE TYPE roost.admin_account AS (
	id roost.id,
	username text,
	display_name text,
	bio text,
	avatar_url text,
	header_url text,
	url text,
	language text,
	is_private boolean,
	is_verified boolean,
	status text,
	limited_at timestamptz,
	suspended_until timestamptz,
	role text,
	rank integer,
	email_verified boolean,
	created_at timestamptz,
	last_login_at timestamptz,
	last_active_at timestamptz,
	follower_count bigint,
	following_count bigint,
	post_count bigint,
	session_count bigint,
	strike_count bigint,
	open_case_count bigint,
	report_count bigint,
	made_report_count bigint,
	upheld_report_count bigint
);
COMMENT ON TYPE roost.admin_account IS 'An account as moderators see it, without addresses. strike_count: measures against it that were not undone; report_count: reports about it and its posts; made_report_count: reports that it made, upheld_report_count those that led to a measure.';

CREATE TYPE roost.moderation_case AS (
	id roost.id,
	status text,
	priority integer,
	category text,
	source text,
	subject_type text,
	subject_id roost.id,
	account roost.author,
	assignee roost.author,
	report_count integer,
	decision roost.decision,
	version integer,
	created_at timestamptz,
	updated_at timestamptz,
	decided_at timestamptz,
	cursor text
);
COMMENT ON TYPE roost.moderation_case IS 'A case in a list. status: open, assigned, decided (and may be appealed against), appealed, closed; source: report, or the name of the filter that opened it; version changes with everything that happens to it.';

CREATE TYPE roost.case_detail AS (
	id roost.id,
	status text,
	priority integer,
	category text,
	source text,
	subject_type text,
	subject_id roost.id,
	account roost.author,
	assignee roost.author,
	report_count integer,
	decision roost.decision,
	version integer,
	created_at timestamptz,
	updated_at timestamptz,
	decided_at timestamptz,
	snapshot jsonb,
	post jsonb,
	target roost.admin_account,
	reports roost.case_report[],
	events roost.case_event[],
	decisions roost.moderation_decision[],
	history roost.moderation_decision[],
	verdicts jsonb
);
COMMENT ON TYPE roost.case_detail IS 'A case with all that helps to decide it: snapshot (what was seen when it was opened), post (what it is now; null if it is gone or the case is about neither a post nor a message; of a message only its state and times), target (the account concerned), its newest 100 reports, what happened to it, what was decided in it, the newest 50 decisions about the account outside of it, and what filters said.';

CREATE TYPE roost.session_address AS (
	address text,
	user_agent text,
	created_at timestamptz,
	last_used_at timestamptz
);
COMMENT ON TYPE roost.session_address IS 'Where a session of an account comes from.';

CREATE TYPE roost.account_addresses AS (
	email text,
	email_verified_at timestamptz,
	sessions roost.session_address[]
);
COMMENT ON TYPE roost.account_addresses IS 'The addresses of an account: e-mail, and those of its sessions, the one used last first.';

-- Analyzers.

CREATE TYPE roost.profanity_match AS (
	word text,
	language text,
	kind text,
	severity real,
	"start" integer,
	"end" integer,
	text text,
	disguised boolean
);
COMMENT ON TYPE roost.profanity_match IS 'A listed word that stands in a text: the list''s word, language (null: any) and kind; severity 0 to 1, less than the list''s where it is a guess; start and end (exclusive) count code points from 0; text is what stands there; disguised: not written as it is.';

CREATE TYPE roost.profanity_result AS (
	score real,
	language text,
	matches roost.profanity_match[]
);
COMMENT ON TYPE roost.profanity_result IS 'What roost.profanity_score() finds: score 0 to 1 (1 minus the product of what the severities leave), the language that was told or guessed (null: none), and the words.';

CREATE TYPE roost.url_report AS (
	scheme text,
	host text,
	host_unicode text,
	domain text,
	port integer,
	is_ip boolean,
	ip text,
	is_shortener boolean,
	is_punycode boolean,
	mixed_script boolean,
	looks_like text,
	userinfo boolean,
	odd_port boolean,
	mismatched boolean,
	too_long boolean,
	too_deep boolean,
	blocked boolean,
	allowed boolean,
	listed_as text,
	reasons text[],
	score real
);
COMMENT ON TYPE roost.url_report IS 'What roost.url_analyze() says of a link. host as a resolver gets it, host_unicode with xn-- labels decoded, domain the part that was registered (as far as the name''s form tells); of an address ip in its usual form. mixed_script: a label has letters of several scripts that look alike; looks_like: the protected host for which it may be taken; userinfo: something stands before an @; mismatched: the text shown names another domain; blocked, allowed: by the row listed_as of roost_data.moderation_url_host. reasons: what is suspicious, the worst first; score 0 to 1. Without a host (mailto:…) host is null.';

CREATE TYPE roost.spam_feature AS (
	feature text,
	value real,
	weight real,
	contribution real
);
COMMENT ON TYPE roost.spam_feature IS 'What a feature of a text adds to the logarithm of the odds that it is spam: contribution = value * weight. Words are features, pairs of words ("one two"), links ~url, numbers # and their length, and shapes that begin with =; (bias) is what every text has.';

CREATE TYPE roost.spam_metrics AS (
	samples bigint,
	spam bigint,
	features integer,
	held bigint,
	loss double precision,
	"precision" double precision,
	recall double precision,
	accuracy double precision,
	slope double precision
);
COMMENT ON TYPE roost.spam_metrics IS 'What roost.spam_train() did: samples learnt from and how many of them are spam, features that have a weight; held: samples that were held out first to measure and calibrate: mean loss in nats, precision, recall and accuracy at 0.5 on them (null if none), and the slope that their sums were multiplied by.';

CREATE TYPE roost.spam_point AS (
	threshold real,
	"precision" double precision,
	recall double precision,
	f1 double precision,
	found bigint,
	wrong bigint,
	missed bigint
);
COMMENT ON TYPE roost.spam_point IS 'What a threshold does: texts with at least this score are called spam. found: spam called so, wrong: other texts called so, missed: spam not called so. precision is null where nothing is called spam.';
