// A client of the Signal protocol, as small as it can be: the keys and sessions of one device in memory, and what it
// asks of roost. The protocol is libsignal's; where that is not there, or does not run (before node 20.11), signal is undefined.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { WebSocketClient, call } from './lib.mjs';

export const signal = await import('@signalapp/libsignal-client').catch(() => undefined);
signal?.initLogger(signal.LogLevel.Error, () => {});

const base64 = (bytes) => Buffer.from(bytes).toString('base64');
const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64'));
const utf8 = (data) => Buffer.from(data).toString('utf8');

let registrations = 0; // of devices so far: each has another registration id

class Identities {
	constructor(keys, registration) { Object.assign(this, { keys, registration, known: new Map() }); }
	async getIdentityKeyPair() { return this.keys; }
	async getIdentityKey() { return this.keys.privateKey; }
	async getLocalRegistrationId() { return this.registration; }
	async saveIdentity(address, key) {
		const former = this.known.get(address.toString());
		this.known.set(address.toString(), key);
		return former && !former.equals(key) ? signal.IdentityChange.ReplacedExisting : signal.IdentityChange.NewOrUnchanged;
	}
	// What people have not agreed to is not trusted: .accept() is their agreement.
	async isTrustedIdentity(address, key) {
		const known = this.known.get(address.toString());
		return !known || known.equals(key);
	}
	async getIdentity(address) { return this.known.get(address.toString()) ?? null; }
}

class Sessions {
	records = new Map();
	async saveSession(address, record) { this.records.set(address.toString(), record.serialize()); }
	async getSession(address) {
		const record = this.records.get(address.toString());
		return record ? signal.SessionRecord.deserialize(record) : null;
	}
	async getExistingSessions(addresses) { return Promise.all(addresses.map((address) => this.getSession(address))); }
}

// One-time prekeys are forgotten when they were used.
class Prekeys {
	oneTime = new Map();
	signed = new Map();
	kyber = new Map();
	kyberOnce = new Set();
	find(map, id, kind) {
		const record = map.get(id);
		if (!record) throw new Error(`there is no ${kind} ${id}`);
		return record;
	}
	async savePreKey(id, record) { this.oneTime.set(id, record); }
	async getPreKey(id) { return this.find(this.oneTime, id, 'prekey'); }
	async removePreKey(id) { this.oneTime.delete(id); }
	async saveSignedPreKey(id, record) { this.signed.set(id, record); }
	async getSignedPreKey(id) { return this.find(this.signed, id, 'signed prekey'); }
	async saveKyberPreKey(id, record) { this.kyber.set(id, record); }
	async getKyberPreKey(id) { return this.find(this.kyber, id, 'Kyber prekey'); }
	async markKyberPreKeyUsed(id) { if (this.kyberOnce.has(id)) this.kyber.delete(id); }
}

class SenderKeys {
	records = new Map();
	async saveSenderKey(address, distribution, record) { this.records.set(`${address} ${distribution}`, record.serialize()); }
	async getSenderKey(address, distribution) {
		const record = this.records.get(`${address} ${distribution}`);
		return record ? signal.SenderKeyRecord.deserialize(record) : null;
	}
}

export class SignalDevice {
	// user: what account() or a login gives; the devices of an account share its identity.
	constructor(gateway, user, identity = signal.IdentityKeyPair.generate()) {
		Object.assign(this, { gateway, user, identity, registration: ++registrations % 16384, nextId: 1 });
		this.identities = new Identities(identity, this.registration);
		this.sessions = new Sessions();
		this.prekeys = new Prekeys();
		this.senderKeys = new SenderKeys();
		this.devices = new Map(); // of each conversation
		this.got = []; // { text, sender, conversation } in the order in which it was opened
	}

	async ask(method, path, body) { return call(this.gateway, method, path, { token: this.user.token, body }); }

	async done(method, path, body) {
		const answer = await this.ask(method, path, body);
		assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
		return answer.json;
	}

	// The socket that tells of messages; .heard has them.
	async listen() {
		this.socket = await WebSocketClient.open(this.gateway, { headers: { authorization: `Bearer ${this.user.token}` } });
		const answer = await this.socket.ask(this.cursor ? { type: 'resume', channels: ['messages'], cursor: this.cursor } : { type: 'subscribe', channels: ['messages'] });
		assert.ok(!answer.status || answer.status < 300, JSON.stringify(answer));
		this.cursor = answer.cursor ?? this.cursor;
		this.heard = [];
	}

	// Resolves with the first event of a name that fits, since listen().
	async event(name, fits = () => true) {
		return this.socket.until(() => {
			for (const frame of this.socket.frames.filter(({ opcode, payload }) => opcode === 1 && payload.includes('"type":"events"'))) {
				const message = JSON.parse(frame.payload);
				this.heard.push(...message.events);
				this.cursor = message.cursor;
				this.socket.frames.splice(this.socket.frames.indexOf(frame), 1);
			}
			return this.heard.find((event) => event.event === name && fits(event.data));
		}, name);
	}

	makePrekey() {
		const [id, key] = [this.nextId++, signal.PrivateKey.generate()];
		this.prekeys.oneTime.set(id, signal.PreKeyRecord.new(id, key.getPublicKey(), key));
		return { id, key: base64(key.getPublicKey().serialize()) };
	}
	makeSigned() {
		const [id, key] = [this.nextId++, signal.PrivateKey.generate()];
		const signature = this.identity.privateKey.sign(key.getPublicKey().serialize());
		this.prekeys.signed.set(id, signal.SignedPreKeyRecord.new(id, Date.now(), key.getPublicKey(), key, signature));
		return { id, key: base64(key.getPublicKey().serialize()), signature: base64(signature) };
	}
	makeKyber(once) {
		const [id, pair] = [this.nextId++, signal.KEMKeyPair.generate()];
		const signature = this.identity.privateKey.sign(pair.getPublicKey().serialize());
		this.prekeys.kyber.set(id, signal.KyberPreKeyRecord.new(id, Date.now(), pair, signature));
		if (once) this.prekeys.kyberOnce.add(id);
		return { id, key: base64(pair.getPublicKey().serialize()), signature: base64(signature) };
	}

	keys({ count = 5 } = {}) {
		return {
			registration_id: this.registration, identity_key: base64(this.identity.publicKey.serialize()),
			signed_prekey: this.makeSigned(), kyber_prekey: this.makeKyber(false),
			prekeys: Array.from({ length: count }, () => this.makePrekey()),
			kyber_prekeys: Array.from({ length: count }, () => this.makeKyber(true)),
		};
	}

	async publish(options) {
		this.number = (await this.done('PUT', '/encryption/keys', this.keys(options))).device;
		this.address = signal.ProtocolAddress.new(this.user.id, this.number);
		return this;
	}

	name(account, device) { return signal.ProtocolAddress.new(account, device); }

	static bundle(bundle) {
		const { registration_id: registration, device, identity_key: identity, signed_prekey: signed, prekey, kyber_prekey: kyber } = bundle;
		return signal.PreKeyBundle.new(registration, device, prekey?.id ?? null, prekey ? signal.PublicKey.deserialize(bytes(prekey.key)) : null,
			signed.id, signal.PublicKey.deserialize(bytes(signed.key)), bytes(signed.signature), signal.PublicKey.deserialize(bytes(identity)),
			kyber.id, signal.KEMPublicKey.deserialize(bytes(kyber.key)), bytes(kyber.signature));
	}

	// Begins a session with a device, unless there is one with what it is now; resolves with its registration id.
	async meet({ account_id: account, device, registration_id: registration }) {
		const session = await this.sessions.getSession(this.name(account, device));
		if (session?.hasCurrentState() && session.remoteRegistrationId() === registration) return registration;
		const [bundle] = (await this.done('POST', '/encryption/bundles', { account_id: account, device })).devices;
		await signal.processPreKeyBundle(SignalDevice.bundle(bundle), this.name(account, device), this.address, this.sessions, this.identities);
		return bundle.registration_id;
	}

	async encrypt(target, text) {
		const registration = await this.meet(target);
		const sealed = await signal.signalEncrypt(new Uint8Array(Buffer.from(text)), this.name(target.account_id, target.device), this.address, this.sessions, this.identities);
		return { account_id: target.account_id, device: target.device, registration_id: registration, type: sealed.type(), content: base64(sealed.serialize()) };
	}

	async encryptAll(targets, text) {
		const envelopes = [];
		for (const target of targets) envelopes.push(await this.encrypt(target, text));
		return envelopes;
	}

	// The devices that a message of a conversation is for; the first time, the server is asked.
	async targets(conversation) {
		if (!this.devices.has(conversation)) this.learn(conversation, await this.done('GET', `/encryption/conversations/${conversation}/devices`));
		return this.devices.get(conversation).list;
	}
	learn(conversation, { devices, devices_version: version }) {
		this.devices.set(conversation, { version, list: devices.filter(({ account_id: account, device }) => account !== this.user.id || device !== this.number) });
	}

	// What a 409 says.
	correct(conversation, { missing, extra, stale, current, devices_version: version }) {
		const same = (a) => (b) => a.account_id === b.account_id && a.device === b.device;
		if (current) return this.learn(conversation, { devices: current, devices_version: version });
		const list = this.devices.get(conversation).list.filter((device) => ![...extra, ...stale, ...missing].some(same(device)));
		this.learn(conversation, { devices: [...list, ...stale, ...missing], devices_version: version });
	}

	// POST /messages, over HTTP or in a call of the socket.
	async post(body, by = 'http') {
		if (by === 'http') return this.ask('POST', '/messages', body);
		const { status, body: json } = await this.socket.ask({ method: 'POST', path: '/messages', body });
		return { status, json, text: JSON.stringify(json) };
	}

	// Sends a text to all devices of a conversation, and once more if they have become others; resolves with the message.
	async send(conversation, text, { by, refused = [] } = {}) {
		for (;;) {
			const answer = await this.post({ conversation_id: conversation, envelopes: await this.encryptAll(await this.targets(conversation), text), client_id: randomUUID() }, by);
			if (answer.status === 201) return answer.json;
			assert.equal(answer.json?.code, 'stale_devices', answer.text);
			refused.push(answer.json.devices);
			assert.ok(refused.length < 5, 'the list of devices is right in the end');
			this.correct(conversation, answer.json.devices);
		}
	}

	// Sends a text with the sender key of this device for a conversation: one ciphertext, and the key to devices that lack it.
	async sendGroup(conversation, text, distribution, { by, refused = [] } = {}) {
		this.shared ??= new Map(); // registration ids of the devices that have the key
		for (;;) {
			const targets = await this.targets(conversation);
			const key = base64((await signal.SenderKeyDistributionMessage.create(this.address, distribution, this.senderKeys)).serialize());
			const lacking = targets.filter((target) => this.shared.get(`${target.account_id}.${target.device}`) !== target.registration_id);
			const envelopes = await this.encryptAll(lacking, JSON.stringify({ key }));
			const content = base64((await signal.groupEncrypt(this.address, distribution, this.senderKeys, new Uint8Array(Buffer.from(text)))).serialize());
			const answer = await this.post({ conversation_id: conversation, content, devices_version: this.devices.get(conversation).version, envelopes }, by);
			if (answer.status === 201) {
				for (const target of lacking) this.shared.set(`${target.account_id}.${target.device}`, target.registration_id);
				return { ...answer.json, envelopes: envelopes.length };
			}
			assert.equal(answer.json?.code, 'stale_devices', answer.text);
			refused.push(answer.json.devices);
			assert.ok(refused.length < 5, 'the list of devices is right in the end');
			this.correct(conversation, answer.json.devices);
		}
	}

	async waiting() {
		const items = [];
		for (let after = ''; ;) {
			const page = await this.done('GET', `/encryption/envelopes?limit=20${after}`);
			items.push(...page.items);
			if (page.next === null) return items;
			after = `&after=${page.next}`;
		}
	}

	// Opens an envelope; resolves with the text, or with null if it was a key.
	async open({ sender_id: sender, sender_device: device, type, content }) {
		const from = this.name(sender, device);
		if (type === 7) return utf8(await signal.groupDecrypt(from, this.senderKeys, bytes(content)));
		const text = utf8(type === 3
			? await signal.signalDecryptPreKey(signal.PreKeySignalMessage.deserialize(bytes(content)), from, this.address, this.sessions, this.identities, this.prekeys, this.prekeys, this.prekeys)
			: await signal.signalDecrypt(signal.SignalMessage.deserialize(bytes(content)), from, this.address, this.sessions, this.identities));
		const key = text.startsWith('{"key"') && JSON.parse(text).key;
		if (!key) return text;
		await signal.processSenderKeyDistributionMessage(from, signal.SenderKeyDistributionMessage.deserialize(bytes(key)), this.senderKeys);
		return null;
	}

	// Opens everything that waits, in an order, and acknowledges it; resolves with the texts.
	async receive({ order = (items) => items, ack = true } = {}) {
		const texts = [];
		const items = order(await this.waiting());
		for (const item of items) {
			const text = await this.open(item);
			if (text === null) continue;
			texts.push(text);
			this.got.push({ text, sender: item.sender_id, conversation: item.conversation_id });
		}
		if (ack && items.length) await this.done('POST', '/encryption/envelopes/ack', { ids: items.map(({ id }) => id) });
		return texts;
	}
}
