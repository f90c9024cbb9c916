// Writing a message: a new one, an answer to one, or another text for one.

import { el, explain, nameOf } from './dom.js';
import { lengthOf } from './compose.js';
import { bus, stopTyping, typing } from './live.js';
import { preview } from './chat.js';
import { mediaFields } from './media.js';

const LIMIT = 4096; // roost.message_max_length as it comes; the server has the last word

const drafts = new Map(); // channel -> { text, media, reply }, also when one leaves the conversation
bus.on('account', () => drafts.clear());

/**
 * @param {{ channel: string, send: ({ text, media, reply_to }) => void, edit: (message, text) => Promise }} options
 */
export function writing({ channel, send, edit }) {
	const text = el('textarea', { id: 'message-text', rows: 1, dir: 'auto', 'aria-describedby': 'message-left message-error message-hint' });
	const left = el('span', { class: 'left dim', id: 'message-left' });
	const error = el('p', { class: 'problem', id: 'message-error', role: 'alert' });
	const button = el('button', { type: 'submit', class: 'primary' }, 'Send');
	const about = el('p', { class: 'about row', hidden: true });
	const media = mediaFields(() => changed());
	let subject = null; // { reply } or { edit }: a message
	let draft = ''; // what was there before one began to change a message

	const keep = () => {
		const now = { text: subject?.edit ? draft : text.value, media: media.items(), reply: subject?.reply ?? null };
		if (now.text || now.media.length > 0 || now.reply) drafts.set(channel, now);
		else drafts.delete(channel);
	};
	const measure = () => {
		const length = lengthOf(text.value);
		left.textContent = length > LIMIT - 500 ? `${LIMIT - length} left` : '';
		left.classList.toggle('over', length > LIMIT);
		button.disabled = (text.value.trim() === '' && !(media.waiting() && !subject?.edit)) || length > LIMIT;
		text.style.height = 'auto';
		text.style.height = `${text.scrollHeight + 2}px`;
	};
	function changed() {
		measure();
		keep();
	}
	const show = () => {
		about.hidden = !subject;
		button.textContent = subject?.edit ? 'Save' : 'Send';
		media.button.hidden = Boolean(subject?.edit);
		if (subject?.edit) media.node.hidden = true;
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
		changed();
		text.focus();
	};
	function cancel() {
		if (subject?.edit) text.value = draft;
		subject = null;
		error.textContent = '';
		show();
		changed();
		text.focus();
	}
	text.addEventListener('input', () => {
		error.textContent = '';
		text.removeAttribute('aria-invalid');
		changed();
		if (text.value && !subject?.edit) typing(channel);
	});
	text.addEventListener('keydown', (event) => {
		if (event.key === 'Escape' && subject) cancel();
	});
	text.addEventListener('blur', () => stopTyping(channel));

	const submit = async (event) => {
		event.preventDefault();
		if (button.disabled) return;
		const value = text.value;
		stopTyping(channel);
		if (!subject?.edit) {
			if (!media.take()) return;
			const attached = media.items();
			text.value = '';
			media.set([]);
			send({ text: value.trim() === '' ? null : value, media: attached, reply_to: subject?.reply ?? null });
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
	const form = el('form', { class: 'compose writing', onsubmit: submit }, about, el('label', { for: 'message-text', class: 'hidden' }, 'Message'), text, error, media.node,
		el('div', { class: 'row' }, el('span', { class: 'dim hint', id: 'message-hint' }, 'Ctrl+Enter sends'), left, media.button, button));
	form.addEventListener('keydown', (event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });

	/** Takes up what was written before, below what is there. */
	function fill({ text: former, media: attached = [], reply = null }) {
		if (subject?.edit) cancel();
		text.value = [former, text.value].filter(Boolean).join('\n');
		media.set([...media.items(), ...(attached ?? [])]);
		if (reply) subject = { reply };
		show();
		changed();
	}
	const former = drafts.get(channel);
	if (former) fill(former);
	measure();
	requestAnimationFrame(measure); // its height is known once it is on the page
	return {
		node: form, reply: (message) => begin({ reply: message }), edit: (message) => begin({ edit: message }),
		again: (entry) => {
			fill({ text: entry.text, media: entry.media, reply: entry.reply_to });
			text.focus();
		},
		gone: (id) => { if ((subject?.edit ?? subject?.reply)?.id === id) cancel(); },
		close: () => stopTyping(channel),
	};
}
