/*-------------------------------------------------------------------------
 *
 * text.c
 *		The text of posts: its rules, and what is found in it at write time.
 *
 * A post is stored with what its text mentions, so that reading it costs no
 * more than reading its row: ids of the accounts mentioned, folded hashtags,
 * and the positions of mentions and links.  Positions are code points of the
 * normalized text.
 *
 *-------------------------------------------------------------------------
 */
#include "post/post.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/unicode_norm.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "post/entity.h"
#include "post/read.h"

PG_FUNCTION_INFO_V1(roost_post_text_entities);
PG_FUNCTION_INFO_V1(roost_post_entities);
PG_FUNCTION_INFO_V1(roost_post_text_normal);
PG_FUNCTION_INFO_V1(roost_post_hashtag_fold);
PG_FUNCTION_INFO_V1(roost_post_text_is_blank);
PG_FUNCTION_INFO_V1(roost_post_path_sql);

/* How much of the text a permalink repeats */
#define SLUG_LENGTH		60
#define SLUG_WORDS		8

/* An account that a text mentions */
typedef struct Mentioned
{
	int64		id;
	char		id_text[MAXINT8LEN + 1];
	char		folded[ENTITY_MAX_NAME + 1];	/* the handle: lower case */
	char		username[ENTITY_MAX_NAME + 1];
} Mentioned;

static int	text_scan(text *value, Entity **found);
static Mentioned *mentioned_find(const char *data, const Entity *found, int nfound, int *n);
static bool mentioned_read(PostReader *reader, Mentioned *m);
static Datum mention_ids(const Mentioned *mentioned, int n);
static Datum mentions_json(const char *data, const Entity *found, int nfound,
						   const Mentioned *mentioned, int nmentioned);
static Datum urls_json(const char *data, const Entity *found, int nfound);
static Datum hashtag_array(const char *data, const Entity *found, int nfound);
static text *hashtag_fold(const char *tag, int length);

/*
 * Returns the number of entities in the text, which are put into *found.
 */
static int
text_scan(text *value, Entity **found)
{
	char	   *data = VARDATA_ANY(value);
	int			length = VARSIZE_ANY_EXHDR(value);
	int			bound = roost_entity_bound(data, length);
	uint32_t   *scratch;
	int			n;

	if (bound == 0)
		return 0;
	scratch = palloc(sizeof(uint32_t) * ENTITY_SCRATCH((Size) length));
	*found = palloc(sizeof(Entity) * (Size) bound);
	n = roost_entity_scan(data, length, scratch, *found);
	pfree(scratch);
	return n;
}

/*
 * Appends one pair to the object under construction, which refers to both
 * strings until it is finished.
 */
static void
json_pair(JsonbParseState **state, const char *key, const char *data, int length)
{
	JsonbValue	v = {.type = jbvString};

	v.val.string.val = unconstify(char *, key);
	v.val.string.len = strlen(key);
	pushJsonbValue(state, WJB_KEY, &v);
	v.val.string.val = unconstify(char *, data);
	v.val.string.len = length;
	pushJsonbValue(state, WJB_VALUE, &v);
}

static void
json_pair_int(JsonbParseState **state, const char *key, int value)
{
	JsonbValue	v = {.type = jbvString};

	v.val.string.val = unconstify(char *, key);
	v.val.string.len = strlen(key);
	pushJsonbValue(state, WJB_KEY, &v);
	v.type = jbvNumeric;
	v.val.numeric = int64_to_numeric(value);
	pushJsonbValue(state, WJB_VALUE, &v);
}

/*
 * Appends an entity as {<key>: its text, "start": n, "end": n}; a mention with
 * "/list" behind it takes that in as "list".
 */
static void
json_entity(JsonbParseState **state, const char *key, const char *data, const Entity *e)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	json_pair(state, key, data + e->offset, e->length);
	json_pair_int(state, "start", e->start);
	json_pair_int(state, "end", e->path_end);
	if (e->path_end > e->end)
		json_pair(state, "list", data + e->offset + e->length + 1, e->path_end - e->end - 1);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/*
 * roost.text_entities(text) returns everything found in a text, by kind.
 */
Datum
roost_post_text_entities(PG_FUNCTION_ARGS)
{
	static const struct
	{
		EntityKind	kind;
		const char *list;
		const char *key;
	}			kinds[] = {
		{ENTITY_MENTION, "mentions", "username"},
		{ENTITY_HASHTAG, "hashtags", "hashtag"},
		{ENTITY_CASHTAG, "cashtags", "cashtag"},
		{ENTITY_URL, "urls", "url"},
	};
	text	   *value = PG_GETARG_TEXT_PP(0);
	Entity	   *found = NULL;
	int			nfound = text_scan(value, &found);
	JsonbParseState *state = NULL;
	JsonbValue *result;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int k = 0; k < lengthof(kinds); k++)
	{
		JsonbValue	key = {.type = jbvString};

		key.val.string.val = unconstify(char *, kinds[k].list);
		key.val.string.len = strlen(kinds[k].list);
		pushJsonbValue(&state, WJB_KEY, &key);
		pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		for (int i = 0; i < nfound; i++)
			if (found[i].kind == kinds[k].kind)
				json_entity(&state, kinds[k].key, VARDATA_ANY(value), &found[i]);
		pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	}
	result = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(result));
}

/*
 * roost_internal.post_entities(text) returns what a post keeps of its text:
 * mention_ids, hashtags, mentions, urls, each NULL where there is none.
 */
Datum
roost_post_entities(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);
	const char *data = VARDATA_ANY(value);
	Entity	   *found = NULL;
	int			nfound = text_scan(value, &found);
	int			count[ENTITY_CASHTAG + 1] = {0};
	Datum		values[4] = {0};
	bool		nulls[4] = {true, true, true, true};
	TupleDesc	desc;

	for (int i = 0; i < nfound; i++)
		count[found[i].kind]++;
	if (count[ENTITY_MENTION] > 0)
	{
		int			n;
		Mentioned  *mentioned = mentioned_find(data, found, nfound, &n);

		if (n > 0)
		{
			values[0] = mention_ids(mentioned, n);
			values[2] = mentions_json(data, found, nfound, mentioned, n);
			nulls[0] = nulls[2] = false;
		}
	}
	if (count[ENTITY_HASHTAG] > 0)
	{
		values[1] = hashtag_array(data, found, nfound);
		nulls[1] = false;
	}
	if (count[ENTITY_URL] > 0)
	{
		values[3] = urls_json(data, found, nfound);
		nulls[3] = false;
	}

	desc = fcinfo->flinfo->fn_extra;
	if (desc == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		fcinfo->flinfo->fn_extra = desc = BlessTupleDesc(desc);
		MemoryContextSwitchTo(old);
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/*
 * Returns the active accounts that the text mentions, each once, in the order
 * of their first mention.
 */
static Mentioned *
mentioned_find(const char *data, const Entity *found, int nfound, int *n)
{
	Mentioned  *mentioned = palloc(sizeof(Mentioned) * nfound);
	PostReader	reader;

	*n = 0;
	roost_post_reader_begin(&reader);
	for (int i = 0; i < nfound; i++)
	{
		Mentioned  *m = &mentioned[*n];
		int			k;

		if (found[i].kind != ENTITY_MENTION)
			continue;
		for (k = 0; k < found[i].length; k++)
			m->folded[k] = pg_ascii_tolower((unsigned char) data[found[i].offset + k]);
		m->folded[k] = '\0';
		for (k = 0; k < *n && strcmp(mentioned[k].folded, m->folded) != 0;)
			k++;
		if (k == *n && mentioned_read(&reader, m))
			(*n)++;
	}
	roost_post_reader_end(&reader);
	return mentioned;
}

/*
 * Returns whether an active account has the handle, and fills in the rest.
 */
static bool
mentioned_read(PostReader *reader, Mentioned *m)
{
	TupleTableSlot *slot = roost_post_read_text(reader, LOOKUP_HANDLE, cstring_to_text(m->folded));
	const AttrNumber *columns = roost_post_columns(LOOKUP_ACCOUNT);
	bool		isnull;

	if (slot == NULL)
		return false;
	m->id = DatumGetInt64(slot_getattr(slot, roost_post_columns(LOOKUP_HANDLE)[0], &isnull));
	slot = roost_post_read(reader, LOOKUP_ACCOUNT, 1, m->id, 0);
	if (slot == NULL ||
		strcmp(TextDatumGetCString(slot_getattr(slot, columns[ACCOUNT_STATUS], &isnull)), "active") != 0)
		return false;
	strlcpy(m->username, TextDatumGetCString(slot_getattr(slot, columns[ACCOUNT_USERNAME], &isnull)), sizeof(m->username));
	pg_lltoa(m->id, m->id_text);
	return true;
}

static Datum
mention_ids(const Mentioned *mentioned, int n)
{
	Datum	   *ids = palloc(sizeof(Datum) * n);

	for (int i = 0; i < n; i++)
		ids[i] = Int64GetDatum(mentioned[i].id);
	return PointerGetDatum(construct_array(ids, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/*
 * Returns the mentions of existing accounts, in the order of the text, as a
 * list of {"id", "username", "start", "end"}.
 */
static Datum
mentions_json(const char *data, const Entity *found, int nfound,
			  const Mentioned *mentioned, int nmentioned)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < nfound; i++)
	{
		const Entity *e = &found[i];

		if (e->kind != ENTITY_MENTION)
			continue;
		for (int k = 0; k < nmentioned; k++)
		{
			const Mentioned *m = &mentioned[k];

			if (strlen(m->folded) != e->length || pg_strncasecmp(m->folded, data + e->offset, e->length) != 0)
				continue;
			pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
			json_pair(&state, "id", m->id_text, strlen(m->id_text));
			json_pair(&state, "username", m->username, strlen(m->username));
			json_pair_int(&state, "start", e->start);
			json_pair_int(&state, "end", e->end);
			pushJsonbValue(&state, WJB_END_OBJECT, NULL);
			break;
		}
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
}

static Datum
urls_json(const char *data, const Entity *found, int nfound)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < nfound; i++)
		if (found[i].kind == ENTITY_URL)
			json_entity(&state, "url", data, &found[i]);
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
}

/*
 * Returns the folded hashtags, each once, in the order of the text.
 */
static Datum
hashtag_array(const char *data, const Entity *found, int nfound)
{
	Datum	   *tags = palloc(sizeof(Datum) * nfound);
	int			n = 0;

	for (int i = 0; i < nfound; i++)
	{
		struct varlena *tag;
		int			k;

		if (found[i].kind != ENTITY_HASHTAG)
			continue;
		tag = hashtag_fold(data + found[i].offset, found[i].length);
		for (k = 0; k < n; k++)
			if (VARSIZE_ANY(DatumGetPointer(tags[k])) == VARSIZE_ANY(tag) &&
				memcmp(DatumGetPointer(tags[k]), tag, VARSIZE_ANY(tag)) == 0)
				break;
		if (k == n)
			tags[n++] = PointerGetDatum(tag);
	}
	return PointerGetDatum(construct_array(tags, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * Returns the text in the normalization form.  Below U+0300 every text is in
 * NFC; only what the quick check cannot clear is put through normalization.
 */
static text *
text_normalize(text *value, UnicodeNormalizationForm form, const char *name)
{
	const unsigned char *p = (const unsigned char *) VARDATA_ANY(value);
	const unsigned char *end = p + VARSIZE_ANY_EXHDR(value);
	unsigned char limit = form == UNICODE_NFC ? 0xCC : 0x80;
	pg_wchar   *wide;
	int			n = 0;
	bool		normal;

	while (p < end && *p < limit)
		p++;
	if (p == end)
		return value;

	wide = palloc(sizeof(pg_wchar) * (VARSIZE_ANY_EXHDR(value) + 1));
	for (p = (const unsigned char *) VARDATA_ANY(value); p < end; p += pg_utf_mblen(p))
		wide[n++] = utf8_to_unicode(p);
	wide[n] = 0;
	normal = unicode_is_normalized_quickcheck(form, wide) == UNICODE_NORM_QC_YES;
	pfree(wide);
	if (normal)
		return value;
	return DatumGetTextPP(DirectFunctionCall2(unicode_normalize_func, PointerGetDatum(value),
											  CStringGetTextDatum(name)));
}

/*
 * roost_internal.post_text_normal(text, limited) returns the text in NFC; if
 * limited, one of at most roost.post_max_length code points.
 */
Datum
roost_post_text_normal(PG_FUNCTION_ARGS)
{
	text	   *value = text_normalize(PG_GETARG_TEXT_PP(0), UNICODE_NFC, "NFC");
	int			length = VARSIZE_ANY_EXHDR(value);

	if (PG_GETARG_BOOL(1) && length > roost_post_max_length)
	{
		length = pg_mbstrlen_with_len(VARDATA_ANY(value), length);
		if (length > roost_post_max_length)
			ereport(ERROR,
					(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
					 errmsg("text is too long"),
					 errdetail("It has %d characters; %d are allowed.", length, roost_post_max_length),
					 err_generic_string(PG_DIAG_COLUMN_NAME, "text")));
	}
	PG_RETURN_TEXT_P(value);
}

/*
 * Returns whether nothing is to be seen of a code point.
 */
static bool
is_blank(pg_wchar c)
{
	return c <= ' ' || c == 0xA0 || c == 0xAD || c == 0x34F || c == 0x61C ||
		c == 0x115F || c == 0x1160 || c == 0x1680 || c == 0x17B4 || c == 0x17B5 || c == 0x180E ||
		(c >= 0x2000 && c <= 0x200F) || (c >= 0x2028 && c <= 0x202F) ||
		(c >= 0x205F && c <= 0x206F) || c == 0x2800 || c == 0x3000 || c == 0x3164 ||
		(c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF || c == 0xFFA0;
}

/*
 * roost_internal.text_is_blank(text) returns whether a reader would see
 * nothing.
 */
Datum
roost_post_text_is_blank(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);
	const unsigned char *p = (const unsigned char *) VARDATA_ANY(value);
	const unsigned char *end = p + VARSIZE_ANY_EXHDR(value);

	for (; p < end; p += pg_utf_mblen(p))
		if (!is_blank(utf8_to_unicode(p)))
			PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(true);
}

/*
 * Returns a text as it is compared: in NFKC, so that full-width and plain
 * letters are the same, and in lower case.
 */
text *
roost_post_fold(text *value)
{
	value = text_normalize(value, UNICODE_NFKC, "NFKC");
	return DatumGetTextPP(DirectFunctionCall1Coll(lower, DEFAULT_COLLATION_OID, PointerGetDatum(value)));
}

/*
 * Returns a hashtag as it is stored and looked up.
 */
static text *
hashtag_fold(const char *tag, int length)
{
	return roost_post_fold(cstring_to_text_with_len(tag, length));
}

/*
 * roost_internal.hashtag_fold(text)
 */
Datum
roost_post_hashtag_fold(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);

	PG_RETURN_TEXT_P(hashtag_fold(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)));
}

/*
 * Returns the plain lower-case letter or digit for a code point, 0 for what
 * parts words, or -1 for what is left out.
 */
static int
slug_letter(pg_wchar c)
{
	/* U+00C0 to U+017F */
	static const char latin[] =
	"aaaaaaaceeeeiiiidnooooo" "-" "ouuuuytsaaaaaaaceeeeiiiidnooooo" "-" "ouuuuyty"
	"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllll"
	"nnnnnnnnnoooooooorrrrrrsssssssstttttt" "uuuuuuuuuuuuwwyyyzzzzzzs";

	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return c;
	if (c >= 'A' && c <= 'Z')
		return c | 0x20;
	if (c >= 0xC0 && c <= 0x17F && latin[c - 0xC0] != '-')
		return latin[c - 0xC0];
	return c == '\'' || c == 0x2019 || (c >= 0x300 && c <= 0x36F) ? -1 : 0;
}

/*
 * Appends a post's permalink: /@username/words-of-the-text-id.  The id alone
 * decides; the words are for people.
 */
void
roost_post_path(StringInfo out, const char *username, int username_length,
				int64 id, const char *data, int length)
{
	const unsigned char *p = (const unsigned char *) data;
	const unsigned char *end = p + length;
	char		number[MAXINT8LEN + 1];
	int			start;
	int			word;			/* where the present word starts */
	int			words = 0;

	appendBinaryStringInfo(out, "/@", 2);
	appendBinaryStringInfo(out, username, username_length);
	appendStringInfoCharMacro(out, '/');
	start = word = out->len;
	for (; p < end && words < SLUG_WORDS; p += pg_utf_mblen(p))
	{
		int			c = slug_letter(utf8_to_unicode(p));

		if (c > 0)
			appendStringInfoCharMacro(out, c);
		else if (c == 0 && out->len > word)
		{
			appendStringInfoCharMacro(out, '-');
			word = out->len;
			words++;
		}
		if (out->len - start > SLUG_LENGTH)
		{
			out->len = word;
			break;
		}
	}
	if (out->len > word)
		appendStringInfoCharMacro(out, '-');
	appendBinaryStringInfo(out, number, pg_lltoa(id, number));
}

/*
 * roost_internal.post_path(username, id, text)
 */
Datum
roost_post_path_sql(PG_FUNCTION_ARGS)
{
	text	   *username = PG_GETARG_TEXT_PP(0);
	text	   *value = PG_GETARG_TEXT_PP(2);
	StringInfoData out;

	initStringInfo(&out);
	roost_post_path(&out, VARDATA_ANY(username), VARSIZE_ANY_EXHDR(username), PG_GETARG_INT64(1),
					VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
