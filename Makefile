# roost: build and install with PGXS, run and test with scripts/.
#   make            build roost.so (extension/ and bgworker/), its SQL and the gateway
#   make install    install them into the PostgreSQL of PG_CONFIG
#   make run        a private cluster and the gateway, in the foreground
#   make test       every suite, on clusters of their own
# README.md says more.  Packages that are missing are installed first.

.DEFAULT_GOAL := all

EXTENSION = extension/roost
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" extension/roost.control)
MODULE_big = roost
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard extension/*.c extension/*/*.c bgworker/*.c)))

PG_CPPFLAGS = -Iextension -I. -DROOST_VERSION='"$(EXTVERSION)"' $(if $(ROOST_DEBUG),-DROOST_DEBUG)
WARNINGS = -std=gnu11 -Wall -Wextra $(if $(ROOST_DEBUG),-Werror) -Wno-unused-parameter -Wno-sign-compare \
	-Wno-missing-field-initializers -Wno-declaration-after-statement
PG_CFLAGS = $(WARNINGS)
SHLIB_LINK = -lcrypto -largon2

# LLVM bitcode is of no use to functions that are not inlined into queries.
override with_llvm = no

SQL_FILES := $(addprefix sql/,$(shell sed 's/\#.*//' sql/install.list))
UPDATES := $(wildcard sql/updates/*--*.sql)
DATA_built = extension/roost--$(EXTVERSION).sql $(patsubst sql/updates/%,extension/roost--%,$(UPDATES))

GATEWAY = gateway/roost-gateway
GATEWAY_OBJS = $(patsubst %.c,%.o,$(sort $(wildcard gateway/*.c)))
EXTRA_CLEAN = extension/roost--*.sql $(GATEWAY) $(GATEWAY)-asan $(GATEWAY_OBJS) $(GATEWAY_OBJS:.o=.asan.o) \
	gateway/errcodes.h sql/api/error_codes.sql tmp_check

PG_CONFIG ?= pg_config
export PG_CONFIG ROOST_DATA ROOST_PORT ROOST_PG_PORT
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

ifeq ($(wildcard $(PGXS)),)

# Nothing to build with yet: fetch it, then start again, once.
all install uninstall clean:
	$(if $(AGAIN),$(error "$(PG_CONFIG)" knows no PGXS; set PG_CONFIG to that of a PostgreSQL server))
	scripts/packages build
	$(MAKE) $@ AGAIN=1

else

include $(PGXS)

# Running servers keep the file they have open: new files come by rename.
INSTALL = scripts/install-file

all: $(GATEWAY)
install: install-gateway
uninstall: uninstall-gateway

$(OBJS): $(wildcard extension/*.h extension/*/*.h bgworker/*.h)

# One list of errors: what C, SQL and the docs know of them is generated.
ERRCODES = gateway/errcodes.h sql/api/error_codes.sql docs/errors.md
$(ERRCODES): extension/errcodes.txt scripts/generate-errcodes
	@mkdir -p $(@D)
	scripts/generate-errcodes $@ > $@.new && mv $@.new $@
all: docs/errors.md
$(OBJS) $(GATEWAY_OBJS) $(GATEWAY_OBJS:.o=.asan.o): gateway/errcodes.h

extension/roost--$(EXTVERSION).sql: $(SQL_FILES) sql/install.list scripts/assemble-sql
	scripts/assemble-sql install > $@.new && mv $@.new $@
extension/roost--%.sql: sql/updates/%.sql $(SQL_FILES) sql/install.list scripts/assemble-sql
	scripts/assemble-sql update $< > $@.new && mv $@.new $@

# The gateway links nothing of the server, so it has flags of its own.
PAGES = $(datadir)/roost/pages
GATEWAY_LIBS = libwebsockets libnghttp2 libpq jansson hiredis libssl libcrypto zlib
GATEWAY_CFLAGS = -O2 -g -D_GNU_SOURCE $(WARNINGS) -DROOST_VERSION='"$(EXTVERSION)"' \
	-DROOST_STATIC_DIR='"$(PAGES)"' $(shell pkg-config --cflags $(GATEWAY_LIBS))
GATEWAY_LDLIBS = $(shell pkg-config --libs $(GATEWAY_LIBS)) -lev
ASAN_CFLAGS = -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined

$(GATEWAY): $(GATEWAY_OBJS)
	$(CC) -o $@ $^ $(GATEWAY_LDLIBS)
$(GATEWAY)-asan: $(GATEWAY_OBJS:.o=.asan.o)
	$(CC) $(ASAN_CFLAGS) -o $@ $^ $(GATEWAY_LDLIBS)
$(GATEWAY_OBJS): gateway/%.o: gateway/%.c $(wildcard gateway/*.h)
	$(CC) $(GATEWAY_CFLAGS) -c -o $@ $<
$(GATEWAY_OBJS:.o=.asan.o): gateway/%.asan.o: gateway/%.c $(wildcard gateway/*.h)
	$(CC) $(GATEWAY_CFLAGS) $(ASAN_CFLAGS) -c -o $@ $<

.PHONY: install-gateway uninstall-gateway
install-gateway: $(GATEWAY)
	$(MKDIR_P) '$(DESTDIR)$(bindir)'
	$(INSTALL) -m 755 $(GATEWAY) '$(DESTDIR)$(bindir)/'
	install -d -m 755 $(foreach folder,roost roost/pages $(addprefix roost/pages/,docs app console client),'$(DESTDIR)$(datadir)/$(folder)')
	$(INSTALL) -m 644 gateway/pages/*.* '$(DESTDIR)$(PAGES)/'
	$(INSTALL) -m 644 gateway/pages/app/*.* '$(DESTDIR)$(PAGES)/app/'
	$(INSTALL) -m 644 gateway/pages/console/*.* '$(DESTDIR)$(PAGES)/console/'
	$(INSTALL) -m 644 gateway/client/*.* '$(DESTDIR)$(PAGES)/client/'
	$(INSTALL) -m 644 $(wildcard gateway/pages/docs/*.* $(addprefix $(UI)/,swagger-ui.css swagger-ui-bundle.js)) '$(DESTDIR)$(PAGES)/docs/'
	for file in '$(DESTDIR)$(PAGES)'/docs/swagger-ui*[!z]; do [ ! -f "$$file" ] || gzip -9 -n -k -f "$$file"; done
uninstall-gateway:
	rm -rf '$(DESTDIR)$(bindir)/roost-gateway' '$(DESTDIR)$(PAGES)'

# The package behind the page /docs.  Without npm the page says what is missing.
UI = gateway/ui/node_modules/swagger-ui-dist
gateway/ui/node_modules/.fetched: gateway/ui/package-lock.json
	-cd $(<D) && ! command -v npm >/dev/null || timeout 60 npm ci --silent --no-audit --no-fund
	@mkdir -p $(@D) && touch $@
ifeq ($(ROOST_DEBUG),)
all: gateway/ui/node_modules/.fetched
endif

endif

# What people run.

SUITES = unit regress isolation tap upgrade data gateway gateway-asan
.PHONY: help run start stop status psql demo bench lint indent test $(addprefix test-,$(SUITES))

help:
	@echo "run             a private instance in the foreground (Ctrl-C stops it)"
	@echo "start, stop     the same in the background; status, psql (SQL also from standard input)"
	@echo "demo N=1000     people, follows, posts and likes for it; PASSWORD=... for the account demo"
	@echo "test            every suite; alone: $(addprefix test-,$(SUITES)) lint; TESTS=\"a b\" some tests of one"
	@echo "bench           roost beside its peers"
	@echo "all, install, uninstall, clean, indent"
	@echo "Variables: ROOST_DATA=.run ROOST_PORT=8080 ROOST_PG_PORT=5480 PG_CONFIG=pg_config"

run start stop status psql:
	@scripts/roost $@
demo:
	@PASSWORD="$(PASSWORD)" scripts/roost demo $(N)
bench:
	@bench/run
indent: all
	@scripts/indent || true
test:
	@scripts/test
lint $(addprefix test-,$(SUITES)):
	@scripts/test $(@:test-%=%) $(TESTS)
