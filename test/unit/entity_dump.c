/*-------------------------------------------------------------------------
 *
 * entity_dump.c
 *		Reads texts, each ended by a zero byte, from standard input and prints
 *		what entity.c finds in them: for each text one line an entity,
 *		"kind start end path_end value", then a line with a single dot.
 *
 * Each text ends right before a page that may not be touched, so that reading
 * past it ends the program.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "post/entity.h"

int
main(void)
{
	static const char *const kinds[] = {"url", "mention", "hashtag", "cashtag"};
	size_t		page = sysconf(_SC_PAGESIZE);
	size_t		room = page * 32;
	char	   *area = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char	   *line = NULL;
	size_t		size = 0;
	ssize_t		n;

	if (area == MAP_FAILED || mprotect(area + room, page, PROT_NONE) != 0)
	{
		perror("mmap");
		return 1;
	}
	while ((n = getdelim(&line, &size, '\0', stdin)) > 0)
	{
		size_t		length = n - (line[n - 1] == '\0');
		char	   *text = area + room - length;
		uint32_t   *scratch = malloc(sizeof(uint32_t) * ENTITY_SCRATCH(length));
		Entity	   *found;
		int			nfound;

		if (length > room)
			return 1;
		memcpy(text, line, length);
		found = malloc(sizeof(Entity) * (roost_entity_bound(text, length) + 1));
		nfound = roost_entity_scan(text, length, scratch, found);
		for (int i = 0; i < nfound; i++)
			printf("%s %d %d %d %.*s\n", kinds[found[i].kind], found[i].start, found[i].end, found[i].path_end,
				   found[i].length, text + found[i].offset);
		puts(".");
		free(found);
		free(scratch);
	}
	free(line);
	return 0;
}
