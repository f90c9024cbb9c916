/*-------------------------------------------------------------------------
 *
 * hub_home.c
 *		Who of the accounts that are here follows whom.
 *
 * For every account with a subscriber on `home` or `presence`: whom it
 * follows, and the other way round, for every author whom of those that are
 * here follows.  An edge stands in both lists and knows its place in the other
 * one, so it goes in no time, however long they are; 16 bytes.  It is looked
 * for in the shorter list.
 *
 * The ids are read once, HOMES_AT_ONCE accounts at the same time, and are as
 * new as a row of the log, which is told with them; later rows are applied
 * when their batch begins.  If the hub is beyond that row already, the rows
 * between are applied at once; if they are not in memory any more, it asks
 * again.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include "hub_internal.h"
#include "log.h"
#include "metrics.h"

#define HOMES_AT_ONCE 4
#define EDGES_MIN 2

/* Somebody whom an account here follows. */
typedef struct HubAuthor
{
	MapEntry	entry;
	int64_t		id;
	uint32_t	number;
	HubEdges	followers;
} HubAuthor;

/* Small numbers for objects. */
typedef struct Numbers
{
	void	  **objects;
	uint32_t	size;
	uint32_t   *spare;			/* those that are not in use */
	uint32_t	spares;
} Numbers;

typedef struct HomeQuery
{
	PoolQuery	query;
	bool		busy;
	HubAccount *account;		/* NULL: it does not need it any more */
	char		id[24];
} HomeQuery;

static Map	authors;
static Numbers author_numbers;
static Numbers account_numbers;
static HomeQuery queries[HOMES_AT_ONCE];
static List waiting;			/* HubAccount.home_node */
static double not_before;
static int	failures;

/* Gives an object a number. */
static uint32_t
number_take(Numbers *numbers, void *object)
{
	uint32_t	number;

	if (numbers->spares == 0)
	{
		uint32_t	size = Max(numbers->size * 2, 64);

		numbers->objects = memory_resize(numbers->objects, sizeof(void *) * size);
		numbers->spare = memory_resize(numbers->spare, sizeof(uint32_t) * size);
		for (uint32_t i = size; i > numbers->size; i--)
			numbers->spare[numbers->spares++] = i - 1;
		numbers->size = size;
	}
	number = numbers->spare[--numbers->spares];
	numbers->objects[number] = object;
	return number;
}

/* Takes a number back. */
static void
number_return(Numbers *numbers, uint32_t number)
{
	numbers->objects[number] = NULL;
	numbers->spare[numbers->spares++] = number;
}

/* Gives a list room for so many edges. */
static void
edges_resize(HubEdges *edges, uint32_t size)
{
	edges->list = memory_resize(edges->list, sizeof(HubEdge) * size);
	edges->size = size;
}

/* Adds an edge to one list. */
static void
edges_push(HubEdges *edges, HubEdge edge)
{
	if (edges->count == edges->size)
		edges_resize(edges, Max(edges->size * 2, EDGES_MIN));
	edges->list[edges->count++] = edge;
}

/*
 * Takes an edge out of one list; the last one gets its place.  Returns whether
 * that is another one, which must be told.
 */
static bool
edges_pull(HubEdges *edges, uint32_t place)
{
	edges->list[place] = edges->list[--edges->count];
	if (edges->size > 4 * EDGES_MIN && edges->count <= edges->size / 4)
		edges_resize(edges, edges->size / 2);
	return place < edges->count;
}

/* Returns an author whom somebody here follows, or NULL. */
static HubAuthor *
author_find(int64_t id)
{
	MapEntry   *entry = map_first(&authors, map_hash_number(id));

	while (entry && container_of(entry, HubAuthor, entry)->id != id)
		entry = map_next(entry);
	return entry ? container_of(entry, HubAuthor, entry) : NULL;
}

/* Adds "account follows author". */
static void
edge_add(HubAccount *account, int64_t author_id)
{
	HubAuthor  *author = author_find(author_id);
	HubEdge		there;
	HubEdge		back;

	if (author == NULL)
	{
		author = memory_new(sizeof(HubAuthor));
		author->id = author_id;
		author->number = number_take(&author_numbers, author);
		map_add(&authors, &author->entry, map_hash_number(author_id));
	}
	there = (HubEdge) {author->number, author->followers.count};
	back = (HubEdge) {account->number, account->followees.count};
	edges_push(&account->followees, there);
	edges_push(&author->followers, back);
	metrics->hub_edges++;
}

/* Takes the edge at a place of an account's list away. */
static void
edge_remove(HubAccount *account, uint32_t place)
{
	HubEdge		edge = account->followees.list[place];
	HubAuthor  *author = author_numbers.objects[edge.other];

	if (edges_pull(&author->followers, edge.place))
	{
		HubEdge		moved = author->followers.list[edge.place];

		((HubAccount *) account_numbers.objects[moved.other])->followees.list[moved.place].place = edge.place;
	}
	if (edges_pull(&account->followees, place))
	{
		HubEdge		moved = account->followees.list[place];

		((HubAuthor *) author_numbers.objects[moved.other])->followers.list[moved.place].place = place;
	}
	metrics->hub_edges--;
	if (author->followers.count > 0)
		return;
	map_remove(&authors, &author->entry);
	number_return(&author_numbers, author->number);
	free(author->followers.list);
	free(author);
}

/* Returns the place of an author in an account's list, or -1. */
static int64_t
edge_find(const HubAccount *account, int64_t author_id)
{
	const HubAuthor *author = author_find(author_id);

	if (author == NULL)
		return -1;
	if (author->followers.count < account->followees.count)
	{
		for (uint32_t i = 0; i < author->followers.count; i++)
			if (author->followers.list[i].other == account->number)
				return author->followers.list[i].place;
		return -1;
	}
	for (uint32_t i = 0; i < account->followees.count; i++)
		if (account->followees.list[i].other == author->number)
			return i;
	return -1;
}

/* Takes all edges of an account away. */
static void
edges_clear(HubAccount *account)
{
	while (account->followees.count > 0)
		edge_remove(account, account->followees.count - 1);
	free(account->followees.list);
	account->followees = (HubEdges) {0};
}

/* Enters an account into the queue of those to be asked for. */
static void
home_wait(HubAccount *account)
{
	account->home = HOME_WAITING;
	list_append(&waiting, &account->home_node);
	hub_soon();
}

/* Somebody needs to know whom an account follows. */
void
home_need(HubAccount *account)
{
	if (account->home != HOME_NONE)
		return;
	account->number = number_take(&account_numbers, account);
	home_wait(account);
}

/* Whatever is kept or asked of an account is void. */
static void
home_void(HubAccount *account)
{
	if (account->home == HOME_WAITING)
		list_remove(&waiting, &account->home_node);
	for (int i = 0; i < HOMES_AT_ONCE; i++)
		if (queries[i].account == account)
			queries[i].account = NULL;
	edges_clear(account);
}

/* Nobody needs it any more. */
void
home_release(HubAccount *account)
{
	if (account->home == HOME_NONE)
		return;
	home_void(account);
	number_return(&account_numbers, account->number);
	account->home = HOME_NONE;
}

/* Reads an account anew, if it is needed. */
static void
home_forget(HubAccount *account)
{
	if (account->home == HOME_NONE)
		return;
	home_void(account);
	home_wait(account);
}

/* Reads all of them anew. */
void
home_forget_all(void)
{
	account_each(home_forget);
}

/* Returns whether it is not known yet whom a subscriber follows that needs it. */
bool
home_is_missing(const Subscriber *subscriber)
{
	return (subscriber->flags & HUB_HOMES) && subscriber->account->home != HOME_READY;
}

/* Calls a function for all accounts of which it is needed and not known yet whom they follow. */
void
home_each_missing(void (*called) (HubAccount *account, void *argument), void *argument)
{
	for (ListNode *node = waiting.head.next; node != &waiting.head; node = node->next)
		called(container_of(node, HubAccount, home_node), argument);
	for (int i = 0; i < HOMES_AT_ONCE; i++)
		if (queries[i].account)
			called(queries[i].account, argument);
}

/* Reads what a row says about who follows whom: "+ 1 2". */
static bool
follow_parse(const HubRow *row, int64_t *follower, int64_t *followee)
{
	const char *rest = row->follow + 1;

	return (*row->follow == '+' || *row->follow == '-') && id_next(&rest, follower) && id_next(&rest, followee);
}

/* Applies a row to an account. */
static void
home_change(HubAccount *account, bool follows, int64_t followee)
{
	int64_t		place = edge_find(account, followee);

	if (follows && place < 0)
		edge_add(account, followee);
	else if (!follows && place >= 0)
		edge_remove(account, (uint32_t) place);
}

/* Returns whether a row may have changed whom an account follows. */
bool
home_may_change(const HubRow *row, int64_t account_id)
{
	int64_t		follower;
	int64_t		followee;

	return row->lost || (follow_parse(row, &follower, &followee) && follower == account_id);
}

/* Returns whether a row changes what is known here. */
bool
home_concerns(const HubRow *row)
{
	int64_t		follower;
	int64_t		followee;
	const HubAccount *account;

	if (!follow_parse(row, &follower, &followee))
		return false;
	account = account_find(follower);
	return account && account->home == HOME_READY && row->seq > account->home_seq;
}

/* Applies a row. */
void
home_apply(const HubRow *row)
{
	int64_t		follower;
	int64_t		followee;

	if (home_concerns(row) && follow_parse(row, &follower, &followee))
		home_change(account_find(follower), *row->follow == '+', followee);
}

/* Takes what an account follows, as of a row. */
static void
home_take(HubAccount *account, int64_t seq, const char *ids)
{
	const char *list = ids;
	uint32_t	count = 0;
	ListNode   *head = &account->subscribers.head;
	int64_t		id;

	if (seq < hub.front && rows_first() > seq + 1)
	{
		home_wait(account);
		return;
	}
	while (id_next(&list, &id))
		count++;
	if (count > 0)
		edges_resize(&account->followees, count);
	while (id_next(&ids, &id))
		edge_add(account, id);
	account->home = HOME_READY;
	account->home_seq = seq;
	for (int64_t s = seq + 1; s <= hub.front; s++)
	{
		const HubRow *row = rows_get(s);
		int64_t		follower;

		if (follow_parse(row, &follower, &id) && follower == account->id)
			home_change(account, *row->follow == '+', id);
	}
	for (ListNode *node = head->next; node != head; node = node->next)
		catchup_home(container_of(node, Subscriber, account_node));
}

/* It could not be read: tries again later. */
static void
home_retry(HomeQuery *asked)
{
	HubAccount *account = asked->account;

	asked->account = NULL;
	not_before = ev_now(hub.loop) + hub_retry_pause(failures++);
	if (account)
		home_wait(account);
}

/* The database has answered. */
static void
on_home(PoolQuery *query, const PGresult *result)
{
	HomeQuery  *asked = container_of(query, HomeQuery, query);
	HubAccount *account = asked->account;

	asked->busy = false;
	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
	{
		log_error("could not read whom an account follows: %s", PQresultErrorMessage(result));
		home_retry(asked);
		return;
	}
	failures = 0;
	asked->account = NULL;
	if (account)
		home_take(account, strtoll(PQgetvalue(result, 0, 0), NULL, 10), PQgetvalue(result, 0, 1));
	hub_soon();
}

/* The database cannot be reached. */
static void
on_home_failure(PoolQuery *query, PoolFailure failure)
{
	HomeQuery  *asked = container_of(query, HomeQuery, query);

	asked->busy = false;
	home_retry(asked);
}

/* Asks for the account that has waited longest. */
static void
home_ask(HomeQuery *asked)
{
	HubAccount *account = container_of(list_first(&waiting), HubAccount, home_node);

	list_remove(&waiting, &account->home_node);
	account->home = HOME_ASKED;
	asked->account = account;
	asked->busy = true;
	snprintf(asked->id, sizeof(asked->id), "%lld", (long long) account->id);
	asked->query = (PoolQuery)
	{
		.statement = STATEMENT_STREAM_HOME,.values =
		{
			asked->id
		},.on_result = on_home,.on_failure = on_home_failure
	};
	metrics->hub_questions++;
	pool_submit(LANE_FAST, &asked->query);
}

/* Asks for accounts that wait, as far as there is room. */
void
home_run(void)
{
	if (hub.epoch == 0)
		return;
	for (int i = 0; i < HOMES_AT_ONCE; i++)
		if (waiting.count > 0 && !queries[i].busy && ev_now(hub.loop) >= not_before)
			home_ask(&queries[i]);
}

/* Returns those here who follow an author, or NULL. */
const HubEdges *
home_followers(int64_t author_id)
{
	const HubAuthor *author = author_id ? author_find(author_id) : NULL;

	return author ? &author->followers : NULL;
}

/* Returns the account at the end of an edge. */
HubAccount *
home_account(const HubEdge *edge)
{
	return account_numbers.objects[edge->other];
}

/* Returns whether an account follows somebody. */
bool
home_follows(const HubAccount *account, int64_t author_id)
{
	return author_id != 0 && account->home == HOME_READY && edge_find(account, author_id) >= 0;
}

/* Begins with nothing. */
void
home_start(void)
{
	list_init(&waiting);
}
