/*-------------------------------------------------------------------------
 *
 * problem.h
 *		Errors as application/problem+json (RFC 9457).
 *
 *-------------------------------------------------------------------------
 */
#ifndef PROBLEM_H
#define PROBLEM_H

#include "errcodes.h"
#include "request.h"

extern void problem_send(Request *request, const char *sqlstate, const char *detail, const char *hint, const char *field);
extern const RoostErrcode *problem_of_result(const PGresult *result, const char *id, Buffer *detail);
extern const char *problem_of_failure(PoolFailure failure, const char **detail);
extern void problem_from_result(Request *request, const PGresult *result);
extern void problem_from_failure(Request *request, PoolFailure failure);
extern void answer_from_handle(Request *request, const char *text, size_t length);

#endif							/* PROBLEM_H */
