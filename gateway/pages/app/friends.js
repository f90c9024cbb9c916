// Friends: who they are, who has asked whom, and the button that asks.

import { accountLink, avatar, busy, el, failure, hidden, nameOf, say } from './dom.js';
import { ask } from './dialog.js';
import { me, roost, showOnline } from './live.js';
import { patient } from './patience.js';

/** The request that waits between oneself and an account; fails with words if there is none any more. */
async function requestOf(accountId, direction) {
	for (let before; ;) {
		const { items, next } = await patient(() => roost.get('/friends/requests', { direction, limit: 100, before }));
		const found = items.find(({ account }) => account.id === accountId);
		if (found) return found;
		if (next === null) throw new Error('The request is not there any more');
		before = next;
	}
}

/** Accepts or rejects what an account has asked. */
export async function answerRequest(account, verb) {
	const { id } = await requestOf(account.id, 'incoming');
	await roost.request('POST', `/friends/requests/${id}/${verb}`);
	say(verb === 'accept' ? `${nameOf(account)} is your friend now.` : 'The request has been rejected.');
}

const end = (account) => ask({
	title: `End the friendship with ${nameOf(account)}`, text: 'You stop being friends; neither of you is told why.', button: 'End friendship', danger: true,
	send: () => roost.request('DELETE', `/friends/${account.id}`),
});

/** A button that asks an account to be a friend, answers it, or takes that back; changed() is called when it has. */
export function friendButton(account, changed = () => {}) {
	const state = account.relationship ?? {};
	const [label, work] = state.friend ? ['Friends', () => end(account)]
		: state.friend_requested ? ['Requested', async () => {
			const { id } = await requestOf(account.id, 'outgoing');
			await roost.request('DELETE', `/friends/requests/${id}`);
			say('The request has been taken back.');
		}] : state.friend_requested_by ? ['Accept', () => answerRequest(account, 'accept')]
			: ['Add friend', async () => {
				const { accepted } = await roost.request('POST', '/friends/requests', { account_id: account.id });
				say(accepted ? `${nameOf(account)} is your friend now.` : `${nameOf(account)} has been asked.`);
			}];
	const on = Boolean(state.friend || state.friend_requested);
	const words = { Friends: ': end the friendship with', Requested: ': take back the friend request to', Accept: ' the friend request of', 'Add friend': '' }[label];
	const button = el('button', { type: 'button', class: state.friend_requested_by && !on ? 'friend primary' : 'friend', onclick: () => busy(button, async () => {
		try {
			await work();
		} finally {
			changed(); // also when it was not as it looked
		}
	}) }, label, hidden(`${words} @${account.username}`));
	return button;
}

/** A button that opens the conversation with an account. */
export function messageButton(account) {
	const button = el('button', { type: 'button', onclick: () => busy(button, async () => {
		const { id } = await roost.request('POST', '/conversations', { kind: 'direct', account_ids: [account.id] });
		location.hash = `#/messages/${id}`;
	}) }, 'Message', hidden(` @${account.username}`));
	return button;
}

const who = (account, ...more) => [avatar(account), el('div', {}, accountLink(account, el('bdi', { class: 'name' }, nameOf(account))), el('p', { class: 'dim' }, `@${account.username}`, ...more))];

export function friendsView() {
	const problem = el('div', {});
	const parts = {};
	const online = new Set();
	let loading = null;
	let again = false;

	const act = (label, account, work, primary) => {
		const button = el('button', { type: 'button', class: primary ? 'primary' : null, onclick: () => busy(button, async () => {
			await work();
			await load();
		}) }, label, hidden(` @${account.username}`));
		return button;
	};
	const requests = (verb, sentence) => async (request) => {
		await roost.request(verb === 'cancel' ? 'DELETE' : 'POST', `/friends/requests/${request.id}${verb === 'cancel' ? '' : `/${verb}`}`);
		say(sentence);
	};
	const accept = requests('accept', 'You are friends now.');
	const reject = requests('reject', 'The request has been rejected.');
	const cancel = requests('cancel', 'The request has been taken back.');
	const follow = (verb, sentence) => async (account) => {
		await roost.request('POST', `/follow-requests/${account.id}/${verb}`);
		say(sentence);
	};
	const letFollow = follow('accept', 'It follows you now.');
	const refuse = follow('reject', 'The request has been rejected.');
	const rows = {
		followers: (account) => [...who(account), el('div', { class: 'row' }, act('Accept', account, () => letFollow(account), true), act('Reject', account, () => refuse(account)))],
		incoming: (one) => [...who(one.account), el('div', { class: 'row' }, act('Accept', one.account, () => accept(one), true), act('Reject', one.account, () => reject(one)))],
		friends: (one) => [...who(one.account, el('span', { class: 'is-online' }, online.has(one.account.id) ? ' · online' : '')),
			el('div', { class: 'row' }, messageButton(one.account), act('End', one.account, () => end(one.account)))],
		outgoing: (one) => [...who(one.account), act('Cancel', one.account, () => cancel(one))],
	};
	function section(kind, heading, path, query, empty) {
		const list = el('ul', { class: 'people' });
		const note = el('p', { class: 'dim', hidden: true }, empty);
		const more = el('button', { type: 'button', class: 'more', hidden: true, onclick: () => busy(more, async () => show(await roost.get(path, { ...query, limit: 50, before: next }), true)) }, 'Show more');
		const node = el('section', { class: 'notice', hidden: true }, el('h2', {}, heading), note, list, more);
		let next = null;
		function show(page, append) {
			for (const one of kind === 'friends' ? page.items : []) {
				if (one.online) online.add(one.account.id);
				else online.delete(one.account.id);
			}
			const made = page.items.map((one) => el('li', { 'data-friend': (one.account ?? one).id }, rows[kind](one)));
			if (append) list.append(...made);
			else list.replaceChildren(...made);
			next = page.next;
			more.hidden = next === null;
			note.hidden = list.children.length > 0;
			node.hidden = kind !== 'friends' && list.children.length === 0;
			showOnline(list);
		}
		parts[kind] = { list, node, load: async () => show(await roost.get(path, { ...query, limit: 50 })) };
		return node;
	}

	function load() {
		again = true;
		loading ??= (async () => {
			try {
				while (again) {
					again = false;
					await Promise.all(Object.values(parts).map((part) => part.load()));
				}
				problem.replaceChildren();
				view.setChannels?.([...parts.friends.list.children].slice(0, 50).map((row) => `user:${row.dataset.friend}`));
			} catch (error) {
				if (error.status !== 401) problem.replaceChildren(failure(error, load));
			}
			loading = null;
		})();
		return loading;
	}
	const view = {
		title: 'Friends', load,
		node: el('div', {}, problem, section('incoming', 'Requests to you', '/friends/requests', { direction: 'incoming' }, ''), section('followers', 'Who asks to follow you', '/follow-requests', {}, ''),
			section('friends', 'Your friends', '/friends', {}, 'You have no friends here yet. Ask somebody from their profile.'),
			section('outgoing', 'Requests of yours', '/friends/requests', { direction: 'outgoing' }, '')),
		event({ event, data }) {
			if (event.startsWith('friend:') || event === 'user:follow_requested') load();
			if (event !== 'user:online' && event !== 'user:offline') return;
			if (event === 'user:online') online.add(data.account_id);
			else online.delete(data.account_id);
			const place = parts.friends.list.querySelector(`[data-friend="${CSS.escape(data.account_id)}"] .is-online`);
			if (place) place.textContent = event === 'user:online' ? ' · online' : '';
		},
	};
	return view;
}

/** What a notification about friends offers. */
export function friendNotice(item) {
	const [account] = item.accounts;
	if (!account || !me) return null;
	if (item.type === 'friend_accepted') return el('div', { class: 'row' }, messageButton(account));
	const answer = (verb) => async () => {
		try {
			await answerRequest(account, verb);
			place.replaceChildren(el('span', { class: 'dim' }, verb === 'accept' ? 'Accepted' : 'Rejected'));
		} catch (error) {
			place.replaceChildren(failure(error));
		}
	};
	const button = (label, verb, primary) => el('button', { type: 'button', class: primary ? 'primary' : null, onclick: answer(verb) }, label, hidden(` @${account.username}`));
	const place = el('div', { class: 'row' }, button('Accept', 'accept', true), button('Reject', 'reject'));
	return place;
}
