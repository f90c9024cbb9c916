-- Tables of the limit module.

CREATE TABLE IF NOT EXISTS roost_data.limit_policy (
	class text COLLATE "C" NOT NULL CHECK (class ~ '^[a-z][a-z0-9_]{0,62}$' AND class <> 'none'),
	name text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
	"limit" integer NOT NULL CHECK ("limit" BETWEEN 1 AND 1000000),
	period interval NOT NULL CHECK (period BETWEEN interval '1 millisecond' AND interval '366 days'),
	burst integer NOT NULL CHECK (burst BETWEEN 1 AND 1000000),
	key text COLLATE "C" NOT NULL CHECK (key IN ('account', 'address', 'account_or_address', 'target')),
	enabled boolean NOT NULL DEFAULT true,
	CHECK (period * burst / "limit" <= interval '3660 days'),
	PRIMARY KEY (class, name)
);
COMMENT ON TABLE roost_data.limit_policy IS 'Rate limits: of each class, "limit" units a period, burst of them at once, counted by account, address (of IPv6 the /64), account_or_address (the address of those who are not logged in) or target (what the request is about). To drop a built-in policy set enabled to false: roost.install() adds missing ones.';

CREATE OR REPLACE TRIGGER limit_policy_changed AFTER INSERT OR UPDATE OR DELETE ON roost_data.limit_policy
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.relation_changed();

INSERT INTO roost_data.limit_policy (class, name, "limit", period, burst, key) VALUES
	('default', 'second', 5, '1 second', 10, 'account_or_address'),
	('default', 'five_minutes', 300, '5 minutes', 300, 'account_or_address'),
	('login', 'address', 30, '5 minutes', 30, 'address'),
	('login', 'target', 10, '5 minutes', 10, 'target'),
	('register', 'address', 30, '30 minutes', 30, 'address'),
	('refresh', 'address', 150, '5 minutes', 150, 'address'),
	('password', 'account_or_address', 10, '1 hour', 10, 'account_or_address'),
	('password', 'target', 5, '1 hour', 5, 'target'),
	('mail', 'address', 20, '1 hour', 20, 'address'),
	('mail', 'target', 5, '1 hour', 5, 'target'),
	('export', 'account', 2, '1 day', 2, 'account'),
	('write', 'account', 150, '5 minutes', 150, 'account_or_address'),
	('post', 'account', 300, '3 hours', 300, 'account'),
	('delete', 'account', 60, '30 minutes', 60, 'account'),
	('follow', 'account', 400, '1 day', 200, 'account'),
	('like', 'account', 1000, '1 day', 500, 'account'),
	('signal', 'account', 120, '1 minute', 60, 'account'),
	('key', 'account', 60, '1 hour', 30, 'account'),
	('key_fetch', 'account', 1200, '1 hour', 600, 'account'),
	('key_fetch', 'target', 30, '1 hour', 10, 'target'),
	('key_prekey', 'target', 600, '1 hour', 300, 'target'),
	('message', 'account', 60, '1 minute', 60, 'account'),
	('envelope', 'account', 120, '1 minute', 120, 'account'),
	('envelope_size', 'account', 65536, '1 hour', 65536, 'account'),
	('upload', 'account', 30, '30 minutes', 30, 'account'),
	('report', 'account', 30, '1 day', 10, 'account'),
	('search', 'account', 60, '1 minute', 60, 'account_or_address'),
	('search_email', 'account', 20, '1 hour', 20, 'account'),
	('stream', 'minute', 20, '1 minute', 20, 'account'),
	('stream', 'hour', 200, '1 hour', 200, 'account'),
	('stream', 'address_minute', 240, '1 minute', 240, 'address'),
	('stream', 'address_hour', 3000, '1 hour', 3000, 'address')
ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS roost_data.limit_exemption (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	account_id bigint UNIQUE,
	network cidr UNIQUE,
	reason text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	CHECK (num_nonnulls(account_id, network) = 1)
);
COMMENT ON TABLE roost_data.limit_exemption IS 'Accounts and networks to which no rate limit applies, and why.';

CREATE OR REPLACE TRIGGER limit_exemption_changed AFTER INSERT OR UPDATE OR DELETE ON roost_data.limit_exemption
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.relation_changed();

CREATE OR REPLACE TRIGGER limit_policy_audit AFTER INSERT OR UPDATE OR DELETE ON roost_data.limit_policy
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('limit_policy', 'class,name', 'limit', 'period', 'burst', 'key', 'enabled');
CREATE OR REPLACE TRIGGER limit_exemption_audit AFTER INSERT OR UPDATE OR DELETE ON roost_data.limit_exemption
	FOR EACH ROW EXECUTE FUNCTION roost_internal.audit_watch('limit_exemption', 'id', '@account_id', 'account_id', 'network!', 'reason');
