/*-------------------------------------------------------------------------
 *
 * password.c
 *		Password hashes: argon2id for new ones, argon2i and bcrypt accepted.
 *
 * Hashes are PHC strings ($argon2id$v=19$m=19456,t=2,p=1$salt$tag).  They are
 * read here and not by libargon2, for two reasons: the parameters of a hash
 * that came from elsewhere are bounded before any memory is taken, and the
 * lanes are computed by this one thread (libargon2 would start threads in the
 * server process).  bcrypt is computed by pgcrypto.
 *
 * Passwords are compared in Unicode's form NFKC, so that the same password
 * typed on another keyboard is the same bytes; a hash from elsewhere may have
 * been made without that, so the bytes as typed are tried as well.
 *
 * Every copy made here is wiped.  Nothing here can be interrupted while one
 * hash is computed; that is what the bounds are for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <argon2.h>
#include <openssl/crypto.h>

#include "access/genam.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "common/string.h"
#include "common/unicode_norm.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "core/base64.h"
#include "account/password.h"
#include "roost.h"

PG_FUNCTION_INFO_V1(roost_password_hash);
PG_FUNCTION_INFO_V1(roost_password_verify);
PG_FUNCTION_INFO_V1(roost_password_verify_dummy);
PG_FUNCTION_INFO_V1(roost_password_needs_rehash);

/* limits of the settings, in KiB, passes and lanes */
#define PASSWORD_MEMORY_MIN			1024
#define PASSWORD_MEMORY_DEFAULT		19456
#define PASSWORD_MEMORY_MAX			1048576
#define PASSWORD_ITERATIONS_MIN		1
#define PASSWORD_ITERATIONS_DEFAULT	2
#define PASSWORD_ITERATIONS_MAX		64
#define PASSWORD_PARALLELISM_MIN	1
#define PASSWORD_PARALLELISM_DEFAULT 1
#define PASSWORD_PARALLELISM_MAX	64
#define PASSWORD_MIN_LENGTH_MIN		8
#define PASSWORD_MIN_LENGTH_DEFAULT	10
#define PASSWORD_MIN_LENGTH_MAX		128

/* the most work that a hash from elsewhere may cost: KiB * passes */
#define PASSWORD_WORK_MAX			(4 * (int64) PASSWORD_MEMORY_MAX)
#define PASSWORD_BCRYPT_COST_MIN	4
#define PASSWORD_BCRYPT_COST_MAX	16
#define PASSWORD_BCRYPT_LENGTH		60

#define PASSWORD_SALT_LENGTH		16
#define PASSWORD_TAG_LENGTH			32
#define PASSWORD_SALT_MIN			8
#define PASSWORD_SALT_MAX			64
#define PASSWORD_TAG_MIN			16
#define PASSWORD_TAG_MAX			64

/* One argon2 hash, taken apart. */
typedef struct PasswordHash
{
	argon2_type type;
	uint32		memory;			/* KiB */
	uint32		iterations;
	uint32		parallelism;
	uint8		salt[PASSWORD_SALT_MAX];
	int			salt_length;
	uint8		tag[PASSWORD_TAG_MAX];
	int			tag_length;
} PasswordHash;

static int	password_memory = PASSWORD_MEMORY_DEFAULT;
static int	password_iterations = PASSWORD_ITERATIONS_DEFAULT;
static int	password_parallelism = PASSWORD_PARALLELISM_DEFAULT;
int			roost_password_min_length = PASSWORD_MIN_LENGTH_DEFAULT;

static char *password_copy(text *password);
static char *password_normalize(char *password);
static void password_wipe(char *password);
static void password_parameters(PasswordHash *hash);
static void password_argon2(const PasswordHash *hash, const char *password, uint8 *tag);
static bool password_matches(const char *password, const char *hash);
static bool password_matches_argon2(const char *password, const PasswordHash *hash);
static bool password_is_bcrypt(const char *hash);
static bool password_matches_bcrypt(const char *password, const char *hash);
static Oid	password_crypt_function(void);
static bool password_parse(const char *string, PasswordHash *hash);
static bool password_parse_literal(const char **cursor, const char *literal);
static bool password_parse_number(const char **cursor, uint32 max, uint32 *value);
static int	password_parse_bytes(const char **cursor, int min, int max, uint8 *bytes);

/*
 * Define the settings of the module.
 */
static void
password_define_gucs(void)
{
	DefineCustomIntVariable("roost.password_memory",
							"Memory that one password hash takes (argon2id's m).",
							"New hashes use it; older ones are made anew when their owner logs in.",
							&password_memory,
							PASSWORD_MEMORY_DEFAULT, PASSWORD_MEMORY_MIN, PASSWORD_MEMORY_MAX,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.password_iterations",
							"Passes over the memory for one password hash (argon2id's t).",
							NULL,
							&password_iterations,
							PASSWORD_ITERATIONS_DEFAULT, PASSWORD_ITERATIONS_MIN, PASSWORD_ITERATIONS_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.password_parallelism",
							"Lanes of one password hash (argon2id's p).",
							"They are computed one after the other.",
							&password_parallelism,
							PASSWORD_PARALLELISM_DEFAULT, PASSWORD_PARALLELISM_MIN, PASSWORD_PARALLELISM_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.password_min_length",
							"Least number of characters in a new password.",
							NULL,
							&roost_password_min_length,
							PASSWORD_MIN_LENGTH_DEFAULT, PASSWORD_MIN_LENGTH_MIN, PASSWORD_MIN_LENGTH_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
}

const RoostModule roost_password_module = {
	.name = "roost password",
	.define_gucs = password_define_gucs,
};

/*
 * roost_internal.password_hash(password) returns the argon2id hash of a
 * password with a new salt, as a PHC string.
 */
Datum
roost_password_hash(PG_FUNCTION_ARGS)
{
	PasswordHash hash;
	char	   *password;
	char		salt[ROOST_BASE64_ENCODED(PASSWORD_SALT_LENGTH) + 1];
	char		tag[ROOST_BASE64_ENCODED(PASSWORD_TAG_LENGTH) + 1];

	if (VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0)) > ROOST_PASSWORD_BYTES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("password is too long"),
				 errdetail("It may have at most %d bytes.", ROOST_PASSWORD_BYTES_MAX)));

	password_parameters(&hash);
	if (!pg_strong_random(hash.salt, hash.salt_length))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not get random bytes")));

	password = password_normalize(password_copy(PG_GETARG_TEXT_PP(0)));
	password_argon2(&hash, password, hash.tag);
	password_wipe(password);

	salt[roost_base64_encode(ROOST_BASE64_STANDARD, hash.salt, hash.salt_length, salt)] = '\0';
	tag[roost_base64_encode(ROOST_BASE64_STANDARD, hash.tag, hash.tag_length, tag)] = '\0';
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("$argon2id$v=%d$m=%u,t=%u,p=%u$%s$%s",
											  ARGON2_VERSION_13, hash.memory, hash.iterations,
											  hash.parallelism, salt, tag)));
}

/*
 * roost_internal.password_verify(password, hash) returns whether the hash
 * was made of the password; false also for a hash that cannot be read.
 */
Datum
roost_password_verify(PG_FUNCTION_ARGS)
{
	char	   *hash = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *password;
	char	   *normal;
	bool		result;

	if (VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0)) > ROOST_PASSWORD_BYTES_MAX)
		PG_RETURN_BOOL(false);

	normal = password_normalize(password_copy(PG_GETARG_TEXT_PP(0)));
	result = password_matches(normal, hash);
	if (!result)
	{
		password = password_copy(PG_GETARG_TEXT_PP(0));
		if (strcmp(password, normal) != 0)
			result = password_matches(password, hash);
		password_wipe(password);
	}
	password_wipe(normal);
	PG_RETURN_BOOL(result);
}

/*
 * roost_internal.password_verify_dummy(password) returns false after the
 * time that a verification takes, so that a login for an account that does
 * not exist cannot be told from one that failed.
 */
Datum
roost_password_verify_dummy(PG_FUNCTION_ARGS)
{
	PasswordHash hash;
	char	   *password;

	if (VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0)) > ROOST_PASSWORD_BYTES_MAX)
		PG_RETURN_BOOL(false);

	password_parameters(&hash);
	memset(hash.salt, 0, hash.salt_length);
	password = password_normalize(password_copy(PG_GETARG_TEXT_PP(0)));
	password_argon2(&hash, password, hash.tag);
	password_wipe(password);
	PG_RETURN_BOOL(false);
}

/*
 * roost_internal.password_needs_rehash(hash) returns whether a new hash of
 * the same password would be made in another way.
 */
Datum
roost_password_needs_rehash(PG_FUNCTION_ARGS)
{
	PasswordHash hash;
	PasswordHash wanted;

	password_parameters(&wanted);
	if (!password_parse(text_to_cstring(PG_GETARG_TEXT_PP(0)), &hash))
		PG_RETURN_BOOL(true);
	PG_RETURN_BOOL(hash.type != wanted.type ||
				   hash.memory != wanted.memory ||
				   hash.iterations != wanted.iterations ||
				   hash.parallelism != wanted.parallelism ||
				   hash.salt_length < wanted.salt_length ||
				   hash.tag_length < wanted.tag_length);
}

/*
 * Returns a copy of a password that can be wiped.
 */
static char *
password_copy(text *password)
{
	return text_to_cstring(password);
}

/*
 * Returns a password in Unicode's form NFKC and wipes the one given.
 */
static char *
password_normalize(char *password)
{
	size_t		length = strlen(password);
	pg_wchar   *input;
	pg_wchar   *output;
	char	   *result;
	char	   *p;
	int			n;

	if (GetDatabaseEncoding() != PG_UTF8)
		return password;
	if (pg_is_ascii(password))
		return password;

	input = palloc((length + 1) * sizeof(pg_wchar));
	n = pg_mb2wchar_with_len(password, input, length);
	output = unicode_normalize(UNICODE_NFKC, input);
	OPENSSL_cleanse(input, n * sizeof(pg_wchar));
	pfree(input);
	password_wipe(password);

	for (n = 0; output[n] != 0; n++)
		;
	p = result = palloc(n * MAX_MULTIBYTE_CHAR_LEN + 1);
	for (int i = 0; i < n; i++)
	{
		unicode_to_utf8(output[i], (unsigned char *) p);
		p += pg_utf_mblen((unsigned char *) p);
	}
	*p = '\0';
	OPENSSL_cleanse(output, n * sizeof(pg_wchar));
	pfree(output);
	return result;
}

/*
 * Forgets a password.
 */
static void
password_wipe(char *password)
{
	OPENSSL_cleanse(password, strlen(password));
	pfree(password);
}

/*
 * Fills in what a new hash has, without salt and tag.
 */
static void
password_parameters(PasswordHash *hash)
{
	memset(hash, 0, sizeof(*hash));
	hash->type = Argon2_id;
	hash->memory = password_memory;
	hash->iterations = password_iterations;
	hash->parallelism = password_parallelism;
	hash->salt_length = PASSWORD_SALT_LENGTH;
	hash->tag_length = PASSWORD_TAG_LENGTH;
}

/*
 * Computes the tag of a password with the parameters and salt of a hash.
 */
static void
password_argon2(const PasswordHash *hash, const char *password, uint8 *tag)
{
	argon2_context context = {
		.out = tag,
		.outlen = hash->tag_length,
		.pwd = (uint8 *) password,
		.pwdlen = strlen(password),
		.salt = (uint8 *) hash->salt,
		.saltlen = hash->salt_length,
		.t_cost = hash->iterations,
		.m_cost = hash->memory,
		.lanes = hash->parallelism,
		.threads = 1,
		.version = ARGON2_VERSION_13,
		.flags = ARGON2_DEFAULT_FLAGS,
	};
	int			rc;

	CHECK_FOR_INTERRUPTS();
	rc = argon2_ctx(&context, hash->type);
	if (rc != ARGON2_OK)
		ereport(ERROR,
				(errcode(rc == ARGON2_MEMORY_ALLOCATION_ERROR ? ERRCODE_OUT_OF_MEMORY : ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute a password hash: %s", argon2_error_message(rc))));
	CHECK_FOR_INTERRUPTS();
}

/*
 * Returns whether a hash of any accepted kind was made of a password.
 */
static bool
password_matches(const char *password, const char *string)
{
	PasswordHash hash;

	if (password_parse(string, &hash))
		return password_matches_argon2(password, &hash);
	if (password_is_bcrypt(string))
		return password_matches_bcrypt(password, string);
	return false;
}

/*
 * Returns whether an argon2 hash was made of a password.
 */
static bool
password_matches_argon2(const char *password, const PasswordHash *hash)
{
	uint8		tag[PASSWORD_TAG_MAX];
	bool		result;

	password_argon2(hash, password, tag);
	result = CRYPTO_memcmp(tag, hash->tag, hash->tag_length) == 0;
	OPENSSL_cleanse(tag, sizeof(tag));
	return result;
}

/*
 * Returns whether a hash is bcrypt's, of a cost that is allowed.
 */
static bool
password_is_bcrypt(const char *hash)
{
	int			cost;

	if (strlen(hash) != PASSWORD_BCRYPT_LENGTH)
		return false;
	if (strncmp(hash, "$2a$", 4) != 0 && strncmp(hash, "$2b$", 4) != 0 && strncmp(hash, "$2y$", 4) != 0)
		return false;
	if (!isdigit((unsigned char) hash[4]) || !isdigit((unsigned char) hash[5]) || hash[6] != '$')
		return false;
	cost = (hash[4] - '0') * 10 + hash[5] - '0';
	if (cost < PASSWORD_BCRYPT_COST_MIN || cost > PASSWORD_BCRYPT_COST_MAX)
		return false;
	return strspn(hash + 7, "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") ==
		PASSWORD_BCRYPT_LENGTH - 7;
}

/*
 * Returns whether a bcrypt hash was made of a password.  $2a$, $2b$ and $2y$
 * are the same computation here; pgcrypto knows the first name only.
 */
static bool
password_matches_bcrypt(const char *password, const char *hash)
{
	text	   *password_text = cstring_to_text(password);
	text	   *setting = cstring_to_text(hash);
	text	   *computed;
	bool		result;

	VARDATA(setting)[2] = 'a';
	computed = DatumGetTextPP(OidFunctionCall2Coll(password_crypt_function(), DEFAULT_COLLATION_OID,
												   PointerGetDatum(password_text), PointerGetDatum(setting)));
	result = VARSIZE_ANY_EXHDR(computed) == PASSWORD_BCRYPT_LENGTH &&
		CRYPTO_memcmp(VARDATA_ANY(computed), VARDATA(setting), PASSWORD_BCRYPT_LENGTH) == 0;
	OPENSSL_cleanse(VARDATA(password_text), VARSIZE(password_text) - VARHDRSZ);
	pfree(password_text);
	return result;
}

/*
 * Returns pgcrypto's crypt(text, text), in whichever schema it is.
 */
static Oid
password_crypt_function(void)
{
	Oid			arguments[] = {TEXTOID, TEXTOID};
	Oid			schema = InvalidOid;
	Relation	extensions = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum("pgcrypto"));
	scan = systable_beginscan(extensions, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		schema = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	systable_endscan(scan);
	table_close(extensions, AccessShareLock);

	if (!OidIsValid(schema))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("extension \"pgcrypto\" is missing"),
				 errhint("Run CREATE EXTENSION pgcrypto.")));
	return LookupFuncName(list_make2(makeString(get_namespace_name(schema)), makeString("crypt")),
						  2, arguments, false);
}

/*
 * Takes a PHC string apart; false when it is not an argon2i or argon2id hash
 * of the current version within the bounds.
 */
static bool
password_parse(const char *string, PasswordHash *hash)
{
	const char *cursor = string;

	memset(hash, 0, sizeof(*hash));
	if (password_parse_literal(&cursor, "$argon2id$v=19$m="))
		hash->type = Argon2_id;
	else if (password_parse_literal(&cursor, "$argon2i$v=19$m="))
		hash->type = Argon2_i;
	else
		return false;

	if (!password_parse_number(&cursor, PASSWORD_MEMORY_MAX, &hash->memory) ||
		!password_parse_literal(&cursor, ",t=") ||
		!password_parse_number(&cursor, PASSWORD_ITERATIONS_MAX, &hash->iterations) ||
		!password_parse_literal(&cursor, ",p=") ||
		!password_parse_number(&cursor, PASSWORD_PARALLELISM_MAX, &hash->parallelism) ||
		!password_parse_literal(&cursor, "$"))
		return false;
	if (hash->memory < 8 * hash->parallelism ||
		(int64) hash->memory * hash->iterations > PASSWORD_WORK_MAX)
		return false;

	hash->salt_length = password_parse_bytes(&cursor, PASSWORD_SALT_MIN, PASSWORD_SALT_MAX, hash->salt);
	if (hash->salt_length < 0 || !password_parse_literal(&cursor, "$"))
		return false;
	hash->tag_length = password_parse_bytes(&cursor, PASSWORD_TAG_MIN, PASSWORD_TAG_MAX, hash->tag);
	return hash->tag_length >= 0 && *cursor == '\0';
}

/*
 * Moves the cursor over a literal; false if it does not stand there.
 */
static bool
password_parse_literal(const char **cursor, const char *literal)
{
	size_t		length = strlen(literal);

	if (strncmp(*cursor, literal, length) != 0)
		return false;
	*cursor += length;
	return true;
}

/*
 * Reads a positive number of at most max, written without leading zeros.
 */
static bool
password_parse_number(const char **cursor, uint32 max, uint32 *value)
{
	uint64		n = 0;

	if (**cursor < '1' || **cursor > '9')
		return false;
	for (; isdigit((unsigned char) **cursor); (*cursor)++)
	{
		n = n * 10 + (**cursor - '0');
		if (n > max)
			return false;
	}
	*value = (uint32) n;
	return true;
}

/*
 * Reads base64 up to the next $ or the end; returns the number of bytes, or
 * -1 when it is not between min and max or is not base64.
 */
static int
password_parse_bytes(const char **cursor, int min, int max, uint8 *bytes)
{
	size_t		length = strcspn(*cursor, "$");
	int			n;

	if (ROOST_BASE64_DECODED(length) > max)
		return -1;
	n = roost_base64_decode(ROOST_BASE64_STANDARD, *cursor, length, bytes);
	if (n < min)
		return -1;
	*cursor += length;
	return n;
}
