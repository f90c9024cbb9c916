/*-------------------------------------------------------------------------
 *
 * key.h
 *		Public keys of devices.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_KEY_H
#define ROOST_KEY_H

#include "postgres.h"

/* One-time prekeys of a kind below which a device is told to publish more; 0: never */
extern int	roost_key_low_water;

/* Returns bytes (a bytea) as base64 with padding. */
extern text *roost_key_text(Datum bytes);

#endif							/* ROOST_KEY_H */
