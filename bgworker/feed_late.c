/*-------------------------------------------------------------------------
 *
 * feed_late.c
 *		What was changed or undone lately, and may be created only now.
 *
 * The events of two transactions need not come in the order of their commits.
 * Nothing below the horizon is kept, for of that everything has come; when the
 * log is completed the table begins empty.  Only the worker uses it: no lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/hsearch.h"

#include "bgworker/feed.h"

typedef struct LateKey
{
	int64		what;			/* FeedKind of the creation */
	int64		id;
	int64		account_id;
} LateKey;

typedef struct LateEntry
{
	LateKey		key;
	int64		id;				/* what it can concern has no greater id */
	bool		gone;
} LateEntry;

static HTAB *feed_late = NULL;

static void feed_late_friend(FeedRow *row);
static LateEntry *feed_late_note(const LateKey *key, int64 id);

/*
 * Forgets everything.
 */
void
roost_feed_late_begin(void)
{
	HASHCTL		info = {.keysize = sizeof(LateKey),.entrysize = sizeof(LateEntry)};

	if (feed_late != NULL)
		hash_destroy(feed_late);
	feed_late = hash_create("roost feed", 256, &info, HASH_ELEM | HASH_BLOBS);
}

/*
 * Returns whether a row says that something was created which is gone already.
 * Notes what was changed or undone for those that come after it.
 */
bool
roost_feed_is_late(FeedRow *row, int64 horizon)
{
	LateKey		key = {.id = row->id,.account_id = row->account_id};
	LateEntry  *entry;

	switch (row->kind)
	{
		case FEED_POST_CREATED:
		case FEED_LIKE_CREATED:
		case FEED_FOLLOW_CREATED:
		case FEED_REQUEST_CREATED:
			key.what = row->kind;
			entry = hash_search(feed_late, &key, HASH_FIND, NULL);
			row->again = entry != NULL && row->retweet_of_id == 0;
			return entry != NULL && entry->gone;
		case FEED_POST_UPDATED:
		case FEED_POST_DELETED:
			key.what = FEED_POST_CREATED;
			break;
		case FEED_LIKE_DELETED:
			key.what = FEED_LIKE_CREATED;
			break;
		case FEED_FOLLOW_DELETED:
			key.what = FEED_FOLLOW_CREATED;
			break;
		case FEED_REQUEST_DELETED:
			key.what = FEED_REQUEST_CREATED;
			break;
		default:
			feed_late_friend(row);
			return false;
	}
	if (row->id >= horizon)
	{
		entry = feed_late_note(&key, row->id);
		entry->gone = entry->gone || row->kind != FEED_POST_UPDATED;
	}
	return false;
}

/*
 * The same for friends.  Requests and friendships have no id of their own here:
 * of two accounts a later row, with a greater id, undoes what an earlier one
 * says.  Both are logged; only the entry of what is undone must not come late.
 */
static void
feed_late_friend(FeedRow *row)
{
	LateKey		key = {.id = Min(row->account_id, row->target_id),.account_id = Max(row->account_id, row->target_id)};
	LateEntry  *entry;

	switch (row->kind)
	{
		case FEED_FRIEND_REQUESTED:
		case FEED_FRIEND_ACCEPTED:
			key.what = row->kind;
			entry = hash_search(feed_late, &key, HASH_FIND, NULL);
			row->undone = entry != NULL && entry->id > row->id;
			break;
		case FEED_FRIEND_REQUEST_CANCELLED:
		case FEED_FRIEND_REQUEST_REJECTED:
		case FEED_FRIEND_REMOVED:
			break;
		default:
			return;
	}
	if (row->kind == FEED_FRIEND_REQUESTED)
		return;
	key.what = row->kind == FEED_FRIEND_REMOVED ? FEED_FRIEND_ACCEPTED : FEED_FRIEND_REQUESTED;
	(void) feed_late_note(&key, row->id);
}

/*
 * Notes something for what may come after it.
 */
static LateEntry *
feed_late_note(const LateKey *key, int64 id)
{
	bool		found;
	LateEntry  *entry = hash_search(feed_late, key, HASH_ENTER, &found);

	if (!found)
		entry->gone = false;
	entry->id = found ? Max(entry->id, id) : id;
	return entry;
}

/*
 * Forgets what nothing can come for any more.
 */
void
roost_feed_late_forget(int64 horizon)
{
	HASH_SEQ_STATUS status;
	LateEntry  *entry;

	hash_seq_init(&status, feed_late);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (entry->id < horizon)
			hash_search(feed_late, &entry->key, HASH_REMOVE, NULL);
	}
}
