-- The spam model: what comes along, training, explanations.
\pset format unaligned
\pset tuples_only on
\set VERBOSITY terse
SELECT count(*) BETWEEN 500 AND 6000 FROM roost_internal.spam_default();
SELECT roost.spam_score(t) > 0.5, t FROM unnest(ARRAY[
	'WINNER!! You have won a £1000 prize. Call 09061701461 now to claim!', 'Free entry! Text WIN to 87121 to claim your free iPhone www.win-now.example', 'check out my channel and subscribe!!!', 'Earn $500 per day working from home, click here http://bit.ly/cash',
	'Customs desk: your parcel waits, pay the fee of £1.45 at parcel-fee.example', 'Text HITS to 80088 for this weeks top ringtone. 50p per msg, 18+', 'Su paquete está retenido. Pague la tarifa aquí: envio-pago.example',
	'Your login code is 482913. Never share it with anyone.', 'Tu pedido ya está listo, pasa por él a la tienda', 'Neredesin? Akşam görüşelim mi?', 'Tu as reçu mon message ? Je suis en retard, à demain',
	'Are we still on for lunch tomorrow?', 'The second half of the album is much better than the first', 'lol see you at 8', 'Attached is the report for Monday, let me know what you think', '']) t;
SELECT abs(e.score - roost.spam_score(t)) < 0.00001, e.features > 10, e.has_bias FROM (VALUES ('WINNER!! Call 09061701461 now, £1,000')) v (t),
	LATERAL (SELECT 1 / (1 + exp(-sum(contribution::double precision))) AS score, count(*) AS features, bool_or(feature = '(bias)') AS has_bias FROM roost.spam_explain(t)) e;
SELECT feature, value > 0 FROM roost.spam_explain('fr' || U&'\0435' || 'e v1agra at www.x.example now') WHERE feature IN ('free', 'viagra', '~url', '=links:1', 'free viagra', 'free v0agra') ORDER BY feature COLLATE "C";
-- kinds of spam beside text messages, and what honest people write that is near to them
SELECT roost.spam_score(t) > 0.5, t FROM unnest(ARRAY[
	'buy viagra online cheap', 'just for test I have to say murdev.com', 'check out my channel', 'subscribe', 'gana dinero desde casa', 'Gagnez 500 euros par jour depuis chez vous', 'Rank #1 on Google, cheap SEO services, contact us',
	'Ich bin heute im Büro', 'I subscribed to the local paper again because the crossword is better', 'The bank called about my card', 'New release: https://github.com/example/project/releases', 'Is the library open today?', 'Спасибо за фотографии']) t;
-- nothing to learn from
SELECT * FROM roost.spam_train();
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM roost.spam_train(epochs => 0);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM roost.spam_train(holdout => 'NaN');
\echo :LAST_ERROR_SQLSTATE
BEGIN;
INSERT INTO roost_data.spam_sample (text, is_spam, is_test)
SELECT CASE WHEN i % 2 = 0 THEN 'purple ' ELSE 'green ' END || (ARRAY['monkey', 'tiger', 'bear', 'fox', 'owl'])[1 + i % 5] || ' number ' || i, i % 2 = 0, i % 4 >= 2 FROM generate_series(1, 400) i;
SELECT samples, spam, held > 20, accuracy FROM roost.spam_train(epochs => 10);
-- the trail tells of a training, and of what else changes the model, once a statement
SELECT action, object_type, detail - 'features' FROM roost_data.audit_entry WHERE transaction = pg_current_xact_id()::text::bigint AND object_type = 'spam_model' ORDER BY id;
CREATE TEMP TABLE first AS SELECT * FROM roost_data.spam_weight;
SELECT roost.spam_score('a purple horse') > 0.7, roost.spam_score('a green horse') < 0.3;
SELECT * FROM roost.spam_evaluate(false, '{0.5}');
SELECT found + missed FROM roost.spam_evaluate(true, '{0.5}');
SELECT samples FROM roost.spam_train(epochs => 10);
SELECT count(*) FROM first f FULL JOIN roost_data.spam_weight w USING (feature) WHERE f.weight IS DISTINCT FROM w.weight;
SELECT features FROM roost.spam_train(max_features => 10);
SELECT count(*) FROM roost_data.spam_weight;
-- one's own weights are obeyed at once
DELETE FROM roost_data.spam_weight;
INSERT INTO roost_data.spam_weight VALUES ('(bias)', 0);
SELECT roost.spam_score('anything');
INSERT INTO roost_data.spam_weight VALUES ('anything', 5);
SELECT roost.spam_score('anything') > 0.99;
-- an empty table means the model that comes along
TRUNCATE roost_data.spam_weight;
SELECT roost.spam_score('WINNER!! You have won a £1000 prize. Call 09061701461 now to claim!') > 0.9;
-- all that was done to it
SELECT action, object_type, detail - 'features' - 'samples' - 'spam' FROM roost_data.audit_entry WHERE transaction = pg_current_xact_id()::text::bigint AND object_type = 'spam_model' ORDER BY id;
ROLLBACK;
SELECT count(*) FROM roost_data.spam_weight;
