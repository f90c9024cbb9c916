/*-------------------------------------------------------------------------
 *
 * stream_resume_room.c
 *		The rooms of which somebody may have missed something: the conversations
 *		that it is a member of now, as far as its channels have them.
 *
 * Of a conversation that it has left it gets nothing any more but that it has:
 * that is told to the room of its account.  Of one that it has joined, only
 * what was after that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "chat/member.h"
#include "core/id.h"
#include "live/stream_resume.h"

static bool room_is_channel(const Resume *resume, int64 conversation_id);
static int	room_compare(const void *left, const void *right);

/*
 * Finds the rooms.  A resume takes many calls; the list is kept from one to the
 * next, and read again only when it has changed (chat/member.c).
 */
void
roost_resume_rooms(Resume *resume)
{
	PostReader	reader;
	ChatMembers members;

	if (!resume->messages && resume->num_conversations == 0)
		return;
	roost_post_reader_begin(&reader);
	roost_members_read(&reader, resume->account_id, false, &members);
	roost_post_reader_end(&reader);
	resume->rooms = MemoryContextAllocHuge(CurrentMemoryContext, Max(members.count, 1) * sizeof(Room));
	for (int i = 0; i < members.count; i++)
	{
		const ChatMember *member = &members.list[i];

		if (resume->messages || room_is_channel(resume, member->conversation_id))
			resume->rooms[resume->num_rooms++] = (Room) {member->conversation_id, member->since_id};
	}
	pfree(members.list);
}

/*
 * Returns whether one of the channels is that of a conversation.
 */
static bool
room_is_channel(const Resume *resume, int64 conversation_id)
{
	for (int i = 0; i < resume->num_conversations; i++)
	{
		if (resume->conversation_ids[i] == conversation_id)
			return true;
	}
	return false;
}

static int
room_compare(const void *left, const void *right)
{
	int64		a = ((const Room *) left)->id;
	int64		b = ((const Room *) right)->id;

	return (a > b) - (a < b);
}

/*
 * Returns whether a row of a room may be wanted.
 */
bool
roost_resume_room(const Resume *resume, const LogRow *row)
{
	const Room	key = {.id = row->room_id};
	const Room *room;

	if (row->kind == FEED_NOTIFICATION_READ && resume->notifications && row->room_id == resume->account_id)
		return true;
	if (row->room_id != row->conversation_id)
		return (resume->messages && (row->room_id == resume->account_id || row->account_id == resume->account_id)) ||
			(resume->num_conversations > 0 && row->room_id == resume->account_id && roost_stream_room_is_conversation(row));
	if (resume->num_rooms == 0)
		return false;
	room = bsearch(&key, resume->rooms, resume->num_rooms, sizeof(Room), room_compare);
	return room != NULL && roost_id_ms(row->id) >= roost_id_ms(room->since_id);
}
