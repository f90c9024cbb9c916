// Dialogs that ask for something, and then do it.

import { el } from './dom.js';
import { makeForm } from './form.js';

let made = 0;

/**
 * Asks with a form. Resolves with what send answered, or with undefined if one cancels.
 * @param {{ title: string, text?: Node|string, fields?: object[], button: string, danger?: boolean, cancel?: boolean, send: (values: object) => Promise }} options
 */
export function ask({ title, text, fields = [], button, danger, cancel: cancels = true, send }) {
	return new Promise((resolve) => {
		const id = `dialog-${++made}`;
		let answer;
		const cancel = cancels && el('button', { type: 'button', onclick: () => node.close() }, 'Cancel');
		const form = makeForm({ fields, button, danger, prefix: id, class: 'ask', other: cancel, send: async (values) => {
			answer = await send(values) ?? null;
			node.close();
		} });
		const node = el('dialog', { 'aria-labelledby': `${id}-heading`, onclose: () => { node.remove(); resolve(answer); } },
			el('h2', { id: `${id}-heading` }, title), text && el('p', {}, text), form.node);
		document.body.append(node);
		node.showModal();
		(node.querySelector('input, select, textarea') ?? node.querySelector('form button')).focus();
	});
}
