-- Types of the timeline module.

CREATE TYPE roost.timeline_order AS ENUM ('recent', 'top');
COMMENT ON TYPE roost.timeline_order IS 'recent: newest first. top: by what others did to a post, what the reader did to its author''s posts, and age.';

CREATE TYPE roost.timeline_replies AS ENUM ('following', 'all', 'none');
COMMENT ON TYPE roost.timeline_replies IS 'Which replies a home timeline shows: following (those to accounts the reader follows, and to the reader), all, or none.';

CREATE TYPE roost.timeline_explanation AS (
	post_id roost.id,
	entry_id roost.id,
	place integer,
	score double precision,
	age double precision,
	decay double precision,
	likes double precision,
	replies double precision,
	retweets double precision,
	quotes double precision,
	engagement double precision,
	interaction double precision,
	affinity double precision,
	above integer,
	diversity double precision,
	seen_count integer,
	seen double precision
);
COMMENT ON TYPE roost.timeline_explanation IS 'Why a post stands where it stands in a home timeline with the order top. score = engagement * affinity * diversity * seen * decay. entry_id: the post itself or the retweet that brings it, place: 1 is the best; both null if it is not among the entries that are ranked. age in seconds, decay what is left after it. likes, replies, retweets, quotes: the counters times their weights; engagement: 1 + their sum. interaction: what the caller has done to the author''s posts, affinity its factor. above: entries of the same account above this one, diversity its factor. seen_count: times the caller has been shown the post, seen its factor.';
