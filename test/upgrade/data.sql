-- People, follows and posts for the suite "upgrade"; uses only what every version has.
DO $$
DECLARE
	v_alice bigint := ((roost.auth_register('alice', 'alice@example.org', 'correct horse battery staple')).account).id;
	v_bob bigint := ((roost.auth_register('bob', 'bob@example.org', 'correct horse battery staple')).account).id;
	v_post bigint;
BEGIN
	PERFORM roost.account_follow(v_alice, v_bob::text);
	v_post := (roost.post_create(v_bob, 'hello @alice #first')).id;
	PERFORM roost.post_like(v_alice, v_post);
	PERFORM roost.post_create(v_alice, 'an answer', reply_to_id => v_post);
END
$$;
