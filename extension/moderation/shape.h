/*-------------------------------------------------------------------------
 *
 * shape.h
 *		What a text looks like, and what its copies have in common.
 *
 * Plain C: knows nothing of PostgreSQL, so that it can be tested alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_SHAPE_H
#define ROOST_MODERATION_SHAPE_H

#include "moderation/fold.h"

typedef struct TextShape
{
	int			letters;		/* letters and digits, without mentions */
	int			words;
	double		capitals;		/* part of the Latin letters; 0 of few */
	double		repetition;		/* part that has been there before */
} TextShape;

/* glyphs in the form FOLD_BARE */
extern void roost_moderation_shape(const FoldGlyph *glyphs, size_t n, TextShape *shape);
extern void roost_moderation_shingles(const FoldGlyph *glyphs, size_t n, uint32_t *keys, int num_keys);

#endif							/* ROOST_MODERATION_SHAPE_H */
