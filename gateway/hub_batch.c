/*-------------------------------------------------------------------------
 *
 * hub_batch.c
 *		Rows of the log that are delivered together, and what is asked of them.
 *
 * A batch begins after the hub's position and has at most HUB_BATCH rows; it
 * ends before a row that changes whom somebody here follows, and with one that
 * says that rows have been lost, so that the rows of a batch are all delivered
 * by the same homes.  Of rows that somebody here wants, it is asked what they
 * say, and of entries in mailboxes those that are here; then, of rows that are
 * not for everyone, which of the accounts that want them may see them; accounts
 * with muted words are asked about of all rows.  In this
 * order: what was hidden before it was read is asked for as hidden, and what is
 * hidden later shows what was there before.  The questions are asked in chunks,
 * some at once.  When all have been answered the batch is delivered
 * (hub_batch_deliver.c).  If one fails, nothing has been delivered yet; the
 * batch is gathered and asked again after a pause.
 *
 * What accounts may see is a mask in each of them, of the rows of the batch.
 *
 * What is told to a room mostly comes with its row, with the accounts that are
 * told; if not, both are asked for, and nobody need be asked then.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include "hub_internal.h"
#include "log.h"
#include "metrics.h"

#define CHUNK 1000				/* pairs in a question */
#define PAIRS 20000				/* in a batch, but at least one row */
#define ASK_AT_ONCE 4			/* questions */

/* Pairs of rows and accounts that are asked about together. */
typedef struct Question
{
	ListNode	node;			/* while it is gathered */
	PoolQuery	query;
	uint64_t	batch;
	int			pairs;
	Buffer		seqs;
	Buffer		accounts;
} Question;

static List gathered;			/* Question */
static int	pairs;
static bool asking;				/* a batch waits for its answers */
static bool seeing;				/* to the second question, who may see it */
static int	asked;				/* its questions that are under way */
static bool broken;				/* one of them has failed */
static int	failures;
static double not_before;

static void on_answer(PoolQuery *query, const PGresult *result);
static void on_answer_failure(PoolQuery *query, PoolFailure failure);
static void batch_ask(void);

/* Asks about a row, and an account if it is not 0. */
static void
question_add(PoolStatement statement, int64_t seq, int64_t account_id)
{
	Question   *question = NULL;

	for (ListNode *node = gathered.head.next; gathered.count > 0 && node != &gathered.head; node = node->next)
	{
		question = container_of(node, Question, node);
		if (question->query.statement == statement && question->pairs < CHUNK)
			break;
		question = NULL;
	}
	if (question == NULL)
	{
		question = memory_new(sizeof(Question));
		question->batch = hub.batch;
		question->query.statement = statement;
		question->query.on_result = on_answer;
		question->query.on_failure = on_answer_failure;
		list_append(&gathered, &question->node);
	}
	buffer_append(&question->seqs, question->pairs ? "," : "{", 1);
	buffer_append_number(&question->seqs, (uint64_t) seq);
	if (account_id)
	{
		buffer_append(&question->accounts, question->pairs ? "," : "{", 1);
		buffer_append_number(&question->accounts, (uint64_t) account_id);
	}
	question->pairs++;
	pairs++;
}

/* Lets go of a question. */
static void
question_free(Question *question)
{
	buffer_free(&question->seqs);
	buffer_free(&question->accounts);
	free(question);
}

/*
 * A subscriber wants a row: asks whether its account may see it, once, if `each`
 * is asked that must be.  Returns false if it may not.
 */
static bool
gather_subscriber(const HubRow *row, const Subscriber *subscriber, bool each)
{
	HubAccount *account = subscriber->account;

	if (!row_is_next(row, subscriber) || (account == NULL && !row->strangers))
		return false;
	if (!each || account == NULL || (row->everyone && !filter_asks(account)))
		return true;
	if (account->batch != hub.batch)
		account->asked = account->visible = 0;
	account->batch = hub.batch;
	if ((account->asked & row_bit(row)) == 0)
	{
		account->asked |= row_bit(row);
		question_add(STATEMENT_STREAM_SEE, row->seq, account->id);
	}
	return true;
}

/* The same for the subscribers of an account that have a channel. */
static bool
gather_account(const HubRow *row, HubAccount *account, uint8_t flag, bool each)
{
	ListNode   *head = account ? &account->subscribers.head : NULL;

	for (ListNode *node = head ? head->next : NULL; node != head; node = node->next)
	{
		const Subscriber *subscriber = container_of(node, Subscriber, account_node);

		if ((subscriber->flags & flag) && gather_subscriber(row, subscriber, each))
			return true;
	}
	return false;
}

/* The same for a list of accounts. */
static bool
gather_accounts(const HubRow *row, const char *list, uint8_t flag, bool each)
{
	bool		wanted = false;
	int64_t		id;

	while (id_next(&list, &id))
		wanted |= gather_account(row, account_find(id), flag, each);
	return wanted;
}

/* Returns whether anybody may want the event of a row; asks about each of them, or finds one. */
static bool
gather_event(const HubRow *row, bool each)
{
	const HubEdges *followers = home_followers(row->home_id);
	const char *list = row->topics;
	const char *word;
	size_t		length;
	bool		wanted = false;

	while ((word = word_next(&list, &length)) != NULL)
	{
		const HubTopic *topic = topic_find(word, length);

		for (int i = 0; topic && i < topic->count && (each || !wanted); i++)
			wanted |= gather_subscriber(row, topic->slots[i].subscriber, each);
	}
	for (uint32_t i = 0; followers && i < followers->count && (each || !wanted); i++)
		wanted |= gather_account(row, home_account(&followers->list[i]), HUB_HOME, each);
	wanted |= gather_accounts(row, row->account_ids, HUB_HOME, each);
	wanted |= gather_accounts(row, row->target_ids, HUB_NOTIFICATIONS, each);
	return wanted;
}

/* Asks about the entries in mailboxes of those that are here. */
static void
gather_notify(const HubRow *row)
{
	const char *list = row->notify;
	int64_t		id;

	while (id_next(&list, &id))
	{
		const HubAccount *account = account_find(id);

		if (account && account->notifications > 0)
			question_add(STATEMENT_STREAM_NOTIFY, row->seq, id);
	}
}

/* Chooses the rows of the next batch, and gathers what must be asked of them first: what they say now. */
static void
batch_gather(void)
{
	int64_t		end = Min(rows_last(), hub.position + HUB_BATCH);

	hub.batch++;
	pairs = 0;
	for (int64_t seq = hub.position + 1; seq <= end && pairs < PAIRS; seq++)
	{
		HubRow	   *row = rows_get(seq);

		if (home_concerns(row))
		{
			if (seq > hub.position + 1)
				break;
			home_apply(row);
		}
		if (!row->fresh)
			row_drop_data(row);
		if (row->event && row->data == NULL && (row->room ? room_is_wanted(row) : gather_event(row, false)))
			question_add(STATEMENT_STREAM_DATA, row->seq, 0);
		gather_notify(row);
		hub.front = seq;
		if (row->lost)
			break;
	}
}

/* It is known what the rows say: gathers who may see it.  If those are too many the batch ends earlier. */
static void
batch_gather_viewers(void)
{
	pairs = 0;
	for (int64_t seq = hub.position + 1; seq <= hub.front; seq++)
	{
		const HubRow *row = rows_get(seq);

		if (row->event && row->data && !row->room && (!row->everyone || filter_any()))
			gather_event(row, true);
		if (pairs >= PAIRS)
			hub.front = seq;
	}
}

/* Takes which accounts may see which rows. */
static void
answer_see(const PGresult *result)
{
	for (int i = 0; i < PQntuples(result); i++)
	{
		int64_t		seq = strtoll(PQgetvalue(result, i, 0), NULL, 10);
		HubAccount *account = account_find(strtoll(PQgetvalue(result, i, 1), NULL, 10));

		if (account && account->batch == hub.batch && seq > hub.position && seq <= hub.front)
			account->visible |= (uint64_t) 1 << (seq - hub.position - 1);
	}
}

/* Takes what events say. */
static void
answer_data(const PGresult *result)
{
	for (int i = 0; i < PQntuples(result); i++)
	{
		int64_t		seq = strtoll(PQgetvalue(result, i, 0), NULL, 10);

		if (seq > hub.position && seq <= hub.front)
		{
			HubRow	   *row = rows_get(seq);

			row_set_data(row, PQgetvalue(result, i, 1), (size_t) PQgetlength(result, i, 1));
			row->everyone &= *PQgetvalue(result, i, 2) == 't';
			row->strangers &= *PQgetvalue(result, i, 3) == 't';
			if (row->room)
				row_set_told(row, PQgetvalue(result, i, 4), (size_t) PQgetlength(result, i, 4));
		}
	}
}

/* Takes notifications. */
static void
answer_notify(const PGresult *result)
{
	for (int i = 0; i < PQntuples(result); i++)
		notice_add(strtoll(PQgetvalue(result, i, 0), NULL, 10), strtoll(PQgetvalue(result, i, 1), NULL, 10),
				   PQgetvalue(result, i, 2), (size_t) PQgetlength(result, i, 2));
}

/* Lets go of all questions that have not been asked. */
static void
gathered_clear(void)
{
	while (gathered.count > 0)
	{
		Question   *question = container_of(list_first(&gathered), Question, node);

		list_remove(&gathered, &question->node);
		question_free(question);
	}
}

/* The batch has its answers, or one is an error: delivers it, or tries again later. */
static void
batch_end(void)
{
	asking = false;
	if (broken)
	{
		notices_clear();
		/* what came with the rows will be too old */
		for (int64_t seq = hub.position + 1; seq <= hub.front; seq++)
			rows_get(seq)->fresh = false;
		hub.front = hub.position;
		not_before = ev_now(hub.loop) + hub_retry_pause(failures++);
	}
	else
	{
		failures = 0;
		batch_deliver();
	}
	hub_soon();
}

/* A question is over. */
static void
question_end(Question *question, bool good)
{
	bool		current = asking && question->batch == hub.batch;

	question_free(question);
	if (!current)
		return;
	asked--;
	broken |= !good;
	if (broken)
		gathered_clear();
	batch_ask();
	if (asked == 0 && !broken && !seeing)
	{
		seeing = true;
		batch_gather_viewers();
		batch_ask();
	}
	if (asked == 0)
		batch_end();
}

/* The database has answered. */
static void
on_answer(PoolQuery *query, const PGresult *result)
{
	Question   *question = container_of(query, Question, query);
	bool		good = PQresultStatus(result) == PGRES_TUPLES_OK;

	if (!good)
	{
		log_error("could not ask who may see events: %s", PQresultErrorMessage(result));
		if (failures >= HUB_TRIES)
			hub_break();
	}
	else if (asking && question->batch == hub.batch)
	{
		if (query->statement == STATEMENT_STREAM_SEE)
			answer_see(result);
		else if (query->statement == STATEMENT_STREAM_DATA)
			answer_data(result);
		else
			answer_notify(result);
	}
	question_end(question, good);
}

/* The database cannot be reached. */
static void
on_answer_failure(PoolQuery *query, PoolFailure failure)
{
	question_end(container_of(query, Question, query), false);
}

/* Asks what has been gathered, as far as there is room. */
static void
batch_ask(void)
{
	while (asked < ASK_AT_ONCE && gathered.count > 0)
	{
		Question   *question = container_of(list_first(&gathered), Question, node);

		list_remove(&gathered, &question->node);
		buffer_append(&question->seqs, "}", 2);
		buffer_append(&question->accounts, "}", 2);
		question->query.values[0] = question->seqs.data;
		question->query.values[1] = question->accounts.data;
		metrics->hub_questions++;
		asked++;
		pool_submit(LANE_FAST, &question->query);
	}
}

/* Begins with the next batch, if there are rows and none is under way; returns whether it has been delivered. */
bool
batch_try(void)
{
	if (asking || hub.position >= rows_last() || ev_now(hub.loop) < not_before)
		return false;
	batch_gather();
	if (gathered.count == 0)
	{
		failures = 0;
		batch_deliver();
		return true;
	}
	asking = true;
	seeing = false;
	asked = 0;
	broken = false;
	batch_ask();
	return false;
}

/* Forgets the batch that is under way. */
void
batch_drop(void)
{
	asking = false;
	hub.batch++;
	gathered_clear();
	notices_clear();
}

/* Begins with nothing. */
void
batch_start(void)
{
	list_init(&gathered);
}
