// Forms whose errors stand at the fields they are about.

import { el, explain } from './dom.js';

/** A local date and time as fields of a form have it. */
export function localTime(date) {
	const two = (number) => String(number).padStart(2, '0');
	return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

const words = (text) => text.split(/[\s,]+/).filter(Boolean);
const toText = (input, value) => { input.value = value ?? ''; };

// How a kind of field is made, what it says (undefined is not sent), and how it is set to what the server has.
const KINDS = {
	text: { make: (attributes) => el('input', attributes), read: (input) => (input.required ? input.value : input.value.trim() || undefined), write: toText },
	textarea: { make: ({ value = '', ...attributes }) => el('textarea', { rows: 3, dir: 'auto', ...attributes }, value), read: (input) => input.value.trim() || undefined, write: toText },
	select: {
		make: ({ options, value, ...attributes }) => el('select', attributes, options.map(([key, label]) => el('option', { value: key, selected: key === value }, label))),
		read: (input) => input.value || undefined, write: toText,
	},
	checkbox: {
		make: ({ value, ...attributes }) => el('input', { ...attributes, type: 'checkbox', checked: Boolean(value), required: false }),
		read: (input) => input.checked, write: (input, value) => { input.checked = Boolean(value); },
	},
	number: { make: (attributes) => el('input', { ...attributes, type: 'number', step: attributes.step ?? 'any' }), read: (input) => (input.value === '' ? undefined : Number(input.value)), write: toText },
	time: { make: (attributes) => el('input', { ...attributes, type: 'datetime-local' }), read: (input) => (input.value ? new Date(input.value).toISOString() : undefined), write: (input, value) => { input.value = value ? localTime(new Date(value)) : ''; } },
	date: { make: (attributes) => el('input', { ...attributes, type: 'date' }), read: (input) => input.value || undefined, write: toText },
	words: { make: ({ value = [], ...attributes }) => el('input', { ...attributes, value: value.join(', '), autocapitalize: 'none', spellcheck: 'false' }), read: (input) => words(input.value), write: (input, value) => { input.value = (value ?? []).join(', '); } },
};

// What stands in a field, as it was typed.
const rawOf = (input) => (input.type === 'checkbox' ? input.checked : input.value);

function makeField({ name, label, hint = '', kind = 'text', required = kind === 'text', show, limit, blank, ...attributes }, prefix) {
	const id = `${prefix}-${name}`;
	const input = KINDS[kind].make({ id, name, required, 'aria-describedby': limit ? `${id}-note ${id}-left` : `${id}-note`, ...attributes });
	const note = el('p', { class: 'note dim', id: `${id}-note` }, hint);
	const left = limit && el('p', { class: 'note dim left', id: `${id}-left` });
	const measure = () => {
		const length = [...input.value].length; // as the server counts
		left.textContent = length > limit * 0.8 ? `${limit - length} left` : '';
		left.classList.toggle('over', length > limit);
	};
	if (left) input.addEventListener('input', measure);
	const parts = kind === 'checkbox' ? [el('label', { class: 'check' }, input, label)] : [el('label', { for: id }, label), input];
	const field = { name, kind, input, note, hint, show, blank, base: rawOf(input), node: el('div', { class: 'field' }, ...parts, left, note) };
	field.changed = () => rawOf(input) !== field.base;
	field.write = (value) => {
		KINDS[kind].write(input, value);
		if (left) measure();
	};
	if (left) measure();
	return field;
}

const drafts = new Map(); // of a form that has a name -> what was typed, by field: it is there again when one comes back

/** Forgets what was typed and not sent. */
export const forgetDrafts = () => drafts.clear();

/**
 * Makes a form. A field is { name, label, hint, kind, required, show, limit, blank, ...attributes }; show(values) says whether it belongs there now,
 * limit is how many characters it may have, blank what it says when it is empty.
 * send gets what the fields say, by name, and what of it was changed; an error with a field stands at it. draft: a name under which
 * what was typed is kept, passwords excepted; unsaved: what it says as long as something is changed and not sent.
 * @param {{ fields: object[], button: string, send: (values: object, changed: object) => Promise, other?: Node, prefix?: string, class?: string, danger?: boolean, draft?: string, unsaved?: string }} options
 */
export function makeForm({ fields, button, send, other, prefix = 'field', class: className = 'sign', danger = false, draft, unsaved }) {
	const problem = el('p', { class: 'problem', role: 'alert' });
	const inputs = fields.map((field) => makeField(field, prefix));
	const state = unsaved && el('span', { class: 'dim unsaved', hidden: true }, unsaved);
	const submit = el('button', { type: 'submit', class: danger ? 'primary danger' : 'primary' }, button);
	const present = () => inputs.filter(({ node }) => !node.hidden);
	const valuesOf = (list) => Object.fromEntries(list.map(({ name, kind, input, blank }) => [name, KINDS[kind].read(input) ?? blank]));
	const values = () => valuesOf(present());

	const keep = () => {
		if (state) state.hidden = inputs.every(({ changed }) => !changed());
		if (!draft) return;
		const typed = inputs.filter(({ input, changed }) => input.type !== 'password' && changed()).map(({ name, input }) => [name, rawOf(input)]);
		if (typed.length > 0) drafts.set(draft, Object.fromEntries(typed));
		else drafts.delete(draft);
	};
	const clear = () => {
		problem.textContent = '';
		for (const { input, note, hint } of inputs) {
			input.removeAttribute('aria-invalid');
			note.textContent = hint;
			note.className = 'note dim';
		}
	};
	const arrange = () => {
		const now = values();
		for (const { node, input, show } of inputs) {
			if (!show) continue;
			node.hidden = !show(now);
			input.disabled = node.hidden;
		}
		keep();
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
	// Takes over what the server has: what one has changed stays, unless it is what has just been sent.
	const refresh = (known) => {
		for (const field of inputs.filter(({ name }) => name in known)) {
			const typed = rawOf(field.input);
			const own = field.changed() && typed !== field.sent;
			field.write(known[field.name]);
			field.base = rawOf(field.input);
			if (own) {
				field.input[field.kind === 'checkbox' ? 'checked' : 'value'] = typed;
				field.input.dispatchEvent(new Event('input')); // for what counts its characters
			}
		}
		arrange();
	};
	const onsubmit = async (event) => {
		event.preventDefault();
		if (submit.getAttribute('aria-disabled') === 'true') return;
		submit.setAttribute('aria-disabled', 'true'); // not disabled: the focus stays
		clear();
		for (const field of inputs) field.sent = rawOf(field.input);
		try {
			await send(values(), valuesOf(present().filter(({ changed }) => changed())));
		} catch (error) {
			fail(error);
		}
		for (const field of inputs) field.sent = undefined;
		keep();
		submit.removeAttribute('aria-disabled');
	};
	const node = el('form', { class: className, onsubmit, onchange: arrange, oninput: arrange },
		...inputs.map((field) => field.node), problem, el('div', { class: 'row' }, other, state, submit));
	const former = draft && drafts.get(draft);
	for (const { name, input, kind } of former ? inputs : []) {
		if (!(name in former)) continue;
		input[kind === 'checkbox' ? 'checked' : 'value'] = former[name];
		input.dispatchEvent(new Event('input'));
	}
	arrange();
	return { node, fail, values, refresh, input: (name) => inputs.find((field) => field.name === name).input, arrange };
}
