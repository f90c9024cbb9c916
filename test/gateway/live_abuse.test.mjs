// Streams of those who behave, beside readers that stall, garbage, a thousand connects a second and floods of frames: all events come, and memory stays bounded.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { account, connect, liftLimits, metric, raw, sql, startGateway, until, wsFrame, WebSocketClient } from './lib.mjs';

const POSTS = 400;
const TEXT = 'x'.repeat(150);

let gateway;
let author;
let channels;
let good;
let posted = 0;

// A WebSocket and a stream of server-sent events, each with the texts that it has got.
async function openGood() {
	const socket = await WebSocketClient.open(gateway);
	const texts = [[], []];
	assert.equal((await socket.ask({ type: 'subscribe', channels })).type, 'subscribed');
	const request = http.get(`${gateway.url}/events/stream?channels=${channels}`, { agent: false });
	const [answer] = await once(request, 'response');
	let rest = '';
	answer.setEncoding('utf8').on('data', (data) => {
		const lines = (rest + data).split('\n');
		rest = lines.pop();
		for (const line of lines) if (line.startsWith('data: {"id"')) texts[1].push(JSON.parse(line.slice(6)).data.post.text);
	});
	return {
		texts() {
			for (const { payload } of socket.frames.splice(0)) {
				const { events = [] } = JSON.parse(payload);
				texts[0].push(...events.map(({ data }) => data.post.text));
			}
			return texts;
		},
		close() {
			socket.destroy();
			request.destroy();
		},
	};
}

// Posts, and waits until those who behave have got everything, in order and once, while this happens.
async function undisturbed(during) {
	const before = await metric(gateway, 'process_resident_memory_bytes');
	sql(`DO $$ BEGIN FOR i IN 1..${POSTS / 2} LOOP PERFORM roost.post_create(${author.id}, '${TEXT} ' || ${posted} + i); END LOOP; END $$`);
	const end = await during();
	// (both halves at once may be more than those have room for who take their time)
	await until(() => good.every((client) => client.texts().every((texts) => texts.length >= posted + POSTS / 2)), 'the first half for those who behave', 240000);
	sql(`DO $$ BEGIN FOR i IN ${POSTS / 2 + 1}..${POSTS} LOOP PERFORM roost.post_create(${author.id}, '${TEXT} ' || ${posted} + i); END LOOP; END $$`);
	posted += POSTS;
	const wanted = Array.from({ length: posted }, (_, n) => `${TEXT} ${n + 1}`);
	await until(() => good.every((client) => client.texts().every((texts) => texts.length >= posted)), 'all events for those who behave', 240000, () => good.map((client) => client.texts().map((texts) => texts.length)));
	for (const client of good) for (const texts of client.texts()) assert.deepEqual(texts, wanted);
	const grown = await metric(gateway, 'process_resident_memory_bytes') - before;
	assert.ok(grown < 64 << 20, `memory has grown by ${grown >> 20} MB`);
	await end?.();
}

before(async () => {
	liftLimits();
	gateway = await startGateway({ 'address-connections': 5000, 'stream-connections': 5000 });
	author = await account(gateway, 'abused');
	channels = [`user:${author.id}`];
	await until(() => sql('SELECT roost.worker_sync()') === 't', 'the worker');
	good = await Promise.all(Array.from({ length: 5 }, openGood));
	await until(async () => await metric(gateway, 'roost_gateway_hub_subscribers') === 10, 'ten streams');
});
after(async () => {
	for (const client of good) client.close();
	await gateway.stop();
});

test('readers that stall', async () => {
	const stalled = [];
	await undisturbed(async () => {
		for (let i = 0; i < 50; i++) {
			const socket = connect(gateway);
			socket.write(`GET /events/stream?channels=${channels} HTTP/1.1\r\nHost: x\r\n\r\n`);
			socket.pause();
			stalled.push(socket);
			const client = await WebSocketClient.open(gateway);
			client.json({ type: 'subscribe', channels });
			client.socket.pause();
			stalled.push(client.socket);
		}
		await until(async () => await metric(gateway, 'roost_gateway_hub_subscribers') >= 110, 'all of them');
		return () => stalled.forEach((socket) => socket.destroy());
	});
});

test('garbage, also behind a request that stays open', async () => {
	await until(async () => await metric(gateway, 'roost_gateway_hub_subscribers') === 10, 'the end of the others');
	const junk = Buffer.from(Array.from({ length: 64 * 1024 }, (_, n) => n * 131 + (n >> 7) & 255));
	const cursor = JSON.parse((await raw(gateway, 'GET /events?channels=public HTTP/1.0\r\n\r\n')).split('\r\n\r\n')[1]).cursor;
	await undisturbed(async () => {
		const sockets = [];
		for (let i = 0; i < 60; i++) {
			const socket = connect(gateway);
			sockets.push(socket);
			if (i % 3 === 0) socket.write(`GET /events/stream?channels=conversation:1 HTTP/1.1\r\nHost: x\r\n\r\n`);
			else if (i % 3 === 1) socket.write(`GET /events?channels=conversation:1&after=${cursor}&wait=60 HTTP/1.1\r\nHost: x\r\n\r\n`);
			for (let n = 0; n < 16; n++) socket.write(junk);
			socket.resume();
		}
		return () => sockets.forEach((socket) => socket.destroy());
	});
});

test('a thousand connects a second', async () => {
	await undisturbed(async () => {
		for (let n = 0; n < 40; n++) {
			for (let i = 0; i < 50; i++) {
				const socket = connect(gateway);
				socket.on('connect', () => setTimeout(() => socket.destroy(), 20));
			}
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	});
});

test('floods of frames', async () => {
	const flood = Buffer.concat(Array.from({ length: 2000 }, (_, n) => wsFrame('text', n % 2 ? '{"type":"ping","id":1}' : '{"type":"subscribe","channels":["nothing"]}')));
	await undisturbed(async () => {
		const clients = await Promise.all(Array.from({ length: 30 }, () => WebSocketClient.open(gateway)));
		for (const client of clients) client.write(flood);
		for (const client of clients) assert.equal((await client.closure()).code, 1008);
	});
});
