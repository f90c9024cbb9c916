// The JavaScript client against gateways that stop, crash and start again.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Roost } from '../../gateway/client/roost.js';
import { account, call, freePort, liftLimits, startGateway, until } from './lib.mjs';

const WebSocket = globalThis.WebSocket ?? await import('ws').then((module) => module.WebSocket, () => undefined);
const skip = WebSocket ? false : 'node before 22 has no WebSocket, and npm could not fetch ws';

let port;
let gateway; // the client's
let other; // the way in while that is away

before(async () => {
	liftLimits();
	port = await freePort();
	gateway = await startGateway({ port });
	other = await startGateway();
});

after(async () => {
	for (const one of [gateway, other]) if (one && !one.ended) await one.stop();
});

const post = (who, text) => call(other, 'POST', '/tweets', { token: who.token, body: { text } }).then(({ json }) => json.id);
const client = (more = {}) => new Roost({ url: `http://127.0.0.1:${port}`, WebSocket, ...more });
const isLive = (stream) => until(() => stream.state === 'live', 'live');

// A stream on the posts of one account, and the ids that it told.
function listen(roost, author, options = {}) {
	const stream = roost.stream({ channels: [`user:${author.id}`], ...options });
	const told = [];
	stream.on('tweet:new', (data) => told.push(data.post.id));
	return { stream, told };
}

for (const transport of ['websocket', 'sse', 'poll']) {
	test(`every post once and in order, while the gateway stops and crashes: ${transport}`, { skip: transport === 'websocket' && skip }, async () => {
		const author = await account(other, 'author');
		const { stream, told } = listen(client(), author, { transports: [transport] });
		const gaps = [];
		stream.on('gap', ({ reason }) => gaps.push(reason));
		const made = [];
		await isLive(stream);
		for (const how of ['SIGTERM', 'SIGKILL']) {
			made.push(await post(author, 'before'));
			await until(() => told.length === made.length, 'the post before');
			gateway.child.kill(how);
			await gateway.exited;
			made.push(await post(author, 'meanwhile'), await post(author, 'meanwhile, too'));
			await until(() => stream.state !== 'live', 'the loss');
			gateway = await startGateway({ port });
			made.push(await post(author, 'after'));
			await until(() => told.length >= made.length, 'what was missed', 90000);
			await isLive(stream);
		}
		assert.deepEqual(told, made);
		assert.deepEqual(gaps, []);
		assert.equal(stream.transport, transport);
		stream.close();
	});
}

test('a session in node: login, a call over the socket, refresh, logout', { skip }, async () => {
	const who = await account(other, 'session');
	const kept = [];
	const roost = client({ onTokens: (tokens) => kept.push(tokens) });
	await assert.rejects(roost.login({ identifier: who.username, password: 'wrong' }), { status: 401, code: 'not_authenticated' });
	const { account: me } = await roost.login({ identifier: who.username, password: who.password });
	assert.equal(me.id, who.id);
	const stream = roost.stream({ channels: ['home'] });
	const heard = [];
	stream.on('tweet:new', ({ post: { text } }, { channels }) => heard.push([text, channels.includes('home')]));
	await isLive(stream);
	const written = await stream.call('POST', '/tweets', { text: 'over the socket' });
	assert.equal(written.author.id, who.id);
	await assert.rejects(stream.call('POST', '/tweets', { text: 'x', colour: 'red' }), { status: 422, code: 'unknown_field', field: 'colour' });
	await until(() => heard.length === 1, 'its event');
	assert.deepEqual(heard, [['over the socket', true]]);
	await roost.refresh();
	assert.equal(kept.length, 2);
	assert.notEqual(kept[0].refresh_token, kept[1].refresh_token);
	const again = client({ tokens: kept[1] });
	assert.equal((await again.get('/users/me')).id, who.id);
	await roost.logout();
	assert.equal(stream.state, 'closed');
	assert.equal(kept.at(-1), null);
	await assert.rejects(again.get('/users/me'), { status: 401 });
	assert.equal(again.signedIn, false);
});

test('a session that is revoked elsewhere ends the stream', { skip }, async () => {
	const who = await account(other, 'revoked');
	const roost = client();
	await roost.login({ identifier: who.username, password: who.password });
	const reasons = [];
	roost.on('signed-out', ({ reason }) => reasons.push(reason));
	const stream = roost.stream({ channels: ['home'] });
	await isLive(stream);
	await call(other, 'POST', '/auth/logout-all', { token: who.token });
	await until(() => stream.state === 'closed', 'the end');
	assert.deepEqual(reasons, ['revoked']);
});

for (const transport of ['websocket', 'sse', 'poll']) {
	test(`a cursor of another log is a gap, and what follows is told: ${transport}`, { skip: transport === 'websocket' && skip }, async () => {
		const author = await account(other, 'gap');
		const { stream, told } = listen(client(), author, { transports: [transport], cursor: '1-1' });
		const gaps = [];
		stream.on('gap', ({ reason }) => gaps.push(reason));
		await isLive(stream);
		await until(() => gaps.length > 0, 'the gap');
		assert.notEqual(stream.cursor, '1-1');
		const id = await post(author, 'new');
		await until(() => told.length > 0, 'the post');
		assert.deepEqual(told, [id]);
		stream.close();
	});
}

test('channels added at run time, over HTTP as well', async () => {
	const [one, two] = [await account(other, 'one'), await account(other, 'two')];
	const { stream, told } = listen(client(), one, { transports: ['sse'] });
	await isLive(stream);
	await stream.subscribe(`user:${two.id}`);
	const ids = [await post(two, 'added'), await post(one, 'there before')];
	await until(() => told.length === 2, 'both');
	assert.deepEqual(told, ids);
	await assert.rejects(async () => { await stream.subscribe('nonsense'); await isLive(stream); }, /.+/);
	stream.close();
});

test('the client is served, with its types', async () => {
	for (const [path, type] of [['roost.js', /javascript/], ['stream.js', /javascript/], ['roost.d.ts', /plain/]]) {
		const answer = await fetch(`${other.url}/client/${path}`);
		assert.equal(answer.status, 200, path);
		assert.match(answer.headers.get('content-type'), type);
		assert.match(answer.headers.get('cache-control'), /must-revalidate/);
		assert.match(await answer.text(), /Roost/);
	}
});
