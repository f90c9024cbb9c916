/*-------------------------------------------------------------------------
 *
 * word.h
 *		Finds listed words in texts, also where they are disguised.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_WORD_H
#define ROOST_MODERATION_WORD_H

#include "moderation/fold.h"

#define WORD_LANGUAGE_LENGTH	12
#define WORD_MAX				64	/* symbols of an entry; longer ones are
									 * cut */
#define WORD_HITS				64	/* that are reported of one text */

typedef struct WordEntry
{
	const char *word;			/* as the list has it */
	const char *kind;
	char		language[WORD_LANGUAGE_LENGTH]; /* empty: any */
	float		severity;
	bool		whole;			/* is no part of a longer word */
	bool		allowed;		/* what it covers is no hit */

	/* set by roost_moderation_word_add */
	uint16_t	length;			/* letters and digits */
	bool		left;			/* a word must begin there */
	bool		right;			/* and end here */
	bool		latin;
	int32_t		next;			/* another entry of the same letters, or -1 */
} WordEntry;

typedef struct WordEdge
{
	uint32_t	node;			/* it leads from; 0: an empty place */
	uint32_t	symbol;
	uint32_t	to;
} WordEdge;

/* Entries by their letters; the arrays belong to the caller's allocator */
typedef struct WordSet
{
	WordEntry  *entries;
	int			num_entries;
	WordEdge   *edges;			/* a hash table of 2^n places */
	uint32_t	edge_mask;
	uint32_t	num_edges;
	int32_t    *first;			/* of each node, the entry that ends there, or
								 * -1 */
	uint32_t	num_nodes;		/* the root is node 1 */
	uint32_t	room;			/* for nodes */
} WordSet;

typedef struct WordHit
{
	int32_t		entry;
	uint32_t	start;			/* code points of the text */
	uint32_t	end;
	float		severity;		/* less where it is a guess */
	bool		disguised;
} WordHit;

/* Bytes of scratch for a text of so many glyphs */
#define WORD_SCRATCH(n) (((size_t) (n) + 1) * 2 * sizeof(uint32_t))

extern int	roost_moderation_word_symbols(const char *word, size_t length, FoldGlyph *glyphs, uint32_t *symbols);
extern void roost_moderation_word_add(WordSet *set, int entry, const uint32_t *symbols, int n);
extern int	roost_moderation_word_find(const WordSet *set, const FoldGlyph *glyphs, size_t n, const char *language,
									   const char *guessed, void *scratch, WordHit *hits, int num_hits);
extern int	roost_moderation_word_settle(const WordSet *set, WordHit *hits, int n);
extern float roost_moderation_word_score(const WordHit *hits, int n);
extern const char *roost_moderation_word_language(const FoldGlyph *glyphs, size_t n, const char *told);
extern bool roost_moderation_word_is_latin(const char *language);

#endif							/* ROOST_MODERATION_WORD_H */
