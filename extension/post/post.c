/*-------------------------------------------------------------------------
 *
 * post.c
 *		The post module: its setting.
 *
 *-------------------------------------------------------------------------
 */
#include "post/post.h"

#include "utils/guc.h"

#include "post/read.h"
#include "roost.h"

int			roost_post_max_length = POST_MAX_LENGTH_DEFAULT;

/*
 * Define the settings of the post module.
 */
static void
post_define_gucs(void)
{
	DefineCustomIntVariable("roost.post_max_length",
							"Sets how many characters the text of a post may have.",
							"Characters are code points after normalization to NFC. 64 KiB is the end in any case.",
							&roost_post_max_length,
							POST_MAX_LENGTH_DEFAULT, POST_MAX_LENGTH_MIN, POST_MAX_LENGTH_MAX,
							PGC_SUSET,
							0,
							NULL, NULL, NULL);
}

const RoostModule roost_post_module = {
	.name = "roost post",
	.define_gucs = post_define_gucs,
	.init = roost_post_read_init,
};
