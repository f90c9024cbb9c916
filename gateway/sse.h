/*-------------------------------------------------------------------------
 *
 * sse.h
 *		Streams of server-sent events.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SSE_H
#define SSE_H

#include "request.h"

extern bool sse_is_path(const char *path);
extern bool sse_answer(Request *request, const char *path);

#endif							/* SSE_H */
