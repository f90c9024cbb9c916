/*-------------------------------------------------------------------------
 *
 * peer.h
 *		How many connections each address has.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PEER_H
#define PEER_H

#include "address.h"

extern bool peer_enter(const Address *address, int limit);
extern void peer_leave(const Address *address);

#endif							/* PEER_H */
