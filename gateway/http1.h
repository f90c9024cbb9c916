/*-------------------------------------------------------------------------
 *
 * http1.h
 *		HTTP/1.1 and HTTP/1.0.
 *
 *-------------------------------------------------------------------------
 */
#ifndef HTTP1_H
#define HTTP1_H

#include "request.h"

extern void http1_receive(Conn *conn, const char *data, size_t length);
extern void http1_next(Conn *conn);
extern void http1_time_out(Conn *conn);
extern void http1_answer(Request *request, bool lasting);
extern void http1_stream(Request *request);
extern bool http1_piece(Request *request, const char *data, size_t length);
extern void http1_end(Request *request);

#endif							/* HTTP1_H */
