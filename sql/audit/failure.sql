-- What is told of transactions that failed.

CREATE OR REPLACE FUNCTION roost_internal.audit_login_failed(account_id bigint) RETURNS void
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_audit_login_failed';
REVOKE ALL ON FUNCTION roost_internal.audit_login_failed(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.audit_login_failed(bigint) IS 'Counts a failed login of an account (null: of a name that nobody has) for the audit trail, whatever becomes of the transaction; the background worker writes the entry.';
