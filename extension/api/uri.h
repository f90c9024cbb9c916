/*-------------------------------------------------------------------------
 *
 * uri.h
 *		Takes paths, query strings and header lines apart.
 *
 * Plain C without PostgreSQL, so that it can be tested and fuzzed alone.
 * Nothing here allocates; input need not end in NUL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_URI_H
#define ROOST_URI_H

#include <stdbool.h>
#include <stddef.h>

/* what roost_uri_decode() returns instead of a length */
#define ROOST_URI_BAD_ESCAPE	(-1)	/* % without two hex digits */
#define ROOST_URI_BAD_UTF8		(-2)
#define ROOST_URI_BAD_CHARACTER	(-3)	/* NUL; in paths any control character */

/* a part of some longer text */
typedef struct RoostSlice
{
	const char *data;
	size_t		length;
} RoostSlice;

extern bool roost_uri_next_segment(RoostSlice *rest, RoostSlice *segment);
extern bool roost_uri_next_pair(RoostSlice *rest, RoostSlice *name, RoostSlice *value);
extern int	roost_uri_decode(RoostSlice in, bool query, char *out);
extern bool roost_uri_is_dots(RoostSlice segment);
extern bool roost_uri_valid_utf8(RoostSlice text);
extern bool roost_uri_header(RoostSlice headers, const char *name, RoostSlice *value);
extern bool roost_uri_cookie(RoostSlice cookies, const char *name, RoostSlice *value);

#endif							/* ROOST_URI_H */
