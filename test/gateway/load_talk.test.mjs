// Many people talk at once: friends, blocks, plain and encrypted conversations, members, messages, keys and devices, while sockets listen and
// some leave, are suspended or log out.  Every answer and every event matches its description; afterwards what is told equals the tables and
// nothing is left of those who are gone.  ROOST_TEST_OPERATIONS (2000), ROOST_TEST_CLIENTS (16), ROOST_TEST_SEED.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { WebSocketClient, account, call, checkEvent, liftLimits, sql, startGateway, until } from './lib.mjs';
import { identity, kyberPrekey, prekey, published } from './keys.mjs';

const STEPS = Number(process.env.ROOST_TEST_OPERATIONS ?? 2000);
const WORKERS = Number(process.env.ROOST_TEST_CLIENTS ?? 16);
const first = Number(process.env.ROOST_TEST_SEED ?? Date.now() % 1e9);
let seed = first;
const random = (n) => {
	seed = (seed + 0x6d2b79f5) | 0;
	let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
	t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
	return ((t ^ (t >>> 14)) >>> 0) % n;
};
const pick = (list) => list[random(list.length)];
const keep = (list, item, most = 40) => { list.push(item); if (list.length > most) list.splice(random(most / 2), 1); };

let gateway;
const people = []; // those who are there, each with its devices
const places = []; // conversations: { id, encrypted, who }: who has come to know it, and may not be in it any more
const messages = [];
const requests = [];
const codes = ['no-such-code'];
const listeners = [];
const wrong = []; // events that do not match
const heard = {};
const seen = {};
const content = Buffer.from('sealed').toString('base64');

// One request; what it may be refused for is a rule (4xx), and nothing else.
async function ask(me, method, path, body) {
	const device = pick(me.devices) ?? { token: me.token };
	const answer = await call(gateway, method, path, { token: device.token, body });
	const kind = `${method} ${path.replace(/\?.*/, '').replace(/\d{6,}/g, ':id').replace(/invites\/[^/]*/, 'invites/:code')}`;
	(seen[kind] ??= {})[answer.status] = (seen[kind][answer.status] ?? 0) + 1;
	assert.ok(answer.status < 500, `${kind}: ${answer.status} ${answer.text} ROOST_TEST_SEED=${first}`);
	if (answer.status === 401) me.devices = me.devices.filter((one) => one !== device);
	if (me.devices.length === 0 && people.includes(me)) await login(me);
	if (answer.status < 300) assert.ok(answer.status === 204 || answer.json, `${kind}: ${answer.status} without an answer`);
	return answer;
}
const done = async (...request) => { const answer = await ask(...request); return answer.status < 300 ? answer.json ?? true : null; };

// Logs a further device in; every other one has a name of its own.
async function login(me) {
	const name = random(2) ? `device-${random(3)}` : undefined;
	const answer = await call(gateway, 'POST', '/auth/login', { body: { identifier: me.username, password: me.password, ...(name ? { device: { id: name, name: 'a phone' } } : {}) } });
	assert.ok(answer.status < 500, answer.text);
	(seen['POST /auth/login'] ??= {})[answer.status] = (seen['POST /auth/login'][answer.status] ?? 0) + 1;
	if (answer.status !== 200) { me.refused = answer.text; return; }
	if (name) me.devices = me.devices.filter((one) => one.name !== name); // its former session has ended
	keep(me.devices, { token: answer.json.access_token, name }, 4);
}
async function enter() {
	const me = await account(gateway, 'talk');
	me.devices = [{ token: me.token }];
	me.identity = identity();
	people.push(me);
	await publish(me);
	return me;
}
const publish = (me) => done(me, 'PUT', '/encryption/keys', published(random(4) ? me.identity : me.identity = identity(), { prekeys: random(3), kyberPrekeys: random(3) }));

// Listens to what is addressed to somebody, until the session ends.
async function listen(me) {
	const client = await WebSocketClient.open(gateway, { headers: { authorization: `Bearer ${(pick(me.devices) ?? me).token}` } });
	client.drain = async () => {
		for (const frame of client.frames.splice(0)) {
			const message = frame.opcode === 1 && JSON.parse(frame.payload);
			for (const event of message.type === 'events' ? message.events : []) {
				heard[event.event] = (heard[event.event] ?? 0) + 1;
				await checkEvent(gateway, event).catch((error) => wrong.push(error.message));
			}
		}
	};
	listeners.push(client);
	await client.ask({ type: 'subscribe', channels: ['messages', 'notifications', ...places.slice(-3).map(({ id }) => `conversation:${id}`)] });
	client.timer = setInterval(() => client.drain(), 50);
}

function found(conversation, whom) {
	if (!conversation) return;
	let one = places.find(({ id }) => id === conversation.id);
	if (!one) keep(places, one = { id: conversation.id, encrypted: conversation.encryption === 'e2ee', who: new Set() });
	for (const user of whom) one.who.add(user);
}
const place = (me, fits = () => true) => pick(places.filter((one) => (random(12) === 0 || one.who.has(me)) && fits(one))) ?? pick(places) ?? { id: '1' };
const message = (me) => {
	const here = random(12) ? places.filter(({ who }) => who.has(me)).map(({ id }) => id) : undefined;
	return pick(messages.filter((one) => !here || here.includes(one.place))) ?? pick(messages) ?? { id: '1', place: '1' };
};
const of = (one) => random(3) ? `?conversation_id=${one.place}` : '';
const written = (made) => made && keep(messages, { id: made.id, place: made.conversation_id });
const words = () => `words ${random(1e9).toString(36)} of ${random(1e9).toString(36)}`;

// A message with an envelope for each device, or one ciphertext for all; refused ones are corrected once.
async function seal(me, to) {
	for (let attempt = 0; attempt < 2; attempt++) {
		const list = await done(me, 'GET', `/encryption/conversations/${to.id}/devices`);
		const one = pick(me.devices);
		if (!list || !one) return;
		const status = await call(gateway, 'GET', '/encryption/keys', { token: one.token });
		if (status.status !== 200) return;
		const others = list.devices.filter(({ account_id: id, device }) => id !== me.id || device !== status.json.device);
		const envelopes = others.map(({ account_id, device, registration_id }) => ({ account_id, device, registration_id, type: 2, content }));
		const body = random(2) ? { envelopes } : { content, devices_version: list.devices_version, envelopes: envelopes.slice(0, random(2)) };
		const answer = await call(gateway, 'POST', '/messages', { token: one.token, body: { conversation_id: to.id, ...body, ...(random(2) ? { client_id: `s${random(50)}` } : {}) } });
		(seen['POST sealed'] ??= {})[answer.status] = (seen['POST sealed'][answer.status] ?? 0) + 1;
		assert.ok(answer.status < 500, answer.text);
		if (answer.status < 300) return written(answer.json);
	}
}

const acts = [
	[6, async (me, other) => { const made = await done(me, 'POST', '/friends/requests', { account_id: other.id }); if (made) keep(requests, { id: made.id, from: me, to: other }, 8); }],
	[6, (me) => { const one = pick(requests); return one && ask(random(9) ? one.to : me, 'POST', `/friends/requests/${one.id}/${pick(['accept', 'accept', 'reject'])}`); }],
	[2, (me) => { const one = pick(requests); return one && ask(random(9) ? one.from : me, 'DELETE', `/friends/requests/${one.id}`); }],
	[2, (me, other) => ask(me, 'DELETE', `/friends/${other.id}`)],
	[1, (me, other) => ask(me, 'POST', `/users/${other.id}/block`)],
	[3, (me, other) => ask(me, 'DELETE', `/users/${other.id}/block`)],
	[2, (me) => ask(me, 'PATCH', '/users/me', { message_policy: pick(['everyone', 'everyone', 'followed', 'friends']) })],
	[5, async (me, other) => found(await done(me, 'POST', '/conversations', { kind: 'direct', account_ids: [other.id], ...(random(2) ? { encryption: 'e2ee' } : {}) }), [me, other])],
	[3, async (me) => {
		const others = people.filter(() => random(2));
		found(await done(me, 'POST', '/conversations', { kind: 'group', title: words(), account_ids: others.map(({ id }) => id), encryption: pick(['none', 'e2ee']), expire_after: pick([0, 0, 5, 3600]) }), [me, ...others]);
	}],
	[8, async (me, other) => {
		const [to, third] = [place(me), pick(people)];
		if (await done(me, 'POST', `/conversations/${to.id}/members`, { account_ids: [third.id, other.id] })) found(to, [third, other]);
	}],
	[4, (me, other) => ask(me, 'DELETE', `/conversations/${place(me).id}/members/${pick(['me', other.id])}`)],
	[5, (me, other) => ask(me, 'PATCH', `/conversations/${place(me).id}/members/${pick(['me', other.id])}`, { role: pick(['owner', 'admin', 'member']) })],
	[3, async (me) => { const made = await done(me, 'POST', `/conversations/${place(me).id}/invites`, { max_uses: 1 + random(3) }); if (made) keep(codes, made.code); }],
	[5, async (me) => found(await done(me, 'POST', `/invites/${pick(codes)}/join`), [me])],
	[1, (me) => ask(me, pick(['DELETE', 'GET']), `/invites/${pick(codes)}`)],
	[3, (me) => ask(me, 'PATCH', `/conversations/${place(me).id}`, { title: words(), expire_after: pick([0, 5, 3600]) })],
	[2, (me) => ask(me, 'PATCH', `/conversations/${place(me).id}`, random(4) ? { expire_after: pick([0, 5]) } : { encryption: 'e2ee' })],
	[4, (me) => ask(me, 'PATCH', `/conversations/${place(me).id}/settings`, { muted: random(2) === 0, archived: random(2) === 0, pinned: random(2) === 0 })],
	[2, (me) => ask(me, 'DELETE', `/conversations/${place(me).id}`)],
	[24, async (me, other) => written(await done(me, 'POST', '/messages', { ...(random(3) ? { conversation_id: place(me).id } : { recipient_id: other.id }), text: words(),
		...(random(2) ? { client_id: `c${random(50)}` } : {}), ...(random(4) ? {} : { reply_to_id: message(me).id }) }))],
	[14, (me) => seal(me, place(me, ({ encrypted }) => encrypted))],
	[5, (me) => { const one = message(me); return ask(me, 'PATCH', `/messages/${one.id}${of(one)}`, { text: words() }); }],
	[6, (me) => { const one = message(me); return ask(me, 'DELETE', `/messages/${one.id}?for=${pick(['me', 'everyone'])}`); }],
	[8, (me) => ask(me, 'PUT', `/messages/${message(me).id}/reactions/r${random(4)}`)],
	[5, (me) => ask(me, 'DELETE', `/messages/${message(me).id}/reactions${pick(['', '/r1', '/r2'])}`)],
	[6, (me) => ask(me, 'POST', `/messages/${message(me).id}/${pick(['read', 'delivered'])}`)],
	[6, (me) => ask(me, 'POST', `/conversations/${place(me).id}/read`, {})],
	[2, async (me, other) => written(await done(me, 'POST', `/messages/${message(me).id}/forward`, random(2) ? { recipient_id: other.id } : { conversation_id: place(me).id }))],
	[1, (me) => ask(me, 'POST', '/reports', { message_id: message(me).id, category: 'spam' })],
	[2, (me) => ask(me, 'PUT', '/messages/settings', { read_receipts: random(3) > 0 })],
	[2, (me) => ask(me, 'POST', `/conversations/${place(me).id}/call`, { event: pick(['call:offer', 'call:hangup']), data: {} })],
	[6, (me) => ask(me, 'GET', pick(['/conversations', '/conversations?archived=true', '/conversations/unread', '/friends', '/friends/requests', '/messages/search?q=words', '/encryption/devices']))],
	[6, (me) => ask(me, 'GET', `/conversations/${place(me).id}${pick(['', '/messages?limit=5', '/members', '/export?limit=5', '/invites'])}`)],
	[5, (me) => ask(me, 'GET', `/messages/${message(me).id}${pick(['', '/receipts', '/reactions'])}`)],
	[4, async (me) => { const page = await done(me, 'GET', `/events?channels=messages${me.cursor ? `&after=${me.cursor}` : ''}`); if (page) me.cursor = page.cursor; }],
	[4, publish],
	[2, (me) => ask(me, 'POST', '/encryption/prekeys', { prekeys: [prekey(random(100))], kyber_prekeys: [kyberPrekey(me.identity, random(100))] })],
	[5, (me) => ask(me, 'GET', '/encryption/keys')],
	[6, (me, other) => ask(me, 'POST', '/encryption/bundles', { account_id: other.id, ...(random(2) ? { device: 1 } : {}) })],
	[3, (me, other) => ask(me, 'GET', `/encryption/accounts/${other.id}/devices`)],
	[3, (me) => ask(me, 'DELETE', `/encryption/devices/${1 + random(2)}`)],
	[8, async (me) => {
		const page = await done(me, 'GET', '/encryption/envelopes?limit=20');
		if (page?.items.length) await ask(me, 'POST', '/encryption/envelopes/ack', random(3) ? { ids: page.items.map(({ id }) => id) } : { conversation_id: page.items[0].conversation_id, up_to: page.items[0].id });
	}],
	[2, async (me) => {
		const to = place(me, ({ encrypted }) => encrypted);
		const list = await done(me, 'GET', `/encryption/conversations/${to.id}/devices`);
		if (list?.devices.length) await ask(me, 'POST', '/encryption/envelopes', { conversation_id: to.id, envelopes: [list.devices[0]].map(({ account_id, device, registration_id }) => ({ account_id, device, registration_id, type: 8, content })) });
	}],
	[3, login],
	[2, async (me) => { if (me.devices.length > 1) await call(gateway, 'POST', '/auth/logout', { token: me.devices.splice(random(me.devices.length), 1)[0].token }); }],
	[1, async (me) => { await listen(me).catch((error) => { if (!/401 unauthorized|session has been revoked/.test(error.message)) throw error; }); }], // (its session may just end)
].flatMap(([weight, act]) => Array(weight).fill(act));

// What happens from time to time: somebody leaves, is suspended for a while, or what is old is swept.
const turns = [
	async () => {
		const me = people.splice(random(people.length), 1)[0];
		await ask(me, 'DELETE', '/users/me', { password: me.password });
		await enter();
	},
	async () => {
		const me = pick(people);
		sql(`SELECT roost_internal.account_status_set(${me.id}, 'suspended', now() + interval '1 hour', 'a test')`);
		for (let i = 0; i < 3; i++) await pick(acts)(me, pick(people));
		sql(`SELECT roost_internal.account_status_set(${me.id}, 'active', NULL, NULL) WHERE EXISTS (SELECT FROM roost_data.account WHERE id = ${me.id} AND status = 'suspended')`);
		await login(me);
	},
	async () => sql(`SELECT roost.maintenance_run('${pick(['chat', 'conversation', 'envelope', 'key'])}')`),
	async () => sql(`UPDATE roost_data.message x SET expires_at = roost_internal.clock_now() + interval '0.1 s' FROM (SELECT m.conversation_id, m.id FROM roost_data.message m
		WHERE m.expires_at > roost_internal.clock_now() ORDER BY m.expires_at DESC LIMIT 20 FOR UPDATE SKIP LOCKED) o WHERE x.conversation_id = o.conversation_id AND x.id = o.id`),
];

const deadlocks = () => Number(sql(`SELECT pg_stat_clear_snapshot(); SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`));
let before_;
before(async () => {
	liftLimits();
	sql('ALTER ROLE roost_gateway SET roost.limit_enabled = off'); // also those of each account, for logins and keys
	gateway = await startGateway();
	before_ = deadlocks();
	for (let i = 0; i < 12; i++) await enter();
	for (const me of people.slice(0, 4)) found(await done(me, 'POST', '/conversations', { kind: 'group', account_ids: people.map(({ id }) => id), encryption: pick(['none', 'e2ee']) }), people);
	for (const me of people.slice(0, 6)) await listen(me);
});
after(async () => {
	for (const client of listeners) { clearInterval(client.timer); client.destroy(); }
	await gateway?.stop();
	sql('ALTER ROLE roost_gateway RESET roost.limit_enabled');
});

test('everything at once', async () => {
	let left = STEPS;
	const ends = await Promise.allSettled(Array.from({ length: WORKERS }, async () => {
		try {
			while (left-- > 0) {
				if (left % 50 === 0) await turns[(left / 50) % turns.length]();
				else { const me = pick(people); await pick(acts)(me, pick(people.filter((user) => user !== me))); }
			}
		} finally {
			left = 0; // nobody goes on after a failure
		}
	}));
	for (const { reason } of ends) if (reason) throw reason;
	if (process.env.ROOST_TEST_VERBOSE) console.log(Object.entries(seen).sort().map(([kind, statuses]) => `${kind} ${JSON.stringify(statuses)}`).join('\n'), heard);
	const count = (status) => Object.values(seen).reduce((sum, statuses) => sum + (statuses[status] ?? 0), 0);
	assert.ok(count(200) > STEPS / 10 && count(201) > STEPS / 20 && count(204) > STEPS / 20, JSON.stringify(seen));
});

test('whoever listens hears what matches its description', async () => {
	sql('SELECT roost.worker_sync()');
	const me = people[0];
	me.devices = [];
	await login(me);
	await listen(me);
	const last = listeners.at(-1);
	clearInterval(last.timer);
	assert.ok(await done(me, 'POST', '/conversations', { kind: 'group', title: 'the last' }));
	await last.until(() => last.frames.some(({ payload }) => payload.includes('the last')), 'the last event');
	for (const client of listeners) await client.drain();
	assert.deepEqual(wrong, [], `ROOST_TEST_SEED=${first}`);
	for (const event of ['message:received', 'conversation:created', 'encryption:devices_changed']) assert.ok(heard[event] > 0, `${event}: ${JSON.stringify(heard)}`);
});

test('nobody waited for each other in a circle', async () => {
	// (the server's counters come a moment later)
	sql('SELECT pg_stat_force_next_flush()');
	assert.equal(deadlocks(), before_, `ROOST_TEST_SEED=${first}`);
});

test('what has disappeared goes with what belongs to it', () => {
	sql(`UPDATE roost_data.message SET expires_at = '2020-01-01' WHERE expires_at <= roost_internal.clock_now() + interval '10 s'`);
	for (const module of ['chat', 'conversation', 'envelope', 'key']) assert.equal(sql(`SELECT count(error) FROM roost.maintenance_run('${module}')`), '0', module);
	assert.equal(sql(`SELECT count(*) FROM roost_data.message WHERE expires_at <= roost_internal.clock_now()`), '0');
	assert.equal(sql(`SELECT count(*) FROM roost_data.conversation WHERE member_count = 0`), '0');
});

test('the log agrees with the tables', () => until(() => sql(`SELECT roost.worker_sync()`) && sql(`SELECT count(*) FROM roost_internal.feed_check()`) === '0', 'an empty roost.feed_check()'));

const same = (what, query) => test(what, () => assert.equal(sql(`SELECT string_agg(wrong::text, ' ') FROM (SELECT * FROM (${query}) w LIMIT 5) wrong`), '', `ROOST_TEST_SEED=${first}`));
const gone = `SELECT a.id FROM roost_data.account a WHERE a.status = 'deleted'`;
const pair = (table, one, other) => `SELECT t.${one}, t.${other} FROM roost_data.${table} t`;
const there = `EXISTS (SELECT FROM roost_data.message m WHERE m.conversation_id = t.conversation_id AND m.id = t.message_id)`;

same('members are counted', `SELECT c.id FROM roost_data.conversation c WHERE c.member_count <> (SELECT count(*) FROM roost_data.conversation_member m WHERE m.conversation_id = c.id)`);
same('a group has an owner', `SELECT c.id FROM roost_data.conversation c WHERE c.kind = 'group' AND NOT EXISTS (SELECT FROM roost_data.conversation_member m WHERE m.conversation_id = c.id AND m.role = 'owner')`);
same('two accounts have one conversation, and only they are in it', `
	SELECT d.conversation_id FROM roost_data.conversation_direct d LEFT JOIN roost_data.conversation c ON c.id = d.conversation_id WHERE c.kind IS DISTINCT FROM 'direct'
	UNION ALL SELECT c.id FROM roost_data.conversation c LEFT JOIN roost_data.conversation_direct d ON d.conversation_id = c.id
		WHERE c.kind = 'direct' AND (d.low_id IS NULL OR EXISTS (SELECT FROM roost_data.conversation_member m WHERE m.conversation_id = c.id AND m.account_id NOT IN (d.low_id, d.high_id)))`);
same('the newest message is known', `SELECT c.id FROM roost_data.conversation c WHERE coalesce(c.last_message_id, 0) < (SELECT coalesce(max(m.id), 0) FROM roost_data.message m WHERE m.conversation_id = c.id)`);
same('markers do not run ahead', `SELECT m.conversation_id, m.account_id FROM roost_data.conversation_member m JOIN roost_data.conversation c ON c.id = m.conversation_id
	WHERE greatest(m.read_id, m.delivered_id, m.receipt_id, m.since_id, m.cleared_id) > coalesce(c.last_message_id, 0) OR m.receipt_id > m.read_id`);
for (const table of ['message', 'message_reaction', 'message_hidden', 'conversation_direct', 'conversation_member', 'conversation_invite', 'conversation_ban'])
	same(`${table} is of conversations that are there`, `SELECT t.conversation_id FROM roost_data.${table} t WHERE NOT EXISTS (SELECT FROM roost_data.conversation c WHERE c.id = t.conversation_id)`);
same('reactions are to messages that are there', `SELECT t.message_id FROM roost_data.message_reaction t WHERE NOT EXISTS (SELECT FROM roost_data.message m
	WHERE m.conversation_id = t.conversation_id AND m.id = t.message_id AND m.deleted_at IS NULL)`);
same('what is hidden is there, and its member', `SELECT t.message_id, t.account_id FROM roost_data.message_hidden t WHERE NOT ${there}
	OR NOT EXISTS (SELECT FROM roost_data.conversation_member m WHERE m.conversation_id = t.conversation_id AND m.account_id = t.account_id AND t.message_id > m.cleared_id)`);
same('tombstones are empty', `SELECT m.id FROM roost_data.message m WHERE m.deleted_at IS NOT NULL AND (m.text IS NOT NULL OR m.media IS NOT NULL OR m.reply_to_id IS NOT NULL)`);
same('a client_id is there once', `SELECT min(m.id) FROM roost_data.message m WHERE m.client_id IS NOT NULL GROUP BY m.conversation_id, m.sender_id, m.client_id HAVING count(*) > 1`);
same('envelopes are for devices that are there', `SELECT t.account_id, t.number FROM roost_data.message_envelope t WHERE NOT EXISTS (SELECT FROM roost_data.key_device d WHERE d.account_id = t.account_id AND d.number = t.number)`);
same('envelopes are of messages that are there', `SELECT t.id FROM roost_data.message_envelope t WHERE t.message_id IS NOT NULL AND NOT EXISTS (SELECT FROM roost_data.message m
	WHERE m.conversation_id = t.conversation_id AND m.id = t.message_id AND m.encrypted AND m.deleted_at IS NULL)`);
same('each ciphertext is waited for, and there', `SELECT c.message_id FROM roost_data.message_ciphertext c WHERE NOT EXISTS (SELECT FROM roost_data.message_envelope e WHERE e.message_id = c.message_id AND e.content IS NULL)
	UNION ALL SELECT e.message_id FROM roost_data.message_envelope e WHERE e.content IS NULL AND NOT EXISTS (SELECT FROM roost_data.message_ciphertext c WHERE c.message_id = e.message_id)`);
same('what is encrypted is in an encrypted conversation', `SELECT m.id FROM roost_data.message m JOIN roost_data.conversation c ON c.id = m.conversation_id WHERE m.encrypted AND c.encryption = 'none'`);
same('keys are of devices that may come back', `SELECT k.device_id FROM roost_data.key_device k JOIN roost_data.device d ON d.id = k.device_id
	WHERE d.client_id IS NULL AND NOT EXISTS (SELECT FROM roost_data.session s WHERE s.device_id = d.id AND s.revoked_at IS NULL)`);
same('friendship is mutual', `${pair('friendship', 'account_id', 'friend_id')} WHERE NOT EXISTS (SELECT FROM roost_data.friendship f WHERE f.account_id = t.friend_id AND f.friend_id = t.account_id)`);
same('friends do not ask each other', `${pair('friend_request', 'requester_id', 'recipient_id')} JOIN roost_data.friendship f ON f.account_id = t.requester_id AND f.friend_id = t.recipient_id`);
same('nobody asks who asks', `${pair('friend_request', 'requester_id', 'recipient_id')} JOIN roost_data.friend_request r ON r.requester_id = t.recipient_id AND r.recipient_id = t.requester_id`);
for (const [table, one, other] of [['friendship', 'account_id', 'friend_id'], ['friend_request', 'requester_id', 'recipient_id']]) {
	same(`a block ends ${table}`, `${pair(table, one, other)} JOIN roost_data.account_block b ON (b.account_id, b.blocked_id) IN ((t.${one}, t.${other}), (t.${other}, t.${one}))`);
	same(`${table} is between people who are there`, `${pair(table, one, other)} WHERE t.${one} IN (${gone}) OR t.${other} IN (${gone})`);
}
for (const table of ['conversation_member', 'conversation_ban', 'message_reaction', 'message_hidden', 'message_envelope', 'chat_setting', 'presence_setting', 'key_device', 'key_prekey', 'key_registration', 'device'])
	same(`${table} is of people who are there`, `SELECT t.account_id FROM roost_data.${table} t WHERE t.account_id IN (${gone})`);
same('no session outlives its account', `SELECT s.id FROM roost_data.session s WHERE s.revoked_at IS NULL AND s.account_id IN (${gone})`);
same('invitations are not used too often', `SELECT i.id FROM roost_data.conversation_invite i WHERE i.uses > i.max_uses`);
same('cases of messages say what there is to see', `SELECT c.id FROM roost_data.moderation_case c WHERE c.subject_type = 'message' AND c.snapshot IS NULL`);

test('what each is told equals the tables', async () => {
	for (const me of people) {
		me.devices = [];
		await login(me);
		assert.equal(me.devices.length, 1, `${me.refused} ROOST_TEST_SEED=${first}`);
		const unread = (id, kind) => sql(`SELECT count(*) FROM roost_data.conversation_member o JOIN roost_data.message m ON m.conversation_id = o.conversation_id AND m.id > greatest(o.read_id, o.since_id, o.cleared_id)
			WHERE o.account_id = ${me.id} AND o.conversation_id = ${id} AND m.sender_id <> ${me.id} AND m.action IS NULL AND m.deleted_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > now())
			AND NOT EXISTS (SELECT FROM roost_data.message_hidden h WHERE h.message_id = m.id AND h.account_id = o.account_id)
			AND ('${kind}' = 'direct' OR NOT EXISTS (SELECT FROM roost_data.account_block b WHERE (b.account_id, b.blocked_id) IN ((o.account_id, m.sender_id), (m.sender_id, o.account_id))))`);
		const get = async (path) => {
			const answer = await call(gateway, 'GET', path, { token: me.devices[0].token });
			assert.equal(answer.status, 200, answer.text);
			return answer.json;
		};
		// (messages disappear meanwhile)
		let [told, counted, sum] = [];
		await until(async () => {
			const items = [...(await get('/conversations?limit=100')).items, ...(await get('/conversations?limit=100&archived=true')).items];
			told = items.map(({ unread_count: n }) => n);
			counted = items.map(({ id, kind }) => Number(unread(id, kind)));
			sum = await get('/conversations/unread');
			return JSON.stringify(told) === JSON.stringify(counted) && sum.conversations + sum.muted === told.filter((n) => n > 0).length;
		}, `the unread messages of ${me.username}, ROOST_TEST_SEED=${first}`, undefined, () => [told, counted, sum]);
	}
});
