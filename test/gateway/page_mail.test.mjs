// The links in mails, opened on the page at /: an address is confirmed and a password set, by a button, whoever is logged in;
// and a session of which another tab has taken the cookie away.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { axe, close, enter, launch, live, open, skip, submit } from './browser.mjs';
import { account, call, liftLimits, sql, startGateway, until } from './lib.mjs';

let gateway;

before(async () => {
	if (skip) return;
	liftLimits();
	gateway = await startGateway();
	await launch(gateway);
});

after(async () => {
	await close().finally(() => gateway?.stop());
});

// The link in the newest mail to an address, as its path and query.
const linkTo = (address, template) => until(() => sql(`SELECT substring(payload->>'text' FROM '(/[a-z-]+[?]token=[A-Za-z0-9._-]+)') FROM roost_data.job
	WHERE queue = 'mail' AND payload->>'to' = '${address}' AND payload->>'template' = '${template}' ORDER BY id DESC LIMIT 1`), `a mail to ${address}`);
const me = async (who) => (await call(gateway, 'GET', '/users/me', { token: who.token })).json;
const forgot = async (who) => {
	assert.equal((await call(gateway, 'POST', '/auth/forgot-password', { body: { email: who.email } })).status, 204);
	return linkTo(who.email, 'reset_password');
};
const login = (who, password) => call(gateway, 'POST', '/auth/login', { body: { identifier: who.username, password } }).then(({ status }) => status);
const confirm = (page) => page.getByRole('button', { name: 'Confirm the address' });
// The token is where nobody finds it later.
const clean = async (page, link) => {
	const [, token] = link.split('=');
	const text = await page.evaluate(() => `${location.href} ${document.cookie} ${JSON.stringify([localStorage, sessionStorage, history.state])} ${document.documentElement.outerHTML}`);
	assert.ok(token.length > 20 && !text.includes(token));
};

test('confirming an address: not by opening the link, but by the button, once', { skip }, async () => {
	const ann = await account(gateway, 'link_ann');
	const link = await linkTo(ann.email, 'verify_email');
	const page = await open('/#/public', { expected: /422/ });
	const posts = [];
	page.on('request', (request) => { if (request.method() !== 'GET') posts.push(new URL(request.url()).pathname); });
	await page.goto(gateway.url + link);
	await confirm(page).waitFor();
	assert.equal(page.url(), `${gateway.url}/#/verify-email`);
	await clean(page, link);
	assert.deepEqual(posts, []);
	assert.equal((await me(ann)).email_verified, false);
	assert.equal(await page.getByLabel('Code from the mail').isVisible(), false);
	await confirm(page).click();
	await page.getByRole('status').getByText('The address is confirmed.').waitFor();
	await until(() => page.locator('.outcome').evaluate((node) => node === document.activeElement), 'the focus on what has become of it');
	assert.equal((await me(ann)).email_verified, true);
	assert.deepEqual(posts, ['/api/v1/auth/verify-email']);

	// After a reload, and after the way back, there is nothing left to be done again.
	await page.reload();
	await page.getByLabel('Code from the mail').waitFor();
	await page.goBack();
	await page.getByRole('heading', { name: 'Public' }).waitFor();
	await page.goForward();
	await page.getByLabel('Code from the mail').waitFor();
	assert.deepEqual(posts, ['/api/v1/auth/verify-email']);

	// The same link once more.
	await page.goto(gateway.url + link);
	await confirm(page).click();
	await page.locator('#mailed-token-note.problem', { hasText: 'It was used before.' }).waitFor();
	await until(() => page.locator('#mailed-token').evaluate((node) => node === document.activeElement), 'the focus on the code');
	await clean(page, link);
});

test('a link that has expired, and one that is not whole', { skip }, async () => {
	const ann = await account(gateway, 'late_ann');
	const link = await linkTo(ann.email, 'verify_email');
	const page = await open(link.slice(0, -3), { expected: /422/ });
	await confirm(page).click();
	await page.locator('#mailed-token-note.problem', { hasText: 'It is incomplete' }).waitFor();
	sql(`UPDATE roost_data.email_token SET expires_at = created_at WHERE email = '${ann.email}'`);
	await page.goto(gateway.url + link);
	await confirm(page).click();
	await page.locator('#mailed-token-note.problem', { hasText: 'It has expired.' }).waitFor();
	assert.equal((await me(ann)).email_verified, false);

	// With the code of another mail, by hand.
	await call(gateway, 'POST', '/auth/resend-verification', { token: ann.token });
	const next = await linkTo(ann.email, 'verify_email');
	await page.getByLabel('Code from the mail').fill(`https://example.org${next}`);
	await confirm(page).click();
	await page.getByText('The address is confirmed.').waitFor();
	await page.goto(`${gateway.url}/verify-email`);
	await page.getByLabel('Code from the mail').waitFor();
	await page.goto(`${gateway.url}/forgot-password`);
	await page.getByRole('heading', { name: 'A new password' }).waitFor();
	assert.equal(page.url(), `${gateway.url}/#/forgot`);
});

test('confirming while one is logged in: as that account, and as another', { skip }, async () => {
	const [ann, bob] = await Promise.all([account(gateway, 'own_ann'), account(gateway, 'own_bob')]);
	const page = await enter(ann, '#/home');
	await page.goto(gateway.url + await linkTo(bob.email, 'verify_email'));
	await confirm(page).click();
	await page.getByText(`The address is confirmed. You are logged in as ${ann.username}.`).waitFor();
	assert.deepEqual([(await me(ann)).email_verified, (await me(bob)).email_verified], [false, true]);
	await page.goto(gateway.url + await linkTo(ann.email, 'verify_email'));
	await confirm(page).click();
	await page.getByText(`Your address ${ann.email} is confirmed.`).waitFor();
	await page.goto(`${gateway.url}/#/settings/account`);
	await page.getByText('· confirmed').waitFor();
});

test('a new password: logged out, as that account, as another', { skip }, async () => {
	const [ann, bob] = await Promise.all([account(gateway, 'pass_ann'), account(gateway, 'pass_bob')]);
	const link = await forgot(ann);
	const page = await open(link, { expected: /422/ });
	await page.getByLabel('New password').fill('short');
	assert.equal(page.url(), `${gateway.url}/#/reset-password`);
	await clean(page, link);
	await submit(page, 'Set the password');
	await page.locator('#mailed-password[aria-invalid]').waitFor();
	await page.getByLabel('New password').fill('ferns unfold in the spring');
	await submit(page, 'Set the password');
	await page.getByText('The password is set.').waitFor();
	await page.locator('.outcome').getByRole('link', { name: 'Log in' }).waitFor();
	assert.equal(await login(ann, 'ferns unfold in the spring'), 200);
	await page.goto(gateway.url + link);
	await page.getByLabel('New password').fill('lichen takes its time to grow');
	await submit(page, 'Set the password');
	await page.locator('#mailed-token-note.problem', { hasText: 'It was used before.' }).waitFor();
	assert.equal(await page.getByLabel('New password').inputValue(), 'lichen takes its time to grow');
	assert.equal(await login(ann, 'lichen takes its time to grow'), 401);

	// As another account: that session goes on.
	const other = await enter(bob, '#/home');
	await other.goto(gateway.url + await forgot(ann));
	await other.getByLabel('New password').fill('lichen takes its time to grow');
	await submit(other, 'Set the password');
	await other.getByText(`The password is set. You are logged in as ${bob.username}.`).waitFor();
	await other.reload();
	await other.locator('#who').getByRole('link', { name: bob.username }).waitFor();
	await live(other);

	// As that account: the session ends, which is said, and what has become of it stays.
	const own = await enter({ ...ann, password: 'lichen takes its time to grow' }, '#/home', { expected: /401|HTTP Authentication failed/ });
	await own.goto(gateway.url + await forgot(ann));
	await own.locator('#who').getByRole('link', { name: ann.username }).waitFor();
	await own.getByLabel('New password').fill('moss grows on the north side');
	await submit(own, 'Set the password');
	await own.locator('.outcome').getByRole('link', { name: 'Log in' }).click();
	await own.locator('#who').getByRole('link', { name: 'Register' }).waitFor();
	await own.getByLabel(/User name or/).fill(ann.username);
	await own.getByLabel('Password').fill('moss grows on the north side');
	await submit(own, 'Log in');
	await own.getByRole('heading', { name: 'Home' }).waitFor();
});

test('a session that ends after its cookie has gone: the page says so', { skip }, async () => {
	const ann = await account(gateway, 'bare_ann');
	for (const end of ['the stream', 'a request']) {
		const page = await enter(ann, '#/settings/sessions', { expected: /401|HTTP Authentication failed/ });
		await page.locator('[data-session]').first().waitFor();
		await page.context().clearCookies({ name: 'roost_csrf' });
		assert.equal(await page.locator('#who').getByRole('link', { name: ann.username }).count(), 1);
		if (end === 'the stream') assert.equal((await call(gateway, 'POST', '/auth/logout-all', { token: ann.token })).status, 204);
		else await page.getByRole('link', { name: 'Bookmarks' }).click();
		await page.getByText('You have been logged out.').waitFor();
		await page.locator('#who').getByRole('link', { name: 'Register' }).waitFor();
	}
});

for (const colorScheme of ['light', 'dark']) {
	for (const [name, viewport] of [['narrow', { width: 360, height: 740 }], ['wide', { width: 1280, height: 800 }]]) {
		test(`nothing stands in the way of accessibility: ${colorScheme}, ${name}`, { skip: skip || (!axe && 'npm could not fetch axe-core') }, async () => {
			const ann = await account(gateway, 'axe_ann');
			await call(gateway, 'PATCH', '/users/me', { token: ann.token, body: { display_name: 'W'.repeat(50) } });
			const page = await enter(ann, '#/home', { colorScheme, viewport, expected: /401|422|HTTP Authentication failed/ });
			const check = async (what) => {
				await page.evaluate(axe);
				const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
				assert.deepEqual(violations.map(({ id, nodes }) => `${what} ${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`), []);
				const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
				assert.ok(wide <= room, `${what} is ${wide} wide on a screen of ${room}`);
			};
			const link = await linkTo(ann.email, 'verify_email');
			await page.goto(gateway.url + link);
			await confirm(page).waitFor();
			await check('confirm');
			await confirm(page).click();
			await page.getByText(/^Your address .* is confirmed\./).waitFor();
			await check('confirmed');
			await page.goto(gateway.url + link);
			await confirm(page).click();
			await page.locator('#mailed-token-note.problem').waitFor();
			await check('a link that was used');
			await page.goto(gateway.url + await forgot(ann));
			await page.getByLabel('New password').waitFor();
			await check('a new password');
		});
	}
}
