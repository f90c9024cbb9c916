/*-------------------------------------------------------------------------
 *
 * words.c
 *		Words and phrases that are looked for in posts, all at once.
 *
 * A text is folded as hashtags are (NFKC, lower case) and then read as code
 * points, without those that nobody sees and that only part the letters of a
 * word, and with one space for every run of spaces.  Phrases are read in the
 * same way, and put into an automaton (Aho and Corasick): a tree of their
 * prefixes, in which each node knows the longest other prefix that is its end
 * (fail), and the longest such end that is a phrase (exit).  So a text is read
 * once, however many phrases there are, and a long text costs what its length
 * is.
 *
 * A phrase that must be whole must not be inside a longer run of letters and
 * digits, in any script.  Scripts that put no spaces between words have no such
 * runs: in them, each letter stands for itself.
 *
 * Edges are kept in one hash table, by node and code point, and those of the
 * root for ASCII in an array besides.
 *
 *-------------------------------------------------------------------------
 */
#include "post/words.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "post/entity.h"
#include "post/post.h"

#define NONE	(-1)

/* A prefix of phrases */
typedef struct WordNode
{
	int32		fail;
	int32		exit;			/* 0: none */
	int32		first;			/* phrase that ends here, or NONE */
	uint32		last;			/* code point that leads here */
	int32		parent;
	bool		loose;			/* one that ends here, or at an exit, may be
								 * part of a word */
} WordNode;

typedef struct WordEdge
{
	uint64		key;			/* 0: free */
	int32		child;
} WordEdge;

typedef struct WordPhrase
{
	int64		expires_us;
	int32		length;			/* code points */
	int32		next;			/* that ends at the same node, or NONE */
	bool		whole;
} WordPhrase;

typedef struct WordTag
{
	const char *data;
	int			length;
	int64		expires_us;
} WordTag;

struct PostWords
{
	int			num_nodes;
	int			num_phrases;
	int			num_tags;
	Size		size;
	WordNode   *nodes;			/* the root is 0 */
	WordPhrase *phrases;
	WordTag    *tags;			/* sorted */
	WordEdge   *edges;
	uint32		mask;			/* of the table of edges */
	int32		first[128];		/* of the root */
};

static void words_add(PostWords *words, const PostWord *word, uint32 *scratch);
static void words_link(PostWords *words);
static int	words_read(text *folded, uint32 *points);
static bool words_is_plain(text *value);
static bool words_scan(const PostWords *words, int64 now_us, text *value, bool folded);
static bool words_end(const PostWords *words, int64 now_us, int32 node, const uint32 *points, int n, int end);
static bool words_has_tag(const PostWords *words, int64 now_us, const char *data, int length);

static inline uint64
edge_key(int32 node, uint32 c)
{
	return ((uint64) (node + 1) << 21) | c;
}

static inline WordEdge *
edge_find(const PostWords *words, uint64 key)
{
	uint32		at = (uint32) ((key * UINT64CONST(0x9E3779B97F4A7C15)) >> 32) & words->mask;

	while (words->edges[at].key != 0 && words->edges[at].key != key)
		at = (at + 1) & words->mask;
	return &words->edges[at];
}

/*
 * Returns the child of a node, or 0.
 */
static inline int32
words_child(const PostWords *words, int32 node, uint32 c)
{
	if (node == 0 && c < lengthof(words->first))
		return words->first[c];
	return edge_find(words, edge_key(node, c))->child;
}

static int
tag_compare(const void *a, const void *b)
{
	const WordTag *x = a;
	const WordTag *y = b;
	int			order = memcmp(x->data, y->data, Min(x->length, y->length));

	return order != 0 ? order : x->length - y->length;
}

/*
 * Makes phrases ready to be looked for.
 */
PostWords *
roost_words_make(const PostWord *list, int n)
{
	PostWords  *words = palloc0(sizeof(PostWords));
	Size		points = 0;
	Size		longest = 0;
	uint32		slots = 16;
	uint32	   *scratch;

	for (int i = 0; i < n; i++)
	{
		Size		length = VARSIZE_ANY_EXHDR(list[i].folded);

		points += length;
		longest = Max(longest, length);
	}
	while (slots < points * 2)
		slots *= 2;
	words->mask = slots - 1;
	words->edges = palloc0(sizeof(WordEdge) * slots);
	words->nodes = palloc0(sizeof(WordNode) * (points + 1));
	words->phrases = palloc(sizeof(WordPhrase) * Max(n, 1));
	words->tags = palloc(sizeof(WordTag) * Max(n, 1));
	words->size = sizeof(PostWords) + sizeof(WordEdge) * slots + sizeof(WordNode) * (points + 1) +
		(sizeof(WordPhrase) + sizeof(WordTag)) * n + points;
	words->nodes[0].first = NONE;
	words->num_nodes = 1;
	scratch = palloc(sizeof(uint32) * (longest + 1));
	for (int i = 0; i < n; i++)
		words_add(words, &list[i], scratch);
	pfree(scratch);
	qsort(words->tags, words->num_tags, sizeof(WordTag), tag_compare);
	words_link(words);
	return words;
}

Size
roost_words_size(const PostWords *words)
{
	return words->size;
}

/*
 * Adds a phrase to the tree, or a hashtag to the list.
 */
static void
words_add(PostWords *words, const PostWord *word, uint32 *scratch)
{
	int			length = VARSIZE_ANY_EXHDR(word->folded);
	const char *data = VARDATA_ANY(word->folded);
	int32		node = 0;
	int			n;

	if (length > 1 && data[0] == '#')
	{
		char	   *copy = palloc(length - 1);

		memcpy(copy, data + 1, length - 1);
		words->tags[words->num_tags++] = (WordTag) {copy, length - 1, word->expires_us};
		return;
	}
	n = words_read(word->folded, scratch);
	for (int i = 0; i < n; i++)
	{
		WordEdge   *edge = edge_find(words, edge_key(node, scratch[i]));

		if (edge->key == 0)
		{
			WordNode   *child = &words->nodes[words->num_nodes];

			child->first = NONE;
			child->last = scratch[i];
			child->parent = node;
			edge->key = edge_key(node, scratch[i]);
			edge->child = words->num_nodes++;
			if (node == 0 && scratch[i] < lengthof(words->first))
				words->first[scratch[i]] = edge->child;
		}
		node = edge->child;
	}
	if (node == 0)
		return;
	words->phrases[words->num_phrases] = (WordPhrase)
	{
		.expires_us = word->expires_us,
			.length = n,
			.next = words->nodes[node].first,
			.whole = word->whole,
	};
	words->nodes[node].first = words->num_phrases++;
}

/*
 * Finds the fail and the exit of each node, those of shorter prefixes first.
 */
static void
words_link(PostWords *words)
{
	int32	   *order = palloc(sizeof(int32) * words->num_nodes);
	int32	   *depth = palloc0(sizeof(int32) * words->num_nodes);
	int32	   *starts;
	int			deepest = 0;

	/* a parent comes before its children */
	for (int i = 1; i < words->num_nodes; i++)
	{
		depth[i] = depth[words->nodes[i].parent] + 1;
		deepest = Max(deepest, depth[i]);
	}
	starts = palloc0(sizeof(int32) * (deepest + 2));
	for (int i = 0; i < words->num_nodes; i++)
		starts[depth[i] + 1]++;
	for (int i = 1; i <= deepest + 1; i++)
		starts[i] += starts[i - 1];
	for (int i = 0; i < words->num_nodes; i++)
		order[starts[depth[i]]++] = i;

	for (int i = 1; i < words->num_nodes; i++)
	{
		WordNode   *node = &words->nodes[order[i]];
		int32		fail = node->parent;
		const WordNode *to;

		node->fail = 0;
		while (fail != 0 && node->fail == 0)
		{
			fail = words->nodes[fail].fail;
			node->fail = words_child(words, fail, node->last);
		}
		to = &words->nodes[node->fail];
		node->exit = to->first != NONE ? node->fail : to->exit;
		node->loose = to->loose;
		for (int32 p = node->first; p != NONE; p = words->phrases[p].next)
			node->loose |= !words->phrases[p].whole;
	}
	pfree(order);
	pfree(depth);
	pfree(starts);
}

/*
 * Returns whether a phrase is in a post.
 */
bool
roost_words_find(const PostWords *words, int64 now_us, Datum body, Datum warning, Datum hashtags)
{
	Datum	   *tags;
	bool	   *nulls;
	int			num_tags;

	if (words->num_phrases > 0 &&
		((body != (Datum) 0 && words_scan(words, now_us, DatumGetTextPP(body), false)) ||
		 (warning != (Datum) 0 && words_scan(words, now_us, DatumGetTextPP(warning), false))))
		return true;
	if (hashtags == (Datum) 0)
		return false;
	deconstruct_array(DatumGetArrayTypeP(hashtags), TEXTOID, -1, false, TYPALIGN_INT, &tags, &nulls, &num_tags);
	for (int i = 0; i < num_tags; i++)
	{
		struct varlena *tag;

		if (nulls[i])
			continue;
		tag = DatumGetTextPP(tags[i]);
		if (words_has_tag(words, now_us, VARDATA_ANY(tag), VARSIZE_ANY_EXHDR(tag)) ||
			(words->num_phrases > 0 && words_scan(words, now_us, tag, true)))
			return true;
	}
	return false;
}

/*
 * Returns whether a hashtag is in the list.
 */
static bool
words_has_tag(const PostWords *words, int64 now_us, const char *data, int length)
{
	WordTag		key = {data, length, 0};
	const WordTag *found;

	if (words->num_tags == 0)
		return false;
	found = bsearch(&key, words->tags, words->num_tags, sizeof(WordTag), tag_compare);
	if (found == NULL)
		return false;
	/* it may be there more than once, with other ends */
	while (found > words->tags && tag_compare(found - 1, &key) == 0)
		found--;
	for (; found < words->tags + words->num_tags && tag_compare(found, &key) == 0; found++)
		if (found->expires_us > now_us)
			return true;
	return false;
}

/*
 * Returns whether a phrase of the tree is in a text.
 */
static bool
words_scan(const PostWords *words, int64 now_us, text *value, bool folded)
{
	uint32	   *points;
	int32		node = 0;
	bool		found = false;
	int			n;

	if (!folded && !words_is_plain(value))
		value = roost_post_fold(value);
	points = palloc(sizeof(uint32) * (VARSIZE_ANY_EXHDR(value) + 1));
	n = words_read(value, points);
	for (int i = 0; i < n && !found; i++)
	{
		int32		child;

		while ((child = words_child(words, node, points[i])) == 0 && node != 0)
			node = words->nodes[node].fail;
		node = child;
		found = node != 0 && words_end(words, now_us, node, points, n, i + 1);
	}
	pfree(points);
	return found;
}

/*
 * Returns whether folding would only make ASCII letters lower case, which
 * words_read() does, too.
 */
static bool
words_is_plain(text *value)
{
	static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char small[] = "abcdefghijklmnopqrstuvwxyz";
	static int	usual = -1;		/* not in every language */
	const unsigned char *p = (const unsigned char *) VARDATA_ANY(value);
	const unsigned char *end = p + VARSIZE_ANY_EXHDR(value);

	if (usual < 0)
	{
		text	   *folded = roost_post_fold(cstring_to_text(upper));

		usual = VARSIZE_ANY_EXHDR(folded) == sizeof(small) - 1 && memcmp(VARDATA_ANY(folded), small, sizeof(small) - 1) == 0;
	}
	while (p < end && *p < 0x80)
		p++;
	return usual && p == end;
}

/*
 * Returns whether two letters next to each other belong to one word.
 */
static bool
words_join(uint32 a, uint32 b)
{
	return roost_entity_is_word(a) && roost_entity_is_word(b) &&
		!roost_entity_is_spaceless(a) && !roost_entity_is_spaceless(b);
}

/*
 * Returns whether one of the phrases that end at a node stands in the text as
 * it must.
 */
static bool
words_end(const PostWords *words, int64 now_us, int32 node, const uint32 *points, int n, int end)
{
	const WordNode *at = &words->nodes[node];
	bool		inside;

	if (at->first == NONE && at->exit == 0)
		return false;
	inside = end < n && words_join(points[end - 1], points[end]);
	if (inside && !at->loose)
		return false;
	for (; node != 0; node = words->nodes[node].exit)
	{
		for (int32 p = words->nodes[node].first; p != NONE; p = words->phrases[p].next)
		{
			const WordPhrase *phrase = &words->phrases[p];
			int			start = end - phrase->length;

			if (phrase->expires_us > now_us &&
				(!phrase->whole || (!inside && (start == 0 || !words_join(points[start - 1], points[start])))))
				return true;
		}
	}
	return false;
}

/*
 * Returns whether a code point is a space of some kind.
 */
static inline bool
is_space(uint32 c)
{
	return c <= ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
		c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/*
 * Returns whether nobody sees a code point, and it parts no words.
 */
static inline bool
is_nothing(uint32 c)
{
	return c == 0xAD || c == 0x34F || c == 0x200B || c == 0x2060 || c == 0xFEFF || (c >= 0xFE00 && c <= 0xFE0F);
}

/*
 * Reads a folded text, or a plain one; returns the number of code points.
 */
static int
words_read(text *folded, uint32 *points)
{
	const unsigned char *p = (const unsigned char *) VARDATA_ANY(folded);
	const unsigned char *end = p + VARSIZE_ANY_EXHDR(folded);
	int			n = 0;

	while (p < end)
	{
		uint32		c = *p;

		if (c < 0x80)
		{
			p++;
			if (c >= 'A' && c <= 'Z')
				c |= 0x20;
		}
		else
		{
			c = utf8_to_unicode(p);
			p += pg_utf_mblen(p);
			if (is_nothing(c))
				continue;
		}
		if (is_space(c))
		{
			if (n == 0 || points[n - 1] == ' ')
				continue;
			c = ' ';
		}
		points[n++] = c;
	}
	if (n > 0 && points[n - 1] == ' ')
		n--;
	return n;
}
