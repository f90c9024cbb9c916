// The client of roost for browsers and node 18 or later: requests, sessions, and
// (stream.js) what happens, as it happens. No dependencies, no build step.
//
//   import { Roost } from '/client/roost.js';
//   const roost = new Roost();
//   await roost.login({ identifier: 'ada', password });
//   const stream = roost.stream({ channels: ['home'] });
//   stream.on('tweet:new', ({ post }) => show(post));
//
// Two ways to hold a session. With cookies (the default of browsers) the tokens
// lie in httpOnly cookies that no script can read; what this file knows is the
// readable cookie roost_csrf, which is there as long as the session, and when
// the access token expires, which all tabs share in localStorage. Elsewhere the
// tokens are in memory; onTokens tells the application what to keep.
//
// A refresh happens once at a time: callers wait for the one that runs, and
// tabs take turns. Sent twice all the same, the server gives the same answer.

import { Emitter } from './emitter.js';
import { RoostError, errorOf } from './error.js';
import { RoostStream } from './stream.js';

export { RoostError, RoostStream };

const EXPIRY = 'roost-expires-at';
const EARLY = 30_000; // a token is replaced this long before its end

const readCookie = (name) => globalThis.document?.cookie.split('; ').find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);

export class Roost extends Emitter {
	#tokens;
	#refreshing = null;
	#memory = new Map();
	#over = false; // the session was found ended, though its cookies may still be there
	#entered = false; // there was a session, and nobody has been told of its end

	/**
	 * @param {object} [options]
	 * @param {string} [options.url] where the gateway is; by default where the page comes from
	 * @param {string} [options.basePath] '/api/v1'
	 * @param {boolean} [options.cookies] keep the session in cookies; by default in browsers
	 * @param {object} [options.tokens] what onTokens gave, to go on with that session
	 * @param {(tokens: object|null) => void} [options.onTokens] called when tokens change
	 * @param {typeof fetch} [options.fetch] @param {typeof WebSocket} [options.WebSocket] other implementations
	 */
	constructor({ url = globalThis.location?.origin, basePath = '/api/v1', cookies = typeof document !== 'undefined',
		tokens = null, onTokens, fetch = (...args) => globalThis.fetch(...args), WebSocket = globalThis.WebSocket } = {}) {
		super();
		if (!url) throw new TypeError('url says where roost is');
		this.base = url.replace(/\/+$/, '') + basePath;
		this.cookies = cookies;
		this.WebSocket = WebSocket;
		this.fetch = fetch;
		this.onTokens = onTokens;
		this.#tokens = tokens;
		this.#entered = this.signedIn;
	}

	/** Whether there is a session, as far as is known here. */
	get signedIn() {
		return this.cookies ? !this.#over && Boolean(readCookie('roost_csrf')) : Boolean(this.#tokens);
	}

	/** The access token; null with cookies, where no script sees it. */
	get accessToken() {
		return this.#tokens?.access_token ?? null;
	}

	// When the access token expires (milliseconds since 1970); 0 when that is not known.
	get #expiresAt() {
		if (!this.cookies) return this.#tokens?.expires_at ?? 0;
		try {
			return Number(localStorage.getItem(EXPIRY) ?? 0);
		} catch { // storage may be forbidden
			return this.#memory.get(EXPIRY) ?? 0;
		}
	}

	// Takes over what a login or a refresh answered.
	#accept(session) {
		const expiresAt = Date.now() + session.expires_in * 1000;
		this.#over = false;
		this.#entered = true;
		if (this.cookies) {
			this.#memory.set(EXPIRY, expiresAt);
			try { localStorage.setItem(EXPIRY, expiresAt); } catch { /* memory has it */ }
		} else {
			this.#tokens = { access_token: session.access_token, refresh_token: session.refresh_token, expires_at: expiresAt };
			this.onTokens?.(this.#tokens);
		}
		return session;
	}

	/**
	 * Forgets the session here. Called when the server says that it has ended, also when another tab has taken its cookie away before.
	 * @param {string} reason logout, expired or revoked
	 */
	forget(reason) {
		if (!this.signedIn && !this.#entered && reason !== 'logout') return;
		this.#over = true;
		this.#entered = false;
		this.#tokens = null;
		this.#memory.delete(EXPIRY);
		if (this.cookies) {
			document.cookie = 'roost_csrf=; Path=/; Max-Age=0; SameSite=Lax';
			try { localStorage.removeItem(EXPIRY); } catch { /* nothing there */ }
		} else this.onTokens?.(null);
		this.emit('signed-out', { reason });
	}

	/** POST /auth/register: { username, email, password, ... }. Resolves with the session. */
	register(fields) {
		return this.#enter('/auth/register', fields);
	}

	/** POST /auth/login: { identifier, password }. Resolves with the session. */
	login(fields) {
		return this.#enter('/auth/login', fields);
	}

	async #enter(path, fields) {
		const session = this.#accept(await this.#send('POST', path, fields, { token: false }));
		this.emit('signed-in', { account: session.account });
		return session;
	}

	/** Ends the session, here in any case. */
	async logout() {
		try {
			await this.request('POST', '/auth/logout');
		} catch (error) {
			if (error.status !== 401) throw error;
		} finally {
			this.forget('logout');
		}
	}

	/** Replaces the access token; several calls at once are one. Fails with 401 when the session has ended. */
	refresh() {
		this.#refreshing ??= this.#refreshOnce().finally(() => { this.#refreshing = null; });
		return this.#refreshing;
	}

	async #refreshOnce() {
		const known = this.#expiresAt;
		const run = async () => {
			if (this.cookies && this.#expiresAt > known && this.#expiresAt > Date.now() + EARLY) return; // another tab was faster
			const body = this.cookies ? {} : { refresh_token: this.#tokens?.refresh_token };
			try {
				this.#accept(await this.#send('POST', '/auth/refresh', body, { token: false }));
			} catch (error) {
				if (error.status === 401 || error.field === 'refresh_token') this.forget('expired'); // or its cookie is gone
				throw error;
			}
		};
		const locks = this.cookies && globalThis.navigator?.locks;
		return locks ? locks.request('roost-refresh', run) : run();
	}

	/** Sees to it that the access token is good for a while, if there is a session. */
	async fresh() {
		if (this.signedIn && this.#expiresAt < Date.now() + EARLY) await this.refresh();
	}

	/**
	 * Makes a request, with the session if there is one. Resolves with the JSON of the answer, or null.
	 * @param {string} method @param {string} path below the base path, with its query
	 * @param {object} [body] @param {{ headers?: object, signal?: AbortSignal }} [options]
	 * @throws {RoostError}
	 */
	async request(method, path, body, options = {}) {
		const attempt = async () => {
			await this.fresh();
			return this.#send(method, path, body, options);
		};
		const had = this.#expiresAt;
		try {
			return await attempt();
		} catch (error) {
			if (error.status !== 401 || !/^(invalid_token|token_required)$/.test(error.code)) throw error;
			if (!this.signedIn) {
				this.forget('expired'); // its cookie is gone
				throw error;
			}
			if (this.#expiresAt === had) await this.refresh();
			return attempt();
		}
	}

	/** GET with query parameters given as an object. */
	get(path, query = {}, options) {
		const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined && value !== null)).toString();
		return this.request('GET', text ? `${path}?${text}` : path, undefined, options);
	}

	/** The headers and credentials of a request. */
	credentials(method, { token = true, headers = {} } = {}) {
		const csrf = this.cookies && method !== 'GET' && readCookie('roost_csrf');
		return {
			headers: {
				...(this.cookies && !token ? { 'x-roost-cookies': '1' } : {}),
				...(csrf ? { 'x-csrf-token': csrf } : {}),
				...(token && this.#tokens ? { authorization: `Bearer ${this.#tokens.access_token}` } : {}),
				...headers,
			},
			// Cookies of a session that has ended would make every answer a 401.
			credentials: this.cookies && (this.signedIn || !token) ? 'same-origin' : 'omit',
		};
	}

	async #send(method, path, body, { headers, signal, token } = {}) {
		const init = { method, signal, ...this.credentials(method, { token, headers }) };
		if (body !== undefined) {
			init.headers['content-type'] = 'application/json';
			init.body = JSON.stringify(body);
		}
		let answer;
		try {
			answer = await this.fetch(this.base + path, init);
			if (!answer.ok) throw await errorOf(answer);
			const text = await answer.text();
			return text ? JSON.parse(text) : null;
		} catch (error) {
			if (error instanceof RoostError || error.name === 'AbortError') throw error;
			throw new RoostError({ detail: 'The server cannot be reached.' }, { cause: error });
		}
	}

	/**
	 * Opens a stream of events; it connects by itself and keeps itself connected until close().
	 * @param {object} [options] see RoostStream
	 * @returns {RoostStream}
	 */
	stream(options) {
		return new RoostStream(this, options);
	}
}
