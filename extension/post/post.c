/*-------------------------------------------------------------------------
 *
 * post.c
 *		The post module: its settings and shared memory.
 *
 *-------------------------------------------------------------------------
 */
#include "post/post.h"

#include "utils/guc.h"

#include "post/cache.h"
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
	roost_post_cache_define_gucs();
}

const RoostModule roost_post_module = {
	.name = "roost post",
	.define_gucs = post_define_gucs,
	.shmem_size = roost_post_cache_shmem_size,
	.num_lwlocks = POST_CACHE_PARTITIONS,
	.shmem_init = roost_post_cache_shmem_init,
	.init = roost_post_read_init,
};
