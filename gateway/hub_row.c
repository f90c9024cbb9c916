/*-------------------------------------------------------------------------
 *
 * hub_row.c
 *		The rows of the log that were read last.
 *
 * They are one stretch without gaps, at most ROWS of them, in a ring by their
 * numbers.  While they take more than ROWS_BYTES the oldest ones go, but none
 * that is still to be delivered.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "hub_internal.h"

#define ROWS 1024
#define ROWS_BYTES (8 * 1024 * 1024)

/* Columns of STATEMENT_STREAM_READ */
enum
{
	COLUMN_SEQ, COLUMN_EVENT, COLUMN_EVERYONE, COLUMN_STRANGERS, COLUMN_HOME_ID, COLUMN_TOPICS, COLUMN_ACCOUNT_IDS, COLUMN_TARGET_IDS,
	COLUMN_NOTIFY, COLUMN_FOLLOW, COLUMN_FILTER, COLUMN_REVOKED, COLUMN_TOUCHED, COLUMN_HARD, COLUMN_LOST,
	COLUMN_ROOM, COLUMN_TOLD, COLUMN_DATA, COLUMNS
};

static HubRow *rows[ROWS];
static int64_t first = 1;
static int64_t last = 0;
static size_t bytes;

/* Returns whether a column is true. */
static bool
column_is_true(const PGresult *result, int line, int column)
{
	return *PQgetvalue(result, line, column) == 't';
}

/* Returns the number in a column, 0 for null. */
static int64_t
column_number(const PGresult *result, int line, int column)
{
	return strtoll(PQgetvalue(result, line, column), NULL, 10);
}

/* The texts of a row. */
static const struct
{
	int			column;
	size_t		field;
}			texts[] = {
	{COLUMN_EVENT, offsetof(HubRow, event)},
	{COLUMN_TOPICS, offsetof(HubRow, topics)},
	{COLUMN_ACCOUNT_IDS, offsetof(HubRow, account_ids)},
	{COLUMN_TARGET_IDS, offsetof(HubRow, target_ids)},
	{COLUMN_NOTIFY, offsetof(HubRow, notify)},
	{COLUMN_FOLLOW, offsetof(HubRow, follow)},
	{COLUMN_FILTER, offsetof(HubRow, filter)},
	{COLUMN_TOUCHED, offsetof(HubRow, touched)},
};

/* Returns how much memory a row takes. */
static size_t
row_bytes(const HubRow *row)
{
	return row->size + row->told_length + row->data_length;
}

/* Gives a row what its event says. */
static void
data_copy(HubRow *row, const char *data, size_t length)
{
	row->data = memory_resize(NULL, length + 1);
	memcpy(row->data, data, length + 1);
	row->data_length = length;
}

/* Gives a row of a room the accounts that are told. */
static void
told_copy(HubRow *row, const char *told, size_t length)
{
	row->told = memory_resize(row->told, length + 1);
	memcpy(row->told, told, length + 1);
	row->told_length = length;
}

/* Makes a row of a line of an answer; NULL if that has other columns. */
HubRow *
row_make(const PGresult *result, int line)
{
	size_t		size = sizeof(HubRow);
	HubRow	   *row;
	char	   *end;

	if (PQnfields(result) != COLUMNS)
		return NULL;
	for (size_t i = 0; i < lengthof(texts); i++)
		size += (size_t) PQgetlength(result, line, texts[i].column) + 1;
	row = memory_new(size);
	row->size = size;
	end = row->texts;
	for (size_t i = 0; i < lengthof(texts); i++)
	{
		size_t		length = (size_t) PQgetlength(result, line, texts[i].column);

		memcpy(end, PQgetvalue(result, line, texts[i].column), length + 1);
		*(const char **) ((char *) row + texts[i].field) = end;
		end += length + 1;
	}
	if (*row->event == '\0')
		row->event = NULL;
	row->seq = column_number(result, line, COLUMN_SEQ);
	row->home_id = column_number(result, line, COLUMN_HOME_ID);
	row->revoked = column_number(result, line, COLUMN_REVOKED);
	row->everyone = column_is_true(result, line, COLUMN_EVERYONE);
	row->strangers = column_is_true(result, line, COLUMN_STRANGERS);
	row->hard = column_is_true(result, line, COLUMN_HARD);
	row->lost = column_is_true(result, line, COLUMN_LOST);
	row->room = column_is_true(result, line, COLUMN_ROOM);
	if (PQgetlength(result, line, COLUMN_TOLD) > 0)
	{
		row->fresh = true;
		told_copy(row, PQgetvalue(result, line, COLUMN_TOLD), (size_t) PQgetlength(result, line, COLUMN_TOLD));
	}
	if (PQgetlength(result, line, COLUMN_DATA) > 0)
		data_copy(row, PQgetvalue(result, line, COLUMN_DATA), (size_t) PQgetlength(result, line, COLUMN_DATA));
	return row;
}

/* Gives a row that is in memory what its event says. */
void
row_set_data(HubRow *row, const char *data, size_t length)
{
	if (row->data)
		return;
	data_copy(row, data, length);
	bytes += length;
}

/* Gives a row of a room that is in memory the accounts that are told. */
void
row_set_told(HubRow *row, const char *told, size_t length)
{
	bytes -= row->told_length;
	told_copy(row, told, length);
	bytes += length;
}

/* Takes both away again. */
void
row_drop_data(HubRow *row)
{
	bytes -= row->told_length + row->data_length;
	free(row->told);
	free(row->data);
	row->told = row->data = NULL;
	row->told_length = row->data_length = 0;
}

/* Lets go of a row. */
void
row_free(HubRow *row)
{
	if (row == NULL)
		return;
	free(row->told);
	free(row->data);
	free(row);
}

/* Drops the oldest row. */
static void
rows_drop(void)
{
	HubRow	   *row = rows[first % ROWS];

	bytes -= row_bytes(row);
	row_free(row);
	rows[first++ % ROWS] = NULL;
}

/* Adds the row after the last one; whoever reads keeps what is to be delivered far below ROWS. */
void
rows_add(HubRow *row)
{
	while (last - first + 1 >= ROWS || (bytes + row_bytes(row) > ROWS_BYTES && first <= last && first <= hub.position))
		rows_drop();
	rows[++last % ROWS] = row;
	bytes += row_bytes(row);
}

/* Forgets all rows; the next one comes after seq. */
void
rows_clear(int64_t seq)
{
	while (first <= last)
		rows_drop();
	last = seq;
	first = seq + 1;
}

/* Returns a row that is in memory. */
HubRow *
rows_get(int64_t seq)
{
	return rows[seq % ROWS];
}

/* Returns the channel that only some of those who get a row have it in. */
const char *
row_own_channel(const HubRow *row)
{
	return channel_flag_name(row->room ? HUB_MESSAGES : HUB_HOME);
}

/* Returns the number of the oldest row; it is last + 1 if there is none. */
int64_t
rows_first(void)
{
	return first;
}

/* Returns how far the log has been read. */
int64_t
rows_last(void)
{
	return last;
}

/* Reads the next id of a list with spaces between; returns false at its end. */
bool
id_next(const char **list, int64_t *id)
{
	char	   *end;

	*id = strtoll(*list, &end, 10);
	if (end == *list)
		return false;
	*list = end;
	return true;
}

/* Returns whether an id is in such a list. */
bool
id_is_in(const char *list, int64_t wanted)
{
	int64_t		id;

	while (id_next(&list, &id))
		if (id == wanted)
			return true;
	return false;
}

/* Compares two ids. */
int
id_compare(const void *left, const void *right)
{
	int64_t		a = *(const int64_t *) left;
	int64_t		b = *(const int64_t *) right;

	return (a > b) - (a < b);
}

/* Returns the next word of a list with spaces between, or NULL at its end. */
const char *
word_next(const char **list, size_t *length)
{
	const char *word = *list + strspn(*list, " ");

	*length = strcspn(word, " ");
	*list = word + *length;
	return *length > 0 ? word : NULL;
}
