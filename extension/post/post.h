/*-------------------------------------------------------------------------
 *
 * post.h
 *		What the files of the post module share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_POST_H
#define ROOST_POST_H

#include "postgres.h"

#include "lib/stringinfo.h"

/* roost.post_max_length, in code points */
#define POST_MAX_LENGTH_MIN			1
#define POST_MAX_LENGTH_DEFAULT		500
#define POST_MAX_LENGTH_MAX			65536

extern int	roost_post_max_length;

extern void roost_post_path(StringInfo out, const char *username, int username_length,
							int64 id, const char *data, int length);
extern text *roost_post_fold(text *value);

#endif							/* ROOST_POST_H */
