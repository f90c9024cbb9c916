// Long polls: GET /events with wait, over HTTP/1 and HTTP/2.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import { account, answers, call, connect, liftLimits, metric, raw, sql, startGateway, until } from './lib.mjs';

let gateway;
let author;

before(async () => {
	liftLimits();
	// (who asks before that is told to come back)
	await until(() => sql('SELECT roost.worker_sync() AND epoch IS NOT NULL FROM roost.feed_position()') === 't', 'the beginning of the log');
	gateway = await startGateway({});
	author = await account(gateway, 'poll');
});
after(() => gateway.stop());

const path = (query) => `/api/v1/events?${new URLSearchParams(query)}`;
const waiting = (to = gateway) => metric(to, 'roost_gateway_hub_subscribers', { transport: 'poll' });

async function poll(query, options = {}, to = gateway) {
	const answer = await call(to, 'GET', path(query), options);
	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.headers.get('roost-wait'), null, 'that header is for the gateway alone');
	return answer.json;
}

async function post(text, who = author) {
	const answer = await call(gateway, 'POST', '/api/v1/tweets', { token: who.token, body: { text } });
	assert.equal(answer.status, 201, answer.text);
	return answer.json;
}

// A cursor behind everything that was done before.
async function now(query, options, to) {
	await until(() => sql('SELECT roost.worker_sync()') === 't', 'the worker');
	return (await poll(query, options, to)).cursor;
}

const texts = (answer) => answer.events.map(({ data }) => data.post.text);

test('without a cursor the answer is one to begin with, at once', async () => {
	const answer = await poll({ channels: 'public', wait: 60 });
	assert.deepEqual(answer.events, []);
	assert.equal(answer.recovered, true);
	assert.match(answer.cursor, /^\d+-\d+$/);
});

test('a poll waits for what happens, and misses nothing between two', async () => {
	const channels = `user:${author.id}`;
	let cursor = await now({ channels });
	const first = poll({ channels, after: cursor, wait: 60 });
	await until(async () => await waiting() === 1, 'the poll');
	const made = await post('one');
	const answer = await first;
	assert.deepEqual(texts(answer), ['one']);
	assert.equal(answer.events[0].data.post.id, made.id);
	assert.equal(answer.recovered, true);
	assert.equal(await waiting(), 0);
	await post('two');
	await post('three');
	const seen = [];
	for (cursor = answer.cursor; seen.length < 2;) {
		const next = await poll({ channels, after: cursor, wait: 60 });
		seen.push(...texts(next));
		cursor = next.cursor;
	}
	assert.deepEqual(seen, ['two', 'three']);
	await post('four');
	const limited = await poll({ channels, after: answer.cursor, wait: 60, limit: 1 });
	assert.deepEqual(texts(limited), ['two']);
});

test('home and notifications need a token, and come with one', async () => {
	const reader = await account(gateway, 'reader');
	assert.ok((await call(gateway, 'POST', `/api/v1/users/${author.id}/follow`, { token: reader.token })).status < 300);
	assert.equal((await call(gateway, 'GET', path({ channels: 'home', after: '1-1', wait: 5 }))).status, 401);
	const cursor = await now({}, { token: reader.token });
	const answer = poll({ after: cursor, wait: 60 }, { token: reader.token });
	await until(async () => await waiting() === 1, 'the poll');
	await post('for followers');
	assert.deepEqual(texts(await answer), ['for followers']);
	assert.ok((await answer).events[0].channels.includes('home'));
});

test('when nothing happens, the cursor goes on all the same', async () => {
	const cursor = await now({ channels: `user:${author.id}` });
	await post('elsewhere', await account(gateway, 'else'));
	// (the post may take longer than the poll)
	await until(async () => {
		const answer = await poll({ channels: `user:${author.id}`, after: cursor, wait: 1 });
		assert.deepEqual(answer.events, []);
		assert.equal(answer.recovered, true);
		return BigInt(answer.cursor.split('-')[1]) > BigInt(cursor.split('-')[1]);
	}, 'a cursor further on');
});

test('a cursor from which the log does not go on is answered at once', async () => {
	const answer = await poll({ channels: 'public', after: '1-1', wait: 60 });
	assert.equal(answer.recovered, false);
	assert.match(answer.cursor, /^[1-9]\d*-\d+$/);
	for (const query of [{ channels: 'public', after: 'x', wait: 5 }, { channels: 'x', after: '1-1', wait: 5 }, { channels: 'public', wait: 61 }, { channels: 'public', wait: -1 }, { wait: 5, more: 1 }]) {
		assert.equal((await call(gateway, 'GET', path(query))).status, 422, JSON.stringify(query));
	}
});

test('a session that is revoked ends its polls', async () => {
	const who = await account(gateway, 'leaves');
	const cursor = await now({}, { token: who.token });
	const answer = call(gateway, 'GET', path({ after: cursor, wait: 60 }), { token: who.token });
	await until(async () => await waiting() === 1, 'the poll');
	assert.ok((await call(gateway, 'POST', '/api/v1/auth/logout', { token: who.token })).status < 300);
	assert.equal((await answer).status, 401);
	assert.equal((await answer).json.code, 'invalid_token');
});

test('who goes is forgotten; what was sent behind a poll is answered after it', async () => {
	const cursor = await now({ channels: `user:${author.id}` });
	const request = `GET ${path({ channels: `user:${author.id}`, after: cursor, wait: 60 })} HTTP/1.1\r\nHost: x\r\n\r\n`;
	const gone = connect(gateway);
	gone.write(request);
	await until(async () => await waiting() === 1, 'the poll');
	gone.destroy();
	await until(async () => await waiting() === 0, 'its end');

	const pair = raw(gateway, `${request}${request}GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
	await until(async () => await waiting() === 1, 'the first of the pair');
	await post('for both');
	const found = answers(await pair);
	assert.deepEqual(found.map(({ status }) => status), [200, 200, 200]);
	for (const { body } of found.slice(0, 2)) assert.deepEqual(texts(JSON.parse(body)), ['for both']);
	assert.equal(JSON.parse(found[2].body).database, 'ok');
});

test('HTTP/2: many polls on a connection, each answered; a reset one is forgotten', async () => {
	const cursor = await now({ channels: `user:${author.id}` });
	const session = http2.connect(gateway.url);
	const streams = Array.from({ length: 50 }, () => session.request({ ':path': path({ channels: `user:${author.id}`, after: cursor, wait: 60 }) }));
	await until(async () => await waiting() === 50, 'all of them');
	for (const stream of streams.splice(0, 10)) stream.close(http2.constants.NGHTTP2_CANCEL);
	await until(async () => await waiting() === 40, 'those that stay');
	const bodies = Promise.all(streams.map(async (stream) => {
		let body = '';
		stream.setEncoding('utf8').on('data', (data) => { body += data; });
		await once(stream, 'end');
		return JSON.parse(body);
	}));
	await post('for forty');
	for (const answer of await bodies) assert.deepEqual(texts(answer), ['for forty']);
	session.destroy();
	assert.equal(await waiting(), 0);
});

test('an address has so many polls that wait', async () => {
	const small = await startGateway({ 'stream-connections': 1 });
	const cursor = await now({ channels: 'conversation:1' }, {}, small);
	const first = poll({ channels: 'conversation:1', after: cursor, wait: 60 }, {}, small);
	await until(async () => await waiting(small) === 1, 'the first');
	const refused = await call(small, 'GET', path({ channels: 'conversation:1', after: cursor, wait: 60 }));
	assert.equal(refused.status, 429);
	assert.ok(Number(refused.headers.get('retry-after')) > 0);
	await Promise.all([small.stop(), first]);
});

test('a thousand polls wait, and one event answers them all', async () => {
	const many = await startGateway({ 'stream-connections': 2000, 'address-connections': 2000, 'queue-limit': 5000 });
	const channels = `user:${author.id}`;
	const cursor = await now({ channels }, {}, many);
	const request = `GET ${path({ channels, after: cursor, wait: 60 })} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
	const all = Array.from({ length: 900 }, () => raw(many, request));
	await until(async () => await waiting(many) === 900, 'all of them');
	await until(async () => await metric(many, 'roost_gateway_lane_in_flight') === 0, 'a moment in which nothing is asked');
	await post('for a thousand');
	for (const text of await Promise.all(all)) assert.deepEqual(texts(JSON.parse(answers(text)[0].body)), ['for a thousand']);
	await many.stop();
});

test('when the gateway stops, polls are answered at once with what there is', async () => {
	const stopping = await startGateway({ 'stop-timeout': '60s' });
	const cursor = await now({ channels: `user:${author.id}` });
	const answer = poll({ channels: `user:${author.id}`, after: cursor, wait: 60 }, {}, stopping);
	await until(async () => await waiting(stopping) === 1, 'the poll');
	await stopping.stop();
	assert.deepEqual((await answer).events, []);
	assert.equal((await answer).recovered, true);
	assert.match((await answer).cursor, /^\d+-\d+$/);
	assert.doesNotMatch(stopping.log, /connections open/);
});

test('a session of the database that is killed loses no poll its events', async () => {
	const channels = `user:${author.id}`;
	const cursor = await now({ channels });
	const answer = poll({ channels, after: cursor, wait: 60 });
	await until(async () => await waiting() === 1, 'the poll');
	sql(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'roost_gateway'`);
	sql(`SELECT roost.post_create(${author.id}, 'after the fall')`);
	assert.deepEqual(texts(await answer), ['after the fall']);
});
