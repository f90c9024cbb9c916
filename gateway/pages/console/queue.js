// The queue: cases, the most urgent first.

import { el, failure, plural, say } from '/app/dom.js';
import { can, read } from './session.js';
import { button, chip, filters, pages, title, when, who } from './ui.js';
import { categoryOptions } from './decisions.js';

const STATUS = [['', 'Waiting'], ['unassigned', 'Unassigned'], ['assigned', 'Assigned'], ['appealed', 'Appealed'], ['decided', 'Decided'], ['closed', 'Closed'], ['all', 'All']];
const KINDS = { open: 'warn', assigned: '', appealed: 'bad', decided: 'good', closed: '' };

export const statusChip = (status) => chip(title(status), KINDS[status]);

/** How urgent, 0 to 100. */
export const priorityChip = (priority) => chip(`Priority ${priority}`, priority >= 80 ? 'bad' : priority >= 50 ? 'warn' : '');

function caseRow(one) {
	return el('li', { class: 'case', 'data-case': one.id },
		el('p', { class: 'row' }, el('a', { class: 'name', href: `#/case/${one.id}` }, `${title(one.category)}: ${one.subject_type}`), statusChip(one.status), priorityChip(one.priority)),
		el('p', {}, who(one.account, 'An account that is gone'), one.report_count > 0 ? ` · ${plural(one.report_count, 'report')}` : '',
			one.source !== 'report' && ` · found by ${one.source}`, one.decision && ` · ${title(one.decision)}`),
		el('p', { class: 'dim' }, 'Opened ', when(one.created_at), one.assignee && [' · with ', who(one.assignee)]));
}

const values = { status: '', category: '', assignee: '' }; // of the filters, as long as the console is open

export function queuePage() {
	const list = el('ol', { class: 'cards' });
	const cases = pages({ path: '/admin/cases', query: () => values, place: list, row: caseRow, empty: 'No case waits.' });
	const place = el('div', {});
	const node = el('div', {}, place, cases.node);
	const changed = async () => {
		await cases.load();
		say(plural(list.children.length, 'case'));
	};
	return {
		node,
		async load() {
			try {
				place.replaceChildren(el('div', { class: 'row between' }, filters([
					{ name: 'status', label: 'Status', options: STATUS },
					{ name: 'category', label: 'Category', options: await categoryOptions('All') },
					{ name: 'assignee', label: 'Assignee', options: [['', 'Anybody'], ...(can('case.handle') ? [['me', 'Me']] : []), ['none', 'Nobody']] },
					{ name: 'subject_type', label: 'About', options: [['', 'Anything'], ['post', 'Posts'], ['message', 'Messages'], ['account', 'Accounts']] },
				], values, changed), button('Refresh', changed)));
			} catch (error) {
				place.replaceChildren(failure(error));
			}
			await cases.load();
		},
	};
}

/** The cases about one account, for its page. */
export async function casesAbout(accountId) {
	const { items } = await read('/admin/cases', { account_id: accountId, status: 'all', limit: 10 });
	return el('ol', { class: 'cards' }, items.map(caseRow));
}
