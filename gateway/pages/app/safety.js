// What one can do against others: report, mute, block. And what moderators did to one's own posts.

import { ask } from './dialog.js';
import { busy, el, nameOf, newKey, say } from './dom.js';
import { bus, roost } from './live.js';

const DURATIONS = [['', 'For good'], ['86400', 'A day'], ['604800', 'A week'], ['2592000', '30 days']];

/** Changes something, once: each call has a key of its own. */
export const change = (method, path, body) => roost.request(method, path, body, { headers: { 'idempotency-key': newKey() } });

/** How long: a field of a form. */
export const durationField = (label) => ({ name: 'duration', label, kind: 'select', options: DURATIONS, value: '' });

/** What a form with that field says, as the API takes it. */
export const timed = ({ duration, ...values }) => (duration ? { ...values, duration: Number(duration) } : values);

let categories = null;

/** Asks what is wrong with an account, a post of it, or a message, and tells moderators. */
export async function report(account, { post, message } = {}) {
	categories ??= (await roost.get('/reports/categories')).items;
	const done = await ask({
		title: post ? `Report a post of ${nameOf(account)}` : message ? `Report a message of ${nameOf(account)}` : `Report ${nameOf(account)}`, button: 'Report',
		text: `Moderators look at it${message && !message.encrypted ? ', and at up to five messages before it' : ''}. Who is reported does not learn by whom.`,
		fields: [
			{ name: 'category', label: 'What is wrong', kind: 'select', required: true, options: [['', 'Choose…'], ...categories.map(({ name, description }) => [name, description || name])] },
			...(message?.encrypted ? [{ name: 'evidence', label: 'What it says', kind: 'textarea', hint: 'If you want to show it: neither the server nor moderators can read it otherwise.' }] : []),
			{ name: 'comment', label: 'Anything else', kind: 'textarea', maxlength: 2000 },
		],
		send: (values) => change('POST', '/reports', { ...values, ...(post ? { post_id: post.id } : message ? { message_id: message.id, conversation_id: message.conversation_id } : { account_id: account.id }) }),
	});
	if (done) say('Your report has been sent. What became of it is on your page Safety.');
	return done;
}

const mute = (account) => ask({
	title: `Mute ${nameOf(account)}`, text: 'You are not shown its posts any more, unless you look for them. It does not learn of it.', button: 'Mute',
	fields: [durationField('How long'), { name: 'notifications', label: 'No notifications of it, either', kind: 'checkbox', value: true }],
	send: (values) => change('POST', `/users/${account.id}/mute`, timed(values)),
});

const block = (account) => ask({
	title: `Block ${nameOf(account)}`, text: 'Neither of you sees what the other posts, follows end, and it cannot answer or message you.', button: 'Block', danger: true,
	send: () => change('POST', `/users/${account.id}/block`),
});

// A click elsewhere and Escape close the menus.
addEventListener('click', ({ target }) => {
	for (const menu of document.querySelectorAll('details.menu[open]')) if (!menu.contains(target)) menu.open = false;
});
addEventListener('keydown', ({ key, target }) => {
	const menu = key === 'Escape' && target.closest?.('details.menu[open]');
	if (!menu) return;
	menu.open = false;
	menu.querySelector('summary').focus();
});

/** A menu about an account, or a post of it; changed(relationship) is called when one has muted or blocked it, or ended that. more: what else there is, [label, work]. */
export function safetyMenu(account, { post, changed = () => {}, more = [] } = {}) {
	const state = account.relationship ?? {};
	const item = (label, work, after) => {
		const button = el('button', { type: 'button', onclick: () => busy(button, async () => {
			menu.open = false;
			const answer = await work();
			if (!answer) return;
			if (after) say(after);
			if (answer.blocking || answer.muting) bus.emit('unwanted', { account_id: account.id });
			if ('blocking' in answer) changed(answer);
		}) }, label);
		return button;
	};
	const name = `@${account.username}`;
	const menu = el('details', { class: 'menu' }, el('summary', { 'aria-label': post ? `More about this post of ${name}` : `More about ${name}` }, '⋯'), el('div', {}, more.map(([label, work]) => item(label, work)),
		item(post ? 'Report this post' : `Report ${name}`, () => report(account, { post })),
		state.muting ? item(`Unmute ${name}`, () => change('POST', `/users/${account.id}/unmute`), `${name} is not muted any more.`) : item(`Mute ${name}`, () => mute(account), `${name} is muted.`),
		state.blocking ? item(`Unblock ${name}`, () => change('POST', `/users/${account.id}/unblock`), `${name} is not blocked any more.`) : item(`Block ${name}`, () => block(account), `${name} is blocked.`)));
	return menu;
}

const STATES = {
	held: 'A moderator looks at this post before others see it.',
	removed: 'A moderator has removed this post. Only you see it.',
	limited: 'This post is in no public list.',
};

/** How a post stands with moderators, where there is something to say; null otherwise. */
export function standing(post) {
	const words = STATES[post.state];
	if (!words && !post.labels?.length) return null;
	return el('p', { class: 'standing' }, words && [words, ' ', el('a', { href: '#/safety' }, 'More')], (post.labels ?? []).map((label) => el('span', { class: 'label' }, label)));
}
