// A stream of events that stays: it reconnects, goes on where it was, says each
// event once, and tells when it cannot know what was missed (event `gap`).
//
// - Connecting: after a loss with growing, random delays, at once when the
//   browser is online or visible again. Where WebSocket cannot be had it takes
//   server-sent events, then long polling, and tries the better one now and then.
// - Going on: the cursor stands for everything that was handed out. It moves on
//   only after the handlers of an event have been called. What a subscription
//   at run time answers does not move it, since earlier events may be on their way.
// - Once: the ids of the last SEEN_LIMIT events are kept and not said again.
// - Dead connections: something must come within PATIENCE of each ping.

import { Emitter } from './emitter.js';
import { RoostError, errorOfFrame } from './error.js';
import { transports } from './transport.js';

const SEEN_LIMIT = 2048;
const QUEUE_LIMIT = 1000; // events that wait for an iterator
const CALLS = 16;
const PATIENCE = 10_000;
const OPEN_PATIENCE = 10_000;
const STABLE = 5_000; // a connection that lasted so long makes the next delay a short one
const DELAY = 1_000;
const DELAY_LIMIT = 30_000;
const UPGRADE = 120_000;
const TYPING = 2_000;

export class RoostStream extends Emitter {
	#roost;
	#names;
	#level = 0; // which of the transports is tried
	#failures = 0; // of it, since it last worked
	#worked = new Set();
	#transport = null;
	#state = 'connecting';
	#channels;
	#cursor;
	#seen = new Set();
	#attempts = 0;
	#refused = false; // the last connection ended with 4401
	#begun = false;
	#number = 0;
	#pending = new Map(); // calls and subscriptions that wait for their answer
	#waiting = []; // who waits for the next time it is live
	#timers = new Map();
	#heard = 0;
	#patience = PATIENCE;
	#typed = new Map();
	#cleanUp = [];

	/**
	 * @param {import('./roost.js').Roost} roost
	 * @param {object} [options]
	 * @param {string[]} [options.channels] as docs/live.md lists them
	 * @param {string} [options.cursor] where an earlier stream ended (its property cursor)
	 * @param {string[]} [options.transports] which to use: websocket, sse, poll
	 */
	constructor(roost, { channels = [], cursor = null, transports: names = Object.keys(transports) } = {}) {
		super();
		this.#roost = roost;
		this.#channels = new Set(channels);
		this.#cursor = cursor;
		this.#names = names.filter((name) => transports[name].possible(roost));
		if (this.#names.length === 0) throw new TypeError('none of the transports can be had here');
		this.#listen();
		this.#timer('connect', () => this.#connect(), 0);
	}

	/** connecting, live, reconnecting, offline or closed. */
	get state() { return this.#state; }

	/** websocket, sse or poll. */
	get transport() { return this.#names[this.#level]; }

	get channels() { return [...this.#channels]; }

	/** Stands for everything that has been handed out; null before the first answer. */
	get cursor() { return this.#cursor; }

	/** Whether call() and typing() reach the server at this moment. */
	get canCall() { return this.#state === 'live' && this.#transport?.canSend === true; }

	// What makes a connection worth trying, or doubting, right now.
	#listen() {
		const hear = (target, name, fn) => {
			target?.addEventListener?.(name, fn);
			this.#cleanUp.push(() => target?.removeEventListener?.(name, fn));
		};
		const wake = () => {
			if (globalThis.document?.visibilityState === 'hidden') return;
			if (this.#timers.has('reconnect')) this.#connect();
			else if (this.#state === 'live') this.#check(this.#patience / 2);
		};
		hear(globalThis.window, 'online', wake);
		hear(globalThis.window, 'offline', () => (this.#state === 'live' ? this.#check(this.#patience / 2) : this.#setState('offline')));
		hear(globalThis.document, 'visibilitychange', wake);
		this.#cleanUp.push(this.#roost.on('signed-out', ({ reason }) => this.close(reason)), this.#roost.on('signed-in', () => this.#renew()));
	}

	#timer(name, fn, delay) {
		clearTimeout(this.#timers.get(name));
		const timer = setTimeout(() => { this.#timers.delete(name); fn(); }, delay);
		this.#timers.set(name, timer);
	}

	#clear(...names) {
		for (const name of names.length > 0 ? names : [...this.#timers.keys()]) {
			clearTimeout(this.#timers.get(name));
			this.#timers.delete(name);
		}
	}

	#setState(state, more = {}) {
		if (this.#state === 'closed' || (state === this.#state && state === 'live')) return;
		this.#state = state;
		this.emit('state', { state, transport: this.transport, ...more });
	}

	async #connect() {
		this.#clear('reconnect', 'connect', 'upgrade', 'stable', 'ping', 'check');
		this.#transport?.close();
		const transport = this.#transport = new transports[this.transport]();
		const mine = (fn) => (...args) => { if (this.#transport === transport) fn(...args); };
		this.#begun = false;
		this.#timer('open', () => this.#lost(0, new RoostError({ detail: 'The connection took too long.' })), OPEN_PATIENCE);
		try {
			await this.#roost.fresh();
		} catch (error) {
			if (this.#transport === transport) this.#lost(0, error, false);
			return;
		}
		if (this.#transport !== transport) return; // closed or renewed meanwhile
		if (this.#channels.size === 0 && !(transport.canSend && this.#roost.signedIn)) { // nothing to hear, until something is subscribed to
			this.#transport = null;
			this.#live();
			return;
		}
		transport.open({
			roost: this.#roost,
			channels: () => this.channels,
			cursor: () => this.#cursor,
			frame: mine((frame) => this.#frame(frame)),
			closed: mine((code, error) => this.#lost(code, error)),
		});
	}

	// Connects anew without a loss to speak of: another token, other channels, a better transport.
	#renew(level = this.#level) {
		if (this.#state === 'closed') return;
		this.#level = level;
		this.#failures = 0;
		this.#abandon();
		this.#connect();
	}

	// Calls of a connection that is gone get no answer; subscriptions are asked for again by the next one.
	#abandon() {
		for (const { reject, call } of this.#pending.values()) {
			if (call) reject(new RoostError({ code: 'connection_lost', detail: 'The connection was lost before the answer came.' }));
		}
		this.#waiting.push(...[...this.#pending.values()].filter(({ call }) => !call));
		this.#pending.clear();
	}

	async #lost(code, error, counts = true) {
		const wasLive = this.#state === 'live';
		this.#transport?.close();
		this.#transport = null;
		this.#clear();
		this.#abandon();
		if (this.#state === 'closed') return;
		if (code === 4403) {
			this.#roost.forget('revoked');
			this.close('revoked');
			return;
		}
		if (error?.status === 400 || error?.status === 422) { // to ask again would change nothing
			this.emit('error', error);
			this.close('error');
			return;
		}
		if (code === 4401 && this.#roost.signedIn && !this.#refused) {
			this.#refused = true;
			try {
				await this.#roost.refresh();
				if (this.#state !== 'closed' && this.#transport === null) this.#connect();
				return;
			} catch (failure) {
				error = failure;
			}
			if (this.#state === 'closed' || this.#transport !== null) return;
		}
		if (counts && !wasLive) this.#fallBack(code, error);
		if (code === 1008) this.#attempts += 2;
		const delay = Math.max(Math.random() * Math.min(DELAY_LIMIT, DELAY * 2 ** this.#attempts++),
			(error?.retryAfter ?? 0) * 1000 * (1 + Math.random() / 4));
		this.#setState(globalThis.navigator?.onLine === false ? 'offline' : 'reconnecting', { code, error, delay });
		this.#timer('reconnect', () => this.#connect(), delay);
	}

	// Takes the next transport when this one is refused or keeps failing, the best one again when it is the server that
	// cannot be reached.
	#fallBack(code, error) {
		const away = this.#level > 0 && error && (error.status === 0 || error.status === 429 || error.status >= 500);
		const patience = error?.status > 0 ? 1 : this.#worked.has(this.transport) ? 6 : 2;
		if (code === 4401 || (!away && ++this.#failures < patience)) return;
		this.#level = away ? 0 : (this.#level + 1) % this.#names.length;
		this.#failures = 0;
	}

	#frame(frame) {
		this.#heard = Date.now();
		switch (frame.type) {
			case 'hello': this.#greet(frame); break;
			case 'ready': if (!this.#begun) this.#begin(); this.emit('ready', frame); break;
			case 'subscribed': case 'resumed': case 'unsubscribed': this.#answered(frame); break;
			case 'events': this.#take(frame); break;
			case 'signal': this.emit(frame.event, frame.data, { event: frame.event, data: frame.data, signal: true }); break;
			case 'reset': this.#cursor = frame.cursor ?? this.#cursor; this.#gap('reset'); break;
			case 'expiring': this.#expiring(); break;
			case 'response': this.#settle(frame.id, frame.status < 400 ? null : errorOfFrame(frame), frame.body ?? null); break;
			case 'error': this.#refusedFrame(frame); break;
			case 'pong': this.#cursor = frame.cursor ?? this.#cursor; break;
		}
	}

	#greet({ heartbeat = 30 }) {
		this.#patience = Math.min(PATIENCE, heartbeat * 1000);
		const beat = () => {
			this.#check(this.#patience);
			this.#timer('ping', beat, heartbeat * 1000);
		};
		this.#timer('ping', beat, heartbeat * 1000);
		if (!this.#transport.canSend) return;
		if (this.#roost.accessToken) this.#send({ type: 'auth', token: this.#roost.accessToken });
		else this.#begin(); // with cookies the handshake has said who it is
	}

	// Asks for a sign of life.
	#check(patience) {
		if (!this.#transport) return;
		const asked = Date.now();
		this.#send({ type: 'ping' });
		if (!this.#timers.has('check')) this.#timer('check', () => { if (this.#heard < asked) this.#lost(4408); }, patience);
	}

	#begin() {
		this.#begun = true;
		if (this.#channels.size === 0) this.#live();
		else if (this.#cursor) this.#send({ type: 'resume', channels: this.channels, cursor: this.#cursor });
		else this.#send({ type: 'subscribe', channels: this.channels });
	}

	#send(frame) {
		const id = ++this.#number;
		this.#transport?.send({ ...frame, id });
		return id;
	}

	#answered({ type, id, cursor, recovered }) {
		if (type === 'resumed' && recovered === false) {
			this.#cursor = cursor;
			this.#gap('not recovered');
		} else if (type === 'subscribed' && !this.#cursor && this.#worked.size > 0 && this.#state !== 'live') this.#gap('no cursor');
		this.#cursor ??= cursor ?? null;
		this.#settle(id);
		if (type !== 'unsubscribed') this.#live();
	}

	#live() {
		this.#clear('open');
		this.#failures = 0;
		this.#refused = false;
		this.#worked.add(this.transport);
		this.#timer('stable', () => { this.#attempts = 0; }, STABLE);
		if (this.#level > 0) this.#timer('upgrade', () => this.#renew(0), UPGRADE);
		this.#setState('live');
		for (const { resolve } of this.#waiting.splice(0)) resolve();
	}

	#gap(reason) {
		this.emit('gap', { reason });
	}

	#take({ events, cursor }) {
		for (const event of events) {
			if (this.#seen.has(event.id)) continue;
			this.#seen.add(event.id);
			if (this.#seen.size > SEEN_LIMIT) this.#seen.delete(this.#seen.values().next().value);
			this.emit(event.event, event.data, event);
		}
		this.#cursor = cursor ?? this.#cursor;
	}

	async #expiring() {
		const transport = this.#transport;
		try {
			await this.#roost.refresh();
		} catch {
			return; // the server closes with 4401, and it is tried again
		}
		if (this.#transport !== transport) return;
		if (this.#roost.cookies) this.#renew();
		else this.#send({ type: 'auth', token: this.#roost.accessToken });
	}

	#refusedFrame(frame) {
		const error = errorOfFrame(frame);
		if (this.#pending.has(frame.id)) this.#settle(frame.id, error);
		else if (this.#state === 'live') this.emit('error', error);
		else this.#lost(error.status === 401 ? 4401 : 0, error);
	}

	#settle(id, error, value) {
		const waiting = this.#pending.get(id);
		if (!waiting) return;
		this.#pending.delete(id);
		if (error) waiting.reject(error);
		else waiting.resolve(value);
	}

	/**
	 * Adds channels, now and for all connections to come. Resolves when the server has taken them; fails if it refuses.
	 * @param {...string} channels
	 */
	async subscribe(...channels) {
		const added = channels.filter((channel) => !this.#channels.has(channel));
		if (added.length === 0) return;
		for (const channel of added) this.#channels.add(channel);
		try {
			await new Promise((resolve, reject) => {
				if (this.#state === 'closed') reject(new RoostError({ code: 'closed', detail: 'The stream is closed.' }));
				else if (this.canCall) this.#pending.set(this.#send({ type: 'subscribe', channels: added }), { resolve, reject });
				else {
					this.#waiting.push({ resolve, reject });
					if (this.#state === 'live') this.#timer('renew', () => this.#renew(), 200);
				}
			});
		} catch (error) {
			for (const channel of added) this.#channels.delete(channel);
			throw error;
		}
	}

	/** Takes channels away. @param {...string} channels */
	unsubscribe(...channels) {
		const gone = channels.filter((channel) => this.#channels.delete(channel));
		if (gone.length > 0 && this.canCall) this.#send({ type: 'unsubscribe', channels: gone });
	}

	/**
	 * Makes a request over the socket; over HTTP when there is none, or 16 are waiting.
	 * @param {string} method @param {string} path below the base path @param {object} [body] @param {{ headers?: object }} [options]
	 */
	call(method, path, body, { headers } = {}) {
		if (!this.canCall || this.#pending.size >= CALLS) return this.#roost.request(method, path, body, { headers });
		return new Promise((resolve, reject) => {
			this.#pending.set(this.#send({ method, path, body, headers }), { resolve, reject, call: true });
		});
	}

	/** Tells a channel (post:ID) that something is being typed; call it at every key, it sends once in two seconds. */
	typing(channel) {
		const now = Date.now();
		if (!this.canCall || now - (this.#typed.get(channel) ?? 0) < TYPING) return;
		this.#typed.set(channel, now);
		this.#send({ type: 'signal', event: 'typing:start', channel });
	}

	/** Tells that it has ended; only if typing() told that it had begun. */
	stopTyping(channel) {
		if (this.#typed.delete(channel) && this.canCall) this.#send({ type: 'signal', event: 'typing:stop', channel });
	}

	/** Ends the stream for good. */
	close(reason = 'asked for') {
		if (this.#state === 'closed') return;
		this.#setState('closed', { reason });
		this.#transport?.close();
		this.#transport = null;
		this.#clear();
		this.#abandon();
		for (const { reject } of this.#waiting.splice(0)) reject(new RoostError({ code: 'closed', detail: 'The stream was closed.' }));
		for (const fn of this.#cleanUp.splice(0)) fn();
	}

	/** Events, signals and gaps one after the other, until the stream is closed. Who is too slow gets a gap instead of the oldest. */
	async* [Symbol.asyncIterator]() {
		const queue = [];
		let wake = () => {};
		const end = this.on('*', (data, event) => {
			if (event.event === 'ready' || event.event === 'error' || (event.event === 'state' && data.state !== 'closed')) return;
			if (queue.push(event) > QUEUE_LIMIT) queue.splice(0, queue.length, { event: 'gap', data: { reason: 'too slow' } }, event);
			wake();
		});
		try {
			while (this.#state !== 'closed' || queue.length > 0) {
				if (queue.length === 0) await new Promise((resolve) => { wake = resolve; });
				const event = queue.shift();
				if (event && event.event !== 'state') yield event;
			}
		} finally {
			end();
		}
	}
}
