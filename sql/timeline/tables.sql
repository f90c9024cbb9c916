-- Tables of the timeline module: an index for what everybody may list.

CREATE INDEX IF NOT EXISTS post_public_id_idx ON roost_data.post (id DESC)
	WHERE visibility = 'public' AND reply_to_id IS NULL AND retweet_of_id IS NULL;
