/*-------------------------------------------------------------------------
 *
 * address.h
 *		Network addresses, lists of networks, and who really asks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "util.h"

#define ADDRESS_TEXT_SIZE INET6_ADDRSTRLEN

/* An IPv6 address; IPv4 is mapped into ::ffff:0:0/96. */
typedef struct Address
{
	unsigned char bytes[16];
} Address;

typedef struct Network
{
	Address		address;
	int			bits;
} Network;

typedef struct NetworkList
{
	Network    *networks;
	int			count;
} NetworkList;

extern bool address_parse(const char *text, size_t length, Address *address);
extern void address_from_socket(const struct sockaddr_storage *from, Address *address);
extern void address_format(const Address *address, char *text);
extern bool network_list_parse(const char *text, NetworkList *list);
extern bool network_list_has(const NetworkList *list, const Address *address);
extern bool address_behind_proxies(const NetworkList *proxies, bool forwarded, const char *list, Address *address);

#endif							/* ADDRESS_H */
