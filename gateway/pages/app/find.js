// Searching one's messages: in one conversation, or in all of them.

import { el, failure, nameOf, plural, say, time } from './dom.js';
import { preview, titleOf } from './chat.js';
import { me, roost } from './live.js';
import { patient } from './patience.js';

const ROUNDS = 5; // so many times a search that found nothing yet goes on by itself

/** rest: what is behind #/messages/; conversationId: null for all. */
export function findView(text, conversationId) {
	const base = conversationId ? `#/messages/${conversationId}/search` : '#/messages/search';
	const list = el('ul', { class: 'talks found' });
	const note = el('p', { class: 'empty', hidden: true });
	const problem = el('div', {});
	const wait = el('p', { class: 'loading', hidden: true }, 'Searching…');
	const more = el('button', { type: 'button', class: 'more', hidden: true, onclick: () => read(next) });
	const input = el('input', { id: 'find', type: 'search', value: text, maxlength: 500, autocapitalize: 'none', spellcheck: 'false', 'aria-describedby': 'find-note' });
	const form = el('form', { class: 'compose find', role: 'search', 'aria-label': 'Messages', onsubmit: (event) => {
		event.preventDefault();
		const wanted = input.value.trim();
		if (wanted) location.hash = `${base}/${encodeURIComponent(wanted)}`;
	} }, el('label', { for: 'find' }, 'Search messages'), input,
	el('p', { class: 'note dim', id: 'find-note' }, 'Words, "a phrase", -without, from:name, since:2026-01-31, has:media. Encrypted conversations are not searched: neither the server nor this page can read them.'),
	el('div', { class: 'row' }, el('button', { type: 'submit', class: 'primary' }, 'Search')));
	const titles = new Map(); // conversation id -> what it is called, as a promise
	let next = null;
	let closed = false;

	const titleFor = (id) => {
		if (!titles.has(id)) titles.set(id, patient(() => roost.request('GET', `/conversations/${id}`)).then(titleOf).catch(() => 'Conversation'));
		return titles.get(id);
	};

	function row(message) {
		const name = el('bdi', { class: 'name' }, message.sender?.id === me?.id ? 'You' : message.sender ? nameOf(message.sender) : 'Deleted account');
		const where = el('bdi', { class: 'dim' });
		if (!conversationId) titleFor(message.conversation_id).then((title) => { where.textContent = `· ${title}`; });
		return el('li', { 'data-found': message.id }, el('a', { href: `#/messages/${message.conversation_id}/at/${message.id}` }, el('span', { class: 'what' }, name, where), el('span', { class: 'dim when' }, time(message.created_at)),
			el('span', { class: 'last', dir: 'auto' }, preview(message, { by: false }))));
	}

	async function read(before) {
		more.disabled = true;
		wait.hidden = false;
		note.hidden = true;
		try {
			let page;
			let rounds = 0;
			do {
				page = await patient(() => roost.get(conversationId ? `/conversations/${conversationId}/messages/search` : '/messages/search', { q: text, limit: 20, before: page?.next ?? before }));
			} while (!closed && page.partial && page.items.length === 0 && ++rounds < ROUNDS);
			const last = list.lastElementChild;
			list.append(...page.items.map(row));
			next = page.next;
			more.textContent = page.partial ? 'Look further back' : 'Show more messages';
			note.hidden = list.children.length > 0;
			note.textContent = next === null ? 'No message is like that.' : 'Nothing so far. There are older messages to look through.';
			problem.replaceChildren();
			if (before) (last?.nextElementSibling ?? list.firstElementChild)?.querySelector('a')?.focus({ preventScroll: true });
			say(plural(list.children.length, 'message'));
		} catch (error) {
			problem.replaceChildren(error.status === 404 ? el('p', { class: 'empty' }, 'This conversation does not exist, or you are not in it. ', el('a', { href: '#/messages' }, 'To your conversations')) : failure(error, () => read(before)));
		}
		wait.hidden = true;
		more.disabled = false;
		more.hidden = next === null;
	}

	const back = el('p', {}, el('a', { href: conversationId ? `#/messages/${conversationId}` : '#/messages' }, conversationId ? 'To the conversation' : 'To your conversations'));
	const view = {
		title: text ? `Messages: ${text}` : 'Search messages',
		node: el('div', {}, form, problem, note, list, wait, more, back),
		async load() {
			if (conversationId) titleFor(conversationId).then((title) => view.setTitle?.(text ? `${title}: ${text}` : `Search in ${title}`));
			if (!text) {
				input.focus();
				return;
			}
			list.replaceChildren();
			next = null;
			await read();
		},
		close: () => { closed = true; },
	};
	return view;
}
