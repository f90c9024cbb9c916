-- Roles: who may change them, what they allow, and that somebody who may change them is always left.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username) SELECT 8100 + n, 'role_' || n FROM generate_series(1, 9) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'role_' || n, 8100 + n FROM generate_series(1, 9) n;

-- the first admin comes from the owner of the database
SELECT roost.role_list(8101);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_grant('@role_1', 'admin');
SELECT roost.role_grant('@role_2', 'emperor');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_grant('@nobody_at_all', 'admin');
\echo :LAST_ERROR_SQLSTATE
SELECT name, rank, cardinality(permissions) AS permissions, account_count FROM roost.role_list(8101);
SELECT (roost.account_me(8101)).permissions = ARRAY(SELECT p FROM roost.permission_list(8101) p ORDER BY p COLLATE "C") AS all_of_them, (roost.account_me(8102)).permissions;

-- a role of one's own
SELECT * FROM roost.role_set(8101, 'helper', 20, '{report.read,case.handle}', 'Looks at reports');
SELECT * FROM roost.role_set(8101, 'helper', 21, '{report.read,report.read,account.read}');
SELECT * FROM roost.role_set(8101, 'chief', 70, '{account.role,role.read,role.write,report.read}', 'Appoints helpers');
SELECT roost.role_set(8101, 'helper', 20, '{fly}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(8101, 'helper', 20, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(8101, 'helper', 20, '{NULL}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(8101, 'helper', 1001, '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(8101, 'helper', NULL, '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(8101, 'user', 0, '{audit.read}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(8101, 'helper', 20, '{}', repeat('x', 301));
\echo :LAST_ERROR_SQLSTATE

-- giving roles
SELECT username, role, rank FROM roost.account_role_set(8101, '@role_2', 'chief');
SELECT username, role, rank FROM roost.account_role_set(8102, '8103', 'user');
SELECT roost.account_role_set(8102, '8103', 'emperor');
\echo :LAST_ERROR_SQLSTATE
-- nothing that one has not: the helper reads accounts, the chief does not
SELECT roost.account_role_set(8102, '8103', 'helper');
\echo :LAST_ERROR_SQLSTATE
SELECT permissions FROM roost.role_set(8101, 'helper', 21, '{report.read}');
SELECT username, role FROM roost.account_role_set(8102, '8103', 'helper');
SELECT permissions FROM roost.account_me(8103);
-- nothing above oneself, and nobody of one's own rank
SELECT roost.account_role_set(8102, '8103', 'admin');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_role_set(8102, '8102', 'admin');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_role_set(8102, '8101', 'user');
\echo :LAST_ERROR_SQLSTATE
SELECT username, role FROM roost.account_role_set(8102, '8104', 'chief');
SELECT roost.account_role_set(8102, '8104', 'user');
\echo :LAST_ERROR_SQLSTATE
-- no rights, no roles
SELECT roost.account_role_set(8103, '8105', 'user');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_role_set(8105, '8105', 'admin');
\echo :LAST_ERROR_SQLSTATE

-- changing roles: below one's own, with what one has
SELECT roost.role_set(8102, 'helper', 70, '{report.read}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(8102, 'helper', 21, '{audit.read}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(8102, 'chief', 60, '{report.read}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(8102, 'admin', 60, '{report.read}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(8103, 'helper', 10, '{report.read}');
\echo :LAST_ERROR_SQLSTATE
SELECT permissions FROM roost.role_set(8102, 'helper', 21, '{}');
SELECT permissions FROM roost.account_me(8103);

-- deleting: not what is in use
SELECT roost.role_delete(8102, 'helper');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_delete(8102, 'admin');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_delete(8101, 'user');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_delete(8101, 'emperor');
\echo :LAST_ERROR_SQLSTATE
SELECT role FROM roost.account_role_set(8102, '8103', 'user');
SELECT roost.role_delete(8103, 'helper');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_delete(8102, 'helper');
SELECT array_agg(name) FROM roost.role_list(8101);

-- an account's role is one that there is, however it is written
UPDATE roost_data.account SET role = 'emperor' WHERE id = 8105;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO roost_data.account (id, username, role) VALUES (8110, 'role_10', 'emperor');
\echo :LAST_ERROR_SQLSTATE
DELETE FROM roost_data.role WHERE name = 'chief';
\echo :LAST_ERROR_SQLSTATE
UPDATE roost_data.role SET name = 'boss' WHERE name = 'chief';
\echo :LAST_ERROR_SQLSTATE

-- the last one who may change roles stays (the chiefs may, too)
UPDATE roost_data.account SET role = 'user' WHERE id IN (8102, 8104);
SELECT roost.account_role_set(8101, '8101', 'user');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_grant('8101', 'moderator');
\echo :LAST_ERROR_SQLSTATE
UPDATE roost_data.account SET status = 'suspended' WHERE id = 8101;
\echo :LAST_ERROR_SQLSTATE
SELECT roost_internal.account_erase(8101);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_grant('8102', 'admin');
SELECT role FROM roost.account_role_set(8101, '8101', 'moderator');
-- an account that is suspended counts for nothing, and may nothing
SELECT roost.role_grant('8101', 'admin');
UPDATE roost_data.account SET status = 'suspended' WHERE id = 8102;
SELECT roost.role_list(8102);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_role_set(8102, '8105', 'user');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_role_set(8101, '8101', 'user');
\echo :LAST_ERROR_SQLSTATE
UPDATE roost_data.account SET role = 'user' WHERE id = 8102;

ROLLBACK;
