/*-------------------------------------------------------------------------
 *
 * signal.h
 *		Signals on their way to the gateways: presence, typing and calls.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_SIGNAL_H
#define ROOST_SIGNAL_H

#include "postgres.h"

#define ROOST_CHANNEL_SIZE	48	/* longest name of a channel, with its NUL */

typedef enum RoostSignalKind
{
	ROOST_SIGNAL_ONLINE,
	ROOST_SIGNAL_OFFLINE,
	ROOST_SIGNAL_TYPING_START,
	ROOST_SIGNAL_TYPING_STOP,
	ROOST_SIGNAL_CALL_OFFER,
	ROOST_SIGNAL_CALL_ANSWER,
	ROOST_SIGNAL_CALL_CANDIDATE,
	ROOST_SIGNAL_CALL_HANGUP,
	ROOST_SIGNAL_CALL_RINGING,
	ROOST_SIGNAL_KINDS
} RoostSignalKind;

#define ROOST_SIGNAL_CALL_FIRST	ROOST_SIGNAL_CALL_OFFER

typedef struct RoostSignal
{
	int64		account_id;
	int64		at_us;
	RoostSignalKind kind;
	char		channel[ROOST_CHANNEL_SIZE];	/* empty: presence; call:<n>:
												 * see call.c */
} RoostSignal;

typedef struct RoostSignalStat
{
	uint64		written;
	uint64		taken;
	uint64		dropped;		/* for want of room, or not notified */
	uint64		notifies;
} RoostSignalStat;

extern const char *roost_signal_name(RoostSignalKind kind);

/* everybody */
extern void roost_signal_push(RoostSignalKind kind, int64 account_id, const char *channel, int64 at_us);
extern void roost_signal_stat(RoostSignalStat *stat);

/* the worker */
extern bool roost_signal_waits(void);
extern int	roost_signal_take(RoostSignal *signals, int max);
extern void roost_signal_notified(int dropped, int notifies);

#endif							/* ROOST_SIGNAL_H */
