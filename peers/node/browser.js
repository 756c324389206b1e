#!/usr/bin/env node
'use strict';
// A person at the demonstration's page, in a real Chromium.
//
//   node browser.js --page http://127.0.0.1:8315/ [--shots folder] [--chromium /usr/bin/chromium]
//
// It types a transfer on a phone, waits for the answers on both phones, asks with the password and pays out with the code that
// the phones show, delivers a message twice, cuts the link, moves the clock, sends from a sealed phone, has the ledger proven,
// and looks whether the page fits wide and narrow windows, also without scripts. One JSON object a line says what was seen; the
// first thing that is not as it should be ends it with 1.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { createRequire } = require('node:module');

const PATIENCE_MS = 30_000;
const WIDE = { width: 1400, height: 900 };
const NARROW = { width: 400, height: 800 };
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
const [FIRST, SECOND, SEALED, NEWCOMER, AGENT] = [0, 1, 2, 3, 4];

// Installed outside the source tree, like the other peers' packages.
const peers = process.env.WAKALA_PEERS || path.resolve(__dirname, '../../.peers');
const { chromium } = createRequire(path.join(peers, 'node', 'package.json'))('playwright-core');

const saw = (what, more = {}) => console.log(JSON.stringify({ saw: what, ...more }));

class Person {
  constructor(page, shots) {
    this.page = page;
    this.shots = shots;
  }

  messages(who) {
    return this.page.locator(`#messages-${who} li`);
  }

  /** Types a text on a phone and sends it with the Enter key. */
  async type(who, text) {
    await this.page.locator(`#text-${who}`).fill(text);
    await this.page.locator(`#text-${who}`).press('Enter');
  }

  /** Sends what one of the phone's buttons fills in. */
  async press(who, label) {
    await this.page.locator(`#phone-${who} .quick button`, { hasText: label }).first().click();
    const text = await this.page.locator(`#text-${who}`).inputValue();
    assert.doesNotMatch(text, /[{}]/, `"${label}" knows all it needs: ${text}`);
    await this.page.locator(`#phone-${who} form button`).click();
    return text;
  }

  /** Waits for a received message and gives its words; `count` of them where more than one is to come. */
  async hears(who, pattern, count = 1) {
    const found = this.page.locator(`#messages-${who} li.got`).filter({ hasText: pattern });
    await found.nth(count - 1).waitFor({ timeout: PATIENCE_MS });
    return found.nth(count - 1).locator('p').innerText();
  }

  async shot(name) {
    if (this.shots) await this.page.screenshot({ path: path.join(this.shots, `${name}.png`) });
  }

  /** Nothing is wider than the window. */
  async fits(name) {
    const { wide, window } = await this.page.evaluate(() => ({
      wide: document.documentElement.scrollWidth, window: document.documentElement.clientWidth,
    }));
    assert.ok(wide <= window, `${name}: ${wide} px in a window of ${window} px`);
  }
}

async function payOut(person) {
  await person.press(FIRST, 'Send money');
  await person.hears(FIRST, /TZS 5,000\.00 for \+255784000004, to collect by/);
  const told = await person.hears(NEWCOMER, /Password \d{8}/);
  const password = told.match(/Password (\d{8})/)[1];
  const query = await person.press(NEWCOMER, 'Query');
  assert.equal(query, `QT*0784000004*${password}*1042`);
  const code = (await person.hears(NEWCOMER, /code \d{6}, for 30 min/)).match(/code (\d{6})/)[1];
  const claim = await person.press(AGENT, 'Pay out');
  assert.equal(claim, `GM*0784000004*5000*${code}*6931`);
  await person.hears(AGENT, /hand over CASH TZS 4,890\.00 to \+255784000004/);
  await person.hears(NEWCOMER, /take CASH TZS 4,890\.00/);
  await person.hears(FIRST, /has collected TZS 5,000\.00/);
  await person.page.locator('#balance-0', { hasText: 'TZS 144,934.00' }).waitFor({ timeout: PATIENCE_MS });
  await person.page.locator('#accounts tr', { hasText: 'Customer A' }).filter({ hasText: '144,934.00' })
    .waitFor({ timeout: PATIENCE_MS });
  saw('a transfer paid out', { password_digits: password.length, code_digits: code.length });
}

async function sealed(person) {
  await person.type(SEALED, 'TM*0713000002*1500*1618');
  await person.hears(SEALED, /TZS 1,500\.00 sent to \+255713000002/);
  await person.hears(SECOND, /you received TZS 1,500\.00 from \+255754000003/);
  const packets = person.page.locator(`#messages-${SEALED} li`).filter({ hasText: '1,500.00 sent' }).locator('details code');
  assert.match(await packets.first().textContent(), /^027000[0-9a-f]{40,}$/);
  const onTheWire = await person.page.locator('#wire li.sealed code').allTextContents();
  assert.ok(onTheWire.length >= 2 && onTheWire.every((packet) => /^[0-9a-f]+$/.test(packet)), 'packets on the wire are sealed');
  const readable = await person.page.locator('#wire').innerText();
  assert.doesNotMatch(readable, /TM\*0713000002\*1500|TZS 1,500\.00 sent/, 'neither request nor answer is readable on the wire');
  saw('a sealed transfer', { packets: onTheWire.length });
}

async function twice(person) {
  await person.type(FIRST, 'TM*0713000002*700*2718');
  await person.hears(SECOND, /you received TZS 700\.00/);
  await person.page.getByRole('button', { name: 'Deliver last message twice' }).click();
  await person.hears(FIRST, /Same message again: it counts once only/);
  const received = await person.page.locator(`#messages-${SECOND} li.got`).filter({ hasText: '700.00 from' }).count();
  assert.equal(received, 1, 'the payee got it once');
  saw('a message delivered twice, counted once');
}

async function cut(person) {
  await person.page.getByRole('button', { name: 'Cut the link' }).click();
  // Lost, then bound again, in this order.
  await person.page.waitForFunction(() => /false,true$/.test(globalThis.links.join()), null, { timeout: PATIENCE_MS });
  await person.type(FIRST, 'BL*2718');
  await person.hears(FIRST, /^Received: Balance TZS /);
  saw('the link cut and bound again');
}

async function nobodyCollects(person) {
  await person.type(FIRST, 'TM*0784000004*1200*2718');
  await person.hears(NEWCOMER, /TZS 1,200\.00 from \+255712000001 until/);
  const before = await person.page.locator('#clock').innerText();
  await person.page.getByRole('button', { name: 'Clock on 7 days' }).click();
  await person.hears(FIRST, /did not collect in time\. TZS 1,266\.00 returned/);
  await person.hears(NEWCOMER, /was not collected in time and has gone back/);
  assert.notEqual(await person.page.locator('#clock').innerText(), before);
  saw('a refund after the period');
}

async function refused(person) {
  await person.type(FIRST, 'TM*0713000002*abc');
  await person.hears(FIRST, /Write: TM\*number\*amount\*PIN/);
  await person.type(SECOND, '<b onclick=alert(1)>&{{nonce}}');
  await person.hears(SECOND, /We do not know this message/);
  assert.equal(await person.page.locator('.messages b').count(), 0, 'what people type stays text');
  saw('messages that cannot be read');
}

async function prove(person) {
  await person.page.getByRole('button', { name: 'Prove the ledger' }).click();
  await person.page.locator('#proof .verdict.sound').waitFor({ timeout: PATIENCE_MS });
  const proof = await person.page.locator('#proof').innerText();
  assert.match(proof, /rows\s+\d+/);
  assert.match(proof, /chain head\s+[0-9a-f]{64}/);
  assert.match(proof, /sum of all balances\s+TZS 0\.00/);
  assert.match(proof, /findings\s+0/);
  assert.match(await person.page.locator('#accounts tr.sum').innerText(), /0\.00/);
  saw('the proof', { proof: proof.replace(/\s+/g, ' ') });
}

/** Labels, names and the keyboard: what somebody needs who does not see or point. */
async function accessible(person) {
  const nameless = await person.page.evaluate(() => [...document.querySelectorAll('input:not([type=hidden]), button')]
    .filter((control) => !control.labels?.length && !control.textContent.trim() && !control.getAttribute('aria-label'))
    .map((control) => control.outerHTML));
  assert.deepEqual(nameless, []);
  const doubled = await person.page.evaluate(() => {
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
    return ids.filter((id, place) => ids.indexOf(id) !== place);
  });
  assert.deepEqual(doubled, []);
  await person.page.locator('#text-0').focus();
  await person.page.keyboard.press('Tab');
  const focused = await person.page.evaluate(() => document.activeElement.getAttribute('aria-label'));
  assert.equal(focused, 'Send from Customer A');
  saw('every control has a name');
}

/** Nothing moves by itself: what arrives does not push what stands around it. */
async function steady(person) {
  const shifted = await person.page.evaluate(() => globalThis.shifted);
  assert.ok(shifted < 0.02, `the layout shifted by ${shifted}`);
  saw('a steady layout', { shifted });
}

async function withoutScripts(browser, address, shots) {
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: WIDE });
  const person = new Person(await context.newPage(), shots);
  await person.page.goto(address);
  await person.type(SECOND, 'HP');
  await person.page.waitForURL(address);
  // The answer may come after the page: it is there when the page is asked for again.
  const deadline = Date.now() + PATIENCE_MS;
  const answer = person.page.locator(`#messages-${SECOND} li.got`).filter({ hasText: 'Send money: TM*number' });
  while (await answer.count() === 0) {
    assert.ok(Date.now() < deadline, 'the help came');
    await person.page.goto(address);
  }
  await context.close();
  saw('a message sent without scripts');
}

async function views(person, browser, address, shots) {
  await person.page.evaluate(() => scrollTo(0, 0));
  await person.fits('wide');
  await person.shot('wide');
  for (const [name, options] of [
    ['narrow', { viewport: NARROW, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }],
    ['dark', { viewport: WIDE, colorScheme: 'dark' }],
    ['narrow-dark', { viewport: NARROW, isMobile: true, hasTouch: true, colorScheme: 'dark' }],
  ]) {
    const context = await browser.newContext(options);
    const other = new Person(await context.newPage(), shots);
    await other.page.goto(address);
    await other.page.locator('#accounts tr').first().waitFor({ timeout: PATIENCE_MS });
    await other.fits(name);
    await other.shot(name);
    if (name === 'narrow' && shots) {
      await other.page.screenshot({ path: path.join(shots, 'narrow-whole.png'), fullPage: true });
    }
    await context.close();
  }
  saw('wide and narrow, light and dark');
}

async function main() {
  const { values } = parseArgs({
    options: { page: { type: 'string' }, shots: { type: 'string' }, chromium: { type: 'string' } },
  });
  assert.ok(values.page, '--page says where the page is');
  const executablePath = values.chromium || CHROMIUM.find((file) => fs.existsSync(file));
  assert.ok(executablePath, 'no Chromium found: apt-get install chromium');
  if (values.shots) fs.mkdirSync(values.shots, { recursive: true });
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'wakala-browser-'));
  const problems = [];
  const context = await chromium.launchPersistentContext(profile, {
    executablePath, args: ARGUMENTS, headless: true, viewport: WIDE, chromiumSandbox: false,
  });
  try {
    const page = context.pages()[0] ?? await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => { if (message.type() === 'error') problems.push(message.text()); });
    page.on('request', (request) => {
      if (!request.url().startsWith(values.page) && !request.url().startsWith('data:')) problems.push(`asks ${request.url()}`);
    });
    await page.addInitScript(() => {
      globalThis.links = [];
      addEventListener('DOMContentLoaded', () => {
        const link = document.querySelector('#link');
        new MutationObserver(() => {
          if (globalThis.links.at(-1) !== link.dataset.bound) globalThis.links.push(link.dataset.bound);
        }).observe(link, { attributes: true, attributeFilter: ['data-bound'] });
      });
      globalThis.shifted = 0;
      new PerformanceObserver((list) => {
        for (const shift of list.getEntries()) if (!shift.hadRecentInput) globalThis.shifted += shift.value;
      }).observe({ type: 'layout-shift', buffered: true });
    });
    const person = new Person(page, values.shots);
    await page.goto(values.page);
    await person.shot('start');
    for (const chapter of [payOut, sealed, twice, cut, refused, nobodyCollects, prove, accessible, steady]) {
      await chapter(person);
    }
    const browser = context.browser() ?? await chromium.launch({ executablePath, args: ARGUMENTS });
    await withoutScripts(browser, values.page, values.shots);
    await views(person, browser, values.page, values.shots);
    assert.deepEqual(problems, [], 'the browser has nothing to complain of');
    if (browser !== context.browser()) await browser.close();
  } finally {
    await context.close();
    fs.rmSync(profile, { recursive: true, force: true });
  }
}

main().catch((error) => {
  console.error(error.stack);
  process.exit(1);
});
