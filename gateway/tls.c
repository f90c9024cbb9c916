/*-------------------------------------------------------------------------
 *
 * tls.c
 *		TLS between the socket's bytes and the protocol's.
 *
 * OpenSSL works on two memory buffers instead of the socket: what comes from
 * the client goes into one, what OpenSSL wants to send is taken from the
 * other.  So the connection has one way to read and to write, with TLS and
 * without, and we learn by ALPN which protocol follows.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "log.h"
#include "tls.h"

struct Tls
{
	SSL		   *ssl;
	BIO		   *from_client;
	BIO		   *to_client;
};

static SSL_CTX *tls_context;

/* Takes the first protocol of ours that the client has, too. */
static int
on_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_length,
		const unsigned char *offered, unsigned offered_length, void *arg)
{
	static const unsigned char ours[] = "\2h2\10http/1.1";

	if (SSL_select_next_proto((unsigned char **) chosen, chosen_length, ours, sizeof(ours) - 1,
							  offered, offered_length) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

/* Reads certificate and key; returns false and keeps those it has on a mistake. */
bool
tls_load(const char *cert_file, const char *key_file)
{
	SSL_CTX    *fresh = SSL_CTX_new(TLS_server_method());

	if (fresh == NULL ||
		SSL_CTX_use_certificate_chain_file(fresh, cert_file) != 1 ||
		SSL_CTX_use_PrivateKey_file(fresh, key_file, SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_check_private_key(fresh) != 1)
	{
		log_error("could not use certificate \"%s\" and key \"%s\": %s", cert_file, key_file,
				  ERR_reason_error_string(ERR_peek_last_error()));
		ERR_clear_error();
		SSL_CTX_free(fresh);
		return false;
	}
	SSL_CTX_set_min_proto_version(fresh, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(fresh, "ECDHE+AESGCM:ECDHE+CHACHA20");
	SSL_CTX_set_options(fresh, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(fresh, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_id_context(fresh, (const unsigned char *) "roost", 5);
	SSL_CTX_set_alpn_select_cb(fresh, on_alpn, NULL);
	SSL_CTX_free(tls_context);	/* open connections keep theirs */
	tls_context = fresh;
	return true;
}

/* Returns whether connections begin with TLS. */
bool
tls_is_on(void)
{
	return tls_context != NULL;
}

/* Returns the server's side of a new TLS connection. */
Tls *
tls_new(void)
{
	Tls		   *tls = memory_new(sizeof(Tls));

	tls->ssl = SSL_new(tls_context);
	tls->from_client = BIO_new(BIO_s_mem());
	tls->to_client = BIO_new(BIO_s_mem());
	if (tls->ssl == NULL || tls->from_client == NULL || tls->to_client == NULL)
		log_fatal("out of memory for TLS");
	SSL_set_bio(tls->ssl, tls->from_client, tls->to_client);
	SSL_set_accept_state(tls->ssl);
	return tls;
}

/* Gives a TLS connection back; NULL is none. */
void
tls_free(Tls *tls)
{
	if (tls)
		SSL_free(tls->ssl);
	free(tls);
}

/*
 * Takes bytes from the client and adds what they say to plain; returns false
 * when the connection is over: by an error or because the client said so.
 */
bool
tls_receive(Tls *tls, const char *data, size_t length, Buffer *plain)
{
	int			n;

	if (BIO_write(tls->from_client, data, (int) length) != (int) length)
		return false;
	ERR_clear_error();
	do
	{
		buffer_reserve(plain, 16 * 1024);
		n = SSL_read(tls->ssl, plain->data + plain->length, (int) (plain->size - plain->length));
		if (n > 0)
			plain->length += (size_t) n;
	} while (n > 0);
	n = SSL_get_error(tls->ssl, n);
	ERR_clear_error();
	return n == SSL_ERROR_WANT_READ || n == SSL_ERROR_WANT_WRITE || (n == SSL_ERROR_ZERO_RETURN && plain->length > 0);
}

/* Moves what OpenSSL has for the client. */
static void
tls_take_output(Tls *tls, Buffer *cipher)
{
	char	   *data;
	long		length = BIO_get_mem_data(tls->to_client, &data);

	if (length > 0)
		buffer_append(cipher, data, (size_t) length);
	(void) BIO_reset(tls->to_client);
}

/* Adds what is to be sent for these bytes to cipher; returns false on an error. */
bool
tls_send(Tls *tls, const char *data, size_t length, Buffer *cipher)
{
	ERR_clear_error();
	if (length > 0 && SSL_write(tls->ssl, data, (int) length) != (int) length)
		return false;
	tls_take_output(tls, cipher);
	return true;
}

/* Adds the goodbye of TLS. */
void
tls_close(Tls *tls, Buffer *cipher)
{
	ERR_clear_error();
	if (SSL_is_init_finished(tls->ssl))
		SSL_shutdown(tls->ssl);
	ERR_clear_error();
	tls_take_output(tls, cipher);
}

/* Returns whether OpenSSL has something for the client. */
bool
tls_has_output(Tls *tls)
{
	return tls && BIO_ctrl_pending(tls->to_client) > 0;
}

/* Returns whether the handshake is done. */
bool
tls_is_established(Tls *tls)
{
	return SSL_is_init_finished(tls->ssl);
}

/* Returns whether HTTP/2 was agreed on. */
bool
tls_is_http2(Tls *tls)
{
	const unsigned char *name;
	unsigned	length;

	SSL_get0_alpn_selected(tls->ssl, &name, &length);
	return length == 2 && memcmp(name, "h2", 2) == 0;
}
