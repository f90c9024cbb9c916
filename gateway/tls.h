/*-------------------------------------------------------------------------
 *
 * tls.h
 *		TLS between the socket's bytes and the protocol's.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TLS_H
#define TLS_H

#include "util.h"

typedef struct Tls Tls;

extern bool tls_load(const char *cert_file, const char *key_file);
extern bool tls_is_on(void);
extern Tls *tls_new(void);
extern void tls_free(Tls *tls);
extern bool tls_receive(Tls *tls, const char *data, size_t length, Buffer *plain);
extern bool tls_send(Tls *tls, const char *data, size_t length, Buffer *cipher);
extern void tls_close(Tls *tls, Buffer *cipher);
extern bool tls_has_output(Tls *tls);
extern bool tls_is_established(Tls *tls);
extern bool tls_is_http2(Tls *tls);

#endif							/* TLS_H */
