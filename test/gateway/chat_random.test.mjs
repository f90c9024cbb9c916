// Everything at once: friends, conversations, messages and blocks by accounts that know no order, over two gateways, while maintenance runs
// and accounts come to an end.  No request fails but by a rule, nobody waits for each other in a circle, and what stands at the end agrees.
// ROOST_TEST_OPERATIONS (1500), ROOST_TEST_CLIENTS (24), ROOST_TEST_SEED.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { account, call, liftLimits, sql, startGateway, until } from './lib.mjs';

const operations = Number(process.env.ROOST_TEST_OPERATIONS ?? 1500);
const width = Number(process.env.ROOST_TEST_CLIENTS ?? 24);
const first = Number(process.env.ROOST_TEST_SEED ?? Date.now() % 1e9);
let seed = first;
const random = (n) => {
	seed = (seed + 0x6d2b79f5) | 0;
	let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
	t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
	return ((t ^ (t >>> 14)) >>> 0) % n;
};
const pick = (list) => list[random(list.length)];

let gateways;
const people = [];
const gone = new Set();
before(async () => {
	liftLimits();
	gateways = [await startGateway(), await startGateway()];
	for (let i = 0; i < 8; i++) people.push({ ...await account(gateways[0], 'random'), places: [] });
	for (const owner of people.slice(0, 3)) found(await ask(owner, 'POST', '/conversations', { kind: 'group', account_ids: people.map(({ id }) => id) }), people);
	for (const me of people) await write(me, { conversation_id: pick(me.places), text: 'the first words' });
});
after(async () => { for (const gateway of gateways ?? []) await gateway.stop(); });

const messages = [];
const codes = ['nosuchcode'];
const requests = [];
const keep = (list, item, most = 30) => { list.push(item); if (list.length > most) list.splice(random(most / 2), 1); };
// These have come to know a conversation; they may not be in it any more.
function found(conversation, whom) {
	for (const user of conversation ? whom : []) if (!user.places.includes(conversation.id)) keep(user.places, conversation.id, 10);
}

// One request; what it may be refused for is a rule (4xx), and nothing else.
const seen = {};
async function ask(user, method, path, body) {
	const answer = await call(pick(gateways), method, path, { token: user.token, body });
	const kind = `${method} ${path.replace(/\?.*/, '').replace(/\d{6,}/g, ':id').replace(/invites\/.*?(\/join)?$/, 'invites/:code$1')}`;
	(seen[kind] ??= {})[answer.status] = (seen[kind][answer.status] ?? 0) + 1;
	assert.ok(answer.status < 500, `${kind}: ${answer.status} ${answer.text} ROOST_TEST_SEED=${first}`);
	return answer.status < 300 ? answer.json ?? true : null;
}

const alive = () => people.filter((user) => !gone.has(user));
const place = (me) => pick(random(10) ? me.places : pick(people).places);
const message = (me) => pick(random(10) ? messages.filter((one) => me.places.includes(one.place)) : messages) ?? messages[0];
async function write(me, body, path = '/messages') {
	const made = await ask(me, 'POST', path, body);
	if (made) { keep(messages, { id: made.id, place: made.conversation_id }, 60); found({ id: made.conversation_id }, [me, ...people.filter(({ id }) => id === body.recipient_id)]); }
}
const acts = [
	[4, async (me, other) => { const made = await ask(me, 'POST', '/friends/requests', { account_id: other.id }); if (made) keep(requests, { id: made.id, from: me, to: other }, 8); }],
	[4, async (me) => { const one = pick(requests); if (one) await ask(random(9) ? one.to : me, 'POST', `/friends/requests/${one.id}/${pick(['accept', 'accept', 'reject'])}`); }],
	[2, async (me) => { const one = pick(requests); if (one) await ask(random(9) ? one.from : me, 'DELETE', `/friends/requests/${one.id}`); }],
	[1, (me, other) => ask(me, 'DELETE', `/friends/${other.id}`)],
	[1, (me, other) => ask(me, 'POST', `/users/${other.id}/block`)],
	[3, (me, other) => ask(me, 'DELETE', `/users/${other.id}/block`)],
	[1, (me, other) => ask(me, 'POST', `/users/${other.id}/follow`)],
	[1, (me) => ask(me, 'PATCH', '/users/me', { message_policy: pick(['everyone', 'everyone', 'followed', 'friends']) })],
	[3, async (me, other) => found(await ask(me, 'POST', '/conversations', { kind: 'direct', account_ids: [other.id] }), [me, other])],
	[1, async (me) => {
		const others = alive().filter(() => random(2));
		found(await ask(me, 'POST', '/conversations', { kind: 'group', title: `group ${random(1e6)}`, account_ids: others.map(({ id }) => id) }), [me, ...others]);
	}],
	[6, (me, other) => ask(me, 'POST', `/conversations/${place(me)}/members`, { account_ids: [pick(people).id, other.id] })],
	[3, (me, other) => ask(me, 'DELETE', `/conversations/${place(me)}/members/${pick(['me', other.id])}`)],
	[5, (me, other) => ask(me, 'PATCH', `/conversations/${place(me)}/members/${pick(['me', other.id])}`, { role: pick(['owner', 'admin', 'member']) })],
	[3, async (me) => { const made = await ask(me, 'POST', `/conversations/${place(me)}/invites`, { max_uses: 1 + random(3) }); if (made) keep(codes, made.code); }],
	[6, async (me) => found(await ask(me, 'POST', `/invites/${pick(codes)}/join`), [me])],
	[1, (me) => ask(me, 'PATCH', `/conversations/${place(me)}`, { title: `title ${random(1e6)}`, expire_after: pick([0, 5, 3600]) })],
	[2, (me) => ask(me, 'PATCH', `/conversations/${place(me)}/settings`, { muted: random(2) === 0, archived: random(2) === 0, pinned: random(2) === 0 })],
	[1, (me) => ask(me, 'DELETE', `/conversations/${place(me)}`)],
	[30, (me, other) => write(me, { ...(random(3) ? { conversation_id: place(me) } : { recipient_id: other.id }), text: `words ${random(1e9).toString(36)} of ${random(1e9).toString(36)}`,
			...(random(2) ? { client_id: `c${random(50)}` } : {}), ...(random(4) ? {} : { reply_to_id: message(me).id }) })],
	[4, (me) => ask(me, 'PATCH', `/messages/${message(me).id}`, { text: `changed ${random(1e9).toString(36)}` })],
	[4, (me) => ask(me, 'DELETE', `/messages/${message(me).id}?for=${pick(['me', 'everyone', 'everyone'])}`)],
	[6, (me) => ask(me, 'PUT', `/messages/${message(me).id}/reactions/r${random(4)}`)],
	[3, (me) => ask(me, 'DELETE', `/messages/${message(me).id}/reactions/r${random(4)}`)],
	[5, (me) => ask(me, 'POST', `/messages/${message(me).id}/${pick(['read', 'delivered'])}`)],
	[5, (me) => ask(me, 'POST', `/conversations/${place(me)}/read`, {})],
	[2, (me, other) => write(me, random(2) ? { recipient_id: other.id } : { conversation_id: place(me) }, `/messages/${message(me).id}/forward`)],
	[1, (me) => ask(me, 'POST', '/reports', { message_id: message(me).id, category: 'spam' })],
	[3, (me) => ask(me, 'GET', pick(['/conversations', '/conversations/unread', '/friends', '/friends/requests', '/messages/search?q=words']))],
	[3, (me) => ask(me, 'GET', `/conversations/${place(me)}/${pick(['messages', 'members', 'export', 'invites'])}`)],
].flatMap(([weight, act]) => Array(weight).fill(act));

// What must be so whatever happened; each statement lists what is not.
const rules = {
	'members are counted': `SELECT c.id FROM roost_data.conversation c WHERE c.member_count <> (SELECT count(*) FROM roost_data.conversation_member m WHERE m.conversation_id = c.id)`,
	'a group has an owner': `SELECT c.id FROM roost_data.conversation c WHERE c.kind = 'group' AND c.member_count > 0
		AND NOT EXISTS (SELECT FROM roost_data.conversation_member m WHERE m.conversation_id = c.id AND m.role = 'owner')`,
	'the newest message is known': `SELECT c.id FROM roost_data.conversation c
		WHERE coalesce(c.last_message_id, 0) < (SELECT coalesce(max(m.id), 0) FROM roost_data.message m WHERE m.conversation_id = c.id)`,
	'messages are of a conversation': `SELECT m.id FROM roost_data.message m WHERE NOT EXISTS (SELECT FROM roost_data.conversation c WHERE c.id = m.conversation_id)`,
	'a client_id is there once': `SELECT min(m.id) FROM roost_data.message m WHERE m.client_id IS NOT NULL AND (m.expires_at IS NULL OR m.expires_at > now())
		GROUP BY m.conversation_id, m.sender_id, m.client_id HAVING count(*) > 1`,
	'messages answer messages of the same conversation': `SELECT m.id FROM roost_data.message m WHERE m.reply_to_id IS NOT NULL AND (m.reply_to_id & 1023) <> (m.id & 1023)`,
	'markers do not run ahead': `SELECT m.account_id FROM roost_data.conversation_member m JOIN roost_data.conversation c ON c.id = m.conversation_id
		WHERE greatest(m.read_id, m.delivered_id, m.receipt_id, m.since_id, m.cleared_id) > coalesce(c.last_message_id, 0) OR m.receipt_id > m.read_id`,
	'reactions are to messages that are there': `SELECT r.message_id FROM roost_data.message_reaction r WHERE NOT EXISTS (SELECT FROM roost_data.message m
		WHERE m.conversation_id = r.conversation_id AND m.id = r.message_id AND m.deleted_at IS NULL)`,
	'tombstones are empty': `SELECT m.id FROM roost_data.message m WHERE m.deleted_at IS NOT NULL AND (m.text IS NOT NULL OR m.media IS NOT NULL)`,
	'friendship is mutual': `SELECT f.account_id FROM roost_data.friendship f WHERE NOT EXISTS (SELECT FROM roost_data.friendship g WHERE g.account_id = f.friend_id AND g.friend_id = f.account_id)`,
	'friends do not ask each other': `SELECT r.id FROM roost_data.friend_request r JOIN roost_data.friendship f ON f.account_id = r.requester_id AND f.friend_id = r.recipient_id`,
	'nobody asks who asks': `SELECT r.id FROM roost_data.friend_request r JOIN roost_data.friend_request t ON t.requester_id = r.recipient_id AND t.recipient_id = r.requester_id`,
	'a block ends friendship': `SELECT f.account_id FROM roost_data.friendship f JOIN roost_data.account_block b ON (b.account_id, b.blocked_id) IN ((f.account_id, f.friend_id), (f.friend_id, f.account_id))`,
	'two accounts have one conversation': `SELECT d.conversation_id FROM roost_data.conversation_direct d LEFT JOIN roost_data.conversation c ON c.id = d.conversation_id WHERE c.id IS NULL
		UNION ALL SELECT c.id FROM roost_data.conversation c WHERE c.kind = 'direct' AND NOT EXISTS (SELECT FROM roost_data.conversation_direct d WHERE d.conversation_id = c.id)`,
	'invitations are not used too often': `SELECT i.id FROM roost_data.conversation_invite i WHERE i.uses > i.max_uses`,
	'who is gone is in no conversation': `SELECT m.account_id FROM roost_data.conversation_member m JOIN roost_data.account a ON a.id = m.account_id WHERE a.status = 'deleted'`,
	'who is gone has no friends, requests, reactions and bans': `SELECT a.id FROM roost_data.account a WHERE a.status = 'deleted' AND (
		EXISTS (SELECT FROM roost_data.friendship f WHERE a.id IN (f.account_id, f.friend_id)) OR EXISTS (SELECT FROM roost_data.friend_request r WHERE a.id IN (r.requester_id, r.recipient_id))
		OR EXISTS (SELECT FROM roost_data.message_reaction r WHERE r.account_id = a.id) OR EXISTS (SELECT FROM roost_data.conversation_ban b WHERE b.account_id = a.id))`,
};

test('whatever everybody does at once, it fails by rules only and agrees in the end', async () => {
	const deadlocks = () => Number(sql(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`));
	const before = deadlocks();
	let left = operations;
	const deletions = [0.4, 0.6, 0.8].map((part) => Math.floor(operations * part));
	await Promise.all(Array.from({ length: width }, async () => {
		while (left-- > 0) {
			const at = operations - left;
			if (deletions.includes(at)) {
				const leaver = pick(alive());
				gone.add(leaver);
				await ask(leaver, 'DELETE', '/users/me', { password: leaver.password });
			} else if (at % 100 === 0) {
				sql(`SELECT roost.maintenance_run('chat')`);
			} else {
				const me = pick(random(20) ? alive() : people);
				await pick(acts)(me, pick(people.filter((user) => user !== me)));
			}
		}
	}));
	if (process.env.ROOST_TEST_VERBOSE) console.log(Object.entries(seen).sort().map(([kind, statuses]) => `${kind} ${JSON.stringify(statuses)}`).join('\n'));
	sql(`SELECT roost.worker_sync(); SELECT pg_stat_clear_snapshot()`);
	await until(() => sql(`SELECT count(*) FROM roost_internal.feed_check()`) === '0', 'an empty roost.feed_check()');
	const broken = Object.entries(rules).map(([rule, statement]) => [rule, sql(statement)]).filter(([, found]) => found !== '');
	assert.deepEqual(broken, [], `ROOST_TEST_SEED=${first}`);
	assert.equal(deadlocks(), before, `ROOST_TEST_SEED=${first}`);
	// What each still here is told agrees with the tables.
	for (const me of alive()) {
		let [unread, items] = [];
		// (messages disappear meanwhile)
		await until(async () => {
			unread = await ask(me, 'GET', '/conversations/unread');
			items = [...(await ask(me, 'GET', '/conversations?limit=100')).items, ...(await ask(me, 'GET', '/conversations?limit=100&archived=true')).items].filter(({ unread_count }) => unread_count > 0);
			return unread.conversations + unread.muted === items.length;
		}, `the number of unread conversations, ROOST_TEST_SEED=${first}`, undefined, () => [unread, items]);
	}
});
