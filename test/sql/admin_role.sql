-- Each kind of role can do its work, and is refused what it may not (the whole list is in api_privileges).
\set VERBOSITY terse
CREATE ROLE role_gateway;
CREATE ROLE role_worker;
CREATE ROLE role_analyst;
CREATE ROLE role_admin;
SELECT roost.grant_gateway('role_gateway');
SELECT roost.grant_worker('role_worker');
SELECT roost.grant_analyst('role_analyst');
SELECT roost.grant_admin('role_admin');

SET ROLE role_gateway;
SELECT split_part(roost.handle('GET', '/health', '', '', NULL, '192.0.2.77'), E'\n', 1) AS status;
SELECT count(*) FROM roost_data.account;
SELECT roost.account_delete(1, 'x');
SELECT roost.grant_gateway('role_worker');
RESET ROLE;
SET ROLE role_analyst;
SELECT count(*) >= 0 AS reads FROM roost_bi.account;
SELECT roost.handle('GET', '/health', '', '', NULL, '192.0.2.77');
SELECT count(*) FROM roost_data.account_email;
RESET ROLE;
SET ROLE role_admin;
SELECT count(*) >= 0 AS reads FROM roost.stat_worker, roost.stat_job, roost.stat_lockout;
SELECT count(*) >= 0 AS reads FROM roost.stat_limit, roost.stat_limit_policy, roost.stat_event;
SELECT roost.uninstall('roost');
RESET ROLE;

DROP OWNED BY role_gateway, role_worker, role_analyst, role_admin;
DROP ROLE role_gateway, role_worker, role_analyst, role_admin;
