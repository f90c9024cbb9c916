// Many people at once block, mute, list, report and search each other, moderators decide about them, names and roles change,
// and some leave: nobody sees an error of the server, and afterwards what stands in the tables goes together.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { account, call, liftLimits, sql, startGateway, until } from './lib.mjs';

const WORKERS = 16;
const STEPS = 150; // of each
const PREFIX = 'lsf';
const first = Number(process.env.ROOST_TEST_SEED ?? 4713);
let seed = first;
const random = (n) => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return (seed >>> 8) % n; };
const pick = (list) => list[random(list.length)];

let gateway;
const people = [];
const staff = []; // two admins, two moderators
const posts = [];
const lists = [];
const keep = (from, id) => { if (from.push(id) > 20) from.shift(); };
const soon = (seconds = 86400) => new Date(Date.now() + seconds * 1000).toISOString();

before(async () => {
	liftLimits();
	gateway = await startGateway();
	people.push(...await Promise.all(Array.from({ length: 14 }, () => account(gateway, PREFIX))));
	staff.push(...await Promise.all(Array.from({ length: 4 }, () => account(gateway, PREFIX))));
	sql(staff.map(({ id }, i) => `SELECT roost.role_grant('${id}', '${i < 2 ? 'admin' : 'moderator'}');`).join('\n'));
	sql(people.map(({ id, email }) => `SELECT roost_internal.email_verified(${id}, '${email}');`).join('\n'));
});
after(async () => {
	sql(`UPDATE roost_data.account SET role = 'user' WHERE role IN ('moderator', '${PREFIX}_role') AND id IN (${[...people, ...staff].map(({ id }) => id)});
		DELETE FROM roost_data.role WHERE name = '${PREFIX}_role' AND NOT EXISTS (SELECT FROM roost_data.account a WHERE a.role = '${PREFIX}_role');
		DELETE FROM roost_data.moderation_word WHERE word LIKE '${PREFIX}word%';
		DELETE FROM roost_data.moderation_url_host WHERE host LIKE '${PREFIX}%.example';
		DELETE FROM roost_data.moderation_policy WHERE name LIKE '${PREFIX}\\_%';
		UPDATE roost_data.moderation_case SET status = 'closed' WHERE status IN ('open', 'assigned', 'appealed')
			AND account_id IN (SELECT id FROM roost_data.account WHERE username ~ '^${PREFIX}_');
		UPDATE roost_data.moderation_appeal SET status = 'upheld' WHERE status = 'open' AND account_id IN (SELECT id FROM roost_data.account WHERE username ~ '^${PREFIX}_')`);
	await gateway.stop();
});

// Logs in again, on the same device as ever; a suspended account appeals.
async function enter(me) {
	const answer = await call(gateway, 'POST', '/auth/login', { body: { identifier: me.email, password: me.password, device: { id: 'phone' } } });
	if (answer.status === 200) Object.assign(me, { token: answer.json.access_token, refresh: answer.json.refresh_token });
	else if (answer.status === 403 && random(3) === 0)
		return call(gateway, 'POST', '/appeals', { body: { identifier: me.email, password: me.password, text: 'I did nothing' } });
	return answer;
}

// One of what a list has, or undefined.
async function one(path, token) {
	const answer = await call(gateway, 'GET', path, { token });
	assert.ok(answer.status < 500, `seed ${first}: GET ${path}: ${answer.text}`);
	return answer.json?.items?.length ? pick(answer.json.items) : undefined;
}

const acts = [
	[10, async ({ token }, other, post) => {
		const answer = await call(gateway, 'POST', '/tweets', { token, body: { text: `#${PREFIX} @${other.username} ${PREFIX}word${random(3)}`, ...(post && random(2) ? { reply_to_id: post } : {}) } });
		if (answer.status === 201) keep(posts, answer.json.id);
		return answer;
	}],
	[4, ({ token }, other, post) => post && call(gateway, 'PATCH', `/tweets/${post}`, { token, body: { text: `edited ${PREFIX}word${random(3)}` } })],
	[3, ({ token }, other, post) => post && call(gateway, pick(['POST', 'DELETE']), `/tweets/${post}/like`, { token })],
	[2, ({ token }, other, post) => post && call(gateway, 'DELETE', `/tweets/${post}`, { token })],
	[9, ({ token }, other) => call(gateway, pick(['POST', 'POST', 'DELETE']), `/users/${other.id}/follow`, { token })],
	[3, ({ token }, other) => call(gateway, 'POST', `/follow-requests/${other.id}/${pick(['accept', 'accept', 'reject'])}`, { token })],
	[10, ({ token }, other) => call(gateway, pick(['POST', 'DELETE']), `/users/${other.id}/block`, { token })],
	[5, ({ token }, other) => random(2) ? call(gateway, 'DELETE', `/users/${other.id}/mute`, { token })
		: call(gateway, 'POST', `/users/${other.id}/mute`, { token, body: { notifications: random(2) === 0, ...(random(2) ? { duration: 1 + random(2) } : {}) } })],
	[2, ({ token }) => call(gateway, 'GET', pick(['/blocks', '/mutes', '/users/suggested', '/lists']), { token })],
	[2, ({ token }, other) => call(gateway, 'DELETE', `/users/suggested/${other.id}`, { token })],
	[4, async ({ token }) => {
		const word = random(2) ? undefined : await one('/muted-words', token);
		if (!word) return call(gateway, 'POST', '/muted-words', { token, body: { phrase: `${PREFIX}word${random(4)}` } });
		return random(2) ? call(gateway, 'DELETE', `/muted-words/${word.id}`, { token }) : call(gateway, 'PATCH', `/muted-words/${word.id}`, { token, body: { phrase: `${PREFIX}word${random(4)}` } });
	}],
	[14, async (me, other) => {
		const list = lists.length ? pick(lists) : undefined;
		const token = list && random(4) ? list.owner.token : me.token; // mostly the owner's
		switch (list ? random(8) : 0) {
		case 0: {
			const answer = await call(gateway, 'POST', '/lists', { token: me.token, body: { title: 'people' } });
			if (answer.status === 201) keep(lists, { id: answer.json.id, owner: me });
			return answer;
		}
		case 1: return call(gateway, 'GET', `/lists/${list.id}/tweets`, { token });
		case 2: return call(gateway, 'GET', `/lists/${list.id}${pick(['', '/members'])}`, { token });
		case 3: return call(gateway, 'DELETE', `/lists/${list.id}/members/${other.id}`, { token });
		case 4: return random(3) ? call(gateway, 'PATCH', `/lists/${list.id}`, { token, body: { title: 'others' } }) : call(gateway, 'DELETE', `/lists/${list.id}`, { token });
		default: return call(gateway, 'POST', `/lists/${list.id}/members`, { token, body: { account_id: other.id } });
		}
	}],
	[8, ({ token }, other, post) => call(gateway, 'POST', '/reports', { token,
		body: { category: pick(['spam', 'hate', 'other']), comment: 'look', ...(post && random(2) ? { post_id: post } : { account_id: other.id }) } })],
	[1, ({ token }) => call(gateway, 'GET', '/reports', { token })],
	[16, async () => {
		const { token } = pick(staff);
		const found = await one(`/admin/cases?limit=10&status=${pick(['open', 'open', 'open', 'decided', 'closed'])}`, token);
		if (!found) return;
		const path = `/admin/cases/${found.id}`;
		switch (random(7)) {
		case 0: return call(gateway, 'POST', `${path}/assign`, { token, body: { account_id: pick(['me', 'none', pick(staff).id, pick(people).id]) } });
		case 1: return call(gateway, 'POST', `${path}/notes`, { token, body: { text: 'a note' } });
		case 2: return call(gateway, 'GET', random(2) ? path : `${path}/reports`, { token });
		case 3: return call(gateway, 'POST', `${path}/reopen`, { token, body: {} });
		default: {
			const decision = pick(['dismiss', 'warn', 'remove', 'hold', 'release', 'restore', 'label', 'limit', 'limit_account', 'suspend', 'unsuspend']);
			return call(gateway, 'POST', `${path}/decide`, { token, body: { decision, reason: 'so', ...(random(2) ? { version: found.version } : {}),
				...(decision === 'suspend' ? { until: soon() } : {}), ...(decision === 'label' ? { labels: ['seen'] } : {}) } });
		}
		}
	}],
	[8, (me, other) => {
		const action = pick(['warn', 'limit', 'unlimit', 'suspend', 'restore', 'restore', 'restore', 'ban', 'verify', 'unverify']);
		return call(gateway, 'POST', `/admin/accounts/${other.id}/${action}`, { token: pick(staff).token, body: action === 'suspend' ? { until: soon() } : {} });
	}],
	[5, (me, other, post) => {
		const action = pick(['label', 'limit', 'hold', 'release', 'remove', 'restore']);
		return post && call(gateway, 'POST', `/admin/tweets/${post}/${action}`, { token: pick(staff).token, body: action === 'label' ? { labels: ['seen'] } : {} });
	}],
	[4, async ({ token }) => {
		const decision = await one('/moderation/decisions?limit=5', token);
		return decision && call(gateway, 'POST', `/moderation/decisions/${decision.id}/appeal`, { token, body: { text: 'no' } });
	}],
	[5, async () => {
		const { token } = staff[random(2)];
		const appeal = await one('/admin/appeals', token);
		return appeal && call(gateway, 'POST', `/admin/appeals/${appeal.id}/decide`, { token, body: { decision: pick(['uphold', 'overturn']) } });
	}],
	[5, (me, other) => {
		const { token } = staff[random(2)];
		switch (random(4)) {
		case 0: return call(gateway, 'PUT', `/admin/roles/${PREFIX}_role`, { token, body: { rank: 10 + random(5), permissions: random(2) ? ['report.read'] : ['report.read', 'case.handle'] } });
		case 1: return call(gateway, 'DELETE', `/admin/roles/${PREFIX}_role`, { token });
		default: return call(gateway, 'PUT', `/admin/accounts/${other.id}/role`, { token, body: { role: pick([`${PREFIX}_role`, 'user']) } });
		}
	}],
	[3, () => {
		const { token } = staff[random(2)];
		const name = `${PREFIX}_policy${random(2)}`;
		switch (random(7)) {
		case 0: return call(gateway, 'POST', '/admin/words', { token, body: { word: `${PREFIX}word${random(3)}`, severity: 0.9 } });
		case 1: return call(gateway, 'DELETE', `/admin/words?word=${PREFIX}word${random(3)}`, { token });
		case 2: return call(gateway, 'POST', '/admin/url-hosts', { token, body: { host: `${PREFIX}${random(2)}.example` } });
		case 3: return call(gateway, 'DELETE', `/admin/url-hosts?host=${PREFIX}${random(2)}.example`, { token });
		case 4: return call(gateway, 'POST', '/admin/policies', { token, body: { name, signal: 'profanity', threshold: 0.5, action: 'hold', dry_run: false, case_category: 'other' } });
		case 5: return call(gateway, 'PATCH', `/admin/policies/${name}`, { token, body: { enabled: random(2) === 0 } });
		default: return call(gateway, 'DELETE', `/admin/policies/${name}`, { token });
		}
	}],
	[3, (me, other) => call(gateway, 'GET', pick(['/admin/audit', '/admin/health', '/admin/verdicts', '/admin/accounts', `/admin/accounts/${other.id}`, `/admin/accounts/${other.id}/decisions`,
		`/admin/accounts/${other.id}/addresses`, '/admin/roles', '/admin/policies']), { token: pick(staff).token })],
	[5, ({ token }) => call(gateway, 'PATCH', '/users/me', { token, body: { is_private: random(2) === 0, bio: `${PREFIX}word${random(3)}` } })],
	[3, async (me) => {
		const username = `${PREFIX}_name${random(6)}`;
		const answer = await call(gateway, 'PATCH', '/users/me', { token: me.token, body: { username } });
		if (answer.status === 200) me.username = username;
		return answer;
	}],
	[9, async ({ token }, other, post) => {
		switch (random(8)) {
		case 0: return call(gateway, 'POST', '/notifications/read', { token, body: {} });
		case 1: return call(gateway, 'PUT', '/notifications/preferences', { token, body: { [pick(['like', 'reply', 'mention', 'follow'])]: pick(['everyone', 'followed', 'nobody']) } });
		case 2: return call(gateway, pick(['PUT', 'DELETE']), `/notifications/muted/${other.id}`, { token });
		case 3: return post && call(gateway, pick(['POST', 'DELETE']), `/tweets/${post}/mute`, { token });
		case 4: return call(gateway, 'GET', '/notifications/unread', { token });
		case 5: return call(gateway, 'GET', '/notifications/muted', { token });
		default: return call(gateway, 'GET', '/notifications', { token });
		}
	}],
	[5, ({ token }, other) => call(gateway, 'GET', pick([`/search?q=%23${PREFIX}`, `/search?q=${PREFIX}word1&type=posts`, `/search?q=@${other.username}&type=accounts`, `/search?q=${PREFIX}&type=hashtags`]), { token })],
	[1, ({ token }) => call(gateway, 'PUT', '/me/search-settings', { token, body: { posts_indexed: random(2) === 0, by_email: random(2) === 0 } })],
	[5, async (me) => {
		switch (random(4)) {
		case 0: {
			if (!me.refresh) return enter(me);
			const answer = await call(gateway, 'POST', '/auth/refresh', { body: { refresh_token: me.refresh } });
			if (answer.status === 200) Object.assign(me, { token: answer.json.access_token, refresh: answer.json.refresh_token });
			return answer;
		}
		case 1: {
			const device = await one('/auth/devices', me.token);
			return device && call(gateway, 'DELETE', `/auth/devices/${device.id}`, { token: me.token });
		}
		case 2: return call(gateway, 'GET', '/me/security-events', { token: me.token });
		default: return enter(me);
		}
	}],
	[1, ({ token }) => call(gateway, 'POST', '/auth/resend-verification', { token })],
	[2, async (me) => {
		if (people.length <= 8) return;
		people.splice(people.indexOf(me), 1);
		let answer = await call(gateway, 'DELETE', '/users/me', { token: me.token, body: { password: me.password } });
		people.push(await account(gateway, PREFIX));
		return answer;
	}],
];
const deck = acts.flatMap(([weight, act]) => Array.from({ length: weight }, () => act));

test('everything at once', async () => {
	const seen = new Map();
	await Promise.all(Array.from({ length: WORKERS }, async () => {
		for (let step = 0; step < STEPS; step++) {
			const me = pick(people);
			const answer = await pick(deck)(me, pick(people), posts.length ? pick(posts) : undefined, me);
			if (!answer) continue;
			assert.ok(answer.status < 500, `seed ${first}: ${answer.text}`);
			seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
			if (answer.status === 401 && people.includes(me)) {
				const again = await enter(me);
				assert.ok(again.status < 500, `seed ${first}: ${again.text}`);
			}
		}
	}));
	assert.ok(seen.get(200) > 600 && seen.get(201) > 200 && seen.get(204) > 50, `seed ${first}: ${JSON.stringify([...seen])}`);
});

const mine = `(SELECT a.id FROM roost_data.account a WHERE a.username ~ '^${PREFIX}_' OR a.status = 'deleted')`;

// What goes together: queries of what does not.  All are asked at once, by the first test that wants to know.
const queries = [];
let found;
const same = (what, query) => {
	const number = queries.push(query) - 1;
	test(what, () => {
		found ??= JSON.parse(sql(`SELECT jsonb_agg(wrong ORDER BY n) FROM (${queries.map((each, n) => `SELECT ${n} AS n, coalesce((SELECT jsonb_agg(to_jsonb(w)) FROM (${each}) w), '[]') AS wrong`).join('\nUNION ALL ')}) q`));
		assert.deepEqual(found[number], [], `seed ${first}`);
	});
};

same('counters of posts equal the tables', `
	SELECT p.id FROM roost_data.post p
	LEFT JOIN LATERAL (SELECT sum(s.like_count) AS likes, sum(s.retweet_count) AS retweets, sum(s.reply_count) AS replies, sum(s.quote_count) AS quotes
		FROM roost_data.post_stat s WHERE s.post_id = p.id) s ON true
	WHERE (coalesce(s.likes, 0), coalesce(s.retweets, 0), coalesce(s.replies, 0), coalesce(s.quotes, 0)) IS DISTINCT FROM (
		(SELECT count(*) FROM roost_data.post_like l WHERE l.post_id = p.id), (SELECT count(*) FROM roost_data.post r WHERE r.retweet_of_id = p.id),
		(SELECT count(*) FROM roost_data.post r WHERE r.reply_to_id = p.id), (SELECT count(*) FROM roost_data.post r WHERE r.quote_of_id = p.id))`);
same('counters of accounts equal the tables', `
	SELECT a.id FROM roost_data.account a
	LEFT JOIN LATERAL (SELECT sum(s.follower_count) AS followers, sum(s.following_count) AS following, sum(s.post_count) AS posts
		FROM roost_data.account_stat s WHERE s.account_id = a.id) s ON true
	WHERE (coalesce(s.followers, 0), coalesce(s.following, 0), coalesce(s.posts, 0)) IS DISTINCT FROM (
		(SELECT count(*) FROM roost_data.follow f WHERE f.followee_id = a.id), (SELECT count(*) FROM roost_data.follow f WHERE f.follower_id = a.id),
		(SELECT count(*) FROM roost_data.post p WHERE p.author_id = a.id))`);
for (const [table, one, two] of [['follow', 'follower_id', 'followee_id'], ['follow_request', 'follower_id', 'followee_id'], ['list_member', 'account_id', 'member_id'],
	['friendship', 'account_id', 'friend_id'], ['friend_request', 'requester_id', 'recipient_id']])
	same(`no ${table} outlives a block`, `SELECT t.${one}, t.${two} FROM roost_data.${table} t JOIN roost_data.account_block b ON (b.account_id, b.blocked_id) IN ((t.${one}, t.${two}), (t.${two}, t.${one}))`);
for (const [table, ...columns] of [['account_block', 'account_id', 'blocked_id'], ['account_mute', 'account_id', 'muted_id'], ['muted_word', 'account_id'], ['list', 'account_id'], ['list_member', 'account_id', 'member_id'],
	['suggestion_dismissal', 'account_id', 'dismissed_id'], ['notification_mute', 'account_id', 'muted_id'], ['notification_thread_mute', 'account_id'], ['notification_preference', 'account_id'],
	['notification_marker', 'account_id'], ['search_setting', 'account_id'], ['search_account', 'account_id'], ['follow', 'follower_id', 'followee_id'], ['follow_request', 'follower_id', 'followee_id'],
	['post', 'author_id'], ['device', 'account_id'], ['email_token', 'account_id'], ['account_email', 'account_id'], ['account_handle', 'account_id'], ['account_stat', 'account_id'], ['report', 'reporter_id'],
	['account_reputation', 'account_id'], ['moderation_verdict', 'account_id'], ['post_judgement', 'author_id']])
	for (const column of columns)
		same(`${table}.${column} is of people who are there`, `SELECT t.${column} FROM roost_data.${table} t JOIN roost_data.account a ON a.id = t.${column} AND a.status = 'deleted'`);
same('no mail waits for who is gone', `SELECT j.payload->>'template' FROM roost_data.job j JOIN roost_data.account a ON a.id::text = j.payload->>'account_id' AND a.status = 'deleted' WHERE j.queue = 'mail' AND j.done_at IS NULL AND j.dead_at IS NULL`);
same('who is gone has no role', `SELECT a.id, a.role FROM roost_data.account a WHERE a.status = 'deleted' AND a.role <> 'user'`);
same('roles that accounts have are there', `SELECT a.id, a.role FROM roost_data.account a WHERE NOT EXISTS (SELECT FROM roost_data.role r WHERE r.name = a.role)`);
same('each account has one name', `SELECT a.id, a.username FROM roost_data.account a WHERE a.id IN ${mine} AND a.status <> 'deleted'
	AND ARRAY(SELECT h.username FROM roost_data.account_handle h WHERE h.account_id = a.id) <> ARRAY[lower(a.username)]`);
same('nobody has a name that is reserved for another', `SELECT h.username FROM roost_data.account_handle h JOIN roost_data.reserved_handle r ON r.username = h.username AND r.until > now() AND r.account_id IS DISTINCT FROM h.account_id
	WHERE h.username ~ '^${PREFIX}_'`);
same('only private accounts are asked', `SELECT f.* FROM roost_data.follow_request f JOIN roost_data.account a ON a.id = f.followee_id WHERE NOT a.is_private`);
same('no session outlives its account, or its suspension', `SELECT s.id FROM roost_data.session s JOIN roost_data.account a ON a.id = s.account_id WHERE s.revoked_at IS NULL AND a.status <> 'active'`);
same('no session outlives its device', `SELECT s.id FROM roost_data.session s WHERE s.revoked_at IS NULL AND s.account_id IN ${mine} AND NOT EXISTS (SELECT FROM roost_data.device d WHERE d.id = s.device_id)`);
same('a device has one session', `SELECT s.device_id FROM roost_data.session s WHERE s.revoked_at IS NULL AND s.account_id IN ${mine} GROUP BY s.device_id HAVING count(*) > 1`);
same('who is active is not revoked, everybody else is', `SELECT a.id, a.status FROM roost_data.account a WHERE a.id IN ${mine} AND (a.status = 'active') = EXISTS (SELECT FROM roost_data.revocation r WHERE r.id = a.id)`);
same('addresses are banned with their accounts', `SELECT b.account_id FROM roost_data.banned_email b JOIN roost_data.account a ON a.id = b.account_id WHERE a.status = 'active' OR a.status = 'suspended' AND a.suspended_until IS NOT NULL
	UNION ALL SELECT a.id FROM roost_data.account a JOIN roost_data.account_email e ON e.account_id = a.id AND e.verified_at IS NOT NULL
	WHERE a.status = 'suspended' AND a.suspended_until IS NULL AND NOT EXISTS (SELECT FROM roost_data.banned_email b WHERE b.account_id = a.id)`);
same('reports are counted', `SELECT c.id FROM roost_data.moderation_case c WHERE c.report_count <> (SELECT count(*) FROM roost_data.report r WHERE r.case_id = c.id)`);
same('a case is assigned to somebody, or not', `SELECT c.id, c.status, c.assignee_id FROM roost_data.moderation_case c WHERE c.status IN ('open', 'assigned') AND (c.status = 'assigned') <> (c.assignee_id IS NOT NULL)`);
same('what is decided has a decision, what waits has no outcome', `SELECT c.id, c.status, c.outcome FROM roost_data.moderation_case c WHERE c.account_id IN ${mine}
	AND (c.status = 'decided' AND (c.outcome IS DISTINCT FROM 'action' OR NOT EXISTS (SELECT FROM roost_data.moderation_decision d WHERE d.case_id = c.id)) OR c.status IN ('open', 'assigned') AND c.outcome IS NOT NULL)`);
same('an appeal is about one decision that was told', `SELECT p.id FROM roost_data.moderation_appeal p JOIN roost_data.moderation_decision d ON d.id = p.decision_id
	WHERE NOT d.told OR d.account_id <> p.account_id OR (p.status = 'overturned') <> (d.reverted_at IS NOT NULL)`);
same('accounts are as the last decision that stands says', `SELECT a.id, a.status, a.limited_at, l.decision, s.decision FROM roost_data.account a
	LEFT JOIN LATERAL (SELECT d.decision FROM roost_data.moderation_decision d WHERE d.subject_type = 'account' AND d.subject_id = a.id AND d.reverted_at IS NULL
		AND roost_internal.decision_about(d.decision) = 'account_status' ORDER BY d.id DESC LIMIT 1) s ON true
	LEFT JOIN LATERAL (SELECT d.decision FROM roost_data.moderation_decision d WHERE d.subject_type = 'account' AND d.subject_id = a.id AND d.reverted_at IS NULL
		AND roost_internal.decision_about(d.decision) = 'account_limit' ORDER BY d.id DESC LIMIT 1) l ON true
	WHERE a.id IN ${mine} AND a.status <> 'deleted'
		AND ((a.status = 'suspended') <> coalesce(s.decision IN ('suspend', 'ban'), false) OR (a.limited_at IS NOT NULL) <> coalesce(l.decision = 'limit_account', false))`);
same('what is held or removed is in no list of a hashtag', `SELECT h.post_id FROM roost_data.post_hashtag h LEFT JOIN roost_data.post p ON p.id = h.post_id WHERE p.id IS NULL OR p.state <> 'visible'`);

test('timelines of lists are what they are by definition', () => {
	sql(`SELECT roost.worker_sync('1 minute')`);
	assert.equal(sql(`SELECT count(*) FROM roost_data.list l JOIN roost_data.account a ON a.id = l.account_id AND a.status = 'active',
		LATERAL (SELECT roost_internal.list_member_ids(l.id) AS ids) m
		WHERE l.account_id IN ${mine} AND coalesce(roost_internal.timeline_list_ids(l.account_id, m.ids, 50, 9223372036854775807, 0, 'following'), '{}') <> ARRAY(
			SELECT d.id FROM (SELECT DISTINCT ON (t.post_id) t.id FROM roost_internal.timeline_list_definition(l.account_id, m.ids, 'following') t ORDER BY t.post_id, t.id DESC) d ORDER BY d.id DESC LIMIT 50)`), '0', `seed ${first}`);
});

test('nobody is told of, or finds, who is behind a block', async () => {
	for (const me of people) {
		if ((await call(gateway, 'GET', '/users/me', { token: me.token })).status === 401 && (await enter(me)).status !== 200) continue;
		const behind = new Set(JSON.parse(sql(`SELECT coalesce(jsonb_agg(CASE WHEN b.account_id = ${me.id} THEN b.blocked_id ELSE b.account_id END::text), '[]') FROM roost_data.account_block b WHERE ${me.id} IN (b.account_id, b.blocked_id)`)));
		const told = await call(gateway, 'GET', '/notifications?limit=100', { token: me.token });
		assert.equal(told.status, 200, told.text);
		for (const item of told.json.items) assert.ok(!item.accounts.some(({ id }) => behind.has(id)), `seed ${first}: ${me.id} ${JSON.stringify(item)}`);
		const found = await call(gateway, 'GET', `/search?q=%23${PREFIX}&limit=100`, { token: me.token });
		assert.equal(found.status, 200, found.text);
		for (const { author } of found.json.posts) assert.ok(!behind.has(author.id), `seed ${first}: ${me.id} ${author.id}`);
	}
});

test('the audit trail holds', async () => {
	await until(() => sql('SELECT unsealed FROM roost.audit_verify()') === '0', 'the seal of the audit trail');
	assert.equal(sql(`SELECT ok FROM roost.audit_verify()`), 't');
});
