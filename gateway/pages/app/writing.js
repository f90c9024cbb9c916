// Writing a message: a new one, an answer to one, or another text for one.

import { el, explain, nameOf } from './dom.js';
import { lengthOf } from './compose.js';
import { stopTyping, typing } from './live.js';
import { preview } from './chat.js';

const LIMIT = 4096; // roost.message_max_length as it comes; the server has the last word

/**
 * @param {{ channel: string, send: ({ text, reply_to }) => void, edit: (message, text) => Promise }} options
 */
export function writing({ channel, send, edit }) {
	const text = el('textarea', { id: 'message-text', rows: 1, dir: 'auto', 'aria-describedby': 'message-left message-error message-hint' });
	const left = el('span', { class: 'left dim', id: 'message-left' });
	const error = el('p', { class: 'problem', id: 'message-error', role: 'alert' });
	const button = el('button', { type: 'submit', class: 'primary' }, 'Send');
	const about = el('p', { class: 'about row', hidden: true });
	let subject = null; // { reply } or { edit }: a message
	let draft = ''; // what was there before one began to change a message

	const measure = () => {
		const length = lengthOf(text.value);
		left.textContent = length > LIMIT - 500 ? `${LIMIT - length} left` : '';
		left.classList.toggle('over', length > LIMIT);
		button.disabled = text.value.trim() === '' || length > LIMIT;
		text.style.height = 'auto';
		text.style.height = `${text.scrollHeight + 2}px`;
	};
	const show = () => {
		about.hidden = !subject;
		button.textContent = subject?.edit ? 'Save' : 'Send';
		if (!subject) return;
		const message = subject.edit ?? subject.reply;
		about.replaceChildren(el('span', {}, subject.edit ? 'Editing' : `Answering ${message.sender ? nameOf(message.sender) : 'a message'}`, ': ', el('q', { dir: 'auto' }, preview(message, { by: false }).slice(0, 100))),
			el('button', { type: 'button', onclick: cancel }, 'Cancel'));
	};
	const begin = (next) => {
		if (subject?.edit) text.value = draft;
		subject = next;
		draft = text.value;
		if (next.edit) text.value = next.edit.text;
		error.textContent = '';
		show();
		measure();
		text.focus();
	};
	function cancel() {
		if (subject?.edit) text.value = draft;
		subject = null;
		error.textContent = '';
		show();
		measure();
		text.focus();
	}
	text.addEventListener('input', () => {
		error.textContent = '';
		text.removeAttribute('aria-invalid');
		measure();
		if (text.value && !subject?.edit) typing(channel);
	});
	text.addEventListener('keydown', (event) => {
		if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
		if (event.key === 'Escape' && subject) cancel();
	});
	text.addEventListener('blur', () => stopTyping(channel));

	const submit = async (event) => {
		event.preventDefault();
		if (button.disabled) return;
		const value = text.value;
		stopTyping(channel);
		if (!subject?.edit) {
			text.value = '';
			send({ text: value, reply_to: subject?.reply ?? null });
			cancel();
			return;
		}
		button.disabled = true;
		try {
			await edit(subject.edit, value);
			cancel();
		} catch (failure) {
			error.textContent = explain(failure);
			if (failure.field === 'text') text.setAttribute('aria-invalid', 'true');
			measure();
		}
	};
	const form = el('form', { class: 'compose writing', onsubmit: submit }, about, el('label', { for: 'message-text', class: 'hidden' }, 'Message'), text, error,
		el('div', { class: 'row' }, el('span', { class: 'dim hint', id: 'message-hint' }, 'Ctrl+Enter sends'), left, button));
	measure();
	return { node: form, reply: (message) => begin({ reply: message }), edit: (message) => begin({ edit: message }), gone: (id) => { if ((subject?.edit ?? subject?.reply)?.id === id) cancel(); }, close: () => stopTyping(channel) };
}
