-- Statistics for monitoring.

CREATE OR REPLACE FUNCTION roost_internal.stat_metric() RETURNS TABLE (source text, field text, name text, type text, help text)
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	VALUES
		('worker', 'lag', 'roost_worker_lag_seconds', 'gauge', 'How long the oldest waiting event has waited.'),
		('worker', 'queue_depth', 'roost_worker_queue', 'gauge', 'Events that wait for the background worker.'),
		('worker', 'queue_size', 'roost_worker_queue_size', 'gauge', 'Events that can wait.'),
		('worker', 'losses', 'roost_worker_losses_total', 'counter', 'Times that events were dropped and caches were built anew.'),
		('worker', 'in_doubt', 'roost_worker_in_doubt', 'gauge', 'Prepared transactions with events.'),
		('worker', 'turns', 'roost_worker_turns_total', 'counter', 'Turns of the background worker.'),
		('worker', 'failures', 'roost_worker_failures_total', 'counter', 'Errors of its steps.'),
		('worker', 'failing', 'roost_worker_failing', 'gauge', 'Steps whose last call ended in an error.'),
		('worker', 'batches', 'roost_worker_batches_total', 'counter', 'Batches of events.'),
		('worker', 'last_delay', 'roost_worker_batch_delay_seconds', 'gauge', 'Time from the oldest event of the last batch to its end.'),
		('worker', 'posts', 'roost_worker_posts_total', 'counter', 'Posts taken to their readers.'),
		('worker', 'pulled_posts', 'roost_worker_pulled_posts_total', 'counter', 'Posts of accounts with so many followers that readers fetch them.'),
		('worker', 'deliveries', 'roost_worker_deliveries_total', 'counter', 'Posts put into inboxes.'),
		('worker', 'fanout_time', 'roost_worker_fanout_seconds_total', 'counter', 'Time spent with taking posts to their readers.'),
		('worker', 'pulled_accounts', 'roost_worker_pulled_accounts', 'gauge', 'Accounts whose posts readers fetch.'),
		('worker', 'follower_list_hits', 'roost_worker_follower_list_hits_total', 'counter', 'Lists of followers found in memory.'),
		('worker', 'follower_list_misses', 'roost_worker_follower_list_misses_total', 'counter', 'Lists of followers read from the index.'),
		('worker', 'follower_lists', 'roost_worker_follower_lists', 'gauge', 'Lists of followers in memory.'),
		('worker', 'follower_list_bytes', 'roost_worker_follower_list_bytes', 'gauge', 'Memory of these lists.'),
		('worker', 'running', 'roost_worker_running', 'gauge', '1 if the background worker runs.'),
		('worker', 'standby', 'roost_standby', 'gauge', '1 if this server is in recovery.'),
		('event', 'events', 'roost_worker_events_total', 'counter', 'Events processed, by kind.'),
		('timeline', 'used', 'roost_timeline_boxes', 'gauge', 'Outboxes and inboxes there are.'),
		('timeline', 'slots', 'roost_timeline_slots', 'gauge', 'Boxes there is room for.'),
		('timeline', 'used_bytes', 'roost_timeline_used_bytes', 'gauge', 'Memory of the boxes there are.'),
		('timeline', 'bytes', 'roost_timeline_bytes', 'gauge', 'Memory of all boxes and their index.'),
		('timeline', 'hits', 'roost_timeline_hits_total', 'counter', 'Boxes that were looked for and served.'),
		('timeline', 'misses', 'roost_timeline_misses_total', 'counter', 'Boxes that were looked for in vain: the tables were read.'),
		('timeline', 'builds', 'roost_timeline_builds_total', 'counter', 'Boxes built from the tables.'),
		('timeline', 'builds_failed', 'roost_timeline_builds_failed_total', 'counter', 'Boxes given up or dropped while they were built.'),
		('timeline', 'evictions', 'roost_timeline_evictions_total', 'counter', 'Boxes that made room for others.'),
		('timeline', 'drops', 'roost_timeline_drops_total', 'counter', 'Boxes dropped because what they stand for has changed.'),
		('timeline', 'voids', 'roost_timeline_voids_total', 'counter', 'Times that all boxes became void at once.'),
		('timeline', 'deliveries', 'roost_timeline_deliveries_total', 'counter', 'Posts put into boxes.'),
		('timeline', 'undelivered', 'roost_timeline_undelivered_total', 'counter', 'Posts that found no good box.'),
		('feed', 'batches', 'roost_feed_batches_total', 'counter', 'Transactions that wrote to the log of events.'),
		('feed', 'rows', 'roost_feed_rows_total', 'counter', 'Rows of the log of events.'),
		('feed', 'entries', 'roost_feed_entries_total', 'counter', 'Entries of mailboxes.'),
		('feed', 'notifies', 'roost_feed_notifies_total', 'counter', 'Notifications of new rows.'),
		('feed', 'completions', 'roost_feed_completions_total', 'counter', 'Times that the log was completed from the tables.'),
		('post_cache', 'posts', 'roost_post_cache_posts', 'gauge', 'Posts kept as answers have them.'),
		('post_cache', 'bytes', 'roost_post_cache_used_bytes', 'gauge', 'Their memory.'),
		('post_cache', 'memory', 'roost_post_cache_bytes', 'gauge', 'Memory set aside for them.'),
		('post_cache', 'hits', 'roost_post_cache_hits_total', 'counter', 'Posts served from there.'),
		('post_cache', 'misses', 'roost_post_cache_misses_total', 'counter', 'Posts read from the tables.'),
		('post_cache', 'recounts', 'roost_post_cache_recounts_total', 'counter', 'Posts of which only the counters were read anew.'),
		('post_cache', 'stored', 'roost_post_cache_stored_total', 'counter', 'Posts put there.'),
		('post_cache', 'evicted', 'roost_post_cache_evicted_total', 'counter', 'Posts that made room for others.'),
		('presence', 'online', 'roost_presence_online', 'gauge', 'Accounts that are online.'),
		('presence', 'remembered', 'roost_presence_remembered', 'gauge', 'Accounts offline of which is known since when.'),
		('presence', 'room', 'roost_presence_room', 'gauge', 'Accounts there is room for.'),
		('presence', 'gateways', 'roost_presence_gateways', 'gauge', 'Processes of gateways that tell who is online.'),
		('presence', 'gateways_lost', 'roost_presence_gateways_lost_total', 'counter', 'Gateways that were not heard of any more.'),
		('presence', 'refused', 'roost_presence_refused_total', 'counter', 'Accounts and gateways that found no room.'),
		('presence', 'typing', 'roost_presence_typing', 'gauge', 'Accounts and channels in which they are writing.'),
		('presence', 'signals', 'roost_signal_signals_total', 'counter', 'Signals for gateways: presence and typing.'),
		('presence', 'dropped', 'roost_signal_dropped_total', 'counter', 'Signals that were not sent.'),
		('presence', 'notifies', 'roost_signal_notifies_total', 'counter', 'Notifications of signals.'),
		('search', 'posts', 'roost_search_posts', 'gauge', 'Posts in the index of search.'),
		('search', 'parts', 'roost_search_parts', 'gauge', 'Parts of the index.'),
		('search', 'behind', 'roost_search_behind', 'gauge', 'Rows of the log of events that the index has not followed yet.'),
		('search', 'lag', 'roost_search_lag_seconds', 'gauge', 'How long the oldest of them has waited.'),
		('search', 'filling', 'roost_search_filling', 'gauge', '1 while posts from before are being indexed.'),
		('timeline', 'pulled_authors', 'roost_timeline_pulled_authors', 'gauge', 'Authors whose posts are not put into inboxes.')
$$;
REVOKE ALL ON FUNCTION roost_internal.stat_metric() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.stat_metric() IS 'The metrics of roost.gateway_stat(): which column of which source, and what Prometheus is told about it.';

CREATE OR REPLACE FUNCTION roost.gateway_stat() RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_stat jsonb;
BEGIN
	WITH data(source, labels, data) AS (
		SELECT 'worker', '{}'::jsonb, to_jsonb(w) || jsonb_build_object('running', (w.state IN ('running', 'standby'))::integer, 'standby', w.standby::integer)
		FROM roost_internal.worker_stat() w
		UNION ALL SELECT 'event', jsonb_build_object('kind', e.kind), to_jsonb(e) FROM roost_internal.worker_event_stat() e
		UNION ALL SELECT 'timeline', jsonb_build_object('kind', t.kind), to_jsonb(t) FROM roost_internal.timeline_stat() t
		UNION ALL SELECT 'feed', '{}', to_jsonb(f) FROM roost_internal.feed_stat() f
		UNION ALL SELECT 'presence', '{}', to_jsonb(p) FROM roost_internal.presence_stat() p
		UNION ALL SELECT 'search', '{}', to_jsonb(s) - 'bytes' FROM roost_internal.search_stat() s
		UNION ALL SELECT 'post_cache', '{}', to_jsonb(c) FROM roost_internal.post_cache_stat() c
	), metric AS (
		SELECT m.name, m.type, m.help, min(m.ordinality) AS place,
			jsonb_agg(jsonb_build_object('labels', d.labels, 'value', d.data->m.field) ORDER BY d.labels) AS samples
		FROM (SELECT * FROM roost_internal.stat_metric() WITH ORDINALITY) m
		JOIN data d ON d.source = m.source AND jsonb_typeof(d.data->m.field) = 'number'
		GROUP BY m.name, m.type, m.help
	)
	SELECT coalesce(jsonb_agg(jsonb_build_object('name', m.name, 'type', m.type, 'help', m.help, 'samples', m.samples) ORDER BY m.place), '[]')
	INTO v_stat FROM metric m;
	RETURN v_stat;
END
$$;
REVOKE ALL ON FUNCTION roost.gateway_stat() FROM PUBLIC;
COMMENT ON FUNCTION roost.gateway_stat() IS 'The statistics of this server for the gateway''s /metrics: [{"name", "type": counter or gauge, "help", "samples": [{"labels": {…}, "value": number}]}]. Cheap: it reads memory, no table.';
