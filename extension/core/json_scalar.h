/*-------------------------------------------------------------------------
 *
 * json_scalar.h
 *		Writers of scalar types, for the plans of json.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_JSON_SCALAR_H
#define ROOST_JSON_SCALAR_H

#include "core/json.h"

typedef void (*JsonWriter) (StringInfo out, const RoostJsonPlan *plan, Datum value);

extern JsonWriter roost_json_scalar_writer(Oid type, Oid base);

#endif							/* ROOST_JSON_SCALAR_H */
