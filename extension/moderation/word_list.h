/*-------------------------------------------------------------------------
 *
 * word_list.h
 *		The list of words, as a backend keeps it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_WORD_LIST_H
#define ROOST_MODERATION_WORD_LIST_H

#include "moderation/word.h"

extern int	roost_moderation_word_list_find(const char *data, size_t length, const FoldGlyph *glyphs, size_t n, const char *language,
											WordHit *hits);
extern const WordEntry *roost_moderation_word_list_entry(const WordHit *hit);

#endif							/* ROOST_MODERATION_WORD_LIST_H */
