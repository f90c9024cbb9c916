-- Mails: templates, languages, escaping.

INSERT INTO roost_data.mail_template VALUES
	('test_mail', 'en', E'Hello {{name}}\r\nBcc: x@example.org', 'To {{name}} at {{site_name}}: {{public_url}}/x?{{token}} {{missing}}{{ {{name', '<a href="{{public_url}}/x?{{token}}">{{name}}</a>'),
	('test_mail', 'pt', 'Oi {{name}}', 'Oi {{name}}', '<p>Oi {{name}}</p>'),
	('test_mail', 'pt-br', 'E ai {{name}}', 'E ai {{name}}', '<p>E ai {{name}}</p>');

-- The language asked for, else without its region, else English.
SELECT roost_internal.mail_add('x@example.org', 'test_mail', l, '{"name": "Ada"}') IS NOT NULL FROM unnest(ARRAY['pt-BR', 'pt-PT', 'fr', 'en-GB']) l;
SELECT payload->>'language' AS language, payload->>'subject' AS subject FROM roost_data.job WHERE kind = 'test_mail' ORDER BY id;

-- Values are escaped in html, never looked through again, and cannot add header lines.
DELETE FROM roost_data.job WHERE kind = 'test_mail';
SELECT roost_internal.mail_add('x@example.org', 'test_mail', 'en', E'{"name": "<b>\\"A\\" & ''B''</b> {{token}}\\nX: y", "token": "t=1&u=2"}') IS NOT NULL AS added;
SELECT payload->>'to' AS recipient, payload->>'subject' AS subject, payload->>'text' AS text, payload->>'html' AS html, queue, secret FROM roost_data.job WHERE kind = 'test_mail';

-- The payload is emptied when the mail is sent.
SELECT job.id AS id, job.attempt FROM roost.job_take('mail', 1000) job WHERE job.kind = 'test_mail' \gset
SELECT roost.job_done(:id, :attempt);
SELECT payload FROM roost_data.job WHERE id = :id;

-- No such template.
\set VERBOSITY terse
SELECT roost_internal.mail_add('x@example.org', 'no_such_mail', 'en', '{}');
\echo :LAST_ERROR_SQLSTATE
DELETE FROM roost_data.mail_template WHERE name = 'test_mail';
DELETE FROM roost_data.job WHERE kind = 'test_mail';

-- All built-in templates have the values they name.
SELECT DISTINCT m[1] AS value FROM roost_data.mail_template, regexp_matches(subject || text || html, '\{\{(\w+)\}\}', 'g') m ORDER BY 1;
SELECT name, language FROM roost_data.mail_template ORDER BY 1, 2;
