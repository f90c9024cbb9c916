// What the tests of the page share: Chromium, pages whose problems are noticed, accounts.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import assert from 'node:assert/strict';

const executablePath = process.env.ROOST_CHROMIUM ?? '/usr/bin/chromium';
const playwright = await import('playwright-core').catch(() => undefined);

/** Why there is nothing to test with, or false. */
export const skip = !playwright ? 'npm could not fetch playwright-core' : !existsSync(executablePath) ? `there is no ${executablePath}` : false;

/** The source of axe, which looks for what stands in the way of accessibility; undefined without its package. */
export const axe = (() => {
	try {
		return readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
	} catch {
		return undefined;
	}
})();

let browser;
let gateway;
const pages = [];

/** Starts the browser; in its sandbox, where the system allows that. */
export async function launch(itsGateway) {
	gateway = itsGateway;
	const start = (chromiumSandbox) => playwright.chromium.launch({ executablePath, chromiumSandbox, timeout: 120000, args: ['--disable-dev-shm-usage', '--disable-gpu'] });
	browser = await start(true).catch(() => start(false));
}

/** Ends the browser. No page may have had an error that its test does not expect. */
export async function close() {
	await browser?.close();
	assert.deepEqual([...new Set(pages.flatMap(({ problems }) => problems))].slice(0, 10), []);
}

/** Opens a page in a context of its own. Messages of the console that match expected are no problem. */
export async function open(path, { expected = /^$/, init, at = gateway.url, ...options } = {}) {
	const context = await browser.newContext({ viewport: { width: 1000, height: 800 }, ...options });
	context.setDefaultTimeout(60000); // when the machine is busy
	const problems = [];
	pages.push({ problems });
	context.on('weberror', (error) => problems.push(`${path}: ${error.error().stack}`));
	context.on('console', (message) => {
		if (message.type() === 'error' && !expected.test(`${message.text()} ${message.location().url}`)) problems.push(`${path}: ${message.text()} ${message.location().url}`);
	});
	if (init) await context.addInitScript(init);
	const page = await context.newPage();
	await page.goto(path.startsWith('/') ? at + path : path);
	return page;
}

/** Sends the form of the view. */
export const submit = (page, name) => page.locator('main form').getByRole('button', { name, exact: true }).click();

/** Waits until the page is connected. */
export const live = (page) => page.locator('#state[data-state=live]').waitFor();

let made = 0;

/** Registers an account on the page and waits for its home. */
export async function register(page, prefix) {
	const username = `${prefix}_p${process.pid.toString(36)}${(++made).toString(36)}`;
	await page.goto(`${gateway.url}/#/register`);
	await page.getByLabel('User name').fill(username);
	await page.getByLabel('E-mail address').fill(`${username}@example.org`);
	await page.getByLabel('Password').fill(`a fine password ${username}`);
	await submit(page, 'Register');
	await page.getByRole('heading', { name: 'Home' }).waitFor();
	return username;
}

/** A page of an account, at a path, that is connected. */
export async function enter({ username, password }, path, { at = gateway.url, ...options } = {}) {
	const page = await open('/#/login', { at, ...options });
	await page.getByLabel(/User name or/).fill(username);
	await page.getByLabel('Password').fill(password);
	await submit(page, 'Log in');
	await page.getByRole('heading', { name: 'Home' }).waitFor();
	await page.goto(`${at}/${path}`);
	await live(page);
	return page;
}
