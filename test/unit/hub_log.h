/*-------------------------------------------------------------------------
 *
 * hub_log.h
 *		A log for the hub, made here: rows, and what they say at present.
 *
 * Rows are made up in events[].  Who follows whom, has muted words or is apart
 * is what the rows say, and may be taken back with them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef HUB_LOG_H
#define HUB_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCOUNTS 6				/* of clients, numbered from 1 */
#define AUTHORS 40				/* they and others */
#define LOG_SIZE 40000

static unsigned long random_state;

/* Returns a number below a limit. */
static unsigned
pick(unsigned limit)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return (unsigned) (random_state >> 33) % limit;
}

/* Returns true so many times of a thousand. */
static bool
chance(unsigned permille)
{
	return pick(1000) < permille;
}

typedef struct Event
{
	const char *event;			/* NULL: nothing */
	bool		everyone;
	int			author;			/* home_id; 0: none */
	int			account;		/* account_ids; 0: none */
	int			target;			/* target_ids; 0: none */
	int			mailed;			/* bit n: notify has account n */
	char		topics[96];
	int			follower;		/* 0: none */
	int			followee;
	bool		follows;
	int64_t		revoked;
	bool		lost;			/* the follow has been lost */
	int			filter;			/* who has changed what it filters; 0: nobody */
	int			filtered;		/* about whom; 0: words */
	bool		room;			/* for those who are told */
	int			told;			/* bit n: account n */
} Event;

static Event events[LOG_SIZE];
static int64_t log_epoch;
static int64_t log_first;
static int64_t log_last;
static bool follows_now[AUTHORS + 1][AUTHORS + 1];
static unsigned follows;		/* of a thousand rows */
static int64_t home_reached[ACCOUNTS + 1][LOG_SIZE];	/* by row: how new the
														 * newest home is by
														 * which it may have
														 * been given */

static bool words_now[ACCOUNTS + 1];	/* accounts with muted words */
static int64_t words_at[ACCOUNTS + 1];	/* the row that said so last */
static int64_t apart_at[AUTHORS + 1][AUTHORS + 1];	/* the row with which two
													 * are apart; 0: they are
													 * not */

/* Returns whether somebody is apart from an author. */
static bool
is_apart(int author)
{
	for (int other = 1; other <= AUTHORS; other++)
		if (apart_at[author][other])
			return true;
	return false;
}

/* Returns whether a row is for all accounts at present, but for their words. */
static bool
for_everyone(int64_t seq)
{
	return events[seq].everyone && !is_apart(events[seq].account);
}

/*
 * Returns whether a filter keeps a row from an account at present, and the row
 * that has changed that last.
 */
static bool
is_filtered(int64_t seq, int64_t account, int64_t *changed)
{
	const Event *event = &events[seq];

	*changed = 0;
	if (account == 0 || event->account == account || event->event == NULL || *event->event != 't')
		return false;
	*changed = apart_at[event->account][account];
	if (*changed)
		return true;
	if ((seq * 3 + account) % 4 != 0)
		return false;
	*changed = words_at[account];
	return words_now[account];
}

/* Returns whether an account may see a row that is not for everyone. */
static bool
may_see(int64_t seq, int64_t account)
{
	return account > 0 && (seq * 7 + account * 3) % 5 < 3;
}

/* Returns whether an account wants an entry. */
static bool
wants(int64_t seq, int64_t account)
{
	return (seq + account) % 3 != 0;
}

/* Logs a row. */
static void
log_row(void)
{
	Event	   *event = &events[++log_last];
	int			author = 1 + (int) pick(chance(500) ? ACCOUNTS : AUTHORS);
	int			other = 1 + (int) pick(AUTHORS);

	if (log_last >= LOG_SIZE)
		abort();
	memset(event, 0, sizeof(*event));
	if (chance(follows))
	{
		event->follower = author;
		event->followee = 1 + (int) pick(AUTHORS);
		event->follows = !follows_now[event->follower][event->followee];
		follows_now[event->follower][event->followee] = event->follows;
		event->lost = chance(50);
		if (event->lost)
			return;
		event->event = chance(700) ? "user:followed" : NULL;
		event->everyone = true;
		event->account = author;
		event->target = event->followee;
	}
	else if (chance(4) && author <= ACCOUNTS && author != other && !apart_at[author][other])
	{
		event->filter = chance(500) ? author : other;
		event->filtered = author + other - event->filter;
		apart_at[author][other] = apart_at[other][author] = log_last;
		event->event = chance(500) ? "relationship:changed" : NULL;
		event->everyone = true;
		event->account = event->filter;
	}
	else if (chance(20) && author <= ACCOUNTS)
	{
		event->filter = author;
		words_now[author] = !words_now[author];
		words_at[author] = log_last;
	}
	else if (chance(50))
		return;
	else if (chance(200))
	{
		event->room = true;
		event->event = chance(900) ? "message:received" : NULL;
		event->everyone = true;
		event->told = (int) pick((1 << ACCOUNTS) - 1) + 1;
		if (event->event && chance(150))
		{
			event->event = "notification:read";
			event->told = 1 << pick(ACCOUNTS);
			strcpy(event->topics, "notifications");
		}
		else if (chance(700))
			snprintf(event->topics, sizeof(event->topics), "conversation:%u", pick(3) + 1);
	}
	else
	{
		event->event = chance(800) ? "tweet:new" : "tweet:liked";
		event->everyone = chance(700);
		event->author = chance(800) ? author : 0;
		event->account = author;
		event->target = chance(200) ? 1 + (int) pick(ACCOUNTS) : 0;
		snprintf(event->topics, sizeof(event->topics), "user:%d post:%u%s%s", author, pick(5) + 1, chance(300) ? " hashtag:x" : "",
				 event->everyone ? " public" : "");
	}
	if (chance(300))
		event->mailed = (int) pick(1 << ACCOUNTS) << 1;
	if (event->target && event->target <= ACCOUNTS)
		event->mailed |= 1 << event->target;
}

/* Takes a row back from what is known of filters. */
static void
filters_undo(const Event *event)
{
	if (event->filter == 0)
		return;
	if (event->filtered == 0)
		words_now[event->filter] = !words_now[event->filter];
	else
		apart_at[event->filter][event->filtered] = apart_at[event->filtered][event->filter] = 0;
}

/* Takes a row back from what is known of follows, or applies it. */
static void
follows_change(bool state[AUTHORS + 1][AUTHORS + 1], const Event *event, bool back)
{
	if (event->follower)
		state[event->follower][event->followee] = event->follows != back;
}

#endif							/* HUB_LOG_H */
