/*-------------------------------------------------------------------------
 *
 * id.h
 *		Identifiers: ms since 1970 << 16 | sequence(6) << 10 | bucket(10).
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_ID_H
#define ROOST_ID_H

#define ROOST_ID_SEQUENCE_BITS	6
#define ROOST_ID_BUCKET_BITS	10
#define ROOST_ID_MS_SHIFT		(ROOST_ID_SEQUENCE_BITS + ROOST_ID_BUCKET_BITS)
#define ROOST_ID_BUCKET_MASK	((1 << ROOST_ID_BUCKET_BITS) - 1)
/* ids are not negative, so 47 bits of milliseconds: until the year 6429 */
#define ROOST_ID_MS_MAX			((INT64CONST(1) << 47) - 1)

extern int64 roost_id_next(int32 bucket);
extern int64 roost_id_lowest(void);
extern int32 roost_id_random_bucket(void);

/* Returns the milliseconds since 1970 at which an id was made. */
static inline int64
roost_id_ms(int64 id)
{
	return id >> ROOST_ID_MS_SHIFT;
}

/* Returns the bucket of an id. */
static inline int32
roost_id_bucket_of(int64 id)
{
	return (int32) (id & ROOST_ID_BUCKET_MASK);
}

#endif							/* ROOST_ID_H */
