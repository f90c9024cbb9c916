/*-------------------------------------------------------------------------
 *
 * simhash.h
 *		A fingerprint of 64 bits that is alike for texts that are.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_SIMHASH_H
#define ROOST_MODERATION_SIMHASH_H

#include "moderation/fold.h"

#define SIMHASH_KEYS	8		/* two within 7 bits have one in common */

/* glyphs in the form FOLD_BARE; 0: nothing to compare */
extern uint64_t roost_moderation_simhash(const FoldGlyph *glyphs, size_t n);

#endif							/* ROOST_MODERATION_SIMHASH_H */
