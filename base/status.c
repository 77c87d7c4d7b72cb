// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const sentences[] = {
    [DL_END - DL_STATUS_FIRST] = "Nothing more to read",
    [DL_AGAIN - DL_STATUS_FIRST] = "Nothing to read now",
    [DL_TRUNCATED - DL_STATUS_FIRST] = "The input ends too early",
    [DL_MALFORMED - DL_STATUS_FIRST] = "The input is malformed",
    [DL_UNSUPPORTED - DL_STATUS_FIRST] = "The input is of a kind that is not supported",
    [DL_UNKNOWN_FORMAT - DL_STATUS_FIRST] = "The input is in no known format",
    [DL_EMPTY - DL_STATUS_FIRST] = "The input is empty",
    [DL_LIMIT - DL_STATUS_FIRST] = "A configured maximum is reached",
    [DL_DUPLICATE - DL_STATUS_FIRST] = "It is already there",
    [DL_NOT_FOUND - DL_STATUS_FIRST] = "It was not found",
    [DL_USAGE - DL_STATUS_FIRST] = "The request makes no sense",
    [DL_CORRUPT - DL_STATUS_FIRST] = "The store or database is damaged",
    [DL_VERSION - DL_STATUS_FIRST] = "It was made by a newer version of darkline",
    [DL_NO_KEY - DL_STATUS_FIRST] = "The key file is missing, unreadable or open to others",
    [DL_LIBRARY - DL_STATUS_FIRST] = "A library failed",
    [DL_LEAK - DL_STATUS_FIRST] = "An address that must not be published was found",
};

const char *dl_strerror(int status)
{
    const char *sentence = NULL;

    if (status == DL_OK) {
        sentence = "Success";
    } else if (status >= DL_STATUS_FIRST && status <= DL_STATUS_LAST) {
        sentence = sentences[status - DL_STATUS_FIRST];
    } else if (status < 0 && status > DL_STATUS_FIRST) {
        sentence = strerrordesc_np(-status);
    }
    return sentence ? sentence : "Unknown status";
}

int dl_error_set(struct dl_error *error, int status, const char *format, ...)
{
    char message[DL_ERROR_SIZE] = "";
    va_list arguments;

    if (error) {
        /* Apart first: the old message may be one of the arguments. */
        va_start(arguments, format);
        vsnprintf(message, sizeof(message), format, arguments);
        va_end(arguments);
        error->status = status;
        memcpy(error->message, message, sizeof(message));
    }
    return status;
}

const char *dl_error_text(const struct dl_error *error, int status)
{
    return error && error->message[0] != '\0' ? error->message : dl_strerror(status);
}
