/*-------------------------------------------------------------------------
 *
 * util.h
 *		Byte buffers, lists and small text helpers.
 *
 * A Buffer grows; whoever fills it from outside checks the limit first.  A
 * List is a ring of nodes embedded in their objects, with a count.  Running
 * out of memory ends the process: everything is bounded by configuration, so
 * it means that the limits are wrong for the machine.
 *
 *-------------------------------------------------------------------------
 */
#ifndef UTIL_H
#define UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define lengthof(array) (sizeof(array) / sizeof((array)[0]))
#define Min(a, b) ((a) < (b) ? (a) : (b))
#define Max(a, b) ((a) > (b) ? (a) : (b))
#define container_of(pointer, type, member) \
	((type *) ((char *) (pointer) - offsetof(type, member)))

typedef struct Buffer
{
	char	   *data;
	size_t		length;
	size_t		size;
} Buffer;

typedef struct ListNode
{
	struct ListNode *previous;
	struct ListNode *next;
} ListNode;

typedef struct List
{
	ListNode	head;
	int			count;
} List;

extern void *memory_new(size_t size);
extern void *memory_resize(void *pointer, size_t size);
extern char *memory_copy(const char *text);

extern void buffer_reserve(Buffer *buffer, size_t more);
extern void buffer_free(Buffer *buffer);
extern void buffer_trim(Buffer *buffer, size_t keep);
extern void buffer_remove(Buffer *buffer, size_t length);
extern void buffer_printf(Buffer *buffer, const char *format,...)
			__attribute__((format(printf, 2, 3)));
extern void buffer_append_json(Buffer *buffer, const char *text);
extern void buffer_append_number(Buffer *buffer, uint64_t number);

extern void list_init(List *list);
extern void list_append(List *list, ListNode *node);
extern void list_remove(List *list, ListNode *node);
extern ListNode *list_first(const List *list);

extern bool text_is_utf8(const char *text, size_t length);
extern const char *text_token(const char **cursor, char separator, size_t *length);
extern char *text_load_file(const char *path, size_t limit, size_t *length);

/* Adds bytes at the end of a buffer. */
static inline void
buffer_append(Buffer *buffer, const void *data, size_t length)
{
	if (length == 0)
		return;
	if (buffer->size - buffer->length < length)
		buffer_reserve(buffer, length);
	memcpy(buffer->data + buffer->length, data, length);
	buffer->length += length;
}

/* Adds a text at the end of a buffer, without its NUL. */
static inline void
buffer_append_text(Buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

#endif							/* UTIL_H */
