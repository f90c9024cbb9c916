/*-------------------------------------------------------------------------
 *
 * candidates.c
 *		The ids that may belong on a reader's home timeline, or on that of a
 *		list of accounts, newest first.
 *
 * There are three ways to them, and all give what the active snapshot may
 * show:
 *
 *	table	whom the reader follows under the snapshot, then their posts by
 *			index.  Always right, and taken when nothing else is: when the
 *			transaction has written or keeps an old snapshot, when it is not
 *			known what is pending, in another database.
 *	pull	whom the reader follows under the snapshot, then pending posts,
 *			their outboxes, and the index for what these do not hold.
 *	inbox	pending posts, the reader's inbox, the outboxes of followed accounts
 *			that are not pushed to it.
 *
 * What is pending is always read before the boxes: an event stands there until
 * the boxes have it.  An inbox is asked for with the version of the reader's
 * graph, which was read even before, and which must still be the same when the
 * inbox has been read.
 *
 * The members of a list take the place of those that the reader follows.  The
 * caller has read them under the same snapshot, and no inbox is kept of them.
 *
 * An inbox ends at its floor.  Below it one pulls, with the same cursor; so a
 * page may come from both.  Batches need not come the same way: each holds all
 * that the snapshot may show between the cursor before and the cursor after
 * it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "core/core.h"
#include "core/debug_point.h"
#include "core/pending.h"
#include "core/stamp.h"
#include "roost.h"
#include "timeline/build.h"
#include "timeline/candidates.h"
#include "timeline/standby.h"
#include "timeline/strategy.h"

/* Which way to take: for tests and measurements */
typedef enum CandidateSource
{
	SOURCE_AUTO,
	SOURCE_TABLE,
	SOURCE_PULL,
	SOURCE_INBOX
} CandidateSource;

static const struct config_enum_entry source_options[] = {
	{"auto", SOURCE_AUTO, false},
	{"table", SOURCE_TABLE, false},
	{"pull", SOURCE_PULL, false},
	{"inbox", SOURCE_INBOX, false},
	{NULL, 0, false}
};

static int	candidates_source = SOURCE_AUTO;	/* GUC */

static bool candidates_find_inbox(TimelineCandidates *c, int room, TimelinePending *pending, TimelineInbox *inbox);
static int	candidates_inbox(TimelineCandidates *c, int want, int room, const TimelinePending *pending,
							 const TimelineInbox *inbox, int64 *ids);
static int	candidates_pull(TimelineCandidates *c, int want, const TimelinePending *pending, int64 *ids);
static int	candidates_table(TimelineCandidates *c, int want, int64 *ids);
static int	candidates_take(TimelineCandidates *c, TimelineHeap *heap, int64 floor, int64 *ids);
static void candidates_move(TimelineCandidates *c, int n, bool full, int64 floor, const int64 *ids);
static int	candidates_skip(const TimelineCandidates *c);
static bool candidates_has(TimelineCandidates *c, int64 author_id, int64 *known);
static bool candidates_version(TimelineCandidates *c, uint32 *version);
static bool candidates_confirm(TimelineCandidates *c, uint32 version);
static int	candidates_events(TimelineCandidates *c, RoostEvent *events);

/*
 * Begins to read under the active snapshot.
 */
void
roost_timeline_candidates_begin(TimelineCandidates *c)
{
	roost_post_reader_begin(&c->reader);
	c->authors = NULL;
	c->num_authors = 0;
	c->done = c->before_id <= c->after_id;
}

void
roost_timeline_candidates_end(TimelineCandidates *c)
{
	roost_post_reader_end(&c->reader);
}

/*
 * Returns how many ids it has put into `ids`: about `want` of them, at most
 * `room`.  There may be none, and more to come, as long as c->done is false.
 */
int
roost_timeline_candidates_next(TimelineCandidates *c, int want, int room, int64 *ids)
{
	TimelinePending pending;
	TimelineInbox inbox;
	bool		inboxes = c->members == NULL &&
	(candidates_source == SOURCE_INBOX ||
	 (candidates_source == SOURCE_AUTO && roost_timeline_strategy != TIMELINE_PULL));

	if (candidates_source == SOURCE_TABLE || IsolationUsesXactSnapshot() ||
		TransactionIdIsValid(GetTopTransactionIdIfAny()) || !roost_core_is_home())
		return candidates_table(c, want, ids);

	ROOST_DEBUG_POINT("timeline_read");
	if (inboxes && candidates_find_inbox(c, Min(room, TIMELINE_INBOX_LENGTH), &pending, &inbox))
		return candidates_inbox(c, want, room, &pending, &inbox, ids);
	if (roost_timeline_candidates_pending(c, &pending))
		return candidates_pull(c, want, &pending, ids);
	return candidates_table(c, want, ids);
}

/*
 * Finds what is pending and the reader's inbox, or builds one for the first
 * page; returns false if there is none that helps.
 */
static bool
candidates_find_inbox(TimelineCandidates *c, int room, TimelinePending *pending, TimelineInbox *inbox)
{
	uint32		version;

	if (!candidates_version(c, &version) ||
		!roost_timeline_candidates_pending(c, pending) || pending->graph)
		return false;
	ROOST_DEBUG_POINT("timeline_stamped");
	if (roost_timeline_cache_inbox(c->reader_id, version, c->before_id, c->after_id, room, inbox))
		return inbox->floor < c->before_id - 1 && candidates_confirm(c, version);
	return c->before_id == PG_INT64_MAX &&
		roost_timeline_build_inbox(c, version, candidates_source == SOURCE_INBOX, room, pending, inbox) &&
		candidates_confirm(c, version);
}

/*
 * Takes a page out of an inbox, with what is pending and what is not pushed.
 * Ids that are there already cost little, so all that there is room for are
 * taken if nothing must be merged.
 */
static int
candidates_inbox(TimelineCandidates *c, int want, int room, const TimelinePending *pending,
				 const TimelineInbox *inbox, int64 *ids)
{
	TimelineHeap heap;

	if (pending->count == 0 && inbox->num_pulled == 0)
	{
		int			n = 0;

		while (n < Min(inbox->count, room) && inbox->ids[n] > c->after_id)
		{
			ids[n] = inbox->ids[n];
			n++;
		}
		candidates_move(c, n, n == room || n == TIMELINE_INBOX_LENGTH, inbox->floor, ids);
		return n;
	}

	roost_timeline_heap_init(&heap, c->before_id, Max(c->after_id, inbox->floor), Min(want, TIMELINE_INBOX_LENGTH));
	for (int i = 0; i < inbox->count; i++)
		if (!roost_timeline_heap_add(&heap, inbox->ids[i]))
			break;
	for (int i = 0; i < pending->count; i++)
		(void) roost_timeline_heap_add(&heap, pending->ids[i]);
	if (inbox->num_pulled > 0)
		roost_timeline_candidates_merge(c, inbox->pulled, inbox->num_pulled, &heap, false);
	return candidates_take(c, &heap, inbox->floor, ids);
}

/*
 * Merges the posts of everybody whom the reader follows.
 */
static int
candidates_pull(TimelineCandidates *c, int want, const TimelinePending *pending, int64 *ids)
{
	int			skip = candidates_skip(c);
	TimelineHeap heap;

	roost_timeline_candidates_authors(c);
	roost_timeline_heap_init(&heap, c->before_id, c->after_id, want);
	for (int i = 0; i < pending->count; i++)
		(void) roost_timeline_heap_add(&heap, pending->ids[i]);
	roost_timeline_candidates_merge(c, c->authors + skip, c->num_authors - skip, &heap, false);
	return candidates_take(c, &heap, c->after_id, ids);
}

/*
 * The same from the tables alone.
 */
static int
candidates_table(TimelineCandidates *c, int want, int64 *ids)
{
	TimelineHeap heap;

	roost_timeline_candidates_authors(c);
	roost_timeline_heap_init(&heap, c->before_id, c->after_id, want);
	for (int i = candidates_skip(c); i < c->num_authors; i++)
		roost_timeline_newest_read(&c->reader, c->authors[i], c->before_id, &heap, c->wants, c->wants_arg);
	return candidates_take(c, &heap, c->after_id, ids);
}

/*
 * Takes the ids out of a heap that has seen all there is above the floor; what
 * comes next is older.
 */
static int
candidates_take(TimelineCandidates *c, TimelineHeap *heap, int64 floor, int64 *ids)
{
	int			n = roost_timeline_heap_sort(heap);

	memcpy(ids, heap->ids, n * sizeof(int64));
	pfree(heap->ids);
	pfree(heap->met);
	candidates_move(c, n, n == heap->want, floor, ids);
	return n;
}

/*
 * Moves on after n ids, which are all that there is above the floor unless
 * there are as many as were asked for.
 */
static void
candidates_move(TimelineCandidates *c, int n, bool full, int64 floor, const int64 *ids)
{
	if (full)
		c->before_id = ids[n - 1];
	else if (floor > c->after_id)
		c->before_id = floor + 1;
	else
		c->done = true;
}

/*
 * Finds out whose posts belong on the timeline.
 */
void
roost_timeline_candidates_authors(TimelineCandidates *c)
{
	if (c->authors != NULL)
		return;
	if (c->members != NULL)
	{
		c->authors = palloc(Max(c->num_members, 1) * sizeof(int64));
		memcpy(c->authors, c->members, c->num_members * sizeof(int64));
		c->num_authors = c->num_members;
		return;
	}
	c->authors = palloc(sizeof(int64));
	c->authors[0] = c->reader_id;
	c->num_authors = 1;
	c->authors = roost_post_read_followees(&c->reader, c->reader_id, INT_MAX, c->authors, &c->num_authors);
}

/*
 * Returns how many of the authors at the head of the list do not count.
 */
static int
candidates_skip(const TimelineCandidates *c)
{
	return c->own || c->members != NULL ? 0 : 1;
}

/*
 * Puts posts of authors into the heap: from their outboxes, which are built
 * where they are missing, and by index; with `raw` those of every snapshot.
 */
void
roost_timeline_candidates_merge(TimelineCandidates *c, const int64 *authors, int n, TimelineHeap *heap, bool raw)
{
	TimelineRest *rest = palloc(Max(n, 1) * sizeof(TimelineRest));
	int			num_rest = roost_timeline_cache_merge(authors, n, heap, rest);

	for (int i = 0; i < num_rest; i++)
	{
		if (rest[i].missing)
			roost_timeline_build_outbox(&c->reader, heap, &rest[i]);
		if (raw)
			roost_timeline_newest_raw(&c->reader, rest[i].author_id, rest[i].before_id, heap);
		else
			roost_timeline_newest_read(&c->reader, rest[i].author_id, rest[i].before_id, heap, c->wants, c->wants_arg);
	}
	pfree(rest);
}

/*
 * Finds what is pending for the reader; returns false if nobody knows.
 */
bool
roost_timeline_candidates_pending(TimelineCandidates *c, TimelinePending *pending)
{
	RoostEvent	events[TIMELINE_PENDING_MAX];
	int			n = candidates_events(c, events);
	int64		known = 0;

	pending->graph = false;
	pending->count = 0;
	for (int i = 0; i < n; i++)
	{
		if (events[i].kind == ROOST_EVENT_FOLLOW_CREATED || events[i].kind == ROOST_EVENT_FOLLOW_DELETED)
		{
			if (events[i].value[0] == c->reader_id)
				pending->graph = true;
			continue;
		}
		if (!candidates_has(c, events[i].value[1], &known))
			continue;
		pending->ids[pending->count++] = events[i].value[0];
	}
	return n != ROOST_PENDING_UNKNOWN;
}

/*
 * Returns whether the posts of an account may belong on the timeline; *known
 * is the last one of which that was found.
 */
static bool
candidates_has(TimelineCandidates *c, int64 author_id, int64 *known)
{
	if (c->members != NULL)
		return roost_timeline_is_among(author_id, c->members, c->num_members);
	if (author_id == c->reader_id || author_id == *known)
		return true;
	if (roost_post_read(&c->reader, LOOKUP_FOLLOW, 2, c->reader_id, author_id) == NULL)
		return false;
	*known = author_id;
	return true;
}

bool
roost_timeline_is_among(int64 id, const int64 *ids, int n)
{
	int			low = 0;

	while (n > 0)
	{
		int			half = n / 2;

		if (ids[low + half] < id)
		{
			low += half + 1;
			n -= half + 1;
		}
		else if (ids[low + half] > id)
			n = half;
		else
			return true;
	}
	return false;
}

/*
 * Copies the pending events that timelines depend on.
 */
static int
candidates_events(TimelineCandidates *c, RoostEvent *events)
{
	if (c->reader.snapshot->takenDuringRecovery)
		return roost_standby_pending(&c->reader, events, TIMELINE_PENDING_MAX);
	return roost_pending_read(ROOST_EVENT_BIT(ROOST_EVENT_POST_CREATED) |
							  ROOST_EVENT_BIT(ROOST_EVENT_FOLLOW_CREATED) |
							  ROOST_EVENT_BIT(ROOST_EVENT_FOLLOW_DELETED),
							  events, TIMELINE_PENDING_MAX);
}

/*
 * Finds the version of whom the reader follows; returns false if the snapshot
 * does not see the newest one.
 */
static bool
candidates_version(TimelineCandidates *c, uint32 *version)
{
	if (c->reader.snapshot->takenDuringRecovery)
		return roost_standby_version(&c->reader, c->reader_id, version);
	return roost_stamp_read(ROOST_STAMP_GRAPH, c->reader_id, c->reader.snapshot, version);
}

/*
 * Returns whether the inbox of that version may be used, now that it was read.
 * If the reader has followed or unfollowed somebody meanwhile, the worker may
 * have pushed by the new graph what the snapshot shows by the old one: events
 * need not reach the queue in the order in which they became visible.
 */
static bool
candidates_confirm(TimelineCandidates *c, uint32 version)
{
	uint32		now;

	if (c->reader.snapshot->takenDuringRecovery)
		return roost_standby_confirm();
	return candidates_version(c, &now) && now == version;
}

static void
candidates_define_gucs(void)
{
	DefineCustomEnumVariable("roost.timeline_source",
							 "Sets where this session's home timelines are read from: auto, table, pull or inbox.",
							 "For tests and measurements: the result is always the same.",
							 &candidates_source,
							 SOURCE_AUTO,
							 source_options,
							 PGC_SUSET,
							 GUC_NOT_IN_SAMPLE,
							 NULL, NULL, NULL);
}

const RoostModule roost_timeline_candidates_module = {
	.name = "roost timeline candidates",
	.define_gucs = candidates_define_gucs,
};
