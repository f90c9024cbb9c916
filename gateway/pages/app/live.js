// The session, and the one stream that all of the page listens to.
//
// Besides what a view asks for, the stream follows the posts that can be seen
// on the screen, so that their counters move; never more than VISIBLE of them.

import { Roost } from '/client/roost.js';
import { Emitter } from '/client/emitter.js';
import { byId, el, toast } from './dom.js';
import { forgetDrafts } from './form.js';

export const roost = new Roost();

/** Events of the stream, and: account (who is logged in now, or null), me (the own account has changed), live, gap, online. */
export const bus = new Emitter();

/** The account that is logged in, or null. */
export let me = null;

const VISIBLE = 60;
const WORDS = { connecting: 'Connecting…', live: 'Live', reconnecting: 'Reconnecting…', offline: 'Offline', closed: 'Not connected' };
const NAMES = { websocket: 'over WebSocket', sse: 'over server-sent events', poll: 'by polling' };
const online = new Set();
let stream = null;
let viewChannels = [];

const base = () => (me ? ['home', 'notifications', 'messages', 'presence'] : []);

function showState({ state, transport }) {
	byId('state').dataset.state = state;
	byId('state').title = state === 'live' ? `Connected ${NAMES[transport]}` : '';
	byId('state').replaceChildren(el('span', { class: 'light', 'aria-hidden': 'true' }), el('span', { class: 'word' }, WORDS[state]));
}

// Opens the stream for whoever is logged in now.
function open() {
	stream?.close('replaced');
	online.clear();
	const opened = stream = roost.stream({ channels: [...base(), ...viewChannels, ...visible.keys()] });
	showState(opened);
	opened.on('*', (data, event) => {
		if (opened !== stream) return;
		switch (event.event) {
			case 'state':
				if (data.state !== 'closed' || data.reason !== 'replaced') showState(data);
				if (data.state === 'live') {
					forgetOnline();
					bus.emit('live', data);
				}
				break;
			case 'error': toast(data.message); break;
			case 'user:updated': if (data.account.id === me?.id) renew(data.account); break;
			case 'user:online': online.add(data.account_id); showOnline(); break;
			case 'user:offline': online.delete(data.account_id); showOnline(); break;
		}
		bus.emit(event.event, data, event);
	});
}

/** Marks the accounts that are there, and asks about those that have not been seen before. */
export function showOnline(root = document) {
	for (const node of root.querySelectorAll('.avatar[data-account]')) {
		node.classList.toggle('online', online.has(node.dataset.account));
		if (!known.has(node.dataset.account)) unknown.add(node.dataset.account);
	}
	if (me && unknown.size > 0) asking ??= setTimeout(askOnline, 200);
}

const known = new Set(); // of these it has been asked
const unknown = new Set();
let asking = null;

// Signals tell only of those one follows, and only what changes: the others are asked about.
async function askOnline() {
	asking = null;
	const ids = [...unknown].slice(0, 100);
	for (const id of ids) {
		unknown.delete(id);
		known.add(id);
	}
	if (ids.length === 0) return;
	try {
		const { items } = await roost.get('/presence', { account_ids: ids.join(',') });
		for (const item of items) {
			if (item.online) online.add(item.account_id);
			else online.delete(item.account_id);
		}
	} catch { /* no dots, then */ }
	showOnline();
}

// Asks anew about all that are shown.
function forgetOnline() {
	known.clear();
	showOnline();
}
setInterval(() => { if (!document.hidden) forgetOnline(); }, 60_000);

/** Sets the channels that the present view needs; resolves when the server has taken them. */
export async function follow(channels) {
	const gone = viewChannels.filter((channel) => !channels.includes(channel) && !base().includes(channel) && !visible.has(channel));
	viewChannels = channels;
	stream?.unsubscribe(...gone);
	await stream?.subscribe(...channels).catch((error) => { if (error.code !== 'closed') toast(error.message); });
}

export const typing = (channel) => stream?.typing(channel);
export const stopTyping = (channel) => stream?.stopTyping(channel);

// Posts on the screen: channel -> how many cards of it.
const visible = new Map();
let changed = null;

const observer = new IntersectionObserver((entries) => {
	for (const { target, isIntersecting } of entries) {
		const channel = `post:${target.dataset.post}`;
		const count = (visible.get(channel) ?? 0) + (isIntersecting ? 1 : target.seen ? -1 : 0);
		if (count > 0) visible.set(channel, count);
		else visible.delete(channel);
		target.seen = isIntersecting;
	}
	changed ??= setTimeout(followVisible, 300);
});

let followed = [];

function followVisible() {
	changed = null;
	const wanted = [...visible.keys()].slice(-VISIBLE);
	stream?.unsubscribe(...followed.filter((channel) => !wanted.includes(channel) && !viewChannels.includes(channel)));
	stream?.subscribe(...wanted).catch(() => {}); // counters stand still until the next connection
	followed = wanted;
}

/** Follows a card's post while it can be seen. */
export function watch(card) {
	observer.observe(card);
}

/** Ends that; for cards that leave the page. */
export function unwatch(root) {
	for (const card of root.querySelectorAll('[data-post]')) {
		observer.unobserve(card);
		const channel = `post:${card.dataset.post}`;
		if (card.seen) visible.set(channel, visible.get(channel) - 1);
		if (card.seen && visible.get(channel) <= 0) visible.delete(channel);
		card.seen = false;
	}
	changed ??= setTimeout(followVisible, 300);
}

/** Takes over what is new about the account that is logged in. */
export function renew(account) {
	me = { ...me, ...Object.fromEntries(Object.entries(account).filter(([name]) => name in me)) };
	bus.emit('me', me);
}

async function setAccount(account) {
	me = account;
	forgetDrafts();
	open();
	bus.emit('account', me);
}

roost.on('signed-in', ({ account }) => setAccount(account));
roost.on('signed-out', ({ reason }) => {
	if (reason !== 'logout') toast('You have been logged out.');
	setAccount(null);
});

// Another tab has logged in or out.
addEventListener('storage', ({ key, oldValue, newValue }) => {
	if (key === 'roost-account' && oldValue !== newValue && newValue !== (me?.id ?? '')) location.reload();
});
bus.on('account', (account) => {
	try { localStorage.setItem('roost-account', account?.id ?? ''); } catch { /* only this tab knows */ }
});

/** Finds out who is logged in, and connects. */
export async function start() {
	let account = null;
	try {
		if (roost.signedIn) account = await roost.request('GET', '/users/me');
	} catch (error) {
		if (roost.signedIn) throw error; // not the session's end, but no answer
		return; // signed-out has done the rest
	}
	await setAccount(account);
}
