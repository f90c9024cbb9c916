-- Forms of texts, fingerprints, gibberish.
\pset format unaligned
\pset tuples_only on

-- what a reader sees
SELECT t, roost.text_normalize(t) FROM unnest(ARRAY[
	'  Hello   World  ', 'ＦＵＬＬ　ｗｉｄｔｈ', 'ⓒⓘⓡⓒⓛⓔⓓ', '𝓼𝓬𝓻𝓲𝓹𝓽', 'Straße', 'ﬁne', U&'e\0301', U&'Z\0335\0321\0349a\0335\0321\0349', U&'zero\200Bwidth', U&'soft\00ADhyphen',
	'pаypal', 'привет', 'привeт', '한국', '１２３ ٤٥٦', '🅰🅱', 'ᴀʙᴄ', '']) t;
SELECT t, roost.text_skeleton(t) FROM unnest(ARRAY['сосо', 'pаypаl', 'ƒølłow', 'Ελλάς', 'привет']) t;
SELECT roost.text_normalize(NULL) IS NULL, roost.text_normalize(roost.text_normalize('ＡÉ')) = roost.text_normalize('ＡÉ');

-- fingerprints: vectors, what makes no difference, what makes a little
SELECT t, to_hex(roost.text_simhash(t)) FROM unnest(ARRAY['', 'Hello', 'The quick brown fox jumps over the lazy dog', 'こんにちは世界', '🔥🔥']) t;
SELECT roost.simhash_distance(roost.text_simhash('Buy cheap pills at our new store today'), roost.text_simhash(t)) AS distance, t FROM unnest(ARRAY[
	'buy CHEAP   pills at our new store today!!!', '@you Buy cheap píⅼls, at our new store today 🔥🔥🔥', 'Buy cheap pills at our great store today', 'Nothing of the kind was ever written here before']) t;
SELECT roost.simhash_distance(0, -1), roost.simhash_distance(5, 5);
SELECT roost_internal.simhash_keys(x'0807060504030201'::bigint), roost_internal.simhash_keys(-1);
-- any two within seven bits share a key
SELECT count(*), bool_and(roost_internal.simhash_keys(a) && roost_internal.simhash_keys(a # mask))
FROM (SELECT hashtextextended(i::text, 0) AS a, (SELECT bit_or(1::bigint << (abs(hashtext(i || ' ' || k)) % 64)) FROM generate_series(1, 7) k) AS mask FROM generate_series(1, 5000) i) x;

-- gibberish
SELECT round(roost.gibberish_score(t)::numeric, 1), t FROM unnest(ARRAY[
	'gfsgfsgfsgfs', 'cvbcvbvcbcv', 'hahahaha', 'rsrsrsrs', 'kskskskskh', 'nanananana', 'hmmmm pfff brrr',
	'asdfkjhasdf', 'wkejrh ajshd jkahsd', 'dGhpcyBpcyBhIHRlc3Qgb2Yg', 'ㅁㄴㅇㄹㅁㄴ', 'The quick brown fox', 'Здравствуйте дорогие друзья', 'καλημέρα σας φίλοι', 'ok', '', 'hahahaha', '#sdkfjhsdkfjh',
	'https://asdkfjh.example/askdjfh', 'NASA and XKCD', 'getElementById', 'Schwarzenegger', '5f4dcc3b5aa765d61d8327deb882cf99', '你好', 'Ils sont allés au marché hier matin']) t;
