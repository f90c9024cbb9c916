// Beside the timeline: whom to follow, and what is talked about.

import { accountLink, avatar, byId, el, nameOf, plural } from './dom.js';
import { me, roost, showOnline } from './live.js';
import { followButton } from './friends.js';

const why = ({ followed_by: by, followed_by_count: count }) => (!by?.length ? 'Popular here'
	: `Followed by ${nameOf(by[0])}${count > 1 ? ` and ${plural(count - 1, 'other')}` : ''}`);

async function showPeople() {
	const place = byId('people');
	const { items } = me ? await roost.get('/users/suggested', { limit: 4 }) : { items: [] };
	place.hidden = items.length === 0;
	place.replaceChildren(el('h2', {}, 'Who to follow'), el('ul', { class: 'people' }, items.map((item) => el('li', {},
		avatar(item.account),
		el('div', {}, accountLink(item.account, el('bdi', { class: 'name' }, nameOf(item.account))), el('p', { class: 'dim' }, why(item))),
		followButton(item.account)))));
	showOnline(place);
}

async function showTrends() {
	const place = byId('trends');
	const { items } = await roost.get('/trends', { limit: 6 });
	place.hidden = items.length === 0;
	place.replaceChildren(el('h2', {}, 'Trends'), el('ol', { class: 'trends' }, items.map(({ hashtag, accounts }) => el('li', {},
		el('a', { href: `#/tag/${encodeURIComponent(hashtag)}`, dir: 'auto' }, `#${hashtag}`), ' ', el('span', { class: 'dim' }, plural(accounts, 'person', 'people'))))));
}

/** Shows both, or leaves out what cannot be read: the timeline matters more. */
export function showSide() {
	showPeople().catch(() => { byId('people').hidden = true; });
	showTrends().catch(() => { byId('trends').hidden = true; });
}
