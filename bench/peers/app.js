// The peer: Fastify + node-postgres + ioredis + jsonwebtoken, as people assemble
// it today.  It serves the same graph from tables of its own and pushes posts to
// home lists in Redis.
//   PORT, PGHOST, PGPORT, PGUSER, PGDATABASE, REDIS_PORT, POOL (20), SYNC=off, FANOUT=0
'use strict';
const { Pool } = require('pg');
const Redis = require('ioredis').Redis;
const jwt = require('jsonwebtoken');
const crypto = require('crypto');
const { FULL_POSTS, FULL_SCHEMA, full } = require('./full.js');

// A KeyObject: with a plain string jsonwebtoken 9 is 40 times slower.
const secret = crypto.createSecretKey(Buffer.from('a-secret-for-the-benchmark-peer-only'));
const pool = new Pool({ max: Number(process.env.POOL || 20) });
if (process.env.SYNC === 'off') pool.on('connect', (c) => c.query('SET synchronous_commit = off'));
const redis = new Redis(Number(process.env.REDIS_PORT), '127.0.0.1');

const GET_POST = { name: 'get', text: 'SELECT id, author_id, body, created_at FROM post WHERE id = $1' };
const ADD_POST = { name: 'add', text: 'INSERT INTO post (author_id, body) VALUES ($1, $2) RETURNING id, author_id, body, created_at' };
const FOLLOWERS = { name: 'followers', text: 'SELECT follower_id FROM follow WHERE followee_id = $1' };

function account(header) {
  if (!header || !header.startsWith('Bearer ')) return null;
  try { return jwt.verify(header.slice(7), secret, { algorithms: ['HS256'] }); } catch { return null; }
}

async function getPost(id) { return (await pool.query({ ...GET_POST, values: [id] })).rows[0]; }

async function getCached(id) {
  const hit = await redis.get('t:' + id);
  if (hit) return JSON.parse(hit);
  const post = await getPost(id);
  if (post) await redis.set('t:' + id, JSON.stringify(post), 'EX', 900);
  return post;
}

// LRANGE + MGET; misses come from PostgreSQL.  Nobody asks what the reader has
// liked or put aside, which roost does.
async function home(uid) {
  const ids = await redis.lrange('home:' + uid, 0, 49);
  if (!ids.length) return [];
  const raw = await redis.mget(ids.map((id) => 'f:' + id));
  const posts = raw.map((text) => text && JSON.parse(text));
  const missing = ids.filter((id, i) => !posts[i]);
  if (missing.length) {
    const found = new Map((await pool.query({ ...FULL_POSTS, values: [missing] })).rows.map((p) => [p.id, full(p)]));
    const pipeline = redis.pipeline();
    ids.forEach((id, i) => {
      if (posts[i] || !found.has(id)) return;
      posts[i] = found.get(id);
      pipeline.set('f:' + id, JSON.stringify(posts[i]), 'EX', 900);
    });
    await pipeline.exec();
  }
  return posts.filter(Boolean);
}

async function addPost(uid, body) {
  const post = (await pool.query({ ...ADD_POST, values: [uid, body] })).rows[0];
  if (process.env.FANOUT !== '0') {
    const followers = await pool.query({ ...FOLLOWERS, values: [uid] });
    const pipeline = redis.pipeline();
    pipeline.set('t:' + post.id, JSON.stringify(post), 'EX', 900);
    for (const row of followers.rows) {
      pipeline.lpush('home:' + row.follower_id, post.id);
      pipeline.ltrim('home:' + row.follower_id, 0, 799);
    }
    await pipeline.exec();
  }
  return post;
}

const iso = (post) => {
  if (post && post.created_at instanceof Date) post.created_at = post.created_at.toISOString();
  return post;
};
const POST = {
  type: 'object',
  properties: { id: { type: 'string' }, author_id: { type: 'string' }, body: { type: 'string' }, created_at: { type: 'string' } },
};
const app = require('fastify')({ logger: false });

app.addHook('preHandler', async (request, reply) => {
  if (request.url === '/health') return;
  request.account = account(request.headers.authorization);
  if (!request.account) return reply.code(401).send({ error: 'unauthorized' });
});
app.get('/health', async () => ({ ok: true }));
app.get('/tweets/:id', { schema: { response: { 200: POST } } }, async (request, reply) => {
  const post = await getPost(request.params.id);
  return post ? iso(post) : reply.code(404).send({ error: 'not found' });
});
app.get('/c/tweets/:id', { schema: { response: { 200: POST } } }, async (request) => iso(await getCached(request.params.id)));
app.get('/tweets', { schema: { response: { 200: { type: 'object', properties: { data: { type: 'array', items: FULL_SCHEMA } } } } } },
  async (request) => ({ data: await home(request.account.uid) }));
app.post('/tweets', {
  schema: {
    body: { type: 'object', required: ['body'], properties: { body: { type: 'string', minLength: 1, maxLength: 280 } } },
    response: { 201: POST },
  },
}, async (request, reply) => reply.code(201).send(iso(await addPost(request.account.uid, request.body.body))));
app.listen({ port: Number(process.env.PORT), host: '127.0.0.1', backlog: 1024 });
