// Groups: making one, and what there is to know and to do about a conversation.

import { ask } from './dialog.js';
import { accountLink, avatar, busy, el, failure, nameOf, say } from './dom.js';
import { essence, face, timerField, timerWords, titleOf } from './chat.js';
import { settingsOf } from './conversation_menu.js';
import { makeForm } from './form.js';
import { invites } from './invite.js';
import { me, roost, showOnline } from './live.js';
import { peoplePicker } from './people.js';
import { change } from './safety.js';

const groupFields = ({ title = '', description = '', expire_after: timer } = {}) => [
	{ name: 'title', label: 'Title', value: title, maxlength: 100, required: false },
	{ name: 'description', label: 'What it is about', kind: 'textarea', value: description, maxlength: 500 },
	timerField(timer),
];

export function newGroupView() {
	const picker = peoplePicker();
	const form = makeForm({
		prefix: 'group', button: 'Create', fields: groupFields(), class: 'sign group',
		send: async ({ expire_after: timer, ...values }) => {
			const { id } = await change('POST', '/conversations', { kind: 'group', account_ids: picker.chosen(), expire_after: Number(timer), ...values });
			location.hash = `#/messages/${id}`;
		},
	});
	form.node.querySelector('.problem').before(picker.node);
	return { title: 'New group', node: form.node, load: () => picker.load().catch((error) => picker.node.append(failure(error))) };
}

const ROLES = { owner: 'Owner', admin: 'Admin', member: 'Member' };

export function infoView(id) {
	const problem = el('div', {});
	const head = el('section', { class: 'notice', hidden: true });
	const list = el('ul', { class: 'people members' });
	const more = el('button', { type: 'button', class: 'more', hidden: true, onclick: () => busy(more, () => readMembers(next)) }, 'Show more members');
	const add = el('div', {});
	const members = el('section', { class: 'notice', hidden: true }, el('h2', {}, 'Members'), add, list, more);
	const invitations = el('section', { class: 'notice', hidden: true });
	let conversation = null;
	let drawn = null;
	let shown = null; // the members, likewise
	let next = null;
	let loading = null;
	let again = false;
	const admin = () => conversation.role === 'admin' || conversation.role === 'owner';

	const edit = () => {
		const group = conversation.kind === 'group';
		return ask({
			title: group ? 'Change the group' : 'Disappearing messages', button: 'Save', fields: group ? groupFields(conversation) : [timerField(conversation.expire_after)],
			send: ({ expire_after: timer, title = '', description = '' }) => roost.request('PATCH', `/conversations/${id}`, { expire_after: Number(timer), ...(group ? { title, description } : {}) }),
		});
	};
	const act = (label, work, attributes = {}) => {
		const button = el('button', { type: 'button', ...attributes, onclick: () => busy(button, async () => {
			await work();
			if (location.hash === `#/messages/${id}/info`) await load();
		}) }, label);
		return button;
	};

	function showHead() {
		if (!head.hidden && drawn === essence(conversation)) return;
		drawn = essence(conversation);
		const { kind, description, encryption, expire_after: timer, role, can_send: canSend, members: [other] } = conversation;
		head.hidden = false;
		view.setTitle?.(titleOf(conversation));
		head.replaceChildren(el('div', { class: 'row' }, face(conversation), el('p', {}, el('a', { href: `#/messages/${id}` }, 'To the conversation'), kind === 'direct' && other && [' · ', accountLink(other, `@${other.username}`)])),
			...[description && el('p', { class: 'text', dir: 'auto' }, description),
				el('p', { class: 'dim' }, `Messages disappear after: ${timerWords(timer)}. `, encryption === 'e2ee' ? 'End-to-end encrypted.' : 'Not end-to-end encrypted.')].filter(Boolean),
			el('div', { class: 'row' }, (kind === 'group' ? admin() : role && canSend) && act('Change', edit), settingsOf(conversation).map(([label, work]) => act(label, work))));
		showOnline(head);
	}

	const setRole = (account, role) => async () => {
		await roost.request('PATCH', `/conversations/${id}/members/${account.id}`, { role });
		say(`${nameOf(account)}: ${ROLES[role].toLowerCase()}`);
	};
	const remove = (account) => () => ask({
		title: `Remove ${nameOf(account)}`, text: 'It cannot come back by an invitation, until somebody adds it again.', button: 'Remove', danger: true,
		send: () => roost.request('DELETE', `/conversations/${id}/members/${account.id}`),
	});
	// What the present role may do with a member.
	function actionsOf({ account, role }) {
		const owner = conversation.role === 'owner';
		const self = account.id === me?.id;
		return [
			...(owner ? Object.keys(ROLES).filter((one) => one !== role).map((one) => [`Make ${one}`, setRole(account, one)]) : []),
			...(!self && admin() && (owner || role === 'member') ? [['Remove', remove(account)]] : []),
		];
	}
	function memberRow(member) {
		const { account, role } = member;
		const actions = actionsOf(member);
		const menu = actions.length > 0 && el('details', { class: 'menu' }, el('summary', { 'aria-label': `More about ${nameOf(account)}` }, '⋯'), el('div', {}, actions.map(([label, work]) => act(label, async () => {
			menu.open = false;
			await work();
		}))));
		return el('li', { 'data-member': account.id }, avatar(account), el('div', {}, accountLink(account, el('bdi', { class: 'name' }, nameOf(account))), account.id === me?.id && el('span', { class: 'dim' }, ' (you)'),
			el('p', { class: 'dim' }, ROLES[role])), menu || el('span', {}));
	}

	async function readMembers(before) {
		const page = await roost.get(`/conversations/${id}/members`, { limit: 50, before });
		const key = JSON.stringify([conversation.role, page.items.map(({ account, role }) => [account, role])]);
		if (!before && shown === key) return;
		if (!before) shown = key;
		const rows = page.items.map(memberRow);
		if (before) list.append(...rows.filter((row) => !list.querySelector(`[data-member="${CSS.escape(row.dataset.member)}"]`)));
		else list.replaceChildren(...rows);
		next = page.next;
		more.hidden = next === null;
		showOnline(list);
	}

	function showAdd() {
		if (!admin()) {
			add.replaceChildren();
			return;
		}
		if (add.firstElementChild) return;
		const open = el('button', { type: 'button', onclick: () => {
			const picker = peoplePicker({ without: [...list.children].map((row) => row.dataset.member) });
			const form = makeForm({
				prefix: 'add', fields: [], button: 'Add', class: 'ask', other: el('button', { type: 'button', onclick: () => { form.node.replaceWith(open); open.focus(); } }, 'Cancel'),
				send: async () => {
					await roost.request('POST', `/conversations/${id}/members`, { account_ids: picker.chosen() });
					form.node.replaceWith(open);
					open.focus();
					await load();
				},
			});
			form.node.prepend(picker.node);
			open.replaceWith(form.node);
			picker.load().then(() => picker.node.querySelector('input:not([hidden])')?.focus()).catch((error) => picker.node.append(failure(error)));
		} }, 'Add people');
		add.replaceChildren(open);
	}

	const links = invites(id);

	async function readAll() {
		do {
			again = false;
			conversation = await roost.request('GET', `/conversations/${id}`);
			showHead();
			const group = conversation.kind === 'group';
			members.hidden = !group;
			invitations.hidden = !group || !admin();
			if (group) {
				await readMembers();
				showAdd();
			}
			if (!invitations.hidden) {
				if (!invitations.firstElementChild) invitations.append(links.node);
				await links.load();
			}
		} while (again);
	}
	function load() {
		again = true;
		loading ??= (async () => {
			try {
				await readAll();
				problem.replaceChildren();
			} catch (error) {
				if (error.status === 404) for (const part of [head, members, invitations]) part.hidden = true;
				if (error.status === 404) problem.replaceChildren(el('p', { class: 'empty' }, 'This conversation does not exist, or you are not in it. ', el('a', { href: '#/messages' }, 'To your conversations')));
				else if (error.status !== 401) problem.replaceChildren(failure(error, load));
			}
			loading = null;
		})();
		return loading;
	}
	const view = {
		title: 'Details', node: el('div', {}, problem, head, members, invitations), load,
		event({ event, data }) {
			if (event.startsWith('conversation:') && (data.conversation_id ?? data.conversation?.id) === id) load();
		},
	};
	return view;
}
