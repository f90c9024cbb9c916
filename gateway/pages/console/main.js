// The console: which page an address shows, for whom, and what is around it.

import { busy, byId, el, failure, nameOf } from '/app/dom.js';
import { makeForm } from '/app/form.js';
import { bus, can, login, logout, me, start } from './session.js';
import { accountPage, accountsPage } from './accounts.js';
import { appealsPage } from './appeals.js';
import { auditPage } from './audit.js';
import { casePage } from './case.js';
import { healthPage } from './health.js';
import { limitsPage } from './limits.js';
import { policiesPage, policyPage } from './policies.js';
import { queuePage } from './queue.js';
import { rolesPage } from './roles.js';
import { wordsPage } from './words.js';

// What there is, in the order of the menu: address, name, permission, page.
const PLACES = [
	['queue', 'Queue', 'report.read', queuePage],
	['accounts', 'Accounts', 'account.read', accountsPage],
	['appeals', 'Appeals', 'appeal.decide', appealsPage],
	['health', 'Health', 'health.read', healthPage],
	['policies', 'Policies', 'policy.read', policiesPage],
	['words', 'Words', 'policy.read', wordsPage],
	['limits', 'Limits', 'limit.read', limitsPage],
	['roles', 'Roles', 'role.read', rolesPage],
	['audit', 'Audit', 'audit.read', auditPage],
];
const PARTS = { case: ['queue', 'report.read', casePage], account: ['accounts', 'account.read', accountPage], policy: ['policies', 'policy.read', policyPage] };

const notice = (heading, ...children) => ({ title: heading, node: el('p', { class: 'empty' }, ...children) });

const loginPage = () => ({
	title: 'Log in',
	node: makeForm({
		fields: [
			{ name: 'identifier', label: 'User name or e-mail address', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false' },
			{ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' },
		],
		button: 'Log in',
		send: login,
	}).node,
});

const mine = () => PLACES.filter(([, , permission]) => can(permission));

// The page of an address. rest is what stands behind the name.
function pageOf(address) {
	if (!me) return loginPage();
	const allowed = mine();
	if (allowed.length === 0) return notice('Nothing for you here', 'This account has no permission that the console needs.');
	const [, name = '', rest] = /^#\/([^/]*)(?:\/(.*))?$/.exec(address) ?? [];
	const part = PARTS[name];
	if (part && rest) return can(part[1]) ? Object.assign(part[2](decodeURIComponent(rest)), { place: part[0] }) : notice('Not allowed', 'This takes a permission that this account does not have.');
	const place = name === '' ? allowed[0] : PLACES.find(([key]) => key === name);
	if (!place || rest) return notice('Not found', 'There is nothing here.');
	return can(place[2]) ? Object.assign(place[3](), { place: place[0], title: place[1] }) : notice('Not allowed', 'This takes a permission that this account does not have.');
}

function showAround(page) {
	byId('nav').replaceChildren(...mine().map(([name, label]) => el('a', { href: `#/${name}`, 'aria-current': page.place === name ? 'page' : null }, label)));
	const current = byId('nav').querySelector('[aria-current]');
	if (current) byId('nav').scrollLeft = current.offsetLeft - byId('nav').offsetLeft - 16; // on narrow screens the menu scrolls
	if (!me) {
		byId('who').replaceChildren();
		return;
	}
	const leave = el('button', { type: 'button', onclick: () => busy(leave, logout) }, 'Log out');
	byId('who').replaceChildren(el('span', { class: 'me' }, el('bdi', {}, nameOf(me)), el('span', { class: 'dim' }, me.role)), leave);
}

let present = null;

function show() {
	for (const dialog of document.querySelectorAll('dialog')) dialog.close();
	let page;
	try {
		page = pageOf(location.hash || '#/');
	} catch { // an address that cannot be decoded
		page = notice('Not found', 'There is nothing here.');
	}
	present = page;
	const heading = el('h1', { tabindex: '-1', dir: 'auto' }, page.title);
	page.setTitle = (text) => {
		if (present !== page) return;
		heading.textContent = text;
		document.title = `${text} · roost console`;
	};
	page.setTitle(page.title);
	const { load } = page;
	// Whoever has pressed something that is gone afterwards goes on at the head of the page.
	page.load = async () => {
		await load?.();
		if (present === page && document.activeElement === document.body) heading.focus({ preventScroll: true });
	};
	byId('main').replaceChildren(heading, page.node);
	showAround(page);
	scrollTo({ top: 0 });
	heading.focus({ preventScroll: true });
	page.load();
}

bus.on('account', show);
addEventListener('hashchange', show);
byId('skip').addEventListener('click', (event) => {
	event.preventDefault();
	byId('main').focus();
});

async function begin() {
	try {
		await start();
	} catch (error) {
		byId('main').replaceChildren(el('h1', {}, 'roost console'), failure(error, begin));
	}
}

begin();
