// What one shows of oneself, and who may write to one: four answers of the API in one form.

import { el } from './dom.js';
import { bus, me, renew, roost } from './live.js';
import { change } from './safety.js';
import { pick, setting } from './setting.js';

const WHO = [['everyone', 'Everyone'], ['followed', 'Those you follow, and friends']];
const PARTS = [ // where it is read, how it is changed, what of it is shown
	['/users/me', 'PATCH', ['is_private', 'message_policy']],
	['/presence/settings', 'PUT', ['presence']],
	['/messages/settings', 'PUT', ['read_receipts']],
	['/me/search-settings', 'PUT', ['posts_indexed', 'by_email']],
];
const FIELDS = [
	{ name: 'is_private', label: 'Private account: you decide who follows you', kind: 'checkbox', hint: 'Who has asked meanwhile follows you once you switch it off.' },
	{ name: 'message_policy', label: 'Who may begin to write to you', kind: 'select', options: [...WHO, ['friends', 'Friends']] },
	{ name: 'presence', label: 'Who sees that you are online', kind: 'select', options: [...WHO, ['nobody', 'Nobody']] },
	{ name: 'read_receipts', label: 'Tell others what you have read, and be told', kind: 'checkbox' },
	{ name: 'posts_indexed', label: 'Your posts can be found by searching', kind: 'checkbox' },
	{ name: 'by_email', label: 'Who knows your e-mail address can find you by it', kind: 'checkbox' },
];

export function privacyView() {
	const form = setting({
		name: 'privacy', fields: FIELDS, saved: 'Your settings are saved.',
		async read() {
			const answers = await Promise.all(PARTS.map(([path]) => roost.request('GET', path)));
			return Object.assign({}, ...PARTS.map(([, , names], i) => pick(answers[i], names)));
		},
		async save(changed, took) {
			for (const [path, method, names] of PARTS) {
				const wanted = Object.fromEntries(Object.entries(changed).filter(([name]) => names.includes(name)));
				if (Object.keys(wanted).length === 0) continue;
				const answer = await change(method, path, wanted);
				took(wanted); // what comes after it may be refused
				if (path === '/users/me') renew(answer);
			}
		},
	});
	return {
		title: 'Privacy', load: form.load,
		node: el('section', { class: 'notice' }, ...form.nodes, el('p', { class: 'dim' }, 'Who asks to follow you waits on the page ', el('a', { href: '#/friends' }, 'Friends'), '.')),
		close: bus.on('me', () => form.refresh(pick(me, ['is_private', 'message_policy']))),
	};
}
