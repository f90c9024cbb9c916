// Logging in and registering.

import { el, explain } from './dom.js';
import { roost } from './live.js';

// A form whose errors stand at the fields they are about.
function form({ title, fields, button, send, other }) {
	const problem = el('p', { class: 'problem', role: 'alert' });
	const inputs = fields.map(({ name, label, hint, ...attributes }) => {
		const input = el('input', { id: `field-${name}`, name, required: true, 'aria-describedby': `field-${name}-note`, ...attributes });
		const note = el('p', { class: 'note dim', id: `field-${name}-note` }, hint ?? '');
		return { name, input, note, hint: hint ?? '', node: el('div', { class: 'field' }, el('label', { for: input.id }, label), input, note) };
	});
	const clear = () => {
		problem.textContent = '';
		for (const { input, note, hint } of inputs) {
			input.removeAttribute('aria-invalid');
			note.textContent = hint;
			note.className = 'note dim';
		}
	};
	const submit = el('button', { type: 'submit', class: 'primary' }, button);
	const onsubmit = async (event) => {
		event.preventDefault();
		if (submit.disabled) return;
		submit.disabled = true;
		clear();
		try {
			await send(Object.fromEntries(inputs.map(({ name, input }) => [name, input.value])));
		} catch (error) {
			const field = inputs.find(({ name }) => name === error.field);
			if (field) {
				field.note.textContent = explain(error);
				field.note.className = 'note problem';
				field.input.setAttribute('aria-invalid', 'true');
				field.input.focus();
			} else problem.textContent = explain(error);
		}
		submit.disabled = false;
	};
	return {
		title,
		channels: [],
		node: el('form', { class: 'sign', onsubmit }, ...inputs.map(({ node }) => node), problem, el('div', { class: 'row' }, other, submit)),
	};
}

const enter = (work) => async (fields) => {
	await work(fields);
	location.hash = '#/home';
};

export const loginView = () => form({
	title: 'Log in',
	fields: [
		{ name: 'identifier', label: 'User name or e-mail address', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false' },
		{ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' },
	],
	button: 'Log in',
	send: enter((fields) => roost.login(fields)),
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
	send: enter((fields) => roost.register(fields)),
	other: el('a', { href: '#/login' }, 'I have an account'),
});
