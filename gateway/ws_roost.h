/*-------------------------------------------------------------------------
 *
 * ws_roost.h
 *		The sub-protocol roost.v1: what its files share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef WS_ROOST_H
#define WS_ROOST_H

#include "hub.h"
#include "ws.h"
#include "ws_frame.h"

#define ROOST_AT_ONCE 16		/* calls, signals and the like */

typedef struct RoostSocket
{
	Ws			ws;
	Subscriber	subscriber;
	ev_timer	timer;			/* until the token expires, or one must come */
	double		expires_at;		/* of the token; seconds since 1970 */
	char	   *token;			/* NULL without one */
	char	   *host;			/* that was asked for, or NULL */
	char	   *resume_id;		/* of the frame that is not answered yet */
	Buffer		begin_ids;		/* of frames `subscribe` that are not, each
								 * with a NUL */
	List		calls;			/* RoostCall */
	List		questions;		/* RoostQuestion */
	bool		secure;
	bool		warned;			/* that the token expires */
} RoostSocket;

/* in ws_roost.c */
extern void roost_error(RoostSocket *socket, const FrameText *id, const char *sqlstate, const char *detail);
extern void roost_append_id(Buffer *into, const FrameText *id);
extern bool roost_is_busy(const RoostSocket *socket);
extern Buffer *roost_text(const char *type, const FrameText *id);
extern void roost_send(RoostSocket *socket, Buffer *text);
extern void roost_schedule(RoostSocket *socket);
extern void roost_ready(RoostSocket *socket, const FrameText *id);

/* in ws_ask.c */
extern void ask_auth(RoostSocket *socket, Frame *frame);
extern void ask_signal(RoostSocket *socket, Frame *frame);
extern void ask_forget(RoostSocket *socket);

/* in ws_call.c */
extern void call_run(RoostSocket *socket, Frame *frame);
extern void call_answer(Ws *ws, Request *request);
extern void call_forget(RoostSocket *socket);

#endif							/* WS_ROOST_H */
