// Searching: posts, accounts and hashtags that a text finds.

import { byId, busy, el, failure, person, plural, say } from './dom.js';
import { roost, showOnline, unwatch } from './live.js';
import { patient } from './patience.js';
import { postCard } from './post.js';

/** Makes the box in the head of the page do something. */
export function startSearch() {
	byId('search').addEventListener('submit', (event) => {
		event.preventDefault();
		const text = byId('q').value.trim();
		if (text) location.hash = `#/search/${encodeURIComponent(text)}`;
	});
}

const OPERATORS = [
	['two words', 'both, wherever they stand'], ['"two words"', 'side by side'], ['-word', 'without it'], ['one OR other', 'one of them'], ['begin*', 'words that begin like that'],
	['#tag @name $tag', 'with the tag, or naming the account'], ['from:ada to:ada', 'by an account; to it'], ['since:2026-01-31 until:2026-02-28', 'from that day on; before that day'],
	['has:media has:link', 'also image, video, audio'], ['is:reply is:quote lang:de', 'answers, quotes, in a language'],
];

let order = 'recent'; // as long as the page is open

export function searchView(text) {
	const posts = el('div', { class: 'feed' });
	const people = el('ul', { class: 'people' });
	const tags = el('ul', { class: 'trends' });
	const section = (heading, ...children) => el('section', { class: 'notice', hidden: true }, el('h2', {}, heading), ...children);
	const moreAccounts = el('button', { type: 'button', class: 'more', hidden: true, onclick: () => busy(moreAccounts, () => readAccounts(nextAccounts)) }, 'Show more accounts');
	const accounts = section('Accounts', people, moreAccounts);
	const hashtags = section('Hashtags', tags);
	const problem = el('div', {});
	const more = el('button', { type: 'button', class: 'more', hidden: true, onclick: () => read(next) }, 'Show more posts');
	const choice = el('select', { id: 'search-order', onchange: () => {
		order = choice.value;
		unwatch(posts);
		posts.replaceChildren();
		read();
	} }, [['recent', 'Newest first'], ['top', 'What many liked first']].map(([value, label]) => el('option', { value, selected: value === order }, label)));
	const help = el('details', { class: 'help' }, el('summary', {}, 'What one can type'), el('dl', { class: 'operators' }, OPERATORS.map(([what, words]) => [el('dt', {}, el('code', {}, what)), el('dd', {}, words)]).flat()));
	let next = null;
	let nextAccounts = null;
	let round = 0;

	async function read(before) {
		const mine = ++round;
		more.disabled = true;
		try {
			// Pages exist where one kind is looked for.
			const found = await patient(() => roost.get('/search', { q: text, type: 'posts', order, limit: 20, before }));
			if (mine !== round) return;
			posts.append(...found.posts.filter((post) => !posts.querySelector(`[data-post="${CSS.escape(post.id)}"]`)).map((post) => postCard(post)));
			next = found.next;
			more.textContent = found.partial ? 'Look further back' : 'Show more posts';
			problem.replaceChildren();
			if (posts.children.length === 0) problem.replaceChildren(el('p', { class: 'empty' }, next === null ? 'No posts.' : 'No posts so far. There are older ones to look through.'));
			say(plural(posts.children.length, 'post'));
		} catch (error) {
			if (mine !== round) return;
			problem.replaceChildren(failure(error, () => read(before)));
		}
		more.disabled = false;
		more.hidden = next === null;
	}

	async function readAccounts(before) {
		const found = await patient(() => roost.get('/search', { q: text, type: 'accounts', limit: before ? 20 : 5, before }));
		const rows = found.accounts.map((account) => el('li', {}, person(account)));
		if (before) people.append(...rows);
		else people.replaceChildren(...rows);
		nextAccounts = found.next;
		moreAccounts.hidden = nextAccounts === null;
		accounts.hidden = people.children.length === 0;
		showOnline(people);
	}

	async function readTags() {
		const found = await patient(() => roost.get('/search', { q: text, type: 'hashtags', limit: 5 }));
		tags.replaceChildren(...found.hashtags.map(({ hashtag }) => el('li', {}, el('a', { href: `#/tag/${encodeURIComponent(hashtag)}`, dir: 'auto' }, `#${hashtag}`))));
		hashtags.hidden = tags.children.length === 0;
	}

	byId('q').value = text;
	return {
		title: `Search: ${text}`,
		node: el('div', {}, el('div', { class: 'row tools' }, el('label', { for: 'search-order', class: 'hidden' }, 'Order'), choice, help), accounts, hashtags, problem, posts, more),
		async load() {
			unwatch(posts);
			posts.replaceChildren();
			// What is wrong stands where the posts are.
			await Promise.all([read(), readAccounts().catch(() => { accounts.hidden = true; }), readTags().catch(() => { hashtags.hidden = true; })]);
		},
		close: () => {
			byId('q').value = '';
			unwatch(posts);
		},
	};
}
