/*-------------------------------------------------------------------------
 *
 * word.c
 *		Finds listed words in texts, also where they are disguised.
 *
 * The entries form a trie of symbols: letters, digits and pictures in the form
 * that fold.c calls bare, and a gap for what lies between the words of a phrase.
 * From every place of the text where a word may begin, all paths are followed
 * on which the text may be read:
 *
 *	- a digit or sign as the letter that it looks like (c0ck, @ss, phuck);
 *	- a letter that is repeated as one (coooock).  Twice is not repeated, but
 *	  for letters that are hardly ever doubled: raping is not rapping; and
 *	  where all are doubled (ccoocckk);
 *	- letters set apart, one by one (c o c k, c.o.c.k);
 *	- signs inside of a word (c.ock), if the whole of it is the entry;
 *	- an asterisk as one letter between others (f*ck).
 *
 * What is read must then be plausible: not all digits, not a part of a longer
 * word.  Entries that are not whole words, and those of scripts that are
 * written without spaces, may stand anywhere.  In katakana, where most words are
 * foreign ones spelled out, an entry must begin where the katakana do.
 *
 * The number of steps from one place is bounded, so that time is linear in the
 * text.  Nothing here needs a server.
 *
 *-------------------------------------------------------------------------
 */
#include "moderation/word.h"

#include <string.h>

#define WORD_GAP		1		/* a symbol that is no code point of a text */
#define WORD_ROOT		1
#define STEPS_MAX		300		/* from one place */
#define MARKUP_MAX		200		/* glyphs between asterisks that belong
								 * together */
#define GAP_MAX			3		/* signs and spaces that stand between letters */

typedef enum WordMode
{
	WORD_PLAIN,
	WORD_JOINED,				/* signs lie inside of it */
	WORD_SPACED					/* letters are set apart */
} WordMode;

/* One text that is searched */
typedef struct WordSearch
{
	const WordSet *set;
	const FoldGlyph *glyphs;
	size_t		n;
	const char *language;
	const char *guessed;
	uint32_t   *run_start;		/* of each glyph, where equal ones begin */
	uint32_t   *run_end;
	WordHit    *hits;
	int			num_hits;
	size_t		start;
	int			steps;
} WordSearch;

/* How a path has read the text so far; 16 bytes, so that it goes in registers */
typedef struct WordPath
{
	uint32_t	node;
	uint32_t	last;			/* the glyph read last */
	uint8_t		mode;
	uint8_t		letters;		/* read as they are */
	uint8_t		digits;			/* read as letters */
	uint8_t		signs;
	uint8_t		stars;
	uint8_t		swaps;			/* letters read as others: v, z */
	bool		repeated:1;
	bool		doubled:1;		/* all letters stand twice or oftener */
	bool		paired:1;		/* and are read once for that */
	bool		twice:1;		/* a letter that stands twice is read once */
} WordPath;

static uint32_t word_edge(const WordSet *set, uint32_t node, uint32_t symbol);
static void word_runs(WordSearch *search);
static bool word_in_url(const WordSearch *search, size_t *end, size_t i);
static void word_walk(WordSearch *search, WordPath path, size_t i);
static void word_read(WordSearch *search, WordPath path, size_t i);
static void word_step(WordSearch *search, WordPath path, size_t i, uint32_t symbol, size_t used);
static void word_separated(WordSearch *search, WordPath path, size_t i);
static void word_accept(WordSearch *search, const WordPath *path, size_t i);
static bool word_plausible(const WordSearch *search, const WordPath *path, const WordEntry *entry, size_t i);
static bool word_ends(const WordSearch *search, const WordPath *path, const WordEntry *entry, size_t *i);
static bool word_begins(const WordSearch *search, const WordPath *path, const WordEntry *entry, size_t end);
static bool word_isolated(const WordSearch *search, size_t i);
static bool word_is_edge(const WordSearch *search, const WordPath *path, size_t end);
static bool word_is_contraction(const WordSearch *search, size_t i);
static bool word_is_marked(const WordSearch *search, size_t i);

static inline bool
word_is_alnum(const FoldGlyph *glyph)
{
	return glyph->class == FOLD_DIGIT || FOLD_IS_LETTER(glyph->class) || glyph->class == FOLD_LETTER_MARK;
}

/*
 * Writes the symbols of an entry and returns how many there are; 0 if it has
 * no letter or digit.  The glyphs are scratch.
 */
int
roost_moderation_word_symbols(const char *word, size_t length, FoldGlyph *glyphs, uint32_t *symbols)
{
	size_t		n = roost_moderation_fold(word, length, FOLD_BARE, glyphs);
	int			count = 0;

	for (size_t i = 0; i < n && count < WORD_MAX; i++)
	{
		if (word_is_alnum(&glyphs[i]) || glyphs[i].code == '&' || glyphs[i].class == FOLD_PICTURE)
			symbols[count++] = glyphs[i].code;
		else if (count > 0 && symbols[count - 1] != WORD_GAP)
			symbols[count++] = WORD_GAP;
	}
	while (count > 0 && symbols[count - 1] == WORD_GAP)
		count--;
	return count;
}

/*
 * Adds an entry of the set under its symbols.  The caller has made room: edges
 * for twice as many symbols as there are in all, nodes for two more.
 */
void
roost_moderation_word_add(WordSet *set, int entry, const uint32_t *symbols, int n)
{
	WordEntry  *added = &set->entries[entry];
	FoldClass	first = roost_moderation_class(symbols[0]);
	FoldClass	last = roost_moderation_class(symbols[n - 1]);
	uint32_t	node = WORD_ROOT;

	added->length = 0;
	added->latin = true;
	for (int i = 0; i < n; i++)
	{
		uint32_t	to = word_edge(set, node, symbols[i]);

		added->length += symbols[i] != WORD_GAP;
		added->latin &= symbols[i] < 0x250;
		if (to == 0)
		{
			uint32_t	at = (node * 0x9e3779b1u ^ symbols[i] * 0x85ebca6bu) & set->edge_mask;

			while (set->edges[at].node != 0)
				at = (at + 1) & set->edge_mask;
			to = ++set->num_nodes;
			set->edges[at] = (WordEdge) {node, symbols[i], to};
			set->num_edges++;
			set->first[to] = -1;
		}
		node = to;
	}
	added->left = added->whole && first != FOLD_PICTURE && (!FOLD_IS_UNSPACED(first) || first == FOLD_KATAKANA);
	added->right = added->whole && last != FOLD_PICTURE && !FOLD_IS_UNSPACED(last) && last != FOLD_HANGUL;
	added->next = set->first[node];
	set->first[node] = entry;
}

static uint32_t
word_edge(const WordSet *set, uint32_t node, uint32_t symbol)
{
	uint32_t	at = (node * 0x9e3779b1u ^ symbol * 0x85ebca6bu) & set->edge_mask;

	for (; set->edges[at].node != 0; at = (at + 1) & set->edge_mask)
	{
		if (set->edges[at].node == node && set->edges[at].symbol == symbol)
			return set->edges[at].to;
	}
	return 0;
}

/*
 * Adds what is found in the text to the hits, of which there are num_hits, and
 * returns how many there are then.  A language restricts the entries to its
 * own, those of any, those of the one that is guessed, and, if it is written in
 * Latin letters, those in other scripts; without a language the guessed one
 * makes those of others weigh less.
 */
int
roost_moderation_word_find(const WordSet *set, const FoldGlyph *glyphs, size_t n, const char *language,
						   const char *guessed, void *scratch, WordHit *hits, int num_hits)
{
	WordSearch	search = {
		.set = set,.glyphs = glyphs,.n = n,.language = language,.guessed = guessed,
		.run_start = scratch,.run_end = (uint32_t *) scratch + n + 1,.hits = hits,.num_hits = num_hits
	};
	size_t		url_end = 0;

	if (set->num_entries == 0 || n == 0)
		return num_hits;
	word_runs(&search);
	for (size_t i = 0; i < n; i++)
	{
		if (word_in_url(&search, &url_end, i))
			continue;
		search.start = i;
		search.steps = 0;
		word_read(&search, (WordPath) {.node = WORD_ROOT,.last = i,.doubled = true}, i);
	}
	return search.num_hits;
}

static void
word_runs(WordSearch *search)
{
	for (size_t i = 0; i < search->n;)
	{
		size_t		end = i + 1;

		while (end < search->n && search->glyphs[end].code == search->glyphs[i].code)
			end++;
		for (size_t k = i; k < end; k++)
		{
			search->run_start[k] = i;
			search->run_end[k] = end;
		}
		i = end;
	}
}

/*
 * Returns whether the place lies in a link or an address of mail, of which
 * *end keeps where the last one found ends.
 */
static bool
word_in_url(const WordSearch *search, size_t *end, size_t i)
{
	const FoldGlyph *g = search->glyphs;
	size_t		n = search->n;
	bool		is_url = false;

	if (i < *end)
		return true;
	if (i > 0 && g[i - 1].class != FOLD_SPACE)
		return false;
	if (i + 4 < n && g[i].code == 'w' && g[i + 1].code == 'w' && g[i + 2].code == 'w' && g[i + 3].code == '.')
		is_url = true;
	for (size_t k = i; k < n && k < i + 16 && FOLD_IS_LETTER(g[k].class); k++)
		is_url |= k + 3 < n && g[k + 1].code == ':' && g[k + 2].code == '/' && g[k + 3].code == '/';
	for (size_t k = i; k + 1 < n && k < i + 64 && g[k].code < 0x80 && g[k].class != FOLD_SPACE; k++)
	{
		if (g[k].code == '@' && k > i + 1)
		{
			/* name@host.tld */
			for (size_t m = k + 1; m + 1 < n && m < k + 64 && (word_is_alnum(&g[m]) || g[m].code == '.' || g[m].code == '-'); m++)
				is_url |= g[m].code == '.' && m > k + 1 && FOLD_IS_LETTER(g[m + 1].class);
			break;
		}
	}
	if (!is_url)
		return false;
	for (*end = i; *end < n && g[*end].class != FOLD_SPACE;)
		(*end)++;
	return true;
}

/*
 * Goes on from a node, which all before glyph i has led to.
 */
static void
word_walk(WordSearch *search, WordPath path, size_t i)
{
	if (++search->steps > STEPS_MAX)
		return;
	if (search->set->first[path.node] >= 0)
		word_accept(search, &path, i);
	if (i >= search->n)
		return;

	/* where letters are set apart, all are */
	if (path.mode != WORD_SPACED)
		word_read(search, path, i);
	if (!word_is_alnum(&search->glyphs[i]))
		word_separated(search, path, i);

	/* the rest of a letter that is repeated */
	if (!path.repeated && search->glyphs[i].code == search->glyphs[path.last].code)
	{
		size_t		run = search->run_end[i] - search->run_start[i];
		uint32_t	code = search->glyphs[i].code;
		bool		rare = code < 0x80 && strchr("aiuykhqwxvj", (int) code) != NULL;

		if (run >= 3 || (run == 2 && (rare || path.doubled)))
		{
			path.repeated = true;
			path.paired |= run == 2 && !rare;
			path.twice |= run == 2;
			word_walk(search, path, search->run_end[i]);
		}
	}
}

/*
 * Reads glyph i in every way that it can be read.
 */
static void
word_read(WordSearch *search, WordPath path, size_t i)
{
	/* what digits and signs look like */
	static const char *const leet[128] = {
		['0'] = "o",['1'] = "il",['2'] = "z",['3'] = "e",['4'] = "a",['5'] = "s",['6'] = "gb",['7'] = "t",['8'] = "b",['9'] = "g",
		['@'] = "a",['$'] = "s",['!'] = "il",['|'] = "il",['+'] = "t",['('] = "c",['<'] = "c",['{'] = "c",['['] = "c",['#'] = "h",
		['^'] = "a",['?'] = "",['v'] = "u",['z'] = "s"
	};
	const FoldGlyph *glyph = &search->glyphs[i];
	const FoldGlyph *next = i + 1 < search->n ? glyph + 1 : NULL;
	uint32_t	code = glyph->code;
	bool		alnum = word_is_alnum(glyph);
	WordPath	read = path;

	read.last = i;
	read.repeated = false;
	read.doubled &= search->run_end[i] - search->run_start[i] >= 2;
	if (read.paired && !read.doubled)
		return;
	if (alnum || code == '&' || glyph->class == FOLD_PICTURE)
	{
		WordPath	literal = read;

		literal.letters += FOLD_IS_LETTER(glyph->class) && literal.letters < 255;
		word_step(search, literal, i, code, 1);
	}
	if (code < 128 && leet[code] != NULL)
	{
		WordPath	guess = read;

		if (glyph->class == FOLD_DIGIT)
			guess.digits += guess.digits < 255;
		else if (alnum)
		{
			guess.letters += guess.letters < 255;
			guess.swaps++;
		}
		else
			guess.signs += guess.signs < 255;
		for (const char *as = leet[code]; *as != '\0'; as++)
			word_step(search, guess, i, (unsigned char) *as, 1);
	}
	else if (!alnum && glyph->look != 0)
	{
		WordPath	guess = read;

		/* regional indicators are letters, other pictures only look like some */
		if (code >= 0x1f1e6 && code <= 0x1f1ff)
			guess.letters += guess.letters < 255;
		else
			guess.signs += guess.signs < 255;
		word_step(search, guess, i, (unsigned char) glyph->look, 1);
	}
	if (next != NULL && code == 'p' && next->code == 'h')
	{
		read.letters += read.letters < 254;
		word_step(search, read, i, 'f', 2);
	}
	else if (next != NULL && code == 'v' && next->code == 'v')
	{
		read.letters += read.letters < 254;
		word_step(search, read, i, 'w', 2);
	}
	else if (next != NULL && code == '(' && next->code == ')')
	{
		read.signs++;
		word_step(search, read, i, 'o', 2);
	}

	/* a letter that was covered, between others */
	if ((code == '*' || code == 0x2022 || code == 0x25cf || code == 0x2588) && path.node != WORD_ROOT &&
		path.letters > 0 && path.stars < 2 && next != NULL)
	{
		read.stars++;
		for (uint32_t letter = 'a'; letter <= 'z'; letter++)
			word_step(search, read, i, letter, 1);
	}
}

/*
 * Follows the edge of a symbol, if there is one.
 */
static void
word_step(WordSearch *search, WordPath path, size_t i, uint32_t symbol, size_t used)
{
	uint32_t	to = word_edge(search->set, path.node, symbol);

	if (to == 0)
		return;
	path.node = to;
	path.last = i + used - 1;
	word_walk(search, path, i + used);
}

/*
 * Goes on behind what separates letters or words, at glyph i.
 */
static void
word_separated(WordSearch *search, WordPath path, size_t i)
{
	uint32_t	gap = word_edge(search->set, path.node, WORD_GAP);
	size_t		end = i;
	bool		space = false;

	while (end < search->n && end < i + GAP_MAX && !word_is_alnum(&search->glyphs[end]))
		space |= search->glyphs[end++].class == FOLD_SPACE;
	if (end == search->n)
		return;
	if (gap != 0)
	{
		WordPath	next = path;

		next.node = gap;
		next.last = i;
		/* what follows may begin with a sign */
		for (size_t k = i + 1; k <= end; k++)
			word_read(search, next, k);
	}
	if (path.mode != WORD_JOINED && word_isolated(search, path.last) &&
		(path.mode == WORD_SPACED || search->run_start[path.last] <= search->start))
	{
		WordPath	spaced = path;

		spaced.mode = WORD_SPACED;
		spaced.repeated = true;
		for (size_t k = i + 1; k <= end; k++)
			if (word_isolated(search, k))
				word_read(search, spaced, k);
	}
	if (path.mode != WORD_SPACED && !space && end <= i + 2 && word_is_alnum(&search->glyphs[end]) &&
		!word_is_contraction(search, i))
	{
		path.mode = WORD_JOINED;
		word_read(search, path, end);
	}
}

/*
 * Returns whether glyph i, with its repetitions, stands alone.
 */
static bool
word_isolated(const WordSearch *search, size_t i)
{
	size_t		start = search->run_start[i];
	size_t		end = search->run_end[i];

	return (start == 0 || !word_is_alnum(&search->glyphs[start - 1])) &&
		(end == search->n || !word_is_alnum(&search->glyphs[end]));
}

/*
 * Returns whether what was read is no part of a longer word, although the
 * entry may be one: "(until", "English**" and "Shiites" hide nothing.
 */
static bool
word_is_edge(const WordSearch *search, const WordPath *path, size_t end)
{
	static const char signs[] = "([{<*+!|";
	uint32_t	first = search->glyphs[search->start].code;
	uint32_t	last = search->glyphs[end - 1].code;

	return path->twice || (first < 0x80 && strchr(signs, (int) first) != NULL) || (last < 0x80 && strchr(signs, (int) last) != NULL);
}

/*
 * Returns whether glyph i is the apostrophe of who're and the like.
 */
static bool
word_is_contraction(const WordSearch *search, size_t i)
{
	size_t		end = i + 1;

	if (search->glyphs[i].code != '\'' && search->glyphs[i].code != 0x2019)
		return false;
	while (end < search->n && word_is_alnum(&search->glyphs[end]))
		end++;
	return end - i <= 3;
}

/*
 * Returns whether the asterisks before glyph i, where the search has come to,
 * are no letters: a single one, or the end of what as many have begun.
 */
static bool
word_is_marked(const WordSearch *search, size_t i)
{
	const FoldGlyph *g = search->glyphs;
	size_t		behind = 0;

	while (behind < i && g[i - 1 - behind].code == '*')
		behind++;
	if (behind <= 1)
		return behind == 1;
	for (size_t k = search->start, run = 0; k > 0 && k + MARKUP_MAX > search->start; k--)
	{
		run = g[k - 1].code == '*' ? run + 1 : 0;
		if (run == behind && g[k - 1 + run].class != FOLD_SPACE && (k == 1 || !word_is_alnum(&g[k - 2])))
			return true;
	}
	return false;
}

/*
 * Notes the entries that end at the path's node, if they are really there.
 */
static void
word_accept(WordSearch *search, const WordPath *path, size_t i)
{
	for (int32_t e = search->set->first[path->node]; e >= 0; e = search->set->entries[e].next)
	{
		const WordEntry *entry = &search->set->entries[e];
		size_t		end = i;
		WordHit    *hit;

		if (search->num_hits == WORD_HITS)
			return;
		if (search->language != NULL && entry->language[0] != '\0' && strcmp(entry->language, search->language) != 0 &&
			(search->guessed == NULL || strcmp(entry->language, search->guessed) != 0) &&
			(entry->latin || !roost_moderation_word_is_latin(search->language)))
			continue;
		if (!word_plausible(search, path, entry, i) || !word_ends(search, path, entry, &end) ||
			!word_begins(search, path, entry, i))
			continue;

		hit = &search->hits[search->num_hits++];
		hit->entry = e;
		hit->start = search->glyphs[search->start].position;
		hit->end = search->glyphs[end - 1].position + 1;
		hit->disguised = path->mode != WORD_PLAIN || path->digits + path->signs + path->stars > 0;
		hit->severity = entry->severity * (path->stars > 0 ? 0.85f : hit->disguised ? 0.95f : 1);

		/* what is a word of one language may be an innocent one of another */
		if (search->language == NULL && search->guessed != NULL && entry->language[0] != '\0' && entry->latin &&
			strcmp(entry->language, search->guessed) != 0)
			hit->severity *= 0.3f;
	}
}

/*
 * Returns whether digits, signs and asterisks may mean the entry.
 */
static bool
word_plausible(const WordSearch *search, const WordPath *path, const WordEntry *entry, size_t i)
{
	int			guessed = path->digits + path->signs;
	const FoldGlyph *first = &search->glyphs[search->start];

	/* exceptions are not disguised */
	if (entry->allowed && (guessed + path->stars > 0 || path->mode != WORD_PLAIN))
		return false;
	if (path->stars > 0 && (entry->length < 4 || entry->allowed || path->stars * 2 > entry->length || guessed > 0 ||
							word_is_marked(search, i)))
		return false;
	if (path->mode == WORD_JOINED && entry->length < 4)
		return false;
	if (path->mode == WORD_SPACED && (entry->length < 3 || (entry->length == 3 && path->digits + path->swaps > 0)))
		return false;
	if (path->swaps > 0 && guessed == 0 && first->code == 'z' && entry->word[0] != 'z')
		return false;
	if (guessed == 0)
		return true;
	/* "car!" is no carl */
	if (entry->length < 3 || (guessed == 1 && search->glyphs[i - 1].code == '!'))
		return false;
	if (path->letters == 0)
		return path->digits == 0 && path->signs >= 3 && (first->code == '@' || first->code == '$');
	if (path->digits == 0)
		return true;
	if (!entry->whole && path->letters < 2 &&
		((search->start > 0 && word_is_alnum(first - 1)) || (i < search->n && word_is_alnum(&search->glyphs[i]))))
		return false;
	if (entry->length == 3 && path->digits > path->letters + path->signs)
		return FOLD_IS_LETTER(first->class) && !first->upper;
	return true;
}

/*
 * Returns whether a word begins where the search does.
 */
static bool
word_begins(const WordSearch *search, const WordPath *path, const WordEntry *entry, size_t end)
{
	const FoldGlyph *g = search->glyphs;
	size_t		start = search->start;

	if (path->mode == WORD_PLAIN && !entry->left && (entry->whole || !word_is_edge(search, path, end)))
		return true;
	if (start == 0)
		return true;
	if (word_is_alnum(&g[start - 1]))
	{
		size_t		k = start;

		if (entry->left && g[start].class == FOLD_KATAKANA)
			return g[start - 1].class != FOLD_KATAKANA;
		/* of a hashtag, where a capital follows a small letter */
		if (path->mode != WORD_PLAIN || !g[start].upper || g[start - 1].upper || entry->length < 4)
			return false;
		while (k > 0 && k + 64 > start && word_is_alnum(&g[k - 1]))
			k--;
		return k > 0 && g[k - 1].code == '#';
	}
	if (start >= 2 && path->mode == WORD_JOINED && g[start - 1].class != FOLD_SPACE && word_is_alnum(&g[start - 2]))
		return false;
	if (path->mode == WORD_SPACED && entry->length < 4)
	{
		for (size_t k = start; k > 0 && k + GAP_MAX >= start; k--)
			if (word_is_alnum(&g[k - 1]))
				return !word_isolated(search, k - 1);
	}
	return true;
}

/*
 * Returns whether a word ends at glyph *i, which may move behind a plural.
 */
static bool
word_ends(const WordSearch *search, const WordPath *path, const WordEntry *entry, size_t *i)
{
	const FoldGlyph *g = search->glyphs;
	size_t		n = search->n;
	size_t		k = *i;

	if (path->mode == WORD_PLAIN && !entry->right && (entry->whole || !word_is_edge(search, path, k)))
		return true;
	if (path->mode == WORD_SPACED)
	{
		if (k < n && word_is_alnum(&g[k]))
			return false;
		for (; entry->length < 4 && k < n && k < *i + GAP_MAX + 1; k++)
			if (word_is_alnum(&g[k]))
				return !word_isolated(search, k);
		return true;
	}
	if (k == n)
		return true;
	if (word_is_alnum(&g[k]))
	{
		if (path->mode == WORD_PLAIN && FOLD_IS_UNSPACED(g[k].class))
			return true;
		if (g[k].upper && !g[k - 1].upper && entry->length >= 4)
		{
			size_t		s = search->start;

			while (s > 0 && s + 64 > search->start && word_is_alnum(&g[s - 1]))
				s--;
			if (s > 0 && g[s - 1].code == '#')
				return true;
		}
		/* a plural, or a number behind it */
		if (entry->latin && entry->length >= 3 && (g[k].code == 's' || g[k].code == 'z'))
			k++;
		else if (FOLD_IS_LETTER(g[k - 1].class) && (path->digits == 0 || path->letters >= 2) && entry->length >= 3)
		{
			while (k < n && k < *i + 8 && g[k].class == FOLD_DIGIT)
				k++;
		}
		if (k < n && word_is_alnum(&g[k]))
			return false;
		*i = k;
	}
	if (path->mode == WORD_JOINED && k + 1 < n && g[k].class != FOLD_SPACE && word_is_alnum(&g[k + 1]))
		return false;
	return true;
}
