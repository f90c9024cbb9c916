/*
 * tap.h
 *		What the unit tests share: counting, and input that ends at a page that
 *		cannot be read.
 */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GUARDED_PAGES 32		/* longest input */

static int	tests = 0;
static int	failed = 0;

static void
ok(bool passed, const char *name)
{
	tests++;
	failed += !passed;
	printf("%s %d - %s\n", passed ? "ok" : "not ok", tests, name);
}

/* Returns a copy of the input that ends at a page that cannot be read. */
static inline const char *
guarded(const char *input, size_t length)
{
	static char *end = NULL;

	if (end == NULL)
	{
		size_t		page = (size_t) sysconf(_SC_PAGESIZE);
		size_t		size = GUARDED_PAGES * page;
		char	   *area = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (area == MAP_FAILED || mprotect(area + size, page, PROT_NONE) != 0)
			abort();
		end = area + size;
	}
	return memcpy(end - length, input, length);
}

#endif							/* TAP_H */
