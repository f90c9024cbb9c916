/*-------------------------------------------------------------------------
 *
 * event_query.h
 *		The query string of a stream of server-sent events.
 *
 *-------------------------------------------------------------------------
 */
#ifndef EVENT_QUERY_H
#define EVENT_QUERY_H

#include "hub.h"

typedef struct EventQuery
{
	const char *channels[HUB_CHANNELS + 1]; /* one more than allowed: too many */
	int			count;
	const char *after;			/* NULL: not given */
	const char *token;			/* NULL: not given */
	Buffer		text;			/* what these point to */
} EventQuery;

/* What is wrong with a query string */
typedef struct EventQueryProblem
{
	const char *sqlstate;
	const char *detail;
	const char *field;
} EventQueryProblem;

extern bool event_query_parse(const char *text, EventQuery *query, EventQueryProblem *problem);
extern void event_query_free(EventQuery *query);

#endif							/* EVENT_QUERY_H */
