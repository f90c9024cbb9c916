/*-------------------------------------------------------------------------
 *
 * hub_signal.c
 *		Signals: events that are in no log.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include "hub_internal.h"

typedef void (*CandidateHandler) (Subscriber *subscriber, void *argument);

/* Who may see a signal. */
typedef struct Viewers
{
	const int64_t *ids;			/* ascending */
	size_t		count;
} Viewers;

/* Calls a function for all subscribers of a topic but those of an account. */
static void
candidates_of_topic(const char *name, int64_t account_id, CandidateHandler handler, void *argument)
{
	HubTopic   *topic = topic_find(name, strlen(name));

	for (int i = 0; topic && i < topic->count; i++)
		if (topic->slots[i].subscriber->account_id != account_id)
			handler(topic->slots[i].subscriber, argument);
}

/* Calls a function for the subscribers with presence of an account. */
static void
candidates_of_account(const HubAccount *account, CandidateHandler handler, void *argument)
{
	const ListNode *head = &account->subscribers.head;

	for (const ListNode *node = head->next; node != head; node = node->next)
	{
		Subscriber *subscriber = container_of(node, Subscriber, account_node);

		if (subscriber->flags & HUB_PRESENCE)
			handler(subscriber, argument);
	}
}

/* Calls a function for everybody who would get a signal of an account in a channel, some perhaps twice. */
static void
candidates(int64_t account_id, const char *channel, CandidateHandler handler, void *argument)
{
	const HubEdges *followers = channel ? NULL : home_followers(account_id);
	char		name[HUB_CHANNEL_SIZE];

	if (channel == NULL)
		snprintf(name, sizeof(name), "user:%lld", (long long) account_id);
	candidates_of_topic(channel ? channel : name, account_id, handler, argument);
	for (uint32_t i = 0; followers && i < followers->count; i++)
	{
		const HubAccount *account = home_account(&followers->list[i]);

		if (account->id != account_id)
			candidates_of_account(account, handler, argument);
	}
}

/* A function, and the account that is not a candidate itself. */
typedef struct Doubt
{
	int64_t		account_id;
	CandidateHandler handler;
	void	   *argument;
} Doubt;

/* Calls the function for an account of which it is not known whom it follows. */
static void
doubt_call(HubAccount *account, void *argument)
{
	const Doubt *doubt = argument;

	if (account->id != doubt->account_id)
		candidates_of_account(account, doubt->handler, doubt->argument);
}

/* The same for those who would get it if they followed the account, of whom that is not known yet. */
static void
candidates_in_doubt(int64_t account_id, CandidateHandler handler, void *argument)
{
	Doubt		doubt = {account_id, handler, argument};

	home_each_missing(doubt_call, &doubt);
}

/* Appends the account of a subscriber. */
static void
viewer_add(Subscriber *subscriber, void *argument)
{
	buffer_append(argument, &subscriber->account_id, sizeof(int64_t));
}

/* Sorts the accounts from a place on, and leaves each once. */
static void
viewers_sort(Buffer *viewers, size_t start)
{
	size_t		count = (viewers->length - start) / sizeof(int64_t);
	size_t		kept = 0;
	int64_t    *ids;

	if (count == 0)
		return;
	ids = (int64_t *) (viewers->data + start);
	qsort(ids, count, sizeof(int64_t), id_compare);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || ids[i] != ids[kept - 1])
			ids[kept++] = ids[i];
	viewers->length = start + kept * sizeof(int64_t);
}

/* Appends the accounts of those who would get a signal, ascending, each once. */
void
hub_signal_viewers(int64_t account_id, const char *channel, Buffer *viewers)
{
	size_t		start = viewers->length;

	candidates(account_id, channel, viewer_add, viewers);
	viewers_sort(viewers, start);
}

/* Appends the accounts of those who would get its presence if they follow it, which is not known yet. */
void
hub_signal_doubtful(int64_t account_id, Buffer *viewers)
{
	size_t		start = viewers->length;

	candidates_in_doubt(account_id, viewer_add, viewers);
	viewers_sort(viewers, start);
}

/* Lets a subscriber get the signal, if it may see it. */
static void
viewer_mark(Subscriber *subscriber, void *argument)
{
	const Viewers *viewers = argument;

	if (catchup_has_begun(subscriber) &&
		bsearch(&subscriber->account_id, viewers->ids, viewers->count, sizeof(int64_t), id_compare))
		turn_add(subscriber);
}

/* Sends a signal. */
void
hub_signal(int64_t account_id, const char *channel, const int64_t *viewers, int count,
		   const char *event, const char *data, size_t length)
{
	Viewers		who = {viewers, (size_t) count};

	candidates(account_id, channel, viewer_mark, &who);
	if (channel == NULL)
		candidates_in_doubt(account_id, viewer_mark, &who);
	deliver_signal(event, data, length);
}

/* Sends what was said of a call. */
void
hub_call(const char *told, int64_t session_id, const char *event, const char *data, size_t length)
{
	int64_t		id;

	while (id_next(&told, &id))
	{
		HubAccount *account = account_find(id);
		ListNode   *head = account ? &account->subscribers.head : NULL;

		for (ListNode *node = head ? head->next : NULL; node != head; node = node->next)
		{
			Subscriber *subscriber = container_of(node, Subscriber, account_node);

			if ((subscriber->flags & HUB_MESSAGES) && (session_id == 0 || subscriber->session_id != session_id) && catchup_has_begun(subscriber))
				turn_add(subscriber);
		}
	}
	deliver_signal(event, data, length);
}

/* Returns whether somebody may have messages. */
bool
hub_has_messages(void)
{
	return hub.rooms > 0;
}
