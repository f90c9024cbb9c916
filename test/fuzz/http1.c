/*
 * http1.c
 *		libFuzzer driver for what reads clients' bytes: HTTP/1.1, addresses.
 *		The first byte says how to cut the rest; whole and in pieces it must
 *		become the same requests.
 *		clang -g -O1 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -Igateway -I. test/fuzz/http1.c
 */
#include "gateway/address.c"
#include "gateway/http.c"
#include "gateway/http1_parse.c"
#include "gateway/log.c"
#include "gateway/message.c"
#include "gateway/util.c"

Config		config = {.header_limit = 1024,.body_limit = 512};

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Puts what a request's headers say about addresses through what reads them. */
static void
read_addresses(const Message *message)
{
	static NetworkList proxies;
	Address		address;
	char		text[ADDRESS_TEXT_SIZE];
	const char *networks = message_header(message, "networks");

	if (proxies.count == 0)
		network_list_parse("10.0.0.0/8, fd00::/8", &proxies);
	address_parse("10.0.0.1", 8, &address);
	if (message_header(message, "forwarded"))
		address_behind_proxies(&proxies, true, message_header(message, "forwarded"), &address);
	if (message_header(message, "x-forwarded-for"))
		address_behind_proxies(&proxies, false, message_header(message, "x-forwarded-for"), &address);
	address_format(&address, text);
	if (networks)
	{
		NetworkList list = {0};

		if (network_list_parse(networks, &list))
			network_list_has(&list, &address);
		free(list.networks);
	}
}

/* Adds what a message says. */
static void
describe(Buffer *into, const Message *message)
{
	const char *query = message_query(message);
	const char *accepted = message_header(message, "accept-encoding");

	buffer_printf(into, "%d %d%d%d ", message->method, message->http10, message->keep_alive, message->has_body);
	buffer_append_json(into, message->method_name);
	buffer_append_json(into, message_path(message));
	buffer_append_json(into, query ? query : "-");
	for (int i = 0; i < message->header_count; i++)
	{
		buffer_append_text(into, message->head.data + message->headers[i].name);
		buffer_append_json(into, message->head.data + message->headers[i].value);
	}
	buffer_append(into, message->body.data, message->body.length);
	if (accepted)
		buffer_append_number(into, http_accepts(accepted, "gzip"));
}

/* Reads bytes in pieces of that size, each with a malloc of its own; adds what they say. */
static void
read_all(const uint8_t *data, size_t size, size_t step, Buffer *said)
{
	Http1Reader reader = {0};
	Message		message = {0};
	Http1Result result = HTTP1_MORE;
	bool		in_body = false;
	size_t		length;

	for (size_t at = 0; at < size && result != HTTP1_BAD && result != HTTP1_HTTP2; at += step)
	{
		http1_reader_add(&reader, (const char *) data + at, Min(step, size - at));
		reader.in.size = Max(reader.in.length, 1);
		reader.in.data = memory_resize(reader.in.data, reader.in.size);
		do
		{
			if (in_body)
				result = http1_read_body(&reader, &message);
			else if ((result = http1_find_head(&reader, &length)) == HTTP1_COMPLETE)
			{
				message_init(&message);
				result = http1_read_head(&reader, length, &message);
				if (result == HTTP1_COMPLETE && message.has_body)
				{
					in_body = true;
					continue;
				}
			}
			if (result == HTTP1_COMPLETE)
			{
				describe(said, &message);
				read_addresses(&message);
				message_free(&message);
				memset(&message, 0, sizeof(message));
				in_body = false;
			}
		} while (result == HTTP1_COMPLETE);
	}
	buffer_printf(said, "%d %s", result == HTTP1_COMPLETE ? HTTP1_MORE : result, result == HTTP1_BAD ? reader.problem : "");
	message_free(&message);
	buffer_free(&reader.in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Buffer		whole = {0};
	Buffer		pieces = {0};

	if (size < 2)
		return 0;
	read_all(data + 1, size - 1, size - 1, &whole);
	read_all(data + 1, size - 1, 1 + data[0] % 64, &pieces);
	if (whole.length != pieces.length || memcmp(whole.data, pieces.data, whole.length) != 0)
		abort();
	buffer_free(&whole);
	buffer_free(&pieces);
	return 0;
}
