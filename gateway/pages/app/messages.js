// The list of conversations.

import { el, failure, hidden, plural, say, time } from './dom.js';
import { bus, roost, showOnline } from './live.js';
import { face, preview, signs, titleOf } from './chat.js';

const PAGE = 20;

function fill(row, conversation) {
	const { id, unread_count: unread, last_message: last, muted } = conversation;
	const link = row.firstElementChild ?? el('a', { href: `#/messages/${id}` });
	link.replaceChildren(face(conversation),
		el('span', { class: 'what' }, el('bdi', { class: 'name' }, titleOf(conversation)), signs(conversation)), last && el('span', { class: 'dim when' }, hidden(', '), time(last.created_at)),
		el('span', { class: 'last dim', dir: 'auto' }, hidden('. '), last ? preview(last) : 'Nothing has been written yet'),
		unread > 0 && el('span', { class: muted ? 'badge muted' : 'badge' }, unread >= 1000 ? '999+' : unread, hidden(' unread')) || '');
	row.classList.toggle('unread', unread > 0);
	if (!row.firstElementChild) row.append(link);
	showOnline(row);
}

export function messagesView() {
	const list = el('ul', { class: 'talks' });
	const empty = el('p', { class: 'empty', hidden: true });
	const problem = el('div', {});
	const wait = el('p', { class: 'loading' }, 'Loading…');
	const more = el('button', { type: 'button', class: 'more', hidden: true, onclick: () => older() }, 'Show more conversations');
	const archive = el('button', { type: 'button', 'aria-pressed': 'false', onclick: () => {
		archived = !archived;
		archive.setAttribute('aria-pressed', String(archived));
		list.replaceChildren();
		next = null;
		load().then(() => say(`${archived ? 'Archive' : 'Conversations'}: ${plural(list.children.length, 'conversation')}`));
	} }, 'Archive');
	let archived = false;
	let next = null;
	let pages = 1;
	let loading = null;
	let again = false;

	const rowOf = (conversation) => {
		const row = [...list.children].find((one) => one.dataset.conversation === conversation.id) ?? el('li', { 'data-conversation': conversation.id });
		fill(row, conversation);
		return row;
	};

	// Puts the first page on top, and leaves what was read behind it; what has moved up is there only once.
	function merge(page) {
		const focused = document.activeElement;
		const rows = page.items.map(rowOf);
		const old = pages > 1 && page.next !== null ? [...list.children].filter((row) => !rows.includes(row)) : [];
		[...rows, ...old].forEach((row, i) => { if (list.children[i] !== row) list.insertBefore(row, list.children[i] ?? null); });
		for (const row of [...list.children].slice(rows.length + old.length)) row.remove();
		if (pages === 1 || page.next === null) next = page.next;
		if (focused !== document.activeElement && list.contains(focused)) focused.focus();
	}

	async function older() {
		more.disabled = true;
		try {
			const page = await roost.get('/conversations', { limit: PAGE, archived, before: next });
			pages++;
			list.append(...page.items.filter(({ id }) => ![...list.children].some((row) => row.dataset.conversation === id)).map(rowOf));
			next = page.next;
			problem.replaceChildren();
		} catch (error) {
			problem.replaceChildren(failure(error, older));
		}
		more.disabled = false;
		more.hidden = next === null;
	}

	function load() {
		again = true;
		loading ??= (async () => {
			try {
				while (again) {
					again = false;
					const asked = archived;
					const page = await roost.get('/conversations', { limit: PAGE, archived });
					if (asked === archived) merge(page);
				}
				problem.replaceChildren();
			} catch (error) {
				if (error.status !== 401) problem.replaceChildren(failure(error, load));
			}
			loading = null;
			wait.hidden = true;
			more.hidden = next === null;
			empty.hidden = list.children.length > 0 || problem.children.length > 0;
			empty.replaceChildren(...(archived ? ['Nothing is in the archive.'] : ['No conversations yet. Write to somebody from their profile, to one of your ', el('a', { href: '#/friends' }, 'friends'), ', or make a ', el('a', { href: '#/messages/new' }, 'group'), '.']));
		})();
		return loading;
	}

	let timer = null;
	const soon = () => { timer ??= setTimeout(() => { timer = null; load(); }, 200); };
	const end = bus.on('read', soon);
	return {
		title: 'Messages', load,
		node: el('div', {}, el('p', { class: 'row tools' }, el('a', { class: 'button primary', href: '#/messages/new' }, 'New group'), el('a', { class: 'button', href: '#/messages/search' }, 'Search'), el('a', { class: 'button', href: '#/friends' }, 'Friends'), archive), problem, wait, empty, list, more),
		event({ event, data }) {
			if (event === 'conversation:settings') list.querySelector(`[data-conversation="${CSS.escape(data.conversation_id)}"]`)?.remove(); // it may belong to the other list now
			if (event === 'conversation:member_removed') list.querySelector(`[data-conversation="${CSS.escape(data.conversation_id)}"]`)?.remove();
			if (/^(message|conversation):/.test(event) && event !== 'message:delivered') soon();
		},
		close() {
			end();
			clearTimeout(timer);
		},
	};
}
