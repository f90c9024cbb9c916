// The console at /admin, in a headless Chromium: from a report to an overturned decision, what one sees without
// permissions, and hostile texts.  A violation of its Content-Security-Policy is an error of the console, which fails.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { axe, close, launch, open, skip } from './browser.mjs';
import { account, call, liftLimits, sql, startGateway } from './lib.mjs';

let gateway;
let author;
let reporter;
let moderator;
let admin;
let stranger;
const as = async (user, method, path, body) => {
	const answer = await call(gateway, method, path, { token: user?.token, body });
	assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
	return answer.json;
};

before(async () => {
	liftLimits();
	gateway = await startGateway();
	[author, reporter, moderator, admin, stranger] = await Promise.all(['con_author', 'con_reporter', 'con_mod', 'con_admin', 'con_stranger'].map((name) => account(gateway, name)));
	sql(`SELECT roost.role_grant('@${moderator.username}', 'moderator'), roost.role_grant('@${admin.username}', 'admin')`);
	if (!skip) await launch(gateway);
});

after(async () => {
	await close().finally(() => gateway?.stop());
});

// Opens the console and logs in.
async function enter(user, address = '', options = {}) {
	const page = await open(`/admin${address}`, { expected: /401/, ...options });
	await page.getByLabel(/User name/).fill(user.username);
	await page.getByLabel('Password').fill(user.password);
	await page.getByRole('button', { name: 'Log in' }).click();
	await page.getByRole('button', { name: 'Log out' }).waitFor();
	return page;
}

const go = (page, address) => page.goto(`${gateway.url}/admin${address}`);

// A post that the reporter reports; answers { post, id } with the id of the case.
async function reported(text, more = {}) {
	const post = await as(author, 'POST', '/tweets', { text });
	await as(reporter, 'POST', '/reports', { post_id: post.id, category: 'spam', ...more });
	const { items } = await as(moderator, 'GET', `/admin/cases?account_id=${author.id}&limit=50`);
	return { post, id: items.find(({ subject_id: subject }) => subject === post.id).id };
}

test('the page has one address, and a policy of its own', async () => {
	const page = await fetch(`${gateway.url}/admin`);
	assert.equal(page.status, 200);
	const policy = page.headers.get('content-security-policy');
	for (const part of [/default-src 'none'/, /script-src 'self'(;|$)/, /style-src 'self'(;|$)/, /connect-src 'self'(;|$)/, /img-src data:(;|$)/, /frame-ancestors 'none'/, /form-action 'self'/, /base-uri 'none'/,
		/require-trusted-types-for 'script'/]) assert.match(policy, part);
	assert.doesNotMatch(policy, /unsafe|\*/);
	assert.equal(page.headers.get('x-frame-options'), 'DENY');
	assert.match(await page.text(), /<script type="module" src="\/console\/main.js">/);
	const moved = await fetch(`${gateway.url}/admin/`, { redirect: 'manual' });
	assert.deepEqual([moved.status, moved.headers.get('location')], [308, '/admin']);
	for (const path of ['/admin/cases', '/api/v1/admin/cases', '/admin/health']) {
		const answer = await fetch(gateway.url + path);
		assert.equal(answer.status, 401, path);
		assert.match(answer.headers.get('content-type'), /json/);
	}
	for (const path of ['/admin/index.html', '/console/', '/console/index.html', '/api/v1/admin']) assert.equal((await fetch(gateway.url + path)).status, 404, path);
	const script = await fetch(`${gateway.url}/console/main.js`);
	assert.match(script.headers.get('content-type'), /javascript/);
	assert.match(script.headers.get('content-security-policy'), /default-src 'none'/);
});

test('who has no permission gets nothing', { skip }, async () => {
	const page = await enter(stranger);
	await page.getByText('This account has no permission that the console needs.').waitFor();
	assert.equal(await page.locator('nav a').count(), 0);
	for (const address of ['#/queue', '#/audit', '#/case/1', `#/account/${author.id}`]) {
		await go(page, address);
		await page.getByText('This account has no permission that the console needs.').waitFor();
	}
	await page.getByRole('button', { name: 'Log out' }).click();
	await page.getByRole('heading', { name: 'Log in' }).waitFor();
	const half = await enter(moderator, '#/audit');
	await half.getByText('This takes a permission that this account does not have.').waitFor();
	assert.deepEqual(await half.locator('nav a').allTextContents(), ['Queue', 'Accounts', 'Health', 'Policies']);
});

test('report, queue, decision, appeal, overturned, audited', { skip }, async () => {
	const { post, id } = await reported('buy everything here', { comment: 'again and again' });
	const page = await enter(moderator);
	const [request] = await Promise.all([page.waitForRequest(/\/admin\/cases\?/), page.reload()]);
	assert.equal((await request.allHeaders()).pragma, 'no-cache'); // what a browser sends when it is to keep no answer
	await page.getByRole('heading', { name: 'Queue' }).waitFor();
	await page.getByLabel('Category').selectOption('spam');
	await page.locator(`[data-case="${id}"]`).getByRole('link', { name: 'Spam: post' }).click();
	await page.getByRole('heading', { name: 'Spam: post' }).waitFor();
	await page.getByText('again and again').waitFor();
	assert.equal(await page.locator('.pair .text', { hasText: 'buy everything here' }).count(), 2);
	await page.getByRole('button', { name: 'Assign to me' }).click();
	await page.getByText('Assigned', { exact: true }).first().waitFor();
	await page.getByLabel('New note').fill('the third this week');
	await page.getByRole('button', { name: 'Add note' }).click();
	await page.locator('.events', { hasText: 'the third this week' }).waitFor();
	const decisions = await page.getByLabel('Decision', { exact: true }).locator('option').evaluateAll((list) => list.map(({ value }) => value));
	assert.deepEqual(decisions, ['', 'dismiss', 'warn', 'label', 'limit', 'hold', 'remove', 'limit_account', 'suspend']);
	await page.getByLabel('Decision', { exact: true }).selectOption('suspend');
	await page.getByLabel('Until').waitFor();
	await page.getByLabel('Decision', { exact: true }).selectOption('remove');
	await page.getByLabel('Until').waitFor({ state: 'hidden' });
	await page.getByLabel('Reason').fill('advertising');
	await page.getByRole('button', { name: 'Decide' }).click();
	await page.getByText('Decided', { exact: true }).first().waitFor();
	await page.locator('.pair').getByText('Removed').waitFor();
	assert.equal((await as(author, 'GET', `/tweets/${post.id}`)).state, 'removed');

	const [strike] = (await as(author, 'GET', '/moderation/decisions')).items;
	assert.equal(strike.reason, 'advertising');
	await as(author, 'POST', `/moderation/decisions/${strike.id}/appeal`, { text: 'it was <b>my own</b> bread' });
	const boss = await enter(admin, '#/appeals');
	const appeal = boss.locator('[data-appeal]', { hasText: 'it was <b>my own</b> bread' });
	await appeal.getByRole('button', { name: 'Overturn' }).click();
	await boss.getByRole('dialog').getByLabel('Reason').fill('bread is fine');
	await boss.getByRole('dialog').getByRole('button', { name: 'Overturn' }).click();
	await appeal.waitFor({ state: 'detached' });
	assert.equal((await as(author, 'GET', `/tweets/${post.id}`)).state, 'visible');
	assert.equal((await as(author, 'GET', '/moderation/appeals')).items[0].reason, 'bread is fine');

	sql('SELECT roost.worker_sync()');
	await go(boss, '#/audit');
	await boss.getByLabel('Kind of object').fill('case');
	await boss.getByLabel('Action').fill('case.decide');
	await boss.getByLabel('Object', { exact: true }).fill(id);
	await boss.getByRole('button', { name: 'Search' }).click();
	const entry = boss.locator('[data-seq]');
	await boss.waitForFunction(() => document.querySelectorAll('[data-seq]').length === 1);
	assert.match(await entry.textContent(), new RegExp(`case.decide.*${moderator.username}`));
	await entry.getByText('Details').click();
	assert.match(await entry.locator('pre').textContent(), /"remove"/);
	await boss.getByRole('button', { name: 'Verify' }).click();
	await boss.getByText('The trail is whole').first().waitFor();
});

test('a case that somebody else has decided is shown anew, and nothing is lost', { skip }, async () => {
	const { id } = await reported('who comes first');
	const page = await enter(moderator, `#/case/${id}`, { expected: /401|409/ });
	await page.getByLabel('Decision', { exact: true }).selectOption('warn');
	await page.getByLabel('Reason').fill('what I have typed');
	await as(admin, 'POST', `/admin/cases/${id}/notes`, { text: 'wait for me' });
	await page.getByRole('button', { name: 'Decide' }).click();
	await page.getByText('The case has changed meanwhile').waitFor();
	await page.locator('.events', { hasText: 'wait for me' }).waitFor();
	assert.equal(await page.getByLabel('Decision', { exact: true }).inputValue(), 'warn');
	assert.equal(await page.getByLabel('Reason').inputValue(), 'what I have typed');
	assert.equal((await as(moderator, 'GET', `/admin/cases/${id}`)).decisions.length, 0);
	await page.getByRole('button', { name: 'Decide' }).click();
	await page.getByText('Decided', { exact: true }).first().waitFor();
});
