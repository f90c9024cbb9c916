// What people write with ws and Redis: every message of channel feed goes to every socket.
import http from 'node:http';
import { Redis } from 'ioredis';
import { WebSocketServer } from 'ws';

const server = http.createServer((request, response) => response.end('ok'));
const sockets = new WebSocketServer({ server, path: '/ws', perMessageDeflate: false });
sockets.on('connection', (socket) => {
	socket.on('message', () => {});
	socket.on('error', () => {});
});
const feed = new Redis(Number(process.env.REDIS_PORT), '127.0.0.1');
await feed.subscribe('feed');
feed.on('messageBuffer', (channel, message) => {
	for (const socket of sockets.clients) if (socket.readyState === 1) socket.send(message, { binary: false });
});
server.listen(Number(process.env.PORT), '127.0.0.1', 2048);
