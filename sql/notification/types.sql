-- Types of the notification module: what an account gets to know of what
-- others do to it.

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
