/*-------------------------------------------------------------------------
 *
 * duplicate.h
 *		Nearly the same text, written by others or again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_DUPLICATE_H
#define ROOST_MODERATION_DUPLICATE_H

#define DUPLICATE_KEYS			4
#define DUPLICATE_ACCOUNTS_MAX	128 /* no more are counted */
#define DUPLICATE_COPIES_MAX	128

typedef struct DuplicateFinding
{
	int			accounts;		/* other accounts with nearly this text */
	int			copies;			/* other posts of this one */
	int			distance;		/* of the nearest of all, in bits */
} DuplicateFinding;

/* What texts are compared by */
typedef struct Fingerprint
{
	uint64		simhash;
	uint32		keys[DUPLICATE_KEYS];
} Fingerprint;

extern void roost_duplicate_find(const char *subject, const Fingerprint *fingerprint, int64 author_id, int64 post_id, DuplicateFinding *finding);
extern void roost_duplicate_keep(const char *subject, const Fingerprint *fingerprint, int64 author_id, int64 post_id);

#endif							/* ROOST_MODERATION_DUPLICATE_H */
