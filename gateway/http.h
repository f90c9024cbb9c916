/*-------------------------------------------------------------------------
 *
 * http.h
 *		Words of HTTP that both versions share: methods, headers, status.
 *
 *-------------------------------------------------------------------------
 */
#ifndef HTTP_H
#define HTTP_H

#include "util.h"

#define HTTP_MAX_HEADERS 100
#define HTTP_MAX_METHOD 16

typedef enum Method
{
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_PATCH,
	METHOD_DELETE,
	METHOD_OPTIONS,
	METHOD_OTHER
} Method;

#define METHOD_COUNT METHOD_OTHER
#define METHOD_LIST "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

typedef struct Header
{
	const char *name;			/* in lower case */
	const char *value;
} Header;

extern const char *const http_method_names[METHOD_COUNT + 1];

extern Method http_method(const char *name);
extern const char *http_reason(int status);
extern const char *http_date(void);
extern bool http_is_token(const char *text);
extern bool http_list_has(const char *list, const char *item);
extern int	http_hex_digit(char c);
extern bool http_accepts(const char *list, const char *coding);

#endif							/* HTTP_H */
