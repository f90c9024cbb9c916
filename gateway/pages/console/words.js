// What the filters go by: listed words, and hosts of links.

import { ask } from '/app/dialog.js';
import { el, say } from '/app/dom.js';
import { can, write } from './session.js';
import { button, chip, filters, pages, panel, plain, title } from './ui.js';

const HOSTS = [['blocked', 'Blocked: links to it are refused'], ['allowed', 'Allowed: never suspicious'], ['shortener', 'Shortener: its links lead elsewhere'], ['protected', 'Protected: what looks like it is suspicious']];

// A list with filters, a form that adds to it, and a button at each row that takes it off.
function list({ heading, path, filter, row, empty, label, fields, remove, name }) {
	const values = {};
	const place = el('ol', { class: 'cards' });
	const items = pages({ path, query: () => values, place, empty, row: (one) => el('li', {}, el('p', { class: 'row between' }, el('span', { class: 'row' }, row(one)),
		can('policy.write') && button('Take off', async () => {
			const done = await ask({ title: `Take off ${name(one)}`, text: 'It is not found any more.', button: 'Take off', danger: true, send: () => write('DELETE', `${path}?${new URLSearchParams(remove(one))}`) });
			if (done === undefined) return;
			say(`${name(one)} is taken off.`);
			await items.load();
		}, { 'aria-label': `Take off ${name(one)}` }))) });
	const add = async () => {
		const done = await ask({ title: label, text: 'It is in force at once. What is listed already is changed.', button: 'Save', fields, send: (body) => write('POST', path, body) });
		if (!done) return;
		say(`${name(done)} is listed.`);
		await items.load();
	};
	return {
		node: panel(heading, el('div', { class: 'row between' }, filters(filter, values, items.load, { prefix: path.split('/').at(-1), heading }), can('policy.write') && button(label, add)), items.node),
		load: items.load,
	};
}

export function wordsPage() {
	const words = list({
		heading: 'Words', path: '/admin/words', empty: 'No word is like that.', label: 'New word',
		filter: [{ name: 'q', label: 'Word contains', type: 'search' }, { name: 'language', label: 'Language', type: 'search' }, { name: 'kind', label: 'Kind of word', type: 'search' }],
		row: (one) => [el('bdi', {}, ...plain(one.word)), chip(one.language || 'all languages'), chip(one.kind), !one.allowed && chip(`severity ${one.severity}`, one.severity >= 0.7 ? 'bad' : one.severity >= 0.4 ? 'warn' : ''),
			!one.whole_word && chip('in longer words, too'), one.allowed && chip('exception', 'good')].filter(Boolean),
		fields: [
			{ name: 'word', label: 'Word or phrase', maxlength: 100, autocapitalize: 'none' },
			{ name: 'language', label: 'Language', required: false, hint: 'A code like en; empty: all.' },
			{ name: 'kind', label: 'Kind of word', value: 'profanity', hint: 'Your own word for it.' },
			{ name: 'severity', label: 'Severity', kind: 'number', min: 0, max: 1, required: true, value: 0.7 },
			{ name: 'whole_word', label: 'Not as a part of longer words', kind: 'checkbox', value: true },
			{ name: 'allowed', label: 'An exception: what it covers is not found', kind: 'checkbox', value: false },
		],
		remove: ({ word, language }) => ({ word, language }), name: ({ word }) => word,
	});
	const hosts = list({
		heading: 'Hosts of links', path: '/admin/url-hosts', empty: 'No host is like that.', label: 'New host',
		filter: [{ name: 'q', label: 'Host contains', type: 'search' }, { name: 'kind', label: 'Kind of host', options: [['', 'All'], ...HOSTS.map(([kind]) => [kind, title(kind)])] }],
		row: (one) => [el('bdi', {}, one.host), chip(title(one.kind), { blocked: 'bad', allowed: 'good' }[one.kind]), one.note && el('span', { class: 'dim' }, ...plain(one.note))].filter(Boolean),
		fields: [
			{ name: 'host', label: 'Host', placeholder: 'example.org', autocapitalize: 'none', hint: 'It and all below it; a link stands for its host.' },
			{ name: 'kind', label: 'Kind of host', kind: 'select', options: HOSTS, value: 'blocked', required: true },
			{ name: 'note', label: 'Note', required: false, maxlength: 300 },
		],
		remove: ({ host, kind }) => ({ host, kind }), name: ({ host }) => host,
	});
	return { node: el('div', {}, words.node, hosts.node), load: () => Promise.all([words.load(), hosts.load()]) };
}
