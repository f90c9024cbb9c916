/*-------------------------------------------------------------------------
 *
 * vector.h
 *		What a text can be found by.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROOST_SEARCH_VECTOR_H
#define ROOST_SEARCH_VECTOR_H

#include "postgres.h"

#include "tsearch/ts_type.h"

#include "search/token.h"

extern TSVector roost_search_text_vector(const char *text, int length, SearchStems *stems, const char *const *marks, int num_marks);

#endif							/* ROOST_SEARCH_VECTOR_H */
