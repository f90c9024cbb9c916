/*-------------------------------------------------------------------------
 *
 * query.c
 *		What people type into a search field, as tsquery.
 *
 *		query  := group { group }				all of them
 *		group  := term { "OR" term }			one of them
 *		term   := [ "-" ] ( phrase | filter | text )
 *		phrase := '"' anything '"'
 *		text   := anything without a space, may end in "*"
 *		filter := "#" tag | "@" name | name ":" value
 *
 * There is no query that cannot be read: what is no filter is text, a quote
 * that nobody closes ends with the query, OR without two sides is nothing.
 * Only the values of filters can be wrong (22023).
 *
 * Three queries come of it, all as text for tsquery, whose operands are
 * quoted.  `exact` is what was asked for.  `loose` matches all that `exact`
 * does, and can be answered by a GIN index alone: it knows no positions, so
 * phrases are only their words there, and what cannot be said without
 * positions is left out.  So are short beginnings of words beside something
 * better: an index reads all that begins like that.  `rank` has the words that
 * a text is ranked by.
 *
 * Work and size are bounded by QUERY_TERMS_MAX and the length of the text.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/formatting.h"
#include "utils/timestamp.h"

#include "post/read.h"
#include "search/token.h"

PG_FUNCTION_INFO_V1(roost_search_query);

#define QUERY_TERMS_MAX		64
#define QUERY_TOKENS_MAX	64	/* in one term */
#define PREFIX_LENGTH_MIN	3	/* bytes */
#define VALUE_MAX			64	/* bytes of a filter's value that matter */

typedef struct Term
{
	const char *data;
	int			length;
	bool		negated;
	bool		quoted;
	bool		alternative;	/* to the term before it */
} Term;

typedef struct SearchQuery
{
	Term		terms[QUERY_TERMS_MAX];
	int			count;
	Oid			dictionaries[2];	/* for stems; InvalidOid: none */
	int64		reader_id;		/* 0: a stranger */
	int64		since;			/* microseconds since 2000, or PG_INT64_MIN */
	int64		until;			/* or PG_INT64_MAX */
	StringInfoData exact;
	StringInfoData loose;
	StringInfoData rank;
} SearchQuery;

/* What becomes of a term */
typedef struct Written
{
	StringInfoData exact;		/* empty: the term says nothing */
	StringInfoData loose;		/* empty: it cannot be said */
	bool		plain;			/* exact needs no positions */
	bool		weak;			/* the index would have too much for it */
} Written;

static char *text_simplify(text *value, int *length);
static void query_read(SearchQuery *query, const char *data, int length);
static void query_write(SearchQuery *query);
static bool query_is_strong(const SearchQuery *query);
static bool term_is_language(const Term *term);
static void term_write(SearchQuery *query, const Term *term, Written *written);
static bool filter_write(SearchQuery *query, const Term *term, Written *written);
static void words_write(SearchQuery *query, const Term *term, Written *written);
static void date_read(SearchQuery *query, const Term *term, const char *value, int length, bool until);
static void account_write(SearchQuery *query, const char *sign, const char *value, int length, Written *written);
static void operand_write(StringInfo out, const char *data, int length, const char *flags);
static void value_refuse(const char *filter, const char *hint) pg_attribute_noreturn();

/*
 * roost_internal.search_query(q, reader_id, languages) returns exact, loose
 * and rank, each NULL if it says nothing, and since and until.
 */
Datum
roost_search_query(PG_FUNCTION_ARGS)
{
	SearchQuery query = {.since = PG_INT64_MIN,.until = PG_INT64_MAX};
	int			length;
	char	   *data = text_simplify(PG_ARGISNULL(0) ? cstring_to_text("") : PG_GETARG_TEXT_PP(0), &length);
	TupleDesc	desc;
	Datum		values[5] = {0};
	bool		nulls[5] = {false};

	query.reader_id = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1);
	for (int i = 0; i < 2; i++)
	{
		text	   *language = PG_ARGISNULL(2 + i) ? NULL : PG_GETARG_TEXT_PP(2 + i);

		if (language != NULL)
			query.dictionaries[i] = roost_search_dictionary(VARDATA_ANY(language), VARSIZE_ANY_EXHDR(language));
	}
	if (query.dictionaries[1] == query.dictionaries[0])
		query.dictionaries[1] = InvalidOid;
	initStringInfo(&query.exact);
	initStringInfo(&query.loose);
	initStringInfo(&query.rank);
	query_read(&query, data, length);
	query_write(&query);

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	nulls[0] = query.exact.len == 0;
	nulls[1] = query.loose.len == 0;
	nulls[2] = query.rank.len == 0;
	nulls[3] = query.since == PG_INT64_MIN;
	nulls[4] = query.until == PG_INT64_MAX;
	values[0] = CStringGetTextDatum(query.exact.data);
	values[1] = CStringGetTextDatum(query.loose.data);
	values[2] = CStringGetTextDatum(query.rank.data);
	values[3] = TimestampTzGetDatum(query.since);
	values[4] = TimestampTzGetDatum(query.until);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * Returns the text with every kind of space as a blank and every kind of
 * double quote as ".
 */
static char *
text_simplify(text *value, int *length)
{
	const char *p = VARDATA_ANY(value);
	const char *end = p + VARSIZE_ANY_EXHDR(value);
	char	   *result = palloc(end - p + 1);
	int			n = 0;

	while (p < end)
	{
		pg_wchar	c = utf8_to_unicode((const unsigned char *) p);
		int			size = pg_utf_mblen((const unsigned char *) p);

		if (c <= 0x20 || c == 0x7F || c == 0xA0 || (c >= 0x2000 && c <= 0x200B) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x3000)
			result[n++] = ' ';
		else if (c == '"' || (c >= 0x201C && c <= 0x201F) || c == 0xAB || c == 0xBB || c == 0xFF02)
			result[n++] = '"';
		else
		{
			memcpy(result + n, p, size);
			n += size;
		}
		p += size;
	}
	result[n] = '\0';
	*length = n;
	return result;
}

/*
 * Cuts the text into terms.
 */
static void
query_read(SearchQuery *query, const char *data, int length)
{
	const char *p = data;
	const char *end = data + length;
	bool		alternative = false;

	for (;;)
	{
		Term		term = {0};

		while (p < end && *p == ' ')
			p++;
		if (p == end)
			break;
		if (end - p >= 2 && p[0] == 'O' && p[1] == 'R' && (end - p == 2 || p[2] == ' '))
		{
			alternative = query->count > 0;
			p += 2;
			continue;
		}
		if (*p == '-' && end - p > 1 && p[1] != ' ')
		{
			term.negated = true;
			p++;
		}
		if (*p == '"')
		{
			term.quoted = true;
			term.data = ++p;
			while (p < end && *p != '"')
				p++;
			term.length = p - term.data;
			p += p < end;
		}
		else
		{
			term.data = p;
			while (p < end && *p != ' ' && *p != '"')
				p++;
			term.length = p - term.data;
		}
		if (query->count == QUERY_TERMS_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("too many words to search for"),
					 errdetail("At most %d are looked for at once.", QUERY_TERMS_MAX),
					 err_generic_string(PG_DIAG_COLUMN_NAME, "q")));
		term.alternative = alternative;
		alternative = false;
		query->terms[query->count++] = term;
	}
}

/*
 * Writes the terms: groups of alternatives, all of which must match.
 */
static void
query_write(SearchQuery *query)
{
	bool		strong = query_is_strong(query);

	for (int i = 0; i < query->count; i++)
	{
		const Term *term = &query->terms[i];

		/* a language that is asked for says how words are stemmed */
		if (term_is_language(term) && !term->negated)
		{
			query->dictionaries[0] = roost_search_dictionary(term->data + 5, term->length - 5);
			query->dictionaries[1] = InvalidOid;
		}
	}
	for (int i = 0; i < query->count;)
	{
		StringInfoData exact;
		StringInfoData loose;
		int			members = 0;
		bool		sayable = true;

		initStringInfo(&exact);
		initStringInfo(&loose);
		do
		{
			Written		written;

			term_write(query, &query->terms[i++], &written);
			if (written.exact.len == 0)
				continue;
			appendStringInfo(&exact, "%s%s", members > 0 ? " | " : "", written.exact.data);
			appendStringInfo(&loose, "%s%s", members > 0 ? " | " : "", written.loose.data);
			sayable = sayable && written.loose.len > 0 && !(written.weak && strong);
			members++;
		} while (i < query->count && query->terms[i].alternative);
		if (members == 0)
			continue;
		appendStringInfo(&query->exact, members > 1 ? "%s(%s)" : "%s%s", query->exact.len > 0 ? " & " : "", exact.data);
		if (sayable)
			appendStringInfo(&query->loose, members > 1 ? "%s(%s)" : "%s%s", query->loose.len > 0 ? " & " : "", loose.data);
	}
}

/*
 * Returns whether there is a term that the index answers well.
 */
static bool
query_is_strong(const SearchQuery *query)
{
	for (int i = 0; i < query->count; i++)
	{
		const Term *term = &query->terms[i];
		bool		alternative = term->alternative || (i + 1 < query->count && query->terms[i + 1].alternative);

		if (!term->negated && !alternative && term->length > 1 && term->data[term->length - 1] != '*' &&
			memchr(term->data, ':', term->length) == NULL)
			return true;
	}
	return false;
}

static bool
term_is_language(const Term *term)
{
	return !term->quoted && term->length > 5 && pg_strncasecmp(term->data, "lang:", 5) == 0;
}

/*
 * Writes one term.
 */
static void
term_write(SearchQuery *query, const Term *term, Written *written)
{
	initStringInfo(&written->exact);
	initStringInfo(&written->loose);
	written->plain = true;
	written->weak = false;
	if (term->quoted || !filter_write(query, term, written))
		words_write(query, term, written);
	if (written->exact.len == 0 || !term->negated)
		return;

	/* what is not there: without positions that is too much to leave out */
	if (written->plain)
	{
		char	   *inner = pstrdup(written->loose.data);

		resetStringInfo(&written->loose);
		appendStringInfo(&written->loose, "!%s", inner);
	}
	else
		resetStringInfo(&written->loose);
	{
		char	   *inner = pstrdup(written->exact.data);

		resetStringInfo(&written->exact);
		appendStringInfo(&written->exact, "!%s", inner);
	}
}

/*
 * Writes a term that is a filter; false: it is none.
 */
static bool
filter_write(SearchQuery *query, const Term *term, Written *written)
{
	const char *colon = memchr(term->data, ':', Min(term->length, 6));
	const char *value;
	const char *folded;
	int			name;
	int			length;

	if (term->length > 1 && (term->data[0] == '#' || term->data[0] == '@' || term->data[0] == '$'))
	{
		StringInfoData lexeme;

		folded = roost_search_fold(term->data + 1, term->length - 1);
		/* a sign before what is no tag or name is just a sign */
		for (const char *p = folded; *p != '\0'; p++)
		{
			if (!IS_HIGHBIT_SET(*p) && !isalnum((unsigned char) *p) && *p != '_')
				return false;
		}
		folded = roost_search_plain(folded, strlen(folded), &length);
		initStringInfo(&lexeme);
		appendStringInfoChar(&lexeme, term->data[0]);
		appendBinaryStringInfo(&lexeme, folded, Min(length, 1000));
		operand_write(&written->exact, lexeme.data, lexeme.len, "");
		appendStringInfoString(&written->loose, written->exact.data);
		return true;
	}
	if (colon == NULL)
		return false;
	name = colon - term->data;
	value = colon + 1;
	length = term->length - name - 1;

#define FILTER_IS(text) (name == strlen(text) && pg_strncasecmp(term->data, text, name) == 0)
#define VALUE_IS(text) (length == strlen(text) && pg_strncasecmp(value, text, length) == 0)
	if (FILTER_IS("from") || FILTER_IS("to"))
		account_write(query, FILTER_IS("from") ? "from:" : "to:", value, length, written);
	else if (FILTER_IS("since") || FILTER_IS("until"))
	{
		date_read(query, term, value, length, FILTER_IS("until"));
		return true;
	}
	else if (FILTER_IS("has"))
	{
		if (VALUE_IS("media") || VALUE_IS("link") || VALUE_IS("image") || VALUE_IS("video") || VALUE_IS("audio"))
			appendStringInfo(&written->exact, "'has:%s'", asc_tolower(value, length));
		else
			value_refuse("has", "It is one of media, image, video, audio and link.");
	}
	else if (FILTER_IS("is"))
	{
		if (VALUE_IS("reply") || VALUE_IS("quote"))
			appendStringInfo(&written->exact, "'is:%s'", asc_tolower(value, length));
		else
			value_refuse("is", "It is reply or quote.");
	}
	else if (FILTER_IS("lang"))
	{
		if (length < 2 || length > 3 || strspn(asc_tolower(value, length), "abcdefghijklmnopqrstuvwxyz") < length)
			value_refuse("lang", "It is a code of two or three letters, such as en.");
		appendStringInfo(&written->exact, "'lang:%s'", asc_tolower(value, length));
	}
	else
		return false;
	appendStringInfoString(&written->loose, written->exact.data);
	return true;
}

/*
 * Writes a mark about an account.  Of an account that does not exist there is
 * nothing, as of one that has written nothing.
 */
static void
account_write(SearchQuery *query, const char *sign, const char *value, int length, Written *written)
{
	int64		id = 0;

	if (length > 0 && value[0] == '@')
	{
		value++;
		length--;
	}
	if (length == 0)
		value_refuse(*sign == 'f' ? "from" : "to", "It is a user name, or me.");
	if (length == 2 && pg_strncasecmp(value, "me", 2) == 0)
		id = query->reader_id;
	else if (length <= VALUE_MAX)
	{
		PostReader	reader;
		TupleTableSlot *slot;
		bool		isnull;

		roost_post_reader_begin(&reader);
		slot = roost_post_read_text(&reader, LOOKUP_HANDLE, cstring_to_text(asc_tolower(value, length)));
		if (slot != NULL)
			id = DatumGetInt64(slot_getattr(slot, roost_post_columns(LOOKUP_HANDLE)[0], &isnull));
		roost_post_reader_end(&reader);
	}
	appendStringInfo(&written->exact, "'%s" INT64_FORMAT "'", sign, id);
}

/*
 * Reads the value of since: or until:, a day in UTC.
 */
static void
date_read(SearchQuery *query, const Term *term, const char *value, int length, bool until)
{
	const char *filter = until ? "until" : "since";
	int			year;
	int			month;
	int			day;
	int64		time;

	if (term->negated || term->alternative)
		value_refuse(filter, "It stands alone, without - or OR.");
	if (length != 10 || strspn(value, "0123456789") != 4 || value[4] != '-' ||
		strspn(value + 5, "0123456789") != 2 || value[7] != '-' || strspn(value + 8, "0123456789") < 2)
		value_refuse(filter, "It is a day, such as 2026-11-21.");
	year = atoi(pnstrdup(value, 4));
	month = atoi(pnstrdup(value + 5, 2));
	day = atoi(pnstrdup(value + 8, 2));
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > day_tab[isleap(year)][month - 1])
		value_refuse(filter, "There is no such day since 1970.");
	time = (int64) (date2j(year, month, day) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY;
	if (until)
		query->until = Min(query->until, time);
	else
		query->since = Max(query->since, time);
}

/*
 * Writes a term that is text: a word, or a phrase.
 */
static void
words_write(SearchQuery *query, const Term *term, Written *written)
{
	SearchTokens tokens = {0};
	bool		prefix = !term->quoted && term->length > 1 && term->data[term->length - 1] == '*';
	int			count = 0;
	int			before = 0;
	bool		alone;

	roost_search_tokenize(&tokens, term->data, term->length);
	/* the last character of a run is in the pair before it */
	for (int i = 0; i < tokens.count; i++)
	{
		if (tokens.items[i].kind == SEARCH_LAST && i > 0 && tokens.items[i - 1].kind == SEARCH_PAIR)
			continue;
		tokens.items[count++] = tokens.items[i];
	}
	/* who gives a longer phrase means what begins like that */
	count = Min(count, QUERY_TOKENS_MAX);
	if (count == 0)
		return;

	alone = count == 1;
	if (!alone)
		appendStringInfoChar(&written->exact, '(');
	if (!alone)
		appendStringInfoChar(&written->loose, '(');
	for (int i = 0; i < count; i++)
	{
		const SearchToken *token = &tokens.items[i];
		bool		open = token->kind == SEARCH_LAST || (prefix && i == count - 1);

		if (alone && !term->quoted && !open)
		{
			StringInfoData stems;
			int			stemmed = 0;

			initStringInfo(&stems);
			for (int k = 0; k < 2; k++)
			{
				int			length;
				const char *stem = roost_search_stem(query->dictionaries[k], token, &length);

				if (stem != NULL && (length != token->length || memcmp(stem, token->lexeme, length) != 0))
				{
					appendStringInfoString(&stems, " | ");
					operand_write(&stems, stem, length, "");
					stemmed++;
				}
			}
			if (stemmed > 0)
				appendStringInfoChar(&written->exact, '(');
			operand_write(&written->exact, token->lexeme, token->length, "");
			appendStringInfoString(&written->exact, stems.data);
			if (stemmed > 0)
				appendStringInfoChar(&written->exact, ')');
			appendStringInfoString(&written->loose, written->exact.data);
		}
		else
		{
			/* the words themselves, not what has them as a stem */
			if (i > 0)
				appendStringInfo(&written->exact, " <%d> ", token->position - before);
			operand_write(&written->exact, token->lexeme, token->length, open ? ":*A" : ":A");
			if (i > 0)
				appendStringInfoString(&written->loose, " & ");
			operand_write(&written->loose, token->lexeme, token->length, open ? ":*" : "");
			written->plain = false;
			written->weak = written->weak || (open && token->kind == SEARCH_WORD && token->length < PREFIX_LENGTH_MIN);
		}
		before = token->position;
		if (!term->negated)
		{
			if (query->rank.len > 0)
				appendStringInfoString(&query->rank, " | ");
			operand_write(&query->rank, token->lexeme, token->length, open ? ":*" : "");
		}
	}
	if (!alone)
		appendStringInfoChar(&written->exact, ')');
	if (!alone)
		appendStringInfoChar(&written->loose, ')');
	if (!term->negated && alone && !term->quoted)
	{
		/* what the index finds by a stem is ranked by it, too */
		const char *bar = strchr(written->exact.data, '|');

		if (bar != NULL)
			appendStringInfo(&query->rank, " %.*s", (int) strlen(bar) - 1, bar);
	}
}

static void
operand_write(StringInfo out, const char *data, int length, const char *flags)
{
	appendStringInfoChar(out, '\'');
	for (int i = 0; i < length; i++)
	{
		if (data[i] == '\'' || data[i] == '\\')
			appendStringInfoChar(out, data[i]);
		appendStringInfoChar(out, data[i]);
	}
	appendStringInfoChar(out, '\'');
	appendStringInfoString(out, flags);
}

static void
value_refuse(const char *filter, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the value of \"%s:\" cannot be used", filter),
			 errhint("%s", hint),
			 err_generic_string(PG_DIAG_COLUMN_NAME, "q")));
}
