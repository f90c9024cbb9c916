/*
 * libFuzzer driver for entity.c; the fuzzer's input ends where reading on is
 * found out.
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -Iextension test/fuzz/entity.c extension/post/entity.c
 */
#include <stdlib.h>

#include "post/entity.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data;
	int			bound = roost_entity_bound(text, size);
	uint32_t   *scratch = malloc(sizeof(uint32_t) * ENTITY_SCRATCH(size));
	Entity	   *found = malloc(sizeof(Entity) * (bound + 1));
	int			n = roost_entity_scan(text, size, scratch, found);
	int			last = 0;

	if (n > bound)
		abort();
	for (int i = 0; i < n; i++)
	{
		if (found[i].start < last || found[i].end <= found[i].start || found[i].path_end < found[i].end ||
			found[i].offset < 0 || (size_t) (found[i].offset + found[i].length) > size)
			abort();
		last = found[i].end;
	}
	free(found);
	free(scratch);
	return 0;
}
