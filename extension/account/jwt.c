/*-------------------------------------------------------------------------
 *
 * jwt.c
 *		Reads the form of a JSON Web Token: parts, header and claims.
 *
 * What can be read in two ways is refused: JSON that is not exactly RFC 8259,
 * a name that occurs twice or has escapes in it, invalid UTF-8, numbers that
 * are not whole seconds of a sane size where a time belongs.  Nothing is
 * allocated; results point into the input.  The reader goes forward once and
 * recurses ROOST_JWT_DEPTH_MAX levels at most.
 *
 *-------------------------------------------------------------------------
 */
#include "account/jwt.h"

#include <string.h>

/* What is left to read. */
typedef struct JwtReader
{
	const char *at;
	const char *end;
} JwtReader;

static bool jwt_object(JwtReader *reader, int depth, RoostJwtMember *members, int *count);
static bool jwt_duplicate(const RoostJwtMember *members, int count);
static bool jwt_array(JwtReader *reader, int depth);
static bool jwt_value(JwtReader *reader, int depth, RoostJwtMember *member);
static bool jwt_string(JwtReader *reader, RoostJwtText *value);
static bool jwt_escape(JwtReader *reader);
static bool jwt_utf8(JwtReader *reader);
static bool jwt_number(JwtReader *reader);
static bool jwt_digits(JwtReader *reader);
static bool jwt_literal(JwtReader *reader, const char *word);
static void jwt_space(JwtReader *reader);
static bool jwt_take(JwtReader *reader, char c);
static bool jwt_claim(const RoostJwtMember *member, bool ids, RoostJwtClaims *claims,
					  const char **why);
static bool jwt_time(const RoostJwtMember *member, bool *has, int64_t *value);
static bool jwt_id(const RoostJwtMember *member, int64_t *value);
static bool jwt_is_audience(const RoostJwtMember *member);

/*
 * Finds the three parts of a token; false when there are more or fewer, one
 * is empty, or the token is too long.
 */
bool
roost_jwt_split(const char *token, size_t length, RoostJwtParts *parts)
{
	const char *end = token + length;
	const char *first;
	const char *second;

	if (length > ROOST_JWT_LENGTH_MAX)
		return false;
	first = memchr(token, '.', length);
	if (first == NULL)
		return false;
	second = memchr(first + 1, '.', end - (first + 1));
	if (second == NULL || memchr(second + 1, '.', end - (second + 1)) != NULL)
		return false;

	parts->header = (RoostJwtText) {token, first - token};
	parts->payload = (RoostJwtText) {first + 1, second - (first + 1)};
	parts->signature = (RoostJwtText) {second + 1, end - (second + 1)};
	parts->signed_part = (RoostJwtText) {token, second - token};
	return parts->header.length > 0 && parts->payload.length > 0 && parts->signature.length > 0;
}

/*
 * Reads a JSON object into members and returns their number; -1 when it is
 * not exactly one object, or has too many members or one of them twice.
 */
int
roost_jwt_members(const char *json, size_t length, RoostJwtMember *members)
{
	JwtReader	reader = {json, json + length};
	int			count = 0;

	jwt_space(&reader);
	if (!jwt_object(&reader, 1, members, &count))
		return -1;
	jwt_space(&reader);
	return reader.at == reader.end && !jwt_duplicate(members, count) ? count : -1;
}

/*
 * Reads a decoded header; false with a reason when it cannot be accepted.
 */
bool
roost_jwt_header(const char *json, size_t length, RoostJwtHeader *header, const char **why)
{
	RoostJwtMember members[ROOST_JWT_MEMBERS_MAX];
	int			count = roost_jwt_members(json, length, members);

	memset(header, 0, sizeof(*header));
	if (count < 0)
	{
		*why = "its header is not a valid JSON object";
		return false;
	}
	for (int i = 0; i < count; i++)
	{
		const RoostJwtMember *member = &members[i];

		if (roost_jwt_text_equal(member->name, "alg") && member->type == ROOST_JWT_STRING)
			header->algorithm = roost_jwt_algorithm(member->value);
		else if (roost_jwt_text_equal(member->name, "kid") && member->type == ROOST_JWT_STRING &&
				 member->value.length <= ROOST_JWT_KID_MAX)
			header->kid = member->value;
		else if (roost_jwt_text_equal(member->name, "kid"))
		{
			*why = "its key identifier is not a string or too long";
			return false;
		}
		else if (roost_jwt_text_equal(member->name, "typ") && member->type == ROOST_JWT_STRING)
			header->typ = member->value;
		else if (roost_jwt_text_equal(member->name, "crit") || roost_jwt_text_equal(member->name, "b64"))
		{
			*why = "its header demands an extension that is not supported";
			return false;
		}
	}
	if (header->algorithm == ROOST_JWT_NO_ALGORITHM)
	{
		*why = "its algorithm is not supported";
		return false;
	}
	return true;
}

/*
 * Reads decoded claims; false with a reason when one has a wrong type.  With
 * ids, sub, sid and did must be roost's ids as decimal strings.
 */
bool
roost_jwt_claims(const char *json, size_t length, bool ids, RoostJwtClaims *claims, const char **why)
{
	RoostJwtMember members[ROOST_JWT_MEMBERS_MAX];
	int			count = roost_jwt_members(json, length, members);

	memset(claims, 0, sizeof(*claims));
	if (count < 0)
	{
		*why = "its claims are not a valid JSON object";
		return false;
	}
	for (int i = 0; i < count; i++)
	{
		if (!jwt_claim(&members[i], ids, claims, why))
			return false;
	}
	return true;
}

/*
 * Returns whether an aud claim is, or contains, the wanted audience.
 */
bool
roost_jwt_audience(const RoostJwtMember *aud, const char *wanted)
{
	JwtReader	reader;

	if (aud->value.data == NULL)
		return false;
	if (aud->type == ROOST_JWT_STRING)
		return roost_jwt_text_equal(aud->value, wanted);

	/* an array of strings, as jwt_is_audience() has seen */
	reader = (JwtReader) {aud->value.data, aud->value.data + aud->value.length};
	while (reader.at < reader.end)
	{
		RoostJwtText value;

		if (*reader.at++ != '"')
			continue;
		if (!jwt_string(&reader, &value))
			return false;
		if (roost_jwt_text_equal(value, wanted))
			return true;
	}
	return false;
}

/*
 * Returns whether a piece of the input is exactly the given string.
 */
bool
roost_jwt_text_equal(RoostJwtText text, const char *string)
{
	return text.data != NULL && text.length == strlen(string) &&
		memcmp(text.data, string, text.length) == 0;
}

/*
 * Returns the algorithm of a name, ROOST_JWT_NO_ALGORITHM if not offered.
 */
RoostJwtAlgorithm
roost_jwt_algorithm(RoostJwtText name)
{
	if (roost_jwt_text_equal(name, "HS256"))
		return ROOST_JWT_HS256;
	if (roost_jwt_text_equal(name, "EdDSA"))
		return ROOST_JWT_EDDSA;
	return ROOST_JWT_NO_ALGORITHM;
}

/*
 * Returns the name of an algorithm, NULL for ROOST_JWT_NO_ALGORITHM.
 */
const char *
roost_jwt_algorithm_name(RoostJwtAlgorithm algorithm)
{
	switch (algorithm)
	{
		case ROOST_JWT_HS256:
			return "HS256";
		case ROOST_JWT_EDDSA:
			return "EdDSA";
		default:
			return NULL;
	}
}

/*
 * Reads an object.  With members, they are kept, and their names must not
 * have escapes; without, the object is only checked.
 */
static bool
jwt_object(JwtReader *reader, int depth, RoostJwtMember *members, int *count)
{
	if (depth > ROOST_JWT_DEPTH_MAX || !jwt_take(reader, '{'))
		return false;
	jwt_space(reader);
	if (jwt_take(reader, '}'))
		return true;

	do
	{
		RoostJwtMember member;

		jwt_space(reader);
		if (!jwt_take(reader, '"') || !jwt_string(reader, &member.name))
			return false;
		jwt_space(reader);
		if (!jwt_take(reader, ':') || !jwt_value(reader, depth, &member))
			return false;
		if (members != NULL)
		{
			if (*count == ROOST_JWT_MEMBERS_MAX ||
				memchr(member.name.data, '\\', member.name.length) != NULL)
				return false;
			members[(*count)++] = member;
		}
		jwt_space(reader);
	} while (jwt_take(reader, ','));
	return jwt_take(reader, '}');
}

/*
 * Returns whether two members have the same name.
 */
static bool
jwt_duplicate(const RoostJwtMember *members, int count)
{
	for (int i = 1; i < count; i++)
	{
		for (int j = 0; j < i; j++)
		{
			if (members[i].name.length == members[j].name.length &&
				(members[i].name.length == 0 || members[i].name.data[0] == members[j].name.data[0]) &&
				memcmp(members[i].name.data, members[j].name.data, members[i].name.length) == 0)
				return true;
		}
	}
	return false;
}

/*
 * Reads an array.
 */
static bool
jwt_array(JwtReader *reader, int depth)
{
	RoostJwtMember element;

	if (depth > ROOST_JWT_DEPTH_MAX || !jwt_take(reader, '['))
		return false;
	jwt_space(reader);
	if (jwt_take(reader, ']'))
		return true;
	do
	{
		if (!jwt_value(reader, depth, &element))
			return false;
		jwt_space(reader);
	} while (jwt_take(reader, ','));
	return jwt_take(reader, ']');
}

/*
 * Reads any value, with the white space before it, into a member.
 */
static bool
jwt_value(JwtReader *reader, int depth, RoostJwtMember *member)
{
	bool		valid;

	jwt_space(reader);
	if (reader->at == reader->end)
		return false;
	member->value.data = reader->at;
	switch (*reader->at)
	{
		case '"':
			member->type = ROOST_JWT_STRING;
			reader->at++;
			return jwt_string(reader, &member->value);
		case '{':
			member->type = ROOST_JWT_OBJECT;
			valid = jwt_object(reader, depth + 1, NULL, NULL);
			break;
		case '[':
			member->type = ROOST_JWT_ARRAY;
			valid = jwt_array(reader, depth + 1);
			break;
		case 't':
			member->type = ROOST_JWT_LITERAL;
			valid = jwt_literal(reader, "true");
			break;
		case 'f':
			member->type = ROOST_JWT_LITERAL;
			valid = jwt_literal(reader, "false");
			break;
		case 'n':
			member->type = ROOST_JWT_LITERAL;
			valid = jwt_literal(reader, "null");
			break;
		default:
			member->type = ROOST_JWT_NUMBER;
			valid = jwt_number(reader);
			break;
	}
	member->value.length = reader->at - member->value.data;
	return valid;
}

/* Returns whether a byte is a character of a string by itself. */
static inline bool
jwt_is_plain(unsigned char c)
{
	return (unsigned char) (c - 0x20) < 0x60 && c != '"' && c != '\\';
}

/*
 * Reads a string after its first quote.
 */
static bool
jwt_string(JwtReader *reader, RoostJwtText *value)
{
	value->data = reader->at;
	for (;;)
	{
		unsigned char c;

		while (reader->at < reader->end && jwt_is_plain(*reader->at))
			reader->at++;
		if (reader->at == reader->end)
			return false;
		c = *reader->at;
		if (c == '"')
		{
			value->length = reader->at++ - value->data;
			return true;
		}
		if (c < 0x20)
			return false;
		if (c == '\\')
		{
			if (!jwt_escape(reader))
				return false;
		}
		else if (!jwt_utf8(reader))
			return false;
	}
}

/*
 * Reads an escape; \u must not be half of a pair, nor zero.
 */
static bool
jwt_escape(JwtReader *reader)
{
	unsigned int pair = 0;

	reader->at++;
	if (reader->at == reader->end)
		return false;
	if (*reader->at != 'u')
		return strchr("\"\\/bfnrt", *reader->at) != NULL && *reader->at++ != '\0';

	for (;;)
	{
		unsigned int code = 0;

		if (reader->end - reader->at < 5)
			return false;
		for (int i = 1; i <= 4; i++)
		{
			char		c = reader->at[i];

			if (c >= '0' && c <= '9')
				code = code << 4 | (c - '0');
			else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
				code = code << 4 | ((c | 0x20) - 'a' + 10);
			else
				return false;
		}
		reader->at += 5;
		if (pair != 0)
			return code >= 0xdc00 && code <= 0xdfff;
		if (code < 0xd800 || code > 0xdfff)
			return code != 0;
		if (code > 0xdbff || reader->end - reader->at < 2 ||
			reader->at[0] != '\\' || reader->at[1] != 'u')
			return false;
		pair = code;
		reader->at++;
	}
}

/*
 * Reads one character of more than one byte.
 */
static bool
jwt_utf8(JwtReader *reader)
{
	const unsigned char *c = (const unsigned char *) reader->at;
	size_t		left = reader->end - reader->at;
	int			length = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;

	if (c[0] < 0xc2 || c[0] > 0xf4 || left < (size_t) length)
		return false;
	for (int i = 1; i < length; i++)
	{
		if ((c[i] & 0xc0) != 0x80)
			return false;
	}
	/* overlong forms, halves of pairs, and beyond the last code point */
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
		(c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
		return false;
	reader->at += length;
	return true;
}

/*
 * Reads a number.
 */
static bool
jwt_number(JwtReader *reader)
{
	jwt_take(reader, '-');
	if (!jwt_take(reader, '0') && !jwt_digits(reader))
		return false;
	if (jwt_take(reader, '.') && !jwt_digits(reader))
		return false;
	if (jwt_take(reader, 'e') || jwt_take(reader, 'E'))
	{
		if (!jwt_take(reader, '-'))
			jwt_take(reader, '+');
		return jwt_digits(reader);
	}
	return true;
}

/*
 * Reads one or more digits.
 */
static bool
jwt_digits(JwtReader *reader)
{
	const char *start = reader->at;

	while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
		reader->at++;
	return reader->at > start;
}

/*
 * Reads a given word.
 */
static bool
jwt_literal(JwtReader *reader, const char *word)
{
	size_t		length = strlen(word);

	if ((size_t) (reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
		return false;
	reader->at += length;
	return true;
}

/*
 * Reads white space, if any.
 */
static void
jwt_space(JwtReader *reader)
{
	while (reader->at < reader->end &&
		   (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\n' || *reader->at == '\r'))
		reader->at++;
}

/*
 * Reads a given character, if it is next.
 */
static bool
jwt_take(JwtReader *reader, char c)
{
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

/*
 * Puts one claim where it belongs; claims that are not known are nobody's
 * business here.
 */
static bool
jwt_claim(const RoostJwtMember *member, bool ids, RoostJwtClaims *claims, const char **why)
{
	bool		valid = true;

	if (member->name.length != 3)
		return true;
	if (memcmp(member->name.data, "exp", 3) == 0)
		valid = jwt_time(member, &claims->has_exp, &claims->exp);
	else if (memcmp(member->name.data, "nbf", 3) == 0)
		valid = jwt_time(member, &claims->has_nbf, &claims->nbf);
	else if (memcmp(member->name.data, "iat", 3) == 0)
		valid = jwt_time(member, &claims->has_iat, &claims->iat);
	else if (memcmp(member->name.data, "iss", 3) == 0)
	{
		valid = member->type == ROOST_JWT_STRING;
		claims->iss = member->value;
	}
	else if (memcmp(member->name.data, "aud", 3) == 0)
	{
		valid = jwt_is_audience(member);
		claims->aud = *member;
	}
	else if (ids && memcmp(member->name.data, "sub", 3) == 0)
		valid = jwt_id(member, &claims->sub);
	else if (ids && memcmp(member->name.data, "sid", 3) == 0)
		valid = jwt_id(member, &claims->sid);
	else if (ids && memcmp(member->name.data, "did", 3) == 0)
		valid = jwt_id(member, &claims->did);
	if (!valid)
		*why = "one of its claims has a wrong type or value";
	return valid;
}

/*
 * Reads a time: a number of seconds since 1970, whose fraction is dropped.
 */
static bool
jwt_time(const RoostJwtMember *member, bool *has, int64_t *value)
{
	int64_t		n = 0;
	size_t		i = 0;

	if (member->type != ROOST_JWT_NUMBER)
		return false;
	for (; i < member->value.length && member->value.data[i] != '.'; i++)
	{
		char		c = member->value.data[i];

		/* not negative, no exponent, and before the year 33658 */
		if (c < '0' || c > '9' || i == 12)
			return false;
		n = n * 10 + (c - '0');
	}
	for (i++; i < member->value.length; i++)
	{
		if (member->value.data[i] < '0' || member->value.data[i] > '9')
			return false;
	}
	*has = true;
	*value = n;
	return true;
}

/*
 * Reads an id: a positive number below 2^63 as a string.
 */
static bool
jwt_id(const RoostJwtMember *member, int64_t *value)
{
	uint64_t	n = 0;

	if (member->type != ROOST_JWT_STRING || member->value.length == 0 || member->value.length > 19 ||
		member->value.data[0] == '0')
		return false;
	for (size_t i = 0; i < member->value.length; i++)
	{
		char		c = member->value.data[i];

		if (c < '0' || c > '9')
			return false;
		n = n * 10 + (c - '0');
	}
	if (n > INT64_MAX)
		return false;
	*value = n;
	return true;
}

/*
 * Returns whether an aud claim is a string or an array of strings.
 */
static bool
jwt_is_audience(const RoostJwtMember *member)
{
	JwtReader	reader = {member->value.data, member->value.data + member->value.length};
	RoostJwtMember element;

	if (member->type == ROOST_JWT_STRING)
		return true;
	if (member->type != ROOST_JWT_ARRAY)
		return false;
	jwt_take(&reader, '[');
	jwt_space(&reader);
	if (jwt_take(&reader, ']'))
		return true;
	do
	{
		if (!jwt_value(&reader, ROOST_JWT_DEPTH_MAX, &element) || element.type != ROOST_JWT_STRING)
			return false;
		jwt_space(&reader);
	} while (jwt_take(&reader, ','));
	return true;
}
