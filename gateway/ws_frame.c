/*-------------------------------------------------------------------------
 *
 * ws_frame.c
 *		What a text of roost.v1 says, without a connection.
 *
 * A frame is one JSON object.  Here only its members are told apart, each as
 * the piece of text that it is; no memory is taken and nothing recurses, so
 * that it does not matter how deep a client nests.  What is needed is then
 * read by jansson; the body of a call goes to the database as it came, which
 * reads it by the same rules as one that came by HTTP.  An id is sent back as
 * it came.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "ws_frame.h"

#define ID_LIMIT 64

static const char *const member_names[FRAME_MEMBERS] = {
	"type", "id", "token", "channels", "cursor", "method", "path", "headers", "body", "event", "channel", "data", "to"
};

/* Notes what is wrong. */
static bool
frame_fail(Frame *frame, const char *sqlstate, const char *problem)
{
	frame->sqlstate = sqlstate;
	frame->problem = problem;
	return false;
}

/* Returns the first byte that is no white space. */
static const char *
skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* Returns what stands behind a string, or NULL if it has no end. */
static const char *
skip_string(const char *p, const char *end)
{
	for (p++; p < end; p++)
	{
		if (*p == '"')
			return p + 1;
		if ((unsigned char) *p < 0x20)
			return NULL;
		if (*p == '\\' && ++p == end)
			return NULL;
	}
	return NULL;
}

/* Returns what stands behind a list or object, or NULL if it has no end. */
static const char *
skip_nested(const char *p, const char *end)
{
	size_t		depth = 0;

	while (p < end)
	{
		if (*p == '"')
		{
			p = skip_string(p, end);
			if (p == NULL)
				return NULL;
			continue;
		}
		if ((unsigned char) *p < 0x20 && skip_space(p, p + 1) == p)
			return NULL;
		if (*p == '{' || *p == '[')
			depth++;
		else if ((*p == '}' || *p == ']') && --depth == 0)
			return p + 1;
		p++;
	}
	return NULL;
}

/* Returns what stands behind a value, or NULL if there is none. */
static const char *
skip_value(const char *p, const char *end)
{
	const char *start = p;

	if (p < end && *p == '"')
		return skip_string(p, end);
	if (p < end && (*p == '{' || *p == '['))
		return skip_nested(p, end);
	while (p < end && ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || *p == 'E' || *p == '-' || *p == '+' || *p == '.'))
		p++;
	return p > start ? p : NULL;
}

/* Returns the member of a name, or FRAME_MEMBERS. */
static FrameMember
member_find(const char *name, size_t length)
{
	FrameMember member = 0;

	while (member < FRAME_MEMBERS && (strlen(member_names[member]) != length || memcmp(member_names[member], name, length) != 0))
		member++;
	return member;
}

/* Checks the id, which is forgotten if it is none. */
static bool
check_id(Frame *frame)
{
	FrameText  *id = &frame->members[FRAME_ID];
	json_t	   *value = id->data && id->length <= ID_LIMIT ? frame_json(frame, FRAME_ID) : NULL;
	bool		fine = id->data == NULL || json_is_string(value) || json_is_number(value);

	json_decref(value);
	if (fine)
		return true;
	id->data = NULL;
	return frame_fail(frame, "22023", "An id is a number or a text, of at most 64 bytes.");
}

/* Reads one member and what stands behind it; returns where to go on, or NULL. */
static const char *
read_member(const char *p, const char *end, Frame *frame)
{
	const char *name = p + 1;
	const char *name_end = p < end && *p == '"' ? skip_string(p, end) : NULL;
	const char *value;
	const char *value_end;
	FrameMember member;

	frame_fail(frame, "ROJSN", "A frame must be a JSON object.");
	if (name_end == NULL)
		return NULL;
	p = skip_space(name_end, end);
	if (p == end || *p != ':')
		return NULL;
	value = skip_space(p + 1, end);
	value_end = skip_value(value, end);
	if (value_end == NULL)
		return NULL;
	member = member_find(name, (size_t) (name_end - name) - 1);
	if (member == FRAME_MEMBERS)
		frame_fail(frame, "ROUNK", "A frame has a member that is not known.");
	else if (frame->members[member].data)
		frame_fail(frame, "RODUP", "A frame has a member twice.");
	else
	{
		frame->members[member] = (FrameText)
		{
			value, (size_t) (value_end - value)
		};
		return skip_space(value_end, end);
	}
	return NULL;
}

/*
 * Reads a frame; returns false if something is wrong, which is in it then,
 * with the id if that came before.
 */
bool
frame_read(const char *text, size_t length, Frame *frame)
{
	const char *end = text + length;
	const char *p = skip_space(text, end);

	memset(frame, 0, sizeof(*frame));
	frame_fail(frame, "ROJSN", "A frame must be a JSON object.");
	if (p == end || *p != '{')
		return false;
	p = skip_space(p + 1, end);
	while (p && p < end && *p != '}')
	{
		p = read_member(p, end, frame);
		if (p && p < end && *p == ',')
		{
			p = skip_space(p + 1, end);
			if (p < end && *p == '}')
				p = NULL;
		}
		else if (p && p < end && *p != '}')
			p = NULL;
	}
	if (p == NULL || p == end || skip_space(p + 1, end) != end)
	{
		const char *sqlstate = frame->sqlstate;
		const char *problem = frame->problem;

		check_id(frame);
		return frame_fail(frame, sqlstate, problem);
	}
	return check_id(frame);
}

/* Returns whether a frame has only these members besides type and id; notes it otherwise. */
bool
frame_only(Frame *frame, unsigned allowed)
{
	allowed |= FRAME_HAS(FRAME_TYPE) | FRAME_HAS(FRAME_ID);
	for (FrameMember member = 0; member < FRAME_MEMBERS; member++)
		if (frame->members[member].data && !(allowed & FRAME_HAS(member)))
			return frame_fail(frame, "ROUNK", "A member does not belong to this type of frame.");
	return true;
}

/* Returns a member as JSON, or NULL if it is not there or malformed. */
json_t *
frame_json(const Frame *frame, FrameMember member)
{
	const FrameText *text = &frame->members[member];

	return text->data ? json_loadb(text->data, text->length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL) : NULL;
}

/* Returns a copy of a member that is a text, or NULL. */
char *
frame_string(const Frame *frame, FrameMember member)
{
	json_t	   *value = frame_json(frame, member);
	char	   *copy = memory_copy(json_string_value(value));

	json_decref(value);
	return copy;
}
