#include "postgres.h"
#include "api/api.h"
text *roost_api_idempotency_replay(ApiRequest *request) { return NULL; }
void roost_api_idempotency_store(ApiRequest *request, text *answer) { }
