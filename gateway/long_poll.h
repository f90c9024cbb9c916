/*-------------------------------------------------------------------------
 *
 * long_poll.h
 *		Long polls.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LONG_POLL_H
#define LONG_POLL_H

#include "request.h"

#define POLL_HEADER "roost-wait"	/* from roost.event_list() to us */

extern bool poll_wait(Request *request, const char *answer, size_t length);

#endif							/* LONG_POLL_H */
