// RFC 6455 byte by byte, over raw sockets against the sub-protocol roost.echo.
import { before, after, test } from 'node:test';
import { once } from 'node:events';
import assert from 'node:assert/strict';
import { WebSocketClient, connect, raw, startGateway, wsClose, wsFrame } from './lib.mjs';

let gateway;

before(async () => {
	gateway = await startGateway({ 'stream-echo': 'on', 'stream-frame-rate': 100000, 'stream-byte-rate': '64MB' });
});
after(async () => { await gateway?.stop(); });

const open = (options = {}) => WebSocketClient.open(gateway, { protocol: 'roost.echo', ...options });

// The frame comes back.
async function echoes(client, opcode, payload) {
	const frame = await client.next();
	assert.equal(frame.opcode, opcode);
	assert.deepEqual(frame.payload, Buffer.from(payload));
}

// Sends bytes on a new socket, also one by one; it is closed with that code each time, and nothing comes before.
async function refused(code, ...frames) {
	const bytes = Buffer.concat(frames);
	for (const step of [bytes.length, 1]) {
		const client = await open();
		client.closing = true;
		for (let i = 0; i < bytes.length; i += step) client.write(bytes.subarray(i, i + step));
		const closed = await client.closure();
		assert.equal(closed.code, code, `${closed.reason} ${bytes.subarray(0, 40).toString('hex')} by ${step}`);
		assert.deepEqual(client.frames, []);
	}
}

test('the handshake', async (t) => {
	await t.test('the key of the standard gets its answer', async () => {
		const client = await open();
		assert.match(client.head, /^http\/1.1 101 switching protocols\r\n/);
		assert.match(client.head, /\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk\+xoo=(\r|$)/);
		assert.match(client.head, /\r\nupgrade: websocket\r\nconnection: upgrade\r\n/);
		assert.match(client.head, /\r\nsec-websocket-protocol: roost.echo\r\n/);
		assert.equal((await client.close()).code, 1000);
	});
	await t.test('without the base path, with odd but right headers', async () => {
		const client = await open({ path: '/stream?x=1', protocol: 'chat, roost.echo', headers: { upgrade: 'WebSocket', connection: 'keep-alive, upgrade',
			'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits' } });
		assert.doesNotMatch(client.head, /extensions/);
		client.send('text', 'hello');
		await echoes(client, 1, 'hello');
		client.destroy();
	});
	const wrong = {
		'no key': [400, { headers: { 'sec-websocket-key': undefined } }],
		'a short key': [400, { key: 'c2hvcnQ=' }],
		'a key that is not base64': [400, { key: '!!!!!!!!!!!!!!!!!!!!!!==' }],
		'a key with bits too many': [400, { key: 'dGhlIHNhbXBsZSBub25jZR==' }],
		'an unknown sub-protocol': [400, { protocol: 'soap' }],
		'version 8': [426, { headers: { 'sec-websocket-version': '8' } }],
		'no version': [426, { headers: { 'sec-websocket-version': undefined } }],
		'no upgrade': [426, { headers: { upgrade: undefined } }],
		'another upgrade': [426, { headers: { upgrade: 'h2c' } }],
		'no connection': [426, { headers: { connection: 'close' } }],
		'a body': [400, { headers: { 'content-length': '2' }, early: 'hi' }],
		'another path': [404, { path: '/api/v1/streams' }],
	};
	for (const [name, [status, options]] of Object.entries(wrong))
		await t.test(`${name}: ${status}`, async () => {
			const client = new WebSocketClient(gateway, { protocol: 'roost.echo', ...options });
			assert.equal(await client.handshake(), status, client.head);
			assert.equal(client.problem.status, status);
			if (status === 426) {
				assert.match(client.head, /\r\nsec-websocket-version: 13\r\n/);
				assert.match(client.head, /\r\nupgrade: websocket\r\n/);
			}
			client.destroy();
		});
	await t.test('other methods and HTTP/1.0', async () => {
		const lines = 'Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: roost.echo\r\n\r\n';
		assert.match(await raw(gateway, `POST /stream HTTP/1.1\r\n${lines}`), /^HTTP\/1.1 405 /);
		assert.match(await raw(gateway, `GET /stream HTTP/1.0\r\n${lines}`), /^HTTP\/1.1 400 /);
		assert.match(await raw(gateway, `GET /stream HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${lines}`), /^HTTP\/1.1 400 /, 'two keys');
	});
	await t.test('frames that come with it, after another request, or byte by byte', async () => {
		const early = await open({ early: Buffer.concat([wsFrame('text', 'early'), wsFrame('ping', 'p'), wsFrame('text', 'bird')]) });
		await echoes(early, 1, 'early');
		await echoes(early, 10, 'p');
		await echoes(early, 1, 'bird');
		early.destroy();
		const slow = connect(gateway);
		const parts = [];
		slow.on('data', (data) => parts.push(data));
		const bytes = Buffer.concat([Buffer.from('GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
			'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: roost.echo\r\n\r\n'), wsFrame('text', 'slow'), wsFrame('close', wsClose(1000))]);
		for (const byte of bytes) slow.write(Buffer.from([byte]));
		slow.on('end', () => slow.end());
		await once(slow, 'close');
		const text = Buffer.concat(parts).toString('latin1');
		assert.match(text, /^HTTP\/1.1 200 [^]*\r\n\r\n\{[^]*\}\s*HTTP\/1.1 101 [^]*\r\n\r\n\x81\x04slow\x88\x02\x03\xe8$/);
	});
	await t.test('the echo is off unless it is switched on', async () => {
		const plain = await startGateway();
		const client = new WebSocketClient(plain, { protocol: 'roost.echo' });
		assert.equal(await client.handshake(), 400);
		client.destroy();
		await plain.stop();
	});
});

test('messages of all lengths come back, whole and byte by byte', async () => {
	const client = await open();
	for (const opcode of ['text', 'binary'])
		for (const length of [0, 1, 125, 126, 127, 128, 65535, 65536]) {
			const payload = Buffer.alloc(length, '*');
			client.send(opcode, payload);
			await echoes(client, opcode === 'text' ? 1 : 2, payload);
		}
	const bytes = Buffer.concat([wsFrame('text', 'x'.repeat(300)), wsFrame('binary', Buffer.from([0, 255, 128])), wsFrame('text', '')]);
	for (const byte of bytes) client.write(Buffer.from([byte]));
	await echoes(client, 1, 'x'.repeat(300));
	await echoes(client, 2, [0, 255, 128]);
	await echoes(client, 1, '');
	client.write(Buffer.concat(Array.from({ length: 200 }, (_, i) => wsFrame('text', `${i}`))));
	for (let i = 0; i < 200; i++) await echoes(client, 1, `${i}`);
	client.send('text', 'other mask', { mask: Buffer.from([0, 0, 0, 0]) });
	await echoes(client, 1, 'other mask');
	assert.equal((await client.close()).code, 1000);
});

test('messages that are too long: 1009, as soon as that is known', async () => {
	const limit = 65536;
	await refused(1009, wsFrame('text', '', { length: BigInt(limit + 1), bytes: 8 }));
	await refused(1009, wsFrame('binary', '', { length: (1n << 63n) - 1n, bytes: 8 }));
	const client = await open();
	client.send('text', 'x'.repeat(limit), { fin: false });
	client.send(0, 'y', { fin: false });
	client.closing = true;
	assert.equal((await client.closure()).code, 1009);
	const parts = await open();
	parts.send('binary', Buffer.alloc(limit - 1), { fin: false });
	parts.send(0, 'z');
	assert.equal((await parts.next()).payload.length, limit);
	parts.destroy();
});

test('lengths that are not written the shortest way, or negative: 1002', async () => {
	await refused(1002, wsFrame('text', 'x'.repeat(125), { bytes: 2 }));
	await refused(1002, wsFrame('text', '', { bytes: 2 }));
	await refused(1002, wsFrame('binary', 'x', { bytes: 8 }));
	await refused(1002, wsFrame('binary', 'x'.repeat(65535), { bytes: 8 }));
	await refused(1002, wsFrame('text', '', { length: 1n << 63n, bytes: 8 }));
	await refused(1002, wsFrame('text', '', { length: (1n << 64n) - 1n, bytes: 8 }));
});

test('reserved bits and opcodes, and frames without a mask: 1002', async () => {
	for (let rsv = 1; rsv < 8; rsv++) {
		await refused(1002, wsFrame('text', 'x', { rsv }));
		await refused(1002, wsFrame('ping', '', { rsv }));
	}
	for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) await refused(1002, wsFrame(opcode, ''));
	for (const opcode of ['text', 'binary', 'ping', 'pong', 'close']) await refused(1002, wsFrame(opcode, 'xx', { masked: false }));
});

test('pings and pongs', async () => {
	const client = await open();
	for (const payload of ['', 'hello', Buffer.from([0, 255, 254, 253, 252]), Buffer.alloc(125, 0xfe)]) {
		client.send('ping', payload);
		await echoes(client, 10, payload);
	}
	for (const byte of wsFrame('ping', 'one by one')) client.write(Buffer.from([byte]));
	await echoes(client, 10, 'one by one');
	client.send('pong', 'nobody asked');
	client.write(Buffer.concat(Array.from({ length: 10 }, (_, i) => wsFrame('ping', `ping ${i}`))));
	for (let i = 0; i < 10; i++) await echoes(client, 10, `ping ${i}`);
	client.destroy();
	await refused(1002, wsFrame('ping', 'x'.repeat(126)));
	await refused(1002, wsFrame('pong', 'x'.repeat(126)));
	await refused(1002, wsFrame('ping', 'x', { fin: false }));
	await refused(1002, wsFrame('close', wsClose(1000), { fin: false }));
	await refused(1002, wsFrame('close', wsClose(1000, 'x'.repeat(124))));
});

test('fragments', async () => {
	const client = await open();
	client.send('text', 'frag', { fin: false });
	client.send('ping', 'between');
	client.send(0, '', { fin: false });
	client.send(0, 'ment');
	await echoes(client, 10, 'between');
	await echoes(client, 1, 'fragment');
	client.send('binary', '', { fin: false });
	client.send(0, '', { fin: false });
	client.send(0, '');
	await echoes(client, 2, '');
	client.send('text', 'a', { fin: false });
	for (let i = 0; i < 500; i++) client.write(Buffer.concat([wsFrame(0, 'b', { fin: false }), wsFrame('ping', `${i}`)]));
	client.send(0, 'c');
	for (let i = 0; i < 500; i++) await echoes(client, 10, `${i}`);
	await echoes(client, 1, `a${'b'.repeat(500)}c`);
	client.destroy();
	await refused(1002, wsFrame(0, 'x'));
	await refused(1002, wsFrame(0, 'x', { fin: false }));
	await refused(1002, wsFrame('text', 'x', { fin: false }), wsFrame('text', 'y'));
	await refused(1002, wsFrame('text', 'x', { fin: false }), wsFrame('binary', 'y', { fin: false }));
	const after = await open();
	after.send('text', 'x');
	after.send(0, 'y');
	after.closing = true;
	await echoes(after, 1, 'x');
	assert.equal((await after.closure()).code, 1002, 'after the end of a message nothing is to be continued');
	const cut = await open();
	cut.send('text', 'x', { fin: false });
	assert.equal((await cut.close()).code, 1000, 'a close may come in the middle of a message');
});

const hex = (text) => Buffer.from(text.replaceAll(' ', ''), 'hex');

test('UTF-8: what is right comes back, however it is cut', async () => {
	const right = [hex('cebae1bdb9cf83cebcceb5'), hex('c280'), hex('dfbf'), hex('e0a080'), hex('ed9fbf'), hex('ee8080'), hex('efbfbf'), hex('efbfbd'), hex('f0908080'),
		hex('f48fbfbf'), hex('00'), hex('7f'), hex('efbbbf'), hex('f09f9880'), hex('efb7 90'), Buffer.from('Grüße, Κόσμε, 你好, 🙂🏳️‍🌈')];
	const client = await open();
	for (const text of right) {
		client.send('text', text);
		await echoes(client, 1, text);
		for (let cut = 0; cut <= text.length; cut++) {
			client.send('text', text.subarray(0, cut), { fin: false });
			client.send('ping', 'in the middle');
			client.send(0, text.subarray(cut));
			await echoes(client, 10, 'in the middle');
			await echoes(client, 1, text);
		}
	}
	client.send('binary', hex('ff80c0'));
	await echoes(client, 2, hex('ff80c0'));
	client.destroy();
});

test('UTF-8: what is wrong is 1007 at the first wrong byte', async () => {
	const wrong = ['80', 'bf', 'c0', 'c080', 'c1bf', 'c22e', 'e08080', 'e09fbf', 'eda080', 'edbfbf', 'f08080', 'f08fbfbf', 'f490', 'f5', 'f8', 'fe', 'ff', 'ce', 'e1bd', 'f0908080f1',
		'cebae1bdb9cf83cebcceb5eda080656469746564', 'e180e2', 'f0288cbc'];
	for (const bytes of wrong) {
		await refused(1007, wsFrame('text', hex(bytes)));
		await refused(1007, wsFrame('text', 'fine', { fin: false }), wsFrame(0, hex(bytes)));
	}
	// the frame says that more comes, and the message, too
	await refused(1007, wsFrame('text', hex('cebae1bdb9 f490'), { fin: false, length: 1000n }));
	await refused(1007, wsFrame('text', hex('cebae1bdb9 ed'), { fin: false }), wsFrame(0, hex('a0'), { fin: false }));
});

test('closing', async (t) => {
	for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])
		await t.test(`${code} is answered with itself`, async () => {
			const client = await open();
			client.send('close', wsClose(code, 'because'));
			assert.deepEqual(await client.closure(), { code, reason: '' });
			assert.equal(client.input.length, 0);
		});
	await t.test('without a code', async () => {
		const client = await open();
		client.send('close');
		assert.equal((await client.closure()).code, 1005);
	});
	await t.test('with the longest reason', async () => {
		const client = await open();
		client.send('close', wsClose(1000, 'é'.repeat(61)));
		assert.equal((await client.closure()).code, 1000);
	});
	for (const code of [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
		await t.test(`${code} is none to be sent`, () => refused(1002, wsFrame('close', wsClose(code))));
	await t.test('one byte', () => refused(1002, wsFrame('close', Buffer.from([3]))));
	await t.test('a reason that is not UTF-8', () => refused(1007, wsFrame('close', wsClose(1000, Buffer.from([0xce, 0xba, 0xed, 0xa0, 0x80])))));
	await t.test('a reason that ends in the middle of a character', () => refused(1007, wsFrame('close', wsClose(1000, Buffer.from([0xce])))));
	await t.test('nothing is done after it', async () => {
		const client = await open();
		client.write(Buffer.concat([wsFrame('text', 'last'), wsFrame('close', wsClose(1000)), wsFrame('text', 'too late'), wsFrame('ping', 'too late'), wsFrame(7, '')]));
		client.closing = true;
		assert.equal((await client.closure()).code, 1000);
		assert.deepEqual(client.frames.map(({ payload }) => payload.toString()), ['last']);
	});
	await t.test('what came before an error is still answered', async () => {
		const client = await open();
		client.write(Buffer.concat([wsFrame('text', 'fine'), wsFrame('ping', ''), wsFrame(3, '')]));
		client.closing = true;
		assert.equal((await client.closure()).code, 1002);
		assert.deepEqual(client.frames.map(({ opcode }) => opcode), [1, 10]);
	});
});
