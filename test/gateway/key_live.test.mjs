// What is told of keys: devices that come and go, prekeys that run out, envelopes that are no message; and only to those it concerns.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { WebSocketClient, account, call, liftLimits, sql, startGateway } from './lib.mjs';
import { identity, prekey, published, several } from './keys.mjs';

let gateway;
let ada;
let tablet; // her other device
let bob;
let carol;
let dora;
let direct; // of ada and bob, encrypted
let group; // of ada, bob and dora, encrypted
const own = identity();
let keys;

const act = async (user, method, path, body) => {
	const answer = await call(gateway, method, path, { token: user.token, ...(body ? { body } : {}) });
	assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
	return answer.json;
};
const envelope = (to, device, registration) => ({ account_id: to.id, device, registration_id: registration, type: 2, content: 'QUJD' });

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
	client.event = (fits, what) => client.until(() => client.collect().find(fits), what);
	await client.ask({ type: 'subscribe', channels: ['messages', 'home', 'notifications'] });
	return client;
}

let clients;
let marks = 0;
// What each has heard of encryption since the last time, all about one account (null: or any): a message to everybody comes after all that was before.
async function news(about = ada) {
	const text = `mark ${++marks}`;
	for (const [name, client] of Object.entries(clients)) {
		const user = { ada, tablet: ada, bob, carol, dora }[name];
		await act(user, 'POST', '/messages', { recipient_id: user === carol ? ada.id : carol.id, text: `${text} ${name}` });
	}
	const heard = {};
	for (const [name, client] of Object.entries(clients)) {
		await client.event(({ event, data }) => event === 'message:received' && data.message.text === `${text} ${name}`, text);
		const found = client.heard.splice(0).filter(({ event }) => event.startsWith('encryption:'));
		heard[name] = found.map(({ event, data }) => [event.slice(11), data.conversation_id === direct ? 'direct' : data.conversation_id === group ? 'group' : data.conversation_id ?? null,
			data.identity_changed ?? data.count ?? null].join(' ').trim()).sort();
		for (const { event, data } of found) if (about && event === 'encryption:devices_changed') assert.equal(data.account_id, about.id);
	}
	return heard;
}

before(async () => {
	liftLimits();
	gateway = await startGateway();
	[ada, bob, carol, dora] = await Promise.all(['ada', 'bob', 'carol', 'dora'].map((name) => account(gateway, `keys_${name}`)));
	const login = await call(gateway, 'POST', '/auth/login', { body: { identifier: ada.username, password: ada.password, device: { id: 'tablet', name: 'Tablet' } } });
	tablet = { ...ada, token: login.json.access_token };
	for (const user of [ada, bob, dora]) await act(user, 'PUT', '/encryption/keys', published(identity(), { registrationId: 5 }));
	direct = (await act(ada, 'POST', '/conversations', { kind: 'direct', account_ids: [bob.id], encryption: 'e2ee' })).id;
	group = (await act(ada, 'POST', '/conversations', { kind: 'group', title: 'a group', account_ids: [bob.id, dora.id], encryption: 'e2ee' })).id;
	await act(ada, 'DELETE', '/encryption/devices/1');
	await act(bob, 'GET', `/conversations/${group}`);
	clients = {};
	for (const [name, user] of Object.entries({ ada, tablet, bob, carol, dora })) clients[name] = await listen(user);
	await news(null); // what was done before may be told only now
});
after(async () => {
	for (const client of Object.values(clients ?? {})) client.destroy();
	await gateway?.stop();
});

test('who talks with an account in secret is told of its devices, and nobody else', async () => {
	keys = published(own, { prekeys: 2, registrationId: 7 });
	await act(ada, 'PUT', '/encryption/keys', keys);
	const all = (changed) => ({
		ada: [`devices_changed  ${changed}`, `devices_changed direct ${changed}`, `devices_changed group ${changed}`], tablet: [`devices_changed  ${changed}`, `devices_changed direct ${changed}`, `devices_changed group ${changed}`],
		bob: [`devices_changed direct ${changed}`, `devices_changed group ${changed}`], carol: [], dora: [`devices_changed group ${changed}`],
	});
	const of = (heard) => Object.fromEntries(Object.entries(heard).map(([name, list]) => [name, list.filter((line) => line.startsWith('devices'))]));
	assert.deepEqual(of(await news()), all(true), 'linked, with an identity that it did not have');
	await act(tablet, 'PUT', '/encryption/keys', published(own, { registrationId: 8 }));
	assert.deepEqual(of(await news()), all(false), 'another device of the same identity');
	await act(ada, 'PUT', '/encryption/keys', { ...keys, prekeys: several(30, (n) => prekey(n)) });
	assert.deepEqual(of(await news()), { ada: [], tablet: [], bob: [], carol: [], dora: [] }, 'the same keys again are no news');
	await act(tablet, 'PUT', '/encryption/keys', published(identity(), { registrationId: 10 }));
	assert.deepEqual(of(await news()), all(true), 'another identity');
	await act(ada, 'DELETE', '/encryption/devices/2');
	assert.deepEqual(of(await news()), all(false), 'unlinked');
});

test('between two with a block nothing is told of keys', async () => {
	await act(dora, 'POST', `/users/${ada.id}/block`);
	await act(tablet, 'PUT', '/encryption/keys', published(own, { registrationId: 9 }));
	const heard = await news();
	assert.deepEqual(heard.dora, []);
	assert.deepEqual(heard.bob, ['devices_changed direct false', 'devices_changed group false']);
	await act(dora, 'DELETE', `/users/${ada.id}/block`);
	await act(ada, 'DELETE', '/encryption/devices/2');
	await news();
});

test('an account is told once when the one-time prekeys of its device run out', async () => {
	await act(ada, 'PUT', '/encryption/keys', { ...keys, prekeys: several(22, (n) => prekey(n)), kyber_prekeys: published(own, { kyberPrekeys: 30 }).kyber_prekeys });
	await news();
	const low = async (count) => {
		for (let i = 0; i < count; i++) await act(bob, 'POST', '/encryption/bundles', { account_id: ada.id });
		const heard = await news();
		assert.deepEqual([heard.bob, heard.carol, heard.dora], [[], [], []]);
		assert.deepEqual(heard.ada, heard.tablet);
		return heard.ada;
	};
	assert.deepEqual(await low(2), []);
	assert.deepEqual(await low(1), ['prekeys_low  19']);
	assert.deepEqual(await low(2), [], 'once');
	await act(ada, 'POST', '/encryption/prekeys', { prekeys: several(20, (n) => prekey(n), 100) });
	assert.deepEqual(await low(1), []);
});

test('envelopes that are no message are told to who gets some', async () => {
	await act(ada, 'POST', '/encryption/envelopes', { conversation_id: group, envelopes: [envelope(bob, 1, 5)] });
	assert.deepEqual(await news(), { ada: [], tablet: [], bob: ['envelope group'], carol: [], dora: [] });
	await act(bob, 'POST', '/encryption/envelopes', { conversation_id: group, envelopes: [envelope(ada, 1, 7), envelope(dora, 1, 5)] });
	assert.deepEqual(await news(), { ada: ['envelope group'], tablet: ['envelope group'], bob: [], carol: [], dora: ['envelope group'] });
});
