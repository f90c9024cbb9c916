// The sub-protocol roost.v1: tokens, channels, calls, limits and ends of WebSockets.
import { after, before, test } from 'node:test';
import { once } from 'node:events';
import http2 from 'node:http2';
import assert from 'node:assert/strict';
import { WebSocketClient, account, call, freePort, hold, liftLimits, lines, metric, sql, startGateway, testRoutes, until, waiting, wsClose, wsFrame } from './lib.mjs';

let gateway;
let alice;
let bob;
before(async () => {
	liftLimits();
	testRoutes();
	gateway = await startGateway({ 'cors-origins': 'https://app.example, *', 'access-log': '-', 'stream-connections': 2000 });
	alice = await account(gateway, 'alice');
	bob = await account(gateway, 'bob');
});
after(async () => { await gateway?.stop(); });

const open = (options = {}) => WebSocketClient.open(gateway, options);
const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });

// Opens a socket with a token and waits until it is accepted.
async function openAs(user, options = {}) {
	const client = await open({ ...options, headers: { authorization: `Bearer ${user.token}`, ...options.headers } });
	client.ready = await client.message({ type: 'ready' });
	return client;
}

// The handshake is refused with that status and code.
async function refused(status, code, options) {
	const client = new WebSocketClient(gateway, options);
	assert.equal(await client.handshake(), status, client.head);
	assert.equal(client.problem.code, code);
	client.destroy();
	return client;
}

// Sends a frame as text; resolves with the error that it gets.
async function wrong(client, frame, code, id) {
	client.send('text', typeof frame === 'string' ? frame : JSON.stringify(frame));
	const error = await client.message({ type: 'error' });
	assert.equal(error.code, code, JSON.stringify({ frame, error }));
	if (id !== undefined) assert.equal(error.id, id);
	assert.equal(typeof error.status, 'number');
	assert.equal(typeof error.detail, 'string');
	return error;
}

async function login(user, headers) {
	const answer = await call(gateway, 'POST', '/auth/login', { body: { identifier: user.username, password: user.password }, headers });
	assert.equal(answer.status, 200);
	return answer;
}

test('hello, and ready with a token', async () => {
	const client = await openAs(alice);
	const hello = await client.message({ type: 'hello' });
	assert.match(hello.version, /^\d+\.\d+\.\d+$/);
	assert.equal(hello.heartbeat, 25);
	assert.equal(client.ready.id, null);
	assert.equal(client.ready.account_id, alice.id);
	assert.match(client.ready.session_id, /^\d+$/);
	const left = Date.parse(client.ready.expires_at) - Date.now();
	assert.ok(left > 13 * 60000 && left < 16 * 60000, client.ready.expires_at);
	assert.equal((await client.close()).code, 1000);
	const bare = await open({ headers: { 'sec-websocket-protocol': undefined } });
	assert.doesNotMatch(bare.head, /sec-websocket-protocol/);
	assert.equal((await bare.next()).opcode, 1);
	bare.destroy();
});

test('the token comes by header, query, cookie or frame', async (t) => {
	const me = async (client) => (await client.ask({ method: 'GET', path: '/auth/me' })).body.id;
	await t.test('header', async () => {
		const client = await openAs(alice);
		assert.equal(await me(client), alice.id);
		client.destroy();
		await refused(401, 'invalid_token', bearer('nonsense'));
		await refused(401, 'invalid_token', bearer(''));
		await refused(401, 'invalid_token', { headers: { authorization: 'Basic YTpi' } });
	});
	await t.test('query', async () => {
		const client = await open({ path: `/api/v1/stream?a=b&access_token=${encodeURIComponent(alice.token)}` });
		await client.message({ type: 'ready' });
		assert.equal(await me(client), alice.id);
		client.destroy();
		for (const query of ['nonsense', '%', '%zz', '%00', 'a&access_token=b']) await refused(401, 'invalid_token', { path: `/stream?access_token=${query}` });
		assert.ok(!gateway.out.includes('access_token'), 'no query is in the log');
		const strict = await startGateway({ 'stream-query-token': 'off' });
		const answer = new WebSocketClient(strict, { path: `/stream?access_token=${alice.token}` });
		assert.equal(await answer.handshake(), 401);
		answer.destroy();
		await strict.stop();
	});
	await t.test('cookie, if the page is ours', async () => {
		const cookies = (await login(alice, { 'x-roost-cookies': '1' })).headers.getSetCookie();
		const cookie = cookies.map((line) => line.split(';')[0]).join('; ');
		assert.match(cookie, /roost_access=/);
		const host = `127.0.0.1:${gateway.port}`;
		for (const headers of [{}, { origin: `http://${host}` }, { origin: 'https://app.example' }, { 'sec-fetch-site': 'same-origin' }]) {
			const client = await open({ headers: { cookie, ...headers } });
			await client.message({ type: 'ready' });
			assert.equal(await me(client), alice.id);
			const posted = await client.ask({ method: 'POST', path: '/tweets', body: { text: 'by cookie' } });
			assert.equal(posted.status, 201);
			client.destroy();
		}
		for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { origin: `https://${host}` }, { 'sec-fetch-site': 'cross-site' }])
			await refused(403, 'csrf_failed', { headers: { cookie, ...headers } });
		const other = await open({ headers: { cookie: 'theme=dark', origin: 'https://evil.example' } });
		assert.equal((await other.ask({ method: 'GET', path: '/auth/me' })).status, 401, 'without the cookie everybody is anonymous');
		other.destroy();
		const both = await openAs(bob, { headers: { cookie, origin: 'https://evil.example' } });
		assert.equal(both.ready.account_id, bob.id, 'with a token cookies mean nothing');
		both.destroy();
		await refused(401, 'invalid_token', { headers: { cookie: 'roost_access=nonsense' } });
	});
	await t.test('first frame', async () => {
		// what comes behind the token waits for it
		const early = Buffer.concat([wsFrame('text', JSON.stringify({ type: 'auth', id: 'a', token: alice.token })),
			wsFrame('text', JSON.stringify({ type: 'subscribe', id: 's', channels: ['home'] })), wsFrame('ping', 'x')]);
		const client = await open({ early });
		assert.equal(JSON.parse((await client.next()).payload).type, 'hello');
		const ready = JSON.parse((await client.next()).payload);
		assert.deepEqual([ready.type, ready.id, ready.account_id], ['ready', 'a', alice.id]);
		// the answer may wait until the hub knows how far the log is; the pong does not
		const subscribed = await client.message({ type: 'subscribed' });
		assert.deepEqual([subscribed.id, subscribed.channels], ['s', ['home']]);
		assert.match(subscribed.cursor, /^\d+-\d+$/);
		assert.equal((await client.next()).opcode, 10);
		assert.equal(await me(client), alice.id);
		client.destroy();
		const bad = await open();
		await wrong(bad, { type: 'auth', id: 1, token: 'nonsense' }, 'invalid_token', 1);
		assert.equal((await bad.closure()).code, 4401);
		const odd = await open();
		await wrong(odd, { type: 'auth' }, 'missing_field');
		for (const token of [1, null, {}, '']) await wrong(odd, { type: 'auth', token }, 'wrong_type');
		odd.destroy();
	});
});

test('a later token of the same account takes the place of the first', async () => {
	const client = await openAs(alice);
	const second = (await login(alice)).json;
	const ready = await client.ask({ type: 'auth', token: second.access_token });
	assert.equal(ready.type, 'ready');
	assert.equal(ready.session_id, second.session_id);
	assert.notEqual(ready.session_id, client.ready.session_id);
	await wrong(client, { type: 'auth', id: 5, token: bob.token }, 'not_allowed', 5);
	await wrong(client, { type: 'auth', id: 6, token: 'nonsense' }, 'invalid_token', 6);
	assert.equal((await client.ask({ method: 'GET', path: '/auth/me' })).body.id, alice.id, 'the socket keeps what it had');
	assert.equal((await client.close()).code, 1000);
});

test('a token that expires: told before, closed then, unless another one comes', async () => {
	const long = (await login(bob)).json; // before, so that nothing that takes its time comes between the short one and its end
	sql(`ALTER SYSTEM SET roost.token_access_ttl = '15s'; SELECT pg_reload_conf()`);
	try {
		const short = await until(async () => {
			const session = (await login(bob)).json;
			return session.expires_in === 15 ? session : null;
		}, 'the setting');
		const ends = await open(bearer(short.access_token));
		const stays = await open(bearer(short.access_token));
		const expiring = await ends.message({ type: 'expiring' });
		assert.equal(expiring.expires_at, (await ends.message({ type: 'ready' })).expires_at);
		await stays.message({ type: 'expiring' });
		sql(`ALTER SYSTEM RESET roost.token_access_ttl; SELECT pg_reload_conf()`); // the setting holds for the older token, too
		await until(async () => {
			const ready = await stays.ask({ type: 'auth', token: long.access_token });
			return ready.type === 'ready' && Date.parse(ready.expires_at) > Date.parse(expiring.expires_at);
		}, 'the setting');
		assert.equal((await ends.closure()).code, 4401);
		assert.ok(Date.now() >= Date.parse(expiring.expires_at) - 50);
		assert.equal((await stays.ask({ type: 'ping' })).type, 'pong');
		stays.destroy();
	} finally {
		sql(`ALTER SYSTEM RESET roost.token_access_ttl; SELECT pg_reload_conf()`);
	}
	await until(async () => (await login(bob)).json.expires_in > 60, 'the setting');
});

test('a session that is revoked ends its sockets at once, and no others', async () => {
	const first = (await login(bob)).json;
	const second = (await login(bob)).json;
	const victim = await open(bearer(first.access_token));
	const other = await open(bearer(second.access_token));
	await other.message({ type: 'ready' });
	await victim.ask({ type: 'subscribe', channels: ['public'] });
	assert.equal((await call(gateway, 'POST', '/auth/logout', { token: first.access_token })).status, 204);
	assert.equal((await victim.closure()).code, 4403);
	assert.equal((await other.ask({ method: 'GET', path: '/auth/me' })).status, 200);
	await refused(401, 'invalid_token', bearer(first.access_token));
	other.destroy();
	const carol = await account(gateway, 'carol');
	const suspended = await openAs(carol);
	sql(`UPDATE roost_data.account SET status = 'suspended' WHERE id = ${carol.id}`);
	assert.equal((await suspended.closure()).code, 4403);
});

test('without a token: public channels only', async () => {
	const client = await open();
	for (const channel of ['home', 'notifications', 'presence']) await wrong(client, { type: 'subscribe', id: 1, channels: ['public', channel] }, 'token_required', 1);
	await wrong(client, { type: 'signal', id: 2, event: 'typing:start', channel: 'post:1' }, 'token_required', 2);
	const subscribed = await client.ask({ type: 'subscribe', channels: ['public', 'post:1'] });
	assert.deepEqual(subscribed.channels.sort(), ['post:1', 'public']);
	assert.equal((await client.ask({ method: 'GET', path: '/tweets/public' })).status, 200);
	assert.equal((await client.ask({ method: 'POST', path: '/tweets', body: { text: 'x' } })).status, 401);
	assert.equal((await client.close()).code, 1000);
});

test('one that neither logs in nor subscribes is sent away', async () => {
	const quick = await startGateway({ 'stream-auth-timeout': '300ms' });
	// (the frame comes with the handshake, so it is in time whatever else this machine does)
	const early = wsFrame('text', JSON.stringify({ type: 'subscribe', id: 0, channels: ['public'] }));
	const [idle, subscriber, leaver, owner] = await Promise.all([{}, { early }, { early }, bearer(alice.token)].map((options) => WebSocketClient.open(quick, options)));
	for (const client of [subscriber, leaver]) assert.equal((await client.message({ id: 0 })).type, 'subscribed');
	assert.equal((await idle.closure()).code, 4401);
	assert.deepEqual((await leaver.ask({ type: 'unsubscribe', channels: ['public'] })).channels, []);
	assert.equal((await leaver.closure()).code, 4401);
	assert.equal((await subscriber.ask({ type: 'ping' })).type, 'pong');
	assert.equal((await owner.ask({ type: 'ping' })).type, 'pong');
	subscriber.destroy();
	owner.destroy();
	await quick.stop();
});

test('channels: subscribing, leaving, and what is wrong with them', async () => {
	const client = await openAs(alice);
	const first = await client.ask({ type: 'subscribe', id: 'x', channels: ['home', 'user:17', 'hashtag:world'] });
	assert.equal(first.type, 'subscribed');
	assert.deepEqual(first.channels.sort(), ['hashtag:world', 'home', 'user:17']);
	first.cursor = await until(async () => (await client.ask({ type: 'ping' })).cursor, 'the cursor, which a gateway that has just started does not know yet');
	assert.match(first.cursor, /^\d+-\d+$/);
	const second = await client.ask({ type: 'unsubscribe', channels: ['user:17', 'post:5', 'nonsense'] });
	assert.deepEqual([second.type, ...second.channels.sort()], ['unsubscribed', 'hashtag:world', 'home']);
	for (const channels of [['nonsense'], ['user:'], ['user:x'], ['user:99999999999999999999999'], ['home', 'hashtag:'], ['x'.repeat(5000)], ['']])
		await wrong(client, { type: 'subscribe', channels }, 'invalid_value');
	for (const channels of [undefined, 'home', {}, 7, [1], [null], [['home']], ['home', 1]]) await wrong(client, { type: 'subscribe', channels }, 'wrong_type');
	await wrong(client, { type: 'subscribe', channels: Array.from({ length: 101 }, (_, i) => `user:${i + 1}`) }, 'invalid_value');
	await wrong(client, { type: 'subscribe', channels: Array.from({ length: 3000 }, (_, i) => `user:${i + 1}`) }, 'invalid_value');
	await wrong(client, { type: 'resume', channels: ['home'], cursor: first.cursor }, 'wrong_state');
	assert.deepEqual((await client.ask({ type: 'subscribe', channels: [] })).channels.sort(), ['hashtag:world', 'home'], 'what was refused has changed nothing');
	const fresh = await open();
	for (const cursor of [undefined, 7, '', 'x', '1', '1-', '-1', '1-x', '1-1-1', '99999999999999999999-1']) await wrong(fresh, { type: 'resume', channels: ['public'], cursor }, 'invalid_value');
	const resumed = await fresh.ask({ type: 'resume', channels: ['public'], cursor: first.cursor });
	assert.deepEqual([resumed.type, resumed.recovered, resumed.channels], ['resumed', true, ['public']]);
	const lost = await open();
	const again = await lost.ask({ type: 'resume', channels: ['public'], cursor: '1-1' });
	assert.equal(again.recovered, false);
	assert.match(again.cursor, /^\d+-\d+$/);
	assert.match((await lost.ask({ type: 'ping' })).cursor, /^\d+-\d+$/);
	for (const one of [client, fresh, lost]) one.destroy();
});

test('frames that make no sense are answered, and the socket goes on', async () => {
	const client = await open();
	const cases = [['', 'malformed_json'], ['x', 'malformed_json'], ['[]', 'malformed_json'], ['"x"', 'malformed_json'], ['{', 'malformed_json'], ['{"type":"ping"', 'malformed_json'],
		['{"type":"ping",}', 'malformed_json'], ['{"type":"ping"}}', 'malformed_json'], ['{"type":"ping"} {}', 'malformed_json'], ['{"type" "ping"}', 'malformed_json'],
		['{type:"ping"}', 'malformed_json'], ["{'type':'ping'}", 'malformed_json'], ['{"type":}', 'malformed_json'], ['{"type":"ping" "id":1}', 'malformed_json'], ['{"a\u0001":1}', 'malformed_json'],
		['{"type":"ping","body":[}', 'malformed_json'], ['{"type":"pi\nng"}', 'malformed_json'],
		['{}', 'missing_field'], ['{"id":1}', 'missing_field'], ['{"path":"/x"}', 'missing_field'],
		['{"type":"nonsense"}', 'invalid_value'], ['{"type":1}', 'invalid_value'], ['{"type":null}', 'invalid_value'], ['{"type":""}', 'invalid_value'],
		['{"type":"ping","type":"ping"}', 'duplicate_field'], ['{"type":"ping","nonsense":1}', 'unknown_field'], ['{"type":"ping","channels":[]}', 'unknown_field'],
		['{"type":"subscribe","channels":[],"cursor":"1-1"}', 'unknown_field'], ['{"method":"GET","path":"/health","channel":"home"}', 'unknown_field']];
	for (const [text, code] of cases) await wrong(client, text, code);
	for (const id of ['{}', '[]', 'true', 'null', `"${'x'.repeat(63)}"`, '"\\ud800"', '1e', '--1', 'nan', '"a\\u0000b"', '9'.repeat(70)]) await wrong(client, `{"type":"ping","id":${id}}`, 'invalid_value', null);
	for (const id of ['0', '-1.5', '1e3', '12345678901234567', '"x"', '""', `"${'x'.repeat(62)}"`, '"\\u00e9\\""', '"🙂"']) {
		client.send('text', `{"type":"ping","id":${id}}`);
		assert.ok((await until(() => client.frames.find(({ payload }) => payload.includes('"pong"')), 'the pong')).payload.includes(`"id":${id},`), 'the id comes back as it was');
		client.frames = [];
	}
	for (const depth of [100, 5000, 30000])
		for (const text of [`{"type":"subscribe","channels":${'['.repeat(depth)}${']'.repeat(depth)}}`, `{"type":"ping","id":${'{"a":'.repeat(Math.min(depth, 8000))}1${'}'.repeat(Math.min(depth, 8000))}}`]) {
			client.send('text', text);
			assert.ok(['wrong_type', 'invalid_value'].includes((await client.message({ type: 'error' })).code));
		}
	await wrong(client, `{"id":3,"body":${'['.repeat(60000)}`, 'malformed_json', 3);
	client.send('text', `{"id":4,"method":"POST","path":"/test/echo","body":${'['.repeat(20000)}${']'.repeat(20000)}}`);
	assert.equal(Math.floor((await client.message({ id: 4 })).status / 100), 4);
	client.send('text', '  {\t"type"\r\n: "ping" , "id" : 9 }  ');
	// without channels no cursor: who resumes from it would miss what came before
	assert.deepEqual(await client.message({ id: 9 }), { type: 'pong', id: 9, cursor: null });
	client.closing = true;
	client.send('binary', '{"type":"ping"}');
	assert.equal((await client.closure()).code, 1003);
});

test('calls', async (t) => {
	const client = await openAs(alice);
	await t.test('reading and writing, with the status, headers and body of HTTP', async () => {
		const posted = await client.ask({ id: 'first', method: 'POST', path: '/tweets', body: { text: 'from a socket: "é" 🙂' } });
		assert.deepEqual([posted.type, posted.status, posted.body.text, posted.body.author.id], ['response', 201, 'from a socket: "é" 🙂', alice.id]);
		assert.match(posted.headers['x-request-id'], /^[\w.-]{8,64}$/);
		assert.ok(Number(posted.headers['ratelimit-limit']) > 0 || posted.headers['ratelimit-limit'] === undefined);
		const byHttp = await call(gateway, 'GET', `/tweets/${posted.body.id}`, { token: alice.token });
		const bySocket = await client.ask({ method: 'GET', path: `/api/v1/tweets/${posted.body.id}` });
		assert.deepEqual(bySocket.body, byHttp.json);
		for (const name of ['content-security-policy', 'date', 'content-length', 'set-cookie']) assert.equal(bySocket.headers[name], undefined);
		const page = await client.ask({ method: 'GET', path: '/tweets/home?limit=1' });
		assert.equal(page.body.items.length, 1);
		assert.match(page.headers.link ?? '', new RegExp(`^(|<http://127.0.0.1:${gateway.port}/.*)`));
		const same = await client.ask({ method: 'GET', path: '/auth/me', headers: { 'X-Request-Id': 'my-own-id-1' } });
		assert.equal(same.headers['x-request-id'], 'my-own-id-1');
		const deleted = await client.ask({ method: 'DELETE', path: `/tweets/${posted.body.id}` });
		assert.ok(deleted.status < 300);
		const note = await client.ask({ method: 'POST', path: '/test/note', body: { text: 'x' } });
		assert.deepEqual([note.status, note.body], [204, null]);
		assert.equal((await client.ask({ method: 'HEAD', path: '/auth/me' })).body, null);
		assert.equal((await client.ask({ method: 'GET', path: '/auth/me', body: null })).status, 200);
	});
	await t.test('errors are those of HTTP', async () => {
		for (const [call, status, code] of [[{ method: 'GET', path: '/nonsense' }, 404, 'route_not_found'], [{ method: 'PATCH', path: '/auth/me/nonsense' }, 404, 'route_not_found'],
			[{ method: 'BREW', path: '/tweets' }, 501, 'not_implemented'], [{ method: 'POST', path: '/tweets', body: {} }, 422, undefined], [{ method: 'POST', path: '/tweets', body: { nonsense: 1 } }, 422, 'unknown_field'],
			[{ method: 'POST', path: '/tweets', body: [] }, 422, undefined], [{ method: 'GET', path: '/tweets/%zz' }, 400, 'malformed_request'], [{ method: 'GET', path: '/test/bug' }, 500, 'internal_error'],
			...['/stream', '/api/v1/stream', '/events', '/events?wait=30', '/api/v1/events/stream', '/%65vents', '/api/v1/events%2Fstream', '/even%74s?wait=30', '/metrics', '/health', '/api/v1/health', '/%68ealth', '/docs', '/%6detrics'].map((path) => [{ method: 'GET', path }, 404, 'route_not_found'])]) {
			const answer = await client.ask(call);
			assert.equal(answer.type, 'response');
			assert.equal(answer.status, status, JSON.stringify(answer));
			assert.equal(answer.body.status, status);
			if (code) assert.equal(answer.body.code, code);
		}
	});
	await t.test('calls that are none', async () => {
		for (const [frame, code] of [[{ method: 'GET' }, 'missing_field'], [{ method: 1, path: '/x' }, 'wrong_type'], [{ method: 'GET', path: 1 }, 'wrong_type'], [{ method: 'GET', path: null }, 'wrong_type'],
			[{ method: 'G T', path: '/x' }, 'invalid_value'], [{ method: 'X'.repeat(17), path: '/x' }, 'invalid_value'], [{ method: '', path: '/x' }, 'invalid_value'], [{ method: 'GET', path: '' }, 'invalid_value'],
			[{ method: 'GET', path: 'x' }, 'invalid_value'], [{ method: 'GET', path: 'http://evil.example/x' }, 'invalid_value'], [{ method: 'GET', path: '/x y' }, 'invalid_value'], [{ method: 'GET', path: '/x\r\nHost: y' }, 'invalid_value'],
			[{ method: 'GET', path: `/${'x'.repeat(20000)}` }, 'invalid_value'], [{ method: 'GET', path: '/x', headers: [] }, 'invalid_value'], [{ method: 'GET', path: '/x', headers: { 'if-none-match': 1 } }, 'invalid_value'],
			[{ method: 'GET', path: '/x', headers: { 'if-none-match': 'a\r\nb: c' } }, 'invalid_value'],
			...['authorization', 'Authorization', 'cookie', 'host', 'x-forwarded-for', 'forwarded', 'content-type', 'x-roost-cookies', 'upgrade', 'a b', ''].map((name) => [{ method: 'GET', path: '/x', headers: { [name]: 'x' } }, 'invalid_value'])])
			await wrong(client, { id: 77, ...frame }, code, 77);
		await wrong(client, '{"id":7,"method":"GET","path":"/x","headers":{"if-none-match":"a","if-none-match":"b"}}', 'invalid_value', 7);
	});
	await t.test('an idempotency key works as with HTTP', async () => {
		const post = { method: 'POST', path: '/tweets', body: { text: 'only once' }, headers: { 'idempotency-key': `ws-${process.pid}-1` } };
		const [one, two] = [await client.ask({ ...post }), await client.ask({ ...post })];
		assert.equal(one.status, 201);
		assert.equal(two.body.id, one.body.id);
		assert.equal(two.headers['idempotency-replayed'], 'true');
		assert.equal((await client.ask({ ...post, body: { text: 'another' } })).status, 409);
	});
	await t.test('an etag works as with HTTP', async () => {
		const first = await client.ask({ method: 'GET', path: '/tweets/public' });
		if (!first.headers.etag) return;
		const second = await client.ask({ method: 'GET', path: '/tweets/public', headers: { 'if-none-match': first.headers.etag } });
		assert.deepEqual([second.status, second.body], [304, null]);
	});
	await t.test('the body goes to the database as it came', async () => {
		client.send('text', '{"id":31,"method":"POST","path":"/test/echo","body":{"text":"a","text":"b"}}');
		assert.equal((await client.message({ id: 31 })).body.code, 'duplicate_field');
		client.send('text', '{"id":32,"method":"POST","path":"/test/echo","body":{"text":tru}}');
		assert.equal((await client.message({ id: 32 })).status, 400);
		client.send('text', '{"id":33,"method":"POST","path":"/test/echo","body": {"text" : "\\u00e9\\n"} }');
		assert.equal((await client.message({ id: 33 })).body, 'é\n');
	});
	await t.test('long answers', async () => {
		const answer = await client.ask({ method: 'GET', path: '/test/long/3000000' });
		assert.equal(answer.body.length, 3000000);
		const many = await Promise.all(Array.from({ length: 10 }, () => client.ask({ method: 'GET', path: '/test/long/300000' })));
		assert.ok(many.every(({ body }) => body.length === 300000));
	});
	client.destroy();
});

test('sixteen calls at once, answered in any order; more are refused', async () => {
	const lock = await hold(31);
	const client = await openAs(alice);
	for (let id = 0; id < 16; id++) client.json({ id, method: 'GET', path: '/test/wait/31' });
	await wrong(client, { id: 16, method: 'GET', path: '/auth/me' }, 'limit_reached', 16);
	await wrong(client, { id: 17, type: 'signal', event: 'typing:start', channel: 'post:1' }, 'limit_reached', 17);
	assert.equal((await client.ask({ type: 'ping', id: 18 })).type, 'pong', 'what needs no database goes on');
	await lock.release();
	for (let id = 0; id < 16; id++) assert.equal((await client.message({ id })).body, true);
	const again = await hold(32);
	client.json({ id: 'slow', method: 'GET', path: '/test/wait/32' });
	await until(() => waiting(32) === 1, 'the slow call');
	assert.equal((await client.ask({ id: 'fast', method: 'GET', path: '/auth/me' })).status, 200, 'a fast one overtakes a slow one');
	await again.release();
	assert.equal((await client.message({ id: 'slow' })).body, true);
	client.destroy();
});

test('a socket that goes takes its waiting calls with it', async () => {
	const few = await startGateway({ 'slow-connections': 1 });
	const lock = await hold(33);
	const client = await WebSocketClient.open(few, bearer(alice.token));
	for (let id = 0; id < 5; id++) client.json({ id, method: 'GET', path: '/test/wait/33' });
	await until(() => waiting(33) === 1, 'the first call');
	await until(async () => (await metric(few, 'roost_gateway_lane_queue', { lane: 'slow' })) === 4, 'the queue');
	client.destroy();
	await until(async () => (await metric(few, 'roost_gateway_lane_cancelled_total', { lane: 'slow' })) === 4, 'the end of those that waited');
	await until(async () => (await metric(few, 'roost_gateway_sockets')) === 0, 'the end of the socket');
	await lock.release();
	const asking = await WebSocketClient.open(few);
	asking.json({ type: 'auth', token: alice.token });
	asking.json({ method: 'GET', path: '/test/long/100000' });
	asking.destroy();
	await until(async () => (await metric(few, 'roost_gateway_sockets')) === 0, 'the end of the second');
	await few.stop();
});

test('limits of a socket: length, frames, bytes, sockets of an address', async () => {
	const strict = await startGateway({ 'stream-frame-limit': '2kB', 'stream-frame-rate': 10, 'stream-byte-rate': '2kB', 'stream-connections': 3 });
	const gone = () => until(async () => (await metric(strict, 'roost_gateway_sockets')) === 0, 'the end of the socket');
	const long = await WebSocketClient.open(strict);
	long.send('text', 'x'.repeat(2049));
	assert.equal((await long.closure()).code, 1009);
	const fast = await WebSocketClient.open(strict);
	fast.write(Buffer.concat(Array.from({ length: 200 }, () => wsFrame('ping', ''))));
	assert.equal((await fast.closure()).code, 1008);
	assert.ok(fast.frames.filter(({ opcode }) => opcode === 10).length < 200);
	const greedy = await WebSocketClient.open(strict);
	for (let i = 0; i < 30; i++) greedy.send('text', 'x'.repeat(1500));
	assert.equal((await greedy.closure()).code, 1008);
	await gone();
	const three = await Promise.all([1, 2, 3].map(() => WebSocketClient.open(strict)));
	const fourth = new WebSocketClient(strict);
	assert.equal(await fourth.handshake(), 429);
	fourth.destroy();
	three[0].destroy();
	await until(async () => (await metric(strict, 'roost_gateway_sockets')) === 2, 'the place of the one that went');
	const next = await WebSocketClient.open(strict);
	for (const code of [1008, 1009]) assert.equal(await metric(strict, 'roost_gateway_sockets_closed_total', { code }), code === 1008 ? 2 : 1);
	for (const client of [...three, next]) client.destroy();
	await strict.stop();
});

test('behind a trusted proxy the sockets of each client are counted', async () => {
	const proxied = await startGateway({ 'stream-connections': 1, 'trusted-proxies': '127.0.0.1' });
	const from = (address) => new WebSocketClient(proxied, { headers: { 'x-forwarded-for': address } });
	const clients = ['192.0.2.1', '192.0.2.2', '192.0.2.1'].map(from);
	assert.deepEqual((await Promise.all(clients.map((client) => client.handshake()))).sort(), [101, 101, 429]);
	for (const client of clients) client.destroy();
	await proxied.stop();
});

test('silence: asked after a heartbeat, closed after another one', async () => {
	const quick = await startGateway({ 'stream-heartbeat': '4s', 'stream-auth-timeout': '10min' });
	const dead = await WebSocketClient.open(quick, { pong: false });
	const alive = await WebSocketClient.open(quick);
	const half = await WebSocketClient.open(quick, { pong: false });
	half.write(wsFrame('text', 'half a frame').subarray(0, 8));
	assert.equal((await dead.closure()).code, 4408);
	assert.equal((await half.closure()).code, 4408);
	assert.equal(dead.frames.filter(({ opcode }) => opcode === 9).length, 1);
	assert.equal((await alive.ask({ type: 'ping' })).type, 'pong');
	alive.destroy();
	await quick.stop();
});

test('a message that takes too long is given up', async () => {
	const quick = await startGateway({ 'body-timeout': '300ms', 'stream-frame-rate': 10000 });
	const slow = await WebSocketClient.open(quick);
	slow.send('text', '"', { fin: false });
	const drip = setInterval(() => slow.send(0, 'x', { fin: false }), 20);
	assert.equal((await slow.closure()).code, 1008);
	clearInterval(drip);
	const pinging = await WebSocketClient.open(quick);
	const end = Date.now() + 600;
	await until(async () => (await pinging.ask({ type: 'ping' })).type === 'pong' && Date.now() > end, 'the time'); // which is for a message alone
	pinging.destroy();
	await quick.stop();
});

test('HTTP/2 has no WebSocket here', async () => {
	const session = http2.connect(gateway.url);
	const stream = session.request({ ':path': '/stream' });
	const [headers] = await once(stream, 'response');
	assert.equal(headers[':status'], 426);
	assert.equal(headers.upgrade, undefined);
	stream.resume();
	await once(stream, 'end');
	session.close();
});

// Sends to a socket that echoes and is not read, until done() is true.
async function flood(client, done) {
	const message = wsFrame('binary', Buffer.alloc(60000));
	client.socket.pause();
	const timer = setInterval(() => { if (client.socket.writableLength < 1 << 20) for (let i = 0; i < 20; i++) client.socket.write(message); }, 5);
	try {
		await until(done, 'the end of the flood');
	} finally {
		clearInterval(timer);
	}
}

test('one that does not read is cut off, and holds little memory', async () => {
	const patient = await startGateway({ 'stream-frame-rate': 1000000, 'stream-byte-rate': '1000MB', 'stream-echo': 'on' });
	const stalled = await WebSocketClient.open(patient, { protocol: 'roost.echo' });
	const other = await WebSocketClient.open(patient);
	await flood(stalled, async () => {
		assert.equal((await other.ask({ type: 'ping' })).type, 'pong');
		return await metric(patient, 'roost_gateway_sockets_closed_total', { code: 4409 }) === 1;
	});
	const held = await metric(patient, 'roost_gateway_output_bytes');
	assert.ok(held <= 512 << 10, `${held} bytes wait for it`);
	assert.equal(await metric(patient, 'roost_gateway_sockets'), 1);
	stalled.destroy();
	await until(async () => await metric(patient, 'roost_gateway_output_bytes') === 0, 'the memory');
	other.destroy();
	await patient.stop();
});

test('one that takes nothing for write-timeout is cut off', async () => {
	const hasty = await startGateway({ 'write-timeout': '300ms', 'stream-output-limit': '64MB', 'stream-frame-rate': 1000000, 'stream-byte-rate': '1000MB', 'stream-echo': 'on' });
	const stalled = await WebSocketClient.open(hasty, { protocol: 'roost.echo' });
	await flood(stalled, async () => await metric(hasty, 'roost_gateway_sockets_closed_total', { code: 4409 }) === 1);
	await until(async () => await metric(hasty, 'roost_gateway_output_bytes') === 0, 'the memory');
	stalled.destroy();
	await hasty.stop();
});

test('stopping: 1001 to all, and new ones are refused', async () => {
	const short = await startGateway();
	const clients = await Promise.all(Array.from({ length: 20 }, (_, i) => WebSocketClient.open(short, i % 2 ? {} : bearer(alice.token))));
	await clients[0].ask({ type: 'subscribe', channels: ['home'] });
	const stopped = short.stop();
	for (const client of clients) assert.equal((await client.closure()).code, 1001);
	await stopped;
	const rude = await startGateway({ 'stop-timeout': '2s' });
	const deaf = await WebSocketClient.open(rude);
	deaf.socket.removeAllListeners('end');
	deaf.closing = true;
	await rude.stop();
	deaf.destroy();
});

test('abnormal ends', async () => {
	await until(async () => (await metric(gateway, 'roost_gateway_sockets')) === 0, 'the ends of all before');
	const before = await metric(gateway, 'roost_gateway_sockets_closed_total', { code: 1006 });
	const reset = await openAs(alice);
	const half = await openAs(alice);
	const lost = await openAs(alice);
	reset.socket.resetAndDestroy();
	half.socket.end();
	await half.ended;
	lost.write(wsFrame('text', 'half a frame').subarray(0, 8));
	lost.destroy();
	await until(async () => (await metric(gateway, 'roost_gateway_sockets_closed_total', { code: 1006 })) === before + 3, 'their ends');
	const silent = await openAs(alice);
	silent.closing = true;
	silent.write(wsFrame('close', wsClose(1000)));
	assert.equal((await silent.closure()).code, 1000);
});

test('the access log has a line for every socket and call, without secrets', async () => {
	const client = await open({ path: `/api/v1/stream?access_token=${alice.token}`, headers: { 'x-request-id': 'log-test-socket' } });
	await client.ask({ method: 'GET', path: '/auth/me?x=secret', headers: { 'x-request-id': 'log-test-call' } });
	await client.close(4000);
	const line = await until(() => lines(gateway.out).find((text) => text.includes('log-test-socket')), 'the line');
	const entry = JSON.parse(line);
	assert.deepEqual([entry.method, entry.path, entry.status, entry.code, entry.http], ['GET', '/api/v1/stream', 101, 4000, 1]);
	assert.ok(entry.frames_in >= 2 && entry.frames_out >= 3 && entry.bytes > 0 && entry.ms >= 0);
	const callLine = JSON.parse(lines(gateway.out).find((text) => text.includes('log-test-call')));
	assert.deepEqual([callLine.path, callLine.ws], ['/auth/me', true]);
	assert.ok(!gateway.out.includes('secret') && !gateway.out.includes(alice.token) && !gateway.log.includes(alice.token));
	assert.ok((await metric(gateway, 'roost_gateway_protocol_requests_total', { version: 'ws' })) > 0);
});

test('many connects at once, and garbage, disturb nobody', async () => {
	const witness = await openAs(alice);
	await witness.ask({ type: 'subscribe', channels: ['public'] });
	const opened = await metric(gateway, 'roost_gateway_sockets_opened_total');
	let seed = 4711;
	const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 24;
	for (let round = 0; round < 5; round++) {
		const clients = await Promise.all(Array.from({ length: 200 }, () => open()));
		for (const client of clients) client.write(Buffer.from(Array.from({ length: 50 }, random)));
		for (const client of clients) client.destroy();
		assert.equal((await witness.ask({ type: 'ping' })).type, 'pong');
	}
	assert.equal(await metric(gateway, 'roost_gateway_sockets_opened_total'), opened + 1000);
	await until(async () => (await metric(gateway, 'roost_gateway_sockets')) < 20, 'their ends');
	witness.destroy();
});

test('without a database a socket says so', async () => {
	const alone = await startGateway({ 'database-url': `host=127.0.0.1 port=${await freePort()} dbname=none connect_timeout=1`, ready: false });
	await until(async () => {
		const answer = await fetch(`${alone.url}/health`).catch(() => null);
		return answer?.status === 503;
	}, 'the gateway');
	const withToken = new WebSocketClient(alone, { path: '/stream', ...bearer(alice.token) });
	assert.equal(await withToken.handshake(), 503);
	withToken.destroy();
	const client = await WebSocketClient.open(alone, { path: '/stream' });
	await wrong(client, { type: 'auth', id: 1, token: alice.token }, 'unavailable', 1);
	assert.equal((await client.ask({ method: 'GET', path: '/auth/me' })).status, 503);
	assert.equal((await client.ask({ type: 'ping' })).cursor, null);
	client.destroy();
	await alone.stop();
});

test('one whose subscription waits for the database is not sent away', async () => {
	const alone = await startGateway({ 'database-url': `host=127.0.0.1 port=${await freePort()} dbname=none connect_timeout=1`, 'stream-auth-timeout': '300ms', ready: false });
	await until(() => fetch(`${alone.url}/health`).catch(() => null), 'the gateway');
	const early = wsFrame('text', JSON.stringify({ type: 'subscribe', id: 0, channels: ['public'] }));
	const subscriber = await WebSocketClient.open(alone, { path: '/stream', early });
	const idle = await WebSocketClient.open(alone, { path: '/stream' });
	assert.equal((await idle.closure()).code, 4401);
	assert.equal((await subscriber.ask({ type: 'ping' })).type, 'pong');
	subscriber.destroy();
	await alone.stop();
});
