/*-------------------------------------------------------------------------
 *
 * signal.h
 *		Scores of a text, each computed when it is first asked for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_SIGNAL_H
#define ROOST_MODERATION_SIGNAL_H

#include "lib/stringinfo.h"

#include "moderation/duplicate.h"
#include "moderation/policy.h"
#include "moderation/shape.h"
#include "moderation/standing.h"

#define SIGNAL_URLS_MAX	8192	/* more than a post has room for */

typedef struct ModerationUrl
{
	const char *url;
	int			length;
} ModerationUrl;

/*
 * What is judged.  The caller zeroes it and fills in the first part; the rest
 * belongs to signal.c.
 */
typedef struct ModerationText
{
	const char *subject;		/* post, profile, … */
	int64		subject_id;
	AccountStanding account;	/* whose it is */
	const char *text;
	int			length;
	const char *language;		/* declared, or NULL */
	const int64 *mentions;		/* accounts */
	int			num_mentions;
	int			num_hashtags;
	int			num_links;
	ModerationUrl *urls;
	int			num_urls;
	int			room_urls;
	bool		copies;			/* copies of it are looked for */
	struct ModerationText *beside;	/* descriptions of media, or NULL */
	const char *lookalike;		/* whose name it may be taken for, or NULL */

	bool		known[SIGNALS];
	double		score[SIGNALS];
	FoldGlyph  *glyphs;			/* in the form FOLD_BARE, or NULL */
	size_t		num_glyphs;
	TextShape	shape;
	bool		printed;		/* fingerprint is known, or that there is none */
	bool		has_fingerprint;
	Fingerprint fingerprint;
	DuplicateFinding finding;
} ModerationText;

extern double roost_moderation_signal(ModerationText *text, ModerationSignal signal);
extern void roost_moderation_explain(ModerationText *text, ModerationSignal signal, StringInfo out);
extern bool roost_moderation_fingerprint(ModerationText *text);

#endif							/* ROOST_MODERATION_SIGNAL_H */
