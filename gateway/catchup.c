/*-------------------------------------------------------------------------
 *
 * catchup.c
 *		Subscribers that get what they missed before they are live.
 *
 * A subscriber is catching up when it resumes, when it has subscribed to
 * something that the hub does not know yet (how far the log is, whom its
 * account follows), or when it has taken a further channel while a batch was
 * waiting for its answers.  It gets nothing of what happens meanwhile; `seen`
 * says how far it is.
 *
 * Who resumes waits for its turn: so many ask at once as the slow lane has
 * connections.  Pieces of PIECE rows come from the database; after each of
 * them it goes to the end of the queue.  When it is covered, up to a row R,
 * the rows from R+1 to the hub's position come from memory.  If they are not
 * all there, are many, change whom its account follows, one of them must be
 * asked for, or what its account or others filter has changed after R, it resumes again from R, which is soon enough the position.  While
 * a batch waits for its answers, it cannot become live, because it was not
 * asked for: it waits for its end.
 *
 * What is asked for a subscriber that leaves is thrown away when it comes.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include "config.h"
#include "hub_internal.h"
#include "log.h"
#include "metrics.h"

#define PIECE "200"
#define ASK_AT_ONCE 8
#define FROM_MEMORY 256			/* rows; the database finds more of them
								 * faster */
#define PATIENCE 10.0			/* with a database that does not answer */
#define TRIES 3					/* with one that answers with an error */

typedef enum CatchUpState
{
	CATCHUP_POSITION,			/* until the hub knows how far the log is;
								 * next: COVERED */
	CATCHUP_WAITING,			/* for its turn; next: ASKED */
	CATCHUP_ASKED,				/* next: WAITING, COVERED, FAILED */
	CATCHUP_COVERED,			/* has everything up to seen; next: HOME,
								 * WAITING, SENDING, live */
	CATCHUP_HOME,				/* until it is known whom the account follows;
								 * next: COVERED */
	CATCHUP_SENDING,			/* gets rows from memory; next: live */
	CATCHUP_FAILED,				/* its owner has been told */
	CATCHUP_STATES
} CatchUpState;

typedef struct HubCatchUp
{
	ListNode	node;
	CatchUpState state;
	Subscriber *subscriber;		/* NULL: it has left while it was ASKED or
								 * SENDING */
	bool		begin;			/* `begun` is to be called */
	bool		announce;		/* `resumed` is to be called */
	bool		again;			/* its channels have changed: the answer is
								 * void */
	int			tries;
	double		failing;		/* since when; 0: it is not */
	int64_t		epoch;			/* of the subscriber's seen */
	PoolQuery	query;
	char		numbers[3][24];
	Buffer		channels;
} HubCatchUp;

static List lists[CATCHUP_STATES];
static double not_before;		/* the database could not be reached */
static int	failures;

/* Moves to another state: the only place that does. */
static void
catchup_enter(HubCatchUp *catchup, CatchUpState state)
{
	list_remove(&lists[catchup->state], &catchup->node);
	catchup->state = state;
	list_append(&lists[state], &catchup->node);
	hub_soon();
}

/* Makes a subscriber catch up. */
static HubCatchUp *
catchup_make(Subscriber *subscriber, CatchUpState state, Cursor from)
{
	HubCatchUp *catchup = memory_new(sizeof(HubCatchUp));

	catchup->subscriber = subscriber;
	catchup->state = state;
	catchup->epoch = from.epoch;
	subscriber->catching = catchup;
	subscriber->seen = from.seq;
	list_append(&lists[state], &catchup->node);
	metrics->hub_catching++;
	hub_soon();
	return catchup;
}

/* Ends it: the subscriber, if it is still there, is live. */
static void
catchup_free(HubCatchUp *catchup)
{
	if (catchup->subscriber)
		catchup->subscriber->catching = NULL;
	list_remove(&lists[catchup->state], &catchup->node);
	buffer_free(&catchup->channels);
	free(catchup);
	metrics->hub_catching--;
}

/* A subscriber takes channels of which it has everything up to a row. */
void
catchup_begin(Subscriber *subscriber, int64_t seen)
{
	HubCatchUp *catchup = catchup_make(subscriber, hub.epoch ? CATCHUP_COVERED : CATCHUP_POSITION, (Cursor) {hub.epoch, seen});

	catchup->begin = hub.epoch == 0;
}

/* A subscriber comes back with a cursor. */
void
catchup_resume(Subscriber *subscriber, Cursor from)
{
	catchup_make(subscriber, CATCHUP_WAITING, from)->announce = true;
}

/* A subscriber has other channels, or another account. */
void
catchup_change(Subscriber *subscriber)
{
	if (subscriber->catching)
		subscriber->catching->again = true;
	catchup_home(subscriber);
}

/* It is known now whom the subscriber's account follows, or it need not be. */
void
catchup_home(Subscriber *subscriber)
{
	if (subscriber->catching && subscriber->catching->state == CATCHUP_HOME)
		catchup_enter(subscriber->catching, CATCHUP_COVERED);
}

/* A subscriber leaves. */
void
catchup_end(Subscriber *subscriber)
{
	HubCatchUp *catchup = subscriber->catching;

	if (catchup == NULL)
		return;
	subscriber->catching = NULL;
	catchup->subscriber = NULL;
	if (catchup->state == CATCHUP_SENDING || (catchup->state == CATCHUP_ASKED && !pool_cancel(&catchup->query)))
		return;
	catchup_free(catchup);
}

/* Returns whether the owner of a subscriber has been told that it follows now, if only from memory or the database. */
bool
catchup_has_begun(const Subscriber *subscriber)
{
	const HubCatchUp *catchup = subscriber->catching;

	return catchup == NULL || !(catchup->announce || catchup->begin || catchup->state == CATCHUP_FAILED);
}

/* Returns how far a subscriber is; epoch 0 if that is not known. */
Cursor
catchup_cursor(const Subscriber *subscriber)
{
	const HubCatchUp *catchup = subscriber->catching;

	return (Cursor) {catchup->epoch, catchup->epoch ? subscriber->seen : 0};
}

/* Tells a subscriber from where on it gets what happens. */
static void
begin_call(Subscriber *subscriber)
{
	if (subscriber->catching)
		subscriber->catching->begin = false;
	if (subscriber->kind->begun)
		subscriber->kind->begun(subscriber, hub_cursor(subscriber));
}

/* The hub knows now how far the log is. */
void
catchup_positioned(void)
{
	ListNode   *node;

	while ((node = list_first(&lists[CATCHUP_POSITION])) != NULL)
	{
		HubCatchUp *catchup = container_of(node, HubCatchUp, node);

		catchup->epoch = hub.epoch;
		catchup->begin = false;
		catchup->subscriber->seen = hub.position;
		catchup_enter(catchup, CATCHUP_COVERED);
		turn_add(catchup->subscriber);
	}
	turn_call(begin_call);
}

/*
 * The log has broken off, and hub.epoch and hub.position are new.  Returns
 * whether a subscriber goes on all the same: the database will tell it, or it
 * has seen the new log already.
 */
bool
catchup_survives_reset(const Subscriber *subscriber)
{
	const HubCatchUp *catchup = subscriber->catching;

	return catchup && (catchup->announce || catchup->epoch == hub.epoch);
}

/* The subscriber is told to read the tables, and goes on from the hub's position. */
void
catchup_restart(Subscriber *subscriber)
{
	subscriber->seen = hub.position;
	if (subscriber->catching)
	{
		subscriber->catching->epoch = hub.epoch;
		subscriber->catching->again = true;
	}
	else if (home_is_missing(subscriber))
		catchup_begin(subscriber, hub.position);
}

/* How a row concerns a subscriber. */
typedef enum Concern
{
	CONCERN_NONE,
	CONCERN_ASK,				/* perhaps */
	CONCERN_EVENT,
	CONCERN_OWN					/* and in its home or messages */
} Concern;

/* Returns whether a row is of a topic of a subscriber. */
static bool
row_has_topic(const HubRow *row, const Subscriber *subscriber)
{
	const char *list = row->topics;
	const char *word;
	size_t		length;

	while ((word = word_next(&list, &length)) != NULL)
	{
		const HubTopic *topic = topic_find(word, length);

		if (topic && topic_has(subscriber, topic))
			return true;
	}
	return false;
}

/* Returns how a row of the log concerns a subscriber. */
static Concern
row_concern(const HubRow *row, const Subscriber *subscriber)
{
	int64_t		id = subscriber->account_id;
	bool		home = (subscriber->flags & HUB_HOME) &&
	(home_follows(subscriber->account, row->home_id) || id_is_in(row->account_ids, id));
	bool		notifications = (subscriber->flags & HUB_NOTIFICATIONS) != 0;

	if (notifications && id_is_in(row->notify, id))
		return CONCERN_ASK;
	if (row->event == NULL || (id == 0 && !row->strangers))
		return CONCERN_NONE;
	if (row->room)
	{
		if (!room_wants(row, subscriber) || (row->told && !id_is_in(row->told, id)))
			return CONCERN_NONE;
		return row->data == NULL ? CONCERN_ASK : (subscriber->flags & HUB_MESSAGES) ? CONCERN_OWN : CONCERN_EVENT;
	}
	if (!home && !(notifications && id_is_in(row->target_ids, id)) && !row_has_topic(row, subscriber))
		return CONCERN_NONE;
	if (row->data == NULL || (id != 0 && (!row->everyone || filter_asks(subscriber->account))))
		return CONCERN_ASK;
	return home ? CONCERN_OWN : CONCERN_EVENT;
}

/*
 * Returns whether rows can be given from memory up to the hub's position: none
 * must be asked for, nor may a later one have hidden what one of them shows,
 * nor may the home that is known now be another one than at one of them.
 */
static bool
memory_suffices(const Subscriber *subscriber)
{
	bool		shown = false;

	if (rows_first() > subscriber->seen + 1 || hub.position - subscriber->seen > FROM_MEMORY)
		return false;
	if (subscriber->account && subscriber->account->filter_seq > subscriber->seen)
		return false;
	for (int64_t seq = subscriber->seen + 1; seq <= hub.position; seq++)
	{
		const HubRow *row = rows_get(seq);
		Concern		concern = row_concern(row, subscriber);

		if (concern == CONCERN_ASK || (shown && row->hard))
			return false;
		if ((subscriber->flags & HUB_HOME) && home_may_change(row, subscriber->account_id))
			return false;
		shown |= concern != CONCERN_NONE;
	}
	return true;
}

/* Sends what has been gathered; seen is its end. */
static void
catchup_send(HubCatchUp *catchup, HubBatch *batch, int64_t seen, uint64_t own)
{
	Subscriber *subscriber = catchup->subscriber;

	subscriber->seen = seen;
	if (batch->count > 0)
		deliver_send_to(batch, (Cursor) {catchup->epoch, seen}, own, subscriber);
}

/* Gives a subscriber the rows up to the hub's position, from memory; then it is live. */
static void
catchup_from_memory(HubCatchUp *catchup)
{
	static HubBatch batch;
	uint64_t	own = 0;

	catchup_enter(catchup, CATCHUP_SENDING);
	catchup->again = false;
	for (int64_t seq = catchup->subscriber->seen + 1; seq <= hub.position; seq++)
	{
		const HubRow *row = rows_get(seq);
		Concern		concern = row_concern(row, catchup->subscriber);

		if (concern >= CONCERN_EVENT)
		{
			uint64_t	item = deliver_item(&batch, seq, 0, row->event, row_own_channel(row), row->topics, row->data, row->data_length);

			own |= concern == CONCERN_OWN ? item : 0;
		}
		if (batch.count < HUB_BATCH && seq < hub.position)
			continue;
		catchup_send(catchup, &batch, seq, own);
		own = 0;
		if (catchup->subscriber == NULL || catchup->again)
			break;
	}
	if (catchup->subscriber && catchup->subscriber->seen < hub.position)
		catchup_enter(catchup, CATCHUP_COVERED);
	else
		catchup_free(catchup);
}

/* Lets a subscriber that is covered become live, if it can. */
static void
catchup_try(HubCatchUp *catchup)
{
	Subscriber *subscriber = catchup->subscriber;

	if (hub.epoch == 0)
		return;
	if (home_is_missing(subscriber))
		catchup_enter(catchup, CATCHUP_HOME);
	else if (catchup->epoch != hub.epoch)
	{
		/* one of the two is behind: the hub asks, and so does the subscriber */
		hub_ask_position();
		catchup_enter(catchup, CATCHUP_WAITING);
	}
	else if (subscriber->seen >= hub.front)
		catchup_free(catchup);
	else if (hub.front == hub.position)
	{
		if (memory_suffices(subscriber))
			catchup_from_memory(catchup);
		else
			catchup_enter(catchup, CATCHUP_WAITING);
	}
}

/* Looks at all that are covered. */
void
catchup_settle(void)
{
	List	   *covered = &lists[CATCHUP_COVERED];
	ListNode   *node;

	for (int n = covered->count; n > 0 && (node = list_first(covered)) != NULL; n--)
	{
		list_remove(covered, node);
		list_append(covered, node);
		catchup_try(container_of(node, HubCatchUp, node));
	}
}

/* Gives up: the owner is told. */
static void
catchup_fail(HubCatchUp *catchup)
{
	metrics->hub_resumes_failed++;
	catchup_enter(catchup, CATCHUP_FAILED);
	catchup->subscriber->kind->failed(catchup->subscriber);
}

/* It was not possible to go on from where the subscriber was. */
static void
catchup_reset(HubCatchUp *catchup, Cursor cursor)
{
	Subscriber *subscriber = catchup->subscriber;
	bool		announce = catchup->announce;

	catchup->announce = false;
	catchup->epoch = cursor.epoch;
	subscriber->seen = cursor.seq;
	catchup_enter(catchup, CATCHUP_COVERED);
	metrics->hub_resumes_lost++;
	if (announce)
		subscriber->kind->resumed(subscriber, false, cursor);
	else
		subscriber->kind->reset(subscriber, cursor);
}

/* Columns of STATEMENT_STREAM_RESUME */
enum
{
	COLUMN_SEQ, COLUMN_PART, COLUMN_EVENT, COLUMN_HOME, COLUMN_TOPICS, COLUMN_DATA
};

/* Returns the number in a column. */
static int64_t
number_at(const PGresult *result, int line, int column)
{
	return strtoll(PQgetvalue(result, line, column), NULL, 10);
}

/* Gives a subscriber a piece; false if it has left or has other channels now. */
static bool
catchup_give(HubCatchUp *catchup, const PGresult *result)
{
	static HubBatch batch;
	int			last = PQntuples(result) - 1;
	uint64_t	own = 0;

	for (int i = 0; i < last; i++)
	{
		int64_t		seq = number_at(result, i, COLUMN_SEQ);
		uint64_t	item = deliver_item(&batch, seq, (int) number_at(result, i, COLUMN_PART), PQgetvalue(result, i, COLUMN_EVENT),
										channel_flag_name(HUB_HOME), PQgetvalue(result, i, COLUMN_TOPICS), PQgetvalue(result, i, COLUMN_DATA),
										(size_t) PQgetlength(result, i, COLUMN_DATA));

		if (*PQgetvalue(result, i, COLUMN_HOME) == 't')
			own |= item;
		if (batch.count < HUB_BATCH)
			continue;
		/* a row that goes on is not complete */
		catchup_send(catchup, &batch, number_at(result, i + 1, COLUMN_SEQ) == seq && i + 1 < last ? seq - 1 : seq, own);
		own = 0;
		if (catchup->subscriber == NULL || catchup->again)
			return false;
	}
	catchup_send(catchup, &batch, number_at(result, last, COLUMN_SEQ), own);
	return catchup->subscriber && !catchup->again;
}

/* Tells the owner that what was missed comes now; false if it has left or has other channels now. */
static bool
catchup_announce(HubCatchUp *catchup)
{
	Subscriber *subscriber = catchup->subscriber;

	if (!catchup->announce)
		return true;
	catchup->announce = false;
	metrics->hub_resumes_recovered++;
	subscriber->kind->resumed(subscriber, true, (Cursor) {catchup->epoch, subscriber->seen});
	return catchup->subscriber && !catchup->again;
}

/* Takes what the database says. */
static void
catchup_take(HubCatchUp *catchup, const PGresult *result)
{
	int			last = PQntuples(result) - 1;

	catchup->tries = 0;
	catchup->failing = 0;
	if (strcmp(PQgetvalue(result, 0, COLUMN_EVENT), "reset") == 0)
		catchup_reset(catchup, (Cursor) {number_at(result, 0, COLUMN_DATA), number_at(result, 0, COLUMN_SEQ)});
	else if (catchup_announce(catchup) && catchup_give(catchup, result))
		catchup_enter(catchup, number_at(result, last, COLUMN_PART) ? CATCHUP_WAITING : CATCHUP_COVERED);
	else if (catchup->subscriber)
		catchup_enter(catchup, CATCHUP_WAITING);
	else
		catchup_free(catchup);
}

/* The database has answered. */
static void
on_resume(PoolQuery *query, const PGresult *result)
{
	HubCatchUp *catchup = container_of(query, HubCatchUp, query);

	failures = 0;
	hub_soon();
	if (catchup->subscriber == NULL)
		catchup_free(catchup);
	else if (catchup->again)
		catchup_enter(catchup, CATCHUP_WAITING);
	else if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0)
		catchup_take(catchup, result);
	else
	{
		log_error("could not read what a client missed: %s", PQresultErrorMessage(result));
		if (++catchup->tries < TRIES)
			catchup_enter(catchup, CATCHUP_WAITING);
		else
			catchup_fail(catchup);
	}
}

/* The database cannot be reached. */
static void
on_resume_failure(PoolQuery *query, PoolFailure failure)
{
	HubCatchUp *catchup = container_of(query, HubCatchUp, query);

	not_before = ev_now(hub.loop) + hub_retry_pause(failures++);
	if (catchup->failing == 0)
		catchup->failing = ev_now(hub.loop);
	if (catchup->subscriber == NULL)
		catchup_free(catchup);
	else if (ev_now(hub.loop) - catchup->failing < PATIENCE)
		catchup_enter(catchup, CATCHUP_WAITING);
	else
		catchup_fail(catchup);
}

/* Writes an array of a subscriber's channels. */
static void
channels_write(const Subscriber *subscriber, Buffer *into)
{
	const char *comma = "{";

	into->length = 0;
	for (int i = 0; i < HUB_FLAGS; i++)
		if (subscriber->flags >> i & 1)
		{
			buffer_printf(into, "%s\"%s\"", comma, channel_flag_name((uint8_t) (1 << i)));
			comma = ",";
		}
	for (int i = 0; i < subscriber->topic_count; i++)
	{
		buffer_printf(into, "%s\"", comma);
		for (const char *c = subscriber->topics[i].topic->name; *c; c++)
		{
			if (*c == '"' || *c == '\\')
				buffer_append(into, "\\", 1);
			buffer_append(into, c, 1);
		}
		buffer_append(into, "\"", 1);
		comma = ",";
	}
	buffer_append(into, *comma == '{' ? "{}" : "}", *comma == '{' ? 3 : 2);
}

/* Asks for a piece. */
static void
catchup_ask(HubCatchUp *catchup)
{
	Subscriber *subscriber = catchup->subscriber;

	catchup_enter(catchup, CATCHUP_ASKED);
	catchup->again = false;
	snprintf(catchup->numbers[0], sizeof(catchup->numbers[0]), "%lld", (long long) subscriber->account_id);
	snprintf(catchup->numbers[1], sizeof(catchup->numbers[1]), "%lld", (long long) catchup->epoch);
	snprintf(catchup->numbers[2], sizeof(catchup->numbers[2]), "%lld", (long long) subscriber->seen);
	channels_write(subscriber, &catchup->channels);
	catchup->query = (PoolQuery)
	{
		.statement = STATEMENT_STREAM_RESUME,
			.values =
		{
			subscriber->account_id ? catchup->numbers[0] : NULL, catchup->numbers[1], catchup->numbers[2],
				catchup->channels.data, PIECE
		},
			.on_result = on_resume,.on_failure = on_resume_failure
	};
	metrics->hub_questions++;

	/* max_connections may leave the slow lane without a connection */
	pool_submit(pool_is_up(LANE_SLOW) ? LANE_SLOW : LANE_FAST, &catchup->query);
}

/* Asks for those whose turn it is. */
void
catchup_run(void)
{
	ListNode   *node;

	while (ev_now(hub.loop) >= not_before && lists[CATCHUP_ASKED].count < Min(config.slow_connections, ASK_AT_ONCE) &&
		   (node = list_first(&lists[CATCHUP_WAITING])) != NULL)
		catchup_ask(container_of(node, HubCatchUp, node));
}

/* Begins with nothing. */
void
catchup_start(void)
{
	for (int i = 0; i < CATCHUP_STATES; i++)
		list_init(&lists[i]);
}
