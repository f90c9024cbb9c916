-- Types of the live module.

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
