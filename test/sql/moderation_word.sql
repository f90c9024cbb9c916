-- Listed words: found in disguise, not found in others.
\pset format unaligned
\pset tuples_only on
\set VERBOSITY terse
BEGIN;
DELETE FROM roost_data.moderation_word WHERE NOT allowed AND word NOT IN ('shit', 'cunt');
SELECT roost.moderation_word_import('en', '{cock,ass,dick,sex,penis,anal,cum,tit,rape,raping,rapist,arse,semen,nude,coon,"big black",s&m,2g1c,"",cock}', 0.7);
SELECT roost.moderation_word_import('en', '{cock}', 0.9);
SELECT roost.moderation_word_import('ja', '{セックス,肛門}', 0.8, 'sexual');
SELECT roost.moderation_word_import('sv', '{fan}');
SELECT roost.moderation_word_import(NULL, '{blorp}', 1, 'own', false);

-- found
SELECT (p.score >= 0.5), p.language, t, (SELECT string_agg(format('%s %s-%s "%s"%s', m.word, m.start, m."end", m.text, CASE WHEN m.disguised THEN ' disguised' ELSE '' END), ', ') FROM unnest(p.matches) m)
FROM unnest(ARRAY['cock', 'COCKS', 'c0ck', 'c o c k', 'ⓒⓞⓒⓚ', 'сосk', 'coooock', U&'c\200Bock', 'c.o.c.k', U&'c\0335\0321o\0335\0321c\0335\0321k\0335\0321', 'c_o-c.k', 'c.ock', '🅒🅞🅒🅚', '🇨🇴🇨🇰', '𝐜𝐨𝐜𝐤', 'ccoocckk', 'CCCooccckk', 'rraappee', '@$$', 'a s s', 'c**k', 'sh**!', 'bullsh*t', 'bull$hit', '(unt', '**what the c*nt**', 'ｃｏｃｋ',
	'cöck', 'c*ck', '@ss', 'a$$', 'sh!t', '5h1t', 'bullshit', 's.h.i.t', 'ꜱʜɪᴛ', 'b1g bl4ck', 'big-black', 'S&M', '2G1C', '#BigCock', 'd1ck69', 'xxblorpxx', 'what the c​u​n​t is this']) t, roost.profanity_score(t, 'en') p;

-- innocent
SELECT p.score, t FROM unnest(ARRAY['Scunthorpe', 'cocktail', 'Dickens', 'assassin', 'Essex', 'Sussex', 'shitake', 'shiitake', 'Penistone', 'analysis', 'class', 'grape', 'therapist', 'document', 'Hancock', 'peacock', 'Matsushita', 'Arsenal',
	'basement', 'title', 'circumstance', 'rapping', 'a s s e t s', 'cocoon', 'denude', 'tycoon', 'cumulus', 'analogue', 'mishit', 'Cockburn', 'cckk', 'ccook', 'coocck', 'a 55 b', 'a SS uniform', 'a 5.5', '+!+[]', 'c''ock''s', 'sexo*', 'sh*', '**sh**', '(until', '[until', '**English** and **I speak British**', 'Shiites', '**cash** paid', '455', 'A55', '$$$', '5f4dcc3b5aa765d61d8327deb882cf99', 'https://cock.example/ass', 'www.sex.example', 'me@ass.example',
	'YXNzY29ja2RpY2s', '', 'bigger blackbirds', 'the class, as some of us said']) t, roost.profanity_score(t, 'en') p;

-- languages
SELECT p.score, p.language, t FROM unnest(ARRAY['セックスの', 'エセックス', 'この肛門は', 'I am a fan of this and you are not', 'fan', 'och det var som fan']) t, roost.profanity_score(t) p;
-- told one language, in another: that counts, too, if it is clear, and what no word of the one told can be
SELECT p.score >= 0.5, p.language, t FROM unnest(ARRAY['och det var som fan', 'jag är som fan', 'I am a fan of this and you are not', 'fan', 'セックスの', 'Sex is the word for it and you know that']) t, roost.profanity_score(t, 'en') p;
SELECT l, (roost.profanity_score('cock, you said that and it is what they have', l)).score >= 0.5, (roost.profanity_score('セックスの', l)).score >= 0.5, (roost.profanity_score('cock', l)).score >= 0.5 FROM unnest('{sv,ja,zh,ko,ru,en,de-AT}'::text[]) l;
SELECT (roost.profanity_score('fan', 'en')).score, (roost.profanity_score('fan', 'sv-SE')).score, (roost.profanity_score('blorp', 'de')).score;
SELECT roost.profanity_score(NULL) IS NULL, (roost.profanity_score('cock ass')).score > (roost.profanity_score('cock')).score;
-- a change of the list is obeyed at once, an exception, too
INSERT INTO roost_data.moderation_word (language, word, allowed) VALUES ('en', 'peter cock', true);
SELECT (roost.profanity_score('Peter Cock')).score, (roost.profanity_score('cock')).score > 0;
ROLLBACK;
SELECT (roost.profanity_score('cock')).score;
BEGIN;
TRUNCATE roost_data.moderation_word;
SELECT (roost.profanity_score('shit')).score;
ROLLBACK;
SELECT (roost.profanity_score('shit')).score;
SELECT roost.moderation_word_import('EN!', '{x}');
SELECT roost.moderation_word_import('en', '{x}', 2);
