/*-------------------------------------------------------------------------
 *
 * stream_resume_room.c
 *		The rooms of which somebody may have missed something: the conversations
 *		that it is a member of now, as far as its channels have them.
 *
 * Of a conversation that it has left it gets nothing any more but that it has:
 * that is told to the room of its account.  Of one that it has joined, only
 * what was after that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "core/id.h"
#include "core/plan.h"
#include "live/stream_resume.h"

static int	room_compare(const void *left, const void *right);

/*
 * Finds the rooms.
 */
void
roost_resume_rooms(Resume *resume)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {INT8OID, INT8ARRAYOID};
	char		nulls[] = {' ', resume->messages ? 'n' : ' '};
	Datum		values[2] = {Int64GetDatum(resume->account_id), 0};
	MemoryContext caller = CurrentMemoryContext;

	if (!resume->messages && resume->num_conversations == 0)
		return;
	if (!resume->messages)
	{
		Datum	   *ids = palloc(resume->num_conversations * sizeof(Datum));

		for (int i = 0; i < resume->num_conversations; i++)
			ids[i] = Int64GetDatum(resume->conversation_ids[i]);
		values[1] = PointerGetDatum(construct_array(ids, resume->num_conversations, INT8OID, sizeof(int64), true, TYPALIGN_DOUBLE));
	}
	SPI_connect();
	roost_plan_keep(&plan, "SELECT m.conversation_id, m.since_id FROM roost_data.conversation_member m"
					" WHERE m.account_id = $1 AND ($2 IS NULL OR m.conversation_id = ANY ($2))", lengthof(types), types);
	if (SPI_execute_plan(plan, values, nulls, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the conversations of an account");
	resume->rooms = MemoryContextAlloc(caller, Max(SPI_processed, 1) * sizeof(Room));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;

		resume->rooms[i].id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));
		resume->rooms[i].since_id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &isnull));
	}
	resume->num_rooms = SPI_processed;
	SPI_finish();
	qsort(resume->rooms, resume->num_rooms, sizeof(Room), room_compare);
}

static int
room_compare(const void *left, const void *right)
{
	int64		a = ((const Room *) left)->id;
	int64		b = ((const Room *) right)->id;

	return (a > b) - (a < b);
}

/*
 * Returns whether a row of a room may be wanted.
 */
bool
roost_resume_room(const Resume *resume, const LogRow *row)
{
	const Room	key = {.id = row->room_id};
	const Room *room;

	if (row->kind == FEED_NOTIFICATION_READ && resume->notifications && row->room_id == resume->account_id)
		return true;
	if (row->room_id != row->conversation_id)
		return (resume->messages && (row->room_id == resume->account_id || row->account_id == resume->account_id)) ||
			(resume->num_conversations > 0 && row->room_id == resume->account_id && roost_stream_room_is_conversation(row));
	if (resume->num_rooms == 0)
		return false;
	room = bsearch(&key, resume->rooms, resume->num_rooms, sizeof(Room), room_compare);
	return room != NULL && roost_id_ms(row->id) >= roost_id_ms(room->since_id);
}
