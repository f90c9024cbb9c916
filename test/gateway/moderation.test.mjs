// From a report to an overturned decision, over HTTP, as everybody concerned sees it.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { account, call, liftLimits, sql, startGateway, until } from './lib.mjs';

let gateway;
let author; // is reported
let reporter;
let stranger;
let moderator;
let admin;
let other; // another admin
const as = (user, method, path, body) => call(gateway, method, path, { token: user?.token, body });

// Fails with what came unless the status is the one expected.
async function expect(status, user, method, path, body) {
	const answer = await as(user, method, path, body);
	assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
	return answer.json;
}

const login = (user) => call(gateway, 'POST', '/auth/login', { body: { identifier: user.username, password: user.password } });

before(async () => {
	liftLimits();
	gateway = await startGateway();
	[author, reporter, stranger, moderator, admin, other] =
		await Promise.all(['mod_author', 'mod_reporter', 'mod_stranger', 'mod_mod', 'mod_admin', 'mod_other'].map((name) => account(gateway, name)));
	sql(`SELECT roost.role_grant('@${moderator.username}', 'moderator'), roost.role_grant('@${admin.username}', 'admin'), roost.role_grant('@${other.username}', 'admin');
		SELECT roost_internal.email_verified(${author.id}, '${author.email}')`);
	await expect(200, stranger, 'POST', `/users/${author.id}/follow`);
});
after(() => gateway.stop());

test('a client knows what to show', async () => {
	assert.deepEqual((await expect(200, stranger, 'GET', '/auth/me')).permissions, []);
	const { permissions, role } = await expect(200, moderator, 'GET', '/auth/me');
	assert.equal(role, 'moderator');
	assert.ok(permissions.includes('report.read') && !permissions.includes('account.ban'));
	assert.ok((await login(moderator)).json.account.permissions.includes('case.handle'));
	const roles = await expect(200, admin, 'GET', '/admin/roles');
	assert.ok(['admin', 'moderator', 'user'].every((name) => roles.items.some((each) => each.name === name)));
	const all = (await expect(200, admin, 'GET', '/admin/permissions')).items;
	assert.deepEqual(roles.items[0].permissions, [...all].sort());
});

test('report, queue, decide, appeal, overturn', async () => {
	const post = await expect(201, author, 'POST', '/tweets', { text: 'buy this at once' });
	assert.ok((await expect(200, null, 'GET', '/reports/categories')).items.some(({ name }) => name === 'spam'));
	const report = await expect(201, reporter, 'POST', '/reports', { post_id: post.id, category: 'spam', comment: 'the tenth today', evidence: 'and by message, too' });
	assert.equal(report.status, 'open');
	assert.equal(report.account.username, author.username);
	await expect(422, reporter, 'POST', '/reports', { post_id: post.id, category: 'nonsense' });
	await expect(422, reporter, 'POST', '/reports', { category: 'spam' });
	await expect(404, reporter, 'POST', '/reports', { post_id: '1', category: 'spam' });
	await expect(401, null, 'POST', '/reports', { post_id: post.id, category: 'spam' });
	await expect(422, author, 'POST', '/reports', { post_id: post.id, category: 'spam' });

	await expect(403, stranger, 'GET', '/admin/cases');
	await expect(401, null, 'GET', '/admin/cases');
	const queue = await expect(200, moderator, 'GET', '/admin/cases?status=unassigned&category=spam&limit=100');
	const found = queue.items.find(({ subject_id }) => subject_id === post.id);
	assert.equal(found.report_count, 1);
	await expect(403, stranger, 'GET', `/admin/cases/${found.id}`);
	assert.equal((await expect(200, moderator, 'POST', `/admin/cases/${found.id}/assign`, {})).assignee.username, moderator.username);
	assert.ok((await expect(200, moderator, 'GET', '/admin/cases?assignee=me')).items.some(({ id }) => id === found.id));
	assert.equal((await expect(201, moderator, 'POST', `/admin/cases/${found.id}/notes`, { text: 'I know this one' })).kind, 'note');
	const detail = await expect(200, moderator, 'GET', `/admin/cases/${found.id}`);
	assert.equal(detail.snapshot.text, 'buy this at once');
	assert.equal(detail.reports[0].reporter.username, reporter.username);
	assert.equal(detail.reports[0].evidence, 'and by message, too');
	assert.equal(detail.target.username, author.username);
	assert.deepEqual(detail.events.map(({ kind }) => kind), ['opened', 'assigned', 'note']);

	// somebody else has changed it meanwhile
	await expect(409, moderator, 'POST', `/admin/cases/${found.id}/decide`, { decision: 'remove', version: detail.version - 1 });
	await expect(403, moderator, 'POST', `/admin/cases/${found.id}/decide`, { decision: 'ban' });
	await expect(422, moderator, 'POST', `/admin/cases/${found.id}/decide`, { decision: 'explode' });
	const decision = await expect(201, moderator, 'POST', `/admin/cases/${found.id}/decide`,
		{ decision: 'remove', reason: 'No advertising.', text: 'clear', version: detail.version });
	await expect(409, moderator, 'POST', `/admin/cases/${found.id}/decide`, { decision: 'dismiss' });

	// what everybody sees
	await expect(404, stranger, 'GET', `/tweets/${post.id}`);
	await expect(404, null, 'GET', `/tweets/${post.id}`);
	assert.equal((await expect(200, author, 'GET', `/tweets/${post.id}`)).state, 'removed');
	assert.ok(!(await expect(200, stranger, 'GET', '/tweets/home')).items.some(({ id }) => id === post.id));
	const told = (await expect(200, reporter, 'GET', '/reports')).items[0];
	assert.deepEqual([told.status, told.outcome], ['decided', 'action']);
	const strike = (await expect(200, author, 'GET', '/moderation/decisions')).items[0];
	assert.deepEqual([strike.id, strike.decision, strike.reason, strike.can_appeal], [decision.id, 'remove', 'No advertising.', true]);
	const words = JSON.stringify(await expect(200, author, 'GET', `/moderation/decisions/${strike.id}`)) + JSON.stringify(await expect(200, author, 'GET', '/users/me/export'));
	for (const secret of [moderator.username, moderator.id, reporter.username, 'clear', 'the tenth today']) assert.ok(!words.includes(`"${secret}"`), secret);
	await expect(404, stranger, 'GET', `/moderation/decisions/${strike.id}`);

	// the appeal
	await expect(404, stranger, 'POST', `/moderation/decisions/${strike.id}/appeal`, { text: 'not mine' });
	assert.equal((await expect(201, author, 'POST', `/moderation/decisions/${strike.id}/appeal`, { text: 'It was art.' })).status, 'open');
	await expect(409, author, 'POST', `/moderation/decisions/${strike.id}/appeal`, { text: 'It was art.' });
	await expect(403, moderator, 'GET', '/admin/appeals');
	const appeal = (await expect(200, admin, 'GET', '/admin/appeals?limit=100')).items.find(({ decision_id }) => decision_id === strike.id);
	assert.equal(appeal.decision.decided_by.username, moderator.username);
	await expect(403, moderator, 'POST', `/admin/appeals/${appeal.id}/decide`, { decision: 'uphold' });
	assert.equal((await expect(200, admin, 'POST', `/admin/appeals/${appeal.id}/decide`, { decision: 'overturn', reason: 'So it was.' })).status, 'overturned');
	await expect(409, other, 'POST', `/admin/appeals/${appeal.id}/decide`, { decision: 'uphold' });
	assert.equal((await expect(200, stranger, 'GET', `/tweets/${post.id}`)).text, 'buy this at once');
	assert.equal((await expect(200, author, 'GET', '/moderation/appeals')).items[0].reason, 'So it was.');
	assert.equal((await expect(200, reporter, 'GET', '/reports')).items[0].outcome, 'no_action');
	assert.equal((await expect(200, moderator, 'GET', `/admin/cases/${found.id}`)).status, 'closed');
});

test('a suspension ends every session, says how to appeal, and takes nothing away', async () => {
	const post = await expect(201, author, 'POST', '/tweets', { text: 'still here' });
	const refresh = author.session.refresh_token;
	const until_ = new Date(Date.now() + 86400000).toISOString();
	await expect(422, moderator, 'POST', `/admin/accounts/${author.id}/suspend`, {});
	await expect(422, moderator, 'POST', `/admin/accounts/${author.id}/suspend`, { until: 'tomorrow-ish' });
	await expect(422, moderator, 'POST', `/admin/accounts/${author.id}/explode`, {});
	await expect(403, moderator, 'POST', `/admin/accounts/${author.id}/ban`, {});
	await expect(403, moderator, 'POST', `/admin/accounts/${admin.id}/suspend`, { until: until_ });
	await expect(403, stranger, 'POST', `/admin/accounts/${author.id}/suspend`, { until: until_ });
	const decision = await expect(201, moderator, 'POST', `/admin/accounts/@${author.username}/suspend`, { until: until_, reason: 'Too much.' });
	assert.equal(Date.parse(decision.until), Date.parse(until_));

	await expect(401, author, 'GET', '/auth/me');
	assert.equal((await call(gateway, 'POST', '/auth/refresh', { body: { refresh_token: refresh } })).status, 401);
	const refused = await login(author);
	assert.equal(refused.status, 403);
	assert.match(refused.json.detail, /suspended until \d{4}-\d\d-\d\dT/);
	assert.match(refused.json.detail, /Too much\./);
	assert.match(refused.json.hint, /POST \/appeals/);
	assert.equal((await call(gateway, 'POST', '/auth/login', { body: { identifier: author.username, password: 'wrong' } })).status, 401);
	await expect(404, stranger, 'GET', `/tweets/${post.id}`);
	await expect(404, stranger, 'GET', `/users/${author.id}`);
	assert.equal((await expect(200, moderator, 'GET', `/admin/accounts/@${author.username}`)).status, 'suspended');
	assert.ok((await expect(200, moderator, 'GET', `/admin/accounts?q=${author.username}&status=suspended`)).items.some(({ id }) => id === author.id));

	const objection = { identifier: author.username, password: author.password, text: 'It was not me.' };
	await expect(401, null, 'POST', '/appeals', { ...objection, password: 'wrong' });
	assert.equal((await expect(201, null, 'POST', '/appeals', objection)).decision_id, decision.id);
	await expect(409, null, 'POST', '/appeals', objection);
	await expect(401, null, 'POST', '/appeals', { ...objection, identifier: stranger.username, password: stranger.password });
	const appeal = (await expect(200, admin, 'GET', '/admin/appeals?limit=100')).items.find(({ decision_id }) => decision_id === decision.id);
	await expect(200, admin, 'POST', `/admin/appeals/${appeal.id}/decide`, { decision: 'overturn' });
	const again = await login(author);
	assert.equal(again.status, 200);
	author.token = again.json.access_token;
	assert.equal((await expect(200, stranger, 'GET', `/tweets/${post.id}`)).text, 'still here');
	assert.equal((await expect(200, stranger, 'GET', `/users/${author.id}`)).relationship.following, true);
});

test('a limited account notices nothing', async () => {
	const post = await expect(201, author, 'POST', '/tweets', { text: `hello @${reporter.username} #modlimited` });
	assert.equal((await expect(201, moderator, 'POST', `/admin/accounts/${author.id}/limit`, {})).told, false);
	await expect(404, reporter, 'GET', `/tweets/${post.id}`);
	await until(async () => (await as(null, 'GET', `/tweets/${post.id}`)).status === 404, 'the end of a kept answer');
	assert.equal((await expect(200, stranger, 'GET', `/tweets/${post.id}`)).id, post.id);
	assert.equal((await expect(200, author, 'GET', `/tweets/${post.id}`)).state, 'visible');
	assert.ok(!(await expect(200, author, 'GET', '/moderation/decisions')).items.some(({ decision }) => /limit/.test(decision)));
	await expect(409, moderator, 'POST', `/admin/accounts/${author.id}/limit`, {});
	await expect(201, moderator, 'POST', `/admin/accounts/${author.id}/unlimit`, {});
	assert.equal((await expect(200, reporter, 'GET', `/tweets/${post.id}`)).id, post.id);
});

test('labels are shown, addresses only to who may see them', async () => {
	const post = await expect(201, author, 'POST', '/tweets', { text: 'a picture' });
	await expect(201, moderator, 'POST', `/admin/tweets/${post.id}/label`, { labels: ['graphic'] });
	assert.deepEqual((await expect(200, null, 'GET', `/tweets/${post.id}`)).labels, ['graphic']);
	await expect(422, moderator, 'POST', `/admin/tweets/${post.id}/label`, { labels: ['Not One'] });
	await expect(422, moderator, 'POST', `/admin/tweets/${post.id}/explode`, {});
	await expect(403, moderator, 'GET', `/admin/accounts/${author.id}/addresses`);
	assert.equal((await expect(200, admin, 'GET', `/admin/accounts/${author.id}/addresses`)).email, author.email);
	assert.equal((await expect(200, admin, 'GET', `/admin/accounts?q=${author.email}`)).items[0].id, author.id);
	await expect(403, moderator, 'GET', `/admin/accounts?q=${author.email}`);
	// The worker seals entries, and moves them as it does.
	await until(() => sql(`SELECT count(*) > 0 FROM roost_data.audit e WHERE e.action = 'account.read_address' AND e.object_id = '${author.id}'`) === 't', 'the entry');
});

test('roles are given and taken, and somebody always keeps them', async () => {
	const name = `helper_${stranger.username.replace(/[^a-z]/g, '')}`.slice(0, 30);
	await expect(403, moderator, 'PUT', `/admin/roles/${name}`, { rank: 10, permissions: ['report.read'] });
	assert.deepEqual((await expect(200, admin, 'PUT', `/admin/roles/${name}`, { rank: 10, permissions: ['report.read'] })).permissions, ['report.read']);
	await expect(403, admin, 'PUT', `/admin/roles/${name}`, { rank: 100, permissions: [] });
	await expect(422, admin, 'PUT', `/admin/roles/${name}`, { rank: 10, permissions: ['fly'] });
	await expect(422, admin, 'PUT', `/admin/roles/${name}`, { rank: 10 });
	await expect(403, stranger, 'GET', '/admin/cases');
	assert.equal((await expect(200, admin, 'PUT', `/admin/accounts/${stranger.id}/role`, { role: name })).role, name);
	await expect(200, stranger, 'GET', '/admin/cases');
	await expect(403, moderator, 'PUT', `/admin/accounts/${stranger.id}/role`, { role: 'user' });
	await expect(409, admin, 'DELETE', `/admin/roles/${name}`);
	await expect(200, admin, 'PUT', `/admin/accounts/${stranger.id}/role`, { role: 'user' });
	await expect(403, stranger, 'GET', '/admin/cases');
	await expect(204, admin, 'DELETE', `/admin/roles/${name}`);
	await expect(403, admin, 'PUT', `/admin/accounts/${other.id}/role`, { role: 'user' });
	// both step down at once, and all others who could have: one is refused
	sql(`UPDATE roost_data.account SET role = 'user' WHERE role = 'admin' AND id NOT IN (${admin.id}, ${other.id})`);
	const both = await Promise.all([admin, other].map((user) => as(user, 'PUT', `/admin/accounts/${user.id}/role`, { role: 'user' })));
	assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
});
