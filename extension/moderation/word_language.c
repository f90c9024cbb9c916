/*-------------------------------------------------------------------------
 *
 * word_language.c
 *		Guesses the language of a text by its small words.
 *
 * Nothing here needs a server.
 *
 *-------------------------------------------------------------------------
 */
#include "moderation/word.h"

#include <string.h>

/* Small words by language, bare, with spaces between */
static const struct
{
	const char *language;
	const char *words;
}			small[] = {
	{"en", "the and you that was for are with his they this have from not but what all were your can there use she how their will would which been who its it is im my me we he of to"},
	{"de", "der die das und ist nicht ein eine ich du er sie es wir ihr den dem mit auf fur von zu im auch wie aber oder wenn war sind hat habe noch nur bei aus nach"},
	{"es", "el los las y es un una que por para con no se su al lo como mas pero sus le ya o este si porque esta entre cuando muy sin sobre tambien yo hay fue"},
	{"fr", "le les et est un une des du que qui dans pour pas sur au avec ce il elle je tu nous vous ne sont mais plus par se cette ou son ses leur"},
	{"it", "il lo gli e un una che di per non con sono mi si ha le anche ma come piu questo della nel alla io se cosa dei delle del perche"},
	{"pt", "o os as e um uma que de do da em para com nao se por mais dos das como mas foi ao ele ela seu sua ou quando muito nos ja eu tambem"},
	{"sv", "och att det som en pa ar av for med till den har de inte om ett han men var jag sig fran vi sa kan man nar ska hon"},
	{"pl", "i w nie na sie jest to z do ze jak co po tak za ale o od czy tylko jego przez juz byc ma dla ten ja tego sa"},
	{"nl", "de het een en van ik te dat die in je niet is zijn op aan met als voor er maar om hem dan zou of wat mijn"},
	{"da", "og i jeg det at en den til er som pa de med han af for ikke der var mig sig men et har om vi min havde"},
};

#define SMALL_LANGUAGES	((int) (sizeof(small) / sizeof(small[0])))
#define SMALL_PLACES	2048

/* The same by hash, made when first needed: in which languages a word is small */
static struct
{
	uint32_t	hash;
	uint32_t	languages;
}			small_words[SMALL_PLACES];

static inline uint32_t
small_hash(uint32_t hash, uint32_t code)
{
	return (hash ^ code) * 16777619u;
}

/*
 * Returns the place of a word.
 */
static int
small_place(uint32_t hash)
{
	uint32_t	at = (hash ^ hash >> 15) % SMALL_PLACES;

	while (small_words[at].languages != 0 && small_words[at].hash != hash)
		at = (at + 1) % SMALL_PLACES;
	return (int) at;
}

static void
small_set_up(void)
{
	for (int i = 0; i < SMALL_LANGUAGES; i++)
	{
		for (const char *p = small[i].words; *p != '\0';)
		{
			uint32_t	hash = 2166136261u;
			int			at;

			for (; *p != ' ' && *p != '\0'; p++)
				hash = small_hash(hash, (unsigned char) *p);
			while (*p == ' ')
				p++;
			at = small_place(hash);
			small_words[at].hash = hash;
			small_words[at].languages |= 1u << i;
		}
	}
}

/*
 * Returns whether a language is written in Latin letters.
 */
bool
roost_moderation_word_is_latin(const char *language)
{
	static const char others[] = " am ar be bg bn ckb dv el fa gu he hi hy ja ka kk km kn ko ky lo mk ml mn mr my ne or pa ps ru sa sd si sr ta te tg th ti ug uk ur yi zh ";
	const char *found = strstr(others, language);

	return found == NULL || found == others || found[-1] != ' ' || found[strlen(language)] != ' ';
}

/*
 * Returns the language whose small words a text in Latin letters is full of,
 * or NULL.  Against a language that is told (or NULL) it must have twice as many
 * of them, and three at least.
 */
const char *
roost_moderation_word_language(const FoldGlyph *glyphs, size_t n, const char *told)
{
	static bool is_set_up = false;
	int			counts[SMALL_LANGUAGES] = {0};
	int			best = 0;
	int			second = 0;
	int			words = 0;

	if (!is_set_up)
		small_set_up();
	is_set_up = true;
	for (size_t i = 0; i < n && words < 60;)
	{
		uint32_t	hash = 2166136261u;
		size_t		start = i;

		for (; i < n && FOLD_IS_LETTER(glyphs[i].class); i++)
			hash = small_hash(hash, glyphs[i].code);
		if (i == start)
		{
			i++;
			continue;
		}
		words++;
		if (i - start <= 8)
		{
			uint32_t	languages = small_words[small_place(hash)].languages;

			for (int k = 0; languages != 0; k++, languages >>= 1)
				counts[k] += languages & 1;
		}
	}
	for (int k = 1; k < SMALL_LANGUAGES; k++)
		if (counts[k] > counts[best])
			best = k;
	for (int k = 0; k < SMALL_LANGUAGES; k++)
		if (k != best && counts[k] > second)
			second = counts[k];
	for (int k = 0; k < SMALL_LANGUAGES && told != NULL; k++)
		if (counts[best] < 3 || (strcmp(small[k].language, told) == 0 && counts[best] < 2 * counts[k]))
			return NULL;
	return counts[best] >= 2 && counts[best] > second ? small[best].language : NULL;
}
