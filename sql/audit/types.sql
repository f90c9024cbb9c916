-- Types of the audit module.

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
