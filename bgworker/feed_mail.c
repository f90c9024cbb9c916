/*-------------------------------------------------------------------------
 *
 * feed_mail.c
 *		Whom the rows of the log concern: mailboxes and the doorbell's text.
 *
 * An act concerns the account that was followed or asked, and the one whose
 * request to become friends was accepted; the author of the post that was
 * liked, retweeted or quoted; whom a post answers and mentions.
 * Nobody gets an entry for an own act, and one act makes one entry an account,
 * of the first of these kinds: retweet, quote, reply, mention.
 *
 * An entry stands as long as its act: deletion withdraws it, and an edited post
 * loses and gains entries as its mentions change.  A post that is held or
 * removed gains none: what is held from the beginning makes its entries when it
 * is released, what is held later keeps those that it has made.  Apart from that
 * entries do not depend on who may see what; whoever reads a mailbox asks that
 * (mailbox_read), as does the doorbell's text here.  What has an id from before
 * `since`, as imports of past times have, makes no entries.
 *
 * Kept: the authors of posts, in a table of AUTHOR_SLOTS where a new one takes
 * the place of another.  They change by the back door only, which counts as a
 * loss of events; then the table is emptied.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "bgworker/feed.h"
#include "feed/feed.h"
#include "post/viewer.h"

#define AUTHOR_SLOTS		16384
#define DOORBELL_MAX		7800	/* a payload has less than 8000 bytes */
#define DOORBELL_ROWS		100 /* more do not fit anyway */

typedef struct AuthorSlot
{
	int64		post_id;
	int64		author_id;
} AuthorSlot;

/* Entries of one batch */
typedef struct MailList
{
	MailRow    *rows;
	int			count;
	int			room;
} MailList;

static AuthorSlot authors[AUTHOR_SLOTS];

static void row_complete(PostReader *reader, FeedRow *row);
static void row_mail(PostReader *reader, const FeedRow *row, MailList *list);
static void post_mail(PostReader *reader, const FeedRow *row, MailList *list);
static void mail_add(PostReader *reader, MailList *list, int first, const FeedRow *row, MailKind kind, int64 account_id);
static bool row_changes_mail(const FeedRow *row);
static bool row_changes_friends(const FeedRow *row);
static void friend_withdraw(const FeedRow *row);
static void row_withdraw(const FeedRow *row);
static void post_mail_again(PostReader *reader, const FeedRow *row, int64 now_us);
static void doorbell_add(PostReader *reader, const FeedRow *rows, int count, const MailList *list, StringInfo doorbell);

/*
 * Completes the rows, writes them and what follows from them.  Appends their
 * text for the doorbell, or empties it for good if it grows too long.
 */
void
roost_feed_mail(FeedRow *rows, int count, int64 since, int64 now_us, StringInfo doorbell)
{
	MailList	list = {0};
	PostReader	reader;

	roost_post_reader_begin(&reader);
	for (int i = 0; i < count; i++)
	{
		row_complete(&reader, &rows[i]);
		if (rows[i].id >= since && !rows[i].again)
			row_mail(&reader, &rows[i], &list);
	}
	roost_feed_table_log(rows, count, now_us);
	if (list.count > 0)
	{
		roost_feed_table_mail(list.rows, list.count, now_us);
		LWLockAcquire(roost_feed_shared->lock, LW_EXCLUSIVE);
		roost_feed_shared->entries += list.count;
		LWLockRelease(roost_feed_shared->lock);
	}
	CommandCounterIncrement();

	for (int i = 0; i < count; i++)
	{
		if (((rows[i].kind == FEED_POST_UPDATED || rows[i].again) && rows[i].id >= since) || rows[i].kind == FEED_POST_RELEASED)
			post_mail_again(&reader, &rows[i], now_us);
		else if (row_changes_mail(&rows[i]))
			row_withdraw(&rows[i]);
	}
	doorbell_add(&reader, rows, count, &list, doorbell);
	roost_post_reader_end(&reader);
	if (list.rows != NULL)
		pfree(list.rows);
}

/*
 * Forgets what is kept.
 */
void
roost_feed_mail_forget(void)
{
	memset(authors, 0, sizeof(authors));
}

static int64
slot_int64(TupleTableSlot *slot, PostLookup what, int column)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, roost_post_columns(what)[column], &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

/*
 * Returns whether a post is seen by its author only.
 */
static bool
post_is_hidden(TupleTableSlot *slot)
{
	bool		isnull;
	Datum		state = roost_post_later_value(slot, roost_post_columns(LOOKUP_POST)[POST_STATE], &isnull);
	char		letter = roost_post_state_letter(state, isnull);

	return letter == 'h' || letter == 'r';
}

static AuthorSlot *
author_slot(int64 post_id)
{
	return &authors[hash_bytes_uint32((uint32) (post_id ^ (post_id >> 32))) % AUTHOR_SLOTS];
}

/*
 * Returns the author of a post, or 0 if there is none.
 */
static int64
author_of(PostReader *reader, int64 post_id)
{
	AuthorSlot *known = author_slot(post_id);
	TupleTableSlot *slot;

	if (known->post_id == post_id)
		return known->author_id;
	slot = roost_post_read(reader, LOOKUP_POST, 1, post_id, 0);
	if (slot == NULL)
		return 0;
	known->author_id = slot_int64(slot, LOOKUP_POST, POST_AUTHOR_ID);
	known->post_id = post_id;
	return known->author_id;
}

/*
 * Fills in whom a row concerns.
 */
static void
row_complete(PostReader *reader, FeedRow *row)
{
	TupleTableSlot *slot;
	int64		quote_of_id;

	switch (row->kind)
	{
		case FEED_POST_CREATED:
			author_slot(row->id)->author_id = row->account_id;
			author_slot(row->id)->post_id = row->id;
			if (row->retweet_of_id != 0)
				row->target_id = author_of(reader, row->retweet_of_id);
			else if (row->refers &&
					 (slot = roost_post_read(reader, LOOKUP_POST, 1, row->id, 0)) != NULL &&
					 (quote_of_id = slot_int64(slot, LOOKUP_POST, POST_QUOTE_OF_ID)) != 0)
				row->target_id = author_of(reader, quote_of_id);
			break;
		case FEED_LIKE_CREATED:
		case FEED_LIKE_DELETED:
			row->author_id = row->target_id = author_of(reader, row->post_id);
			break;
		case FEED_POST_RELEASED:
			slot = roost_post_read(reader, LOOKUP_POST, 1, row->post_id, 0);
			if (slot != NULL)
				row->reply_to_account_id = slot_int64(slot, LOOKUP_POST, POST_REPLY_TO_ACCOUNT_ID);
			break;
		default:
			break;
	}
}

/*
 * Adds the entries that a row makes.
 */
static void
row_mail(PostReader *reader, const FeedRow *row, MailList *list)
{
	switch (row->kind)
	{
		case FEED_FOLLOW_CREATED:
			mail_add(NULL, list, list->count, row, MAIL_FOLLOW, row->target_id);
			break;
		case FEED_REQUEST_CREATED:
			mail_add(NULL, list, list->count, row, MAIL_REQUEST, row->target_id);
			break;
		case FEED_LIKE_CREATED:
			mail_add(NULL, list, list->count, row, MAIL_LIKE, row->target_id);
			break;
		case FEED_FRIEND_REQUESTED:
			if (!row->undone)
				mail_add(reader, list, list->count, row, MAIL_FRIEND_REQUEST, row->target_id);
			break;
		case FEED_FRIEND_ACCEPTED:
			if (!row->undone)
				mail_add(reader, list, list->count, row, MAIL_FRIEND_ACCEPTED, row->target_id);
			break;
		case FEED_POST_CREATED:
			if (row->held)
				break;
			if (row->retweet_of_id != 0)
				mail_add(NULL, list, list->count, row, MAIL_RETWEET, row->target_id);
			else if (row->refers || row->reply_to_account_id != 0)
				post_mail(reader, row, list);
			break;
		default:
			break;
	}
}

/*
 * Adds the entries that a post makes as it is now: for whom it quotes
 * (target_id), answers and mentions.
 */
static void
post_mail(PostReader *reader, const FeedRow *row, MailList *list)
{
	int			first = list->count;
	TupleTableSlot *slot;
	bool		isnull;
	Datum		value;
	const int64 *mention_ids = NULL;
	int			num_mentions;

	slot = roost_post_read(reader, LOOKUP_POST, 1, row->post_id, 0);
	if (slot == NULL || slot_int64(slot, LOOKUP_POST, POST_AUTHOR_ID) != row->account_id)
		return;
	if (row->retweet_of_id != 0)
	{
		mail_add(reader, list, first, row, MAIL_RETWEET, row->target_id);
		return;
	}
	mail_add(reader, list, first, row, MAIL_QUOTE, row->target_id);
	mail_add(reader, list, first, row, MAIL_REPLY, row->reply_to_account_id);

	value = slot_getattr(slot, roost_post_columns(LOOKUP_POST)[POST_MENTION_IDS], &isnull);
	num_mentions = roost_post_mentioned(isnull ? (Datum) 0 : value, &mention_ids);
	for (int i = 0; i < num_mentions; i++)
		mail_add(reader, list, first, row, MAIL_MENTION, mention_ids[i]);
}

/*
 * Returns whether an account is there, and not deleted.
 */
static bool
account_exists(PostReader *reader, int64 account_id)
{
	TupleTableSlot *slot = roost_post_read(reader, LOOKUP_ACCOUNT, 1, account_id, 0);
	bool		isnull;
	text	   *status;

	if (slot == NULL)
		return false;
	status = DatumGetTextPP(slot_getattr(slot, roost_post_columns(LOOKUP_ACCOUNT)[ACCOUNT_STATUS], &isnull));
	return isnull || VARSIZE_ANY_EXHDR(status) != 7 || memcmp(VARDATA_ANY(status), "deleted", 7) != 0;
}

/*
 * Adds an entry, unless the account has done it itself or has one since
 * `first`.  With a reader, the account must exist: the act may outlive it.
 */
static void
mail_add(PostReader *reader, MailList *list, int first, const FeedRow *row, MailKind kind, int64 account_id)
{
	MailRow    *mail;

	if (account_id == 0 || account_id == row->account_id)
		return;
	for (int i = first; i < list->count; i++)
	{
		if (list->rows[i].account_id == account_id)
			return;
	}
	if (reader != NULL && !account_exists(reader, account_id))
		return;
	if (list->count == list->room)
	{
		list->room = Max(list->room * 2, 64);
		list->rows = list->rows == NULL ? palloc(list->room * sizeof(MailRow)) :
			repalloc(list->rows, list->room * sizeof(MailRow));
	}
	mail = &list->rows[list->count++];
	mail->kind = kind;
	mail->account_id = account_id;
	mail->seq = row->seq;
	mail->actor_id = row->account_id;
	mail->post_id = row->post_id;
	mail->group_id = kind == MAIL_LIKE ? row->post_id : kind == MAIL_RETWEET ? row->retweet_of_id : 0;
}

static bool
row_changes_mail(const FeedRow *row)
{
	return row->kind == FEED_POST_DELETED || row->kind == FEED_LIKE_DELETED || row->kind == FEED_FOLLOW_DELETED ||
		row->kind == FEED_REQUEST_DELETED || row->kind == FEED_ACCOUNT_DELETED || row_changes_friends(row);
}

/*
 * Returns whether a row ends a request or a friendship.
 */
static bool
row_changes_friends(const FeedRow *row)
{
	return row->kind == FEED_FRIEND_ACCEPTED || row->kind == FEED_FRIEND_REQUEST_CANCELLED ||
		row->kind == FEED_FRIEND_REQUEST_REJECTED || row->kind == FEED_FRIEND_REMOVED;
}

/*
 * Removes the entry of a request that was answered or taken back, or of a
 * friendship that was ended: of either of the two accounts.  The row names what
 * it ends (message_id), which is as old as the entry at least.
 */
static void
friend_withdraw(const FeedRow *row)
{
	MailRow		like = {.kind = row->kind == FEED_FRIEND_REMOVED ? MAIL_FRIEND_ACCEPTED : MAIL_FRIEND_REQUEST};
	int64		from_seq = roost_feed_day_since(row->message_id);

	like.actor_id = row->account_id;
	like.account_id = row->target_id;
	roost_feed_table_withdraw(&like, from_seq, row->seq, true);
	like.actor_id = row->target_id;
	like.account_id = row->account_id;
	roost_feed_table_withdraw(&like, from_seq, row->seq, true);
}

/*
 * Removes the entries of an act that was undone.
 */
static void
row_withdraw(const FeedRow *row)
{
	MailRow		like = {
		.kind = -1,
		.actor_id = row->account_id,
		.post_id = row->post_id
	};

	if (row->kind == FEED_ACCOUNT_DELETED)
	{
		roost_feed_table_leave(row->id);
		return;
	}
	if (row_changes_friends(row))
	{
		friend_withdraw(row);
		return;
	}
	if (row->kind == FEED_LIKE_DELETED)
	{
		if (row->target_id != 0 && row->target_id == row->account_id)
			return;
		like.kind = MAIL_LIKE;
	}
	if (row->kind == FEED_FOLLOW_DELETED || row->kind == FEED_REQUEST_DELETED)
	{
		like.kind = row->kind == FEED_FOLLOW_DELETED ? MAIL_FOLLOW : MAIL_REQUEST;
		like.account_id = row->target_id;
	}
	/* a post may have several, also later ones that came with an edit */
	roost_feed_table_withdraw(&like, roost_feed_day_since(row->id), row->seq,
							  row->kind != FEED_POST_DELETED || row->retweet_of_id != 0);
}

/*
 * Gives a post that was edited or released the entries that it should have now.
 * Whom it retweets, quotes or answers does not change; if the quoted post is
 * gone, the entry that is there says whose it was.
 */
static void
post_mail_again(PostReader *reader, const FeedRow *row, int64 now_us)
{
	MailRow    *old;
	int			num_old = roost_feed_table_find(row->account_id, row->post_id, &old);
	FeedRow		now = *row;
	MailList	list = {0};
	TupleTableSlot *slot = roost_post_read(reader, LOOKUP_POST, 1, row->post_id, 0);
	int64		refers_to;
	bool		hidden;
	int			num_new = 0;

	if (slot == NULL)
		return;
	hidden = post_is_hidden(slot);
	refers_to = row->retweet_of_id != 0 ? row->retweet_of_id : slot_int64(slot, LOOKUP_POST, POST_QUOTE_OF_ID);
	now.target_id = refers_to != 0 ? author_of(reader, refers_to) : 0;
	for (int i = 0; i < num_old && now.target_id == 0; i++)
	{
		if (old[i].kind == MAIL_QUOTE)
			now.target_id = old[i].account_id;
	}
	post_mail(reader, &now, &list);

	for (int i = 0; i < num_old; i++)
	{
		bool		stays = false;

		for (int k = 0; k < list.count && !stays; k++)
		{
			stays = list.rows[k].account_id == old[i].account_id && list.rows[k].kind == old[i].kind;
			if (stays)
				list.rows[k].account_id = 0;
		}
		if (!stays)
			roost_feed_table_withdraw(&old[i], old[i].seq, row->seq, true);
	}
	for (int k = 0; k < list.count && !hidden; k++)
	{
		if (list.rows[k].account_id != 0)
			list.rows[num_new++] = list.rows[k];
	}
	if (num_new > 0)
		roost_feed_table_mail(list.rows, num_new, now_us);
	CommandCounterIncrement();
}

/*
 * Returns whether the account may see what an entry is about.
 */
static bool
mail_is_visible(PostReader *reader, const MailRow *mail)
{
	const AttrNumber *post = roost_post_columns(LOOKUP_POST);
	const AttrNumber *account = roost_post_columns(LOOKUP_ACCOUNT);
	TupleTableSlot *slot = roost_post_read(reader, LOOKUP_ACCOUNT, 1, mail->actor_id, 0);
	TupleTableSlot *shown;
	bool		isnull;
	PostViewer	viewer;
	PostRule	rule = {.author_id = mail->actor_id};
	Datum		value;

	if (slot == NULL)
		return false;
	roost_viewer_begin(&viewer, reader, NULL, mail->account_id);
	rule.is_private = DatumGetBool(slot_getattr(slot, account[ACCOUNT_IS_PRIVATE], &isnull));
	rule.active = roost_post_is_active(slot_getattr(slot, account[ACCOUNT_STATUS], &isnull));
	(void) roost_post_later_value(slot, account[ACCOUNT_LIMITED_AT], &isnull);
	rule.is_limited = !isnull;

	/* what a limited account does is told to those who follow it */
	if (!rule.active || (rule.is_limited && !roost_viewer_follows(&viewer, mail->actor_id)))
		return false;
	if (mail->kind == MAIL_FOLLOW || mail->kind == MAIL_REQUEST || mail->kind == MAIL_LIKE ||
		mail->kind == MAIL_FRIEND_REQUEST || mail->kind == MAIL_FRIEND_ACCEPTED)
		return !roost_viewer_is_apart(&viewer, mail->actor_id);

	shown = roost_post_read(reader, LOOKUP_POST, 1, mail->post_id, 0);
	if (shown == NULL)
		return false;
	rule.visibility = roost_post_enum_letter(DatumGetObjectId(slot_getattr(shown, post[POST_VISIBILITY], &isnull)));
	value = roost_post_later_value(shown, post[POST_STATE], &isnull);
	rule.state = roost_post_state_letter(value, isnull);
	value = slot_getattr(shown, post[POST_MENTION_IDS], &isnull);
	rule.num_mentions = roost_post_mentioned(isnull ? (Datum) 0 : value, &rule.mention_ids);
	return roost_viewer_sees(&viewer, &rule);
}

static void
append_id(StringInfo out, const char *name, int64 id)
{
	if (id != 0)
		appendStringInfo(out, ",\"%s\":\"" INT64_FORMAT "\"", name, id);
}

/*
 * Appends the rows as JSON objects, with the entries whose account may see
 * what they are about.  One length of 0 says that there was too much.
 */
static void
doorbell_add(PostReader *reader, const FeedRow *rows, int count, const MailList *list, StringInfo doorbell)
{
	int			next = 0;

	if (doorbell->cursor < 0)
		return;
	if (count > DOORBELL_ROWS)
	{
		doorbell->cursor = -1;
		return;
	}
	for (int i = 0; i < count; i++)
	{
		const FeedRow *row = &rows[i];
		bool		first = true;

		appendStringInfo(doorbell, "%s{\"seq\":" INT64_FORMAT ",\"kind\":\"%s\"", doorbell->len > 0 ? "," : "",
						 row->seq, roost_feed_kind_names[row->kind]);
		if (row->kind == FEED_FILTER_CHANGED || row->room_id != 0)
		{
			/* whoever may connect may listen */
			appendStringInfoChar(doorbell, '}');
			while (next < list->count && list->rows[next].seq == row->seq)
				next++;
			continue;
		}
		append_id(doorbell, "account_id", row->account_id);
		append_id(doorbell, "post_id", row->post_id);
		if (row->author_id != row->account_id)
			append_id(doorbell, "author_id", row->author_id);
		append_id(doorbell, "target_id", row->target_id);
		append_id(doorbell, "retweet_of_id", row->retweet_of_id);
		append_id(doorbell, "reply_to_account_id", row->reply_to_account_id);
		for (; next < list->count && list->rows[next].seq == row->seq; next++)
		{
			const MailRow *mail = &list->rows[next];

			if (!mail_is_visible(reader, mail))
				continue;
			appendStringInfo(doorbell, "%s[\"" INT64_FORMAT "\",\"%s\"]", first ? ",\"to\":[" : ",",
							 mail->account_id, roost_mail_kind_names[mail->kind]);
			first = false;
		}
		appendStringInfoString(doorbell, first ? "}" : "]}");
		if (doorbell->len > DOORBELL_MAX)
		{
			doorbell->cursor = -1;
			return;
		}
	}
}
