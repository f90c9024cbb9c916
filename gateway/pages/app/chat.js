// What all views of conversations share: how one looks, how much is unread, and telling senders that what they wrote has arrived.

import { avatar, el, hidden, icon, nameOf, newer, picture, plural, say } from './dom.js';
import { bus, me, roost } from './live.js';

/** After how many seconds messages disappear. */
const TIMERS = [[0, 'Never'], [300, '5 minutes'], [3600, 'An hour'], [86400, 'A day'], [604800, 'A week'], [2592000, '30 days']];

export const timerWords = (seconds) => TIMERS.find(([known]) => known === (seconds ?? 0))?.[1].toLowerCase() ?? plural(seconds, 'second');

/** The field of a form that sets the timer. */
export const timerField = (present = 0) => ({
	name: 'expire_after', label: 'Messages disappear after', kind: 'select', value: String(present ?? 0),
	options: [...TIMERS, ...(TIMERS.some(([known]) => known === (present ?? 0)) ? [] : [[present, timerWords(present)]])].map(([seconds, label]) => [String(seconds), label]),
});

const names = (accounts) => (accounts.length > 3 ? `${accounts.slice(0, 3).map(nameOf).join(', ')} and others` : accounts.map(nameOf).join(', '));

/** What a conversation is called. */
export const titleOf = ({ kind, title, members }) => (kind === 'group' ? title || names(members) || 'Group' : members.length > 0 ? nameOf(members[0]) : 'Deleted account');

/** The picture of a conversation: that of the other account, or a letter of the group. */
export function face(conversation) {
	const [other] = conversation.members;
	return conversation.kind === 'direct' && other ? avatar(other) : picture(titleOf(conversation), conversation.id, { class: 'avatar group' });
}

const ROLES = { member: 'a member', admin: 'an admin', owner: 'an owner' };

/** What happened, where nobody has written anything. */
export function happened({ action, sender, target, detail }) {
	const name = (account) => (!account ? 'somebody' : account.id === me?.id ? 'you' : nameOf(account));
	const who = sender ? name(sender).replace(/^you$/, 'You') : 'Somebody';
	switch (action) {
		case 'created': return `${who} created the group`;
		case 'joined': return `${who} joined by an invitation`;
		case 'left': return `${who} left`;
		case 'added': return `${who} added ${name(target)}`;
		case 'removed': return `${who} removed ${name(target)}`;
		case 'role': return `${who} made ${name(target)} ${ROLES[detail?.role] ?? detail?.role}`;
		case 'timer': return detail?.expire_after ? `${who} let new messages disappear after ${timerWords(detail.expire_after)}` : `${who} let new messages stay`;
		case 'encrypted': return `${who} turned on end-to-end encryption`;
		case 'updated': return detail?.title ? `${who} changed the title to “${detail.title}”` : `${who} changed what is said of the group`;
		default: return `${who}: ${action}`;
	}
}

/** A message in a line. */
export function preview(message, { by = true } = {}) {
	if (message.action) return happened(message);
	const text = message.deleted_at ? 'Message deleted' : message.encrypted ? 'Encrypted message' : message.text || 'Attachment';
	return by && message.sender ? `${message.sender.id === me?.id ? 'You' : nameOf(message.sender)}: ${text}` : text;
}

/** Signs of what is special about a conversation. */
export function signs({ encryption, pinned, muted, expire_after: timer }) {
	const sign = (name, words) => el('span', { class: 'sign-of', title: words }, icon(name), hidden(`, ${words}`));
	return [encryption === 'e2ee' && sign('lock', 'end-to-end encrypted'), timer && sign('clock', `messages disappear after ${timerWords(timer)}`), pinned && sign('pin', 'pinned'), muted && sign('mute', 'muted')].filter(Boolean);
}

/** What is said of a conversation besides its messages, as text: while that is the same nothing need be drawn anew. */
export const essence = ({ last_message: last, read_id: read, unread_count: unread, cursor, ...rest }) => JSON.stringify(rest);

/** What is unread: { conversations, messages, muted }. */
export let waiting = { conversations: 0, messages: 0, muted: 0 };

let asking = null;
let again = false;

async function askWaiting() {
	do {
		again = false;
		waiting = me ? await roost.get('/conversations/unread') : { conversations: 0, messages: 0, muted: 0 };
	} while (again);
}

/** Asks how much is unread. */
export async function readWaiting() {
	const before = waiting.messages;
	again = true; // one that is being asked may have been answered before what happened now
	asking ??= askWaiting().finally(() => { asking = null; });
	try {
		await asking;
	} catch { /* the number stays as it was */ }
	if (waiting.messages > before && !location.hash.startsWith('#/messages')) say(plural(waiting.messages, 'unread message'));
	bus.emit('waiting', waiting);
}

let soon = null;
const readSoon = () => { soon ??= setTimeout(() => { soon = null; readWaiting(); }, 200); };

// Messages that have come, of which their senders are to be told: conversation id -> the newest.
const arrived = new Map();
const told = new Map();
let telling = null;

function tellLater(message) {
	const newest = arrived.get(message.conversation_id) ?? told.get(message.conversation_id) ?? '0';
	if (!me || message.encrypted || message.action || message.sender?.id === me.id || !newer(message.id, newest)) return;
	arrived.set(message.conversation_id, message.id);
	telling ??= setTimeout(tell, 300);
}

async function tell() {
	telling = null;
	for (const [conversationId, id] of [...arrived]) {
		arrived.delete(conversationId);
		if (!newer(id, told.get(conversationId) ?? '0')) continue;
		told.set(conversationId, id);
		await roost.request('POST', `/messages/${id}/delivered?conversation_id=${conversationId}`).catch((error) => { if (error.status !== 404) told.delete(conversationId); });
	}
}

/** Tells that everything up to a message has been read. */
export async function tellRead(conversationId, id) {
	told.set(conversationId, id);
	await roost.request('POST', `/conversations/${conversationId}/read`, { message_id: id });
	readSoon();
	bus.emit('read', { conversation_id: conversationId, message_id: id });
}

// What came while one was away has arrived now.
async function catchUp() {
	await readWaiting();
	if (!me || waiting.conversations + waiting.muted === 0) return;
	const { items } = await roost.get('/conversations', { limit: 50 });
	for (const { encryption, unread_count: count, last_message: last } of items) if (count > 0 && last && encryption === 'none') tellLater({ ...last, action: null });
}

bus.on('message:received', ({ message }) => { tellLater(message); readSoon(); });
for (const event of ['message:deleted', 'conversation:settings', 'conversation:cleared', 'conversation:member_removed']) bus.on(event, readSoon);
bus.on('message:read', ({ account }) => { if (account.id === me?.id) readSoon(); });
bus.on('account', () => {
	arrived.clear();
	told.clear();
	catchUp().catch(() => {});
});
bus.on('gap', () => catchUp().catch(() => {}));
