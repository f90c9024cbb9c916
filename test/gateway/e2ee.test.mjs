// Encrypted conversations with real clients: libsignal's sessions (PQXDH, Double Ratchet) and sender keys, through
// roost. What they say is nowhere on the server.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { account, call, liftLimits, lines, sql, startGateway, until } from './lib.mjs';
import { SignalDevice, signal } from './signal.mjs';

const skip = signal ? false : '@signalapp/libsignal-client is not there, or does not run here (it needs node 20.11)';
const said = []; // every text that was ever sent sealed
const secret = (about) => { const text = `sealed ${about} ${randomUUID()}`; said.push(text); return text; };
const PLAIN = `open ${randomUUID()}`;
let gateway;
const devices = {}; // alice1, alice2, bob1 …
const identities = {};

// Logs another device of an account in.
async function again(user) {
	const answer = await call(gateway, 'POST', '/auth/login', { body: { identifier: user.username, password: user.password } });
	assert.equal(answer.status, 200, answer.text);
	return { ...user, token: answer.json.access_token };
}

async function link(user, name, options) {
	devices[name] = await new SignalDevice(gateway, user, identities[user.id] ??= signal.IdentityKeyPair.generate()).publish(options);
	await devices[name].listen();
	return devices[name];
}

// Has devices hear of a message, fetch, and open it; resolves when all have got this text.
async function arrives(text, message, ...names) {
	for (const name of names) {
		const device = devices[name];
		const { message: told } = (await device.event('message:received', (data) => data.message.id === message.id)).data;
		assert.equal(told.text, null);
		assert.equal(told.encrypted, true);
		assert.ok((await device.receive()).includes(text), `${name} has got it`);
	}
}

const problems = async (device, body) => {
	const answer = await device.ask('PUT', '/encryption/keys', body);
	return `${answer.status} ${answer.json?.field}`;
};

before(async () => {
	if (skip) return;
	liftLimits();
	sql(`ALTER SYSTEM SET log_min_duration_statement = 0`);
	sql(`SELECT pg_reload_conf()`);
	gateway = await startGateway({ 'access-log': '-' });
	for (const name of ['alice', 'bob', 'carol']) {
		const user = await account(gateway, name);
		await link(user, `${name}1`);
		await link(await again(user), `${name}2`);
	}
});
after(async () => {
	for (const device of Object.values(devices)) device.socket?.destroy();
	await gateway?.stop();
});

let direct; // of alice and bob

test('a first message to an account: bundles, sessions, all devices', { skip }, async () => {
	const { alice1, alice2, bob1, bob2 } = devices;
	const text = secret('hello bob');
	const targets = [...(await alice1.done('GET', `/encryption/accounts/${bob1.user.id}/devices`)).items,
		...(await alice1.done('GET', '/encryption/devices')).items.map((device) => ({ ...device, account_id: alice1.user.id }))]
		.filter(({ account_id: id, device }) => id !== alice1.user.id || device !== alice1.number);
	assert.equal(targets.length, 3);
	const answer = await alice1.post({ recipient_id: bob1.user.id, envelopes: await alice1.encryptAll(targets, text) });
	assert.equal(answer.status, 201, answer.text);
	assert.equal(answer.json.text, null);
	assert.equal(answer.json.state, 'sent');
	direct = answer.json.conversation_id;
	const conversation = await alice1.done('GET', `/conversations/${direct}`);
	assert.equal(conversation.encryption, 'e2ee');
	assert.equal(conversation.last_message.text, null);
	await arrives(text, answer.json, 'bob1', 'bob2', 'alice2');
	for (const device of [alice2, bob1, bob2]) {
		assert.deepEqual(await device.waiting(), [], 'what was acknowledged is gone');
		assert.equal(device.prekeys.oneTime.size, 4, 'one prekey was used, and forgotten');
	}
	assert.equal((await alice1.done('GET', `/messages/${answer.json.id}`)).state, 'delivered');
	await alice1.event('message:delivered', (data) => data.message_id === answer.json.id && data.account.id === bob1.user.id);
});

test('both directions, over HTTP and in calls of a socket', { skip }, async () => {
	for (const [from, to, by] of [['bob1', ['bob2', 'alice1', 'alice2'], 'http'], ['alice2', ['alice1', 'bob1', 'bob2'], 'socket'],
		['bob2', ['bob1', 'alice1', 'alice2'], 'socket'], ['alice1', ['alice2', 'bob1', 'bob2'], 'http'], ['bob1', ['bob2', 'alice1', 'alice2'], 'socket']]) {
		const text = secret(`from ${from}`);
		const message = await devices[from].send(direct, text, { by });
		assert.equal(message.conversation_id, direct);
		await arrives(text, message, ...to);
	}
	const history = (await devices.bob1.done('GET', `/conversations/${direct}/messages`)).items;
	assert.ok(history.length >= 6);
	assert.ok(history.every(({ text }) => text === null), 'the history has no content');
});

test('out of order, and after a week without a connection', { skip }, async () => {
	const { alice1, bob1, bob2 } = devices;
	bob2.socket.destroy();
	const texts = [];
	for (let i = 0; i < 25; i++) {
		texts.push(secret(`number ${i}`));
		await (i % 3 ? alice1 : bob1).send(direct, texts[i]);
	}
	await bob2.listen(); // from where it was
	assert.equal((await bob2.waiting()).length, 25, 'all wait');
	const seen = new Set();
	await until(async () => {
		await bob2.socket.ask({ type: 'ping' });
		await bob2.event('message:received');
		for (const event of bob2.heard) if (event.event === 'message:received') seen.add(event.data.message.id);
		return seen.size >= 25;
	}, 'the events that were missed');
	const order = (items) => [...items].sort((a, b) => Number(BigInt(a.id) % 7n) - Number(BigInt(b.id) % 7n) || (BigInt(b.id) > BigInt(a.id) ? 1 : -1));
	const got = await bob2.receive({ order });
	assert.notDeepEqual(got, texts);
	assert.deepEqual([...got].sort(), [...texts].sort(), 'each once, whatever the order');
	assert.deepEqual(await bob2.waiting(), []);
	for (const device of [alice1, devices.alice2, bob1]) await device.receive();
});

test('what was not acknowledged comes again; ids of others are not deleted', { skip }, async () => {
	const { alice1, alice2, bob1, bob2 } = devices;
	const [first, second] = [secret('kept'), secret('kept, too')];
	await alice1.send(direct, first);
	const message = await alice1.send(direct, second);
	const [a, b] = await bob1.waiting();
	assert.deepEqual((await bob1.waiting()).map(({ id }) => id), [a.id, b.id]);
	await bob2.done('POST', '/encryption/envelopes/ack', { conversation_id: direct, up_to: a.id });
	assert.equal((await bob1.waiting()).length, 2);
	assert.equal((await bob2.waiting()).length, 1);
	await bob1.done('POST', '/encryption/envelopes/ack', { ids: [b.id] });
	assert.equal((await alice1.done('GET', `/messages/${message.id}`)).state, 'sent', 'the one before it still waits');
	assert.equal(await bob1.open(a), first);
	assert.equal(await bob1.open(b), second);
	await bob1.done('POST', '/encryption/envelopes/ack', { ids: [a.id, b.id] });
	assert.equal((await alice1.done('GET', `/messages/${message.id}`)).state, 'delivered');
	await bob2.open(a).catch(() => {}); // was for another device
	await bob2.receive();
	await alice2.receive();
});

test('a device that is linked in the middle: 409 with the right list, and once more', { skip }, async () => {
	const { alice1, bob1 } = devices;
	const bob3 = await link(await again(bob1.user), 'bob3');
	for (const name of ['alice1', 'bob1']) {
		const { data } = await devices[name].event('encryption:devices_changed', ({ conversation_id: id }) => id === direct);
		assert.deepEqual([data.account_id, data.identity_changed], [bob1.user.id, false]);
	}
	const count = () => Number(sql(`SELECT count(*) FROM roost_data.message WHERE conversation_id = ${direct}`));
	const former = count();
	for (const by of ['http', 'socket']) {
		const known = alice1.devices.get(direct);
		alice1.devices.set(direct, { ...known, list: known.list.filter(({ account_id: id, device }) => id !== bob1.user.id || device !== bob3.number) });
		const refused = [];
		const text = secret(`to three devices, ${by}`);
		const message = await alice1.send(direct, text, { by, refused });
		assert.equal(refused.length, 1);
		assert.deepEqual(refused[0], { missing: [{ account_id: bob1.user.id, device: bob3.number, registration_id: bob3.registration }], extra: [], stale: [],
			more: false, devices_version: refused[0].devices_version });
		await arrives(text, message, 'bob3', 'bob1', 'bob2', 'alice2');
	}
	assert.equal(count(), former + 2, 'what was refused left nothing');
	// and one that is gone
	await bob1.done('DELETE', `/encryption/devices/${bob3.number}`);
	const refused = [];
	await alice1.send(direct, secret('to two again'), { refused });
	assert.deepEqual(refused[0].extra, [{ account_id: bob1.user.id, device: bob3.number }]);
	assert.equal((await bob3.ask('GET', '/encryption/envelopes')).json.code, 'wrong_state');
	bob3.socket.destroy();
	delete devices.bob3;
	for (const device of [devices.alice2, bob1, devices.bob2]) await device.receive();
});

test('set up anew: contacts hear of it, stale envelopes are refused, people must agree', { skip }, async () => {
	const { alice1, alice2, bob1, bob2 } = devices;
	await alice1.send(direct, secret('lost with the old keys'));
	const former = bob2;
	const text = secret('to the new identity');
	former.socket.destroy();
	alice1.heard = [];
	devices.bob2 = new SignalDevice(gateway, former.user); // an identity of its own
	await devices.bob2.publish();
	await devices.bob2.listen();
	assert.equal(devices.bob2.number, former.number);
	assert.deepEqual(await devices.bob2.waiting(), [], 'nobody can open what waited for it');
	await alice1.event('encryption:devices_changed', (data) => data.account_id === bob1.user.id && data.identity_changed && data.conversation_id === direct);
	const envelopes = await alice1.encryptAll(await alice1.targets(direct), text);
	const { status, json } = await alice1.post({ conversation_id: direct, envelopes });
	assert.equal(status, 409);
	assert.deepEqual(json.devices.stale, [{ account_id: bob1.user.id, device: former.number, registration_id: devices.bob2.registration }]);
	alice1.correct(direct, json.devices);
	await assert.rejects(alice1.send(direct, text), /identity/i, 'a new identity is not trusted unasked');
	alice1.identities.known.delete(devices.bob2.address.toString());
	bob1.identities.known.delete(devices.bob2.address.toString());
	await arrives(text, await alice1.send(direct, text), 'bob2', 'bob1', 'alice2');
	const back = secret('from the new identity');
	alice2.identities.known.delete(devices.bob2.address.toString());
	await arrives(back, await devices.bob2.send(direct, back), 'alice1', 'alice2', 'bob1');
});

test('keys that were tampered with: refused by the server, and by clients where they got past it', { skip }, async () => {
	const mallory = new SignalDevice(gateway, await account(gateway, 'mallory'));
	const spoil = (text, at) => { const data = Buffer.from(text, 'base64'); data[at < 0 ? data.length + at : at] ^= 1; return data.toString('base64'); };
	const good = mallory.keys({ count: 2 });
	for (const [field, keys] of Object.entries({
		'signed_prekey.signature': { ...good, signed_prekey: { ...good.signed_prekey, signature: spoil(good.signed_prekey.signature, 5) } },
		// (its last bytes may have any value; others, changed, may be none of such a key)
		'kyber_prekey.signature': { ...good, kyber_prekey: { ...good.kyber_prekey, key: spoil(good.kyber_prekey.key, -1) } },
		'signed_prekey.key': { ...good, signed_prekey: { ...good.signed_prekey, key: spoil(good.signed_prekey.key, 0) } },
		identity_key: { ...good, identity_key: 'AAAA' },
		'kyber_prekeys[1].signature': { ...good, kyber_prekeys: [good.kyber_prekeys[0], { ...good.kyber_prekeys[1], signature: good.kyber_prekeys[0].signature }] },
	})) assert.equal(await problems(mallory, keys), `422 ${field}`);
	const other = signal.IdentityKeyPair.generate();
	assert.equal(await problems(mallory, { ...good, identity_key: Buffer.from(other.publicKey.serialize()).toString('base64') }), '422 signed_prekey.signature', 'of another identity');
	assert.equal((await mallory.ask('GET', '/encryption/keys')).status, 404, 'nothing was stored');
	assert.equal(await problems(mallory, good), '200 undefined');
	mallory.number = 1;
	mallory.address = signal.ProtocolAddress.new(mallory.user.id, 1);
	const alice = devices.alice1;
	const target = { account_id: mallory.user.id, device: 1, registration_id: mallory.registration };
	for (const change of [`signed_prekey = set_byte(signed_prekey, 7, get_byte(signed_prekey, 7) # 1)`, `kyber_prekey_signature = set_byte(kyber_prekey_signature, 9, get_byte(kyber_prekey_signature, 9) # 1)`]) {
		sql(`UPDATE roost_data.key_device SET ${change} WHERE account_id = ${mallory.user.id}; DELETE FROM roost_data.key_prekey WHERE account_id = ${mallory.user.id} AND is_kyber`);
		await assert.rejects(alice.meet(target), /signature/i);
		sql(`UPDATE roost_data.key_device SET ${change} WHERE account_id = ${mallory.user.id}`);
	}
	await alice.meet(target); // as it was
});

test('a group of three with sender keys', { skip }, async () => {
	const { alice1, bob1, bob2, carol1, carol2 } = devices;
	const group = (await alice1.done('POST', '/conversations', { kind: 'group', encryption: 'e2ee', title: 'three', account_ids: [bob1.user.id, carol1.user.id] })).id;
	const distribution = randomUUID();
	const everybody = ['alice1', 'alice2', 'bob1', 'bob2', 'carol1', 'carol2'];
	for (const device of Object.values(devices)) for (const name of everybody) device.identities.known.delete(devices[name].address.toString());
	for (let round = 0; round < 3; round++) {
		for (const from of ['alice1', 'bob2', 'carol1']) {
			const text = secret(`round ${round} of ${from}`);
			const message = await devices[from].sendGroup(group, text, distribution, { by: round % 2 ? 'socket' : 'http' });
			assert.equal(message.envelopes, round === 0 ? 5 : 0, 'the key is given once');
			await arrives(text, message, ...everybody.filter((name) => name !== from));
		}
	}
	assert.equal(sql(`SELECT count(*) FROM roost_data.message_ciphertext`), '0', 'all have acknowledged');
	// a new device gets the key, and only that one
	const carol3 = await link(await again(carol1.user), 'carol3');
	const [text, refused] = [secret('to carol, too'), []];
	const message = await alice1.sendGroup(group, text, distribution, { refused });
	assert.equal(refused.length, 1);
	assert.equal(refused[0].current.length, 7);
	assert.equal(message.envelopes, 1);
	await arrives(text, message, 'carol3', 'carol2', 'carol1', 'bob1', 'bob2', 'alice2');
	// a key can also go without a message, to some devices
	alice1.heard = [];
	await carol3.targets(group);
	const key = await signal.SenderKeyDistributionMessage.create(carol3.address, distribution, carol3.senderKeys);
	const envelopes = await carol3.encryptAll([{ account_id: alice1.user.id, device: alice1.number, registration_id: alice1.registration }],
		JSON.stringify({ key: Buffer.from(key.serialize()).toString('base64') }));
	assert.equal((await carol3.ask('POST', '/encryption/envelopes', { conversation_id: group, envelopes })).status, 204);
	await alice1.event('encryption:envelope', (data) => data.conversation_id === group && data.message_id === null);
	assert.deepEqual(await alice1.receive(), []);
	carol3.shared = new Map([[`${alice1.user.id}.${alice1.number}`, alice1.registration]]);
	const last = secret('with a key that was there before');
	await arrives(last, await carol3.sendGroup(group, last, distribution), 'alice1', 'bob1', 'carol2');
	// who has left gets nothing more
	await bob1.done('DELETE', `/conversations/${group}/members/me`);
	for (const device of [bob1, bob2]) await device.receive();
	await alice1.sendGroup(group, secret('without bob'), distribution);
	for (const device of [bob1, bob2]) assert.deepEqual(await device.waiting(), []);
	for (const device of [carol1, carol2, carol3, devices.alice2]) await device.receive();
});

test('text in an encrypted conversation, and envelopes in an open one, are refused', { skip }, async () => {
	const { alice1, carol1 } = devices;
	const text = { conversation_id: direct, text: 'by mistake' };
	assert.equal((await alice1.post(text)).json.code, 'wrong_state');
	assert.equal((await alice1.post(text, 'socket')).json.code, 'wrong_state');
	const message = await alice1.done('POST', '/messages', { recipient_id: carol1.user.id, text: PLAIN });
	assert.equal(message.text, PLAIN);
	assert.equal((await alice1.post({ conversation_id: message.conversation_id, envelopes: [] })).json.code, 'wrong_state');
	assert.equal((await alice1.ask('PATCH', `/conversations/${direct}`, { encryption: 'none' })).status, 409, 'never turned off');
	const search = async (text) => (await carol1.done('GET', `/messages/search?q=${encodeURIComponent(text.slice(-36))}`)).items.length;
	assert.equal(await search(PLAIN), 1);
	// turned on, the old text stays and nothing open follows
	await alice1.done('PATCH', `/conversations/${message.conversation_id}`, { encryption: 'e2ee' });
	assert.equal((await alice1.post({ conversation_id: message.conversation_id, text: 'late' })).json.code, 'wrong_state');
	const sealed = secret('after that');
	await arrives(sealed, await alice1.send(message.conversation_id, sealed), 'carol1', 'carol2');
	const history = (await carol1.done('GET', `/conversations/${message.conversation_id}/messages`)).items;
	assert.deepEqual(history.map(({ text: content, action, encrypted }) => [content, action, encrypted]), [[null, null, true], [null, 'encrypted', false], [PLAIN, null, false]]);
	assert.equal(await search(sealed), 0);
	const fixed = history[0].id;
	const taken = await carol1.done('GET', `/conversations/${message.conversation_id}/export`);
	assert.deepEqual(taken.items.map(({ text: content }) => content), [PLAIN, null, null]);
	assert.ok((await alice1.ask('PATCH', `/messages/${fixed}`, { text: 'open' })).status >= 400);
	assert.ok((await alice1.ask('POST', `/messages/${fixed}/forward`, { conversation_id: direct })).status >= 400);
});

test('deleted for everyone, or disappeared: what waited is gone', { skip }, async () => {
	const { alice1, bob1 } = devices;
	const message = await alice1.send(direct, secret('taken back'));
	assert.equal((await bob1.waiting()).length, 1);
	await alice1.done('DELETE', `/messages/${message.id}?for=everyone`);
	assert.deepEqual(await bob1.waiting(), []);
	await alice1.done('PATCH', `/conversations/${direct}`, { expire_after: 5 });
	const brief = await alice1.send(direct, secret('for a moment'));
	sql(`UPDATE roost_data.message SET expires_at = now() - interval '1 hour' WHERE id = ${brief.id}; SELECT roost.maintenance_run('chat')`);
	assert.deepEqual(await bob1.waiting(), []);
	await alice1.done('PATCH', `/conversations/${direct}`, { expire_after: 0 });
});

test('the server has nothing of what was said', { skip }, async () => {
	const { alice1 } = devices;
	await alice1.send(direct, secret('still waiting')); // what waits is sealed, too
	sql('CHECKPOINT');
	const folder = sql('SHOW data_directory');
	const places = {
		dump: execFileSync('pg_dump', { maxBuffer: 1 << 30 }),
		'log of the gateway': Buffer.from(gateway.log + gateway.out),
		...(existsSync(`${folder}.log`) ? { 'log of the server': readFileSync(`${folder}.log`) } : {}),
	};
	assert.ok(said.length > 50);
	for (const [place, content] of Object.entries(places))
		for (const text of said) for (const form of [text, Buffer.from(text).toString('base64').slice(0, -4), Buffer.from(text).toString('hex')])
			assert.ok(!content.includes(form), `${text} is in the ${place}`);
	assert.ok(places.dump.includes(PLAIN), 'what was said openly is in the dump');
	assert.ok(gateway.out.includes('/messages'), 'requests are in the log of the gateway');
	assert.ok(!gateway.out.includes(PLAIN) && !places['log of the server']?.includes(PLAIN), 'and not even what was said openly');
	// everything that the server has on disk: tables, indexes and the log of changes
	// (2: also when a file goes while it is looked for)
	const found = (text) => {
		const { status, stdout, stderr } = spawnSync('grep', ['-rlaF', text, folder], { encoding: 'utf8' });
		assert.ok(status < 2 || lines(stderr).every((line) => /No such file/.test(line)), stderr);
		return stdout.trim();
	};
	assert.match(found(PLAIN), /pg_wal\//, 'it can be found there');
	assert.equal(found(said[0].slice(-36)), '');
	const all = said.map((text) => text.slice(-36)).join('\n');
	assert.equal(found(all), '', 'lines of a pattern are alternatives');
});
