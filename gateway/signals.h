/*-------------------------------------------------------------------------
 *
 * signals.h
 *		Signals of the database: presence, typing and calls.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIGNALS_H
#define SIGNALS_H

extern void signals_start(void);

#endif							/* SIGNALS_H */
