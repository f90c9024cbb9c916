-- From 0.1.0 to 0.2.0: types, and what is dropped or has another signature.
-- Functions, comments and routes follow from the source files; tables are
-- brought up to date by roost.install().

DROP FUNCTION roost_internal.timeline_newest(bigint[], bigint[], integer, bigint, bigint, roost.timeline_replies);

-- Core: more columns.
ALTER TYPE roost.health ADD ATTRIBUTE queue_depth bigint, ADD ATTRIBUTE reason text;
COMMENT ON TYPE roost.health IS 'The state of the service: status (ok, degraded), version, worker (its state), worker_lag (seconds the oldest waiting event has waited), standby (this server is in recovery), queue_depth (events that wait for the worker), reason (why it is degraded, or null).';
DROP VIEW roost.stat_worker;
DROP FUNCTION roost_internal.handle_release(bigint, text);
DROP FUNCTION roost_internal.worker_stat();

CREATE TYPE roost.feed_kind AS ENUM ('post_created', 'post_updated', 'post_deleted', 'follow_created', 'follow_deleted', 'like_created', 'like_deleted',
	'follow_request_created', 'follow_request_deleted', 'account_deleted', 'events_lost',
	'account_updated', 'session_revoked', 'filter_changed', 'post_hidden', 'post_released',
	'message_created', 'message_edited', 'message_deleted', 'message_reacted', 'message_hidden', 'message_delivered', 'message_read',
	'conversation_created', 'conversation_updated', 'conversation_settings', 'conversation_cleared', 'member_added', 'member_removed', 'member_changed',
	'friend_requested', 'friend_request_cancelled', 'friend_request_rejected', 'friend_accepted', 'friend_removed',
	'key_changed', 'key_low', 'envelope_created', 'notification_read');
COMMENT ON TYPE roost.feed_kind IS 'What a row of the log says. A retweet is a post. events_lost: the log had to be completed from the tables; what was derived from its rows and not from tables is void. account_updated: something has changed that others see of an account. session_revoked: a session, or an account with all its sessions, is refused. filter_changed: whom or what an account blocks or mutes. post_hidden: a post was held, removed or limited; post_released: it was held or removed and can be seen. Those of messages, conversations, members, friends, keys, envelopes and what was read of notifications are told to a room (room_id): the members of a conversation, or an account.';

CREATE TYPE roost.mailbox_kind AS ENUM ('follow', 'follow_request', 'like', 'retweet', 'quote', 'reply', 'mention', 'friend_request', 'friend_accepted');
COMMENT ON TYPE roost.mailbox_kind IS 'What somebody did to an account, or to a post of it.';

-- Timeline: ranking in C.
DROP FUNCTION roost_internal.timeline_top(bigint, integer, bigint, bigint, roost.timeline_replies, boolean);
COMMENT ON TYPE roost.timeline_order IS 'recent: newest first. top: by what others did to a post, what the reader did to its author''s posts, and age.';
CREATE TYPE roost.timeline_explanation AS (
	post_id roost.id,
	entry_id roost.id,
	place integer,
	score double precision,
	age double precision,
	decay double precision,
	likes double precision,
	replies double precision,
	retweets double precision,
	quotes double precision,
	engagement double precision,
	interaction double precision,
	affinity double precision,
	above integer,
	diversity double precision,
	seen_count integer,
	seen double precision
);
COMMENT ON TYPE roost.timeline_explanation IS 'Why a post stands where it stands in a home timeline with the order top. score = engagement * affinity * diversity * seen * decay. entry_id: the post itself or the retweet that brings it, place: 1 is the best; both null if it is not among the entries that are ranked. age in seconds, decay what is left after it. likes, replies, retweets, quotes: the counters times their weights; engagement: 1 + their sum. interaction: what the caller has done to the author''s posts, affinity its factor. above: entries of the same account above this one, diversity its factor. seen_count: times the caller has been shown the post, seen its factor.';

-- Routes whose answers gateways may keep.
DROP FUNCTION roost_internal.route(text, text, text, text, text, integer, text, boolean, boolean, text[]);
DROP FUNCTION roost.route_add(text, text, text, text, text, integer, text, boolean, boolean, text[]);
ALTER TABLE roost_internal.route ADD COLUMN cache text COLLATE "C",
	ADD CONSTRAINT route_cache_check CHECK (cache IS NULL OR cache IN ('ids', 'list', 'time') AND method = 'GET' AND auth <> 'user' AND status = 200 AND NOT cookies AND NOT sensitive);
COMMENT ON COLUMN roost_internal.route.cache IS 'How gateways may keep answers to requests without a credential: null not at all; ids until something changes whose id stands in path or answer; list the same, and a new post or an edit anywhere may add to it; time for a minute.';

-- Trends.
CREATE TYPE roost.trend_window AS ENUM ('hour', 'day');
COMMENT ON TYPE roost.trend_window IS 'The time that a trend is about: the last hour or the last 24 hours.';

CREATE TYPE roost.trend_hashtag AS (
	hashtag text,
	accounts bigint,
	expected double precision,
	score double precision,
	since timestamptz,
	cursor bigint
);
COMMENT ON TYPE roost.trend_hashtag IS 'A hashtag that is used more than usual: accounts is how many accounts used it in the window, expected how many usually do in as long a time, score by how much that is more than chance would explain (it fades when the burst is over), since when it has been a trend.';

-- Suggestions.
CREATE TYPE roost.suggestion AS (
	account roost.account,
	followed_by roost.author[],
	followed_by_count bigint,
	cursor bigint
);
COMMENT ON TYPE roost.suggestion IS 'An account that one might follow, and why: up to three accounts one follows that follow it, and how many there are. Where there are none it is popular.';

-- Notifications.
CREATE TYPE roost.notification_policy AS ENUM ('everyone', 'followed', 'nobody');
COMMENT ON TYPE roost.notification_policy IS 'Of whose acts an account wants to hear: everyone''s, those of accounts that it follows, or nobody''s.';

CREATE TYPE roost.notification_preferences AS (
	follow roost.notification_policy,
	follow_request roost.notification_policy,
	"like" roost.notification_policy,
	retweet roost.notification_policy,
	quote roost.notification_policy,
	reply roost.notification_policy,
	mention roost.notification_policy,
	friend_request roost.notification_policy,
	friend_accepted roost.notification_policy
);
COMMENT ON TYPE roost.notification_preferences IS 'Of whose acts an account wants to hear, for each type of notification.';

CREATE TYPE roost.notification AS (
	id text,
	type roost.mailbox_kind,
	account_count bigint,
	more boolean,
	accounts roost.author[],
	post roost.post_embed,
	latest_id roost.id,
	latest_at timestamptz,
	read boolean,
	cursor text
);
COMMENT ON TYPE roost.notification IS 'What others did: likes of one post, retweets of one post and follows of one day (UTC) together, everything else alone. id stays the same while the group grows. accounts are up to eight who did it, the last one first; account_count is how many there are, at most 100 (more: there are more than that), so "A and 24 others" is account_count - 1 others. post is the post that was liked or retweeted, or the reply, quote or post with the mention; null for follows. latest_id and latest_at are of the last act in it, and read says whether the reader has seen that one: POST /notifications/read takes latest_id.';

CREATE TYPE roost.notification_act AS (
	id roost.id,
	group_id text,
	type roost.mailbox_kind,
	account roost.author,
	post roost.post_embed,
	created_at timestamptz
);
COMMENT ON TYPE roost.notification_act IS 'One act, as it is told when it happens: id is its place (latest_id of the group whose last act it is), group_id the id of the notification it belongs to, post as there.';

CREATE TYPE roost.notification_unread AS (
	count integer,
	more boolean,
	latest_id roost.id,
	read_id roost.id
);
COMMENT ON TYPE roost.notification_unread IS 'What has not been read: count acts, at most 1000 (more: there may be more than that, show "1000+"). latest_id is the last act of all, read_id the last one read; either is null if there is none.';

CREATE TYPE roost_internal.notification_group AS (
	kind roost.mailbox_kind,
	group_id bigint,
	day date,
	seq bigint,
	post_id bigint,
	latest_seq bigint,
	latest_at timestamptz,
	actor_ids bigint[],
	more boolean
);
COMMENT ON TYPE roost_internal.notification_group IS 'A group of entries of a mailbox on its way into a page: seq is its place, that of its newest entry; the rest is known once it was asked what of it is told.';

-- Live: presence.
CREATE TYPE roost.presence_policy AS ENUM ('everyone', 'followed', 'nobody');
COMMENT ON TYPE roost.presence_policy IS 'Who may see whether an account is online: everyone, the accounts it follows and its friends, or nobody.';

CREATE TYPE roost.presence_settings AS (presence roost.presence_policy);
COMMENT ON TYPE roost.presence_settings IS 'What an account shows of itself: presence says who may see whether it is online.';

CREATE TYPE roost.presence AS (
	account_id roost.id,
	online boolean,
	changed_at timestamptz
);
COMMENT ON TYPE roost.presence IS 'Whether an account is online, and since when that is so (null: not known). An account that the caller may not see is offline since nobody knows when, like one that does not exist.';

CREATE DOMAIN roost.event_page AS json;
COMMENT ON DOMAIN roost.event_page IS 'What has happened in channels since a cursor: {"events", "cursor", "recovered"}.';

CREATE TYPE roost.call_event AS ENUM ('call:offer', 'call:answer', 'call:candidate', 'call:hangup', 'call:ringing');
COMMENT ON TYPE roost.call_event IS 'What a client says to begin or end a call: it offers or answers it, names an address where it can be reached, ends or refuses it, or has begun to ring.';

-- Safety.
CREATE TYPE roost.post_state AS ENUM ('visible', 'limited', 'held', 'removed');
COMMENT ON TYPE roost.post_state IS 'What moderators or filters have decided about a post: visible; limited (in no public list); held (only its author sees it until a moderator releases it); removed (only its author sees it).';

-- Moderation: policies.
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

-- Blocks, mutes and lists.
ALTER TYPE roost.relationship ADD ATTRIBUTE blocking boolean, ADD ATTRIBUTE blocked_by boolean, ADD ATTRIBUTE muting boolean,
	ADD ATTRIBUTE friend boolean, ADD ATTRIBUTE friend_requested boolean, ADD ATTRIBUTE friend_requested_by boolean;
COMMENT ON TYPE roost.relationship IS 'How the viewer and the account account_id stand to each other: following (the viewer follows it), followed_by (it follows the viewer), requested and requested_by (a follow request waits), blocking and blocked_by, muting (the viewer has muted it), friend, friend_requested (the viewer has asked it to become a friend) and friend_requested_by.';
COMMENT ON TYPE roost.message_policy IS 'Who may write messages to an account: everyone, the accounts it follows and its friends, or friends only.';

CREATE TYPE roost.muted_account AS (
	account roost.account,
	notifications boolean,
	expires_at timestamptz,
	muted_at timestamptz,
	cursor bigint
);
COMMENT ON TYPE roost.muted_account IS 'An account that one has muted: notifications says whether one is not notified of what it does either, expires_at when it ends (null: when one says so), muted_at since when it is muted.';

CREATE TYPE roost.muted_word AS (
	id roost.id,
	phrase text,
	whole_word boolean,
	expires_at timestamptz,
	created_at timestamptz
);
COMMENT ON TYPE roost.muted_word IS 'A word or phrase that one has muted: whole_word says that it is found only where it is not part of a longer word, expires_at when it ends (null: when one says so).';

CREATE DOMAIN roost.list_title AS text CHECK (char_length(VALUE) <= 100 AND VALUE ~ '\S' AND VALUE !~ '[\u0001-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]');
COMMENT ON DOMAIN roost.list_title IS 'The name of a list: 1 to 100 characters on one line, without control and text-direction characters, not only spaces.';

CREATE TYPE roost.list AS (
	id roost.id,
	title text,
	member_count bigint,
	created_at timestamptz
);
COMMENT ON TYPE roost.list IS 'A list of accounts that one keeps, and how many are on it.';
ALTER TYPE roost.post_embed ADD ATTRIBUTE state roost.post_state, ADD ATTRIBUTE labels text[];
COMMENT ON TYPE roost.post_embed IS 'A post inside another one. thread_id is the first post of the thread; liked, retweeted and bookmarked speak of the reader and are false for anonymous ones; pinned says that its author has pinned it; mentions is a list of {id, username, start, end} and urls of {url, start, end}, positions in code points of text, end exclusive; hashtags are in lower case without #; media is the list given by the author; url is the permalink; state is visible, held or removed (the last two for its author alone), and labels are words that moderators or filters have put on it.';
ALTER TYPE roost.post ADD ATTRIBUTE state roost.post_state, ADD ATTRIBUTE labels text[];
DROP FUNCTION roost_internal.may_see(bigint, bigint, roost.visibility, bigint[], boolean, text);

-- Audit.
CREATE TYPE roost.audit_report AS (
	ok boolean,
	reason text,
	bad_seq bigint,
	rows bigint,
	from_seq bigint,
	head_seq bigint,
	head_hash text,
	anchor_seq bigint,
	unsealed bigint,
	unsealed_since timestamptz
);
COMMENT ON TYPE roost.audit_report IS 'What roost.audit_verify() has found: ok, or the reason and bad_seq, the first row that is wrong or missing. rows: how many were checked, from from_seq on. head_seq and head_hash: the last row. anchor_seq: up to where rows were dropped by retention (0: none). unsealed: committed entries that have no place in the chain yet, the oldest one from unsealed_since.';

CREATE TYPE roost.audit_head AS (seq bigint, hash text, at timestamptz);
COMMENT ON TYPE roost.audit_head IS 'The last row of the audit trail: its seq, its hash (64 hexadecimal digits), and when it was sealed.';

CREATE TYPE roost.audit_item AS (
	seq bigint,
	at timestamptz,
	action text,
	object_type text,
	object_id text,
	account_id roost.id,
	account_username text,
	actor_id roost.id,
	actor_username text,
	session_id roost.id,
	role text,
	session_role text,
	source text,
	cause text,
	application text,
	request_id text,
	address text,
	detail jsonb,
	hash text,
	cursor bigint
);
COMMENT ON TYPE roost.audit_item IS 'An entry of the audit trail; docs/audit.md explains the fields. request_id and address are null without the permission account.address.';

CREATE TYPE roost.security_event AS (
	id bigint,
	at timestamptz,
	kind text,
	by text,
	session_id roost.id,
	device_name text,
	detail jsonb,
	cursor bigint
);
COMMENT ON TYPE roost.security_event IS 'Something that concerns the security of the account. kind: registered, login, login_failed, locked, session_ended, password_changed, email_changed, email_verified, username_changed, role_changed, status_changed, verification_changed. by: self, other (somebody else''s account), system. session_id, device_name: of a login or an ended session. detail: count, first_at and last_at of failed logins; old and new of roles and states; how a session ended.';

-- Roles.
ALTER TYPE roost.me ADD ATTRIBUTE permissions text[];
COMMENT ON TYPE roost.me IS 'An account as its owner sees it: the public profile and what is for nobody else. age is in whole years; permissions is what its role allows beyond what everybody may.';
CREATE DOMAIN roost.role_name AS text COLLATE "C" CHECK (VALUE ~ '^[a-z_]{1,30}$');
COMMENT ON DOMAIN roost.role_name IS 'The name of a role: 1 to 30 letters a-z and underscores.';

CREATE TYPE roost.role AS (
	name text,
	rank integer,
	description text,
	permissions text[],
	account_count bigint
);
COMMENT ON TYPE roost.role IS 'A role: nobody acts on an account whose role has the same or a higher rank (0 to 1000); account_count is how many accounts have it (null for user, which all others have).';

-- Moderation: reports, cases, decisions, appeals.
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

-- Moderation: analyzers.
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
-- Counting in the background.
CREATE TYPE roost.analytics_day AS (
	day date,
	posts bigint,
	replies bigint,
	retweets bigint,
	likes_received bigint,
	replies_received bigint,
	retweets_received bigint,
	quotes_received bigint,
	followers_gained bigint
);
COMMENT ON TYPE roost.analytics_day IS 'A day (UTC) of an account: posts, replies and retweets it wrote, and what others did: likes, replies, retweets and quotes of its posts (whenever those were written), and new followers. What was taken back later still counts.';

CREATE TYPE roost.platform_health AS (
	at timestamptz,
	version text,
	status text,
	worker text,
	worker_lag double precision,
	queue_depth bigint,
	database_bytes bigint,
	computed_at timestamptz,
	accounts bigint,
	registrations_today bigint,
	active_today bigint,
	active_week bigint,
	active_month bigint,
	posts_today bigint,
	engagements_today bigint,
	suspended_accounts bigint,
	limited_accounts bigint,
	open_cases bigint,
	oldest_case_at timestamptz,
	open_reports bigint,
	open_appeals bigint
);
COMMENT ON TYPE roost.platform_health IS 'How the platform is: the service as in roost.health() and the size of the database in bytes; as of computed_at the accounts there are and what happened today (UTC): registrations, accounts that were active today, in the last 7 and in the last 30 days, posts, engagements (likes, retweets, quotes, replies); and what waits for moderators now.';

CREATE TYPE roost.platform_day AS (
	day date,
	accounts bigint,
	registrations bigint,
	active_accounts bigint,
	active_accounts_7d bigint,
	active_accounts_30d bigint,
	posting_accounts bigint,
	posts bigint,
	replies bigint,
	retweets bigint,
	quotes bigint,
	likes bigint,
	follows bigint,
	engagement_rate double precision,
	reports bigint,
	decisions bigint,
	messages bigint,
	encrypted_messages bigint,
	conversations bigint,
	computed_at timestamptz
);
COMMENT ON TYPE roost.platform_day IS 'A day (UTC) of the platform: accounts at its end, registrations, accounts that were active on it, in the 7 and in the 30 days up to it, accounts that posted, posts (with replies and quotes, without retweets), replies, retweets, quotes, likes, follows, engagement_rate ((likes + retweets + quotes + replies) / posts; null without posts), reports, decisions of moderators, messages (and those of them in encrypted conversations), conversations that were begun, and when that was counted. The present day is not over yet.';

CREATE TYPE roost.platform_retention AS (
	cohort date,
	age integer,
	accounts bigint,
	active bigint,
	rate double precision
);
COMMENT ON TYPE roost.platform_retention IS 'Of the accounts that registered on the day cohort (UTC), how many were active age days later, and which share that is.';

-- Limits for those who run the platform.
CREATE TYPE roost.limit_rule AS (
	class text,
	name text,
	"limit" integer,
	period double precision,
	burst integer,
	key text,
	enabled boolean,
	denied bigint
);
COMMENT ON TYPE roost.limit_rule IS 'A rate limit: in its class, "limit" units in period seconds, burst of them at once, counted by key (account, address, account_or_address or target); denied: how often it has refused something since the server started.';

CREATE TYPE roost.limit_exemption AS (
	id roost.id,
	account roost.author,
	network text,
	reason text,
	created_at timestamptz
);
COMMENT ON TYPE roost.limit_exemption IS 'An account, or a network of addresses, to which no rate limit applies, and why.';

-- Search.
CREATE DOMAIN roost.search_text AS text CHECK (char_length(VALUE) <= 500);
COMMENT ON DOMAIN roost.search_text IS 'What somebody looks for: at most 500 characters.';

CREATE TYPE roost.search_type AS ENUM ('all', 'posts', 'accounts', 'hashtags', 'tweets', 'users');
COMMENT ON TYPE roost.search_type IS 'What is looked for: all kinds, or one. tweets is posts, users is accounts.';

CREATE TYPE roost.search_order AS ENUM ('recent', 'top');
COMMENT ON TYPE roost.search_order IS 'Of posts that were found: recent: newest first. top: by how well they match, what others did to them, and age.';

CREATE TYPE roost.search_hashtag AS (
	hashtag text,
	posts bigint
);
COMMENT ON TYPE roost.search_hashtag IS 'A hashtag that was found, in lower case, and how many public posts have it.';

CREATE TYPE roost.search_result AS (
	posts roost.post[],
	accounts roost.account[],
	hashtags roost.search_hashtag[],
	next text,
	partial boolean
);
COMMENT ON TYPE roost.search_result IS 'What was found, by kind; what was not looked for is null. next, where one kind was looked for: as "before" it gives the next page, null at the end. partial: the search has stopped before it had looked at everything; next goes on from there.';

CREATE TYPE roost.search_settings AS (
	posts_indexed boolean,
	by_email boolean
);
COMMENT ON TYPE roost.search_settings IS 'How an account can be found: posts_indexed: others find its posts; by_email: who knows its verified address exactly finds the account.';

-- Friends.
CREATE TYPE roost.friend_request AS (
	id roost.id,
	account roost.author,
	outgoing boolean,
	accepted boolean,
	created_at timestamptz
);
COMMENT ON TYPE roost.friend_request IS 'A request to become friends. account is the other one; outgoing says that the reader has sent it; accepted: it does not wait any more, the two are friends now.';

CREATE TYPE roost.friend_request_direction AS ENUM ('incoming', 'outgoing');
COMMENT ON TYPE roost.friend_request_direction IS 'incoming: requests that wait for the caller; outgoing: those that it has made.';

CREATE TYPE roost.friend AS (
	account roost.author,
	since timestamptz,
	online boolean,
	changed_at timestamptz,
	cursor bigint
);
COMMENT ON TYPE roost.friend IS 'A friend, and since when. online: it has a stream, and shows that to the reader; changed_at is since when that is so, null if it is not known or not shown.';

-- Keys.
CREATE DOMAIN roost.key_base64 AS text COLLATE "C" CHECK (octet_length(VALUE) <= 4096 AND VALUE ~ '^[A-Za-z0-9+/_-]+={0,2}$');
COMMENT ON DOMAIN roost.key_base64 IS 'A key or a signature in base64 (with or without padding; also base64url): an identity key or a prekey is 33 bytes (0x05 and a Curve25519 point), a Kyber-1024 key 1,569 bytes (0x08 and the key), a signature 64 bytes.';

CREATE DOMAIN roost.key_device_number AS integer CHECK (VALUE BETWEEN 1 AND 127);
COMMENT ON DOMAIN roost.key_device_number IS 'The number of a device among those of its account: 1 to 127.';

CREATE TYPE roost.key_device AS (
	account_id roost.id,
	device integer,
	registration_id integer,
	identity_key text
);
COMMENT ON TYPE roost.key_device IS 'A device with keys: its number among those of its account, its registration id (another one after it was set up anew), its identity key in base64.';

CREATE DOMAIN roost.key_registration_id AS integer CHECK (VALUE BETWEEN 1 AND 16383);
COMMENT ON DOMAIN roost.key_registration_id IS 'A registration id: 1 to 16383, chosen at random when a device is set up.';

CREATE DOMAIN roost.key_id AS integer CHECK (VALUE BETWEEN 0 AND 16777215);
COMMENT ON DOMAIN roost.key_id IS 'The number of a prekey among those of its kind and device: 0 to 16777215.';

CREATE TYPE roost.key_prekey_input AS (
	id roost.key_id,
	key roost.key_base64
);
COMMENT ON TYPE roost.key_prekey_input IS 'A one-time prekey that a device publishes.';

CREATE TYPE roost.key_signed_prekey_input AS (
	id roost.key_id,
	key roost.key_base64,
	signature roost.key_base64
);
COMMENT ON TYPE roost.key_signed_prekey_input IS 'A signed prekey or a Kyber prekey that a device publishes; the signature, by its identity key, is of the whole key with its first byte.';

CREATE TYPE roost.key_prekey AS (
	id integer,
	key text
);
COMMENT ON TYPE roost.key_prekey IS 'A one-time prekey in base64.';

CREATE TYPE roost.key_signed_prekey AS (
	id integer,
	key text,
	signature text
);
COMMENT ON TYPE roost.key_signed_prekey IS 'A prekey with the signature of its device''s identity key, in base64.';

CREATE TYPE roost.key_kyber_prekey AS (
	id integer,
	key text,
	signature text,
	last_resort boolean
);
COMMENT ON TYPE roost.key_kyber_prekey IS 'A Kyber prekey with the signature of its device''s identity key, in base64. last_resort: it is handed out again and again, because no one-time one is left.';

CREATE TYPE roost.key_bundle AS (
	device integer,
	registration_id integer,
	identity_key text,
	signed_prekey roost.key_signed_prekey,
	prekey roost.key_prekey,
	kyber_prekey roost.key_kyber_prekey
);
COMMENT ON TYPE roost.key_bundle IS 'What it takes to begin a session with a device. prekey is null if no one-time prekey is left.';

CREATE TYPE roost.key_bundle_set AS (
	account_id roost.id,
	devices roost.key_bundle[]
);
COMMENT ON TYPE roost.key_bundle_set IS 'Bundles of devices of an account; none if it has no device with keys.';

CREATE TYPE roost.key_status AS (
	device integer,
	registration_id integer,
	identity_key text,
	linked_at timestamptz,
	signed_prekey_id integer,
	signed_prekey_at timestamptz,
	kyber_prekey_id integer,
	kyber_prekey_at timestamptz,
	prekey_count integer,
	kyber_prekey_count integer
);
COMMENT ON TYPE roost.key_status IS 'What the server has of the keys of the device that asks: the ids of its signed prekey and of its Kyber prekey of last resort and since when they are these, and how many one-time prekeys of each kind are left.';

CREATE TYPE roost.key_own_device AS (
	device integer,
	device_id roost.id,
	name text,
	platform text,
	registration_id integer,
	identity_key text,
	linked_at timestamptz,
	used_at timestamptz,
	current boolean
);
COMMENT ON TYPE roost.key_own_device IS 'A device with keys of the account that asks. used_at: the day on which it last published or fetched anything; current: it is the one that asks.';

CREATE TYPE roost.key_device_set AS (
	devices roost.key_device[],
	devices_version text
);
COMMENT ON TYPE roost.key_device_set IS 'The devices of a conversation, and a name for exactly these: another device, or one that was set up anew, is another version.';

-- Conversations and messages.
CREATE DOMAIN roost.message_text AS text CHECK (octet_length(VALUE) <= 65536 AND VALUE !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f]');
COMMENT ON DOMAIN roost.message_text IS 'The text of a message: at most roost.message_max_length characters, no control characters but tab and line feed.';

CREATE DOMAIN roost.message_client_id AS text COLLATE "C" CHECK (VALUE ~ '^[A-Za-z0-9_.:-]{1,64}$');
COMMENT ON DOMAIN roost.message_client_id IS 'The name that a client gives its message before it has an id: 1 to 64 of A-Z, a-z, 0-9, _ . : and -. Sending it again is answered with the message that was made.';

CREATE DOMAIN roost.reaction AS text CHECK (octet_length(VALUE) BETWEEN 1 AND 64 AND char_length(VALUE) <= 16 AND VALUE !~ '[[:cntrl:][:space:]<>&\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]');
COMMENT ON DOMAIN roost.reaction IS 'A reaction: one emoji, or a short word; at most 16 characters without spaces, and without those that turn the direction of writing.';

CREATE DOMAIN roost.conversation_title AS text CHECK (char_length(VALUE) <= 100 AND VALUE !~ '[\u0001-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]');
COMMENT ON DOMAIN roost.conversation_title IS 'The title of a group: at most 100 characters in one line.';

CREATE DOMAIN roost.conversation_description AS text CHECK (char_length(VALUE) <= 500 AND VALUE !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]');
COMMENT ON DOMAIN roost.conversation_description IS 'What a group is about: at most 500 characters.';

CREATE DOMAIN roost.invite_code AS text COLLATE "C" CHECK (VALUE ~ '^[A-Za-z0-9_-]{8,64}$');
COMMENT ON DOMAIN roost.invite_code IS 'The code of an invitation to a group.';

CREATE DOMAIN roost.member_ref AS text COLLATE "C" CHECK (VALUE ~ '^([0-9]{1,19}|@[A-Za-z0-9_]{1,30}|me)$');
COMMENT ON DOMAIN roost.member_ref IS 'Names a member of a conversation: the id of its account, its user name with @ before it, or "me".';

CREATE TYPE roost.conversation_kind AS ENUM ('direct', 'group');
COMMENT ON TYPE roost.conversation_kind IS 'direct: two accounts, one conversation a pair; group: as many as roost.group_max_members.';

CREATE TYPE roost.conversation_encryption AS ENUM ('none', 'e2ee');
COMMENT ON TYPE roost.conversation_encryption IS 'none: the server keeps the texts; e2ee: it passes envelopes on that only devices can open.';

CREATE TYPE roost.member_role AS ENUM ('member', 'admin', 'owner');
COMMENT ON TYPE roost.member_role IS 'What a member of a group may do: member: write; admin: besides change the group, invite, add and remove members, delete messages; owner: besides appoint and dismiss admins and owners. A group has an owner as long as it has members.';

CREATE TYPE roost.message_state AS ENUM ('sent', 'delivered', 'read');
COMMENT ON TYPE roost.message_state IS 'How far a message has come with all who were to get it: sent (stored), delivered (a device of each has it), read (each has opened it).';

CREATE TYPE roost.message_action AS ENUM ('created', 'joined', 'left', 'added', 'removed', 'role', 'updated', 'timer', 'encrypted');
COMMENT ON TYPE roost.message_action IS 'What a message tells that nobody wrote: the group was created; somebody joined by an invitation, left, was added or removed by the sender, has another role; title, description or picture, or the timer was changed; the conversation is encrypted from here on.';

CREATE TYPE roost.message_reaction AS (
	reaction text,
	count integer,
	mine boolean
);
COMMENT ON TYPE roost.message_reaction IS 'How many members reacted so, and whether the reader did (false in events).';

CREATE TYPE roost.message_embed AS (
	id roost.id,
	sender roost.author,
	text text,
	encrypted boolean,
	created_at timestamptz,
	deleted_at timestamptz
);
COMMENT ON TYPE roost.message_embed IS 'A message that another one answers; text is its beginning (200 characters), null if it is encrypted, deleted or only has media.';

CREATE TYPE roost.message AS (
	id roost.id,
	conversation_id roost.id,
	sender roost.author,
	text text,
	media jsonb,
	encrypted boolean,
	action roost.message_action,
	target roost.author,
	detail jsonb,
	reply_to roost.message_embed,
	forwarded boolean,
	reactions roost.message_reaction[],
	state roost.message_state,
	delivered_count integer,
	read_count integer,
	client_id text,
	created_at timestamptz,
	edited_at timestamptz,
	deleted_at timestamptz,
	expires_at timestamptz,
	cursor bigint
);
COMMENT ON TYPE roost.message IS 'A message. text is null if it is encrypted (its content came to the device in an envelope), if it was deleted for everyone (deleted_at) or only has media. action is not null for what nobody wrote: then sender did that, to target, and detail says more. state, delivered_count and read_count say how far it has come (without its sender); they are shown to its sender and null for others. client_id is shown to its sender. expires_at: when it disappears. cursor is the position in a list.';

CREATE TYPE roost.message_reactor AS (
	account roost.author,
	reactions text[],
	reacted_at timestamptz,
	cursor bigint
);
COMMENT ON TYPE roost.message_reactor IS 'How somebody reacted to a message, in the order in which it was done, and when first.';

CREATE TYPE roost.message_receipt AS (
	account roost.author,
	delivered boolean,
	read boolean,
	cursor bigint
);
COMMENT ON TYPE roost.message_receipt IS 'How far a message has come with one of those who were to get it.';

CREATE TYPE roost.conversation_member AS (
	account roost.author,
	role roost.member_role,
	joined_at timestamptz,
	read_id roost.id,
	delivered_id roost.id,
	cursor bigint
);
COMMENT ON TYPE roost.conversation_member IS 'A member of a conversation. read_id and delivered_id: up to which message it has read, and its devices have, everything; null: none yet.';

CREATE TYPE roost.conversation AS (
	id roost.id,
	kind roost.conversation_kind,
	encryption roost.conversation_encryption,
	title text,
	description text,
	avatar_url text,
	created_at timestamptz,
	member_count integer,
	members roost.author[],
	role roost.member_role,
	expire_after integer,
	can_send boolean,
	read_id roost.id,
	unread_count integer,
	last_message roost.message,
	muted boolean,
	muted_until timestamptz,
	archived boolean,
	pinned boolean,
	cursor text
);
COMMENT ON TYPE roost.conversation IS 'A conversation as one of its members sees it. members are up to eight of the others (of a direct one: the other). expire_after: seconds after which new messages disappear, null never. can_send: false if one of the two of a direct conversation has blocked the other or takes no messages from it. unread_count: messages by others after read_id, at most 1000. muted: nobody is to be disturbed by it, until muted_until if that is not null. cursor is the position in a list.';

CREATE TYPE roost.conversation_unread AS (
	conversations integer,
	messages integer,
	muted integer
);
COMMENT ON TYPE roost.conversation_unread IS 'What an account has not read: conversations that are not muted, messages in them (at most 1000), and muted conversations.';

CREATE TYPE roost.conversation_invite AS (
	code text,
	conversation_id roost.id,
	title text,
	description text,
	avatar_url text,
	member_count integer,
	created_by roost.author,
	created_at timestamptz,
	expires_at timestamptz,
	max_uses integer,
	uses integer,
	revoked_at timestamptz,
	cursor bigint
);
COMMENT ON TYPE roost.conversation_invite IS 'An invitation to a group. expires_at and max_uses null: no end. Who is not a member sees neither created_by nor the uses.';

CREATE TYPE roost.message_search AS (
	items roost.message[],
	next text,
	partial boolean
);
COMMENT ON TYPE roost.message_search IS 'Messages that were found, newest first. next: as "before" it gives the next page, null at the end. partial: the page ends early, for not more was looked at; next goes on from there.';

CREATE TYPE roost.message_scope AS ENUM ('me', 'everyone');
COMMENT ON TYPE roost.message_scope IS 'For whom a message is deleted.';

CREATE TYPE roost.chat_settings AS (
	read_receipts boolean
);
COMMENT ON TYPE roost.chat_settings IS 'What an account has set for its conversations. read_receipts: others are told what it has read, and it is told what others have.';

CREATE DOMAIN roost.envelope_type AS smallint CHECK (VALUE IN (2, 3, 7, 8));
COMMENT ON DOMAIN roost.envelope_type IS 'What an envelope holds, as libsignal counts: 2 a message of a session, 3 one that begins a session, 7 one with a sender key, 8 plaintext (a request to repeat).';

CREATE DOMAIN roost.envelope_content AS bytea CHECK (octet_length(VALUE) BETWEEN 1 AND 65536);
COMMENT ON DOMAIN roost.envelope_content IS 'Ciphertext of 1 byte to 64 KiB.';

CREATE DOMAIN roost.devices_version AS text COLLATE "C" CHECK (VALUE ~ '^[0-9a-f]{32}$');
COMMENT ON DOMAIN roost.devices_version IS 'The devices_version of GET /encryption/conversations/:conversation_id/devices.';

CREATE TYPE roost.envelope_input AS (
	account_id roost.id,
	device roost.key_device_number,
	registration_id integer,
	type roost.envelope_type,
	content roost.envelope_content
);
COMMENT ON TYPE roost.envelope_input IS 'An envelope for a device: ciphertext (base64) that only that device can open. registration_id is the one that it had when this was encrypted.';

CREATE TYPE roost.envelope_gap AS (
	envelopes integer,
	messages integer,
	since timestamptz,
	until timestamptz
);
COMMENT ON TYPE roost.envelope_gap IS 'What a device has lost of a conversation, because it waited too long or too much waited: how many envelopes, of how many messages, and when the oldest and the newest of them were sent.';

CREATE TYPE roost.envelope AS (
	id roost.id,
	conversation_id roost.id,
	message_id roost.id,
	sender_id roost.id,
	sender_device integer,
	type integer,
	content text,
	created_at timestamptz,
	lost roost.envelope_gap
);
COMMENT ON TYPE roost.envelope IS 'An envelope that waits for the device that asks. message_id is null if it is no message, but keys of a group, say. sender_device is the number of the device that sent it; content is base64. With type 0 it is none, but says what the device has lost of the conversation (lost, null in envelopes); then message_id, sender_id, sender_device and content are null.';
