/*-------------------------------------------------------------------------
 *
 * static.h
 *		The pages: /, /docs and /admin.
 *
 *-------------------------------------------------------------------------
 */
#ifndef STATIC_H
#define STATIC_H

#include "request.h"

extern void static_load(const char *folder);
extern bool static_answer(Request *request, const char *path);

#endif							/* STATIC_H */
