/*-------------------------------------------------------------------------
 *
 * core.h
 *		Settings and names shared by all modules.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_CORE_H
#define ROOST_CORE_H

/* roost.database: the database whose roost owns the shared memory */
extern char *roost_database;

/* roost.public_url: where people reach the site; may end with a slash */
extern char *roost_public_url;

extern bool roost_core_is_home(void);
extern bool roost_core_is_installed(void);

#endif							/* ROOST_CORE_H */
