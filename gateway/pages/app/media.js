// Media, which are addresses for now: as links, and the fields that attach them. Nothing of other servers is loaded.

import { el, say, webAddress, webLink } from './dom.js';

const TYPES = [['image', 'Picture'], ['video', 'Video'], ['audio', 'Audio']];
const ENDINGS = { video: /\.(mp4|m4v|mov|webm|mkv)$/i, audio: /\.(mp3|m4a|ogg|oga|opus|wav|flac)$/i };
const MAX = 10;

const typeOf = (href) => Object.keys(ENDINGS).find((type) => ENDINGS[type].test(new URL(href).pathname)) ?? 'image';

/** The media of a post or message as links; null without any. */
export function mediaLinks(media) {
	if (!media?.length) return null;
	return el('ul', { class: 'media' }, media.map(({ url, type, description }) => el('li', {}, webLink(url, `${type ?? 'media'}: ${description || url}`))));
}

let made = 0;

/**
 * The fields that attach media: node belongs into a form, button opens them. changed() is called with every change.
 * take() adds what still stands in the fields, and says whether all is as it should be.
 */
export function mediaFields(changed) {
	const id = `media-${++made}`;
	const url = el('input', { id: `${id}-url`, type: 'text', inputmode: 'url', autocapitalize: 'none', spellcheck: 'false', maxlength: 2048, placeholder: 'https://', 'aria-describedby': `${id}-note` });
	const type = el('select', { id: `${id}-type` }, TYPES.map(([value, label]) => el('option', { value }, label)));
	const description = el('input', { id: `${id}-description`, dir: 'auto', maxlength: 1500 });
	const note = el('p', { class: 'problem', id: `${id}-note`, role: 'alert' });
	const list = el('ul', { class: 'rows' });
	const field = (input, label) => el('div', { class: 'field' }, el('label', { for: input.id }, label), input);
	const add = el('button', { type: 'button', onclick: () => { if (take() && items.length > 0) url.focus(); } }, 'Add');
	const node = el('fieldset', { class: 'pick attach', hidden: true }, el('legend', {}, 'Media by their address'), list, field(url, 'Address'), note,
		el('div', { class: 'row' }, field(type, 'Kind'), field(description, 'Description')), el('div', { class: 'row' }, add));
	const button = el('button', { type: 'button', class: 'plain', 'aria-expanded': 'false', onclick: () => open(node.hidden) }, 'Attach');
	let items = [];
	let chosen = false; // whether the kind was chosen, and is not to be guessed

	function open(on) {
		node.hidden = !on;
		button.setAttribute('aria-expanded', String(on));
		if (on) url.focus();
	}
	function show() {
		list.replaceChildren(...items.map((item) => el('li', { class: 'row' }, el('span', { dir: 'auto' }, `${item.type}: ${item.description || item.url}`),
			el('button', { type: 'button', 'aria-label': `Remove ${item.description || item.url}`, onclick: () => {
				items = items.filter((one) => one !== item);
				show();
				url.focus();
			} }, 'Remove'))));
		button.textContent = items.length > 0 ? `Attached: ${items.length}` : 'Attach';
		changed();
	}
	function wrong(words) {
		note.textContent = words;
		url.setAttribute('aria-invalid', 'true');
		open(true);
		return false;
	}
	function take() {
		const text = url.value.trim();
		note.textContent = '';
		url.removeAttribute('aria-invalid');
		if (text === '') return true;
		const href = webAddress(text);
		if (!href) return wrong('This is no http or https address.');
		if (items.length === MAX) return wrong(`No more than ${MAX} can be attached.`);
		items.push({ url: href, type: type.value, ...(description.value.trim() ? { description: description.value.trim() } : {}) });
		url.value = description.value = '';
		chosen = false;
		say('It is attached.');
		show();
		return true;
	}
	url.addEventListener('input', () => {
		const href = webAddress(url.value.trim());
		if (href && !chosen) type.value = typeOf(href);
		changed();
	});
	type.addEventListener('change', () => { chosen = true; });
	node.addEventListener('keydown', (event) => {
		if (event.key !== 'Enter' || event.target.tagName !== 'INPUT' || event.ctrlKey || event.metaKey) return;
		event.preventDefault(); // the form is not to be sent by it
		add.click();
	});
	return {
		node, button, take,
		items: () => items,
		waiting: () => items.length > 0 || url.value.trim() !== '',
		set(next) {
			items = [...next];
			if (items.length === 0) url.value = description.value = '';
			note.textContent = '';
			open(false);
			show();
		},
	};
}
