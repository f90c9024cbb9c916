-- Mails are jobs of the queue "mail", with subject, text and html rendered.

CREATE OR REPLACE FUNCTION roost_internal.html_escape(text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(
		$1, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;')
$$;
REVOKE ALL ON FUNCTION roost_internal.html_escape(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.html_escape(text) IS 'The text with the characters that mean something in HTML replaced.';

CREATE OR REPLACE FUNCTION roost_internal.mail_fill(template text, value jsonb, html boolean) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	-- Each part after the first begins with the name of a value and "}}".
	SELECT string_agg(
		CASE
			WHEN n = 1 THEN part
			WHEN position('}}' IN part) = 0 THEN '{{' || part
			WHEN $3 THEN roost_internal.html_escape(coalesce($2->>split_part(part, '}}', 1), '')) || substr(part, position('}}' IN part) + 2)
			ELSE coalesce($2->>split_part(part, '}}', 1), '') || substr(part, position('}}' IN part) + 2)
		END, '' ORDER BY n)
	FROM regexp_split_to_table($1, '\{\{') WITH ORDINALITY AS p (part, n)
$$;
REVOKE ALL ON FUNCTION roost_internal.mail_fill(text, jsonb, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.mail_fill(text, jsonb, boolean) IS 'The template with each {{name}} replaced by that value, or nothing if there is none; values are not looked through again. html: values are escaped.';

CREATE OR REPLACE FUNCTION roost_internal.mail_add(recipient text, template text, language text, value jsonb, account_id bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_language text := pg_catalog.lower(mail_add.language);
	v_value jsonb := pg_catalog.jsonb_build_object(
		'site_name', pg_catalog.current_setting('roost.site_name'),
		'public_url', pg_catalog.rtrim(pg_catalog.current_setting('roost.public_url'), '/')) || value;
	v_template roost_data.mail_template;
BEGIN
	SELECT t.* INTO v_template
	FROM roost_data.mail_template t
	WHERE t.name = mail_add.template AND t.language IN (v_language, pg_catalog.split_part(v_language, '-', 1), 'en')
	ORDER BY t.language = v_language DESC, t.language = pg_catalog.split_part(v_language, '-', 1) DESC
	LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = pg_catalog.format('mail template "%s" is missing', template),
			HINT = 'Run SELECT roost.install().';
	END IF;
	RETURN roost_internal.job_add('mail', v_template.name, pg_catalog.jsonb_build_object(
		'account_id', mail_add.account_id::text,
		'to', recipient,
		'template', v_template.name,
		'language', v_template.language,
		'subject', pg_catalog.regexp_replace(roost_internal.mail_fill(v_template.subject, v_value, false), '[\r\n]+', ' ', 'g'),
		'text', roost_internal.mail_fill(v_template.text, v_value, false),
		'html', roost_internal.mail_fill(v_template.html, v_value, true)), secret => true);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.mail_add(text, text, text, jsonb, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.mail_add(text, text, text, jsonb, bigint) IS 'Puts a mail into the queue "mail": {account_id, to, template, language, subject, text, html}. value: what the template''s {{names}} stand for; site_name and public_url are always there. account_id: whose mail it is; it is not sent once that account is deleted (null: in any case). Returns the job''s id. 55000 if there is no such template.';

CREATE OR REPLACE FUNCTION roost_internal.job_account_delete(account_id bigint) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM roost_data.job j
	WHERE j.queue = 'mail' AND j.done_at IS NULL AND j.dead_at IS NULL AND j.payload->>'account_id' = $1::text
$$;
REVOKE ALL ON FUNCTION roost_internal.job_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.job_account_delete(bigint) IS 'Removes the mails of an account that have not been sent.';
