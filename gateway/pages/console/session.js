// The session of the console: who is logged in, what this account may do, and calls of the API.
// Nothing that the server says is kept: neither here nor by the browser's cache.

import { Roost } from '/client/roost.js';
import { Emitter } from '/client/emitter.js';
import { patient } from '/app/patience.js';

const roost = new Roost({ fetch: (url, init) => fetch(url, { ...init, cache: 'no-store' }) });

/** Events: account (who is logged in now, or null). */
export const bus = new Emitter();

/** The account that is logged in, with its permissions; or null. */
export let me = null;

/** Whether the account has one of these permissions. */
export const can = (...permissions) => permissions.some((permission) => me?.permissions?.includes(permission));

/** GET, with query parameters; empty ones are left out. */
export const read = (path, query = {}) => patient(() => roost.get(path, Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''))));

const uncertain = new Map(); // what was sent and may have arrived -> its key

/**
 * Changes something. Each call has an Idempotency-Key of its own; the same call again after one that may or may not
 * have arrived has the same key, so that it takes effect once.
 */
export async function write(method, path, body) {
	const call = JSON.stringify([method, path, body]);
	const key = uncertain.get(call) ?? crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint32Array(4))].join('-');
	uncertain.set(call, key);
	try {
		const answer = await patient(() => roost.request(method, path, body, { headers: { 'idempotency-key': key } }));
		uncertain.delete(call);
		return answer;
	} catch (error) {
		if (error.status > 0 && error.status < 500) uncertain.delete(call);
		throw error;
	}
}

export const login = (fields) => roost.login(fields);
export const logout = () => roost.logout();

const ACCOUNT = 'roost-account'; // under this name the pages of a browser tell each other who is logged in

async function load() {
	me = roost.signedIn ? await read('/auth/me') : null;
	try { localStorage.setItem(ACCOUNT, me?.id ?? ''); } catch { /* only this tab knows */ }
	bus.emit('account', me);
}

// Another tab has logged in or out: nothing of the former account stays on this one.
addEventListener('storage', ({ key, newValue }) => {
	if (key === ACCOUNT && (newValue ?? '') !== (me?.id ?? '')) location.reload();
});

roost.on('signed-in', load);
roost.on('signed-out', () => {
	uncertain.clear();
	load();
});

/** Finds out who is logged in. */
export async function start() {
	try {
		await load();
	} catch (error) {
		if (roost.signedIn) throw error; // not the session's end, but no answer
	}
}

/** Reads again what the account may do. */
export const reload = load;
