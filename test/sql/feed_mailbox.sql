-- Mailboxes: what is addressed to whom, as long as it stands, and who may see it.
INSERT INTO roost_data.account (id, username) SELECT n, 'feed_mail_' || n FROM generate_series(8201, 8204) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 8201 AND 8204;
CREATE FUNCTION feed_mail(account_id bigint) RETURNS TABLE (kind roost.mailbox_kind, actor_id bigint, post boolean) LANGUAGE plpgsql AS $$
BEGIN
	IF NOT roost.worker_sync('1 minute') THEN
		RAISE EXCEPTION 'the worker does not work';
	END IF;
	RETURN QUERY SELECT m.kind, m.actor_id, m.post_id IS NOT NULL FROM roost_internal.mailbox_read(feed_mail.account_id, 0, 100) m;
END
$$;

SELECT id AS post FROM roost.post_create(8201, 'mine') \gset
SELECT (roost.post_like(8202, :post)).liked;
SELECT (roost.post_retweet(8202, :post)).retweeted;
SELECT id AS reply FROM roost.post_create(8202, 'an answer, @feed_mail_8201', reply_to_id => :post) \gset
SELECT id AS quote FROM roost.post_create(8202, 'see @feed_mail_8201 and @feed_mail_8203', reply_to_id => :post, quote_of_id => :post) \gset
SELECT (roost.account_follow(8202, '8201')).following;
-- one entry an act; own acts make none
SELECT * FROM feed_mail(8201);
SELECT * FROM feed_mail(8203);
SELECT (roost.post_like(8201, :post)).liked;
SELECT count(roost.post_create(8201, 'to myself, @feed_mail_8201', reply_to_id => :post));
SELECT count(*) FROM feed_mail(8201);

-- an edit moves mentions
SELECT (roost.post_edit(8202, :quote, 'see @feed_mail_8204')).id = :quote AS edited;
SELECT * FROM feed_mail(8201);
SELECT count(*) FROM feed_mail(8203);
SELECT * FROM feed_mail(8204);

-- what was undone goes
SELECT (roost.post_unlike(8202, :post)).liked;
SELECT (roost.post_unretweet(8202, :post)).retweeted;
SELECT (roost.account_unfollow(8202, '8201')).following;
SELECT (roost.post_delete(8202, :reply)).id = :reply AS deleted;
SELECT * FROM feed_mail(8201);
-- and comes again with the same act
SELECT (roost.post_like(8202, :post)).liked;
SELECT (roost.account_follow(8202, '8201')).following;
SELECT * FROM feed_mail(8201);

-- who may not see a post does not see its entry, at present
SELECT id AS hidden FROM roost.post_create(8203, 'an answer for followers', reply_to_id => :post, visibility => 'followers') \gset
SELECT count(*) FROM feed_mail(8201) WHERE actor_id = 8203;
SELECT (roost.account_follow(8201, '8203')).following;
SELECT * FROM feed_mail(8201) WHERE actor_id = 8203;
UPDATE roost_data.account SET status = 'suspended' WHERE id = 8203;
SELECT count(*) FROM feed_mail(8201) WHERE actor_id = 8203;
UPDATE roost_data.account SET status = 'active' WHERE id = 8203;

-- a private account is asked
UPDATE roost_data.account SET is_private = true WHERE id = 8204;
SELECT (roost.account_follow(8203, '8204')).requested;
SELECT * FROM feed_mail(8204) WHERE actor_id = 8203;
SELECT (roost.follow_request_accept(8204, '8203')).followed_by;
SELECT * FROM feed_mail(8204) WHERE actor_id = 8203;

-- imports of past times make no entries
INSERT INTO roost_data.post (id, author_id, thread_id, reply_to_id, reply_to_account_id, created_at, text)
SELECT i, 8203, :post, :post, 8201, '2020-01-01', 'long ago' FROM (SELECT roost_internal.id_at('2020-01-01 00:00:00Z', 8203, 1) AS i) n;
SELECT count(*) FROM feed_mail(8201) WHERE actor_id = 8203;

-- taken along, and left behind
SELECT (roost_internal.feed_export(8201) -> 0) ?& ARRAY['kind', 'account_id', 'created_at'] AS export;
SELECT roost_internal.account_erase(8202);
SELECT roost.worker_sync('1 minute');
SELECT count(*) FROM roost_data.mailbox WHERE account_id = 8202 OR actor_id = 8202;
SELECT count(roost.post_create(8203, 'to nobody, @feed_mail_8202'));
SELECT roost.worker_sync('1 minute');
SELECT count(*) FROM roost_data.mailbox WHERE account_id = 8202;
SELECT problem, what, account_id FROM roost_internal.feed_check() WHERE account_id BETWEEN 8201 AND 8204;
DROP FUNCTION feed_mail(bigint);

DELETE FROM roost_data.follow WHERE follower_id BETWEEN 8201 AND 8204;
DELETE FROM roost_data.post WHERE author_id BETWEEN 8201 AND 8204;
