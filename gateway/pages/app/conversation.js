// A conversation: its history, what happens in it while one looks, and writing.

import { accountLink, el, failure, newer, plural, toast } from './dom.js';
import { bus, me, roost, showOnline } from './live.js';
import { essence, face, signs, tellRead, titleOf } from './chat.js';
import { conversationMenu } from './conversation_menu.js';
import { further, messageRow } from './message.js';
import { discard, entriesOf, found, send, settled } from './outbox.js';
import { patient } from './patience.js';
import { typists } from './typists.js';
import { writing } from './writing.js';

const PAGE = 40;
const NEAR = 80; // so many pixels from the end are the end
const FAR = 20; // so many pages of a hundred are read to find a message

/** at: the message to begin at, if not at the end. */
export function conversationView(id, at = null) {
	const channel = `conversation:${id}`;
	const head = el('div', { class: 'talk-head row' });
	const log = el('div', { class: 'log', role: 'log', 'aria-label': 'Messages', 'aria-relevant': 'additions', tabindex: '0', onscroll: () => {
		stuck = atEnd();
		if (log.scrollTop < NEAR) older();
		if (stuck) below.hidden = true;
	} });
	const more = el('button', { type: 'button', class: 'more', hidden: true, onclick: () => older() }, 'Show older messages');
	const below = el('button', { type: 'button', class: 'bar below', hidden: true, onclick: () => { toEnd(); log.focus(); } }, 'New messages below');
	const empty = el('p', { class: 'dim nothing', hidden: true }, 'Nothing has been written here yet.');
	const problem = el('div', {});
	const foot = el('div', {});
	const typing = typists(channel, 'writing');
	const node = el('div', { class: 'talk' }, head, problem, el('div', { class: 'log-frame' }, log, below), typing.node, foot);
	log.append(more, empty);
	let conversation = null;
	let form = null;
	let drawn = null;
	let next = null;
	let loading = null;
	let again = false;
	let reading = null; // the page of older ones that is being read
	let freshFrom = null; // what came after this was new when one came here
	let stuck = true; // whether the end was in sight
	const marks = { delivered: '0', read: '0' }; // how far the other one of a direct conversation is

	const rows = () => [...log.children].filter((child) => child.message);
	const rowOf = (messageId) => messageId && log.querySelector(`:scope > [data-message="${CSS.escape(messageId)}"]`);
	const newest = () => rows().filter((row) => row.message.id).at(-1)?.message.id ?? null;
	const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
	const toEnd = () => { log.scrollTop = log.scrollHeight; };
	const encrypted = () => conversation?.encryption === 'e2ee';
	const around = {
		group: () => conversation?.kind === 'group', role: () => conversation?.role, writable: () => Boolean(form),
		reply: (message) => form?.reply(message), edit: (message) => form?.edit(message), changed: (message) => keeping(() => rowOf(message.id)?.change(message)),
		again: (entry) => form?.again(entry), reach: (messageId) => reach(messageId),
	};

	// What rows say of those above them.
	function arrange() {
		let before = null;
		let isFresh = freshFrom !== null;
		for (const row of rows()) {
			const first = isFresh && row.message.id && row.message.sender?.id !== me?.id && newer(row.message.id, freshFrom);
			row.place(before, first);
			if (first) isFresh = false;
			before = row;
		}
		empty.hidden = before !== null || loading !== null;
	}

	// Puts a row where its id belongs; what is not sent yet stays at the end.
	function insert(row) {
		let at = log.lastElementChild;
		while (at?.message && at !== row && (row.message.id && (!at.message.id || newer(at.message.id, row.message.id)))) at = at.previousElementSibling;
		if (at === row || at?.nextElementSibling === row) return;
		log.insertBefore(row, at.nextElementSibling);
	}

	// A state that was told before the message was there.
	function withMarks(message) {
		if (conversation?.kind !== 'direct' || message.sender?.id !== me?.id || !message.id) return message;
		const state = ['read', 'delivered'].find((name) => !newer(message.id, marks[name]));
		return state && further(state, message.state) ? { ...message, state } : message;
	}

	/** Shows a message, or what has become of it. */
	function put(message) {
		found(message);
		const row = rowOf(message.id);
		if (row) row.change(withMarks(message));
		else {
			const made = messageRow(withMarks(message), around);
			insert(made);
			seen.observe(made);
		}
	}

	function take(row) {
		const focused = row.contains(document.activeElement);
		seen.unobserve(row);
		form?.gone(row.message.id);
		row.remove();
		if (focused) log.focus();
	}

	// Keeps the end in sight if it was, and else the place one reads at; what has come below is said if there is news.
	function keeping(change, { own = false, news = false } = {}) {
		const end = own || atEnd();
		const top = log.getBoundingClientRect().top;
		const place = (row) => row.getBoundingClientRect().top - top;
		const held = end ? null : rows().find((row) => row.getBoundingClientRect().bottom > top);
		const was = held && place(held);
		change();
		arrange();
		if (end) toEnd();
		else {
			if (held?.isConnected) log.scrollTop += place(held) - was;
			if (news) below.hidden = atEnd();
		}
		stuck = end || atEnd();
	}

	// The log gets smaller while one writes more lines, and its end stays in sight.
	const sized = new ResizeObserver(() => { if (stuck) toEnd(); });
	sized.observe(log);

	function showEntries() {
		for (const entry of entriesOf(id)) {
			let row = rows().find((one) => one.entry === entry);
			if (!row) {
				row = messageRow(entry, around);
				row.entry = entry;
				log.append(row);
			} else row.change({ state: entry.state, error: entry.error });
		}
	}

	function showHead() {
		if (drawn === essence(conversation)) return;
		drawn = essence(conversation);
		const { kind, members, member_count: count, description, encryption, role, can_send: canSend } = conversation;
		const [other] = members;
		view.setTitle?.(titleOf(conversation));
		head.replaceChildren(face(conversation), el('p', { class: 'dim' },
			kind === 'direct' ? other && accountLink(other, `@${other.username}`) : el('a', { href: `#/messages/${id}/info` }, plural(count, 'member')),
			' ', signs(conversation), kind === 'group' && description && el('bdi', {}, description)),
		el('a', { class: 'button', href: `#/messages/${id}/info` }, 'Details'), conversationMenu(conversation));
		showOnline(head);
		const words = encryption === 'e2ee' ? 'This conversation is end-to-end encrypted: what is said can be read and written with a client that holds keys. This page holds none.'
			: role === null || canSend === false ? (other || kind === 'group' ? 'You cannot write here.' : 'This account is gone.') : null;
		if (words) {
			form?.close();
			form = null;
			foot.replaceChildren(el('p', { class: 'notice' }, words));
		} else if (!form) {
			form = writing({ channel, send: (fields) => keeping(() => { send(id, fields); freshFrom = null; }, { own: true }),
				edit: async (message, text) => around.changed(await roost.request('PATCH', `/messages/${message.id}?conversation_id=${id}`, { text })) });
			foot.replaceChildren(form.node);
		}
	}

	// Brings what is shown in line with the newest page.
	function merge(page) {
		const known = rows().filter((row) => row.message.id);
		const ids = new Set(page.items.map((message) => message.id));
		const end = page.next === null ? '0' : page.items.at(-1).id;
		const apart = known.length > 0 && !known.some((row) => ids.has(row.message.id));
		for (const row of known) if (apart || (!ids.has(row.message.id) && !newer(end, row.message.id))) take(row);
		if (apart || known.length === 0) next = page.next;
		for (const message of [...page.items].reverse()) put(message);
		more.hidden = next === null;
	}

	async function readAll() {
		do {
			again = false;
			const [present, page] = await Promise.all([roost.request('GET', `/conversations/${id}`), roost.get(`/conversations/${id}/messages`, { limit: PAGE })]);
			const first = conversation === null;
			conversation = present;
			if (first && present.unread_count > 0) freshFrom = present.read_id ?? '0';
			showHead();
			const before = newest();
			keeping(() => { merge(page); showEntries(); }, { own: first });
			if (first) toFresh();
			else if (newest() !== before) below.hidden = atEnd();
		} while (again);
		if (at) {
			const wanted = at;
			at = null;
			await reach(wanted, true);
		}
	}

	// Who has not been here for long begins where the new begins.
	function toFresh() {
		const line = log.querySelector('.fresh:not([hidden])');
		if (line) log.scrollTop = Math.min(log.scrollTop, log.scrollTop + line.getBoundingClientRect().top - log.getBoundingClientRect().top - 8);
		stuck = atEnd();
		below.hidden = stuck;
	}

	/** Reads the newest page (again). */
	function load() {
		again = true;
		loading ??= (async () => {
			log.setAttribute('aria-busy', 'true');
			if (!conversation) log.setAttribute('aria-live', 'off'); // nobody wants to hear a whole page
			try {
				await readAll();
				problem.replaceChildren();
			} catch (error) {
				if (error.status === 404) gone();
				else if (error.status !== 401) problem.replaceChildren(failure(error, load));
			}
			loading = null;
			log.removeAttribute('aria-busy');
			log.removeAttribute('aria-live');
			if (conversation) arrange();
		})();
		return loading;
	}

	function gone() {
		for (const row of rows()) take(row);
		for (const entry of entriesOf(id)) discard(entry);
		conversation = null;
		drawn = null;
		next = null;
		form?.close();
		form = null;
		head.replaceChildren();
		foot.replaceChildren();
		empty.hidden = true;
		more.hidden = true;
		problem.replaceChildren(el('p', { class: 'empty' }, 'This conversation does not exist, or you are not in it. ', el('a', { href: '#/messages' }, 'To your conversations')));
	}

	// Reads a page of older ones; inside: as a part of loading.
	function older(limit = PAGE, inside = false) {
		if (next === null || (loading && !inside)) return reading;
		reading ??= (async () => {
			log.setAttribute('aria-live', 'off');
			more.disabled = true;
			try {
				const page = await patient(() => roost.get(`/conversations/${id}/messages`, { limit, before: next }));
				const height = log.scrollHeight - log.scrollTop;
				for (const message of page.items) put(message);
				next = page.next;
				more.hidden = next === null;
				arrange();
				log.scrollTop = log.scrollHeight - height;
				problem.replaceChildren();
			} catch (error) {
				problem.replaceChildren(failure(error, () => older()));
			}
			more.disabled = false;
			reading = null;
			log.removeAttribute('aria-live');
		})();
		return reading;
	}

	/** Goes to a message, however old; says so if it is not to be found. */
	async function reach(messageId, inside = false) {
		if (!inside) await loading;
		for (let pages = 0; pages < FAR && next !== null && !rowOf(messageId) && newer(next, messageId); pages++) {
			const from = next;
			await older(100, inside);
			if (next === from) return; // what is wrong stands above
		}
		const row = rowOf(messageId);
		if (!row) {
			toast(next !== null && newer(next, messageId) ? 'That message is further back: go on with “Show older messages”.' : 'That message is not there any more.');
			return;
		}
		for (const one of log.querySelectorAll('.sought')) one.classList.remove('sought');
		row.classList.add('sought');
		log.scrollTop += row.getBoundingClientRect().top - log.getBoundingClientRect().top - Math.max(8, (log.clientHeight - row.offsetHeight) / 2);
		row.focus({ preventScroll: true });
		stuck = atEnd();
	}

	// What is on the screen has been read.
	let readTo = '0';
	let visible = '0';
	let marking = null;
	const seen = new IntersectionObserver((entries) => {
		for (const { target, isIntersecting } of entries) {
			const { id: messageId, sender } = target.message;
			if (isIntersecting && messageId && sender?.id !== me?.id && newer(messageId, visible)) visible = messageId;
		}
		markSoon();
	}, { root: log, threshold: 0.5 });
	function markSoon() {
		if (document.hidden || encrypted() || !newer(visible, readTo)) return;
		marking ??= setTimeout(async () => {
			marking = null;
			const upTo = visible;
			if (document.hidden || !newer(upTo, readTo)) return;
			readTo = upTo;
			await tellRead(id, upTo).catch(() => { readTo = '0'; });
		}, 150);
	}
	document.addEventListener('visibilitychange', markSoon);

	// How far messages have come: of a direct conversation the events say it, of a group the server counts.
	let counting = null;
	function receipt(name, messageId) {
		if (conversation?.kind === 'group') {
			counting ??= setTimeout(() => { counting = null; load(); }, 500);
			return;
		}
		if (newer(messageId, marks[name])) marks[name] = messageId;
		keeping(() => {
			for (const row of rows()) {
				const { state } = withMarks(row.message);
				if (row.message.id && state !== row.message.state) row.change({ state });
			}
		});
	}

	async function received(message) {
		typing.stopped(message.sender?.id);
		if (message.sender?.id === me?.id) {
			await settled(id); // it may be one of this page, of which the answer is still under way
			if (entriesOf(id).length > 0) {
				load();
				return;
			}
			if (rowOf(message.id)) return;
		}
		const own = message.sender?.id === me?.id;
		if (!own && freshFrom === null && (document.hidden || !atEnd())) freshFrom = newest();
		if (conversation) keeping(() => put(own ? { ...message, state: message.state ?? 'sent' } : message), { news: true });
		if (message.action && message.action !== 'joined') load();
	}

	// Events tell of reactions without whose they are: one's own stay, and those from another device are asked about.
	async function reacted({ message_id: messageId, account, reactions }) {
		const row = rowOf(messageId);
		if (!row) return;
		if (account.id === me?.id) around.changed(await roost.request('GET', `/messages/${messageId}?conversation_id=${id}`));
		else keeping(() => row.change({ reactions: reactions.map((one) => ({ ...one, mine: row.message.reactions?.some((old) => old.reaction === one.reaction && old.mine) ?? false })) }));
	}

	function edited(message) {
		const { text, media, edited_at } = message;
		keeping(() => {
			rowOf(message.id)?.change({ text, media, edited_at });
			for (const row of rows()) if (row.message.reply_to?.id === message.id) row.change({ reply_to: { ...row.message.reply_to, text: text?.slice(0, 200) ?? null } });
		});
	}

	function deleted(messageId, forAll) {
		const row = rowOf(messageId);
		if (forAll) {
			form?.gone(messageId);
			keeping(() => {
				row?.change({ deleted_at: new Date().toISOString(), text: null, media: null, reactions: [] });
				for (const one of rows()) if (one.message.reply_to?.id === messageId) one.change({ reply_to: { ...one.message.reply_to, deleted_at: new Date().toISOString(), text: null } });
			});
		} else if (row) keeping(() => take(row));
	}

	const ends = [
		bus.on('outbox:changed', ({ entry }) => { if (entry.conversation_id === id) keeping(showEntries); }),
		bus.on('outbox:discarded', ({ entry }) => { for (const row of rows()) if (row.entry === entry) keeping(() => take(row)); }),
		bus.on('outbox:sent', ({ entry, message }) => {
			const row = rows().find((one) => one.entry === entry);
			if (!row) return;
			if (rowOf(message.id)) return take(row); // a page that was read meanwhile has it
			row.entry = null;
			keeping(() => {
				row.change({ error: null, ...withMarks(message) });
				insert(row);
			});
		}),
	];
	const disappear = setInterval(() => {
		const now = Date.now();
		for (const row of rows()) if (row.message.expires_at && Date.parse(row.message.expires_at) < now) keeping(() => take(row));
	}, 1000);

	const view = {
		title: 'Conversation', node, channels: [channel], load,
		event({ event, data }) {
			typing.event(event, data);
			const place = data?.conversation_id ?? data?.message?.conversation_id ?? data?.conversation?.id;
			if (place !== id) return;
			switch (event) {
				case 'message:received': received(data.message); break;
				case 'message:edited': edited(data.message); break;
				case 'message:deleted': deleted(data.message_id, data.for === 'everyone'); break;
				case 'message:reaction': reacted(data).catch(() => {}); break;
				case 'message:delivered': if (data.account.id !== me?.id) receipt('delivered', data.message_id); break;
				case 'message:read': if (data.account.id !== me?.id) receipt('read', data.message_id); break;
				case 'conversation:cleared': for (const row of rows()) if (row.message.id && !newer(row.message.id, data.message_id)) take(row); arrange(); break;
				case 'conversation:member_removed': if (data.target?.id === me?.id) gone(); else load(); break;
				case 'conversation:updated': case 'conversation:settings': case 'conversation:member_added': case 'conversation:member_changed': load(); break;
			}
		},
		close() {
			seen.disconnect();
			sized.disconnect();
			form?.close();
			typing.close();
			clearInterval(disappear);
			clearTimeout(marking);
			clearTimeout(counting);
			document.removeEventListener('visibilitychange', markSoon);
			for (const end of ends) end();
		},
	};
	return view;
}
