// Friends, typing in conversations and signals of calls, over HTTP and WebSocket, with two gateways on one database.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { WebSocketClient, account, call, liftLimits, metric, sql, startGateway, until } from './lib.mjs';

let one;
let other;

before(async () => {
	liftLimits();
	[one, other] = await Promise.all([startGateway(), startGateway()]);
});
after(async () => {
	await Promise.all([one?.stop(), other?.stop()]);
});

const expect = async (status, gateway, user, method, path, body) => {
	const answer = await call(gateway, method, path, { token: user.token, body });
	assert.equal(answer.status, status, answer.text);
	return answer.json;
};

// Opens a stream with channels.
async function stream(gateway, user, ...channels) {
	const client = await WebSocketClient.open(gateway, { headers: { authorization: `Bearer ${user.token}` } });
	await client.message({ type: 'hello' });
	await client.message({ type: 'ready' });
	assert.equal((await client.ask({ type: 'subscribe', channels })).type, 'subscribed');
	return client;
}

// Resolves with the next event of a kind that comes on a stream; those that came together with it stay.
const event = async (client, name) => {
	client.events ??= [];
	for (;;) {
		const found = client.events.findIndex((item) => item.event === name);
		if (found >= 0) return client.events.splice(0, found + 1).at(-1).data;
		const frame = await client.message();
		if (frame.type === 'events') client.events.push(...frame.events);
	}
};
const signal = async (client) => {
	const { event: name, data } = await client.message({ type: 'signal' });
	return [name, data.account.id, data.data ?? data.channel];
};
const waiting = (client) => client.frames.map(({ payload }) => JSON.parse(payload)).filter(({ type }) => type === 'signal').map(({ event: name }) => name);

const direct = (ada, bob) => sql(`SELECT roost_internal.conversation_direct(${ada.id}, ${bob.id})`);

test('a request is told to all devices of both, accepted at another gateway, and makes friends once', async () => {
	const [ada, bob] = [await account(one, 'ada'), await account(one, 'bob')];
	const [phone, laptop] = [await stream(one, bob, 'messages', 'notifications'), await stream(other, bob, 'messages')];
	const asking = await stream(other, ada, 'messages');
	const request = await expect(201, one, ada, 'POST', '/friends/requests', { account_id: `@${bob.username}` });
	assert.deepEqual([request.outgoing, request.accepted, request.account.id], [true, false, bob.id]);
	assert.deepEqual(await expect(200, one, ada, 'POST', '/friends/requests', { account_id: bob.id }), request);
	for (const device of [laptop, asking]) {
		const data = await event(device, 'friend:request:received');
		assert.deepEqual([data.account.id, data.target.id, data.request_id], [ada.id, bob.id, request.id]);
	}
	assert.equal((await event(phone, 'notification:new')).notification.type, 'friend_request');
	await expect(404, one, ada, 'POST', `/friends/requests/${request.id}/accept`);
	await until(() => sql(`SELECT bool_and(online) FROM roost_internal.presence_state(ARRAY[${ada.id}, ${bob.id}])`) === 't', 'the presence of both');
	const friend = await expect(200, other, bob, 'POST', `/friends/requests/${request.id}/accept`);
	assert.deepEqual([friend.account.id, friend.online], [ada.id, true]);
	await expect(200, one, bob, 'POST', `/friends/requests/${request.id}/accept`);
	for (const device of [laptop, asking]) {
		const data = await event(device, 'friend:request:accepted');
		assert.deepEqual([data.account.id, data.target.id], [bob.id, ada.id]);
	}
	await expect(409, one, ada, 'POST', '/friends/requests', { account_id: bob.id });
	assert.deepEqual((await expect(200, one, ada, 'GET', '/friends')).items.map((item) => [item.account.id, item.online]), [[bob.id, true]]);
	assert.equal((await expect(200, one, ada, 'GET', `/users/${bob.id}/relationship`)).friend, true);
	await expect(204, one, ada, 'DELETE', `/friends/${bob.id}`);
	await expect(204, one, ada, 'DELETE', `/friends/${bob.id}`);
	for (const device of [laptop, asking]) assert.equal((await event(device, 'friend:removed')).account.id, ada.id);
	assert.deepEqual((await expect(200, one, bob, 'GET', '/friends')).items, []);
	await expect(422, one, ada, 'POST', '/friends/requests', { account_id: ada.id });
	await Promise.all([phone, laptop, asking].map((client) => client.close()));
});

test('requests that cross make friends once', async () => {
	const [ada, bob] = [await account(one, 'ada'), await account(one, 'bob')];
	for (let round = 0; round < 5; round++) {
		const asked = await Promise.all([[one, ada, bob], [other, bob, ada]].map(([gateway, who, whom]) =>
			call(gateway, 'POST', '/friends/requests', { token: who.token, body: { account_id: whom.id } })));
		assert.deepEqual(asked.map(({ status }) => status).sort(), [200, 201]);
		assert.deepEqual(asked.map(({ json }) => json.accepted).sort(), [false, true]);
		assert.equal(sql(`SELECT count(*) FROM roost_data.friendship WHERE account_id IN (${ada.id}, ${bob.id})`), '2');
		assert.equal(sql(`SELECT count(*) FROM roost_data.friend_request WHERE requester_id IN (${ada.id}, ${bob.id})`), '0');
		await expect(204, one, ada, 'DELETE', `/friends/${bob.id}`);
	}
});

test('that a member is writing is told to the members of the conversation, once in a while', async () => {
	const [ada, bob, eve] = [await account(one, 'ada'), await account(one, 'bob'), await account(one, 'eve')];
	const id = direct(ada, bob);
	const channel = `conversation:${id}`;
	const [writer, reader, stranger] = [await stream(one, ada, channel), await stream(other, bob, channel), await stream(other, eve, channel)];
	writer.json({ type: 'signal', event: 'typing:start', channel });
	writer.json({ type: 'signal', event: 'typing:start', channel });
	assert.deepEqual(await signal(reader), ['typing:start', ada.id, channel]);
	writer.json({ type: 'signal', event: 'typing:stop', channel });
	assert.deepEqual(await signal(reader), ['typing:stop', ada.id, channel]);
	assert.equal((await stranger.ask({ type: 'signal', event: 'typing:start', channel })).status, 404);
	await expect(200, one, bob, 'POST', `/users/${ada.id}/block`);
	assert.equal((await writer.ask({ type: 'signal', event: 'typing:start', channel })).status, 404);
	assert.deepEqual([waiting(stranger), waiting(writer)], [[], []]);
	await Promise.all([writer, reader, stranger].map((client) => client.close()));
});

test('what was said of a call while a gateway could not hear comes once, and nothing twice', async () => {
	const [ada, bob] = [await account(one, 'ada'), await account(one, 'bob')];
	const id = direct(ada, bob);
	const clients = await Promise.all([stream(one, bob, 'messages'), stream(other, bob, 'messages')]);
	// each round ends the connections that listen, and speaks before, and after they are gone
	for (let round = 0; round < 4; round++) {
		sql(`SELECT roost_internal.call_send(${ada.id}, 0, 'call:candidate', ${id}, '{"n": ${3 * round}}', ${bob.id});
			SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE application_name = 'roost-gateway doorbell';
			SELECT roost_internal.call_send(${ada.id}, 0, 'call:candidate', ${id}, '{"n": ${3 * round + 1}}', ${bob.id});`);
		for (const client of clients) {
			const came = [(await signal(client))[2].n, (await signal(client))[2].n];
			assert.deepEqual(came, [3 * round, 3 * round + 1]);
		}
		await until(async () => (await Promise.all([one, other].map((gateway) => metric(gateway, 'roost_gateway_doorbell_up')))).every((up) => up === 1), 'the connections that listen');
		sql(`SELECT roost_internal.call_send(${ada.id}, 0, 'call:candidate', ${id}, '{"n": ${3 * round + 2}}', ${bob.id})`);
		for (const client of clients) assert.deepEqual((await signal(client))[2], { n: 3 * round + 2 });
	}
	assert.deepEqual(clients.map(waiting), [[], []]);
	await Promise.all(clients.map((client) => client.close()));
});

test('a call is offered to all devices of the other one, and answered on one of them', async () => {
	const [ada, bob, eve] = [await account(one, 'ada'), await account(one, 'bob'), await account(one, 'eve')];
	const id = direct(ada, bob);
	const channel = `conversation:${id}`;
	const { access_token: token } = await expect(200, one, {}, 'POST', '/auth/login', { identifier: bob.username, password: bob.password });
	const second = { ...bob, token };
	const caller = await stream(one, ada, 'messages');
	const [phone, laptop] = [await stream(one, bob, 'messages'), await stream(other, second, 'messages')];
	const [elsewhere, stranger] = [await stream(other, bob, 'home'), await stream(other, eve, 'messages', channel)];
	const offer = { type: 'offer', sdp: 'v=0\r\n"ü" 😀' };
	caller.json({ type: 'signal', event: 'call:offer', channel, data: offer });
	for (const device of [phone, laptop]) {
		const frame = await device.message({ type: 'signal' });
		assert.deepEqual([frame.event, frame.data.conversation_id, frame.data.account.username, frame.data.event, frame.data.data], ['call:offer', id, ada.username, 'call:offer', offer]);
	}
	phone.json({ type: 'signal', event: 'call:ringing', channel });
	assert.deepEqual(await signal(caller), ['call:ringing', bob.id, {}]);
	// the phone that answers does not hear itself, the laptop stops ringing
	await expect(204, other, second, 'POST', `/conversations/${id}/call`, { event: 'call:answer', data: { sdp: 'x' }, to: ada.id });
	assert.deepEqual(await signal(caller), ['call:answer', bob.id, { sdp: 'x' }]);
	assert.deepEqual(await signal(phone), ['call:answer', bob.id, { sdp: 'x' }]);
	for (let n = 0; n < 10; n++) caller.json({ type: 'signal', event: 'call:candidate', channel, data: { n }, to: bob.id });
	for (let n = 0; n < 10; n++) {
		assert.deepEqual(await signal(phone), ['call:candidate', ada.id, { n }]);
		assert.deepEqual(await signal(laptop), ['call:candidate', ada.id, { n }]);
	}
	caller.json({ type: 'signal', event: 'call:hangup', channel });
	for (const device of [phone, laptop]) assert.deepEqual(await signal(device), ['call:hangup', ada.id, {}]);
	assert.deepEqual([caller, elsewhere, stranger].map(waiting), [[], [], []]);

	// what is wrong, precisely
	const wrong = async (client, frame, status, field) => {
		const error = await client.ask({ type: 'signal', event: 'call:offer', channel, ...frame });
		assert.equal(error.status, status, JSON.stringify(error));
		if (field) assert.match(error.detail, field);
	};
	await wrong(stranger, {}, 404);
	await wrong(caller, { to: eve.id }, 404);
	await wrong(caller, { to: 'ada' }, 422, /no id/);
	await wrong(caller, { to: 5 }, 422, /must be a text/);
	await wrong(caller, { event: 'call:whistle' }, 422);
	await wrong(caller, { event: 'typing:start', data: {} }, 422, /belong to signals of calls/);
	await wrong(caller, { data: [] }, 422, /object/);
	await wrong(caller, { data: { sdp: 'x'.repeat(16384) } }, 413, /16395 bytes/);
	await expect(413, one, ada, 'POST', `/conversations/${id}/call`, { event: 'call:offer', data: { sdp: 'x'.repeat(16384) } });
	await expect(422, one, ada, 'POST', `/conversations/${id}/call`, { event: 'call:whistle' });
	await expect(404, one, eve, 'POST', `/conversations/${id}/call`, { event: 'call:offer' });
	await expect(200, one, bob, 'POST', `/users/${ada.id}/block`);
	await wrong(caller, {}, 403);
	await wrong(phone, {}, 403);
	assert.deepEqual([caller, phone, laptop, elsewhere, stranger].map(waiting), [[], [], [], [], []]);
	await Promise.all([caller, phone, laptop, elsewhere, stranger].map((client) => client.close()));
});

test('in a group a call goes to all, or to the one that it names; a block keeps it from one', async () => {
	const [ada, bob, eve] = [await account(one, 'ada'), await account(one, 'bob'), await account(one, 'eve')];
	const id = sql(`WITH made AS (INSERT INTO roost_data.conversation (id, kind, member_count) VALUES (roost_internal.id_next(), 'group', 3) RETURNING id)
		INSERT INTO roost_data.conversation_member (conversation_id, account_id) SELECT id, unnest('{${[ada, bob, eve].map((user) => user.id)}}'::bigint[]) FROM made RETURNING conversation_id`).split('\n')[0];
	await expect(200, one, bob, 'POST', `/users/${eve.id}/block`);
	const sockets = [await stream(one, ada, 'messages'), await stream(other, bob, 'messages'), await stream(other, eve, 'messages')];
	const say = (user, body) => expect(204, one, user, 'POST', `/conversations/${id}/call`, body);
	await say(ada, { event: 'call:offer', data: { n: 1 } });
	await say(ada, { event: 'call:offer', data: { n: 2 }, to: eve.id });
	await say(bob, { event: 'call:offer', data: { n: 3 } });
	await say(bob, { event: 'call:offer', data: { n: 4 }, to: eve.id });
	await say(ada, { event: 'call:hangup' });
	assert.deepEqual([await signal(sockets[0])], [['call:offer', bob.id, { n: 3 }]]);
	assert.deepEqual([await signal(sockets[1]), await signal(sockets[1])], [['call:offer', ada.id, { n: 1 }], ['call:hangup', ada.id, {}]]);
	assert.deepEqual([await signal(sockets[2]), await signal(sockets[2]), await signal(sockets[2])],
		[['call:offer', ada.id, { n: 1 }], ['call:offer', ada.id, { n: 2 }], ['call:hangup', ada.id, {}]]);
	assert.deepEqual(sockets.map(waiting), [[], [], []]);
	await Promise.all(sockets.map((client) => client.close()));
});

test('who begins to listen, and with that its gateway, is told nothing of before', async () => {
	const [ada, bob] = [await account(one, 'ada'), await account(one, 'bob')];
	const id = direct(ada, bob);
	const say = (n) => expect(204, one, ada, 'POST', `/conversations/${id}/call`, { event: 'call:offer', data: { n } });
	const resting = await startGateway({ 'cache-size': '0' }); // which listens only while somebody has a stream
	const witness = await stream(one, bob, 'messages'); // when it has heard something, all that listen have
	for (let n = 0; n < 6; n += 2) {
		await say(n);
		assert.deepEqual((await signal(witness))[2], { n });
		const phone = await stream(resting, bob, 'messages');
		await say(n + 1);
		for (const device of [phone, witness]) assert.deepEqual((await signal(device))[2], { n: n + 1 });
		await phone.close();
		await until(async () => await metric(resting, 'roost_gateway_doorbell_up') === 0, 'the end of listening');
	}
	await witness.close();
	await resting.stop();
});

test('what was said while a gateway was away is not told later', async () => {
	const [ada, bob] = [await account(one, 'ada'), await account(one, 'bob')];
	const id = direct(ada, bob);
	const phone = await stream(other, bob, 'messages');
	await expect(204, one, ada, 'POST', `/conversations/${id}/call`, { event: 'call:offer', data: { n: 1 } });
	assert.deepEqual(await signal(phone), ['call:offer', ada.id, { n: 1 }]);
	await phone.close();
	await other.stop();
	await expect(204, one, ada, 'POST', `/conversations/${id}/call`, { event: 'call:offer', data: { n: 2 } });
	other = await startGateway();
	const again = await stream(other, bob, 'messages');
	await until(async () => {
		await expect(204, one, ada, 'POST', `/conversations/${id}/call`, { event: 'call:offer', data: { n: 3 } });
		return waiting(again).length > 0;
	}, 'the call');
	assert.deepEqual(await signal(again), ['call:offer', ada.id, { n: 3 }]);
	await again.close();
	assert.equal(sql("SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'roost_data' AND c.relname LIKE '%call%'"), '0');
});
