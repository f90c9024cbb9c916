// A conversation as a file.

import { ask } from './dialog.js';
import { el, plural, say } from './dom.js';
import { titleOf } from './chat.js';
import { roost } from './live.js';
import { patient } from './patience.js';

/** Hands a file to the browser. */
export function save(name, text) {
	const address = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
	el('a', { href: address, download: name }).click();
	setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Reads all that one can see of a conversation, the oldest first, and saves it. */
export async function exportConversation(conversation) {
	const { id, kind, title, description, encryption, members } = conversation;
	const words = el('span', { role: 'status' });
	const text = el('span', {}, 'All that you can see of it, as a file of JSON: texts, and addresses of media. ',
		encryption === 'e2ee' && 'Of encrypted messages it says only who wrote them and when: this page cannot read them. ', words);
	const done = await ask({
		title: `Export ${titleOf(conversation)}`, button: 'Save as a file', text,
		send: async () => {
			const messages = [];
			let after;
			do {
				const page = await patient(() => roost.get(`/conversations/${id}/export`, { limit: 100, after }));
				messages.push(...page.items);
				after = page.next;
				words.textContent = `${plural(messages.length, 'message')} so far.`;
			} while (after !== null && text.isConnected);
			if (!text.isConnected) return null; // cancelled
			save(`conversation-${id}.json`, JSON.stringify({ conversation: { id, kind, title, description, encryption, members }, exported_at: new Date().toISOString(), messages }, null, '\t'));
			return messages.length;
		},
	});
	if (done !== undefined) say(`${plural(done, 'message')} saved.`);
}
