// A post with all fields that roost serves, from the peer's tables: what home
// pages hold, and what the peer keeps in Redis for them.
'use strict';

exports.FULL_POSTS = {
  name: 'full',
  text: 'SELECT p.id, p.author_id, a.name, p.body, p.created_at FROM post p JOIN account a ON a.id = p.author_id WHERE p.id = ANY($1)',
};

exports.full = (row) => ({
  id: row.id,
  author: { id: row.author_id, username: row.name, display_name: '', avatar_url: '' },
  text: row.body,
  created_at: row.created_at.toISOString(),
  edited_at: null,
  visibility: 'public',
  reply_to_id: null,
  reply_to_account_id: null,
  thread_id: row.id,
  quote_of_id: null,
  like_count: 0,
  retweet_count: 0,
  reply_count: 0,
  quote_count: 0,
  liked: false,
  retweeted: false,
  bookmarked: false,
  pinned: false,
  mentions: [],
  hashtags: [],
  urls: [],
  media: [],
  language: null,
  content_warning: null,
  url: `http://localhost:8080/@${row.name}/${row.body.toLowerCase().split(/[^a-z0-9]+/).filter(Boolean).slice(0, 8).join('-')}-${row.id}`,
  retweet_of: null,
  quote_of: null,
});

const string = { type: 'string' };
const optional = { type: ['string', 'null'] };
const number = { type: 'integer' };
const flag = { type: 'boolean' };
const list = { type: 'array' };
exports.FULL_SCHEMA = {
  type: 'object',
  properties: {
    id: string,
    author: { type: 'object', properties: { id: string, username: string, display_name: string, avatar_url: string } },
    text: string, created_at: string, edited_at: optional, visibility: string,
    reply_to_id: optional, reply_to_account_id: optional, thread_id: string, quote_of_id: optional,
    like_count: number, retweet_count: number, reply_count: number, quote_count: number,
    liked: flag, retweeted: flag, bookmarked: flag, pinned: flag,
    mentions: list, hashtags: list, urls: list, media: list,
    language: optional, content_warning: optional, url: string,
    retweet_of: { type: ['object', 'null'] }, quote_of: { type: ['object', 'null'] },
  },
};
