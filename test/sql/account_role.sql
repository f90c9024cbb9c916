-- Roles: who may change them, what they allow, and that somebody who may change them is always left.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username) SELECT 281100 + n, 'role_' || n FROM generate_series(1, 9) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'role_' || n, 281100 + n FROM generate_series(1, 9) n;
-- nobody else has a role, whatever other tests have left
SET LOCAL session_replication_role = replica;
UPDATE roost_data.account SET role = 'user' WHERE role <> 'user';
RESET session_replication_role;

-- the first admin comes from the owner of the database
SELECT roost.role_list(281101);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_grant('@role_1', 'admin');
SELECT roost.role_grant('@role_2', 'emperor');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_grant('@nobody_at_all', 'admin');
\echo :LAST_ERROR_SQLSTATE
SELECT name, rank, cardinality(permissions) AS permissions, account_count FROM roost.role_list(281101);
SELECT (roost.account_me(281101)).permissions = ARRAY(SELECT p FROM roost.permission_list(281101) p ORDER BY p COLLATE "C") AS all_of_them, (roost.account_me(281102)).permissions;

-- a role of one's own
SELECT * FROM roost.role_set(281101, 'helper', 20, '{report.read,case.handle}', 'Looks at reports');
SELECT * FROM roost.role_set(281101, 'helper', 21, '{report.read,report.read,account.read}');
SELECT * FROM roost.role_set(281101, 'chief', 70, '{account.role,role.read,role.write,report.read}', 'Appoints helpers');
SELECT roost.role_set(281101, 'helper', 20, '{fly}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(281101, 'helper', 20, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(281101, 'helper', 20, '{NULL}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(281101, 'helper', 1001, '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(281101, 'helper', NULL, '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(281101, 'user', 0, '{audit.read}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(281101, 'helper', 20, '{}', repeat('x', 301));
\echo :LAST_ERROR_SQLSTATE

-- giving roles
SELECT username, role, rank FROM roost.account_role_set(281101, '@role_2', 'chief');
SELECT username, role, rank FROM roost.account_role_set(281102, '281103', 'user');
SELECT roost.account_role_set(281102, '281103', 'emperor');
\echo :LAST_ERROR_SQLSTATE
-- nothing that one has not: the helper reads accounts, the chief does not
SELECT roost.account_role_set(281102, '281103', 'helper');
\echo :LAST_ERROR_SQLSTATE
SELECT permissions FROM roost.role_set(281101, 'helper', 21, '{report.read}');
SELECT username, role FROM roost.account_role_set(281102, '281103', 'helper');
SELECT permissions FROM roost.account_me(281103);
-- nothing above oneself, and nobody of one's own rank
SELECT roost.account_role_set(281102, '281103', 'admin');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_role_set(281102, '281102', 'admin');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_role_set(281102, '281101', 'user');
\echo :LAST_ERROR_SQLSTATE
SELECT username, role FROM roost.account_role_set(281102, '281104', 'chief');
SELECT roost.account_role_set(281102, '281104', 'user');
\echo :LAST_ERROR_SQLSTATE
-- no rights, no roles
SELECT roost.account_role_set(281103, '281105', 'user');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_role_set(281105, '281105', 'admin');
\echo :LAST_ERROR_SQLSTATE

-- changing roles: below one's own, with what one has
SELECT roost.role_set(281102, 'helper', 70, '{report.read}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(281102, 'helper', 21, '{audit.read}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(281102, 'chief', 60, '{report.read}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(281102, 'admin', 60, '{report.read}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_set(281103, 'helper', 10, '{report.read}');
\echo :LAST_ERROR_SQLSTATE
SELECT permissions FROM roost.role_set(281102, 'helper', 21, '{}');
SELECT permissions FROM roost.account_me(281103);

-- deleting: not what is in use
SELECT roost.role_delete(281102, 'helper');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_delete(281102, 'admin');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_delete(281101, 'user');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_delete(281101, 'emperor');
\echo :LAST_ERROR_SQLSTATE
SELECT role FROM roost.account_role_set(281102, '281103', 'user');
SELECT roost.role_delete(281103, 'helper');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_delete(281102, 'helper');
SELECT array_agg(name) FROM roost.role_list(281101);

-- an account's role is one that there is, however it is written
UPDATE roost_data.account SET role = 'emperor' WHERE id = 281105;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO roost_data.account (id, username, role) VALUES (8110, 'role_10', 'emperor');
\echo :LAST_ERROR_SQLSTATE
DELETE FROM roost_data.role WHERE name = 'chief';
\echo :LAST_ERROR_SQLSTATE
UPDATE roost_data.role SET name = 'boss' WHERE name = 'chief';
\echo :LAST_ERROR_SQLSTATE

-- the last one who may change roles stays (the chiefs may, too)
UPDATE roost_data.account SET role = 'user' WHERE id IN (281102, 281104);
SELECT roost.account_role_set(281101, '281101', 'user');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_grant('281101', 'moderator');
\echo :LAST_ERROR_SQLSTATE
UPDATE roost_data.account SET status = 'suspended' WHERE id = 281101;
\echo :LAST_ERROR_SQLSTATE
SELECT roost_internal.account_erase(281101);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.role_grant('281102', 'admin');
SELECT role FROM roost.account_role_set(281101, '281101', 'moderator');
-- an account that is suspended counts for nothing, and may nothing
SELECT roost.role_grant('281101', 'admin');
UPDATE roost_data.account SET status = 'suspended' WHERE id = 281102;
SELECT roost.role_list(281102);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_role_set(281102, '281105', 'user');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.account_role_set(281101, '281101', 'user');
\echo :LAST_ERROR_SQLSTATE
UPDATE roost_data.account SET role = 'user' WHERE id = 281102;

ROLLBACK;
