/*-------------------------------------------------------------------------
 *
 * hub_room.c
 *		Rows of the log that are told to rooms: messages, friends, keys.
 *
 * The database says which accounts are told of such a row.  Of these, who has
 * the channel of the conversation gets it, and who has messages.  Nobody else
 * does, whatever it subscribes to; but what an account has read of its
 * notifications is for the channel of these, too.  While nobody here has any of these
 * channels, the database is not asked; who comes later finds rows of which is
 * not known whom they are told, and these are asked for then.  While there are
 * only notifications, just those rows are asked for that tell somebody here what
 * it has read: of these the database always says who is told.
 *
 *-------------------------------------------------------------------------
 */
#include "hub_internal.h"

#define ROOM_PREFIX "conversation:"

/* A topic has come (1) or gone (-1). */
void
room_count(const char *topic, int change)
{
	if (strncmp(topic, ROOM_PREFIX, sizeof(ROOM_PREFIX) - 1) == 0)
		hub.rooms += change;
}

/* Returns the topic of a row's conversation, if it is of one and somebody has that. */
static const HubTopic *
room_topic(const HubRow *row)
{
	return *row->topics ? topic_find(row->topics, strlen(row->topics)) : NULL;
}

/* Returns whether a row says what an account has read of its notifications. */
static bool
room_is_notice(const HubRow *row)
{
	return strcmp(row->topics, channel_flag_name(HUB_NOTIFICATIONS)) == 0;
}

/* Returns the channels, of those that are no topics, that a row belongs to. */
static uint8_t
room_flags(const HubRow *row)
{
	return room_is_notice(row) ? HUB_MESSAGES | HUB_NOTIFICATIONS : HUB_MESSAGES;
}

/* Returns whether anybody here has a channel that a row may belong to. */
static bool
room_concerns(const HubRow *row)
{
	return hub.rooms > 0 || (hub.notified > 0 && room_is_notice(row));
}

/* Returns whether a subscriber with an account has a channel that a row belongs to, if the account is told. */
static bool
room_has(uint8_t flags, const HubTopic *topic, const Subscriber *subscriber)
{
	return (subscriber->flags & flags) || (topic && topic_has(subscriber, topic));
}

/* The same, for any subscriber. */
bool
room_wants(const HubRow *row, const Subscriber *subscriber)
{
	return subscriber->account && room_has(room_flags(row), room_topic(row), subscriber);
}

/* Calls a function for the subscribers who are told of a row. */
void
room_each(const HubRow *row, void (*called) (const HubRow *row, Subscriber *subscriber, void *argument), void *argument)
{
	const HubTopic *topic = room_topic(row);
	uint8_t		flags = room_flags(row);
	const char *list = row->told ? row->told : "";
	int64_t		id;

	while (room_concerns(row) && id_next(&list, &id))
	{
		HubAccount *account = account_find(id);
		ListNode   *head = account ? &account->subscribers.head : NULL;

		for (ListNode *node = head ? head->next : NULL; node != head; node = node->next)
		{
			Subscriber *subscriber = container_of(node, Subscriber, account_node);

			if (room_has(flags, topic, subscriber))
				called(row, subscriber, argument);
		}
	}
}

/* Notes that there is a subscriber who gets the row now. */
static void
room_note(const HubRow *row, Subscriber *subscriber, void *wanted)
{
	*(bool *) wanted |= subscriber->catching == NULL && subscriber->seen < row->seq;
}

/* Returns whether somebody is told of a row, or, if that is not known, may be. */
bool
room_is_wanted(const HubRow *row)
{
	bool		wanted = row->told == NULL && room_concerns(row);

	room_each(row, room_note, &wanted);
	return wanted;
}
