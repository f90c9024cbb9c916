/*-------------------------------------------------------------------------
 *
 * search.h
 *		The worker's step that keeps the index of search.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_WORKER_SEARCH_H
#define ROOST_WORKER_SEARCH_H

extern void roost_search_define_gucs(void);

#endif							/* ROOST_WORKER_SEARCH_H */
