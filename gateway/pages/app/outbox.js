// Messages on their way. What was written is kept here until the server has it, also when one leaves its conversation;
// each has a client_id, so that to try again sends it once.

import { newKey, passing } from './dom.js';
import { bus, me, roost } from './live.js';
import { patient } from './patience.js';

const boxes = new Map(); // conversation id -> { entries, last }

const boxOf = (id) => {
	if (!boxes.has(id)) boxes.set(id, { entries: [], last: Promise.resolve() });
	return boxes.get(id);
};

/** What has not been sent in a conversation. */
export const entriesOf = (id) => boxes.get(id)?.entries ?? [];

/** Resolves when nothing is on its way in a conversation: it is sent, or has failed. */
export const settled = (id) => boxes.get(id)?.last ?? Promise.resolve();

function drop(entry) {
	const box = boxOf(entry.conversation_id);
	box.entries = box.entries.filter((one) => one !== entry);
}

async function attempt(entry) {
	const { conversation_id, client_id, text, media, reply_to } = entry;
	if (!entriesOf(conversation_id).includes(entry)) return; // discarded, or logged out
	try {
		const message = await patient(() => roost.request('POST', '/messages', { conversation_id, client_id, ...(text ? { text } : {}), ...(media?.length ? { media } : {}), ...(reply_to ? { reply_to_id: reply_to.id } : {}) }));
		drop(entry);
		bus.emit('outbox:sent', { entry, message });
	} catch (error) {
		Object.assign(entry, { state: 'failed', error });
		if (passing(error)) entry.timer = setTimeout(() => retry(entry), 2_000 + 8_000 * Math.random());
		bus.emit('outbox:changed', { entry });
	}
}

// One after the other, so that they come in the order in which they were written.
function transmit(entry) {
	clearTimeout(entry.timer);
	Object.assign(entry, { state: 'sending', error: null });
	const box = boxOf(entry.conversation_id);
	box.last = box.last.then(() => attempt(entry));
	bus.emit('outbox:changed', { entry });
}

/** Sends a message; the entry that stands for it until then looks like a message without an id. */
export function send(conversationId, { text, media, reply_to }) {
	const entry = { id: null, client_id: newKey(), conversation_id: conversationId, sender: me, text, media, reply_to, created_at: new Date().toISOString() };
	boxOf(conversationId).entries.push(entry);
	transmit(entry);
}

export const retry = (entry) => { if (entry.state === 'failed' && entriesOf(entry.conversation_id).includes(entry)) transmit(entry); };

export function discard(entry) {
	drop(entry);
	bus.emit('outbox:discarded', { entry });
}

/** Takes note that the server has a message, though its answer did not come. */
export function found(message) {
	const entry = message.client_id && entriesOf(message.conversation_id).find(({ client_id: id }) => id === message.client_id);
	if (!entry) return;
	drop(entry);
	bus.emit('outbox:sent', { entry, message });
}

bus.on('live', () => {
	for (const { entries } of boxes.values()) for (const entry of entries) if (entry.error && passing(entry.error)) retry(entry);
});
bus.on('account', () => boxes.clear());

// Nothing is stored in the browser: who closes the page is asked while something has not been sent.
addEventListener('beforeunload', (event) => { if ([...boxes.values()].some(({ entries }) => entries.length > 0)) event.preventDefault(); });
