-- Types of the friend module.

CREATE TYPE roost.friend_request AS (
	id roost.id,
	account roost.author,
	outgoing boolean,
	created_at timestamptz
);
COMMENT ON TYPE roost.friend_request IS 'A request to become friends that waits for an answer. account is the other one; outgoing says that the reader has sent it.';

CREATE TYPE roost.friend AS (
	account roost.author,
	since timestamptz,
	online boolean,
	changed_at timestamptz,
	cursor bigint
);
COMMENT ON TYPE roost.friend IS 'A friend, and since when. online: it has a stream, and shows that to the reader; changed_at is since when that is so, null if it is not known or not shown.';
