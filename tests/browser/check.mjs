// SPDX-License-Identifier: GPL-3.0-or-later
// Opens report pages in a real browser and asks whether they are what a reader needs.
//
//   node check.mjs SCREENSHOTS NAME=FOLDER/index.html...
//
// Each page is looked at as phone, desktop, print and in the dark, with scripts and without: without them it must say the
// same. Prints one line a finding; exit status 1 if there is any.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { HtmlValidate } from 'html-validate';

const require = createRequire(import.meta.url);
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const PAGE_BYTES_MAX = 1000000;
const FIRST_SCREENS = 3000; // pixels that are kept of a page without scripts
const VIEWS = [
  { name: 'phone', width: 360, height: 740, axe: true },
  { name: 'desktop', width: 1280, height: 900, axe: true },
  { name: 'dark', width: 1280, height: 900, colorScheme: 'dark', axe: true },
  { name: 'phone-dark', width: 360, height: 740, colorScheme: 'dark' },
  { name: 'print', width: 800, height: 1100, media: 'print' },
];
const findings = [];
let checks = 0;

function check(holds, text) {
  checks += 1;
  if (!holds) findings.push(text);
}

// What a page asks for beside itself, and what it complains of.
function watch(page, url, label) {
  page.on('request', (request) => {
    const asked = request.url();
    check(asked === url || asked.startsWith('data:'), `${label}: the page asks for ${asked}`);
  });
  page.on('console', (message) => {
    check(message.type() !== 'error', `${label}: console: ${message.text()}`);
  });
  page.on('pageerror', (error) => check(false, `${label}: ${error.message}`));
}

async function checkAccessibility(page, label) {
  await page.evaluate(axeSource); // a script element would be refused by the page's policy
  const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  checks += result.passes.length;
  for (const violation of result.violations)
    for (const node of violation.nodes.slice(0, 3))
      findings.push(`${label}: axe ${violation.id}: ${node.target.join(' ')}: ${node.failureSummary.split('\n').slice(1).join('; ')}`);
}

// Nothing may be wider than the screen, nor stand outside of it.
async function checkLayout(page, label, width) {
  const layout = await page.evaluate(() => ({
    width: document.scrollingElement.scrollWidth,
    wide: [...document.querySelectorAll('main *')]
      .filter((element) => {
        const box = element.getBoundingClientRect();
        if (box.width === 0 || element.closest('svg') !== null && element.tagName !== 'svg') return false;
        let parent = element.parentElement;
        while (parent && parent !== document.body) {
          if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(parent).overflowX)) return false;
          parent = parent.parentElement;
        }
        return box.right > document.documentElement.clientWidth + 1 || box.left < -1;
      })
      .slice(0, 3)
      .map((element) => `${element.tagName.toLowerCase()}.${element.getAttribute('class') ?? ''}#${element.id}`),
  }));
  check(layout.width <= width, `${label}: ${layout.width} wide on a screen of ${width}: ${layout.wide.join(', ')}`);
}

// The script sorts and filters; without it the tables are all there.
async function checkScript(page, label) {
  const button = page.locator('th button').first();
  if ((await button.count()) === 0) return;
  const rows = () => page.evaluate(() => {
    const table = document.querySelector('th button').closest('table');
    return [...table.tBodies[0].rows].map((row) => row.cells[0].textContent);
  });
  const before = await rows();
  await button.click();
  const once = await rows();
  await button.click();
  const twice = await rows();
  check([...before].sort().join() === [...once].sort().join(), `${label}: sorting lost rows`);
  check(new Set(before).size < 2 || once.join() !== twice.join(), `${label}: the second click sorts the same way`);
}

// What a reader sees, but for what the script puts in: fields to filter by.
function visibleText(page) {
  return page.evaluate(() => {
    for (const field of document.querySelectorAll('.filter')) field.remove();
    return document.body.innerText.replace(/\s+/g, ' ');
  });
}

// Nobody can open anything on paper.
async function checkOpen(page, label) {
  const closed = await page.evaluate(() => [...document.querySelectorAll('details > :not(summary)')]
    .filter((element) => !element.checkVisibility({ contentVisibilityAuto: true })).length);
  check(closed === 0, `${label}: ${closed} things are closed on paper`);
}

function firstDifference(a, b) {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  return `"${a.slice(at, at + 60)}" against "${b.slice(at, at + 60)}"`;
}

async function screenshot(page, path, height) {
  const size = page.viewportSize();
  const clip = height ? { x: 0, y: 0, width: size.width, height } : undefined;
  await page.screenshot({ path, fullPage: true, clip });
}

async function lookAt(browser, name, path, folder) {
  const url = pathToFileURL(path).href;
  const texts = {};
  for (const view of VIEWS) {
    for (const scripts of [true, false]) {
      const label = `${name} ${view.name}${scripts ? '' : ' without scripts'}`;
      const context = await browser.newContext({
        viewport: { width: view.width, height: view.height }, colorScheme: view.colorScheme ?? 'light',
        javaScriptEnabled: scripts, deviceScaleFactor: 1,
      });
      const page = await context.newPage();
      watch(page, url, label);
      await page.emulateMedia({ media: view.media ?? 'screen', colorScheme: view.colorScheme ?? 'light' });
      await page.goto(url, { waitUntil: 'load' });
      await screenshot(page, `${folder}/${name}-${view.name}${scripts ? '' : '-noscript'}.png`, scripts ? 0 : FIRST_SCREENS);
      if (scripts) {
        if (view.media !== 'print') await checkLayout(page, label, view.width);
        if (view.axe) await checkAccessibility(page, label);
        if (view.name === 'desktop') await checkScript(page, label);
        if (view.name === 'desktop') await page.reload({ waitUntil: 'load' }); // sorted by then
        texts[view.name] = await visibleText(page);
      } else {
        const text = await visibleText(page);
        check(text === texts[view.name], `${label}: says something else: ${firstDifference(text, texts[view.name])}`);
        if (view.media === 'print') await checkOpen(page, label);
      }
      await context.close();
    }
  }
}

async function checkMarkup(name, path) {
  const text = readFileSync(path, 'utf8');
  check(text.length < PAGE_BYTES_MAX, `${name}: ${text.length} bytes`);
  check(/Content-Security-Policy[^>]*default-src 'none'/.test(text), `${name}: no policy that allows nothing`);
  const validator = new HtmlValidate({ extends: ['html-validate:recommended'] });
  const report = await validator.validateString(text);
  checks += 1;
  for (const result of report.results)
    for (const message of result.messages.slice(0, 10))
      findings.push(`${name}: html-validate ${message.ruleId} at ${message.line}:${message.column}: ${message.message}`);
}

const [screenshots, ...pages] = process.argv.slice(2);
mkdirSync(screenshots, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none'],
});
try {
  for (const word of pages) {
    const name = word.slice(0, word.indexOf('='));
    const path = word.slice(word.indexOf('=') + 1);
    await checkMarkup(name, path);
    await lookAt(browser, name, path, screenshots);
  }
} finally {
  await browser.close();
}
for (const finding of findings) console.log(finding);
console.log(`${pages.length} pages, ${checks} checks, ${findings.length} findings; screenshots in ${screenshots}`);
process.exit(findings.length > 0 || pages.length === 0 ? 1 : 0);
