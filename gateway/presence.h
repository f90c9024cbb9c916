/*-------------------------------------------------------------------------
 *
 * presence.h
 *		Tells the database which accounts are connected to this process.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PRESENCE_H
#define PRESENCE_H

#include <ev.h>

#include "util.h"

extern void presence_start(struct ev_loop *loop);

/* The process is going to end: says that everybody leaves. */
extern void presence_leave(void);

#endif							/* PRESENCE_H */
