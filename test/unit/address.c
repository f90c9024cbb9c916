/*
 * address.c
 *		Addresses, networks, and who asks behind proxies.  Addresses end at a
 *		page that cannot be read.
 */
#include "gateway/address.c"
#include "gateway/log.c"
#include "gateway/util.c"

#include "test/unit/tap.h"

/* Checks what an address is read as; NULL: it is refused. */
static void
parses(const char *text, const char *expected)
{
	size_t		length = strlen(text);
	Address		address;
	char		result[ADDRESS_TEXT_SIZE] = "refused";

	if (address_parse(guarded(text, length), length, &address))
		address_format(&address, result);
	if (strcmp(result, expected ? expected : "refused") != 0)
		printf("# got %s\n", result);
	ok(strcmp(result, expected ? expected : "refused") == 0, *text ? text : "empty");
}

/* Checks whether an address is in a list of networks; -1: the list is refused. */
static void
in_networks(const char *networks, const char *text, int expected)
{
	NetworkList list = {0};
	Address		address;
	char		name[128];
	int			result = -1;

	if (network_list_parse(networks, &list) && address_parse(text, strlen(text), &address))
		result = network_list_has(&list, &address);
	free(list.networks);
	snprintf(name, sizeof(name), "%s in %s", text, networks);
	ok(result == expected, name);
}

/* Checks who asks, for a peer and what one of its headers says. */
static void
who(const char *name, const char *peer, const char *forwarded, const char *x_forwarded_for, const char *expected)
{
	NetworkList proxies = {0};
	Address		address;
	char		result[ADDRESS_TEXT_SIZE];
	const char *list = forwarded ? forwarded : x_forwarded_for;

	network_list_parse("10.0.0.0/8, fd00::/8", &proxies);
	address_parse(peer, strlen(peer), &address);
	if (list)
		address_behind_proxies(&proxies, forwarded != NULL, guarded(list, strlen(list) + 1), &address);
	address_format(&address, result);
	if (strcmp(result, expected) != 0)
		printf("# got %s\n", result);
	ok(strcmp(result, expected) == 0, name);
	free(proxies.networks);
}

static void
test_addresses(void)
{
	parses("192.0.2.1", "192.0.2.1");
	parses("192.0.2.1:80", "192.0.2.1");
	parses("[192.0.2.1]:80", "192.0.2.1");
	parses("2001:DB8::1", "2001:db8::1");
	parses("[2001:db8::1]", "2001:db8::1");
	parses("[2001:db8::1]:443", "2001:db8::1");
	parses("::ffff:192.0.2.1", "192.0.2.1");
	parses("::1", "::1");
	parses("", NULL);
	parses(":", NULL);
	parses("[", NULL);
	parses("[]", NULL);
	parses("[::1", NULL);
	parses("unknown", NULL);
	parses("_hidden", NULL);
	parses("192.0.2", NULL);
	parses("192.0.2.256", NULL);
	parses("192.0.2.01x", NULL);
	parses(" 192.0.2.1", NULL);
	parses("fe80::1%eth0", NULL);
	parses("1111111111111111111111111111111111111111111111111111111111111111111111111", NULL);
}

static void
test_networks(void)
{
	in_networks("10.0.0.0/8", "10.255.0.1", 1);
	in_networks("10.0.0.0/8", "11.0.0.1", 0);
	in_networks("192.0.2.128/25", "192.0.2.127", 0);
	in_networks("192.0.2.128/25", "192.0.2.129", 1);
	in_networks("192.0.2.1", "192.0.2.1", 1);
	in_networks("192.0.2.1", "192.0.2.2", 0);
	in_networks("0.0.0.0/0", "192.0.2.2", 1);
	in_networks("0.0.0.0/0", "2001:db8::1", 0);
	in_networks("::/0", "192.0.2.2", 1);
	in_networks("2001:db8::/33", "2001:db8:7fff::1", 1);
	in_networks("2001:db8::/33", "2001:db8:8000::1", 0);
	in_networks("::1 , 10.0.0.0/8,", "10.1.1.1", 1);
	in_networks("", "10.1.1.1", 0);
	in_networks("10.0.0.0/33", "10.1.1.1", -1);
	in_networks("10.0.0.0/-1", "10.1.1.1", -1);
	in_networks("10.0.0.0/", "10.1.1.1", -1);
	in_networks("10.0.0.0/8x", "10.1.1.1", -1);
	in_networks("10.0.0.0/ 8", "10.1.1.1", -1);
	in_networks("10.0.0.0/+8", "10.1.1.1", -1);
	in_networks("10.0.0.0:80/8", "10.1.1.1", -1);
	in_networks("10.0.0.0/99999999999999999999", "10.1.1.1", -1);
	in_networks("::/129", "10.1.1.1", -1);
	in_networks("somewhere", "10.1.1.1", -1);
}

static void
test_proxies(void)
{
	who("without headers it is the peer", "10.0.0.1", NULL, NULL, "10.0.0.1");
	who("a peer that is not trusted is not believed", "192.0.2.9", "for=203.0.113.1", "203.0.113.1", "192.0.2.9");
	who("a trusted peer is", "10.0.0.1", NULL, "203.0.113.1", "203.0.113.1");
	who("only the last one that is not trusted counts", "10.0.0.1", NULL, "198.51.100.7, 203.0.113.1", "203.0.113.1");
	who("trusted proxies are walked through", "10.0.0.1", NULL, "198.51.100.7, 203.0.113.1 ,\t10.0.0.2", "203.0.113.1");
	who("a list of proxies alone ends at the first", "10.0.0.1", NULL, "10.0.0.3, 10.0.0.2", "10.0.0.3");
	who("what cannot be read ends the walk", "10.0.0.1", NULL, "203.0.113.1, rubbish, 10.0.0.2", "10.0.0.2");
	who("an empty element ends the walk", "10.0.0.1", NULL, "203.0.113.1, , 10.0.0.2", "10.0.0.2");
	who("an empty header says nothing", "10.0.0.1", NULL, "", "10.0.0.1");
	who("commas alone say nothing", "10.0.0.1", NULL, ",,,", "10.0.0.1");
	who("ports are cut off", "10.0.0.1", NULL, "203.0.113.1:5555", "203.0.113.1");
	who("Forwarded", "10.0.0.1", "for=203.0.113.1;proto=https", NULL, "203.0.113.1");
	who("Forwarded with IPv6 in quotes", "10.0.0.1", "proto=http; For=\"[2001:db8::1]:80\"", NULL, "2001:db8::1");
	who("Forwarded through proxies", "fd00::1", "for=203.0.113.1, for=\"[fd00::2]\"", NULL, "203.0.113.1");
	who("Forwarded that hides", "10.0.0.1", "for=203.0.113.1, for=_secret", NULL, "10.0.0.1");
	who("Forwarded without for", "10.0.0.1", "proto=https", NULL, "10.0.0.1");
	who("Forwarded with half a quote", "10.0.0.1", "for=\"", NULL, "10.0.0.1");
	who("Forwarded with an empty for", "10.0.0.1", "for=", NULL, "10.0.0.1");
	who("Forwarded with a comma in quotes", "10.0.0.1", "for=203.0.113.1;x=\"a,for=198.51.100.7\"", NULL, "10.0.0.1");
}

int
main(void)
{
	test_addresses();
	test_networks();
	test_proxies();
	printf("1..%d\n", tests);
	return failed > 0;
}
