/*-------------------------------------------------------------------------
 *
 * position.h
 *		How far the logs of primary and standbys have come, and how far a
 *		client must be able to see.
 *
 *-------------------------------------------------------------------------
 */
#ifndef POSITION_H
#define POSITION_H

#include "util.h"

#define POSITION_TEXT_SIZE 32

/* A place in the write-ahead log; 0/0 comes before everything. */
typedef struct Position
{
	uint32_t	timeline;
	uint64_t	lsn;
} Position;

/* What roost.gateway_position() says. */
typedef struct ServerPosition
{
	uint64_t	system;			/* identifier of the cluster */
	Position	at;				/* replayed, or on disk */
	Position	commit;			/* end of the session's last write */
	bool		standby;
} ServerPosition;

/*
 * Returns whether a server at a position has what another one had at an
 * earlier timeline or place.  A server that is on an older timeline has not,
 * whatever the number: it may have gone on from where the other turned off.
 */
static inline bool
position_reached(Position at, Position need)
{
	return at.timeline >= need.timeline && at.lsn >= need.lsn;
}

extern void position_init(void);
extern bool position_parse(const char *text, ServerPosition *position);
extern void position_format(Position position, char *text);
extern bool position_from_client(const char *text, Position *position);

/* the primary, over time */
extern void position_sample(const ServerPosition *primary, double asked);
extern bool position_is_stranger(const ServerPosition *server);
extern double position_as_of(Position at);
extern double position_age(double as_of);

/* what clients have written */
extern uint64_t position_client(const char *credential, size_t length);
extern void position_wrote(uint64_t client, Position position);
extern Position position_need(uint64_t client);

#endif							/* POSITION_H */
