/*-------------------------------------------------------------------------
 *
 * content.h
 *		What stands in a text that is judged.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_MODERATION_CONTENT_H
#define ROOST_MODERATION_CONTENT_H

#include "moderation/signal.h"

extern void roost_content_url(ModerationText *text, const char *url, int length);
extern void roost_content_urls(ModerationText *text, Datum json, bool links);
extern void roost_content_descriptions(ModerationText *text, Datum json);
extern void roost_content_scan(ModerationText *text);
extern void roost_content_bare_urls(ModerationText *text);
extern void roost_content_join(ModerationText *text, const char *first, int first_length, const char *second, int second_length);

#endif							/* ROOST_MODERATION_CONTENT_H */
