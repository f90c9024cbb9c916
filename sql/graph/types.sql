-- Types of the graph module.

CREATE TYPE roost.suggestion AS (
	account roost.account,
	followed_by roost.author[],
	followed_by_count bigint,
	cursor bigint
);
COMMENT ON TYPE roost.suggestion IS 'An account that one might follow, and why: up to three accounts one follows that follow it, and how many there are. Where there are none it is popular.';
