/*
 * ws.c
 *		The bytes of WebSockets, and the texts of roost.v1.  Every input is read
 *		whole, cut in two at every byte, and byte by byte, always from memory
 *		that ends at a page that cannot be read; the results must be the same.
 */
#include "gateway/log.c"
#include "gateway/util.c"
#include "gateway/ws_frame.c"
#include "gateway/ws_parse.c"

#include "test/unit/tap.h"

#define LIMIT 1000

/* Reads bytes as ws.c does and says what they are; returns false after an error. */
static bool
understand(WsReader *reader, const char *input, size_t length, Buffer *said)
{
	const char *data = guarded(input, length);
	WsResult	result;
	int			code;

	while ((result = ws_read(reader, LIMIT, &data, &length)) != WS_MORE)
		switch (result)
		{
			case WS_BAD:
				buffer_printf(said, "bad %d\n", reader->code);
				return false;
			case WS_MESSAGE:
				buffer_printf(said, "message %d ", reader->opcode);
				buffer_append(said, reader->message.data, reader->message.length);
				buffer_append(said, "\n", 1);
				ws_next_message(reader);
				break;
			case WS_CONTROL:
				buffer_printf(said, "control %d ", reader->control_opcode);
				if (reader->control_opcode == WS_CLOSE && !ws_read_close(reader, &code))
					buffer_printf(said, "bad %d", reader->code);
				else if (reader->control_opcode == WS_CLOSE)
					buffer_printf(said, "code %d", code);
				else
					buffer_append(said, reader->control, reader->control_length);
				buffer_append(said, "\n", 1);
				break;
			default:
				break;
		}
	return true;
}

/* Checks what an input means, however it is cut. */
static void
means(const char *input, size_t length, const char *wanted, const char *name)
{
	bool		right = true;

	for (size_t cut = 0; cut <= length + 1; cut++)
	{
		WsReader	reader = {0};
		Buffer		said = {0};

		if (cut <= length)
			(void) (understand(&reader, input, cut, &said) && understand(&reader, input + cut, length - cut, &said));
		else
			for (size_t i = 0; i < length && understand(&reader, input + i, 1, &said);)
				i++;
		buffer_append(&said, "", 1);
		if (strcmp(said.data, wanted) != 0)
		{
			right = false;
			printf("# cut at %zu: %s# instead of: %s", cut, said.data, wanted);
		}
		buffer_free(&said);
		buffer_free(&reader.message);
	}
	ok(right, name);
}

#define MEANS(input, wanted, name) means(input, sizeof(input) - 1, wanted, name)

#define MASK "\0\0\0\0"

static void
test_frames(void)
{
	MEANS("", "", "nothing");
	MEANS("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "message 1 Hello\n", "the standard's example");
	MEANS("\x01\x83" MASK "Hel\x89\x81" MASK "p\x80\x82" MASK "lo\x82\x80" MASK, "control 9 p\nmessage 1 Hello\nmessage 2 \n",
		  "fragments with a ping between, and an empty message");
	MEANS("\x81\x80" MASK "\x81\x81" MASK "x", "message 1 \nmessage 1 x\n", "an empty text");
	MEANS("\x81\xfe\x00\x7d" MASK, "bad 1002\n", "a length in two bytes that fits in one");
	MEANS("\x82\xff\0\0\0\0\0\0\xff\xff" MASK, "bad 1002\n", "a length in eight bytes that fits in two");
	MEANS("\x82\xff\x80\0\0\0\0\0\0\0" MASK, "bad 1002\n", "a negative length");
	MEANS("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff" MASK, "bad 1009\n", "the greatest length");
	MEANS("\x82\xfe\x03\xe9" MASK, "bad 1009\n", "a byte too long");
	MEANS("\x02\x81" MASK "x\x80\xfe\x03\xe8" MASK, "bad 1009\n", "a byte too long in two frames");
	MEANS("\x91", "bad 1002\n", "a reserved bit");
	MEANS("\x83", "bad 1002\n", "a reserved opcode");
	MEANS("\x80", "bad 1002\n", "nothing to continue");
	MEANS("\x01\x80" MASK "\x01", "bad 1002\n", "a text in a text");
	MEANS("\x09", "bad 1002\n", "a fragmented ping");
	MEANS("\x81\x05", "bad 1002\n", "no mask");
	MEANS("\x89\xfe", "bad 1002\n", "a long ping");
	MEANS("\x88\x80" MASK, "control 8 code 1005\n", "a close without a code");
	MEANS("\x88\x81" MASK "x", "control 8 bad 1002\n", "half a code");
	MEANS("\x88\x84" MASK "\x03\xe8ok", "control 8 code 1000\n", "a close with a reason");
	MEANS("\x88\x82" MASK "\x03\xed", "control 8 bad 1002\n", "a code that is not sent");
	MEANS("\x88\x83" MASK "\x03\xe8\xc3", "control 8 bad 1007\n", "a reason that is not UTF-8");
}

static void
test_utf8(void)
{
	MEANS("\x81\x8a" MASK "\xce\xba\xe2\x82\xac\xf0\x9f\x99\x82!", "message 1 \xce\xba\xe2\x82\xac\xf0\x9f\x99\x82!\n", "characters of all lengths");
	MEANS("\x01\x81" MASK "\xf0\x00\x82" MASK "\x9f\x99\x80\x81" MASK "\x82", "message 1 \xf0\x9f\x99\x82\n", "a character in three frames");
	MEANS("\x81\x8a" MASK "\xed\xa0", "bad 1007\n", "a surrogate, before the frame has come");
	MEANS("\x01\x82" MASK "ab\x80\x8a" MASK "\xc1", "bad 1007\n", "a long form, before the frame has come");
	MEANS("\x81\x81" MASK "\xc3", "bad 1007\n", "half a character");
	MEANS("\x01\x81" MASK "\xc3\x80\x80" MASK, "bad 1007\n", "half a character, then nothing");
	MEANS("\x82\x82" MASK "\xff\xfe", "message 2 \xff\xfe\n", "anything in binary data");
}

/* All texts of up to four bytes from the edges of UTF-8, against the table of the standard. */
static void
test_utf8_table(void)
{
	static const unsigned char edges[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
	const size_t count = sizeof(edges);
	size_t		wrong = 0;

	for (size_t n = 0; n < count * count * count * count; n++)
	{
		unsigned char text[4] = {edges[n % count], edges[n / count % count], edges[n / count / count % count], edges[n / count / count / count]};
		WsReader	reader = {0};
		size_t		i = 0;
		bool		valid = true;

		while (i < 4 && valid)
		{
			size_t		length = text[i] < 0x80 ? 1 : text[i] < 0xc2 ? 0 : text[i] < 0xe0 ? 2 : text[i] < 0xf0 ? 3 : text[i] < 0xf5 ? 4 : 0;
			uint32_t	code = length == 1 ? text[i] : text[i] & (0xff >> (length + 1));

			valid = length > 0 && i + length <= 4;
			for (size_t k = 1; k < length && valid; k++)
			{
				valid = (text[i + k] & 0xc0) == 0x80;
				code = code << 6 | (text[i + k] & 0x3f);
			}
			valid = valid && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) &&
				code >= (length == 4 ? 0x10000u : length == 3 ? 0x800u : length == 2 ? 0x80u : 0u);
			i += length;
		}
		wrong += valid != (utf8_read(&reader, text, 4) && reader.utf8_rest == 0);
	}
	ok(wrong == 0, "every four bytes at the edges are judged as the standard says");
}

static void
test_heads(void)
{
	static const size_t lengths[] = {0, 125, 126, 65535, 65536, (size_t) 1 << 40};
	static const size_t sizes[] = {2, 2, 4, 4, 10, 10};
	unsigned char head[WS_HEAD_MAX];
	char		accept[WS_ACCEPT_SIZE];

	for (size_t i = 0; i < lengthof(lengths); i++)
		ok(ws_frame_head(head, WS_TEXT, lengths[i]) == sizes[i] && head[0] == 0x81, "a head is as short as can be");
	ok(head[1] == 127 && head[2] == 0 && head[4] == 1 && head[9] == 0, "a great length is written");
	ok(ws_accept_key("dGhlIHNhbXBsZSBub25jZQ==", accept) && strcmp(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == 0, "the standard's key");
	ok(!ws_accept_key("", accept) && !ws_accept_key("dGhlIHNhbXBsZSBub25jZQ=", accept) && !ws_accept_key("dGhlIHNhbXBsZSBub25jZQ==x", accept) &&
	   !ws_accept_key("dGhlIHNhbXBsZSBub25jZR==", accept) && !ws_accept_key("dGhlIHNhbXBsZSBub25jZTE=", accept) &&
	   !ws_accept_key("dGhl\nHNhbXBsZSBub25jZQ==", accept) && !ws_accept_key("========================", accept), "other keys are none");
}

/* Checks what a text of roost.v1 says, from memory that ends where it ends. */
static void
frame(const char *text, const char *sqlstate, const char *name)
{
	Frame		read;
	bool		fine = frame_read(guarded(text, strlen(text)), strlen(text), &read);

	ok(sqlstate ? !fine && strcmp(read.sqlstate, sqlstate) == 0 : fine, name);
}

static void
test_texts(void)
{
	Frame		read;
	char	   *text;
	char		deep[20007];
	static const char call[] = "{\"id\":5,\"method\":\"GET\",\"path\":\"/\\u00e9\",\"body\":{\"a\":[1,{}]} }";
	static const char *const broken[] = {"", " ", "x", "[]", "{", "{\"", "{\"type", "{\"type\"", "{\"type\":", "{\"type\":1", "{\"type\":1,", "{\"type\":1,}", "{\"type\":\"\\", "{\"body\":[", "{\"body\":[\"]\"",
	"{\"body\":[\"\\\"]", "{}x", "{} {}", "{,}", "{\"type\":}", "{\"type\"::1}", "{1:1}", "{\"body\":{\"a\":\"\n\"}}", "{\"body\":[\x01]}", "{\"type\":'x'}", "{\"type\":1 2}"};

	for (size_t i = 0; i < lengthof(broken); i++)
		frame(broken[i], "ROJSN", broken[i]);
	frame("{}", NULL, "an empty object");
	frame(" {\t\"type\" :\r\n\"x\" , \"id\": 7 } ", NULL, "white space");
	frame("{\"nonsense\":1}", "ROUNK", "an unknown member");
	frame("{\"typ\":1}", "ROUNK", "the beginning of a member");
	frame("{\"types\":1}", "ROUNK", "more than a member");
	frame("{\"id\":1,\"id\":1}", "RODUP", "a member twice");
	frame("{\"id\":[1]}", "22023", "an id that is a list");
	frame("{\"id\":true}", "22023", "an id that is a truth");
	frame("{\"id\":1e999}", "22023", "an id that is too great");
	frame("{\"id\":\"1234567890123456789012345678901234567890123456789012345678901234\"}", "22023", "an id that is too long");
	ok(frame_read(call, strlen(call), &read) &&
	   read.members[FRAME_BODY].length == 12 && memcmp(read.members[FRAME_BODY].data, "{\"a\":[1,{}]}", 12) == 0 &&
	   read.members[FRAME_ID].length == 1, "members are the texts that they are");
	text = frame_string(&read, FRAME_PATH);
	ok(text && strcmp(text, "/\xc3\xa9") == 0, "a text without its escapes");
	free(text);
	ok(frame_string(&read, FRAME_ID) == NULL && frame_string(&read, FRAME_TOKEN) == NULL, "what is no text is none");
	ok(!frame_only(&read, FRAME_HAS(FRAME_METHOD)) && frame_only(&read, FRAME_HAS(FRAME_METHOD) | FRAME_HAS(FRAME_PATH) | FRAME_HAS(FRAME_BODY)),
	   "members that do not belong to a frame");
	ok(!frame_read("{\"id\":5,\"x\":1}", 14, &read) && read.members[FRAME_ID].data, "the id is known before an error");
	memset(deep, '[', sizeof(deep));
	memcpy(deep, "{\"id\":", 6);
	ok(!frame_read(deep, sizeof(deep), &read), "depth without an end");
	memset(deep + 10006, ']', 10000);
	deep[sizeof(deep) - 1] = '}';
	ok(!frame_read(deep, sizeof(deep), &read) && strcmp(read.sqlstate, "22023") == 0, "depth where none belongs");
}

int
main(void)
{
	test_frames();
	test_utf8();
	test_utf8_table();
	test_heads();
	test_texts();
	printf("1..%d\n", tests);
	return failed > 0;
}
