-- Lists of accounts: nobody else's, their bounds, their members.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username, is_private) SELECT 20000 + n, 'list_' || n, n = 3 FROM generate_series(1, 1005) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'list_' || n, 20000 + n FROM generate_series(1, 1005) n;

SELECT l.id AS one_id, l.title, l.member_count FROM roost.list_create(20001, '  Birds ') l \gset
\echo :title :member_count
SELECT l.id AS two_id FROM roost.list_create(20001, 'Fish') l \gset
SELECT title, member_count FROM roost.list_list(20001);
SELECT title FROM roost.list_list(20002);

-- members need not be followed, nor be open; oneself may be one
SELECT title, member_count FROM roost.list_member_add(20001, :'one_id', '@list_2');
SELECT title, member_count FROM roost.list_member_add(20001, :'one_id', '20003');
SELECT title, member_count FROM roost.list_member_add(20001, :'one_id', '20003');
SELECT title, member_count FROM roost.list_member_add(20001, :'one_id', '20001');
SELECT member_count FROM roost.list_member_add(20001, :'two_id', '20002');
SELECT id FROM roost.list_member_list(20001, :'one_id', 2);
SELECT id FROM roost.list_member_list(20001, :'one_id', 2, before => (SELECT min(cursor)::text FROM roost.list_member_list(20001, :'one_id', 2)));
SELECT title FROM roost.account_list_list(20001, '20002');
SELECT title FROM roost.account_list_list(20001, '20003');
SELECT title FROM roost.account_list_list(20002, '20003');
SELECT count(*) FROM roost_data.follow WHERE follower_id = 20001;

-- another's list does not exist
SELECT roost.list_get(20002, :'one_id');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.list_update(20002, :'one_id', 'mine');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.list_delete(20002, :'one_id');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.list_member_list(20002, :'one_id');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.list_member_add(20002, :'one_id', '20004');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.list_member_remove(20002, :'one_id', '20003');
\echo :LAST_ERROR_SQLSTATE
SELECT title, member_count FROM roost.list_get(20001, :'one_id');

SELECT title, member_count FROM roost.list_update(20001, :'one_id', 'Owls');
SELECT title, member_count FROM roost.list_member_remove(20001, :'one_id', '20003');
SELECT title, member_count FROM roost.list_member_remove(20001, :'one_id', '20003');

-- titles
SELECT roost.list_create(20001, '   ');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.list_create(20001, E'a\nb');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.list_create(20001, repeat('x', 101));
\echo :LAST_ERROR_SQLSTATE
SELECT roost.list_create(20001, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.list_member_add(20001, :'one_id', '@nobody_here');
\echo :LAST_ERROR_SQLSTATE

-- bounds: 100 lists, 1,000 accounts on one
SELECT count(roost.list_create(20001, 'l' || n)) FROM generate_series(1, 98) n;
SELECT roost.list_create(20001, 'one more');
\echo :LAST_ERROR_SQLSTATE
SELECT count(roost.list_member_add(20001, :'two_id', (20000 + n)::text)) FROM generate_series(2, 1001) n;
SELECT roost.list_member_add(20001, :'two_id', '21002');
\echo :LAST_ERROR_SQLSTATE
SELECT member_count FROM roost.list_member_add(20001, :'two_id', '20500');

-- one takes them along; deleting a list and accounts
SELECT jsonb_array_length(e->'lists'), e->'lists'->0->>'title', e->'lists'->0->'members'->0->>'username' FROM roost_internal.graph_export(20001) e;
SELECT roost_internal.account_erase(20002);
SELECT member_count FROM roost.list_get(20001, :'two_id');
SELECT roost.list_delete(20001, :'two_id');
SELECT roost.list_get(20001, :'two_id');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM roost_data.list_member WHERE list_id = :two_id;
SELECT roost_internal.account_erase(20001);
SELECT count(*) FROM roost_data.list WHERE account_id = 20001;
SELECT count(*) FROM roost_data.list_member WHERE account_id = 20001;

ROLLBACK;
