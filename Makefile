# roost: build and install with PGXS.
#   make            build extension/ and bgworker/ -> roost.so, and the gateway
#   make install    install both
# What a user runs (run, start, stop, status, psql, demo, test, bench, lint)
# is defined at the end.

EXTENSION = extension/roost
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" extension/roost.control)
MODULE_big = roost
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard extension/*.c extension/*/*.c bgworker/*.c)))

PG_CPPFLAGS = -I$(CURDIR)/extension -I$(CURDIR) -DROOST_VERSION='"$(EXTVERSION)"' $(if $(ROOST_DEBUG),-DROOST_DEBUG)
PG_CFLAGS = -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare \
	-Wno-missing-field-initializers -Wno-declaration-after-statement
SHLIB_LINK = -lcrypto -largon2

# LLVM bitcode is of no use to functions that are not inlined into queries.
with_llvm = no

SQL_FILES := $(addprefix sql/,$(shell sed 's/\#.*//' sql/install.list))
UPDATES := $(wildcard sql/updates/*--*.sql)
DATA_built = extension/roost--$(EXTVERSION).sql $(patsubst sql/updates/%,extension/roost--%,$(UPDATES))

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# One list of errors: what C, SQL and the docs know of them is generated.
ERRCODES = gateway/errcodes.h sql/api/error_codes.sql docs/errors.md
$(ERRCODES): extension/errcodes.txt scripts/generate-errcodes
	@mkdir -p $(@D)
	scripts/generate-errcodes $@ > $@.new && mv $@.new $@
all: docs/errors.md
$(OBJS): gateway/errcodes.h

extension/roost--$(EXTVERSION).sql: $(SQL_FILES) sql/install.list scripts/assemble-sql
	scripts/assemble-sql install > $@.new && mv $@.new $@
extension/roost--%.sql: sql/updates/%.sql $(SQL_FILES) sql/install.list scripts/assemble-sql
	scripts/assemble-sql update $< > $@.new && mv $@.new $@

EXTRA_CLEAN = extension/roost--*.sql gateway/errcodes.h sql/api/error_codes.sql
