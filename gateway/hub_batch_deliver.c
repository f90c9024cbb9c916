/*-------------------------------------------------------------------------
 *
 * hub_batch_deliver.c
 *		Delivers a batch: who gets which row.
 *
 * Everything that had to be asked has been answered (hub_batch.c): the rows have
 * their data, the accounts their masks, and the notifications are here.  They
 * are gone after the delivery.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "hub_internal.h"
#include "metrics.h"

/* An answer: notification:new for an account. */
typedef struct Notice
{
	int64_t		seq;
	int64_t		account_id;
	size_t		length;
	char		data[];
} Notice;

static Notice **notices;
static int	notice_count;
static int	notice_size;
static HubBatch batch;

/* Keeps a notification for the delivery. */
void
notice_add(int64_t seq, int64_t account_id, const char *data, size_t length)
{
	Notice	   *notice = memory_resize(NULL, sizeof(Notice) + length + 1);

	notice->seq = seq;
	notice->account_id = account_id;
	notice->length = length;
	memcpy(notice->data, data, length + 1);
	if (notice_count == notice_size)
	{
		notice_size = Max(notice_size * 2, 64);
		notices = memory_resize(notices, sizeof(Notice *) * (size_t) notice_size);
	}
	notices[notice_count++] = notice;
}

/* Returns whether a subscriber gets the event of a row. */
static bool
row_is_for(const HubRow *row, const Subscriber *subscriber)
{
	const HubAccount *account = subscriber->account;

	if (!row_is_next(row, subscriber))
		return false;
	if (account == NULL)
		return row->strangers;
	if (account->batch == hub.batch && (account->asked & row_bit(row)))
		return (account->visible & row_bit(row)) != 0;
	return row->everyone;
}

/* Makes room for one more item. */
static void
batch_make_room(int64_t seq)
{
	if (batch.count == HUB_BATCH)
		deliver_send(&batch, seq - 1);
}

/* Gives a subscriber an event; the item is made for the first one. */
static void
event_mark(const HubRow *row, uint64_t *item, Subscriber *subscriber, bool own)
{
	if (!row_is_for(row, subscriber))
		return;
	if (*item == 0)
		*item = deliver_item(&batch, row->seq, 0, row->event, row_own_channel(row), row->topics, row->data, row->data_length);
	deliver_mark(subscriber, *item, own);
}

/* Gives the subscribers of an account that have one of these channels an event. */
static void
event_mark_account(const HubRow *row, uint64_t *item, HubAccount *account, uint8_t flag)
{
	ListNode   *head;

	if (account == NULL)
		return;
	head = &account->subscribers.head;
	for (ListNode *node = head->next; node != head; node = node->next)
	{
		Subscriber *subscriber = container_of(node, Subscriber, account_node);

		if (subscriber->flags & flag)
			event_mark(row, item, subscriber, flag == HUB_HOME);
	}
}

/* Compares notices by their rows. */
static int
notice_compare(const void *left, const void *right)
{
	const Notice *a = *(Notice *const *) left;
	const Notice *b = *(Notice *const *) right;

	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	return (a->account_id > b->account_id) - (a->account_id < b->account_id);
}

/* Returns whether there is a notice; they are sorted. */
static bool
notice_find(int64_t seq, int64_t account_id)
{
	Notice		wanted = {.seq = seq,.account_id = account_id};
	const Notice *key = &wanted;

	return notice_count > 0 && bsearch(&key, notices, (size_t) notice_count, sizeof(Notice *), notice_compare);
}

/* The same for a subscriber that is told of a row of a room. */
static void
event_mark_told(const HubRow *row, Subscriber *subscriber, void *item)
{
	event_mark(row, item, subscriber, (subscriber->flags & HUB_MESSAGES) != 0);
}

/* Gives the event of a row to everybody who gets it; what was done to an account comes with its notification only. */
static void
deliver_event(const HubRow *row)
{
	const HubEdges *followers;
	const char *list = row->topics;
	const char *word;
	size_t		length;
	uint64_t	item = 0;
	int64_t		id;

	batch_make_room(row->seq);
	if (row->room)
	{
		room_each(row, event_mark_told, &item);
		return;
	}
	followers = home_followers(row->home_id);
	while ((word = word_next(&list, &length)) != NULL)
	{
		const HubTopic *topic = topic_find(word, length);

		for (int i = 0; topic && i < topic->count; i++)
			event_mark(row, &item, topic->slots[i].subscriber, false);
	}
	for (uint32_t i = 0; followers && i < followers->count; i++)
		event_mark_account(row, &item, home_account(&followers->list[i]), HUB_HOME);
	list = row->account_ids;
	while (id_next(&list, &id))
		event_mark_account(row, &item, account_find(id), HUB_HOME);
	list = row->target_ids;
	while (id_next(&list, &id))
		if (notice_find(row->seq, id))
			event_mark_account(row, &item, account_find(id), HUB_NOTIFICATIONS);
}

/* Gives an account its notification. */
static void
deliver_notice(const Notice *notice)
{
	HubAccount *account;
	uint64_t	item = 0;
	ListNode   *head;

	batch_make_room(notice->seq);
	account = account_find(notice->account_id);
	if (account == NULL)
		return;
	head = &account->subscribers.head;
	for (ListNode *node = head->next; node != head; node = node->next)
	{
		Subscriber *subscriber = container_of(node, Subscriber, account_node);

		if (!(subscriber->flags & HUB_NOTIFICATIONS) || subscriber->catching || subscriber->seen >= notice->seq)
			continue;
		if (item == 0)
			item = deliver_item(&batch, notice->seq, 1, "notification:new", "", "", notice->data, notice->length);
		deliver_mark(subscriber, item, false);
	}
}

/* Closes the sessions that rows of the batch revoke; returns whether a row says that rows have been lost. */
static bool
batch_revoke(void)
{
	int64_t		ids[HUB_BATCH];
	int			count = 0;
	bool		lost = false;

	for (int64_t seq = hub.position + 1; seq <= hub.front; seq++)
	{
		const HubRow *row = rows_get(seq);

		if (row->revoked)
			ids[count++] = row->revoked;
		lost |= row->lost;
	}
	if (count > 0)
		session_revoke(ids, count);
	return lost;
}

/* Rows have been lost, and with them perhaps follows and revocations: reads those anew. */
static void
batch_lost(void)
{
	ListNode   *head = &hub.everybody.head;

	session_check();
	home_forget_all();
	for (ListNode *node = head->next; node != head; node = node->next)
	{
		Subscriber *subscriber = container_of(node, Subscriber, node);

		if (subscriber->catching == NULL && home_is_missing(subscriber))
			catchup_begin(subscriber, hub_cursor(subscriber).seq);
	}
}

/* Lets go of all notices. */
void
notices_clear(void)
{
	for (int i = 0; i < notice_count; i++)
		free(notices[i]);
	notice_count = 0;
}

/* Delivers the batch: everything has been answered. */
void
batch_deliver(void)
{
	int			n = 0;
	bool		lost = batch_revoke();

	if (notice_count > 1)
		qsort(notices, (size_t) notice_count, sizeof(Notice *), notice_compare);
	for (int64_t seq = hub.position + 1; seq <= hub.front; seq++)
	{
		const HubRow *row = rows_get(seq);

		if (row->event && row->data)
			deliver_event(row);
		for (; n < notice_count && notices[n]->seq <= seq; n++)
			deliver_notice(notices[n]);
	}
	if (batch.count > 0)
		deliver_send(&batch, hub.front);
	notices_clear();
	hub.position = hub.front;
	metrics->hub_batches++;
	if (lost)
		batch_lost();
}
