// Passing a message on to another conversation, or to somebody.

import { ask } from './dialog.js';
import { el, newKey, toast } from './dom.js';
import { preview, titleOf } from './chat.js';
import { roost } from './live.js';
import { patient } from './patience.js';

/** Asks where to, and passes a message on. Text and media are copied; whose they were is not said. */
export async function forward(message) {
	const { items } = await patient(() => roost.get('/conversations', { limit: 100 }));
	const known = items.filter(({ encryption, role, can_send: canSend }) => encryption === 'none' && role !== null && canSend !== false);
	const key = newKey(); // to send it again is to send it once
	await ask({
		title: 'Forward', button: 'Forward', text: el('q', { dir: 'auto' }, preview(message, { by: false }).slice(0, 200)),
		fields: [
			{ name: 'conversation_id', label: 'To', kind: 'select', options: [...known.map((one) => [one.id, titleOf(one)]), ['', 'Somebody else…']], value: known[0]?.id ?? '', hint: 'Encrypted conversations are not among them.' },
			{ name: 'recipient_id', label: 'User name', autocapitalize: 'none', spellcheck: 'false', show: ({ conversation_id: chosen }) => !chosen },
		],
		send: async ({ conversation_id: chosen, recipient_id: name }) => {
			const to = chosen ? { conversation_id: chosen } : { recipient_id: `@${name.trim().replace(/^@/, '')}` };
			const answer = await patient(() => roost.request('POST', `/messages/${message.id}/forward`, { ...to, client_id: key })).catch((error) => {
				if (error.field === 'account_id') error.field = 'recipient_id';
				throw error;
			});
			toast(`Forwarded to ${chosen ? titleOf(known.find(({ id }) => id === chosen)) : to.recipient_id}.`, { good: true });
			return answer;
		},
	});
}
