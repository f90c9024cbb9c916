// What the pages of the console are made of. Texts of people are always text nodes.

import { busy, el, failure, nameOf } from '/app/dom.js';
import { read } from './session.js';

// Signs that are not seen, or that turn the direction of what follows.
const SIGNS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** A text of somebody, with its invisible signs made visible, so that it deceives nobody. */
export function plain(text) {
	const nodes = [];
	let at = 0;
	for (const { 0: sign, index } of (text ?? '').matchAll(SIGNS)) {
		const code = `U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
		nodes.push(text.slice(at, index), el('span', { class: 'code-point', title: 'An invisible sign' }, code));
		at = index + sign.length;
	}
	return [...nodes, (text ?? '').slice(at)];
}

/** The same as a block with its line breaks. */
export const said = (text, ...more) => el('div', { class: 'text', dir: 'auto' }, ...plain(text), ...more);

/** A time where one is; all of it, and UTC, on pointing at it. */
export function when(text) {
	if (!text) return '–';
	const date = new Date(text);
	return el('time', { datetime: text, title: `${date.toLocaleString('en', { dateStyle: 'full', timeStyle: 'long' })} · ${date.toISOString().replace('T', ' ').replace(/\.\d+Z/, ' UTC')}` },
		date.toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' }));
}

/** An account: its name, to its page. */
export function who(account, none = '–') {
	if (!account) return none;
	return el('a', { class: 'person', href: `#/account/${account.id}` }, el('bdi', {}, ...plain(nameOf(account))),
		account.display_name ? el('span', { class: 'dim' }, ` @${account.username}`) : '');
}

/** A word that says how something stands; kind colours it: good, bad, warn or nothing. */
export const chip = (text, kind = '') => el('span', { class: `chip ${kind}` }, text);

/** A number that is to be read exactly. */
export const exact = (number) => Number(number).toLocaleString('en');

/** limit_account -> Limit account */
export const title = (name) => (name ? name.charAt(0).toUpperCase() + name.slice(1).replace(/_/g, ' ') : '–');

/** Pairs of what it is and what it says; those without a value are left out. */
export const facts = (pairs) => el('dl', { class: 'facts' }, pairs.filter(([, value]) => value !== null && value !== undefined && value !== '')
	.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, ...[value].flat()))));

export const panel = (heading, ...children) => el('section', { class: 'panel' }, heading && el('h2', {}, heading), ...children);

/** A button that does something, once at a time; errors come as a message at the edge. */
export function button(label, work, { class: className = '', ...attributes } = {}) {
	const node = el('button', { type: 'button', class: className, ...attributes, onclick: () => busy(node, () => work(node)) }, label);
	return node;
}

/** A table in a box that scrolls on narrow screens. Cells are nodes or texts; a cell [value, attributes] has attributes. */
export function table(caption, heads, rows, { class: className = '' } = {}) {
	const cell = (value, i) => {
		const [content, attributes] = Array.isArray(value) ? value : [value, {}];
		return i === 0 ? el('th', { scope: 'row', ...attributes }, content) : el('td', attributes, content);
	};
	return el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption },
		el('table', { class: className }, el('caption', { class: 'hidden' }, caption),
			el('thead', {}, el('tr', {}, heads.map((head) => el('th', { scope: 'col' }, head)))),
			el('tbody', {}, rows.map((row) => el('tr', {}, row.map(cell))))));
}

/**
 * A list that is read page by page into place; load() reads it anew.
 * @param {{ path: string, query?: () => object, place: Element, row: (item: object) => Node, empty: string }} options
 */
export function pages({ path, query = () => ({}), place, row, empty }) {
	const note = el('p', { class: 'empty', hidden: true }, empty);
	const problem = el('div', {});
	const more = button('Show more', () => turn(next), { class: 'more', hidden: true });
	const node = el('div', {}, problem, note, place, more);
	let next = null;
	let round = 0;

	async function turn(before) {
		const mine = ++round;
		node.setAttribute('aria-busy', 'true');
		try {
			const page = await read(path, { limit: 20, ...query(), before });
			if (mine !== round) return;
			const rows = page.items.map(row);
			if (before) {
				place.append(...rows);
				rows[0]?.querySelector?.('a, button')?.focus({ preventScroll: true });
			} else place.replaceChildren(...rows);
			next = page.next ?? null;
			problem.replaceChildren();
		} catch (error) {
			if (mine !== round) return;
			if (!before) place.replaceChildren();
			problem.replaceChildren(failure(error, () => turn(before)));
		}
		more.hidden = next === null;
		note.hidden = place.children.length > 0 || problem.children.length > 0;
		node.removeAttribute('aria-busy');
	}

	return { node, load: () => turn() };
}

/** A row of filters; changed() is called with each change. A filter is { name, label, options } or { name, label } for a text. Two rows on a page have prefixes and headings of their own. */
export function filters(list, values, changed, { prefix = 'filter', heading = 'Filters' } = {}) {
	const id = (name) => `${prefix}-${name}`;
	return el('form', { class: 'filters', role: 'search', 'aria-label': heading, onsubmit: (event) => { event.preventDefault(); changed(); } }, list.map(({ name, label, options, ...attributes }) => {
		const set = (event) => { values[name] = event.target.value; changed(); };
		return el('div', {}, el('label', { for: id(name) }, label), options
			? el('select', { id: id(name), onchange: set }, options.map(([value, text]) => el('option', { value, selected: (values[name] ?? '') === value }, text)))
			: el('input', { id: id(name), value: values[name] ?? '', autocapitalize: 'none', spellcheck: 'false', ...attributes, onchange: set }));
	}));
}
