/*-------------------------------------------------------------------------
 *
 * page.c
 *		Which conversations of an account stand on a page of its list.
 *
 * Pinned ones come first, then it goes by the newest message.  A walk goes
 * through the list as it was when it began: a conversation that has moved to the
 * top since then still stands at the message that was its last one, so none is
 * skipped or comes twice.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "chat/member.h"
#include "core/clock.h"

#define PAGE_COLUMNS	2
#define PAGE_MAX		100000	/* conversations at once */

PG_FUNCTION_INFO_V1(roost_chat_conversation_page);

/* Where a conversation stands */
typedef struct Place
{
	int64		conversation_id;
	int64		id;				/* of a message, or its own */
	bool		pinned;
} Place;

static int64 page_since(const ChatMembers *members);
static int64 page_place(PostReader *reader, const ChatMember *member, int64 since);
static bool page_is_archived(const ChatMember *member, int64 now);
static int	page_add(Place *page, int count, int limit, Place place);
static Datum page_array(const Datum *values, int count, Oid type);

/* Returns whether nobody sees that somebody has begun to think of writing. */
static inline bool
page_is_hidden(const ChatMember *member)
{
	return member->last_id < 0 || (member->quiet && member->last_id == 0);
}

/* Returns the newest thing of a conversation. */
static inline int64
page_newest(const ChatMember *member)
{
	return member->last_id > 0 ? member->last_id : member->conversation_id;
}

/* Returns whether one stands before another. */
static inline bool
place_is_before(Place place, Place other)
{
	return place.pinned != other.pinned ? place.pinned : place.id > other.id;
}

/*
 * roost_internal.conversation_page(actor_id, limit, archived, pinned, place,
 * since) returns ids and cursors.
 */
Datum
roost_chat_conversation_page(PG_FUNCTION_ARGS)
{
	int64		now = roost_clock_us();
	Place		before = {.pinned = true,.id = PG_INT64_MAX};
	int			limit;
	int			count = 0;
	bool		archived;
	int64		since;
	Place	   *page;
	Datum	   *ids;
	Datum	   *cursors;
	Datum		values[PAGE_COLUMNS];
	bool		nulls[PAGE_COLUMNS] = {false};
	TupleDesc	desc;
	PostReader	reader;
	ChatMembers members;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("actor_id, limit and archived must not be null")));
	limit = PG_GETARG_INT32(1);
	if (limit < 0 || limit > PAGE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("limit must be between 0 and %d", PAGE_MAX)));
	archived = PG_GETARG_BOOL(2);
	if (!PG_ARGISNULL(3) && !PG_ARGISNULL(4))
		before = (Place) {.pinned = PG_GETARG_BOOL(3),.id = PG_GETARG_INT64(4)};

	roost_post_reader_begin(&reader);
	roost_members_read(&reader, PG_GETARG_INT64(0), true, &members);
	since = PG_ARGISNULL(5) ? page_since(&members) : PG_GETARG_INT64(5);
	page = palloc((limit + 1) * sizeof(Place));
	for (int i = 0; i < members.count; i++)
	{
		const ChatMember *member = &members.list[i];
		Place		place = {.conversation_id = member->conversation_id,.pinned = member->pinned,.id = page_newest(member)};

		if (page_is_hidden(member) || page_is_archived(member, now) != archived)
			continue;
		if (place.id > since)
			place.id = page_place(&reader, member, since);
		if (place.id > 0 && place_is_before(before, place))
			count = page_add(page, count, limit, place);
	}
	roost_post_reader_end(&reader);

	ids = palloc((count + 1) * sizeof(Datum));
	cursors = palloc((count + 1) * sizeof(Datum));
	for (int i = 0; i < count; i++)
	{
		ids[i] = Int64GetDatum(page[i].conversation_id);
		cursors[i] = CStringGetTextDatum(psprintf("%d." INT64_FORMAT "." INT64_FORMAT, page[i].pinned, page[i].id, since));
	}
	values[0] = page_array(ids, count, INT8OID);
	values[1] = page_array(cursors, count, TEXTOID);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * Returns what is newest in all conversations: a walk begins with it.
 */
static int64
page_since(const ChatMembers *members)
{
	int64		since = 0;

	for (int i = 0; i < members->count; i++)
	{
		if (!page_is_hidden(&members->list[i]))
			since = Max(since, page_newest(&members->list[i]));
	}
	return since;
}

/*
 * Returns where a conversation stood that has moved since; 0: it was not there.
 */
static int64
page_place(PostReader *reader, const ChatMember *member, int64 since)
{
	int64		id = roost_post_read_below(reader, LOOKUP_MESSAGE, member->conversation_id, since);

	return id > 0 ? id : member->conversation_id <= since ? member->conversation_id : 0;
}

/*
 * The same as roost_internal.member_archived().
 */
static bool
page_is_archived(const ChatMember *member, int64 now)
{
	return member->archived_id != MEMBER_NOT_ARCHIVED &&
		(member->muted_until > now || member->archived_id >= member->last_id);
}

/*
 * Enters a place into a page, if it belongs there; returns how many there are.
 */
static int
page_add(Place *page, int count, int limit, Place place)
{
	int			low = 0;
	int			high = count;

	if (count == limit && (limit == 0 || !place_is_before(place, page[count - 1])))
		return count;
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (place_is_before(page[middle], place))
			low = middle + 1;
		else
			high = middle;
	}
	if (count < limit)
		count++;
	memmove(&page[low + 1], &page[low], (count - low - 1) * sizeof(Place));
	page[low] = place;
	return count;
}

/*
 * Makes an array.
 */
static Datum
page_array(const Datum *values, int count, Oid type)
{
	return PointerGetDatum(type == INT8OID ?
						   construct_array(unconstify(Datum *, values), count, type, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE) :
						   construct_array(unconstify(Datum *, values), count, type, -1, false, TYPALIGN_INT));
}
