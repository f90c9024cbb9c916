// The same with socket.io and its Redis adapter.
import http from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';

const server = http.createServer((request, response) => { if (!request.url.startsWith('/socket.io')) response.end('ok'); });
const publisher = new Redis(Number(process.env.REDIS_PORT), '127.0.0.1');
const io = new Server(server, { adapter: createAdapter(publisher, publisher.duplicate()), perMessageDeflate: false, transports: ['websocket'] });
const feed = publisher.duplicate();
await feed.subscribe('feed');
feed.on('message', (channel, message) => io.emit('tweet', JSON.parse(message)));
server.listen(Number(process.env.PORT), '127.0.0.1', 2048);
