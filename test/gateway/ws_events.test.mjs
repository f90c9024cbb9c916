// Events through WebSockets: who gets what, resuming, slow readers, TLS.
import { after, before, test } from 'node:test';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { WebSocketClient, account, call, caughtUp, folder, liftLimits, metric, sql, startGateway, until } from './lib.mjs';

let gateway;
let alice;
let bob;
let stranger;
before(async () => {
	liftLimits();
	gateway = await startGateway({ 'stream-connections': 5000 });
	[alice, bob, stranger] = [await account(gateway, 'alice'), await account(gateway, 'bob'), await account(gateway, 'stranger')];
	assert.ok((await call(gateway, 'POST', `/users/${alice.id}/follow`, { token: bob.token })).status < 300);
});
after(async () => { await gateway?.stop(); });

// Opens a socket and subscribes; .heard has all events since.
async function listen(to, user, channels, from) {
	const client = await WebSocketClient.open(to, user ? { headers: { authorization: `Bearer ${user.token}` } } : {});
	client.heard = [];
	client.collect = () => {
		for (const frame of client.frames.filter(({ opcode, payload }) => opcode === 1 && payload.includes('"type":"events"'))) {
			const message = JSON.parse(frame.payload);
			client.heard.push(...message.events);
			client.cursor = message.cursor;
			client.frames.splice(client.frames.indexOf(frame), 1);
		}
		return client.heard;
	};
	client.event = (name, fits = () => true) => client.until(() => client.collect().find((event) => event.event === name && fits(event)), name);
	client.answer = await client.ask(from ? { type: 'resume', channels, cursor: from } : { type: 'subscribe', channels });
	client.cursor = client.answer.cursor ?? await until(async () => (await client.ask({ type: 'ping' })).cursor, 'the cursor');
	return client;
}

const post = async (user, text) => (await call(gateway, 'POST', '/tweets', { token: user.token, body: { text } })).json;

test('a post comes to its author, to followers, and to who listens to its author, tag or everything', async () => {
	const listeners = {
		own: await listen(gateway, alice, ['home']), follower: await listen(gateway, bob, ['home']), author: await listen(gateway, null, [`user:${alice.id}`]),
		tag: await listen(gateway, null, ['hashtag:live']), everything: await listen(gateway, stranger, ['public']), twice: await listen(gateway, bob, ['home', 'public', `user:${alice.id}`]),
	};
	const others = [await listen(gateway, stranger, ['home']), await listen(gateway, null, [`user:${bob.id}`]), await listen(gateway, null, [])];
	const made = await post(alice, 'now #live');
	for (const [name, client] of Object.entries(listeners)) {
		const event = await client.event('tweet:new', ({ data }) => data.post.id === made.id);
		assert.equal(event.data.post.text, 'now #live', name);
		assert.match(event.id, /^\d+\.\d+$/);
		assert.equal(event.channels.includes('home'), ['own', 'follower', 'twice'].includes(name), `${name}: ${event.channels}`);
		assert.ok(event.channels.includes('hashtag:live') && event.channels.includes(`user:${alice.id}`));
		assert.equal(client.heard.filter(({ id }) => id === event.id).length, 1);
	}
	const last = await post(bob, 'last');
	await listeners.twice.event('tweet:new', ({ data }) => data.post.id === last.id);
	await others[1].event('tweet:new', ({ data }) => data.post.id === last.id);
	assert.deepEqual([others[0].collect(), others[2].collect()], [[], []]);
	for (const client of [...Object.values(listeners), ...others]) client.destroy();
});

test('what comes after leaving a channel is not for one', async () => {
	const client = await listen(gateway, null, ['public', `user:${alice.id}`]);
	const witness = await listen(gateway, null, ['public']);
	const first = await post(alice, 'one');
	await client.event('tweet:new', ({ data }) => data.post.id === first.id);
	await client.ask({ type: 'unsubscribe', channels: [`user:${alice.id}`, 'public'] });
	await post(alice, 'two');
	await witness.event('tweet:new', ({ data }) => data.post.text === 'two');
	await client.ask({ type: 'subscribe', channels: ['public'] });
	const third = await post(alice, 'three');
	await client.event('tweet:new', ({ data }) => data.post.id === third.id);
	assert.deepEqual(client.heard.filter(({ event }) => event === 'tweet:new').map(({ data }) => data.post.text), ['one', 'three']);
	witness.destroy();
	client.destroy();
});

test('a notification, and an event of a call of one\'s own', async () => {
	const made = await post(alice, 'like me');
	const hers = await listen(gateway, alice, ['notifications']);
	const his = await listen(gateway, bob, [`post:${made.id}`]);
	assert.ok((await his.ask({ method: 'POST', path: `/tweets/${made.id}/like` })).status < 300);
	const liked = await his.event('tweet:liked', ({ data }) => data.post_id === made.id);
	assert.equal(liked.data.account.id, bob.id);
	assert.equal(liked.data.like_count, 1);
	const told = await hers.event('notification:new');
	assert.equal(told.data.notification.type, 'like');
	hers.destroy();
	his.destroy();
});

test('what was read of notifications is told to one\'s other devices, and nobody else', async () => {
	const made = await post(alice, 'read me');
	const devices = { notifications: await listen(gateway, alice, ['notifications']), messages: await listen(gateway, alice, ['messages']), both: await listen(gateway, alice, ['home', 'messages', 'notifications']) };
	const others = [await listen(gateway, alice, ['home']), await listen(gateway, bob, ['notifications', 'messages'])];
	const from = devices.notifications.cursor;
	await others[1].ask({ method: 'POST', path: `/tweets/${made.id}/like` });
	const { data: { notification: act } } = await devices.notifications.event('notification:new', ({ data }) => data.notification.post.id === made.id);
	const answer = (await devices.both.ask({ method: 'POST', path: '/notifications/read' })).body;
	assert.deepEqual([answer.count, answer.read_id], [0, act.id]);
	for (const [name, client] of Object.entries(devices)) {
		const event = await client.event('notification:read', ({ data }) => data.read_id === act.id);
		assert.deepEqual(event.data, answer, name);
		assert.deepEqual(event.channels, name === 'notifications' ? ['notifications'] : ['messages', 'notifications'], name);
	}
	const back = await listen(gateway, alice, ['notifications'], from);
	assert.deepEqual((await back.event('notification:read', ({ data }) => data.read_id === act.id)).data, answer);
	// again, and less: nothing moves, so nothing is told before what comes next
	for (const body of [{}, { up_to: '1' }]) assert.equal((await call(gateway, 'POST', '/notifications/read', { token: alice.token, body })).status, 200);
	const next = await post(alice, 'next');
	await devices.both.event('tweet:new', ({ data }) => data.post.id === next.id);
	await others[0].event('tweet:new', ({ data }) => data.post.id === next.id);
	assert.equal(devices.both.heard.filter(({ event, data }) => event === 'notification:read' && data.read_id === act.id).length, 1);
	for (const client of others) assert.ok(!client.collect().some(({ event }) => event === 'notification:read'));
	for (const client of [...Object.values(devices), ...others, back]) client.destroy();
});

test('typing reaches those who look at the post, not oneself', async () => {
	const made = await post(alice, 'talk to me');
	const hers = await listen(gateway, alice, [`post:${made.id}`]);
	const his = await listen(gateway, bob, [`post:${made.id}`]);
	his.json({ type: 'signal', event: 'typing:start', channel: `post:${made.id}` });
	const signal = await hers.message({ type: 'signal' });
	assert.deepEqual([signal.event, signal.data.channel, signal.data.account.id], ['typing:start', `post:${made.id}`, bob.id]);
	for (const [frame, code] of [[{ event: 'nonsense', channel: `post:${made.id}` }, /./], [{ event: 'typing:start', channel: 'nonsense' }, /./], [{ event: 'typing:start' }, /wrong_type/], [{ event: 1, channel: 2 }, /wrong_type/]]) {
		const error = await his.ask({ type: 'signal', ...frame });
		assert.equal(error.type, 'error');
		assert.match(error.code, code);
		assert.ok(error.status >= 400 && error.status < 500, JSON.stringify(error));
	}
	hers.destroy();
	his.destroy();
});

test('who comes back gets what was missed, once and in order, also from another gateway', async () => {
	const client = await listen(gateway, bob, ['home', 'public']);
	await post(alice, 'seen');
	await client.event('tweet:new', ({ data }) => data.post.text === 'seen');
	const cursor = client.cursor;
	client.destroy();
	const missed = [];
	for (let i = 0; i < 30; i++) missed.push((await post(alice, `missed ${i}`)).id);
	const second = await startGateway();
	for (const to of [gateway, second]) {
		const back = await listen(to, bob, ['home', 'public'], cursor);
		assert.equal(back.answer.recovered, true);
		const last = await post(alice, 'after');
		await back.event('tweet:new', ({ data }) => data.post.id === last.id);
		const posts = back.heard.filter(({ event, data }) => event === 'tweet:new' && data.post.text.startsWith('missed')).map(({ data }) => data.post.id);
		assert.deepEqual(posts, missed);
		assert.ok(back.heard.every(({ channels }) => channels.includes('home')));
		back.destroy();
	}
	await second.stop();
});

test('one that does not read events is cut off; others get them all', async () => {
	// (500 events are less than the limit: who only takes its time is not cut off)
	const tight = await startGateway({ 'stream-output-limit': '1MB', 'write-timeout': '10min' });
	const stalled = await listen(tight, null, ['public']);
	const other = await listen(tight, null, ['public']);
	stalled.socket.pause();
	const text = 'x'.repeat(250);
	let count = 0;
	await until(async () => {
		sql(`SELECT count(roost.post_create(actor_id => ${alice.id}, text => '${text}')) FROM generate_series(1, 500)`);
		count += 500;
		await other.until(() => other.collect().filter(({ event, data }) => event === 'tweet:new' && data.post.text === text).length >= count, 'all events', 180000);
		return (await metric(tight, 'roost_gateway_sockets_closed_total', { code: 4409 })) === 1;
	}, 'the end of the one that does not read', 400000);
	assert.equal(new Set(other.heard.map(({ id }) => id)).size, other.heard.length);
	stalled.socket.resume();
	assert.equal((await stalled.closure()).code, 4409, 'who reads on in time is told');
	other.destroy();
	await tight.stop();
});

test('the same over TLS', async () => {
	const [key, cert] = [join(folder, 'ws-key.pem'), join(folder, 'ws-cert.pem')];
	execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '1', '-subj', '/CN=localhost'], { stdio: 'ignore' });
	const secure = await startGateway({ 'tls-cert': cert, 'tls-key': key, 'stream-echo': 'on' });
	const client = await listen(secure, bob, ['home']);
	const made = await post(alice, 'secret');
	await client.event('tweet:new', ({ data }) => data.post.id === made.id);
	assert.equal((await client.ask({ method: 'GET', path: '/auth/me' })).body.id, bob.id);
	assert.equal((await client.close()).code, 1000);
	const echo = await WebSocketClient.open(secure, { protocol: 'roost.echo' });
	for (let i = 0; i < 20; i++) echo.send('binary', Buffer.alloc(60000, i));
	for (let i = 0; i < 20; i++) assert.deepEqual((await echo.next()).payload, Buffer.alloc(60000, i));
	const silent = await WebSocketClient.open(secure);
	const stopped = secure.stop();
	assert.equal((await echo.closure()).code, 1001);
	assert.equal((await silent.closure()).code, 1001);
	await stopped;
});

test('many sockets with the same channel', async () => {
	await caughtUp(gateway);
	const clients = await Promise.all(Array.from({ length: 300 }, () => listen(gateway, null, [`user:${alice.id}`])));
	const ids = [];
	for (let i = 0; i < 20; i++) ids.push((await post(alice, `many ${i}`)).id);
	for (const client of clients) {
		await client.event('tweet:new', ({ data }) => data.post.id === ids.at(-1));
		assert.deepEqual(client.heard.filter(({ event }) => event === 'tweet:new').map(({ data }) => data.post.id), ids);
		client.destroy();
	}
	await until(async () => (await metric(gateway, 'roost_gateway_sockets')) === 0, 'their ends');
});
