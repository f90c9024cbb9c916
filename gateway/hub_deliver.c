/*-------------------------------------------------------------------------
 *
 * hub_deliver.c
 *		Items, masks and frames: what is sent to whom.
 *
 * Whoever gets something now takes part in a turn: a list of subscribers.
 * Those with the same kind, mask and own are a group, which gets the same
 * bytes; a group's frame is made when its turn comes and released after it, so
 * that one frame is in memory besides those that subscribers keep.  A
 * subscriber that leaves meanwhile is taken off the list, so what is called
 * may do with itself and others what it likes.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include "hub_internal.h"
#include "metrics.h"

#define GROUP_BUCKETS 1024

/* Subscribers of a turn that get the same. */
typedef struct Group
{
	const SubscriberKind *kind;
	uint64_t	mask;
	uint64_t	own;
	int			first;			/* in the turn; the rest by turn_next */
	int			next;			/* group with the same hash, or -1 */
} Group;

static Subscriber **turn;
static int *turn_next;
static int	turn_count;
static int	turn_size;
static Group *groups;
static int	group_count;
static int	group_size;
static int	buckets[GROUP_BUCKETS];
static Buffer channel_texts[HUB_BATCH];

/* Lets a subscriber take part in the turn. */
void
turn_add(Subscriber *subscriber)
{
	if (subscriber->turn >= 0)
		return;
	if (turn_count == turn_size)
	{
		turn_size = Max(turn_size * 2, 1024);
		turn = memory_resize(turn, sizeof(Subscriber *) * (size_t) turn_size);
		turn_next = memory_resize(turn_next, sizeof(int) * (size_t) turn_size);
	}
	subscriber->turn = turn_count;
	turn[turn_count++] = subscriber;
}

/* Takes a subscriber off the list; NULL if it has left. */
static Subscriber *
turn_take(int index)
{
	Subscriber *subscriber = turn[index];

	turn[index] = NULL;
	if (subscriber)
	{
		subscriber->turn = -1;
		subscriber->mask = subscriber->own = 0;
	}
	return subscriber;
}

/* A subscriber leaves. */
void
turn_forget(Subscriber *subscriber)
{
	if (subscriber->turn >= 0)
		turn_take(subscriber->turn);
}

/* Calls a function for everybody in the turn, and ends it. */
void
turn_call(TurnHandler handler)
{
	for (int i = 0; i < turn_count; i++)
	{
		Subscriber *subscriber = turn_take(i);

		if (subscriber)
			handler(subscriber);
	}
	turn_count = 0;
}

/* Makes a frame of what a kind has rendered. */
static HubFrame *
frame_make(const Buffer *bytes, int events)
{
	HubFrame   *frame = memory_resize(NULL, sizeof(HubFrame) + bytes->length);

	frame->references = 1;
	frame->length = bytes->length;
	frame->events = events;
	if (bytes->length > 0)
		memcpy(frame->data, bytes->data, bytes->length);
	metrics->hub_frames++;
	return frame;
}

/* Keeps a frame. */
HubFrame *
hub_frame_keep(HubFrame *frame)
{
	frame->references++;
	return frame;
}

/* Lets go of a frame. */
void
hub_frame_release(HubFrame *frame)
{
	if (--frame->references == 0)
		free(frame);
}

/* Returns the group of a subscriber. */
static Group *
group_find(const Subscriber *subscriber)
{
	uint32_t	hash = map_hash_number((int64_t) (subscriber->mask * 31 + subscriber->own) + (int64_t) (intptr_t) subscriber->kind);
	int		   *bucket = &buckets[hash % GROUP_BUCKETS];
	Group	   *group;

	for (int i = *bucket; i >= 0; i = groups[i].next)
	{
		group = &groups[i];
		if (group->mask == subscriber->mask && group->own == subscriber->own && group->kind == subscriber->kind)
			return group;
	}
	if (group_count == group_size)
	{
		group_size = Max(group_size * 2, 64);
		groups = memory_resize(groups, sizeof(Group) * (size_t) group_size);
	}
	group = &groups[group_count];
	*group = (Group)
	{
		.kind = subscriber->kind,.mask = subscriber->mask,.own = subscriber->own,.first = -1,.next = *bucket
	};
	*bucket = group_count++;
	return group;
}

/* Sorts the turn into groups. */
static void
turn_group(void)
{
	memset(buckets, -1, sizeof(buckets));
	group_count = 0;
	for (int i = 0; i < turn_count; i++)
		if (turn[i])
		{
			Group	   *group = group_find(turn[i]);

			turn_next[i] = group->first;
			group->first = i;
		}
}

/* Sends a frame to a group; the function that sends may let anybody leave. */
static void
group_send(int first, HubFrame *frame)
{
	for (int i = first, next; i >= 0; i = next)
	{
		Subscriber *subscriber = turn_take(i);

		next = turn_next[i];
		if (subscriber == NULL)
			continue;
		metrics->hub_deliveries += (uint64_t) frame->events;
		subscriber->kind->send(subscriber, frame);
	}
}

/* Writes the channels of an event that anybody may know. */
static void
item_channels(HubItem *item, Buffer *text, const char *topics)
{
	const char *word;
	size_t		length;
	char		name[HUB_CHANNEL_SIZE];

	text->length = 0;
	while ((word = word_next(&topics, &length)) != NULL)
	{
		if (length >= sizeof(name))
			continue;
		memcpy(name, word, length);
		name[length] = '\0';
		if (text->length > 0)
			buffer_append(text, ",", 1);
		buffer_append_json(text, name);
	}
	item->channels = text->length > 0 ? text->data : "";
	item->channels_length = text->length;
}

/* Adds an item to a batch, which has room for it; returns its bit. */
uint64_t
deliver_item(HubBatch *batch, int64_t seq, int part, const char *event, const char *own, const char *topics, const char *data, size_t length)
{
	HubItem    *item = &batch->items[batch->count];

	item->seq = seq;
	item->part = part;
	item->event = event;
	item->own = own;
	item->data = data;
	item->data_length = length;
	item_channels(item, &channel_texts[batch->count], topics);
	return (uint64_t) 1 << batch->count++;
}

/* Lets a subscriber get an item. */
void
deliver_mark(Subscriber *subscriber, uint64_t item, bool own)
{
	turn_add(subscriber);
	subscriber->mask |= item;
	if (own)
		subscriber->own |= item;
}

/* Sends a batch, which reaches up to a row, to those who are marked, and empties it. */
void
deliver_send(HubBatch *batch, int64_t seq)
{
	static Buffer bytes;

	batch->cursor = (Cursor) {hub.epoch, seq};
	turn_group();
	for (int i = 0; i < group_count; i++)
	{
		HubFrame   *frame;

		bytes.length = 0;
		groups[i].kind->render(batch, groups[i].mask, groups[i].own, &bytes);
		frame = frame_make(&bytes, __builtin_popcountll(groups[i].mask));
		group_send(groups[i].first, frame);
		hub_frame_release(frame);
	}
	buffer_trim(&bytes, 1024 * 1024);
	turn_count = 0;
	batch->count = 0;
}

/* Sends a signal to everybody in the turn, and ends it. */
void
deliver_signal(const char *event, const char *data, size_t length)
{
	Buffer		bytes = {0};

	turn_group();
	for (int i = 0; i < group_count; i++)
	{
		HubFrame   *frame;

		bytes.length = 0;
		groups[i].kind->render_signal(event, data, length, &bytes);
		frame = frame_make(&bytes, 1);
		group_send(groups[i].first, frame);
		hub_frame_release(frame);
	}
	buffer_free(&bytes);
	turn_count = 0;
}

/* Sends a batch to one subscriber and empties it. */
void
deliver_send_to(HubBatch *batch, Cursor cursor, uint64_t own, Subscriber *subscriber)
{
	int			count = batch->count;
	Buffer		bytes = {0};
	HubFrame   *frame;

	batch->cursor = cursor;
	subscriber->kind->render(batch, count == HUB_BATCH ? UINT64_MAX : ((uint64_t) 1 << count) - 1, own, &bytes);
	batch->count = 0;
	frame = frame_make(&bytes, count);
	buffer_free(&bytes);
	metrics->hub_deliveries += (uint64_t) count;
	subscriber->kind->send(subscriber, frame);
	hub_frame_release(frame);
}

/* Appends an event as JSON. */
void
hub_item_json(const HubItem *item, bool own, Buffer *into)
{
	buffer_append_text(into, "{\"id\":\"");
	buffer_append_number(into, (uint64_t) item->seq);
	buffer_append(into, ".", 1);
	buffer_append_number(into, (uint64_t) item->part);
	buffer_append_text(into, "\",\"event\":\"");
	buffer_append_text(into, item->event);
	buffer_append_text(into, "\",\"channels\":[");
	if (own)
		buffer_printf(into, "\"%s\"%s", item->own, item->channels_length > 0 ? "," : "");
	buffer_append(into, item->channels, item->channels_length);
	buffer_append_text(into, "],\"data\":");
	buffer_append(into, item->data, item->data_length);
	buffer_append(into, "}", 1);
}
