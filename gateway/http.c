/*-------------------------------------------------------------------------
 *
 * http.c
 *		Words of HTTP that both versions share: methods, headers, status.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "http.h"

const char *const http_method_names[METHOD_COUNT + 1] = {
	"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"
};

/* Returns the method of a name; names are case-sensitive. */
Method
http_method(const char *name)
{
	for (Method method = 0; method < METHOD_COUNT; method++)
		if (strcmp(http_method_names[method], name) == 0)
			return method;
	return METHOD_OTHER;
}

/* Returns the reason phrase of a status. */
const char *
http_reason(int status)
{
	switch (status)
	{
		case 200:
			return "OK";
		case 201:
			return "Created";
		case 202:
			return "Accepted";
		case 204:
			return "No Content";
		case 301:
			return "Moved Permanently";
		case 302:
			return "Found";
		case 303:
			return "See Other";
		case 304:
			return "Not Modified";
		case 307:
			return "Temporary Redirect";
		case 308:
			return "Permanent Redirect";
		case 400:
			return "Bad Request";
		case 401:
			return "Unauthorized";
		case 403:
			return "Forbidden";
		case 404:
			return "Not Found";
		case 405:
			return "Method Not Allowed";
		case 406:
			return "Not Acceptable";
		case 408:
			return "Request Timeout";
		case 409:
			return "Conflict";
		case 410:
			return "Gone";
		case 412:
			return "Precondition Failed";
		case 413:
			return "Content Too Large";
		case 414:
			return "URI Too Long";
		case 415:
			return "Unsupported Media Type";
		case 417:
			return "Expectation Failed";
		case 422:
			return "Unprocessable Content";
		case 423:
			return "Locked";
		case 429:
			return "Too Many Requests";
		case 426:
			return "Upgrade Required";
		case 431:
			return "Request Header Fields Too Large";
		case 500:
			return "Internal Server Error";
		case 501:
			return "Not Implemented";
		case 502:
			return "Bad Gateway";
		case 503:
			return "Service Unavailable";
		case 504:
			return "Gateway Timeout";
		case 505:
			return "HTTP Version Not Supported";
		default:
			return status < 400 ? "OK" : "Error";
	}
}

/* Returns the time of day as the header Date has it; made once a second. */
const char *
http_date(void)
{
	static char text[40];
	static time_t made;
	struct timespec now;
	struct tm	tm;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (now.tv_sec != made)
	{
		made = now.tv_sec;
		gmtime_r(&now.tv_sec, &tm);
		strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	}
	return text;
}

/* Returns whether a text is a token of RFC 9110: not empty, no separators. */
bool
http_is_token(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text; text++)
	{
		unsigned char c = (unsigned char) *text;

		if (c <= 0x20 || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c) != NULL)
			return false;
	}
	return true;
}

/* Returns whether a comma-separated list has an item, in any case. */
bool
http_list_has(const char *list, const char *item)
{
	size_t		length;
	const char *token;

	while ((token = text_token(&list, ',', &length)) != NULL)
		if (strlen(item) == length && strncasecmp(token, item, length) == 0)
			return true;
	return false;
}

/* Returns whether Accept-Encoding allows a coding. */
bool
http_accepts(const char *list, const char *coding)
{
	size_t		length;
	const char *token;
	bool		any = false;

	while ((token = text_token(&list, ',', &length)) != NULL)
	{
		size_t		name = strcspn(token, " \t;,");
		const char *quality = memchr(token, '=', length);
		bool		accepted = quality == NULL || strtod(quality + 1, NULL) > 0;

		if (name == strlen(coding) && strncasecmp(token, coding, name) == 0)
			return accepted;
		if (name == 1 && *token == '*')
			any = accepted;
	}
	return any;
}

/* Returns the value of a hexadecimal digit, or -1. */
int
http_hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}
