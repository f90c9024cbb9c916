// Notifications: how many are new, and the list, grouped as the server groups them.

import { accountLink, avatar, el, failure, nameOf, plural, say, time } from './dom.js';
import { friendNotice } from './friends.js';
import { bus, me, roost, showOnline } from './live.js';

const WORDS = {
	like: 'liked your post', retweet: 'retweeted your post', reply: 'replied to you', quote: 'quoted your post', mention: 'mentioned you',
	follow: 'followed you', follow_request: 'asked to follow you', friend_request: 'asked to be your friend', friend_accepted: 'is your friend now',
};

/** What has not been read: { count, more, latest_id, read_id }. */
export let unread = { count: 0 };

let asking = null;

/** Asks how many there are. */
export async function readCount() {
	if (!me) {
		unread = { count: 0 };
		bus.emit('unread', unread);
		return;
	}
	asking ??= roost.request('GET', '/notifications/unread').finally(() => { asking = null; });
	try {
		unread = await asking;
		bus.emit('unread', unread);
	} catch { /* the number stays as it was */ }
}

// Says that all up to an act has been read: not what comes while one reads.
async function markRead(latestId) {
	unread = await roost.request('POST', '/notifications/read', { up_to: latestId });
	bus.emit('unread', unread);
}

/** "A and 24 others" */
function who({ accounts, account_count: count, more }) {
	const [first] = accounts;
	if (!first) return 'Somebody';
	const others = count - 1;
	return el('span', {}, accountLink(first, el('bdi', { class: 'name' }, nameOf(first))),
		others === 1 && accounts[1] ? [' and ', accountLink(accounts[1], el('bdi', { class: 'name' }, nameOf(accounts[1])))]
			: others > 0 && ` and ${more ? `more than ${others} others` : plural(others, 'other')}`);
}

function row(item) {
	const words = WORDS[item.type] ?? item.type;
	return el('li', { class: item.read ? 'note-row' : 'note-row unread', 'data-id': item.id },
		el('div', { class: 'faces' }, item.accounts.slice(0, 4).map((account) => avatar(account))),
		el('p', {}, who(item), ` ${words} · `, el('span', { class: 'dim' }, time(item.latest_at)), !item.read && el('span', { class: 'hidden' }, ' (new)')),
		item.post && el('p', { class: 'excerpt', dir: 'auto' }, el('a', { href: `#/post/${item.post.id}` }, item.post.content_warning || item.post.text || 'Post')),
		item.type === 'follow_request' && !item.read && requestButtons(item),
		/^(friend|follow)_request$/.test(item.type) && item.read ? el('p', {}, el('a', { href: '#/friends' }, 'Friends and requests')) : /^friend_/.test(item.type) && friendNotice(item));
}

function requestButtons(item) {
	const answer = (verb) => async () => {
		try {
			await roost.request('POST', `/follow-requests/${item.accounts[0].id}/${verb}`);
			place.replaceChildren(el('span', { class: 'dim' }, verb === 'accept' ? 'Accepted' : 'Rejected'));
		} catch (error) {
			place.append(failure(error));
		}
	};
	const place = el('div', { class: 'row' }, el('button', { type: 'button', class: 'primary', onclick: answer('accept') }, 'Accept'),
		el('button', { type: 'button', onclick: answer('reject') }, 'Reject'));
	return place;
}

export function noticesView() {
	const list = el('ol', { class: 'notes' });
	const empty = el('p', { class: 'empty', hidden: true }, 'Nothing has happened yet.');
	const mark = el('button', { type: 'button', hidden: true, onclick: async () => {
		mark.disabled = true;
		try {
			if (unread.latest_id) await markRead(unread.latest_id);
			await view.load();
			say('All notifications are marked as read.');
		} catch (error) {
			problem.replaceChildren(failure(error));
		}
		mark.disabled = false;
	} }, 'Mark all as read');
	const more = el('button', { type: 'button', class: 'more', hidden: true, onclick: () => read(next) }, 'Show older ones');
	const problem = el('div', {});
	let next = null;

	async function read(before) {
		try {
			const page = await roost.get('/notifications', { limit: 20, before });
			if (before) list.append(...page.items.filter((item) => !list.querySelector(`[data-id="${CSS.escape(item.id)}"]`)).map(row));
			else list.replaceChildren(...page.items.map(row));
			next = page.next;
			problem.replaceChildren();
		} catch (error) {
			problem.replaceChildren(failure(error, () => read(before)));
		}
		more.hidden = next === null;
		empty.hidden = list.children.length > 0 || problem.children.length > 0;
		showOnline(list);
	}

	const view = {
		title: 'Notifications',
		node: el('div', {}, el('p', { class: 'row tools' }, el('a', { class: 'button', href: '#/settings/notifications' }, 'What you are notified of'), mark), problem, empty, list, more),
		load: () => Promise.all([read(), readCount()]),
		event: ({ event }) => { if (event === 'notification:new' || event === 'notification:read') soon(); },
		close: bus.on('unread', ({ count }) => { mark.hidden = count === 0; }),
	};
	let timer = null;
	const soon = () => { timer ??= setTimeout(() => { timer = null; read(); }, 300); };
	return view;
}

let soon = null;

bus.on('notification:new', () => { soon ??= setTimeout(() => { soon = null; readCount(); }, 200); });
bus.on('notification:read', (data) => {
	unread = data;
	bus.emit('unread', unread);
});
bus.on('account', () => readCount());
bus.on('gap', () => readCount());
