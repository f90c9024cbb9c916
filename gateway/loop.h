/*-------------------------------------------------------------------------
 *
 * loop.h
 *		The event loop of one process.
 *
 *-------------------------------------------------------------------------
 */
#ifndef LOOP_H
#define LOOP_H

extern int	loop_run(int process);

#endif							/* LOOP_H */
