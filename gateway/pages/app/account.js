// The e-mail address and the password.

import { busy, el, failure, toast } from './dom.js';
import { makeForm } from './form.js';
import { bus, me, renew, roost } from './live.js';
import { onReturn } from './paged.js';
import { patient } from './patience.js';
import { change } from './safety.js';

/** What stands for a mail: its code, also out of the whole link. */
export const codeOf = (text) => /[?&]token=([A-Za-z0-9._-]+)/.exec(text)?.[1] ?? text.trim();

/** The field for such a code. */
export const codeField = { name: 'token', label: 'Code from the mail', autocomplete: 'one-time-code', autocapitalize: 'none', spellcheck: 'false', hint: 'Or the whole link.' };

const password = (name, label, autocomplete, more = {}) => ({ name, label, type: 'password', autocomplete, ...more });

// So that a manager of passwords knows whose it is.
const owner = () => el('input', { type: 'text', name: 'username', autocomplete: 'username', value: me.username, hidden: true, readonly: true });

let asked = null; // the address to which a mail was sent, as long as the page is open
bus.on('account', () => { asked = null; });

function emailSection() {
	const problem = el('div', {});
	const state = el('p', {});
	const word = el('p', { role: 'status' });
	const again = el('button', { type: 'button', hidden: true, onclick: () => busy(again, async () => {
		await roost.request('POST', '/auth/resend-verification');
		word.textContent = `A mail is on its way to ${me.email}.`;
	}) }, 'Send the mail again');
	const form = makeForm({
		class: 'ask', prefix: 'email', button: 'Change the address', draft: 'email',
		fields: [{ name: 'email', label: 'New address', type: 'email', autocomplete: 'email', maxlength: 254, hint: 'Nobody sees it.' }, password('password', 'Your password', 'current-password')],
		send: async ({ email, password: secret }) => {
			await change('POST', '/auth/change-email', { email, password: secret });
			for (const name of ['email', 'password']) form.input(name).value = '';
			asked = email;
			other.open = false;
			show();
			code.input('token').focus();
		},
	});
	form.node.prepend(owner());
	const code = makeForm({
		class: 'ask', prefix: 'code', button: 'Confirm', fields: [codeField],
		send: async ({ token }) => {
			await change('POST', '/auth/verify-email', { token: codeOf(token) });
			code.input('token').value = '';
			asked = null;
			await load();
			toast('Your address is confirmed.', { good: true });
		},
	});
	const enter = el('details', {}, el('summary', {}, 'Confirm an address'), code.node);
	const other = el('details', { open: form.input('email').value !== '' }, el('summary', {}, 'Change the address'), form.node);
	function show() {
		state.replaceChildren(el('strong', {}, me.email ?? 'You have no address.'), me.email && el('span', { class: me.email_verified ? 'dim' : 'problem' }, me.email_verified ? ' · confirmed' : ' · not confirmed yet'));
		again.hidden = !me.email || me.email_verified;
		if (asked) word.textContent = `A mail is on its way to ${asked}. The address is yours once you open its link, or give its code here.`;
		if (asked || !me.email_verified) enter.open = true;
	}
	async function load() {
		try {
			const former = me.email;
			renew(await patient(() => roost.request('GET', '/users/me')));
			if (me.email !== former) {
				asked = null;
				word.textContent = '';
			}
			show();
			problem.replaceChildren();
		} catch (error) {
			if (error.status !== 401) problem.replaceChildren(failure(error, load));
		}
	}
	show();
	return { load, node: el('section', { class: 'notice' }, el('h2', {}, 'E-mail address'), problem, state, word, el('p', { class: 'row' }, again), enter, other) };
}

function passwordSection() {
	const form = makeForm({
		class: 'ask', prefix: 'password', button: 'Change the password', other: el('a', { href: '#/forgot' }, 'Forgot it?'),
		fields: [password('current_password', 'Present password', 'current-password'), password('new_password', 'New password', 'new-password', { hint: 'A sentence is a good one. Your other sessions end.' }), { name: 'show', label: 'Show what I type', kind: 'checkbox' }],
		send: async ({ current_password: present, new_password: next }) => {
			await change('POST', '/auth/change-password', { current_password: present, new_password: next });
			for (const name of ['current_password', 'new_password']) form.input(name).value = '';
			toast('Your password is changed. Your other sessions have ended.', { good: true });
		},
	});
	form.input('show').addEventListener('change', ({ target }) => {
		for (const name of ['current_password', 'new_password']) form.input(name).type = target.checked ? 'text' : 'password';
	});
	form.node.prepend(owner());
	return el('section', { class: 'notice' }, el('h2', {}, 'Password'), form.node);
}

export function accountView() {
	const email = emailSection();
	return {
		title: 'Address and password', load: email.load, close: onReturn(email.load),
		node: el('div', {}, email.node, passwordSection(), el('p', { class: 'dim lead' }, 'Your user name is part of ', el('a', { href: '#/settings/profile' }, 'your profile'), '. Where you are logged in is under ', el('a', { href: '#/settings/sessions' }, 'Sessions'), '.')),
	};
}
