// What the links in mails lead to: confirming an address, and a new password. Opening a link changes nothing, since
// programs that look through mails open them, too: a button does.

import { codeField, codeOf } from './account.js';
import { el, nameOf } from './dom.js';
import { makeForm } from './form.js';
import { afterReset } from './forms.js';
import { me, renew, roost } from './live.js';
import { mailed } from './mailed.js';
import { change } from './safety.js';

let outcome = null; // what has become of it, until one goes elsewhere
addEventListener('hashchange', () => { outcome = null; });

const login = () => el('a', { href: '#/login' }, 'Log in');
const home = () => el('a', { href: '#/home' }, 'To the timeline');

// Makes the view of a room. send gets the token and what the fields say, and answers with what has become of it. The token is
// that of the link; without one, or once it is refused, it is asked for.
function makeView({ title, room, lead, fields, button, other, send }) {
	const node = el('div', {});
	const words = el('p', {}, lead);
	const form = makeForm({
		prefix: 'mailed', button, other, fields: [{ ...codeField, show: () => !mailed[room] }, ...fields],
		send: async ({ token, ...values }) => {
			try {
				outcome = { room, make: await send(mailed[room] || codeOf(token), values) };
			} catch (error) {
				if (error.field === 'token') {
					mailed[room] = null;
					form.arrange();
				}
				throw error;
			}
			mailed[room] = null; // used
			draw();
			document.querySelector('.outcome')?.focus();
		},
	});
	function draw() {
		// Whoever logs in or out meanwhile is shown a new view: what has become of it stands in that one, too.
		for (const place of document.querySelectorAll(`[data-mailed="${room}"]`)) place.replaceChildren(outcome.make());
	}
	node.dataset.mailed = room;
	node.append(...(outcome?.room === room ? [outcome.make()] : [words, form.node]));
	return { title, channels: [], node };
}

const done = (...children) => () => el('p', { class: 'notice outcome', role: 'status', tabindex: '-1' }, ...children.map((child) => (typeof child === 'function' ? child() : child)));

// Whose address or password it is the link knows, and not the page: it says only who is logged in.
const whoever = () => (me ? ` You are logged in as ${nameOf(me)}.` : '');

export const verifyView = () => makeView({
	title: 'Confirm your e-mail address', room: 'verify-email', fields: [], button: 'Confirm the address',
	lead: 'The address to which the mail was sent becomes that of the account that asked for it.',
	other: me ? el('a', { href: '#/settings/account' }, 'A new mail') : login(),
	send: async (token) => {
		await change('POST', '/auth/verify-email', { token });
		const former = me;
		const now = me && await roost.request('GET', '/users/me').catch(() => null);
		if (now) renew(now);
		const own = now && (now.email !== former.email || now.email_verified !== former.email_verified);
		return own ? done(`Your address ${now.email} is confirmed. `, home) : done('The address is confirmed.', whoever, ' ', me ? home : login);
	},
});

export const resetView = () => makeView({
	title: 'Set a new password', room: 'reset-password', button: 'Set the password',
	lead: 'It becomes that of the account for which the mail was asked. All sessions of that account end.',
	fields: [{ name: 'password', label: 'New password', type: 'password', hint: 'A sentence is a good one.', autocomplete: 'new-password' }],
	other: el('a', { href: '#/forgot' }, 'A new mail'),
	send: async (token, { password }) => {
		await change('POST', '/auth/reset-password', { token, password });
		await afterReset();
		return done('The password is set.', whoever, ' ', () => (me ? home() : login()));
	},
});
