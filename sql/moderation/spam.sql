-- The spam model.

CREATE OR REPLACE FUNCTION roost.spam_score(text text) RETURNS real
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_moderation_spam_score';
REVOKE ALL ON FUNCTION roost.spam_score(text) FROM PUBLIC;
COMMENT ON FUNCTION roost.spam_score(text) IS 'The probability, 0 to 1, that a text is spam, by the weights in roost_data.spam_weight, or those that roost brings along while that is empty.';

CREATE OR REPLACE FUNCTION roost.spam_explain(text text) RETURNS SETOF roost.spam_feature
LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 60
AS 'MODULE_PATHNAME', 'roost_moderation_spam_explain';
REVOKE ALL ON FUNCTION roost.spam_explain(text) FROM PUBLIC;
COMMENT ON FUNCTION roost.spam_explain(text) IS 'Why a text has its spam score: its features. The score is 1 / (1 + exp(-sum of contributions)).';

CREATE OR REPLACE FUNCTION roost_internal.spam_default() RETURNS TABLE (feature text, weight real)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 2000
AS 'MODULE_PATHNAME', 'roost_moderation_spam_default';
REVOKE ALL ON FUNCTION roost_internal.spam_default() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.spam_default() IS 'The weights that roost brings along.';

CREATE OR REPLACE FUNCTION roost.spam_train(epochs integer DEFAULT 20, l2 real DEFAULT 0.001, seed bigint DEFAULT 1, max_features integer DEFAULT 20000, min_count integer DEFAULT 2, holdout real DEFAULT 0.2) RETURNS roost.spam_metrics
LANGUAGE c VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'roost_moderation_spam_train';
REVOKE ALL ON FUNCTION roost.spam_train(integer, real, bigint, integer, integer, real) FROM PUBLIC;
COMMENT ON FUNCTION roost.spam_train(integer, real, bigint, integer, integer, real) IS 'Learns roost_data.spam_weight anew from roost_data.spam_sample (without those marked is_test): logistic regression, epochs times over the samples in an order drawn from seed, with the penalty l2. Features that fewer than min_count samples have are left out; the max_features strongest are kept. A part of the samples, holdout, is first held out to measure and calibrate. The audit trail has an entry spam.train. The same samples and arguments give the same weights. 55000 without samples of both kinds, 22023 for an argument out of range.';

CREATE OR REPLACE FUNCTION roost.spam_evaluate(all_samples boolean DEFAULT false, thresholds real[] DEFAULT '{0.05,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,0.95,0.99}') RETURNS SETOF roost.spam_point
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 12 AS $$
BEGIN
	RETURN QUERY
	WITH scored AS MATERIALIZED (
		SELECT roost.spam_score(s.text) AS score, s.is_spam FROM roost_data.spam_sample s
		WHERE s.is_test OR spam_evaluate.all_samples
	), counted AS (
		SELECT t.threshold, count(*) FILTER (WHERE c.score >= t.threshold AND c.is_spam) AS found,
			count(*) FILTER (WHERE c.score >= t.threshold AND NOT c.is_spam) AS wrong,
			count(*) FILTER (WHERE c.score < t.threshold AND c.is_spam) AS missed
		FROM unnest(spam_evaluate.thresholds) t (threshold) LEFT JOIN scored c ON true
		GROUP BY t.threshold
	)
	SELECT c.threshold, c.found / nullif(c.found + c.wrong, 0)::double precision, c.found / nullif(c.found + c.missed, 0)::double precision,
		2 * c.found / nullif(2 * c.found + c.wrong + c.missed, 0)::double precision, c.found, c.wrong, c.missed
	FROM counted c ORDER BY c.threshold;
END;
$$;
REVOKE ALL ON FUNCTION roost.spam_evaluate(boolean, real[]) FROM PUBLIC;
COMMENT ON FUNCTION roost.spam_evaluate(boolean, real[]) IS 'What thresholds do on the samples marked is_test, or on all, with the model in force: precision and recall.';

CREATE OR REPLACE FUNCTION roost_internal.spam_weight_audit() RETURNS trigger
LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'roost_moderation_weight_audit';
REVOKE ALL ON FUNCTION roost_internal.spam_weight_audit() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.spam_weight_audit() IS 'AFTER STATEMENT trigger: adds an entry spam_weight.change to the audit trail, unless it is roost.spam_train() that writes.';
