/*
 * jwt.c
 *		libFuzzer driver for the reader of tokens:
 *		clang -g -O1 -fsanitize=fuzzer,address,undefined -Iextension test/fuzz/jwt.c
 */
#include "account/jwt.c"
#include "core/base64.c"

#include <stdlib.h>

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	RoostJwtParts parts;
	RoostJwtHeader header;
	RoostJwtClaims claims;
	const char *why;
	char	   *input = malloc(size);

	if (size > 0)
		memcpy(input, data, size);
	roost_jwt_split(input, size, &parts);
	roost_jwt_header(input, size, &header, &why);
	if (roost_jwt_claims(input, size, true, &claims, &why))
		roost_jwt_audience(&claims.aud, "roost");
	if (size <= ROOST_JWT_LENGTH_MAX)
	{
		uint8_t		bytes[ROOST_BASE64_DECODED(ROOST_JWT_LENGTH_MAX)];

		roost_base64_decode(ROOST_BASE64_URL, input, size, bytes);
	}
	free(input);
	return 0;
}
