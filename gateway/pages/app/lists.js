// Lists: whom one reads together, without following them. Nobody else sees them.

import { busy, el, failure, nameOf, person, plural, say } from './dom.js';
import { ask } from './dialog.js';
import { feed } from './feed.js';
import { makeForm } from './form.js';
import { roost, showOnline } from './live.js';
import { patient } from './patience.js';
import { change } from './safety.js';

const FOLLOWED = 40; // of so many members the list hears as they post

const titleField = (value = '') => ({ name: 'title', label: 'Title', value, maxlength: 100 });

/** Asks on which lists an account is to be. */
export async function chooseLists(account) {
	const [{ items: all }, { items: present }] = await Promise.all([patient(() => roost.get('/lists')), patient(() => roost.get(`/users/${account.id}/lists`))]);
	const on = new Set(present.map(({ id }) => id));
	const done = await ask({
		title: `Lists with ${nameOf(account)}`, button: 'Save', text: 'You read what is posted by the members of a list; they do not learn of it.',
		fields: [...all.map(({ id, title }) => ({ name: id, label: title, kind: 'checkbox', value: on.has(id) })), { ...titleField(), name: 'new', label: 'On a new list', required: false }],
		send: async ({ new: title, ...chosen }) => {
			if (title) chosen[(await change('POST', '/lists', { title })).id] = true;
			for (const [id, wanted] of Object.entries(chosen)) {
				if (wanted && !on.has(id)) await change('POST', `/lists/${id}/members`, { account_id: account.id });
				if (!wanted && on.has(id)) await change('DELETE', `/lists/${id}/members/${account.id}`);
			}
			return true;
		},
	});
	if (done) say('The lists are changed.');
}

const rename = (list) => ask({ title: 'Rename the list', button: 'Save', fields: [titleField(list.title)], send: (values) => change('PATCH', `/lists/${list.id}`, values) });

const remove = (list) => ask({
	title: `Delete the list ${list.title}`, text: 'Its members are not told.', button: 'Delete', danger: true,
	send: async () => { await change('DELETE', `/lists/${list.id}`); return true; },
});

export function listsView() {
	const rows = el('ul', { class: 'rows' });
	const note = el('p', { class: 'dim', hidden: true }, 'You have no lists yet.');
	const problem = el('div', {});
	const form = makeForm({
		class: 'ask inline', prefix: 'list', button: 'Make a list', fields: [titleField()],
		send: async (values) => {
			const { id } = await change('POST', '/lists', values);
			location.hash = `#/lists/${id}`;
		},
	});
	async function load() {
		try {
			const { items } = await patient(() => roost.get('/lists'));
			rows.replaceChildren(...items.map((list) => el('li', {}, el('a', { href: `#/lists/${list.id}`, dir: 'auto' }, list.title), el('span', { class: 'dim' }, ` · ${plural(list.member_count, 'member')}`))));
			note.hidden = items.length > 0;
			problem.replaceChildren();
		} catch (error) {
			if (error.status !== 401) problem.replaceChildren(failure(error, load));
		}
	}
	return { title: 'Lists', load, node: el('section', { class: 'notice' }, el('p', { class: 'dim' }, 'A list shows what its members post, whether you follow them or not. Nobody else sees it.'), form.node, problem, note, rows) };
}

export function listView(id) {
	const problem = el('div', {});
	const heads = el('div', {});
	const members = el('ul', { class: 'people' });
	const count = el('summary', {}, 'Members');
	const more = el('button', { type: 'button', class: 'more', hidden: true, onclick: () => busy(more, () => readMembers(next)) }, 'Show more members');
	let list = null;
	let next = null;
	let channels = [];
	const posts = feed({
		path: `/lists/${id}/tweets`, empty: 'Its members have posted nothing that you can see.',
		accepts: ({ event, data, channels: of }) => /^tweet:(new|retweeted)$/.test(event) && !data.post.reply_to_id && channels.some((channel) => of?.includes(channel)) && channels.includes(`user:${data.post.author.id}`),
	});
	const add = makeForm({
		class: 'ask inline', prefix: 'member', button: 'Add', fields: [{ name: 'account_id', label: 'Add by user name', autocapitalize: 'none', spellcheck: 'false' }],
		send: async ({ account_id: name }) => {
			await change('POST', `/lists/${id}/members`, { account_id: `@${name.trim().replace(/^@/, '')}` });
			add.input('account_id').value = '';
			say('It is on the list.');
			await view.load();
		},
	});
	const button = (label, name, work) => {
		const node = el('button', { type: 'button', 'aria-label': name && `${label} ${name}`, onclick: () => busy(node, work) }, label);
		return node;
	};
	const memberRow = (account) => el('li', {}, person(account),
		button('Take off', `@${account.username}`, async () => {
			await change('DELETE', `/lists/${id}/members/${account.id}`);
			say('It is off the list.');
			await view.load();
		}));

	async function readMembers(before) {
		const page = await patient(() => roost.get(`/lists/${id}/members`, { limit: 50, before }));
		if (before) members.append(...page.items.map(memberRow));
		else {
			members.replaceChildren(...page.items.map(memberRow));
			const wanted = page.items.slice(0, FOLLOWED).map((account) => `user:${account.id}`);
			if (wanted.join() !== channels.join()) view.setChannels?.((channels = wanted)).then((here) => here && posts.load());
		}
		next = page.next ?? null;
		more.hidden = next === null;
		showOnline(members);
	}

	const view = {
		title: 'List', node: el('div', {}, problem, heads, posts.node), channels: [],
		async load() {
			try {
				list = await patient(() => roost.request('GET', `/lists/${id}`));
				view.setTitle?.(list.title);
				if (!heads.firstElementChild) {
					heads.append(el('details', { class: 'notice', open: list.member_count === 0 }, count, add.node, members, more,
						el('div', { class: 'row' }, button('Rename', '', async () => { if (await rename(list)) await view.load(); }), button('Delete the list', '', async () => { if (await remove(list)) location.hash = '#/lists'; }))));
				}
				count.textContent = plural(list.member_count, 'member');
				await readMembers();
				problem.replaceChildren();
			} catch (error) {
				if (error.status === 404) {
					heads.replaceChildren();
					posts.node.hidden = true;
					problem.replaceChildren(el('p', { class: 'empty' }, 'There is no such list. ', el('a', { href: '#/lists' }, 'To your lists')));
				} else if (error.status !== 401) problem.replaceChildren(failure(error, () => view.load()));
				return;
			}
			await posts.load();
		},
		event: posts.event,
		close: posts.close,
	};
	return view;
}
