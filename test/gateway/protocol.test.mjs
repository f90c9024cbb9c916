// HTTP/1.1 as clients use it: connections, bodies, methods, pages, addresses.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { join } from 'node:path';
import http from 'node:http';
import { account, answers, call, connect, folder, hold, liftLimits, lines, metric, raw, sql, startGateway, testRoutes, until, waiting } from './lib.mjs';

let gateway;
const pages = join(folder, 'pages');
before(async () => {
	liftLimits();
	testRoutes();
	mkdirSync(join(pages, 'docs'), { recursive: true });
	writeFileSync(join(pages, 'index.html'), '<!doctype html><title>t</title>');
	writeFileSync(join(pages, 'docs', 'index.html'), '<!doctype html><title>d</title>');
	writeFileSync(join(pages, 'big.txt'), 'a line of text\n'.repeat(100000));
	writeFileSync(join(pages, 'secret.key'), 'no');
	writeFileSync(join(folder, 'outside.txt'), 'no');
	gateway = await startGateway({ 'static-dir': pages, 'body-limit': '256kB', 'idle-timeout': '10s' });
});
after(() => gateway.stop());

const host = 'Host: localhost\r\n';

test('connections are kept, and closed when asked to', async () => {
	const text = await raw(gateway, `GET /health HTTP/1.1\r\n${host}\r\nGET /health HTTP/1.1\r\n${host}Connection: close\r\n\r\n`);
	const [first, second] = answers(text);
	assert.equal(first.headers.connection, undefined);
	assert.equal(second.headers.connection, 'close');
});
test('an idle connection is closed', async () => {
	// a gateway of its own, so that no connection of the other tests is closed just when it is used
	const impatient = await startGateway({ 'idle-timeout': '100ms' });
	// (before its first request, if that is late)
	await until(async () => answers(await raw(impatient, `GET /health HTTP/1.1\r\n${host}\r\n`)).length === 1, 'an answer, and the end');
	await impatient.stop();
});
test('HTTP/1.0 closes, unless it asks to keep the connection', async () => {
	assert.equal(answers(await raw(gateway, 'GET /health HTTP/1.0\r\n\r\n'))[0].headers.connection, 'close');
	assert.equal(answers(await raw(gateway, 'GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'))[0].headers.connection, 'keep-alive');
});
test('requests in one packet are answered in order', async () => {
	const sizes = [3000, 10, 2000, 100, 50, 1000];
	const found = answers(await raw(gateway, sizes.map((size, i) => `GET ${i % 3 === 2 ? '/health' : `/test/long/${size}`} HTTP/1.1\r\n${host}${i === 5 ? 'Connection: close\r\n' : ''}\r\n`).join('')));
	assert.equal(found.length, sizes.length);
	found.forEach((answer, i) => {
		assert.equal(answer.status, 200);
		if (i % 3 === 2) assert.equal(JSON.parse(answer.body).status, 'ok');
		else assert.equal(JSON.parse(answer.body).length, sizes[i]);
	});
});
test('a thousand pipelined requests are answered', async () => {
	const found = answers(await raw(gateway, `GET /health HTTP/1.1\r\n${host}\r\n`.repeat(1000) + `GET /nowhere HTTP/1.1\r\n${host}Connection: close\r\n\r\n`));
	assert.equal(found.length, 1001);
	assert.equal(found[1000].status, 404);
});
test('a request may come byte by byte', async () => {
	const socket = connect(gateway);
	let got = '';
	socket.on('data', (data) => { got += data; });
	for (const byte of `\r\nPOST /test/echo HTTP/1.1\r\n${host}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\n{"te\r\nA \r\nxt":"bytes\r\n2\r\n"}\r\n0\r\nTrailer: x\r\n\r\n`) {
		socket.write(byte);
		await new Promise(setImmediate);
	}
	await until(() => got.includes('"bytes"'), 'the answer');
	assert.match(got, /^HTTP\/1\.1 200 /);
	socket.destroy();
});
test('a client that has closed its half gets its answer', async () => {
	const held = await hold(101);
	const answer = raw(gateway, `GET /test/wait/101 HTTP/1.1\r\n${host}Connection: close\r\n\r\n`, { end: true });
	await until(() => waiting(101) === 1, 'the request');
	await held.release();
	assert.equal(answers(await answer)[0].status, 200);
});
test('100-continue is said when the body is wanted', async () => {
	const request = http.request(`${gateway.url}/test/echo`, { agent: false, method: 'POST', headers: { expect: '100-continue', 'content-type': 'application/json', 'content-length': 14 } });
	request.flushHeaders();
	await new Promise((resolve) => request.once('continue', resolve));
	request.end('{"text":"yes"}');
	const [answer] = await new Promise((resolve) => request.once('response', (...args) => resolve(args)));
	assert.equal(answer.statusCode, 200);
	answer.resume();
});
test('chunked and long bodies arrive whole', async () => {
	const text = 'ä€😀'.repeat(20000);
	for (const size of [1, 7, 5000, 1 << 20]) {
		const request = http.request(`${gateway.url}/test/echo`, { agent: false, method: 'POST', headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' } });
		const bytes = Buffer.from(JSON.stringify({ text: size === 1 ? text.slice(0, 50) : text }));
		for (let at = 0; at < bytes.length; at += size) request.write(bytes.subarray(at, at + size));
		request.end();
		const answer = await new Promise((resolve, reject) => { request.once('response', resolve); request.once('error', reject); });
		const parts = [];
		for await (const part of answer) parts.push(part);
		assert.equal(JSON.parse(Buffer.concat(parts)), size === 1 ? text.slice(0, 50) : text);
	}
});
test('an answer of megabytes arrives whole, and a client that does not read it is let go', async () => {
	const answer = await fetch(`${gateway.url}/test/long/5000000`, { headers: { 'accept-encoding': 'identity' } });
	assert.equal((await answer.json()).length, 5000000);
	const impatient = await startGateway({ 'write-timeout': '1s' });
	const socket = connect(impatient);
	socket.pause();
	socket.write(`GET /test/long/20000000 HTTP/1.1\r\n${host}\r\n`);
	await until(async () => await metric(impatient, 'roost_gateway_sent_bytes_total') > 100000, 'the beginning of the answer');
	await until(async () => await metric(impatient, 'roost_gateway_clients') === 1, 'the end of the connection'); // but for who asks
	socket.destroy();
	await impatient.stop();
});
test('HEAD is GET without the body', async () => {
	for (const path of ['/health', '/test/long/100', '/']) {
		const head = answers((await raw(gateway, `HEAD ${path} HTTP/1.1\r\n${host}Connection: close\r\n\r\n`)).replace(/content-length: /i, 'x-length: '))[0];
		const get = answers(await raw(gateway, `GET ${path} HTTP/1.1\r\n${host}Connection: close\r\n\r\n`))[0];
		assert.equal(head.status, 200);
		assert.equal(head.body, '');
		assert.equal(head.headers['x-length'], get.headers['content-length']);
	}
});
test('OPTIONS tells the methods of a path', async () => {
	const answer = await call(gateway, 'OPTIONS', '/api/v1/tweets/1');
	assert.equal(answer.status, 204);
	assert.deepEqual(answer.headers.get('allow').split(', ').filter((method) => ['GET', 'HEAD', 'DELETE', 'OPTIONS'].includes(method)).sort(), ['DELETE', 'GET', 'HEAD', 'OPTIONS']);
	assert.equal((await call(gateway, 'OPTIONS', '/nowhere')).headers.get('allow'), 'OPTIONS');
});
test('an upgrade is refused or ignored', async () => {
	assert.equal(answers(await raw(gateway, `GET /streams HTTP/1.1\r\n${host}Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n`))[0].status, 404);
	assert.equal(answers(await raw(gateway, `GET /health HTTP/1.1\r\n${host}Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`))[0].status, 200);
});
test('a target with a scheme and a host is a path', async () => assert.equal(answers(await raw(gateway, `GET http://localhost/health HTTP/1.1\r\n${host}Connection: close\r\n\r\n`))[0].status, 200));

test('JSON is compressed when that is accepted, worth it and harmless', async () => {
	const ask = (path, coding) => new Promise((resolve) => http.get(`${gateway.url}${path}`, { headers: coding === undefined ? {} : { 'accept-encoding': coding } }, (answer) => {
		const parts = [];
		answer.on('data', (part) => parts.push(part)).on('end', () => resolve({ headers: answer.headers, body: Buffer.concat(parts) }));
	}));
	// (there is a budget, which may be used up for a moment)
	const compressed = (coding) => until(async () => {
		const answer = await ask('/test/long/5000', coding);
		return answer.headers['content-encoding'] === 'gzip' && answer;
	}, `a compressed answer to ${coding}`);
	const packed = await compressed('br, gzip;q=0.5');
	assert.match(packed.headers.vary, /Accept-Encoding/);
	assert.ok(packed.body.length < 500);
	assert.equal(JSON.parse(gunzipSync(packed.body)).length, 5000);
	for (const coding of [undefined, 'identity', 'gzip;q=0', 'br', '*;q=0'])
		assert.equal((await ask('/test/long/5000', coding)).headers['content-encoding'], undefined, coding);
	await compressed('*');
	assert.equal((await ask('/test/long/500', 'gzip')).headers['content-encoding'], undefined, 'too short');
	// an answer with tokens is not compressed: its length would tell about them
	const user = await account(gateway, 'gzip');
	const login = await fetch(`${gateway.url}/auth/login`, { method: 'POST', headers: { 'content-type': 'application/json', 'accept-encoding': 'gzip' }, body: JSON.stringify({ identifier: user.username, password: user.password }) });
	assert.equal(login.status, 200);
	assert.equal(login.headers.get('content-encoding'), null);
});

test('every answer has the security headers and an id', async () => {
	for (const path of ['/health', '/nowhere', '/', '/test/bug']) {
		const answer = await fetch(`${gateway.url}${path}`);
		assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
		assert.equal(answer.headers.get('referrer-policy'), 'no-referrer');
		assert.match(answer.headers.get('content-security-policy'), /frame-ancestors 'none'/);
		assert.equal(answer.headers.get('cross-origin-resource-policy'), 'same-origin');
		assert.match(answer.headers.get('x-request-id'), /^[0-9a-f]{32}$/);
		assert.ok(answer.headers.get('date'));
		assert.equal(answer.headers.get('strict-transport-security'), null);
		await answer.text();
	}
});
test('a request id of the client is repeated if it is harmless', async () => {
	const id = async (given) => (await call(gateway, 'GET', '/health', { headers: { 'x-request-id': given } })).headers.get('x-request-id');
	assert.equal(await id('my-request_1.2'), 'my-request_1.2');
	for (const bad of ['short', 'with space', 'x'.repeat(65), '"><script>', 'a,b,c,d,e,f'])
		assert.match(await id(bad), /^[0-9a-f]{32}$/, bad);
});
test('an error of the inside tells nothing but an id, under which the log has it', async () => {
	const answer = await call(gateway, 'GET', '/test/bug');
	assert.equal(answer.status, 500);
	assert.equal(answer.json.code, 'internal_error');
	assert.doesNotMatch(answer.text, /secret/);
	await until(() => gateway.log.includes(answer.json.request_id) && gateway.log.includes('a secret of the inside'), 'the line of the log');
});

test('every 503 says when to try again, once', async () => {
	// the one with a number first, so that its header must not be found again in reused memory
	for (const query of ['?seconds=7', '', '', '?seconds=7', '']) {
		const answer = await call(gateway, 'GET', `/test/busy${query}`);
		assert.equal(answer.status, 503);
		assert.equal(answer.json.code, 'busy');
		assert.match(answer.headers.get('retry-after') ?? 'none', query ? /^7$|^1$/ : /^1$/);
	}
});
test('the addresses in mails give the page, which is not kept, and their token is nowhere', async () => {
	const logging = await startGateway({ 'static-dir': pages, 'access-log': '-', 'log-level': 'debug' });
	const page = await fetch(`${gateway.url}/`);
	for (const path of ['/verify-email', '/reset-password', '/forgot-password']) {
		const answer = await fetch(`${logging.url}${path}?token=mail-secret&x=%00`, { headers: { 'if-none-match': page.headers.get('etag') } });
		assert.equal(answer.status, 200, path);
		assert.match(await answer.text(), /<title>t</);
		assert.equal(answer.headers.get('cache-control'), 'no-store');
		assert.equal(answer.headers.get('etag'), null);
		assert.equal(answer.headers.get('referrer-policy'), 'no-referrer');
		for (const name of ['content-security-policy', 'content-type', 'x-frame-options', 'cross-origin-opener-policy']) assert.equal(answer.headers.get(name), page.headers.get(name), name);
		const head = await fetch(`${logging.url}${path}?token=mail-secret`, { method: 'HEAD', headers: { 'x-request-id': `head-of${path.replace('/', '-')}` } });
		assert.deepEqual([head.status, head.headers.get('content-length'), head.headers.get('cache-control')], [200, answer.headers.get('content-length'), 'no-store']);
		for (const other of [`${path}/`, `${path}/x`, `/x${path}`, `/api/v1${path}`, path.toUpperCase()]) assert.equal((await fetch(`${logging.url}${other}?token=mail-secret`)).status, 404, other);
		assert.equal((await call(logging, 'POST', `${path}?token=mail-secret`, { body: {} })).status, 404);
		await until(() => logging.out.includes(`head-of${path.replace('/', '-')}`), 'the line of the log');
		assert.match(logging.out, new RegExp(`"method":"GET","path":"${path}","status":200`));
	}
	assert.doesNotMatch(logging.out + logging.log + await (await fetch(`${logging.url}/metrics`)).text(), /mail-secret|token=/);
	await logging.stop();
	const without = await startGateway({ 'static-dir': '' });
	assert.equal((await fetch(`${without.url}/verify-email?token=mail-secret`)).status, 404);
	await without.stop();
	sql(`SELECT roost_internal.route('GET', '/reset-password', 'gateway_test.echo', auth => 'none')`);
	try {
		const routed = await startGateway({ 'static-dir': pages });
		assert.equal((await call(routed, 'GET', '/reset-password?text=own')).json, 'own', 'a route comes first');
		assert.match(await (await fetch(`${routed.url}/verify-email`)).text(), /<title>t</);
		await routed.stop();
	} finally {
		sql(`SELECT roost_internal.route_drop('GET', '/reset-password')`);
	}
});
test('pages are served, and nothing else of the disk', async () => {
	for (const [path, type] of [['/', /html/], ['/docs/', /html/], ['/big.txt', /plain/]]) {
		const answer = await fetch(`${gateway.url}${path}`);
		assert.equal(answer.status, 200, path);
		assert.match(answer.headers.get('content-type'), type);
		assert.match(answer.headers.get('cache-control'), /max-age/);
		const text = await answer.text();
		const again = await fetch(`${gateway.url}${path}`, { headers: { 'if-none-match': answer.headers.get('etag') } });
		assert.equal(again.status, 304);
		assert.equal(await again.text(), '');
		if (path === '/big.txt') assert.equal(text, 'a line of text\n'.repeat(100000));
	}
	assert.equal((await fetch(`${gateway.url}/docs`, { redirect: 'manual' })).headers.get('location'), '/docs/');
	for (const path of ['/../outside.txt', '/docs/../../outside.txt', '/%2e%2e/outside.txt', '/..%2foutside.txt', '/secret.key', '//etc/passwd', '/docs/..', '/index.html\\..\\..\\outside.txt', '/%00', '/big.txt%00.html', '/.', '/docs//index.html']) {
		const answer = answers(await raw(gateway, `GET ${path} HTTP/1.1\r\n${host}Connection: close\r\n\r\n`))[0];
		assert.ok(answer.status === 404 || answer.status === 400, `${path}: ${answer.status}`);
		assert.match(answer.headers['content-type'], /problem\+json/);
	}
	assert.equal((await call(gateway, 'POST', '/', { body: {} })).status, 404);
	const other = await fetch(`${gateway.url}/health`, { method: 'POST' });
	assert.equal(other.status, 405);
	assert.equal(other.headers.get('allow'), 'GET, HEAD');
});

test('who asks is found behind trusted proxies only', async () => {
	const trusting = await startGateway({ 'trusted-proxies': '127.0.0.0/8, 10.0.0.0/8, 2001:db8::/32', 'access-log': '-' });
	const plain = await startGateway({ 'access-log': '-' });
	const seen = async (to, headers) => {
		const id = (await fetch(`${to.url}/health`, { headers })).headers.get('x-request-id');
		return JSON.parse(await until(() => lines(to.out).find((line) => line.includes(id)), 'the line of the log')).address;
	};
	assert.equal(await seen(plain, { 'x-forwarded-for': '203.0.113.7' }), '127.0.0.1');
	assert.equal(await seen(trusting, {}), '127.0.0.1');
	assert.equal(await seen(trusting, { 'x-forwarded-for': '203.0.113.7' }), '203.0.113.7');
	assert.equal(await seen(trusting, { 'x-forwarded-for': '198.51.100.1, 203.0.113.7, 10.1.2.3' }), '203.0.113.7');
	assert.equal(await seen(trusting, { 'x-forwarded-for': '198.51.100.1, rubbish' }), '127.0.0.1');
	assert.equal(await seen(trusting, { 'x-forwarded-for': 'rubbish, 203.0.113.7:4711' }), '203.0.113.7');
	// the one header that the proxy writes, and its own line of it: what the client wrote is passed on as well
	assert.equal(await seen(trusting, { forwarded: 'for=198.51.100.1' }), '127.0.0.1');
	assert.equal(await seen(trusting, { forwarded: 'for=198.51.100.1', 'x-forwarded-for': '203.0.113.7' }), '203.0.113.7');
	const twice = async (first, second) => {
		const [answer] = answers(await raw(trusting, `GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Forwarded-For: ${first}\r\nX-Forwarded-For: ${second}\r\n\r\n`));
		const id = answer.headers['x-request-id'];
		return JSON.parse(await until(() => lines(trusting.out).find((line) => line.includes(id)), 'the line of the log')).address;
	};
	assert.equal(await twice('198.51.100.1', '203.0.113.7'), '203.0.113.7');
	assert.equal(await twice('198.51.100.1, 203.0.113.7', '10.1.2.3'), '203.0.113.7');
	assert.equal(await twice('198.51.100.1', 'rubbish'), '127.0.0.1');
	const secure = await fetch(`${trusting.url}/health`, { headers: { 'x-forwarded-proto': 'https' } });
	assert.match(secure.headers.get('strict-transport-security'), /max-age/);
	assert.equal((await fetch(`${plain.url}/health`, { headers: { 'x-forwarded-proto': 'https' } })).headers.get('strict-transport-security'), null);
	// metrics are for the machine itself, and not for whom a proxy on it speaks
	assert.equal((await fetch(`${plain.url}/metrics`)).status, 200);
	assert.equal((await fetch(`${plain.url}/metrics`, { headers: { 'x-forwarded-for': '127.0.0.1' } })).status, 403);
	assert.equal((await fetch(`${trusting.url}/metrics`, { headers: { 'x-forwarded-for': '203.0.113.7' } })).status, 403);
	assert.equal((await fetch(`${trusting.url}/metrics`, { headers: { 'x-forwarded-for': '127.0.0.1' } })).status, 200);
	await trusting.stop();
	await plain.stop();
	const other = await startGateway({ 'trusted-proxies': '127.0.0.0/8, 2001:db8::/32', 'forwarded-header': 'forwarded', 'access-log': '-' });
	assert.equal(await seen(other, { forwarded: 'for=198.51.100.1, for="[2001:db9::7]:4711";proto=https' }), '2001:db9::7');
	assert.equal(await seen(other, { forwarded: 'proto=http;for=203.0.113.9, For="[2001:db8::1]"' }), '203.0.113.9');
	assert.equal(await seen(other, { 'x-forwarded-for': '198.51.100.1' }), '127.0.0.1');
	await other.stop();
});
