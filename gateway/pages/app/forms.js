// Logging in and registering.

import { el } from './dom.js';
import { makeForm } from './form.js';
import { roost } from './live.js';

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
	other: el('a', { href: '#/register' }, 'No account yet?'),
});

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
