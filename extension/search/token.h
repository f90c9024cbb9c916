/*-------------------------------------------------------------------------
 *
 * token.h
 *		The words of a text, as the index of search has them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_SEARCH_TOKEN_H
#define ROOST_SEARCH_TOKEN_H

#include "postgres.h"

typedef enum SearchTokenKind
{
	SEARCH_WORD,
	SEARCH_PAIR,				/* two neighbours of a script without spaces */
	SEARCH_LAST					/* the last one of such a run, alone */
} SearchTokenKind;

typedef struct SearchToken
{
	const char *word;			/* lower case, with its accents */
	int			word_length;
	const char *lexeme;			/* without them */
	int			length;
	int			position;		/* from 1 */
	SearchTokenKind kind;
} SearchToken;

/* How many tokens of a text are indexed at most */
#define SEARCH_TOKENS_MAX	10000

typedef struct SearchTokens
{
	SearchToken *items;
	int			count;
	int			room;
	int			position;		/* of the last one */
} SearchTokens;

/*
 * Stems that have been looked up, for who stems many texts: the slot of a word
 * holds the last word of its kind.  All zero at first.
 */
#define SEARCH_STEMS	4096

typedef struct SearchStem
{
	char	   *word;			/* NULL: nothing yet */
	int			word_length;
	char	   *stem;			/* NULL: it has none */
	int			length;
} SearchStem;

typedef struct SearchStems
{
	MemoryContext context;		/* of the words */
	Oid			dictionary;
	SearchStem	slots[SEARCH_STEMS];
} SearchStems;

extern void roost_search_tokenize(SearchTokens *tokens, const char *text, int length);
extern char *roost_search_fold(const char *text, int length);
extern const char *roost_search_plain(const char *word, int length, int *plain_length);
extern Oid	roost_search_dictionary(const char *language, int length);
extern const char *roost_search_stem(Oid dictionary, const SearchToken *token, int *length);
extern const char *roost_search_stem_kept(SearchStems *stems, const SearchToken *token, int *length);

#endif							/* ROOST_SEARCH_TOKEN_H */
