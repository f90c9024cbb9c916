/*-------------------------------------------------------------------------
 *
 * stream_room.c
 *		Events of rows of the log that are told to a room: to the members of a
 *		conversation, or to an account and the one that did it.
 *
 * Whom they are told, and what they say, is said by SQL, as it stands now
 * (sql/live/room.sql).  One question answers both, under one snapshot: so what
 * somebody is told is something that it may see.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"

#include "core/plan.h"
#include "live/stream.h"

#define ROOM_ARGS			7	/* of a row; what else a question needs comes
								 * behind them */
#define ROOM_DATA_TOLD		100 /* with more accounts, data comes only when it
								 * is asked for */
#define ROOM_ROW			"$1::roost.feed_kind, $2, $3, $4, $5, $6"

/* Names of events; NULL: none */
static const char *const room_events[FEED_KINDS] = {
	[FEED_MESSAGE_CREATED] = "message:received",
	[FEED_MESSAGE_EDITED] = "message:edited",
	[FEED_MESSAGE_DELETED] = "message:deleted",
	[FEED_MESSAGE_REACTED] = "message:reaction",
	[FEED_MESSAGE_HIDDEN] = "message:deleted",
	[FEED_MESSAGE_DELIVERED] = "message:delivered",
	[FEED_MESSAGE_READ] = "message:read",
	[FEED_CONVERSATION_CREATED] = "conversation:created",
	[FEED_CONVERSATION_UPDATED] = "conversation:updated",
	[FEED_CONVERSATION_SETTINGS] = "conversation:settings",
	[FEED_CONVERSATION_CLEARED] = "conversation:cleared",
	[FEED_MEMBER_ADDED] = "conversation:member_added",
	[FEED_MEMBER_REMOVED] = "conversation:member_removed",
	[FEED_MEMBER_CHANGED] = "conversation:member_changed",
	[FEED_FRIEND_REQUESTED] = "friend:request:received",
	[FEED_FRIEND_REQUEST_CANCELLED] = "friend:request:cancelled",
	[FEED_FRIEND_REQUEST_REJECTED] = "friend:request:rejected",
	[FEED_FRIEND_ACCEPTED] = "friend:request:accepted",
	[FEED_FRIEND_REMOVED] = "friend:removed",
	[FEED_KEY_CHANGED] = "encryption:devices_changed",
	[FEED_KEY_LOW] = "encryption:prekeys_low",
	[FEED_ENVELOPE_CREATED] = "encryption:envelope",
	[FEED_NOTIFICATION_READ] = "notification:read",
};

/* What may take away what an earlier row has said. */
static const bool room_hard[FEED_KINDS] = {
	[FEED_MESSAGE_EDITED] = true,
	[FEED_MESSAGE_DELETED] = true,
	[FEED_MESSAGE_HIDDEN] = true,
	[FEED_CONVERSATION_UPDATED] = true,
	[FEED_CONVERSATION_CLEARED] = true,
	[FEED_MEMBER_REMOVED] = true,
	[FEED_FRIEND_REQUEST_CANCELLED] = true,
	[FEED_FRIEND_REQUEST_REJECTED] = true,
	[FEED_FRIEND_REMOVED] = true,
};

static bool room_ask(SPIPlanPtr *plan, const char *query, const LogRow *row, Oid type, Datum argument);
static bool room_text(int column, StringInfo text);

/*
 * Says where the event of a row goes; whom it is told, and what, only if the
 * reader wants to know.
 */
void
roost_stream_room(StreamReader *reader, const LogRow *row, StreamEvent *event)
{
	event->event = room_events[row->kind];
	event->room = true;
	event->hard = room_hard[row->kind];
	roost_stream_reach(reader, row, &event->everyone, &event->strangers);
	if (roost_stream_room_is_conversation(row))
		roost_stream_word(&event->topics, "conversation:", row->conversation_id);
	else if (row->kind == FEED_NOTIFICATION_READ)
		appendStringInfoString(&event->topics, "notifications");
	if (row->room_id != row->conversation_id)
		roost_stream_mailed(reader, row->room_id, row->seq, &event->notify);
	if (event->event != NULL && reader->rooms && !roost_stream_room_told(row, ROOM_DATA_TOLD, event))
		event->event = NULL;
	else if (row->kind == FEED_NOTIFICATION_READ && !reader->rooms && row->account_id == row->room_id)
	{
		/* that is known; who wants only notifications need not ask for each */
		resetStringInfo(&event->told);
		appendStringInfo(&event->told, INT64_FORMAT, row->room_id);
		event->is_told = true;
	}
}

/*
 * Returns whether a row belongs to the channel of its conversation: if it is
 * told to that, and if it says to an account that it is no member any more.
 */
bool
roost_stream_room_is_conversation(const LogRow *row)
{
	return row->room_id == row->conversation_id || row->kind == FEED_MEMBER_REMOVED;
}

/*
 * Asks whom a row is told, and, if they are not more than `most`, what it says.
 * False: nobody, or there is nothing to say.
 */
bool
roost_stream_room_told(const LogRow *row, int most, StreamEvent *event)
{
	static SPIPlanPtr plan = NULL;
	bool		says;

	resetStringInfo(&event->told);
	resetStringInfo(&event->data);
	SPI_connect();
	says = room_ask(&plan, "SELECT pg_catalog.array_to_string(t.told, ' '), CASE WHEN pg_catalog.cardinality(t.told) <= $8"
					" THEN roost_internal.room_event($1::roost.feed_kind, $7, $2, $4, $5, $6) ELSE '' END"
					" FROM (SELECT roost_internal.room_told(" ROOM_ROW ") AS told OFFSET 0) t WHERE pg_catalog.cardinality(t.told) > 0",
					row, INT4OID, Int32GetDatum(most)) &&
		room_text(1, &event->told) && room_text(2, &event->data);
	SPI_finish();
	event->is_told = says;
	event->has_data = says && event->data.len > 0;
	return says;
}

/*
 * Appends what a row says; false: there is nothing to say.
 */
bool
roost_stream_room_data(const LogRow *row, StringInfo data)
{
	static SPIPlanPtr plan = NULL;
	bool		says;

	SPI_connect();
	says = room_ask(&plan, "SELECT roost_internal.room_event($1::roost.feed_kind, $7, $2, $4, $5, $6)", row, InvalidOid, (Datum) 0) &&
		room_text(1, data);
	SPI_finish();
	return says;
}

/*
 * Returns whether an account is told of a row.
 */
bool
roost_stream_room_tells(const LogRow *row, int64 viewer_id)
{
	static SPIPlanPtr plan = NULL;
	bool		tells;

	SPI_connect();
	tells = room_ask(&plan, "SELECT true WHERE roost_internal.room_tells(" ROOM_ROW ", $8)", row, INT8OID, Int64GetDatum(viewer_id));
	SPI_finish();
	return tells;
}

/*
 * Asks something of a row, with one more argument if its type is valid; false:
 * the answer has no row.  It sees what the active snapshot shows.
 */
static bool
room_ask(SPIPlanPtr *plan, const char *query, const LogRow *row, Oid type, Datum argument)
{
	Oid			types[ROOM_ARGS + 1] = {TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, type};
	const int64 ids[] = {row->account_id, row->room_id, row->conversation_id, row->message_id, row->target_id, row->id};
	Datum		values[ROOM_ARGS + 1] = {CStringGetTextDatum(roost_feed_kind_names[row->kind])};
	char		nulls[ROOM_ARGS + 1] = {' '};

	for (int i = 0; i < lengthof(ids); i++)
	{
		values[i + 1] = Int64GetDatum(ids[i]);
		nulls[i + 1] = ids[i] == 0 ? 'n' : ' ';
	}
	values[ROOM_ARGS] = argument;
	nulls[ROOM_ARGS] = ' ';
	roost_plan_keep(plan, query, OidIsValid(type) ? ROOM_ARGS + 1 : ROOM_ARGS, types);
	if (SPI_execute_plan(*plan, values, nulls, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not ask about the event of a room");
	return SPI_processed > 0;
}

/*
 * Appends a text of the answer; false: it is null.
 */
static bool
room_text(int column, StringInfo text)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);

	if (!isnull)
	{
		struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);

		appendBinaryStringInfo(text, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	}
	return !isnull;
}
