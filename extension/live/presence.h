/*-------------------------------------------------------------------------
 *
 * presence.h
 *		Who is online.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_PRESENCE_H
#define ROOST_PRESENCE_H

#include "postgres.h"

typedef struct RoostPresenceStat
{
	int64		online;			/* accounts with a gateway */
	int64		leaving;		/* without one, in their time of grace */
	int64		offline;		/* of which the end is remembered */
	int64		room;			/* accounts */
	int64		gateways;
	uint64		beats;
	uint64		refused;		/* accounts and gateways, for want of room */
	uint64		lost;			/* gateways that were not heard of any more */
} RoostPresenceStat;

/* gateways */
extern bool roost_presence_beat(int64 gateway_id, const int64 *online, int num_online,
								const int64 *offline, int num_offline, bool entire);

/* everybody */
extern bool roost_presence_look(int64 account_id, int64 *since_us);
extern void roost_presence_stat(RoostPresenceStat *stat);

/* the worker */
extern int64 roost_presence_due(void);
extern void roost_presence_work(void);

#endif							/* ROOST_PRESENCE_H */
