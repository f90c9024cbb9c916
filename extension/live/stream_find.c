/*-------------------------------------------------------------------------
 *
 * stream_find.c
 *		Finds the rows of the log that may be among what somebody has missed.
 *
 * A piece is found in one of two ways.  Either row by row: each one costs less
 * than a microsecond, but all of them must be looked at.  Or by the indexes:
 * what each of the accounts did, what was told to each room, and the mailbox;
 * that costs some microseconds for each, however long the log is.  The indexes are used where the
 * rest of the partition is longer than they cost, unless there is a channel
 * that they do not help to find (posts, hashtags, public).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "live/stream_resume.h"

#define RESUME_SHORT		1024	/* so many rows are read one by one */

static bool resume_by_index(const Resume *resume, int64 *upto);
static int64 resume_walk(Resume *resume);
static int64 resume_gather(Resume *resume, int64 upto);
static int64 resume_gather_order(Resume *resume, LogOrder order, int64 id, int64 allowed, int64 upto);
static int64 resume_gather_mailbox(Resume *resume, int64 upto);
static int64 resume_add(Resume *resume, const LogRow *row, int64 upto);
static bool resume_may_want(Resume *resume, const LogRow *row);
static bool resume_has_post(const Resume *resume, int64 post_id);

/*
 * Returns the entry of an account whose acts may be wanted.
 */
Source *
roost_resume_source(Resume *resume, int64 account_id)
{
	bool		found;
	Source	   *source = hash_search(resume->sources, &account_id, HASH_ENTER, &found);

	if (!found)
		source->followed = source->channel = false;
	source->wanted = true;
	return source;
}

/*
 * Returns the entry of an account if its acts may be wanted, or NULL.
 */
const Source *
roost_resume_known(Resume *resume, int64 account_id)
{
	bool		found;
	Source	   *source;

	if (!resume->many)
		return hash_search(resume->sources, &account_id, HASH_FIND, NULL);
	source = hash_search(resume->sources, &account_id, HASH_ENTER, &found);
	if (!found)
	{
		source->channel = false;
		source->wanted = source->followed = roost_page_follows(resume->reader.page, resume->account_id, account_id);
		resume->budget -= RESUME_COST_SOURCE;
	}
	return source->wanted ? source : NULL;
}

/*
 * Finds the next piece; returns up to which seq the rows are all there.
 */
int64
roost_resume_find(Resume *resume)
{
	int64		upto = resume->last_seq;

	resume->num_rows = 0;
	return resume_by_index(resume, &upto) ? resume_gather(resume, upto) : resume_walk(resume);
}

/*
 * Returns whether the next piece is found by indexes, and where it ends then:
 * with the partition.
 */
static bool
resume_by_index(const Resume *resume, int64 *upto)
{
	int64		rest;

	if (resume->public || resume->hashtags || resume->num_posts > 0 || resume->many)
		return false;
	*upto = Min(*upto, roost_log_part_end(&resume->reader.log, resume->seq + 1));
	rest = *upto - resume->seq;
	return rest > RESUME_SHORT && rest > (hash_get_num_entries(resume->sources) + resume->num_rooms) * RESUME_COST_SOURCE;
}

/*
 * Collects rows one after the other; returns up to which seq.
 */
static int64
resume_walk(Resume *resume)
{
	LogReader  *log = &resume->reader.log;
	LogRow		row = {.seq = resume->seq};
	LogRow		mail = {.seq = 0};
	bool		more = true;

	roost_log_seek(log, LOG_BY_SEQ, 0, resume->seq);
	if (resume->notifications)
	{
		roost_log_seek(log, LOG_BY_MAILBOX, resume->account_id, resume->seq);
		more = roost_log_next(log, LOG_BY_MAILBOX, &mail);
	}
	while (resume->num_rows < resume->limit && resume->budget-- > 0)
	{
		CHECK_FOR_INTERRUPTS();
		if (!roost_log_next(log, LOG_BY_SEQ, &row))
			return resume->last_seq;
		while (resume->notifications && more && mail.seq < row.seq)
			more = roost_log_next(log, LOG_BY_MAILBOX, &mail);
		if (resume_may_want(resume, &row) || (resume->notifications && more && mail.seq == row.seq))
		{
			resume->rows[resume->num_rows++] = row;
			resume->budget -= RESUME_COST_LOOK;
		}
	}
	return row.seq;
}

/*
 * Collects the first rows that the indexes show, up to a seq; returns up to
 * which seq they are all.
 */
static int64
resume_gather(Resume *resume, int64 upto)
{
	HASH_SEQ_STATUS status;
	Source	   *source;

	hash_seq_init(&status, resume->sources);
	while ((source = hash_seq_search(&status)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		upto = resume_gather_order(resume, LOG_BY_ACCOUNT, source->account_id, RESUME_COST_SOURCE, upto);
	}
	for (int i = 0; i < resume->num_rooms; i++)
	{
		CHECK_FOR_INTERRUPTS();
		upto = resume_gather_order(resume, LOG_BY_ROOM, resume->rooms[i].id, resume->limit, upto);
	}
	if (resume->messages || resume->notifications || resume->num_conversations > 0)
		upto = resume_gather_order(resume, LOG_BY_ROOM, resume->account_id, resume->limit, upto);
	if (resume->messages && !resume->home)
		upto = resume_gather_order(resume, LOG_BY_ACCOUNT, resume->account_id, resume->limit, upto);
	if (resume->notifications)
		upto = resume_gather_mailbox(resume, upto);
	while (resume->num_rows > 0 && resume->rows[resume->num_rows - 1].seq > upto)
		resume->num_rows--;
	return upto;
}

/*
 * Adds what an account did, or was told to a room.  When that is very much, the
 * piece ends there; not before so many rows as are allowed in any case.
 */
static int64
resume_gather_order(Resume *resume, LogOrder order, int64 id, int64 allowed, int64 upto)
{
	LogReader  *log = &resume->reader.log;
	LogRow		row;

	allowed = Max(resume->budget, allowed);
	resume->budget -= RESUME_COST_SOURCE;
	roost_log_seek(log, order, id, resume->seq);
	while (roost_log_next(log, order, &row) && row.seq <= upto)
	{
		if (resume_may_want(resume, &row))
			upto = resume_add(resume, &row, upto);
		resume->budget--;
		if (--allowed <= 0)
			return Min(upto, row.seq);
	}
	return upto;
}

/*
 * Adds the rows that have an entry in the mailbox.
 */
static int64
resume_gather_mailbox(Resume *resume, int64 upto)
{
	LogReader  *log = &resume->reader.log;
	LogRow		mail;
	LogRow		row;

	roost_log_seek(log, LOG_BY_MAILBOX, resume->account_id, resume->seq);
	while (roost_log_next(log, LOG_BY_MAILBOX, &mail) && mail.seq <= upto)
	{
		roost_log_seek(log, LOG_BY_SEQ, 0, mail.seq - 1);
		if (roost_log_next(log, LOG_BY_SEQ, &row) && row.seq == mail.seq)
			upto = resume_add(resume, &row, upto);
		resume->budget -= RESUME_COST_SOURCE;
	}
	return upto;
}

/*
 * Adds a row in its place, unless it is there.  When there are too many, the
 * last one goes, and the piece ends before it.
 */
static int64
resume_add(Resume *resume, const LogRow *row, int64 upto)
{
	int			low = 0;
	int			high = resume->num_rows;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (resume->rows[middle].seq < row->seq)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < resume->num_rows && resume->rows[low].seq == row->seq)
		return upto;
	if (resume->num_rows == resume->limit)
	{
		upto = Min(upto, low == resume->num_rows ? row->seq - 1 : resume->rows[resume->num_rows - 1].seq - 1);
		if (low == resume->num_rows)
			return upto;
		resume->num_rows--;
	}
	resume->budget -= RESUME_COST_LOOK;
	memmove(&resume->rows[low + 1], &resume->rows[low], (resume->num_rows - low) * sizeof(LogRow));
	resume->rows[low] = *row;
	resume->num_rows++;
	return upto;
}

/*
 * Returns whether the event of a row may be wanted, as far as the row says.
 */
static bool
resume_may_want(Resume *resume, const LogRow *row)
{
	const Source *source;

	if (row->room_id != 0)
		return roost_resume_room(resume, row);
	switch (row->kind)
	{
		case FEED_POST_CREATED:
		case FEED_POST_UPDATED:
		case FEED_POST_DELETED:
		case FEED_POST_HIDDEN:
		case FEED_POST_RELEASED:
			if (roost_resume_known(resume, row->account_id) != NULL)
				return true;
			if (resume->num_posts > 0 && (row->kind != FEED_POST_CREATED && row->kind != FEED_POST_RELEASED ? resume_has_post(resume, row->post_id) :
										  row->reply_to_account_id != 0 || resume_has_post(resume, row->retweet_of_id)))
				return true;
			if (resume->hashtags && row->kind != FEED_POST_DELETED && row->retweet_of_id == 0)
				return true;
			return resume->public && row->retweet_of_id == 0;
		case FEED_LIKE_CREATED:
		case FEED_LIKE_DELETED:
			return (resume->home && row->account_id == resume->account_id) ||
				(resume->notifications && row->target_id == resume->account_id) ||
				resume_has_post(resume, row->post_id);
		case FEED_FOLLOW_CREATED:
		case FEED_FOLLOW_DELETED:
		case FEED_REQUEST_CREATED:
			return (resume->home && row->account_id == resume->account_id) ||
				(resume->notifications && row->target_id == resume->account_id);
		case FEED_ACCOUNT_UPDATED:
		case FEED_ACCOUNT_DELETED:
			source = roost_resume_known(resume, row->account_id);
			return (source != NULL && source->channel) || (resume->home && row->account_id == resume->account_id);
		case FEED_FILTER_CHANGED:
			return resume->home && row->account_id == resume->account_id;
		default:
			break;
	}
	return false;
}

static bool
resume_has_post(const Resume *resume, int64 post_id)
{
	for (int i = 0; i < resume->num_posts; i++)
	{
		if (resume->post_ids[i] == post_id)
			return true;
	}
	return false;
}
