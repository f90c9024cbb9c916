// Many people at once do everything to each other, and some leave: afterwards
// every counter equals the tables and nothing is left of those who are gone.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { account, call, liftLimits, sql, startGateway } from './lib.mjs';

const WORKERS = 16;
const STEPS = 120; // of each
let gateway;
before(async () => {
	liftLimits();
	gateway = await startGateway();
});
after(() => gateway.stop());

const first = Number(process.env.ROOST_TEST_SEED ?? 4711);
let seed = first;
const random = (n) => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return (seed >>> 8) % n; };
const pick = (list) => list[random(list.length)];

const people = [];
const posts = [];
const acts = [
	[20, async (token, other, post) => {
		const body = { text: `#load @${other.username}`, ...(post && random(2) ? { reply_to_id: post } : {}), ...(post && random(3) === 0 ? { quote_of_id: post } : {}) };
		const answer = await call(gateway, 'POST', '/tweets', { token, body });
		if (answer.status === 201 && posts.push(answer.json.id) > 20) posts.shift();
		return answer;
	}],
	[20, (token, other, post) => post && call(gateway, pick(['POST', 'POST', 'DELETE']), `/tweets/${post}/like`, { token })],
	[12, (token, other, post) => post && call(gateway, pick(['POST', 'POST', 'DELETE']), `/tweets/${post}/retweet`, { token })],
	[6, (token, other, post) => post && call(gateway, pick(['POST', 'DELETE']), `/tweets/${post}/bookmark`, { token })],
	[18, (token, other) => call(gateway, pick(['POST', 'POST', 'DELETE']), `/users/${other.id}/follow`, { token })],
	[6, (token, other, post) => post && call(gateway, 'DELETE', `/tweets/${post}`, { token })],
	[4, (token, other, post) => post && call(gateway, 'PATCH', `/tweets/${post}`, { token, body: { text: 'edited #load2' } })],
	[4, (token) => call(gateway, 'PATCH', '/users/me', { token, body: { is_private: random(3) === 0 } })],
	[3, (token, other) => call(gateway, 'POST', `/follow-requests/${other.id}/accept`, { token })],
	[4, (token) => call(gateway, 'GET', '/tweets/home', { token })],
	[3, async (token, other, post, me) => {
		if (people.length <= 8) return;
		people.splice(people.indexOf(me), 1);
		const answer = await call(gateway, 'DELETE', '/users/me', { token, body: { password: me.password } });
		people.push(await account(gateway, 'load'));
		return answer;
	}],
];
const deck = acts.flatMap(([weight, act]) => Array.from({ length: weight }, () => act));

test('everything at once', async () => {
	people.push(...await Promise.all(Array.from({ length: 16 }, () => account(gateway, 'load'))));
	const seen = new Map();
	await Promise.all(Array.from({ length: WORKERS }, async () => {
		for (let step = 0; step < STEPS; step++) {
			const me = pick(people);
			const answer = await pick(deck)(me.token, pick(people), posts.length ? pick(posts) : undefined, me);
			if (!answer) continue;
			assert.ok(answer.status < 500, `seed ${first}: ${answer.text}`);
			seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
		}
	}));
	assert.ok(seen.get(200) > 400 && seen.get(201) > 100 && seen.get(204) > 5, `seed ${first}: ${JSON.stringify([...seen])}`);
});

const same = (what, query) => test(what, () => assert.equal(sql(`SELECT count(*) FROM (${query}) wrong`), '0', `seed ${first}`));
const gone = `SELECT a.id FROM roost_data.account a WHERE a.status <> 'active'`;

same('counters of posts equal the tables', `
	SELECT FROM roost_data.post p
	LEFT JOIN LATERAL (SELECT sum(s.like_count) AS likes, sum(s.retweet_count) AS retweets, sum(s.reply_count) AS replies, sum(s.quote_count) AS quotes
		FROM roost_data.post_stat s WHERE s.post_id = p.id) s ON true
	WHERE (coalesce(s.likes, 0), coalesce(s.retweets, 0), coalesce(s.replies, 0), coalesce(s.quotes, 0)) IS DISTINCT FROM (
		(SELECT count(*) FROM roost_data.post_like l WHERE l.post_id = p.id), (SELECT count(*) FROM roost_data.post r WHERE r.retweet_of_id = p.id),
		(SELECT count(*) FROM roost_data.post r WHERE r.reply_to_id = p.id), (SELECT count(*) FROM roost_data.post r WHERE r.quote_of_id = p.id))`);
same('counters of accounts equal the tables', `
	SELECT FROM roost_data.account a
	LEFT JOIN LATERAL (SELECT sum(s.follower_count) AS followers, sum(s.following_count) AS following, sum(s.post_count) AS posts
		FROM roost_data.account_stat s WHERE s.account_id = a.id) s ON true
	WHERE (coalesce(s.followers, 0), coalesce(s.following, 0), coalesce(s.posts, 0)) IS DISTINCT FROM (
		(SELECT count(*) FROM roost_data.follow f WHERE f.followee_id = a.id), (SELECT count(*) FROM roost_data.follow f WHERE f.follower_id = a.id),
		(SELECT count(*) FROM roost_data.post p WHERE p.author_id = a.id))`);
for (const table of ['post_like', 'post_bookmark', 'post_revision', 'post_stat', 'post_hashtag'])
	same(`${table} is about posts that exist`, `SELECT FROM roost_data.${table} t WHERE NOT EXISTS (SELECT FROM roost_data.post p WHERE p.id = t.post_id)`);
for (const table of ['post_like', 'post_bookmark', 'account_stat', 'account_handle', 'device', 'email_token', 'account_email', 'account_credential'])
	same(`${table} is of people who are there`, `SELECT FROM roost_data.${table} t WHERE t.account_id IN (${gone} AND a.status = 'deleted')`);
same('posts are of people who are there', `SELECT FROM roost_data.post p WHERE p.author_id IN (${gone} AND a.status = 'deleted')`);
same('retweets show something', `SELECT FROM roost_data.post r WHERE r.retweet_of_id IS NOT NULL AND NOT EXISTS (SELECT FROM roost_data.post p WHERE p.id = r.retweet_of_id)`);
for (const table of ['follow', 'follow_request'])
	same(`${table} is between people who are there`, `SELECT FROM roost_data.${table} f JOIN roost_data.account a ON a.id IN (f.follower_id, f.followee_id) WHERE a.status = 'deleted'`);
same('only private accounts are asked', `SELECT FROM roost_data.follow_request f JOIN roost_data.account a ON a.id = f.followee_id WHERE NOT a.is_private`);
same('no session outlives its account', `SELECT FROM roost_data.session s WHERE s.revoked_at IS NULL AND s.account_id IN (${gone})`);
