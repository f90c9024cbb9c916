/*-------------------------------------------------------------------------
 *
 * event.h
 *		Clients of HTTP that wait for events: what streams of server-sent
 *		events and long polls share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EVENT_H
#define EVENT_H

#include "hub.h"
#include "metrics.h"
#include "request.h"

typedef struct EventClient EventClient;

typedef struct EventKind
{
	size_t		size;			/* of what has an EventClient as its first
								 * member */
	SubscriberKind subscriber;
	void		(*due) (EventClient *client);	/* the timer */
	void		(*stop) (EventClient *client);	/* the gateway stops */
	void		(*finish) (EventClient *client);	/* after event_finish() */
	void		(*release) (EventClient *client);	/* gives what it owns back */
} EventKind;

/*
 * The hub's functions must not end a client: they call event_finish(), and
 * `finish` is called a moment later, outside the hub.  Who answers the request
 * calls event_release() before.
 */
struct EventClient
{
	Subscriber	subscriber;
	const EventKind *kind;
	ListNode	node;			/* of all clients */
	Request    *request;
	Address		address;		/* that it counts as */
	ev_timer	timer;
	bool		entered;		/* in the hub */
	int			how;			/* it ends; 0: not yet */
};

extern void event_start(struct ev_loop *loop);
extern void event_drain(void);

extern EventClient *event_new(Request *request, const EventKind *kind);
extern Request *event_release(EventClient *client);
extern void event_enter(EventClient *client, int64_t account_id, int64_t session_id);
extern void event_timer(EventClient *client, double seconds);
extern void event_finish(EventClient *client, int how);
extern void event_refuse(Request *request, HubProblem problem);

#endif							/* EVENT_H */
