// Messages as they happen: all devices of all who are told, and nobody else, through WebSockets, server-sent events and long polls;
// what somebody has missed who was away, and what is not told any more.
import { after, before, test } from 'node:test';
import { once } from 'node:events';
import http from 'node:http';
import assert from 'node:assert/strict';
import { WebSocketClient, account, call, liftLimits, sql, startGateway, until } from './lib.mjs';

let gateway;
let alice;
let bob;
let carol;
let dora;
before(async () => {
	liftLimits();
	gateway = await startGateway({ 'stream-connections': 1000 });
	[alice, bob, carol, dora] = [await account(gateway, 'alice'), await account(gateway, 'bob'), await account(gateway, 'carol'), await account(gateway, 'dora')];
});
after(async () => { await gateway?.stop(); });

// Calls a route, which must succeed; resolves with its answer.
async function act(user, method, path, body, to = gateway) {
	const answer = await call(to, method, path, { token: user.token, ...(body ? { body } : {}) });
	assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
	return answer.json;
}
const write = (user, body, to) => act(user, 'POST', '/messages', body, to);
const group = (user, ...others) => act(user, 'POST', '/conversations', { kind: 'group', title: 'a group', account_ids: others.map(({ id }) => id) });

// Opens a socket and subscribes, or resumes; .heard has all events since.
async function listen(user, channels, from, to = gateway) {
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
	client.text = (text) => client.event('message:received', ({ data }) => data.message.text === text);
	client.texts = () => client.collect().filter(({ event }) => event === 'message:received').map(({ data }) => data.message.text).filter((text) => text !== null);
	client.answer = await client.ask(from ? { type: 'resume', channels, cursor: from } : { type: 'subscribe', channels });
	client.cursor = client.answer.cursor ?? await until(async () => (await client.ask({ type: 'ping' })).cursor, 'the cursor');
	return client;
}

test('a message comes to all devices of both, in order and once, and to nobody else', async () => {
	const devices = await Promise.all([alice, alice, bob, bob].map((user) => listen(user, ['messages'])));
	const first = await write(alice, { recipient_id: bob.id, text: 'm0' });
	for (const device of devices) await device.text('m0'); // so it comes to none of those that listen from now on
	const others = [await listen(carol, ['messages', `conversation:${first.conversation_id}`]), await listen(null, [`conversation:${first.conversation_id}`]), await listen(alice, ['home', 'notifications'])];
	const narrow = await listen(bob, [`conversation:${first.conversation_id}`]);
	for (let i = 1; i < 30; i++) await write(i % 3 ? alice : bob, { conversation_id: first.conversation_id, text: `m${i}` });
	for (const device of devices) {
		const last = await device.text('m29');
		assert.deepEqual(device.texts(), Array.from({ length: 30 }, (_, i) => `m${i}`));
		assert.deepEqual(last.channels, ['messages', `conversation:${first.conversation_id}`]);
		assert.equal(last.data.message.conversation_id, first.conversation_id);
		assert.equal(last.data.message.state, null, 'how far it has come is said to its sender alone');
		assert.equal(new Set(device.heard.map(({ id }) => id)).size, device.heard.length);
	}
	assert.deepEqual((await narrow.text('m29')).channels, [`conversation:${first.conversation_id}`]);
	assert.deepEqual(narrow.texts().length, 29);
	const witness = await write(carol, { recipient_id: dora.id, text: 'to dora' });
	await others[0].text('to dora');
	assert.deepEqual(others.map((client) => client.texts()), [['to dora'], [], []]);
	assert.ok(witness.id);
	for (const client of [...devices, ...others, narrow]) client.destroy();
});

test('edits, reactions, receipts and deletions are told as they stand', async () => {
	const made = await write(alice, { recipient_id: bob.id, text: 'a typo' });
	const [hers, his] = [await listen(alice, ['messages']), await listen(bob, ['messages'])];
	await act(alice, 'PATCH', `/messages/${made.id}`, { text: 'no typo' });
	assert.equal((await his.event('message:edited')).data.message.text, 'no typo');
	await act(bob, 'PUT', `/messages/${made.id}/reactions/${encodeURIComponent('👍')}`);
	assert.deepEqual((await hers.event('message:reaction')).data.reactions.map(({ reaction, count }) => [reaction, count]), [['👍', 1]]);
	await act(bob, 'POST', `/messages/${made.id}/read`);
	const read = (await hers.event('message:read')).data;
	assert.deepEqual([read.message_id, read.account.id], [made.id, bob.id]);
	await his.event('message:read');
	const second = await write(alice, { conversation_id: made.conversation_id, text: 'another' });
	await act(bob, 'DELETE', `/messages/${made.id}?for=me`);
	assert.equal((await his.event('message:deleted')).data.for, 'me');
	for (const { id } of [made, second]) await act(alice, 'DELETE', `/messages/${id}?for=everyone`);
	assert.equal((await his.event('message:deleted', ({ data }) => data.for === 'everyone')).data.message_id, second.id, 'nothing more of what he has deleted');
	await hers.event('message:deleted', ({ data }) => data.message_id === second.id);
	assert.deepEqual(hers.heard.filter(({ event }) => event === 'message:deleted').map(({ data }) => [data.message_id, data.for]), [[made.id, 'everyone'], [second.id, 'everyone']]);
	for (const client of [hers, his]) client.destroy();
});

test('members are told who comes and goes; who is gone is told that, and nothing more', async () => {
	const [hers, his, third, new_] = [await listen(alice, ['messages']), await listen(bob, ['messages']), await listen(carol, ['messages']), await listen(dora, ['messages'])];
	const chat = await group(alice, bob, carol);
	await third.event('conversation:created');
	const channel = await listen(carol, [`conversation:${chat.id}`]);
	await write(alice, { conversation_id: chat.id, text: 'before' });
	await third.text('before');
	await channel.text('before');
	await act(alice, 'DELETE', `/conversations/${chat.id}/members/${carol.id}`);
	await write(alice, { conversation_id: chat.id, text: 'without carol' });
	await act(alice, 'POST', `/conversations/${chat.id}/members`, { account_ids: [dora.id] });
	await new_.event('conversation:member_added');
	await write(bob, { conversation_id: chat.id, text: 'with dora' });
	await new_.text('with dora');
	await his.text('with dora');
	for (const client of [third, channel]) {
		assert.equal((await client.event('conversation:member_removed')).data.target.id, carol.id);
		assert.deepEqual(client.texts(), ['before']);
		assert.equal(client.heard.at(-1).event, 'conversation:member_removed');
	}
	assert.equal(his.heard.filter(({ event }) => event === 'conversation:member_removed').length, 1);
	assert.deepEqual(new_.texts(), ['with dora']);
	// the one who leaves, on another device
	await act(bob, 'DELETE', `/conversations/${chat.id}/members/me`);
	assert.equal((await his.event('conversation:member_removed', ({ data }) => data.target.id === bob.id)).data.account.id, bob.id);
	for (const client of [hers, his, third, new_, channel]) client.destroy();
});

test('of two members with a block between them neither hears the other, the third hears both', async () => {
	const [one, two, three] = [await account(gateway, 'one'), await account(gateway, 'two'), await account(gateway, 'three')];
	const chat = await group(three, one, two);
	const clients = await Promise.all([one, two, three].map((user) => listen(user, ['messages'])));
	await act(one, 'POST', `/users/${two.id}/block`);
	for (const [user, text] of [[one, 'by one'], [two, 'by two'], [three, 'by three']]) await write(user, { conversation_id: chat.id, text });
	for (const client of clients) await client.text('by three');
	assert.deepEqual(clients.map((client) => client.texts()), [['by one', 'by three'], ['by two', 'by three'], ['by one', 'by two', 'by three']]);
	for (const client of clients) client.destroy();
});

test('who was away gets what it missed, once and in order, also of another gateway', async () => {
	const second = await startGateway();
	const device = await listen(bob, ['messages']);
	const made = await write(alice, { recipient_id: bob.id, text: 'here' });
	await device.text('here');
	const { cursor } = device;
	device.destroy();
	const chat = await group(carol, bob);
	for (let i = 0; i < 250; i += 50) {
		await Promise.all(Array.from({ length: 50 }, (_, n) => write(carol, { conversation_id: chat.id, text: `g${i + n}` })));
		await write(alice, { conversation_id: made.conversation_id, text: `d${i}` });
	}
	const gone = await write(alice, { conversation_id: made.conversation_id, text: 'gone' });
	await act(alice, 'DELETE', `/messages/${gone.id}?for=everyone`);
	for (const to of [gateway, second]) {
		const back = await listen(bob, ['messages'], cursor, to);
		assert.equal(back.answer.recovered, true);
		await back.event('message:deleted');
		await write(alice, { conversation_id: made.conversation_id, text: `live ${to.port}` });
		await back.text(`live ${to.port}`);
		const texts = back.texts().filter((text) => !text.startsWith('live'));
		assert.equal(texts.length, 255);
		assert.deepEqual(texts.filter((text) => text.startsWith('d')), ['d0', 'd50', 'd100', 'd150', 'd200']);
		assert.equal(new Set(texts).size, 255);
		const ids = back.heard.map(({ id }) => Number(id.split('.')[0]));
		assert.deepEqual(ids, [...ids].sort((a, b) => a - b));
		assert.ok(back.heard.every(({ channels }) => channels.includes('messages')));
		back.destroy();
	}
	// the conversation alone
	const narrow = await listen(bob, [`conversation:${made.conversation_id}`], cursor, second);
	await narrow.event('message:deleted');
	assert.deepEqual(narrow.texts().slice(0, 5), ['d0', 'd50', 'd100', 'd150', 'd200']);
	narrow.destroy();
	await second.stop();
});

test('server-sent events and long polls tell the same', async () => {
	const query = new URLSearchParams({ channels: 'messages' });
	const request = http.get(`${gateway.url}/api/v1/events/stream?${query}`, { agent: false, headers: { authorization: `Bearer ${bob.token}` } });
	request.on('error', () => {});
	const [answer] = await once(request, 'response');
	assert.equal(answer.statusCode, 200);
	let text = '';
	answer.setEncoding('utf8').on('data', (data) => { text += data; });
	answer.on('error', () => {});
	await until(() => text.includes('event: ready'), 'ready');
	// (what was done before has been told then)
	await write(alice, { recipient_id: bob.id, text: 'before the poll' });
	await until(() => text.includes('before the poll'), 'the event before');
	const { cursor } = await act(bob, 'GET', '/events?channels=messages');
	const waits = act(bob, 'GET', `/events?channels=messages&wait=30&after=${cursor}`);
	const made = await write(alice, { recipient_id: bob.id, text: 'by any way' });
	const polled = await waits;
	assert.deepEqual(polled.events.map(({ event, channels, data }) => [event, channels[0], data.message.text]), [['message:received', 'messages', 'by any way']]);
	// what is there already comes at once, and looks the same (the cursor may be further on)
	assert.deepEqual((await act(bob, 'GET', `/events?channels=messages&wait=30&after=${cursor}`)).events, polled.events);
	await until(() => text.includes('by any way'), 'the event');
	assert.match(text, /event: message:received\n/);
	assert.deepEqual((await act(carol, 'GET', `/events?channels=messages,conversation:${made.conversation_id}&after=${cursor}`)).events, []);
	request.destroy();
	const refused = await call(gateway, 'GET', '/events?channels=messages');
	assert.deepEqual([refused.status, refused.json.field], [401, 'channels']);
	const stranger = await listen(null, ['public']);
	assert.equal((await stranger.ask({ type: 'subscribe', channels: ['messages'] })).status, 401);
	stranger.destroy();
});

test('friends hear of each other, and of what is between them', async () => {
	const [one, two] = [await account(gateway, 'friend'), await account(gateway, 'friend')];
	const clients = await Promise.all([one, two].map((user) => listen(user, ['messages', 'notifications'])));
	const asked = await act(one, 'POST', '/friends/requests', { account_id: two.id });
	for (const client of clients) assert.equal((await client.event('friend:request:received')).data.request_id, asked.id);
	await clients[1].event('notification:new');
	await act(two, 'POST', `/friends/requests/${asked.id}/accept`);
	for (const client of clients) assert.deepEqual((await client.event('friend:request:accepted')).channels, ['messages']);
	await clients[0].event('notification:new');
	await act(one, 'DELETE', `/friends/${two.id}`);
	for (const client of clients) await client.event('friend:removed');
	assert.equal(clients[0].heard.filter(({ event }) => event === 'notification:new').length, 1);
	for (const client of clients) client.destroy();
});

test('a cursor from a week ago is good as long as the log goes back to it, and is refused beyond', async () => {
	const device = await listen(bob, ['messages']);
	await write(alice, { recipient_id: bob.id, text: 'long ago' });
	await device.text('long ago');
	const [epoch] = device.cursor.split('-');
	const first = sql('SELECT first_seq FROM roost.feed_position()');
	device.destroy();
	const good = await listen(bob, ['messages'], `${epoch}-${Number(first) - 1}`);
	assert.equal(good.answer.recovered, true);
	await good.text('long ago');
	good.destroy();
	const bad = await listen(bob, ['messages'], `${epoch}-${Number(first) - 2 < 0 ? 10 ** 15 : Number(first) - 2}`);
	assert.equal(bad.answer.recovered, false);
	await write(alice, { recipient_id: bob.id, text: 'from now on' });
	await bad.text('from now on');
	assert.deepEqual(bad.texts(), ['from now on']);
	bad.destroy();
});
