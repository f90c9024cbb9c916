/*-------------------------------------------------------------------------
 *
 * setting.c
 *		Settings of what is done with the scores of texts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/guc.h"

#include "moderation/setting.h"

#define NEW_ACCOUNT_AGE_MIN	0
#define NEW_ACCOUNT_AGE_DEFAULT	SECS_PER_DAY
#define NEW_ACCOUNT_AGE_MAX	(366 * SECS_PER_DAY)
#define NEW_ACCOUNT_POSTS_MIN	0
#define NEW_ACCOUNT_POSTS_DEFAULT	5
#define NEW_ACCOUNT_POSTS_MAX	1000000
#define HALF_LIFE_MIN		SECS_PER_HOUR
#define HALF_LIFE_DEFAULT	(30 * SECS_PER_DAY)
#define HALF_LIFE_MAX		(3660 * SECS_PER_DAY)
#define DUPLICATE_WINDOW_MIN	1
#define DUPLICATE_WINDOW_DEFAULT	SECS_PER_HOUR
#define DUPLICATE_WINDOW_MAX	(7 * SECS_PER_DAY)
#define DUPLICATE_LENGTH_MIN	8
#define DUPLICATE_LENGTH_DEFAULT	25
#define DUPLICATE_LENGTH_MAX	10000
#define DUPLICATE_DISTANCE_MIN	0
#define DUPLICATE_DISTANCE_DEFAULT	14
#define DUPLICATE_DISTANCE_MAX	24
#define RETENTION_MIN		SECS_PER_HOUR
#define RETENTION_DEFAULT	(90 * SECS_PER_DAY)
#define RETENTION_MAX		(3660 * SECS_PER_DAY)

bool		roost_moderation_enabled;
int			roost_moderation_new_account_age;
int			roost_moderation_new_account_posts;
int			roost_moderation_half_life;
int			roost_moderation_duplicate_window;
int			roost_moderation_duplicate_length;
int			roost_moderation_duplicate_distance;
int			roost_moderation_retention;

/*
 * Defines the settings.
 */
void
roost_moderation_define_settings(void)
{
	DefineCustomBoolVariable("roost.moderation_enabled",
							 "Lets policies judge what is written.",
							 "Off for imports of history and for bulk work.",
							 &roost_moderation_enabled,
							 true,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.moderation_new_account_age",
							"Sets up to which age an account counts as new.",
							"Policies may be for new accounts only.",
							&roost_moderation_new_account_age,
							NEW_ACCOUNT_AGE_DEFAULT, NEW_ACCOUNT_AGE_MIN, NEW_ACCOUNT_AGE_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.moderation_new_account_posts",
							"Sets below how many posts an account counts as new, whatever its age.",
							NULL,
							&roost_moderation_new_account_posts,
							NEW_ACCOUNT_POSTS_DEFAULT, NEW_ACCOUNT_POSTS_MIN, NEW_ACCOUNT_POSTS_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.moderation_half_life",
							"Sets in which time what speaks against an account loses half its weight.",
							NULL,
							&roost_moderation_half_life,
							HALF_LIFE_DEFAULT, HALF_LIFE_MIN, HALF_LIFE_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.moderation_duplicate_window",
							"Sets how long copies of a text are looked for.",
							"Fingerprints of all posts of this time are kept.",
							&roost_moderation_duplicate_window,
							DUPLICATE_WINDOW_DEFAULT, DUPLICATE_WINDOW_MIN, DUPLICATE_WINDOW_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.moderation_duplicate_length",
							"Sets how many letters and digits a text has at least whose copies are looked for.",
							"Many people write the same greetings.",
							&roost_moderation_duplicate_length,
							DUPLICATE_LENGTH_DEFAULT, DUPLICATE_LENGTH_MIN, DUPLICATE_LENGTH_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.moderation_duplicate_distance",
							"Sets in how many of 64 bits the fingerprints of two texts may differ that count as copies.",
							NULL,
							&roost_moderation_duplicate_distance,
							DUPLICATE_DISTANCE_DEFAULT, DUPLICATE_DISTANCE_MIN, DUPLICATE_DISTANCE_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.moderation_retention",
							"Sets how long is kept what policies said.",
							NULL,
							&roost_moderation_retention,
							RETENTION_DEFAULT, RETENTION_MIN, RETENTION_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
}
