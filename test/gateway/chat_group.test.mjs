// Conversations over HTTP, by several clients at once: a group from its beginning to its end, invitations, and what each
// of its members is told on its stream.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { WebSocketClient, account, call, liftLimits, sql, startGateway } from './lib.mjs';

let gateway;
let ada;
let bob;
let cat;
let others;
before(async () => {
	liftLimits();
	gateway = await startGateway();
	[ada, bob, cat, ...others] = await Promise.all(['grp_ada', 'grp_bob', 'grp_cat', ...Array.from({ length: 8 }, (_, i) => `grp_other${i}`)].map((name) => account(gateway, name)));
});
after(() => gateway.stop());

const as = (user, method, path, body) => call(gateway, method, path, { token: user?.token, body });
const ok = async (user, method, path, body, status = [200, 201, 204]) => {
	const answer = await as(user, method, path, body);
	assert.ok([status].flat().includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`);
	return answer.json;
};
const refused = async (user, method, path, body, status, code, field) => {
	const answer = await as(user, method, path, body);
	assert.deepEqual([answer.status, answer.json.code, answer.json.field], [status, code, field], `${method} ${path}: ${answer.text}`);
};

// Opens a stream on the channel messages.
async function listen(user) {
	const client = await WebSocketClient.open(gateway, { headers: { authorization: `Bearer ${user.token}` } });
	client.heard = [];
	client.collect = () => {
		for (const frame of client.frames.filter(({ opcode, payload }) => opcode === 1 && payload.includes('"type":"events"'))) {
			client.heard.push(...JSON.parse(frame.payload).events);
			client.frames.splice(client.frames.indexOf(frame), 1);
		}
		return client.heard;
	};
	client.event = (name, fits = () => true) => client.until(() => client.collect().find((event) => event.event === name && fits(event.data)), name);
	await client.ask({ type: 'subscribe', channels: ['messages'] });
	return client;
}

test('one direct conversation a pair, whoever begins and however often', async () => {
	const made = await Promise.all(Array.from({ length: 8 }, (_, i) => as(i % 2 ? ada : bob, 'POST', '/conversations', { kind: 'direct', account_ids: [i % 2 ? bob.id : `@${ada.username}`] })));
	assert.equal(new Set(made.map(({ json }) => json.id)).size, 1, made.map(({ text }) => text).join('\n'));
	assert.equal(made.filter(({ status }) => status === 201).length + made.filter(({ status }) => status === 200).length, 8);
	const { id } = made[0].json;
	assert.equal((await ok(ada, 'POST', '/messages', { recipient_id: bob.id, text: 'hello' })).conversation_id, id);
	const [item] = (await ok(bob, 'GET', '/conversations')).items;
	assert.deepEqual([item.id, item.kind, item.members.map(({ username }) => username), item.unread_count, item.last_message.text, item.can_send], [id, 'direct', [ada.username], 1, 'hello', true]);
	assert.ok(!('cursor' in item));
	await refused(cat, 'GET', `/conversations/${id}`, undefined, 404, 'not_found', 'conversation_id');
	await refused(null, 'GET', '/conversations', undefined, 401, 'token_required', undefined);
	await refused(ada, 'POST', '/conversations', { kind: 'direct', account_ids: [ada.id] }, 422, 'invalid_value', 'account_id');
	await refused(ada, 'POST', '/conversations', { kind: 'crowd' }, 422, 'invalid_syntax', 'kind');
	await refused(ada, 'POST', '/conversations', { kind: 'group', title: 'x'.repeat(101) }, 422, 'rule_violated', 'title');
});

test('settings are one\'s own; the list comes in pages', async () => {
	for (const other of others) await ok(other, 'POST', '/messages', { recipient_id: cat.id, text: `by ${other.username}` });
	const stream = await listen(cat);
	const all = (await ok(cat, 'GET', '/conversations')).items.map(({ id }) => id);
	assert.equal((await ok(cat, 'PATCH', `/conversations/${all[5]}/settings`, { pinned: true })).pinned, true);
	assert.equal((await stream.event('conversation:settings')).data.pinned, true);
	await ok(cat, 'PATCH', `/conversations/${all[2]}/settings`, { archived: true, muted: true, muted_until: '2999-01-01T00:00:00Z' });
	const seen = [];
	for (let next = ''; next !== null;) {
		const page = await ok(cat, 'GET', `/conversations?limit=3${next && `&before=${next}`}`);
		seen.push(...page.items.map(({ id }) => id));
		next = page.next;
		await ok(others[seen.length % 8], 'POST', '/messages', { recipient_id: cat.id, text: 'meanwhile' });
	}
	assert.deepEqual(seen, [all[5], ...all.filter((id, i) => i !== 2 && i !== 5)]);
	assert.deepEqual((await ok(cat, 'GET', '/conversations?archived=true')).items.map(({ id, muted }) => [id, muted]), [[all[2], true]]);
	const unread = await ok(cat, 'GET', '/conversations/unread');
	assert.deepEqual([unread.conversations, unread.muted], [7, 1]);
	await ok(cat, 'DELETE', `/conversations/${all[5]}`);
	await stream.event('conversation:cleared', ({ conversation_id }) => conversation_id === all[5]);
	assert.ok(!(await ok(cat, 'GET', '/conversations')).items.some(({ id }) => id === all[5]));
	assert.equal((await ok(cat, 'GET', `/conversations/${all[5]}/messages`)).items.length, 0);
	await refused(cat, 'PATCH', `/conversations/${all[5]}/settings`, { muted: 'yes' }, 422, 'wrong_type', 'muted');
	await refused(cat, 'GET', '/conversations?before=nonsense', undefined, 422, 'invalid_value', 'before');
	stream.destroy();
});

test('a group: made, changed, joined, left; each member is told, nobody else', async () => {
	const streams = { ada: await listen(ada), bob: await listen(bob), cat: await listen(cat) };
	const group = await ok(ada, 'POST', '/conversations', { kind: 'group', title: 'Climbers', account_ids: [bob.id] }, 201);
	const path = `/conversations/${group.id}`;
	for (const name of ['ada', 'bob']) {
		const { data } = await streams[name].event('conversation:created', ({ conversation }) => conversation.id === group.id);
		assert.deepEqual([data.conversation.title, data.conversation.member_count, data.conversation.role], ['Climbers', 2, null]);
	}
	await refused(bob, 'PATCH', path, { title: 'Mine' }, 403, 'not_allowed', 'conversation_id');
	assert.equal((await ok(ada, 'PATCH', path, { title: 'Walkers', expire_after: 86400 })).expire_after, 86400);
	assert.equal((await streams.bob.event('conversation:updated')).data.conversation.title, 'Walkers');

	const invite = await ok(ada, 'POST', `${path}/invites`, { max_uses: 1, expires_in: 3600 }, 201);
	assert.match(invite.code, /^[\w-]{22}$/);
	const shown = await ok(cat, 'GET', `/invites/${invite.code}`);
	assert.deepEqual([shown.title, shown.member_count, shown.created_by, shown.uses], ['Walkers', 2, null, null]);
	const joined = await Promise.all([cat, cat, cat].map((user) => as(user, 'POST', `/invites/${invite.code}/join`)));
	assert.deepEqual(joined.map(({ status, json }) => [status, json.id]), Array(3).fill([200, group.id]));
	for (const stream of Object.values(streams)) {
		const { data } = await stream.event('conversation:member_added');
		assert.deepEqual([data.account.username, data.member.account.username, data.member.role], [cat.username, cat.username, 'member']);
	}
	await refused(others[0], 'POST', `/invites/${invite.code}/join`, undefined, 410, 'gone', 'code');
	await refused(others[0], 'POST', '/invites/0123456789/join', undefined, 404, 'not_found', 'code');
	await refused(others[0], 'POST', '/invites/!/join', undefined, 422, 'rule_violated', 'code');

	assert.equal((await ok(ada, 'PATCH', `${path}/members/@${bob.username}`, { role: 'admin' })).role, 'admin');
	assert.deepEqual((await ok(cat, 'GET', `${path}/members`)).items.map(({ account: { username }, role }) => [username, role]), [[ada.username, 'owner'], [bob.username, 'admin'], [cat.username, 'member']]);
	await streams.cat.event('conversation:member_changed', ({ member }) => member.role === 'admin');

	// who is removed is told, sees nothing any more, and does not come back by an invitation
	const open = await ok(bob, 'POST', `${path}/invites`, {}, 201);
	await ok(bob, 'DELETE', `${path}/members/${cat.id}`, undefined, 204);
	for (const stream of Object.values(streams)) {
		const { data } = await stream.event('conversation:member_removed');
		assert.deepEqual([data.conversation_id, data.account.username, data.target.username], [group.id, bob.username, cat.username]);
	}
	await ok(ada, 'POST', '/messages', { conversation_id: group.id, text: 'between us' });
	await streams.bob.event('message:received', ({ message }) => message.text === 'between us');
	await refused(cat, 'GET', path, undefined, 404, 'not_found', 'conversation_id');
	await refused(cat, 'POST', `/invites/${open.code}/join`, undefined, 403, 'not_allowed', 'code');

	// the owner leaves: the admin is it
	await ok(ada, 'DELETE', `${path}/members/me`, undefined, 204);
	assert.equal((await ok(bob, 'GET', path)).role, 'owner');
	await streams.bob.event('conversation:member_changed', ({ member }) => member.role === 'owner' && member.account.username === bob.username);
	await ok(bob, 'DELETE', `${path}/invites/${open.code}`, undefined, 204);
	await refused(others[0], 'GET', `/invites/${open.code}`, undefined, 410, 'gone', 'code');
	assert.ok(!streams.cat.collect().some(({ event, data }) => event === 'message:received' && data.message.text === 'between us'));
	for (const stream of Object.values(streams)) {
		const removed = stream.collect().filter(({ event, data }) => event === 'conversation:member_removed' && data.target.username === cat.username);
		assert.equal(removed.length, 1);
		stream.destroy();
	}
});

test('many join at once by an invitation for five: five do', async () => {
	const group = await ok(ada, 'POST', '/conversations', { kind: 'group', title: 'Five more' });
	const { code } = await ok(ada, 'POST', `/conversations/${group.id}/invites`, { max_uses: 5 });
	const answers = await Promise.all([...others, ...others].map((user) => as(user, 'POST', `/invites/${code}/join`)));
	assert.deepEqual([...new Set(answers.map(({ status }) => status))].sort(), [200, 410]);
	const now = await ok(ada, 'GET', `/conversations/${group.id}`);
	assert.equal(now.member_count, 6);
	assert.equal((await ok(ada, 'GET', `/conversations/${group.id}/invites`)).items[0].uses, 5);
	assert.equal((await ok(ada, 'GET', `/conversations/${group.id}/members?limit=4`)).items.length, 4);
	// and all leave at once: nothing is left but an owner less each time
	const members = sql(`SELECT account_id FROM roost_data.conversation_member WHERE conversation_id = ${group.id}`).split('\n');
	const gone = await Promise.all([ada, ...others].filter(({ id }) => members.includes(id)).map((user) => as(user, 'DELETE', `/conversations/${group.id}/members/me`)));
	assert.deepEqual(gone.map(({ status }) => status), Array(6).fill(204));
	assert.equal(sql(`SELECT member_count FROM roost_data.conversation WHERE id = ${group.id}`), '0');
});
