// Rate limits, and who is exempt from them.

import { ask } from '/app/dialog.js';
import { el, failure, say, short } from '/app/dom.js';
import { can, read, write } from './session.js';
import { button, chip, panel, plain, table, when, who } from './ui.js';

const KEYS = [['account', 'Account'], ['address', 'Address'], ['account_or_address', 'Account, or address'], ['target', 'Target']];

/** 5 minutes, of seconds. */
export function span(seconds) {
	for (const [unit, length] of [['day', 86400], ['hour', 3600], ['minute', 60]]) {
		if (seconds % length === 0 && seconds >= length) return seconds === length ? `a ${unit}`.replace('a hour', 'an hour') : `${seconds / length} ${unit}s`;
	}
	return seconds === 1 ? 'a second' : `${seconds} seconds`;
}

export function limitsPage() {
	const node = el('div', {});
	const mayWrite = () => can('limit.write');

	const fields = (rule) => [
		{ name: 'limit', label: 'How many', kind: 'number', min: 1, step: 1, required: true, value: rule.limit },
		{ name: 'period', label: 'In how many seconds', kind: 'number', min: 1, required: true, value: rule.period },
		{ name: 'burst', label: 'How many at once', kind: 'number', min: 1, step: 1, required: true, value: rule.burst },
		{ name: 'key', label: 'Counted by', kind: 'select', options: KEYS, value: rule.key },
		{ name: 'enabled', label: 'In force', kind: 'checkbox', value: rule.enabled },
	];

	async function change(rule) {
		const done = await ask({
			title: `${rule.class}, ${rule.name}`, text: 'A change holds from the next request on.', button: 'Save', fields: fields(rule),
			send: (body) => write('PUT', `/admin/limits/${encodeURIComponent(rule.class)}/${encodeURIComponent(rule.name)}`, body),
		});
		if (done !== undefined) await again('The limit is changed.');
	}

	async function make() {
		const done = await ask({
			title: 'New limit', button: 'Make', fields: [{ name: 'class', label: 'Class' }, { name: 'name', label: 'Name' }, ...fields({ limit: 100, period: 3600, burst: 100, key: 'account', enabled: true })],
			send: ({ class: kind, name, ...body }) => write('PUT', `/admin/limits/${encodeURIComponent(kind)}/${encodeURIComponent(name)}`, body),
		});
		if (done !== undefined) await again('The limit is made.');
	}

	async function exempt() {
		const done = await ask({
			title: 'New exemption', text: 'No limit applies to this account, or to all addresses of this network.', button: 'Exempt',
			fields: [
				{ name: 'account_id', label: 'Account', required: false, hint: 'An id or @name; or leave it empty and give a network.' },
				{ name: 'network', label: 'Network', required: false, placeholder: '192.0.2.0/24' },
				{ name: 'reason', label: 'Reason', maxlength: 300 },
			],
			send: (body) => write('POST', '/admin/limit-exemptions', body),
		});
		if (done !== undefined) await again('The exemption is made.');
	}

	async function end(one) {
		const done = await ask({
			title: `End the exemption of ${one.account?.username ?? one.network}`, text: 'All limits apply to it again, from the next request on.', button: 'End', danger: true,
			send: () => write('DELETE', `/admin/limit-exemptions/${one.id}`),
		});
		if (done !== undefined) await again('The exemption has ended.');
	}

	const again = async (words) => {
		await page.load();
		say(words);
	};

	const page = {
		node,
		async load() {
			try {
				const [rules, exemptions] = await Promise.all([read('/admin/limits'), read('/admin/limit-exemptions')]);
				node.replaceChildren(
					panel('Limits', table('Rate limits', ['Class', 'Name', 'Limit', 'At once', 'Counted by', 'Refused', 'State', ...(mayWrite() ? ['Change'] : [])], rules.items.map((rule) => [
						rule.class, rule.name, `${rule.limit} in ${span(rule.period)}`, String(rule.burst), rule.key.replace(/_/g, ' '), short(rule.denied ?? 0), rule.enabled ? chip('In force', 'good') : chip('Off'),
						...(mayWrite() ? [button('Change', () => change(rule), { 'aria-label': `Change ${rule.class} ${rule.name}` })] : [])])),
					mayWrite() && el('p', { class: 'row' }, button('New limit', make))),
					panel('Exemptions', exemptions.items.length === 0 ? el('p', { class: 'dim' }, 'Nobody is exempt.')
						: table('Exemptions', ['Who', 'Reason', 'Since', ...(mayWrite() ? ['Change'] : [])], exemptions.items.map((one) => [
							one.account ? who(one.account) : el('code', {}, one.network), el('bdi', {}, ...plain(one.reason)), when(one.created_at),
							...(mayWrite() ? [button('End', () => end(one), { 'aria-label': `End the exemption of ${one.account?.username ?? one.network}` })] : [])])),
					mayWrite() && el('p', { class: 'row' }, button('New exemption', exempt))));
			} catch (error) {
				node.replaceChildren(failure(error, () => page.load()));
			}
		},
	};
	return page;
}
