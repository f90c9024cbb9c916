/*-------------------------------------------------------------------------
 *
 * json.h
 *		Writes values of any type as JSON.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_JSON_H
#define ROOST_JSON_H

#include "access/tupdesc.h"
#include "datatype/timestamp.h"
#include "lib/stringinfo.h"

/*
 * How to write one type.  A plan may be freed by the next roost_json_plan*
 * call after a type changed: fetch it right before writing, do not keep it.
 */
typedef struct RoostJsonPlan RoostJsonPlan;

extern const RoostJsonPlan *roost_json_plan(Oid type);
extern const RoostJsonPlan *roost_json_plan_row(TupleDesc desc);

extern void roost_json_value(StringInfo out, const RoostJsonPlan *plan,
							 Datum value, bool isnull);
extern void roost_json_row(StringInfo out, const RoostJsonPlan *plan,
						   const Datum *values, const bool *nulls);
extern int	roost_json_attribute(const RoostJsonPlan *plan, const char *name);
extern void roost_json_attribute_value(StringInfo out, const RoostJsonPlan *plan, int attribute,
									   const Datum *values, const bool *nulls);

extern void roost_json_string(StringInfo out, const char *text, size_t length);
extern void roost_json_int64(StringInfo out, int64 value);
extern void roost_json_timestamptz(StringInfo out, TimestampTz at);

extern void roost_json_init(void);

#endif							/* ROOST_JSON_H */
