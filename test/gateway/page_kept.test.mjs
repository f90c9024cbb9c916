// Bookmarks, likes, and who follows whom, on the page at /.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { axe, close, enter, launch, live, open, skip } from './browser.mjs';
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

const as = async (who, method, path, body) => {
	const { status, json, text } = await call(gateway, method, path, { token: who.token, body });
	assert.ok(status < 300, `${method} ${path}: ${status} ${text}`);
	return json;
};
const many = (...names) => Promise.all(names.map((name) => account(gateway, name)));
const crowd = async (prefix, count) => {
	const list = [];
	for (let i = 0; i < count; i++) list.push(await account(gateway, `${prefix}${i}`));
	return list;
};

test('bookmarks: kept from a post, in their own order, taken back without a jump, gone with the post', { skip }, async () => {
	const [ann, bob] = await many('keep_ann', 'keep_bob');
	await as(ann, 'POST', `/users/${bob.id}/follow`); // so that home tells of the deletion
	const older = await as(bob, 'POST', '/tweets', { text: 'the older one' });
	const newer = await as(bob, 'POST', '/tweets', { text: 'the newer one' });
	const page = await enter(ann, `#/post/${newer.id}`, { expected: /404|500/ });
	const bookmark = (text) => page.locator('.post', { hasText: text }).getByRole('button', { name: 'Bookmark' });
	await bookmark('the newer one').click();
	await bookmark('the newer one').and(page.locator('[aria-pressed=true]')).waitFor();
	await until(async () => (await as(ann, 'GET', '/bookmarks')).items.length === 1, 'the bookmark');
	await as(ann, 'POST', `/tweets/${older.id}/bookmark`);
	await page.locator('nav').getByRole('link', { name: 'Bookmarks' }).click();
	await page.locator('.post', { hasText: 'the older one' }).waitFor();
	assert.deepEqual(await page.locator('.post .text').allTextContents(), ['the older one', 'the newer one']);
	await bookmark('the older one').focus();
	await page.keyboard.press('Enter');
	await bookmark('the older one').and(page.locator('[aria-pressed=false]')).waitFor();
	await until(async () => (await as(ann, 'GET', '/bookmarks')).items.length === 1, 'one bookmark less');
	assert.equal(await page.locator('.post').count(), 2);
	assert.equal(await bookmark('the older one').evaluate((node) => node === document.activeElement), true);
	await page.reload();
	await page.locator('.post', { hasText: 'the newer one' }).waitFor();
	assert.equal(await page.locator('.post').count(), 1);

	// What the server refuses is not shown as if it were so.
	await page.route('**/bookmark', (route) => route.fulfill({ status: 500, json: { detail: 'it does not work' } }));
	await bookmark('the newer one').click();
	await page.getByRole('alert').getByText('It does not work.').waitFor();
	await bookmark('the newer one').and(page.locator('[aria-pressed=true]')).waitFor();
	await page.unroute('**/bookmark');

	await live(page);
	await as(bob, 'DELETE', `/tweets/${newer.id}`);
	await page.getByText('You have kept nothing yet.').waitFor();
	const stranger = await open(`/#/post/${older.id}`);
	await stranger.locator('.focus').waitFor();
	assert.equal(await stranger.getByRole('button', { name: 'Bookmark' }).count(), 0);
});

test('more bookmarks than a page, and what one likes', { skip }, async () => {
	const ann = await account(gateway, 'more_ann');
	for (let i = 1; i <= 25; i++) {
		const { id } = await as(ann, 'POST', '/tweets', { text: `kept ${i}.` });
		await as(ann, 'POST', `/tweets/${id}/bookmark`);
		if (i === 7) await as(ann, 'POST', `/tweets/${id}/like`);
	}
	const page = await enter(ann, '#/bookmarks');
	await page.getByText('kept 25.').waitFor();
	assert.equal(await page.locator('.post').count(), 20);
	await page.getByRole('button', { name: 'Show older ones' }).click();
	await page.getByText('kept 1.').waitFor();
	assert.equal(await page.locator('.post').count(), 25);
	await until(() => page.evaluate(() => document.activeElement.closest('.post')?.textContent.includes('kept 5.')), 'the focus on the first new one');
	await page.locator('.tabs').getByRole('link', { name: 'Likes' }).click();
	await page.getByRole('heading', { name: 'Likes' }).waitFor();
	await until(async () => (await page.locator('.post .text').allTextContents()).join() === 'kept 7.', 'the one that is liked');
	await page.locator('nav [aria-current]', { hasText: 'Bookmarks' }).waitFor();
	await page.goBack();
	await page.getByRole('heading', { name: 'Bookmarks' }).waitFor();
});

test('followers: from a profile, page by page, with buttons that follow, and as it happens', { skip }, async () => {
	const star = await account(gateway, 'fol_star');
	const fans = await crowd('fol_fan', 25);
	for (const fan of fans) await as(fan, 'POST', `/users/${star.id}/follow`);
	const page = await enter(star, '#/home');
	await page.goto(`${gateway.url}/#/@${star.username}`);
	await page.getByRole('link', { name: '25 followers' }).click();
	await page.getByRole('heading', { name: `Who follows @${star.username}` }).waitFor();
	const rows = page.locator('main .people li');
	await rows.first().waitFor();
	assert.equal(await rows.count(), 20);
	await rows.first().getByText(`@${fans.at(-1).username} · follows you`).waitFor();
	await page.getByRole('button', { name: 'Show more' }).click();
	await until(async () => await rows.count() === 25, 'all followers');
	await rows.filter({ hasText: fans[0].username }).waitFor();
	const follow = rows.filter({ hasText: fans[3].username }).getByRole('button', { name: /^Follow/ });
	await follow.focus();
	await page.keyboard.press('Enter');
	await rows.filter({ hasText: fans[3].username }).getByRole('button', { name: /^Following/ }).waitFor();
	assert.equal((await as(star, 'GET', `/users/${fans[3].id}/relationship`)).following, true);

	// A new one comes on top, and the focus stays where it was.
	const late = await account(gateway, 'fol_late');
	await as(late, 'POST', `/users/${star.id}/follow`);
	await rows.first().getByText(`@${late.username} · follows you`).waitFor();
	assert.equal(await rows.count(), 26);
	assert.equal(await rows.filter({ hasText: fans[3].username }).getByRole('button').evaluate((node) => node === document.activeElement), true);
	await page.locator('.tabs').getByRole('link', { name: 'Following' }).click();
	await page.getByRole('heading', { name: `Whom @${star.username} follows` }).waitFor();
	await until(async () => await rows.count() === 1, 'whom it follows');
	await page.reload();
	await rows.filter({ hasText: fans[3].username }).waitFor();
	const stranger = await open(`/#/@${star.username}/followers`);
	await stranger.locator('main .people li').first().waitFor();
	assert.equal(await stranger.locator('main .people button').count(), 0);
});

test('lists that are not for everybody, and of nobody', { skip }, async () => {
	const [shy, bob] = await many('shy_ann', 'shy_bob');
	await as(shy, 'PATCH', '/users/me', { is_private: true });
	const page = await enter(bob, `#/@${shy.username}/followers`, { expected: /40[34]|Failed to load/ });
	await page.getByText('Its lists are shown to those it lets follow it.').waitFor();
	await page.goto(`${gateway.url}/#/@nobody_at_all/following`);
	await page.getByText('There is no @nobody_at_all.').waitFor();
	await page.goto(`${gateway.url}/#/@${bob.username}/following`);
	await page.getByText('Nobody yet.').waitFor();
	await page.goto(`${gateway.url}/#/@${bob.username}/nonsense`);
	await page.getByRole('heading', { name: 'Not found' }).waitFor();
	await page.route('**/followers*', (route) => route.abort());
	await page.goto(`${gateway.url}/#/@${bob.username}/followers`);
	await page.getByRole('alert').getByText('The server cannot be reached.').waitFor();
	await page.unroute('**/followers*');
	await page.getByText('Nobody yet.').waitFor(); // it is tried again by itself
});

for (const colorScheme of ['light', 'dark']) {
	for (const [name, viewport] of [['narrow', { width: 360, height: 740 }], ['wide', { width: 1280, height: 800 }]]) {
		test(`nothing stands in the way of accessibility: ${colorScheme}, ${name}`, { skip: skip || (!axe && 'npm could not fetch axe-core') }, async () => {
			const [ann, fan] = await many('axe_ann', 'axe_fan');
			await as(fan, 'PATCH', '/users/me', { display_name: 'W'.repeat(50), bio: `${'verylongword'.repeat(20)} שלום עולם` });
			await as(fan, 'POST', `/users/${ann.id}/follow`);
			const { id } = await as(fan, 'POST', '/tweets', { text: 'verylongword'.repeat(20) });
			await as(ann, 'POST', `/tweets/${id}/bookmark`);
			await as(ann, 'POST', `/tweets/${id}/like`);
			const page = await enter(ann, '#/home', { colorScheme, viewport });
			await page.evaluate(axe);
			for (const [path, ready] of [['bookmarks', '.post'], ['likes', '.post'], [`@${ann.username}/followers`, '.people button'], [`@${ann.username}/following`, '.notice .dim']]) {
				await page.goto(`${gateway.url}/#/${path}`);
				await page.locator(ready).first().waitFor();
				const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
				assert.deepEqual(violations.map(({ id: what, nodes }) => `${path} ${what}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`), []);
				const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
				assert.ok(wide <= room, `${path} is ${wide} wide on a screen of ${room}`);
			}
		});
	}
}
