// From register to timeline, over HTTP, as a client does it. Every answer is
// checked against /openapi.json by call().
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { WebSocketClient, account, answers, call, liftLimits, raw, startGateway, testRoutes, until } from './lib.mjs';

let gateway;
let alice;
let bob;
before(async () => {
	liftLimits();
	testRoutes();
	gateway = await startGateway({ 'cors-origins': 'https://app.example, http://localhost:3000' });
	alice = await account(gateway, 'alice');
	bob = await account(gateway, 'bob');
});
after(() => gateway.stop());

const as = (user, method, path, body, headers) => call(gateway, method, path, { token: user?.token, body, headers });

test('the description is there and valid in itself', async () => {
	const answer = await call(gateway, 'GET', '/openapi.json');
	assert.equal(answer.status, 200);
	assert.match(answer.json.openapi, /^3\.1\./);
	for (const path of ['/auth/register', '/auth/login', '/tweets', '/tweets/home', '/users/{account_id}/follow']) assert.ok(answer.json.paths[path], path);
});
test('an account logs in, asks who it is, refreshes and logs out', async () => {
	const login = await as(null, 'POST', '/auth/login', { identifier: alice.username, password: alice.password });
	assert.equal(login.status, 200);
	assert.equal(login.json.token_type, 'Bearer');
	assert.equal(login.json.account.id, alice.id);
	const { access_token: token, refresh_token } = login.json;
	assert.equal((await call(gateway, 'GET', '/auth/me', { token })).json.username, alice.username);
	const refreshed = await as(null, 'POST', '/auth/refresh', { refresh_token });
	assert.equal(refreshed.status, 200);
	assert.equal((await call(gateway, 'POST', '/auth/logout', { token: refreshed.json.access_token })).status, 204);
	assert.equal((await call(gateway, 'GET', '/auth/me', { token: refreshed.json.access_token })).status, 401);
	assert.equal((await as(null, 'POST', '/auth/login', { identifier: alice.username, password: 'not the password' })).status, 401);
	assert.equal((await as(null, 'POST', '/auth/register', { username: alice.username, email: 'other@example.org', password: 'a fine password indeed' })).status, 409);
});
test('posts reach the home timeline of followers, newest first', async () => {
	assert.ok((await as(bob, 'POST', `/users/${alice.id}/follow`)).status < 300);
	const first = await as(alice, 'POST', '/tweets', { text: 'Hello #world from @nobody 😀' });
	assert.equal(first.status, 201);
	assert.equal(first.json.author.username, alice.username);
	assert.equal(typeof first.json.id, 'string');
	assert.match(first.json.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
	const second = await as(alice, 'POST', '/api/v1/tweets', { text: 'Second' });
	const home = await as(bob, 'GET', '/tweets/home');
	assert.deepEqual(home.json.items.map((post) => post.id), [second.json.id, first.json.id]);
	assert.equal((await as(bob, 'POST', `/tweets/${first.json.id}/like`)).status < 300, true);
	assert.equal((await as(bob, 'POST', `/tweets/${first.json.id}/like`)).status < 300, true, 'twice is once');
	const liked = await as(bob, 'GET', `/tweets/${first.json.id}`);
	assert.equal(liked.json.like_count, 1);
	assert.equal(liked.json.liked, true);
	assert.equal((await as(null, 'GET', `/tweets/${first.json.id}`)).json.liked, false);
	assert.ok((await as(bob, 'DELETE', `/tweets/${first.json.id}/like`)).status < 300);
	assert.equal((await as(bob, 'GET', `/tweets/${first.json.id}`)).json.like_count, 0, 'who sends a token sees it at once');
	await until(async () => (await as(null, 'GET', `/tweets/${first.json.id}`)).json.like_count === 0, 'the count for strangers');
	const hidden = await as(alice, 'POST', '/tweets', { text: 'For followers', visibility: 'followers' });
	assert.ok((await as(bob, 'POST', `/tweets/${hidden.json.id}/bookmark`)).status < 300);
	assert.ok((await as(bob, 'DELETE', `/users/${alice.id}/follow`)).status < 300);
	const undone = await as(bob, 'DELETE', `/tweets/${hidden.json.id}/bookmark`);
	assert.deepEqual([undone.status, undone.json], [200, null], 'what one does not see any more can be taken back');
	assert.ok((await as(bob, 'POST', `/users/${alice.id}/follow`)).status < 300);
	const reply = await as(bob, 'POST', '/tweets', { text: 'An answer', reply_to_id: first.json.id });
	assert.equal(reply.json.reply_to_id, first.json.id);
	assert.deepEqual((await as(null, 'GET', `/tweets/${first.json.id}/replies`)).json.items.map((post) => post.id), [reply.json.id]);
	const edited = await as(alice, 'PATCH', `/tweets/${second.json.id}`, { text: 'Second, better' });
	assert.equal(edited.status, 200);
	assert.equal(edited.json.text, 'Second, better');
	assert.equal((await as(bob, 'PATCH', `/tweets/${second.json.id}`, { text: 'mine now' })).status === 403 || (await as(bob, 'DELETE', `/tweets/${second.json.id}`)).status === 404, true);
	assert.ok((await as(alice, 'DELETE', `/tweets/${second.json.id}`)).status < 300);
	assert.equal((await as(alice, 'GET', `/tweets/${second.json.id}`)).status, 404);
	assert.ok((await as(bob, 'DELETE', `/users/${alice.id}/follow`)).status < 300);
	const own = await as(bob, 'POST', '/tweets', { text: 'My own' });
	assert.deepEqual((await as(bob, 'GET', '/tweets/home')).json.items.map((post) => post.id), [own.json.id], 'own posts stay');
});
test('pages follow each other without a gap, by body and by Link', async () => {
	const writer = await account(gateway, 'pages');
	const ids = [];
	for (let i = 0; i < 7; i++) ids.unshift((await as(writer, 'POST', '/tweets', { text: `page ${i}` })).json.id);
	const byBody = [];
	let before = '';
	for (;;) {
		const page = await as(writer, 'GET', `/users/${writer.id}/tweets?limit=3${before}`);
		byBody.push(...page.json.items.map((post) => post.id));
		if (page.json.next === null) break;
		before = `&before=${encodeURIComponent(page.json.next)}`;
	}
	assert.deepEqual(byBody, ids);
	const byLink = [];
	let url = `${gateway.url}/users/${writer.id}/tweets?limit=3`;
	while (url) {
		const answer = await fetch(url, { headers: { authorization: `Bearer ${writer.token}` } });
		byLink.push(...(await answer.json()).items.map((post) => post.id));
		const next = /<([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
		assert.ok(next === undefined || next.startsWith(gateway.url), `${next} leads elsewhere`);
		url = next;
	}
	assert.deepEqual(byLink, ids);
});
test('an Idempotency-Key makes one effect of many requests', async () => {
	const post = (text, key) => as(alice, 'POST', '/tweets', { text }, { 'idempotency-key': key });
	const all = await Promise.all(Array.from({ length: 6 }, () => post('exactly once', 'key-0001')));
	const done = all.filter((answer) => answer.status === 201);
	assert.ok(done.length >= 1);
	for (const answer of all) assert.ok(answer.status === 201 || answer.status === 409 || answer.status === 503, answer.text);
	const again = await post('exactly once', 'key-0001');
	assert.equal(again.status, 201);
	assert.equal(new Set([...done, again].map((answer) => answer.json.id)).size, 1);
	assert.equal((await post('something else', 'key-0001')).status, 409);
});
test('ETag and If-None-Match save the body', async () => {
	const post = await as(alice, 'POST', '/tweets', { text: 'cache me' });
	const first = await as(null, 'GET', `/tweets/${post.json.id}`);
	const etag = first.headers.get('etag');
	assert.ok(etag);
	assert.match(first.headers.get('cache-control'), /no-cache|max-age|private/);
	const second = await as(null, 'GET', `/tweets/${post.json.id}`, undefined, { 'if-none-match': etag });
	assert.equal(second.status, 304);
	assert.equal(second.text, '');
});

// Cookies: what a browser does.
function cookieJar(answer) {
	const jar = {};
	for (const line of answer.headers.getSetCookie()) {
		const [pair, ...attributes] = line.split('; ');
		jar[pair.slice(0, pair.indexOf('='))] = { value: pair.slice(pair.indexOf('=') + 1), attributes: attributes.map((attribute) => attribute.toLowerCase()) };
	}
	return jar;
}
test('cookies: httpOnly tokens, and a CSRF check for what changes something', async () => {
	const login = await as(null, 'POST', '/auth/login', { identifier: bob.username, password: bob.password }, { 'x-roost-cookies': '1' });
	assert.equal(login.status, 200);
	const jar = cookieJar(login);
	for (const name of ['roost_access', 'roost_refresh']) assert.ok(jar[name].attributes.includes('httponly'), name);
	assert.ok(!jar.roost_csrf.attributes.includes('httponly'));
	for (const name of ['roost_access', 'roost_refresh', 'roost_csrf']) assert.ok(jar[name].attributes.some((attribute) => attribute.startsWith('samesite=')), name);
	const cookie = `roost_access=${jar.roost_access.value}; theme=dark; roost_csrf=${jar.roost_csrf.value}`;
	const csrf = jar.roost_csrf.value;
	const post = (headers) => as(null, 'POST', '/tweets', { text: 'with a cookie' }, { cookie, ...headers });

	assert.equal((await as(null, 'GET', '/auth/me', undefined, { cookie })).json.username, bob.username);
	assert.equal((await post({})).status, 403);
	assert.equal((await post({})).json.code, 'csrf_failed');
	assert.equal((await post({ 'x-csrf-token': 'x'.repeat(csrf.length) })).status, 403);
	assert.equal((await post({ 'x-csrf-token': csrf.slice(0, -1) })).status, 403);
	assert.equal((await post({ 'x-csrf-token': csrf })).status, 201);
	assert.equal((await post({ 'x-csrf-token': csrf, origin: gateway.url })).status, 201);
	assert.equal((await post({ 'x-csrf-token': csrf, origin: 'https://app.example' })).status, 201, 'an origin of the list');
	assert.equal((await post({ 'x-csrf-token': csrf, origin: 'https://evil.example' })).status, 403);
	assert.equal((await post({ 'x-csrf-token': csrf, origin: 'null' })).status, 403);
	// fetch() does not let a caller set Sec-Fetch-Site, so by hand
	const bySite = async (site) => {
		const body = '{"text":"by hand"}';
		return answers(await raw(gateway, `POST /tweets HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nCookie: ${cookie}\r\nX-CSRF-Token: ${csrf}\r\nSec-Fetch-Site: ${site}\r\nContent-Length: ${body.length}\r\n\r\n${body}`))[0].status;
	};
	assert.equal(await bySite('cross-site'), 403);
	assert.equal(await bySite('same-site'), 403);
	assert.equal(await bySite('same-origin'), 201);
	// with a token in the header, cookies mean nothing
	assert.equal((await as(bob, 'POST', '/tweets', { text: 'with a token' }, { cookie, origin: 'https://evil.example' })).status, 201);
});
test('CORS: origins of the list may read, others may not', async () => {
	const preflight = (origin, path = '/api/v1/tweets') => call(gateway, 'OPTIONS', path, { headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,idempotency-key' } });
	const allowed = await preflight('https://app.example');
	assert.equal(allowed.status, 204);
	assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.example');
	assert.equal(allowed.headers.get('access-control-allow-credentials'), 'true');
	assert.match(allowed.headers.get('access-control-allow-methods'), /POST/);
	assert.match(allowed.headers.get('access-control-allow-headers'), /Idempotency-Key/i);
	assert.ok(Number(allowed.headers.get('access-control-max-age')) > 0);
	assert.match(allowed.headers.get('vary'), /Origin/);
	const denied = await preflight('https://evil.example');
	assert.equal(denied.headers.get('access-control-allow-origin'), null);
	assert.match(denied.headers.get('vary'), /Origin/);
	for (const [path, status] of [['/tweets/public', 200], ['/nowhere', 404]]) {
		const answer = await call(gateway, 'GET', path, { headers: { origin: 'http://localhost:3000' } });
		assert.equal(answer.status, status);
		assert.equal(answer.headers.get('access-control-allow-origin'), 'http://localhost:3000');
		assert.match(answer.headers.get('access-control-expose-headers'), /X-Request-Id/i);
		assert.equal((await call(gateway, 'GET', path, { headers: { origin: 'http://localhost:3001' } })).headers.get('access-control-allow-origin'), null);
	}
	const open = await startGateway({ 'cors-origins': '*' });
	const any = await call(open, 'GET', '/tweets/public', { headers: { origin: 'https://anyone.example' } });
	assert.equal(any.headers.get('access-control-allow-origin'), '*');
	assert.equal(any.headers.get('access-control-allow-credentials'), null);
	await open.stop();
	const closed = await startGateway({});
	assert.equal((await call(closed, 'GET', '/tweets/public', { headers: { origin: 'https://app.example' } })).headers.get('access-control-allow-origin'), null);
	await closed.stop();
});

// Bad input.
const login = (text, headers = {}) => call(gateway, 'POST', '/auth/login', { text, headers });
for (const [what, text, status, code, field] of [
	['no JSON', 'identifier=a', 400, 'malformed_json'],
	['half of JSON', '{"identifier":"a",', 400, 'malformed_json'],
	['two documents', '{}{}', 400, 'malformed_json'],
	['1000 levels', '{"identifier":'.repeat(1000) + '1' + '}'.repeat(1000), 400, 'malformed_json'],
	['1000 arrays', `{"identifier":${'['.repeat(1000)}${']'.repeat(1000)}}`, 400, 'malformed_json'],
	['a NUL byte', '{"identifier":"a\0b","password":"x"}', 400, 'malformed_json'],
	['a missing field', '{"identifier":"a"}', 422, 'missing_field', 'password'],
	['an unknown field', '{"identifier":"a","password":"b","admin":true}', 422, 'unknown_field', 'admin'],
	['a field of the inside', '{"identifier":"a","password":"b","actor_id":"1"}', 422, 'unknown_field', 'actor_id'],
	['a field twice', '{"identifier":"a","identifier":"b","password":"c"}', 422, 'duplicate_field', 'identifier'],
	['a number for a text', '{"identifier":5,"password":"b"}', 422, 'wrong_type', 'identifier'],
	['an object for a text', '{"identifier":{},"password":"b"}', 422, 'wrong_type', 'identifier'],
	['an array as the body', '[]', 422],
	['a string as the body', '"x"', 422],
])
	test(`a body with ${what} is ${status}`, async () => {
		const answer = await login(text);
		assert.equal(answer.status, status, answer.text);
		if (code) assert.equal(answer.json.code, code);
		if (field) assert.equal(answer.json.field, field);
	});
test('an escaped NUL and half a surrogate pair are refused', async () => {
	for (const text of ['{"text":"a\\u0000b"}', '{"text":"a\\ud800"}']) {
		const answer = await call(gateway, 'POST', '/tweets', { text, token: alice.token });
		assert.ok([400, 422].includes(answer.status), `${text}: ${answer.status} ${answer.text}`);
	}
});
test('members that a function adds to a problem are in it, over HTTP and in calls of a socket', async () => {
	const socket = await WebSocketClient.open(gateway);
	for (const length of [0, 3, 100000]) {
		const wanted = { missing: ['a"b', 'é'.repeat(length)], left_over: { a: [1, null] }, code: 'wrong_state', detail: 'not so', status: 409 };
		const answer = await call(gateway, 'POST', '/test/more', { body: { length } });
		assert.equal(answer.status, 409);
		assert.equal(answer.headers.get('x-said'), 'too');
		for (const [name, value] of Object.entries(wanted)) assert.deepEqual(answer.json[name], value);
		const response = await socket.ask({ method: 'POST', path: '/test/more', body: { length } });
		assert.equal(response.status, 409);
		for (const [name, value] of Object.entries(wanted)) assert.deepEqual(response.body[name], value);
	}
	const fault = await call(gateway, 'POST', '/test/more', { body: { length: 1, state: 'XX000' } });
	assert.equal(fault.status, 500);
	assert.equal(fault.json.missing, undefined, 'what goes wrong inside is not told');
	socket.destroy();
});
test('what a client has sent makes neither headers nor members of a problem, wherever an error quotes it', async () => {
	const text = "\nroost-header: x-forged: 1\nroost-member: forged: 1\n'; roost-header: x-forged: 1\nroost-header: set-cookie: a=1\r\n";
	const answer = await as(null, 'POST', '/test/quoted', { text });
	assert.equal(answer.status, 500);
	assert.equal(answer.headers.get('x-said'), 'too');
	assert.equal(answer.headers.get('x-forged') ?? answer.headers.get('set-cookie'), null);
	assert.ok(!('forged' in answer.json), answer.text);
});

test('invalid UTF-8 is refused', async () => {
	for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80]]) {
		const body = Buffer.concat([Buffer.from('{"text":"'), Buffer.from(bytes), Buffer.from('"}')]);
		const answer = await fetch(`${gateway.url}/tweets`, { method: 'POST', headers: { authorization: `Bearer ${alice.token}`, 'content-type': 'application/json' }, body });
		assert.ok([400, 422].includes(answer.status), `${bytes}: ${answer.status}`);
		assert.match(answer.headers.get('content-type'), /problem\+json/);
	}
});
test('texts that are too long and numbers that are too large are refused', async () => {
	assert.equal((await as(alice, 'POST', '/tweets', { text: 'x'.repeat(501) })).status, 422);
	assert.equal((await as(alice, 'POST', '/tweets', { text: 'é'.repeat(500) })).status, 201);
	for (const id of ['99999999999999999999', '-1', '1e3', '0x10', '9223372036854775808', "1'--"])
		assert.ok([404, 422].includes((await as(alice, 'GET', `/tweets/${encodeURIComponent(id)}`)).status), id);
	for (const limit of ['0', '-1', '1e9', '99999999999999999999', 'x', '', '1;2'])
		assert.ok([400, 422].includes((await as(alice, 'GET', `/tweets/public?limit=${encodeURIComponent(limit)}`)).status), limit);
	assert.equal((await call(gateway, 'POST', '/tweets', { token: alice.token, text: `{"text":"x","reply_to_id":${'9'.repeat(400)}}` })).status, 422);
});
test('odd paths are refused', async () => {
	for (const path of ['/tweets/%00', '/tweets/%', '/tweets/%zz', '/tweets/%ff', '/../auth/me', '/tweets/..', '/tweets/%2e%2e/auth/me', '/tweets//', '//tweets', '/tweets/1%2flike', '/api/v1', '/api/v1/api/v1/tweets', '/TWEETS', '/tweets/\xff', `/${'a/'.repeat(500)}`]) {
		const answer = answers(await raw(gateway, Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, 'latin1')))[0];
		assert.ok([400, 404, 422].includes(answer.status), `${path}: ${answer.status}`);
	}
});
test('an unknown route is 404, a wrong method 405 with Allow', async () => {
	assert.equal((await call(gateway, 'GET', '/nowhere')).json.code, 'route_not_found');
	const answer = await as(alice, 'PUT', '/tweets', {});
	assert.equal(answer.status, 405);
	assert.equal(answer.json.code, 'method_not_allowed');
	assert.match(answer.headers.get('allow'), /GET/);
	assert.match(answer.headers.get('allow'), /POST/);
});
test('a body that is not JSON by its own words is 415', async () => {
	for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
		assert.equal((await login('{"identifier":"a","password":"b"}', { 'content-type': type })).status, 415, type);
});
test('tokens that are expired, garbled, foreign or missing are 401', async () => {
	const part = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
	const [head, payload, signature] = alice.token.split('.');
	const flipped = signature.slice(0, 5) + (signature[5] === 'A' ? 'B' : 'A') + signature.slice(6);
	for (const token of ['x', '..', `${head}.${payload}`, `${head}.${payload}.`, `${head}.${payload}.${flipped}`, `${part({ alg: 'none' })}.${payload}.`, `${head}.${part({ ...JSON.parse(Buffer.from(payload, 'base64url')), sub: bob.id })}.${signature}`, `${part({ alg: 'HS256', kid: 'elsewhere', typ: 'JWT' })}.${payload}.${signature}`, 'a'.repeat(5000)]) {
		const answer = await call(gateway, 'GET', '/auth/me', { token });
		assert.equal(answer.status, 401, token);
		assert.match(answer.headers.get('www-authenticate'), /^Bearer/);
		assert.ok(!answer.text.includes(token) || token.length < 3, 'the token is not repeated');
	}
	assert.equal((await call(gateway, 'GET', '/auth/me')).status, 401);
	assert.equal((await call(gateway, 'GET', '/auth/me', { headers: { authorization: 'Basic YTpi' } })).status, 401);
});
test("another's object is 403 or 404", async () => {
	const direct = await as(alice, 'POST', '/tweets', { text: 'only for me', visibility: 'direct' });
	assert.equal(direct.status, 201);
	for (const [method, path, body] of [['GET', `/tweets/${direct.json.id}`], ['POST', `/tweets/${direct.json.id}/like`], ['DELETE', `/tweets/${direct.json.id}`], ['PATCH', `/tweets/${direct.json.id}`, { text: 'x' }]])
		assert.ok([403, 404].includes((await as(bob, method, path, body)).status), `${method} ${path}`);
});
test('SQL in every field is text', async () => {
	const nasty = `'; DROP TABLE roost_data.account; -- $1 %s \\ " { } $$`;
	const post = await as(alice, 'POST', '/tweets', { text: nasty });
	assert.equal(post.status, 201);
	assert.equal(post.json.text, nasty);
	for (const [method, path, body] of [
		['POST', '/auth/login', { identifier: nasty, password: nasty }],
		['POST', '/auth/register', { username: nasty, email: nasty, password: nasty }],
		['GET', `/users/${encodeURIComponent(nasty)}`],
		['GET', `/users/@${encodeURIComponent(nasty)}`],
		['GET', `/tweets/public?before=${encodeURIComponent(nasty)}`],
		['GET', `/resolve?${encodeURIComponent(nasty)}=${encodeURIComponent(nasty)}`],
	]) {
		const answer = await as(null, method, path, body);
		assert.ok(answer.status >= 400 && answer.status < 500, `${method} ${path}: ${answer.status}`);
	}
	for (const name of ['user-agent', 'idempotency-key', 'if-none-match', 'accept-language', 'x-forwarded-for', 'cookie', 'authorization'])
		assert.ok((await as(null, 'GET', '/tweets/public', undefined, { [name]: nasty })).status < 500, name);
	assert.equal((await as(null, 'GET', '/tweets/public')).status, 200);
});
test('limits are told in every answer, and end in 429 with Retry-After', async () => {
	// behind a trusted proxy the address is the client's own, and not one that the tests freed
	const proxied = await startGateway({ 'trusted-proxies': '127.0.0.0/8' });
	const attempt = () => call(proxied, 'POST', '/auth/login', { body: { identifier: 'nobody_at_all', password: 'not the password' }, headers: { 'x-forwarded-for': `203.0.113.${process.pid % 250}` } });
	let answer = await attempt();
	assert.equal(answer.status, 401, answer.text);
	for (const name of ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset']) assert.match(answer.headers.get(name) ?? 'none', /^\d+$/, name);
	for (let i = 0; i < 100 && answer.status !== 429; i++) answer = await attempt();
	assert.equal(answer.status, 429);
	assert.ok(Number(answer.headers.get('retry-after')) > 0);
	await proxied.stop();
});
