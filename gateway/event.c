/*-------------------------------------------------------------------------
 *
 * event.c
 *		Clients of HTTP that wait for events: what streams of server-sent
 *		events and long polls share.
 *
 * A client belongs to its Request, which stays open for it (answer_wait(),
 * answer_stream()).  It ends in one of two ways: the client goes, and the
 * request says so (on_gone); or we end it, which is always done from its timer,
 * never from a call of the hub, because ending a request may begin the next one
 * of its connection, and that would meet the hub in the middle of its work.
 *
 * The clients of one address are bounded by stream-connections.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "config.h"
#include "event.h"
#include "peer.h"
#include "problem.h"

static struct ev_loop *event_loop;
static List clients;

/* Prepares for clients. */
void
event_start(struct ev_loop *loop)
{
	event_loop = loop;
	list_init(&clients);
}

/* The gateway stops: ends all of them at once, so that they ask another one. */
void
event_drain(void)
{
	for (ListNode *node = clients.head.next; node != &clients.head; node = node->next)
	{
		EventClient *client = container_of(node, EventClient, node);

		client->kind->stop(client);
	}
}

/* The timer of a client is due, or it is to end. */
static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	EventClient *client = container_of(timer, EventClient, timer);

	ev_timer_stop(loop, timer);
	if (client->how > 0)
		client->kind->finish(client);
	else
		client->kind->due(client);
}

/* The request's client is gone. */
static void
on_gone(Request *request)
{
	event_release(request->owner);
}

/* Makes the client of a request; returns NULL if it has answered, because the address has too many. */
EventClient *
event_new(Request *request, const EventKind *kind)
{
	EventClient *client;

	if (!peer_enter(&request->address, PEER_STREAMS, config.stream_connections))
	{
		metrics->events_refused[kind->subscriber.transport]++;
		request_fail(request, "RO429", "Too many streams of events are open from this address.");
		return NULL;
	}
	client = memory_new(kind->size);
	client->kind = kind;
	client->subscriber.kind = &kind->subscriber;
	client->request = request;
	client->address = request->address;
	ev_init(&client->timer, on_timer);
	list_append(&clients, &client->node);
	metrics->events_opened[kind->subscriber.transport]++;
	request->owner = client;
	request->on_gone = on_gone;
	return client;
}

/* Gives a client back; its request goes on without it. */
Request *
event_release(EventClient *client)
{
	Request    *request = client->request;

	if (client->kind->release)
		client->kind->release(client);
	if (client->entered)
		hub_leave(&client->subscriber);
	ev_timer_stop(event_loop, &client->timer);
	peer_leave(&client->address, PEER_STREAMS);
	list_remove(&clients, &client->node);
	request->owner = NULL;
	request->on_gone = NULL;
	free(client);
	return request;
}

/* Enters the hub, as an account, 0 for nobody. */
void
event_enter(EventClient *client, int64_t account_id, int64_t session_id)
{
	client->subscriber.account_id = account_id;
	client->subscriber.session_id = session_id;
	client->entered = true;
	hub_enter(&client->subscriber);
}

/* Sets the timer. */
void
event_timer(EventClient *client, double seconds)
{
	ev_timer_stop(event_loop, &client->timer);
	ev_timer_set(&client->timer, Max(seconds, 0.), 0.);
	ev_timer_start(event_loop, &client->timer);
}

/* Ends a client soon; it gets nothing more from the hub. */
void
event_finish(EventClient *client, int how)
{
	if (client->how > 0)
		return;
	client->how = how;
	if (client->entered)
		hub_leave(&client->subscriber);
	client->entered = false;
	ev_feed_event(event_loop, &client->timer, EV_TIMER);
}

/* Answers with what is wrong with the channels. */
void
event_refuse(Request *request, HubProblem problem)
{
	switch (problem)
	{
		case HUB_UNKNOWN_CHANNEL:
			problem_send(request, "22023", "unknown channel",
						 "Channels are home, notifications, messages, public, presence, user:<id>, post:<id>, hashtag:<tag> and conversation:<id>.", "channels");
			break;
		case HUB_TOO_MANY:
			problem_send(request, "22023", "too many channels: At most 100.", NULL, "channels");
			break;
		default:
			problem_send(request, "RO401", "an access token is required", NULL, "channels");
			break;
	}
}
