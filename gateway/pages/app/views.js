// What the page shows for each address. A view is { title, node, channels, load(), event(event), close() };
// only title and node are needed. load() reads (again) what it shows.

import { avatar, el, failure, nameOf, plural, short, webLink } from './dom.js';
import { bus, me, roost, showOnline, unwatch } from './live.js';
import { compose } from './compose.js';
import { feed } from './feed.js';
import { followButton, friendButton, messageButton } from './friends.js';
import { chooseLists } from './lists.js';
import { postCard } from './post.js';
import { safetyMenu } from './safety.js';
import { typists } from './typists.js';

const isOriginal = (event) => event.event === 'tweet:new';

// A view that is a list of posts, below something else.
function listView({ title, channels, above = [], list }) {
	return { title, channels, node: el('div', {}, ...above, list.node), load: list.load, event: list.event, close: list.close, posted: list.arrive };
}

const newPost = (list) => compose({ label: 'New post', done: (post) => { list.arrive(post, true); bus.emit('posted', { post }); } });

export function homeView() {
	const list = feed({
		path: '/tweets/home',
		empty: el('p', {}, 'Your timeline is empty. Follow somebody, or see what is ', el('a', { href: '#/public' }, 'public'), '.'),
		accepts: (event) => event.channels?.includes('home') && (isOriginal(event) || event.event === 'tweet:retweeted'),
	});
	return listView({ title: 'Home', list, above: [newPost(list)] });
}

export function publicView() {
	const list = feed({
		path: '/tweets/public',
		empty: 'Nobody has posted anything yet.',
		accepts: (event) => event.channels?.includes('public') && isOriginal(event),
	});
	const invitation = el('div', { class: 'notice invite' }, el('p', {}, 'A social backend in PostgreSQL: what you see here are SQL functions, over HTTP, live.'),
		el('p', { class: 'row' }, el('a', { class: 'button', href: '#/login' }, 'Log in'), el('a', { class: 'button primary', href: '#/register' }, 'Create an account')));
	return listView({ title: 'Public', channels: ['public'], list, above: [me ? newPost(list) : invitation] });
}

export function tagView(tag) {
	const hashtag = tag.normalize('NFKC').toLowerCase();
	const list = feed({
		path: `/hashtags/${encodeURIComponent(hashtag)}/tweets`,
		empty: `Nobody has used #${hashtag} yet.`,
		accepts: (event) => event.channels?.includes(`hashtag:${hashtag}`) && isOriginal(event),
	});
	return listView({ title: `#${hashtag}`, channels: [`hashtag:${hashtag}`], list });
}

function profile(account, changed) {
	const mine = me?.id === account.id;
	const state = account.relationship ?? {};
	const blocked = state.blocking || state.blocked_by;
	const base = `#/@${account.username}`;
	return el('div', { class: 'profile' },
		el('div', { class: 'row' }, avatar(account, 'large'), mine && el('div', { class: 'row' }, account.is_private && el('a', { class: 'button', href: '#/friends' }, 'Who asks to follow'), el('a', { class: 'button', href: '#/settings/profile' }, 'Edit profile')),
			me && !mine && el('div', { class: 'row' }, !state.blocking && [followButton(account, changed), !state.blocked_by && friendButton(account, changed), messageButton(account)], safetyMenu(account, { changed, more: blocked ? [] : [['Lists…', () => chooseLists(account)]] }))),
		el('p', { class: 'dim' }, `@${account.username}`, account.is_private && ' · private', state.followed_by && ' · follows you',
			state.blocking && ' · blocked', state.blocked_by && ' · has blocked you', state.muting && ' · muted'),
		account.bio && el('p', { class: 'text', dir: 'auto' }, account.bio),
		el('p', { class: 'dim' }, `Here since ${new Date(account.created_at).toLocaleDateString('en', { month: 'long', year: 'numeric' })}`,
			account.avatar_url && [' · ', webLink(account.avatar_url, 'Picture')], account.header_url && [' · ', webLink(account.header_url, 'Header picture')]),
		el('p', {}, el('strong', {}, plural(account.post_count, 'post')), ' · ', el('a', { href: `${base}/followers` }, el('strong', {}, plural(account.follower_count, 'follower'))), ' · ',
			el('a', { href: `${base}/following` }, el('strong', {}, `${short(account.following_count)} following`))));
}

export function profileView(username) {
	const head = el('div', {});
	const node = el('div', {}, head);
	let account = null;
	let list = null;
	const view = {
		title: `@${username}`, node, channels: [],
		async load() {
			try {
				account = await roost.request('GET', `/users/@${encodeURIComponent(username)}`);
			} catch (error) {
				head.replaceChildren(error.status === 404 ? el('p', { class: 'empty' }, `There is no @${username}.`) : failure(error, () => view.load()));
				return;
			}
			view.setTitle?.(nameOf(account));
			head.replaceChildren(profile(account, () => view.load()));
			showOnline(head);
			if (account.relationship?.blocking || account.relationship?.blocked_by) {
				list?.close();
				list?.node.remove();
				list = null;
				return;
			}
			if (!list) {
				const id = account.id;
				list = feed({
					path: `/users/${id}/tweets`, query: { replies: false },
					empty: 'Nothing to see here yet.',
					accepts: (event) => event.channels?.includes(`user:${id}`) && event.data.post.author.id === id && !event.data.post.reply_to_id,
				});
				node.append(list.node);
				view.setChannels?.([`user:${id}`]).then((here) => here && list?.load());
			}
			await list.load();
		},
		event(event) {
			if (/^(user:(followed|unfollowed|updated)$|friend:)/.test(event.event) && [event.data.account?.id, event.data.target?.id].includes(account?.id)) view.load();
			list?.event(event);
		},
		posted: (post) => { if (post.author.id === account?.id && !post.reply_to_id) list?.arrive(post, true); },
		close: () => list?.close(),
	};
	return view;
}

export function postView(id) {
	const above = el('div', { class: 'feed' });
	const focus = el('div', {});
	const below = el('div', { class: 'feed' });
	const typing = typists(`post:${id}`, 'replying');
	const problem = el('div', {});
	const node = el('div', { class: 'thread' }, above, focus, typing.node, problem, below);
	let reply = null;

	const fill = (place, posts) => {
		for (const card of [...place.children]) {
			if (posts.some((post) => post.id === card.dataset.post)) continue;
			unwatch({ querySelectorAll: () => [card] });
			card.remove();
		}
		posts.forEach((post, i) => {
			const card = [...place.children].find((one) => one.dataset.post === post.id);
			if (card) card.change(post);
			else place.insertBefore(postCard(post, { focus: place === focus }), place.children[i] ?? null);
		});
	};

	const view = {
		title: 'Post', node, channels: [`post:${id}`],
		async load() {
			try {
				const [post, context] = await Promise.all([roost.request('GET', `/tweets/${id}`), roost.request('GET', `/tweets/${id}/context`)]);
				problem.replaceChildren();
				const one = post.retweet_of ?? post;
				view.setTitle?.(`${nameOf(one.author)}: “${one.content_warning || one.text}”`);
				fill(above, context.ancestors);
				fill(focus, [post]);
				fill(below, context.descendants);
				if (me && !reply) {
					reply = compose({
						label: `Your reply to ${nameOf(one.author)}`, button: 'Reply', fields: { reply_to_id: one.id }, channel: `post:${one.id}`,
						done: (answer) => bus.emit('posted', { post: answer }),
					});
					typing.node.before(reply);
				}
			} catch (error) {
				if (error.status === 404) fill(focus, []);
				problem.replaceChildren(error.status === 404 ? el('p', { class: 'empty' }, 'This post does not exist, or you may not see it.') : failure(error, () => view.load()));
			}
		},
		event({ event, data }) {
			typing.event(event, data);
			if (event === 'tweet:new' && data.post.reply_to_id) {
				typing.stopped(data.post.author.id);
				view.posted(data.post);
			} else if (event === 'tweet:deleted' && data.post_id === id) view.load();
		},
		posted(post) {
			const parent = node.querySelector(`[data-post="${CSS.escape(post.reply_to_id ?? '')}"]`);
			if (!parent || above.contains(parent) || node.querySelector(`[data-post="${CSS.escape(post.id)}"]`)) return;
			below.append(postCard(post));
		},
		close: () => {
			unwatch(node);
			typing.close();
		},
	};
	return view;
}

