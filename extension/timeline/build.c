/*-------------------------------------------------------------------------
 *
 * build.c
 *		Building outboxes and inboxes, on the way of a read.
 *
 * A box is made known first, so that the worker pushes to it from then on; its
 * content is read afterwards, from the index of posts without asking for
 * visibility, and from outboxes.  So it holds what any snapshot may show, but
 * for what is pending: each post is in the index before its event is, and the
 * worker has either pushed it or will.
 *
 * An inbox is built under a snapshot that sees the newest version of whom its
 * reader follows, and not while a change of that is pending: the worker might
 * push by an older list of followers.
 *
 * Which authors are pushed to the inbox and which are pulled at each read is
 * decided here, edge by edge.  Authors whom the worker pushes to nobody must be
 * pulled.  Others are if that is cheaper (Silberstein et al., "Feeding Frenzy:
 * Selectively Materializing Users' Event Feeds", SIGMOD 2010): a pushed edge
 * costs one push a post of the author, a pulled one the merging of an outbox a
 * read of the reader.  The inbox lists TIMELINE_PULLED_MAX pulled authors, so
 * those with most to win.  If the reader is better off when it pulls everybody,
 * or must pull more than the list holds, it gets no inbox.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/guc.h"

#include "core/debug_point.h"
#include "roost.h"
#include "timeline/build.h"
#include "timeline/strategy.h"

/* ids that a new inbox holds; the worker adds more, and older ones are pulled */
#define BUILD_INBOX_LENGTH	200

/*
 * What merging an outbox costs, in pushes.
 */
#define TIMELINE_PULL_COST_MIN		0.000001
#define TIMELINE_PULL_COST_DEFAULT	1.0
#define TIMELINE_PULL_COST_MAX		1000.0

static double build_pull_cost = TIMELINE_PULL_COST_DEFAULT; /* GUC */

/* An author that would rather be pulled, and what that saves */
typedef struct BuildEdge
{
	int			index;			/* in the list of authors */
	double		gain;
} BuildEdge;

static bool build_choose(TimelineCandidates *c, bool keep, int64 *pushed, int *num_pushed, TimelineInbox *inbox);
static bool build_weigh(TimelineCandidates *c, BuildEdge *edges, int *num_edges, int room);
static double *build_post_rates(TimelineCandidates *c, const BuildEdge *edges, int n);
static bool build_is_pushed(const int64 *authors, int n);
static bool build_read(TimelineCandidates *c, const int64 *pushed, int num_pushed, int want,
					   TimelinePending *pending, TimelineInbox *inbox);
static int	build_read_outbox(PostReader *reader, int64 author_id, int64 *ids);
static void build_finish_outbox(TimelineBuild *build, const int64 *ids, int n, TimelineHeap *heap, TimelineRest *rest);
static void build_cancel(int code, Datum build);
static int	edge_compare(const void *a, const void *b);

bool
roost_timeline_build_inbox(TimelineCandidates *c, uint32 version, bool keep, int want,
						   TimelinePending *pending, TimelineInbox *inbox)
{
	TimelineBuild build;
	int64	   *pushed;
	int			num_pushed;
	bool		done = false;

	roost_timeline_candidates_authors(c);
	pushed = palloc(c->num_authors * sizeof(int64));
	if (!build_choose(c, keep, pushed, &num_pushed, inbox) ||
		!roost_timeline_cache_begin(TIMELINE_INBOX, c->reader_id, version, &build))
	{
		pfree(pushed);
		return false;
	}

	PG_ENSURE_ERROR_CLEANUP(build_cancel, PointerGetDatum(&build));
	{
		ROOST_DEBUG_POINT("timeline_inbox_begun");
		done = build_read(c, pushed, num_pushed, want, pending, inbox);
		ROOST_DEBUG_POINT("timeline_inbox_read");
	}
	PG_END_ENSURE_ERROR_CLEANUP(build_cancel, PointerGetDatum(&build));

	if (done)
		(void) roost_timeline_cache_publish(&build, inbox->ids, inbox->count, inbox->floor,
											inbox->pulled, inbox->num_pulled);
	else
		roost_timeline_cache_cancel(&build);
	pfree(pushed);
	return done;
}

/*
 * Decides who is pushed and who is pulled; returns false if the reader is to
 * have no inbox.
 */
static bool
build_choose(TimelineCandidates *c, bool keep, int64 *pushed, int *num_pushed, TimelineInbox *inbox)
{
	BuildEdge  *edges = palloc(c->num_authors * sizeof(BuildEdge));
	int			num_edges = 0;

	inbox->num_pulled = 0;
	*num_pushed = 0;
	pushed[(*num_pushed)++] = c->reader_id;
	for (int i = 1; i < c->num_authors; i++)
	{
		if (!roost_timeline_cache_is_pulled(c->authors[i]))
			edges[num_edges++].index = i;
		else if (inbox->num_pulled < TIMELINE_PULLED_MAX)
			inbox->pulled[inbox->num_pulled++] = c->authors[i];
		else
			return false;
	}
	if (!build_weigh(c, edges, &num_edges, TIMELINE_PULLED_MAX - inbox->num_pulled) && !keep)
		return false;

	/* the gain of those that are pushed is set to 0 */
	for (int i = 0; i < num_edges; i++)
	{
		if (edges[i].gain > 0)
			inbox->pulled[inbox->num_pulled++] = c->authors[edges[i].index];
		else
			pushed[(*num_pushed)++] = c->authors[edges[i].index];
	}
	pfree(edges);
	return true;
}

/*
 * Finds for at most `room` edges what it gains to pull them, and sets the gain
 * of all others to 0; returns whether the reader should have an inbox at all.
 */
static bool
build_weigh(TimelineCandidates *c, BuildEdge *edges, int *num_edges, int room)
{
	double		pull = 0;
	double		cost = 0;
	double	   *rates;

	if (roost_timeline_strategy == TIMELINE_HYBRID)
		pull = roost_timeline_cache_read_rate(c->reader_id) * build_pull_cost;
	if (pull == 0)
	{
		for (int i = 0; i < *num_edges; i++)
			edges[i].gain = 0;
		return true;
	}

	rates = build_post_rates(c, edges, *num_edges);
	for (int i = 0; i < *num_edges; i++)
	{
		edges[i].gain = Max(rates[i] - pull, 0);
		cost += rates[i];
	}
	pfree(rates);

	qsort(edges, *num_edges, sizeof(BuildEdge), edge_compare);
	for (int i = 0; i < *num_edges; i++)
	{
		if (i < room)
			cost -= edges[i].gain;
		else
			edges[i].gain = 0;
	}
	return cost <= pull * *num_edges;
}

/*
 * Returns how often the authors post.
 */
static double *
build_post_rates(TimelineCandidates *c, const BuildEdge *edges, int n)
{
	int64	   *authors = palloc(n * sizeof(int64));
	double	   *rates = palloc(n * sizeof(double));

	for (int i = 0; i < n; i++)
		authors[i] = c->authors[edges[i].index];
	roost_timeline_cache_post_rates(authors, n, rates);
	pfree(authors);
	return rates;
}

/*
 * Returns whether the worker still pushes what all of the authors post.
 */
static bool
build_is_pushed(const int64 *authors, int n)
{
	for (int i = 0; i < n; i++)
		if (roost_timeline_cache_is_pulled(authors[i]))
			return false;
	return true;
}

/*
 * Reads what belongs into an inbox that has been made known; returns false if
 * it may not be kept.
 */
static bool
build_read(TimelineCandidates *c, const int64 *pushed, int num_pushed, int want,
		   TimelinePending *pending, TimelineInbox *inbox)
{
	TimelineHeap heap;

	if (!roost_timeline_candidates_pending(c, pending) || pending->graph ||
		!build_is_pushed(pushed + 1, num_pushed - 1))
		return false;

	roost_timeline_heap_init(&heap, PG_INT64_MAX, 0, Min(Max(want, BUILD_INBOX_LENGTH), TIMELINE_INBOX_LENGTH));
	for (int i = 0; i < pending->count; i++)
		(void) roost_timeline_heap_add(&heap, pending->ids[i]);
	roost_timeline_candidates_merge(c, pushed, num_pushed, &heap, true);

	inbox->count = roost_timeline_heap_sort(&heap);
	memcpy(inbox->ids, heap.ids, inbox->count * sizeof(int64));
	inbox->floor = inbox->count == heap.want ? inbox->ids[inbox->count - 1] - 1 : 0;
	pfree(heap.ids);
	return true;
}

void
roost_timeline_build_outbox(PostReader *reader, TimelineHeap *heap, TimelineRest *rest)
{
	TimelineBuild build;
	int64		ids[TIMELINE_OUTBOX_LENGTH + 1];
	int			n = 0;

	if (!roost_timeline_cache_begin(TIMELINE_OUTBOX, rest->author_id, 0, &build))
		return;
	PG_ENSURE_ERROR_CLEANUP(build_cancel, PointerGetDatum(&build));
	{
		ROOST_DEBUG_POINT("timeline_outbox_begun");
		n = build_read_outbox(reader, rest->author_id, ids);
		ROOST_DEBUG_POINT("timeline_outbox_read");
	}
	PG_END_ENSURE_ERROR_CLEANUP(build_cancel, PointerGetDatum(&build));

	build_finish_outbox(&build, ids, n, heap, rest);
}

/*
 * Reads the newest posts of an author, and one that is older if there is one;
 * returns how many.
 */
static int
build_read_outbox(PostReader *reader, int64 author_id, int64 *ids)
{
	int64		id;
	int			n = 0;

	roost_post_read_range(reader, author_id, PG_INT64_MAX, 0);
	while (n <= TIMELINE_OUTBOX_LENGTH && roost_post_read_range_raw(reader, &id))
	{
		CHECK_FOR_INTERRUPTS();
		if (n == 0 || ids[n - 1] != id)
			ids[n++] = id;
	}
	return n;
}

/*
 * Publishes n ids, of which the last is the floor if they are more than an
 * outbox holds.
 */
static void
build_finish_outbox(TimelineBuild *build, const int64 *ids, int n, TimelineHeap *heap, TimelineRest *rest)
{
	int64		floor = 0;

	if (n > TIMELINE_OUTBOX_LENGTH)
		floor = ids[--n];
	(void) roost_timeline_cache_publish(build, ids, n, floor, NULL, 0);
	for (int i = 0; i < n; i++)
		if (!roost_timeline_heap_add(heap, ids[i]))
			break;
	rest->before_id = floor + 1;
}

/*
 * Gives up a box after an error, or when the backend ends.
 */
static void
build_cancel(int code, Datum build)
{
	roost_timeline_cache_cancel((TimelineBuild *) DatumGetPointer(build));
}

/*
 * Most to gain first.
 */
static int
edge_compare(const void *a, const void *b)
{
	double		x = ((const BuildEdge *) a)->gain;
	double		y = ((const BuildEdge *) b)->gain;

	return x < y ? 1 : x > y ? -1 : 0;
}

static void
build_define_gucs(void)
{
	DefineCustomRealVariable("roost.timeline_pull_cost",
							 "Sets what it costs to merge an account's outbox into a read, measured in pushes of a post to an inbox.",
							 "With the strategy hybrid, an account that posts more often than this times the reader reads is pulled.",
							 &build_pull_cost,
							 TIMELINE_PULL_COST_DEFAULT,
							 TIMELINE_PULL_COST_MIN,
							 TIMELINE_PULL_COST_MAX,
							 PGC_SUSET,
							 0,
							 NULL, NULL, NULL);
}

const RoostModule roost_timeline_build_module = {
	.name = "roost timeline build",
	.define_gucs = build_define_gucs,
};
