// What was said in a conversation is asked for again by those who may not have it any more, with cursors of when they could.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { WebSocketClient, account, call, liftLimits, sql, startGateway, until } from './lib.mjs';

let gateway;
let second;
let ada;
let bob;
let cat;
before(async () => {
	liftLimits();
	[gateway, second] = [await startGateway(), await startGateway()];
	[ada, bob, cat] = [await account(gateway, 'hostile_ada'), await account(gateway, 'hostile_bob'), await account(gateway, 'hostile_cat')];
});
after(async () => { await gateway?.stop(); await second?.stop(); });

async function act(user, method, path, body, to = gateway) {
	const answer = await call(to, method, path, { token: user.token, ...(body ? { body } : {}) });
	assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
	return answer.json;
}
const write = (user, body) => act(user, 'POST', '/messages', body);
const group = (user, ...others) => act(user, 'POST', '/conversations', { kind: 'group', title: 'a group', account_ids: others.map(({ id }) => id) });

// Keeps the rows that come in the gateway's memory, as somebody else's socket does.
async function witness(user) {
	const client = await WebSocketClient.open(gateway, { headers: { authorization: `Bearer ${user.token}` } });
	await client.ask({ type: 'subscribe', channels: ['messages'] });
	client.text = (text) => client.until(() => client.frames.some(({ opcode, payload }) => opcode === 1 && payload.toString().includes(text)), text);
	return client;
}

// Everything that an account is given with a cursor, by a long poll and by a socket, at either gateway.
async function given(user, cursor, channels) {
	const found = [];
	for (const to of [gateway, second]) {
		found.push(JSON.stringify(await act(user, 'GET', `/events?channels=${channels.join()}&after=${cursor}`, undefined, to)));
		const client = await WebSocketClient.open(to, { headers: { authorization: `Bearer ${user.token}` } });
		await client.ask({ type: 'resume', channels, cursor });
		await client.ask({ type: 'ping' });
		// what comes after the end of what was missed
		const mark = `mark ${found.length} ${user.username}`;
		await write(user, { recipient_id: ada.id === user.id ? bob.id : ada.id, text: mark });
		await client.until(() => client.frames.some(({ payload }) => payload.toString().includes(mark)), mark);
		found.push(client.frames.map(({ payload }) => payload.toString()).join('\n'));
		client.destroy();
	}
	return found;
}

test('what was deleted, changed or has disappeared is not given from memory', async () => {
	const socket = await witness(ada);
	const { cursor } = await act(bob, 'GET', '/events?channels=messages');
	const made = await write(ada, { recipient_id: bob.id, text: 'taken back' });
	const typo = await write(ada, { recipient_id: bob.id, text: 'misspelt' });
	await act(ada, 'PATCH', `/conversations/${made.conversation_id}`, { expire_after: 3600 });
	const brief = await write(ada, { recipient_id: bob.id, text: 'disappears' });
	await socket.text('disappears');
	await act(ada, 'DELETE', `/messages/${made.id}?for=everyone`);
	await act(ada, 'PATCH', `/messages/${typo.id}`, { text: 'spelt well' });
	sql(`UPDATE roost_data.message SET expires_at = now() - interval '1 second' WHERE id = ${brief.id}`);
	await act(ada, 'PATCH', `/conversations/${made.conversation_id}`, { expire_after: 0 });
	for (const text of await given(bob, cursor, ['messages', `conversation:${made.conversation_id}`])) {
		assert.ok(!/taken back|misspelt|"disappears"/.test(text), text);
		assert.ok(text.includes('spelt well'), text);
	}
	socket.destroy();
});

test('who was removed gets nothing more, and who comes back nothing of meanwhile, whatever cursor it has', async () => {
	const socket = await witness(ada);
	const chat = await group(ada, bob, cat);
	const { cursor } = await act(cat, 'GET', '/events?channels=messages');
	await write(bob, { conversation_id: chat.id, text: 'with cat' });
	await act(ada, 'DELETE', `/conversations/${chat.id}/members/${cat.id}`);
	const meanwhile = await write(bob, { conversation_id: chat.id, text: 'without her' });
	await socket.text('without her');
	for (const text of await given(cat, cursor, ['messages', `conversation:${chat.id}`])) assert.ok(!text.includes('without her'), text);
	await act(ada, 'POST', `/conversations/${chat.id}/members`, { account_ids: [cat.id] });
	await act(bob, 'PUT', `/messages/${meanwhile.id}/reactions/aha`);
	await act(bob, 'PATCH', `/messages/${meanwhile.id}`, { text: 'still without her' });
	await socket.text('still without her');
	for (const text of await given(cat, cursor, ['messages', `conversation:${chat.id}`])) assert.ok(!/without her|"aha"/.test(text), text);
	assert.deepEqual((await act(cat, 'GET', `/conversations/${chat.id}/messages`)).items.map(({ action }) => action), ['added']);
	socket.destroy();
});

test('what was written before a block is not given after it', async () => {
	const socket = await witness(ada);
	const chat = await group(ada, bob, cat);
	const { cursor } = await act(cat, 'GET', '/events?channels=messages');
	await write(bob, { conversation_id: chat.id, text: 'before the block' });
	await socket.text('before the block');
	await act(cat, 'POST', `/users/${bob.id}/block`);
	for (const text of await given(cat, cursor, ['messages', `conversation:${chat.id}`])) assert.ok(!text.includes('before the block'), text);
	await act(cat, 'DELETE', `/users/${bob.id}/block`);
	socket.destroy();
});

test('answers about conversations are kept by nobody, and a tag of one is good for nobody else', async () => {
	const { conversation_id: id } = await write(ada, { recipient_id: bob.id, text: 'between us' });
	for (const path of ['/conversations', `/conversations/${id}`, `/conversations/${id}/messages`, `/conversations/${id}/export`, '/messages/search?q=between']) {
		const answer = await call(gateway, 'GET', path, { token: ada.token });
		assert.equal(answer.status, 200, path);
		assert.match(answer.headers.get('cache-control') ?? '', /private|no-store/, path);
		const tag = answer.headers.get('etag');
		if (tag) assert.notEqual((await call(gateway, 'GET', path, { token: cat.token, headers: { 'if-none-match': tag } })).status, 304, path);
	}
});

test('the access log has no code of an invitation, and no reaction', async () => {
	const logging = await startGateway({ 'access-log': '-' });
	const chat = await group(ada);
	const { code } = await act(ada, 'POST', `/conversations/${chat.id}/invites`);
	const { id } = await write(ada, { conversation_id: chat.id, text: 'say something' });
	await act(bob, 'GET', `/api/v1/invites/${code}`, undefined, logging);
	await act(bob, 'POST', `/invites/${code}/join`, undefined, logging);
	await act(ada, 'PUT', `/messages/${id}/reactions/something`, undefined, logging);
	await act(ada, 'DELETE', `/conversations/${chat.id}/invites/${code}`, undefined, logging);
	await logging.stop();
	const paths = logging.out.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line).path);
	for (const path of ['/api/v1/invites/*', '/invites/*/join', `/messages/${id}/reactions/*`, `/conversations/${chat.id}/invites/*`]) assert.ok(paths.includes(path), `${path} in ${paths}`);
	assert.ok(!logging.out.includes(code));
});

test('an account that is suspended hears nothing more', async () => {
	const leaver = await account(gateway, 'hostile_sus');
	const chat = await group(ada, leaver, bob);
	const client = await witness(leaver);
	sql(`UPDATE roost_data.account SET status = 'suspended' WHERE id = ${leaver.id}; SELECT roost_internal.session_revoke(${leaver.id})`);
	await write(ada, { conversation_id: chat.id, text: 'behind its back' });
	await until(() => client.gone, 'the end of its stream');
	assert.ok(!client.frames.some(({ payload }) => payload.toString().includes('behind its back')));
	assert.equal((await call(gateway, 'GET', `/conversations/${chat.id}/messages`, { token: leaver.token })).status, 401);
});
