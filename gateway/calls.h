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

/* Signals may have come that were not heard. */
extern void calls_missed(void);

#endif							/* CALLS_H */
