-- Tables of the notification module: what an account wants to hear, and how far
-- it has read.  What others did stands in roost_data.mailbox.  The owner of
-- every row is the account that is told.

CREATE TABLE IF NOT EXISTS roost_data.notification_preference (
	account_id bigint PRIMARY KEY,
	follow roost.notification_policy NOT NULL DEFAULT 'everyone',
	follow_request roost.notification_policy NOT NULL DEFAULT 'everyone',
	"like" roost.notification_policy NOT NULL DEFAULT 'everyone',
	retweet roost.notification_policy NOT NULL DEFAULT 'everyone',
	quote roost.notification_policy NOT NULL DEFAULT 'everyone',
	reply roost.notification_policy NOT NULL DEFAULT 'everyone',
	mention roost.notification_policy NOT NULL DEFAULT 'everyone',
	friend_request roost.notification_policy NOT NULL DEFAULT 'everyone',
	friend_accepted roost.notification_policy NOT NULL DEFAULT 'everyone'
);
COMMENT ON TABLE roost_data.notification_preference IS 'Of whose acts an account wants to hear, by type. Who has no row wants to hear of all.';

CREATE TABLE IF NOT EXISTS roost_data.notification_mute (
	account_id bigint NOT NULL,
	muted_id bigint NOT NULL,
	id bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account_id, muted_id)
);
COMMENT ON TABLE roost_data.notification_mute IS 'Of whose acts an account does not want to hear; id orders the list.';
CREATE INDEX IF NOT EXISTS notification_mute_account_id_id_idx ON roost_data.notification_mute (account_id, id DESC);
CREATE INDEX IF NOT EXISTS notification_mute_muted_id_idx ON roost_data.notification_mute (muted_id);

CREATE TABLE IF NOT EXISTS roost_data.notification_thread_mute (
	account_id bigint NOT NULL,
	thread_id bigint NOT NULL,
	id bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (account_id, thread_id)
);
COMMENT ON TABLE roost_data.notification_thread_mute IS 'Threads of which an account does not want to hear.';
CREATE INDEX IF NOT EXISTS notification_thread_mute_account_id_id_idx ON roost_data.notification_thread_mute (account_id, id DESC);

CREATE TABLE IF NOT EXISTS roost_data.notification_marker (
	account_id bigint PRIMARY KEY,
	read_seq bigint NOT NULL,
	updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);
COMMENT ON TABLE roost_data.notification_marker IS 'How far an account has read: up to this seq of its mailbox. It only moves forward.';

CREATE OR REPLACE VIEW roost_bi.notification AS
SELECT m.day, m.kind AS type, count(*) AS acts, count(DISTINCT m.account_id) AS accounts
FROM roost_data.mailbox m
GROUP BY m.day, m.kind;
COMMENT ON VIEW roost_bi.notification IS 'How many acts there were on each day (UTC) of which somebody may be notified, and to how many accounts they were addressed, by type; of the time that mailboxes keep. Nobody''s own.';
