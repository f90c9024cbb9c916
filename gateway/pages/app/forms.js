// Logging in and registering.

import { codeField, codeOf } from './account.js';
import { el, toast } from './dom.js';
import { makeForm } from './form.js';
import { me, roost } from './live.js';
import { change } from './safety.js';

const form = ({ title, ...options }) => ({ title, channels: [], node: makeForm(options).node });

let next = '#/home';

/** Where to go once one has logged in. */
export const afterwards = (address) => {
	const wanted = next;
	next = address ?? '#/home';
	return wanted;
};

export const loginView = () => form({
	title: 'Log in',
	fields: [
		{ name: 'identifier', label: 'User name or e-mail address', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false' },
		{ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' },
	],
	button: 'Log in',
	send: (fields) => roost.login(fields),
	other: el('span', {}, el('a', { href: '#/register' }, 'No account yet?'), ' · ', el('a', { href: '#/forgot' }, 'Forgot your password?'), ' · ', el('a', { href: '#/appeal' }, 'Suspended?')),
});

/** Finds out whether one's own session has ended with those of the account that has a new password: one may be logged in as another. */
export async function afterReset() {
	if (me) await roost.request('GET', '/users/me').catch(() => {}); // signed-out does the rest
}

/** A new password for who has forgotten it: a mail, and its code. */
export function forgotView() {
	const word = el('p', { role: 'status' });
	const mail = makeForm({
		prefix: 'forgot', button: 'Send me a mail', other: el('a', { href: '#/login' }, 'Log in'),
		fields: [{ name: 'email', label: 'E-mail address', type: 'email', autocomplete: 'email', value: me?.email }],
		send: async (fields) => {
			await change('POST', '/auth/forgot-password', fields);
			word.textContent = `If ${fields.email} belongs to an account, a mail is on its way to it.`;
			reset.input('token').focus();
		},
	});
	const reset = makeForm({
		prefix: 'reset', button: 'Set the password',
		fields: [codeField, { name: 'password', label: 'New password', type: 'password', hint: 'A sentence is a good one. All sessions end.', autocomplete: 'new-password' }],
		send: async ({ token, password }) => {
			await change('POST', '/auth/reset-password', { token: codeOf(token), password });
			await afterReset();
			location.hash = me ? '#/home' : '#/login';
			toast(me ? 'The password is set.' : 'Your password is set. Log in with it.', { good: true });
		},
	});
	return { title: 'A new password', node: el('div', {}, mail.node, word, reset.node) };
}

/** Who is suspended cannot log in, but object. */
export function appealView() {
	const done = el('div', { role: 'status' });
	const { node } = makeForm({
		fields: [
			{ name: 'identifier', label: 'User name or e-mail address', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false' },
			{ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' },
			{ name: 'text', label: 'Why the decision is wrong', kind: 'textarea', required: true, maxlength: 2000, hint: 'Somebody else looks at it again. You can do this once.' },
		],
		button: 'Send',
		send: async (fields) => {
			await change('POST', '/appeals', fields);
			node.remove();
			done.replaceChildren(el('p', { class: 'notice' }, 'Your appeal has been sent. What becomes of it comes by mail; if the suspension is lifted you can log in again.'));
		},
		other: el('a', { href: '#/login' }, 'Log in'),
	});
	return { title: 'Appeal against a suspension', channels: [], node: el('div', {}, done, node) };
}

export const registerView = () => form({
	title: 'Create an account',
	fields: [
		{ name: 'username', label: 'User name', hint: 'Letters, digits and underscores; others see it.', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', maxlength: 30 },
		{ name: 'email', label: 'E-mail address', type: 'email', hint: 'Nobody sees it.', autocomplete: 'email' },
		{ name: 'password', label: 'Password', type: 'password', hint: 'A sentence is a good one.', autocomplete: 'new-password' },
	],
	button: 'Register',
	send: (fields) => roost.register(fields),
	other: el('a', { href: '#/login' }, 'I have an account'),
});
