/*-------------------------------------------------------------------------
 *
 * entity.h
 *		Mentions, hashtags, cashtags and URLs in the text of a post.
 *
 * Plain C: knows nothing of PostgreSQL, so that it can be tested alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_ENTITY_H
#define ROOST_ENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest user name, in characters */
#define ENTITY_MAX_NAME		30

typedef enum EntityKind
{
	ENTITY_URL,
	ENTITY_MENTION,
	ENTITY_HASHTAG,
	ENTITY_CASHTAG
} EntityKind;

typedef struct Entity
{
	EntityKind	kind;
	int			start;			/* code points, with the sign */
	int			end;			/* exclusive */
	int			path_end;		/* a mention's end with its "/list"; else end */
	int			offset;			/* bytes, without the sign */
	int			length;			/* bytes */
} Entity;

/* How many uint32_t roost_entity_scan() needs for a text of n bytes */
#define ENTITY_SCRATCH(n)	((n) + 1)

extern int	roost_entity_scan(const char *text, size_t length,
							  uint32_t *scratch, Entity *found);
extern int	roost_entity_bound(const char *text, size_t length);

/* Whether words are made of a code point: letters with their marks, digits */
extern bool roost_entity_is_word(uint32_t c);

/* Whether it belongs to a script that puts no spaces between words */
extern bool roost_entity_is_spaceless(uint32_t c);

#endif							/* ROOST_ENTITY_H */
