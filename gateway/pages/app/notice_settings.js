// Of whose acts one hears, and of which accounts not at all.

import { el, person, say } from './dom.js';
import { makeForm } from './form.js';
import { roost } from './live.js';
import { section } from './paged.js';
import { change } from './safety.js';
import { doing, setting } from './setting.js';

const WHO = [['everyone', 'Of everyone'], ['followed', 'Of accounts that you follow'], ['nobody', 'Of nobody']];
const TYPES = [
	['reply', 'Replies to you'], ['mention', 'Mentions of you'], ['quote', 'Quotes of your posts'], ['like', 'Likes of your posts'], ['retweet', 'Retweets of your posts'],
	['follow', 'New followers'], ['follow_request', 'Who asks to follow you'], ['friend_request', 'Who asks to be your friend'], ['friend_accepted', 'Who became your friend'],
];

export function noticeSettingsView() {
	const form = setting({
		name: 'notify', class: 'ask pairs', saved: 'Your settings are saved.', fields: TYPES.map(([name, label]) => ({ name, label, kind: 'select', options: WHO })),
		read: () => roost.request('GET', '/notifications/preferences'),
		save: async (changed, took) => took(await change('PUT', '/notifications/preferences', changed)),
	});
	const add = makeForm({
		class: 'ask inline', prefix: 'quiet', button: 'Add', fields: [{ name: 'account_id', label: 'User name', autocapitalize: 'none', spellcheck: 'false' }],
		send: async ({ account_id: name }) => {
			await change('PUT', `/notifications/muted/@${encodeURIComponent(name.trim().replace(/^@/, ''))}`);
			add.input('account_id').value = '';
			say('You hear no more of that account.');
			await muted.load();
		},
	});
	const muted = section('Accounts of which you hear nothing', {
		path: '/notifications/muted', class: 'people', empty: 'There are none.',
		above: [el('p', { class: 'dim' }, 'You are not notified of what they do; their posts you see all the same.'), add.node],
		row: (account) => el('li', {}, person(account), doing('Remove', `@${account.username}`, async () => {
			await change('DELETE', `/notifications/muted/${account.id}`);
			say(`You hear of @${account.username} again.`);
			await muted.load();
		})),
	});
	return {
		title: 'What you are notified of', load: () => Promise.all([form.load(), muted.load()]),
		node: el('div', {}, el('section', { class: 'notice' }, el('p', { class: 'dim' }, 'Nobody learns what you choose. It counts at once, also for what has happened.'), ...form.nodes), muted.node),
	};
}
