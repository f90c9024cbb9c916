// TLS, and HTTP/2 over it.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync, readFileSync } from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { join } from 'node:path';
import { account, answers, folder, hold, liftLimits, metric, raw, startGateway, testRoutes, until, waiting } from './lib.mjs';

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
process.removeAllListeners('warning');

const cert = join(folder, 'cert.pem');
const key = join(folder, 'key.pem');
let gateway;
let quick; // these wait for nobody, and so are for those who stall only: before the first request, and in its body
let brief;
let plain;

function makeCertificate(name) {
	execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', key, '-out', cert], { stdio: 'ignore' });
}

before(async () => {
	liftLimits();
	testRoutes();
	makeCertificate('first');
	writeFileSync(join(folder, 'page.txt'), 'a line of text\n'.repeat(50000));
	gateway = await startGateway({ 'tls-cert': cert, 'tls-key': key, 'body-limit': '64kB', 'header-limit': '8kB', 'static-dir': folder, 'cors-origins': 'https://app.example' });
	quick = await startGateway({ 'tls-cert': cert, 'tls-key': key, 'header-timeout': '1s' });
	brief = await startGateway({ 'tls-cert': cert, 'tls-key': key, 'body-timeout': '1s' });
	plain = await startGateway({});
});
after(async () => { for (const one of [gateway, quick, brief, plain]) await one?.stop(); });

function session(to = gateway) {
	const client = http2.connect(to.url);
	client.on('error', () => {});
	return client;
}

// Sends one request on a session; resolves with status, headers and body.
function request(client, headers, body) {
	return new Promise((resolve, reject) => {
		const stream = client.request(headers, { endStream: body === undefined });
		const parts = [];
		let head;
		stream.on('response', (given) => { head = given; });
		stream.on('data', (data) => parts.push(data));
		stream.on('error', reject);
		stream.on('close', () => resolve({ status: head?.[':status'], headers: head, text: Buffer.concat(parts).toString(), reset: stream.rstCode }));
		if (body !== undefined) stream.end(body);
	});
}

test('HTTP/2 is agreed on by ALPN, HTTP/1.1 too', async () => {
	for (const [offered, agreed] of [[['h2', 'http/1.1'], 'h2'], [['http/1.1'], 'http/1.1'], [undefined, false]]) {
		const socket = tls.connect({ port: gateway.port, host: '127.0.0.1', ALPNProtocols: offered });
		await once(socket, 'secureConnect');
		assert.equal(socket.alpnProtocol, agreed);
		assert.ok(['TLSv1.2', 'TLSv1.3'].includes(socket.getProtocol()));
		socket.destroy();
	}
	const old = tls.connect({ port: gateway.port, host: '127.0.0.1', minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
	await once(old, 'error');
});
test('HTTP/1.1 over TLS keeps connections and says that TLS is to be kept', async () => {
	const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
	const sockets = new Set();
	for (let i = 0; i < 3; i++) {
		const answer = await new Promise((resolve, reject) => https.get(`${gateway.url}/health`, { agent }, resolve).on('error', reject));
		sockets.add(answer.socket);
		assert.equal(answer.statusCode, 200);
		assert.match(answer.headers['strict-transport-security'], /max-age=\d+/);
		answer.resume();
		await once(answer, 'end');
	}
	assert.equal(sockets.size, 1);
	agent.destroy();
	assert.equal((await (await fetch(`${gateway.url}/test/long/1000000`)).json()).length, 1000000);
	assert.equal(await (await fetch(`${gateway.url}/page.txt`)).text(), readFileSync(join(folder, 'page.txt'), 'utf8'));
});
test('something else than TLS is sent away', async () => {
	const socket = net.connect(gateway.port, '127.0.0.1');
	socket.write('GET /health HTTP/1.1\r\n\r\n');
	socket.on('data', () => {});
	await once(socket, 'close');
});
test('a handshake that stalls is cut off', async () => {
	const socket = net.connect(quick.port, '127.0.0.1');
	socket.resume();
	await once(socket, 'close');
});
test('many streams on one connection are answered', async () => {
	const client = session();
	const found = await Promise.all(Array.from({ length: 300 }, (_, i) => request(client, { ':path': i % 2 ? '/health' : `/test/long/${i * 100}` })));
	found.forEach((answer, i) => {
		assert.equal(answer.status, 200);
		if (i % 2 === 0) assert.equal(JSON.parse(answer.text).length, Math.floor(i * 100 / 10) * 10);
	});
	client.close();
});
test('a slow answer does not hold up the others', async () => {
	const held = await hold(201);
	const client = session();
	const slow = request(client, { ':path': '/test/wait/201' });
	await until(() => waiting(201) === 1, 'the slow request');
	assert.equal((await request(client, { ':path': '/health' })).status, 200);
	await held.release();
	assert.equal((await slow).status, 200);
	client.close();
});
test('headers that HTTP/2 has no short form for arrive: Idempotency-Key', async () => {
	const user = await account(plain, 'h2');
	const client = session();
	const post = () => request(client, { ':method': 'POST', ':path': '/tweets', authorization: `Bearer ${user.token}`, 'content-type': 'application/json', 'idempotency-key': 'h2-key-1' }, '{"text":"once"}');
	const first = await post();
	const second = await post();
	assert.equal(first.status, 201, first.text);
	assert.equal(JSON.parse(second.text).id, JSON.parse(first.text).id);
	client.close();
});
test('bodies arrive whole, and are refused when too long', async () => {
	const client = session();
	const send = (size) => request(client, { ':method': 'POST', ':path': '/test/echo', 'content-type': 'application/json' }, JSON.stringify({ text: 'x'.repeat(size) }));
	assert.equal(JSON.parse((await send(50000)).text).length, 50000);
	const refused = await send(200000);
	assert.equal(refused.status, 413);
	assert.equal(JSON.parse(refused.text).code, 'body_too_large');
	assert.equal((await request(client, { ':path': '/health' })).status, 200, 'the connection goes on');
	client.close();
});
test('the bodies of one connection are bounded together', async () => {
	const client = session(plain);
	const streams = Array.from({ length: 20 }, () => client.request({ ':method': 'POST', ':path': '/test/echo', 'content-type': 'application/json' }).on('error', () => {}));
	const first = Promise.race(streams.map((stream) => new Promise((resolve) => stream.once('response', (headers) => resolve(headers[':status'])))));
	// together they are more than four of the 1 MB that one may have; none of them ever ends
	for (const stream of streams) stream.write('x'.repeat(300000));
	assert.equal(await first, 503);
	client.destroy();
});
test('a connection made in advance is closed like an idle one when stopping', async () => {
	const stopping = await startGateway({ 'tls-cert': cert, 'tls-key': key, 'stop-timeout': '10min', 'header-timeout': '10min' });
	const socket = tls.connect({ port: stopping.port, host: '127.0.0.1' });
	await once(socket, 'secureConnect');
	socket.resume();
	await until(async () => await metric(stopping, 'roost_gateway_clients') >= 2, 'the connection');
	await stopping.stop();
});
test('long answers and pages arrive whole', async () => {
	const client = session();
	assert.equal(JSON.parse((await request(client, { ':path': '/test/long/3000000' })).text).length, 3000000);
	assert.equal((await request(client, { ':path': '/page.txt' })).text.length, 750000);
	const head = await request(client, { ':method': 'HEAD', ':path': '/page.txt' });
	assert.equal(head.headers['content-length'], '750000');
	assert.equal(head.text, '');
	client.close();
});
test('errors have their status and their problem', async () => {
	const client = session();
	const missing = await request(client, { ':path': '/nowhere' });
	assert.equal(missing.status, 404);
	assert.equal(JSON.parse(missing.text).code, 'route_not_found');
	assert.equal((await request(client, { ':method': 'BREW', ':path': '/health' })).status, 501);
	const long = await request(client, { ':path': '/health', a: 'x'.repeat(9000) }).catch((error) => error);
	assert.ok(long.status === 431 || long instanceof Error, `${long.status}`);
	assert.equal((await request(client, { ':path': '/health', 'x-many': 'x'.repeat(4000), 'x-more': 'y'.repeat(4500) }).catch(() => ({ status: 431 }))).status, 431);
	client.close();
});
test('a body that stalls is 408', async () => {
	const client = session(brief);
	const stream = client.request({ ':method': 'POST', ':path': '/test/echo', 'content-type': 'application/json' });
	stream.write('{');
	const [headers] = await once(stream, 'response');
	assert.equal(headers[':status'], 408);
	client.destroy();
});
test('a stream that is reset while its answer is pending harms nobody', async () => {
	const held = await hold(202);
	const client = session();
	const stream = client.request({ ':path': '/test/wait/202' });
	stream.on('error', () => {});
	await until(() => waiting(202) === 1, 'the request');
	stream.close(http2.constants.NGHTTP2_CANCEL);
	await once(stream, 'close');
	assert.equal((await request(client, { ':path': '/health' })).status, 200);
	await held.release();
	assert.equal((await request(client, { ':path': '/test/long/10' })).status, 200);
	client.close();
});
test('a connection that goes while answers are pending harms nobody', async () => {
	const held = await hold(203);
	const client = session();
	const streams = Array.from({ length: 10 }, () => client.request({ ':path': '/test/wait/203' }).on('error', () => {}));
	await until(() => waiting(203) > 0, 'the requests');
	client.destroy();
	await held.release();
	assert.equal(streams.length, 10);
	assert.equal(answers(await raw(gateway, 'GET /health HTTP/1.0\r\n\r\n'))[0].status, 200);
});
// A frame of HTTP/2.
function frameOf(type, flags, stream, payload) {
	const head = Buffer.alloc(9);
	head.writeUIntBE(payload.length, 0, 3);
	head[3] = type;
	head[4] = flags;
	head.writeUInt32BE(stream, 5);
	return Buffer.concat([head, payload]);
}

// The frames by hand: a session of Node.js may stay open for ever when its connection is closed while streams wait in it.
test('one who opens and resets streams without end is sent away', async () => {
	const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM } = http2.constants;
	const before = await metric(gateway, 'roost_gateway_misbehaved_total');
	const socket = tls.connect({ port: gateway.port, host: '127.0.0.1', ALPNProtocols: ['h2'] });
	let received = Buffer.alloc(0);
	let closed = false;
	socket.on('error', () => {});
	socket.on('data', (data) => { received = Buffer.concat([received, data]); });
	socket.on('close', () => { closed = true; });
	await once(socket, 'secureConnect');
	socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frameOf(4, 0, 0, Buffer.alloc(0))]));
	// POST, https, :path and :authority as literals without an index
	const literal = (index, text) => Buffer.concat([Buffer.from([index, text.length]), Buffer.from(text)]);
	const headers = Buffer.concat([Buffer.from([0x83, 0x87]), literal(4, '/test/echo'), literal(1, 'localhost')]);
	const cancel = Buffer.from([0, 0, 0, NGHTTP2_CANCEL]);
	let stream = 1;
	const flood = () => {
		const frames = [];
		for (let i = 0; i < 50; i++, stream += 2) frames.push(frameOf(1, 4, stream, headers), frameOf(3, 0, stream, cancel));
		socket.write(Buffer.concat(frames));
		if (!closed && !socket.destroyed && stream < 40000) setImmediate(flood);
	};
	flood();
	await until(() => closed, 'being sent away');
	assert.equal(await metric(gateway, 'roost_gateway_misbehaved_total'), before + 1);
	// Unless the connection broke before it came, the last word says why.
	let code = 'none';
	for (let at = 0; at + 17 <= received.length; at += 9 + received.readUIntBE(at, 3)) {
		if (received[at + 3] === 7) code = received.readUInt32BE(at + 13);
	}
	assert.ok(code === NGHTTP2_ENHANCE_YOUR_CALM || code === 'none', `${code}`);
	assert.equal(answers(await raw(gateway, 'GET /health HTTP/1.0\r\n\r\n'))[0].status, 200);
});
test('HTTP/2 without TLS is spoken to those who begin with it', async () => {
	const client = session(plain);
	assert.equal((await request(client, { ':path': '/health' })).status, 200);
	assert.equal(JSON.parse((await request(client, { ':path': '/test/long/100000' })).text).length, 100000);
	client.close();
	assert.ok(await metric(plain, 'roost_gateway_protocol_requests_total', { version: '2' }) >= 2);
});
test('a certificate is changed without a restart', async () => {
	const subject = async () => {
		const socket = tls.connect({ port: gateway.port, host: '127.0.0.1' });
		await once(socket, 'secureConnect');
		const { CN } = socket.getPeerCertificate().subject;
		socket.destroy();
		return CN;
	};
	assert.equal(await subject(), 'first');
	const client = session();
	await request(client, { ':path': '/health' });
	makeCertificate('second');
	process.kill(gateway.pid, 'SIGHUP');
	await until(async () => await subject() === 'second', 'the new certificate');
	assert.equal((await request(client, { ':path': '/health' })).status, 200, 'the old connection goes on');
	writeFileSync(cert, 'rubbish');
	process.kill(gateway.pid, 'SIGHUP');
	await until(() => gateway.log.includes('could not use certificate'), 'the complaint');
	assert.equal(await subject(), 'second');
	client.close();
});
test('stopping tells HTTP/2 clients and finishes their streams', async () => {
	makeCertificate('third');
	const stopping = await startGateway({ 'tls-cert': cert, 'tls-key': key, 'stop-timeout': '1min' });
	const held = await hold(204);
	const client = session(stopping);
	let goaway = false;
	client.on('goaway', () => { goaway = true; });
	const pending = request(client, { ':path': '/test/wait/204' });
	await until(() => waiting(204) === 1, 'the request');
	process.kill(stopping.pid, 'SIGTERM');
	await until(() => goaway, 'the goodbye');
	await held.release();
	assert.equal((await pending).status, 200);
	await stopping.stop();
});
