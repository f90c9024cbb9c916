/*-------------------------------------------------------------------------
 *
 * fold.h
 *		What a reader sees of a text, as code points that can be compared.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_FOLD_H
#define ROOST_MODERATION_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a code point is.  Those from FOLD_LATIN on are letters. */
typedef enum FoldClass
{
	FOLD_SIGN,					/* punctuation, mathematics, unassigned */
	FOLD_IGNORED,				/* nothing is seen of it */
	FOLD_SPACE,
	FOLD_PICTURE,				/* emoji and the like */
	FOLD_CURRENCY,
	FOLD_MARK,					/* goes over or under any letter */
	FOLD_LETTER_MARK,			/* part of the letters of its script */
	FOLD_DIGIT,
	FOLD_LATIN,
	FOLD_CYRILLIC,
	FOLD_GREEK,
	FOLD_ARMENIAN,
	FOLD_CHEROKEE,
	FOLD_HEBREW,
	FOLD_ARABIC,
	FOLD_HAN,					/* from here on written without spaces ... */
	FOLD_HIRAGANA,
	FOLD_KATAKANA,
	FOLD_THAI,					/* ... to here, with Lao, Khmer and Burmese */
	FOLD_HANGUL,
	FOLD_LETTER,				/* of any other script */
	FOLD_CLASSES
} FoldClass;

typedef enum FoldForm
{
	FOLD_HOST,					/* NFKC of the folded case, composed */
	FOLD_READER,				/* and each word in one script */
	FOLD_BARE,					/* and without marks, Latin letters plain */
	FOLD_LOOKS					/* and whole words of look-alikes in Latin */
} FoldForm;

typedef struct FoldGlyph
{
	uint32_t	code;
	uint32_t	position;		/* in the text, in code points */
	uint8_t		class;
	char		look;			/* the Latin letter that it may be taken for,
								 * or 0 */
	bool		weak;			/* but only by who wants to */
	bool		upper;			/* it was a capital of ASCII */
} FoldGlyph;

/* Enough room for what a text of so many bytes becomes */
#define FOLD_BOUND(length) ((size_t) (length) * 6 + 1)

#define FOLD_IS_LETTER(class) ((class) >= FOLD_LATIN)
#define FOLD_IS_UNSPACED(class) ((class) >= FOLD_HAN && (class) <= FOLD_THAI)

extern size_t roost_moderation_fold(const char *text, size_t length, FoldForm form, FoldGlyph *glyphs);
extern FoldClass roost_moderation_class(uint32_t code);
extern size_t roost_moderation_decode(const char *text, size_t length, uint32_t *code);
extern size_t roost_moderation_encode(uint32_t code, char *out);

#endif							/* ROOST_MODERATION_FOLD_H */
