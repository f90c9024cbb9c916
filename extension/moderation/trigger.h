/*-------------------------------------------------------------------------
 *
 * trigger.h
 *		What the files with triggers share, and have to set up.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_TRIGGER_H
#define ROOST_MODERATION_TRIGGER_H

#include "commands/trigger.h"

extern void roost_moderation_post_init(void);
extern Datum roost_moderation_row_value(TriggerData *trigger, HeapTuple tuple, const char *name, bool *isnull);

#endif							/* ROOST_MODERATION_TRIGGER_H */
