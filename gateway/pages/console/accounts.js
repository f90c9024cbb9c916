// Accounts: looking for them, what is known of one, and what one can do to it.

import { ask } from '/app/dialog.js';
import { el, failure, plural, say, short } from '/app/dom.js';
import { localTime } from '/app/form.js';
import { can, me, read, reload, write } from './session.js';
import { button, chip, facts, filters, pages, panel, plain, said, table, title, when, who } from './ui.js';
import { categoryOptions, decisionTable, inDays } from './decisions.js';
import { casesAbout } from './queue.js';

/** How an account stands, in chips. */
export const stateChips = (account) => [
	account.status === 'suspended' ? chip(account.suspended_until ? 'Suspended' : 'Banned', 'bad') : chip(title(account.status), account.status === 'active' ? 'good' : ''),
	account.limited_at && chip('Limited', 'warn'), account.is_verified && chip('Verified', 'good'), account.is_private && chip('Private'),
	account.role && account.role !== 'user' && chip(title(account.role)),
].filter(Boolean);

const row = (account) => el('li', { class: 'case', 'data-account': account.id },
	el('p', { class: 'row' }, who(account), stateChips(account)),
	// Of oneself some are not told.
	el('p', { class: 'dim' }, [['strike', account.strike_count], ['report', account.report_count], ['open case', account.open_case_count], ['follower', account.follower_count]]
		.filter(([, count]) => count !== null).map(([name, count]) => plural(count, name)).join(' · '), ' · since ', when(account.created_at)));

const values = { q: '', status: '', role: '' };

export function accountsPage() {
	const list = el('ol', { class: 'cards' });
	const accounts = pages({ path: '/admin/accounts', query: () => values, place: list, row, empty: 'No account is like that.' });
	const changed = async () => {
		await accounts.load();
		say(plural(list.children.length, 'account'));
	};
	return {
		node: el('div', {}, el('div', { class: 'row between' }, filters([
			{ name: 'q', label: can('account.address') ? 'User name, or a whole e-mail address' : 'User name', type: 'search' },
			{ name: 'status', label: 'State', options: [['', 'All but deleted'], ['active', 'Active'], ['limited', 'Limited'], ['suspended', 'Suspended'], ['deleted', 'Deleted']] },
			{ name: 'role', label: 'Role', type: 'search' },
		], values, changed), button('Search', changed)), accounts.node),
		load: accounts.load,
	};
}

// The rank of the account that is logged in; nobody acts on one of the same or a higher rank.
const ownRank = async () => (await read(`/admin/accounts/${me.id}`)).rank;

const REASONS = async () => [
	{ name: 'category', label: 'Rule that was broken', kind: 'select', options: await categoryOptions('None in particular'), value: '' },
	{ name: 'reason', label: 'Reason', kind: 'textarea', maxlength: 2000, hint: 'The account is told this, where it is told of the decision.' },
	{ name: 'text', label: 'Note', kind: 'textarea', maxlength: 2000, hint: 'For moderators only.' },
];

// What can be done: the path's end -> label, permission, in which state, what it does.
const ACTIONS = {
	warn: ['Warn', 'case.handle', () => true, 'The account gets a message, and a strike.'],
	limit: ['Limit', 'account.limit', (one) => !one.limited_at, 'Its posts reach only those who follow it. It is not told.'],
	unlimit: ['Lift the limit', 'account.limit', (one) => Boolean(one.limited_at), 'Its posts reach everybody again.'],
	suspend: ['Suspend', 'account.suspend', (one) => one.status === 'active', 'Nobody sees it until then; its sessions end at once.', true],
	ban: ['Ban', 'account.ban', (one) => one.status === 'active' || Boolean(one.suspended_until), 'Nobody sees it any more; its sessions end at once, and its address registers no other account.', true],
	restore: ['Restore', 'account.suspend', (one) => one.status === 'suspended' && (Boolean(one.suspended_until) || can('account.ban')), 'The account is active again.'],
	verify: ['Verify', 'account.role', (one) => !one.is_verified, 'It gets the sign of a verified account.'],
	unverify: ['Take the verification away', 'account.role', (one) => one.is_verified, 'It loses the sign of a verified account.'],
};

export function accountPage(id) {
	const node = el('div', {});
	const path = `/admin/accounts/${encodeURIComponent(id)}`;

	async function act(name, account) {
		const [label, , , text, danger] = ACTIONS[name];
		const until = { name: 'until', label: 'Until', kind: 'time', required: true, value: localTime(inDays(7)) };
		const done = await ask({
			title: `${label}: ${account.username}`, text, button: label, danger,
			fields: [...(name === 'suspend' ? [until] : []), ...await REASONS()],
			send: (body) => write('POST', `${path}/${name}`, body),
		});
		if (done === undefined) return;
		await page.load();
		say(`Done: ${label}.`);
	}

	async function giveRole(account) {
		const names = can('role.read') ? (await read('/admin/roles')).items.map(({ name, rank }) => [name, `${title(name)} (rank ${rank})`]) : null;
		const done = await ask({
			title: `Role of ${account.username}`, text: 'It takes effect at once, in all sessions of the account.', button: 'Give this role',
			fields: [names ? { name: 'role', label: 'Role', kind: 'select', options: names, value: account.role, required: true } : { name: 'role', label: 'Role', value: account.role }],
			send: (body) => write('PUT', `${path}/role`, body),
		});
		if (done === undefined) return;
		if (account.id === me.id) await reload();
		else await page.load();
		say('The role is given.');
	}

	// A button in place of what takes another look, or is noted in the trail.
	function later(label, load) {
		const place = el('div', {}, button(label, async () => place.replaceChildren(await load())));
		return place;
	}

	const addresses = async () => {
		const known = await read(`${path}/addresses`);
		return el('div', {}, facts([['E-mail address', known.email ?? 'none'], ['Verified', when(known.email_verified_at)]]),
			known.sessions.length === 0 ? el('p', { class: 'dim' }, 'It has no sessions.') : table('Addresses of sessions', ['Address', 'Program', 'Began', 'Last used'], known.sessions.map((one) => [one.address ?? '–', el('bdi', {}, ...plain(one.user_agent ?? '–')), when(one.created_at), when(one.last_used_at)])));
	};

	const reputation = async () => {
		const known = await read(`${path}/reputation`);
		return el('div', {}, facts([['Reputation', `${known.reputation.toFixed(3)} (from −2 to 1)`], ['Standing', known.standing.toFixed(3)], ['Burden', known.burden.toFixed(3)], ['New', known.is_new ? 'yes' : 'no']]),
			Object.keys(known.history ?? {}).length > 0 && table('What speaks against it', ['Kind', 'Times', 'Weight now', 'Last'], Object.entries(known.history).map(([kind, one]) =>
				[title(kind), String(one.count), Number(one.weight).toFixed(2), when(one.updated_at)])));
	};

	const decisions = async () => {
		if (id === me.id) return el('p', { class: 'dim' }, 'What moderators say about oneself is for others.');
		const { items } = await read(`${path}/decisions`, { limit: 50 });
		return items.length === 0 ? el('p', { class: 'dim' }, 'Nothing has been decided about it.') : decisionTable('Decisions', items);
	};

	const page = {
		title: 'Account', node,
		async load() {
			let account;
			try {
				account = await read(path);
			} catch (error) {
				node.replaceChildren(error.status === 404 ? el('p', { class: 'empty' }, 'There is no such account, or it is deleted.') : failure(error, () => page.load()));
				return;
			}
			page.setTitle?.(`@${account.username}`);
			const own = account.id === me.id;
			const below = own || account.rank < await ownRank();
			const buttons = own || !below ? [] : Object.entries(ACTIONS).filter(([, [, permission, fits]]) => can(permission) && fits(account))
				.map(([name, [label, , , , danger]]) => button(label, () => act(name, account), { class: danger ? 'danger' : '' }));
			if (can('account.role') && below) buttons.push(button('Change role', () => giveRole(account)));
			node.replaceChildren(
				panel(null, el('p', { class: 'row' }, el('bdi', { class: 'name' }, ...plain(account.display_name || account.username)), stateChips(account)),
					account.bio && said(account.bio),
					facts([
						['Suspended until', account.suspended_until && when(account.suspended_until)], ['Limited since', account.limited_at && when(account.limited_at)],
						['Registered', when(account.created_at)], ['Last login', when(account.last_login_at)], ['Last active', when(account.last_active_at)],
						['Role', `${title(account.role)} (rank ${account.rank})`], ['E-mail verified', account.email_verified ? 'yes' : 'no'], ['Sessions', account.session_count],
						['Strikes', account.strike_count], ['Reports about it', account.report_count], ['Open cases', account.open_case_count],
						['Own reports', `${account.made_report_count}, ${account.upheld_report_count} led to a measure`],
						['Posts', short(account.post_count)], ['Followers', short(account.follower_count)], ['Following', short(account.following_count)], ['Language', account.language],
					]),
					!below && el('p', { class: 'dim' }, 'Its rank is not below yours: others act on it.'),
					el('p', { class: 'row' }, buttons, el('a', { class: 'button', href: `/#/@${account.username}` }, 'Profile'))),
				panel('Decisions', await decisions().catch((error) => failure(error))),
				...[
					can('report.read') && !own && account.report_count + account.open_case_count > 0 && panel('Cases', await casesAbout(account.id).catch((error) => failure(error))),
					!own && panel('How it stands with the filters', later('Show', reputation)),
					can('account.address') && !own && below && panel('Addresses', el('p', { class: 'dim' }, 'Each look is an entry in the audit trail.'), later('Show addresses', addresses)),
				].filter(Boolean));
		},
	};
	return page;
}
