/*-------------------------------------------------------------------------
 *
 * url.h
 *		What a link is made of, and what of it is meant to deceive.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_URL_H
#define ROOST_MODERATION_URL_H

#include "moderation/fold.h"

#define URL_HOST_MAX	1024	/* bytes that are kept of a host's forms */
#define URL_LENGTH_MAX	65536	/* bytes that are looked at */

typedef struct UrlParts
{
	char		scheme[24];		/* lower case; empty if there is none */
	char		host[URL_HOST_MAX]; /* as a resolver sees it: lower case,
									 * A-labels */
	char		unicode[URL_HOST_MAX];	/* with labels decoded */
	char		skeleton[URL_HOST_MAX]; /* what it looks like */
	char		ip[48];			/* empty if it is a name */
	const char *domain;			/* in host: its last two or three labels */
	int			port;			/* -1: none */
	size_t		path_length;	/* with query */
	int			labels;
	bool		has_host;
	bool		is_ip;
	bool		is_odd_ip;		/* not written a.b.c.d */
	bool		is_punycode;
	bool		is_encoded;		/* written as xn-- */
	bool		is_malformed;	/* a label that cannot be decoded */
	bool		is_mixed;		/* a label of several scripts that look alike */
	bool		is_whole;		/* a label of another script that looks Latin
								 * as a whole, below a Latin top */
	bool		has_userinfo;
	bool		has_hidden;		/* invisible characters, or such that are none
								 * in hosts */
	bool		is_script;		/* javascript:, data: and the like */
} UrlParts;

extern void roost_moderation_url_parse(const char *url, size_t length, UrlParts *parts);
extern float roost_moderation_url_score(const char *url, size_t length, UrlParts *parts);
extern void roost_moderation_url_skeleton(const char *host, char *out);
extern const char *roost_moderation_url_domain(const char *host);
extern int	roost_moderation_punycode(const char *label, size_t length, uint32_t *codes, int room);
extern int	roost_moderation_punycode_encode(const uint32_t *codes, int count, char *out, int room);

#endif							/* ROOST_MODERATION_URL_H */
