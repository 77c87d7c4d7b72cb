// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* A vantage as JSON (design section 3), the same wherever one is written. */
#include "base/json.h"
#include "store/observation.h"

/* The key "vantage" and its object, every key there, unknown as null. */
void vantage_write_json(struct json *json, const struct vantage *vantage);
