/*-------------------------------------------------------------------------
 *
 * friend.c
 *		Settings of friends.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/guc.h"

#include "roost.h"

#define FRIEND_MAX_MIN			0
#define FRIEND_MAX_DEFAULT		5000
#define FRIEND_MAX_MAX			100000
#define REQUEST_MAX_MIN			0
#define REQUEST_MAX_DEFAULT		1000
#define REQUEST_MAX_MAX			100000

static int	friend_max;
static int	friend_request_max;

/*
 * Defines the settings.
 */
static void
friend_define_gucs(void)
{
	DefineCustomIntVariable("roost.friend_max",
							"Sets how many friends an account can have.",
							NULL,
							&friend_max,
							FRIEND_MAX_DEFAULT, FRIEND_MAX_MIN, FRIEND_MAX_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.friend_request_max",
							"Sets how many requests to become friends an account can have made that wait for an answer.",
							NULL,
							&friend_request_max,
							REQUEST_MAX_DEFAULT, REQUEST_MAX_MIN, REQUEST_MAX_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
}

const RoostModule roost_friend_module = {
	.name = "roost_friend",
	.define_gucs = friend_define_gucs,
};
