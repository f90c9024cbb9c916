// The page at /, in a headless Chromium: what one can do there, with and without an account, by keyboard, in light and
// dark, on narrow and wide screens.  What happens live is in page_live.test.mjs.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { axe, close, launch, open, register, skip, submit } from './browser.mjs';
import { account, call, liftLimits, startGateway, until } from './lib.mjs';

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

const post = (who, text, more = {}) => call(gateway, 'POST', '/tweets', { token: who.token, body: { text, ...more } }).then(({ json }) => json);

test('a stranger reads the public timeline, post by post and page by page', { skip }, async () => {
	const author = await account(gateway, 'author');
	const nth = (i) => `post number ${i} of ${author.username}`;
	for (let i = 1; i <= 25; i++) await post(author, nth(i));
	const page = await open('/');
	await page.getByText(nth(25), { exact: true }).waitFor();
	assert.equal(await page.locator('.feed .post').count(), 20);
	await page.getByRole('button', { name: 'Show older posts' }).click();
	await page.getByText(nth(1), { exact: true }).waitFor();
	await page.getByText(nth(25), { exact: true }).locator('xpath=ancestor::article').locator('.when a').click();
	await page.locator('.post.focus', { hasText: nth(25) }).waitFor();
	assert.match(await page.title(), /post number 25/);
	await page.locator('.post.focus').getByRole('button', { name: 'Like' }).click(); // needs an account
	await page.getByRole('heading', { name: 'Log in' }).waitFor();
	await page.goBack();
	await page.locator('.post.focus').getByRole('link', { name: author.username }).first().click();
	await page.getByRole('heading', { name: author.username }).waitFor();
	await page.getByText('25 posts').waitFor();
	for (const name of [/API, with/, /OpenAPI/, /Health/]) assert.equal(await page.locator('footer').getByRole('link', { name }).count(), 1);
	assert.match(await page.locator('pre').textContent(), new RegExp(`^curl -s ${gateway.url}/api/v1/auth/register`));
});

test('registering tells what is wrong where it is wrong', { skip }, async () => {
	const taken = await account(gateway, 'taken');
	const page = await open('/#/register', { expected: /40\d|422/ });
	const name = page.getByLabel('User name');
	await name.fill(taken.username);
	await page.getByLabel('E-mail address').fill('nobody@example.org');
	await page.getByLabel('Password').fill('a sentence that is long enough');
	await submit(page, 'Register');
	await page.getByText('The user name is taken.').waitFor();
	await page.locator('#field-username[aria-invalid]').waitFor();
	assert.equal(await name.evaluate((node) => node === document.activeElement), true);
	await name.fill(`${taken.username}2`.slice(-20));
	await page.getByLabel('Password').fill('short');
	await submit(page, 'Register');
	await page.locator('#field-password[aria-invalid]').waitFor();
	assert.match(await page.locator('#field-password-note').textContent(), /\w+/);
	assert.equal(await name.getAttribute('aria-invalid'), null);
	await page.getByLabel('Password').fill('a sentence that is long enough');
	await submit(page, 'Register');
	await page.getByRole('heading', { name: 'Home' }).waitFor();
	await page.getByText('Your timeline is empty.').waitFor();
});

test('logging in, a session that outlasts a reload, and logging out in all tabs', { skip }, async () => {
	const someone = await account(gateway, 'login');
	// The other tab may hear that the session is over before the answer to the log-out has taken the cookies away.
	const page = await open('/#/login', { expected: /401|HTTP Authentication failed/ });
	await page.getByLabel(/User name or/).fill(someone.username);
	await page.getByLabel('Password').fill('not the password');
	await submit(page, 'Log in');
	await page.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
	await page.getByLabel('Password').fill(someone.password);
	await submit(page, 'Log in');
	await page.getByRole('heading', { name: 'Home' }).waitFor();
	const cookies = await page.context().cookies();
	for (const name of ['roost_access', 'roost_refresh']) assert.equal(cookies.find((cookie) => cookie.name === name).httpOnly, true, name);
	assert.doesNotMatch(await page.evaluate(() => `${document.cookie} ${JSON.stringify(localStorage)} ${JSON.stringify(sessionStorage)}`), /eyJ/);
	await page.reload();
	await page.getByRole('link', { name: someone.username }).waitFor();
	const other = await page.context().newPage();
	await other.goto(gateway.url);
	await other.getByRole('link', { name: someone.username }).waitFor();
	await page.getByRole('button', { name: 'Log out' }).click();
	for (const tab of [page, other]) await tab.locator('#who').getByRole('link', { name: 'Register' }).waitFor();
	await page.reload();
	await page.locator('#who').getByRole('link', { name: 'Log in' }).waitFor();
});

test('an access token that is gone is replaced without a word', { skip }, async () => {
	const page = await open('/', { expected: /401/ });
	await register(page, 'again');
	await page.context().clearCookies({ name: 'roost_access' });
	await page.reload();
	await page.getByRole('button', { name: 'Log out' }).waitFor();
	assert.ok((await page.context().cookies()).some(({ name }) => name === 'roost_access'));
});

test('posting counts as the server does, liking, answering, deleting', { skip }, async () => {
	const page = await open('/');
	await register(page, 'writer');
	const text = page.getByLabel('New post');
	const send = page.getByRole('button', { name: 'Post', exact: true });
	assert.equal(await send.isDisabled(), true);
	await text.fill(`${'👩‍🚀'.repeat(100)}e\u0301`); // three code points each, and one after normalization
	await page.getByText('199 left').waitFor();
	await text.fill('x'.repeat(501));
	await page.getByText('-1 left').waitFor();
	assert.equal(await send.isDisabled(), true);
	await text.fill('first #Light https://example.org/a');
	await page.keyboard.press('Control+Enter');
	const card = page.locator('.post', { hasText: 'first' });
	await card.waitFor();
	// The stream may bring the post before the answer to the request, which empties the field, is here.
	await until(async () => await text.inputValue() === '', 'the empty field');
	assert.equal(await card.getByRole('link', { name: '#Light' }).getAttribute('href'), '#/tag/light');
	assert.equal(await card.getByRole('link', { name: 'https://example.org/a' }).getAttribute('rel'), 'noopener noreferrer nofollow ugc');
	await card.getByRole('button', { name: 'Like' }).click();
	await card.getByRole('button', { name: 'Like, 1 like', pressed: true }).waitFor();
	await card.getByRole('button', { name: 'Like' }).click();
	await card.getByRole('button', { name: 'Like', exact: true, pressed: false }).waitFor();
	await card.getByRole('button', { name: 'Reply' }).click();
	await page.getByLabel(/^Your reply to/).fill('an answer');
	await page.locator('.post > .compose').getByRole('button', { name: 'Reply' }).click();
	await card.getByRole('button', { name: 'Reply, 1 reply' }).waitFor();
	await card.locator('.when a').click();
	await page.locator('.thread .post', { hasText: 'an answer' }).waitFor();
	page.on('dialog', (dialog) => dialog.accept());
	await page.locator('.post', { hasText: 'an answer' }).getByRole('button', { name: 'Delete' }).click();
	await page.locator('.post', { hasText: 'an answer' }).waitFor({ state: 'detached' });
	await page.getByRole('button', { name: 'Reply', exact: true }).first().waitFor();
});

test('following somebody, from the profile', { skip }, async () => {
	const star = await account(gateway, 'star');
	await post(star, 'a shining post');
	const page = await open('/');
	await register(page, 'fan');
	await page.goto(`${gateway.url}/#/@${star.username}`);
	const button = page.locator('.profile').getByRole('button', { name: /^Follow/ });
	await button.click();
	await page.locator('.profile').getByRole('button', { name: /^Following/, pressed: true }).waitFor();
	await page.getByText('1 follower').waitFor();
	await page.getByRole('link', { name: 'Home' }).click();
	await page.getByText('a shining post').waitFor();
});

test('what others write stays text', { skip }, async () => {
	const author = await account(gateway, 'hostile');
	const hostile = '<img src=x onerror="window.hit=1"><script>window.hit=1</script> javascript:alert(1) &amp; مرحبا';
	const written = await post(author, hostile, { content_warning: '<b>warning</b>', media: [{ type: 'image', url: 'https://example.org/a.png', description: '<i>picture</i>' }] });
	const changed = await call(gateway, 'PATCH', '/users/me', { token: author.token, body: { display_name: '<u>me</u>', bio: '<s>bio</s>' } });
	assert.equal(changed.status, 200);
	const page = await open(`/#/post/${written.id}`);
	await page.getByText('<b>warning</b>', { exact: true }).click();
	assert.equal(await page.locator('.focus .text').textContent(), hostile);
	assert.equal(await page.locator('.focus').locator('img, script, b, i, u').count(), 0);
	await page.goto(`${gateway.url}/#/@${author.username}`);
	await page.getByText('<s>bio</s>', { exact: true }).waitFor();
	for (const href of await page.locator('main a').evaluateAll((links) => links.map((link) => link.href))) assert.match(href, /^https?:/);
	assert.equal(await page.evaluate(() => window.hit), undefined);
	const plain = await open('/');
	assert.equal(await plain.evaluate(async () => (await import('/app/dom.js')).webAddress('javascript:alert(1)')), null);
	assert.equal(await plain.evaluate(async () => (await import('/app/dom.js')).webAddress('example.org/x')), 'https://example.org/x');
});

test('what is not there, and a server that cannot be reached', { skip }, async () => {
	const page = await open('/#/post/1', { expected: /404|Failed to load/ });
	await page.getByText('This post does not exist').waitFor();
	await page.goto(`${gateway.url}/#/@nobody_at_all`);
	await page.getByText('There is no @nobody_at_all').waitFor();
	await page.goto(`${gateway.url}/#/nonsense/%ff`);
	await page.getByRole('heading', { name: 'Not found' }).waitFor();
	await page.route('**/tweets/public*', (route) => route.abort());
	await page.goto(`${gateway.url}/#/public`);
	await page.getByRole('alert').getByText('The server cannot be reached.').waitFor();
	await page.unroute('**/tweets/public*');
	await page.getByRole('button', { name: 'Try again' }).click();
	await page.locator('.post').first().waitFor();
	await page.getByRole('alert').waitFor({ state: 'detached' });
});

test('the keyboard reaches everything, and focus goes along', { skip }, async () => {
	const page = await open('/');
	await page.locator('.post').first().waitFor();
	await page.keyboard.press('Tab');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'skip');
	await page.keyboard.press('Enter');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
	await page.locator('#who').getByRole('link', { name: 'Log in' }).focus();
	await page.keyboard.press('Enter');
	await page.waitForFunction(() => document.activeElement?.textContent === 'Log in' && document.activeElement.tagName === 'H1');
	await page.keyboard.press('Tab');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'field-identifier');
});

for (const colorScheme of ['light', 'dark']) {
	for (const [name, viewport] of [['narrow', { width: 320, height: 640 }], ['wide', { width: 1280, height: 800 }]]) {
		test(`nothing stands in the way of accessibility: ${colorScheme}, ${name}`, { skip: skip || (!axe && 'npm could not fetch axe-core') }, async () => {
			const author = await account(gateway, 'long');
			const written = await post(author, `${'verylongword'.repeat(20)} שלום עולם 🎉🎉 @${author.username} #tag https://example.org/${'path/'.repeat(20)}`, { content_warning: 'long' });
			await post(author, 'a quote', { quote_of_id: written.id });
			const page = await open('/', { colorScheme, viewport, expected: /401/ });
			const check = async (path, ready) => {
				await page.goto(`${gateway.url}/${path}`);
				await page.locator(ready).first().waitFor();
				const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
				assert.deepEqual(violations.map(({ id, nodes }) => `${path} ${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`), []);
				const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
				assert.ok(wide <= room, `${path} is ${wide} wide on a screen of ${room}`);
			};
			await page.evaluate(axe);
			await check('#/public', '.post');
			await check('#/register', '#field-email');
			await register(page, 'reader');
			await check('#/home', '.compose');
			await check(`#/post/${written.id}`, '.focus');
			await page.locator('summary').first().click();
			await check(`#/@${author.username}`, '.profile');
			await page.locator('.profile summary').click();
			await check(`#/@${author.username}`, '.profile .menu button');
			await page.locator('.profile').getByRole('button', { name: /^Report/ }).click();
			await page.getByRole('dialog').waitFor();
			await check('#/safety', '.safety li, .safety p.dim:not([hidden])');
			await check(`#/search/${author.username}`, '.people li');
		});
	}
}
