/*
 * ws.c
 *		libFuzzer driver for what reads the bytes of WebSockets: frames, and the
 *		texts of roost.v1.  The first byte says how to cut the rest; whole and
 *		in pieces it must mean the same.
 *		clang -g -O1 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -Igateway -I. test/fuzz/ws.c -ljansson -lcrypto
 */
#include "gateway/log.c"
#include "gateway/util.c"
#include "gateway/ws_frame.c"
#include "gateway/ws_parse.c"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Adds what a text says, after putting its members through what reads them. */
static void
read_text(const char *data, size_t length, Buffer *said)
{
	/* exactly as long, so that sanitizers see one byte too many */
	char	   *text = memcpy(memory_new(length + 1), data, length);
	Frame		frame;

	text = memory_resize(text, length ? length : 1);
	if (!frame_read(text, length, &frame))
		buffer_append_text(said, frame.problem);
	for (FrameMember member = 0; member < FRAME_MEMBERS; member++)
	{
		char	   *copy = frame_string(&frame, member);

		if (frame.members[member].data && (frame.members[member].data < text ||
										   frame.members[member].data + frame.members[member].length > text + length))
			abort();
		buffer_append_json(said, copy ? copy : "-");
		free(copy);
	}
	free(text);
}

/* Reads bytes in pieces of that size, each with a malloc of its own; adds what they say. */
static void
read_all(const uint8_t *input, size_t size, size_t step, Buffer *said)
{
	WsReader	reader = {0};
	WsResult	result = WS_MORE;
	int			code;

	for (size_t at = 0; at < size && result != WS_BAD; at += step)
	{
		size_t		length = Min(step, size - at);
		char	   *piece = memcpy(memory_resize(NULL, length), input + at, length);
		const char *data = piece;

		while ((result = ws_read(&reader, 4096, &data, &length)) != WS_MORE && result != WS_BAD)
		{
			if (result == WS_MESSAGE)
			{
				buffer_append_number(said, reader.opcode);
				buffer_append(said, reader.message.data, reader.message.length);
				read_text(reader.message.data, reader.message.length, said);
				ws_next_message(&reader);
			}
			else if (result == WS_CONTROL)
			{
				buffer_append_number(said, reader.control_opcode);
				buffer_append(said, reader.control, reader.control_length);
				buffer_append_number(said, ws_read_close(&reader, &code) ? (uint64_t) code : 0);
			}
		}
		free(piece);
	}
	buffer_append_number(said, result == WS_BAD ? reader.code : 0);
	buffer_free(&reader.message);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Buffer		whole = {0};
	Buffer		pieces = {0};

	if (size < 2)
		return 0;
	read_text((const char *) data + 1, size - 1, &whole);
	whole.length = 0;
	read_all(data + 1, size - 1, size - 1, &whole);
	read_all(data + 1, size - 1, 1 + data[0] % 64, &pieces);
	if (whole.length != pieces.length || memcmp(whole.data, pieces.data, whole.length) != 0)
		abort();
	buffer_free(&whole);
	buffer_free(&pieces);
	return 0;
}
