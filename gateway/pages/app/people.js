// Choosing people: friends, and those one follows; others by their user names.

import { avatar, el, nameOf, plural } from './dom.js';
import { me, roost } from './live.js';
import { patient } from './patience.js';

/** Makes the fields; chosen() says whom, as the API takes it. without: ids of accounts that are not offered. */
export function peoplePicker({ without = [] } = {}) {
	const list = el('div', { class: 'choices' });
	const filter = el('input', { id: 'people-filter', type: 'search', autocapitalize: 'none', spellcheck: 'false', oninput: () => {
		const wanted = filter.value.trim().toLowerCase();
		for (const row of list.children) row.hidden = wanted !== '' && !row.textContent.toLowerCase().includes(wanted);
	} });
	const others = el('input', { id: 'people-others', autocapitalize: 'none', spellcheck: 'false', 'aria-describedby': 'people-others-note' });
	const count = el('span', { class: 'dim', 'aria-live': 'polite' });
	const find = el('div', { class: 'field', hidden: true }, el('label', { for: 'people-filter' }, 'Find among them'), filter);
	const names = () => others.value.split(/[\s,]+/).filter(Boolean).map((name) => `@${name.replace(/^@/, '')}`);
	const checked = () => [...list.querySelectorAll('input:checked')].map((input) => input.value);
	const chosen = () => [...new Set([...checked(), ...names()])];
	const show = () => { count.textContent = chosen().length > 0 ? `${plural(chosen().length, 'person', 'people')} chosen` : ''; };
	const node = el('fieldset', { class: 'pick', oninput: show }, el('legend', {}, 'People'), find, list,
		el('div', { class: 'field' }, el('label', { for: 'people-others' }, 'Others by user name'), others, el('p', { class: 'note dim', id: 'people-others-note' }, 'Separated by spaces or commas.')), count);

	async function load() {
		const [friends, followed] = await Promise.all([patient(() => roost.get('/friends', { limit: 100 })), patient(() => roost.get(`/users/${me.id}/following`, { limit: 100 }))]);
		const accounts = new Map([...friends.items.map(({ account }) => account), ...followed.items.map((item) => item.account ?? item)].map((account) => [account.id, account]));
		for (const id of without) accounts.delete(id);
		const before = checked();
		list.replaceChildren(...[...accounts.values()].map((account) => el('label', { class: 'check' },
			el('input', { type: 'checkbox', value: account.id, checked: before.includes(account.id) }), avatar(account), el('span', {}, el('bdi', {}, nameOf(account)), ' ', el('span', { class: 'dim' }, `@${account.username}`)))));
		find.hidden = list.children.length < 8;
		show();
	}
	return { node, load, chosen };
}
