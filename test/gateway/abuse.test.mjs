// Clients that mean no good, or are gone: too many connections, answers that
// nobody reads, floods of HTTP/2 frames, requests that nobody waits for.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import { join } from 'node:path';
import { answers, call, connect, folder, hold, liftLimits, metric, raw, sql, startGateway, testRoutes, until, waiting } from './lib.mjs';

let gateway;
before(async () => {
	liftLimits();
	testRoutes();
	gateway = await startGateway({ 'header-limit': '8kB', 'body-limit': '64kB', 'body-timeout': '500ms', 'write-timeout': '2s', 'idle-timeout': '3s' });
});
after(() => gateway.stop());

const host = 'Host: localhost\r\n';
const DATA = 0, HEADERS = 1, PRIORITY = 2, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8, CONTINUATION = 9;
const END_STREAM = 1, END_HEADERS = 4;
const CALM = http2.constants.NGHTTP2_ENHANCE_YOUR_CALM;

function frame(type, flags, stream, payload = Buffer.alloc(0)) {
	const head = Buffer.alloc(9);
	head.writeUIntBE(payload.length, 0, 3);
	head[3] = type;
	head[4] = flags;
	head.writeUInt32BE(stream, 5);
	return Buffer.concat([head, payload]);
}

function number(value) {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(value);
	return bytes;
}

// A head in HPACK: method (2 GET, 3 POST), scheme http, path, authority.
function head(path, method = 2) {
	return Buffer.concat([Buffer.from([0x80 | method, 0x86, 0x04, path.length]), Buffer.from(path), Buffer.from([0x41, 1]), Buffer.from('a')]);
}

// Speaks HTTP/2 in frames; frames gather in .frames, closed tells that the connection has ended.
async function speak(settings = Buffer.alloc(0)) {
	const socket = net.connect(gateway.port, '127.0.0.1');
	const client = { socket, frames: [], closed: false, write: (bytes) => socket.write(bytes) };
	let rest = Buffer.alloc(0);
	socket.on('error', () => {});
	socket.on('close', () => { client.closed = true; });
	socket.on('data', (data) => {
		rest = Buffer.concat([rest, data]);
		for (let length; rest.length >= 9 && rest.length >= (length = 9 + rest.readUIntBE(0, 3)); rest = rest.subarray(length))
			client.frames.push({ type: rest[3], flags: rest[4], stream: rest.readUInt32BE(5), payload: rest.subarray(9, length) });
	});
	client.find = (type, test = () => true) => client.frames.filter((one) => one.type === type && test(one));
	await once(socket, 'connect');
	client.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(SETTINGS, 0, 0, settings)]));
	await until(() => client.find(SETTINGS).length > 0, 'the settings');
	return client;
}

// Checks that a client is sent away, or cut off if it does not even read that; and that others are served.
async function sentAway(client, code = CALM) {
	await until(() => client.closed || client.find(GOAWAY).length > 0, 'the end');
	const [goaway] = client.find(GOAWAY);
	if (goaway) assert.equal(goaway.payload.readUInt32BE(4), code);
	await until(() => client.closed, 'the end of the connection');
	assert.equal(answers(await raw(gateway, 'GET /health HTTP/1.0\r\n\r\n'))[0].status, 200);
}

const misbehaved = () => metric(gateway, 'roost_gateway_misbehaved_total');

// What floods are made of, by number.
const floods = {
	PING: () => frame(PING, 0, 0, Buffer.alloc(8)),
	SETTINGS: () => frame(SETTINGS, 0, 0),
	PRIORITY: (i) => frame(PRIORITY, 0, 2 * i + 1, Buffer.from([0, 0, 0, 0, 1])),
	WINDOW_UPDATE: () => frame(WINDOW_UPDATE, 0, 0, number(1)),
	'empty DATA': (i) => (i === 0 ? frame(HEADERS, END_HEADERS, 1, head('/test/echo', 3)) : frame(DATA, 0, 1)),
	'empty CONTINUATION': (i) => (i === 0 ? frame(HEADERS, 0, 1, head('/health')) : frame(CONTINUATION, 0, 1)),
	'reset streams': (i) => Buffer.concat([frame(HEADERS, END_HEADERS, 2 * i + 1, head('/test/echo', 3)), frame(RST_STREAM, 0, 2 * i + 1, number(8))]),
	'streams that break the rules': (i) => Buffer.concat([frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, head('/tweets/public')), frame(WINDOW_UPDATE, 0, 2 * i + 1, number(0x7fffffff))]),
};
for (const [name, make] of Object.entries(floods))
	test(`HTTP/2: a flood of ${name} is sent away`, async () => {
		const client = await speak();
		client.write(Buffer.concat(Array.from({ length: 5000 }, (_, i) => make(i))));
		await sentAway(client);
	});
test('HTTP/2: unknown frames do not keep a connection', async () => {
	const client = await speak();
	const drip = setInterval(() => client.write(frame(0xfa, 0, 0)), 100);
	await sentAway(client, 0);
	clearInterval(drip);
});
test('HTTP/2: a flood of PING from one who reads no answers is cut off', async () => {
	const before = await misbehaved();
	const client = await speak();
	client.socket.pause();
	client.write(Buffer.concat(Array.from({ length: 5000 }, () => floods.PING())));
	await until(async () => await misbehaved() > before, 'the end');
	await until(async () => await metric(gateway, 'roost_gateway_clients') <= 2, 'the end of the connection');
	client.socket.destroy();
});
test('HTTP/2: headers that unpack to megabytes are sent away', async () => {
	const before = await misbehaved();
	const client = await speak();
	// one header of 3 kB goes into the table; then each byte is that header again
	const bomb = Buffer.concat([head('/health'), Buffer.from([0x40, 1]), Buffer.from('x'), Buffer.from([0x7f, 3000 - 127 & 0x7f | 0x80, 3000 - 127 >> 7]), Buffer.alloc(3000, 'y'), Buffer.alloc(10000, 0xbe)]);
	client.write(frame(HEADERS, END_HEADERS | END_STREAM, 1, bomb));
	await sentAway(client);
	assert.equal(await misbehaved(), before + 1);
});
test('HTTP/2: more than a hundred open streams are refused, even before the settings are acknowledged', async () => {
	const client = await speak();
	client.write(Buffer.concat(Array.from({ length: 150 }, (_, i) => frame(HEADERS, END_HEADERS, 2 * i + 1, head('/test/echo', 3)))));
	await until(() => client.find(RST_STREAM).length >= 50, 'the refusals');
	assert.ok(client.find(RST_STREAM).slice(0, 50).every((one) => one.stream > 200 && one.payload.readUInt32BE(0) === http2.constants.NGHTTP2_REFUSED_STREAM));
	client.socket.destroy();
});
test('HTTP/2: a head that never ends does not keep the connection', async () => {
	const client = await speak();
	client.write(frame(HEADERS, 0, 1, head('/health')));
	await until(() => client.closed, 'the end');
});
test('HTTP/2: a body that never ends is answered, and its stream closed', async () => {
	const client = await speak();
	client.write(frame(HEADERS, END_HEADERS, 1, head('/test/echo', 3)));
	await until(() => client.find(HEADERS).length === 1, 'the answer');
	await until(() => client.find(RST_STREAM, (one) => one.payload.readUInt32BE(0) === 0).length === 1, 'the end of the stream');
	client.socket.destroy();
});
test('HTTP/2: an answer for which no window is opened is given up', async () => {
	const client = await speak(Buffer.from([0, 4, 0, 0, 0, 0]));
	client.write(frame(HEADERS, END_HEADERS | END_STREAM, 1, head('/test/long/1000000')));
	await until(() => client.find(HEADERS).length === 1, 'the head of the answer');
	// (unless it has been given up already)
	await until(async () => await metric(gateway, 'roost_gateway_output_bytes') >= 1000000 || client.find(RST_STREAM).length > 0, 'the answer');
	await until(() => client.find(RST_STREAM, (one) => one.payload.readUInt32BE(0) === http2.constants.NGHTTP2_CANCEL).length === 1, 'the end of the stream');
	assert.equal(client.find(DATA).length, 0);
	await until(async () => await metric(gateway, 'roost_gateway_output_bytes') < 100000, 'the memory');
	client.socket.destroy();
});
test('HTTP/2: an answer taken in drops is given up', async () => {
	const client = await speak(Buffer.from([0, 4, 0, 0, 0, 1]));
	// (the first windows are opened with the request, whatever this machine does then)
	client.write(Buffer.concat([frame(HEADERS, END_HEADERS | END_STREAM, 1, head('/test/long/1000000')), ...Array.from({ length: 5 }, () => frame(WINDOW_UPDATE, 0, 1, number(1)))]));
	const drip = setInterval(() => client.write(frame(WINDOW_UPDATE, 0, 1, number(1))), 100);
	await until(() => client.find(RST_STREAM).length === 1, 'the end of the stream');
	clearInterval(drip);
	assert.ok(client.find(DATA).length > 0);
	client.socket.destroy();
});
test('HTTP/2: one who reads no answers gets no more than a few megabytes of them', async () => {
	const patient = await startGateway();
	const client = http2.connect(patient.url, { settings: { initialWindowSize: 0 } });
	client.on('error', () => {});
	const statuses = [];
	for (let i = 0; i < 20 && !statuses.includes(503); i++) {
		const stream = client.request({ ':path': '/test/long/1000000' });
		stream.on('error', () => {});
		const [headers] = await once(stream, 'response');
		statuses.push(headers[':status']);
	}
	assert.equal(statuses.filter((status) => status === 200).length, 9, `${statuses}`);
	assert.equal(statuses.at(-1), 503);
	client.destroy();
	await until(async () => await metric(patient, 'roost_gateway_output_bytes') < 100000, 'the memory');
	await patient.stop();
});

test('HTTP/1: answers that nobody reads are bounded in all, and given up after a while', async () => {
	const file = join(folder, 'write-timeout.conf');
	writeFileSync(file, 'write-timeout = 10min\n');
	const small = await startGateway({ config: file, 'output-limit': '1MB' });
	const socket = connect(small);
	socket.pause();
	socket.write(`GET /test/long/20000000 HTTP/1.1\r\n${host}\r\n`);
	await until(async () => await metric(small, 'roost_gateway_output_bytes') > 1 << 20, 'the answer');
	const refused = await call(small, 'GET', '/test/long/10');
	assert.equal(refused.status, 503);
	assert.equal(refused.json.code, 'overloaded');
	assert.equal(answers(await raw(small, 'GET /health HTTP/1.0\r\n\r\n'))[0].status, 200, 'what needs no database goes on');
	writeFileSync(file, 'write-timeout = 1s\n');
	process.kill(small.pid, 'SIGHUP');
	await until(async () => await metric(small, 'roost_gateway_output_bytes') < 100000, 'the memory');
	assert.equal((await call(small, 'GET', '/test/long/10')).status, 200);
	socket.destroy();
	await small.stop();
});

// Opens connections from an address of the loopback; resolves with those that are still open after an answer.
async function openFrom(to, localAddress, count) {
	const sockets = Array.from({ length: count }, () => net.connect({ port: to.port, host: '127.0.0.1', localAddress }));
	return (await Promise.all(sockets.map((socket) => new Promise((resolve) => {
		socket.on('error', () => {});
		socket.on('close', () => resolve(null));
		socket.on('data', () => resolve(socket));
		socket.write(`GET /health HTTP/1.1\r\n${host}\r\n`);
	})))).filter(Boolean);
}

test('one address may hold so many connections; proxies that are trusted, any number', async () => {
	const limited = await startGateway({ 'address-connections': 5, 'trusted-proxies': '127.0.0.9', 'idle-timeout': '1min' });
	const open = await openFrom(limited, '127.0.0.2', 8);
	assert.equal(open.length, 5);
	assert.equal(await metric(limited, 'roost_gateway_refused_total'), 3);
	assert.equal((await openFrom(limited, '127.0.0.2', 1)).length, 0);
	assert.equal((await openFrom(limited, '127.0.0.3', 1)).length, 1, 'another address is another one');
	assert.equal((await openFrom(limited, '127.0.0.9', 8)).length, 8);
	open[0].destroy();
	await until(async () => (await openFrom(limited, '127.0.0.2', 1)).length === 1, 'the place of the one that closed');
	await limited.stop();
});
test('a process holds so many connections', async () => {
	const limited = await startGateway({ 'max-connections': 6, 'idle-timeout': '1min' });
	const open = await until(async () => {
		const some = await openFrom(limited, '127.0.0.2', 9);
		if (some.length === 6) return some;
		some.forEach((socket) => socket.destroy());
		return null;
	}, 'six connections');
	assert.equal((await openFrom(limited, '127.0.0.2', 1)).length, 0);
	open.forEach((socket) => socket.destroy());
	await until(async () => (await openFrom(limited, '127.0.0.2', 1)).length === 1, 'a free place');
	await limited.stop();
});
test('without file descriptors the gateway waits, and does not spin', async () => {
	const poor = await startGateway({ 'idle-timeout': '1min' });
	const used = await until(async () => await metric(poor, 'roost_gateway_lane_connections') === 12 && readdirSync(`/proc/${poor.pid}/fd`).length, 'its connections to the database');
	execFileSync('prlimit', ['--pid', poor.pid, `--nofile=${used + 5}:${used + 5}`]);
	const sockets = Array.from({ length: 40 }, () => connect(poor));
	await until(() => poor.log.includes('could not accept'), 'the complaint');
	const cpu = () => Number(readFileSync(`/proc/${poor.pid}/schedstat`, 'utf8').split(' ')[0]);
	const [start, began] = [cpu(), Date.now()];
	await new Promise((resolve) => setTimeout(resolve, 1000)); // what is measured
	const [used_, time] = [(cpu() - start) / 1e6, Date.now() - began];
	assert.ok(used_ < time / 5, `the gateway used ${used_} ms of CPU in ${time} ms of waiting`);
	assert.equal(poor.log.match(/could not accept/g).length, 1);
	sockets.forEach((socket) => socket.destroy());
	await until(async () => (await raw(poor, 'GET /health HTTP/1.0\r\n\r\n').catch(() => '')).includes(' 200 '), 'an answer');
	await poor.stop();
});

test('what waits in a queue is dropped when its client has gone', async () => {
	const one = await startGateway({ 'slow-connections': 1, 'write-connections': 1, 'write-depth': 1 });
	const held = await hold(401);
	const slow = call(one, 'GET', '/test/wait/401');
	const write = call(one, 'POST', '/test/waitwrite/401', { body: {} });
	await until(() => waiting(401) === 2, 'the requests that run');
	const queue = () => metric(one, 'roost_gateway_lane_queue');
	const note = (text) => `POST /test/note HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: ${text.length + 11}\r\n\r\n{"text":"${text}"}`;

	const reset = connect(one);
	reset.write(`GET /test/wait/402 HTTP/1.1\r\n${host}\r\n`);
	const resetWrite = connect(one);
	resetWrite.write(note('reset'));
	const closed = connect(one);
	closed.write(note('closed'));
	const client = http2.connect(one.url);
	const stream = client.request({ ':path': '/test/wait/402' });
	stream.on('error', () => {});
	await until(async () => await queue() === 4, 'the queue');
	// (what it waits for is looked at once a second, so it may leave the queue at any time)
	const half = raw(one, note('half'), { end: true });
	reset.resetAndDestroy();
	resetWrite.resetAndDestroy();
	closed.destroy();
	stream.close(http2.constants.NGHTTP2_CANCEL);
	await until(async () => await queue() === 0, 'the end of the queue');
	assert.equal(answers(await half)[0].status, 503, 'one who has only closed its half is told');
	assert.equal(await metric(one, 'roost_gateway_lane_cancelled_total', { lane: 'slow' }), 2);
	assert.equal(await metric(one, 'roost_gateway_lane_cancelled_total', { lane: 'write' }), 3);
	await held.release();
	assert.equal((await slow).status, 200);
	assert.equal((await write).status, 200);
	assert.equal((await call(one, 'POST', '/test/note', { body: { text: 'done' } })).status, 204);
	assert.equal(sql(`SELECT string_agg(text, ',') FROM gateway_test.note`), 'done');
	client.destroy();
	await one.stop();
});
