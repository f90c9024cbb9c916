/*-------------------------------------------------------------------------
 *
 * record.h
 *		What becomes of what policies said.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_RECORD_H
#define ROOST_MODERATION_RECORD_H

#include "executor/spi.h"

#include "moderation/judge.h"

extern void roost_moderation_record(ModerationText *text, ModerationJudgement *judgement, Oid trigger);
extern void roost_moderation_refuse(ModerationText *text, ModerationJudgement *judgement, const char *field) pg_attribute_noreturn();
extern void roost_moderation_hold(ModerationText *text);
extern bool roost_moderation_any_held(void);
extern void roost_moderation_open_case(Oid trigger, const char *subject, int64 id);
extern void roost_moderation_owner_begin(Oid function, Oid *user, int *context);
extern void roost_moderation_as_owner(Oid function, const char *query, int nargs, Oid *types, Datum *values, const char *nulls);

#endif							/* ROOST_MODERATION_RECORD_H */
