// How the platform is: now, day by day, and who comes back.

import { el, failure, plural, say, short } from '/app/dom.js';
import { read } from './session.js';
import { button, chip, facts, filters, panel, when } from './ui.js';
import { chart, dayName, heat } from './chart.js';

const AGES = [1, 2, 3, 4, 5, 6, 7, 14, 21, 28, 30, 60, 90, 180, 365];
const SPANS = [['7', '7 days'], ['28', '28 days'], ['90', '90 days'], ['365', 'A year']];
const values = { span: '28' };

const bytes = (number) => {
	const unit = Math.min(4, Math.floor(Math.log2(Math.max(1, number)) / 10));
	return `${(number / 1024 ** unit).toFixed(unit === 0 ? 0 : 1)} ${['B', 'kB', 'MB', 'GB', 'TB'][unit]}`;
};
const optional = (number) => (number === null ? 'not counted yet' : short(number));

const now = (health) => panel('Now',
	el('p', { class: 'row' }, chip(health.status === 'ok' ? 'In order' : health.status, health.status === 'ok' ? 'good' : 'bad'), chip(`Worker: ${health.worker}`, health.worker === 'running' ? 'good' : 'warn'),
		el('span', { class: 'dim' }, `roost ${health.version}`)),
	facts([
		['Accounts', optional(health.accounts)], ['Registered today', optional(health.registrations_today)], ['Active today', optional(health.active_today)],
		['Active in 7 days', optional(health.active_week)], ['Active in 30 days', optional(health.active_month)], ['Posts today', optional(health.posts_today)],
		['Engagements today', optional(health.engagements_today)], ['Suspended', short(health.suspended_accounts)], ['Limited', short(health.limited_accounts)],
		['Cases that wait', short(health.open_cases)], ['The oldest', health.oldest_case_at && when(health.oldest_case_at)], ['Reports in them', short(health.open_reports)],
		['Appeals that wait', short(health.open_appeals)], ['Database', bytes(health.database_bytes)], ['Events that wait', short(health.queue_depth ?? 0)],
		['Behind by', health.worker_lag === null ? null : `${health.worker_lag.toFixed(1)} s`], ['Counted', when(health.computed_at)],
	]));

function daily({ items }) {
	if (items.length === 0) return panel('Day by day', el('p', { class: 'dim' }, 'No day has been counted yet.'));
	const days = items.map(({ day }) => day);
	const series = (...names) => names.map(([name, key]) => ({ name, values: items.map((item) => item[key]) }));
	const rate = (value) => value.toFixed(value < 10 ? 2 : 0);
	return panel('Day by day',
		el('div', { class: 'charts' },
			chart({ title: 'Active accounts', days, series: series(['on the day', 'active_accounts'], ['in 7 days', 'active_accounts_7d'], ['in 30 days', 'active_accounts_30d']) }),
			chart({ title: 'Posts', days, bars: true, series: series(['posts', 'posts']) }),
			chart({ title: 'Engagement rate (likes, retweets, quotes and replies a post)', days, format: rate, series: series(['a post', 'engagement_rate']) }),
			chart({ title: 'Registrations', days, bars: true, series: series(['registrations', 'registrations']) }),
			chart({ title: 'Reports and decisions', days, bars: true, series: series(['reports', 'reports'], ['decisions', 'decisions']) })),
		el('p', { class: 'dim' }, 'Days are those of UTC; the last one is not over.'));
}

function retention({ items }) {
	if (items.length === 0) return panel('Who comes back', el('p', { class: 'dim' }, 'Nobody has registered in this time, or no day has passed since.'));
	const ages = AGES.filter((age) => items.some((item) => item.age === age));
	const cohorts = new Map();
	for (const item of items) cohorts.set(item.cohort, (cohorts.get(item.cohort) ?? new Map()).set(item.age, item));
	const rows = [...cohorts].reverse().map(([cohort, byAge]) => [dayName(cohort), [...byAge.values()][0].accounts, ...ages.map((age) => byAge.get(age)?.rate ?? null)]);
	return panel('Who comes back', el('p', { class: 'dim' }, 'Of those who registered on a day, the share that was active so many days later.'),
		heat('Retention by day of registration', ['Registered', 'Accounts', ...ages.map((age) => `Day ${age}`)], rows));
}

export function healthPage() {
	const parts = [el('div', {}), el('div', {}), el('div', {})];
	const load = async () => {
		const since = new Date(Date.now() - (Number(values.span) - 1) * 86_400_000).toISOString().slice(0, 10);
		const show = async (place, path, query, draw) => {
			try {
				place.replaceChildren(draw(await read(path, query)));
			} catch (error) {
				place.replaceChildren(failure(error, load));
			}
		};
		await Promise.all([show(parts[0], '/admin/health', {}, now), show(parts[1], '/admin/health/daily', { since }, daily), show(parts[2], '/admin/health/retention', { since }, retention)]);
	};
	const changed = async () => {
		await load();
		say(`The figures of ${plural(Number(values.span), 'day')}.`);
	};
	return { node: el('div', {}, el('div', { class: 'row between' }, filters([{ name: 'span', label: 'Time', options: SPANS }], values, changed), button('Refresh', changed)), ...parts), load };
}
