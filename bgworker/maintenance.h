/*-------------------------------------------------------------------------
 *
 * maintenance.h
 *		Settings of the worker's maintenance step.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MAINTENANCE_H
#define ROOST_MAINTENANCE_H

extern void roost_maintenance_define_gucs(void);

#endif							/* ROOST_MAINTENANCE_H */
