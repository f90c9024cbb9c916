/*-------------------------------------------------------------------------
 *
 * address.c
 *		Network addresses, lists of networks, and who really asks.
 *
 *-------------------------------------------------------------------------
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <strings.h>

#include "address.h"

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Reads an address and nothing else; returns false if it is none. */
static bool
address_read(const char *text, size_t length, Address *address)
{
	char		copy[64];

	if (length == 0 || length >= sizeof(copy))
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	memcpy(address->bytes, mapped, sizeof(mapped));
	return inet_pton(AF_INET, copy, address->bytes + 12) == 1 ||
		inet_pton(AF_INET6, copy, address->bytes) == 1;
}

/*
 * Reads an address as it stands in a header: "192.0.2.1", "192.0.2.1:80",
 * "2001:db8::1", "[2001:db8::1]:80".  Returns false for anything else.
 */
bool
address_parse(const char *text, size_t length, Address *address)
{
	const char *end;

	if (length > 0 && *text == '[')
	{
		text++;
		end = memchr(text, ']', --length);
		if (end == NULL)
			return false;
		length = (size_t) (end - text);
	}
	else if ((end = memchr(text, ':', length)) != NULL &&
			 memchr(end + 1, ':', length - (size_t) (end + 1 - text)) == NULL)
		length = (size_t) (end - text);
	return address_read(text, length, address);
}

/* Takes the address of a connected socket; anything but IP is the loopback. */
void
address_from_socket(const struct sockaddr_storage *from, Address *address)
{
	if (from->ss_family == AF_INET6)
		memcpy(address->bytes, &((const struct sockaddr_in6 *) from)->sin6_addr, 16);
	else
	{
		memcpy(address->bytes, mapped, sizeof(mapped));
		if (from->ss_family == AF_INET)
			memcpy(address->bytes + 12, &((const struct sockaddr_in *) from)->sin_addr, 4);
		else
			memcpy(address->bytes + 12, "\177\0\0\1", 4);
	}
}

/* Writes an address; text has room for ADDRESS_TEXT_SIZE. */
void
address_format(const Address *address, char *text)
{
	if (memcmp(address->bytes, mapped, sizeof(mapped)) == 0)
		inet_ntop(AF_INET, address->bytes + 12, text, ADDRESS_TEXT_SIZE);
	else
		inet_ntop(AF_INET6, address->bytes, text, ADDRESS_TEXT_SIZE);
}

/* Reads one "address" or "address/bits"; returns false if it is neither. */
static bool
network_parse(const char *text, size_t length, Network *network)
{
	const char *slash = memchr(text, '/', length);
	size_t		address_length = slash ? (size_t) (slash - text) : length;
	bool		is_ipv4 = memchr(text, ':', address_length) == NULL;
	int			most = is_ipv4 ? 32 : 128;
	int			bits = most;

	if (!address_read(text, address_length, &network->address))
		return false;
	if (slash)
	{
		const char *digit = slash + 1;

		if (digit == text + length)
			return false;
		for (bits = 0; digit < text + length; digit++)
		{
			if (*digit < '0' || *digit > '9')
				return false;
			bits = bits * 10 + (*digit - '0');
			if (bits > most)
				return false;
		}
	}
	network->bits = is_ipv4 ? bits + 96 : bits;
	return true;
}

/* Reads a comma-separated list of networks; on an error returns false and leaves the list. */
bool
network_list_parse(const char *text, NetworkList *list)
{
	NetworkList read = {0};
	const char *token;
	size_t		length;

	while ((token = text_token(&text, ',', &length)) != NULL)
	{
		read.networks = memory_resize(read.networks, sizeof(Network) * (size_t) (read.count + 1));
		if (!network_parse(token, length, &read.networks[read.count++]))
		{
			free(read.networks);
			return false;
		}
	}
	free(list->networks);
	*list = read;
	return true;
}

/* Returns whether an address is in one of the networks. */
bool
network_list_has(const NetworkList *list, const Address *address)
{
	for (int i = 0; i < list->count; i++)
	{
		const Network *network = &list->networks[i];
		int			whole = network->bits / 8;
		int			rest = network->bits % 8;

		if (memcmp(network->address.bytes, address->bytes, (size_t) whole) == 0 &&
			(rest == 0 ||
			 ((network->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest)) == 0))
			return true;
	}
	return false;
}

/* Finds the value of "for" in one element of Forwarded. */
static bool
forwarded_for(const char *element, size_t length, Address *address)
{
	const char *end = element + length;

	while (element < end)
	{
		const char *stop = memchr(element, ';', (size_t) (end - element));

		if (stop == NULL)
			stop = end;
		while (element < stop && (*element == ' ' || *element == '\t'))
			element++;
		if (stop - element > 4 && strncasecmp(element, "for=", 4) == 0)
		{
			const char *value = element + 4;

			if (*value == '"' && stop - value >= 2 && stop[-1] == '"')
				return address_parse(value + 1, (size_t) (stop - value) - 2, address);
			return address_parse(value, (size_t) (stop - value), address);
		}
		element = stop + 1;
	}
	return false;
}

/*
 * Sets the address to that of the client: from right to left through the list
 * of one header line, Forwarded or X-Forwarded-For, as long as the one who
 * said it is trusted.  An element that cannot be read ends the walk at the
 * proxy that sent it.  Returns whether the walk goes on in the line before.
 */
bool
address_behind_proxies(const NetworkList *proxies, bool forwarded, const char *list, Address *address)
{
	const char *end = list + strlen(list);

	while (network_list_has(proxies, address))
	{
		const char *start = end;
		const char *token;
		size_t		length;
		Address		next;

		while (start > list && start[-1] != ',')
			start--;
		token = start;
		length = (size_t) (end - start);
		while (length > 0 && (*token == ' ' || *token == '\t'))
			token++, length--;
		while (length > 0 && (token[length - 1] == ' ' || token[length - 1] == '\t'))
			length--;
		if (!(forwarded ? forwarded_for(token, length, &next) : address_parse(token, length, &next)))
			return false;
		*address = next;
		if (start == list)
			return true;
		end = start - 1;
	}
	return false;
}
