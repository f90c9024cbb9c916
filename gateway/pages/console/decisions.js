// The decisions that there are: what they are about, what they take, and how they are shown.

import { el } from '/app/dom.js';
import { can, read } from './session.js';
import { chip, plain, table, title, when, who } from './ui.js';

/** name -> { about, permission, label, when }: when says of the post or account whether it can be decided now. */
const DECISIONS = {
	dismiss: { about: 'case', permission: 'case.handle', label: 'Dismiss: nothing is wrong' },
	warn: { about: 'account', permission: 'case.handle', label: 'Warn the account' },
	label: { about: 'post', permission: 'case.handle', label: 'Put labels on the post' },
	limit: { about: 'post', permission: 'post.moderate', label: 'Limit the post: in no public list', when: ({ state }) => state === 'visible' },
	hold: { about: 'post', permission: 'post.moderate', label: 'Hold the post until it is decided', when: ({ state }) => state === 'visible' || state === 'limited' },
	release: { about: 'post', permission: 'post.moderate', label: 'Release the post', when: ({ state }) => state === 'held' || state === 'limited' },
	remove: { about: 'post', permission: 'post.moderate', label: 'Remove the post', when: ({ state }) => state !== 'removed' },
	restore: { about: 'post', permission: 'post.moderate', label: 'Restore the post', when: ({ state }) => state === 'removed' },
	limit_account: { about: 'account', permission: 'account.limit', label: 'Limit the reach of the account', when: ({ limited_at: at }) => !at },
	unlimit_account: { about: 'account', permission: 'account.limit', label: 'Lift the limit of the account', when: ({ limited_at: at }) => Boolean(at) },
	suspend: { about: 'account', permission: 'account.suspend', label: 'Suspend the account until a time', when: ({ status }) => status === 'active' || status === 'suspended' },
	ban: { about: 'account', permission: 'account.ban', label: 'Ban the account', when: ({ status, suspended_until: until }) => status === 'active' || Boolean(until) },
	unsuspend: { about: 'account', permission: 'account.suspend', label: 'End the suspension', when: ({ status }) => status === 'suspended' },
};

/** The decisions that this account may take about something, as options of a field. */
export function choices(post, account, message = null) {
	return Object.entries(DECISIONS).filter(([name, { about, permission, when: fits = () => true }]) => {
		if (!can(permission)) return false;
		if (about === 'case') return true;
		if (about === 'post' && message) return ['remove', 'restore'].includes(name) && fits(message);
		const thing = about === 'post' ? post : account;
		return Boolean(thing) && fits(thing);
	}).map(([name, { label }]) => [name, message ? label.replace('the post', 'the message') : label]);
}

const DAY = 86_400_000;
export const inDays = (days) => new Date(Date.now() + days * DAY);

let categories = null;

/** The categories of reports as options of a field; the empty one first. */
export async function categoryOptions(none) {
	categories ??= (await read('/reports/categories')).items;
	return [['', none], ...categories.map(({ name }) => [name, title(name)])];
}

/** A table of decisions. */
export const decisionTable = (caption, decisions) => table(caption, ['Decision', 'About', 'When', 'By', 'Reason', 'State'], decisions.map((one) => [
	title(one.decision),
	el('span', {}, one.case_id ? el('a', { href: `#/case/${one.case_id}` }, `${title(one.subject_type)} ${one.subject_id}`) : `${title(one.subject_type)} ${one.subject_id}`),
	when(one.created_at),
	one.decided_by ? who(one.decided_by) : title(one.source),
	el('span', {}, el('bdi', {}, ...plain(one.reason ?? title(one.category))), one.labels?.length > 0 && ` [${one.labels.join(', ')}]`,
		one.until && [' until ', when(one.until)], one.note && el('span', { class: 'dim' }, ' – ', ...plain(one.note))),
	one.reverted_at ? chip('reverted') : one.appeal_status ? chip(`appeal ${one.appeal_status}`, one.appeal_status === 'open' ? 'warn' : '') : chip('stands', 'good'),
]));
