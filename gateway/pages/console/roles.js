// Roles, and what they allow.

import { ask } from '/app/dialog.js';
import { el, failure, say } from '/app/dom.js';
import { can, me, read, write } from './session.js';
import { button, chip, exact, panel, plain, title } from './ui.js';

export function rolesPage() {
	const node = el('div', {});
	let all = [];

	const again = async (words) => {
		await page.load();
		say(words);
	};

	// The fields of a role: a box for each permission.
	const fields = (role) => [
		{ name: 'rank', label: 'Rank', kind: 'number', min: 0, max: 1000, step: 1, required: true, value: role.rank, hint: 'Lower than your own. Nobody acts on an account of the same or a higher rank.' },
		{ name: 'description', label: 'Description', required: false, maxlength: 300, value: role.description },
		...all.map((permission) => ({ name: permission, label: permission, kind: 'checkbox', value: role.permissions.includes(permission) })),
	];
	const body = ({ rank, description = '', ...boxes }) => ({ rank, description, permissions: all.filter((permission) => boxes[permission]) });

	async function change(role) {
		const done = await ask({
			title: `Role ${role.name}`, text: 'It takes effect at once for all who have it.', button: 'Save', fields: fields(role),
			send: (values) => write('PUT', `/admin/roles/${encodeURIComponent(role.name)}`, body(values)),
		});
		if (done !== undefined) await again('The role is changed.');
	}

	async function make() {
		const done = await ask({
			title: 'New role', button: 'Make', fields: [{ name: 'name', label: 'Name', autocapitalize: 'none' }, ...fields({ rank: 10, description: '', permissions: [] })],
			send: ({ name, ...values }) => write('PUT', `/admin/roles/${encodeURIComponent(name)}`, body(values)),
		});
		if (done !== undefined) await again('The role is made.');
	}

	async function remove(role) {
		const done = await ask({ title: `Delete the role ${role.name}`, text: 'This cannot be undone.', button: 'Delete', danger: true, send: () => write('DELETE', `/admin/roles/${encodeURIComponent(role.name)}`) });
		if (done !== undefined) await again('The role is deleted.');
	}

	const page = {
		node,
		async load() {
			try {
				const [roles, permissions] = await Promise.all([read('/admin/roles'), read('/admin/permissions')]);
				all = permissions.items;
				const own = roles.items.find(({ name }) => name === me.role)?.rank ?? 0;
				const mayWrite = (role) => can('role.write') && role.rank < own;
				node.replaceChildren(...roles.items.map((role) => panel(title(role.name),
					el('p', { class: 'row' }, chip(`Rank ${role.rank}`), role.account_count !== null && chip(role.account_count === 1 ? '1 account' : `${exact(role.account_count)} accounts`)),
					role.description && el('p', { dir: 'auto' }, ...plain(role.description)),
					el('p', { class: 'row' }, role.permissions.length === 0 ? el('span', { class: 'dim' }, 'No permissions.') : role.permissions.map((permission) => el('code', { class: 'chip' }, permission))),
					mayWrite(role) && role.name !== 'user' && el('p', { class: 'row' }, button('Change', () => change(role), { 'aria-label': `Change ${role.name}` }), button('Delete', () => remove(role), { 'aria-label': `Delete ${role.name}` })))),
				...(can('role.write') ? [button('New role', make)] : []));
			} catch (error) {
				node.replaceChildren(failure(error, () => page.load()));
			}
		},
	};
	return page;
}
