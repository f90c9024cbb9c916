/*-------------------------------------------------------------------------
 *
 * token.c
 *		The words of a text, as the index of search has them.
 *
 * A text is brought to NFKC and lower case and cut where no letter, mark or
 * digit stands.  A word's lexeme lacks the accents of Latin and Greek letters
 * and the vowel points of Arabic and Hebrew, so that those who write without
 * them find it.  In scripts that put no spaces between words (Han, Kana,
 * Hangul, Thai, Lao, Khmer, Myanmar) every two neighbours are a lexeme, and
 * the last character alone; so each character begins a lexeme.
 *
 * Stems come from the Snowball dictionaries of PostgreSQL, by the language
 * that the text declares.  They are made of the word with its accents.
 *
 * Texts of posts and of queries are cut by the same code.
 *
 *-------------------------------------------------------------------------
 */
#include "search/token.h"

#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "common/hashfn.h"
#include "common/unicode_norm.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "tsearch/ts_cache.h"
#include "tsearch/ts_public.h"
#include "utils/builtins.h"
#include "utils/formatting.h"

#include "post/entity.h"

/* What is longer is cut off: nobody looks for it */
#define TOKEN_LENGTH_MAX	60	/* characters */
#define STEM_LENGTH_MAX		60	/* bytes */

typedef enum TokenClass
{
	TOKEN_NONE,
	TOKEN_WORD,
	TOKEN_DENSE,				/* of a script without spaces */
	TOKEN_SKIP					/* as if it were not there */
} TokenClass;

/* Dictionaries by language */
static const struct
{
	const char *language;
	const char *dictionary;
}			stemmers[] = {
	{"ar", "arabic_stem"}, {"ca", "catalan_stem"}, {"da", "danish_stem"}, {"de", "german_stem"},
	{"el", "greek_stem"}, {"en", "english_stem"}, {"es", "spanish_stem"}, {"eu", "basque_stem"},
	{"fi", "finnish_stem"}, {"fr", "french_stem"}, {"ga", "irish_stem"}, {"hi", "hindi_stem"},
	{"hu", "hungarian_stem"}, {"hy", "armenian_stem"}, {"id", "indonesian_stem"}, {"it", "italian_stem"},
	{"lt", "lithuanian_stem"}, {"nb", "norwegian_stem"}, {"ne", "nepali_stem"}, {"nl", "dutch_stem"},
	{"nn", "norwegian_stem"}, {"no", "norwegian_stem"}, {"pt", "portuguese_stem"}, {"ro", "romanian_stem"},
	{"ru", "russian_stem"}, {"sr", "serbian_stem"}, {"sv", "swedish_stem"}, {"ta", "tamil_stem"},
	{"tr", "turkish_stem"}, {"yi", "yiddish_stem"},
};

static TokenClass token_class(pg_wchar c);
static bool is_dense(pg_wchar c);
static bool is_ascii(const char *text, int length);
static char *wide_to_text(const pg_wchar *wide);
static void token_add(SearchTokens *tokens, SearchTokenKind kind, const char *word, int length);
static void tokens_add_word(SearchTokens *tokens, const char *run, const char *end);
static void tokens_add_dense(SearchTokens *tokens, const char *run, const char *end);

/*
 * Appends the tokens of a text.  Another text may have been there before; a
 * gap of one position keeps phrases from reaching over.
 */
void
roost_search_tokenize(SearchTokens *tokens, const char *text, int length)
{
	const char *p = roost_search_fold(text, length);
	const char *run = NULL;		/* where the present run begins */
	TokenClass	class = TOKEN_NONE; /* of the run */

	if (tokens->position > 0)
		tokens->position++;
	for (;;)
	{
		TokenClass	next = *p == '\0' ? TOKEN_NONE : token_class(utf8_to_unicode((const unsigned char *) p));

		if (next == TOKEN_SKIP && run != NULL)
			next = class;
		if (next != class && run != NULL)
		{
			if (class == TOKEN_WORD)
				tokens_add_word(tokens, run, p);
			else
				tokens_add_dense(tokens, run, p);
			run = NULL;
		}
		if (*p == '\0' || tokens->count >= SEARCH_TOKENS_MAX)
			break;
		if (run == NULL && (next == TOKEN_WORD || next == TOKEN_DENSE))
			run = p;
		class = run == NULL ? TOKEN_NONE : next;
		p += pg_utf_mblen((const unsigned char *) p);
	}
}

/*
 * Returns the text in NFKC and lower case, terminated by a zero.
 */
char *
roost_search_fold(const char *text, int length)
{
	char	   *plain = pnstrdup(text, length);
	pg_wchar   *wide;
	pg_wchar   *normal;
	char	   *folded;

	if (is_ascii(plain, length))
	{
		for (int i = 0; i < length; i++)
			plain[i] = pg_ascii_tolower((unsigned char) plain[i]);
		return plain;
	}
	wide = palloc(sizeof(pg_wchar) * (length + 1));
	(void) pg_mb2wchar_with_len(plain, wide, length);
	normal = unicode_normalize(UNICODE_NFKC, wide);
	folded = wide_to_text(normal);
	pfree(wide);
	pfree(normal);
	pfree(plain);
	return str_tolower(folded, strlen(folded), DEFAULT_COLLATION_OID);
}

/*
 * Returns a word, which is folded, without its accents; it may be the word
 * itself, and is not terminated.
 */
const char *
roost_search_plain(const char *word, int length, int *plain_length)
{
	/* letters that have no decomposition */
	static const struct
	{
		pg_wchar	letter;
		const char *plain;
	}			letters[] = {
		{0xDF, "ss"}, {0xE6, "ae"}, {0xF0, "d"}, {0xF8, "o"}, {0xFE, "th"},
		{0x111, "d"}, {0x127, "h"}, {0x131, "i"}, {0x142, "l"}, {0x153, "oe"}, {0x167, "t"},
	};
	pg_wchar   *wide;
	pg_wchar   *apart;
	pg_wchar   *plain;
	pg_wchar	base = 0;
	int			n = 0;
	char	   *result;

	*plain_length = length;
	if (is_ascii(word, length))
		return word;
	wide = palloc(sizeof(pg_wchar) * (length + 1));
	(void) pg_mb2wchar_with_len(word, wide, length);
	apart = unicode_normalize(UNICODE_NFKD, wide);
	for (n = 0; apart[n] != 0; n++)
		;
	plain = palloc(sizeof(pg_wchar) * (2 * n + 1));
	n = 0;
	for (const pg_wchar *c = apart; *c != 0; c++)
	{
		int			i;

		if ((*c >= 0x300 && *c <= 0x36F && base < 0x400) ||
			(*c >= 0x591 && *c <= 0x5C7 && *c != 0x5BE && *c != 0x5C0 && *c != 0x5C3 && *c != 0x5C6) ||
			(*c >= 0x64B && *c <= 0x655) || *c == 0x670 || *c == 0x640)
			continue;
		base = *c;
		for (i = 0; i < lengthof(letters) && letters[i].letter != *c;)
			i++;
		if (i == lengthof(letters))
			plain[n++] = *c;
		else
			for (const char *s = letters[i].plain; *s != '\0'; s++)
				plain[n++] = (unsigned char) *s;
	}
	plain[n] = 0;
	result = wide_to_text(unicode_normalize(UNICODE_NFKC, plain));
	pfree(wide);
	pfree(apart);
	pfree(plain);
	*plain_length = strlen(result);
	return result;
}

/*
 * Returns the dictionary that stems words of a language, or InvalidOid.  What
 * follows the language in its tag does not matter; the name of a text search
 * configuration of PostgreSQL will do, too.
 */
Oid
roost_search_dictionary(const char *language, int length)
{
	for (int i = 0; i < length; i++)
	{
		if (language[i] == '-' || language[i] == '_')
			length = i;
	}
	for (int i = 0; i < lengthof(stemmers); i++)
	{
		const char *dictionary = stemmers[i].dictionary;

		if ((length == 2 && pg_strncasecmp(language, stemmers[i].language, 2) == 0) ||
			(length > 2 && length < strlen(dictionary) && dictionary[length] == '_' && strncmp(dictionary, language, length) == 0))
			return get_ts_dict_oid(list_make2(makeString("pg_catalog"), makeString(unconstify(char *, dictionary))), true);
	}
	return InvalidOid;
}

/*
 * Returns the stem of a word, or NULL: it has none, or is too common for one.
 */
const char *
roost_search_stem(Oid dictionary, const SearchToken *token, int *length)
{
	TSDictionaryCacheEntry *entry;
	DictSubState state = {0};
	TSLexeme   *found;

	if (!OidIsValid(dictionary) || token->kind != SEARCH_WORD || token->word_length > STEM_LENGTH_MAX)
		return NULL;
	entry = lookup_ts_dictionary_cache(dictionary);
	found = (TSLexeme *) DatumGetPointer(FunctionCall4(&entry->lexize, PointerGetDatum(entry->dictData),
													   PointerGetDatum(token->word), Int32GetDatum(token->word_length),
													   PointerGetDatum(&state)));
	if (found == NULL || found[0].lexeme == NULL || found[0].lexeme[0] == '\0')
		return NULL;
	return roost_search_plain(found[0].lexeme, strlen(found[0].lexeme), length);
}

/*
 * Returns the same, from what is kept if it can.
 */
const char *
roost_search_stem_kept(SearchStems *stems, const SearchToken *token, int *length)
{
	SearchStem *slot = &stems->slots[hash_bytes((const unsigned char *) token->word, token->word_length) % SEARCH_STEMS];
	const char *stem;

	if (!OidIsValid(stems->dictionary) || token->kind != SEARCH_WORD || token->word_length > STEM_LENGTH_MAX)
		return NULL;
	if (slot->word == NULL || slot->word_length != token->word_length || memcmp(slot->word, token->word, token->word_length) != 0)
	{
		int			stem_length = 0;
		MemoryContext old;

		stem = roost_search_stem(stems->dictionary, token, &stem_length);
		old = MemoryContextSwitchTo(stems->context);
		if (slot->word != NULL)
			pfree(slot->word);
		if (slot->stem != NULL)
			pfree(slot->stem);
		slot->word = pnstrdup(token->word, token->word_length);
		slot->word_length = token->word_length;
		slot->stem = stem == NULL ? NULL : pnstrdup(stem, stem_length);
		slot->length = stem_length;
		MemoryContextSwitchTo(old);
	}
	*length = slot->length;
	return slot->stem;
}

/*
 * Returns what a code point of a folded text is.
 */
static TokenClass
token_class(pg_wchar c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ? TOKEN_WORD : TOKEN_NONE;
	/* soft hyphen, joiners, variation selectors */
	if (c == 0xAD || c == 0x200C || c == 0x200D || c == 0x2060 || c == 0xFEFF || (c >= 0xFE00 && c <= 0xFE0F))
		return TOKEN_SKIP;
	if (!roost_entity_is_word(c))
		return TOKEN_NONE;
	return is_dense(c) ? TOKEN_DENSE : TOKEN_WORD;
}

static bool
is_dense(pg_wchar c)
{
	/* Korean has spaces, but what hangs on to a word has none */
	return roost_entity_is_spaceless(c) || (c >= 0x1100 && c <= 0x11FF) || (c >= 0xAC00 && c <= 0xD7A3);
}

static bool
is_ascii(const char *text, int length)
{
	for (int i = 0; i < length; i++)
	{
		if (IS_HIGHBIT_SET(text[i]))
			return false;
	}
	return true;
}

static char *
wide_to_text(const pg_wchar *wide)
{
	int			n = 0;
	char	   *result;
	char	   *out;

	while (wide[n] != 0)
		n++;
	out = result = palloc(n * 4 + 1);
	for (int i = 0; i < n; i++)
	{
		unicode_to_utf8(wide[i], (unsigned char *) out);
		out += pg_utf_mblen((unsigned char *) out);
	}
	*out = '\0';
	return result;
}

static void
token_add(SearchTokens *tokens, SearchTokenKind kind, const char *word, int length)
{
	SearchToken *token;

	if (tokens->count == tokens->room)
	{
		tokens->room = Max(tokens->room * 2, 64);
		tokens->items = tokens->items == NULL ? palloc(sizeof(SearchToken) * tokens->room) :
			repalloc(tokens->items, sizeof(SearchToken) * tokens->room);
	}
	token = &tokens->items[tokens->count++];
	token->word = word;
	token->word_length = length;
	token->lexeme = roost_search_plain(word, length, &token->length);
	token->position = tokens->position;
	token->kind = kind;
	if (token->length == 0)		/* marks without a letter */
		tokens->count--;
}

/*
 * Adds a word, without what is to be skipped in it.
 */
static void
tokens_add_word(SearchTokens *tokens, const char *run, const char *end)
{
	char	   *word;
	int			length = 0;
	int			characters = 0;
	bool		clean = is_ascii(run, end - run);

	tokens->position++;
	if (clean)
	{
		token_add(tokens, SEARCH_WORD, run, Min(end - run, TOKEN_LENGTH_MAX));
		return;
	}
	word = palloc(end - run);
	for (const char *p = run; p < end && characters < TOKEN_LENGTH_MAX;)
	{
		int			n = pg_utf_mblen((const unsigned char *) p);

		if (token_class(utf8_to_unicode((const unsigned char *) p)) != TOKEN_SKIP)
		{
			memcpy(word + length, p, n);
			length += n;
			characters++;
		}
		p += n;
	}
	token_add(tokens, SEARCH_WORD, word, length);
}

/*
 * Adds every two neighbours of a run, and its last character.
 */
static void
tokens_add_dense(SearchTokens *tokens, const char *run, const char *end)
{
	const char *last = NULL;
	const char *p = run;

	while (p < end && tokens->count < SEARCH_TOKENS_MAX)
	{
		int			n = pg_utf_mblen((const unsigned char *) p);

		if (token_class(utf8_to_unicode((const unsigned char *) p)) != TOKEN_SKIP)
		{
			/* what was skipped in between ends a pair */
			if (last != NULL && last + pg_utf_mblen((const unsigned char *) last) == p)
				token_add(tokens, SEARCH_PAIR, last, p + n - last);
			else if (last != NULL)
				token_add(tokens, SEARCH_LAST, last, pg_utf_mblen((const unsigned char *) last));
			tokens->position++;
			last = p;
		}
		p += n;
	}
	if (last != NULL)
		token_add(tokens, SEARCH_LAST, last, pg_utf_mblen((const unsigned char *) last));
}
