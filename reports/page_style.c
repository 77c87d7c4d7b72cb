// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/page.h"

/* Contrast is at least 4.5 in either scheme; nothing is said by colour alone. */
const char page_style[] =
    ":root{color-scheme:light "
    "dark;--ink:#1b1b1b;--paper:#fff;--soft:#f3f3f0;--line:#b9b9b2;--mark:#7a3b00}\n"
    "@media "
    "(prefers-color-scheme:dark){:root{--ink:#ececec;--paper:#161616;--soft:#232321;--line:#5a5a55;"
    "--mark:#ffb870}}\n"
    "body{margin:0 auto;max-width:68rem;padding:1rem;font:1rem/1.5 "
    "system-ui,sans-serif;color:var(--ink);"
    "background:var(--paper);overflow-wrap:anywhere}\n"
    "h1{font-size:1.7rem;line-height:1.2}h2{font-size:1.3rem;margin-top:2.5rem;border-bottom:1px "
    "solid "
    "var(--line)}h3{font-size:1.05rem;margin-top:1.8rem}\n"
    ".banner{border:3px double var(--mark);padding:.6rem 1rem;font-weight:bold}\n"
    ".lead{font-size:1.15rem}.note,.facts{color:inherit;font-size:.92rem}\n"
    ".box{background:var(--soft);border-left:4px solid var(--line);padding:.3rem 1rem}\n"
    ".wide{overflow-x:auto}\n"
    "table{border-collapse:collapse;margin:.8rem 0;font-size:.92rem;min-width:50%}\n"
    "caption{text-align:left;font-weight:bold;padding:.3rem 0}\n"
    "th,td{border-bottom:1px solid var(--line);padding:.25rem .7rem .25rem 0;text-align:left;"
    "vertical-align:top;font-weight:normal}\n"
    "thead th{font-weight:bold;border-bottom-width:2px}\n"
    ".number{text-align:right;font-variant-numeric:tabular-nums}\n"
    "code{font:.88em ui-monospace,monospace}dt{font-weight:bold}dd{margin:0 0 .4rem 1.2rem}\n"
    "@media print{body{max-width:none;padding:0;font-size:10pt}.wide{overflow:visible}"
    "tr,.box,.banner{break-inside:avoid}h2,h3,caption{break-after:avoid}}\n";
