/*-------------------------------------------------------------------------
 *
 * util.c
 *		Byte buffers, lists and small text helpers.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "util.h"

/* Returns zeroed memory. */
void *
memory_new(size_t size)
{
	void	   *pointer = calloc(1, size);

	if (pointer == NULL)
		log_fatal("out of memory: %zu bytes", size);
	return pointer;
}

/* Returns the block with another size; what is new in it is not set. */
void *
memory_resize(void *pointer, size_t size)
{
	void	   *moved = realloc(pointer, size);

	if (moved == NULL)
		log_fatal("out of memory: %zu bytes", size);
	return moved;
}

/* Returns a copy of a text, or NULL of NULL. */
char *
memory_copy(const char *text)
{
	size_t		size;

	if (text == NULL)
		return NULL;
	size = strlen(text) + 1;
	return memcpy(memory_resize(NULL, size), text, size);
}

/* Makes room for that many bytes more. */
void
buffer_reserve(Buffer *buffer, size_t more)
{
	size_t		size = buffer->size ? buffer->size : 256;

	while (size - buffer->length < more)
		size *= 2;
	if (size == buffer->size)
		return;
	buffer->data = memory_resize(buffer->data, size);
	buffer->size = size;
}

/* Gives the memory of a buffer back. */
void
buffer_free(Buffer *buffer)
{
	free(buffer->data);
	memset(buffer, 0, sizeof(*buffer));
}

/* Empties a buffer, and gives its memory back if it has more than keep. */
void
buffer_trim(Buffer *buffer, size_t keep)
{
	if (buffer->size > keep)
		buffer_free(buffer);
	buffer->length = 0;
}

/* Drops bytes at the start of a buffer. */
void
buffer_remove(Buffer *buffer, size_t length)
{
	buffer->length -= length;
	if (buffer->length > 0)
		memmove(buffer->data, buffer->data + length, buffer->length);
}

/* Adds formatted text. */
void
buffer_printf(Buffer *buffer, const char *format,...)
{
	va_list		args;
	int			length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		return;
	buffer_reserve(buffer, (size_t) length + 1);
	va_start(args, format);
	vsnprintf(buffer->data + buffer->length, (size_t) length + 1, format, args);
	va_end(args);
	buffer->length += (size_t) length;
}

/* Adds a decimal number. */
void
buffer_append_number(Buffer *buffer, uint64_t number)
{
	char		digits[20];
	int			start = sizeof(digits);

	do
		digits[--start] = (char) ('0' + number % 10);
	while ((number /= 10) > 0);
	buffer_append(buffer, digits + start, sizeof(digits) - (size_t) start);
}

/*
 * Returns the length of the well-formed UTF-8 character at p, or 0.
 */
static int
utf8_length(const unsigned char *p)
{
	int			length = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] <= 0xdf ? 2 :
	p[0] >= 0xe0 && p[0] <= 0xef ? 3 : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : 0;

	for (int i = 1; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return length;
}

/* Returns whether a text, which has a NUL behind it, is well-formed UTF-8. */
bool
text_is_utf8(const char *text, size_t length)
{
	const unsigned char *p = (const unsigned char *) text;
	const unsigned char *end = p + length;
	int			step;

	while (p < end)
	{
		if ((step = utf8_length(p)) == 0)
			return false;
		p += step;
	}
	return true;
}

/* Adds a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void
buffer_append_json(Buffer *buffer, const char *text)
{
	const unsigned char *p = (const unsigned char *) text;

	buffer_append(buffer, "\"", 1);
	while (*p)
	{
		const unsigned char *start = p;
		int			length;

		while (*p >= 0x20 && *p < 0x7f && *p != '"' && *p != '\\')
			p++;
		buffer_append(buffer, start, (size_t) (p - start));
		if (*p == '\0')
			break;
		if (*p == '"' || *p == '\\')
			buffer_append(buffer, *p == '"' ? "\\\"" : "\\\\", 2), p++;
		else if (*p == '\n')
			buffer_append(buffer, "\\n", 2), p++;
		else if (*p < 0x20 || *p == 0x7f)
			buffer_printf(buffer, "\\u%04x", *p++);
		else if ((length = utf8_length(p)) > 0)
			buffer_append(buffer, p, (size_t) length), p += length;
		else
			buffer_append(buffer, "\xef\xbf\xbd", 3), p++;
	}
	buffer_append(buffer, "\"", 1);
}

/* Makes a list empty. */
void
list_init(List *list)
{
	list->head.previous = list->head.next = &list->head;
	list->count = 0;
}

/* Adds a node, which is in no list, at the end. */
void
list_append(List *list, ListNode *node)
{
	node->previous = list->head.previous;
	node->next = &list->head;
	node->previous->next = node;
	list->head.previous = node;
	list->count++;
}

/* Takes a node out of the list it is in. */
void
list_remove(List *list, ListNode *node)
{
	node->previous->next = node->next;
	node->next->previous = node->previous;
	node->previous = node->next = NULL;
	list->count--;
}

/* Returns the first node, or NULL. */
ListNode *
list_first(const List *list)
{
	return list->count > 0 ? list->head.next : NULL;
}

/*
 * Returns the next item of a list like "a, b;c" without the white space
 * around it and moves the cursor behind it, or returns NULL at the end.
 */
const char *
text_token(const char **cursor, char separator, size_t *length)
{
	const char *start = *cursor;
	const char *end;

	while (*start == ' ' || *start == '\t' || *start == separator)
		start++;
	if (*start == '\0')
		return NULL;
	end = strchr(start, separator);
	if (end == NULL)
		end = start + strlen(start);
	*cursor = end;
	while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*length = (size_t) (end - start);
	return start;
}

/* Returns the content of a file with a NUL behind it, or NULL and errno. */
char *
text_load_file(const char *path, size_t limit, size_t *length)
{
	int			fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	char	   *content;
	ssize_t		got;
	size_t		total = 0;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) < 0 || (size_t) status.st_size > limit)
	{
		close(fd);
		errno = EFBIG;
		return NULL;
	}
	content = memory_new((size_t) status.st_size + 1);
	while (total < (size_t) status.st_size &&
		   (got = read(fd, content + total, (size_t) status.st_size - total)) > 0)
		total += (size_t) got;
	close(fd);
	content[total] = '\0';
	if (length)
		*length = total;
	return content;
}
