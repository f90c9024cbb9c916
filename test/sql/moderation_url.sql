-- Links: what they are made of, and what of it deceives.
\pset format unaligned
\pset tuples_only on
BEGIN;
INSERT INTO roost_data.moderation_url_host (host, kind) VALUES ('bad.example', 'blocked'), ('fine.bad.example', 'allowed'), ('xn--bcher-kva.example', 'blocked'), ('roost.example', 'protected'), ('127.0.0.1', 'blocked');
SELECT u, r.host, r.domain, r.reasons, r.looks_like, r.listed_as, round(r.score::numeric, 2) FROM unnest(ARRAY[
	'https://www.wikipedia.org/wiki/Simhash', 'http://bit.ly/x', 'http://sub.bit.ly/x', 'http://0x7f.1/', 'http://2130706433/', 'http://10.1.2.3:8080/', 'http://[::1]/', 'http://user@host.example/', 'https://paypal.com@evil.example/',
	'https://pаypal.com/', 'https://xn--pypal-4ve.com/', 'https://paypa1.com', 'https://g00gle.com', 'https://rnicrosoft.com', 'https://paypal.com.evil.example/x', 'https://login.paypal.com-secure.evil.example/', 'https://www.paypal.com/x',
	'https://roost.example/', 'https://r00st.example/', 'http://bad.example', 'http://a.b.bad.example:80/', 'http://fine.bad.example', 'http://notbad.example', 'http://bücher.example', 'http://bad。example',
	U&'http://ba\200Bd.example', 'http://bad%2Eexample/', 'HTTP://BAD.EXAMPLE.', '//bad.example', 'javascript:alert(1)', 'data:text/html,x', 'mailto:a@b.example', 'http://a.b.c.d.e.f.example/', 'http://xn--99999999.example/',
	'https://мойсайт.example/', 'https://bücher-laden.example/', 'ftp://files.example:21/', 'not a link', '']) u, roost.url_analyze(u) r;
-- names of another script that look Latin as a whole, addresses in others, protected names beside words that call for trust
SELECT u, r.host_unicode, r.ip, r.reasons, round(r.score::numeric, 2) FROM unnest(ARRAY['https://хор.example/', 'https://xn--n1aen.example', 'https://хор.рф', 'https://нет.example', 'https://ωκεανός.example', 'https://例え.example', 'https://münchen.example',
	'http://[::ffff:127.0.0.1]/', 'http://[::ffff:7f00:1]/', 'http://[2001:db8::1]/', 'https://roost-login.evil.example', 'https://secure-r00st.example', 'https://login.roost.example', 'https://roost-recipes.example', 'https://login-page.example', 'https://x.roost.support-desk.example']) u,
	roost.url_analyze(u) r;
-- the text under which it stands
SELECT shown, r.mismatched FROM unnest(ARRAY['www.paypal.com', 'https://evil.example/other', 'evil.example', 'www.evil.example', 'click here', 'e.g.', 'v1.2', 'https://10.0.0.1/', 'paypal.com,', NULL]) shown, roost.url_analyze('https://evil.example/x', shown) r;
SELECT r.is_ip, r.ip, r.port, r.odd_port, r.scheme FROM roost.url_analyze('HTTP://0300.0250.1:8443/') r;
SELECT r.host_unicode, r.is_punycode, r.mixed_script FROM roost.url_analyze('http://xn--bcher-kva.example') r;
SELECT r.too_long, r.too_deep, r.score FROM roost.url_analyze('http://x.example/' || repeat('a', 400)) r;
SELECT count(*) FROM unnest(ARRAY['http://' || repeat('a.', 30000), repeat('@', 60000), 'http://' || repeat('а', 30000), 'http://' || repeat('%2e', 20000), 'http://xn--' || repeat('a', 60000), repeat(':', 60000)]) u, roost.url_analyze(u) r;
SELECT roost.url_analyze(NULL) IS NULL, roost_internal.url_host('https://Bücher.example/x');
-- what is done with a host is obeyed at once
DELETE FROM roost_data.moderation_url_host WHERE host = 'bad.example';
SELECT (roost.url_analyze('http://bad.example')).blocked;
ROLLBACK;
