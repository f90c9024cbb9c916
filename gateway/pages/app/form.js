// Forms whose errors stand at the fields they are about.

import { el, explain } from './dom.js';

/** A local date and time as fields of a form have it. */
export function localTime(date) {
	const two = (number) => String(number).padStart(2, '0');
	return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

const words = (text) => text.split(/[\s,]+/).filter(Boolean);

// How a kind of field is made, and what it says: undefined is not sent.
const KINDS = {
	text: { make: (attributes) => el('input', attributes), read: (input) => (input.required ? input.value : input.value.trim() || undefined) },
	textarea: { make: ({ value = '', ...attributes }) => el('textarea', { rows: 3, dir: 'auto', ...attributes }, value), read: (input) => input.value.trim() || undefined },
	select: {
		make: ({ options, value, ...attributes }) => el('select', attributes, options.map(([key, label]) => el('option', { value: key, selected: key === value }, label))),
		read: (input) => input.value || undefined,
	},
	checkbox: { make: ({ value, ...attributes }) => el('input', { ...attributes, type: 'checkbox', checked: Boolean(value), required: false }), read: (input) => input.checked },
	number: { make: (attributes) => el('input', { ...attributes, type: 'number', step: attributes.step ?? 'any' }), read: (input) => (input.value === '' ? undefined : Number(input.value)) },
	time: { make: (attributes) => el('input', { ...attributes, type: 'datetime-local' }), read: (input) => (input.value ? new Date(input.value).toISOString() : undefined) },
	words: { make: ({ value = [], ...attributes }) => el('input', { ...attributes, value: value.join(', '), autocapitalize: 'none', spellcheck: 'false' }), read: (input) => words(input.value) },
};

function makeField({ name, label, hint = '', kind = 'text', required = kind === 'text', show, ...attributes }, prefix) {
	const id = `${prefix}-${name}`;
	const input = KINDS[kind].make({ id, name, required, 'aria-describedby': `${id}-note`, ...attributes });
	const note = el('p', { class: 'note dim', id: `${id}-note` }, hint);
	const parts = kind === 'checkbox' ? [el('label', { class: 'check' }, input, label)] : [el('label', { for: id }, label), input];
	return { name, kind, input, note, hint, show, node: el('div', { class: 'field' }, ...parts, note) };
}

/**
 * Makes a form. A field is { name, label, hint, kind, required, show, ...attributes }; show(values) says whether it belongs there now.
 * send gets what the fields say, by name; an error with a field stands at it.
 * @param {{ fields: object[], button: string, send: (values: object) => Promise, other?: Node, prefix?: string, class?: string, danger?: boolean }} options
 */
export function makeForm({ fields, button, send, other, prefix = 'field', class: className = 'sign', danger = false }) {
	const problem = el('p', { class: 'problem', role: 'alert' });
	const inputs = fields.map((field) => makeField(field, prefix));
	const submit = el('button', { type: 'submit', class: danger ? 'primary danger' : 'primary' }, button);
	const values = () => Object.fromEntries(inputs.filter(({ node }) => !node.hidden).map(({ name, kind, input }) => [name, KINDS[kind].read(input)]));

	const clear = () => {
		problem.textContent = '';
		for (const { input, note, hint } of inputs) {
			input.removeAttribute('aria-invalid');
			note.textContent = hint;
			note.className = 'note dim';
		}
	};
	const arrange = () => {
		const present = values();
		for (const { node, input, show } of inputs) {
			if (!show) continue;
			node.hidden = !show(present);
			input.disabled = node.hidden;
		}
	};
	const fail = (error) => {
		const field = inputs.find(({ name, node }) => name === error.field && !node.hidden);
		if (!field) {
			problem.textContent = error.field ? `${explain(error)} (${error.field})` : explain(error);
			return;
		}
		field.note.textContent = explain(error);
		field.note.className = 'note problem';
		field.input.setAttribute('aria-invalid', 'true');
		field.input.focus();
	};
	const onsubmit = async (event) => {
		event.preventDefault();
		if (submit.disabled) return;
		submit.disabled = true;
		clear();
		try {
			await send(values());
		} catch (error) {
			fail(error);
		}
		submit.disabled = false;
	};
	const node = el('form', { class: className, onsubmit, onchange: arrange, oninput: arrange },
		...inputs.map((field) => field.node), problem, el('div', { class: 'row' }, other, submit));
	arrange();
	return { node, fail, values, input: (name) => inputs.find((field) => field.name === name).input, arrange };
}
