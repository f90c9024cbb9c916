// Writing a post or a reply.

import { el, explain, newKey } from './dom.js';
import { bus, roost, stopTyping, typing } from './live.js';
import { mediaFields } from './media.js';

const LIMIT = 500; // roost.post_max_length as it comes; the server has the last word

/** How long the server says a text is: code points after normalization. */
export const lengthOf = (text) => [...text.normalize('NFC')].length;

let made = 0;

const drafts = new Map(); // the post to answer, or '' -> { text, media }: what was begun is there again when one comes back
bus.on('account', () => drafts.clear());

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
	const place = fields.reply_to_id ?? '';
	const media = mediaFields(() => {
		key = newKey();
		changed();
	});
	let key = newKey(); // the same until it has been posted, so that to try again posts once

	const measure = () => {
		const length = lengthOf(text.value);
		left.textContent = length > 0 ? `${LIMIT - length} left` : '';
		left.classList.toggle('over', length > LIMIT);
		send.disabled = (text.value.trim() === '' && !media.waiting()) || length > LIMIT;
		text.style.height = 'auto';
		text.style.height = `${text.scrollHeight + 2}px`;
	};
	function changed() {
		measure();
		if (text.value || media.items().length > 0) drafts.set(place, { text: text.value, media: media.items() });
		else drafts.delete(place);
	}
	text.addEventListener('input', () => {
		key = newKey();
		error.textContent = '';
		text.removeAttribute('aria-invalid');
		changed();
		if (channel && text.value) typing(channel);
	});
	text.addEventListener('keydown', (event) => {
		if (event.key === 'Escape' && cancel && text.value === '') cancel();
	});
	if (channel) text.addEventListener('blur', () => stopTyping(channel));

	const submit = async (event) => {
		event.preventDefault();
		if (send.disabled || !media.take()) return;
		send.disabled = true;
		try {
			const post = await roost.request('POST', '/tweets', { text: text.value, ...(media.items().length > 0 ? { media: media.items() } : {}), ...(visibility ? { visibility: visibility.value } : {}), ...fields },
				{ headers: { 'idempotency-key': key } });
			if (channel) stopTyping(channel);
			text.value = '';
			media.set([]);
			key = newKey();
			changed();
			done(post);
		} catch (failure) {
			error.textContent = explain(failure);
			if (failure.field === 'text') text.setAttribute('aria-invalid', 'true');
		} finally {
			measure();
		}
	};
	const form = el('form', { class: 'compose', onsubmit: submit },
		el('label', { for: id, class: channel ? '' : 'hidden' }, label), text, error, media.node,
		el('div', { class: 'row' }, visibility, left, media.button,
			cancel && el('button', { type: 'button', onclick: () => { if (channel) stopTyping(channel); cancel(); } }, 'Cancel'), send));
	form.addEventListener('keydown', (event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });
	const former = drafts.get(place);
	if (former) {
		text.value = former.text;
		media.set(former.media);
	}
	measure();
	requestAnimationFrame(measure); // its height is known once it is on the page
	return form;
}
