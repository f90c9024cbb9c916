// Messages over HTTP and WebSockets: what is written on one side is told on the other, and so are receipts, changes, reactions and deletions.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { WebSocketClient, account, call, liftLimits, startGateway } from './lib.mjs';

let gateway;
let ada;
let bob;
let eve;
before(async () => {
	liftLimits();
	gateway = await startGateway();
	[ada, bob, eve] = [await account(gateway, 'msg_ada'), await account(gateway, 'msg_bob'), await account(gateway, 'msg_eve')];
});
after(() => gateway?.stop());

const as = (user, method, path, body) => call(gateway, method, path, { token: user.token, body });
const ok = async (user, method, path, body, status = [200, 201, 204]) => {
	const answer = await as(user, method, path, body);
	assert.ok([status].flat().includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`);
	return answer.json;
};
const refused = async (user, method, path, body, status, field) => {
	const answer = await as(user, method, path, body);
	assert.deepEqual([answer.status, answer.json.field], [status, field], `${method} ${path}: ${answer.text}`);
};

// Opens a socket on the channel messages; .event(name) resolves with the data of the next event of that name.
async function listen(user) {
	const client = await WebSocketClient.open(gateway, { headers: { authorization: `Bearer ${user.token}` } });
	const events = [];
	const collect = () => {
		for (const frame of client.frames.filter(({ opcode, payload }) => opcode === 1 && payload.includes('"type":"events"'))) {
			events.push(...JSON.parse(frame.payload).events);
			client.frames.splice(client.frames.indexOf(frame), 1);
		}
		return events;
	};
	client.names = () => collect().map(({ event }) => event);
	client.event = async (name) => {
		const found = await client.until(() => collect().find(({ event }) => event === name), name);
		events.splice(events.indexOf(found), 1);
		return found.data;
	};
	await client.ask({ type: 'subscribe', channels: ['messages'] });
	return client;
}

test('a message, its receipts, change, reactions and deletion come to both sides, and to nobody else', async () => {
	const [a, b, e] = [await listen(ada), await listen(bob), await listen(eve)];
	const sent = await ok(ada, 'POST', '/messages', { recipient_id: `@${bob.username}`, text: 'hello bob', client_id: 'one' }, 201);
	assert.deepEqual([sent.state, sent.client_id, sent.sender.id, sent.delivered_count], ['sent', 'one', ada.id, 0]);
	assert.equal((await ok(ada, 'POST', '/messages', { conversation_id: sent.conversation_id, text: 'hello bob', client_id: 'one' }, 200)).id, sent.id);
	await refused(ada, 'POST', '/messages', { conversation_id: sent.conversation_id, text: 'hello eve', client_id: 'one' }, 409, 'client_id');
	for (const socket of [a, b]) {
		const { message } = await socket.event('message:received');
		assert.deepEqual([message.id, message.text, message.conversation_id, message.state, message.client_id], [sent.id, 'hello bob', sent.conversation_id, null, null]);
	}
	const path = `/messages/${sent.id}`;
	await ok(bob, 'POST', `${path}/delivered`, undefined, 204);
	assert.equal((await a.event('message:delivered')).message_id, sent.id);
	assert.equal((await ok(ada, 'GET', path)).state, 'delivered');
	await ok(bob, 'POST', `/conversations/${sent.conversation_id}/read`, {}, 204);
	const read = await a.event('message:read');
	assert.deepEqual([read.message_id, read.conversation_id, read.account.id], [sent.id, sent.conversation_id, bob.id]);
	assert.equal((await b.event('message:read')).account.id, bob.id, 'and its own devices');
	assert.equal((await ok(ada, 'GET', path)).state, 'read');
	assert.deepEqual((await ok(ada, 'GET', `${path}/receipts`)).items, [{ account: { id: bob.id, username: bob.username, display_name: read.account.display_name, avatar_url: read.account.avatar_url }, delivered: true, read: true }]);

	const edited = await ok(ada, 'PATCH', path, { text: 'hello, bob' });
	assert.ok(edited.edited_at);
	assert.equal((await b.event('message:edited')).message.text, 'hello, bob');
	for (const [method, where, body] of [['PUT', `${path}/reactions/${encodeURIComponent('👍')}`], ['POST', `${path}/reactions`, { reaction: 'nice' }]]) await ok(bob, method, where, body, 200);
	await a.event('message:reaction');
	const { account: by, reactions } = await a.event('message:reaction');
	assert.deepEqual([by.id, reactions], [bob.id, [{ reaction: '👍', count: 1, mine: false }, { reaction: 'nice', count: 1, mine: false }]]);
	assert.deepEqual((await ok(bob, 'DELETE', `${path}/reactions/${encodeURIComponent('👍')}`)).reactions, [{ reaction: 'nice', count: 1, mine: true }]);

	const answer = await ok(bob, 'POST', '/messages', { conversation_id: sent.conversation_id, text: 'hello ada', reply_to_id: sent.id }, 201);
	assert.deepEqual([answer.reply_to.id, answer.reply_to.text], [sent.id, 'hello, bob']);
	await ok(bob, 'DELETE', path, undefined, 204);
	assert.deepEqual(await b.event('message:deleted'), { message_id: sent.id, conversation_id: sent.conversation_id, for: 'me' });
	await refused(bob, 'GET', path, undefined, 404, 'message_id');
	await ok(ada, 'DELETE', `${path}?for=everyone`, undefined, 204);
	assert.deepEqual(await a.event('message:deleted'), { message_id: sent.id, conversation_id: sent.conversation_id, for: 'everyone' });
	const tombstone = await ok(ada, 'GET', path);
	assert.deepEqual([tombstone.text, tombstone.reactions, typeof tombstone.deleted_at], [null, [], 'string']);

	await refused(eve, 'GET', path, undefined, 404, 'message_id');
	await refused(eve, 'GET', `/conversations/${sent.conversation_id}/messages`, undefined, 404, 'conversation_id');
	await ok(eve, 'POST', '/messages', { recipient_id: ada.id, text: 'from eve' }, 201);
	assert.equal((await e.event('message:received')).message.text, 'from eve');
	assert.deepEqual(e.names().filter((name) => name.startsWith('message')), []);
	for (const socket of [a, b, e]) socket.destroy();
});

test('history goes in pages, newest first and both ways; an export goes forward', async () => {
	const first = await ok(ada, 'POST', '/messages', { recipient_id: bob.id, text: 'page 0' });
	const ids = [first.id];
	for (let i = 1; i < 7; i++) ids.push((await ok(i % 2 ? bob : ada, 'POST', '/messages', { conversation_id: first.conversation_id, text: `page ${i}` })).id);
	const list = (query) => ok(ada, 'GET', `/conversations/${first.conversation_id}/messages?${query}`);
	const newest = await list('limit=3');
	assert.deepEqual(newest.items.map(({ id }) => id), ids.slice(4).reverse());
	const older = await list(`limit=3&before=${newest.next}`);
	assert.deepEqual(older.items.map(({ id }) => id), ids.slice(1, 4).reverse());
	assert.deepEqual((await list(`after=${ids[4]}`)).items.map(({ id }) => id), ids.slice(5).reverse());
	const exported = [];
	for (let page, next = ''; next !== null; next = page.next) {
		page = await ok(ada, 'GET', `/conversations/${first.conversation_id}/export?limit=4${next && `&after=${next}`}`);
		exported.push(...page.items.map(({ id }) => id));
	}
	assert.deepEqual(exported.slice(-7), ids);
	assert.deepEqual(exported, [...exported].sort((x, y) => (BigInt(x) < BigInt(y) ? -1 : 1)));
});

test('what cannot be is refused with the field', async () => {
	const { id, conversation_id } = await ok(ada, 'POST', '/messages', { recipient_id: bob.id, text: 'to be refused' });
	for (const [method, path, body, status, field] of [
		['POST', '/messages', { text: 'to whom?' }, 422, 'recipient_id'], ['POST', '/messages', { recipient_id: bob.id }, 422, 'text'],
		['POST', '/messages', { recipient_id: bob.id, text: 'x'.repeat(4097) }, 422, 'text'], ['POST', '/messages', { recipient_id: bob.id, text: 'a\u0001b' }, 422, 'text'],
		['POST', '/messages', { recipient_id: bob.id, text: 'x', client_id: 'no spaces' }, 422, 'client_id'], ['POST', '/messages', { recipient_id: bob.id, text: 'x', reply_to_id: '1' }, 404, 'reply_to_id'],
		['POST', '/messages', { recipient_id: bob.id, text: 'x', sender_id: bob.id }, 422, 'sender_id'], ['POST', '/messages', { conversation_id: '1', text: 'x' }, 404, 'conversation_id'],
		['POST', '/messages', { recipient_id: '@nobody_at_all', text: 'x' }, 404, 'account_id'], ['PATCH', `/messages/${id}`, { text: ' ' }, 422, 'text'],
		['DELETE', `/messages/${id}?for=all`, undefined, 422, 'for'], ['PUT', `/messages/${id}/reactions/%20`, undefined, 422, 'reaction'],
		['POST', `/messages/${id}/forward`, {}, 422, 'recipient_id'], ['POST', `/conversations/${conversation_id}/read`, { message_id: '1' }, 404, 'message_id'],
		['GET', `/conversations/${conversation_id}/messages?before=x`, undefined, 422, 'before'], ['GET', '/messages/1', undefined, 404, 'message_id'],
	]) await refused(ada, method, path, body, status, field);
	await refused(bob, 'PATCH', `/messages/${id}`, { text: 'mine now' }, 403, 'message_id');
	await refused(bob, 'DELETE', `/messages/${id}?for=everyone`, undefined, 403, 'message_id');
	await refused(bob, 'GET', `/messages/${id}/receipts`, undefined, 403, 'message_id');
	for (const method of ['GET', 'PATCH', 'DELETE']) await refused(eve, method, `/messages/${id}?conversation_id=${conversation_id}`, method === 'PATCH' ? {} : undefined, 404, 'message_id');
});

test('the same by shorter ways: a conversation takes messages, a message says who reacted, a code joins and is taken back', async () => {
	const group = await ok(ada, 'POST', '/conversations', { kind: 'group', title: 'ways' }, 201);
	const { code } = await ok(ada, 'POST', `/conversations/${group.id}/invites`, {}, 201);
	assert.equal((await ok(bob, 'POST', `/invites/${code}`, undefined, 200)).id, group.id);
	await refused(bob, 'DELETE', `/invites/${code}`, undefined, 403, 'conversation_id');
	await refused(eve, 'DELETE', `/invites/${code}`, undefined, 404, 'code');
	await ok(ada, 'DELETE', `/invites/${code}`, undefined, 204);
	await refused(eve, 'POST', `/invites/${code}`, undefined, 410, 'code');
	await refused(ada, 'POST', `/conversations/${group.id}/members`, {}, 422, 'account_ids');
	assert.deepEqual((await ok(ada, 'POST', `/conversations/${group.id}/members`, { account_id: eve.id }, 200)).items.map(({ account }) => account.id), [eve.id]);
	const sent = await ok(bob, 'POST', `/conversations/${group.id}/messages`, { text: 'this way' }, 201);
	assert.equal(sent.conversation_id, group.id);
	assert.equal((await ok(bob, 'PUT', `/messages/${sent.id}`, { text: 'that way' }, 200)).text, 'that way');
	const path = `/messages/${sent.id}/reactions`;
	for (const reaction of ['nice', 'good']) await ok(eve, 'POST', path, { reaction }, 200);
	await ok(ada, 'POST', path, { reaction: 'good' }, 200);
	const by = async (query = '') => (await ok(bob, 'GET', `${path}${query}`)).items.map(({ account, reactions }) => [account.id, ...reactions]).sort();
	assert.deepEqual(await by(), [[ada.id, 'good'], [eve.id, 'nice', 'good']].sort());
	assert.deepEqual(await by('?reaction=nice'), [[eve.id, 'nice', 'good']]);
	assert.deepEqual((await ok(eve, 'DELETE', `${path}?reaction=good`, undefined, 200)).reactions.map(({ reaction, count }) => [reaction, count]), [['nice', 1], ['good', 1]]);
	await ok(ada, 'DELETE', path, undefined, 200);
	assert.deepEqual(await by(), [[eve.id, 'nice']]);
});

test('read receipts can be turned off, and are then neither sent nor seen', async () => {
	assert.deepEqual(await ok(bob, 'GET', '/messages/settings'), { read_receipts: true });
	assert.deepEqual(await ok(bob, 'PUT', '/messages/settings', { read_receipts: false }), { read_receipts: false });
	const { id } = await ok(ada, 'POST', '/messages', { recipient_id: bob.id, text: 'seen?' });
	await ok(bob, 'POST', `/messages/${id}/read`, undefined, 204);
	const seen = await ok(ada, 'GET', `/messages/${id}`);
	assert.deepEqual([seen.state, seen.delivered_count, seen.read_count], ['delivered', 1, 0]);
	const back = await ok(bob, 'POST', `/messages/${id}/forward`, { recipient_id: ada.id }, 201);
	assert.deepEqual([back.forwarded, back.text], [true, 'seen?']);
	await ok(ada, 'POST', `/messages/${back.id}/read`, undefined, 204);
	assert.deepEqual(await ok(bob, 'GET', `/messages/${back.id}`).then(({ state, read_count }) => [state, read_count]), ['delivered', null]);
	await ok(bob, 'PUT', '/messages/settings', { read_receipts: true });
});
