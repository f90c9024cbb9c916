-- Types of the feed module.

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
