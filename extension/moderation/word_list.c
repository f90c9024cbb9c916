/*-------------------------------------------------------------------------
 *
 * word_list.c
 *		The list of words, and roost.profanity_score().
 *
 * A backend keeps roost_data.moderation_word as the trie of word.c, in the
 * context of the table.  About 100 bytes a letter of the list.
 *
 *-------------------------------------------------------------------------
 */
#include "moderation/moderation.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/string.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "moderation/word_list.h"

PG_FUNCTION_INFO_V1(roost_moderation_profanity_score);

ModerationTable roost_moderation_word_table = {
	.name = "moderation_word",
	.columns = {"language", "word", "kind", "severity", "whole_word", "allowed"},
};

/* The list while it is read: symbols of all entries, one after the other */
typedef struct WordListRead
{
	uint32_t   *symbols;
	size_t		num_symbols;
	size_t		room;
	int		   *counts;			/* of each entry */
	int			entry_room;
} WordListRead;

static WordSet word_list;

static void word_list_load(void);
static void word_list_row(const Datum *values, const bool *nulls, void *arg);
static int	word_list_find(const char *data, size_t length, const FoldGlyph *glyphs, size_t n, const char *language,
						   const char **guessed, WordHit *hits);
static const char *word_list_language(const char *data, size_t length, char *language);
static Datum word_list_matches(TupleDesc result, text *value, const WordHit *hits, int n);

/*
 * roost.profanity_score(text, language)
 */
Datum
roost_moderation_profanity_score(PG_FUNCTION_ARGS)
{
	text	   *value;
	char		buffer[WORD_LANGUAGE_LENGTH];
	const char *language = NULL;
	const char *guessed;
	FoldGlyph  *glyphs;
	size_t		n;
	WordHit		hits[WORD_HITS];
	int			num_hits;
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false, false, false};

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	value = PG_GETARG_TEXT_PP(0);
	if (!PG_ARGISNULL(1))
		language = word_list_language(VARDATA_ANY(PG_GETARG_TEXT_PP(1)), VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(1)), buffer);
	desc = roost_moderation_desc(fcinfo);

	glyphs = roost_moderation_glyphs(value, FOLD_BARE, &n);
	num_hits = word_list_find(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), glyphs, n, language, &guessed, hits);

	values[0] = Float4GetDatum(roost_moderation_word_score(hits, num_hits));
	nulls[1] = guessed == NULL;
	values[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(guessed);
	values[2] = word_list_matches(desc, value, hits, num_hits);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/*
 * Finds listed words in a text, which glyphs has in the form FOLD_BARE;
 * language may be NULL.  Returns how many hits there are, at most WORD_HITS.
 */
int
roost_moderation_word_list_find(const char *data, size_t length, const FoldGlyph *glyphs, size_t n, const char *language, WordHit *hits)
{
	char		buffer[WORD_LANGUAGE_LENGTH];
	const char *guessed;

	if (language != NULL)
		language = word_list_language(language, strlen(language), buffer);
	return word_list_find(data, length, glyphs, n, language, &guessed, hits);
}

/*
 * Returns the word of the list that a hit is.
 */
const WordEntry *
roost_moderation_word_list_entry(const WordHit *hit)
{
	return &word_list.entries[hit->entry];
}

/*
 * Finds listed words; says which language was guessed, if none is given.
 */
static int
word_list_find(const char *data, size_t length, const FoldGlyph *glyphs, size_t n, const char *language, const char **guessed,
			   WordHit *hits)
{
	bool		foreign = false;
	const char *guess;
	void	   *scratch;
	int			num_hits;

	word_list_load();
	guess = roost_moderation_word_language(glyphs, n, language);
	scratch = palloc_extended(WORD_SCRATCH(n), MCXT_ALLOC_HUGE);
	num_hits = roost_moderation_word_find(&word_list, glyphs, n, language, guess, scratch, hits, 0);

	/* once more, as Latin what may be taken for it */
	for (size_t i = 0; i < n && !foreign; i++)
		foreign = FOLD_IS_LETTER(glyphs[i].class) && glyphs[i].class != FOLD_LATIN && glyphs[i].look != 0;
	if (foreign)
	{
		FoldGlyph  *looks = palloc_extended(FOLD_BOUND(length) * sizeof(FoldGlyph), MCXT_ALLOC_HUGE);

		n = roost_moderation_fold(data, length, FOLD_LOOKS, looks);
		pfree(scratch);
		scratch = palloc_extended(WORD_SCRATCH(n), MCXT_ALLOC_HUGE);
		num_hits = roost_moderation_word_find(&word_list, looks, n, language, guess, scratch, hits, num_hits);
		pfree(looks);
	}
	pfree(scratch);
	*guessed = language != NULL ? language : guess;
	return roost_moderation_word_settle(&word_list, hits, num_hits);
}

/*
 * Returns the language as lists have it: its first subtag, in small letters.
 */
static const char *
word_list_language(const char *data, size_t length, char *language)
{
	int			n = 0;

	while (n < length && n < WORD_LANGUAGE_LENGTH - 1 && data[n] != '-' && data[n] != '_')
	{
		language[n] = pg_ascii_tolower((unsigned char) data[n]);
		n++;
	}
	language[n] = '\0';
	return n > 0 ? language : NULL;
}

/*
 * Returns the hits as an array of roost.profanity_match.
 */
static Datum
word_list_matches(TupleDesc result, text *value, const WordHit *hits, int n)
{
	Oid			match_type;
	TupleDesc	desc;
	Datum		matches[WORD_HITS];
	const char *data = VARDATA_ANY(value);
	int			length = VARSIZE_ANY_EXHDR(value);
	int			at = 0;
	uint32_t	position = 0;

	match_type = get_element_type(TupleDescAttr(result, 2)->atttypid);
	if (n == 0)
		return PointerGetDatum(construct_empty_array(match_type));
	desc = lookup_rowtype_tupdesc(match_type, -1);
	for (int i = 0; i < n; i++)
	{
		const WordEntry *entry = &word_list.entries[hits[i].entry];
		Datum		values[8];
		bool		nulls[8] = {false};
		int			start;
		int			end;

		/* hits are in the order of their starts */
		while (position < hits[i].start && at < length)
		{
			at += pg_mblen(data + at);
			position++;
		}
		start = end = at;
		for (uint32_t k = hits[i].start; k < hits[i].end && end < length; k++)
			end += pg_mblen(data + end);
		values[0] = CStringGetTextDatum(entry->word);
		values[1] = CStringGetTextDatum(entry->language);
		values[2] = CStringGetTextDatum(entry->kind);
		values[3] = Float4GetDatum(hits[i].severity);
		values[4] = Int32GetDatum((int32) hits[i].start);
		values[5] = Int32GetDatum((int32) hits[i].end);
		values[6] = PointerGetDatum(cstring_to_text_with_len(data + start, end - start));
		values[7] = BoolGetDatum(hits[i].disguised || (entry->latin && pg_is_ascii(entry->word) &&
													   pg_strncasecmp(entry->word, data + start, Min(strlen(entry->word), end - start)) != 0));
		nulls[1] = entry->language[0] == '\0';
		matches[i] = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	}
	ReleaseTupleDesc(desc);
	return PointerGetDatum(construct_array(matches, n, match_type, -1, false, TYPALIGN_DOUBLE));
}

/*
 * Reads the list, unless what we have is still good.
 */
static void
word_list_load(void)
{
	ModerationTable *table = &roost_moderation_word_table;
	WordListRead read = {0};
	size_t		at = 0;
	uint32_t	places = 16;
	bool		current;

	if (!roost_moderation_table_begin(table))
		return;
	memset(&word_list, 0, sizeof(word_list));
	roost_moderation_table_read(table, word_list_row, &read);

	/* should we fail here, we read again */
	current = table->loaded;
	table->loaded = false;
	while (places < read.num_symbols * 2)
		places *= 2;
	word_list.room = read.num_symbols + 2;
	word_list.edges = MemoryContextAllocHuge(table->context, places * sizeof(WordEdge));
	memset(word_list.edges, 0, places * sizeof(WordEdge));
	word_list.edge_mask = places - 1;
	word_list.first = MemoryContextAllocHuge(table->context, word_list.room * sizeof(int32_t));
	word_list.num_nodes = 1;
	word_list.first[1] = -1;
	for (int i = 0; i < word_list.num_entries; i++)
	{
		roost_moderation_word_add(&word_list, i, read.symbols + at, read.counts[i]);
		at += read.counts[i];
	}
	if (read.symbols != NULL)
	{
		pfree(read.symbols);
		pfree(read.counts);
	}
	table->loaded = current;
}

static void
word_list_row(const Datum *values, const bool *nulls, void *arg)
{
	WordListRead *read = arg;
	text	   *word = DatumGetTextPP(values[1]);
	size_t		length = VARSIZE_ANY_EXHDR(word);
	FoldGlyph  *glyphs = palloc(FOLD_BOUND(length) * sizeof(FoldGlyph));
	uint32_t	symbols[WORD_MAX];
	int			n = roost_moderation_word_symbols(VARDATA_ANY(word), length, glyphs, symbols);
	char	   *language = TextDatumGetCString(values[0]);
	WordEntry  *entry;

	pfree(glyphs);
	if (n == 0)
		return;
	if (word_list.num_entries == read->entry_room)
	{
		read->entry_room = Max(read->entry_room * 2, 64);
		word_list.entries = word_list.entries == NULL ? palloc(read->entry_room * sizeof(WordEntry)) :
			repalloc_huge(word_list.entries, read->entry_room * sizeof(WordEntry));
		read->counts = read->counts == NULL ? palloc(read->entry_room * sizeof(int)) :
			repalloc_huge(read->counts, read->entry_room * sizeof(int));
	}
	if (read->num_symbols + n > read->room)
	{
		read->room = Max(read->room * 2, 1024);
		read->symbols = read->symbols == NULL ? palloc(read->room * sizeof(uint32_t)) :
			repalloc_huge(read->symbols, read->room * sizeof(uint32_t));
	}
	memcpy(read->symbols + read->num_symbols, symbols, n * sizeof(uint32_t));
	read->num_symbols += n;
	read->counts[word_list.num_entries] = n;

	entry = &word_list.entries[word_list.num_entries++];
	memset(entry, 0, sizeof(WordEntry));
	entry->word = text_to_cstring(word);
	entry->kind = TextDatumGetCString(values[2]);
	strlcpy(entry->language, language, WORD_LANGUAGE_LENGTH);
	entry->severity = DatumGetFloat4(values[3]);
	entry->whole = DatumGetBool(values[4]);
	entry->allowed = DatumGetBool(values[5]);
	pfree(language);
}
