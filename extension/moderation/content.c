/*-------------------------------------------------------------------------
 *
 * content.c
 *		What stands in a text that is judged: links, mentions, hashtags.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "moderation/content.h"
#include "post/entity.h"

static bool content_has_url(const ModerationText *text, const char *url, int length);

/*
 * Takes the addresses of a list of objects with "url", as posts have them of
 * their links and media.
 */
void
roost_content_urls(ModerationText *text, Datum json, bool links)
{
	Jsonb	   *jsonb = DatumGetJsonbP(json);
	int			count;

	if (!JB_ROOT_IS_ARRAY(jsonb))
		return;
	count = JB_ROOT_COUNT(jsonb);
	if (links)
		text->num_links += count;
	for (int i = 0; i < count && text->num_urls < SIGNAL_URLS_MAX; i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(&jsonb->root, i);
		JsonbValue	url;

		if (element == NULL || element->type != jbvBinary || !JsonContainerIsObject(element->val.binary.data))
			continue;
		if (getKeyJsonValueFromContainer(element->val.binary.data, "url", 3, &url) != NULL && url.type == jbvString)
			roost_content_url(text, url.val.string.val, url.val.string.len);
		if (getKeyJsonValueFromContainer(element->val.binary.data, "preview_url", 11, &url) != NULL && url.type == jbvString)
			roost_content_url(text, url.val.string.val, url.val.string.len);
	}
}

/*
 * Takes the descriptions of media.  They are judged by themselves: a long one
 * that is harmless hides nothing that stands in the text, nor the other way.
 */
void
roost_content_descriptions(ModerationText *text, Datum json)
{
	Jsonb	   *jsonb = DatumGetJsonbP(json);
	int			count = JB_ROOT_IS_ARRAY(jsonb) ? JB_ROOT_COUNT(jsonb) : 0;
	StringInfoData all;

	initStringInfo(&all);
	for (int i = 0; i < count; i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(&jsonb->root, i);
		JsonbValue	description;

		if (element == NULL || element->type != jbvBinary || !JsonContainerIsObject(element->val.binary.data))
			continue;
		if (getKeyJsonValueFromContainer(element->val.binary.data, "description", 11, &description) == NULL ||
			description.type != jbvString || description.val.string.len == 0)
			continue;
		if (all.len > 0)
			appendStringInfoChar(&all, '\n');
		appendBinaryStringInfo(&all, description.val.string.val, description.val.string.len);
	}
	if (all.len == 0)
		return;
	text->beside = palloc0(sizeof(ModerationText));
	text->beside->subject = text->subject;
	text->beside->language = text->language;
	text->beside->text = all.data;
	text->beside->length = all.len;
	roost_content_scan(text->beside);
	roost_content_bare_urls(text->beside);
}

/*
 * Finds links, mentions and hashtags in the text itself.
 */
void
roost_content_scan(ModerationText *text)
{
	uint32_t   *scratch = palloc(ENTITY_SCRATCH(text->length) * sizeof(uint32_t));
	Entity	   *entities = palloc((roost_entity_bound(text->text, text->length) + 1) * sizeof(Entity));
	int			count = roost_entity_scan(text->text, text->length, scratch, entities);

	for (int i = 0; i < count; i++)
	{
		if (entities[i].kind == ENTITY_URL)
		{
			text->num_links++;
			roost_content_url(text, text->text + entities[i].offset, entities[i].length);
		}
		else if (entities[i].kind == ENTITY_MENTION)
			text->num_mentions++;
		else if (entities[i].kind == ENTITY_HASHTAG)
			text->num_hashtags++;
	}
}

/*
 * Finds what a client may make a link of although it is none in a post:
 * addresses with a scheme whose host is a number, is no known domain, or has a
 * name of a user before it.  Those that are known by now are not taken twice.
 */
void
roost_content_bare_urls(ModerationText *text)
{
	const char *end = text->text + text->length;
	const char *from = text->text;
	const char *colon;

	while (text->num_urls < SIGNAL_URLS_MAX && (colon = memchr(from, ':', end - from)) != NULL)
	{
		const char *stop = colon + 1;
		int			scheme = 0;

		if (colon - from >= 5 && pg_strncasecmp(colon - 5, "https", 5) == 0)
			scheme = 5;
		else if (colon - from >= 4 && pg_strncasecmp(colon - 4, "http", 4) == 0)
			scheme = 4;
		from = colon + 1;
		if (scheme == 0 || end - colon < 4 || colon[1] != '/' || colon[2] != '/')
			continue;
		while (stop < end && (unsigned char) *stop > ' ' && strchr("\"<>", *stop) == NULL)
			stop++;
		from = stop;
		if (stop - colon > 3 && !content_has_url(text, colon - scheme, stop - (colon - scheme)))
		{
			text->num_links++;
			roost_content_url(text, colon - scheme, stop - (colon - scheme));
		}
	}
}

/*
 * Makes one text of two, with a newline between them.
 */
void
roost_content_join(ModerationText *text, const char *first, int first_length, const char *second, int second_length)
{
	char	   *joined = palloc(first_length + second_length + 2);

	memcpy(joined, first, first_length);
	joined[first_length] = '\n';
	memcpy(joined + first_length + 1, second, second_length);
	joined[first_length + 1 + second_length] = '\0';
	text->text = joined;
	text->length = first_length + 1 + second_length;
}

/*
 * Takes an address.
 */
void
roost_content_url(ModerationText *text, const char *url, int length)
{
	if (text->num_urls == SIGNAL_URLS_MAX)
		return;
	if (text->num_urls == text->room_urls)
	{
		text->room_urls = Max(16, text->room_urls * 2);
		text->urls = text->urls == NULL ? palloc(text->room_urls * sizeof(ModerationUrl)) :
			repalloc(text->urls, text->room_urls * sizeof(ModerationUrl));
	}
	text->urls[text->num_urls++] = (ModerationUrl)
	{
		url, length
	};
}

/*
 * Returns whether one of the addresses is what this one begins with.
 */
static bool
content_has_url(const ModerationText *text, const char *url, int length)
{
	for (int i = 0; i < text->num_urls; i++)
		if (text->urls[i].length <= length && memcmp(text->urls[i].url, url, text->urls[i].length) == 0)
			return true;
	return false;
}
