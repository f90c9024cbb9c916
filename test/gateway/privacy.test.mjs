// What is not for everyone: hidden posts and accounts through every way of
// reading, and what one account can find out about or do to another.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { account, answers, call, liftLimits, raw, sql, startGateway } from './lib.mjs';

let gateway;
let ann; // private
let fan; // follows ann
let eve; // does not
let open; // a public post
let hidden; // kind -> post that eve may not see
let operations;
const as = (user, method, path, body, headers) => call(gateway, method, path, { token: user?.token, body, headers });

before(async () => {
	liftLimits();
	gateway = await startGateway();
	[ann, fan, eve] = await Promise.all(['prv_ann', 'prv_fan', 'prv_eve'].map((name) => account(gateway, name)));
	const created = async (user, body) => {
		const answer = await as(user, 'POST', '/tweets', body);
		assert.equal(answer.status, 201, answer.text);
		return answer.json;
	};
	await as(fan, 'POST', `/users/${ann.id}/follow`);
	await as(ann, 'POST', `/users/${fan.id}/follow`);
	open = await created(fan, { text: 'open to all' });
	hidden = {
		followers: await created(fan, { text: 'SECRETWORD followers #prvtag', visibility: 'followers', reply_to_id: open.id }),
		direct: await created(fan, { text: `SECRETWORD direct @${ann.username} #prvtag`, visibility: 'direct', reply_to_id: open.id, quote_of_id: open.id }),
	};
	assert.equal((await as(ann, 'PATCH', '/users/me', { is_private: true })).status, 200);
	hidden.private = await created(ann, { text: 'SECRETWORD private #prvtag https://secret.example', reply_to_id: open.id, quote_of_id: open.id });
	// another layer: an open post that quotes and answers what is hidden
	hidden.nested = await created(ann, { text: 'SECRETWORD nested', reply_to_id: hidden.private.id });
	assert.equal((await as(fan, 'POST', `/tweets/${hidden.private.id}/like`)).status, 200);
	assert.equal((await as(ann, 'POST', `/tweets/${open.id}/retweet`)).status, 200);
	assert.equal((await as(ann, 'PATCH', `/tweets/${hidden.private.id}`, { text: 'SECRETWORD edited #prvtag' })).status, 200);
	assert.equal((await as(ann, 'POST', `/tweets/${hidden.private.id}/pin`)).status, 200);
	open.quoting = await created(fan, { text: 'an open word on something', quote_of_id: hidden.private.id });
	operations = Object.entries((await call(gateway, 'GET', '/openapi.json')).json.paths)
		.filter(([path]) => !/\/test\/|\/stream$/.test(path)) // those of other tests, and what does not end
		.flatMap(([path, item]) => ['get', 'post', 'put', 'patch', 'delete'].filter((method) => item[method]).map((method) => ({ method: method.toUpperCase(), path })));
});
after(() => gateway.stop());

// Every GET with every id in every place, as a viewer.
async function everything(viewer) {
	const posts = [open.id, open.quoting.id, ...Object.values(hidden).map((post) => post.id)];
	const accounts = [ann.id, fan.id, `@${ann.username}`, `@${fan.username}`];
	const found = [];
	for (const { method, path } of operations) {
		if (method !== 'GET') continue;
		const paths = path.includes('{post_id}') ? posts.map((id) => path.replace('{post_id}', id))
			: path.includes('{account_id}') ? accounts.map((id) => path.replace('{account_id}', encodeURIComponent(id)))
				: [path.replace('{username}', ann.username).replace('{hashtag}', 'prvtag')];
		if (path === '/resolve') paths.push(...Object.values(hidden).map((post) => `/resolve?url=${encodeURIComponent(post.url)}`), `/resolve?url=${encodeURIComponent(`/@${fan.username}/x-${hidden.private.id}`)}`);
		if (path === '/users') paths.push(`/users?username=${ann.username}`);
		if (/relationship/.test(path)) paths.push(`${path}?ids=${ann.id}`);
		for (const each of paths) found.push([each, await as(viewer, 'GET', each)]);
		for (const each of paths) found.push([`${each}?limit=1`, await as(viewer, 'GET', `${each}${each.includes('?') ? '&' : '?'}limit=1`)]);
	}
	return found;
}

for (const [name, who] of [['another account', () => eve], ['nobody', () => null]]) {
	test(`${name} reads nothing hidden by any way`, async () => {
		const found = await everything(who());
		assert.ok(found.length > 100);
		assert.ok(found.some(([, answer]) => answer.text.includes('open to all')));
		for (const [path, answer] of found) {
			assert.ok(answer.status < 500, `${path}: ${answer.text}`);
			assert.doesNotMatch(answer.text, /SECRETWORD|secret\.example/, path);
			for (const [kind, post] of Object.entries(hidden)) {
				if (path.includes(post.id)) assert.ok([401, 404].includes(answer.status) || (answer.status === 422 && path.endsWith('limit=1')), `${path} (${kind}): ${answer.status}`);
				// who reads a public quote of it may learn that there is something, but no more
				if (!path.includes(post.id)) assert.doesNotMatch(answer.text.replaceAll(`"quote_of_id":"${post.id}"`, ''), new RegExp(`"${post.id}"`), `${path} names the ${kind} post`);
			}
		}
		for (const list of ['followers', 'following']) assert.equal((await as(who(), 'GET', `/users/${ann.id}/${list}`)).status, 403);
	});
	test(`${name} cannot tell a hidden post from one that never was`, async () => {
		for (const { method, path } of operations) {
			if (!path.includes('{post_id}')) continue;
			const text = (answer) => JSON.stringify([answer.status, { ...answer.json, request_id: 0, instance: 0 }, answer.headers.get('etag'), answer.headers.get('link')]);
			const none = text(await as(who(), method, path.replace('{post_id}', '123')));
			for (const [kind, post] of Object.entries(hidden)) assert.equal(text(await as(who(), method, path.replace('{post_id}', post.id))), none, `${method} ${path} ${kind}`);
		}
		const body = (id) => [{ text: 'a', reply_to_id: id }, { text: 'a', quote_of_id: id }];
		for (const post of Object.values(hidden)) for (const [i, one] of body(post.id).entries()) {
			const [real, none] = [await as(who(), 'POST', '/tweets', one), await as(who(), 'POST', '/tweets', body('123')[i])];
			assert.equal(real.status, none.status);
			assert.equal(real.json.detail, none.json.detail);
		}
	});
}

test('who may, does see it', async () => {
	for (const [kind, post] of Object.entries(hidden)) assert.equal((await as(fan, 'GET', `/tweets/${post.id}`)).status, 200, kind);
	const found = await everything(fan);
	assert.ok(found.filter(([, answer]) => answer.text.includes('SECRETWORD')).length > 20);
	for (const [path, answer] of found) {
		if (!answer.text.includes('SECRETWORD')) continue;
		assert.match(answer.headers.get('cache-control'), /private|no-store/, path);
		if (!/no-store/.test(answer.headers.get('cache-control'))) assert.match(answer.headers.get('vary'), /Authorization/, path);
	}
});

test('a tag of an answer to one account says nothing to another', async () => {
	const { headers } = await as(fan, 'GET', `/tweets/${hidden.private.id}`);
	const answer = await as(eve, 'GET', `/tweets/${hidden.private.id}`, undefined, { 'if-none-match': headers.get('etag') });
	assert.equal(answer.status, 404);
	assert.equal((await as(eve, 'GET', `/tweets/${hidden.private.id}`, undefined, { 'if-none-match': '*' })).status, 404);
});

test('an idempotency key is its owner\'s', async () => {
	const key = { 'idempotency-key': 'one-key-of-two-people' };
	const first = await as(ann, 'POST', '/tweets', { text: 'SECRETWORD once' }, key);
	assert.equal(first.status, 201);
	const mine = await as(eve, 'POST', '/tweets', { text: 'SECRETWORD once' }, key);
	assert.equal(mine.status, 201);
	assert.notEqual(mine.json.id, first.json.id);
	assert.equal((await as(ann, 'POST', '/tweets', { text: 'SECRETWORD once' }, key)).json.id, first.json.id);
	assert.equal((await as(ann, 'POST', '/tweets', { text: 'something else' }, key)).status, 409);
	await as(eve, 'DELETE', `/tweets/${mine.json.id}`);
	// an error is not kept: what failed may be tried again
	const failing = { 'idempotency-key': 'a-key-that-fails-at-first' };
	assert.equal((await as(eve, 'POST', '/tweets', { text: '' }, failing)).status, 422);
	const tried = await as(eve, 'POST', '/tweets', { text: 'now' }, failing);
	assert.equal(tried.status, 201);
	assert.equal(tried.headers.get('idempotency-replayed'), null);
});

test('cookies that differ are requests that differ', async () => {
	const jar = (answer) => Object.fromEntries(answer.headers.getSetCookie().map((line) => line.split(';')[0].split(/=(.*)/)));
	const login = async (user) => jar(await as(null, 'POST', '/auth/login', { identifier: user.username, password: user.password }, { 'x-roost-cookies': '1' }));
	const [first, second] = [await login(ann), await login(eve)];
	const refresh = (cookies, headers) => as(null, 'POST', '/auth/refresh', undefined, {
		cookie: Object.entries(cookies).map(([name, value]) => `${name}=${value}`).join('; '), 'x-roost-cookies': '1', ...headers,
	});
	const key = { 'idempotency-key': 'a-long-key-that-two-browsers-share' };
	const one = await refresh(first, { 'x-csrf-token': first.roost_csrf, ...key });
	assert.equal(one.status, 200);
	const other = await refresh(second, { 'x-csrf-token': second.roost_csrf, ...key });
	assert.equal(other.status, 409, other.text);
	assert.equal((await refresh(first, { 'x-csrf-token': first.roost_csrf, ...key })).headers.get('idempotency-replayed'), 'true');
	// without proof that the page itself asks, nothing, also not again
	for (const headers of [{}, { 'x-csrf-token': 'x' }, { 'x-csrf-token': '' }, { 'x-csrf-token': second.roost_csrf }])
		for (const with_key of [{}, key]) {
			const answer = await refresh(first, { ...headers, ...with_key });
			assert.ok([403, 409].includes(answer.status), `${JSON.stringify(headers)}: ${answer.status}`);
		}
	for (const origin of ['null', 'https://evil.example', `http://sub.127.0.0.1:${gateway.port}`]) {
		const answer = await refresh(second, { origin });
		assert.equal(answer.status, 403);
		assert.equal(answer.headers.get('access-control-allow-origin'), null);
	}
	const write = (headers) => as(null, 'POST', '/tweets', { text: 'by cookie' }, { cookie: `roost_access=${first.roost_access}; roost_csrf=${first.roost_csrf}`, ...headers });
	assert.equal((await write({})).status, 403);
	assert.equal((await write({ 'x-csrf-token': '' })).status, 403);
	assert.equal((await as(null, 'POST', '/tweets', { text: 'x' }, { cookie: `roost_access=${first.roost_access}; roost_csrf=`, 'x-csrf-token': '' })).status, 403);
	assert.equal((await write({ 'x-csrf-token': first.roost_csrf })).status, 201);
});

test('what is another\'s stays as it is', async () => {
	const session = (await as(ann, 'GET', '/auth/sessions')).json.items[0];
	const device = (await as(ann, 'GET', '/auth/devices')).json.items[0];
	for (const [method, path, body] of [
		['DELETE', `/auth/sessions/${session.id}`], ['DELETE', `/sessions/${session.id}`], ['DELETE', `/auth/devices/${device.id}`], ['DELETE', `/devices/${device.id}`],
		['PATCH', `/tweets/${open.id}`, { text: 'mine now' }], ['PUT', `/tweets/${open.id}`, { text: 'mine now' }], ['DELETE', `/tweets/${open.id}`],
		['POST', `/tweets/${open.id}/pin`], ['DELETE', `/tweets/${open.id}/pin`], ['POST', `/tweets/${hidden.private.id}/like`], ['POST', `/tweets/${hidden.private.id}/bookmark`],
		['POST', `/tweets/${hidden.followers.id}/retweet`], ['POST', `/follow-requests/${ann.id}/accept`], ['POST', `/follow-requests/${fan.id}/accept`],
	]) {
		const answer = await as(eve, method, path, body);
		assert.ok([403, 404].includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`);
	}
	assert.equal((await as(fan, 'POST', `/tweets/${hidden.private.id}/retweet`)).status, 403, 'followers do not pass on what is private');
});

test('no header of the request gets where it should not', async () => {
	const head = (more, path = '/tweets/public?limit=1') => raw(gateway, `GET ${path} HTTP/1.1\r\n${more}Connection: close\r\n\r\n`);
	for (const host of ['evil.example\\x', 'a"b', 'a>; rel="next"', 'a b', 'x'.repeat(300)]) {
		const [answer] = answers(await head(`Host: ${host}\r\n`));
		assert.ok(answer.status < 500);
		assert.doesNotMatch(answer.headers.link ?? '', /evil|"b|rel="next">/);
	}
	for (const id of ['a\tb', 'x'.repeat(500), 'a"b\\', '\x01', '\xff\xfe', '<script>']) {
		const [answer] = answers(await head(`Host: a\r\nX-Request-Id: ${id}\r\n`));
		assert.ok(answer.status < 500);
		assert.match(answer.headers['x-request-id'], /^[\w.:-]{1,128}$/, JSON.stringify(id));
	}
	const [link] = answers(await head('Host: a\r\n', '/tweets/public?limit=1&after=0%0d%0aX-Bad:1'));
	assert.equal(link.headers['x-bad'], undefined);
});

test('accounts that are suspended or gone are not there', async () => {
	const sue = await account(gateway, 'prv_sue');
	const post = (await as(sue, 'POST', '/tweets', { text: 'SUEWORD #prvsue' })).json;
	await as(eve, 'POST', `/tweets/${post.id}/like`);
	await as(eve, 'POST', `/tweets/${post.id}/bookmark`);
	await as(eve, 'POST', `/tweets/${post.id}/retweet`);
	await as(eve, 'POST', `/users/${sue.id}/follow`);
	const gone = async () => {
		for (const viewer of [eve, null, ann]) {
			for (const path of [`/users/${sue.id}`, `/users/@${sue.username}`, `/users/${sue.id}/tweets`, `/users/${sue.id}/followers`, `/users/${sue.id}/following`, `/tweets/${post.id}`, `/tweets/${post.id}/likes`, `/tweets/${post.id}/history`, `/tweets/${post.id}/context`])
				assert.equal((await as(viewer, 'GET', path)).status, 404, path);
			for (const path of ['/tweets/public', '/hashtags/prvsue/tweets', `/users/${eve.id}/tweets`, `/users/${eve.id}/following`, `/users?username=${sue.username}`, `/users?ids=${sue.id}`])
				assert.doesNotMatch((await as(viewer, 'GET', path)).text, new RegExp(`SUEWORD|${sue.username}`), path);
		}
		for (const path of ['/tweets/home', '/bookmarks', '/likes']) assert.doesNotMatch((await as(eve, 'GET', path)).text, /SUEWORD/, path);
		for (const path of ['/users/me', '/tweets/home']) assert.equal((await as(sue, 'GET', path)).status, 401);
		assert.equal((await as(sue, 'POST', '/tweets', { text: 'still here' })).status, 401);
		assert.equal((await as(null, 'POST', '/auth/refresh', { refresh_token: sue.session.refresh_token })).status, 401);
		assert.ok([404, 403].includes((await as(eve, 'POST', `/users/${sue.id}/follow`)).status));
	};
	sql(`UPDATE roost_data.account SET status = 'suspended' WHERE id = ${sue.id}`);
	await gone();
	assert.equal((await as(null, 'POST', '/auth/login', { identifier: sue.username, password: sue.password })).status, 403);
	sql(`UPDATE roost_data.account SET status = 'active' WHERE id = ${sue.id}`);
	const again = await as(null, 'POST', '/auth/login', { identifier: sue.username, password: sue.password });
	assert.equal((await call(gateway, 'DELETE', '/users/me', { token: again.json.access_token, body: { password: sue.password } })).status, 204);
	await gone();
	assert.equal((await as(null, 'POST', '/auth/login', { identifier: sue.username, password: sue.password })).status, 401);
	assert.equal((await as(eve, 'GET', '/users/me')).json.following_count, 0);
	assert.equal(sql(`SELECT count(*) FROM roost_data.post_like WHERE post_id = ${post.id}`), '0');
});
