// Friends: who they are, who has asked whom, and the buttons that ask, follow and write.

import { busy, el, failure, hidden, nameOf, person, say } from './dom.js';
import { ask } from './dialog.js';
import { me, roost, showOnline } from './live.js';
import { section } from './paged.js';
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

/** A button that follows an account, or takes that back. */
export function followButton(account, changed = () => {}) {
	const button = el('button', { type: 'button', class: 'follow', onclick: () => busy(button, toggle) });
	let state = account.relationship ?? {};
	const show = () => {
		const label = state.following ? 'Following' : state.requested ? 'Requested' : 'Follow';
		button.replaceChildren(label, hidden(` @${account.username}`));
		button.setAttribute('aria-pressed', String(Boolean(state.following || state.requested)));
		button.classList.toggle('primary', !state.following && !state.requested);
	};
	const toggle = async () => {
		const on = !state.following && !state.requested;
		const answer = await roost.request('POST', `/users/${account.id}/${on ? 'follow' : 'unfollow'}`);
		state = answer?.relationship ?? answer ?? {};
		show();
		changed();
	};
	show();
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

export function friendsView() {
	const parts = {};
	const online = new Set();

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
		followers: (account) => [...person(account), el('div', { class: 'row' }, act('Accept', account, () => letFollow(account), true), act('Reject', account, () => refuse(account)))],
		incoming: (one) => [...person(one.account), el('div', { class: 'row' }, act('Accept', one.account, () => accept(one), true), act('Reject', one.account, () => reject(one)))],
		friends: (one) => [...person(one.account, el('span', { class: 'is-online' }, online.has(one.account.id) ? ' · online' : '')),
			el('div', { class: 'row' }, messageButton(one.account), act('End', one.account, () => end(one.account)))],
		outgoing: (one) => [...person(one.account), act('Cancel', one.account, () => cancel(one))],
	};
	function part(kind, heading, path, query, empty) {
		const one = parts[kind] = section(heading, {
			path, query, limit: 50, class: 'people', empty, key: (item) => item.id ?? item.account.id,
			row: (item) => {
				if (kind === 'friends') online[item.online ? 'add' : 'delete'](item.account.id);
				return el('li', { 'data-friend': (item.account ?? item).id }, rows[kind](item));
			},
			shown: () => {
				one.node.hidden = kind !== 'friends' && one.list.children.length === 0 && !one.node.querySelector('.error');
				showOnline(one.list);
			},
		});
		one.node.hidden = true;
		return one.node;
	}

	async function load() {
		await Promise.all(Object.values(parts).map((one) => one.load()));
		view.setChannels?.(parts.friends.rows().slice(0, 50).map((row) => `user:${row.dataset.friend}`));
	}
	const view = {
		title: 'Friends', load,
		node: el('div', {}, part('incoming', 'Requests to you', '/friends/requests', { direction: 'incoming' }), part('followers', 'Who asks to follow you', '/follow-requests', {}),
			part('friends', 'Your friends', '/friends', {}, 'You have no friends here yet. Ask somebody from their profile.'),
			part('outgoing', 'Requests of yours', '/friends/requests', { direction: 'outgoing' })),
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
