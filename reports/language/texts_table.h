// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* What texts.py makes, as language.c reads it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/language/texts.h"

struct language {
    const char *code, *name;
    bool is_rtl;
    unsigned form_count;
    uint64_t (*plural)(uint64_t n);
    const char *const *texts; /* [text * form_count + form]; NULL where there is none yet */
};

extern const char *const texts_names[TEXT_COUNT]; /* by strcmp(), which is the order of the enum */
extern const struct language texts_languages[];   /* English first */
extern const size_t texts_language_count;
