// A message: how it looks, what one can do to it, and how it changes while one looks.

import { ask } from './dialog.js';
import { accountLink, busy, el, explain, hidden, icon, nameOf, say, webLink } from './dom.js';
import { happened } from './chat.js';
import { forward } from './forward.js';
import { me, roost } from './live.js';
import { mediaLinks } from './media.js';
import { discard, retry } from './outbox.js';
import { patient } from './patience.js';
import { report } from './safety.js';

const REACTIONS = ['👍', '❤️', '😂', '😮', '😢', '🙏'];
const STATES = { sending: 'Sending…', failed: 'Not sent', sent: 'Sent', delivered: 'Delivered', read: 'Read' };
const RANK = { sent: 0, delivered: 1, read: 2 };

/** Whether a state says more than another. */
export const further = (state, than) => RANK[state] > (RANK[than] ?? -1);

const pathOf = (message, more = '') => `/messages/${message.id}${more}?conversation_id=${message.conversation_id}`;

// The text, with addresses as links. The server says nothing of what is in it.
function withLinks(text) {
	return text.split(/(https?:\/\/[^\s<>"]*[^\s<>"'.,;:!?)\]])/).map((part, i) => (i % 2 ? webLink(part) : part));
}

// How far it has come, in words; of a group with numbers where not all have got so far.
function stateWords({ state, read_count: read, delivered_count: delivered }, group) {
	if (!group || state === 'read' || state === 'sending' || state === 'failed') return STATES[state];
	return read > 0 ? `Read by ${read}` : state === 'delivered' || !delivered ? STATES[state] : `Delivered to ${delivered}`;
}

/** Deletes a message after asking for whom. */
async function remove(message, everyone) {
	const done = await ask({
		title: everyone ? 'Delete for everyone' : 'Delete for me', danger: true, button: 'Delete',
		text: everyone ? 'What the message says is deleted; that there was one stays to be seen.' : 'Others keep the message.',
		send: () => roost.request('DELETE', `${pathOf(message)}&for=${everyone ? 'everyone' : 'me'}`),
	});
	if (done !== undefined) say('The message has been deleted.');
}

// Who has reacted, and how.
async function reactors(message) {
	const { items, next } = await patient(() => roost.get(`/messages/${message.id}/reactions`, { conversation_id: message.conversation_id, limit: 100 }));
	await ask({
		title: 'Who reacted', button: 'Close', send: () => Promise.resolve(), cancel: false,
		text: el('span', { class: 'receipts' }, items.map(({ account, reactions }) => el('span', { class: 'row' }, el('bdi', {}, account.id === me?.id ? 'You' : nameOf(account)), el('bdi', {}, reactions.join(' ')))), next !== null && el('span', {}, 'and others')),
	});
}

// Who has read it, who has got it, and who has not yet; of those who do not tell, only what they have got is known.
async function receipts(message) {
	const all = [];
	let before;
	do {
		const page = await patient(() => roost.get(`/messages/${message.id}/receipts`, { conversation_id: message.conversation_id, limit: 100, before }));
		all.push(...page.items);
		before = page.next;
	} while (before !== null && all.length < 1000);
	const kinds = [['Read', (one) => one.read], ['Delivered', (one) => !one.read && one.delivered], ['Not delivered yet', (one) => !one.read && !one.delivered]];
	await ask({
		title: 'Who has it', button: 'Close', send: () => Promise.resolve(), cancel: false,
		text: el('span', { class: 'receipts' }, kinds.map(([words, fits]) => [words, all.filter(fits)]).filter(([, items]) => items.length > 0).map(([words, items]) => el('span', {},
			el('strong', {}, `${words} (${items.length})`), items.map(({ account }) => el('bdi', {}, nameOf(account))))), all.length === 0 && 'Nobody else was there to get it.'),
	});
}

/**
 * Makes the row of a message.
 * @param {object} message @param {{ group: () => boolean, role: () => string, writable: () => boolean, reply: Function, edit: Function, again: (entry) => void,
 *   reach: (messageId: string) => void, changed: (message) => void }} around
 */
export function messageRow(message, around) {
	const row = el('article', { class: message.action ? 'message news' : message.sender?.id === me?.id ? 'message mine' : 'message', tabindex: '-1' });
	const day = el('p', { class: 'day', hidden: true });
	const fresh = el('p', { class: 'fresh', hidden: true }, 'New messages');
	const by = el('p', { class: 'by', hidden: true }, message.sender && accountLink(message.sender, el('bdi', { class: 'name' }, nameOf(message.sender))));
	const unnamed = hidden(`${message.sender?.id === me?.id ? 'You' : message.sender ? nameOf(message.sender) : 'Deleted account'}: `); // where by is not shown
	const content = el('div', { class: 'content' });
	const meta = el('p', { class: 'meta dim', 'aria-live': 'off' });
	const reactions = el('div', { class: 'reactions', role: 'group', 'aria-label': 'Reactions', 'aria-live': 'off', hidden: true });
	const failure = el('div', { hidden: true });
	const mine = () => row.message.sender?.id === me?.id;
	const react = async (reaction, on) => {
		const encoded = encodeURIComponent(reaction);
		around.changed(await roost.request(on ? 'PUT' : 'DELETE', pathOf(row.message, `/reactions/${encoded}`)));
	};

	function drawContent() {
		const { deleted_at: deleted, encrypted, text, media, reply_to: quoted } = row.message;
		if (row.message.action) {
			content.replaceChildren(happened(row.message));
			return;
		}
		content.replaceChildren(...[
			unnamed,
			!deleted && row.message.forwarded && el('p', { class: 'dim' }, 'Forwarded'),
			!deleted && quoted && el('blockquote', { class: 'quote' }, el('button', { type: 'button', onclick: () => around.reach(quoted.id) }, hidden('Answer to '),
				el('bdi', { class: 'name' }, quoted.sender ? nameOf(quoted.sender) : 'Deleted account'), ': ',
				el('span', { dir: 'auto' }, quoted.deleted_at ? 'Message deleted' : quoted.encrypted ? 'Encrypted message' : quoted.text ?? 'Attachment'))),
			deleted ? el('p', { class: 'dim' }, 'Message deleted') : encrypted ? el('p', { class: 'dim' }, 'Encrypted message') : text && el('div', { class: 'text', dir: 'auto' }, withLinks(text)),
			!deleted && mediaLinks(media),
		].filter(Boolean));
	}

	function drawMeta() {
		const { created_at: at, edited_at: edited, expires_at: expires, deleted_at: deleted, state } = row.message;
		const shown = mine() && !deleted && !row.message.action && (state ?? 'sent');
		const clock = new Date(at);
		meta.replaceChildren(...[
			el('time', { datetime: at, title: clock.toLocaleString() }, clock.toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit' })),
			edited && !deleted && ' · edited', expires && !deleted && el('span', { title: `Disappears ${new Date(expires).toLocaleString()}` }, icon('clock'), hidden(' · disappears')),
			shown && el('span', { class: 'state-of', 'data-state': shown }, icon(shown), stateWords({ ...row.message, state: shown }, around.group()))].filter(Boolean));
		failure.hidden = state !== 'failed';
		if (failure.hidden) failure.replaceChildren();
		else {
			failure.replaceChildren(el('p', { class: 'problem', role: 'alert' }, explain(row.message.error)),
				el('p', { class: 'row' }, el('button', { type: 'button', onclick: () => discard(row.entry) }, 'Discard'),
					around.writable() && el('button', { type: 'button', onclick: () => {
						const { entry } = row;
						discard(entry);
						around.again(entry);
					} }, 'Change'), el('button', { type: 'button', class: 'primary', onclick: () => retry(row.entry) }, 'Try again')));
		}
	}

	function drawReactions() {
		const all = row.message.deleted_at ? [] : row.message.reactions ?? [];
		reactions.hidden = all.length === 0;
		const focused = reactions.contains(document.activeElement) && document.activeElement.dataset.reaction;
		reactions.replaceChildren(...all.map(({ reaction, count, mine: own }) => {
			const button = el('button', { type: 'button', 'aria-pressed': String(own), 'data-reaction': reaction, onclick: () => busy(button, () => react(reaction, !own)) },
				reaction, ' ', count, hidden(own ? ', with yours' : ''));
			return button;
		}));
		if (focused) (reactions.querySelector(`[data-reaction="${CSS.escape(focused)}"]`) ?? menu.firstElementChild).focus();
	}

	// What the menu offers is made when it is opened: there are many messages.
	const menu = el('details', { class: 'menu', ontoggle: () => { if (menu.open) openMenu(); } }, el('summary', { 'aria-label': 'More about this message' }, '⋯'), el('div', {}));
	const item = (label, work) => {
		const button = el('button', { type: 'button', onclick: () => busy(button, async () => {
			menu.open = false;
			menu.firstElementChild.focus({ preventScroll: true });
			await work();
		}) }, label);
		return button;
	};
	const own = () => ask({
		title: 'React', button: 'React', fields: [{ name: 'reaction', label: 'An emoji, or a short word', maxlength: 16, autocapitalize: 'none' }],
		send: ({ reaction }) => react(reaction.trim(), true),
	});
	function openMenu() {
		const { id, deleted_at: deleted, encrypted, text, forwarded, reactions: all } = row.message;
		const has = (reaction) => all?.some((one) => one.reaction === reaction && one.mine);
		const plain = !deleted && !encrypted;
		const admin = around.group() && around.role() !== 'member';
		menu.lastElementChild.replaceChildren(...[
			!deleted && around.writable() && el('div', { class: 'row quick', role: 'group', 'aria-label': 'React' }, REACTIONS.map((reaction) => {
				const button = item(reaction, () => react(reaction, !has(reaction)));
				button.setAttribute('aria-pressed', String(Boolean(has(reaction))));
				return button;
			})),
			!deleted && around.writable() && item('Another reaction…', own),
			plain && around.writable() && item('Reply', () => around.reply(row.message)),
			plain && mine() && text && !forwarded && around.writable() && item('Edit', () => around.edit(row.message)),
			plain && item('Forward', () => forward(row.message)),
			!deleted && all?.length > 0 && item('Who reacted', () => reactors(row.message)),
			mine() && !deleted && around.group() && item('Who has it', () => receipts(row.message)),
			item('Delete for me', () => remove(row.message, false)),
			!deleted && (mine() || admin) && item('Delete for everyone', () => remove(row.message, true)),
			!mine() && row.message.sender && item('Report', () => report(row.message.sender, { message: { ...row.message, id } })),
		].filter(Boolean));
		const room = row.parentElement.getBoundingClientRect();
		const { top, bottom } = menu.parentElement.getBoundingClientRect();
		menu.classList.toggle('up', room.bottom - bottom < menu.lastElementChild.offsetHeight && top - room.top > room.bottom - bottom);
		menu.lastElementChild.scrollIntoView({ block: 'nearest' });
	}

	row.change = (changes) => {
		Object.assign(row.message, changes);
		if (row.message.id) row.dataset.message = row.message.id;
		menu.hidden = !row.message.id || Boolean(row.message.action);
		if (['text', 'media', 'deleted_at', 'encrypted', 'reply_to', 'action', 'detail'].some((field) => field in changes)) drawContent();
		if ('reactions' in changes || 'deleted_at' in changes) drawReactions();
		drawMeta();
	};
	/** Says what depends on the message above: the day, whether its sender is named, and whether it is the first new one. */
	row.place = (before, isFresh) => {
		const at = new Date(row.message.created_at);
		const sameDay = before && new Date(before.message.created_at).toDateString() === at.toDateString();
		const words = sameDay ? '' : at.toLocaleDateString('en', { weekday: 'long', day: 'numeric', month: 'long', year: at.getFullYear() === new Date().getFullYear() ? undefined : 'numeric' });
		if (day.textContent !== words) day.textContent = words;
		day.hidden = Boolean(sameDay);
		fresh.hidden = !isFresh;
		by.hidden = !around.group() || mine() || Boolean(row.message.action) || Boolean(sameDay && !before.message.action && before.message.sender?.id === row.message.sender?.id);
		unnamed.hidden = !by.hidden;
		row.classList.toggle('first', !by.hidden);
	};
	row.message = { ...message };
	row.append(day, fresh, el('div', { class: 'line' }, el('div', { class: 'bubble' }, by, content, meta, failure, reactions), menu));
	row.change(row.message);
	return row;
}

