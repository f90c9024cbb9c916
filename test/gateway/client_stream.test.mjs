// The JavaScript client by itself: against sockets and answers made up here, so that everything that can happen to a connection does.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Roost, RoostError } from '../../gateway/client/roost.js';
import { until } from './lib.mjs';

const CHANNEL = 'public';

// A client whose sockets and answers are the test's.
function fake({ tokens = null, routes = {}, ...options } = {}) {
	const sockets = [];
	class Socket {
		readyState = 0;
		sent = [];
		constructor(url, protocols) {
			Object.assign(this, { url, protocols });
			sockets.push(this);
		}
		send(text) { this.sent.push(JSON.parse(text)); }
		close(code) {
			this.readyState = 3;
			this.closed = code ?? 1000;
		}
		// what the server does
		say(...frames) {
			this.readyState = 1;
			for (const frame of frames) this.onmessage({ data: JSON.stringify(frame) });
		}
		drop(code = 1006) {
			this.readyState = 3;
			this.onclose({ code });
		}
		last(type) { return this.sent.filter((frame) => frame.type === type).at(-1); }
		// hello, and what was asked for is granted
		accept(answer = {}) {
			this.say({ type: 'hello', heartbeat: 30 });
			const asked = this.last('subscribe') ?? this.last('resume');
			this.say({ type: asked.type === 'resume' ? 'resumed' : 'subscribed', id: asked.id, channels: asked.channels, recovered: true, ...answer });
		}
	}
	const requests = [];
	const fetch = async (url, init) => {
		const { pathname, searchParams } = new URL(url);
		requests.push({ method: init.method, path: pathname, query: Object.fromEntries(searchParams), init });
		const route = routes[pathname.replace('/api/v1', '')];
		if (!route) throw new TypeError('fetch failed');
		return route(init, searchParams);
	};
	const roost = new Roost({ url: 'http://roost.test', WebSocket: Socket, fetch, tokens, ...options });
	return { roost, sockets, requests, socket: (n) => until(() => sockets[n], `socket ${n}`) };
}

const json = (body, status = 200, headers = {}) => new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });
const event = (id, text = id) => ({ id, event: 'tweet:new', channels: [CHANNEL], data: { post: { id: '1', text } } });
const session = (n) => ({ access_token: `access ${n}`, refresh_token: `refresh ${n}`, expires_in: 900, account: { id: '1' } });
const tokens = { access_token: 'access 0', refresh_token: 'refresh 0', expires_at: Date.now() + 900_000 };

function heard(stream) {
	const events = [];
	stream.on('*', (data, { event: name, id }) => events.push(id ?? (name === 'state' ? data.state : name)));
	return events;
}

test('events are said once and in order, and a lost connection goes on behind the last of them', async () => {
	const { roost, socket } = fake();
	const stream = roost.stream({ channels: [CHANNEL] });
	const events = heard(stream);
	const first = await socket(0);
	assert.equal(first.url, 'ws://roost.test/api/v1/stream');
	assert.deepEqual(first.protocols, ['roost.v1']);
	first.accept({ cursor: '7-10' });
	assert.deepEqual(first.last('subscribe').channels, [CHANNEL]);
	assert.equal(stream.cursor, '7-10');
	first.say({ type: 'events', cursor: '7-12', events: [event('11.0'), event('12.0')] });
	assert.equal(stream.cursor, '7-12');
	first.drop();
	const second = await socket(1);
	second.say({ type: 'hello', heartbeat: 30 });
	assert.deepEqual({ ...second.last('resume'), id: 0 }, { type: 'resume', id: 0, channels: [CHANNEL], cursor: '7-12' });
	second.accept({ cursor: '7-14' });
	assert.equal(stream.cursor, '7-12', 'what was missed is still to come');
	second.say({ type: 'events', cursor: '7-14', events: [event('12.0'), event('13.0'), event('14.0')] });
	assert.deepEqual(events, ['live', '11.0', '12.0', 'reconnecting', 'live', '13.0', '14.0']);
	stream.close();
	assert.equal(second.closed, 1000);
});

test('a gap is told: when the server could not recover, and when the log does not go on', async () => {
	const { roost, socket } = fake();
	const stream = roost.stream({ channels: [CHANNEL], cursor: '6-99' });
	const events = heard(stream);
	(await socket(0)).accept({ recovered: false, cursor: '7-1' });
	assert.equal(stream.cursor, '7-1');
	(await socket(0)).say({ type: 'reset', cursor: '8-1' });
	assert.equal(stream.cursor, '8-1');
	assert.deepEqual(events, ['gap', 'live', 'gap']);
	stream.close();
});

test('channels added and taken away at run time are those of the next connection', async () => {
	const { roost, socket } = fake();
	const stream = roost.stream({ channels: [CHANNEL, 'post:1'] });
	const early = stream.subscribe('post:2');
	const first = await socket(0);
	first.accept({ cursor: '7-1' });
	await early;
	const added = stream.subscribe('post:3', CHANNEL);
	assert.deepEqual(first.last('subscribe').channels, ['post:3']);
	first.say({ type: 'subscribed', id: first.last('subscribe').id, cursor: '7-5' });
	await added;
	assert.equal(stream.cursor, '7-1', 'events before the answer may still come');
	stream.unsubscribe('post:1');
	assert.deepEqual(first.last('unsubscribe').channels, ['post:1']);
	const refused = stream.subscribe('nonsense');
	first.say({ type: 'error', id: first.last('subscribe').id, status: 422, code: 'invalid_value', detail: 'no such channel' });
	await assert.rejects(refused, { status: 422, code: 'invalid_value', message: 'no such channel' });
	const late = stream.subscribe('post:4'); // its answer never comes, but the next connection's does
	first.drop(4409);
	const second = await socket(1);
	second.accept();
	await late;
	assert.deepEqual(second.last('resume').channels, [CHANNEL, 'post:2', 'post:3', 'post:4']);
	stream.close();
	await assert.rejects(stream.subscribe('post:5'), { code: 'closed' });
});

test('an expired token is replaced, and the stream goes on; with a second refusal it waits', async () => {
	let given = 0;
	const { roost, socket, requests } = fake({ tokens, routes: { '/auth/refresh': () => json(session(++given)) } });
	const stream = roost.stream({ channels: ['home'] });
	const events = heard(stream);
	const first = await socket(0);
	first.say({ type: 'hello', heartbeat: 30 });
	assert.deepEqual(first.sent.map(({ type, token }) => [type, token]), [['auth', 'access 0']]);
	first.say({ type: 'ready', id: 1 });
	first.say({ type: 'subscribed', id: first.last('subscribe').id, cursor: '7-1' });
	first.say({ type: 'expiring' });
	await until(() => first.last('auth').token === 'access 1', 'the new token');
	first.say({ type: 'ready', id: first.last('auth').id });
	assert.equal(first.sent.filter(({ type }) => type === 'subscribe').length, 1);
	first.drop(4401);
	const second = await socket(1);
	second.say({ type: 'hello', heartbeat: 30 });
	assert.equal(second.last('auth').token, 'access 2');
	second.drop(4401);
	await socket(2);
	assert.equal(given, 2, 'no refresh after a fresh token was refused');
	assert.ok(events.includes('reconnecting'));
	assert.equal(requests.length, 2);
	stream.close();
});

test('a revoked session ends the stream and the session', async () => {
	for (const code of [4401, 4403]) {
		const kept = [];
		const { roost, socket } = fake({ tokens, onTokens: (value) => kept.push(value), routes: { '/auth/refresh': () => json({ status: 401, code: 'not_authenticated' }, 401) } });
		const reasons = [];
		roost.on('signed-out', ({ reason }) => reasons.push(reason));
		const stream = roost.stream({ channels: ['home'] });
		(await socket(0)).drop(code);
		await until(() => stream.state === 'closed', 'the end');
		assert.deepEqual(reasons, [code === 4403 ? 'revoked' : 'expired']);
		assert.equal(roost.signedIn, false);
		assert.deepEqual(kept, [null]);
	}
});

test('a connection from which nothing comes is given up', async () => {
	const { roost, socket } = fake();
	const stream = roost.stream({ channels: [CHANNEL] });
	const first = await socket(0);
	// the first ping is answered at once, and then nothing comes any more
	const { send } = first;
	first.send = (text) => {
		send.call(first, text);
		if (first.sent.filter(({ type }) => type === 'ping').length === 1) queueMicrotask(() => first.say({ type: 'pong', id: first.last('ping').id, cursor: '7-3' }));
	};
	first.say({ type: 'hello', heartbeat: 0.05 });
	first.say({ type: 'subscribed', id: first.last('subscribe').id, cursor: '7-1' });
	const second = await socket(1);
	assert.equal(stream.cursor, '7-3');
	assert.equal(first.closed, 1000);
	second.say({ type: 'hello', heartbeat: 30 });
	assert.equal(second.last('resume').cursor, '7-3');
	stream.close();
});

test('without WebSocket it takes server-sent events, without those long polling', async () => {
	const controllers = [];
	const polls = [];
	const routes = {
		'/events/stream': (init, query) => {
			assert.equal(query.get('channels'), 'public,post:1');
			return new Response(new ReadableStream({ start(controller) { controllers.push(controller); } }), { headers: { 'content-type': 'text/event-stream' } });
		},
		'/events': (init, query) => new Promise((resolve, reject) => {
			polls.push({ query: Object.fromEntries(query), answer: (body) => resolve(json(body)) });
			init.signal.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
		}),
	};
	const { roost, socket } = fake({ routes });
	const stream = roost.stream({ channels: [CHANNEL, 'post:1'] });
	const events = heard(stream);
	(await socket(0)).drop();
	(await socket(1)).drop();
	const say = (text) => controllers.at(-1).enqueue(new TextEncoder().encode(text));
	await until(() => controllers.length === 1, 'the event stream');
	say('retry: 2000\n\nevent: ready\ndata: {"cursor":"7-1"}\n\n');
	await until(() => stream.state === 'live', 'live');
	assert.equal(stream.transport, 'sse');
	assert.equal(stream.canCall, false);
	const text = `id: 7-3\nevent: tweet:new\ndata: ${JSON.stringify(event('3.0', 'schön'))}\n\n`;
	say(`event: tweet:new\ndata: ${JSON.stringify(event('2.0'))}\n\n${text.slice(0, 40)}`);
	await until(() => events.includes('2.0'), 'the first event');
	assert.equal(stream.cursor, '7-1', 'the row has another event');
	say(text.slice(40));
	await until(() => stream.cursor === '7-3', 'the cursor');
	say('id: 7-4\n\n');
	await until(() => stream.cursor === '7-4', 'the heartbeat');
	routes['/events/stream'] = () => json({ status: 404, code: 'route_not_found' }, 404); // gone, while HTTP works
	controllers[0].close();
	await until(() => polls.length === 1, 'a poll');
	assert.deepEqual(polls[0].query, { channels: 'public,post:1', after: '7-4', wait: '0' });
	polls[0].answer({ events: [event('3.0'), event('5.0')], cursor: '7-5', recovered: true });
	await until(() => polls.length === 2, 'the next poll');
	assert.equal(stream.transport, 'poll');
	assert.equal(stream.cursor, '7-5');
	assert.notEqual(polls[1].query.wait, '0');
	polls[1].answer({ events: [], cursor: '8-1', recovered: false });
	await until(() => events.at(-1) === 'gap', 'the gap');
	assert.deepEqual(events.filter((name) => /^\d|gap/.test(name)), ['2.0', '3.0', '5.0', 'gap']);
	stream.close();
});

test('while the server cannot be reached at all it stays with WebSocket', async () => {
	const { roost, sockets, requests, socket } = fake();
	const stream = roost.stream({ channels: [CHANNEL] });
	(await socket(0)).drop();
	(await socket(1)).drop();
	await until(() => requests.length === 1, 'an attempt without WebSocket'); // fails, too
	(await socket(2)).accept({ cursor: '7-1' });
	assert.equal(stream.transport, 'websocket');
	assert.equal(sockets.length, 3);
	stream.close();
});

test('a refusal that will stay one ends the stream', async () => {
	const { roost, socket } = fake();
	const stream = roost.stream({ channels: ['nonsense'] });
	const errors = [];
	stream.on('error', (error) => errors.push(error.code));
	const first = await socket(0);
	first.say({ type: 'hello', heartbeat: 30 });
	first.say({ type: 'error', id: first.last('subscribe').id, status: 422, code: 'invalid_value', detail: 'no such channel' });
	assert.equal(stream.state, 'closed');
	assert.deepEqual(errors, ['invalid_value']);
});

test('calls go over the socket, and fail when it is lost', async () => {
	const { roost, socket, requests } = fake({ routes: { '/trends': () => json({ items: [] }) } });
	const stream = roost.stream({ channels: [CHANNEL] });
	assert.deepEqual(await stream.call('GET', '/trends'), { items: [] });
	const first = await socket(0);
	first.accept({ cursor: '7-1' });
	const good = stream.call('POST', '/tweets', { text: 'x' }, { headers: { 'idempotency-key': 'k' } });
	const bad = stream.call('GET', '/tweets/0');
	const lost = stream.call('GET', '/tweets/1');
	const [post, get] = first.sent.slice(-3);
	assert.deepEqual({ ...post, id: 0 }, { id: 0, method: 'POST', path: '/tweets', body: { text: 'x' }, headers: { 'idempotency-key': 'k' } });
	first.say({ type: 'response', id: get.id, status: 404, headers: {}, body: { code: 'not_found', detail: 'no such post' } });
	first.say({ type: 'response', id: post.id, status: 201, headers: {}, body: { id: '1' } });
	assert.deepEqual(await good, { id: '1' });
	await assert.rejects(bad, { status: 404, code: 'not_found', message: 'no such post' });
	first.drop();
	await assert.rejects(lost, { status: 0, code: 'connection_lost' });
	assert.equal(requests.length, 1);
	stream.close();
});

test('typing is told once in a while, and its end only after it', async () => {
	const { roost, socket } = fake();
	const stream = roost.stream({ channels: [CHANNEL] });
	stream.typing('post:1'); // nobody hears it yet
	const first = await socket(0);
	first.accept({ cursor: '7-1' });
	stream.stopTyping('post:1');
	for (let key = 0; key < 5; key++) stream.typing('post:1');
	stream.stopTyping('post:1');
	stream.stopTyping('post:1');
	assert.deepEqual(first.sent.filter(({ type }) => type === 'signal').map(({ event: name, channel }) => [name, channel]),
		[['typing:start', 'post:1'], ['typing:stop', 'post:1']]);
	const signals = [];
	stream.on('user:online', (data) => signals.push(data));
	first.say({ type: 'signal', event: 'user:online', data: { account_id: '5' } });
	assert.deepEqual(signals, [{ account_id: '5' }]);
	stream.close();
});

test('an iterator gives what comes, and ends with the stream; a slow one is told of its gap', async () => {
	const { roost, socket } = fake();
	const stream = roost.stream({ channels: [CHANNEL] });
	const seen = [];
	const reading = (async () => { for await (const one of stream) seen.push(one.id ?? one.event); })();
	const first = await socket(0);
	first.accept({ cursor: '7-1' });
	first.say({ type: 'events', cursor: '7-2', events: [event('2.0'), event('2.1')] }, { type: 'reset', cursor: '8-1' });
	await until(() => seen.length === 3, 'events');
	assert.deepEqual(seen, ['2.0', '2.1', 'gap']);
	first.say({ type: 'events', cursor: '8-2', events: Array.from({ length: 1500 }, (_, i) => event(`${i + 3}.0`)) });
	stream.close();
	await reading;
	assert.equal(seen[3], 'gap');
	assert.ok(seen.length < 1004);
	assert.equal(seen.at(-1), '1502.0');
});

test('a handler that throws keeps nothing from the others', async () => {
	const { roost, socket } = fake();
	const stream = roost.stream({ channels: [CHANNEL] });
	const reported = [];
	const { error } = console;
	console.error = (problem) => reported.push(problem.message);
	const events = [];
	stream.on('tweet:new', () => { throw new Error('mine'); });
	stream.on('tweet:new', ({ post }) => events.push(post.text));
	(await socket(0)).accept({ cursor: '7-1' });
	(await socket(0)).say({ type: 'events', cursor: '7-2', events: [event('2.0', 'a'), event('3.0', 'b')] });
	console.error = error;
	assert.deepEqual(events, ['a', 'b']);
	assert.deepEqual(reported, ['mine', 'mine']);
	stream.close();
});

test('requests: one refresh for all, errors as the server says them', async () => {
	let given = 0;
	const kept = [];
	const routes = {
		'/auth/refresh': (init) => { assert.deepEqual(JSON.parse(init.body), { refresh_token: `refresh ${given}` }); return json(session(++given)); },
		'/users/me': (init) => (init.headers.authorization === 'Bearer access 0' ? json({ status: 401, code: 'invalid_token' }, 401) : json({ id: '1' })),
		'/tweets': () => json({ status: 422, code: 'value_too_long', detail: 'too long', field: 'text', hint: 'write less', request_id: 'r' }, 422),
		'/busy': () => json({ status: 429, code: 'too_many_requests', detail: 'slow down' }, 429, { 'retry-after': '7' }),
		'/proxy': () => new Response('<h1>Bad gateway</h1>', { status: 502 }),
		'/nothing': () => new Response(null, { status: 204 }),
	};
	const { roost, requests } = fake({ tokens, routes, onTokens: (value) => kept.push(value.access_token) });
	assert.deepEqual(await Promise.all([roost.get('/users/me'), roost.get('/users/me'), roost.get('/users/me')]), [{ id: '1' }, { id: '1' }, { id: '1' }]);
	assert.equal(given, 1);
	assert.deepEqual(kept, ['access 1']);
	await assert.rejects(roost.request('POST', '/tweets', { text: '' }), (error) => error instanceof RoostError && error.status === 422 && error.field === 'text' &&
		error.hint === 'write less' && error.requestId === 'r' && error.message === 'too long');
	await assert.rejects(roost.get('/busy'), { status: 429, retryAfter: 7 });
	await assert.rejects(roost.get('/proxy'), { status: 502, code: 'http_error' });
	await assert.rejects(roost.get('/unreachable'), { status: 0, code: 'network' });
	assert.equal(await roost.get('/nothing', { a: 1, b: undefined, c: 'x y' }), null);
	assert.deepEqual(requests.at(-1).query, { a: '1', c: 'x y' });
});

test('a token about to expire is replaced before it is used', async () => {
	const { roost, requests } = fake({ tokens: { ...tokens, expires_at: Date.now() + 1000 },
		routes: { '/auth/refresh': () => json(session(1)), '/users/me': () => json({ id: '1' }) } });
	await roost.get('/users/me');
	assert.deepEqual(requests.map(({ path }) => path), ['/api/v1/auth/refresh', '/api/v1/users/me']);
	assert.equal(requests[1].init.headers.authorization, 'Bearer access 1');
});
