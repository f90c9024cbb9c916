/*-------------------------------------------------------------------------
 *
 * setting.h
 *		Settings of what is done with the scores of texts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_SETTING_H
#define ROOST_MODERATION_SETTING_H

extern bool roost_moderation_enabled;
extern int	roost_moderation_new_account_age;	/* seconds */
extern int	roost_moderation_new_account_posts;
extern int	roost_moderation_half_life; /* seconds */
extern int	roost_moderation_duplicate_window;	/* seconds */
extern int	roost_moderation_duplicate_length;	/* letters and digits */
extern int	roost_moderation_duplicate_distance;	/* bits */
extern int	roost_moderation_retention; /* seconds */

extern void roost_moderation_define_settings(void);

#endif							/* ROOST_MODERATION_SETTING_H */
