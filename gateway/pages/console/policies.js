// Policies: what filters do, what they would do, and what they have done.

import { ask } from '/app/dialog.js';
import { el, failure, say } from '/app/dom.js';
import { makeForm } from '/app/form.js';
import { can, read, write } from './session.js';
import { button, chip, facts, filters, pages, panel, plain, table, title, when } from './ui.js';

const SIGNALS = ['profanity', 'spam', 'gibberish', 'url', 'duplicate', 'repeat', 'mentions', 'hashtags', 'links', 'strangers', 'capitals', 'repetition', 'lookalike', 'rate'];
const ACTIONS = [['allow', 'Allow, and ask no other policy'], ['label', 'Put a label on it'], ['limit', 'Limit: in no public list'], ['hold', 'Hold for a moderator'], ['reject', 'Reject']];

const options = (names) => names.map((name) => [name, title(name)]);

const stateOf = (policy) => (!policy.enabled ? chip('Off') : policy.dry_run ? chip('Dry run', 'warn') : chip('In force', 'good'));

// What a policy narrows itself down to.
function scope(policy) {
	return [policy.languages?.length && `in ${policy.languages.join(', ')}`, policy.new_accounts && 'new accounts', policy.account_age && `accounts younger than ${policy.account_age}`,
		policy.followers && `with fewer than ${policy.followers} followers`].filter(Boolean).join('; ') || 'everybody';
}

// The fields that one can change afterwards, too.
const fields = (policy) => [
	{ name: 'threshold', label: 'Threshold', kind: 'number', min: 0, required: true, value: policy.threshold, hint: 'A score of at least this much takes action.' },
	{ name: 'below', label: 'And below', kind: 'number', min: 0, value: policy.below ?? '', hint: 'Empty: without an upper bound.' },
	{ name: 'action', label: 'Action', kind: 'select', options: ACTIONS, value: policy.action, required: true },
	{ name: 'label', label: 'Label', required: false, value: policy.label ?? '', show: ({ action }) => action === 'label' },
	{ name: 'dry_run', label: 'Dry run: only write down what it would do', kind: 'checkbox', value: policy.dry_run },
	{ name: 'enabled', label: 'Enabled', kind: 'checkbox', value: policy.enabled },
	{ name: 'adaptive', label: 'Adaptive: the threshold moves with the reputation of the account', kind: 'checkbox', value: policy.adaptive },
	{ name: 'new_accounts', label: 'New accounts only', kind: 'checkbox', value: policy.new_accounts },
	{ name: 'exempt_verified', label: 'Not for verified accounts', kind: 'checkbox', value: policy.exempt_verified },
	{ name: 'exempt_roles', label: 'Not for the roles', kind: 'words', value: policy.exempt_roles ?? [] },
	{ name: 'languages', label: 'Languages', kind: 'words', value: policy.languages ?? [], hint: 'With commas between; empty: all.' },
	{ name: 'followers', label: 'Only with fewer followers than', kind: 'number', min: 0, step: 1, value: policy.followers ?? '' },
	{ name: 'message', label: 'Message', kind: 'textarea', maxlength: 300, value: policy.message ?? '', hint: 'What somebody is told whose post is refused.' },
	{ name: 'case_category', label: 'Category of the case', required: false, value: policy.case_category ?? '' },
	{ name: 'priority', label: 'Priority', kind: 'number', min: -1000, max: 1000, step: 1, required: true, value: policy.priority, hint: 'The highest is asked first.' },
];

// What is left empty is taken away.
const emptied = (values) => ({ below: 0, followers: 0, message: '', case_category: '', ...Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) });

// A text, and what every policy would say of it.
function trial() {
	const result = el('div', { role: 'status' });
	const form = makeForm({
		prefix: 'try', class: 'ask', button: 'Try',
		fields: [
			{ name: 'text', label: 'Text', kind: 'textarea', required: true },
			{ name: 'subject', label: 'As', kind: 'select', options: [['post', 'A post'], ['profile', 'A profile'], ['message', 'A message'], ['message_request', 'A message to a stranger'], ['group', 'A group']], value: 'post' },
			{ name: 'account_id', label: 'Of the account', required: false, hint: 'An id or @name; empty: of nobody in particular.' },
			{ name: 'language', label: 'Language', required: false, hint: 'A code like en; empty: unknown.' },
		],
		send: async (values) => {
			const { items } = await write('POST', '/admin/policies/try', values);
			const rows = [...items].sort((a, b) => Number(b.fires) - Number(a.fires) || b.score / b.threshold - a.score / a.threshold);
			result.replaceChildren(el('p', { class: 'row' }, items.some(({ fires }) => fires) ? chip('Some would act', 'warn') : chip('None would act', 'good')), table('What policies would say', ['Policy', 'Signal', 'Score', 'Threshold', 'Would', 'State', 'Why'], rows.map((one) => [
				el('a', { href: `#/policy/${one.policy}` }, one.policy), one.signal, one.score?.toFixed(3) ?? '–', one.threshold?.toFixed(3) ?? '–', one.fires ? chip(one.action, 'bad') : '–', stateOf(one),
				one.fires && one.explanation ? el('details', {}, el('summary', {}, 'Why'), el('pre', { tabindex: '0' }, ...plain(JSON.stringify(one.explanation, null, 2)))) : '–'])));
		},
	});
	return panel('Try a text', el('p', { class: 'dim' }, 'Nothing is recorded or counted.'), form.node, result);
}

export function policiesPage() {
	const node = el('div', {});
	const tried = trial(); // stays while the list is read again

	// What begins to act on people is asked about; the other way round nothing happens to anybody.
	async function flip(policy, field) {
		const change = () => write('PATCH', `/admin/policies/${policy.name}`, { [field]: !policy[field] });
		const acts = field === 'dry_run' ? policy.dry_run : !policy.enabled && !policy.dry_run;
		if (!acts) await change();
		else if (await ask({ title: `Put ${policy.name} in force`, text: `From now on it does what it says: ${policy.action}. Its page shows what it would have done so far.`, button: 'Put in force', send: change }) === undefined) return;
		await page.load();
		say(`${policy.name}: changed.`);
	}

	async function make() {
		const done = await ask({
			title: 'New policy', text: 'It starts as a dry run, unless you say otherwise.', button: 'Make',
			fields: [
				{ name: 'name', label: 'Name', autocapitalize: 'none', hint: 'Lower-case letters, digits and underscores.' },
				{ name: 'subject', label: 'Asked about', kind: 'select', options: options(['post', 'profile', 'message', 'message_request', 'group']), value: 'post' },
				{ name: 'signal', label: 'Signal', kind: 'select', options: options(SIGNALS), value: 'spam' },
				{ name: 'limit_class', label: 'Class of rate limits', show: ({ signal }) => signal === 'rate' },
				...fields({ threshold: 0.9, action: 'limit', dry_run: true, enabled: true, adaptive: true, exempt_roles: ['moderator', 'admin'], priority: 0 }),
			],
			send: (body) => write('POST', '/admin/policies', body),
		});
		if (done) location.hash = `#/policy/${done.name}`;
	}

	const page = {
		node,
		async load() {
			try {
				const { items } = await read('/admin/policies');
				const bySubject = Map.groupBy ? Map.groupBy(items, ({ subject }) => subject) : new Map([...new Set(items.map(({ subject }) => subject))].map((one) => [one, items.filter(({ subject }) => subject === one)]));
				const mayWrite = can('policy.write');
				node.replaceChildren(...[...bySubject].map(([subject, list]) => panel(title(subject), table(`Policies for ${subject}`, ['Policy', 'Signal', 'From', 'Action', 'For', 'State', ...(mayWrite ? ['Change'] : [])], list.map((policy) => [
					el('a', { href: `#/policy/${policy.name}` }, policy.name), policy.signal, `${policy.threshold}${policy.below ? ` to ${policy.below}` : ''}`,
					`${policy.action}${policy.label ? ` ${policy.label}` : ''}`, scope(policy), stateOf(policy),
					...(mayWrite ? [el('span', { class: 'row tight' },
						button(policy.enabled ? 'Disable' : 'Enable', () => flip(policy, 'enabled'), { 'aria-label': `${policy.enabled ? 'Disable' : 'Enable'} ${policy.name}` }),
						policy.enabled && button(policy.dry_run ? 'Put in force' : 'Dry run', () => flip(policy, 'dry_run'), { 'aria-label': `${policy.dry_run ? 'Put in force' : 'Dry run of'} ${policy.name}` }))] : []),
				])))), ...(mayWrite ? [el('p', {}, button('New policy', make))] : []), tried);
			} catch (error) {
				node.replaceChildren(failure(error, () => page.load()));
			}
		},
	};
	return page;
}

const TIMES = [['1', 'A day'], ['7', '7 days'], ['30', '30 days'], ['', 'As long as they are kept']];

const verdictRow = (verdict) => el('li', { class: 'case' },
	el('p', { class: 'row' }, el('strong', {}, `${verdict.action}${verdict.dry_run ? ' (dry run)' : ''}`), `${verdict.signal} ${verdict.score.toFixed(3)}, from ${verdict.threshold.toFixed(3)}`, el('span', { class: 'dim' }, when(verdict.at))),
	el('p', {}, title(verdict.subject), ' ', verdict.subject_id ?? 'that was refused', ' of ', el('a', { href: `#/account/${verdict.account_id}` }, `account ${verdict.account_id}`)),
	verdict.explanation && el('details', {}, el('summary', {}, 'Why'), el('pre', { tabindex: '0' }, ...plain(JSON.stringify(verdict.explanation, null, 2)))));

export function policyPage(name) {
	const path = `/admin/policies/${encodeURIComponent(name)}`;
	const values = { days: '7' };
	const hits = el('div', {});
	const node = el('div', {});
	const list = el('ol', { class: 'cards' });
	const verdicts = pages({ path: '/admin/verdicts', query: () => ({ policy: name }), place: list, row: verdictRow, empty: 'It has said nothing yet.' });

	const loadHits = async () => {
		try {
			const since = values.days && new Date(Date.now() - Number(values.days) * 86_400_000).toISOString();
			const { items } = await read(`${path}/report`, { since });
			hits.replaceChildren(items.length === 0 ? el('p', { class: 'dim' }, 'It has said nothing in this time.')
				: table('What the policy has said', ['Action', 'Times', 'Accounts', 'Let go since', 'Least', 'Median', 'Greatest', 'Last'], items.map((one) => [
					`${one.action}${one.dry_run ? ' (dry run)' : ''}`, String(one.verdicts), String(one.accounts), String(one.released), ...[one.least, one.median, one.greatest].map((score) => score.toFixed(3)), when(one.last_at)])));
		} catch (error) {
			hits.replaceChildren(failure(error, loadHits));
		}
	};

	async function remove() {
		const done = await ask({ title: `Delete ${name}`, text: 'What it has said stays until its time is over.', button: 'Delete', danger: true, send: () => write('DELETE', path) });
		if (done !== undefined) location.hash = '#/policies';
	}

	const page = {
		title: name, node,
		async load() {
			let policy;
			try {
				policy = await read(path);
			} catch (error) {
				node.replaceChildren(error.status === 404 ? el('p', { class: 'empty' }, 'There is no such policy.') : failure(error, () => page.load()));
				return;
			}
			const form = makeForm({ prefix: 'policy', class: 'ask', button: 'Save', fields: fields(policy), send: async (values) => {
				await write('PATCH', path, emptied(values));
				await page.load();
				say('The policy is changed.');
			} });
			node.replaceChildren(
				el('p', { class: 'row' }, stateOf(policy), chip(`${policy.signal} of a ${policy.subject}`), el('span', { class: 'dim' }, 'changed ', when(policy.updated_at))),
				el('div', { class: 'split' },
					el('div', {}, panel('What it has said', filters([{ name: 'days', label: 'Time', options: TIMES }], values, loadHits), hits), panel('Verdicts', verdicts.node)),
					el('div', {}, can('policy.write') ? panel('Settings', form.node, el('p', { class: 'row' }, button('Delete', remove, { class: 'danger' })))
						: panel('Settings', facts([['From', policy.threshold], ['Below', policy.below], ['Action', policy.action], ['Label', policy.label], ['For', scope(policy)], ['Not for', policy.exempt_roles?.join(', ')],
							['Adaptive', policy.adaptive ? 'yes' : 'no'], ['Message', policy.message], ['Priority', policy.priority]])))));
			await Promise.all([loadHits(), verdicts.load()]);
		},
	};
	return page;
}

