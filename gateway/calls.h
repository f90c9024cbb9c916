/*-------------------------------------------------------------------------
 *
 * calls.h
 *		What clients say to begin calls.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CALLS_H
#define CALLS_H

#include "util.h"

/* A signal of a call has come: its number. */
extern void calls_add(int64_t n);

/*
 * It listens; signals may have come that were not heard.  first: nobody needed
 * it before.
 */
extern void calls_missed(bool first);

#endif							/* CALLS_H */
