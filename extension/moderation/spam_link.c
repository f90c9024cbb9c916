/*-------------------------------------------------------------------------
 *
 * spam_link.c
 *		Links and addresses of mail in a text, for the spam model.
 *
 * Of a link its ending is a feature, "~.com", its host by the last two labels,
 * "~/example.com", and what its path is like: "=link_path", "=link_query", and
 * "=link_referral" where somebody is paid for visits.  "example . com" is one,
 * too, "=link_spaced".  Nothing here needs a server.
 *
 *-------------------------------------------------------------------------
 */
#include "moderation/spam.h"

#include <string.h>

#define HOST_MAX		40		/* bytes of a host in a name */

static size_t link_spaced(const FoldGlyph *glyphs, size_t n, size_t i);
static bool link_ending(const FoldGlyph *glyphs, size_t n, size_t i, const char *ending);
static void link_host(const FoldGlyph *glyphs, size_t n, SpamFeatures *features);
static bool link_has(const FoldGlyph *glyphs, size_t n, size_t i, const char *part);

/*
 * Returns whether a link or an address of mail begins at glyph i, and adds what
 * there is to say of a link.
 */
bool
roost_moderation_spam_link(const FoldGlyph *glyphs, size_t n, size_t i, size_t *end, bool *mail, SpamFeatures *features)
{
	static const char *const endings[] = {
		"com", "net", "org", "info", "biz", "co", "io", "me", "ly", "tv", "ru", "cn", "tk", "xyz", "top", "club", "site", "online",
		"shop", "uk", "de", "fr", "us", "ws", "gl", "link", "live", "app", "to", "cc", "in", "eu", "gd", "pw", "be", "im", "win", "vip", "pro", "click"
	};
	size_t		k = i;
	size_t		dot = 0;
	size_t		spaced;

	*mail = false;
	if (!roost_moderation_spam_is_word(&glyphs[i]))
		return false;
	while (k < n && k < i + 8 && FOLD_IS_LETTER(glyphs[k].class))
		k++;
	if (k + 2 < n && glyphs[k].code == ':' && glyphs[k + 1].code == '/' && glyphs[k + 2].code == '/')
	{
		for (*end = k; *end < n && glyphs[*end].class != FOLD_SPACE;)
			(*end)++;
		link_host(glyphs + i, *end - i, features);
		return true;
	}
	for (k = i; k < n && k < i + 256 && glyphs[k].code < 0x80 &&
		 (roost_moderation_spam_is_word(&glyphs[k]) || strchr(".-_@+", (int) glyphs[k].code) != NULL); k++)
	{
		if (glyphs[k].code == '@')
			*mail = true;
		if (glyphs[k].code == '.' && k + 1 < n && roost_moderation_spam_is_word(&glyphs[k + 1]))
			dot = k;
	}
	if (dot == 0)
	{
		*mail = false;
		spaced = link_spaced(glyphs, n, i);
		if (spaced == 0)
			return false;
		*end = spaced;
		roost_moderation_spam_add(features, SPAM_SHAPE, "=link_spaced", 12);
		return true;
	}
	for (size_t e = 0; e < sizeof(endings) / sizeof(endings[0]); e++)
	{
		if (!link_ending(glyphs, n, dot + 1, endings[e]))
			continue;
		*end = dot + 1 + strlen(endings[e]);
		if (*mail)
			return true;
		if (*end < n && glyphs[*end].code == '/')
			while (*end < n && glyphs[*end].class != FOLD_SPACE)
				(*end)++;
		link_host(glyphs + i, *end - i, features);
		return true;
	}
	if (*mail)
		*end = k;
	return *mail;
}

/*
 * Returns where "example . com" ends, 0 if there is none at i.
 */
static size_t
link_spaced(const FoldGlyph *glyphs, size_t n, size_t i)
{
	static const char *const endings[] = {"com", "net", "org", "info", "biz"};
	size_t		k = i;
	bool		blank;

	while (k < n && k < i + 64 && (roost_moderation_spam_is_word(&glyphs[k]) || glyphs[k].code == '-'))
		k++;
	blank = k < n && glyphs[k].class == FOLD_SPACE;
	k += blank;
	if (k + 1 >= n || glyphs[k].code != '.')
		return 0;
	k++;
	if (glyphs[k].class == FOLD_SPACE)
		k++;
	else if (!blank)
		return 0;
	for (size_t e = 0; e < sizeof(endings) / sizeof(endings[0]); e++)
		if (link_ending(glyphs, n, k, endings[e]))
			return k + strlen(endings[e]);
	return 0;
}

/*
 * Returns whether the ending stands at i, and nothing of a word after it.
 */
static bool
link_ending(const FoldGlyph *glyphs, size_t n, size_t i, const char *ending)
{
	for (; *ending != '\0'; ending++, i++)
		if (i >= n || glyphs[i].code != (unsigned char) *ending)
			return false;
	return i >= n || !roost_moderation_spam_is_word(&glyphs[i]);
}

/*
 * Adds the host of a link, its ending, and what follows it.
 */
static void
link_host(const FoldGlyph *glyphs, size_t n, SpamFeatures *features)
{
	static const char *const referrals[] = {"ref=", "aff", "partner", "invite", "promo", "referral"};
	size_t		start = 0;
	size_t		end;
	size_t		dots[2] = {0, 0};
	char		name[SPAM_NAME_MAX];
	size_t		length = 2;
	bool		query = false;

	for (size_t i = 0; i + 2 < n && i < 12; i++)
		if (glyphs[i].code == '/' && glyphs[i + 1].code == '/')
			start = i + 2;
	for (end = start; end < n && glyphs[end].code != '/' && glyphs[end].code != '?' && glyphs[end].code != ':'; end++)
	{
		if (glyphs[end].code != '.')
			continue;
		dots[1] = dots[0];
		dots[0] = end + 1;
	}
	if (dots[0] != 0 && end - dots[0] <= 12)
	{
		memcpy(name, "~.", 2);
		for (size_t i = dots[0]; i < end; i++)
			length += roost_moderation_encode(glyphs[i].code, name + length);
		roost_moderation_spam_add(features, SPAM_WORD, name, length);
		memcpy(name, "~/", 2);
		length = 2;
		for (size_t i = dots[1] > start ? dots[1] : start; i < end && length + 4 < HOST_MAX; i++)
			length += roost_moderation_encode(glyphs[i].code, name + length);
		roost_moderation_spam_add(features, SPAM_WORD, name, length);
	}
	if (end + 1 < n)
		roost_moderation_spam_add(features, SPAM_SHAPE, "=link_path", 10);
	for (size_t i = end; i < n && i < end + 512; i++)
	{
		query |= glyphs[i].code == '?' || glyphs[i].code == '&';
		for (size_t r = 0; query && r < sizeof(referrals) / sizeof(referrals[0]); r++)
			if (link_has(glyphs, n, i, referrals[r]))
			{
				roost_moderation_spam_add(features, SPAM_SHAPE, "=link_referral", 14);
				i = n - 1;
				break;
			}
	}
	if (query)
		roost_moderation_spam_add(features, SPAM_SHAPE, "=link_query", 11);
}

static bool
link_has(const FoldGlyph *glyphs, size_t n, size_t i, const char *part)
{
	for (; *part != '\0'; part++, i++)
		if (i >= n || glyphs[i].code != (unsigned char) *part)
			return false;
	return true;
}
