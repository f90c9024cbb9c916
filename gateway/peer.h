/*-------------------------------------------------------------------------
 *
 * peer.h
 *		How many connections, and streams of events, each address has.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PEER_H
#define PEER_H

#include "address.h"

typedef enum PeerKind
{
	PEER_CONNECTIONS,			/* of the address that is connected to us */
	PEER_STREAMS,				/* of the client, behind trusted proxies */
	PEER_KINDS
} PeerKind;

extern bool peer_enter(const Address *address, PeerKind kind, int limit);
extern void peer_leave(const Address *address, PeerKind kind);

#endif							/* PEER_H */
