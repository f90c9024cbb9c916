// Appeals: somebody objects to a decision.

import { ask } from '/app/dialog.js';
import { el, plural, say } from '/app/dom.js';
import { me, write } from './session.js';
import { button, chip, filters, pages, plain, said, title, when, who } from './ui.js';

const values = { status: '' };

export function appealsPage() {
	const list = el('ol', { class: 'cards' });
	const appeals = pages({ path: '/admin/appeals', query: () => values, place: list, row, empty: 'No appeal waits.' });
	const changed = async () => {
		await appeals.load();
		say(plural(list.children.length, 'appeal'));
	};

	async function decide(appeal, decision) {
		const overturn = decision === 'overturn';
		const done = await ask({
			title: overturn ? 'Overturn the decision' : 'Uphold the decision',
			text: overturn ? 'The decision is undone, and the account is told.' : 'The decision stands, and the account is told.',
			button: overturn ? 'Overturn' : 'Uphold',
			fields: [{ name: 'reason', label: 'Reason', kind: 'textarea', maxlength: 2000, hint: 'The account is told this.' }],
			send: (body) => write('POST', `/admin/appeals/${appeal.id}/decide`, { decision, ...body }),
		});
		if (done === undefined) return;
		await appeals.load();
		say(overturn ? 'The decision is overturned.' : 'The decision stands.');
	}

	function row(appeal) {
		const { decision } = appeal;
		return el('li', { class: 'case', 'data-appeal': appeal.id },
			el('p', { class: 'row' }, who(appeal.account, 'An account that is gone'), chip(title(appeal.status), appeal.status === 'open' ? 'warn' : ''), el('span', { class: 'dim' }, when(appeal.created_at))),
			said(appeal.text),
			decision && el('p', {}, 'Against: ', el('strong', {}, title(decision.decision)), ` (${title(decision.category)}), `, when(decision.created_at), ' by ', who(decision.decided_by, title(decision.source)),
				decision.case_id && [' · ', el('a', { href: `#/case/${decision.case_id}` }, 'Case')]),
			decision?.reason && el('blockquote', { class: 'quote', dir: 'auto' }, ...plain(decision.reason)),
			appeal.reason && el('p', {}, 'Answer: ', el('bdi', {}, ...plain(appeal.reason)), ' ', who(appeal.decided_by, '')),
			appeal.status === 'open' && (decision?.decided_by?.id === me.id ? el('p', { class: 'dim' }, 'You decided this yourself.') : null),
			appeal.status === 'open' && el('p', { class: 'row' }, button('Uphold', () => decide(appeal, 'uphold')), button('Overturn', () => decide(appeal, 'overturn'))));
	}

	return {
		node: el('div', {}, el('div', { class: 'row between' }, filters([
			{ name: 'status', label: 'Status', options: [['', 'Open'], ['upheld', 'Upheld'], ['overturned', 'Overturned'], ['all', 'All']] },
		], values, changed), button('Refresh', changed)), appeals.node),
		load: appeals.load,
	};
}
