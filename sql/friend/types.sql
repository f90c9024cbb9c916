-- Types of the friend module.

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
