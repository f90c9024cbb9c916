// Writes the peer's tokens for wrk and fills its Redis: home lists and the posts
// on their first page for 1,000 readers.
//   node prepare.js FOLDER POSTS    (PG* and REDIS_PORT from the environment)
'use strict';
const fs = require('fs');
const jwt = require('jsonwebtoken');
const { Pool } = require('pg');
const Redis = require('ioredis').Redis;
const { FULL_POSTS, full } = require('./full.js');

const [folder, postCount] = [process.argv[2], Number(process.argv[3])];
const READERS = 1000;
const token = (uid) => jwt.sign({ uid, iat: 1704067200, exp: 4102444800 },
  'a-secret-for-the-benchmark-peer-only', { algorithm: 'HS256' });

let state = 1n; // a fixed seed: every run reads the same lists
const random = () => {
  state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
  return Number(state >> 33n);
};

async function main() {
  const pool = new Pool();
  const redis = new Redis(Number(process.env.REDIS_PORT), '127.0.0.1');
  const readers = Array.from({ length: READERS }, (_, i) => i + 1001);
  fs.writeFileSync(folder + '/peer_readers.txt', readers.map(token).join('\n') + '\n');
  const authors = await pool.query(
    `SELECT followee_id FROM follow WHERE followee_id > 300 GROUP BY 1 HAVING count(*) BETWEEN 40 AND 60 ORDER BY 1 LIMIT 200`);
  fs.writeFileSync(folder + '/authors.txt', authors.rows.map((r) => r.followee_id).join('\n') + '\n');
  fs.writeFileSync(folder + '/peer_authors.txt', authors.rows.map((r) => token(Number(r.followee_id))).join('\n') + '\n');

  const step = Math.max(1, Math.floor(postCount / 850));
  const shown = new Set();
  for (const reader of readers) {
    const ids = [];
    let id = postCount;
    for (let i = 0; i < 800; i++) ids.push(id -= 1 + random() % step);
    await redis.del('home:' + reader);
    await redis.rpush('home:' + reader, ...ids);
    ids.slice(0, 50).forEach((x) => shown.add(x));
  }
  const list = [...shown];
  for (let i = 0; i < list.length; i += 5000) {
    const rows = await pool.query({ ...FULL_POSTS, values: [list.slice(i, i + 5000)] });
    const pipeline = redis.pipeline();
    for (const post of rows.rows) pipeline.set('f:' + post.id, JSON.stringify(full(post)), 'EX', 36000);
    await pipeline.exec();
  }
  await pool.end();
  redis.disconnect();
}
main();
