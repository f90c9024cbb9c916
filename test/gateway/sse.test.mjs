// Server-sent events, over HTTP/1 and HTTP/2.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { account, call, liftLimits, metric, sql, startGateway, until } from './lib.mjs';

let gateway;
let author;

before(async () => {
	liftLimits();
	// (more than what happens at once in these tests: who only takes its time is not cut off)
	gateway = await startGateway({ 'cors-origins': 'https://app.example', 'stream-output-limit': '1MB' });
	author = await account(gateway, 'sse');
});
after(() => gateway.stop());

const path = (query) => `/api/v1/events/stream${query ? `?${new URLSearchParams(query)}` : ''}`;

// Reads a stream as a browser does: events, and the id of the last one; an id without data counts.
function reader(source) {
	const found = { events: [], lastId: '', ended: false, text: '' };
	let rest = '';
	source.setEncoding('utf8');
	source.on('data', (data) => {
		found.text += data;
		const parts = (rest + data).split('\n\n');
		rest = parts.pop();
		for (const part of parts) {
			const fields = Object.fromEntries(part.split('\n').map((line) => /^(\w*): ?(.*)$/.exec(line)).filter(Boolean).map(([, name, value]) => [name, value]));
			if (fields.id !== undefined) found.lastId = fields.id;
			if (fields.data !== undefined) found.events.push({ event: fields.event, id: fields.id, data: JSON.parse(fields.data) });
			else if (fields.id !== undefined) found.beats = (found.beats ?? 0) + 1;
		}
	});
	source.on('end', () => { found.ended = true; });
	source.on('close', () => { found.closed = true; });
	source.on('error', () => { found.closed = true; });
	found.named = (name) => found.events.filter(({ event }) => event === name);
	found.texts = () => found.named('tweet:new').map(({ data }) => data.data.post.text);
	found.ready = async () => (await until(() => found.named('ready')[0], 'ready')).data;
	return found;
}

// Opens a stream over HTTP/1; close() leaves it.
async function open(query, headers = {}, to = gateway) {
	const request = http.get(`${to.url}${path(query)}`, { agent: false, headers });
	request.on('error', () => {});
	const [answer] = await once(request, 'response');
	return Object.assign(reader(answer), { status: answer.statusCode, headers: answer.headers, answer, close: () => request.destroy() });
}

// The same over HTTP/2, as one stream of a session.
async function open2(session, query, headers = {}) {
	const stream = session.request({ ':path': path(query), ...headers });
	const [head] = await once(stream, 'response');
	return Object.assign(reader(stream), { status: head[':status'], headers: head, stream, close: () => stream.close(http2.constants.NGHTTP2_CANCEL) });
}

function session2(to = gateway) {
	const session = http2.connect(to.url);
	session.on('error', () => {});
	return session;
}

const bearer = (who) => ({ authorization: `Bearer ${who.token ?? who}` });

async function post(text, more = {}, who = author) {
	const answer = await call(gateway, 'POST', '/api/v1/tweets', { token: who.token, body: { text, ...more } });
	assert.equal(answer.status, 201, answer.text);
	return answer.json;
}

const subscribers = (to = gateway) => metric(to, 'roost_gateway_hub_subscribers', { transport: 'events' });

for (const version of [1, 2]) {
	test(`a stream over HTTP/${version} shows what happens, and goes on from its last id`, async () => {
		const session = version === 2 ? session2() : undefined;
		const follow = (query, headers) => version === 2 ? open2(session, query, headers) : open(query, headers);
		const stream = await follow({ channels: `user:${author.id}` });
		assert.equal(stream.status, 200);
		assert.equal(stream.headers['content-type'], 'text/event-stream');
		assert.equal(stream.headers['cache-control'], 'no-store');
		assert.equal(stream.headers['x-accel-buffering'], 'no');
		assert.equal(stream.headers['content-encoding'], undefined);
		const ready = await stream.ready();
		assert.equal(ready.recovered, true);
		assert.match(ready.cursor, /^\d+-\d+$/);
		assert.ok(stream.text.startsWith('retry: 2000\n\n'));

		const made = await post(`first\nof ${version} ü`);
		const [event] = await until(() => stream.named('tweet:new').length && stream.named('tweet:new'), 'the event');
		assert.match(event.id, /^\d+-\d+$/);
		assert.equal(event.data.event, 'tweet:new');
		assert.match(event.data.id, /^\d+\.0$/);
		assert.equal(event.data.id.split('.')[0], event.id.split('-')[1]);
		assert.ok(event.data.channels.includes(`user:${author.id}`));
		assert.equal(event.data.data.post.id, made.id);
		assert.equal(event.data.data.post.text, `first\nof ${version} ü`);

		stream.close();
		await until(async () => await subscribers() === 0, 'its end');
		const texts = [1, 2, 3].map((n) => `missed ${n} of ${version}`);
		for (const text of texts) await post(text);
		const again = await follow({ channels: `user:${author.id}`, after: ready.cursor }, { 'last-event-id': stream.lastId });
		assert.equal((await again.ready()).recovered, true);
		await until(() => again.texts().length >= 3, 'what was missed');
		await post('and on');
		await until(() => again.texts().length >= 4, 'what happens');
		assert.deepEqual(again.texts(), [...texts, 'and on'], 'the header wins over the address');
		again.close();
		const query = await follow({ channels: `user:${author.id}`, after: ready.cursor });
		await until(() => query.texts().length >= 5, 'all of it');
		assert.deepEqual(query.texts(), [`first\nof ${version} ü`, ...texts, 'and on']);
		query.close();
		session?.close();
		await until(async () => await subscribers() === 0, 'the end of all');
	});
}

test('a cursor that is none of ours begins anew, and says so', async () => {
	for (const cursor of ['nonsense', '1-1', '0-0', '-1', '999999999999999999-5', `${'9'.repeat(300)}-1`]) {
		const stream = await open({ channels: 'public' }, { 'last-event-id': cursor });
		assert.equal(stream.status, 200, cursor);
		const ready = await stream.ready();
		assert.equal(ready.recovered, false, cursor);
		assert.match(ready.cursor, /^[1-9]\d*-\d+$/);
		assert.equal(stream.lastId, ready.cursor, 'from which the browser goes on');
		stream.close();
	}
	const stream = await open({ channels: 'public', after: '1-1' });
	assert.equal((await stream.ready()).recovered, false);
	stream.close();
});

test('only the last event of a row has an id', async () => {
	const reader = await account(gateway, 'mentioned');
	assert.equal((await call(gateway, 'POST', `/api/v1/users/${author.id}/follow`, { token: reader.token })).status < 300, true);
	const stream = await open({ channels: 'home,notifications' }, bearer(reader));
	await stream.ready();
	await post(`hello @${reader.username}`);
	await until(() => stream.named('notification:new').length > 0, 'the notification');
	const [tweet, notification] = stream.events.filter(({ event }) => event !== 'ready').slice(-2);
	assert.deepEqual([tweet.event, notification.event], ['tweet:new', 'notification:new']);
	assert.equal(tweet.id, undefined);
	assert.ok(tweet.data.channels.includes('home'));
	assert.match(notification.id, /^\d+-\d+$/);
	assert.equal(tweet.data.id.split('.')[0], notification.data.id.split('.')[0]);
	stream.close();
});

test('what is wrong is said before the stream begins', async () => {
	const cases = [
		[{ channels: 'nothing:1' }, {}, 422, 'channels'], [{ channels: 'public,user:x' }, {}, 422, 'channels'],
		[{ channels: Array.from({ length: 101 }, (_, n) => `post:${n + 1}`).join() }, {}, 422, 'channels'],
		[{ channels: '' }, {}, 422, 'channels'], [{ channels: 'home' }, {}, 401, 'channels'],
		[{ channels: 'public', limit: 5 }, {}, 422, 'limit'], [[['after', '1-1'], ['after', '1-2']], {}, 422, 'after'],
		[{ channels: 'public' }, { authorization: 'Bearer wrong' }, 401], [{ channels: 'public' }, { authorization: 'Basic x' }, 401],
		[{ access_token: 'wrong' }, {}, 401], [{ channels: 'public' }, { cookie: 'roost_access=wrong' }, 401],
	];
	for (const [query, headers, status, field] of cases) {
		const answer = await call(gateway, 'GET', path(query), { headers });
		assert.equal(answer.status, status, JSON.stringify([query, headers]));
		assert.equal(answer.json.field, field);
		if (status === 401) assert.match(answer.headers.get('www-authenticate'), /^Bearer/);
	}
	for (const query of ['?channels=%zz', '?channels=%00', '?channels=%ff', '?%']) assert.equal((await call(gateway, 'GET', `/events/stream${query}`)).status, 400, query);
	const refused = await call(gateway, 'POST', '/events/stream', { token: author.token, body: {} });
	assert.equal(refused.status, 405);
	assert.match(refused.headers.get('allow'), /GET/);
	const head = await fetch(`${gateway.url}/events/stream?channels=public`, { method: 'HEAD' });
	assert.deepEqual([head.status, head.headers.get('content-type')], [200, 'text/event-stream']);
	await until(async () => await subscribers() === 0, 'the end of those before');
});

test('the token comes by header, query or cookie; a cookie only from our own pages', async () => {
	const cookie = `roost_access=${author.token}`;
	const own = gateway.url;
	for (const [query, headers] of [[{}, bearer(author)], [{ access_token: author.token }, {}], [{}, { cookie }], [{}, { cookie, origin: own }],
		[{}, { cookie, origin: 'https://app.example' }], [{}, { cookie, 'sec-fetch-site': 'same-origin' }], [{ access_token: author.token }, { cookie, origin: 'https://evil.example' }]]) {
		const stream = await open({ channels: 'home', ...query }, headers);
		assert.equal(stream.status, 200, JSON.stringify([query, headers]));
		await stream.ready();
		if (headers.origin === 'https://app.example') assert.equal(stream.headers['access-control-allow-origin'], headers.origin);
		stream.close();
	}
	for (const headers of [{ cookie, origin: 'https://evil.example' }, { cookie, 'sec-fetch-site': 'cross-site' }]) {
		const answer = await call(gateway, 'GET', path({ channels: 'public' }), { headers: { ...headers } });
		assert.equal(answer.status, 403);
		assert.equal(answer.json.code, 'csrf_failed');
	}
	const strict = await startGateway({ 'stream-query-token': 'off' });
	assert.equal((await call(strict, 'GET', path({ access_token: author.token }))).status, 401);
	await strict.stop();
});

test('a stream ends with its session, and tells when its token has expired', async () => {
	const who = await account(gateway, 'leaves');
	const stream = await open({}, bearer(who));
	await stream.ready();
	assert.ok((await call(gateway, 'POST', '/api/v1/auth/logout', { token: who.token })).status < 300);
	await until(() => stream.ended, 'the end of the stream');
	assert.equal((await call(gateway, 'GET', path({}), { token: who.token })).status, 401);

	const other = await account(gateway, 'short');
	const login = async () => (await call(gateway, 'POST', '/auth/login', { body: { identifier: other.username, password: other.password } })).json;
	sql(`ALTER SYSTEM SET roost.token_access_ttl = '10s'`);
	sql('SELECT pg_reload_conf()');
	let short;
	try {
		const session = await until(async () => {
			const made = await login();
			return made.expires_in === 10 && made;
		}, 'the setting');
		short = await open({}, bearer(session.access_token));
	} finally {
		sql('ALTER SYSTEM RESET roost.token_access_ttl');
		sql('SELECT pg_reload_conf()');
	}
	assert.equal(short.status, 200);
	await until(() => short.ended, 'the end of the token');
	assert.equal(short.events.at(-1).event, 'expired');
	await until(async () => (await login()).expires_in > 60, 'the setting');
});

test('an address has so many streams', async () => {
	const small = await startGateway({ 'stream-connections': 2 });
	const streams = [await open({ channels: 'public' }, {}, small), await open({ channels: 'public' }, {}, small)];
	const refused = await call(small, 'GET', path({ channels: 'public' }));
	assert.equal(refused.status, 429);
	assert.ok(Number(refused.headers.get('retry-after')) > 0);
	assert.equal(await metric(small, 'roost_gateway_events_refused_total', { transport: 'events' }), 1);
	streams[0].close();
	await until(async () => await subscribers(small) === 1, 'the end of one');
	const next = await open({ channels: 'public' }, {}, small);
	assert.equal(next.status, 200);
	streams[1].close();
	next.close();
	await small.stop();
});

test('HTTP/2: many streams on a connection, beside requests; a reset one is gone', async () => {
	const session = session2();
	const streams = await Promise.all(Array.from({ length: 20 }, () => open2(session, { channels: `user:${author.id}` })));
	await Promise.all(streams.map((stream) => stream.ready()));
	const request = session.request({ ':path': '/health' });
	const [head] = await once(request, 'response');
	assert.equal(head[':status'], 200);
	request.resume();
	await post('to twenty');
	await until(() => streams.every((stream) => stream.texts().length === 1), 'the event on all of them');
	for (const stream of streams.slice(0, 10)) stream.close();
	await until(async () => await subscribers() === 10, 'ten of them');
	await post('to ten');
	await until(() => streams.slice(10).every((stream) => stream.texts().length === 2), 'the event on the others');
	assert.ok(streams.slice(0, 10).every((stream) => stream.texts().length === 1));
	session.destroy();
	await until(async () => await subscribers() === 0, 'the end of all');
});

test('a stream of HTTP/1.0 ends with its connection', async () => {
	const { connect } = await import('./lib.mjs');
	const socket = connect(gateway);
	let text = '';
	socket.on('data', (data) => { text += data; });
	socket.write('GET /events/stream?channels=public HTTP/1.0\r\n\r\n');
	await until(() => text.includes('event: ready'), 'ready');
	assert.doesNotMatch(text, /transfer-encoding/);
	assert.match(text, /\r\n\r\nretry: 2000\n\nevent: ready\n/);
	socket.destroy();
	await until(async () => await subscribers() === 0, 'its end');
});

test('who does not read is cut off, and disturbs nobody', async () => {
	const own = await account(gateway, 'flood');
	const channels = `user:${own.id}`;
	const good = await open({ channels });
	const session = session2();
	const lazy = [await open({ channels }), await open2(session, { channels })];
	await Promise.all([good, ...lazy].map((stream) => stream.ready()));
	lazy[0].answer.pause();
	lazy[1].stream.pause();
	const before = await metric(gateway, 'roost_gateway_events_slow_total');
	const text = 'x'.repeat(200);
	let sent = 0;
	await until(async () => {
		sql(`DO $$ BEGIN FOR i IN 1..400 LOOP PERFORM roost.post_create(${own.id}, '${text} ' || i); END LOOP; END $$`);
		sent += 400;
		await until(() => good.texts().length === sent, 'all events for the one who reads');
		return await metric(gateway, 'roost_gateway_events_slow_total') === before + 2;
	}, 'the end of the others', 400000);
	assert.equal(new Set(good.events.map(({ data }) => data.id)).size, good.events.length);
	await until(async () => await metric(gateway, 'roost_gateway_output_bytes') < 1 << 20, 'the memory');
	good.close();
	for (const stream of lazy) stream.close();
	session.destroy();
	await until(async () => await subscribers() === 0, 'the end of all');
});

test('a heartbeat moves the id of a silent stream', async () => {
	const stream = await open({ channels: `user:${author.id}` });
	const { cursor } = await stream.ready();
	const other = await account(gateway, 'other');
	await post('not for this stream', {}, other);
	// (the first one may come before the post is in the log)
	await until(() => stream.beats > 0 && BigInt(stream.lastId.split('-')[1]) > BigInt(cursor.split('-')[1]), 'a heartbeat behind the post', 60000);
	assert.equal(stream.events.length, 1, 'which is no event');
	stream.close();
});

test('when the gateway stops, streams end at once', async () => {
	const stopping = await startGateway({ 'stop-timeout': '60s' });
	const session = session2(stopping);
	const streams = [await open({ channels: 'public' }, {}, stopping), await open2(session, { channels: 'public' })];
	await Promise.all(streams.map((stream) => stream.ready()));
	await stopping.stop();
	assert.doesNotMatch(stopping.log, /connections open/);
	await until(() => streams.every((stream) => stream.ended), 'their end');
});
