// The addresses that mails link to: /verify-email and /reset-password, each with a token, and /forgot-password.
//
// This is the first script of the page: the token leaves the address bar and the history before anything else is
// loaded. It is kept in memory only, so after a reload it is gone.

const ROOMS = { '/verify-email': 'verify-email', '/reset-password': 'reset-password', '/forgot-password': 'forgot' };

/** The token of the link that was opened, by room, until it is used or refused. */
export const mailed = {};

const room = ROOMS[location.pathname];
if (room) {
	mailed[room] = new URLSearchParams(location.search).get('token');
	history.replaceState(null, '', `/#/${room}`);
}
