/*-------------------------------------------------------------------------
 *
 * debug_point.h
 *		Named places in the code where a test can make a session wait.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_DEBUG_POINT_H
#define ROOST_DEBUG_POINT_H

#ifdef ROOST_DEBUG
extern void roost_debug_point(const char *name);
#define ROOST_DEBUG_POINT(name) roost_debug_point(name)
#else
#define ROOST_DEBUG_POINT(name) ((void) 0)
#endif

#endif							/* ROOST_DEBUG_POINT_H */
