/*-------------------------------------------------------------------------
 *
 * doorbell.h
 *		The connection that listens for notifications of the database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DOORBELL_H
#define DOORBELL_H

#include <ev.h>

#include "util.h"

/*
 * Called with what a notification says.  Called with NULL when the connection
 * listens (again): whatever was said before may have been missed.
 */
typedef void (*DoorbellHandler) (const char *payload);

/* Names a channel; all of them before the connection is needed. */
extern void doorbell_on(const char *channel, DoorbellHandler handler);

extern void doorbell_start(struct ev_loop *loop);
extern void doorbell_stop(void);

/* Connects, and keeps connected, while somebody needs it. */
extern void doorbell_need(bool needed);
extern bool doorbell_is_up(void);

/* Returns whether it has listened before, since it is needed; for handlers. */
extern bool doorbell_has_listened(void);

#endif							/* DOORBELL_H */
