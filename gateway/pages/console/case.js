// A case: what it is about, who said what, what was decided, and what to decide.

import { el, failure, say, short, toast, webLink } from '/app/dom.js';
import { localTime, makeForm } from '/app/form.js';
import { can, me, read, write } from './session.js';
import { button, chip, facts, pages, panel, plain, said, table, title, when, who } from './ui.js';
import { categoryOptions, choices, decisionTable, inDays } from './decisions.js';
import { stateChips } from './accounts.js';
import { priorityChip, statusChip } from './queue.js';

const WAITS = ['open', 'assigned'];
const isObject = (value) => value !== null && typeof value === 'object';

// What a value of a snapshot looks like: texts of people, lists of media, numbers.
function shown(value) {
	if (Array.isArray(value)) return value.length === 0 ? '–' : el('ul', {}, value.map((one) => el('li', {}, shown(one))));
	if (isObject(value)) return el('span', {}, Object.entries(value).filter(([, one]) => one !== null && one !== '').map(([name, one], i) => [i > 0 && ', ', `${name}: `, shown(one)]).flat().filter(Boolean));
	const text = String(value);
	return /^https?:\/\//.test(text) ? webLink(text) : el('bdi', {}, ...plain(text));
}

// A post or a profile, as it was or as it is.
function picture(heading, thing, none) {
	if (!isObject(thing)) return panel(heading, el('p', { class: 'dim' }, none));
	const { text, bio, content_warning: warning, state, labels, ...rest } = thing;
	const others = Object.entries(rest).filter(([name, value]) => name !== 'id' && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0) && !isObject(value?.author));
	return panel(heading,
		warning && el('p', {}, 'Warning: ', el('bdi', {}, ...plain(warning))),
		text !== undefined && said(text),
		bio && said(bio),
		state && el('p', { class: 'row' }, chip(title(state), state === 'visible' ? 'good' : 'warn'), (labels ?? []).map((label) => chip(label))),
		facts(others.map(([name, value]) => [title(name), /_at$/.test(name) ? when(value) : shown(value)])));
}

// A message as the reporter saw it, and what stood before it. Of an encrypted one there is only what the reporter says.
function message(one) {
	const { before, ...thing } = one.snapshot ?? {};
	return el('div', {},
		before?.length > 0 && panel('Before it', el('ol', { class: 'cards' }, before.map((each) => el('li', {},
			el('p', {}, el('bdi', {}, `@${each.username ?? 'deleted'}`), el('span', { class: 'dim' }, ' · ', when(each.created_at))),
			each.text && said(each.text), each.media && shown(each.media))))),
		el('div', { class: 'pair' }, picture('When it was reported', one.snapshot && thing, 'There is no picture of it.'), picture('Now', one.post, 'The message is gone.')),
		one.snapshot?.encrypted && el('p', { class: 'notice' }, 'The message is encrypted: what it says is known only from reporters, and nobody can verify that.'));
}

function subject(one) {
	if (one.subject_type === 'message') return message(one);
	if (one.subject_type !== 'post') return picture('As it was when it was reported', one.snapshot, 'There is no picture of it.');
	return el('div', { class: 'pair' }, picture('When it was reported', one.snapshot, 'There is no picture of it.'), picture('Now', one.post, 'The post is deleted.'));
}

function target(account) {
	if (!account) return panel('Account', el('p', { class: 'dim' }, 'The account is gone.'));
	return panel('Account', el('p', { class: 'row' }, who(account), stateChips(account)), facts([
		['Since', when(account.created_at)], ['Strikes', account.strike_count], ['Reports about it', account.report_count], ['Open cases', account.open_case_count],
		['Own reports', `${account.made_report_count}, ${account.upheld_report_count} led to a measure`], ['Posts', short(account.post_count)], ['Followers', short(account.follower_count)],
	]));
}

const report = (one) => el('li', {}, el('p', {}, who(one.reporter, 'Somebody'), ` · ${title(one.category)} · `, when(one.created_at),
	el('span', { class: 'dim' }, ` · credibility ${Number(one.credibility ?? 0).toFixed(2)}`)), one.comment && said(one.comment),
one.evidence && el('details', {}, el('summary', {}, 'Evidence that the reporter chose to show (not verified)'), said(one.evidence)));

function reports(one) {
	if (one.report_count === 0) return null;
	const list = el('ol', { class: 'cards' }, one.reports.map(report));
	if (one.report_count <= one.reports.length) return panel(`Reports (${one.report_count})`, list);
	const all = pages({ path: `/admin/cases/${one.id}/reports`, place: list, row: report, empty: 'There are none.' });
	const more = button('All of them', async () => {
		more.replaceWith(all.node);
		await all.load();
	});
	return panel(`Reports (${one.report_count})`, el('p', { class: 'dim' }, `The newest ${one.reports.length}.`), list, more);
}

function verdicts(one) {
	if (!one.verdicts?.length) return null;
	return panel('What filters said', table('Verdicts of filters', ['Policy', 'Signal', 'Score', 'Threshold', 'Action', 'Why'], one.verdicts.map((verdict) => [
		can('policy.read') && verdict.policy ? el('a', { href: `#/policy/${verdict.policy}` }, verdict.policy) : verdict.policy ?? '–', verdict.signal ?? '–',
		verdict.score?.toFixed?.(3) ?? '–', verdict.threshold?.toFixed?.(3) ?? '–', `${verdict.action ?? '–'}${verdict.dry_run ? ' (dry run)' : ''}`,
		verdict.explanation ? shown(verdict.explanation) : '–'])));
}

const event = (one) => el('li', {}, el('p', {}, el('strong', {}, title(one.kind)), one.detail?.decision && `: ${title(one.detail.decision)}`, ' ', who(one.account, ''), el('span', { class: 'dim' }, ' · ', when(one.created_at))),
	one.text && said(one.text));

export function casePage(id) {
	const node = el('div', {});
	const message = el('div', { role: 'status' });
	let decision = null; // the form, which keeps what is typed while the case is read again

	async function change(work, done) {
		try {
			await work();
			message.replaceChildren();
		} catch (error) {
			if (error.status !== 409) throw error;
			message.replaceChildren(el('p', { class: 'notice error' }, `${error.message.replace(/^./, (first) => first.toUpperCase())}. It is shown as it is now; look again.`));
			done = null;
		}
		await page.load();
		if (done) say(done);
	}

	const post = (path, body, done) => change(() => write('POST', `/admin/cases/${id}/${path}`, body), done);

	function handling(one) {
		if (!can('case.handle')) return null;
		const waits = WAITS.includes(one.status);
		return el('p', { class: 'row' },
			waits && one.assignee?.id !== me.id && button('Assign to me', () => post('assign', {}, 'The case is yours.')),
			waits && one.assignee && button('Take the assignment away', () => post('assign', { account_id: 'none' }, 'The case has no assignee.')),
			['decided', 'closed'].includes(one.status) && button('Open it again', () => post('reopen', {}, 'The case is open again.')));
	}

	async function decide(one) {
		const options = choices(one.subject_type === 'post' ? one.post : null, one.target, one.subject_type === 'message' ? one.post : null);
		if (!WAITS.includes(one.status) || options.length === 0) return null;
		const is = (...names) => (values) => names.includes(values.decision);
		const told = (values) => values.decision !== undefined && values.decision !== 'dismiss';
		const before = decision?.values() ?? {};
		decision = makeForm({
			prefix: 'decide', class: 'ask', button: 'Decide', fields: [
				{ name: 'decision', label: 'Decision', kind: 'select', required: true, options: [['', 'Choose…'], ...options], value: options.some(([name]) => name === before.decision) ? before.decision : '' },
				{ name: 'until', label: 'Until', kind: 'time', required: true, value: localTime(before.until ? new Date(before.until) : inDays(7)), show: is('suspend') },
				{ name: 'labels', label: 'Labels', kind: 'words', value: before.labels ?? one.post?.labels ?? [], hint: 'All that the post is to have, with commas between; none takes them away.', show: is('label') },
				{ name: 'category', label: 'Rule that was broken', kind: 'select', options: await categoryOptions('That of the case'), value: before.category ?? '', show: told },
				{ name: 'reason', label: 'Reason', kind: 'textarea', maxlength: 2000, value: before.reason, hint: 'The account is told this. Without it, it is told the category.', show: told },
				{ name: 'text', label: 'Note', kind: 'textarea', maxlength: 2000, value: before.text, hint: 'For moderators only.' },
			],
			send: (values) => change(async () => {
				await write('POST', `/admin/cases/${id}/decide`, { ...values, version: one.version });
				decision = null;
			}, 'It is decided.'),
		});
		return panel('Decide', decision.node);
	}

	function notes(one) {
		const form = can('case.handle') && makeForm({
			prefix: 'note', class: 'ask', button: 'Add note',
			fields: [{ name: 'text', label: 'New note', kind: 'textarea', required: true, maxlength: 2000, hint: 'For moderators only.' }],
			send: (values) => post('notes', values, 'The note is added.'),
		}).node;
		return panel('What happened', el('ol', { class: 'cards events' }, one.events.map(event)), form);
	}

	const page = {
		title: 'Case', node,
		async load() {
			let one;
			try {
				one = await read(`/admin/cases/${encodeURIComponent(id)}`);
			} catch (error) {
				node.replaceChildren(error.status === 404 ? el('p', { class: 'empty' }, 'This case does not exist, or it is about yourself.') : failure(error, () => page.load()));
				return;
			}
			page.setTitle?.(`${title(one.category)}: ${one.subject_type}`);
			const form = await decide(one).catch((error) => { toast(error.message); return null; });
			node.replaceChildren(message,
				el('p', { class: 'row' }, statusChip(one.status), priorityChip(one.priority), one.decision && chip(title(one.decision)), one.source !== 'report' && chip(`found by ${one.source}`)),
				el('p', { class: 'dim' }, 'Opened ', when(one.created_at), one.assignee && [' · with ', who(one.assignee)], one.decided_at && [' · decided ', when(one.decided_at)]),
				...[handling(one)].filter(Boolean),
				el('div', { class: 'split' },
					el('div', {}, subject(one), ...[reports(one), verdicts(one),
						one.decisions.length > 0 && panel('Decisions of this case', decisionTable('Decisions of this case', one.decisions)),
						one.history.length > 0 && panel('Other decisions about the account', decisionTable('Other decisions about the account', one.history))].filter(Boolean)),
					el('div', {}, ...[form, target(one.target), notes(one)].filter(Boolean))));
		},
	};
	return page;
}

