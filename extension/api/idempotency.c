/*-------------------------------------------------------------------------
 *
 * idempotency.c
 *		Answers a repeated request with its first answer.
 *
 * A request that changes something may carry an Idempotency-Key.  Its answer
 * is stored in roost_data.idempotency_key in the transaction of its effect, so
 * either both are there or none.  A request with the same key of the same
 * owner gets that answer again; if it is another request, an error.  Two at
 * the same time: the second waits for the first one's transaction, on a lock
 * made of the key, and then looks.  Errors are not stored; a repetition tries
 * again.
 *
 * The key is never stored.  The request is kept as a hash under the key, so
 * that a password in it cannot be guessed from the table.  Answers of routes
 * that hold secrets, and all to who is logged in, are encrypted under the key:
 * messages, say, that are deleted meanwhile.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "api/api.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "core/debug_point.h"
#include "core/plan.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#define KEY_LENGTH_MAX				255
/* keys that encrypt must not be easy to guess */
#define KEY_LENGTH_MIN_SENSITIVE	16

#define NONCE_BYTES		12
#define TAG_BYTES		16

/* tells these locks from the advisory locks of users, who have 1 and 2 */
#define LOCK_CLASS		0x726f

struct ApiIdempotency
{
	RoostSlice	key;
	char	   *owner;
	uint8		key_hash[SHA256_DIGEST_LENGTH];
	uint8		request_hash[SHA256_DIGEST_LENGTH];
	uint8		secret[SHA256_DIGEST_LENGTH];	/* AES key */
	bool		encrypted;		/* the answer that was found */
};

static bool idempotency_key(ApiRequest *request, RoostSlice *key);
static void idempotency_hash(ApiRequest *request, ApiIdempotency *state);
static void idempotency_lock(const ApiIdempotency *state);
static bytea *idempotency_find(ApiRequest *request, ApiIdempotency *state);
static text *idempotency_answer(ApiRequest *request, const char *stored, size_t length);
static bytea *idempotency_encrypt(const ApiIdempotency *state, const char *text, int length);
static char *idempotency_decrypt(const ApiIdempotency *state, bytea *stored, int *length);
static void idempotency_begin(Oid *user, int *context);
static void idempotency_end(Oid user, int context);
static Datum idempotency_bytes(const uint8 *bytes, int length);

/*
 * Returns the first answer to a repeated request, or NULL.
 */
text *
roost_api_idempotency_replay(ApiRequest *request)
{
	RoostSlice	key;
	ApiIdempotency *state;
	bytea	   *stored;
	char	   *answer;
	int			length;

	if (request->method == API_GET || !idempotency_key(request, &key))
		return NULL;
	state = palloc0(sizeof(ApiIdempotency));
	state->key = key;
	state->owner = request->authenticated ? psprintf("account:" INT64_FORMAT, request->account_id) :
		psprintf("address:%.*s", (int) request->address.length, request->address.data);
	idempotency_hash(request, state);
	idempotency_lock(state);
	request->idempotency = state;
	ROOST_DEBUG_POINT("api-idempotency-locked");

	stored = idempotency_find(request, state);
	if (stored == NULL)
		return NULL;
	answer = VARDATA_ANY(stored);
	length = VARSIZE_ANY_EXHDR(stored);
	if (state->encrypted)
		answer = idempotency_decrypt(state, stored, &length);
	return idempotency_answer(request, answer, length);
}

/*
 * Stores the answer to a request with a key.  The headers about the rate
 * limit belong to the moment and are left out.
 */
void
roost_api_idempotency_store(ApiRequest *request, text *answer)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {TEXTOID, BYTEAOID, BYTEAOID, BOOLOID, BYTEAOID};
	Datum		values[5];
	ApiIdempotency *state = request->idempotency;
	const char *all = VARDATA(answer);
	const char *status_end = strchr(all, '\n') + 1;
	bool		secret = request->authenticated || request->route->sensitive || request->route->cookies;
	StringInfoData kept;
	Oid			user;
	int			context;

	if (state == NULL)
		return;
	initStringInfo(&kept);
	appendBinaryStringInfo(&kept, all, status_end - all);
	appendBinaryStringInfo(&kept, status_end + request->limit_headers,
						   VARSIZE(answer) - VARHDRSZ - (status_end - all) - request->limit_headers);

	values[0] = CStringGetTextDatum(state->owner);
	values[1] = idempotency_bytes(state->key_hash, sizeof(state->key_hash));
	values[2] = idempotency_bytes(state->request_hash, sizeof(state->request_hash));
	values[3] = BoolGetDatum(secret);
	values[4] = secret ? PointerGetDatum(idempotency_encrypt(state, kept.data, kept.len)) :
		idempotency_bytes((uint8 *) kept.data, kept.len);

	/* a conflict is only possible with an expired row: we hold the lock */
	idempotency_begin(&user, &context);
	if (SPI_execute_plan(roost_plan_keep(&plan,
										 "INSERT INTO roost_data.idempotency_key AS k (owner, key_hash, request_hash, encrypted, answer) "
										 "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (owner, key_hash) DO UPDATE SET "
										 "request_hash = excluded.request_hash, encrypted = excluded.encrypted, "
										 "answer = excluded.answer, created_at = excluded.created_at",
										 lengthof(types), types),
						 values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not store an idempotency key");
	idempotency_end(user, context);
}

/*
 * Returns the request's key, without the quotes it may have; false if there
 * is none.
 */
static bool
idempotency_key(ApiRequest *request, RoostSlice *key)
{
	bool		valid;

	if (!roost_uri_header(request->headers, "idempotency-key", key))
		return false;
	if (key->length >= 2 && key->data[0] == '"' && key->data[key->length - 1] == '"')
	{
		key->data++;
		key->length -= 2;
	}
	valid = key->length > 0 && key->length <= KEY_LENGTH_MAX;
	for (size_t i = 0; valid && i < key->length; i++)
		valid = key->data[i] > ' ' && key->data[i] < 0x7f;
	if (!valid)
		ereport(ERROR,
				(errcode(ERRCODE_ROOST_MALFORMED_REQUEST),
				 errmsg("the Idempotency-Key is not valid"),
				 errdetail("It has 1 to %d visible ASCII characters.", KEY_LENGTH_MAX),
				 errhint("Use a random UUID.")));
	if ((request->route->sensitive || request->route->cookies) && key->length < KEY_LENGTH_MIN_SENSITIVE)
		ereport(ERROR,
				(errcode(ERRCODE_ROOST_MALFORMED_REQUEST),
				 errmsg("the Idempotency-Key is too short"),
				 errdetail("The answer to this operation is encrypted under it, so it needs at least %d characters.",
						   KEY_LENGTH_MIN_SENSITIVE),
				 errhint("Use a random UUID.")));
	return true;
}

/*
 * Fills in the hashes of key and request, and the key for encryption.
 */
static void
idempotency_hash(ApiRequest *request, ApiIdempotency *state)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "key %s\n", state->owner);
	appendBinaryStringInfo(&text, state->key.data, state->key.length);
	SHA256((uint8 *) text.data, text.len, state->key_hash);

	resetStringInfo(&text);
	appendStringInfo(&text, "secret %s", state->owner);
	HMAC(EVP_sha256(), state->key.data, state->key.length, (uint8 *) text.data, text.len, state->secret, NULL);

	/*
	 * No part but the body can hold a line break.  A refresh token may come
	 * as a cookie, with the proof that the page itself sends it.
	 */
	resetStringInfo(&text);
	appendStringInfo(&text, "request %s ", roost_api_method_name(request->method));
	for (int i = 0; i < request->nsegments; i++)
	{
		appendStringInfo(&text, "%zu/", request->segments[i].length);
		appendBinaryStringInfo(&text, request->segments[i].data, request->segments[i].length);
	}
	appendStringInfo(&text, "?%zu ", request->query.length);
	appendBinaryStringInfo(&text, request->query.data, request->query.length);
	if (request->refresh_cookie.length > 0)
	{
		RoostSlice	proof = {"", 0};

		roost_uri_header(request->headers, "x-csrf-token", &proof);
		appendStringInfo(&text, " %zu ", request->refresh_cookie.length);
		appendBinaryStringInfo(&text, request->refresh_cookie.data, request->refresh_cookie.length);
		appendStringInfo(&text, " %zu ", proof.length);
		appendBinaryStringInfo(&text, proof.data, proof.length);
	}
	appendStringInfoChar(&text, '\n');
	appendBinaryStringInfo(&text, request->body.data, request->body.length);
	HMAC(EVP_sha256(), state->key.data, state->key.length, (uint8 *) text.data, text.len,
		 state->request_hash, NULL);
}

/*
 * Waits for any other transaction with the same key.
 */
static void
idempotency_lock(const ApiIdempotency *state)
{
	LOCKTAG		tag;
	uint32		words[2];

	memcpy(words, state->key_hash, sizeof(words));
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, words[0], words[1], LOCK_CLASS);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/*
 * Returns the stored answer, or NULL.  Raises an error if it belongs to
 * another request.
 */
static bytea *
idempotency_find(ApiRequest *request, ApiIdempotency *state)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {TEXTOID, BYTEAOID};
	Datum		values[2];
	MemoryContext caller = CurrentMemoryContext;
	bytea	   *answer = NULL;
	bool		same = false;
	Oid			user;
	int			context;

	values[0] = CStringGetTextDatum(state->owner);
	values[1] = idempotency_bytes(state->key_hash, sizeof(state->key_hash));
	idempotency_begin(&user, &context);

	/* not read only: the snapshot must be younger than the lock */
	if (SPI_execute_plan(roost_plan_keep(&plan,
										 "SELECT k.request_hash, k.answer, k.encrypted FROM roost_data.idempotency_key k "
										 "WHERE k.owner OPERATOR(pg_catalog.=) $1 AND k.key_hash OPERATOR(pg_catalog.=) $2 "
										 "AND k.created_at OPERATOR(pg_catalog.>=) (pg_catalog.now() OPERATOR(pg_catalog.-) '24 hours'::pg_catalog.interval)",
										 lengthof(types), types),
						 values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look up an idempotency key");
	if (SPI_processed > 0)
	{
		bool		isnull;
		HeapTuple	row = SPI_tuptable->vals[0];
		bytea	   *hash = DatumGetByteaPP(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
		Datum		stored = SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull);
		MemoryContext spi = MemoryContextSwitchTo(caller);

		same = VARSIZE_ANY_EXHDR(hash) == sizeof(state->request_hash) &&
			memcmp(VARDATA_ANY(hash), state->request_hash, sizeof(state->request_hash)) == 0;
		answer = DatumGetByteaPCopy(stored);
		state->encrypted = DatumGetBool(SPI_getbinval(row, SPI_tuptable->tupdesc, 3, &isnull));
		MemoryContextSwitchTo(spi);
	}
	idempotency_end(user, context);
	if (answer && !same)
		ereport(ERROR,
				(errcode(ERRCODE_ROOST_KEY_REUSED),
				 errmsg("the Idempotency-Key was used for another request"),
				 errhint("Use a new key for a new request.")));
	return answer;
}

/*
 * Returns a stored answer with today's headers about the rate limit.
 */
static text *
idempotency_answer(ApiRequest *request, const char *stored, size_t length)
{
	const char *status_end = memchr(stored, '\n', length);
	StringInfoData out;

	if (status_end == NULL)
		elog(ERROR, "malformed stored answer");
	status_end++;
	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	appendBinaryStringInfo(&out, stored, status_end - stored);
	appendBinaryStringInfo(&out, request->headers_out.data, request->headers_out.len);
	appendStringInfoString(&out, "Idempotency-Replayed: true\n");
	appendBinaryStringInfo(&out, status_end, stored + length - status_end);
	SET_VARSIZE(out.data, out.len);
	return (text *) out.data;
}

/*
 * Returns nonce, tag and text, encrypted under the client's key.
 */
static bytea *
idempotency_encrypt(const ApiIdempotency *state, const char *text, int length)
{
	bytea	   *result = palloc(VARHDRSZ + NONCE_BYTES + TAG_BYTES + length);
	uint8	   *nonce = (uint8 *) VARDATA(result);
	uint8	   *tag = nonce + NONCE_BYTES;
	uint8	   *out = tag + TAG_BYTES;
	int			done = 0;
	int			rest = 0;
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	bool		ok = cipher != NULL && pg_strong_random(nonce, NONCE_BYTES) &&
	EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, state->secret, nonce) == 1 &&
	EVP_EncryptUpdate(cipher, out, &done, (const uint8 *) text, length) == 1 &&
	EVP_EncryptFinal_ex(cipher, out + done, &rest) == 1 &&
	EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag) == 1;

	EVP_CIPHER_CTX_free(cipher);
	if (!ok)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not encrypt an answer")));
	SET_VARSIZE(result, VARHDRSZ + NONCE_BYTES + TAG_BYTES + length);
	return result;
}

/*
 * Returns the text that was encrypted under the client's key.
 */
static char *
idempotency_decrypt(const ApiIdempotency *state, bytea *stored, int *length)
{
	uint8	   *nonce = (uint8 *) VARDATA_ANY(stored);
	uint8	   *tag = nonce + NONCE_BYTES;
	uint8	   *in = tag + TAG_BYTES;
	int			size = (int) VARSIZE_ANY_EXHDR(stored) - NONCE_BYTES - TAG_BYTES;
	char	   *out = palloc(Max(size, 0) + 1);
	int			done = 0;
	int			rest = 0;
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	bool		ok = cipher != NULL && size >= 0 &&
	EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, state->secret, nonce) == 1 &&
	EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1 &&
	EVP_DecryptUpdate(cipher, (uint8 *) out, &done, in, size) == 1 &&
	EVP_DecryptFinal_ex(cipher, (uint8 *) out + done, &rest) == 1;

	EVP_CIPHER_CTX_free(cipher);
	if (!ok)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not decrypt a stored answer")));
	*length = done + rest;
	return out;
}

/*
 * Connects to SPI as the owner of the table.  Only the fixed queries of this
 * file run like that; every name in them is qualified, because the search
 * path is the caller's.
 */
static void
idempotency_begin(Oid *user, int *context)
{
	Oid			relation = get_relname_relid("idempotency_key", get_namespace_oid("roost_data", true));
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the tables of roost do not exist"),
				 errhint("Run SELECT roost.install().")));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	GetUserIdAndSecContext(user, context);
	SetUserIdAndSecContext(owner, *context | SECURITY_LOCAL_USERID_CHANGE);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
}

/* disconnects and becomes the caller again */
static void
idempotency_end(Oid user, int context)
{
	SPI_finish();
	SetUserIdAndSecContext(user, context);
}

/* returns a bytea of the bytes */
static Datum
idempotency_bytes(const uint8 *bytes, int length)
{
	bytea	   *result = palloc(VARHDRSZ + length);

	SET_VARSIZE(result, VARHDRSZ + length);
	memcpy(VARDATA(result), bytes, length);
	return PointerGetDatum(result);
}
