// A post: how it looks, what one can do to it, and how it changes while one looks.

import { accountLink, avatar, busy, el, hidden, icon, nameOf, plural, richText, say, short, time } from './dom.js';
import { bus, me, roost, showOnline, unwatch, watch } from './live.js';
import { compose } from './compose.js';
import { mediaLinks } from './media.js';
import { safetyMenu, standing } from './safety.js';

const COUNTS = { like_count: 'like', retweet_count: 'retweet', reply_count: 'reply' };

/** What a card shows: a retweet shows its original. */
export const shown = (post) => post.retweet_of ?? post;

const needAccount = () => { if (!me) location.hash = '#/login'; return !me; };

function actionButton(kind, label, onclick) {
	return el('button', { type: 'button', class: `action ${kind}`, onclick: (event) => onclick(event.currentTarget) },
		icon(kind), el('span', { class: 'count', 'aria-hidden': 'true' }), el('span', { class: 'hidden' }, label));
}

// Likes or retweets, or takes it back. The button changes at once, and back if the server refuses.
async function toggle(card, field, path) {
	const { post } = card;
	const on = !post[field];
	const count = `${path}_count`;
	const before = { [field]: post[field], [count]: post[count] };
	card.change({ [field]: on, [count]: Math.max(0, post[count] + (on ? 1 : -1)) });
	try {
		const answer = shown(await roost.request(on ? 'POST' : 'DELETE', `/tweets/${post.id}/${path}`));
		changePost(post.id, { [field]: on, like_count: answer.like_count, retweet_count: answer.retweet_count, reply_count: answer.reply_count });
	} catch (error) {
		card.change(before);
		throw error;
	}
}

// Keeps a post for oneself, or does not any more.
async function keep({ post }) {
	const on = !post.bookmarked;
	changePost(post.id, { bookmarked: on });
	try {
		await roost.request(on ? 'POST' : 'DELETE', `/tweets/${post.id}/bookmark`);
		say(on ? 'The post is among your bookmarks.' : 'The post is not among your bookmarks any more.');
	} catch (error) {
		changePost(post.id, { bookmarked: !on });
		throw error;
	}
}

function actions(card) {
	const buttons = {
		reply: actionButton('reply', 'Reply', () => needAccount() || openReply(card)),
		retweet: actionButton('retweet', 'Retweet', (button) => needAccount() || busy(button, () => toggle(card, 'retweeted', 'retweet'))),
		like: actionButton('like', 'Like', (button) => needAccount() || busy(button, () => toggle(card, 'liked', 'like'))),
	};
	if (me) buttons.bookmark = actionButton('bookmark', 'Bookmark', (button) => busy(button, () => keep(card)));
	if (me?.id === card.post.author.id) buttons.remove = actionButton('remove', 'Delete', (button) => busy(button, () => remove(card)));
	card.buttons = buttons;
	return el('div', { class: 'actions', role: 'group', 'aria-label': 'Actions' }, ...Object.values(buttons), me && !buttons.remove && safetyMenu(card.post.author, { post: card.post }));
}

function refresh(card) {
	const { post, buttons } = card;
	for (const [field, kind] of Object.entries(COUNTS)) {
		const [, count, label] = buttons[kind].children;
		count.textContent = post[field] > 0 ? short(post[field]) : '';
		const verb = kind.charAt(0).toUpperCase() + kind.slice(1);
		label.textContent = post[field] > 0 ? `${verb}, ${plural(post[field], kind, kind === 'reply' ? 'replies' : undefined)}` : verb;
	}
	buttons.like.setAttribute('aria-pressed', String(post.liked ?? false));
	buttons.retweet.setAttribute('aria-pressed', String(post.retweeted ?? false));
	buttons.bookmark?.setAttribute('aria-pressed', String(post.bookmarked ?? false));
}

function openReply(card) {
	const open = card.querySelector(':scope > .compose');
	if (open) {
		open.querySelector('textarea').focus();
		return;
	}
	const form = compose({
		label: `Your reply to ${nameOf(card.post.author)}`,
		button: 'Reply',
		fields: { reply_to_id: card.post.id },
		channel: `post:${card.post.id}`,
		cancel: () => { form.remove(); card.buttons.reply.focus(); },
		done: (post) => {
			form.remove();
			card.buttons.reply.focus();
			say('Your reply has been posted.');
			bus.emit('posted', { post });
		},
	});
	card.append(form);
	form.querySelector('textarea').focus();
}

async function remove(card) {
	if (!confirm('Delete this post?')) return;
	await roost.request('DELETE', `/tweets/${card.post.id}`);
	recount(card.post.reply_to_id);
	removePost(card.post.id);
	say('The post has been deleted.');
}

/** Takes a post off the page, and its retweets. */
export function removePost(id) {
	for (const card of document.querySelectorAll(`[data-post="${CSS.escape(id)}"], [data-entry="${CSS.escape(id)}"]`)) {
		const next = card.nextElementSibling ?? card.previousElementSibling;
		const focused = card.contains(document.activeElement);
		unwatch({ querySelectorAll: () => [card] });
		card.remove();
		if (focused) (next?.querySelector('a, button') ?? document.getElementById('main')).focus();
	}
}

/** Changes a post wherever it is shown. */
export function changePost(id, changes) {
	for (const card of document.querySelectorAll(`[data-post="${CSS.escape(id)}"]`)) card.change(changes);
}

function quote(post) {
	if (!post) return null;
	return el('blockquote', { class: 'quote' },
		el('p', { class: 'by' }, accountLink(post.author, el('bdi', {}, nameOf(post.author))), ' ', el('a', { class: 'dim', href: `#/post/${post.id}` }, time(post.created_at))),
		body(post));
}

// The text, behind its warning if it has one.
function body(post) {
	const parts = [richText(post), mediaLinks(post.media), quote(post.quote_of)];
	return post.content_warning ? el('details', {}, el('summary', {}, el('span', { dir: 'auto' }, post.content_warning)), ...parts) : el('div', {}, ...parts);
}

/** Makes the card of a post. */
export function postCard(entry, { focus = false } = {}) {
	const post = { ...shown(entry) };
	const by = entry.retweet_of ? entry.author : null;
	const heading = `post-${entry.id}-by`;
	const card = el('article', { class: focus ? 'post focus' : 'post', 'data-post': post.id, 'data-entry': entry.id, 'aria-labelledby': heading });
	const main = el('div', { class: 'body' });
	const draw = () => main.replaceChildren(...[standing(card.post), body(card.post)].filter(Boolean));
	card.post = post;
	card.change = (changes) => {
		Object.assign(card.post, changes);
		if (['text', 'content_warning', 'state', 'labels'].some((field) => field in changes)) draw();
		if ('edited_at' in changes) edited.hidden = !card.post.edited_at;
		refresh(card);
	};
	const edited = el('span', { class: 'dim', hidden: !post.edited_at }, ' · edited');
	draw();
	card.append(...[
		by && el('p', { class: 'context' }, icon('retweet'), accountLink(by, el('bdi', {}, nameOf(by))), ' retweeted'),
		el('header', {}, avatar(post.author),
			el('p', { class: 'by', id: heading }, accountLink(post.author, el('bdi', { class: 'name' }, nameOf(post.author)), ' ', el('span', { class: 'dim' }, `@${post.author.username}`))),
			el('p', { class: 'when dim' }, el('a', { href: `#/post/${post.id}` }, hidden('Posted '), time(post.created_at)), edited,
				post.visibility !== 'public' && ` · ${post.visibility}`)),
		post.reply_to_id && el('p', { class: 'context' }, el('a', { href: `#/post/${post.reply_to_id}` }, 'In reply to a post')),
		main,
		actions(card),
	].filter(Boolean));
	refresh(card);
	watch(card);
	showOnline(card);
	return card;
}

// What others do to posts, wherever they are shown.
for (const [event, liked] of [['tweet:liked', true], ['tweet:unliked', false]]) {
	bus.on(event, ({ post_id: id, account, like_count: count }) => {
		changePost(id, { ...(count === undefined ? {} : { like_count: count }), ...(me && account?.id === me.id ? { liked } : {}) });
	});
}
bus.on('tweet:retweeted', ({ post }) => {
	const { id, retweet_count: count, like_count: likes } = post.retweet_of ?? {};
	if (id) changePost(id, { retweet_count: count, like_count: likes, ...(me?.id === post.author.id ? { retweeted: true } : {}) });
});
bus.on('tweet:updated', ({ post }) => changePost(post.id, { text: post.text, mentions: post.mentions, hashtags: post.hashtags, urls: post.urls, content_warning: post.content_warning, edited_at: post.edited_at,
	...('state' in post ? { state: post.state, labels: post.labels } : {}) }));
// Whom one has muted or blocked is gone from lists; a profile that one looks at stays.
bus.on('unwanted', ({ account_id: id }) => {
	for (const card of document.querySelectorAll('.feed [data-post]')) if (card.post.author.id === id && !location.hash.startsWith('#/@')) removePost(card.post.id);
});
bus.on('tweet:deleted', ({ post_id: id }) => {
	recount(document.querySelector(`[data-post="${CSS.escape(id)}"]`)?.post.reply_to_id);
	removePost(id);
});

// Replies are told without a number, and one may hear of some that are counted already: the post is asked.
const asked = new Set();

function recount(id) {
	if (!id || asked.has(id) || !document.querySelector(`[data-post="${CSS.escape(id)}"]`)) return;
	asked.add(id);
	setTimeout(async () => {
		asked.delete(id);
		try {
			const { like_count: likes, retweet_count: retweets, reply_count: replies } = await roost.request('GET', `/tweets/${id}`);
			changePost(id, { like_count: likes, retweet_count: retweets, reply_count: replies });
		} catch (error) {
			if (error.status === 404) removePost(id);
		}
	}, 500);
}
bus.on('tweet:new', ({ post }) => recount(post.reply_to_id));
bus.on('posted', ({ post }) => recount(post.reply_to_id));
