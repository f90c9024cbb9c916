// The key server over HTTP: each one-time prekey is handed out once, however many ask at once; who asks too often is told
// when to come back; altered keys are refused; keys go with their device.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { account, call, liftLimits, sql, startGateway, until } from './lib.mjs';
import { identity, kyberPrekey, prekey, published, several } from './keys.mjs';

let gateway;
let ada;
let bob;
let id; // that of ada's device
const as = (user, method, path, body) => call(gateway, method, path, { token: user.token, body });
const ok = async (user, method, path, body, status = 200) => {
	const answer = await as(user, method, path, body);
	assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
	return answer.json;
};

before(async () => {
	liftLimits();
	gateway = await startGateway();
	[ada, bob] = await Promise.all(['key_ada', 'key_bob'].map((name) => account(gateway, name)));
	id = identity();
});
after(() => gateway.stop());

test('200 at once: each of 100 one-time prekeys is handed out once, then the last resort', async () => {
	const keys = published(id, { prekeys: 100, kyberPrekeys: 100 });
	const status = await ok(ada, 'PUT', '/encryption/keys', keys);
	assert.deepEqual([status.device, status.prekey_count, status.kyber_prekey_count], [1, 100, 100]);
	const base = 8830000000000n;
	const tokens = sql(`
		INSERT INTO roost_data.account (id, username) SELECT ${base} + n, 'key_many_' || n FROM generate_series(1, 200) n;
		SELECT roost_internal.token_make(${base} + n, ${base} + n, ${base} + n) FROM generate_series(1, 200) n;
	`).split('\n');
	const bundles = (await Promise.all(tokens.map((token) => ok({ token }, 'POST', '/encryption/bundles', { account_id: ada.id })))).map((answer) => {
		assert.equal(answer.account_id, ada.id);
		assert.equal(answer.devices.length, 1);
		return answer.devices[0];
	});
	for (const bundle of bundles) {
		assert.deepEqual([bundle.device, bundle.registration_id, bundle.identity_key], [1, keys.registration_id, keys.identity_key]);
		assert.deepEqual(bundle.signed_prekey, keys.signed_prekey);
	}
	const byId = (one, other) => one.id - other.id;
	assert.deepEqual(bundles.map((bundle) => bundle.prekey).filter(Boolean).sort(byId), keys.prekeys);
	const [last, once] = [true, false].map((resort) => bundles.map((bundle) => bundle.kyber_prekey).filter((key) => key.last_resort === resort));
	assert.deepEqual(once.map(({ last_resort, ...key }) => key).sort(byId), keys.kyber_prekeys);
	assert.equal(last.length, 100);
	for (const key of last) assert.deepEqual(key, { ...keys.kyber_prekey, last_resort: true });
	const left = await ok(ada, 'GET', '/encryption/keys');
	assert.deepEqual([left.prekey_count, left.kyber_prekey_count], [0, 0]);
	sql(`DELETE FROM roost_data.account WHERE id BETWEEN ${base} + 1 AND ${base} + 200`);
});

test('who fetches the keys of one account too often is told when to come back', async () => {
	let answer;
	for (let i = 0; i < 11; i++) {
		answer = await as(bob, 'POST', '/encryption/bundles', { account_id: `@${ada.username}` });
		assert.equal(answer.status, i < 10 ? 200 : 429, answer.text);
	}
	assert.equal(answer.json.code, 'too_many_requests');
	assert.ok(Number(answer.headers.get('retry-after')) > 0);
});

test('altered keys and signatures are refused, and nothing of them is stored', async () => {
	const keys = published(id, { prekeys: 2, kyberPrekeys: 2 });
	const flip = (base64, byte, bit = 1) => {
		const bytes = Buffer.from(base64, 'base64');
		bytes[byte] ^= bit;
		return bytes.toString('base64');
	};
	const before = await ok(ada, 'GET', '/encryption/keys');
	for (const [field, change] of [
		['identity_key', (body) => { body.identity_key = flip(body.identity_key, 0); }],
		['signed_prekey.signature', (body) => { body.identity_key = flip(body.identity_key, 20); }],
		['signed_prekey.signature', (body) => { body.signed_prekey.key = flip(body.signed_prekey.key, 9); }],
		['signed_prekey.signature', (body) => { body.signed_prekey.signature = flip(body.signed_prekey.signature, 63, 0x80); }],
		['kyber_prekey.signature', (body) => { body.kyber_prekey.key = flip(body.kyber_prekey.key, 1568); }],
		['kyber_prekeys[1].signature', (body) => { body.kyber_prekeys[1].signature = body.kyber_prekeys[0].signature; }],
		['kyber_prekeys[0].signature', (body) => { body.kyber_prekeys[0] = kyberPrekey(identity(), 1); }],
		['prekeys[1].key', (body) => { body.prekeys[1].key = Buffer.alloc(33, 5).subarray(1).toString('base64'); }],
		['prekeys', (body) => { body.prekeys[1].id = body.prekeys[0].id; }],
	]) {
		const body = structuredClone(keys);
		change(body);
		const answer = await as(ada, 'PUT', '/encryption/keys', body);
		assert.deepEqual([answer.status, answer.json.field], [422, field], answer.text);
	}
	assert.deepEqual(await ok(ada, 'GET', '/encryption/keys'), before);
	const many = await as(ada, 'POST', '/encryption/prekeys', { prekeys: several(101, (n) => prekey(n)) });
	assert.deepEqual([many.status, many.json.field], [413, 'prekeys']);
});

test('two devices of an account: numbers, a logout that keeps, a device that goes', async () => {
	const login = async (device) => (await call(gateway, 'POST', '/auth/login', { body: { identifier: bob.username, password: bob.password, device } })).json;
	const [phone, tablet] = [await login({ id: 'phone', name: 'Phone' }), await login({ id: 'tablet', name: 'Tablet' })].map((session) => ({ token: session.access_token }));
	const own = identity();
	assert.equal((await ok(phone, 'PUT', '/encryption/keys', published(own, { prekeys: 1 }))).device, 1);
	assert.equal((await ok(tablet, 'PUT', '/encryption/keys', published(own))).device, 2);
	assert.deepEqual((await ok(tablet, 'GET', '/encryption/devices')).items.map(({ device, name, current }) => [device, name, current]), [[1, 'Phone', false], [2, 'Tablet', true]]);
	assert.deepEqual((await ok(ada, 'POST', '/encryption/bundles', { account_id: bob.id })).devices.map(({ device, prekey: key }) => [device, key?.id ?? null]), [[1, 1], [2, null]]);
	await ok(phone, 'POST', '/auth/logout', {}, 204);
	assert.equal((await ok({ token: (await login({ id: 'phone' })).access_token }, 'GET', '/encryption/keys')).device, 1);
	const { items } = await ok(tablet, 'GET', '/devices');
	await ok(tablet, 'DELETE', `/devices/${items.find((device) => device.name === 'Phone').id}`, undefined, 204);
	assert.deepEqual((await ok(ada, 'GET', `/encryption/accounts/${bob.id}/devices`)).items.map((device) => device.device), [2]);
	await ok(tablet, 'DELETE', '/encryption/devices/2', undefined, 204);
	assert.deepEqual((await ok(ada, 'POST', '/encryption/bundles', { account_id: bob.id })).devices, []);
	let events;
	await until(async () => {
		events = (await ok(tablet, 'GET', '/me/security-events?limit=50')).items.map((event) => event.kind).filter((kind) => kind.startsWith('keys_'));
		return events.length >= 4;
	}, 'the entries', undefined, () => events);
	assert.deepEqual(events, ['keys_unlinked', 'keys_unlinked', 'keys_linked', 'keys_linked']);
});

test('a block hides keys in both directions', async () => {
	await ok(bob, 'POST', `/users/${ada.id}/block`);
	for (const [one, other] of [[ada, bob], [bob, ada]]) {
		assert.equal((await as(one, 'POST', '/encryption/bundles', { account_id: other.id })).status, 404);
		assert.equal((await as(one, 'GET', `/encryption/accounts/${other.id}/devices`)).status, 404);
	}
	await ok(bob, 'DELETE', `/users/${ada.id}/block`);
});
