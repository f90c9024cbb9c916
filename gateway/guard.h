/*-------------------------------------------------------------------------
 *
 * guard.h
 *		Cookies, CSRF and CORS.
 *
 *-------------------------------------------------------------------------
 */
#ifndef GUARD_H
#define GUARD_H

#include "request.h"

extern const char *guard_cookie(const Request *request, const char *name, size_t *length);
extern bool guard_site_is_known(const Request *request);
extern bool guard_check(Request *request);
extern void guard_answer_options(Request *request);
extern void guard_cors_headers(Request *request);

#endif							/* GUARD_H */
