// The audit trail: what was done, by whom; and whether it is what it was.

import { el, failure, say } from '/app/dom.js';
import { can, read, write } from './session.js';
import { button, chip, exact, facts, filters, pages, panel, plain, when } from './ui.js';

const values = { action: '', object_type: '', object_id: '', actor: '', account: '', since: '', until: '' };

const person = (id, username) => (id ? el('a', { href: can('account.read') ? `#/account/${id}` : `/#/@${username}` }, username ?? id) : '–');

const row = (one) => el('li', { class: 'case', 'data-seq': one.seq },
	el('p', { class: 'row' }, el('code', {}, `#${one.seq}`), el('strong', {}, one.action), el('span', { class: 'dim' }, when(one.at)), chip(one.source)),
	el('p', {}, 'By ', one.actor_id ? person(one.actor_id, one.actor_username) : el('span', {}, 'the database role ', el('code', {}, one.role)), ` · ${one.object_type ?? 'nothing'} `, el('code', {}, ...plain(one.object_id ?? '')),
		one.account_id && [' · concerns ', person(one.account_id, one.account_username)]),
	el('details', {}, el('summary', {}, 'Details'), facts([
		['Function', one.cause], ['Application', one.application && el('bdi', {}, ...plain(one.application))], ['Session', one.session_id], ['Role', one.role], ['Role of the session', one.session_role],
		['Request', one.request_id], ['Address', one.address], ['Hash', el('code', {}, one.hash)],
	]), el('pre', { tabindex: '0' }, ...plain(JSON.stringify(one.detail, null, 2)))));

export function auditPage() {
	const list = el('ol', { class: 'cards' });
	// Accounts are looked up, for the trail knows only ids.
	const ids = new Map();
	const account = async (text) => {
		if (!text || /^\d+$/.test(text)) return text;
		const name = `@${text.replace(/^@/, '')}`;
		if (!ids.has(name)) ids.set(name, (await read(`/users/${encodeURIComponent(name)}`)).id);
		return ids.get(name);
	};
	let asked = {};
	const entries = pages({ path: '/admin/audit', query: () => asked, place: list, row, empty: 'There is no such entry.' });
	const problem = el('div', {});
	const changed = async () => {
		problem.replaceChildren();
		try {
			const time = (text) => (text ? new Date(text).toISOString() : '');
			asked = { ...values, actor: await account(values.actor), account: await account(values.account), since: time(values.since), until: time(values.until) };
			await entries.load();
		} catch (error) {
			problem.replaceChildren(failure(error));
		}
	};

	const head = el('div', {});
	const result = el('div', { role: 'status' });
	const showHead = async () => {
		const { seq, hash, at } = await read('/admin/audit/head');
		head.replaceChildren(facts([['Last entry', `#${seq}`], ['Sealed', when(at)], ['Hash', el('code', {}, hash)]]));
	};
	const verify = async () => {
		result.replaceChildren('Verifying…');
		try {
			const report = await write('POST', '/admin/audit/verify', {});
			result.replaceChildren(el('p', { class: 'row' }, report.ok ? chip('The trail is whole', 'good') : chip('The trail is damaged', 'bad'), `${exact(report.rows)} entries, up to #${report.head_seq}`),
				...(report.ok ? [] : [el('p', { class: 'problem' }, `Entry #${report.bad_seq}: ${report.reason}`)]),
				...(report.unsealed > 0 ? [el('p', { class: 'dim' }, `${exact(report.unsealed)} entries wait to be sealed.`)] : []));
			say(report.ok ? 'The trail is whole.' : 'The trail is damaged.');
		} catch (error) {
			result.replaceChildren(failure(error));
		}
	};
	return {
		node: el('div', {},
			panel('The chain', head, result, el('p', { class: 'row' }, button('Verify', verify), button('Read the head', showHead))),
			el('div', { class: 'row between' }, filters([
				{ name: 'action', label: 'Action', placeholder: 'case.decide', type: 'search' },
				{ name: 'actor', label: 'By (name or id)', type: 'search' },
				{ name: 'account', label: 'Concerns (name or id)', type: 'search' },
				{ name: 'object_type', label: 'Kind of object', type: 'search' },
				{ name: 'object_id', label: 'Object', type: 'search' },
				{ name: 'since', label: 'From', type: 'datetime-local' },
				{ name: 'until', label: 'Before', type: 'datetime-local' },
			], values, changed), button('Search', changed)),
			problem, entries.node),
		async load() {
			await Promise.all([changed(), showHead().catch((error) => head.replaceChildren(failure(error)))]);
		},
	};
}
