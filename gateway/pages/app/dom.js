// Elements. Whatever comes from the server becomes text or a checked attribute,
// never markup: there is no innerHTML in this page.

/**
 * Makes an element: el('p', { class: 'x', onclick: fn }, 'text', node). Null children are left out;
 * attributes that are null or false, too.
 */
export function el(name, attributes = {}, ...children) {
	const node = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) {
		if (value === null || value === undefined || value === false) continue;
		if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
		else node.setAttribute(key, value === true ? '' : value);
	}
	node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
	return node;
}

export const byId = (id) => document.getElementById(id);

const PATHS = {
	reply: 'M4 5h16v11H9l-5 4z',
	retweet: 'M4 11V9a3 3 0 0 1 3-3h11l-3-3m5 10v2a3 3 0 0 1-3 3H6l3 3',
	like: 'M12 20 4.5 12.6a4.6 4.6 0 0 1 6.5-6.5l1 1 1-1a4.6 4.6 0 0 1 6.5 6.5z',
	remove: 'M5 7h14M10 4h4M7 7l1 13h8l1-13',
	sending: 'M12 7v5l3 2M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z',
	failed: 'M12 8v5m0 3v.1M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z',
	sent: 'm6 12.5 4 4 8-9',
	delivered: 'm2.5 12.5 4 4 8-9m-3.5 8 1 1 9-9',
	read: 'm2.5 12.5 4 4 8-9m-3.5 8 1 1 9-9',
	pin: 'M9 4h6l-1 6 3 3H7l3-3-1-6zm3 9v7',
	mute: 'M5 10v4h3l4 4V6l-4 4zm11 0 5 5m0-5-5 5',
	bookmark: 'M7 4h10v16l-5-4-5 4z',
	settings: 'M4 7h9m5 0h2M4 12h2m5 0h9M4 17h9m5 0h2M13 5v4h5V5zM6 10v4h5v-4zm7 5v4h5v-4z',
	lock: 'M7 11V8a5 5 0 0 1 10 0v3M5 11h14v9H5z',
	clock: 'M12 8v5l3 2M12 5a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM9 2h6',
};

/** A drawing that says nothing to screen readers; its button has a label. */
export function icon(name) {
	const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
	svg.setAttribute('viewBox', '0 0 24 24');
	svg.setAttribute('aria-hidden', 'true');
	const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
	path.setAttribute('d', PATHS[name]);
	svg.append(path);
	return svg;
}

/** A name that no request had before: the server does a thing once for each. */
export const newKey = () => (crypto.randomUUID ? crypto.randomUUID() : [...crypto.getRandomValues(new Uint32Array(4))].join('-'));

/** Whether an id is newer than another. */
export const newer = (a, b) => BigInt(a) > BigInt(b);

/** Text for screen readers only. */
export const hidden = (text) => el('span', { class: 'hidden' }, text);

/** Says something to screen readers, politely. */
export function say(text) {
	byId('say').textContent = text;
}

/** An http(s) address, or null. */
export function webAddress(text) {
	try {
		const url = new URL(/^[a-z][a-z0-9+.-]*:/i.test(text) ? text : `https://${text}`);
		return /^https?:$/.test(url.protocol) ? url.href : null;
	} catch {
		return null;
	}
}

export const webLink = (text, label = text) => {
	const href = webAddress(text);
	return href ? el('a', { href, rel: 'noopener noreferrer nofollow ugc', target: '_blank' }, label) : label;
};

export const accountLink = (account, ...children) => el('a', { href: `#/@${account.username}` }, ...children);

export const nameOf = (account) => account.display_name || account.username;

/** The first letter of a name on a colour of its own. Pictures of other servers are not loaded. */
export function picture(name, id, attributes, ...more) {
	const [letter] = name.trim() || '?';
	const hue = [...id].reduce((sum, digit) => (sum * 31 + Number(digit)) % 360, 7);
	return el('span', { style: `--hue: ${hue}`, ...attributes }, el('span', { 'aria-hidden': 'true' }, letter.toUpperCase()), ...more);
}

export const avatar = (account, size = '') => picture(nameOf(account), account.id, { class: `avatar ${size}`, 'data-account': account.id },
	el('span', { class: 'dot', title: 'online' }, hidden('online')));

/** A row about an account: its picture, its name, and what stands under that. */
export const person = (account, ...under) => [avatar(account), el('div', {}, accountLink(account, el('bdi', { class: 'name' }, nameOf(account))), el('p', { class: 'dim' }, `@${account.username}`, ...under))];

const TAG = /(?<![\p{L}\p{M}\p{N}_&/])[#＃]([\p{L}\p{M}\p{N}_]+)/gu;

// The hashtags of a text, where the server has found the same ones: they have no positions.
function tagsOf(text, known) {
	const found = [];
	for (const match of text.matchAll(TAG)) {
		const hashtag = match[1].normalize('NFKC').toLowerCase();
		const start = [...text.slice(0, match.index)].length;
		if (known.includes(hashtag)) found.push({ hashtag, start, end: start + [...match[0]].length });
	}
	return found;
}

/** A post's text with its mentions, tags and links. Positions count code points. */
export function richText(post) {
	const points = [...post.text];
	const parts = [
		...(post.mentions ?? []).map((part) => ({ ...part, make: (label) => accountLink(part, label) })),
		...(post.urls ?? []).map((part) => ({ ...part, make: (label) => webLink(part.url, label) })),
		...tagsOf(post.text, post.hashtags ?? []).map((part) => ({ ...part, make: (label) => el('a', { href: `#/tag/${encodeURIComponent(part.hashtag)}` }, label) })),
	].sort((a, b) => a.start - b.start);
	const nodes = [];
	let at = 0;
	for (const part of parts) {
		if (part.start < at) continue;
		nodes.push(points.slice(at, part.start).join(''), part.make(points.slice(part.start, part.end).join('')));
		at = part.end;
	}
	nodes.push(points.slice(at).join(''));
	return el('div', { class: 'text', dir: 'auto', lang: post.language && post.language !== 'und' ? post.language : null }, ...nodes);
}

const relative = new Intl.RelativeTimeFormat('en', { style: 'narrow' });

function ago(then) {
	const seconds = (Date.now() - then) / 1000;
	if (seconds < 45) return 'now';
	if (seconds < 3600) return relative.format(-Math.max(1, Math.round(seconds / 60)), 'minute');
	if (seconds < 86400) return relative.format(-Math.round(seconds / 3600), 'hour');
	if (seconds < 7 * 86400) return relative.format(-Math.round(seconds / 86400), 'day');
	return then.toLocaleDateString('en', { day: 'numeric', month: 'short', year: then.getFullYear() === new Date().getFullYear() ? undefined : 'numeric' });
}

export function time(text) {
	const then = new Date(text);
	return el('time', { class: 'ago', datetime: text, title: then.toLocaleString() }, ago(then));
}

setInterval(() => {
	for (const node of document.querySelectorAll('time.ago')) node.textContent = ago(new Date(node.dateTime));
}, 30_000);

export const short = (number) => (number < 10_000 ? String(number) : new Intl.NumberFormat('en', { notation: 'compact' }).format(number));

export const plural = (number, one, many = `${one}s`) => `${short(number)} ${number === 1 ? one : many}`;

const lasting = (seconds) => (seconds < 120 ? plural(seconds, 'second') : seconds < 7200 ? plural(Math.ceil(seconds / 60), 'minute') : plural(Math.ceil(seconds / 3600), 'hour'));

/** What went wrong, in words. */
export function explain(error) {
	if (error.status === 429 && error.retryAfter) return `${error.message}. Try again in ${lasting(error.retryAfter)}.`;
	const text = error.message.replace(/\.$/, '');
	return `${text.charAt(0).toUpperCase()}${text.slice(1)}.${error.hint ? ` ${error.hint}` : ''}`;
}

/** Whether an error may be gone by itself in a moment: no answer, or a server that is not ready. */
export const passing = ({ status }) => status === 0 || status === 502 || status === 503;

/** A message about an error, with a button to try again. */
export function failure(error, again) {
	return el('div', { class: 'notice error', role: 'alert', 'data-passing': Boolean(again) && passing(error) }, el('p', {}, explain(error)),
		again && el('button', { type: 'button', onclick: again }, 'Try again'));
}

/** Runs what a button does: once at a time, and says what goes wrong. */
export async function busy(button, work) {
	if (button.getAttribute('aria-disabled') === 'true') return;
	button.setAttribute('aria-disabled', 'true');
	try {
		await work();
	} catch (error) {
		toast(explain(error));
	} finally {
		button.removeAttribute('aria-disabled');
	}
}

/** A message at the edge of the page that goes by itself; what went well goes sooner. */
export function toast(text, { good = false } = {}) {
	document.querySelector('.toast')?.remove();
	const node = el('div', { class: 'toast', role: good ? 'status' : 'alert' }, text, el('button', { type: 'button', 'aria-label': 'Close', onclick: () => node.remove() }, '×'));
	document.body.append(node);
	setTimeout(() => node.remove(), good ? 4_000 : 8_000);
}
