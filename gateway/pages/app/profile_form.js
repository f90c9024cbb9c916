// What others see of oneself, and what the server is to know.

import { el, webAddress } from './dom.js';
import { bus, me, renew, roost } from './live.js';
import { change } from './safety.js';
import { pick, setting } from './setting.js';

const LANGUAGES = ['ar', 'bg', 'bn', 'ca', 'cs', 'da', 'de', 'el', 'en', 'en-GB', 'en-US', 'es', 'et', 'eu', 'fa', 'fi', 'fr', 'ga', 'gl', 'he', 'hi', 'hr', 'hu', 'id', 'it', 'ja', 'ko', 'lt', 'lv', 'nb', 'nl', 'pl',
	'pt', 'pt-BR', 'ro', 'ru', 'sk', 'sl', 'sr', 'sv', 'sw', 'ta', 'th', 'tr', 'uk', 'ur', 'vi', 'zh'];

// What a language calls itself, and its tag where the browser does not know it.
function nameOfLanguage(tag) {
	try {
		const name = new Intl.DisplayNames([tag], { type: 'language', fallback: 'none' }).of(tag);
		return name ? `${name.charAt(0).toLocaleUpperCase(tag)}${name.slice(1)} (${tag})` : tag;
	} catch {
		return tag;
	}
}

// The languages to choose from: also one that is not among them, if it is set.
const languages = (present) => [...new Set([present, ...LANGUAGES])].filter(Boolean).sort().map((tag) => [tag, nameOfLanguage(tag)]);

const address = { inputmode: 'url', autocapitalize: 'none', spellcheck: 'false', maxlength: 2048, placeholder: 'https://', required: false, blank: '' };
const NAMES = ['display_name', 'username', 'bio', 'avatar_url', 'header_url', 'birth_date', 'language'];

const fields = (language) => [
	{ name: 'display_name', label: 'Name', limit: 50, required: false, blank: '', autocomplete: 'name', dir: 'auto', hint: 'As people call you. Without one your user name is shown.' },
	{ name: 'username', label: 'User name', maxlength: 30, autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', hint: 'Links to your profile have it. A former one is kept for you for a while.' },
	{ name: 'bio', label: 'About you', kind: 'textarea', rows: 4, limit: 500, blank: '' },
	{ name: 'avatar_url', label: 'Address of your picture', ...address, hint: 'This page loads nothing from other servers and shows it as a link; other clients show the picture.' },
	{ name: 'header_url', label: 'Address of the picture at the head of your profile', ...address },
	{ name: 'birth_date', label: 'Day of birth', kind: 'date', min: '1900-01-01', blank: null, autocomplete: 'bday', hint: 'Nobody else sees it.' },
	{ name: 'language', label: 'Language', kind: 'select', options: languages(language), hint: 'Of mails to you, and of the words that you search for.' },
];

// An address may be typed without https://.
const complete = (text) => (text && !/^[a-z][a-z0-9+.-]*:/i.test(text) ? webAddress(text) ?? text : text);

export function profileFormView() {
	const link = el('a', { href: `#/@${me.username}` }, 'See your profile');
	const form = setting({
		name: 'profile', class: 'ask wide', fields: fields(me.language), other: link, saved: 'Your profile is saved.',
		read: async () => pick(await roost.request('GET', '/users/me'), NAMES),
		async save(changed, took) {
			for (const name of ['avatar_url', 'header_url']) if (name in changed) changed[name] = complete(changed[name]);
			const account = await change('PATCH', '/users/me', changed);
			took(pick(account, Object.keys(changed)));
			renew(account);
		},
	});
	return {
		title: 'Your profile', node: el('section', { class: 'notice' }, ...form.nodes), load: form.load,
		close: bus.on('me', () => {
			link.href = `#/@${me.username}`;
			form.refresh(pick(me, NAMES));
		}),
	};
}
