/*-------------------------------------------------------------------------
 *
 * entity.c
 *		Finds mentions, hashtags, cashtags and URLs in UTF-8 text.
 *
 * The rules are those that people know from Twitter: an entity ends where a
 * person would end it (the dot after a link is not part of it), a link may
 * lack its scheme when its last label is a real top-level domain, a tag may be
 * written in any script, and what stands inside a link is no tag.
 *
 * The text is decoded once into an array of code points that ends with a zero;
 * every matcher takes a position in it and returns the end of its match or -1.
 * Positions never pass the zero, which no matcher accepts.  Links are found
 * from the dots that a top-level domain follows, so a text without any is left
 * after one pass, and a link reaches back at most LINK_REACH code points: the
 * work is bounded by LINK_REACH steps a code point whatever the text.
 *
 *-------------------------------------------------------------------------
 */
#include "post/entity.h"

#include <stdlib.h>
#include <string.h>

#include "post/entity_class.h"

/* A host name has at most 253 characters; "https://" has 8 */
#define LINK_REACH			264
/* A label of a host name, as the resolver sees it */
#define LABEL_MAX			63
/* The part of t.co links that names their target */
#define SHORT_LINK_MAX		40

typedef struct Scan
{
	const uint32_t *cp;			/* the text, zero at cp[count] */
	int			count;
	Entity	   *found;
	int			nfound;
} Scan;

static int	text_decode(const char *text, size_t length, uint32_t *cp);
static void scan_urls(Scan *scan);
static void scan_signs(Scan *scan);
static int	entities_settle(Entity *found, int nfound);
static void entities_locate(Entity *found, int nfound, const char *text, size_t length);
static int	tld_match(const uint32_t *cp);

/*
 * Returns the number of entities in the text, which are stored in found in
 * the order of the text; they do not overlap.  scratch has room for
 * ENTITY_SCRATCH(length) code points, found for roost_entity_bound() entities.
 */
int
roost_entity_scan(const char *text, size_t length, uint32_t *scratch, Entity *found)
{
	Scan		scan = {.cp = scratch, .found = found};

	scan.count = text_decode(text, length, scratch);
	scan_urls(&scan);
	scan_signs(&scan);
	scan.nfound = entities_settle(found, scan.nfound);
	entities_locate(found, scan.nfound, text, length);
	return scan.nfound;
}

/*
 * Returns a number that the entities in the text do not exceed: each has a
 * sign or a dot of its own (full-width signs start with 0xEF).
 */
int
roost_entity_bound(const char *text, size_t length)
{
	int			n = 0;

	for (size_t i = 0; i < length; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if (c == '@' || c == '#' || c == '$' || c == '.' || c == 0xEF)
			n++;
	}
	return n;
}

/*
 * Returns whether words are made of a code point.
 */
bool
roost_entity_is_word(uint32_t c)
{
	return is_word(c);
}

/*
 * Returns whether a code point belongs to a script that puts no spaces between
 * words.
 */
bool
roost_entity_is_spaceless(uint32_t c)
{
	return is_spaceless(c);
}

/*
 * Returns the code point at *p and moves *p behind it.  A byte that is not
 * part of a sequence, and a zero, become U+FFFD; so does a sequence that is
 * longer than it need be, which would be a sign in disguise.
 */
static uint32_t
text_next(const unsigned char **p, const unsigned char *end)
{
	static const uint32_t shortest[] = {1, 0x80, 0x800, 0x10000};
	const unsigned char *s = *p;
	int			more = *s < 0x80 ? 0 : *s >= 0xF0 ? 3 : *s >= 0xE0 ? 2 : *s >= 0xC0 ? 1 : -1;
	uint32_t	c;

	*p = s + 1;
	if (more < 0 || end - s <= more)
		return 0xFFFD;
	c = more == 0 ? *s : *s & (0x3F >> more);
	for (int i = 1; i <= more; i++)
	{
		if ((s[i] & 0xC0) != 0x80)
			return 0xFFFD;
		c = c << 6 | (s[i] & 0x3F);
	}
	if (c < shortest[more])
		return 0xFFFD;
	*p = s + more + 1;
	return c;
}

/*
 * Decodes the text, ends it with a zero, and returns its code points' number.
 */
static int
text_decode(const char *text, size_t length, uint32_t *cp)
{
	const unsigned char *p = (const unsigned char *) text;
	const unsigned char *end = p + length;
	int			n = 0;

	while (p < end)
		cp[n++] = text_next(&p, end);
	cp[n] = 0;
	return n;
}

static void
scan_add(Scan *scan, EntityKind kind, int start, int end, int path_end)
{
	scan->found[scan->nfound++] = (Entity)
	{
		.kind = kind,.start = start,.end = end,.path_end = path_end
	};
}

/*
 * Links
 */

static int	url_scheme(const uint32_t *cp);
static int	host_match(const uint32_t *cp, int start);
static int	url_tail(const uint32_t *cp, int at);
static bool short_link(const uint32_t *cp, int start, int *end);
static bool host_is_possible(const uint32_t *cp, int start, int end);
static void scan_bare_hosts(Scan *scan, int start, int host_end, int end);

/*
 * Adds every link.  dot is the next dot with a top-level domain behind it: a
 * link's host passes it or there is none.
 */
static void
scan_urls(Scan *scan)
{
	const uint32_t *cp = scan->cp;
	int			dot = -1;

	for (int s = 0; s < scan->count; s++)
	{
		int			scheme;
		int			host_end;
		int			match_end;
		int			end;

		if (dot < s)
		{
			for (dot = s; dot < scan->count; dot++)
				if (cp[dot] == '.' && tld_match(cp + dot + 1) > 0)
					break;
			if (dot == scan->count)
				return;
		}
		if (s < dot - LINK_REACH)
			s = dot - LINK_REACH;
		if (s > 0 && (is_ascii_alnum(cp[s - 1]) || is_one_of(cp[s - 1], "@$#") ||
					  cp[s - 1] == 0xFF20 || cp[s - 1] == 0xFF03 || is_byte_order_mark(cp[s - 1])))
			continue;

		scheme = url_scheme(cp + s);
		host_end = scheme > 0 ? host_match(cp, s + scheme) : -1;
		if (host_end < 0)
		{
			scheme = 0;
			host_end = host_match(cp, s);
		}
		if (host_end < 0)
			continue;

		match_end = end = url_tail(cp, host_end);
		if (scheme == 0)
		{
			if (s == 0 || !is_one_of(cp[s - 1], "-_./"))
				scan_bare_hosts(scan, s, host_end, end);
		}
		else if (host_is_possible(cp, s + scheme, host_end) && short_link(cp, s + scheme, &end))
			scan_add(scan, ENTITY_URL, s, end, end);
		s = match_end;			/* the next one has a character before it */
	}
}

/*
 * Returns the length of "http://" or "https://" at cp, or 0.
 */
static int
url_scheme(const uint32_t *cp)
{
	int			i = 0;

	for (const char *p = "http"; *p; p++, i++)
		if ((cp[i] | 0x20) != (uint32_t) *p)
			return 0;
	if ((cp[i] | 0x20) == 's')
		i++;
	for (const char *p = "://"; *p; p++, i++)
		if (cp[i] != (uint32_t) *p)
			return 0;
	return i;
}

/*
 * Returns the end of the longest host name that starts at start and ends with
 * a top-level domain, or -1.  The label before the top-level domain has no
 * underscore; no label starts or ends with a dash or an underscore.
 */
static int
host_match(const uint32_t *cp, int start)
{
	int			best = -1;
	int			at = start;

	while (at - start <= LINK_REACH)
	{
		bool		underscore = false;
		int			label = at;
		int			tld;

		while (is_host(cp[at]) || cp[at] == '-' || cp[at] == '_')
		{
			if (cp[at] == '_')
				underscore = true;
			if (++at - start > LINK_REACH)
				return best;
		}
		if (at == label || cp[at] != '.' || !is_host(cp[label]) || !is_host(cp[at - 1]))
			break;
		at++;
		if (!underscore && (tld = tld_match(cp + at)) > 0)
			best = at + tld;
	}
	return best;
}

/*
 * Returns the length of the top-level domain at cp, or 0.  It must not go on
 * with a letter, a digit or a sign that makes it something else.
 */
static int
tld_match(const uint32_t *cp)
{
	char		name[LABEL_MAX + 1];
	int			n = 0;
	int			low = 0;
	int			high = lengthof(ascii_tlds);

	while (n < LABEL_MAX && (is_ascii_alnum(cp[n]) || (cp[n] == '-' && n >= 2)))
	{
		name[n] = is_ascii_letter(cp[n]) ? cp[n] | 0x20 : cp[n];
		n++;
	}
	name[n] = '\0';
	if (n > 4 && memcmp(name, "xn--", 4) == 0)
		return cp[n] == '@' ? 0 : n;

	if (n > 0 && cp[n] != '@' && cp[n] != '+' && cp[n] != '-' && n < LABEL_MAX)
	{
		while (low < high)
		{
			int			middle = (low + high) / 2;
			int			order = strcmp(name, ascii_tlds[middle]);

			if (order == 0)
				return n;
			if (order > 0)
				low = middle + 1;
			else
				high = middle;
		}
	}

	if (cp[n] < 0x80)
		return 0;
	for (int i = 0; i < lengthof(unicode_tlds); i++)
	{
		const unsigned char *p = (const unsigned char *) unicode_tlds[i];
		int			k = 0;

		for (; *p; k++)
		{
			uint32_t	c = *p < 0x80 ? *p : *p < 0xE0 ? (*p & 0x1F) << 6 | (p[1] & 0x3F) :
			(*p & 0x0F) << 12 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F);

			if (cp[k] != c && !(c < 0x80 && (cp[k] | 0x20) == c))
				break;
			p += *p < 0x80 ? 1 : *p < 0xE0 ? 2 : 3;
		}
		if (*p == '\0' && !is_ascii_alnum(cp[k]) && !is_one_of(cp[k], "@+-"))
			return k;
	}
	return 0;
}

/*
 * Returns the end of a group in parentheses at cp[at], one level deep and not
 * empty, or -1.
 */
static int
path_group(const uint32_t *cp, int at)
{
	int			first = ++at;

	while (is_path(cp[at]))
		at++;
	if (cp[at] == '(')
	{
		int			inner = ++at;

		while (is_path(cp[at]))
			at++;
		if (at == inner || cp[at++] != ')')
			return -1;
		while (is_path(cp[at]))
			at++;
	}
	return at > first && cp[at] == ')' ? at + 1 : -1;
}

/*
 * Returns the end of port, path and query after a host that ends at at.
 * Punctuation at the end of a path or of a query belongs to the sentence.
 */
static int
url_tail(const uint32_t *cp, int at)
{
	int			i;
	int			end;

	if (cp[at] == ':' && is_ascii_digit(cp[at + 1]))
		for (at++; is_ascii_digit(cp[at]);)
			at++;
	if (cp[at] == '/')
	{
		int			group;

		for (i = end = at + 1;;)
		{
			if (cp[i] == '(' && (group = path_group(cp, i)) > 0)
				i = end = group;
			else if (is_path(cp[i]))
			{
				if (is_path_end(cp[i++]))
					end = i;
			}
			else
				break;
		}
		at = end;
	}
	if (cp[at] == '?')
	{
		for (i = end = at + 1; is_query(cp[i]);)
			if (is_query_end(cp[i++]))
				end = i;
		if (end > at + 1)
			at = end;
	}
	return at;
}

/*
 * Returns whether a link with a scheme, whose host starts at start, is good.
 * Links of t.co have only letters and digits in their path; what follows is
 * cut off, and a path that is too long is none of theirs.
 */
static bool
short_link(const uint32_t *cp, int start, int *end)
{
	int			i = start;
	int			slug;

	for (const char *p = "t.co/"; *p; p++, i++)
		if ((is_ascii_letter(cp[i]) ? cp[i] | 0x20 : cp[i]) != (uint32_t) *p)
			return true;
	for (slug = i; i < *end && is_ascii_alnum(cp[i]);)
		i++;
	if (i == slug)
		return true;
	if (i - slug > SHORT_LINK_MAX)
		return false;
	if (i < *end && cp[i] == '?')
		return true;
	*end = i;
	return true;
}

/*
 * Returns the length of a label in its ASCII form (RFC 3492), or LABEL_MAX + 1
 * when it has none of use.
 */
static int
label_ascii_length(const uint32_t *cp, int n)
{
	uint32_t	code = 0x80;
	uint32_t	delta = 0;
	uint32_t	bias = 72;
	int			length = 0;
	int			done;

	for (int i = 0; i < n; i++)
		if (cp[i] < 0x80)
			length++;
	if (length == n)
		return length;
	if (n > LABEL_MAX || (n >= 4 && (cp[0] | 0x20) == 'x' && (cp[1] | 0x20) == 'n' && cp[2] == '-' && cp[3] == '-'))
		return LABEL_MAX + 1;

	done = length;
	length += done > 0 ? 1 : 0;
	length += 4;				/* xn-- */
	for (bool first = true; done < n; code++, delta++)
	{
		uint32_t	next = UINT32_MAX;

		for (int i = 0; i < n; i++)
			if (cp[i] >= code && cp[i] < next)
				next = cp[i];
		delta += (next - code) * (done + 1);
		code = next;
		for (int i = 0; i < n; i++)
		{
			if (cp[i] < code)
				delta++;
			if (cp[i] == code)
			{
				uint32_t	rest = delta;

				for (uint32_t k = 36;; k += 36)
				{
					uint32_t	t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;

					length++;
					if (rest < t)
						break;
					rest = (rest - t) / (36 - t);
				}
				delta = first ? delta / 700 : delta / 2;
				delta += delta / (done + 1);
				for (bias = 0; delta > 455; bias += 36)
					delta /= 35;
				bias += 36 * delta / (delta + 38);
				delta = 0;
				first = false;
				done++;
			}
		}
	}
	return length;
}

/*
 * Returns whether every label of the host fits into the domain name system.
 */
static bool
host_is_possible(const uint32_t *cp, int start, int end)
{
	for (int i = start; i < end;)
	{
		int			label = i;

		while (i < end && cp[i] != '.')
			i++;
		if (label_ascii_length(cp + label, i - label) > LABEL_MAX)
			return false;
		i++;
	}
	return true;
}

/*
 * Adds the hosts in a match without a scheme.  In scripts that do not part
 * words by spaces the match may hold several: only runs of Latin letters
 * count.  The path belongs to the last one.
 */
static void
scan_bare_hosts(Scan *scan, int start, int host_end, int end)
{
	const uint32_t *cp = scan->cp;

	for (int at = start; at < host_end;)
	{
		int			first = at;
		int			best = -1;

		for (;;)
		{
			int			label = at;
			int			tld;

			while (at < host_end && (is_ascii_alnum(cp[at]) || cp[at] == '-' || is_latin_accent(cp[at])))
				at++;
			if (at == label || at >= host_end || cp[at] != '.')
				break;
			at++;
			if ((tld = tld_match(cp + at)) > 0 && at + tld <= host_end)
				best = at + tld;
		}
		if (best > 0)
		{
			int			stop = best == host_end && cp[best] == '/' ? end : best;

			scan_add(scan, ENTITY_URL, first, stop, stop);
			at = best;
		}
		else if (at == first)
			at++;
	}
}

/*
 * Mentions and tags
 */

static void mention_match(Scan *scan, int at);
static void hashtag_match(Scan *scan, int at);
static void cashtag_match(Scan *scan, int at);

/*
 * Adds every mention, hashtag and cashtag.
 */
static void
scan_signs(Scan *scan)
{
	for (int i = 0; i < scan->count; i++)
	{
		switch (scan->cp[i])
		{
			case '@':
			case 0xFF20:
				mention_match(scan, i);
				break;
			case '#':
			case 0xFF03:
				hashtag_match(scan, i);
				break;
			case '$':
				cashtag_match(scan, i);
				break;
			default:
				break;
		}
	}
}

/*
 * Returns whether "rt" or "rt:" stands before cp[at] as a word of its own.
 */
static bool
after_rt(const uint32_t *cp, int at)
{
	if (at > 0 && cp[at - 1] == ':')
		at--;
	return at >= 2 && (cp[at - 1] | 0x20) == 't' && (cp[at - 2] | 0x20) == 'r' &&
		(at == 2 || !(is_name(cp[at - 3]) || is_one_of(cp[at - 3], "+~.-")));
}

/*
 * Adds the mention at cp[at].  An address or a link is no mention, nor is a
 * name that goes on beyond the characters of user names.
 */
static void
mention_match(Scan *scan, int at)
{
	const uint32_t *cp = scan->cp;
	int			end = at + 1;
	int			path_end;

	if (at > 0 && (is_name(cp[at - 1]) || is_one_of(cp[at - 1], "!#$%&*@") || cp[at - 1] == 0xFF20) &&
		!after_rt(cp, at))
		return;
	while (is_name(cp[end]))
		end++;
	if (end == at + 1 || end - at - 1 > ENTITY_MAX_NAME)
		return;
	if (cp[end] == '@' || cp[end] == 0xFF20 || is_latin_accent(cp[end]) ||
		(cp[end] == ':' && cp[end + 1] == '/' && cp[end + 2] == '/'))
		return;
	path_end = end;
	if (cp[end] == '/' && is_ascii_letter(cp[end + 1]))
		for (path_end++; path_end - end <= 25 && (is_name(cp[path_end]) || cp[path_end] == '-');)
			path_end++;
	scan_add(scan, ENTITY_MENTION, at, end, path_end);
}

/*
 * Adds the hashtag at cp[at].
 */
static void
hashtag_match(Scan *scan, int at)
{
	const uint32_t *cp = scan->cp;
	int			end = at + 1;
	bool		letter = false;

	if (at > 0 && cp[at - 1] != 0xFE0E && cp[at - 1] != 0xFE0F &&
		(cp[at - 1] == '&' || is_tag_letter(cp[at - 1]) || is_tag_other(cp[at - 1])))
		return;
	if (cp[end] == 0xFE0F || cp[end] == 0x20E3)
		return;					/* the keycap emoji */
	for (;; end++)
	{
		if (is_tag_letter(cp[end]))
			letter = true;
		else if (!is_tag_other(cp[end]))
			break;
	}
	if (!letter || cp[end] == '#' || cp[end] == 0xFF03 ||
		(cp[end] == ':' && cp[end + 1] == '/' && cp[end + 2] == '/'))
		return;
	scan_add(scan, ENTITY_HASHTAG, at, end, end);
}

/*
 * Returns whether a cashtag may end before c.
 */
static bool
cashtag_ends(uint32_t c)
{
	return c == 0 || is_space(c) || is_one_of(c, "!'#%&()*+,\\-./:;<=>?@[]^_{|}~$");
}

/*
 * Adds the cashtag at cp[at]: one to six letters, and one or two more after a
 * dot or an underscore.
 */
static void
cashtag_match(Scan *scan, int at)
{
	const uint32_t *cp = scan->cp;
	int			end = at + 1;
	int			more;

	if (at > 0 && !is_space(cp[at - 1]))
		return;
	while (end - at <= 6 && is_ascii_letter(cp[end]))
		end++;
	if (end == at + 1)
		return;
	if (cp[end] == '.' || cp[end] == '_')
	{
		for (more = end + 1; more - end <= 2 && is_ascii_letter(cp[more]);)
			more++;
		if (more > end + 1 && cashtag_ends(cp[more]))
			end = more;
	}
	if (cashtag_ends(cp[end]))
		scan_add(scan, ENTITY_CASHTAG, at, end, end);
}

/*
 * Compares two entities by position, for qsort().
 */
static int
entity_compare(const void *a, const void *b)
{
	return ((const Entity *) a)->start - ((const Entity *) b)->start;
}

/*
 * Sorts links and signs into one order, leaves out what overlaps with the
 * entity before it, and returns how many are left.
 */
static int
entities_settle(Entity *found, int nfound)
{
	int			n = 0;

	qsort(found, nfound, sizeof(Entity), entity_compare);
	for (int i = 0; i < nfound; i++)
		if (n == 0 || found[i].start >= found[n - 1].end)
			found[n++] = found[i];
	return n;
}

/*
 * Fills in the byte positions.
 */
static void
entities_locate(Entity *found, int nfound, const char *text, size_t length)
{
	const unsigned char *p = (const unsigned char *) text;
	const unsigned char *end = p + length;
	int			at = 0;

	for (int i = 0; i < nfound; i++)
	{
		int			first = found[i].start + (found[i].kind == ENTITY_URL ? 0 : 1);

		for (; at < first; at++)
			text_next(&p, end);
		found[i].offset = (const char *) p - text;
		for (; at < found[i].end; at++)
			text_next(&p, end);
		found[i].length = (const char *) p - text - found[i].offset;
	}
}
