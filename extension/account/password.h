/*-------------------------------------------------------------------------
 *
 * password.h
 *		What the parts of the password module share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_PASSWORD_H
#define ROOST_PASSWORD_H

/* longest password that is hashed or compared, in bytes */
#define ROOST_PASSWORD_BYTES_MAX	4096

/* roost.password_min_length, in characters */
extern int	roost_password_min_length;

#endif							/* ROOST_PASSWORD_H */
