/*-------------------------------------------------------------------------
 *
 * hub_channel.c
 *		Names of channels, and cursors, as clients write them.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "hub_internal.h"

/* What channels there are; those with a prefix end in an id or a text. */
static const struct
{
	const char *name;
	uint8_t		flag;			/* not a topic of the log */
	bool		id;
	bool		text;
}			kinds[] = {
	{"home", HUB_HOME, false, false},
	{"notifications", HUB_NOTIFICATIONS, false, false},
	{"messages", HUB_MESSAGES, false, false},
	{"presence", HUB_PRESENCE, false, false},
	{"public", 0, false, false},
	{"user:", 0, true, false},
	{"post:", 0, true, false},
	{"conversation:", 0, true, false},
	{"hashtag:", 0, false, true},
};

/* Returns whether a text is an id as the log writes it, and reads it. */
static bool
id_parse(const char *text, int64_t *id)
{
	char	   *end;

	if (*text < '1' || *text > '9')
		return false;
	errno = 0;
	*id = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0';
}

/* Returns whether a text can be a hashtag, and makes it lower case as far as ASCII goes. */
static bool
tag_fold(char *tag)
{
	if (*tag == '\0' || *tag == '#')
		return false;
	for (; *tag; tag++)
	{
		if ((unsigned char) *tag <= ' ' || *tag == 0x7f)
			return false;
		if (*tag >= 'A' && *tag <= 'Z')
			*tag = (char) (*tag + ('a' - 'A'));
	}
	return true;
}

/* Reads the name of a channel; returns false if there is no such one. */
bool
channel_parse(const char *text, HubChannel *channel)
{
	size_t		length = strnlen(text, HUB_CHANNEL_SIZE);
	int64_t		id;

	if (length == HUB_CHANNEL_SIZE)
		return false;
	memcpy(channel->name, text, length + 1);
	for (size_t i = 0; i < lengthof(kinds); i++)
	{
		size_t		prefix = strlen(kinds[i].name);
		char	   *rest = channel->name + prefix;

		if (length < prefix || memcmp(text, kinds[i].name, prefix) != 0)
			continue;
		channel->flag = kinds[i].flag;
		return kinds[i].id ? id_parse(rest, &id) : kinds[i].text ? tag_fold(rest) : *rest == '\0';
	}
	return false;
}

/* Returns the name of the channel that a flag stands for. */
const char *
channel_flag_name(uint8_t flag)
{
	for (size_t i = 0; i < lengthof(kinds); i++)
		if (kinds[i].flag == flag)
			return kinds[i].name;
	return "";
}

/* Reads a cursor, "<epoch>-<seq>"; returns false if it is none. */
bool
cursor_parse(const char *text, Cursor *cursor)
{
	char	   *end;

	for (const char *c = text; *c; c++)
		if ((*c < '0' || *c > '9') && (*c != '-' || c == text))
			return false;
	errno = 0;
	cursor->epoch = strtoll(text, &end, 10);
	if (*end != '-' || end[1] < '0' || end[1] > '9')
		return false;
	cursor->seq = strtoll(end + 1, &end, 10);
	return errno == 0 && *end == '\0';
}

/* Writes a cursor. */
void
cursor_format(Cursor cursor, char text[HUB_CURSOR_SIZE])
{
	snprintf(text, HUB_CURSOR_SIZE, "%lld-%lld", (long long) cursor.epoch, (long long) cursor.seq);
}
