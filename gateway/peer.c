/*-------------------------------------------------------------------------
 *
 * peer.c
 *		How many connections, and streams of events, each address has.
 *
 * A hash table of addresses with at least one of these, so max-connections (and
 * the streams of a connection) bound it.  Of an IPv6 address the first 64 bits count: whoever has one has
 * that many of them.  Buckets hold lists; the table grows with its entries
 * and is never made smaller.  The hash begins at a random number, so that
 * nobody can choose addresses that meet in one bucket.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <sys/random.h>

#include "log.h"
#include "peer.h"

#define FIRST_SIZE 256			/* a power of two, as all sizes */

typedef struct Peer
{
	struct Peer *next;
	uint64_t	key;
	int			counts[PEER_KINDS];
} Peer;

static Peer **buckets;
static size_t bucket_count;
static size_t peer_count;
static uint64_t seed;

/* Returns what an address counts as: an IPv4 address, or a network of IPv6. */
static uint64_t
peer_key(const Address *address)
{
	static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	uint64_t	key;

	/* an IPv4 address is in the second half, where no IPv6 network is */
	memcpy(&key, address->bytes + (memcmp(address->bytes, mapped, sizeof(mapped)) == 0 ? 8 : 0), sizeof(key));
	return key;
}

/* Returns the link to the peer of a key, or to where it would be. */
static Peer **
peer_find(uint64_t key)
{
	uint64_t	hash = (key ^ seed) * UINT64_C(0x9e3779b97f4a7c15);
	Peer	  **link;

	hash = (hash ^ hash >> 32) * UINT64_C(0xd6e8feb86659fd93);
	link = &buckets[(hash ^ hash >> 32) & (bucket_count - 1)];
	while (*link && (*link)->key != key)
		link = &(*link)->next;
	return link;
}

/* Makes room for as many peers again. */
static void
peer_grow(void)
{
	Peer	  **old = buckets;
	size_t		old_count = bucket_count;

	if (old_count == 0 && getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		log_fatal("no random numbers");
	bucket_count = Max(old_count * 2, FIRST_SIZE);
	buckets = memory_new(sizeof(Peer *) * bucket_count);
	for (size_t i = 0; i < old_count; i++)
		while (old[i])
		{
			Peer	   *peer = old[i];
			Peer	  **link = peer_find(peer->key);

			old[i] = peer->next;
			peer->next = *link;
			*link = peer;
		}
	free(old);
}

/* Counts one more of an address; returns false, without counting it, if it has that many. */
bool
peer_enter(const Address *address, PeerKind kind, int limit)
{
	uint64_t	key = peer_key(address);
	Peer	  **link;

	if (peer_count >= bucket_count)
		peer_grow();
	link = peer_find(key);
	if (*link && (*link)->counts[kind] >= limit)
		return false;
	if (*link == NULL)
	{
		*link = memory_new(sizeof(Peer));
		(*link)->key = key;
		peer_count++;
	}
	(*link)->counts[kind]++;
	return true;
}

/* One that was counted has ended. */
void
peer_leave(const Address *address, PeerKind kind)
{
	Peer	  **link = peer_find(peer_key(address));
	Peer	   *peer = *link;

	peer->counts[kind]--;
	for (int i = 0; i < PEER_KINDS; i++)
		if (peer->counts[i] > 0)
			return;
	*link = peer->next;
	free(peer);
	peer_count--;
}
