-- Types of the admin module.

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
