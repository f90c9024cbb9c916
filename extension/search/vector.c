/*-------------------------------------------------------------------------
 *
 * vector.c
 *		What posts, accounts and messages can be found by, as tsvector.
 *
 * Words have weight A, stems that are not the word itself have weight D and
 * the word's position.  What is not a word has no position and a sign in
 * front, which no word has: #tag, @name, $tag, and marks such as from:17 or
 * has:media that the caller gives.
 *
 * Of a link only the host is cut into words.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "tsearch/ts_type.h"
#include "tsearch/ts_utils.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "post/entity.h"
#include "search/token.h"
#include "search/vector.h"

PG_FUNCTION_INFO_V1(roost_search_vector);
PG_FUNCTION_INFO_V1(roost_search_name_vector);
PG_FUNCTION_INFO_V1(roost_search_trigram_array);
PG_FUNCTION_INFO_V1(roost_search_similarity);

#define WEIGHT_WORD		3		/* A */
#define WEIGHT_STEM		0		/* D */
#define NAME_MAX		400		/* bytes of a name that trigrams are made of */

typedef struct Lexeme
{
	const char *data;
	int			length;
	uint16		position;		/* 0: none */
	uint16		weight;
} Lexeme;

typedef struct Lexemes
{
	Lexeme	   *items;
	int			count;
	int			room;
} Lexemes;

static void lexeme_add(Lexemes *lexemes, const char *data, int length, int position, int weight);
static void lexemes_add_text(Lexemes *lexemes, const char *text, int length, Oid dictionary, SearchStems *stems);
static void lexemes_add_tokens(Lexemes *lexemes, const SearchTokens *tokens, Oid dictionary, SearchStems *stems);
static void lexemes_add_marks(Lexemes *lexemes, ArrayType *marks);
static void text_mask(char *data, const Entity *found, int count);
static void lexemes_add_entities(Lexemes *lexemes, const char *data, const Entity *found, int count);
static int	lexeme_compare(const void *left, const void *right);
static TSVector vector_make(Lexemes *lexemes);
static Lexemes *trigrams_of(text *value);

/*
 * roost_internal.search_vector(text, language, marks)
 */
Datum
roost_search_vector(PG_FUNCTION_ARGS)
{
	text	   *value = PG_ARGISNULL(0) ? cstring_to_text("") : PG_GETARG_TEXT_PP(0);
	Oid			dictionary = InvalidOid;
	Lexemes		lexemes = {0};

	if (!PG_ARGISNULL(1))
	{
		text	   *language = PG_GETARG_TEXT_PP(1);

		dictionary = roost_search_dictionary(VARDATA_ANY(language), VARSIZE_ANY_EXHDR(language));
	}
	lexemes_add_text(&lexemes, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), dictionary, NULL);
	if (!PG_ARGISNULL(2))
		lexemes_add_marks(&lexemes, PG_GETARG_ARRAYTYPE_P(2));
	PG_RETURN_TSVECTOR(vector_make(&lexemes));
}

/*
 * Returns the same of one of many texts, with marks that are C strings.
 */
TSVector
roost_search_text_vector(const char *text, int length, SearchStems *stems, const char *const *marks, int num_marks)
{
	Lexemes		lexemes = {0};

	lexemes_add_text(&lexemes, text, length, InvalidOid, stems);
	for (int i = 0; i < num_marks; i++)
		lexeme_add(&lexemes, marks[i], strlen(marks[i]), 0, 0);
	return vector_make(&lexemes);
}

/*
 * roost_internal.search_name_vector(username, display_name) returns the words
 * of both names, and their trigrams with ~ in front.
 */
Datum
roost_search_name_vector(PG_FUNCTION_ARGS)
{
	Lexemes		lexemes = {0};
	SearchTokens tokens = {0};

	for (int i = 0; i < 2; i++)
	{
		text	   *name = PG_GETARG_TEXT_PP(i);
		Lexemes    *trigrams = trigrams_of(name);

		roost_search_tokenize(&tokens, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
		for (int k = 0; k < trigrams->count; k++)
			lexeme_add(&lexemes, trigrams->items[k].data, trigrams->items[k].length, 0, 0);
	}
	lexemes_add_tokens(&lexemes, &tokens, InvalidOid, NULL);
	PG_RETURN_TSVECTOR(vector_make(&lexemes));
}

/*
 * roost_internal.search_trigrams(name) returns the trigrams of a name, each
 * once, in the order of the name, with ~ in front.
 */
Datum
roost_search_trigram_array(PG_FUNCTION_ARGS)
{
	Lexemes    *trigrams = trigrams_of(PG_GETARG_TEXT_PP(0));
	Datum	   *values = palloc(sizeof(Datum) * Max(trigrams->count, 1));

	for (int i = 0; i < trigrams->count; i++)
		values[i] = PointerGetDatum(cstring_to_text_with_len(trigrams->items[i].data, trigrams->items[i].length));
	PG_RETURN_ARRAYTYPE_P(construct_array(values, trigrams->count, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * roost_internal.search_similarity(a, b) returns how many of the trigrams of
 * two names both have, of those that either has: 0 to 1.
 */
Datum
roost_search_similarity(PG_FUNCTION_ARGS)
{
	Lexemes    *a = trigrams_of(PG_GETARG_TEXT_PP(0));
	Lexemes    *b = trigrams_of(PG_GETARG_TEXT_PP(1));
	int			shared = 0;

	for (int i = 0; i < a->count; i++)
	{
		for (int k = 0; k < b->count; k++)
			shared += a->items[i].length == b->items[k].length &&
				memcmp(a->items[i].data, b->items[k].data, a->items[i].length) == 0;
	}
	if (a->count + b->count == 0)
		PG_RETURN_FLOAT4(0);
	PG_RETURN_FLOAT4((float4) shared / (a->count + b->count - shared));
}

static void
lexeme_add(Lexemes *lexemes, const char *data, int length, int position, int weight)
{
	if (length == 0 || length >= MAXSTRLEN)
		return;
	if (lexemes->count == lexemes->room)
	{
		lexemes->room = Max(lexemes->room * 2, 64);
		lexemes->items = lexemes->items == NULL ? palloc(sizeof(Lexeme) * lexemes->room) :
			repalloc(lexemes->items, sizeof(Lexeme) * lexemes->room);
	}
	lexemes->items[lexemes->count++] = (Lexeme)
	{
		.data = data,.length = length,.position = position == 0 ? 0 : LIMITPOS(position),.weight = weight
	};
}

/*
 * Adds the words of a text, and what else is found in it.
 */
static void
lexemes_add_text(Lexemes *lexemes, const char *text, int length, Oid dictionary, SearchStems *stems)
{
	char	   *data = pnstrdup(text, length);
	int			bound = roost_entity_bound(data, length);
	SearchTokens tokens = {0};

	if (bound > 0)
	{
		uint32_t   *scratch = palloc(sizeof(uint32_t) * ENTITY_SCRATCH((Size) length));
		Entity	   *found = palloc(sizeof(Entity) * (Size) bound);
		int			count = roost_entity_scan(data, length, scratch, found);

		lexemes_add_entities(lexemes, data, found, count);
		text_mask(data, found, count);
	}
	roost_search_tokenize(&tokens, data, length);
	lexemes_add_tokens(lexemes, &tokens, dictionary, stems);
}

static void
lexemes_add_tokens(Lexemes *lexemes, const SearchTokens *tokens, Oid dictionary, SearchStems *stems)
{
	for (int i = 0; i < tokens->count; i++)
	{
		const SearchToken *token = &tokens->items[i];
		int			length;
		const char *stem = stems != NULL ? roost_search_stem_kept(stems, token, &length) : roost_search_stem(dictionary, token, &length);

		lexeme_add(lexemes, token->lexeme, token->length, token->position, WEIGHT_WORD);
		if (stem != NULL && (length != token->length || memcmp(stem, token->lexeme, length) != 0))
			lexeme_add(lexemes, stem, length, token->position, WEIGHT_STEM);
	}
}

static void
lexemes_add_marks(Lexemes *lexemes, ArrayType *marks)
{
	Datum	   *values;
	bool	   *nulls;
	int			count;

	deconstruct_array(marks, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (!nulls[i])
			lexeme_add(lexemes, VARDATA_ANY(values[i]), VARSIZE_ANY_EXHDR(values[i]), 0, 0);
	}
}

/*
 * Adds what is found in a text, with its sign.
 */
static void
lexemes_add_entities(Lexemes *lexemes, const char *data, const Entity *found, int count)
{
	for (int i = 0; i < count; i++)
	{
		const Entity *e = &found[i];
		const char *folded;
		int			length;
		StringInfoData lexeme;

		if (e->kind == ENTITY_URL)
		{
			lexeme_add(lexemes, "has:link", strlen("has:link"), 0, 0);
			continue;
		}
		folded = roost_search_fold(data + e->offset, e->length);
		folded = roost_search_plain(folded, strlen(folded), &length);
		initStringInfo(&lexeme);
		appendStringInfoChar(&lexeme, e->kind == ENTITY_MENTION ? '@' : e->kind == ENTITY_HASHTAG ? '#' : '$');
		appendBinaryStringInfo(&lexeme, folded, length);
		lexeme_add(lexemes, lexeme.data, lexeme.len, 0, 0);
	}
}

/*
 * Blanks what stands before and behind the hosts of links.
 */
static void
text_mask(char *data, const Entity *found, int count)
{
	for (int i = 0; i < count; i++)
	{
		char	   *url = data + found[i].offset;
		int			length = found[i].length;
		int			host = 0;

		if (found[i].kind != ENTITY_URL)
			continue;
		for (int k = 0; k + 2 < length; k++)
		{
			if (memcmp(url + k, "://", 3) == 0)
			{
				host = k + 3;
				break;
			}
			if (url[k] == '/' || url[k] == '?')
				break;
		}
		memset(url, ' ', host);
		while (host < length && strchr("/?#:", url[host]) == NULL)
			host++;
		memset(url + host, ' ', length - host);
	}
}

/*
 * Orders lexemes as a tsvector does, those of one word by position, the
 * heaviest first.
 */
static int
lexeme_compare(const void *left, const void *right)
{
	const Lexeme *a = left;
	const Lexeme *b = right;
	int			order = tsCompareString(unconstify(char *, a->data), a->length, unconstify(char *, b->data), b->length, false);

	if (order != 0)
		return order;
	if (a->position != b->position)
		return a->position < b->position ? -1 : 1;
	return (int) b->weight - (int) a->weight;
}

/*
 * Returns the lexemes as a tsvector.
 */
static TSVector
vector_make(Lexemes *lexemes)
{
	Lexeme	   *items = lexemes->items;
	int			words = 0;
	Size		room = 0;
	int			used = 0;
	TSVector	vector;
	char	   *strings;

	if (lexemes->count > 1)
		qsort(items, lexemes->count, sizeof(Lexeme), lexeme_compare);
	/* what does not fit is left out: nobody writes that much by hand */
	for (int i = 0; i < lexemes->count; i++)
	{
		room += items[i].length + 2 * sizeof(uint16) + sizeof(WordEntryPos);
		if (room > MAXSTRPOS)
			lexemes->count = i;
	}

	vector = palloc0(CALCDATASIZE(lexemes->count, room));
	for (int i = 0; i < lexemes->count; i++)
	{
		if (i == 0 || items[i].length != items[i - 1].length ||
			memcmp(items[i].data, items[i - 1].data, items[i].length) != 0)
			words++;
	}
	vector->size = words;
	strings = STRPTR(vector);

	for (int i = 0, n = 0; i < lexemes->count; n++)
	{
		WordEntry  *entry = &ARRPTR(vector)[n];
		int			first = i;
		int			positions = 0;
		WordEntryPos at[MAXNUMPOS];

		for (; i < lexemes->count && items[i].length == items[first].length &&
			 memcmp(items[i].data, items[first].data, items[i].length) == 0; i++)
		{
			if (items[i].position == 0 || positions == MAXNUMPOS - 1 ||
				(positions > 0 && WEP_GETPOS(at[positions - 1]) == items[i].position))
				continue;
			WEP_SETPOS(at[positions], items[i].position);
			WEP_SETWEIGHT(at[positions], items[i].weight);
			positions++;
		}
		entry->len = items[first].length;
		entry->pos = used;
		entry->haspos = positions > 0;
		memcpy(strings + used, items[first].data, items[first].length);
		used += items[first].length;
		if (positions > 0)
		{
			used = SHORTALIGN(used);
			*(uint16 *) (strings + used) = positions;
			memcpy(strings + used + sizeof(uint16), at, positions * sizeof(WordEntryPos));
			used += sizeof(uint16) + positions * sizeof(WordEntryPos);
		}
	}
	SET_VARSIZE(vector, CALCDATASIZE(words, used));
	return vector;
}

/*
 * Returns the trigrams of a name's words, two blanks before and one behind
 * each, as everybody makes them; each once.
 */
static Lexemes *
trigrams_of(text *value)
{
	Lexemes    *result = palloc0(sizeof(Lexemes));
	SearchTokens tokens = {0};

	roost_search_tokenize(&tokens, VARDATA_ANY(value), Min(VARSIZE_ANY_EXHDR(value), NAME_MAX));
	for (int i = 0; i < tokens.count; i++)
	{
		StringInfoData padded;
		const char *at[4];		/* where characters begin */
		const char *p;
		const char *end;

		initStringInfo(&padded);
		appendStringInfoString(&padded, "  ");
		appendBinaryStringInfo(&padded, tokens.items[i].lexeme, tokens.items[i].length);
		appendStringInfoChar(&padded, ' ');
		end = padded.data + padded.len;
		at[0] = padded.data;
		at[1] = at[0] + 1;
		at[2] = at[1] + 1;
		for (p = at[2]; p < end;)
		{
			char	   *trigram;
			int			length;
			int			k;

			p += pg_utf_mblen((const unsigned char *) p);
			at[3] = Min(p, end);
			length = at[3] - at[0];
			trigram = palloc(length + 1);
			trigram[0] = '~';
			memcpy(trigram + 1, at[0], length);
			for (k = 0; k < result->count; k++)
			{
				if (result->items[k].length == length + 1 && memcmp(result->items[k].data, trigram, length + 1) == 0)
					break;
			}
			if (k == result->count)
				lexeme_add(result, trigram, length + 1, 0, 0);
			memmove(at, at + 1, sizeof(at[0]) * 3);
		}
	}
	return result;
}
