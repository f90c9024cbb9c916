// The page: which view an address shows, and what is around it.

import { avatar, busy, byId, el, failure, hidden, icon, nameOf, plural, say } from './dom.js';
import { bus, follow, me, roost, start } from './live.js';
import { resetView, verifyView } from './mail_link.js';
import { afterwards, appealView, forgotView, loginView, registerView } from './forms.js';
import { homeView, postView, profileView, publicView, tagView } from './views.js';
import { noticesView, unread } from './notices.js';
import { keptView } from './bookmarks.js';
import { waiting } from './chat.js';
import { conversationView } from './conversation.js';
import { findView } from './find.js';
import { followsView } from './follows.js';
import { friendsView } from './friends.js';
import { infoView, newGroupView } from './group.js';
import { inviteView } from './invite.js';
import { listsView, listView } from './lists.js';
import { messagesView } from './messages.js';
import { searchView, startSearch } from './search.js';
import { settingsView } from './settings.js';
import { showSide } from './side.js';

let view = null;

const gone = () => ({ title: 'Not found', node: el('p', { class: 'empty' }, 'There is nothing here. ', el('a', { href: '#/' }, 'To the timeline')) });

function talkView(rest) {
	if (!rest) return messagesView();
	if (rest === 'new') return newGroupView();
	const [, id, what, more] = /^(?:(\d{1,19})(?:\/|$))?(?:(info|at|search)(?:\/(.+))?)?$/.exec(rest) ?? [];
	if (what === 'search') return findView(decodeURIComponent(more ?? ''), id ?? null);
	if (!id || (what === 'at') !== /^\d{1,19}$/.test(more ?? '')) return gone();
	return what === 'info' ? infoView(id) : conversationView(id, more);
}

// The view of an address; those that need an account ask to log in.
function viewOf(address) {
	const [, kind = '', rest] = /^#\/([^/]*)(?:\/(.*))?$/.exec(address) ?? [];
	const mine = (make) => (me ? make() : loginView());
	if (kind === '') return me ? homeView() : publicView();
	if (kind === 'home') return mine(homeView);
	if (kind === 'public') return publicView();
	if (kind === 'notifications') return mine(noticesView);
	if (kind === 'safety' && !rest) return mine(() => settingsView('safety'));
	if (kind === 'settings') return mine(() => settingsView(rest) ?? gone());
	if (/^(bookmarks|likes)$/.test(kind) && !rest) return mine(() => keptView(kind));
	if (kind === 'friends') return mine(friendsView);
	if (kind === 'lists' && /^\d{1,19}$/.test(rest ?? '')) return mine(() => listView(rest));
	if (kind === 'lists' && !rest) return mine(listsView);
	if (kind === 'appeal') return appealView();
	if (kind === 'forgot') return forgotView();
	if (kind === 'verify-email' && !rest) return verifyView();
	if (kind === 'reset-password' && !rest) return resetView();
	if (kind === 'messages') return mine(() => talkView(rest));
	if (kind === 'invite' && rest) {
		if (!me) afterwards(address);
		return mine(() => inviteView(decodeURIComponent(rest)));
	}
	if (kind === 'search' && rest) return searchView(decodeURIComponent(rest));
	if (kind === 'login') return loginView();
	if (kind === 'register') return registerView();
	if (kind === 'post' && /^\d+$/.test(rest ?? '')) return postView(rest);
	if (kind === 'tag' && rest) return tagView(decodeURIComponent(rest));
	if (kind.startsWith('@') && !rest) return profileView(decodeURIComponent(kind.slice(1)));
	if (kind.startsWith('@') && /^follow(ers|ing)$/.test(rest)) return followsView(decodeURIComponent(kind.slice(1)), rest);
	return gone();
}

function setTitle(title) {
	const heading = byId('main').querySelector('h1');
	if (heading) heading.textContent = title;
	document.title = `${unread.count + waiting.messages > 0 ? `(${unread.count + waiting.messages}${unread.more ? '+' : ''}) ` : ''}${title.length > 60 ? `${title.slice(0, 60)}…` : title} · roost`;
}

async function show({ focus = true } = {}) {
	view?.close?.();
	for (const dialog of document.querySelectorAll('dialog')) dialog.close();
	try {
		view = viewOf(location.hash || '#/');
	} catch { // an address that cannot be decoded
		view = gone();
	}
	const present = view;
	const heading = el('h1', { tabindex: '-1', dir: 'auto' }, view.title);
	byId('main').replaceChildren(heading, view.node);
	view.setTitle = (title) => { if (view === present) setTitle((present.title = title)); };
	// Answers whether the view is still there when the channels are followed: what came before that is to be read again.
	view.setChannels = async (channels) => {
		if (view === present) await follow((present.channels = channels));
		return view === present;
	};
	setTitle(view.title);
	showNavigation();
	if (focus) {
		scrollTo({ top: 0 });
		heading.focus({ preventScroll: true });
	}
	// What happens between reading and following must not be missed: follow first.
	follow(view.channels ?? []).then(() => { if (view === present && loaded) view.load?.(); });
	let loaded = false;
	await view.load?.();
	loaded = true;
}

function showNavigation() {
	const here = location.hash || '#/';
	const link = (href, label, ...more) => {
		const current = here === href || (['#/messages', '#/lists', '#/settings'].includes(href) && here.startsWith(`${href}/`)) || (href === '#/settings' && here === '#/safety') || (href === '#/bookmarks' && here === '#/likes') || (here === '#/' && href === (me ? '#/home' : '#/public'));
		return el('a', { href, 'aria-current': current ? 'page' : null }, label, ...more);
	};
	const badge = unread.count > 0 && el('span', { class: 'badge' }, `${unread.count}${unread.more ? '+' : ''}`, el('span', { class: 'hidden' }, ' new'));
	const letters = waiting.messages > 0 && el('span', { class: 'badge' }, waiting.messages >= 1000 ? '999+' : waiting.messages, el('span', { class: 'hidden' }, ' unread'));
	const focused = document.activeElement?.closest?.('#nav, #who') && document.activeElement.getAttribute('href');
	byId('nav').replaceChildren(...[me && link('#/home', 'Home'), link('#/public', 'Public'), me && link('#/notifications', 'Notifications ', badge || ''), me && link('#/messages', 'Messages ', letters || ''),
		me && link('#/friends', 'Friends'), me && link('#/lists', 'Lists'), me && link('#/bookmarks', 'Bookmarks')].filter(Boolean));
	if (me) {
		const leave = el('button', { type: 'button', onclick: () => busy(leave, () => roost.logout()) }, 'Log out');
		const settings = link('#/settings', icon('settings'), hidden('Settings'));
		settings.className = 'gear';
		settings.title = 'Settings';
		byId('who').replaceChildren(el('a', { class: 'me', href: `#/@${me.username}`, title: nameOf(me) }, avatar(me), el('bdi', {}, nameOf(me))), settings, leave);
	} else byId('who').replaceChildren(el('a', { href: '#/login' }, 'Log in'), el('a', { href: '#/register', class: 'button primary' }, 'Register'));
	if (focused) document.querySelector(`.top [href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

bus.on('*', (data, event) => view?.event?.(event));
bus.on('posted', ({ post }) => view?.posted?.(post));
bus.on('unread', ({ count }) => {
	const before = document.querySelector('nav [href="#/notifications"] .badge');
	showNavigation();
	if (view) setTitle(view.title);
	if (count > 0 && !before) say(plural(count, 'new notification'));
});
bus.on('me', showNavigation);
bus.on('waiting', () => {
	showNavigation();
	if (view) setTitle(view.title);
});
bus.on('account', () => {
	if (me && /^#\/(login|register)$/.test(location.hash)) location.replace(afterwards());
	else show({ focus: false });
	showSide();
});
// After a first connection, and when events may have been missed, the tables are read.
bus.on('gap', () => view?.load?.());

// What could not be read for want of a server is read once there is one.
setInterval(() => { if (byId('state').dataset.state === 'live' && byId('main').querySelector('[data-passing]')) view?.load?.(); }, 3_000);

addEventListener('hashchange', () => show());
byId('skip').addEventListener('click', (event) => {
	event.preventDefault();
	byId('main').focus();
});
byId('origin').textContent = location.origin;

startSearch();

async function begin() {
	try {
		await start();
	} catch (error) {
		byId('main').replaceChildren(el('h1', {}, 'roost'), failure(error, begin));
	}
}

begin();
