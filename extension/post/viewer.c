/*-------------------------------------------------------------------------
 *
 * viewer.c
 *		Who may see a post, and who wants to be shown it: the one rule
 *		(docs/safety.md), for SQL and for pages alike.
 *
 * Most viewers have blocked nobody, are blocked by nobody, and have muted
 * nothing.  So it is first found out which of these there are at all, once for
 * a page, and only then is each author looked up, once each.
 *
 * Kept in shared memory: which of them there are, of VIEWER_ENTRIES viewers, in
 * an array where each viewer has one place by its id's hash.  An entry counts
 * with the version of the viewer's stamp, which every change of blocks, mutes
 * and muted words touches (sql/graph/tables.sql); what came later takes its
 * place.  An entry is an id and one atomic value.  A writer claims it by putting
 * VIEWER_CLAIMED there, and gives up if another one has; a reader reads the
 * value before and after the id.
 *
 * Kept in each backend: the muted words of the last VIEWER_WORDS viewers that
 * have some, ready to be looked for, with the version of the stamp, unless they
 * take more than VIEWER_WORDS_SIZE.
 *
 *-------------------------------------------------------------------------
 */
#include "post/viewer.h"

#include "port/atomics.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "core/clock.h"
#include "core/debug_point.h"
#include "core/stamp.h"
#include "post/idmap.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_post_may_see);
PG_FUNCTION_INFO_V1(roost_post_may_see_sql);
PG_FUNCTION_INFO_V1(roost_post_everybody_sees_sql);
PG_FUNCTION_INFO_V1(roost_post_wants_sql);
PG_FUNCTION_INFO_V1(roost_post_is_blocked);

/* what there is of a viewer */
#define VIEWER_KNOWN	0x01
#define VIEWER_BLOCKS	0x02	/* it has blocked somebody, or was blocked */
#define VIEWER_MUTES	0x04
#define VIEWER_WORDS_ON 0x08

#define VIEWER_ENTRIES	65536	/* a power of two */
#define VIEWER_CLAIMED	UINT64CONST(0xff)

#define VIEWER_WORDS	16
#define VIEWER_WORDS_SIZE	(256 * 1024)

#define VIEWER_MAP_SIZE	32

typedef struct ViewerEntry
{
	pg_atomic_uint64 id;
	pg_atomic_uint64 value;		/* version, then facts; 0: nothing */
} ViewerEntry;

/* Muted words of a viewer */
typedef struct ViewerWords
{
	int64		id;
	uint32		version;
	MemoryContext context;
	PostWords  *words;
} ViewerWords;

static ViewerEntry *viewer_entries = NULL;
static ViewerWords viewer_words[VIEWER_WORDS];
static int	viewer_words_next = 0;

static uint8 viewer_facts(PostViewer *viewer);
static bool viewer_may_see(int64 viewer_id, const PostRule *rule);
static bool viewer_look_up(PostViewer *viewer, struct idmap_hash **map, int64 account_id,
						   bool (*look) (PostViewer *viewer, int64 account_id));
static const PostWords *viewer_find_words(PostViewer *viewer);
static PostWords *viewer_read_words(PostViewer *viewer);

/*
 * Begins to look as an account (0: a stranger).  What is looked up is
 * remembered in the context (NULL: nothing is).
 */
void
roost_viewer_begin(PostViewer *viewer, PostReader *reader, MemoryContext context, int64 id)
{
	memset(viewer, 0, sizeof(PostViewer));
	viewer->id = id;
	viewer->reader = reader;
	viewer->context = context;
}

/*
 * Decides whether the viewer (0: a stranger) may see a post, but for blocks
 * and follows.
 */
PostVerdict
roost_post_judge(const PostRule *rule, int64 viewer_id)
{
	bool		mentioned = false;

	if (!rule->active)
		return POST_HIDDEN;
	if (viewer_id != 0 && viewer_id == rule->author_id)
		return POST_SEEN;
	if (rule->state != 'v' && rule->state != 'l')
		return POST_HIDDEN;
	if ((rule->visibility == 'p' || rule->visibility == 'u') && !rule->is_private && !rule->is_limited)
		return POST_SEEN;
	if (viewer_id == 0)
		return POST_HIDDEN;
	for (int i = 0; i < rule->num_mentions && !mentioned; i++)
		mentioned = rule->mention_ids[i] == viewer_id;
	if (rule->visibility == 'd' && !mentioned)
		return POST_HIDDEN;
	return mentioned && !rule->is_limited ? POST_SEEN : POST_SEEN_BY_FOLLOWERS;
}

/*
 * Returns whether the viewer may see a post.
 */
bool
roost_viewer_sees(PostViewer *viewer, const PostRule *rule)
{
	PostVerdict verdict = roost_post_judge(rule, viewer->id);

	if (verdict == POST_HIDDEN || roost_viewer_is_apart(viewer, rule->author_id))
		return false;
	return verdict == POST_SEEN || roost_viewer_follows(viewer, rule->author_id);
}

static bool
viewer_look_follow(PostViewer *viewer, int64 account_id)
{
	return roost_post_read(viewer->reader, LOOKUP_FOLLOW, 2, viewer->id, account_id) != NULL;
}

/*
 * Returns whether the viewer follows the account, or is it.
 */
bool
roost_viewer_follows(PostViewer *viewer, int64 account_id)
{
	return viewer->id != 0 &&
		(viewer->id == account_id || viewer_look_up(viewer, &viewer->followed, account_id, viewer_look_follow));
}

static bool
viewer_look_apart(PostViewer *viewer, int64 account_id)
{
	return roost_post_read(viewer->reader, LOOKUP_BLOCK, 2, viewer->id, account_id) != NULL ||
		roost_post_read(viewer->reader, LOOKUP_BLOCKED_BY, 2, viewer->id, account_id) != NULL;
}

/*
 * Returns whether the viewer has blocked anybody, or was blocked by anybody.
 */
bool
roost_viewer_has_blocks(PostViewer *viewer)
{
	return viewer->id != 0 && (viewer_facts(viewer) & VIEWER_BLOCKS) != 0;
}

/*
 * Returns whether one of the two has blocked the other.
 */
bool
roost_viewer_is_apart(PostViewer *viewer, int64 account_id)
{
	return viewer->id != 0 && viewer->id != account_id && (viewer_facts(viewer) & VIEWER_BLOCKS) != 0 &&
		viewer_look_up(viewer, &viewer->apart, account_id, viewer_look_apart);
}

/*
 * Returns the microseconds since 1970 at which a row ends.
 */
static int64
viewer_end(TupleTableSlot *slot, AttrNumber column)
{
	bool		isnull;
	Datum		at = slot_getattr(slot, column, &isnull);

	return isnull || TIMESTAMP_IS_NOEND(DatumGetTimestampTz(at)) ? PG_INT64_MAX :
		TIMESTAMP_IS_NOBEGIN(DatumGetTimestampTz(at)) ? 0 : roost_clock_from_timestamp(DatumGetTimestampTz(at));
}

static bool
viewer_look_mute(PostViewer *viewer, int64 account_id)
{
	TupleTableSlot *slot = roost_post_read(viewer->reader, LOOKUP_MUTE, 2, viewer->id, account_id);

	return slot != NULL && viewer_end(slot, roost_post_columns(LOOKUP_MUTE)[MUTE_EXPIRES_AT]) > roost_clock_us();
}

/*
 * Returns whether the viewer has muted the author of a post.
 */
bool
roost_viewer_mutes(PostViewer *viewer, int64 author_id)
{
	return viewer->id != 0 && viewer->id != author_id && (viewer_facts(viewer) & VIEWER_MUTES) != 0 &&
		viewer_look_up(viewer, &viewer->muted, author_id, viewer_look_mute);
}

/*
 * Returns whether the viewer has muted anybody or any words.
 */
bool
roost_viewer_mutes_any(PostViewer *viewer)
{
	return viewer->id != 0 && (viewer_facts(viewer) & (VIEWER_MUTES | VIEWER_WORDS_ON)) != 0;
}

/*
 * Returns whether the viewer has muted words.
 */
bool
roost_viewer_has_words(PostViewer *viewer)
{
	return viewer->id != 0 && (viewer_facts(viewer) & VIEWER_WORDS_ON) != 0;
}

/*
 * Returns whether there is one of them in a post.
 */
bool
roost_viewer_mutes_words(PostViewer *viewer, Datum body, Datum warning, Datum hashtags)
{
	const PostWords *words;

	if (!roost_viewer_has_words(viewer))
		return false;
	words = viewer_find_words(viewer);
	return roost_words_find(words, roost_clock_us(), body, warning, hashtags);
}

/*
 * Returns what is known of an account, which is looked up at most once.
 */
static bool
viewer_look_up(PostViewer *viewer, struct idmap_hash **map, int64 account_id,
			   bool (*look) (PostViewer *viewer, int64 account_id))
{
	IdEntry    *entry;
	bool		found;

	if (viewer->context == NULL)
		return look(viewer, account_id);
	if (*map == NULL)
		*map = idmap_create(viewer->context, VIEWER_MAP_SIZE, NULL);
	entry = idmap_insert(*map, account_id, &found);
	if (!found)
		entry->thing = look(viewer, account_id) ? viewer : NULL;
	return entry->thing != NULL;
}

static inline ViewerEntry *
viewer_entry(int64 id)
{
	return &viewer_entries[(((uint64) id * UINT64CONST(0x9E3779B97F4A7C15)) >> 32) % VIEWER_ENTRIES];
}

/*
 * Keeps the facts of a viewer.
 */
static void
viewer_keep(int64 id, uint32 version, uint8 facts)
{
	ViewerEntry *entry = viewer_entry(id);
	uint64		old = pg_atomic_read_u64(&entry->value);

	if (old == VIEWER_CLAIMED || !pg_atomic_compare_exchange_u64(&entry->value, &old, VIEWER_CLAIMED))
		return;
	pg_atomic_write_u64(&entry->id, (uint64) id);
	pg_write_barrier();
	pg_atomic_write_u64(&entry->value, (uint64) version << 32 | facts);
}

/*
 * Returns the facts of a viewer if they are kept, or 0.
 */
static uint8
viewer_recall(int64 id, uint32 version)
{
	ViewerEntry *entry = viewer_entry(id);
	uint64		value = pg_atomic_read_u64(&entry->value);
	bool		mine;

	pg_read_barrier();
	mine = pg_atomic_read_u64(&entry->id) == (uint64) id;
	pg_read_barrier();
	if (!mine || pg_atomic_read_u64(&entry->value) != value || value == VIEWER_CLAIMED || (uint32) (value >> 32) != version)
		return 0;
	return (uint8) value;
}

/*
 * Finds out which of blocks, mutes and muted words there are.
 */
static uint8
viewer_facts(PostViewer *viewer)
{
	if (viewer->facts != 0)
		return viewer->facts;
	viewer->stamped = roost_stamp_read(ROOST_STAMP_VIEWER, viewer->id, viewer->reader->snapshot, &viewer->version);
	if (viewer->stamped && (viewer->facts = viewer_recall(viewer->id, viewer->version)) != 0)
		return viewer->facts;
	viewer->facts = VIEWER_KNOWN;
	if (!roost_post_is_there(LOOKUP_BLOCK) || !roost_post_is_there(LOOKUP_MUTED_WORD))
		return viewer->facts;	/* not updated yet */
	if (roost_post_read_below(viewer->reader, LOOKUP_BLOCK, viewer->id, PG_INT64_MAX) >= 0 ||
		roost_post_read_below(viewer->reader, LOOKUP_BLOCKED_BY, viewer->id, PG_INT64_MAX) >= 0)
		viewer->facts |= VIEWER_BLOCKS;
	if (roost_post_read_below(viewer->reader, LOOKUP_MUTE, viewer->id, PG_INT64_MAX) >= 0)
		viewer->facts |= VIEWER_MUTES;
	if (roost_post_read(viewer->reader, LOOKUP_MUTED_WORD, 1, viewer->id, 0) != NULL)
		viewer->facts |= VIEWER_WORDS_ON;
	ROOST_DEBUG_POINT("viewer_facts");
	if (viewer->stamped)
		viewer_keep(viewer->id, viewer->version, viewer->facts);
	return viewer->facts;
}

/*
 * Returns the muted words of a viewer, good until the next call.
 */
static const PostWords *
viewer_find_words(PostViewer *viewer)
{
	ViewerWords *kept;
	MemoryContext caller;
	MemoryContext context;
	PostWords  *words;

	if (viewer->words != NULL)
		return viewer->words;
	for (int i = 0; viewer->stamped && i < VIEWER_WORDS; i++)
	{
		kept = &viewer_words[i];
		if (kept->id == viewer->id && kept->version == viewer->version)
			return kept->words;
	}

	context = AllocSetContextCreate(viewer->context ? viewer->context : CurrentMemoryContext, "roost muted words", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	words = viewer_read_words(viewer);
	MemoryContextSwitchTo(caller);
	if (!viewer->stamped || roost_words_size(words) > VIEWER_WORDS_SIZE)
		return viewer->words = words;

	/* those of an older version of the same viewer make room first */
	kept = &viewer_words[viewer_words_next];
	for (int i = 0; i < VIEWER_WORDS && kept->id != viewer->id; i++)
		if (viewer_words[i].id == viewer->id)
			kept = &viewer_words[i];
	if (kept == &viewer_words[viewer_words_next])
		viewer_words_next = (viewer_words_next + 1) % VIEWER_WORDS;
	kept->id = 0;
	if (kept->context != NULL)
		MemoryContextDelete(kept->context);
	MemoryContextSetParent(context, TopMemoryContext);
	*kept = (ViewerWords) {viewer->id, viewer->version, context, words};
	return words;
}

/*
 * Reads the muted words of a viewer.
 */
static PostWords *
viewer_read_words(PostViewer *viewer)
{
	const AttrNumber *columns = roost_post_columns(LOOKUP_MUTED_WORD);
	TupleTableSlot *slot = roost_post_read(viewer->reader, LOOKUP_MUTED_WORD, 1, viewer->id, 0);
	MemoryContext kept = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(kept, "roost muted words read", ALLOCSET_DEFAULT_SIZES);
	PostWords  *words;
	PostWord   *list;
	int			room = 64;
	int			n = 0;
	bool		isnull;

	MemoryContextSwitchTo(work);
	list = palloc(sizeof(PostWord) * room);
	for (; slot != NULL; slot = roost_post_read_next(viewer->reader, LOOKUP_MUTED_WORD))
	{
		if (n == room)
			list = repalloc(list, sizeof(PostWord) * (room *= 2));
		list[n].folded = DatumGetTextPCopy(slot_getattr(slot, columns[WORD_FOLDED], &isnull));
		list[n].whole = DatumGetBool(slot_getattr(slot, columns[WORD_WHOLE], &isnull));
		list[n++].expires_us = viewer_end(slot, columns[WORD_EXPIRES_AT]);
	}
	MemoryContextSwitchTo(kept);
	words = roost_words_make(list, n);
	MemoryContextDelete(work);
	return words;
}

/*
 * Returns whether a status is that of an active account.
 */
bool
roost_post_is_active(Datum status)
{
	text	   *word = DatumGetTextPP(status);

	return VARSIZE_ANY_EXHDR(word) == strlen("active") && memcmp(VARDATA_ANY(word), "active", strlen("active")) == 0;
}

/*
 * roost_internal.may_see(viewer_id, author_id, visibility, state, mention_ids,
 * is_private, is_limited, status)
 */
Datum
roost_post_may_see(PG_FUNCTION_ARGS)
{
	PostRule	rule;

	for (int i = 1; i < 8; i++)
		if (PG_ARGISNULL(i) && i != 4)
			PG_RETURN_BOOL(false);
	rule.author_id = PG_GETARG_INT64(1);
	rule.visibility = roost_post_enum_letter(PG_GETARG_OID(2));
	rule.state = roost_post_enum_letter(PG_GETARG_OID(3));
	rule.num_mentions = roost_post_mentioned(PG_ARGISNULL(4) ? (Datum) 0 : PG_GETARG_DATUM(4), &rule.mention_ids);
	rule.is_private = PG_GETARG_BOOL(5);
	rule.is_limited = PG_GETARG_BOOL(6);
	rule.active = roost_post_is_active(PG_GETARG_DATUM(7));
	PG_RETURN_BOOL(viewer_may_see(PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0), &rule));
}

/*
 * The same without a state and limits, for the functions of version 0.1.0 until
 * the extension is updated.
 */
Datum
roost_post_may_see_sql(PG_FUNCTION_ARGS)
{
	PostRule	rule = {.state = 'v'};

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(4) || PG_ARGISNULL(5))
		PG_RETURN_BOOL(false);
	rule.author_id = PG_GETARG_INT64(1);
	rule.visibility = roost_post_enum_letter(PG_GETARG_OID(2));
	rule.num_mentions = roost_post_mentioned(PG_ARGISNULL(3) ? (Datum) 0 : PG_GETARG_DATUM(3), &rule.mention_ids);
	rule.is_private = PG_GETARG_BOOL(4);
	rule.active = roost_post_is_active(PG_GETARG_DATUM(5));
	PG_RETURN_BOOL(viewer_may_see(PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0), &rule));
}

/*
 * Returns whether the viewer may see one post.
 */
static bool
viewer_may_see(int64 viewer_id, const PostRule *rule)
{
	PostReader	reader;
	PostViewer	viewer;
	bool		sees;

	roost_post_reader_begin(&reader);
	roost_viewer_begin(&viewer, &reader, NULL, viewer_id);
	sees = roost_viewer_sees(&viewer, rule);
	roost_post_reader_end(&reader);
	return sees;
}

/*
 * roost_internal.everybody_sees(visibility, state, is_private, is_limited,
 * status)
 */
Datum
roost_post_everybody_sees_sql(PG_FUNCTION_ARGS)
{
	PostRule	rule = {
		.visibility = roost_post_enum_letter(PG_GETARG_OID(0)),
		.state = roost_post_enum_letter(PG_GETARG_OID(1)),
		.is_private = PG_GETARG_BOOL(2),
		.is_limited = PG_GETARG_BOOL(3),
		.active = roost_post_is_active(PG_GETARG_DATUM(4)),
	};

	PG_RETURN_BOOL(roost_post_judge(&rule, 0) == POST_SEEN);
}

/*
 * roost_internal.is_blocked(account_id, other_id)
 */
Datum
roost_post_is_blocked(PG_FUNCTION_ARGS)
{
	PostReader	reader;
	PostViewer	viewer;
	bool		apart;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_BOOL(false);
	roost_post_reader_begin(&reader);
	roost_viewer_begin(&viewer, &reader, NULL, PG_GETARG_INT64(0));
	apart = roost_viewer_is_apart(&viewer, PG_GETARG_INT64(1));
	roost_post_reader_end(&reader);
	PG_RETURN_BOOL(apart);
}

/*
 * roost_internal.wants(viewer_id, author_id, text, content_warning, hashtags)
 */
Datum
roost_post_wants_sql(PG_FUNCTION_ARGS)
{
	PostReader	reader;
	PostViewer	viewer;
	bool		wants;

	if (PG_ARGISNULL(0) || (!PG_ARGISNULL(1) && PG_GETARG_INT64(0) == PG_GETARG_INT64(1)))
		PG_RETURN_BOOL(true);
	roost_post_reader_begin(&reader);
	roost_viewer_begin(&viewer, &reader, NULL, PG_GETARG_INT64(0));
	wants = (PG_ARGISNULL(1) || !roost_viewer_mutes(&viewer, PG_GETARG_INT64(1))) &&
		!roost_viewer_mutes_words(&viewer, PG_ARGISNULL(2) ? (Datum) 0 : PG_GETARG_DATUM(2),
								  PG_ARGISNULL(3) ? (Datum) 0 : PG_GETARG_DATUM(3),
								  PG_ARGISNULL(4) ? (Datum) 0 : PG_GETARG_DATUM(4));
	roost_post_reader_end(&reader);
	PG_RETURN_BOOL(wants);
}

static Size
viewer_shmem_size(void)
{
	return sizeof(ViewerEntry) * VIEWER_ENTRIES;
}

static void
viewer_shmem_init(void *area, LWLockPadded *locks, bool found)
{
	viewer_entries = area;
	if (found)
		return;
	for (int i = 0; i < VIEWER_ENTRIES; i++)
	{
		pg_atomic_init_u64(&viewer_entries[i].id, 0);
		pg_atomic_init_u64(&viewer_entries[i].value, 0);
	}
}

const RoostModule roost_post_viewer_module = {
	.name = "roost post viewers",
	.shmem_size = viewer_shmem_size,
	.shmem_init = viewer_shmem_init,
};
