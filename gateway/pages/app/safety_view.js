// One's own safety: what moderators decided, whom and what one has blocked and muted, what one has reported.

import { accountLink, el, nameOf, say, time } from './dom.js';
import { ask } from './dialog.js';
import { makeForm } from './form.js';
import { section } from './paged.js';
import { change, durationField, timed } from './safety.js';
import { doing } from './setting.js';

const DECISIONS = {
	warn: 'You have been warned', label: 'A label was put on your post', hold: 'Your post waits for a moderator', release: 'Your post was let go', remove: 'Your post was removed',
	restore: 'Your post was restored', suspend: 'Your account was suspended', ban: 'Your account was banned', unsuspend: 'Your suspension has ended',
};
const words = (name) => name.charAt(0).toUpperCase() + name.slice(1).replace(/_/g, ' ');
const by = (account) => accountLink(account, el('bdi', { class: 'name' }, nameOf(account)), el('span', { class: 'dim' }, ` @${account.username}`));

export function safetyView() {
	const appeal = async (strike) => {
		const done = await ask({
			title: 'Appeal', text: 'Somebody else looks at the decision again. You can do this once.', button: 'Send',
			fields: [{ name: 'text', label: 'Why it is wrong', kind: 'textarea', required: true, maxlength: 2000 }],
			send: (values) => change('POST', `/moderation/decisions/${strike.id}/appeal`, values),
		});
		if (!done) return;
		say('Your appeal has been sent.');
		await parts[0].load();
	};
	const strike = (one) => el('li', { 'data-strike': one.id },
		el('p', {}, el('strong', {}, DECISIONS[one.decision] ?? words(one.decision)), one.category && ` (${words(one.category)})`, ' · ', el('span', { class: 'dim' }, time(one.created_at)), one.reverted_at && ' · undone'),
		one.reason && el('p', { dir: 'auto' }, one.reason),
		one.until && el('p', {}, `Until ${new Date(one.until).toLocaleString()}`),
		one.subject_type === 'post' && el('p', {}, el('a', { href: `#/post/${one.subject_id}` }, 'The post')),
		one.appeal_status && el('p', {}, `Your appeal: ${{ open: 'not decided yet', upheld: 'the decision stands', overturned: 'the decision was undone' }[one.appeal_status]}`),
		one.can_appeal && doing('Appeal', `against: ${DECISIONS[one.decision] ?? one.decision}`, () => appeal(one)));

	const end = (path, place, sentence) => async () => {
		await change('POST', path);
		say(sentence);
		await parts[place].load();
	};
	const form = makeForm({
		class: 'ask inline', prefix: 'word', button: 'Mute', fields: [
			{ name: 'phrase', label: 'Word, phrase or #hashtag', maxlength: 100 }, durationField('How long'), { name: 'whole_word', label: 'Only as a whole word', kind: 'checkbox', value: true }],
		send: async (values) => {
			await change('POST', '/muted-words', timed(values));
			form.input('phrase').value = '';
			say('The word is muted.');
			await parts[3].load();
		},
	});
	const until = (time) => time && el('span', { class: 'dim' }, `until ${new Date(time).toLocaleString()}`);
	const parts = [
		section('Decisions about you', { path: '/moderation/decisions', row: strike, empty: 'Moderators have decided nothing about you or your posts.' }),
		section('Blocked', { path: '/blocks', empty: 'You have blocked nobody.',
			row: (one) => el('li', { class: 'row' }, by(one), doing('Unblock', `@${one.username}`, end(`/users/${one.id}/unblock`, 1, 'The block has ended.'))) }),
		section('Muted', { path: '/mutes', empty: 'You have muted nobody.', key: (one) => one.account.id,
			row: (one) => el('li', { class: 'row' }, by(one.account), until(one.expires_at), doing('Unmute', `@${one.account.username}`, end(`/users/${one.account.id}/unmute`, 2, 'The mute has ended.'))) }),
		section('Muted words', { path: '/muted-words', limit: null, empty: 'You have muted no words.', above: [form.node],
			row: (one) => el('li', { class: 'row' }, el('bdi', {}, one.phrase), until(one.expires_at),
				doing('Delete', one.phrase, async () => { await change('DELETE', `/muted-words/${one.id}`); say('The word is not muted any more.'); await parts[3].load(); })) }),
		section('Your reports', { path: '/reports', empty: 'You have reported nothing.',
			row: (one) => el('li', {}, el('p', {}, one.account ? by(one.account) : 'Somebody', ` · ${one.subject_type} · ${words(one.category)} · `, el('span', { class: 'dim' }, time(one.created_at))),
				el('p', { class: 'dim' }, one.status === 'open' ? 'Not decided yet.' : one.outcome === 'action' ? 'Something was done about it.' : 'Nothing was found to be wrong.')) }),
	];
	return {
		title: 'Safety', node: el('div', { class: 'safety' }, ...parts.map(({ node }) => node)), load: () => Promise.all(parts.map((part) => part.load())),
		event: ({ event }) => { if (event === 'relationship:changed') Promise.all([parts[1].load(), parts[2].load()]); },
	};
}
