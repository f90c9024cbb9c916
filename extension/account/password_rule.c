/*-------------------------------------------------------------------------
 *
 * password_rule.c
 *		Refuses new passwords that are too short or too easy to guess.
 *
 * In the spirit of NIST SP 800-63B: a least length, no rules about kinds of
 * characters, and no password that a guesser would try early.  A list of a
 * million leaked passwords would mostly repeat a few patterns, so a password
 * is taken apart into as few guessable pieces as possible instead: common
 * words (also with letters replaced by look-alike digits and signs), walks
 * over the keyboard or the alphabet, years, repetitions of what came before,
 * and the owner's own names.  Any other character is a piece of its own.
 * Fewer than RULE_PIECES_MIN pieces are refused: "Password-2024",
 * "qwerty123456", "iloveyou!!!", "aaaaaaaaaa".
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/crypto.h>

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "account/password.h"
#include "core/compat.h"

PG_FUNCTION_INFO_V1(roost_password_check);

#define RULE_LENGTH_MAX		1000	/* characters of a password */
#define RULE_LOOK_AT		128 /* characters that are taken apart */
#define RULE_PIECES_MIN		5	/* fewer are easy to guess */
#define RULE_WALK_MIN		3	/* keys in a row that make a walk */
#define RULE_REPEAT_MIN		3	/* characters that make a repetition */
#define RULE_NAME_MIN		3	/* shorter names of the owner do not count */
#define RULE_NAMES_MAX		8	/* names of the owner that are looked at */

/* A string of code points in lower case. */
typedef struct RuleText
{
	int			length;
	pg_wchar	chars[RULE_LOOK_AT + 1];
} RuleText;

/* Words that are common in passwords. */
static const char *const rule_words[] = {
	"abc", "about", "access", "account", "admin", "administrator", "adobe", "alex", "alexander", "alexis", "allison",
	"amanda", "america", "american", "andrea", "andrew", "angel", "angela", "anna", "anthony", "apple", "april", "arsenal",
	"asdf", "ashley", "asshole", "august", "austin", "autumn", "azerty", "baby", "babygirl", "badboy", "bailey", "banana",
	"barcelona", "baseball", "basketball", "batman", "bear", "beautiful", "beaver", "benjamin", "berlin", "bigdog",
	"birthday", "biteme", "black", "blink", "blue", "booboo", "boston", "brandon", "brian", "brother", "bubbles", "buddy",
	"bulldog", "buster", "butter", "butterfly", "calvin", "camaro", "canada", "captain", "carlos", "caroline", "cat",
	"change", "changeme", "charles", "charlie", "chelsea", "cheese", "cherry", "chester", "chicago", "chicken", "chocolate",
	"chris", "christian", "christmas", "claire", "coffee", "compaq", "computer", "contrasena", "cookie", "cool", "cooper",
	"corvette", "cowboy", "cowboys", "crystal", "dad", "daddy", "dakota", "dallas", "daniel", "danielle", "david", "december",
	"default", "demo", "destiny", "dexter", "diablo", "diamond", "doctor", "dog", "dolphin", "donald", "dragon", "eagle",
	"eagles", "edward", "elizabeth", "eminem", "england", "enter", "falcon", "family", "february", "ferrari", "fire",
	"flower", "football", "forever", "france", "freedom", "friday", "friend", "friends", "fuck", "fuckme", "fuckyou",
	"gandalf", "garfield", "gateway", "george", "gfhjkm", "ginger", "girl", "god", "golden", "golf", "golfer", "google",
	"green", "guest", "guitar", "hammer", "hannah", "happy", "harley", "heather", "heaven", "hello", "hockey", "holiday",
	"home", "honda", "horny", "house", "hunter", "iloveu", "iloveyou", "internet", "jackson", "jaguar", "jake", "james",
	"january", "jasmine", "jason", "jennifer", "jessica", "jesus", "john", "johnny", "jordan", "joseph", "joshua", "july",
	"june", "junior", "justin", "killer", "king", "kitten", "kitty", "knight", "lakers", "lauren", "letmein", "liberty",
	"linkedin", "liverpool", "login", "london", "love", "lovely", "lover", "loveme", "lucky", "maggie", "manager",
	"manchester", "march", "marina", "marine", "marlboro", "martin", "master", "matrix", "matthew", "maverick", "melissa",
	"mercedes", "merlin", "michael", "michelle", "mickey", "midnight", "miller", "minecraft", "mine", "mom", "monday",
	"money", "monkey", "monster", "morgan", "mother", "motdepasse", "mustang", "music", "myspace", "naruto", "nascar",
	"natasha", "newyork", "nicholas", "nicole", "ninja", "november", "october", "oliver", "orange", "pa55word", "pakistan",
	"panther", "pass", "passw", "passwd", "password", "passwort", "patrick", "peace", "peaches", "peanut", "pepper",
	"phoenix", "pizza", "player", "please", "pokemon", "prince", "princess", "private", "purple", "pussy", "pwd", "q1w2e3",
	"qaz", "qwe", "qwer", "qwerty", "qwertz", "rabbit", "rachel", "raiders", "rainbow", "ranger", "rangers", "red", "redsox",
	"richard", "robert", "rocket", "ronaldo", "root", "rose", "russia", "sakura", "samantha", "samsung", "samuel", "sarah",
	"saturday", "scooby", "scooter", "secret", "september", "server", "service", "sex", "sexy", "shadow", "shalom", "shannon",
	"silver", "simple", "slayer", "slipknot", "smokey", "snoopy", "snowball", "soccer", "sophie", "spain", "sparky",
	"spider", "spiderman", "spring", "star", "starwars", "steelers", "stella", "steven", "sticker", "summer", "sunday",
	"sunflower", "sunshine", "super", "superman", "support", "sweet", "sweety", "system", "taylor", "teacher", "temp",
	"tennis", "test", "tester", "testing", "thomas", "thunder", "thursday", "tiffany", "tiger", "tigger", "tinkerbell",
	"trustno", "tuesday", "turtle", "twitter", "user", "vanessa", "victor", "victoria", "viking", "vincent", "warrior",
	"welcome", "whatever", "white", "william", "willow", "windows", "winner", "winter", "wizard", "wolf", "work", "yamaha",
	"yankees", "yellow", "you", "zaq", "zxcv",
};

/* Rows and columns of keyboards, the alphabet and the digits. */
static const char *const rule_walks[] = {
	"abcdefghijklmnopqrstuvwxyz", "01234567890",
	"qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn",
	"1qaz2wsx3edc4rfv5tgb6yhn7ujm", "qazwsxedcrfvtgbyhnujm", "1q2w3e4r5t6y7u8i9o0p", "!@#$%^&*()",
	"147258369", "159357", "qweasdzxc",
};

static int	rule_pieces(const RuleText *password, const RuleText *names, int num_names);
static int	rule_word(const RuleText *password, int at, const char *word);
static int	rule_name(const RuleText *password, int at, const RuleText *name);
static int	rule_walk(const RuleText *password, int at);
static int	rule_walk_along(const RuleText *password, int at, const char *keys);
static int	rule_year(const RuleText *password, int at);
static int	rule_repeat(const RuleText *password, int at, int from);
static bool rule_looks_like(pg_wchar c, char letter);
static int	rule_names(text *username, text *email, RuleText *names);
static void rule_add_name(RuleText *names, int *num_names, const char *name, int length);
static int	rule_text(RuleText *result, const char *string, int length);

/*
 * roost_internal.password_check(password, username, email) returns why a
 * password is refused, or NULL.
 */
Datum
roost_password_check(PG_FUNCTION_ARGS)
{
	text	   *password_text;
	RuleText	password;
	RuleText	names[RULE_NAMES_MAX];
	const char *reason = NULL;
	int			num_names;
	int			length;

	if (PG_ARGISNULL(0))
		PG_RETURN_TEXT_P(cstring_to_text("a password is needed"));
	password_text = PG_GETARG_TEXT_PP(0);
	length = pg_mbstrlen_with_len(VARDATA_ANY(password_text), VARSIZE_ANY_EXHDR(password_text));
	if (length < roost_password_min_length)
		PG_RETURN_TEXT_P(cstring_to_text(psprintf("password needs at least %d characters",
												  roost_password_min_length)));
	if (length > RULE_LENGTH_MAX || VARSIZE_ANY_EXHDR(password_text) > ROOST_PASSWORD_BYTES_MAX)
		PG_RETURN_TEXT_P(cstring_to_text(psprintf("password may have at most %d characters",
												  RULE_LENGTH_MAX)));

	rule_text(&password, VARDATA_ANY(password_text), VARSIZE_ANY_EXHDR(password_text));
	num_names = rule_names(PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1),
						   PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2), names);
	if (rule_pieces(&password, names, 0) < RULE_PIECES_MIN)
		reason = "password is too easy to guess";
	else if (rule_pieces(&password, names, num_names) < RULE_PIECES_MIN)
		reason = "password is too close to the user name or e-mail address";
	OPENSSL_cleanse(&password, sizeof(password));

	if (reason == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(reason));
}

/*
 * Returns the least number of guessable pieces that a password consists of.
 */
static int
rule_pieces(const RuleText *password, const RuleText *names, int num_names)
{
	int			least[RULE_LOOK_AT + 1];

#define PIECE(at, length, cost) \
	(least[(at) + (length)] = Min(least[(at) + (length)], least[at] + (cost)))

	least[0] = 0;
	for (int i = 1; i <= password->length; i++)
		least[i] = i;

	for (int i = 0; i < password->length; i++)
	{
		/* the same character again is no new piece */
		PIECE(i, 1, i > 0 && password->chars[i] == password->chars[i - 1] ? 0 : 1);
		for (int w = 0; w < lengthof(rule_words); w++)
			PIECE(i, rule_word(password, i, rule_words[w]), 1);
		for (int n = 0; n < num_names; n++)
			PIECE(i, rule_name(password, i, &names[n]), 1);
		for (int n = rule_walk(password, i); n >= RULE_WALK_MIN; n--)
			PIECE(i, n, 1);
		PIECE(i, rule_year(password, i), 1);
		for (int from = 0; from < i; from++)
			PIECE(i, rule_repeat(password, i, from), 1);
	}
#undef PIECE
	return least[password->length];
}

/*
 * Returns the length of a word that stands at a place, or 0.
 */
static int
rule_word(const RuleText *password, int at, const char *word)
{
	int			n;

	for (n = 0; word[n] != '\0'; n++)
	{
		if (at + n >= password->length || !rule_looks_like(password->chars[at + n], word[n]))
			return 0;
	}
	return n;
}

/*
 * Returns the length of a name of the owner that stands at a place, or 0.
 */
static int
rule_name(const RuleText *password, int at, const RuleText *name)
{
	if (at + name->length > password->length ||
		memcmp(&password->chars[at], name->chars, name->length * sizeof(pg_wchar)) != 0)
		return 0;
	return name->length;
}

/*
 * Returns the length of the longest walk that begins at a place.
 */
static int
rule_walk(const RuleText *password, int at)
{
	int			longest = 0;

	for (int i = 0; i < lengthof(rule_walks); i++)
		longest = Max(longest, rule_walk_along(password, at, rule_walks[i]));
	return longest;
}

/*
 * Returns the length of the longest walk along some keys, in one direction.
 */
static int
rule_walk_along(const RuleText *password, int at, const char *keys)
{
	int			num_keys = strlen(keys);
	int			longest = 0;

	for (int k = 0; k < num_keys; k++)
	{
		for (int step = -1; step <= 1; step += 2)
		{
			int			n = 0;

			while (at + n < password->length && k + n * step >= 0 && k + n * step < num_keys &&
				   password->chars[at + n] == (unsigned char) keys[k + n * step])
				n++;
			longest = Max(longest, n);
		}
	}
	return longest;
}

/*
 * Returns 4 when a year of our time stands at a place, else 0.
 */
static int
rule_year(const RuleText *password, int at)
{
	const pg_wchar *c = &password->chars[at];

	if (at + 4 > password->length)
		return 0;
	if (!(c[0] == '1' && c[1] == '9') && !(c[0] == '2' && c[1] == '0'))
		return 0;
	return c[2] >= '0' && c[2] <= '9' && c[3] >= '0' && c[3] <= '9' ? 4 : 0;
}

/*
 * Returns how much from a place on repeats what stands at an earlier one.
 */
static int
rule_repeat(const RuleText *password, int at, int from)
{
	int			n = 0;

	while (from + n < at && at + n < password->length &&
		   password->chars[at + n] == password->chars[from + n])
		n++;
	return n >= RULE_REPEAT_MIN ? n : 0;
}

/*
 * Returns whether a character is a letter or is used in its place.
 */
static bool
rule_looks_like(pg_wchar c, char letter)
{
	if (c == (unsigned char) letter)
		return true;
	switch (c)
	{
		case '0':
			return letter == 'o';
		case '1':
		case '!':
		case '|':
			return letter == 'i' || letter == 'l';
		case '3':
			return letter == 'e';
		case '4':
		case '@':
			return letter == 'a';
		case '5':
		case '$':
			return letter == 's';
		case '7':
		case '+':
			return letter == 't';
		case '8':
			return letter == 'b';
		case '9':
			return letter == 'g';
		default:
			return false;
	}
}

/*
 * Fills in the names of the owner: user name, e-mail address, and the parts
 * of the address between its signs.  Returns their number.
 */
static int
rule_names(text *username, text *email, RuleText *names)
{
	int			num_names = 0;

	if (username != NULL)
		rule_add_name(names, &num_names, VARDATA_ANY(username), VARSIZE_ANY_EXHDR(username));
	if (email != NULL)
	{
		const char *p = VARDATA_ANY(email);
		const char *end = p + VARSIZE_ANY_EXHDR(email);

		rule_add_name(names, &num_names, p, end - p);
		while (p < end)
		{
			const char *start = p;

			while (p < end && strchr("@.+-_", *p) == NULL)
				p++;
			rule_add_name(names, &num_names, start, p - start);
			p++;
		}
	}
	return num_names;
}

/*
 * Adds a name unless it is too short or there are too many.
 */
static void
rule_add_name(RuleText *names, int *num_names, const char *name, int length)
{
	if (*num_names < RULE_NAMES_MAX &&
		rule_text(&names[*num_names], name, length) >= RULE_NAME_MIN)
		(*num_names)++;
}

/*
 * Makes code points in lower case of a string's beginning; returns their
 * number.
 */
static int
rule_text(RuleText *result, const char *string, int length)
{
	length = pg_mbcharcliplen(string, length, RULE_LOOK_AT);
	result->length = pg_mb2wchar_with_len(string, result->chars, length);
	for (int i = 0; i < result->length; i++)
	{
		if (result->chars[i] >= 'A' && result->chars[i] <= 'Z')
			result->chars[i] += 'a' - 'A';
	}
	return result->length;
}
