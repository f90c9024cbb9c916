/*-------------------------------------------------------------------------
 *
 * reader.h
 *		Whether a request may be answered by a standby.
 *
 *-------------------------------------------------------------------------
 */
#ifndef READER_H
#define READER_H

#include "request.h"

extern bool reader_submit(Request *request);
extern bool reader_retry(Request *request, const char *sqlstate);
extern void reader_wrote(Request *request, const char *answer, size_t length);
extern void reader_headers(Request *request);

#endif							/* READER_H */
