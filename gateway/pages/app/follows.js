// Who follows an account, and whom it follows.

import { el, explain, person } from './dom.js';
import { followButton } from './friends.js';
import { me, showOnline } from './live.js';
import { paged } from './paged.js';

const LISTS = {
	followers: ['Followers', (name) => `Who follows @${name}`, 'Nobody yet.'],
	following: ['Following', (name) => `Whom @${name} follows`, 'Nobody yet.'],
};

export function followsView(username, kind) {
	const [, title, empty] = LISTS[kind];
	const base = `#/@${encodeURIComponent(username)}`;
	const list = paged({
		path: `/users/@${encodeURIComponent(username)}/${kind}`, class: 'people', empty, shown: () => showOnline(list.list),
		refused: (error) => (error.status === 404 ? el('p', { class: 'empty' }, `There is no @${username}.`) : error.status === 403 ? el('p', { class: 'empty' }, explain(error)) : null),
		row: (account) => el('li', { 'data-account': account.id }, person(account, account.relationship?.followed_by && ' · follows you', account.relationship?.blocking && ' · blocked', account.bio && el('span', { class: 'excerpt', dir: 'auto' }, account.bio)),
			me && me.id !== account.id && !account.relationship?.blocking && !account.relationship?.blocked_by && followButton(account) || ''),
	});
	const tabs = el('nav', { class: 'tabs', 'aria-label': `@${username}` }, el('a', { href: base }, 'Profile'),
		Object.entries(LISTS).map(([one, [label]]) => el('a', { href: `${base}/${one}`, 'aria-current': one === kind ? 'page' : null }, label)));
	return {
		title: title(username), load: list.load, node: el('div', {}, tabs, el('section', { class: 'notice' }, ...list.nodes)),
		event({ event, data }) {
			const names = [data?.account?.username, data?.target?.username].map((name) => name?.toLowerCase());
			if (event === 'relationship:changed' || (/^user:(un)?followed$/.test(event) && (names.includes(username.toLowerCase()) || data.account.id === me?.id))) list.load();
		},
	};
}
