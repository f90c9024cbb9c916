/*-------------------------------------------------------------------------
 *
 * position.c
 *		How far the logs of primary and standbys have come, and how far a
 *		client must be able to see.
 *
 * Samples: the primary is asked for its position a few times a second.  The
 * newest SAMPLES of them, at least SAMPLE_GAP apart, say when the primary was
 * where a standby is now, and so how old the standby's answers are, without
 * comparing the clocks of machines.  Ages are counted up to the newest sample:
 * while the primary cannot be asked, standbys do not grow older.
 *
 * Writes: a table in memory that all processes of a port share holds, for
 * every hash of a credential, the position after the last write that came with
 * it.  Different credentials with one hash share an entry, which then holds
 * the later position: their reads may go to the primary without need, and
 * never to a standby that is too far behind.  So nothing is ever evicted and
 * nothing expires; standbys simply come past it.
 * Positions of an entry only grow, and the newest timeline stands beside the
 * table: after a failover an entry may name a place that the new primary has
 * not reached yet.  That too costs only reads at the primary.
 *
 * What was written before the gateway started is not in the table; instead
 * the first sample is the least that anybody needs.
 *
 *-------------------------------------------------------------------------
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "config.h"
#include "log.h"
#include "position.h"

#define SLOTS 65536				/* a power of two */
#define SAMPLES 256

/* Shared by the processes; every field is read and written atomically. */
typedef struct PositionShared
{
	uint64_t	seed;			/* set before the processes start */
	uint32_t	timeline;		/* the newest of a write */
	uint64_t	lsns[SLOTS];
} PositionShared;

typedef struct Sample
{
	double		time;			/* the primary was asked then */
	Position	at;
} Sample;

static PositionShared *shared;
static Sample samples[SAMPLES];
static unsigned sampled;		/* how many there have been */
static double newest_time;
static uint64_t primary_system;
static Position floor_position; /* the first sample */

/* Makes the table that processes share; called before they start. */
void
position_init(void)
{
	if (config.read_count == 0)
		return;
	shared = mmap(NULL, sizeof(PositionShared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || getrandom(&shared->seed, sizeof(shared->seed), 0) != sizeof(shared->seed))
		log_fatal("could not make the table of positions");
}

/* Reads an answer of roost.gateway_position(); returns false if it is none. */
bool
position_parse(const char *text, ServerPosition *position)
{
	unsigned long long system;
	unsigned	timeline;
	unsigned	lsn[4];
	char		role[8];

	if (sscanf(text, "%llu %u %X/%X %X/%X %7s", &system, &timeline, &lsn[0], &lsn[1], &lsn[2], &lsn[3], role) != 7)
		return false;
	position->system = system;
	position->at = (Position) {timeline, (uint64_t) lsn[0] << 32 | lsn[1]};
	position->commit = (Position) {timeline, (uint64_t) lsn[2] << 32 | lsn[3]};
	position->standby = strcmp(role, "standby") == 0;
	return true;
}

/* Writes a position as clients get it; the text has room for POSITION_TEXT_SIZE. */
void
position_format(Position position, char *text)
{
	snprintf(text, POSITION_TEXT_SIZE, "%x-%llx", position.timeline, (unsigned long long) position.lsn);
}

/* Reads a hexadecimal number of so many digits at most; returns where it ends, or NULL. */
static const char *
hex_read(const char *text, int digits, uint64_t *number)
{
	const char *start = text;

	*number = 0;
	for (; isxdigit((unsigned char) *text); text++)
		*number = *number << 4 | (uint64_t) (*text <= '9' ? *text - '0' : (*text | 0x20) - 'a' + 10);
	return text > start && text <= start + digits ? text : NULL;
}

/* Reads a position that a client sends back; returns false if it is none. */
bool
position_from_client(const char *text, Position *position)
{
	uint64_t	timeline;

	text = hex_read(text, 8, &timeline);
	if (text == NULL || *text != '-')
		return false;
	text = hex_read(text + 1, 16, &position->lsn);
	position->timeline = (uint32_t) timeline;
	return text && (*text == '\0' || *text == ';' || *text == ' ');
}

/* Takes note of where the primary was when it was asked, or later. */
void
position_sample(const ServerPosition *primary, double asked)
{
	double		gap = config.read_max_lag / 1000.0 * 2 / SAMPLES;

	if (primary->standby || asked < newest_time)
		return;
	newest_time = asked;
	primary_system = primary->system;
	if (sampled == 0)
		floor_position = primary->at;

	/* the newest moves on until it is far enough from the one before */
	if (sampled < 2 || asked - samples[(sampled - 2) % SAMPLES].time >= gap)
		sampled++;
	samples[(sampled - 1) % SAMPLES] = (Sample) {asked, primary->at};
}

/* Returns whether a server belongs to another cluster than the primary. */
bool
position_is_stranger(const ServerPosition *server)
{
	return primary_system != 0 && server->system != primary_system;
}

/* Returns a time at which the primary had nothing that is not in a position; 0 if that is too long ago. */
double
position_as_of(Position at)
{
	unsigned	oldest = sampled > SAMPLES ? sampled - SAMPLES : 0;

	for (unsigned i = sampled; i > oldest; i--)
		if (position_reached(at, samples[(i - 1) % SAMPLES].at))
			return samples[(i - 1) % SAMPLES].time;
	return 0;
}

/* Returns how many seconds a standby is behind that has what was there at a time. */
double
position_age(double as_of)
{
	return newest_time > as_of ? newest_time - as_of : 0;
}

/* Returns what stands for whoever sends a credential; never 0. */
uint64_t
position_client(const char *credential, size_t length)
{
	uint64_t	hash = shared->seed;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char) credential[i]) * 0x100000001b3;
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93;
	hash ^= hash >> 32;
	return hash ? hash : 1;
}

/* Notes that a client has written. */
void
position_wrote(uint64_t client, Position position)
{
	uint64_t   *lsn = &shared->lsns[client % SLOTS];
	uint32_t	timeline = __atomic_load_n(&shared->timeline, __ATOMIC_RELAXED);
	uint64_t	old = __atomic_load_n(lsn, __ATOMIC_RELAXED);

	/* the timeline first: who sees the place must see it, too */
	while (timeline < position.timeline &&
		   !__atomic_compare_exchange_n(&shared->timeline, &timeline, position.timeline, false,
										__ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	while (old < position.lsn &&
		   !__atomic_compare_exchange_n(lsn, &old, position.lsn, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

/* Returns what a client (0: one without a credential) must be able to see. */
Position
position_need(uint64_t client)
{
	Position	need = floor_position;
	uint64_t	lsn = client ? __atomic_load_n(&shared->lsns[client % SLOTS], __ATOMIC_ACQUIRE) : 0;
	uint32_t	timeline = __atomic_load_n(&shared->timeline, __ATOMIC_ACQUIRE);

	if (lsn > 0)
	{
		need.lsn = Max(need.lsn, lsn);
		need.timeline = Max(need.timeline, timeline);
	}
	return need;
}
