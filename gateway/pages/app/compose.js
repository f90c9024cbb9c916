// Writing a post or a reply.

import { el, explain, newKey } from './dom.js';
import { roost, stopTyping, typing } from './live.js';

const LIMIT = 500; // roost.post_max_length as it comes; the server has the last word

/** How long the server says a text is: code points after normalization. */
export const lengthOf = (text) => [...text.normalize('NFC')].length;

let made = 0;

/**
 * @param {{ label: string, button?: string, fields?: object, channel?: string, done: Function, cancel?: Function }} options
 */
export function compose({ label, button = 'Post', fields = {}, channel, done, cancel }) {
	const id = `compose-${++made}`;
	const text = el('textarea', { id, rows: 2, dir: 'auto', 'aria-describedby': `${id}-count ${id}-error`, placeholder: channel ? null : 'What is happening?' });
	const left = el('span', { class: 'left dim', id: `${id}-count` });
	const error = el('p', { class: 'problem', id: `${id}-error`, role: 'alert' });
	const send = el('button', { type: 'submit', class: 'primary' }, button);
	const visibility = !channel && el('select', { 'aria-label': 'Who can see it' },
		el('option', { value: 'public' }, 'Everyone'), el('option', { value: 'unlisted' }, 'Unlisted'), el('option', { value: 'followers' }, 'Followers'));
	let key = newKey(); // the same until it has been posted, so that to try again posts once

	const measure = () => {
		const length = lengthOf(text.value);
		left.textContent = length > 0 ? `${LIMIT - length} left` : '';
		left.classList.toggle('over', length > LIMIT);
		send.disabled = text.value.trim() === '' || length > LIMIT;
		text.style.height = 'auto';
		text.style.height = `${text.scrollHeight + 2}px`;
	};
	text.addEventListener('input', () => {
		key = newKey();
		error.textContent = '';
		text.removeAttribute('aria-invalid');
		measure();
		if (channel && text.value) typing(channel);
	});
	text.addEventListener('keydown', (event) => {
		if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
		if (event.key === 'Escape' && cancel && text.value === '') cancel();
	});
	if (channel) text.addEventListener('blur', () => stopTyping(channel));

	const submit = async (event) => {
		event.preventDefault();
		if (send.disabled) return;
		send.disabled = true;
		try {
			const post = await roost.request('POST', '/tweets', { text: text.value, ...(visibility ? { visibility: visibility.value } : {}), ...fields },
				{ headers: { 'idempotency-key': key } });
			if (channel) stopTyping(channel);
			text.value = '';
			key = newKey();
			done(post);
		} catch (failure) {
			error.textContent = explain(failure);
			if (failure.field === 'text') text.setAttribute('aria-invalid', 'true');
		} finally {
			measure();
		}
	};
	const form = el('form', { class: 'compose', onsubmit: submit },
		el('label', { for: id, class: channel ? '' : 'hidden' }, label), text, error,
		el('div', { class: 'row' }, visibility, left,
			cancel && el('button', { type: 'button', onclick: () => { if (channel) stopTyping(channel); cancel(); } }, 'Cancel'), send));
	measure();
	return form;
}
