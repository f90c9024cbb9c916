/*-------------------------------------------------------------------------
 *
 * problem.h
 *		Errors as application/problem+json (RFC 9457).
 *
 *-------------------------------------------------------------------------
 */
#ifndef PROBLEM_H
#define PROBLEM_H

#include "request.h"

extern void problem_send(Request *request, const char *sqlstate, const char *detail, const char *hint, const char *field);
extern void problem_from_result(Request *request, const PGresult *result);
extern void problem_from_failure(Request *request, PoolFailure failure);
extern void answer_from_handle(Request *request, const char *text, size_t length);

#endif							/* PROBLEM_H */
