/*-------------------------------------------------------------------------
 *
 * words.h
 *		Words and phrases that are looked for in posts, all at once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_POST_WORDS_H
#define ROOST_POST_WORDS_H

#include "postgres.h"

typedef struct PostWords PostWords;

/* A phrase, folded; one that begins with # is a hashtag */
typedef struct PostWord
{
	text	   *folded;
	bool		whole;			/* not inside a longer word */
	int64		expires_us;		/* since 1970; PG_INT64_MAX: never */
} PostWord;

/* Makes them ready to be looked for, in the current memory context. */
extern PostWords *roost_words_make(const PostWord *list, int n);

/* Returns about how many bytes they take. */
extern Size roost_words_size(const PostWords *words);

/*
 * Returns whether one that has not expired is in a text, a warning or among
 * folded hashtags (text[]); each is 0 if there is none.
 */
extern bool roost_words_find(const PostWords *words, int64 now_us, Datum body, Datum warning, Datum hashtags);

#endif							/* ROOST_POST_WORDS_H */
