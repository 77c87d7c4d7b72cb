// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * HTTP. The first byte chooses: bit 0 a response or a request, bit 1 whether more may come.
 */
#include <stdlib.h>
#include <string.h>

#include "probe/inspect/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void run_request(const uint8_t *data, size_t size, bool final)
{
    struct http_request request;

    memset(&request, 0xa5, sizeof(request));
    enum parse_result result = http_parse_request(data, size, final, &request);
    check(memchr(request.method, '\0', sizeof(request.method)) != NULL);
    check(memchr(request.host, '\0', sizeof(request.host)) != NULL);
    check(!final || result != PARSE_MORE);
    check(final || request.complete == (result == PARSE_DONE));
    check(result != PARSE_NOT_MINE || request.host[0] == '\0');
}

static void run_response(const uint8_t *data, size_t size, bool final)
{
    struct http_response response;

    memset(&response, 0xa5, sizeof(response));
    enum parse_result result = http_parse_response(data, size, final, &response);
    check(memchr(response.location, '\0', sizeof(response.location)) != NULL);
    check(memchr(response.server, '\0', sizeof(response.server)) != NULL);
    check(memchr(response.title, '\0', sizeof(response.title)) != NULL);
    check(strchr(response.location, '#') == NULL);
    check(!final || result != PARSE_MORE);
    check(response.status < 1000 && !(response.bare_html && response.status > 0));
    check(result != PARSE_DONE || response.bare_html || data[0] == 'H');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0) {
        bool final = data[0] & 2;
        if (data[0] & 1) {
            run_response(data + 1, size - 1, final);
        } else {
            run_request(data + 1, size - 1, final);
        }
    }
    return 0;
}
