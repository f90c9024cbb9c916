// Envelopes for a group of a thousand members with two devices each: what fits, and what the answers say.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { WebSocketClient, account, call, liftLimits, sql, startGateway } from './lib.mjs';

const MEMBERS = 1000;
const BASE = 7770000000500000n;
const GROUP = String(BASE);
let gateway;
let alice;
let socket;
let version;
let targets;

const post = (body) => call(gateway, 'POST', '/messages', { token: alice.token, body: { conversation_id: GROUP, ...body } });
const sealed = (list, length) => list.map((target) => ({ ...target, type: 2, content: 'A'.repeat(length) }));
const stored = () => sql(`SELECT count(*), count(DISTINCT (account_id, number)), count(DISTINCT message_id) FROM roost_data.message_envelope WHERE conversation_id = ${GROUP}`);

before(async () => {
	liftLimits();
	gateway = await startGateway();
	alice = await account(gateway, 'alice');
	const device = sql(`SELECT device_id FROM roost_data.session WHERE account_id = ${alice.id}`);
	sql(`
		INSERT INTO roost_data.account (id, username) SELECT ${BASE} + n, 'envg_' || n FROM generate_series(1, ${MEMBERS - 1}) n;
		INSERT INTO roost_data.device (id, account_id) SELECT ${BASE} + n * 10 + d, ${BASE} + n FROM generate_series(1, ${MEMBERS - 1}) n, generate_series(1, 2) d;
		INSERT INTO roost_data.device (id, account_id) VALUES (${BASE} + 2, ${alice.id});
		INSERT INTO roost_data.conversation (id, kind, encryption, member_count) VALUES (${GROUP}, 'group', 'e2ee', ${MEMBERS});
		INSERT INTO roost_data.conversation_member (conversation_id, account_id) SELECT ${GROUP}, ${BASE} + n FROM generate_series(1, ${MEMBERS - 1}) n UNION ALL SELECT ${GROUP}, ${alice.id};
		INSERT INTO roost_data.key_device (account_id, number, device_id, registration_id, identity_key, signed_prekey_id, signed_prekey, signed_prekey_signature, kyber_prekey_id, kyber_prekey, kyber_prekey_signature)
		SELECT d.account_id, CASE WHEN d.id = ${device} THEN 1 WHEN d.account_id = ${alice.id} THEN 2 ELSE (d.id - ${BASE}) % 10 END, d.id, 7, k.b33, 1, k.b33, k.b64, 1, decode(repeat('08', 1569), 'hex'), k.b64
		FROM roost_data.device d, (SELECT decode(repeat('05', 33), 'hex') AS b33, decode(repeat('05', 64), 'hex') AS b64) k
		WHERE d.account_id BETWEEN ${BASE} AND ${BASE} + ${MEMBERS} OR d.account_id = ${alice.id};
	`);
	socket = await WebSocketClient.open(gateway, { headers: { authorization: `Bearer ${alice.token}` } });
});
after(async () => {
	socket?.destroy();
	await gateway?.stop();
});

test('the list of its devices', async () => {
	const answer = await call(gateway, 'GET', `/encryption/conversations/${GROUP}/devices`, { token: alice.token });
	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.json.devices.length, 2 * MEMBERS);
	version = answer.json.devices_version;
	targets = answer.json.devices.map(({ account_id: id, device, registration_id: registration }) => ({ account_id: id, device, registration_id: registration }))
		.filter(({ account_id: id, device }) => id !== alice.id || device !== 1);
	assert.equal(targets.length, 2 * MEMBERS - 1);
});

test('one ciphertext for all of them, over HTTP and in a call of a socket', async () => {
	const answer = await post({ content: 'QUJD', devices_version: version });
	assert.equal(answer.status, 201, answer.text);
	const response = await socket.ask({ method: 'POST', path: '/messages', body: { conversation_id: GROUP, content: 'REVG', devices_version: version, envelopes: sealed(targets.slice(0, 3), 100) } });
	assert.equal(response.status, 201, JSON.stringify(response.body));
	assert.equal(stored(), `${2 * (2 * MEMBERS - 1) + 3}|${2 * MEMBERS - 1}|2`);
	assert.equal(sql(`SELECT count(*) FROM roost_data.message_ciphertext`), '2');
});

test('an envelope for each of them fits, if sessions were begun before', async () => {
	const former = stored().split('|').map(Number);
	const answer = await post({ envelopes: sealed(targets, 140) });
	assert.equal(answer.status, 201, answer.text);
	assert.equal(stored(), [former[0] + 2 * MEMBERS - 1, former[1], former[2] + 1].join('|'));
	const late = await post({ envelopes: sealed(targets, 2400) });
	assert.equal(late.status, 413);
	assert.equal(late.json.code, 'body_too_large');
});

test('keys for them go in parts', async () => {
	for (let i = 0; i < targets.length; i += 300) {
		const answer = await call(gateway, 'POST', '/encryption/envelopes', { token: alice.token, body: { conversation_id: GROUP, envelopes: sealed(targets.slice(i, i + 300), 2400) } });
		assert.equal(answer.status, 204, answer.text);
	}
	assert.equal(sql(`SELECT count(*) FROM roost_data.message_envelope WHERE conversation_id = ${GROUP} AND message_id IS NULL`), String(2 * MEMBERS - 1));
	assert.equal(sql("SELECT roost.worker_sync('1 minute')"), 't');
	assert.equal(sql(`SELECT count(*) FROM roost_data.feed_log WHERE kind = 'envelope_created' AND conversation_id = ${GROUP} AND room_id = ${BASE} + 5`), '1', 'an account is told once of both devices');
});

test('what is wrong is told in full up to 2,000 devices, over HTTP and in a call of a socket', async () => {
	const former = stored();
	const wrong = { devices_version: '0'.repeat(32), content: 'QUJD' };
	const answer = await post(wrong);
	assert.equal(answer.status, 409);
	assert.equal(answer.json.code, 'stale_devices');
	assert.equal(answer.json.field, 'devices_version');
	assert.equal(answer.json.devices.devices_version, version);
	assert.equal(answer.json.devices.current.length, 2 * MEMBERS);
	const response = await socket.ask({ method: 'POST', path: '/messages', body: { conversation_id: GROUP, ...wrong } });
	assert.equal(response.status, 409);
	assert.deepEqual(response.body.devices, answer.json.devices);
	const none = (await post({ envelopes: [] })).json.devices;
	assert.equal(none.missing.length, 2 * MEMBERS - 1);
	assert.equal(none.more, false);
	sql(`INSERT INTO roost_data.device (id, account_id) SELECT ${BASE} + n * 10 + 3, ${BASE} + n FROM generate_series(1, 5) n;
		INSERT INTO roost_data.key_device (account_id, number, device_id, registration_id, identity_key, signed_prekey_id, signed_prekey, signed_prekey_signature, kyber_prekey_id, kyber_prekey, kyber_prekey_signature)
		SELECT account_id, 3, device_id + 2, 8, identity_key, 1, signed_prekey, signed_prekey_signature, 1, kyber_prekey, kyber_prekey_signature
		FROM roost_data.key_device WHERE number = 1 AND account_id BETWEEN ${BASE} + 1 AND ${BASE} + 5`);
	const some = (await post({ envelopes: sealed(targets, 140) })).json.devices;
	assert.deepEqual(some.missing, [1n, 2n, 3n, 4n, 5n].map((n) => ({ account_id: String(BASE + n), device: 3, registration_id: 8 })));
	const all = (await post({ envelopes: [] })).json.devices;
	assert.equal(all.missing.length, 2000);
	assert.equal(all.more, true);
	assert.equal((await post(wrong)).json.devices.current, null, 'too many: fetch the list');
	assert.equal(stored(), former);
});

test('the place of what is wrong is told', async () => {
	const spoilt = (change) => sealed(targets.slice(0, 5), 8).map((envelope, i) => (i === 3 ? { ...envelope, ...change } : envelope));
	for (const [change, code, field] of [[{ content: '' }, 'rule_violated', 'content'], [{ content: '%%' }, 'invalid_syntax', 'content'], [{ content: 'A'.repeat(87388) }, 'rule_violated', 'content'],
		[{ type: 1 }, 'rule_violated', 'type'], [{ device: 200 }, 'rule_violated', 'device'], [{ account_id: 'x' }, 'invalid_syntax', 'account_id'], [{ registration_id: undefined }, 'missing_field', 'registration_id'],
		[{ text: 'open' }, 'unknown_field', 'text'], [{ account_id: targets[0].account_id, device: targets[0].device }, 'invalid_value', 'device']]) {
		const answer = await post({ envelopes: spoilt(change) });
		assert.deepEqual([answer.status, answer.json.code, answer.json.field], [422, code, `envelopes[3].${field}`], answer.text);
	}
});
