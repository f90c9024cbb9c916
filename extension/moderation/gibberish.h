/*-------------------------------------------------------------------------
 *
 * gibberish.h
 *		How much of a text is letters without sense.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_GIBBERISH_H
#define ROOST_MODERATION_GIBBERISH_H

#include "moderation/fold.h"

/* glyphs in the form FOLD_BARE */
extern float roost_moderation_gibberish(const FoldGlyph *glyphs, size_t n);

#endif							/* ROOST_MODERATION_GIBBERISH_H */
