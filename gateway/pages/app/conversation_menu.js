// What one can set and do about a whole conversation, for oneself.

import { ask } from './dialog.js';
import { busy, el, say } from './dom.js';
import { durationField } from './safety.js';
import { titleOf } from './chat.js';
import { exportConversation } from './export.js';
import { roost } from './live.js';

const set = async (conversation, settings, sentence) => {
	await roost.request('PATCH', `/conversations/${conversation.id}/settings`, settings);
	say(sentence);
};

const mute = (conversation) => ask({
	title: `Mute ${titleOf(conversation)}`, text: 'Its messages do not count as unread any more, and do not bring it back from the archive.', button: 'Mute', fields: [durationField('How long')],
	send: ({ duration }) => set(conversation, { muted: true, muted_until: duration ? new Date(Date.now() + Number(duration) * 1000).toISOString() : null }, 'The conversation is muted.'),
});

const clear = async (conversation) => {
	const done = await ask({
		title: 'Delete the history', text: 'You will not see what has been written here so far; others keep it.', button: 'Delete', danger: true,
		send: () => roost.request('DELETE', `/conversations/${conversation.id}`),
	});
	if (done !== undefined) location.hash = '#/messages';
};

/** Leaves a group after asking. */
export const leave = async (conversation) => {
	const done = await ask({
		title: `Leave ${titleOf(conversation)}`, text: 'You will not see what is written from then on, nor what was.', button: 'Leave', danger: true,
		send: () => roost.request('DELETE', `/conversations/${conversation.id}/members/me`),
	});
	if (done !== undefined) location.hash = '#/messages';
};

/** The buttons as [label, work]. */
export function settingsOf(conversation) {
	const { kind, pinned, muted, archived } = conversation;
	return [
		pinned ? ['Unpin', () => set(conversation, { pinned: false }, 'The conversation is not pinned any more.')] : ['Pin', () => set(conversation, { pinned: true }, 'The conversation is pinned.')],
		muted ? ['Unmute', () => set(conversation, { muted: false }, 'The conversation is not muted any more.')] : ['Mute', () => mute(conversation)],
		archived ? ['Unarchive', () => set(conversation, { archived: false }, 'The conversation is back from the archive.')] : ['Archive', () => set(conversation, { archived: true }, 'The conversation is in the archive.')],
		...(conversation.encryption === 'none' ? [['Search', async () => { location.hash = `#/messages/${conversation.id}/search`; }]] : []),
		['Export', () => exportConversation(conversation)],
		['Delete the history', () => clear(conversation)],
		...(kind === 'group' ? [['Leave', () => leave(conversation)]] : []),
	];
}

export function conversationMenu(conversation) {
	const menu = el('details', { class: 'menu' }, el('summary', { 'aria-label': `More about ${titleOf(conversation)}` }, '⋯'), el('div', {}, settingsOf(conversation).map(([label, work]) => {
		const button = el('button', { type: 'button', onclick: () => busy(button, async () => {
			menu.open = false;
			menu.firstElementChild.focus();
			await work();
		}) }, label);
		return button;
	})));
	return menu;
}
