/*-------------------------------------------------------------------------
 *
 * http2.h
 *		HTTP/2.
 *
 *-------------------------------------------------------------------------
 */
#ifndef HTTP2_H
#define HTTP2_H

#include "request.h"

extern void http2_start(Conn *conn);
extern void http2_receive(Conn *conn, const char *data, size_t length);
extern bool http2_has_output(Conn *conn);
extern size_t http2_held(Conn *conn);
extern void http2_fill(Conn *conn, size_t limit);
extern void http2_answer(Request *request);
extern void http2_stream(Request *request);
extern bool http2_piece(Request *request, const char *data, size_t length);
extern void http2_end(Request *request);
extern void http2_cut(Request *request);
extern void http2_goodbye(Conn *conn);
extern void http2_tick(void);
extern void http2_free(Conn *conn);

#endif							/* HTTP2_H */
