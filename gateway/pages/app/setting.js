// A form over what the server has: read when one comes to it, sent when one saves. What one has typed stays when it is read again.

import { busy, el, failure, toast } from './dom.js';
import { makeForm } from './form.js';
import { patient } from './patience.js';

/**
 * @param {{ name: string, fields: object[], read: () => Promise<object>, save: (changed: object, took: (known: object) => void) => Promise, saved: string, other?: Node, class?: string }} options
 * name is that of its fields and of the draft; read answers what the server has, by field; save sends what was changed, and says with took()
 * what the server has then.
 */
export function setting({ name, fields, read, save, saved, other, class: className = 'ask' }) {
	const problem = el('div', {});
	const place = el('div', {}, el('p', { class: 'loading' }, 'Loading…'));
	let form = null;

	const send = async (values, changed) => {
		if (Object.keys(changed).length > 0) await save(changed, form.refresh);
		toast(saved, { good: true });
	};
	async function load() {
		try {
			const present = await patient(read);
			if (form) form.refresh(present);
			else {
				form = makeForm({ class: className, prefix: name, draft: name, button: 'Save', unsaved: 'Not saved yet', other, send, fields: fields.map((field) => ({ ...field, value: present[field.name] })) });
				place.replaceChildren(form.node);
			}
			problem.replaceChildren();
		} catch (error) {
			if (!form) place.replaceChildren();
			if (error.status !== 401) problem.replaceChildren(failure(error, load));
		}
	}
	return { nodes: [problem, place], load, refresh: (known) => form?.refresh(known) };
}

/** Of an answer what has these names. */
export const pick = (answer, names) => Object.fromEntries(names.map((name) => [name, answer[name]]));

/** A button in a list, about something that has a name. */
export function doing(label, name, work, attributes = {}) {
	const button = el('button', { type: 'button', 'aria-label': `${label} ${name}`, ...attributes, onclick: () => busy(button, work) }, label);
	return button;
}
