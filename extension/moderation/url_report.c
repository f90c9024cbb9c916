/*-------------------------------------------------------------------------
 *
 * url_report.c
 *		Known hosts, and roost.url_analyze().
 *
 * A backend keeps roost_data.moderation_url_host as two hash tables in the
 * context of the table: hosts by name, and the protected ones by what they look
 * like.  A row is about its host and all below it; of several the longest
 * decides.
 *
 *-------------------------------------------------------------------------
 */
#include "moderation/moderation.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "moderation/url.h"

PG_FUNCTION_INFO_V1(roost_moderation_url_analyze);
PG_FUNCTION_INFO_V1(roost_moderation_url_host);

#define HOST_SHORTENER	1
#define HOST_BLOCKED	2
#define HOST_ALLOWED	4
#define HOST_PROTECTED	8

#define HOST_KEY_LENGTH	256
#define URL_LONG		300
#define HOST_LONG		60
#define LABELS_DEEP		6
#define REASONS_MAX		16
#define BRAND_MIN		5		/* letters of a protected name beside other
								 * words */
#define REPORT_COLUMNS	21

ModerationTable roost_moderation_host_table = {
	.name = "moderation_url_host",
	.columns = {"host", "kind"},
};

typedef struct HostEntry
{
	char		host[HOST_KEY_LENGTH];
	int			kinds;
} HostEntry;

/* what a protected host looks like, and which it is */
typedef struct SkeletonEntry
{
	char		skeleton[HOST_KEY_LENGTH];
	char		host[HOST_KEY_LENGTH];
} SkeletonEntry;

/* What is known of a link, why it is bad, and how bad that is together */
typedef struct UrlFindings
{
	const char *listed;			/* the row that decides, or NULL */
	const char *looks_like;		/* or NULL */
	bool		blocked;
	bool		allowed;
	bool		shortener;
	bool		mismatched;
	bool		combined;
	bool		odd_port;
	bool		too_long;
	bool		too_deep;
	const char *reasons[REASONS_MAX];
	int			num_reasons;
	float		left;
	float		score;
} UrlFindings;

static HTAB *url_hosts = NULL;
static HTAB *url_skeletons = NULL;
static HTAB *url_brands = NULL; /* first labels of protected hosts */

static void url_hosts_load(void);
static void url_host_row(const Datum *values, const bool *nulls, void *arg);
static const char *url_host_kind(const char *host, int kinds, int *found);
static const char *url_looks_like(const UrlParts *parts);
static bool url_is_combination(const UrlParts *parts);
static bool url_is_mismatched(const UrlParts *parts, text *shown);
static void url_find(const UrlParts *parts, size_t length, text *shown, UrlFindings *findings);
static void url_reason(UrlFindings *findings, bool is_so, const char *name, float weight);
static Datum url_report(TupleDesc desc, const UrlParts *parts, text *url, text *shown);

/*
 * roost.url_analyze(url, shown)
 */
Datum
roost_moderation_url_analyze(PG_FUNCTION_ARGS)
{
	text	   *url;
	text	   *shown;
	UrlParts   *parts;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	url = PG_GETARG_TEXT_PP(0);
	shown = PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1);
	url_hosts_load();
	parts = palloc(sizeof(UrlParts));
	roost_moderation_url_parse(VARDATA_ANY(url), VARSIZE_ANY_EXHDR(url), parts);
	PG_RETURN_DATUM(url_report(roost_moderation_desc(fcinfo), parts, url, shown));
}

/*
 * roost_internal.url_host(url) returns the host of a link, as the table of
 * hosts has it.
 */
Datum
roost_moderation_url_host(PG_FUNCTION_ARGS)
{
	text	   *url = PG_GETARG_TEXT_PP(0);
	UrlParts   *parts = palloc(sizeof(UrlParts));

	roost_moderation_url_parse(VARDATA_ANY(url), VARSIZE_ANY_EXHDR(url), parts);
	if (!parts->has_host)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(parts->is_ip ? parts->ip : parts->host));
}

static Datum
url_report(TupleDesc desc, const UrlParts *parts, text *url, text *shown)
{
	Datum		values[REPORT_COLUMNS];
	bool		nulls[REPORT_COLUMNS] = {false};
	Datum		reasons[REASONS_MAX];
	UrlFindings findings;

	url_find(parts, VARSIZE_ANY_EXHDR(url), shown, &findings);
	for (int i = 0; i < findings.num_reasons; i++)
		reasons[i] = CStringGetTextDatum(findings.reasons[i]);

	nulls[0] = parts->scheme[0] == '\0';
	values[0] = CStringGetTextDatum(parts->scheme);
	nulls[1] = nulls[2] = nulls[3] = !parts->has_host;
	values[1] = CStringGetTextDatum(parts->host);
	values[2] = CStringGetTextDatum(parts->unicode);
	values[3] = CStringGetTextDatum(parts->is_ip ? parts->ip : parts->domain);
	nulls[4] = parts->port < 0;
	values[4] = Int32GetDatum(parts->port);
	values[5] = BoolGetDatum(parts->is_ip);
	nulls[6] = !parts->is_ip;
	values[6] = CStringGetTextDatum(parts->ip);
	values[7] = BoolGetDatum(findings.shortener);
	values[8] = BoolGetDatum(parts->is_punycode);
	values[9] = BoolGetDatum(parts->is_mixed);
	nulls[10] = findings.looks_like == NULL;
	values[10] = nulls[10] ? (Datum) 0 : CStringGetTextDatum(findings.looks_like);
	values[11] = BoolGetDatum(parts->has_userinfo);
	values[12] = BoolGetDatum(findings.odd_port);
	values[13] = BoolGetDatum(findings.mismatched);
	values[14] = BoolGetDatum(findings.too_long);
	values[15] = BoolGetDatum(findings.too_deep);
	values[16] = BoolGetDatum(findings.blocked);
	values[17] = BoolGetDatum(findings.allowed);
	nulls[18] = findings.listed == NULL;
	values[18] = nulls[18] ? (Datum) 0 : CStringGetTextDatum(findings.listed);
	values[19] = PointerGetDatum(construct_array(reasons, findings.num_reasons, TEXTOID, -1, false, TYPALIGN_INT));
	values[20] = Float4GetDatum(findings.score);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/*
 * Returns how bad a link is, from 0 to 1, and what it is made of.
 */
float
roost_moderation_url_score(const char *url, size_t length, UrlParts *parts)
{
	UrlFindings findings;

	url_hosts_load();
	roost_moderation_url_parse(url, length, parts);
	url_find(parts, length, NULL, &findings);
	return findings.score;
}

/*
 * Finds out what is known of a link of so many bytes.
 */
static void
url_find(const UrlParts *parts, size_t length, text *shown, UrlFindings *findings)
{
	int			kinds = 0;
	const char *host = parts->is_ip ? parts->ip : parts->host;

	memset(findings, 0, sizeof(*findings));
	findings->left = 1;
	findings->listed = url_host_kind(host, HOST_BLOCKED | HOST_ALLOWED, &kinds);
	findings->blocked = findings->listed != NULL && (kinds & HOST_BLOCKED) != 0;
	findings->allowed = findings->listed != NULL && !findings->blocked;
	findings->shortener = url_host_kind(host, HOST_SHORTENER, &kinds) != NULL;
	findings->looks_like = findings->allowed ? NULL : url_looks_like(parts);
	findings->combined = findings->looks_like == NULL && !findings->allowed && url_is_combination(parts);
	findings->mismatched = shown != NULL && url_is_mismatched(parts, shown);
	findings->odd_port = parts->port >= 0 &&
		!(parts->port == 443 || parts->port == 80 || (parts->port == 21 && strcmp(parts->scheme, "ftp") == 0));
	findings->too_long = length > URL_LONG || strlen(parts->host) > HOST_LONG;
	findings->too_deep = parts->labels >= LABELS_DEEP;

	url_reason(findings, findings->blocked, "blocked", 1);
	url_reason(findings, parts->is_script, "script", 1);
	url_reason(findings, findings->looks_like != NULL, "looks_like", 0.9f);
	url_reason(findings, findings->mismatched, "mismatched", 0.7f);
	url_reason(findings, parts->is_mixed, "mixed_script", 0.7f);
	url_reason(findings, parts->is_whole, "whole_script", 0.6f);
	url_reason(findings, parts->has_userinfo, "userinfo", 0.6f);
	url_reason(findings, parts->is_odd_ip, "disguised_ip", 0.6f);
	url_reason(findings, parts->has_hidden || parts->is_malformed, "malformed", 0.5f);
	url_reason(findings, parts->is_ip, "ip", 0.4f);
	url_reason(findings, findings->combined, "combination", 0.4f);
	url_reason(findings, findings->shortener, "shortener", 0.3f);
	url_reason(findings, findings->odd_port, "odd_port", 0.25f);
	url_reason(findings, parts->is_encoded, "punycode", 0.15f);
	url_reason(findings, findings->too_deep, "deep", 0.2f);
	url_reason(findings, findings->too_long, "long", 0.15f);

	/* who is trusted may have odd ports and long paths, but not be imitated */
	findings->score = findings->allowed && !findings->mismatched && !parts->has_userinfo ? 0 : 1 - findings->left;
}

static void
url_reason(UrlFindings *findings, bool is_so, const char *name, float weight)
{
	if (!is_so)
		return;
	findings->reasons[findings->num_reasons++] = name;
	findings->left *= 1 - weight;
}

/*
 * Returns the longest listed name of one of the kinds that the host is or lies
 * below, and its kinds; NULL if there is none.
 */
static const char *
url_host_kind(const char *host, int kinds, int *found)
{
	for (const char *p = host; *p != '\0';)
	{
		char		key[HOST_KEY_LENGTH] = {0};
		const HostEntry *entry;
		const char *dot = strchr(p, '.');

		if (strlen(p) < HOST_KEY_LENGTH)
		{
			strcpy(key, p);
			entry = hash_search(url_hosts, key, HASH_FIND, NULL);
			if (entry != NULL && (entry->kinds & kinds) != 0)
			{
				*found = entry->kinds;
				return entry->host;
			}
		}
		if (dot == NULL)
			break;
		p = dot + 1;
	}
	return NULL;
}

/*
 * Returns the protected host for which a reader may take this one, or NULL.
 */
static const char *
url_looks_like(const UrlParts *parts)
{
	const char *domain;
	int			kinds;
	const char *genuine = url_host_kind(parts->host, HOST_PROTECTED, &kinds);

	if (!parts->has_host || parts->is_ip || genuine != NULL)
		return NULL;

	/* as a whole, or its registered part */
	domain = roost_moderation_url_domain(parts->skeleton);
	for (const char *p = parts->skeleton; *p != '\0';)
	{
		char		key[HOST_KEY_LENGTH] = {0};
		const SkeletonEntry *entry;
		const char *dot = strchr(p, '.');

		if (strlen(p) < HOST_KEY_LENGTH)
		{
			strcpy(key, p);
			entry = hash_search(url_skeletons, key, HASH_FIND, NULL);
			if (entry != NULL)
				return entry->host;
		}
		if (dot == NULL || p == domain)
			break;
		p = dot + 1;
	}

	/*
	 * in front of another's: example.com.evil.test,
	 * example.com-login.evil.test
	 */
	for (const char *p = parts->skeleton; p < domain;)
	{
		const char *end = p;
		const char *next = strchr(p, '.');
		int			dots = 0;

		while (*end != '\0' && end - p < HOST_KEY_LENGTH - 1)
		{
			bool		stops = *end == '-' ? dots > 0 : *end == '.' && dots++ > 0;

			if (stops && end - p < HOST_KEY_LENGTH - 1)
			{
				char		key[HOST_KEY_LENGTH] = {0};
				const SkeletonEntry *entry;

				memcpy(key, p, end - p);
				entry = hash_search(url_skeletons, key, HASH_FIND, NULL);
				if (entry != NULL)
					return entry->host;
			}
			if (dots > 3)
				break;
			end++;
		}
		if (next == NULL)
			break;
		p = next + 1;
	}
	return NULL;
}

/*
 * Returns whether the host joins a protected name with a word that calls for
 * trust: example-login.evil.test, secure-example.test.
 */
static bool
url_is_combination(const UrlParts *parts)
{
	/* as skeletons, in which i is l */
	static const char *const words[] = {
		"logln", "slgnln", "secure", "securlty", "verlfy", "verlflcatlon", "account", "accounts", "support", "update", "bllllng",
		"payment", "refund", "wallet", "unlock", "conflrm", "recovery", "alert", "ld", "auth", "servlce", "help"
	};
	int			kinds;
	bool		brand = false;
	bool		calls = false;

	if (!parts->has_host || parts->is_ip || url_host_kind(parts->host, HOST_PROTECTED, &kinds) != NULL)
		return false;
	for (const char *p = parts->skeleton; *p != '\0';)
	{
		size_t		length = strcspn(p, "-.");
		char		key[HOST_KEY_LENGTH] = {0};
		bool		joined = p[length] == '-' || (p > parts->skeleton && p[-1] == '-');

		if (joined && length < HOST_KEY_LENGTH)
		{
			memcpy(key, p, length);
			brand |= length >= BRAND_MIN && hash_search(url_brands, key, HASH_FIND, NULL) != NULL;
			for (int i = 0; i < lengthof(words) && !calls; i++)
				calls = strcmp(words[i], key) == 0;
		}
		p += length;
		if (*p == '.' || *p == '\0')
		{
			/* both in one label */
			if (brand && calls)
				return true;
			brand = calls = false;
		}
		p += *p != '\0';
	}
	return false;
}

/*
 * Returns whether what is shown looks like a link to another domain.
 */
static bool
url_is_mismatched(const UrlParts *parts, text *shown)
{
	const char *data = VARDATA_ANY(shown);
	int			length = VARSIZE_ANY_EXHDR(shown);
	UrlParts   *other = palloc(sizeof(UrlParts));
	const char *dot;
	bool		mismatched;

	/* one word with a dot inside, or something with a scheme */
	while (length > 0 && isspace((unsigned char) data[0]))
	{
		data++;
		length--;
	}
	while (length > 0 && (isspace((unsigned char) data[length - 1]) || strchr(".,;:!?)", data[length - 1]) != NULL))
		length--;
	for (int i = 0; i < length; i++)
		if (isspace((unsigned char) data[i]))
			length = i;
	if (length == 0 || length > URL_LENGTH_MAX || !parts->has_host)
		return false;
	roost_moderation_url_parse(data, length, other);
	dot = strrchr(other->host, '.');
	mismatched = other->has_host && !other->has_userinfo && (other->is_ip || (dot != NULL && strlen(dot + 1) >= 2)) &&
		strcmp(other->is_ip ? other->ip : other->domain, parts->is_ip ? parts->ip : parts->domain) != 0;
	/* "e.g." and "readme.txt" are words: a name of a host ends in letters */
	if (mismatched && !other->is_ip && other->scheme[0] == '\0')
	{
		for (const char *p = dot + 1; *p != '\0'; p++)
			if ((unsigned char) *p < 0x80 && !isalpha((unsigned char) *p) && *p != '-' && strncmp(dot + 1, "xn--", 4) != 0)
				mismatched = false;
	}
	pfree(other);
	return mismatched;
}

/*
 * Reads the table, unless what we have is still good.
 */
static void
url_hosts_load(void)
{
	ModerationTable *table = &roost_moderation_host_table;
	HASHCTL		control = {.keysize = HOST_KEY_LENGTH,.entrysize = sizeof(HostEntry)};

	if (!roost_moderation_table_begin(table))
		return;
	control.hcxt = table->context;
	url_hosts = hash_create("roost url hosts", 256, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	control.entrysize = sizeof(SkeletonEntry);
	url_skeletons = hash_create("roost url skeletons", 256, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	url_brands = hash_create("roost url brands", 256, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	roost_moderation_table_read(table, url_host_row, NULL);
}

static void
url_host_row(const Datum *values, const bool *nulls, void *arg)
{
	char	   *host = TextDatumGetCString(values[0]);
	char	   *kind = TextDatumGetCString(values[1]);
	HostEntry  *entry;
	bool		found;

	if (strlen(host) < HOST_KEY_LENGTH)
	{
		entry = hash_search(url_hosts, host, HASH_ENTER, &found);
		if (!found)
			entry->kinds = 0;
		entry->kinds |= strcmp(kind, "shortener") == 0 ? HOST_SHORTENER : strcmp(kind, "blocked") == 0 ? HOST_BLOCKED :
			strcmp(kind, "allowed") == 0 ? HOST_ALLOWED : HOST_PROTECTED;
		if (strcmp(kind, "protected") == 0)
		{
			char		skeleton[URL_HOST_MAX];

			roost_moderation_url_skeleton(host, skeleton);
			skeleton[HOST_KEY_LENGTH - 1] = '\0';
			strlcpy(((SkeletonEntry *) hash_search(url_skeletons, skeleton, HASH_ENTER, NULL))->host, host, HOST_KEY_LENGTH);
			skeleton[strcspn(skeleton, ".")] = '\0';
			if (strlen(skeleton) >= BRAND_MIN)
				strlcpy(((SkeletonEntry *) hash_search(url_brands, skeleton, HASH_ENTER, NULL))->host, host, HOST_KEY_LENGTH);
		}
	}
	pfree(host);
	pfree(kind);
}
