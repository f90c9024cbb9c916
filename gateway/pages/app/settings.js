// The settings: their rooms, and which of them an address shows.

import { el } from './dom.js';
import { accountView } from './account.js';
import { dataView } from './data.js';
import { noticeSettingsView } from './notice_settings.js';
import { privacyView } from './privacy.js';
import { profileFormView } from './profile_form.js';
import { safetyView } from './safety_view.js';
import { sessionsView } from './sessions.js';

const ROOMS = {
	profile: ['Profile', 'Your name, a few words about you, your pictures, your language', profileFormView],
	account: ['Account', 'Your e-mail address and your password', accountView],
	sessions: ['Sessions', 'Where you are logged in, and what has happened to your account', sessionsView],
	notifications: ['Notices', 'Of whose acts you hear, and of which accounts not at all', noticeSettingsView],
	privacy: ['Privacy', 'Who follows you, writes to you, finds you, and sees that you are there', privacyView],
	safety: ['Safety', 'Whom and what you have blocked, muted and reported; decisions about you', safetyView],
	data: ['Data', 'A copy of everything, and deleting the account', dataView],
};
const addressOf = (name) => (name === 'safety' ? '#/safety' : `#/settings/${name}`);

/** The view of one room, or of the list of them; null if there is no such one. */
export function settingsView(name) {
	if (!name) {
		return { title: 'Settings', node: el('nav', { class: 'notice', 'aria-label': 'Settings' }, el('ul', { class: 'rows rooms' },
			Object.entries(ROOMS).map(([room, [label, about]]) => el('li', {}, el('a', { href: addressOf(room) }, el('strong', {}, label), el('span', { class: 'dim' }, about)))))) };
	}
	if (!Object.hasOwn(ROOMS, name)) return null;
	const view = ROOMS[name][2]();
	const rooms = el('nav', { class: 'tabs', 'aria-label': 'Settings' }, Object.entries(ROOMS).map(([room, [label]]) => el('a', { href: addressOf(room), 'aria-current': room === name ? 'page' : null }, label)));
	view.node = el('div', { class: 'settings' }, rooms, view.node);
	return view;
}
