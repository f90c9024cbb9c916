/*-------------------------------------------------------------------------
 *
 * trigger.h
 *		What the files with triggers have to set up.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_TRIGGER_H
#define ROOST_MODERATION_TRIGGER_H

#include "commands/trigger.h"

extern void roost_moderation_post_init(void);

#endif							/* ROOST_MODERATION_TRIGGER_H */
